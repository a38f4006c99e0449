"""A network as one file of C99, which needs the standard library and no memory beyond the stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding.targets import Label
from deltarule.exchange.cell_words import c_words
from deltarule.exchange.code_emitters import CCode, CFloatCode, Code
from deltarule.exchange.literals import WIDTH, ascii_comment, c_string, number_texts
from deltarule.exchange.portable_network import PortableLayer, PortableNetwork
from deltarule.exchange.source import Source, beside, is_softmax
from deltarule.nn.activations import Activation


class CSource(Source):
    """C99: a row is an array of double, or of the cells of a table as texts; the network has its own type."""

    templates: ClassVar[tuple[str, ...]] = ("network.c",)
    cells: ClassVar[str] = "cells.c"
    brackets: ClassVar[str] = "{}"
    pair: ClassVar[str] = "{}"
    nan: ClassVar[str] = "NAN"
    mark: ClassVar[str] = "//"
    step: ClassVar[str] = "    {real} {name} = {code};\n"
    function: ClassVar[str] = (
        "\n/* {formula}. */\nstatic {real} {name}({real} z)\n{{\n{steps}    return {result};\n}}"
    )

    def __init__(self, network: PortableNetwork, title: str) -> None:
        super().__init__(network, title)
        #: The network's number type, and what ends the numbers and functions of that type.
        self.real, self.suffix = ("float", "f") if network.dtype == np.float32 else ("double", "")

    def words(self) -> dict[str, str]:
        scaled = self.scaled("row[i]", "(isnan(row[i]) ? FILL[i] : row[i])")
        return super().words() | {
            "DECLARATIONS": "\n".join(beside(self.declarations(), "//")),
            "RUNS": "\n".join(beside(self.runs("./net"), "#")),
            "MAIN_CELLS": "",
            "ROW": self.row,
            "GIVEN": "cells" if self.network.takes_cells else "row",
            "NUMBER": 'number(cells[i], "number")' if self.network.columns else "number(cells[i])",
            "N_COLUMNS": str(len(self.network.columns or self.network.features)),
            "N_INPUTS": str(len(self.network.features)),
            "N_OUTPUTS": str(len(self.network.outputs)),
            "N_TESTS": str(len(self.tests.rows)),
            "REAL": self.real,
            "F": self.suffix,
            "SCALED": f"(float)({scaled})" if self.suffix else scaled,
            "ANSWER": "y[k] * OUT_SCALE[k] + OUT_SHIFT[k]" if self.network.has_units else "y[k]",
            "FORMAT": '"%.8g%c"' if self.suffix else '"%.15g%c"',
        }

    @property
    def row(self) -> str:
        """The parameter that a row is."""
        network = self.network
        if network.takes_cells:
            return f"const char *const cells[{len(network.columns)}]"
        return f"const double row[{len(network.features)}]"

    def cell_words(self) -> dict[str, str]:
        return c_words()

    def cells_at(self) -> str:
        """Where a row is numbers, the program alone reads cells."""
        return "CELLS" if self.network.takes_cells else "MAIN_CELLS"

    def sources(self) -> Iterator[str]:
        if self.network.takes_cells:
            yield ""
            yield "typedef struct { int column; const char *kind, *part; } Source;"
        yield from super().sources()

    def declarations(self) -> list[tuple[str, str]]:
        """The functions for other files, and what they give."""
        n_out, row = len(self.network.outputs), self.row
        predict = (f"bool predict({row}, double answer[{n_out}]);", "the answer for a row")
        if self.network.classes is not None:
            predict = (f"int predict({row});", "the place of the answer in CLASSES")
        outputs = f"bool predict_outputs({row}, {self.real} outputs[{n_out}]);"
        return [predict, (outputs, f"the {self.outputs}")]

    def comment(self, text: str, longest: int = WIDTH) -> str:
        return ascii_comment(text, longest)

    def label(self, label: Label) -> str:
        """Whatever the labels are, C holds them as text."""
        return c_string(str(label).lower() if isinstance(label, bool) else str(label))

    def texts(self, values: Array, kind: str) -> list[str]:
        return number_texts(values.ravel(), self.nan, self.suffix if kind == "weights" else "")

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        size = "".join(f"[{length}]" for length in shape)
        if kind == "sources":
            return f"static const Source {name}{size} = ", ";"
        if kind == "cells":
            return f"static const char *const {name}{size} = ", ";"
        if kind in ("texts", "labels"):
            return f"const char *const {name}{size} = ", ";"
        type_ = self.real if kind == "weights" else "int" if kind == "places" else "double"
        return f"static const {type_} {name}{size} = ", ";"

    def answers(self, answers: Array) -> list[str]:
        return self.numbers("TEST_ANSWERS", answers, "numbers" if answers.dtype.kind == "f" else "places")

    def code(self, activation: Activation) -> type[Code]:
        return CFloatCode if self.suffix else CCode

    def layers(self) -> list[str]:
        """The loops of layer after layer, each after an empty line."""
        return [line for lines in self.each_layer() for line in ("", *beside(lines, self.mark))]

    def layer(self, number: int, x: str, layer: PortableLayer) -> list[tuple[str, str]]:
        (n_in, n_out), name = layer.W.shape, self.function_name(layer)
        name = f"tanh{self.suffix}" if name == "tanh" else name
        in_row = is_softmax(layer.activation)
        value = f"{name}(z)" if name and not in_row else "z"
        is_last = number == len(self.network.layers)
        a = "outputs" if is_last else f"a{number}"
        return [
            *([] if is_last else [(f"{self.real} {a}[{n_out}];", "")]),
            (f"for (int j = 0; j < {n_out}; j++) {{", ""),
            (f"    {self.real} z = b{number}[j];", ""),
            (f"    for (int i = 0; i < {n_in}; i++)", ""),
            (f"        z += {x}[i] * W{number}[i][j];", f"z{number} = {x} @ W{number} + b{number}"),
            (f"    {a}[j] = {value};", "" if in_row else self.layer_formula(number, layer)),
            ("}", ""),
            *([(f"{name}({a}, {n_out});", self.layer_formula(number, layer))] if in_row else []),
        ]
