"""A transposed gradient in a square layer has the right shape, and no optimizer makes it of the gradient."""

import pytest

from deltarule.diagnosis.observation import observe

NETWORK = """
import numpy as np
rng = np.random.default_rng({seed})
X, Y = rng.normal(size=({samples}, {n})), rng.uniform(size=({samples}, {n}))
W1, W2 = rng.normal(size=({n}, {n})), rng.normal(size=({n}, {n}))
m, v = [0, 0], [0, 0]
for t in range(1, 100):
    h = 1 / (1 + np.exp(-X @ W1))
    o = 1 / (1 + np.exp(-h @ W2))
    delta2 = (o - Y) * o * (1 - o)
    delta1 = delta2 @ W2.T * h * (1 - h)
    for k, (W, g) in enumerate([(W1, X.T @ delta1), (W2, h.T @ delta2)]):
"""
OPTIMIZERS = {
    "plain": """
        W -= 0.3 * g
""",
    "momentum": """
        m[k] = 0.9 * m[k] + g
        W -= 0.3 * m[k]
""",
    "Adam": """
        m[k] = 0.9 * m[k] + 0.1 * g
        v[k] = 0.99 * v[k] + 0.01 * g ** 2
        W -= 0.01 * m[k] / (1 - 0.9 ** t) / (np.sqrt(v[k] / (1 - 0.99 ** t)) + 1e-8)
""",
    "RMSprop": """
        v[k] = 0.9 * v[k] + 0.1 * g ** 2
        W -= 0.01 * g / np.sqrt(v[k] + 1e-8)
""",
}
TRANSPOSED = [
    ("X.T @ delta1", "delta1.T @ X"),
    ("X.T @ delta1", "(X.T @ delta1).T"),
    ("h.T @ delta2", "delta2.T @ h"),
]
#: Where there are as many samples as neurons, these have the right shape, too.
AS_MANY = [
    ("X.T @ delta1", "X @ delta1"),
    ("h.T @ delta2", "delta2 @ h"),
    ("h.T @ delta2", "h @ delta2.T"),
]
#: The weights, or their gradient, lie transposed, and each entry meets its own all the same.
SAME = [("X.T @ delta1", "(delta1.T @ X).T"), ("h.T @ delta2", "(delta2.T @ h).T")]


def judged(folder, optimizer, old="", new="", n=2, samples=7, seed=0):
    path = folder / "program.py"
    text = (NETWORK.format(n=n, samples=samples, seed=seed)).rstrip("\n") + OPTIMIZERS[optimizer]
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return observe(path)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_transposed_gradient_is_wrong_in_a_square_layer(optimizer, tmp_path):
    for k, (old, new) in enumerate(TRANSPOSED):
        seen = judged(tmp_path, optimizer, old, new, seed=k)
        assert seen.verdict == "wrong", str(seen)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_gradient_that_is_computed_transposed_and_turned_is_right(optimizer, tmp_path):
    for old, new in SAME:
        seen = judged(tmp_path, optimizer, old, new)
        assert seen.verdict == "right", str(seen)


@pytest.mark.slow
@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_of_many_starts_none_lets_a_transposed_gradient_pass(optimizer, n, tmp_path):
    for seed in range(2):
        for samples, edits in ((7, TRANSPOSED), (n, AS_MANY)):
            assert judged(tmp_path, optimizer, n=n, samples=samples, seed=seed).verdict == "right"
            for old, new in edits:
                seen = judged(tmp_path, optimizer, old, new, n, samples, seed)
                assert seen.verdict == "wrong", f"{samples} samples, seed {seed}\n{seen}"
