"""A network as one module of JavaScript, for web pages and for Node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from deltarule.data.encoding.targets import Label
from deltarule.exchange.code_emitters import JavaScriptCode
from deltarule.exchange.literals import javascript_string
from deltarule.exchange.portable_network import PlainLayer
from deltarule.exchange.source import Source, beside, couples
from deltarule.nn.activations import Activation

__all__ = ["JavaScriptSource"]

#: Above, whole numbers are BigInts.
_SAFE = 2**53

#: The parts of a file. Of those whose names end alike, ``_class`` and so on, the answer decides which.
_PARTS = {
    "sums": """
/** x @ W + b: for each neuron, the sum of the inputs times its column of W, and its bias. */
function weightedSums(x, W, b) {
    return b.map((bias, j) => x.reduce((sum, xi, i) => sum + xi * W[i][j], bias));
}
""",
    "softmax": """
/** <formula>, shifted, so that nothing overflows. */
function softmax(z) {
    const top = z.reduce((larger, zk) => Math.max(larger, zk));
    const e = z.map((zk) => Math.exp(zk - top));
    const total = e.reduce((sum, ek) => sum + ek);
    return e.map((ek) => ek / total);
}
""",
    "inputs": """
/** A row of numbers as layer 1 takes it. */
function inputs(row) {
    if (row.length !== FEATURES.length) {
        throw new RangeError(`expected ${FEATURES.length} numbers, got ${row.length}`);
    }
    return FEATURES.map((name, i) => {
        const x = <scaled>;
        if (!Number.isFinite(x)) throw new RangeError(`${name} is not a finite number`);
        return x;
    });
}
""",
    "predict_class": """
/** The class of a row: that of the largest output. */
export function predict(row) {
    const outputs = predictOutputs(row);
    return CLASSES[outputs.reduce((best, y, k) => (y > outputs[best] ? k : best), 0)];
}
""",
    "predict_second": """
/** The class of a row: the second where the output is above 0.5, else the first. */
export function predict(row) {
    return CLASSES[predictOutputs(row)[0] > 0.5 ? 1 : 0];
}
""",
    "predict_units": """
/** The outputs for a row, in their units. */
export function predict(row) {
    return predictOutputs(row).map((y, k) => y * OUT_SCALE[k] + OUT_SHIFT[k]);
}
""",
    "predict_outputs": """
/** The outputs for a row. */
export function predict(row) {
    return predictOutputs(row);
}
""",
    "test": """
/** Whether numbers are what they should be, but for rounding. */
function close(got, expected) {
    return got.every((g, k) => Math.abs(g - expected[k]) <= TOLERANCE * Math.max(1, Math.abs(expected[k])));
}

/** The exit status: 0 where all test cases give what they should, else 1. */
function test() {
    let failed = 0;
    TEST_ROWS.forEach((row, t) => {
        const outputs = predictOutputs(row);
        if (!<right>) {
            console.log(`FAILED: test case ${t}: expected ${TEST_OUTPUTS[t]}, got ${outputs}`);
            failed = 1;
        }
    });
    if (!failed) console.log(`ok: ${TEST_ROWS.length} test cases`);
    return failed;
}
""",
    "main": """
/** A text as a number; an empty one is a missing number. */
function number(cell) {
    if (/^\\s*(nan)?\\s*$/i.test(cell)) return NaN;
    if (Number.isNaN(Number(cell))) throw new RangeError(`not a number: ${cell}`);
    return Number(cell);
}

/** Print the answer for a row of texts. */
function show(cells) {
    console.log(String(predict(cells.map(number))));
}

/** Check the test cases; or answer the numbers given, or each line of standard input. */
function main(args, read) {
    if (args.length === 0) return test();
    if (args.length === 1 && args[0] === "-") {
        const lines = read(0, "utf8").split("\\n").filter((line) => line.trim() !== "");
        for (const line of lines) show(line.split(","));
    } else {
        show(args);
    }
    return 0;
}

