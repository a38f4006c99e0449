"""A network as one file of plain Python, which imports nothing but ``math`` and ``sys``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from deltarule.data.encoding.targets import Label
from deltarule.exchange.activation_steps import is_built_in
from deltarule.exchange.code_emitters import Code, GuardedPythonCode, PythonCode
from deltarule.exchange.literals import python_string
from deltarule.exchange.portable_network import PlainLayer
from deltarule.exchange.source import Source, beside, couples
from deltarule.nn.activations import Activation

__all__ = ["PythonSource"]

#: What a user's own formula calls where ``math`` would raise.
_GUARDS = {
    "exp": '''

def exp(x):
    """e^x, infinite where it is too large."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf
''',
    "log": '''

def log(x):
    """The natural logarithm, −∞ of 0."""
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan
''',
    "square_root": '''

def square_root(x):
    """The square root."""
    return math.sqrt(x) if x >= 0 else math.nan
''',
    "power": '''

def power(x, y):
    """x^y, infinite where it is too large."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        return math.inf if x == 0 else math.nan
''',
    "divide": '''

def divide(x, y):
    """x/y, infinite where y is 0."""
    return x / y if y != 0 else x * math.copysign(math.inf, y)
''',
}

#: The parts of a file. Of those whose names end alike, ``_class`` and so on, the answer decides which.
_PARTS = {
    "imports": "import math\nimport sys\n",
    "sums": '''

def weighted_sums(x, W, b):
    """x @ W + b: for each neuron, the sum of the inputs times its column of W, and its bias."""
    return [sum(xi * w for xi, w in zip(x, column)) + bias for column, bias in zip(zip(*W), b)]
''',
    "softmax": '''

def softmax(z):
    """<formula>, shifted, so that nothing overflows."""
    top = max(z)
    e = [math.exp(zk - top) for zk in z]
    total = sum(e)
    return [ek / total for ek in e]
''',
    "inputs": '''

def inputs(row):
    """A row of numbers as layer 1 takes it."""
    if len(row) != len(FEATURES):
        raise ValueError(f"expected {len(FEATURES)} numbers, got {len(row)}")
''',
    "fill": "    row = [fill if math.isnan(v) else v for v, fill in zip(row, FILL)]\n",
    "scale": "    x = [(v - shift) / scale for v, shift, scale in zip(row, SHIFT, SCALE)]\n",
    "as_is": "    x = list(row)\n",
    "checked": """\
    for name, number in zip(FEATURES, x):
        if not math.isfinite(number):
            raise ValueError(f"{name} is not a finite number")
    return x
""",
    "outputs": '''

def predict_outputs(row):
    """The <outputs> of the network for a row."""
    x = inputs(row)
''',
    "predict_class": '''

def predict(row):
    """The class of a row: that of the largest output."""
    outputs = predict_outputs(row)
    return CLASSES[outputs.index(max(outputs))]
''',
    "predict_second": '''

def predict(row):
    """The class of a row: the second where the output is above 0.5, else the first."""
    return CLASSES[1 if predict_outputs(row)[0] > 0.5 else 0]
''',
    "predict_units": '''

def predict(row):
    """The outputs for a row, in their units."""
    return [y * scale + shift for y, scale, shift in zip(predict_outputs(row), OUT_SCALE, OUT_SHIFT)]
''',
    "predict_outputs": '''

def predict(row):
    """The outputs for a row."""
    return predict_outputs(row)
''',
    "test": '''

def close(got, expected):
    """Whether numbers are what they should be, but for rounding."""
    return all(abs(g - e) <= TOLERANCE * max(1, abs(e)) for g, e in zip(got, expected))


def test():
    """The exit status: 0 where all test cases give what they should, else 1."""
    failed = 0
    for case, row in enumerate(TEST_ROWS):
        right = close(predict_outputs(row), TEST_OUTPUTS[case])
''',
    "right_class": "        right = right and predict(row) == TEST_ANSWERS[case]\n",
    "right_second": "        right = right and predict(row) == TEST_ANSWERS[case]\n",
    "right_units": "        right = right and close(predict(row), TEST_ANSWERS[case])\n",
    "right_outputs": "",
    "tested": """\
        if not right:
            print(f"FAILED: test case {case}: expected {TEST_OUTPUTS[case]}, got {predict_outputs(row)}")
            failed = 1
    if not failed:
        print(f"ok: {len(TEST_ROWS)} test cases")
    return failed
