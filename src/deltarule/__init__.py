"""Neural networks that show their work: explicit forward and backward propagation.

>>> import deltarule as dr
>>> data = dr.datasets.load("xor")
>>> net = dr.Network([2, 8, 1], activation="tanh", output="sigmoid", seed=1)
>>> history = dr.train(net, data.X, data.y, optimizer=dr.Adam(0.1), epochs=200)
>>> net.predict(data.X).round().ravel()
array([0., 1., 1., 0.])
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltarule import data as datasets
    from deltarule.arrays import Scaled
    from deltarule.checks import check_gradients, health
    from deltarule.data.encoding import Encoding, fit_encoding
    from deltarule.derivations import Derivation, explain, explain_update
    from deltarule.diagnosis import Diagnosis, assert_backprop_correct, check, check_folder, compare
    from deltarule.errors import (
        DataFileError,
        DeltaruleError,
        DivergenceError,
        InputError,
        MissingExtraError,
        ModelFileError,
        ShapeError,
    )
    from deltarule.estimators import MLPAutoencoder as MLPAutoencoder
    from deltarule.estimators import MLPClassifier as MLPClassifier
    from deltarule.estimators import MLPRegressor as MLPRegressor
    from deltarule.exchange import export, import_network
    from deltarule.experiments import ExperimentResult, FittedModel, experiment, load_model
    from deltarule.nn.activations import ACTIVATIONS, Activation, register_activation
    from deltarule.nn.initializers import INITIALIZERS, Initializer
    from deltarule.nn.layers import Dense
    from deltarule.nn.losses import LOSSES, Loss, register_loss
    from deltarule.nn.network import Network
    from deltarule.nn.optimizers import (
        LBFGS,
        OPTIMIZERS,
        SGD,
        Adagrad,
        Adam,
        AdamHat,
        AdamW,
        Momentum,
        Nesterov,
        Optimizer,
        RMSprop,
    )
    from deltarule.nn.schedules import (
        SCHEDULES,
        Constant,
        Cosine,
        Exponential,
        InverseScaling,
        OneCycle,
        Schedule,
        Step,
        WarmUp,
    )
    from deltarule.playground import play
    from deltarule.training import (
        METRICS,
        Checkpoint,
        EarlyStopping,
        History,
        LocalSGD,
        Metric,
        Run,
        confusion_matrix,
        evaluate,
        resume,
        train,
    )
    from deltarule.tutorials import load_example
    from deltarule.worksheets import mark, worksheet

__version__ = "0.1.0"

#: The public names; the estimators need scikit-learn.
__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LBFGS",
    "LOSSES",
    "METRICS",
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamHat",
    "AdamW",
    "Checkpoint",
    "Constant",
    "Cosine",
    "DataFileError",
    "DeltaruleError",
    "Dense",
    "Derivation",
    "Diagnosis",
    "DivergenceError",
    "EarlyStopping",
    "Encoding",
    "ExperimentResult",
    "Exponential",
    "FittedModel",
    "History",
    "Initializer",
    "InputError",
    "InverseScaling",
    "LocalSGD",
    "Loss",
    "Metric",
    "MissingExtraError",
    "ModelFileError",
    "Momentum",
    "Nesterov",
    "Network",
    "OneCycle",
    "Optimizer",
    "RMSprop",
    "Run",
    "Scaled",
    "Schedule",
    "ShapeError",
    "Step",
    "WarmUp",
    "assert_backprop_correct",
    "check",
    "check_folder",
    "check_gradients",
    "compare",
    "confusion_matrix",
    "datasets",
    "evaluate",
    "experiment",
    "explain",
    "explain_update",
    "export",
    "fit_encoding",
    "health",
    "import_network",
    "load",
    "load_example",
    "load_model",
    "mark",
    "play",
    "register_activation",
    "register_loss",
    "resume",
    "train",
    "worksheet",
]

#: Which module has which names. It is loaded when one of them is first asked for, so that the import of the
#: package costs next to nothing. The imports above say the same to type checkers and editors.
_NAMES = {
    "arrays": "Scaled",
    "checks": "check_gradients health",
    "data.encoding": "Encoding fit_encoding",
    "derivations": "Derivation explain explain_update",
    "diagnosis": "Diagnosis assert_backprop_correct check check_folder compare",
    "errors": """DataFileError DeltaruleError DivergenceError InputError MissingExtraError ModelFileError
        ShapeError""",
    "estimators": "MLPAutoencoder MLPClassifier MLPRegressor",
    "exchange": "export import_network",
    "experiments": "ExperimentResult FittedModel experiment load_model",
    "nn.activations": "ACTIVATIONS Activation register_activation",
    "nn.initializers": "INITIALIZERS Initializer",
    "nn.layers": "Dense",
    "nn.losses": "LOSSES Loss register_loss",
    "nn.network": "Network",
    "nn.optimizers": "LBFGS OPTIMIZERS SGD Adagrad Adam AdamHat AdamW Momentum Nesterov Optimizer RMSprop",
    "nn.schedules": "SCHEDULES Constant Cosine Exponential InverseScaling OneCycle Schedule Step WarmUp",
    "playground": "play",
    "training": """METRICS Checkpoint EarlyStopping History LocalSGD Metric Run confusion_matrix evaluate
        resume train""",
    "tutorials": "load_example",
    "worksheets": "mark worksheet",
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}


if not TYPE_CHECKING:  # a type checker would believe that there is any name

    def __getattr__(name: str) -> object:
        """Load a public name when it is first asked for (PEP 562)."""
        if name != "datasets" and name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from deltarule.registry import signals_wait

        with signals_wait():
            module = import_module(f"{__name__}.{_MODULE_OF.get(name, 'data')}")
        found = module if name == "datasets" else getattr(module, name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(__all__)


def load(path: str | os.PathLike[str]) -> Network:
    """:meth:`Network.load`: read a network from its file; :func:`load_model` predicts from raw rows.

    Examples
    --------
    >>> import tempfile
    >>> from deltarule.nn.network import Network
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Network([2, 3, 1], seed=0).save(f"{folder}/net.safetensors")
    ...     load(f"{folder}/net.safetensors").sizes
    [2, 3, 1]
    """
    from deltarule.nn.network import Network

    return Network.load(path)


def load_ipython_extension(shell: Any) -> None:
    """Add ``%deltarule`` and ``%%deltarule`` to a notebook; ``%load_ext deltarule`` calls this."""
    import_module("deltarule.diagnosis.notebook").register(shell)
