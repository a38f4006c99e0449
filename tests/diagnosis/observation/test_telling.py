"""The report: its lines fit, its arrow points, and what cannot be judged comes with a change that helps."""

import json
import re
from dataclasses import asdict

import pytest

from deltarule.diagnosis.observation import Diagnosis
from deltarule.diagnosis.observation.reply import typed

from . import unseen_programs
from .programs import PLANTED, PROGRAMS


def with_paste(text, seen):
    return f"{text}\n{seen.paste}\n"


def told(seen):
    return " ".join(str(seen).split())


@pytest.mark.parametrize(("name", "right", "wrong"), PLANTED[::4])
def test_the_arrow_points_at_the_expression_and_all_fits_in_79_columns(name, right, wrong, watch):
    seen = watch(PROGRAMS[name].replace(right, wrong))
    lines = str(seen).splitlines()
    arrows = [k for k, line in enumerate(lines) if re.fullmatch(r" +\^~*", line)]
    assert len(arrows) == len(seen.faults)
    assert max(map(len, lines)) <= 79
    fault, shown, arrow = seen.faults[0], lines[arrows[0] - 1], lines[arrows[0]]
    assert shown.startswith(f"   {fault.line:>5} | ")
    assert " ".join(shown[arrow.index("^") : len(arrow)].split()) == fault.expression


def test_of_a_long_line_the_part_around_the_expression_is_shown(watch):
    text = PROGRAMS["script"].replace(
        "    dZ = dH * slope(H)", f"    {'name' * 12} = 'text' * 3; dZ = dH * H"
    )
    lines = str(watch(text)).splitlines()
    arrow = next(line for line in lines if re.fullmatch(r" +\^~*", line))
    assert lines[lines.index(arrow) - 1][arrow.index("^") : len(arrow)] == "dH * H"
    assert max(map(len, lines)) <= 79


def test_the_record_comes_back_from_its_dictionary(watch):

    seen = watch(PROGRAMS["script"].replace("dZ = dH * slope(H)", "dZ = dH"))
    again = typed(Diagnosis, json.loads(json.dumps(asdict(seen))))
    assert again == seen
    assert str(again) == str(seen)
    with pytest.raises(ValueError, match="cannot be understood"):
        typed(Diagnosis, {**json.loads(json.dumps(asdict(seen))), "verdict": "perhaps"})


def test_a_mistake_that_has_a_name_is_told_with_its_page(watch):
    from dataclasses import replace

    from deltarule.diagnosis.mistakes import mistake

    seen = watch(PROGRAMS["script"].replace("dZ = dH * slope(H)", "dZ = dH"))
    page = mistake("slope_missing_in_hidden_layer")
    named = replace(seen, faults=(replace(seen.faults[0], mistake=page.key),))
    assert page.title in told(named)
    assert " ".join(page.remedy.split()) in told(named)


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("script", "3 → 4 (sigmoid) → 2 (sigmoid); W is (in, out)"),
        ("softmax", "4 → 6 (relu) → 3 (softmax); W is (in, out)"),
        ("momentum", "3 → 5 (tanh) → 1 (identity); W is (in, out)"),
        ("functions", "3 → 4 (tanh) → 2 (sigmoid); W is (out, in), the samples are in columns"),
        ("neurons", "2 → 3 (tanh) → 2 (tanh); the weights are single numbers"),
    ],
)
def test_the_network_is_read_from_its_numbers(name, network, watch):
    assert watch(PROGRAMS[name]).network == network


def test_a_factor_of_all_steps_is_a_convention_and_no_mistake(watch):
    text = PROGRAMS["script"].replace("    loss = 0.5 * np.sum((O - T) ** 2)\n", "")
    seen = watch(text.replace("dO = (O - T) * slope(O)", "dO = 2 * (O - T) * slope(O) / len(X)"))
    assert seen.verdict == "right"
    assert "the mean over the samples, and a factor of 2: a convention" in told(seen)


def test_an_optimizer_is_named(watch):
    assert "by Adam" in told(watch(PROGRAMS["adam"]))
    assert "momentum" in told(watch(PROGRAMS["momentum"]))


