"""What the catalogue says of a mistake."""

from __future__ import annotations

from dataclasses import replace

from deltarule.diagnosis.backprop import Backprop
from deltarule.registry import record


@record
class Mistake:
    """One mistake.

    Parameters
    ----------
    key : str
        Its name in programs: ``"no_slope_at_output"``.
    title : str
        Its name for people.
    why : str
        How it comes about.
    wrong, right : str
        The line as it is, and as it should be.
    remedy : str
        What to do.
    variants : tuple of Backprop subclasses
        Backward passes that have it; none where it shows in how the code behaves.
    lines : tuple of str
        The line as it is in each of the variants, where they differ.
    """

    key: str
    title: str
    why: str
    wrong: str
    right: str
    remedy: str
    variants: tuple[type[Backprop], ...]
    lines: tuple[str, ...] = ()

    def as_in(self, index: int) -> Mistake:
        """The same with the line of one of its variants."""
        return replace(self, wrong=self.lines[index]) if self.lines else self

    @property
    def of_dropout(self) -> bool:
        """Whether it can only be made with dropout."""
        return self.key.startswith("dropout")
