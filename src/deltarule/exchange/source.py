"""What the source files of all languages share: what they say, and in which order."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import ClassVar

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding.targets import Label
from deltarule.exchange.activation_steps import is_built_in, steps_of
from deltarule.exchange.code_emitters import Code
from deltarule.exchange.literals import WIDTH, comment, matrix_lines, number_texts, vector_lines
from deltarule.exchange.portable_network import Plain, PlainLayer
from deltarule.exchange.self_tests import self_tests
from deltarule.formula.text import text
from deltarule.formula.tree import Symbol, z
from deltarule.nn.activations import Activation

__all__ = ["Source", "beside"]

#: How many inputs or outputs the head names, and how long a name may be there.
LISTED, LONGEST = 12, 40

#: Activations that need no function of their own: none at all, or the language's.
_BARE = ("identity", "tanh")


class Source(ABC):
    """One network as one source file that needs nothing else.

    Parameters
    ----------
    plain : Plain
    title : str
        What the network is; the head begins with it.

    Raises
    ------
    InputError
        If an activation is a user's own and has no formula to write code from.
    """

    brackets: ClassVar[str] = "[]"
    nan: ClassVar[str]
    mark: ClassVar[str]

    def __init__(self, plain: Plain, title: str) -> None:
        self.plain, self.title, self.tests = plain, title, self_tests(plain)
        self.functions: dict[tuple[object, ...], tuple[str, Activation]] = {}
        for number, layer in enumerate(plain.layers, start=1):
            self.functions.setdefault(
                _key(layer.activation), (_name(layer.activation, number), layer.activation)
            )

    def whole(self) -> str:
        """The file."""
        lines = "\n".join(self.lines()).split("\n")
        return "\n".join(line.rstrip() for line in lines).rstrip("\n") + "\n"

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """The lines of the file."""

    @abstractmethod
    def string(self, text: str) -> str:
        """A string literal."""

    @abstractmethod
    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        """What stands before and after the brackets of an array of weights, numbers, places or texts."""

    @abstractmethod
    def label(self, label: Label) -> str:
        """A class as a literal."""

    def comment(self, text: str, longest: int = WIDTH) -> str:
        """Any text as part of a comment."""
        return comment(text, longest)

    # ------------------------------------------------------------------ what the answer is

    @property
    def answer(self) -> str:
        """``"class"`` of the largest output, ``"second"`` class or first, ``"units"`` or ``"outputs"``."""
        plain = self.plain
        if plain.classes is not None:
            return "second" if len(plain.outputs) < len(plain.classes) else "class"
        return "outputs" if plain.out_scale is None else "units"

    @property
    def example(self) -> list[str]:
        """The first test row, where it is short."""
        return self.texts(self.tests.rows[0], "numbers") if len(self.plain.features) <= 6 else []

    def runs(self, command: str) -> list[tuple[str, str]]:
        """What may be typed to run the file, and what that does."""
        row = " ".join(self.example or [self.comment("0.5 …")])
        filled = "; an empty cell is a missing number" if self.plain.fill is not None else ""
        return [
            (f"    {command}", "check the test cases at the end of this file"),
            (f"    {command} {row}", "print the answer for a row"),
            (f"    {command} - < rows.csv", f"for each line{filled}"),
        ]

    @property
    def outputs(self) -> str:
        """``output``, or ``3 outputs``."""
        count = len(self.plain.outputs)
        return "output" if count == 1 else f"{count} outputs"

    # ------------------------------------------------------------------ the head

    def head(self) -> list[str]:
        """What the network is, what goes in, what comes out."""
        plain = self.plain
        narrow = " Weights are float32, in as few digits as tell them apart."
        return [
            *wrap(self.comment(f"{self.title}.", 10 * WIDTH), WIDTH, break_long_words=False),
            f"Written by deltarule.{narrow if plain.dtype == np.float32 else ''}",
            "",
            f"Inputs: {_count(len(plain.features), 'number')}.",
            *self._listed(plain.features, self._inward),
            "",
            f"Outputs: {_count(len(plain.outputs), 'number')}.",
            *self._listed(plain.outputs, self._outward),
            "",
            f"Answer: {self._answer()}.",
        ]

    def _listed(self, names: Sequence[str], said: Sequence[str]) -> list[str]:
        """A line for each name; of many only the first and the last."""
        shown = [self.comment(name, LONGEST) for name in names]
        longest = max(map(len, shown[: LISTED // 2] + shown[-LISTED // 2 :]))
        lines = [f"    {name:<{longest}}   {about}" for name, about in zip(shown, said, strict=True)]
        if len(lines) <= LISTED:
            return lines
        half = LISTED // 2
        return [*lines[:half], self.comment(f"    … {len(lines) - 2 * half} more …"), *lines[-half:]]

    @property
    def _inward(self) -> list[str]:
        """How each input is scaled, and what stands in where it is missing."""
        plain, n = self.plain, len(self.plain.features)
        scaled = [""] * n
        if plain.shift is not None and plain.scale is not None:
            scaled = [
                f"x = {_difference(shift)}{f' / {scale:.6g}' if scale != 1 else ''}"
                for shift, scale in zip(plain.shift, plain.scale, strict=True)
            ]
        fills = [np.nan] * n if plain.fill is None else plain.fill.tolist()
        filled = ["" if np.isnan(fill) else f"missing: {fill:.6g}" for fill in fills]
        return [self.comment("   ".join(filter(None, pair))) for pair in zip(scaled, filled, strict=True)]

    @property
    def _outward(self) -> list[str]:
        """How each output is brought into its units."""
        plain = self.plain
        if plain.out_shift is None or plain.out_scale is None:
            return [""] * len(plain.outputs)
        pairs = zip(plain.out_shift, plain.out_scale, strict=True)
        return [self.comment(f"output · {scale:.6g}{_signed(shift)}") for shift, scale in pairs]

    def _answer(self) -> str:
        """What ``predict`` gives."""
        if self.answer == "second":
            no, yes = (self.comment(str(label), LONGEST) for label in self.plain.classes or ())
            return f"{yes} where the output is above 0.5, else {no}"
        one = len(self.plain.outputs) == 1
        return {
            "class": "the class of the largest output",
            "units": "the output in its units" if one else "the outputs in their units",
            "outputs": "the output" if one else "the outputs",
        }[self.answer]

    # ------------------------------------------------------------------ arrays

    def strings(self, name: str, texts: Sequence[str]) -> list[str]:
        """An array of names."""
        return self._vector(name, [self.string(text) for text in texts], "texts")

    def labels(self, name: str, labels: Sequence[Label]) -> list[str]:
        """An array of classes."""
        return self._vector(name, [self.label(label) for label in labels], "labels")

    def numbers(
        self, name: str, values: Array, kind: str = "numbers", notes: Sequence[str] = ()
    ) -> list[str]:
        """An array of one or two dimensions."""
        texts = self.texts(values, kind)
        if values.ndim == 1:
            return self._vector(name, texts, kind)
        head, tail = self.declared(name, values.shape, kind)
        return matrix_lines(head, texts, values.shape[1], self.brackets, tail, notes)

    def texts(self, values: Array, kind: str) -> list[str]:
        """Each number as a literal."""
        return number_texts(values.ravel(), self.nan)

    def _vector(self, name: str, texts: Sequence[str], kind: str) -> list[str]:
        head, tail = self.declared(name, [len(texts)], kind)
        return vector_lines(head, texts, self.brackets, tail)

    def names(self) -> Iterator[str]:
        """The names of inputs, outputs and classes."""
        yield from self.strings("FEATURES", self.plain.features)
        yield from self.strings("OUTPUTS", self.plain.outputs)
        if self.plain.classes is not None:
            yield from self.labels("CLASSES", self.plain.classes)

    def scaling(self) -> Iterator[str]:
        """The arrays that bring numbers into the range of the network, and back."""
        plain = self.plain
        if plain.shift is not None and plain.scale is not None:
            yield ""
            yield from self.numbers("SHIFT", plain.shift)
            yield from self.numbers("SCALE", plain.scale)
        if plain.fill is not None:
            yield ""
            yield f"{self.mark} What stands in for a missing number."
            yield from self.numbers("FILL", plain.fill)
        if plain.out_shift is not None and plain.out_scale is not None:
            yield ""
            yield from self.numbers("OUT_SHIFT", plain.out_shift)
            yield from self.numbers("OUT_SCALE", plain.out_scale)

    def weights(self) -> Iterator[str]:
        """``W1``, ``b1``, ``W2``, ``b2`` …"""
        for number, layer in enumerate(self.plain.layers, start=1):
            n_in, n_out = layer.W.shape
            name = self.comment(layer.activation.name, LONGEST)
            rows = " A row of W for each input, a column for each neuron." if number == 1 else ""
            notes = [f"{self.mark} {self.comment(feature, LONGEST)}" for feature in self.plain.features]
            yield ""
            yield f"{self.mark} {self.comment(f'Layer {number}: {n_in} → {n_out} {name}.{rows}')}"
            yield from self.numbers(f"W{number}", layer.W, "weights", notes if number == 1 else ())
            yield from self.numbers(f"b{number}", layer.b, "weights")

    def cases(self) -> Iterator[str]:
        """``TEST_ROWS``, ``TEST_OUTPUTS`` and, where outputs are not the answer, ``TEST_ANSWERS``."""
        yield from self.numbers("TEST_ROWS", self.tests.rows)
        yield from self.numbers("TEST_OUTPUTS", self.tests.outputs)
        if self.tests.answers is not None:
            yield from self.answers(self.tests.answers)

    def answers(self, answers: Array) -> list[str]:
        """``TEST_ANSWERS``."""
        classes = self.plain.classes
        if classes is None:
            return self.numbers("TEST_ANSWERS", answers)
        return self.labels("TEST_ANSWERS", [classes[place] for place in answers])

    # ------------------------------------------------------------------ activations

    def function(self, layer: PlainLayer) -> str:
        """What the function of a layer is called; empty for the identity."""
        name = self.functions[_key(layer.activation)][0]
        return "" if name == "identity" else name

    def defined(self) -> list[tuple[str, Activation]]:
        """The functions that must be defined, softmax last, each by its name."""
        found = [(name, activation) for name, activation in self.functions.values() if name not in _BARE]
        return sorted(found, key=lambda pair: couples(pair[1]))

    def formula_of(self, activation: Activation) -> str:
        """What a function computes, as its comment says it."""
        name = "" if is_built_in(activation) else f"{activation.name}: "
        *_, (_, result) = steps_of(activation)
        why = "" if result == activation.formula else ", so that nothing overflows"
        return self.comment(f"{name}{text(activation.formula)}{why}")

    def body(self, activation: Activation, code: type[Code]) -> tuple[list[tuple[str, str]], str]:
        """The named steps of a function, and its result, as code."""
        *named, (_, result) = steps_of(activation)
        names = (z, *(name for name, _ in named))
        write = code(f"activation {activation.name!r}", names)
        return [(name.base, write(step)) for name, step in named], write(result)

    def layer_formula(self, number: int, layer: PlainLayer) -> str:
        """``a1 = tanh(z1)``, as the comment beside the code says it; empty for the identity."""
        if not self.function(layer):
            return ""
        if couples(layer.activation):
            return self.comment(f"aₖ = {text(layer.activation.formula)}")
        named = layer.activation.formula.replace(lambda part: Symbol("z", str(number)) if part == z else None)
        return self.comment(f"a{number} = {text(named)}")


def couples(activation: Activation) -> bool:
    """Whether each output depends on the whole row: softmax."""
    return activation.coupled and is_built_in(activation)


def beside(pairs: Sequence[tuple[str, str]], mark: str) -> list[str]:
    """Lines of code with comments beside them, level with each other."""
    longest = max((len(code) for code, said in pairs if said), default=0)
    return [f"{code:<{longest}}  {mark} {said}" if said else code for code, said in pairs]


def _key(activation: Activation) -> tuple[object, ...]:
    return activation.name, activation.formula


def _name(activation: Activation, number: int) -> str:
    """``leaky_relu_0_2``; of a user's own ``f2``, after the first layer that has it."""
    if not is_built_in(activation):
        return f"f{number}"
    if activation.name == "exp":  # which languages have already, without our limit
        return "exponential"
    return re.sub(r"\W+", "_", activation.name).strip("_")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _difference(shift: float) -> str:
    """(v − 5.8); v alone for 0."""
    if shift == 0:
        return "v"
    return f"(v {'−' if shift > 0 else '+'} {abs(shift):.6g})"


def _signed(shift: float) -> str:
    return "" if shift == 0 else f" {'−' if shift < 0 else '+'} {abs(shift):.6g}"