def test_of_saturated_units_nothing_is_said_and_what_is_pasted_helps(watch):
    text = PROGRAMS["script"].replace("X = rng.normal(size=(7, 3))", "X = 90.0 + rng.normal(size=(7, 3))")
    text = text.replace("W1 = rng.normal(size=(3, 4))", "W1 = np.ones((3, 4)) * 50")
    text = text.replace("W2 = rng.normal(size=(4, 2))", "W2 = np.ones((4, 2)) * 50")
    seen = watch(text)
    assert (seen.verdict, seen.faults) == ("cannot judge", ())
    assert "saturated" in seen.obstacle
    assert watch(text.replace("rate = 0.5", f"rate = 0.5\n{seen.paste}")).verdict == "right"


def test_a_function_that_nobody_calls_is_called_with_small_data(watch):
    text = (
        "import numpy as np\nW = np.random.randn(3, 2)\ndef improve(x, wanted):\n    global W\n"
        "    W = W - 0.1 * x.T @ (x @ W - wanted)\n"
    )
    seen = watch(text)
    assert seen.verdict == "right"
    assert "improve(…)" in seen.driven


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("import torch\nloss = torch.ones(3)\nloss.backward()\n", 3, "PyTorch does the training"),
        ("from keras import Sequential\nm = Sequential()\nm.fit([1], [2])\n", 3, "Keras does the training"),
        ("import numpy as np\nx = [1, 2]\nprint(x[5])\n", 3, "IndexError: list index out of range"),
        (
            "import numpy as np\ndef train(X, y):\n    return missing_name\n",
            3,
            "NameError: name 'missing_name'",
        ),
        ("x = 1\nfor i in range(3\n    pass\n", 2, "SyntaxError: '(' was never closed"),
        ("import pickle\nwith open('w.bin', 'rb') as f:\n    W = pickle.load(f)\n", 2, "FileNotFoundError"),
    ],
)
def test_the_first_thing_that_was_not_understood_is_told_with_its_line(text, line, said, watch):
    seen = watch(text)
    assert (seen.verdict, seen.obstacle_line) == ("cannot judge", line)
    assert said in told(seen)
    assert text.splitlines()[line - 1].strip() in str(seen)


def test_an_unknown_derivative_on_the_way_to_the_output_accuses_nobody(watch):
    text = PROGRAMS["script"].replace("O = sigmoid(H @ W2 + b2)", "O = np.sinc(H @ W2 + b2)")
    seen = watch(text)
    assert (seen.verdict, seen.obstacle_line) == ("cannot judge", 14)
    assert "the derivative of sinc is not known" in seen.obstacle


def test_of_two_opposite_signs_the_one_that_climbs_is_wrong(watch):
    text = (
        "import numpy as np\nx = np.linspace(0, 10, 30)\ny = 3 * x + 4 + np.sin(x)\nw, b = 0.0, 0.0\n"
        "for i in range(50):\n    e = w * x + b - y\n    w = w - 0.001 * np.mean(e * x)\n"
        "    b = b + 0.001 * np.mean(e)\n"
    )
    seen = watch(text)
    assert [(fault.line, fault.parameters) for fault in seen.faults] == [(8, ("b",))]


def test_notebooks_print_the_report():
    class Printer:
        def text(self, text):
            self.got = text

    printer, seen = Printer(), Diagnosis("cannot judge", obstacle="nothing", obstacle_line=0)
    seen._repr_pretty_(printer, False)
    assert printer.got == str(seen)


def test_a_name_keeps_its_small_letter_at_the_start_of_a_sentence(watch):
    program = """
import numpy as np
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
wih, bih, who = rng.normal(size=(3, 4)), np.zeros(4), rng.normal(size=(4, 2))
for _ in range(10):
    h = np.tanh(X @ wih + bih)
    d = (h @ who - Y) / len(X)
    dh = d @ who.T * (1 - h * h)
    who -= 0.1 * h.T @ d
    wih -= 0.1 * X.T @ dh
"""
    told = str(watch(program))
    assert "   bih is used on line 7 but never trained." in told


def test_functions_with_updates_that_did_not_run_are_named(watch):
    seen = watch("""
import numpy as np
def forward(W, V, X):
    h = np.tanh(X @ W)
    return h, h @ V
def backward(W, V, X, Y):
    h, o = forward(W, V, X)
    d = o - Y
    return X.T @ (d @ V.T * (1 - h ** 2)), h.T @ d
class Optimizer:
    def advance(self, cells, slopes):
        for cell, slope in zip(cells, slopes):
            cell.kept -= self.pace(cell) * slope.kept
""")
    assert seen.verdict == "right", str(seen)
    assert "did not run: advance (line 11)" in told(seen)


