"""How one quantity of a learner's step is related to a model's: equal, a multiple, or another."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.watching import WatchedArray
from deltarule.registry import record

SAME, FACTOR, DIFFERS, UNSEEN = "same", "same except for a factor", "differs", "not seen"


@record
class ComparedQuantity:
    """One quantity of the step.

    Parameters
    ----------
    name : str
        ``"dW2"``, or ``"delta1"``, ∂L/∂z of layer 1.
    verdict : "same", "same but for a factor", "differs" or "not seen"
    found_in : str
        Where the learner's code has it: ``"delta1, line 7"``.
    factor : float
        What the learner's is of the model's.
    place : str
        Of the entry that is furthest off: ``"[0, 1]"``.
    right, found : float
        That entry of the model and of the learner.
    """

    name: str
    verdict: str
    found_in: str = ""
    factor: float = 1.0
    place: str = ""
    right: float = 0.0
    found: float = 0.0

    def __str__(self) -> str:
        where = f" ({self.found_in})" if self.found_in else ""
        if self.verdict == FACTOR:
            return f"{self.name} is {self.factor:.5g} times that of the model{where}"
        if self.verdict == DIFFERS:
            return f"{self.name}{self.place} is {self.found:.6g}{where}; the model has {self.right:.6g}"
        return f"{self.name}: {self.verdict}{where}"


def _laid(right: Array, found: Array) -> list[Array]:
    """An array in the shape of another, as it is and transposed; none where it does not fit."""
    laid = [found] if found.shape == right.shape else []
    if found.ndim == 2 and found.T.shape == right.shape:
        laid.append(found.T)
    if not laid and found.size == right.size and max(found.shape, default=1) == found.size:
        laid.append(found.reshape(right.shape))
    return laid


def related(right: Array, found: Array) -> tuple[str, Array | None]:
    """How an array is related to the right one, and the array laid out like it."""
    laid = _laid(right, found)
    size = abs(right).max(initial=0)
    for one in laid:
        if np.allclose(one, right, rtol=1e-6, atol=1e-9 * size + 1e-15):
            return SAME, one
    for one in laid if size and right.size > 1 else ():
        multiple = _factor(right, one) * right
        if one.any() and np.allclose(one, multiple, rtol=1e-6, atol=1e-9 * abs(one).max()):
            return FACTOR, one
    return (DIFFERS, laid[0]) if laid else (UNSEEN, None)


def _factor(right: Array, found: Array) -> float:
    return float((right * found).sum() / (right * right).sum())


def compared(name: str, right: Array, found: Array, where: str = "") -> ComparedQuantity:
    """Compare two arrays of one shape."""
    verdict, laid = related(right, found)
    if verdict == FACTOR:
        return ComparedQuantity(name, FACTOR, where, _factor(right, found))
    if verdict == SAME or laid is None:
        return ComparedQuantity(name, verdict, where)
    worst = np.unravel_index(np.argmax(abs(laid - right)), right.shape)
    place = f"[{', '.join(map(str, worst))}]" if right.shape else ""
    return ComparedQuantity(name, DIFFERS, where, 1.0, place, float(right[worst]), float(laid[worst]))


def searched(wanted: dict[str, Array], seen: list[WatchedArray]) -> dict[str, ComparedQuantity]:
    """Look for each of some quantities, in their order, among the values that variables had.

    Where none is equal or a multiple, the one is taken that is most like it of those that come later than the
    last one found, and that are none of the others.
    """
    rows: dict[str, ComparedQuantity] = {}
    places: dict[str, int] = {}
    for kind in (SAME, FACTOR):
        for name, right in wanted.items():
            for index, one in enumerate(seen):
                verdict, laid = related(right, one.value)
                if name not in rows and verdict == kind and laid is not None:
                    rows[name], places[name] = compared(name, right, laid, _where(one)), index
    used = {seen[index].value.tobytes() for index in places.values()}
    reached = 0
    for name, right in wanted.items():
        reached = max(reached, places.get(name, 0))
        if name not in rows:
            free = [one for one in seen[reached:] if right.size > 1 and one.value.tobytes() not in used]
            rows[name] = _nearest(name, right, free)
    return rows


def _nearest(name: str, right: Array, free: list[WatchedArray]) -> ComparedQuantity:
    """The value that is most like the right one, among those of its shape."""
    fitting = [(laid, one) for one in free for laid in _laid(right, one.value)[:1]]
    if not fitting:
        return ComparedQuantity(name, UNSEEN)
    laid, one = max(fitting, key=lambda pair: _cosine(pair[0], right))
    return compared(name, right, laid, _where(one))


def _where(one: WatchedArray) -> str:
    return f"{one.name}, line {one.line}"


def _cosine(a: Array, b: Array) -> float:
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return abs(float((a * b).sum())) / norm if norm and np.isfinite(norm) else 0.0
