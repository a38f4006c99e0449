"""Every neuron of a network, and what it computes for a row: a neuron on each line of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deltarule.arrays import Array
from deltarule.data.decisions import Decision
from deltarule.data.encoding import Table
from deltarule.derivations.row_origins import InputOrigin, output_names, row_origins
from deltarule.documents.plain_table import aligned
from deltarule.errors import InputError
from deltarule.formula.text import text
from deltarule.formula.tree import measured
from deltarule.nn.layers import Layer, Trace
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names

_SHOWN_NEURONS = 12  # of a layer, and
_SHOWN_INPUTS = 12  # of a network, that are shown unless all are asked for
_DIGITS = (9, 4)  # the most and the fewest, where nobody names any
_SMALL = 40  # parameters up to which neurons are called as by hand alone


@dataclass(frozen=True, eq=False, repr=False)
class Inspection:
    """The weights of a network, and what its neurons compute for one row; prints as tables.

    Parameters
    ----------
    net : Network
    X : array-like, (n_rows, n_features), optional
        As the network takes them; without, weights alone are shown.
    row : int
        Which of them, from 1.
    layer : int, optional
        Show only this layer, counted from 1.
    raw : Table or ndarray, optional
        The same rows before they were encoded: inputs are shown with where they come from.
    decisions : tuple of Decision
        What was decided when they were read.

    Raises
    ------
    InputError
        If there is no such row or layer.

    Examples
    --------
    >>> net = Network([2, 1], bias="none")
    >>> net.set_weights({"w1": 0.5, "w2": -1.0})
    >>> print(Inspection(net, [[3.0, 1.0]]))
    Network(2 → 1 identity, 2 parameters), half_squared_error; row 1 of 1
    <BLANKLINE>
    inputs
      i1  3
      i2  1
    <BLANKLINE>
    layer 1: 2 → 1, f(z) = z
      neuron   i1  i2  bias  net  output
      o1      0.5  −1     –  0.5     0.5
    """

    net: Network
    X: Any = None
    row: int = 1
    layer: int | None = None
    raw: Table | Array | None = None
    decisions: tuple[Decision, ...] = ()

    def __post_init__(self) -> None:
        if self.X is not None and not 1 <= self.row <= len(self.X):
            raise InputError(f"row {self.row}: there are {len(self.X)} rows")
        if self.layer is not None and not 1 <= self.layer <= len(self.net.layers):
            raise InputError(f"layer {self.layer}: {self.net!r} has {len(self.net.layers)} layers")

    @property
    def _chosen(self) -> list[int]:
        return [i for i in range(len(self.net.layers)) if self.layer in (None, i + 1)]

    @property
    def _origins(self) -> tuple[InputOrigin, ...]:
        if self.raw is None or self.net.encoding is None:
            return ()
        return row_origins(self.net.encoding, self.raw, self.row - 1)

    def to_dict(self) -> dict[str, Any]:
        """Inputs and neurons of each layer for JSON; where a row was computed, its net and output too."""
        trace = None if self.X is None else self.net.forward(self.X[self.row - 1 : self.row])
        layers = [_layer_numbers(self.net, index, trace) for index in self._chosen]
        if layers and self._chosen[0] == 0 and self._origins:
            layers[0]["inputs"]["from"] = [
                {"cell": origin.cell, "is": " = ".join(map(str, origin.sides)), "note": origin.note}
                for origin in self._origins
            ]
        return {"network": repr(self.net), "layers": layers}

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def text(self, columns: int = 80, digits: int | None = None, *, everything: bool = False) -> str:
        """As tables, no wider than ``columns`` unless ``everything`` is shown.

        Parameters
        ----------
        columns : int
        digits : int, optional
            Significant digits; by default as many as fit, from 9 to 4.
        everything : bool
            Whether all neurons and weights of large layers are shown.
        """
        row = "" if self.X is None else f"; row {self.row} of {len(self.X):,}"
        blocks = [textwrap.fill(f"{self.net!r}, {self.net.loss.name}{row}", columns, subsequent_indent="  ")]
        layers = self.to_dict()["layers"]
        if self._chosen[:1] == [0]:
            blocks.append(self._inputs_text(layers[0]["inputs"], columns, digits or 6, everything))
        for index, numbers in zip(self._chosen, layers, strict=True):
            formula = str(self.net.layers[index].activation.formula)
            n_in, n_out = len(numbers["inputs"]["names"]), len(numbers["neurons"])
            title = f"layer {index + 1}: {n_in} → {n_out}, f(z) = {formula}"
            table = _LayerTable(numbers, self.net.parameters.size > _SMALL, everything)
            blocks.append("\n".join([title, *table.lines(columns, digits)]))
        return "\n\n".join(filter(None, blocks))

    def _inputs_text(self, inputs: dict[str, Any], columns: int, digits: int, everything: bool) -> str:
        """The inputs by number and name, and where each comes from; nothing where neither is known."""
        names, values = inputs["names"], inputs.get("values")
        numbered = [f"i{number}" for number in range(1, len(names) + 1)]
        if values is None and names == numbered:
            return ""
        shown = len(names) if everything else min(len(names), _SHOWN_INPUTS)
        rows = []
        for place in range(shown):
            row = [numbered[place], *([names[place]] if names != numbered else [])]
            if values is not None:
                row.append(_origin_text(self._origins, place, values[place], digits))
            rows.append(row)
        lines = aligned(rows, len(rows[0]))
        more = len(names) - shown
        said = [f"  … and {more:,} more inputs (--all)"] if more else []
        wrapped = (
            textwrap.fill(f"  {line}", columns, subsequent_indent=" " * 6, break_on_hyphens=False)
            for line in lines
        )
        return "\n".join(["inputs", *wrapped, *said])


def _origin_text(origins: Sequence[InputOrigin], place: int, value: float, digits: int) -> str:
    """``(4.1 − 3.758)/1.759 = 0.194``, or the value alone."""
    if place >= len(origins):
        return text(measured(value), digits)
    origin = origins[place]
    said = " = ".join(text(side, digits) for side in origin.sides)
    return said + (f"   ({origin.note})" if origin.note else "")


def _layer_numbers(net: Network, index: int, trace: Trace | None) -> dict[str, Any]:
    """Inputs and neurons of a layer; where a row was computed, its inputs, net and output too."""
    layer, step = net.layers[index], None if trace is None else trace[index]
    answers = output_names(net.encoding, net.sizes[-1]) if index == len(net.layers) - 1 else ()
    neurons = []
    for j, name in enumerate(neuron_names(net.sizes)[index]):
        neuron: dict[str, Any] = {"name": name, "code": f"a{index + 1}[{j}]"}
        if answers:
            neuron["answer"] = answers[j]
        neuron |= {"weights": layer.W[:, j].tolist(), "bias": _bias_of_neuron(layer, j)}
        if step is not None:
            neuron |= {"net": float(step.z[0, j]), "output": float(step.a[0, j])}
        neurons.append(neuron)
    inputs: dict[str, Any] = {"names": _input_names(net, index)}
    if step is not None:
        inputs["values"] = step.dense_x[0].tolist()
    return {"layer": index + 1, "activation": layer.activation.name, "inputs": inputs, "neurons": neurons}


def _input_names(net: Network, index: int) -> list[str]:
    """i1 i2 … or the names of the features; h1 h2 … on through the hidden layers."""
    if index:
        return neuron_names(net.sizes)[index - 1]
    if net.encoding:
        return list(net.encoding.inputs.feature_names)
    return [f"i{j}" for j in range(1, net.sizes[0] + 1)]


def _bias_of_neuron(layer: Layer, neuron: int) -> float | None:
    if layer.b is None:
        return None
    return float(layer.b[0 if layer.dense.bias == "shared" else neuron])


class _LayerTable:
    """A layer as a table: each line a neuron, with its weights from the inputs, bias, net and output."""

    def __init__(self, numbers: dict[str, Any], large: bool, everything: bool) -> None:
        neurons, self._names = numbers["neurons"], numbers["inputs"]["names"]
        self._everything, self._large, self._first = everything, large, numbers["layer"] == 1
        self._neurons = neurons if everything else neurons[:_SHOWN_NEURONS]
        self._n_neurons = len(neurons)
        self._last = ["bias", *(key for key in ("net", "output") if key in neurons[0])]

    def lines(self, columns: int, digits: int | None) -> Iterable[str]:
        """The table in the width of a terminal: fewer digits first, then fewer weights."""
        tries = range(_DIGITS[0], _DIGITS[1] - 1, -1) if digits is None else [digits]
        headings = [self._names, [f"i{j}" for j in range(1, len(self._names) + 1)]][: 2 if self._first else 1]
        count = len(self._names) if self._everything else min(len(self._names), _SHOWN_INPUTS)
        rows: list[list[str]] = []
        for number in tries:
            for names in headings:
                rows = self._rows(names, count, number)
                if self._everything or _width(rows) <= columns - 2:
                    return self._said(rows, count)
        while count > 1 and _width(rows) > columns - 2:
            count -= 1
            rows = self._rows(headings[-1], count, tries[-1])
        return self._said(rows, count)

    def _said(self, rows: list[list[str]], count: int) -> list[str]:
        left = [
            (self._n_neurons - len(self._neurons), "neurons"), (len(self._names) - count, "weights of each")
        ]  # fmt: skip
        hidden = " and ".join(f"{number:,} more {what}" for number, what in left if number)
        named = 1 + self._large + ("answer" in self._neurons[0])
        lines = [f"  {line}" for line in aligned(rows, named)]
        return [*lines, *([f"  … {hidden} (--all)"] if hidden else [])]

    def _rows(self, names: Sequence[str], count: int, digits: int) -> list[list[str]]:
        known = ["name", *(["code"] if self._large else [])]
        known += ["answer"] if "answer" in self._neurons[0] else []
        called = {"name": "neuron", "code": "", "answer": ""}
        head = [*(called[key] for key in known), *names[:count], *self._last]
        rows = [head]
        for neuron in self._neurons:
            numbers = [*neuron["weights"][:count], *(neuron[key] for key in self._last)]
            shown = ["–" if n is None else text(measured(n), digits) for n in numbers]
            rows.append([*(str(neuron[key]) for key in known), *shown])
        return rows


def _width(rows: Sequence[Sequence[str]]) -> int:
    return len(max(aligned(rows, 0), key=len))
