"""A network as one file of C99, which needs the standard library and no memory beyond the stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding.targets import Label
from deltarule.exchange.code_emitters import CCode, CFloatCode
from deltarule.exchange.literals import WIDTH, ascii_comment, c_string, number_texts
from deltarule.exchange.portable_network import PlainLayer
from deltarule.exchange.source import Source, beside, couples
from deltarule.nn.activations import Activation

__all__ = ["CSource"]

#: The parts of a file; ``real`` in angle brackets is the network's number type.
_PARTS = {
    "includes": """
#include <math.h>
#include <stdbool.h>
""",
    "softmax": """
/* <formula>, shifted, so that nothing overflows; in the place of z. */
static void softmax(<real> z[], int n)
{
    <real> top = z[0], sum = 0;
    for (int k = 1; k < n; k++)
        top = <fmax>(top, z[k]);
    for (int k = 0; k < n; k++)
        sum += z[k] = <exp>(z[k] - top);
    for (int k = 0; k < n; k++)
        z[k] /= sum;
}
""",
    "inputs": """
/* A row of numbers as layer 1 takes it; false where one is not finite. */
static bool inputs(const double row[N_INPUTS], <real> x[N_INPUTS])
{
    for (int i = 0; i < N_INPUTS; i++) {
        x[i] = <scaled>;
        if (!isfinite(x[i]))
            return false;
    }
    return true;
}
""",
    "predict_class": """
/* The place in CLASSES of the largest output, or -1 where an input is not finite. */
int predict(const double row[N_INPUTS])
{
    <real> y[N_OUTPUTS];
    int best = 0;
    if (!predict_outputs(row, y))
        return -1;
    for (int k = 1; k < N_OUTPUTS; k++)
        if (y[k] > y[best])
            best = k;
    return best;
}
""",
    "predict_second": """
/* The place in CLASSES: 1 where the output is above 0.5, else 0; or -1 where an input is not finite. */
int predict(const double row[N_INPUTS])
{
    <real> y[N_OUTPUTS];
    return predict_outputs(row, y) ? y[0] > 0.5 : -1;
}
""",
    "predict_units": """
/* The outputs for a row, in their units; false where an input is not finite. */
bool predict(const double row[N_INPUTS], double answer[N_OUTPUTS])
{
    <real> y[N_OUTPUTS];
    if (!predict_outputs(row, y))
        return false;
    for (int k = 0; k < N_OUTPUTS; k++)
        answer[k] = y[k] * OUT_SCALE[k] + OUT_SHIFT[k];
    return true;
}
""",
    "predict_outputs": """
/* The outputs for a row; false where an input is not finite. */
bool predict(const double row[N_INPUTS], double answer[N_OUTPUTS])
{
    <real> y[N_OUTPUTS];
    if (!predict_outputs(row, y))
        return false;
    for (int k = 0; k < N_OUTPUTS; k++)
        answer[k] = y[k];
    return true;
}
""",
    "main_includes": """
#ifdef MAIN
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

""",
    "close": """
/* Whether a number is what it should be, but for rounding. */
static bool close_to(double got, double expected)
{
    return fabs(got - expected) <= TOLERANCE * fmax(1, fabs(expected));
}
""",
    "test": """
/* The exit status: 0 where all test cases give what they should, else 1. */
static int test(void)
{
    int failed = 0;
    for (int t = 0; t < N_TESTS; t++) {
        <real> y[N_OUTPUTS];
        bool right = predict_outputs(TEST_ROWS[t], y);
        for (int k = 0; right && k < N_OUTPUTS; k++)
            right = close_to(y[k], TEST_OUTPUTS[t][k]);
<right>\
        if (!right) {
            printf("FAILED: test case %d\\n", t);
            failed = 1;
        }
    }
    if (!failed)
        printf("ok: %d test cases\\n", N_TESTS);
    return failed;
}
""",
    "right_class": """\
        right = right && predict(TEST_ROWS[t]) == TEST_ANSWERS[t];
""",
    "right_units": """\
        double answer[N_OUTPUTS];
        right = right && predict(TEST_ROWS[t], answer);
        for (int k = 0; right && k < N_OUTPUTS; k++)
            right = close_to(answer[k], TEST_ANSWERS[t][k]);
""",
    "fail": """
static void fail(const char *what, const char *cell)
{
    fprintf(stderr, "error: %s%s\\n", what, cell);
    exit(1);
}

