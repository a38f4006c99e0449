"""Engines: what runs the epochs of training and predicts. The reference is NumPy, and the specification.

Reading order: contract, reference; then what gives the same numbers faster: compiled, predictions, workspace,
jobs, records, streams, threads, compilation, machine_code, scipy_blas, kernel_compiler, kernels,
instructions; for many workers, shard_gradients and shards.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import ModuleType

from deltarule.errors import InputError
from deltarule.nn.engines import compiled, reference
from deltarule.nn.engines.contract import NetworkWithEngine, TrainableNetwork
from deltarule.nn.engines.threads import SMALL_PRODUCTS, blas_of_one_thread
from deltarule.nn.optimizers import GradientStep, Optimizer
from deltarule.registry import did_you_mean, is_there

__all__ = ["ENGINES", "choose_engine", "compiled", "engine_to_predict", "hold_blas", "reference"]

#: The engines by name.
ENGINES: dict[str, ModuleType] = {"reference": reference, "compiled": compiled}


#: ``"auto"`` compiles where NumPy would take longer than this, in seconds: about twice what compiling takes
#: where nothing is cached …
WORTH_COMPILING = 20.0
#: … as estimated from the seconds of an update for its calls …
SECONDS_OF_CALLS = 6e-5
#: … and for each row and parameter of it.
SECONDS_OF_A_NUMBER = 5e-11

_NUMPY_DOES = "the compiled engine cannot run this: {}; NumPy does"


def engine_to_predict(name: str | None, net: NetworkWithEngine) -> ModuleType:
    """Return the engine of that name; or the reference, with a warning, where it cannot run the network.

    Without a name it is the one that trained the network, if it is installed here.
    """
    if name is None:
        name = net.engine if net.engine == "reference" or is_there("numba") else "reference"
    if name == "reference":
        return reference
    _check_name(name, ENGINES)
    reason = compiled.cannot_predict(net)
    if reason:
        warnings.warn(_NUMPY_DOES.format(reason), stacklevel=3)
        return reference
    return compiled


def _check_name(name: str, known: Iterable[str]) -> None:
    names = list(known)
    if not isinstance(name, str):
        raise InputError(f"engine must be a name, got {name!r}; names: {', '.join(names)}")
    if name not in names:
        raise InputError(f"unknown engine {name!r}{did_you_mean(name, names)}")


def hold_blas(name: str, net: TrainableNetwork, size: int) -> AbstractContextManager[object]:
    """Keep BLAS to one thread while an engine trains by batches of ``size`` rows, and in between.

    The compiled engine has threads of its own; NumPy waits for BLAS's longer than they save, unless products
    are large.
    """
    if name == "compiled":
        return blas_of_one_thread(max(size, 64) * net.parameters.size)
    return blas_of_one_thread(size * max(layer.W.size for layer in net.layers), SMALL_PRODUCTS)


def choose_engine(name: str, net: TrainableNetwork, optimizer: Optimizer, size: int, n_updates: int) -> str:
    """Return the name of the engine that ``name`` stands for.

    ``"auto"`` is the compiled one where NumPy would take long, else the reference. It looks at the job alone,
    not at what is cached, so that equal jobs give equal bits. What the compiled engine cannot run, such as a
    user's own activation, the reference runs, with a warning.

    Parameters
    ----------
    name : str
    net : TrainableNetwork
    optimizer : Optimizer
    size : int
        Rows of a batch.
    n_updates : int

    Raises
    ------
    InputError
        If there is no such engine.
    MissingExtraError
        If it needs a package that is not installed.
    """
    _check_name(name, ("auto", *ENGINES))
    if name == "reference" or not isinstance(optimizer, GradientStep):
        return "reference"
    if name == "auto":
        seconds = n_updates * (SECONDS_OF_CALLS + SECONDS_OF_A_NUMBER * size * net.parameters.size)
        if seconds > WORTH_COMPILING and is_there("numba") and not compiled.cannot_train(net, optimizer):
            return "compiled"
        return "reference"
    reason = compiled.cannot_train(net, optimizer)
    if reason:
        warnings.warn(_NUMPY_DOES.format(reason), stacklevel=4)
        return "reference"
    return "compiled"
