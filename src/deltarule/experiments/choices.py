"""What a user may name of an experiment: the network, its training, and which rows are held out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from deltarule.arrays import check_number, check_whole
from deltarule.data import ReadingOptions
from deltarule.data.encoding import MISSING, SCALES
from deltarule.data.meaning import KINDS, is_kind
from deltarule.data.reading import FORMATS
from deltarule.errors import InputError
from deltarule.nn.optimizers import Optimizer
from deltarule.registry import did_you_mean, record
from deltarule.training import Checkpoint, LocalSGD

#: The least that a whole number may be.
_WHOLE = {"rare": 1, "epochs": 1, "batch_size": 1, "patience": 1, "seed": 0}


@record
class Choices:
    """What the user names of an experiment; None leaves it to what suits the data.

    ``test`` and ``validation`` are shares of the rows; ``checkpoint``, ``every`` and ``resume`` are a file to
    write, epochs between writings, and a file to go on from; the other names are those of
    :class:`deltarule.Network`, :func:`deltarule.train` and optimizers.

    Raises InputError if a number is out of its range.
    """

    target_is_input: bool = False  # an autoencoder
    scale: str | None = None
    missing: str = "median"
    rare: int | None = None
    test: float | None = None
    validation: float | None = None

    hidden: tuple[int, ...] | None = None
    activation: str | list[str] | None = None
    output: str | None = None
    loss: str | None = None
    bias: str | None = None
    initializer: str | None = None
    dropout: float | None = None
    l1: float | None = None
    l2: float | None = None
    dtype: str | None = None

    optimizer: str | None = None
    learning_rate: float | None = None
    schedule: str | None = None
    clip_norm: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    patience: int | None = None
    seed: int = 0
    engine: str = "auto"
    workers: int | str | None = None
    local_sgd: LocalSGD | None = None
    progress: bool = False
    checkpoint: Path | None = None
    every: float = 1
    resume: Path | None = None

    def __post_init__(self) -> None:
        for name, least in _WHOLE.items():
            value = getattr(self, name)
            if value is not None or name == "seed":
                object.__setattr__(self, name, check_whole(name, value, least))
        if self.checkpoint is not None:
            Checkpoint(self.checkpoint, self.every)  # which refuses what is none
        for name in ("test", "validation"):
            share = getattr(self, name)
            if share is not None and not 0 <= check_number(name, share) < 1:
                raise InputError(
                    f"{name} must be a share of the rows, at least 0 and less than 1, got {share}"
                )
        object.__setattr__(self, "hidden", _sizes(self.hidden))
        for name in ("checkpoint", "resume"):
            path = getattr(self, name)
            object.__setattr__(self, name, None if path is None else Path(path))

    @classmethod
    def of(cls, named: Mapping[str, Any]) -> Choices:
        """Take the choices out of all that was named."""
        optimizer = named["optimizer"]
        text = optimizer.spec if isinstance(optimizer, Optimizer) else optimizer
        return cls(**{field.name: named[field.name] for field in fields(cls)} | {"optimizer": text})


def _sizes(hidden: Any) -> tuple[int, ...] | None:
    """The neurons of the hidden layers: of 20, [20], 0 (no layer) …"""
    if hidden is None:
        return None
    sizes = tuple(hidden) if isinstance(hidden, Iterable) and not isinstance(hidden, str) else (hidden,)
    if sizes == (0,):
        return ()
    return tuple(check_whole("hidden", size, 1) for size in sizes)


#: How tables are read, by the names of the options of the command line.
READING = (
    "header", "encoding", "delimiter", "quote", "ragged", "format", "table", "kind", "all_lines", "strict",
    "indicators",
)  # fmt: skip

#: What may be chosen; None leaves it open.
_KNOWN: dict[str, tuple[Any, ...]] = {
    "task": ("classification", "regression"),
    "scale": tuple(SCALES),
    "missing": MISSING,
    "ragged": ("drop", "fill"),
    "format": FORMATS,
    "paper": ("black", "white"),
    **dict.fromkeys(
        ("header", "all_lines", "strict", "indicators", "color", "target_is_input"), (True, False)
    ),
}


def check_known(named: Mapping[str, Any]) -> None:
    """Refuse what is none of the values that may be chosen.

    Raises
    ------
    InputError
        Such as for ``header=0``, which means the first line elsewhere.
    """
    for name, known in _KNOWN.items():
        value = named.get(name)
        if value is not None and not any(type(value) is type(item) and value == item for item in known):
            listed = ", ".join(map(repr, known))
            raise InputError(f"{name} must be one of {listed} or None, got {value!r}")


def reading_of(named: Mapping[str, Any]) -> ReadingOptions:
    """Take how files are read out of all that was named; ``kind`` is a mapping of column names to kinds.

    Raises InputError if there is no such kind of column or file, or a size is none.
    """
    check_known(named)
    kinds = dict(named.get("kind") or {})
    for column, kind in kinds.items():
        if not is_kind(str(kind)):
            raise InputError(f"kind of {column!r}: unknown kind {kind!r}{did_you_mean(str(kind), KINDS)}")
    names = {field.name for field in fields(ReadingOptions)} - {"names", "kinds", "labels"}
    chosen = {name: value for name, value in named.items() if name in names}
    return ReadingOptions(**chosen | {"size": _picture_size(named.get("size"))}, kinds=kinds)


def _picture_size(size: Any) -> tuple[int, int] | None:
    """Width and height of pictures: of (32, 24), or of 32."""
    if size is None:
        return None
    sides = tuple(size) if isinstance(size, Iterable) and not isinstance(size, str) else (size, size)
    if len(sides) != 2:
        raise InputError(f"size must be (width, height), got {size!r}")
    return check_whole("size", sides[0], 1, 4096), check_whole("size", sides[1], 1, 4096)
