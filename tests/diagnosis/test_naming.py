"""Networks are read from recordings, and faults get the names of the catalogue."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deltarule.diagnosis.matching import Observed, singles
from deltarule.diagnosis.mistakes import MISTAKES
from deltarule.diagnosis.observation import observe
from deltarule.diagnosis.one_case import read_case
from deltarule.diagnosis.reading.analysis import analyse
from deltarule.diagnosis.reading.network import read_network
from deltarule.diagnosis.recording.program import record_program

from .planted_neurons import NEURON_NETWORKS, neuron_program
from .planted_programs import (
    ARRAY_STYLES,
    NETWORKS,
    PLANTS,
    array_program,
    planted_programs,
    right_programs,
    spread,
)

PLANTED = planted_programs()


def observed(tmp_path, text):
    """What is seen of a program."""
    path = tmp_path / "backprop.py"
    path.write_text(text, encoding="utf-8")
    return observe(path)


def read(tmp_path, text):
    """The network of a program."""
    path = tmp_path / "backprop.py"
    path.write_text(text, encoding="utf-8")
    recording = record_program(path)
    return read_network(analyse(recording.tape, recording.source))


@pytest.mark.parametrize("style", ARRAY_STYLES)
@pytest.mark.parametrize("net", NETWORKS)
def test_a_network_is_read_from_arrays(tmp_path, style, net):
    found = read(tmp_path, array_program(style, net))
    assert found.sizes == net.sizes
    assert found.activations == (net.hidden,) * (net.last - 1) + (net.output,)
    assert found.samples == net.samples
    assert found.rate == pytest.approx(0.3)
    layout = "W is (out, in), the samples are in columns" if style == "columns" else "W is (in, out)"
    assert found.conventions == layout


def test_a_network_with_softmax_inside_is_judged_without_being_read(tmp_path):
    text = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 3)), rng.random((6, 2))
W, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
for _ in range(5):
    h = np.exp(X @ W)
    h = h / h.sum(axis=1, keepdims=True)
    d = h @ V - Y
    dh = d @ V.T
    dz = h * (dh - (h * dh).sum(axis=1, keepdims=True))
    V -= 0.01 * h.T @ d
    W -= 0.01 * X.T @ dz
"""
    assert read(tmp_path, text) is None
    assert observed(tmp_path, text).verdict == "right"


@pytest.mark.parametrize(("sizes", "kind"), NEURON_NETWORKS)
def test_a_network_is_read_from_neuron_objects(tmp_path, sizes, kind):
    found = read(tmp_path, neuron_program(sizes, kind))
    assert found.sizes == sizes
    assert found.activations == (kind,) * (len(sizes) - 1)
    assert (found.samples, found.conventions) == (1, "the weights are single numbers")
    assert found.rate == pytest.approx(0.3)


@pytest.mark.parametrize("plant", [one for one in PLANTS if one.dropping])
def test_dropout_is_read_with_its_masks(tmp_path, plant):
    found = read(tmp_path, array_program("functions", NETWORKS[0], like=plant))
    first, second = found.steps[0].dropped
    assert first is None
    assert second.scale == pytest.approx(1.25)
    assert set(np.unique(second.mask)) <= {0, 1}


BIASES_IN_W = """
import numpy as np
rng = np.random.default_rng(1)
X = np.hstack([rng.normal(size=(6, 2)), np.ones((6, 1))])
Y = rng.random((6, 1))
A, B = rng.normal(size=(3, 4)), rng.normal(size=(5, 1))
for k in range(9):
    h = np.hstack([1 / (1 + np.exp(-X @ A)), np.ones((6, 1))])
    o = 1 / (1 + np.exp(-(h @ B)))
    d = (o - Y) * o * (1 - o)
    e = (d @ B[:4].T) * h[:, :4] * (1 - h[:, :4])
    B -= 0.5 * h.T @ d
    A -= 0.5 * X.T @ e
"""


def test_biases_are_found_in_rows_of_W(tmp_path):
    found = read(tmp_path, BIASES_IN_W)
    assert found.sizes == (2, 4, 1)
    assert "a row of W holds the biases" in found.conventions


RESIDUAL = BIASES_IN_W.replace("-(h @ B)", "-(h @ B + X[:, :1] * 0.1 * h[:, :1])")


def test_what_is_no_plain_chain_is_not_read(tmp_path):
    assert read(tmp_path, RESIDUAL) is None


def named(tmp_path, planted, text=""):
    """Whether the planted mistake has its name in its line, and the names and lines of it."""
    found = observed(tmp_path, text or planted.text)
    told = [(fault.mistake, {fault.line, fault.other_line}) for fault in found.faults]
    return any(key == planted.key and lines & planted.lines for key, lines in told), told


@pytest.mark.parametrize("planted", PLANTED[::67], ids=lambda one: one.name)
def test_a_planted_mistake_is_named_in_its_line(tmp_path, planted):
    found, told = named(tmp_path, planted)
    assert found, (told, planted.lines)


def style_and_mistake(planted):
    style, _, which, _ = planted.name.split("-")
    return style, which


@pytest.mark.slow
def test_planted_mistakes_are_named_in_their_lines_in_all_styles(tmp_path):
    results = [named(tmp_path, planted)[0] for planted in PLANTED]
    assert sum(results) >= 0.99 * len(results)