/* A text as a number; an empty one is a missing number. */
static double number(const char *cell)
{
    char *end;
    double value = strtod(cell, &end);
    if (end[strspn(end, " \\t\\r")] != '\\0')
        fail("not a number: ", cell);
    return end == cell ? NAN : value;
}
""",
    "show_class": """
/* Print the answer for a row of n numbers. */
static void show(const double row[], int n)
{
    int k = n == N_INPUTS ? predict(row) : -1;
    if (k < 0)
        fail("expected <n_in> finite numbers", "");
    puts(CLASSES[k]);
}
""",
    "show_numbers": """
/* Print the answer for a row of n numbers. */
static void show(const double row[], int n)
{
    double answer[N_OUTPUTS];
    if (n != N_INPUTS || !predict(row, answer))
        fail("expected <n_in> finite numbers", "");
    for (int k = 0; k < N_OUTPUTS; k++)
        printf("<format>%c", answer[k], k + 1 < N_OUTPUTS ? ',' : '\\n');
}
""",
    "main": """
/* Print the answer for each line of standard input. */
static void show_lines(void)
{
    double row[N_INPUTS];
    int n = 0, c;
    do {
        char cell[100];
        size_t length = 0;
        while ((c = getchar()) != ',' && c != '\\n' && c != EOF)
            if (length < sizeof cell - 1)
                cell[length++] = (char)c;
            else
                fail("a cell is too long", "");
        cell[length] = '\\0';
        if (c != ',' && n == 0 && cell[strspn(cell, " \\t\\r")] == '\\0')
            continue; /* an empty line */
        if (n < N_INPUTS)
            row[n] = number(cell);
        n++;
        if (c != ',') {
            show(row, n);
            n = 0;
        }
    } while (c != EOF);
}