_STEPS = """
import numpy as np
from nowhere import Model
def step_forward(x, h, Wx, Wh, b):
    following = np.tanh(x.dot(Wx) + h.dot(Wh) + b)
    return following, (following, h, x, Wx, Wh)
def step_backward(dnext, cache):
    following, h, x, Wx, Wh = cache
    d = dnext * (1 - following * following)
    return d.dot(Wx.T), d.dot(Wh.T), x.T.dot(d), h.T.dot(d), d.sum(axis=0)
class Net(Model):
    def all_steps(self, xs, dh):
        h, caches = np.zeros(self.shape), []
        for x in xs:
            h, cache = step_forward(x, h, self.params["Wx"], self.params["Wh"], self.params["b"])
            caches.append(cache)
        total = 0
        for cache in caches:
            LOOP
"""


@pytest.mark.parametrize(
    ("loop", "verdict"),
    [
        ("dx, dprev, dWx, dWh, db = step_backward(dh, cache); dh = dprev", "cannot judge"),
        ("dx, dprev, dWx, dWh, db = step_backward(dh, cache); self.grads['Wh'] += dWh", "cannot judge"),
        ("total += step_forward(cache[2], h, *cache[3:], 0)[0].sum()", "right"),
    ],
)
def test_what_goes_back_over_steps_by_what_is_right_must_have_run(watch, loop, verdict):
    assert watch(_STEPS.replace("LOOP", loop)).verdict == verdict


def test_a_base_with_a_way_back_of_its_own_must_have_run(watch):
    seen = watch("""
import numpy as np
from nowhere import Softmax
class Layer:
    def __init__(self, n_in, n_out, activation):
        self.W, self.grad = np.random.rand(n_in, n_out), np.zeros((n_in, n_out))
        self.v, self.a, self.slope = np.zeros(n_out), np.zeros(n_out), np.zeros(n_out)
        self.b, self.grad_b = np.zeros(n_out), np.zeros(n_out)
        self.activation = activation
    def forward(self, x):
        self.x = x
        np.matmul(x, self.W, out=self.v)
        self.v += self.b
        self.activation.f(self.v, self.a)
        return self.a
    def backward(self, delta_next):
        self.activation.df(self.v, self.a, self.slope)
        self.grad += np.outer(self.x, delta_next * self.slope)
        self.grad_b += delta_next * self.slope
        return self.W @ delta_next
class Last(Layer):
    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out, Softmax())
    def backward(self, delta_next):
        self.grad += np.outer(self.x, delta_next)
        self.grad_b += delta_next
        return self.W @ delta_next
""")
    assert seen.verdict == "cannot judge", str(seen)


def test_what_fails_with_one_layer_more_is_told_with_the_call_that_is_right(watch):
    seen = watch(unseen_programs.PROGRAMS["gradients from the end of a list"].replace("«-l + 1|-1»", "-1"))
    assert seen.verdict == "wrong", str(seen)
    assert "fails with one layer more" in told(seen)
    assert "3 → 4 → 2, which is right" in told(seen)


@pytest.mark.parametrize(("shape", "verdict"), [("w, h, n", "right"), ("n, w, h", "cannot judge")])
def test_a_layer_that_fills_its_output_in_part_is_not_right(watch, shape, verdict):
    program = """
import numpy as np
class Pool:
    def regions(self, image):
        SHAPE = image.shape
        for i in range(w // 2):
            for j in range(h // 2):
                yield image[i * 2:i * 2 + 2, j * 2:j * 2 + 2], i, j
    def forward(self, input):
        self.last = input
        w, h, n = input.shape
        out = np.zeros((w // 2, h // 2, n))
        for block, i, j in self.regions(input):
            out[i, j] = np.amax(block, axis=(0, 1))
        return out
    def backprop(self, d_out):
        d_input = np.zeros(self.last.shape)
        for block, i, j in self.regions(self.last):
            h, w, f = block.shape
            most = np.amax(block, axis=(0, 1))
            for a in range(h):
                for b in range(w):
                    for c in range(f):
                        if block[a, b, c] == most[c]:
                            d_input[i * 2 + a, j * 2 + b, c] = d_out[i, j, c]
        return d_input
"""
    assert watch(program.replace("SHAPE", shape)).verdict == verdict
