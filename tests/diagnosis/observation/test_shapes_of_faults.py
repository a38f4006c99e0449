"""Mistakes that hide: in the forward pass, among equal arrays, behind one another, on a second path."""

import pytest

from deltarule.diagnosis.observation import observe

from ..mutant_bases import BASES

SOFTMAX = BASES["softmax"]
EQUAL = BASES["three equal layers"]
#: (what, program, [(old, new)], [what stands on the lines told, in their order])
KINDS = [
    (
        "the softmax sums over the samples",
        SOFTMAX,
        [("e.sum(axis=1", "e.sum(axis=0")],
        ["e / e.sum(axis=0"],
    ),
    ("the softmax sums over all", SOFTMAX, [("e.sum(axis=1, keepdims=True)", "e.sum()")], ["e / e.sum()"]),
    (
        "the softmax is applied twice",
        SOFTMAX,
        [("softmax(H @ W2 + b2)", "softmax(softmax(H @ W2 + b2))")],
        ["softmax(softmax("],
    ),
    (
        "the activation is applied twice",
        SOFTMAX,
        [("np.tanh(X @ W1 + b1)", "np.tanh(np.tanh(X @ W1 + b1))")],
        ["np.tanh(np.tanh("],
    ),
    ("a bias is not used", SOFTMAX, [("X @ W1 + b1", "X @ W1")], ["np.tanh(X @ W1)"]),
    (
        "one head is missing",
        BASES["two heads"],
        [("da @ Wa.T + db @ Wb.T", "da @ Wa.T")],
        ["dtrunk = da @ Wa.T"],
    ),
    ("the way around is missing", BASES["residual"], [("ds = ds + dz @", "ds = dz @")], ["ds = dz @"]),
    ("the wrong one of equal arrays", EQUAL, [("dH = dY @ V.T", "dH = dY @ W1.T")], ["dH = dY @ W1.T"]),
    ("the step of another equal array", EQUAL, [("V -= 0.1 * dV", "V -= 0.1 * dW1")], ["V -= 0.1 * dW1"]),
    (
        "the slope of another equal array",
        EQUAL,
        [("(1 - G ** 2)", "(1 - H ** 2)")],
        ["dY = dG * (1 - H ** 2)"],
    ),
    (
        "two behind one another",
        EQUAL,
        [("(1 - G ** 2)", "(1 - G)"), ("(1 - H ** 2)", "(1 - H)")],
        ["(1 - G)", "(1 - H)"],
    ),
    (
        "two beside one another",
        EQUAL,
        [("dV = H.T @ dY", "dV = X.T @ dY"), ("db1 = dZ.sum", "db1 = dH.sum")],
        ["dV = X.T", "db1 = dH.sum"],
    ),
    (
        "three of three kinds",
        EQUAL,
        [("G.T @ d", "G.T @ (d * P)"), ("(1 - H ** 2)", "(1 + H ** 2)"), ("    c -= 0.1 * dc\n", "")],
        ["G.T @ (d * P)", "(1 + H ** 2)", "dc = dY.sum(axis=0)"],
    ),
    ("the target is added", SOFTMAX, [("d = (P - T)", "d = (P + T)")], ["d = (P + T)"]),
]


@pytest.mark.parametrize(
    ("program", "changes", "lines"), [one[1:] for one in KINDS], ids=[one[0] for one in KINDS]
)
def test_the_mistakes_are_told_each_once_with_its_line(program, changes, lines, tmp_path):
    for old, new in changes:
        assert program.count(old) == 1
        program = program.replace(old, new)
    path = tmp_path / "program.py"
    path.write_text(program, encoding="utf-8")
    seen = observe(path)
    text = program.split("\n")
    assert len(seen.faults) == len(lines), str(seen)
    for fault, line in zip(seen.faults, lines, strict=True):
        assert line in text[fault.line - 1], str(seen)
