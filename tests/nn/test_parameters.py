"""Parameters: names, places, setting, freezing, copies."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.errors import InputError, ShapeError
from deltarule.nn.layers import BIAS_KINDS, Dense
from deltarule.nn.network import Network
from deltarule.training import train


@pytest.fixture(params=BIAS_KINDS)
def net(request):
    return Network([2, 3, 1, 4], bias=request.param, bias_initializer="normal", output="softmax")


def test_layers_hold_views_into_one_flat_vector(net):
    net.parameters[:] = np.arange(net.parameters.size)
    found = []
    for layer in net.layers:
        assert np.shares_memory(layer.W, net.parameters)
        found += [*layer.W.ravel(), *(() if layer.b is None else layer.b)]
    np.testing.assert_array_equal(found, net.parameters)


def test_number_of_biases_follows_the_kind():
    sizes = {kind: Network([2, 3, 4], bias=kind).parameters.size - 18 for kind in BIAS_KINDS}
    assert sizes == {"neuron": 7, "shared": 2, "none": 0}
    assert Network([2, 3], bias=True).layers[0].dense.bias == "neuron"
    assert Network([2, 3], bias=False).layers[0].dense.bias == "none"


def test_shared_bias_is_added_to_every_neuron():
    net = Network([2, 3], bias="shared", bias_initializer="constant(0.5)", initializer="zeros")
    np.testing.assert_array_equal(net.predict([[1.0, 2.0]]), [[0.5, 0.5, 0.5]])


def test_name_of_every_position_selects_that_position(net):
    names = [net.name_of(position) for position in range(net.parameters.size)]
    assert len(set(names)) == net.parameters.size
    for position, name in enumerate(names):
        assert net.select(name) == position
        assert net.select(name).shape == ()


def test_name_says_layer_input_and_neuron():
    net = Network([2, 3, 1])
    net.layers[1].W[2, 0] = 77
    net.layers[0].b[1] = 55
    assert net.name_of(int(np.flatnonzero(net.parameters == 77)[0])) == "W2[2,0]"
    assert net.name_of(int(np.flatnonzero(net.parameters == 55)[0])) == "b1[1]"


def test_numbered_weights_run_neuron_by_neuron(net):
    expected = np.concatenate([layer.W.T.ravel() for layer in net.layers])
    found = [net.parameters[net.select(f"w{number}")] for number in range(1, expected.size + 1)]
    np.testing.assert_array_equal(found, expected)


def test_groups_select_all_they_name(net):
    W = np.concatenate([net.select(f"W{number}").ravel() for number in (1, 2, 3)])
    np.testing.assert_array_equal(net.select("W"), W)
    assert net.select("W1").shape == (2, 3)
    assert net.select("b").size == sum(layer.dense.n_biases for layer in net.layers)
    assert sorted([*net.select("W"), *net.select("b")]) == list(range(net.parameters.size))


@pytest.mark.parametrize(
    "name", ["", "w0", "w99", "W0", "W4", "W1[2,0]", "W1[0]", "b9", "b1[7]", "x1", "w1[0]", "W1[-1,0]", "w1 "]
)
def test_name_of_no_parameter_is_refused(name):
    with pytest.raises(InputError, match="no parameter"):
        Network([2, 3, 1, 4]).select(name)


@pytest.mark.parametrize("position", [-1, 10**6])
def test_position_of_no_parameter_is_refused(position):
    with pytest.raises(InputError, match="no parameter"):
        Network([2, 3]).name_of(position)


def test_weights_are_set_in_the_tutorials_order():
    net = Network([2, 2, 2], bias="shared")
    net.set_weights({f"w{number}": number / 10 for number in range(1, 9)} | {"b1": 0.35, "b2": [0.6]})
    np.testing.assert_array_equal(net.layers[0].W, [[0.1, 0.3], [0.2, 0.4]])
    np.testing.assert_array_equal(net.layers[1].W, [[0.5, 0.7], [0.6, 0.8]])
    assert (net.layers[0].b[0], net.layers[1].b[0]) == (0.35, 0.6)


def test_weights_are_set_by_arrays_and_read_back(net):
    other = Network(net.sizes, bias=net.layers[0].dense.bias, output="softmax", seed=9)
    other.set_weights(*net.get_weights())
    np.testing.assert_array_equal(other.parameters, net.parameters)
    weights, _ = net.get_weights()
    weights[0][:] = 0
    assert net.layers[0].W.any()


def test_weights_alone_leave_the_biases():
    net = Network([2, 3, 1], bias_initializer="constant(0.5)")
    net.set_weights([np.ones((2, 3)), np.full((3, 1), 2.0)])
    np.testing.assert_array_equal(net.parameters, [1] * 6 + [0.5] * 3 + [2] * 3 + [0.5])


def test_weights_are_set_by_name_one_or_many():
    net = Network([2, 2])
    net.set_weights({"W1": 1.0, "W1[1,0]": 5, "b1[1]": -1})
    np.testing.assert_array_equal(net.parameters, [1, 1, 5, 1, 0, -1])


@pytest.mark.parametrize(
    ("weights", "biases", "message"),
    [
        ({"w1": 1.0, "w99": 2.0}, None, "no parameter 'w99'"),
        ({"w1": 1.0, "w2": np.nan}, None, "w2 must hold finite numbers"),
        ({"w1": 1.0, "w2": "a"}, None, "w2 must hold real numbers"),
        ({"w1": 1.0, "w2": None}, None, "w2 must hold real numbers"),
        ({"w1": 1.0, "W2": [[1.0]]}, None, r"W2 must have shape \(3, 1\), got \(1, 1\)"),
        ([np.ones((2, 3)), np.ones((1, 3))], None, r"W2 must have shape \(3, 1\), got \(1, 3\)"),
        ([np.ones((2, 3))], None, "2 layers need 2 weight arrays, got 1"),
        ([np.ones((2, 3)), np.ones((3, 1))], [np.ones(3)], "2 layers need 2 bias arrays, got 1"),
        (
            [np.ones((2, 3)), np.ones((3, 1))],
            [np.ones(3), np.ones(2)],
            r"b2 must have shape \(1,\), got \(2,\)",
        ),
    ],
)
def test_weights_that_do_not_fit_change_nothing(weights, biases, message):
    net = Network([2, 3, 1])
    before = net.parameters.copy()
    with pytest.raises(InputError, match=message):
        net.set_weights(weights, biases)
    np.testing.assert_array_equal(net.parameters, before)


def test_setting_weights_keeps_the_views():
    net = Network([2, 3, 1])
    W, parameters = net.layers[0].W, net.parameters
    net.set_weights({"W1": 3.0})
    assert net.layers[0].W is W
    assert net.parameters is parameters
    np.testing.assert_array_equal(W, 3.0)


def test_freezing_names_the_parameters_and_thaws_without_a_name():
    net = Network([2, 2, 1])
    net.freeze("b", "W1[0,1]", "w1")
    assert {net.name_of(p) for p in net.frozen} == {"b1[0]", "b1[1]", "b2[0]", "W1[0,1]", "W1[0,0]"}
    assert not net.decaying[net.frozen].any()
    assert {net.name_of(p) for p in np.flatnonzero(net.decaying)} == {
        "W1[1,0]",
        "W1[1,1]",
        "W2[0,0]",
        "W2[1,0]",
    }
    with pytest.raises(InputError, match="no parameter 'q'"):
        net.freeze("W1", "q")
    assert net.frozen.size == 5
    net.unfreeze()
    assert net.frozen.size == 0
    assert net.decaying.sum() == 6


def test_freezing_without_a_name_freezes_everything():
    net = Network([2, 2, 1])
    net.freeze()
    before = net.parameters.copy()
    train(net, [[1.0, 2.0]], [[3.0]], epochs=3)
    np.testing.assert_array_equal(net.parameters, before)
    assert net.frozen.tolist() == list(range(net.parameters.size))
    assert not net.decaying.any()
    net.unfreeze()
    train(net, [[1.0, 2.0]], [[3.0]], epochs=1)
    assert (net.parameters != before).any()


def test_copy_shares_nothing_and_computes_the_same():
    net = Network([2, 3, 1], l2=0.1)
    net.freeze("b")
    twin = net.copy()
    X, Y = [[1.0, 2.0]], [[3.0]]
    assert twin.cost(X, Y) == net.cost(X, Y)
    np.testing.assert_array_equal(twin.frozen, net.frozen)
    twin.parameters += 1
    twin.unfreeze()
    assert net.frozen.size == 4
    assert twin.cost(X, Y) != net.cost(X, Y)
    assert net.copy("float32").dtype == np.float32


def test_network_prints_itself():
    net = Network([784, 200, 80, 10], output="softmax")
    assert repr(net) == "Network(784 → 200 relu → 80 relu → 10 softmax, 173,890 parameters)"
    assert repr(net.layers[0].dense) == "Dense(784 → 200 relu)"
    assert net.sizes == [784, 200, 80, 10]


def test_layers_may_be_described_one_by_one():
    net = Network([Dense(2, 3, "tanh", bias="shared"), Dense(3, 2, "softmax", bias=False)])
    assert repr(net) == "Network(2 → 3 tanh → 2 softmax, 13 parameters)"
    with pytest.raises(ShapeError) as refusal:
        Network([Dense(2, 5, "relu"), Dense(4, 1, "tanh")])
    assert str(refusal.value) == (
        "layer 2 (Dense 4 → 1, tanh) expects inputs of shape (batch, 4); layer 1 produces 5 features"
    )
