"""How data and parameters may lie: the usual ways, and the one that a program complains for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod


@dataclass(frozen=True)
class ArgumentLayout:
    """How data and parameters lie.

    ``data``: rows, columns, row, column, vector, list, lists, sequence;
    row vectors or column vectors, one for each sample; series, rows of several steps.

    ``flat`` is the length of a vector of all parameters.
    ``order`` is 1 where data comes before parameters, and where masks begin with one of the inputs.
    """

    data: str
    labels: str
    weights: str
    biases: str
    inputs: int
    outputs: int
    samples: int = 5
    seed: int = 1
    order: int = 0
    layers: int = 2
    flat: int = 40

    @property
    def hidden(self) -> int:
        """How many hidden neurons there are; square layers where inputs and outputs are as many."""
        return 3 if self.inputs == self.outputs == 3 else 4

    @property
    def widths(self) -> list[int]:
        """How many neurons each layer has, the inputs first."""
        return [self.inputs, *[self.hidden] * (self.layers - 1), self.outputs]

    @property
    def is_single(self) -> bool:
        """Whether one sample is given at a time."""
        return self.data in ("row", "column", "vector", "list", "sequence")

    def __str__(self) -> str:
        return f"data as {self.data}, {self.labels} targets, {' → '.join(map(str, self.widths))}"


_KINDS = [
    ("rows", "one-hot"), ("columns", "one-hot"), ("rows", "whole numbers"), ("row", "one-hot"),
    ("column", "one-hot"), ("vector", "one-hot"), ("rows", "flat"), ("columns", "whole numbers"),
    ("list", "one-hot"), ("lists", "one-hot"), ("columns", "flat"), ("sequence", "one-hot"),
    ("sequence", "whole numbers"), ("row vectors", "one-hot"), ("column vectors", "one-hot"),
]  # fmt: skip
_FORMS = [
    ("in-out", "vector"), ("in-out", "row"), ("out-in", "column"), ("out-in", "vector"), ("out-in", "row"),
    ("in-out", "one"), ("out-in", "one"),
]  # fmt: skip


def layouts(
    sizes: list[tuple[int, int]],
    parameters: bool,
    orders: int = 1,
    lists_first: bool = False,
    ends_with_class: bool = False,
) -> Iterator[ArgumentLayout]:
    """The usual layouts, the commonest first; ``parameters``: whether weights are passed."""
    kinds = sorted(_KINDS, key=lambda kind: lists_first and not kind[0].startswith("list"))
    for data, labels in [*([("lists", "last")] if ends_with_class else []), *kinds]:
        forms = _FORMS if parameters else _FORMS[:1]
        if parameters and data in ("list", "lists"):
            forms = [("out-in lists", "lists"), ("in-out lists", "lists"), *_FORMS[:4]]
        for weights, biases in forms:
            for inputs, outputs in sizes:
                for order in range(orders):
                    if labels != "flat" or outputs == 1:
                        yield ArgumentLayout(data, labels, weights, biases, inputs, outputs, order=order)


def twice(layout: ArgumentLayout) -> Iterator[ArgumentLayout]:
    """A layout, and the same with other data, that two may agree."""
    yield layout
    yield replace(layout, seed=layout.seed + 6, samples=layout.samples + 2)


#: What Python says of shapes that do not fit.
MISFIT = re.compile(r"broadcast|not aligned|core dimension|shape mismatch|cannot reshape", re.I)
#: Two shapes, or two sizes, that a complaint says do not go together.
_DISAGREE = re.compile(
    r"shapes \((\d+),1?\) \((\d+),1?\)|(\d+) \(dim \d\) != (\d+)|size (\d+) is different from (\d+)"
)
_BROADCAST = re.compile(r"broadcast together with (?:remapped )?shapes \(([\d, ]*)\) \(([\d, ]*)\)")
_INTO = re.compile(r"operand with shape \(([\d, ]*)\) doesn't match the broadcast shape \(([\d, ]*)\)")
#: Two columns of different lengths.
_COLUMNS = re.compile(r"shapes \((\d+),1\) \((\d+),1\)")
_MOST_SAMPLES = 100_000
#: A place that is just beyond the last sample, and up to how many samples it is looked for.
_BEYOND = re.compile(r"index (\d+) is out of bounds for axis 0 with size \1$")
_FEW_SAMPLES = 50
#: What is left of a vector of all parameters, and the shape that a part of it should have.
_RESHAPED = re.compile(r"cannot reshape array of size (\d+) into shape \(([\d, ]+)\)")


def fit_sizes(layout: ArgumentLayout, complaint: str) -> ArgumentLayout | None:
    """A layout with the samples, inputs or outputs that a program's complaint asks for; None for no other."""
    if (reshaped := _RESHAPED.search(complaint)) is not None:
        left, *shape = map(int, re.findall(r"\d+", reshaped.group()))
        return replace(layout, flat=layout.flat + prod(shape) - left)
    if (columns := _COLUMNS.search(complaint)) is not None and layout.outputs > 1:
        few, many = sorted(map(int, columns.groups()))
        return replace(layout, outputs=1) if many == few * layout.outputs else None
    if (beyond := _BEYOND.search(complaint)) is not None and int(beyond[1]) == layout.samples < _FEW_SAMPLES:
        return replace(layout, samples=2 * layout.samples)
    found = _DISAGREE.search(complaint)
    sizes = [int(one) for one in found.groups() if one] if found else []
    if layout.outputs > 1 and set(sizes) == {layout.samples, layout.samples * layout.outputs}:
        return replace(layout, outputs=1)  # targets that became one column
    for told, wanted in (sizes, sizes[::-1]) if sizes else ():
        if wanted == 1 and told == layout.outputs not in (layout.samples, layout.inputs):
            return replace(layout, outputs=1)
        if not 1 < wanted <= _MOST_SAMPLES or wanted in _sizes_of(layout) or wanted == told * told:
            continue
        match [told == layout.samples, told == layout.inputs, told == layout.outputs]:
            case [True, False, False]:
                return replace(layout, samples=wanted)
            case [False, True, False]:
                return replace(layout, inputs=wanted)
            case [False, False, True]:
                return replace(layout, outputs=wanted)
            case [False, False, False] if told == layout.inputs + 1 and wanted > 2:  # and a one for the bias
                return replace(layout, inputs=wanted - 1)
    return None


def fits_one_sample(complaint: str) -> bool:
    """Whether a complaint is of several samples where the shape that is written to has room for one."""
    found = _INTO.search(complaint)
    if found is None:
        return False
    into, many = (tuple(map(int, re.findall(r"\d+", one))) for one in found.groups())
    return len(into) == len(many) and all(a in (1, b) for a, b in zip(into, many, strict=True))


def disagreeing(complaint: str) -> tuple[int, int] | None:
    """The two sizes that a complaint says do not go together."""
    if (met := _BROADCAST.search(complaint)) is not None:
        first, second = (list(map(int, re.findall(r"\d+", one))) for one in met.groups())
        ends = zip(first[::-1], second[::-1], strict=False)
        return next(((a, b) for a, b in ends if a != b and 1 not in (a, b)), None)
    found = _DISAGREE.search(complaint)
    sizes = [int(one) for one in found.groups() if one] if found else []
    return (sizes[0], sizes[1]) if len(sizes) > 1 else None


def _sizes_of(layout: ArgumentLayout) -> tuple[int, ...]:
    return layout.samples, layout.inputs, layout.outputs, layout.hidden, layout.hidden + 1
