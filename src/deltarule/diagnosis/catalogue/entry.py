"""What the catalogue says of a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Step, Unfit
from deltarule.registry import record


@record
class Variant:
    """A way of making a mistake: the line as it is, and by name the steps that it changes."""

    line: str
    steps: Mapping[str, Step]


def wrong(line: str, **steps: Step) -> Variant:
    """Return a variant; each step is given the pass, and what the right one is given."""
    return Variant(line, steps)


def only(possible: bool, value: Array) -> Array:
    """Return the value; where the mistake is not possible, say that it is none.

    Raises
    ------
    Unfit
    """
    if not possible:
        raise Unfit
    return value


@record
class Mistake:
    """One mistake.

    Parameters
    ----------
    key : str
        Its name in programs: ``"no_slope_at_output"``.
    title : str
        Its name in reports.
    why : str
        How it happens.
    right : str
        The line as it should be.
    remedy : str
        How to fix it.
    variants : tuple of Variant
        Ways of making it; none if it shows only in how the code behaves.
    wrong : str
        The wrong line; if it belongs to one of the variants, the line of that variant.
    """

    key: str
    title: str
    why: str
    right: str
    remedy: str
    variants: tuple[Variant, ...] = ()
    wrong: str = ""

    def __post_init__(self) -> None:
        if not self.wrong:
            object.__setattr__(self, "wrong", self.variants[0].line)

    def as_in(self, index: int) -> Mistake:
        """The same with the line of one of its variants."""
        return replace(self, wrong=self.variants[index].line)

    @property
    def of_dropout(self) -> bool:
        """Whether it can only be made with dropout."""
        return self.key.startswith("dropout")