/* Check the test cases; or answer the numbers given, or each line of standard input. */
int main(int argc, char *argv[])
{
    if (argc == 1)
        return test();
    if (argc == 2 && strcmp(argv[1], "-") == 0) {
        show_lines();
        return 0;
    }
    double row[N_INPUTS];
    for (int i = 0; i < N_INPUTS && i + 1 < argc; i++)
        row[i] = number(argv[i + 1]);
    show(row, argc - 1);
    return 0;
}
#endif
""",
}


class CSource(Source):
    """C99: a row is an array of double; the network computes in its own number type."""

    brackets: ClassVar[str] = "{}"
    nan: ClassVar[str] = "NAN"
    mark: ClassVar[str] = "//"

    @property
    def real(self) -> str:
        """The network's number type."""
        return "float" if self.plain.dtype == np.float32 else "double"

    @property
    def suffix(self) -> str:
        """What ends the numbers and functions of that type."""
        return "f" if self.real == "float" else ""

    def part(self, name: str, **words: str) -> str:
        """A part of the file with words in place of those in angle brackets."""
        part = _PARTS[name].replace("<real>", self.real)
        for word, said in words.items():
            part = part.replace(f"<{word}>", said)
        return part.removesuffix("\n")

    def lines(self) -> Iterator[str]:
        said = [*self.head(), *self.usage()]
        yield "\n".join(["/*", *(f" * {line}" for line in said), " */"])
        yield self.part("includes")
        yield f"\nenum {{ N_INPUTS = {len(self.plain.features)}, N_OUTPUTS = {len(self.plain.outputs)} }};\n"
        yield from self.names()
        yield from self.scaling()
        yield from self.weights()
        yield from (self.definition(name, activation) for name, activation in self.defined())
        yield self.part("inputs", scaled=self.scaled())
        yield self.forward()
        yield self.part(f"predict_{self.answer}")
        yield from self.program()

    def usage(self) -> list[str]:
        """How the file is used."""
        return [
            "",
            "To use it, #include this file, or link it and declare",
            "",
            *beside(self.declarations(), "//"),
            "",
            "Where it is called net.c, it is a program, too:",
            "",
            "    cc -std=c99 -O2 -DMAIN net.c -lm -o net",
            *beside(self.runs("./net"), "#"),
        ]

    def declarations(self) -> list[tuple[str, str]]:
        """The functions for other files, and what they give."""
        n_in, n_out = len(self.plain.features), len(self.plain.outputs)
        row = f"const double row[{n_in}]"
        predict = (f"    bool predict({row}, double answer[{n_out}]);", "the answer for a row")
        if self.plain.classes is not None:
            predict = (f"    int predict({row});", "the place of the answer in CLASSES")
        outputs = f"    bool predict_outputs({row}, {self.real} outputs[{n_out}]);"
        return [predict, (outputs, f"the {self.outputs}")]

    def comment(self, text: str, longest: int = WIDTH) -> str:
        return ascii_comment(text, longest)

    def string(self, text: str) -> str:
        return c_string(text)

    def label(self, label: Label) -> str:
        """Whatever the labels are, C holds them as text."""
        return c_string(str(label).lower() if isinstance(label, bool) else str(label))

    def texts(self, values: Array, kind: str) -> list[str]:
        return number_texts(values.ravel(), self.nan, self.suffix if kind == "weights" else "")

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        size = "".join(f"[{length}]" for length in shape)
        if kind in ("texts", "labels"):
            return f"const char *const {name}{size} = ", ";"
        type_ = self.real if kind == "weights" else "int" if kind == "places" else "double"
        return f"static const {type_} {name}{size} = ", ";"

    def answers(self, answers: Array) -> list[str]:
        return self.numbers("TEST_ANSWERS", answers, "numbers" if answers.dtype.kind == "f" else "places")

    # ------------------------------------------------------------------ functions

    def definition(self, name: str, activation: Activation) -> str:
        """The function of an activation."""
        formula = self.formula_of(activation)
        if couples(activation):
            return self.part("softmax", formula=formula, fmax=f"fmax{self.suffix}", exp=f"exp{self.suffix}")
        named, result = self.body(activation, CFloatCode if self.suffix else CCode)
        steps = "".join(f"    {self.real} {step} = {code};\n" for step, code in named)
        head = f"\n/* {formula}. */\nstatic {self.real} {name}({self.real} z)\n"
        return f"{head}{{\n{steps}    return {result};\n}}"

    def scaled(self) -> str:
        """An input as layer 1 takes it."""
        plain = self.plain
        value = "row[i]" if plain.fill is None else "(isnan(row[i]) ? FILL[i] : row[i])"
        if plain.shift is not None:
            value = f"({value} - SHIFT[i]) / SCALE[i]"
        return f"(float)({value})" if self.suffix else value

    def forward(self) -> str:
        """The function that computes layer after layer."""
        lines, x, last = ["    if (!inputs(row, x))", "        return false;"], "x", len(self.plain.layers)
        for number, layer in enumerate(self.plain.layers, start=1):
            a = "outputs" if number == last else f"a{number}"
            lines += self.layer(number, x, a, layer)
            x = a
        said = f"/* The {self.outputs} of the network for a row; false where an input is not finite. */"
        head = f"bool predict_outputs(const double row[N_INPUTS], {self.real} outputs[N_OUTPUTS])"
        body = "\n".join([f"    {self.real} x[N_INPUTS];", *lines, "    return true;"])
        return f"\n{said}\n{head}\n{{\n{body}\n}}"

    def layer(self, number: int, x: str, a: str, layer: PlainLayer) -> list[str]:
        """The loops of a layer, each with its formula."""
        (n_in, n_out), name = layer.W.shape, self.function(layer)
        name = f"tanh{self.suffix}" if name == "tanh" else name
        in_row = couples(layer.activation)
        value = f"{name}(z)" if name and not in_row else "z"
        lines = [
            (f"    for (int j = 0; j < {n_out}; j++) {{", ""),
            (f"        {self.real} z = b{number}[j];", ""),
            (f"        for (int i = 0; i < {n_in}; i++)", ""),
            (f"            z += {x}[i] * W{number}[i][j];", f"z{number} = {x} @ W{number} + b{number}"),
            (f"        {a}[j] = {value};", "" if in_row else self.layer_formula(number, layer)),
            ("    }", ""),
        ]
        if in_row:
            lines.append((f"    {name}({a}, {n_out});", self.layer_formula(number, layer)))
        declared = [] if a == "outputs" else [f"    {self.real} {a}[{n_out}];"]
        return ["", *declared, *beside(lines, "//")]

    # ------------------------------------------------------------------ as a program

    def program(self) -> Iterator[str]:
        """The test cases and what runs them, compiled where MAIN is defined."""
        yield self.part("main_includes")
        yield f"enum {{ N_TESTS = {len(self.tests.rows)} }};"
        yield from self.cases()
        yield f"static const double TOLERANCE = {self.tests.tolerance!r};"
        yield self.part("close")
        kind = {"second": "class"}.get(self.answer, self.answer)
        right = "" if kind == "outputs" else _PARTS[f"right_{kind}"]
        yield self.part("test", right=right)
        yield self.part("fail")
        shown = "%.15g" if self.real == "double" else "%.8g"
        n_in = str(len(self.plain.features))
        yield self.part("show_class" if kind == "class" else "show_numbers", format=shown, n_in=n_in)
        yield self.part("main")
