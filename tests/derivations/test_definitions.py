"""What is explained is what training computes: every formula, for every kind of network."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.derivations.definitions import Definitions
from deltarule.derivations.evidence import Evidence
from deltarule.derivations.paths import all_paths, largest_paths, n_paths
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.nn.engines import reference
from deltarule.nn.network import Network

from .networks import N_NETWORKS, random_case


def evidence_of(net, X, Y, masks=None):
    rng = None if masks is None else np.random.default_rng(0)
    x = net.inputs(X)
    return Evidence(net, x, net.forward(x, rng), *net.targets(Y, None, len(x)))


def every_quantity(evidence, definitions):
    net = evidence.net
    for layer in range(1, evidence.n_layers + 1):
        for s in range(evidence.n_samples):
            for j in range(net.sizes[layer]):
                a = Quantity("a", layer, (j,), s)
                yield from (Quantity("z", layer, (j,), s), a, Quantity("delta", layer, (j,), s))
                yield Rate(evidence.cost, a)
        for j in range(net.sizes[layer]):
            for i in range(net.sizes[layer - 1]):
                yield Rate(evidence.cost, Quantity("W", layer, (i, j)))
        for j in range(net.layers[layer - 1].dense.n_biases):
            yield Rate(evidence.cost, definitions.bias(layer, j))
    yield from (Quantity("E", sample=s) for s in range(evidence.n_samples))
    yield evidence.cost


@pytest.mark.parametrize("seed", range(N_NETWORKS))
def test_every_formula_gives_the_number_that_training_computes(seed):
    net, X, Y, masks = random_case(seed)
    evidence = evidence_of(net, X, Y, masks)
    definitions = Definitions(evidence)
    for leaf in every_quantity(evidence, definitions):
        found, expected = definitions(leaf).value(evidence), evidence(leaf)
        assert abs(found - expected) <= 1e-12 * max(1, abs(expected)), leaf


@pytest.mark.parametrize("seed", range(0, N_NETWORKS, 20))
def test_evidence_is_read_from_backward(seed):
    net, X, Y, _ = random_case(seed)
    evidence, grads = evidence_of(net, X, Y), net.backward(net.forward(X), Y)
    for layer, grad in enumerate(grads, start=1):
        for (i, j), slope in np.ndenumerate(grad.dW):
            assert evidence(Rate(evidence.cost, Quantity("W", layer, (i, j)))) == slope
    assert evidence(evidence.cost) == pytest.approx(net.cost(X, Y), rel=1e-14)
    assert (
        evidence.grads.flat.tolist()
        == reference.backward(net.layers, net.objective, evidence.trace, evidence.y).flat.tolist()
    )


def deep(seed=0, sizes=(2, 3, 4, 3, 2), **settings):
    net = Network(
        sizes, activation="tanh", output="sigmoid", loss="half_squared_error", seed=seed, **settings
    )
    return evidence_of(net, [[0.3, -0.4]], np.full((1, sizes[-1]), 0.5))


def test_paths_are_all_there_and_add_up_to_the_gradient():
    evidence, a = deep(), Quantity("a", 1, (1,))
    paths = all_paths(evidence, a)
    assert len(paths) == n_paths(evidence, 1) == 24
    definitions = Definitions(evidence)
    values = [definitions(path).value(evidence) for path in paths]
    np.testing.assert_allclose([evidence(path) for path in paths], values, rtol=1e-12)
    assert sum(values) == pytest.approx(evidence(Rate(evidence.cost, a)), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_largest_paths_are_the_largest_of_all(seed):
    evidence, a = deep(seed), Quantity("a", 1, (0,))
    ranked = sorted(all_paths(evidence, a), key=lambda path: -abs(evidence(path)))
    found = largest_paths(evidence, a, 5)
    assert [path for path, _ in found] == ranked[:5]
    np.testing.assert_allclose([value for _, value in found], [evidence(path) for path in ranked[:5]])


def test_largest_paths_of_an_output_layer_and_of_fewer_paths_than_asked_for():
    evidence = deep(sizes=(2, 3, 2))
    assert len(largest_paths(evidence, Quantity("a", 1, (0,)), 5)) == 2
