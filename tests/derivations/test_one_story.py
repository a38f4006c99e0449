"""What a derivation says in one place it says in every other: names, samples, digits, what is frozen."""

from __future__ import annotations

import re

import numpy as np
import pytest

import deltarule as dr
from deltarule.training.replay import replay
from deltarule.tutorials import load_example


def words(derivation):
    return " ".join(derivation.text(1000).split())


def test_a_frozen_parameter_has_a_gradient_that_is_not_applied():
    example = load_example("T1")
    text = dr.explain(example.network(), example.X, example.Y, "all", optimizer="sgd(0.5)").text()
    derived = re.search(r"∂E/∂b1 = .* = (0\.\d+)", text)[1]
    assert re.search(rf"b1 +0\.35 +{derived} +not applied: frozen", text)
    one = words(dr.explain(example.network(), example.X, example.Y, "b1", optimizer="sgd(0.5)"))
    assert "b1 is frozen: its gradient is not applied, so it stays 0.35." in one


@pytest.fixture
def batches():
    """A run with batches of 4 drawn from 12 rows."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 2)), rng.integers(0, 2, 12)
    net = dr.Network([2, 2, 1], output="sigmoid", activation="sigmoid", seed=1)
    return dr.train(net, X, y, optimizer="sgd(0.1)", epochs=2, batch_size=4), X


def test_samples_of_an_update_have_one_number_in_all_its_parts(batches):
    history, _ = batches
    derivation = dr.explain_update(history, 2, "w1", notation="tutorial")
    text = words(derivation)
    followed = re.search(r"contributes most is followed: sample (\d)\.", text)[1]
    table = re.findall(
        r"sample (\d)(?:, row (\d+) of the data)? +(−?[\d.]+(?:·10[⁻\d]+)?)",
        text.partition("Which samples changed")[2],
    )
    assert {number for number, *_ in table} == {"1", "2", "3", "4"}
    assert table[0][0] == followed
    moment = replay(history, 2)
    trace = moment.net.forward(moment.samples.x)
    delta = moment.net.backward(trace, moment.samples.y)[0].delta[:, 0]
    for number, row, pull in table:
        place = int(number) - 1
        assert int(row or number) - 1 == moment.rows[place]
        assert float(pull.replace("−", "-")) == pytest.approx(
            delta[place] * moment.samples.x[place, 0], rel=1e-6
        )


def test_paths_are_of_the_loss_that_is_named():
    example = load_example("T1")
    net = example.network()
    for notation, letter in [("matrix", "L"), ("tutorial", "E"), ("column", "C")]:
        text = dr.explain(net, example.X, example.Y, ["w1", "loss"], notation=notation).text(1000)
        tops = set(re.findall(r"∂([A-Z])[^/ ]*/∂a|∂([A-Z])[^/ ]*/∂out", text))
        assert {a or b for a, b in tops} == {letter}, notation


@pytest.mark.parametrize("decimals", [2, 4, 6])
def test_what_was_rounded_by_hand_shows_all_its_decimals(decimals):
    example = load_example("T4")
    text = dr.explain(example.network(), example.X, example.Y, "w1", by_hand=decimals, picture=False).text(
        1000
    )
    results = re.findall(r"= (−?\d+\.?\d*)(?:   \(.*\))?$", text.partition("By hand")[0], re.MULTILINE)
    worked_out = [number for number in results if number not in ("0.02", "0.3", "0.35", "0.4", "0.45", "0.5")]
    assert len(worked_out) >= 6
    assert {len(number.partition(".")[2]) for number in worked_out} == {decimals}


def test_matrices_by_hand_show_all_decimals_too():
    example = load_example("T4")
    text = dr.explain(example.network(), example.X, example.Y, "a2", by_hand=3, picture=False).text(1000)
    assert re.search(r"= \[0\.\d{3}  0\.\d{3}\]", text)


def test_the_example_in_the_help_is_a_good_one():
    example = load_example("T1")
    derivation = dr.explain(example.network(), example.X, example.Y, "w1", by_hand=4)
    (apart,) = re.findall(r"([\d.]+)%", derivation.text())
    assert 1 < float(apart) < 50


@pytest.mark.parametrize(
    ("output", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")]
)
def test_why_a_delta_is_short_is_said_in_the_notations_letters(output, loss):
    net = dr.Network([2, 2, 2], activation="sigmoid", output=output, loss=loss, seed=0)
    args = [[0.3, 0.6]], [[1.0, 0.0]]
    tutorial = words(dr.explain(net, *args, "delta_o1"))
    assert "this simplifies" in tutorial
    assert not re.search(
        r"(?<![A-Za-z])[az][₁₂ₖₘ_]?[km]?(?![A-Za-z_])", tutorial.partition("this simplifies")[2]
    )
    assert "out" in tutorial.partition("this simplifies")[2]
    assert "a" in words(dr.explain(net, *args, "delta2[0]")).partition("this simplifies")[2]


def test_why_a_sample_was_picked_is_said():
    example = load_example("T5_xor")
    text = words(dr.explain(example.network(), example.X, example.Y, "w1"))
    assert re.search(r"Of the 4 samples, the one that contributes most is followed: sample \d\.", text)
    few = words(dr.explain(example.network(), example.X[:2], example.Y[:2], "w1"))
    assert "contributes most" not in few