""",
    "main": '''

def show(cells):
    """Print the answer for a row of texts; an empty one is a missing number."""
    answer = predict([float(cell) if cell.strip() else <nan> for cell in cells])
    print(<answer>)


def main(arguments):
    """Check the test cases; or answer the numbers given, or each line of standard input."""
    if not arguments:
        return test()
    if arguments == ["-"]:
        for line in sys.stdin:
            if line.strip():
                show(line.split(","))
    else:
        show(arguments)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"error: {error}")
''',
}


class PythonSource(Source):
    """Plain Python: a row is a list of numbers."""

    nan: ClassVar[str] = "math.nan"
    mark: ClassVar[str] = "#"
    parts: ClassVar[dict[str, str]] = _PARTS
    rows: ClassVar[str] = "a row"

    def lines(self) -> Iterator[str]:
        yield '"""' + "\n".join([*self.head(), *self.usage(), '"""', ""])
        yield self.parts["imports"]
        yield from self.names()
        yield from self.scaling()
        yield from self.weights()
        yield "".join(
            [*self.functions_of_layers(), self.inputs(), self.forward(), self.parts[f"predict_{self.answer}"]]
        )
        yield "\n# Test cases."
        yield from self.cases()
        yield f"TOLERANCE = {self.tests.tolerance!r}"
        yield self.program()

    def usage(self) -> list[str]:
        """How the file is used."""
        row = f"[{', '.join(self.example)}]" if self.example else "row"
        return [
            "",
            "Where this file is called net.py:",
            "",
            "    import net",
            *beside(
                [
                    (f"    net.predict({row})", f"the answer for {self.rows}"),
                    (f"    net.predict_outputs({row})", f"the {self.outputs}"),
                    ("", ""),
                    *self.runs("python net.py"),
                ],
                "#",
            ),
        ]

    def string(self, text: str) -> str:
        return python_string(text)

    def label(self, label: Label) -> str:
        return python_string(label) if isinstance(label, str) else repr(label)

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        return f"{name} = ", ""

    # ------------------------------------------------------------------ functions

    def functions_of_layers(self) -> list[str]:
        """Activations, and what they and the layers call."""
        defined = [self.definition(name, activation) for name, activation in self.defined()]
        guards = [guard for name, guard in _GUARDS.items() if any(f" {name}(" in one for one in defined)]
        return [*guards, self.parts.get("sums", ""), *defined]

    def definition(self, name: str, activation: Activation) -> str:
        """The function of an activation."""
        formula = self.formula_of(activation)
        if couples(activation):
            return self.parts["softmax"].replace("<formula>", formula)
        named, result = self.body(activation, self.code(activation))
        steps = "".join(f"    {step} = {code}\n" for step, code in named)
        before = self.decorated(activation)
        return f'\n\n{before}def {name}(z):\n    """{formula}."""\n{steps}    return {result}\n'

    def code(self, activation: Activation) -> type[Code]:
        """What writes the formula of an activation."""
        return PythonCode if is_built_in(activation) else GuardedPythonCode

    def decorated(self, activation: Activation) -> str:
        """What stands before ``def``."""
        return ""

    def inputs(self) -> str:
        """The function from a row to ``x``."""
        fill = "" if self.plain.fill is None else self.parts["fill"]
        scale = self.parts["as_is" if self.plain.shift is None else "scale"]
        return self.parts["inputs"] + fill + scale + self.parts["checked"]

    def forward(self) -> str:
        """The function that computes layer after layer."""
        lines, x = [], "x"
        for number, layer in enumerate(self.plain.layers, start=1):
            lines += self.layer(number, x, layer)
            x = f"a{number}"
        first = self.parts["outputs"].replace("<outputs>", self.outputs)
        return first + "\n".join([*beside(lines, "#"), f"    return {x}\n"])

    def layer(self, number: int, x: str, layer: PlainLayer) -> list[tuple[str, str]]:
        """The lines of a layer, each with its formula."""
        z, name = f"z{number}", self.function(layer).replace("tanh", "math.tanh")
        a = f"{name}({z})" if couples(layer.activation) else f"[{name}(z) for z in {z}]" if name else z
        return [
            (f"    {z} = weighted_sums({x}, W{number}, b{number})", f"{z} = {x} @ W{number} + b{number}"),
            (f"    a{number} = {a}", self.layer_formula(number, layer)),
        ]

    def program(self) -> str:
        """The test, and the command line."""
        answer = "answer" if self.plain.classes is not None else '*answer, sep=","'
        main = self.parts["main"].replace("<nan>", self.nan).replace("<answer>", answer)
        return "".join([*(self.parts[name] for name in ("test", f"right_{self.answer}", "tested")), main])
