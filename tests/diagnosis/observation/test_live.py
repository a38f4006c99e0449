"""Functions and objects that are there already: observed as programs are, and left as they were."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from deltarule.diagnosis.observation import observe

from ..live_code import Matrices, NeuronByNeuron, updating
from ..planted import rows
from ..right_dropout import RIGHT


@pytest.mark.parametrize(
    "code", [code for code, _ in RIGHT], ids=lambda code: getattr(code, "__name__", "object")
)
def test_masks_shares_generators_and_flags_are_passed(code):
    assert observe(code).verdict == "right"


def test_updated_weights_are_steps():
    assert observe(updating).verdict == "right"
    assert observe(lambda W, b, X, Y, eta: updating(W, b, X, Y, -eta)).verdict == "wrong"


def test_names_that_say_nothing_are_taken_in_a_usual_order():
    def first(one, two, three, four):
        return rows("", "tanh", "sigmoid")(one, two, three, four)

    def last(one, two, three, four):
        return rows("", "tanh", "sigmoid")(three, four, one, two)

    def wrong(one, two, three, four):
        return rows("z_for_a", "tanh", "sigmoid")(one, two, three, four)

    assert observe(first).verdict == observe(last).verdict == "right"
    assert observe(wrong).verdict == "wrong"


def test_objects_are_trained_in_a_copy():
    net = Matrices()
    before = net.W1.copy()
    assert observe(net).verdict == "right"
    assert observe(Matrices(wrong=True)).verdict == "wrong"
    assert "X" not in vars(net)
    np.testing.assert_array_equal(net.W1, before)


def test_neurons_with_lists_of_weights():
    faults = [fault for fault in observe(NeuronByNeuron(published=True)).faults if fault.kind != "untrained"]
    assert faults
    assert not [
        fault for fault in observe(NeuronByNeuron(published=False)).faults if fault.kind != "untrained"
    ]


@dataclass
class Layer:
    W: np.ndarray
    b: np.ndarray
    seen: list = field(default_factory=list)


class OfLayers:
    """Layers are dataclasses, and views of one flat array."""

    rate = 0.1

    def __init__(self, slope):
        self.flat = np.random.default_rng(3).normal(size=3 * 4 + 4 + 4 * 2 + 2)
        parts = np.split(self.flat, [12, 16, 24])
        self.layers = [Layer(parts[0].reshape(3, 4), parts[1]), Layer(parts[2].reshape(4, 2), parts[3])]
        self.slope = slope

    def train(self, X, Y):
        first, second = self.layers
        h = np.tanh(X @ first.W + first.b)
        d = h @ second.W + second.b - Y
        e = d @ second.W.T * self.slope(h)
        gradient = np.concatenate([(X.T @ e).ravel(), e.sum(0), (h.T @ d).ravel(), d.sum(0)])
        self.flat -= self.rate * gradient


def test_views_of_one_array_stay_views():
    assert observe(OfLayers(lambda h: 1 - h**2)).verdict == "right"
    assert observe(OfLayers(lambda h: 1 - h)).verdict == "wrong"


def test_a_function_whose_text_is_gone_is_recorded_as_well():
    text = """
def backprop(weights, biases, X, Y):
    h = np.tanh(X @ weights[0] + biases[0])
    d = (h @ weights[1] + biases[1] - Y) / len(X)
    e = d @ weights[1].T * SLOPE
    return [X.T @ e, h.T @ d], [e.sum(axis=0), d.sum(axis=0)]
"""
    for slope, verdict in (("(1 - h**2)", "right"), ("h", "wrong")):
        names = {"np": np, "math": math}
        exec(text.replace("SLOPE", slope), names)
        assert observe(names["backprop"]).verdict == verdict


def test_own_data_are_used():
    rng = np.random.default_rng(0)
    own = {
        "weights": [rng.normal(size=(5, 2)), rng.normal(size=(2, 2))],
        "biases": [np.zeros(2), np.zeros(2)],
        "X": rng.normal(size=(9, 5)),
        "Y": rng.uniform(0.2, 0.8, (9, 2)),
    }

    def of_own_inputs(weights, biases, X, Y):
        assert float(X[8, 4]) == own["X"][8, 4]
        return rows("", "tanh", "sigmoid")(weights, biases, X, Y)

    assert observe(of_own_inputs).verdict == "cannot judge"
    seen = observe(of_own_inputs, own=own)
    assert (seen.verdict, seen.samples) == ("right", 9)
    assert observe(rows("f_instead_of_slope", "tanh", "sigmoid"), own=own).verdict == "wrong"


def test_what_cannot_be_judged_says_why():
    def raising(weights, biases, X, Y):
        raise ValueError("this is my own trouble")

    assert "this is my own trouble" in observe(raising).error
    assert "NaN" in observe(lambda weights, biases, X, Y: [w * np.nan for w in weights]).obstacle
