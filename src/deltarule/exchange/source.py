"""What the source files of all languages share: what they say, and in which order."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import chain
from textwrap import wrap
from typing import ClassVar

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding.targets import Label
from deltarule.data.meaning import DATE_FORMS
from deltarule.exchange.activation_steps import is_built_in, steps_of
from deltarule.exchange.cells import column_notes
from deltarule.exchange.code_emitters import Code
from deltarule.exchange.literals import WIDTH, comment, matrix_lines, number_texts, vector_lines
from deltarule.exchange.portable_network import PortableLayer, PortableNetwork
from deltarule.exchange.self_tests import self_tests
from deltarule.exchange.templates import filled_in
from deltarule.formula.text import text
from deltarule.formula.tree import Symbol, z
from deltarule.nn.activations import Activation

#: How many inputs or outputs the head names, and how long a name may be there.
LISTED, LONGEST = 12, 40

#: Activations that need no function of their own: none at all, or the language's.
_BARE = ("identity", "tanh")


class Source(ABC):
    """One network as one source file that needs nothing else.

    ``title`` says what the network is; the head begins with it. Raises InputError if an activation is a
    user's own and has no formula to write code from.
    """

    templates: ClassVar[tuple[str, ...]]
    #: The template that reads the cells of a table.
    cells: ClassVar[str]
    brackets: ClassVar[str] = "[]"
    pair: ClassVar[str] = "[]"
    nan: ClassVar[str]
    mark: ClassVar[str]
    #: A function of one number, and a named step in it; in both ``{real}`` is the number type.
    function: ClassVar[str]
    step: ClassVar[str]
    real = ""

    def __init__(self, network: PortableNetwork, title: str) -> None:
        self.network, self.title, self.tests = network, title, self_tests(network)
        self.functions: dict[tuple[object, ...], tuple[str, Activation]] = {}
        for number, layer in enumerate(network.layers, start=1):
            f = layer.activation
            self.functions.setdefault((f.name, f.formula), (_function_name(f, number), f))

    def whole(self) -> str:
        words, conditions = self.words(), self.conditions()
        if "reads_cells" in conditions:
            reader = filled_in(self.cells, words | self.cell_words(), conditions).rstrip("\n")
            words |= {self.cells_at(): reader}
        text = "".join(filled_in(template, words, conditions) for template in self.templates)
        return "\n".join(line.rstrip() for line in text.split("\n"))

    def words(self) -> dict[str, str]:
        """What stands in the place of each ``__WORD__`` of the templates."""
        return {
            "HEAD": "\n".join(self.head()),
            "ARRAYS": "\n".join([*self.names(), *self.sources(), *self.scaling(), *self.weights()]),
            "CELLS": "",
            "NAMES": "COLUMNS" if self.network.takes_cells else "FEATURES",
            "FUNCTIONS": self.definitions(),
            "FORMULA": "".join(self.formula_of(f) for _, f in self.functions.values() if is_softmax(f)),
            "LAYERS": "\n".join(self.layers()),
            "LAST": f"a{len(self.network.layers)}",
            "OUTPUTS": self.outputs,
            "CASES": "\n".join(self.cases()),
            "TOLERANCE": repr(self.tests.tolerance),
        }

    def conditions(self) -> set[str]:
        network = self.network
        found = {
            "has_classes": network.classes is not None,
            "has_fill": network.has_fill,
            "has_softmax": any(is_softmax(f) for _, f in self.functions.values()),
            "is_float32": network.dtype == np.float32,
            "is_scaled": network.is_scaled,
            "reads_cells": bool(network.columns),
            "has_columns": network.takes_cells,
            "has_dates": any(kind in DATE_FORMS for kind in network.cell_kinds),
            "has_sentinels": any(" without " in kind for kind in network.cell_kinds),
            "has_units": any(kind.startswith("unit ") for kind in network.cell_kinds),
        }
        return {"exported", self.answer, *(name for name, holds in found.items() if holds)}

    @abstractmethod
    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        """What stands before and after the brackets of an array of weights, numbers, places or texts."""

    @abstractmethod
    def cell_words(self) -> dict[str, str]:
        """What stands in the place of each ``__WORD__`` of the template that reads cells."""

    def cells_at(self) -> str:
        """Which ``__WORD__`` stands for the code that reads cells."""
        return "CELLS"

    @abstractmethod
    def label(self, label: Label) -> str:
        """A name or a class as a literal."""

    @abstractmethod
    def code(self, activation: Activation) -> type[Code]:
        """What writes the formula of an activation."""

    @abstractmethod
    def layer(self, number: int, x: str, layer: PortableLayer) -> list[tuple[str, str]]:
        """The lines of a layer, each with the formula beside it."""

    def layers(self) -> list[str]:
        """The lines that compute layer after layer."""
        return beside(list(chain.from_iterable(self.each_layer())), self.mark)

    def each_layer(self) -> Iterator[list[tuple[str, str]]]:
        """The lines of one layer after the other."""
        for number, layer in enumerate(self.network.layers, start=1):
            yield self.layer(number, "x" if number == 1 else f"a{number - 1}", layer)

    def scaled(self, given: str, filled: str) -> str:
        """An input as layer 1 takes it, where ``filled`` puts another in the place of a missing number."""
        value = filled if self.network.has_fill else given
        return f"({value} - SHIFT[i]) / SCALE[i]" if self.network.is_scaled else value

    def comment(self, text: str, longest: int = WIDTH) -> str:
        return comment(text, longest)

    @property
    def answer(self) -> str:
        """``"largest_class"``, ``"second_class"`` or the first, ``"in_units"`` or ``"bare_outputs"``."""
        network = self.network
        if network.classes is not None:
            return "second_class" if len(network.outputs) < len(network.classes) else "largest_class"
        return "in_units" if network.has_units else "bare_outputs"

    @property
    def outputs(self) -> str:
        """``output``, or ``3 outputs``."""
        count = len(self.network.outputs)
        return "output" if count == 1 else f"{count} outputs"

    @property
    def example(self) -> list[str]:
        """The first test row, where it is short."""
        if len(self.network.columns or self.network.features) > 6:
            return []
        cells = self.tests.cells
        return self.texts(self.tests.rows[0], "numbers") if cells is None else list(map(self.label, cells[0]))

    def calls(self, predict: str, outputs: str, command: str, rows: str = "a row") -> str:
        """What may be called or typed, and what that gives."""
        row = f"[{', '.join(self.example)}]" if self.example else "row"
        functions = [
            (f"{predict}({row})", f"the answer for {rows}"),
            (f"{outputs}({row})", f"the {self.outputs}"),
        ]
        return "\n".join(beside([*functions, ("", ""), *self.runs(command)], self.mark))

    def runs(self, command: str) -> list[tuple[str, str]]:
        """What may be typed to run the file, and what that does."""
        row = " ".join(self.example or [self.comment("cell …" if self.network.takes_cells else "0.5 …")])
        filled = "; the first may name the columns"
        filled += "; an empty cell is missing" if self.network.has_fill else ""
        return [
            (command, "check the test cases at the end of this file"),
            (f"{command} {row}", "print the answer for a row"),
            (f"{command} - < rows.csv", f"for each line{filled}"),
        ]

    def head(self) -> list[str]:
        """What the network is, what goes in, what comes out."""
        network = self.network
        narrow = " Weights are float32, in as few digits as tell them apart."
        n_in, n_out = len(network.features), len(network.outputs)
        return [
            *wrap(self.comment(f"{self.title}.", 10 * WIDTH), WIDTH, break_long_words=False),
            f"Written by deltarule.{narrow if network.dtype == np.float32 else ''}",
            "",
            *self._columns_described(),
            f"Inputs: {n_in} number{'s' * (n_in != 1)}.",
            *self._described(network.features, self._input_notes()),
            "",
            f"Outputs: {n_out} number{'s' * (n_out != 1)}.",
            *self._described(network.outputs, self._output_notes()),
            "",
            f"Answer: {self._answer_note()}.",
        ]

    def _columns_described(self) -> list[str]:
        """What a row is, where it has the cells of a table."""
        if not self.network.takes_cells:
            return []
        names, n_cells = self.network.columns, len(self.network.columns)
        notes = [self.comment(note) for note in column_notes(self.network)]
        return [f"A row: {n_cells} cell{'s' * (n_cells != 1)}.", *self._described(names, notes), ""]

    def _described(self, names: Sequence[str], notes: Sequence[str]) -> list[str]:
        """A line for each name and its note; of many only the first and the last."""
        shown = [self.comment(name, LONGEST) for name in names]
        longest = max(map(len, shown[: LISTED // 2] + shown[-LISTED // 2 :]))
        lines = [f"    {name:<{longest}}   {note}" for name, note in zip(shown, notes, strict=True)]
        if len(lines) <= LISTED:
            return lines
        half = LISTED // 2
        return [*lines[:half], self.comment(f"    … {len(lines) - 2 * half} more …"), *lines[-half:]]

    def _input_notes(self) -> list[str]:
        """How each input is scaled, and what stands in where it is missing."""
        network, notes = self.network, []
        for shift, scale, fill in zip(network.shift, network.scale, network.fill, strict=True):
            x = f"x = {f'(v{_summand(-shift)})' if shift else 'v'}{f' / {scale:.6g}' if scale != 1 else ''}"
            filled = "" if np.isnan(fill) else f"missing: {fill:.6g}"
            notes.append(self.comment("   ".join(filter(None, (x if network.is_scaled else "", filled)))))
        return notes

    def _output_notes(self) -> list[str]:
        """How each output is brought into its units."""
        network = self.network
        if not network.has_units:
            return [""] * len(network.outputs)
        pairs = zip(network.out_shift, network.out_scale, strict=True)
        return [self.comment(f"output · {scale:.6g}{_summand(shift)}") for shift, scale in pairs]

    def _answer_note(self) -> str:
        """What ``predict`` gives."""
        if self.answer == "second_class":
            no, yes = (self.comment(str(label), LONGEST) for label in self.network.classes or ())
            return f"{yes} where the output is above 0.5, else {no}"
        one = len(self.network.outputs) == 1
        return {
            "largest_class": "the class of the largest output",
            "in_units": "the output in its units" if one else "the outputs in their units",
            "bare_outputs": "the output" if one else "the outputs",
        }[self.answer]

    def labels(self, name: str, labels: Sequence[Label], kind: str = "labels") -> list[str]:
        return self._array(name, [self.label(label) for label in labels], (len(labels),), kind)

    def numbers(
        self, name: str, values: Array, kind: str = "numbers", notes: Sequence[str] = ()
    ) -> list[str]:
        """An array of one or two dimensions."""
        return self._array(name, self.texts(values, kind), values.shape, kind, notes)

    def texts(self, values: Array, kind: str) -> list[str]:
        return number_texts(values.ravel(), self.nan)

    def _array(
        self, name: str, texts: Sequence[str], shape: Sequence[int], kind: str, notes: Sequence[str] = ()
    ) -> list[str]:
        head, tail = self.declared(name, shape, kind)
        if len(shape) == 1:
            return vector_lines(head, texts, self.brackets, tail)
        return matrix_lines(head, texts, shape[1], self.brackets, tail, notes)

    def names(self) -> Iterator[str]:
        yield from self.labels("FEATURES", self.network.features, "texts")
        yield from self.labels("OUTPUTS", self.network.outputs, "texts")
        if self.network.classes is not None:
            yield from self.labels("CLASSES", self.network.classes)

    def sources(self) -> Iterator[str]:
        """The columns of a row, and where each input comes from."""
        network = self.network
        if not network.takes_cells:
            return
        yield ""
        yield from self.labels("COLUMNS", network.columns, "texts")
        yield f"{self.mark} Where each input comes from: a column, how its cells are read, and what is taken."
        head, tail = self.declared("SOURCES", (len(network.sources),), "sources")
        left, right = self.pair[0], self.pair[1]
        entries = [
            f"    {left}{source.column}, {self.label(source.kind)}, {self.label(source.part)}{right},"
            for source in network.sources
        ]
        names = [self.comment(feature, LONGEST) for feature in network.features]
        yield from [f"{head}{self.brackets[0]}", *beside(list(zip(entries, names, strict=True)), self.mark)]
        yield f"{self.brackets[1]}{tail}"

    def scaling(self) -> Iterator[str]:
        """The arrays that bring numbers into the range of the network, and back."""
        network = self.network
        if network.is_scaled:
            yield ""
            yield from self.numbers("SHIFT", network.shift)
            yield from self.numbers("SCALE", network.scale)
        if network.has_fill:
            yield ""
            yield f"{self.mark} What stands in for a missing number."
            yield from self.numbers("FILL", network.fill)
        if network.has_units:
            yield ""
            yield from self.numbers("OUT_SHIFT", network.out_shift)
            yield from self.numbers("OUT_SCALE", network.out_scale)

    def weights(self) -> Iterator[str]:
        """``W1``, ``b1``, ``W2``, ``b2`` …"""
        for number, layer in enumerate(self.network.layers, start=1):
            n_in, n_out = layer.W.shape
            name = self.comment(layer.activation.name, LONGEST)
            rows = " A row of W for each input, a column for each neuron." if number == 1 else ""
            notes = [f"{self.mark} {self.comment(feature, LONGEST)}" for feature in self.network.features]
            yield ""
            yield f"{self.mark} {self.comment(f'Layer {number}: {n_in} → {n_out} {name}.{rows}')}"
            yield from self.numbers(f"W{number}", layer.W, "weights", notes if number == 1 else ())
            yield from self.numbers(f"b{number}", layer.b, "weights")

    def cases(self) -> Iterator[str]:
        """``TEST_ROWS``, ``TEST_OUTPUTS`` and, where outputs are not the answer, ``TEST_ANSWERS``."""
        cells = self.tests.cells
        if cells is None:
            yield from self.numbers("TEST_ROWS", self.tests.rows)
        else:
            shape = len(cells), len(cells[0])
            yield from self._array("TEST_ROWS", list(map(self.label, chain(*cells))), shape, "cells")
        yield from self.numbers("TEST_OUTPUTS", self.tests.outputs)
        if self.tests.answers is not None:
            yield from self.answers(self.tests.answers)

    def answers(self, answers: Array) -> list[str]:
        classes = self.network.classes
        if classes is None:
            return self.numbers("TEST_ANSWERS", answers)
        return self.labels("TEST_ANSWERS", [classes[place] for place in answers])

    def function_name(self, layer: PortableLayer) -> str:
        """What the function of a layer is called; empty for the identity."""
        name = self.functions[layer.activation.name, layer.activation.formula][0]
        return "" if name == "identity" else name

    def definitions(self) -> str:
        """The functions that must be defined; softmax is in the template."""
        named = [pair for pair in self.functions.values() if pair[0] not in _BARE and not is_softmax(pair[1])]
        return "\n".join(self.definition(name, activation) for name, activation in named)

    def formula_of(self, activation: Activation) -> str:
        """What a function computes, as its comment says it."""
        name = "" if is_built_in(activation) else f"{activation.name}: "
        *_, (_, result) = steps_of(activation)
        why = "" if result == activation.formula else ", so that nothing overflows"
        return self.comment(f"{name}{text(activation.formula)}{why}")

    def definition(self, name: str, activation: Activation) -> str:
        """The function of an activation other than softmax."""
        *named, (_, result) = steps_of(activation)
        write = self.code(activation)(f"activation {activation.name!r}", (z, *(step for step, _ in named)))
        steps = [self.step.format(real=self.real, name=step.base, code=write(code)) for step, code in named]
        return self.function.format(
            real=self.real, name=name, formula=self.formula_of(activation),
            steps="".join(steps), result=write(result),
        )  # fmt: skip

    def layer_formula(self, number: int, layer: PortableLayer) -> str:
        """``a1 = tanh(z1)``, as the comment beside the code says it; empty for the identity."""
        if not self.function_name(layer):
            return ""
        if is_softmax(layer.activation):
            return self.comment(f"aₖ = {text(layer.activation.formula)}")
        named = layer.activation.formula.replace(lambda part: Symbol("z", str(number)) if part == z else None)
        return self.comment(f"a{number} = {text(named)}")


def is_softmax(activation: Activation) -> bool:
    """Whether it is our softmax, of which each output depends on the whole row."""
    return activation.coupled and is_built_in(activation)


def beside(pairs: Sequence[tuple[str, str]], mark: str) -> list[str]:
    """Lines of code with comments beside them, level with each other."""
    longest = max((len(code) for code, said in pairs if said), default=0)
    return [f"{code:<{longest}}  {mark} {said}" if said else code for code, said in pairs]


def _function_name(activation: Activation, number: int) -> str:
    """``leaky_relu_0_2``; of a user's own ``f2``, after the first layer that has it."""
    if not is_built_in(activation):
        return f"f{number}"
    if activation.name == "exp":  # which languages have already, without our limit
        return "exponential"
    return re.sub(r"\W+", "_", activation.name).strip("_")


def _summand(number: float) -> str:
    """`` + 5.8`` or `` − 5.8``; nothing for 0."""
    return "" if number == 0 else f" {'−' if number < 0 else '+'} {abs(number):.6g}"
