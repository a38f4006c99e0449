"""Progress on standard error: a bar in a terminal or a notebook, elsewhere ten plain lines at most."""

from __future__ import annotations

import contextlib
import math
import sys
import warnings
from collections.abc import Mapping
from typing import Any

LINES = 10  # at most, where there is no bar


class Progress:
    """Show how far training has come.

    Parameters
    ----------
    epochs : int
        In all.
    done : int
        Before this run.
    enabled : bool
    """

    def __init__(self, epochs: int, done: int, *, enabled: bool) -> None:
        self._epochs, self._every = epochs, math.ceil(epochs / LINES)
        self._enabled = enabled
        self._bar: Any = None
        if enabled and (_in_terminal() or "ipykernel" in sys.modules):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # tqdm's, about a missing widget library
                from tqdm.auto import tqdm

                self._bar = tqdm(total=epochs, initial=done, unit="epoch", dynamic_ncols=True, leave=False)

    def update(self, row: Mapping[str, float]) -> None:
        """Show an epoch's numbers."""
        if not self._enabled:
            return
        epoch = int(row["epoch"])
        numbers = {
            name: f"{value:.4g}" for name, value in row.items() if name not in ("epoch", "learning_rate")
        }
        if self._bar is not None:
            self._bar.set_postfix(numbers, refresh=False)
            self._bar.update()
        elif sys.stderr is not None and (epoch % self._every == 0 or epoch == self._epochs):
            text = "  ".join(f"{name} {value}" for name, value in numbers.items())
            with contextlib.suppress(OSError, ValueError):  # a closed standard error is no reason to stop
                print(f"epoch {epoch}/{self._epochs}  {text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()


def _in_terminal() -> bool:
    """Whether standard error is a terminal; it may be closed, or not there at all."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False
