"""Everything that one sample's forward and backward pass computes, under the names that tutorials use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from deltarule.arrays import Array
from deltarule.nn.layers import Gradients, Trace
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names
from deltarule.tutorials.example import Example


def figures_after_updates(
    example: Example,
    updates: Sequence[int],
    train: Callable[[Example, Network, int], object] = lambda example, net, n: example.train(net, epochs=n),
) -> dict[str, float]:
    """Compute an example's figures with its first parameters, then ``… after n updates`` for each such n."""
    net, done = example.network(), 0
    found = computed_figures(net, example.X, example.Y)
    for n in updates:
        train(example, net, n - done)
        done = n
        later = computed_figures(net, example.X, example.Y)
        found |= {f"{name} after {n} update{'s' if n > 1 else ''}": value for name, value in later.items()}
    return found


def computed_figures(net: Network, X: Array, Y: Array) -> dict[str, float]:
    """Compute the quantities of one sample in a network, by name.

    ====================== ==============================================================================
    ``net_h1``, ``out_h1`` z and a of a neuron: hidden ones h1, h2 … through all layers, outputs o1, o2 …
    ``E_o1``, ``E``        the loss's term of an output, and their sum
    ``dE_dout_o1``         da
    ``dout_o1_dnet_o1``    f′(z)
    ``delta_o1``           their product ∂E/∂z
    ``E_o1_to_h1``         what dE_dout_h1 receives from the next layer's o1: delta_o1 times their weight
    ``w1``, ``W1[0,0]``    a parameter, by both its names; ``b1[0]`` a bias
    ``dE_dw1``             the gradient for it
    ====================== ==============================================================================

    Parameters
    ----------
    net : Network
        Its output activation works on each neuron alone, as sigmoid does and softmax does not.
    X : ndarray, (1, n_features)
    Y : ndarray, (1, n_outputs)

    Examples
    --------
    >>> from deltarule.tutorials import load_example
    >>> example = load_example("T1")
    >>> found = computed_figures(example.network(), example.X, example.Y)
    >>> found["net_h1"], round(found["E"], 9), round(found["dE_dw5"], 9)
    (0.3775, 0.298371109, 0.082167041)
    """
    trace = net.forward(X)
    grads = net.backward(trace, Y)
    names = neuron_names(net.sizes)
    found = dict(_forward(names, trace))
    terms = net.objective.terms(trace[-1].z, trace.output, Y)[0]
    found |= {f"E_o{k}": float(term) for k, term in enumerate(terms, 1)} | {"E": float(terms.sum())}
    found |= dict(_backward(names, net, trace, grads, Y))
    return found | dict(_parameters(net, grads.flat))


def _forward(names: list[list[str]], trace: Trace) -> Iterator[tuple[str, float]]:
    for layer_names, step in zip(names, trace, strict=True):
        for j, name in enumerate(layer_names):
            yield f"net_{name}", float(step.z[0, j])
        for j, name in enumerate(layer_names):
            yield f"out_{name}", float(step.a[0, j])


def _backward(
    names: list[list[str]], net: Network, trace: Trace, grads: Gradients, Y: Array
) -> Iterator[tuple[str, float]]:
    da = net.loss.derivative(trace.output, Y)
    for i in reversed(range(len(net.layers))):
        layer, step, delta = net.layers[i], trace[i], grads[i].delta
        slope = layer.activation.derivative(step.z, step.a)
        for j, name in enumerate(names[i]):
            yield f"dE_dout_{name}", float(da[0, j])
            yield f"dout_{name}_dnet_{name}", float(slope[0, j])
            yield f"delta_{name}", float(delta[0, j])
            for h, before in enumerate(names[i - 1] if i else []):
                yield f"E_{name}_to_{before}", float(delta[0, j] * layer.W[h, j])
        da = layer.dx(step, delta)


def _parameters(net: Network, flat: Array) -> Iterator[tuple[str, float]]:
    n_weights = net.select("W").size
    names = {f"w{i}": int(net.select(f"w{i}")) for i in range(1, n_weights + 1)}
    names |= {net.name_of(position): position for position in range(net.parameters.size)}
    for name, position in names.items():
        yield name, float(net.parameters[position])
        yield f"dE_d{name}", float(flat[position])
