"""Optimizers: their own formula is checked, and a wrong gradient is found inside them."""

import pytest

from deltarule.diagnosis.observation import observe
from deltarule.diagnosis.reading.analysis import analyse
from deltarule.diagnosis.recording.program import record_program

NETWORK = """
import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(size=(9, 4)); Y = rng.normal(size=(9, 2))
params = {"W1": rng.normal(size=(4, 5)), "b1": np.zeros(5), "W2": rng.normal(size=(5, 2)), "b2": np.zeros(2)}
m = {k: np.zeros_like(p) for k, p in params.items()}
v = {k: np.zeros_like(p) for k, p in params.items()}
lr, beta1, beta2, eps, t = 0.01, 0.9, 0.999, 1e-8, 0
for epoch in range(100):
    H = np.tanh(X @ params["W1"] + params["b1"])
    O = H @ params["W2"] + params["b2"]
    loss = ((O - Y) ** 2).mean()
    d = 2 * (O - Y) / Y.size
    dz = d @ params["W2"].T * (1 - H ** 2)
    grads = {"W1": X.T @ dz, "b1": dz.sum(0), "W2": H.T @ d, "b2": d.sum(0)}
    t += 1
    for k in params:
        g = grads[k]
"""

OPTIMIZERS = {
    "Adam": """
        m[k] = beta1 * m[k] + (1 - beta1) * g
        v[k] = beta2 * v[k] + (1 - beta2) * g ** 2
        mhat = m[k] / (1 - beta1 ** t)
        vhat = v[k] / (1 - beta2 ** t)
        params[k] -= lr * mhat / (np.sqrt(vhat) + eps)
""",
    "RMSprop": """
        v[k] = 0.9 * v[k] + 0.1 * g * g
        params[k] -= lr * g / (np.sqrt(v[k]) + eps)
""",
    "AdaGrad": """
        v[k] += g ** 2
        params[k] -= lr * g / (np.sqrt(v[k]) + eps)
""",
    "momentum": """
        m[k] = beta1 * m[k] - lr * g
        params[k] += m[k]
""",
}
#: The same by other words: (optimizer, old, new).
SAME = [
    ("Adam", "beta1 * m[k] + (1 - beta1) * g", "m[k] + (1 - beta1) * (g - m[k])"),
    ("Adam", "m[k] = beta1 * m[k] + (1 - beta1) * g\n", "m[k] += (1 - beta1) * (g - m[k])\n"),
    ("Adam", "np.sqrt(vhat) + eps", "np.sqrt(vhat + eps)"),
    ("Adam", " / (1 - beta1 ** t)\n", "\n"),
    ("RMSprop", "np.sqrt(v[k]) + eps", "np.sqrt(v[k] + 1e-6)"),
    ("momentum", "params[k] += m[k]", "params[k] += beta1 * m[k] - lr * g"),
    ("momentum", "m[k] = beta1 * m[k] - lr * g", "m[k] = beta1 * m[k] - (1 - beta1) * lr * g"),
]
#: (optimizer, old, new, what the text says, what stands on its line)
WRONG = [
    ("Adam", "np.sqrt(vhat)", "vhat", "square root", "params[k] -="),
    ("RMSprop", "np.sqrt(v[k])", "v[k]", "square root", "params[k] -="),
    ("AdaGrad", "/ (np.sqrt(v[k]) + eps)", "* (np.sqrt(v[k]) + eps)", "divide", "params[k] -="),
    ("Adam", "beta1 ** t", "beta1 ** (t + 1)", "power", "mhat ="),
    ("Adam", "beta2 ** t", "beta2 ** (t + 1)", "power", "vhat ="),
    ("Adam", "beta1 * m[k] + (1 - beta1) * g\n", "(1 - beta1) * g\n", "not kept", "m[k] ="),
    ("Adam", " / (np.sqrt(vhat) + eps)", "", "not used", "params[k] -="),
]


