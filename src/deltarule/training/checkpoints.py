"""Checkpoints: all that a run needs to go on from an epoch to the bit-identical end."""

from __future__ import annotations

import os
from typing import Any

from deltarule.arrays import Array, check_fields, check_whole
from deltarule.errors import InputError, ModelFileError
from deltarule.nn.model_files import write_model
from deltarule.nn.optimizers import GradientStep
from deltarule.training.history import History
from deltarule.training.run import Run
from deltarule.training.stopping import Best
from deltarule.training.streamed import EpochPlace

_FIELDS = ("settings", "updates", "stopped", "engine", "generators", "columns", "best", "data", "notes")


def write_checkpoint(run: Run) -> None:
    """Write the network with the state of its training to the run's checkpoint file, if it has one.

    The state is the settings, the optimizer's slots, the generator, the history and the best weights so far.
    """
    if run.checkpoint is None:
        return
    if run.workers is not None:
        if run.workers.is_first:
            _write(run, run.checkpoint.path)
        run.workers.stands(os.fspath(run.checkpoint.path))
    else:
        _write(run, run.checkpoint.path)


def _write(run: Run, path: str | os.PathLike[str]) -> None:
    best = run.best
    state = {
        "settings": run.settings.to_dict(),
        "updates": run.updates,
        "stopped": run.history.stopped,
        "engine": run.engine,
        "generators": [run.order_rng.bit_generator.state, run.mask_rng.bit_generator.state],
        "columns": list(run.history),
        "best": None if best is None else [best.value, best.epoch],
        "data": run.fingerprint,
        "notes": run.notes,
        **({} if run.workers is None else {"sharded": True}),
    }
    if run.place.done:  # within an epoch of a stream
        place = run.place
        state |= {"place": [place.order_state, place.done, place.total, place.counted, place.written]}
    arrays = run.net.arrays() | {"slots": run.slots, "history": run.history.to_array()}
    if best is not None:
        arrays["best"] = best.parameters
    write_model(path, run.net.description() | {"training": state}, arrays)


def restore(run: Run, path: str | os.PathLike[str], state: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Bring a fresh run to the state in which the checkpoint at ``path`` was written.

    Raises InputError if the run has other samples; ModelFileError if the state does not fit the network.
    """
    if run.fingerprint != state.get("data"):
        raise InputError(
            f"{path} was trained on other samples: resume needs the same X, Y, sample_weight and validation"
        )
    try:
        if isinstance(run.settings.optimizer, GradientStep):
            _restore_epochs(run, state, arrays)
        else:  # L-BFGS keeps its memory inside SciPy: go back to the start and replay
            _check_like("slots", arrays["slots"], run.slots)
            run.slots[:] = arrays["slots"]
            run.net.parameters[:] = run.slots[0]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ModelFileError(f"{path} does not describe a training run: {error}") from None


def _restore_epochs(run: Run, state: dict[str, Any], arrays: dict[str, Array]) -> None:
    more = [name for name in ("sharded", "place") if name in state]
    check_fields("its state", state, (*_FIELDS, *more))
    _check_like("slots", arrays["slots"], run.slots)
    measures = run.settings.measures(run.held_out is not None)
    columns = list(dict.fromkeys(["epoch", *measures, "learning_rate"]))
    if state["columns"] != columns and not ("place" in state and state["columns"] == []):
        raise ValueError(f"a history of {state['columns']}, expected {columns}")
    if state["stopped"] not in ("finished", "early", "callback"):
        raise ValueError(f"stopped {state['stopped']!r}")
    run.slots[:] = arrays["slots"]
    run.history = History.from_array(state["columns"], arrays["history"])
    if (run.history.epochs or "place" not in state) and run.history["epoch"] != list(
        range(1, run.history.epochs + 1)
    ):
        raise ValueError("a history with epochs that do not count up")
    orders, masks = state["generators"]
    run.order_rng.bit_generator.state, run.mask_rng.bit_generator.state = orders, masks
    run.notes = dict(state["notes"])
    if state["best"] is not None or (run.settings.early_stopping is not None and run.history.epochs):
        value, epoch = state["best"]
        _check_like("best weights", arrays["best"], run.net.parameters)
        run.best = Best(float(value), int(epoch), arrays["best"])
    check_whole("updates", state["updates"], 0)
    run.epoch, run.updates = run.history.epochs, state["updates"]
    if "place" in state:
        order_state, done, total, counted, written = state["place"]
        if not 0 < check_whole("rows done", done, 0) < len(run.samples):
            raise ValueError(f"{done} rows of an epoch done, of {len(run.samples)}")
        run.place = EpochPlace(
            order_state, done, float(total), float(counted), check_whole("written", written, 0)
        )
    if state["stopped"] in ("early", "callback"):
        run.stop, run.history.stopped = True, state["stopped"]


def _check_like(name: str, array: Array, expected: Array) -> None:
    if array.shape != expected.shape or array.dtype != expected.dtype:
        raise ValueError(f"{name} of {array.dtype} {array.shape}, expected {expected.dtype} {expected.shape}")
