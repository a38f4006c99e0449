"""The quantities of a sample, by their names in tutorials: each against the formula written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule import Network
from deltarule.tutorials import computed_figures, load_example
from deltarule.tutorials.computed_figures import figures_after_updates

from .by_hand import COPY, T1, T4, by_hand, through

BY_HAND = {"T1": T1, "T4": T4, "T4_autoencoder": COPY}
T1_PRINTED = {  # from the tables of exact values that came with the tutorial's data
    "out_h1": 0.5932699921071872,
    "out_o2": 0.7729284653214625,
    "E": 0.2983711087600027,
    "delta_h1": 0.0087713546894869,
    "dE_dw1": 0.0004385677344743,
    "dE_dw8": -0.0227402422159782,
    "w5 after 1 update": 0.3589164797178847,
    "E after 1 update": 0.2910277736935993,
    "E after 10000 updates": 3.510187782978859e-05,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_every_quantity_is_what_its_formula_gives(name):
    example = load_example(name)
    ours = computed_figures(example.network(), example.X, example.Y)
    expected, _ = by_hand(**BY_HAND[name])
    for quantity, value in expected.items():
        assert ours[quantity] == pytest.approx(value, rel=1e-14, abs=1e-16), quantity


@pytest.mark.parametrize("name", BY_HAND)
def test_every_quantity_after_updates_is_what_the_formulas_give(name):
    ours = figures_after_updates(load_example(name), (1, 2, 500))
    for quantity, value in through((1, 2, 500), **BY_HAND[name]).items():
        assert ours[quantity] == pytest.approx(value, rel=1e-11, abs=1e-16), quantity


@pytest.mark.parametrize("name", BY_HAND)
def test_the_exact_values_in_the_files_are_right(name):
    example = load_example(name)
    expected = through((1, 2, 3, 4, 10_000), **BY_HAND[name])
    assert set(example.exact) <= set(expected)
    for quantity, value in example.exact.items():
        assert value == pytest.approx(expected[quantity], rel=1e-11, abs=1e-15), quantity


def test_the_hand_gives_the_figures_printed_with_the_data():
    expected = through((1, 10_000), **T1)
    for quantity, value in T1_PRINTED.items():
        assert expected[quantity] == pytest.approx(value, rel=1e-12)


def test_neurons_are_numbered_on_through_the_hidden_layers():
    net = Network([2, 2, 1, 2], activation="tanh", output="sigmoid")
    X, Y = np.array([[0.3, 0.7]]), np.array([[0.0, 1.0]])
    ours, trace = computed_figures(net, X, Y), net.forward(X)
    assert ours["net_h3"] == trace[1].z[0, 0]
    assert ours["out_o2"] == trace[2].a[0, 1]
    assert ours["dE_dout_h3"] == pytest.approx(ours["E_o1_to_h3"] + ours["E_o2_to_h3"])
    assert ours["delta_h2"] == pytest.approx(ours["dE_dout_h2"] * ours["dout_h2_dnet_h2"])
    assert ours["w1"] == ours["W1[0,0]"] == net.layers[0].W[0, 0]
    assert ours["dE_db2[0]"] == pytest.approx(ours["delta_h3"])