def rounded(text, how):
    """The program with gradients that are rounded to three decimals."""
    gradients = r"^( +\S*(?:dW|db)\S* = )(?!\{)(.*)$"
    return re.sub(gradients, lambda line: line[1] + how.format(line[2]), text, flags=re.M)


ROUNDED = [one for one in PLANTED if not one.name.startswith("neurons")]


@pytest.mark.parametrize("planted", ROUNDED[::111], ids=lambda one: one.name)
def test_a_mistake_is_named_where_gradients_are_rounded(tmp_path, planted):
    found, told = named(tmp_path, planted, rounded(planted.text, "np.round({}, 3)"))
    assert found, (told, planted.lines)


@pytest.mark.slow
def test_planted_mistakes_are_named_where_gradients_are_rounded(tmp_path):
    results = [
        named(tmp_path, one, rounded(one.text, "np.round({}, 3)"))[0]
        for one in spread(ROUNDED, style_and_mistake, 6)
    ]
    assert sum(results) >= 0.97 * len(results)


NEURONS = [one for one in PLANTED if one.name.startswith("neurons-0")]


@pytest.mark.parametrize(
    "how", ["round({}, 3)", "float('%.3f' % ({}))", "float(f'{{{}:.3f}}')", "float('{{:.3f}}'.format({}))"]
)
def test_numbers_that_are_rounded_one_by_one_stay_what_they_are(tmp_path, how):
    steps, to = r"^( +n\.(?:w\[i\]|b) -= )(.*)$", lambda line: line[1] + how.format(line[2])
    right = re.sub(steps, to, neuron_program(*NEURON_NETWORKS[0]), flags=re.M)
    assert observed(tmp_path, right).verdict == "right"
    found, told = named(tmp_path, NEURONS[0], re.sub(steps, to, NEURONS[0].text, flags=re.M))
    assert found, told


@pytest.mark.parametrize("text", right_programs()[::12])
def test_right_programs_get_no_name(tmp_path, text):
    found = observed(tmp_path, text)
    assert (found.verdict, found.faults) == ("right", ())


@pytest.mark.slow
def test_no_right_program_gets_a_name(tmp_path):
    for text in right_programs():
        found = observed(tmp_path, text)
        assert (found.verdict, found.faults) == ("right", ()), text


COURSE = """
import math
w1, w2, w3, w4, w5, w6, w7, w8 = 0.2, -0.4, 0.5, 0.6, 0.1, -0.5, -0.3, 0.8
x1, x2, y1, y2 = 0.5, 0.3, 0.23, -0.07
def f(z):
    return 1 / (1 + math.exp(-z))
for k in range(20):
    a1, a2 = f(w1 * x1 + w3 * x2), f(w2 * x1 + w4 * x2)
    p1, p2 = f(w5 * a1 + w7 * a2), f(w6 * a1 + w8 * a2)
    d1, d2 = (p1 - y1) * p1 * (1 - p1), (p2 - y2) * p2 * (1 - p2)
    g5, g6, g7, g8 = d1 * a1, d2 * a1, d1 * a2, d2 * a2
    e1 = (g5 + g6) * a1 * (1 - a1)
    e2 = (g7 + g8) * a2 * (1 - a2)
    w1 -= e1 * x1; w2 -= e2 * x1; w3 -= e1 * x2; w4 -= e2 * x2
    w5 -= g5; w6 -= g6; w7 -= g7; w8 -= g8
"""


def test_gradients_that_are_passed_back_are_named_weight_by_weight(tmp_path):
    found = observed(tmp_path, COURSE)
    assert found.network.startswith("2 → 2 (sigmoid) → 2 (sigmoid)")
    assert {fault.mistake for fault in found.faults} == {"gradients_passed_back"}


def test_two_mistakes_are_both_named(tmp_path):
    right = array_program("script", NETWORKS[0])
    text = right.replace("X.T @ d1 / n", "2 * X.T @ d1 / n").replace(
        "d2.sum(axis=0, keepdims=True)", "d2.sum()"
    )
    found = observed(tmp_path, text)
    assert {fault.mistake for fault in found.faults} == {"factor", "bias_summed_wrongly"}


def test_every_variant_has_its_own_line_and_known_steps():
    for mistake in MISTAKES:
        assert all((mistake.title, mistake.why, mistake.wrong, mistake.right, mistake.remedy))
        for variant in mistake.variants:
            assert variant.line
            assert variant.steps


def test_a_mistake_in_one_layer_says_in_which():
    lines = {one.mistakes[0].wrong for one in singles(3)}
    assert "db = b   (in layer 2)" in lines


def test_the_numbers_of_one_case_are_named():
    rng = np.random.default_rng(2)
    W, b = [rng.normal(size=(3, 4)), rng.normal(size=(4, 2))], [rng.normal(size=4), rng.normal(size=2)]
    x, y = rng.normal(size=(5, 3)), rng.random((5, 2))
    h = np.tanh(x @ W[0] + b[0])
    d = (h @ W[1] + b[1] - y) / 5
    e = d @ W[1].T
    right = e * (1 - h * h)
    for delta, keys in ((right, ()), (e * h, ("f_instead_of_slope",))):
        seen = Observed((x.T @ delta, h.T @ d), (delta.sum(axis=0), d.sum(axis=0)))
        found = read_case(W, b, x, y, seen, output="identity", loss="half_squared_error")[0]
        assert (found.activation, found.reduction) == ("tanh", "mean")
        assert tuple(one.key for one in found.mistakes) == keys
