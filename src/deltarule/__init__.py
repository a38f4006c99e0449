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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deltarule import datasets
    from deltarule.activations import ACTIVATIONS, Activation, register_activation
    from deltarule.arrays import Scaled
    from deltarule.check import check_gradients, health
    from deltarule.derivations import Derivation, explain, explain_update
    from deltarule.diagnosis import Diagnosis, assert_backprop_correct, diagnose
    from deltarule.encoding import Encoding, fit_encoding
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
    from deltarule.initializers import INITIALIZERS, Initializer
    from deltarule.layers import Dense
    from deltarule.losses import LOSSES, Loss, register_loss
    from deltarule.network import Network
    from deltarule.optimizers import (
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
    from deltarule.schedules import (
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
    from deltarule.training import (
        METRICS,
        Checkpoint,
        EarlyStopping,
        History,
        Metric,
        Run,
        confusion_matrix,
        evaluate,
        resume,
        train,
    )
    from deltarule.worksheets import mark, worksheet

__version__ = "0.1.0"

#: What ``from deltarule import *`` brings; the estimators, which need scikit-learn, are asked for by name.

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
    "Exponential",
    "History",
    "Initializer",
    "InputError",
    "InverseScaling",
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
    "check_gradients",
    "confusion_matrix",
    "datasets",
    "diagnose",
    "evaluate",
    "explain",
    "explain_update",
    "export",
    "fit_encoding",
    "health",
    "import_network",
    "load",
    "mark",
    "register_activation",
    "register_loss",
    "resume",
    "train",
    "worksheet",
]

#: Which module has which names. It is loaded when one of them is first asked for, so that the import of the
#: package costs next to nothing. The imports above say the same to type checkers and editors.
_NAMES = {
    "activations": "ACTIVATIONS Activation register_activation",
    "arrays": "Scaled",
    "check": "check_gradients health",
    "datasets": "",
    "derivations": "Derivation explain explain_update",
    "diagnosis": "Diagnosis assert_backprop_correct diagnose",
    "encoding": "Encoding fit_encoding",
    "errors": """DataFileError DeltaruleError DivergenceError InputError MissingExtraError ModelFileError
        ShapeError""",
    "estimators": "MLPAutoencoder MLPClassifier MLPRegressor",
    "exchange": "export import_network",
    "initializers": "INITIALIZERS Initializer",
    "layers": "Dense",
    "losses": "LOSSES Loss register_loss",
    "network": "Network",
    "optimizers": "LBFGS OPTIMIZERS SGD Adagrad Adam AdamHat AdamW Momentum Nesterov Optimizer RMSprop",
    "schedules": "SCHEDULES Constant Cosine Exponential InverseScaling OneCycle Schedule Step WarmUp",
    "training": """METRICS Checkpoint EarlyStopping History Metric Run confusion_matrix evaluate resume
        train""",
    "worksheets": "mark worksheet",
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}


if not TYPE_CHECKING:  # a type checker would believe that there is any name

    def __getattr__(name: str) -> object:
        """Load a public name, or a module that has some, when it is first asked for (PEP 562)."""
        module = _MODULE_OF.get(name, name)
        if module not in _NAMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = import_module(f"{__name__}.{module}")
        if name != module:
            found = getattr(found, name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULE_OF})


def load(path: str | os.PathLike[str]) -> Network:
    """:meth:`Network.load`: read a network from its file."""
    from deltarule.network import Network

    return Network.load(path)
