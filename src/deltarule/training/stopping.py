"""Early stopping: which epoch was best, and when waiting for a better one has been long enough."""

from __future__ import annotations

from dataclasses import dataclass

from deltarule.arrays import Array, check_number, check_whole
from deltarule.registry import record


@record
class EarlyStopping:
    """Stop when a column of the history has not improved for a while, and go back to the best weights.

    Prechelt (1998).

    Parameters
    ----------
    monitor : str, optional
        A column of the history; by default ``val_loss`` if there are validation data, else ``loss``.
    patience : int or None
        How many epochs without improvement to wait; with None training never stops early, but still ends with
        the best weights.
    min_delta : float
        The least change that counts as an improvement.
    restore_best : bool
        Whether training ends with the weights of the best epoch instead of those of the last.

    Examples
    --------
    >>> EarlyStopping("val_accuracy", patience=5).improves(0.9, None, increases=True)
    True
    """

    monitor: str | None = None
    patience: int | None = 10
    min_delta: float = 0.0
    restore_best: bool = True

    def __post_init__(self) -> None:
        if self.patience is not None:
            patience = check_whole("early_stopping: patience", self.patience)
            object.__setattr__(self, "patience", patience)  # JSON knows no NumPy numbers
        object.__setattr__(self, "min_delta", check_number("early_stopping: min_delta", self.min_delta, 0))

    def improves(self, value: float, best: Best | None, *, increases: bool) -> bool:
        """Whether ``value`` is better than the best so far; ``increases`` says whether more is better."""
        if best is None:
            return True
        if increases:
            return value > best.value + self.min_delta
        return value < best.value - self.min_delta

    def waited_enough(self, epoch: int, best: Best | None) -> bool:
        """Whether ``epoch`` is ``patience`` epochs after the best one."""
        return best is not None and self.patience is not None and epoch - best.epoch >= self.patience


@dataclass(frozen=True, eq=False)
class Best:
    """The best epoch so far: what was monitored, the epoch, and a copy of its parameters."""

    value: float
    epoch: int
    parameters: Array
