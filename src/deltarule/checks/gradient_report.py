"""What a gradient check found, and what that means in words."""

from __future__ import annotations

import textwrap

import numpy as np

from deltarule.checks.finding import WIDTH, first_few
from deltarule.registry import record, shown_by


@record
class GradientReport:
    """The result of a gradient check; it prints as a report.

    Parameters
    ----------
    worst : str
        The parameter with the largest error, ``"W2[0,1]"``; empty if none could be compared.
    backprop, numerical : float
        Its entry in the gradient, and its measured slope.
    error : float
        ``|backprop − numerical| / max(|backprop|, |numerical|, floor)``; differences below the floor can be
        due to rounding alone.
    tolerance : float
        The largest error allowed.
    method : str
        How the slope was measured: ``"complex step"``, or ``"central difference"`` if a function does not
        take complex numbers.
    epsilons, differences, sweep : tuple of float
        For the worst parameter: the steps, the central differences, and their relative errors (NaN if the
        step crosses a kink).
    wrong : tuple of str
        The parameters that disagree.
    kinks : tuple of str
        The parameters that were left out, because the slope jumps within the smallest step.
    n_compared, n_parameters : int
        How many parameters were compared, and how many there are.
    """

    worst: str
    backprop: float
    numerical: float
    error: float
    tolerance: float
    method: str
    epsilons: tuple[float, ...]
    differences: tuple[float, ...]
    sweep: tuple[float, ...]
    wrong: tuple[str, ...]
    kinks: tuple[str, ...]
    n_compared: int
    n_parameters: int

    @property
    def passed(self) -> bool:
        """Whether something was compared, and all of it agrees."""
        return self.n_compared > 0 and not self.wrong

    @property
    def verdict(self) -> str:
        """What the numbers mean, in words."""
        if not self.n_compared:
            finding = "Nothing could be compared."
        elif not self.wrong:
            finding = f"The gradient is right: backprop agrees with the measured slope.{self._sweep_in_words}"
        elif self._settles:
            ratio = f", {self.backprop / self.numerical:.4g} times that" if self.numerical else ""
            finding = (
                f"The gradient is wrong for {first_few(self.wrong)}. As ε shrinks, the differences for "
                f"{self.worst} settle at {self.numerical:.6g}; backprop says {self.backprop:.6g}{ratio}. An "
                "error that is the same for every ε is not rounding: look for a mistake in the formula."
            )
        else:
            finding = (
                f"This check cannot tell for {first_few(self.wrong)}: as ε shrinks, the differences do not "
                "settle at one number. The cost may jump there, or be so large that rounding hides the slope."
            )
        return " ".join([finding, *self._reservations])

    @property
    def _settles(self) -> bool:
        """Whether neighbouring differences agree much better with each other than with backprop."""
        apart = np.abs(np.diff(np.array(self.differences)[~np.isnan(self.sweep)]))
        return len(apart) > 0 and bool(np.median(apart) < 0.1 * abs(self.backprop - self.numerical))

    @property
    def _sweep_in_words(self) -> str:
        least = int(np.nanargmin(self.sweep))
        smallest = self.sweep[least]
        if self.tolerance > 1e-6 or self.sweep[-1] < 10 * smallest:
            return ""
        if np.nanmax(self.sweep[: least + 1]) < 10 * smallest:
            return " The error of the differences grows like 1/ε: rounding."
        return (
            f" The error of the differences falls like ε² down to ε = {self.epsilons[least]:.0e}, as "
            "expected of central differences, and grows like 1/ε from there: rounding."
        )

    @property
    def _reservations(self) -> list[str]:
        reservations = []
        if self.tolerance > 1e-6:
            reservations.append(f"With float32 numbers, no test can be sharper than {self.tolerance:.0e}.")
        if self.kinks:
            reservations.append(
                f"Set aside, not counted as wrong: {first_few(self.kinks)}. There, a ReLU's z, an error or a "
                "weight is so close to its kink that the slope jumps within the smallest step."
            )
        if self.n_compared + len(self.kinks) < self.n_parameters:
            reservations.append(
                "There are so many parameters that only a sample was checked, with some from every layer."
            )
        return reservations

    _repr_html_ = shown_by("deltarule.notebook_views:report")

    def __str__(self) -> str:
        head = "passed" if self.passed else "FAILED"
        lines = [f"Gradient check {head}: {self.n_compared:,} of {self.n_parameters:,} parameters compared."]
        if self.worst:
            lines += [
                f"Worst: {self.worst}, backprop {self.backprop:.10g}, {self.method} {self.numerical:.10g},",
                f"relative error {self.error:.1e} ({self.tolerance:.0e} is allowed).",
                "",
                f"  {'ε':<6} {'central difference':>20}  relative error",
                *map(_sweep_line, self.epsilons, self.differences, self.sweep),
                "",
            ]
        return "\n".join([*lines, textwrap.fill(self.verdict, WIDTH, break_on_hyphens=False)])


def _sweep_line(epsilon: float, difference: float, error: float) -> str:
    return f"  {epsilon:<6.0e} {difference:>20.10g}  {'across a kink' if np.isnan(error) else f'{error:.1e}'}"
