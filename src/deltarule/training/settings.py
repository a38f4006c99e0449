"""What a training run is asked to do, as records that go into a checkpoint."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, field, fields
from numbers import Real
from typing import Any

import numpy as np

from deltarule.arrays import check_fields, check_number, check_whole
from deltarule.errors import InputError
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep, Optimizer
from deltarule.registry import record
from deltarule.training.metrics import METRICS, Metric
from deltarule.training.stopping import EarlyStopping
from deltarule.training.streamed import is_stream
from deltarule.training.workers import LocalSGD


@record
class Checkpoint:
    """Write to a file everything that is needed to resume, every few epochs and at the end.

    Parameters
    ----------
    path : path
    every : int or float
        The number of epochs between two writes; for a stream also a fraction of an epoch, such as 0.1.

    Examples
    --------
    >>> Checkpoint("run.safetensors", every=10)
    Checkpoint(path='run.safetensors', every=10)
    """

    path: str | os.PathLike[str]
    every: float = 1

    def __post_init__(self) -> None:
        if not isinstance(self.path, str | os.PathLike):
            raise InputError(f"checkpoint: path must be a path, got {self.path!r}")
        if not (isinstance(self.every, float) and 0 < self.every < 1):
            check_whole("checkpoint: every", self.every)


@record
class Settings:
    """All that a run is asked to do, apart from the data."""

    optimizer: Optimizer
    epochs: int
    batch_size: int | None
    shuffle: bool
    seed: int
    validation_fraction: float | None
    metrics: tuple[Metric, ...]
    early_stopping: EarlyStopping | None = None
    engine: str = field(default="auto", compare=False)
    local_sgd: LocalSGD | None = None

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            value = getattr(self, name)
            if name != "batch_size" or value is not None:
                object.__setattr__(self, name, check_whole(name, value, low))  # JSON knows no NumPy numbers
        if self.validation_fraction is not None:
            check_number("validation", self.validation_fraction, 0, math.nextafter(1, 0))
        if not isinstance(self.local_sgd, LocalSGD | None):
            raise InputError(f"local_sgd must be a LocalSGD(steps, replicas) or None, got {self.local_sgd!r}")
        if self.local_sgd is not None and not isinstance(self.optimizer, GradientStep):
            raise InputError(
                f"local_sgd is for optimizers of one step for each batch, not {self.optimizer.spec}"
            )
        if not isinstance(self.early_stopping, EarlyStopping | None):
            raise InputError(f"early_stopping must be an EarlyStopping or None, got {self.early_stopping!r}")

    def measures(self, held_out: bool) -> list[str]:
        """Return the names of what an epoch measures: loss and metrics; with ``val_`` on samples held out."""
        names = ["loss", *(metric.name for metric in self.metrics)]
        return names + [f"val_{name}" for name in names if held_out]

    def monitored(self, held_out: bool) -> str:
        """Return the name of the column that early stopping watches.

        Raises InputError if there will be no such column.
        """
        monitor, known = self.early_stopping and self.early_stopping.monitor, self.measures(held_out)
        if monitor is not None and monitor not in known:
            raise InputError(
                f"early_stopping: no column {monitor!r} to monitor; there will be {', '.join(known)}"
            )
        return monitor or ("val_loss" if held_out else "loss")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON knows them; the engine may be another one later."""
        return {
            **{name: getattr(self, name) for name in ("epochs", "batch_size", "shuffle", "seed")},
            "validation_fraction": self.validation_fraction,
            "optimizer": self.optimizer.spec,
            "metrics": [metric.name for metric in self.metrics],
            "early_stopping": None if self.early_stopping is None else asdict(self.early_stopping),
            **({} if self.local_sgd is None else {"local_sgd": asdict(self.local_sgd)}),
        }

    def check_registered(self) -> None:
        """Refuse a metric, an optimizer or a schedule that no checkpoint could name: it is not registered."""
        try:
            self.from_dict(self.to_dict(), self.engine)
        except InputError as error:
            raise InputError(f"cannot write checkpoints: {error}; register it first") from None

    @classmethod
    def from_dict(cls, values: dict[str, Any], engine: str) -> Settings:
        """Make settings from what :meth:`to_dict` returned; ``values`` may come from an untrusted file."""
        values = {"local_sgd": None, **values}
        check_fields("settings", values, [item.name for item in fields(cls) if item.name != "engine"])
        if not isinstance(values["shuffle"], bool):
            raise InputError(f"shuffle must be true or false, got {values['shuffle']!r}")
        stopping, local = values["early_stopping"], values["local_sgd"]
        records = {
            "optimizer": OPTIMIZERS.resolve(values["optimizer"]),
            "metrics": tuple(METRICS.resolve(name) for name in values["metrics"]),
            "early_stopping": None if stopping is None else EarlyStopping(**stopping),
            "local_sgd": None if local is None else LocalSGD(**local),
        }
        return cls(**{**values, **records}, engine=engine)


def concrete_seed(seed: int | None) -> int:
    """Return the seed, or a fresh one that can be written down."""
    if seed is None:
        return int(np.random.default_rng().integers(2**63))
    return check_whole("seed", seed, 0)


def check_validation(validation: Any) -> float | None:
    """Return the fraction to hold out, where validation is a number."""
    if validation is None or isinstance(validation, tuple | list) or is_stream(validation):
        return None
    if not isinstance(validation, Real):
        kind = type(validation).__name__
        raise InputError(f"validation must be None, a fraction, (X, Y) or a stream, got {kind}")
    return check_number("validation", validation, 0, math.nextafter(1, 0))
