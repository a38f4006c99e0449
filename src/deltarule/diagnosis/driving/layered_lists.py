"""How long lists in lists are that hold the weights of a network, layer by layer, and its biases."""

from __future__ import annotations

from collections.abc import Iterator

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.layouts import ArgumentLayout
from deltarule.diagnosis.driving.wants import Answer, Path
from deltarule.diagnosis.driving.words import is_given
from deltarule.diagnosis.recording.source import is_parameter

NUMBERS = ("number", "factor", "term")


def inside(answers: Answers, path: Path) -> tuple[int, Answer]:
    """How many lists lie in each other at a path, and what is in the innermost."""
    depth = 0
    while answers.known.get(path, ("", None))[0] == "list":
        path, depth = (*path, "[]"), depth + 1
    return depth, answers.known.get(path, ("", None))


def is_learned(answers: Answers, path: Path) -> bool:
    """Whether lists of numbers are parameters: they are changed, or those of layers.

    Where nothing is changed, those are that are called so.
    """
    depth, (kind, _) = inside(answers, path)
    name = next((one for one in path[::-1] if isinstance(one, str)), "")
    if "[]" in path or not depth or kind not in NUMBERS or is_given(name):
        return False
    if depth == 3 or not answers.changed.isdisjoint((path, path[:2])):
        return True
    return is_parameter(name) and not answers.changed


def is_added(answers: Answers, path: Path) -> bool:
    """Whether what is in lists is added to a change for each parameter: the change before it, no target."""
    depth, answer = inside(answers, path)
    return answer == ("target", ()) and depth in (2, 3) and any(_layers(answers))


def _layers(answers: Answers) -> tuple[list[Path], int]:
    """Where the weights of each layer are, or of all of them; and how many layers there are."""
    learned = [path for path in answers.known if is_learned(answers, path)]
    whole = [path for path in learned if inside(answers, path)[0] == 3]
    if whole:
        return whole, max(answers.known[whole[0]][1], 2)
    matrices = [path for path in learned if inside(answers, path)[0] == 2]
    return (matrices, len(matrices)) if len(matrices) > 1 else ([], 0)


def widths_of(answers: Answers, layout: ArgumentLayout) -> list[int]:
    """How many neurons each layer has, the inputs first, where weights are lists of lists; else none."""
    _, count = _layers(answers)
    return [layout.inputs, *[layout.hidden] * (count - 1), layout.outputs] if count else []


def layer_shapes(answers: Answers, path: Path, layout: ArgumentLayout) -> list[tuple[int, ...]]:
    """The shapes of the parts of a list of layers: rows of weights, or as many biases as units; else none."""
    depth, (found, count) = inside(answers, path)[0], _layers(answers)
    if depth == 3:
        return [_of_weights(answers, path, layout, k) for k in range(count)]
    is_whole = bool(found) and inside(answers, found[0])[0] == 3
    return [(units,) for units in widths_of(answers, layout)[1:]] if depth == 2 and is_whole else []


def own_shape(answers: Answers, path: Path, layout: ArgumentLayout) -> tuple[int, ...] | None:
    """The shape of lists of weights that belong to one of several layers, or of its biases; else None."""
    found, count = _layers(answers)
    if path in found:
        return _of_weights(answers, path, layout, found.index(path))
    vectors = list(_vectors(answers)) if found else []
    if path in vectors and len(vectors) == count:
        return (widths_of(answers, layout)[1 + vectors.index(path)],)
    return None


def _vectors(answers: Answers) -> Iterator[Path]:
    return (one for one in answers.known if inside(answers, one)[0] == 1 and is_learned(answers, one))


def _of_weights(answers: Answers, path: Path, layout: ArgumentLayout, k: int) -> tuple[int, ...]:
    """The shape of the weights of a layer; one more for the bias where something was asked beyond the inputs.

    Each unit has a list, or each input where the order is another.
    """
    widths = widths_of(answers, layout)
    inputs, units = widths[k : k + 2]
    row = (*path, "[]") if inside(answers, path)[0] == 3 else path
    first = widths[0] if row != path else inputs
    told = answers.known[row if layout.order else (*row, "[]")][1]
    inputs += int(told > first)
    return (inputs, units) if layout.order else (units, inputs)
