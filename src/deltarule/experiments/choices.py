"""What a user may name of an experiment: the network, its training, and which rows are held out."""

from __future__ import annotations

from pathlib import Path

from deltarule.registry import record


@record
class Choices:
    """What the user names of an experiment; None leaves it to what suits the data.

    ``checkpoint``, ``every`` and ``resumed`` are a file to write, epochs between writings, and a file to go
    on from; the other names are those of :class:`deltarule.Network`, :func:`deltarule.train` and optimizers.
    """

    target_is_input: bool = False  # an autoencoder
    scale: str | None = None
    missing: str = "median"
    rare: int | None = None
    test_share: float | None = None
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
    progress: bool = False
    checkpoint: Path | None = None
    every: int = 1
    resumed: Path | None = None
