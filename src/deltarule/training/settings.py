"""What a training run is asked to do, as records that go into a checkpoint."""

from __future__ import annotations

import math
import os
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from deltarule.arrays import check_number, check_whole
from deltarule.errors import InputError
from deltarule.optimizers import OPTIMIZERS, Optimizer
from deltarule.training.metrics import METRICS, Metric
from deltarule.training.stopping import EarlyStopping

__all__ = ["Checkpoint", "Settings"]


@dataclass(frozen=True)
class Checkpoint:
    """Write everything needed to go on from here to a file, every so many epochs and at the end.

    Parameters
    ----------
    path : path
    every : int
        Epochs from one writing to the next.
    """

    path: str | os.PathLike[str]
    every: int = 1

    def __post_init__(self) -> None:
        check_whole("every", self.every)


@dataclass(frozen=True)
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

    def __post_init__(self) -> None:
        check_whole("epochs", self.epochs)
        if self.batch_size is not None:
            check_whole("batch_size", self.batch_size)
        if self.validation_fraction is not None:
            check_number("validation", self.validation_fraction, 0, math.nextafter(1, 0))

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {
            **{name: getattr(self, name) for name in ("epochs", "batch_size", "shuffle", "seed")},
            "validation_fraction": self.validation_fraction,
            "optimizer": self.optimizer.spec,
            "metrics": [metric.name for metric in self.metrics],
            "early_stopping": None if self.early_stopping is None else asdict(self.early_stopping),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], engine: str) -> Settings:
        """The inverse of :meth:`to_dict`."""
        stopping = values["early_stopping"]
        return cls(
            **{
                **values,
                "optimizer": OPTIMIZERS.resolve(values["optimizer"]),
                "metrics": tuple(METRICS.resolve(name) for name in values["metrics"]),
                "early_stopping": None if stopping is None else EarlyStopping(**stopping),
                "engine": engine,
            }
        )


def concrete_seed(seed: int | None) -> int:
    """The seed, or a fresh one that can be written down."""
    if seed is None:
        return secrets.randbits(63)
    check_whole("seed", seed, 0)
    return int(seed)


def check_validation(validation: Any) -> float | None:
    """The fraction to hold out, where validation is a number."""
    if validation is None or isinstance(validation, tuple | list):
        return None
    try:
        return float(validation)
    except (TypeError, ValueError):
        raise InputError(f"validation must be None, a fraction or (X, Y), got {validation!r}") from None