// Where Node runs this file, and does not import it.
if (typeof process === "object" && process.argv?.[1]) {
    const { existsSync, readFileSync, realpathSync } = await import("node:fs");
    const { pathToFileURL } = await import("node:url");
    const program = process.argv[1];
    if (existsSync(program) && import.meta.url === pathToFileURL(realpathSync(program)).href) {
        try {
            process.exitCode = main(process.argv.slice(2), readFileSync);
        } catch (error) {
            console.error(`error: ${error.message}`);
            process.exitCode = 1;
        }
    }
}
""",
}

_RIGHT = {
    "class": "(close(outputs, TEST_OUTPUTS[t]) && predict(row) === TEST_ANSWERS[t])",
    "second": "(close(outputs, TEST_OUTPUTS[t]) && predict(row) === TEST_ANSWERS[t])",
    "units": "(close(outputs, TEST_OUTPUTS[t]) && close(predict(row), TEST_ANSWERS[t]))",
    "outputs": "close(outputs, TEST_OUTPUTS[t])",
}


class JavaScriptSource(Source):
    """JavaScript: a row is an array of numbers."""

    nan: ClassVar[str] = "NaN"
    mark: ClassVar[str] = "//"

    def lines(self) -> Iterator[str]:
        said = [*self.head(), *self.usage()]
        yield "\n".join(["/*", *(f" * {line}" for line in said), " */", ""])
        yield from self.names()
        yield from self.scaling()
        yield from self.weights()
        yield _PARTS["sums"].removesuffix("\n")
        yield from (self.definition(name, activation) for name, activation in self.defined())
        yield _PARTS["inputs"].replace("<scaled>", self.scaled()).removesuffix("\n")
        yield self.forward()
        yield _PARTS[f"predict_{self.answer}"]
        yield "// Test cases."
        yield from self.cases()
        yield f"const TOLERANCE = {self.tests.tolerance!r};"
        yield _PARTS["test"].replace("<right>", _RIGHT[self.answer]) + _PARTS["main"]

    def usage(self) -> list[str]:
        """How the file is used."""
        row = f"[{', '.join(self.example)}]" if self.example else "row"
        return [
            "",
            "Where this file is called net.mjs:",
            "",
            '    import { predict, predictOutputs } from "./net.mjs";',
            *beside(
                [
                    (f"    predict({row})", "the answer for a row"),
                    (f"    predictOutputs({row})", f"the {self.outputs}"),
                    ("", ""),
                    *self.runs("node net.mjs"),
                ],
                "//",
            ),
        ]

    def string(self, text: str) -> str:
        return javascript_string(text)

    def label(self, label: Label) -> str:
        if isinstance(label, str):
            return javascript_string(label)
        if isinstance(label, bool):
            return str(label).lower()
        return f"{label}n" if isinstance(label, int) and abs(label) > _SAFE else repr(label)

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        public = name in ("FEATURES", "OUTPUTS", "CLASSES")
        return f"{'export ' if public else ''}const {name} = ", ";"

    # ------------------------------------------------------------------ functions

    def definition(self, name: str, activation: Activation) -> str:
        """The function of an activation."""
        formula = self.formula_of(activation)
        if couples(activation):
            return _PARTS["softmax"].replace("<formula>", formula).removesuffix("\n")
        named, result = self.body(activation, JavaScriptCode)
        steps = "".join(f"    const {step} = {code};\n" for step, code in named)
        return f"\n/** {formula}. */\nfunction {name}(z) {{\n{steps}    return {result};\n}}"

    def scaled(self) -> str:
        """An input as layer 1 takes it; null and undefined are missing numbers."""
        value = "row[i]" if self.plain.fill is None else "(Number.isNaN(row[i] ?? NaN) ? FILL[i] : row[i])"
        if self.plain.shift is None:
            return value
        given = value if self.plain.fill is not None else "(row[i] ?? NaN)"
        return f"({given} - SHIFT[i]) / SCALE[i]"

    def forward(self) -> str:
        """The function that computes layer after layer."""
        lines, x = [("    const x = inputs(row);", "")], "x"
        for number, layer in enumerate(self.plain.layers, start=1):
            lines += self.layer(number, x, layer)
            x = f"a{number}"
        body = "\n".join([*beside(lines, "//"), f"    return {x};"])
        said = f"/** The {self.outputs} of the network for a row. */"
        return f"\n{said}\nexport function predictOutputs(row) {{\n{body}\n}}"

    def layer(self, number: int, x: str, layer: PlainLayer) -> list[tuple[str, str]]:
        """The lines of a layer, each with its formula."""
        z, name = f"z{number}", self.function(layer).replace("tanh", "Math.tanh")
        a = f"{name}({z})" if couples(layer.activation) else f"{z}.map({name})" if name else z
        return [
            (
                f"    const {z} = weightedSums({x}, W{number}, b{number});",
                f"{z} = {x} @ W{number} + b{number}",
            ),
            (f"    const a{number} = {a};", self.layer_formula(number, layer)),
        ]
