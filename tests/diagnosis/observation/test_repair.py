"""What a fault says that should be: put into the program, it is right."""

import ast

import pytest

from .programs import PROGRAMS


def repaired(text, fault):
    """The program with the statement of a fault replaced by what it should be."""
    statements = [one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.stmt)]
    statements = [one for one in statements if one.lineno <= fault.line <= one.end_lineno]
    column = fault.columns[0]
    inner = [one for one in statements if one.lineno != fault.line or one.col_offset <= column]
    wrong = max(inner, key=lambda one: (one.lineno, one.col_offset))
    lines = text.splitlines()
    line = lines[wrong.lineno - 1]
    lines[wrong.lineno - 1] = line[: wrong.col_offset] + fault.should_be + line[wrong.end_col_offset :]
    return "\n".join(lines) + "\n"


#: (program, right, wrong)
MENDED = [
    ("script", "dZ = dH * slope(H)", "dZ = dH * slope(sigmoid(H))"),
    ("script", "dZ = dH * slope(H)", "dZ = dH"),
    ("script", "dZ = dH * slope(H)", "dZ = dH * H"),
    ("script", "dZ = dH * slope(H)", "dZ = dH; dZ *= H"),
    ("script", "dH = dO @ W2.T", "dH = (O - T) @ W2.T"),
    ("script", "return a * (1 - a)", "return a * (1 + a)"),
    ("script", "b2 -= rate * dO.sum(axis=0)", "b2 -= rate * dO.sum()"),
    ("script", "b2 -= rate * dO.sum(axis=0)", "b2 -= rate * np.sum(dO)"),
    ("script", "b2 -= rate * dO.sum(axis=0)", "b2 -= rate * dO.mean(axis=0)"),
    ("script", "W2 -= rate * H.T @ dO", "W2 += rate * H.T @ dO"),
    ("script", "W2 -= rate * H.T @ dO", "W2 = W2 + rate * H.T @ dO"),
    ("script", "W1 -= rate * X.T @ dZ", "W1 -= rate * rate * X.T @ dZ"),
    ("script", "W2 -= rate * H.T @ dO", "W2 -= rate * (X @ W1 + b1).T @ dO"),
    ("neurons", "u.delta = back * (1 - u.out ** 2)", "u.delta = back * (1 - u.out)"),
    ("momentum", "d0 = d1 @ w[1].T * (1 - h * h)", "d0 = d1 @ w[1].T * (1 - h)"),
    ("recurrent", "later = W.T @ dz", "later = W @ dz"),
    ("recurrent", "dz = dh * (1 - hs[t] ** 2)", "dz = dh * (1 - hs[t])"),
    (
        "functions",
        'dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)',
        'dZ1 = parameters["W2"].T @ dZ2 * cache["A1"]',
    ),
    ("functions", "dW1 = dZ1 @ X.T / m", "dW1 = dZ1 @ X.T"),
    ("object", "below = delta @ self.W[k].T * (1 - acts[k] ** 2)", "below = delta @ self.W[k].T * acts[k]"),
]


@pytest.mark.parametrize(("name", "right", "wrong"), MENDED)
def test_with_what_should_be_the_program_is_right(name, right, wrong, watch):
    text = PROGRAMS[name]
    assert right in text
    text = text.replace(right, wrong, 1)
    fault = watch(text).faults[0]
    assert fault.should_be, fault
    assert watch(repaired(text, fault)).verdict == "right", fault.should_be


def test_turned_signs_are_turned_back(watch):
    text = PROGRAMS["script"].replace("dO = (O - T) * slope(O)", "dO = (T - O) * slope(O)")
    fault = watch(text).faults[0]
    assert fault.should_be == "dO = (O - T) * slope(O)"


def test_what_is_not_verified_is_not_suggested(watch):
    """With the missing factor there would still be a number too much: one correction is not enough."""
    text = PROGRAMS["script"].replace("dZ = dH * slope(H)", "dZ = dH * 3")
    fault = watch(text).faults[0]
    assert fault.kind == "derivative"
    assert fault.should_be == "" or watch(repaired(text, fault)).verdict == "right"


def test_two_swapped_lines_are_told_in_words(watch):
    update = "    W2 -= rate * H.T @ dO\n"
    text = PROGRAMS["script"].replace(update, "").replace("    dH = dO", update + "    dH = dO")
    fault = watch(text).faults[0]
    assert fault.should_be == ""
    assert "already changed" in fault.text