@pytest.fixture
def program(tmp_path):
    def write(name, old="", new="", network=NETWORK):
        text = OPTIMIZERS[name]
        assert old in text
        path = tmp_path / "program.py"
        path.write_text(network.rstrip("\n") + text.replace(old, new), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_usual_optimizers_are_recognised(name, program):
    recording = record_program(program(name))
    rows = analyse(recording.tape, recording.source).chosen.rows
    assert {row.rule.name for row in rows if row.rule is not None} == {name}


@pytest.mark.parametrize(("name", "old", "new"), SAME)
def test_a_convention_is_no_mistake(name, old, new, program):
    seen = observe(program(name, old, new))
    assert seen.verdict == "right", str(seen)


@pytest.mark.parametrize(("name", "old", "new", "said", "line"), WRONG)
def test_a_mistake_of_the_optimizer_is_told_with_its_line(name, old, new, said, line, program):
    path = program(name, old, new)
    seen = observe(path)
    assert seen.verdict == "wrong", str(seen)
    assert said in seen.faults[0].text
    assert line in path.read_text(encoding="utf-8").split("\n")[seen.faults[0].line - 1]


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("(1 - H ** 2)", "(1 - H)", 14), ("H.T @ d", "H.T @ (d * O)", 15), ("dz.sum(0)", "dz.mean(0)", 15)],
)
def test_a_wrong_gradient_inside_an_optimizer_is_found(name, old, new, line, program):
    seen = observe(program(name, network=NETWORK.replace(old, new)))
    assert (seen.verdict, seen.faults[0].line) == ("wrong", line), str(seen)


def test_an_unknown_optimizer_is_not_accused(program):
    path = program("AdaGrad", "lr * g / (np.sqrt(v[k]) + eps)", "lr * g / (0.1 + np.log1p(v[k]))")
    assert observe(path).verdict == "right"


def test_a_gradient_that_is_part_of_an_array_is_known_inside_adam(tmp_path):
    """The bias is a row of the second layer's weights, so that only some rows of what comes back are dW1."""
    path = tmp_path / "program.py"
    path.write_text(
        """
import numpy as np
np.random.seed(3)
X = np.c_[np.ones(5), np.random.randn(5, 2)].T
T = np.random.rand(2, 5)
W1, W2 = np.random.randn(4, 3), np.random.randn(2, 5)
m1 = m2 = v1 = v2 = 0
for _ in range(20):
    h = 1 / (1 + np.exp(-W1 @ X))
    h = np.vstack([np.ones((1, 5)), h])
    y = 1 / (1 + np.exp(-W2 @ h))
    d2 = (y - T) * y * (1 - y)
    g2 = d2 @ h.T
    g1 = ((W2.T @ d2 * h * (1 - h)) @ X.T)[1:]
    m2 = 0.9 * m2 + 0.1 * g2
    v2 = 0.99 * v2 + 0.01 * g2 ** 2
    W2 += -0.05 * m2 / (np.sqrt(v2) + 1e-8)
    m1 = 0.9 * m1 + 0.1 * g1
    v1 = 0.99 * v1 + 0.01 * g1 ** 2
    W1 += -0.05 * m1 / (np.sqrt(v1) + 1e-8)
""",
        encoding="utf-8",
    )
    seen = observe(path)
    assert seen.verdict == "right", str(seen)
    path.write_text(path.read_text(encoding="utf-8").replace("* h * (1 - h)) @", "* h) @"), encoding="utf-8")
    assert observe(path).verdict == "wrong"


ADDED_UP = """
import numpy as np
rng = np.random.default_rng(0)
W, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
dW, dV = np.zeros_like(W), np.zeros_like(V)
for k in range(50):
    x, t = rng.normal(size=(1, 3)), rng.normal(size=(1, 2))
    h = np.tanh(x @ W)
    d = h @ V - t
    dV += h.T @ d
    dW += x.T @ (d @ V.T * (1 - h ** 2))
    W -= 0.1 * dW
    V -= 0.1 * dV
    dW *= 0.9
    dV *= 0.9
"""


@pytest.mark.parametrize(("share", "verdict"), [("0.9", "right"), ("0", "right"), ("1.0", "wrong")])
def test_gradients_that_are_never_cleared_are_no_momentum(watch, share, verdict):
    seen = watch(ADDED_UP.replace("*= 0.9", f"*= {share}"))
    assert seen.verdict == verdict, str(seen)
    assert verdict == "right" or [one.mistake for one in seen.faults] == ["gradients_accumulate"]
