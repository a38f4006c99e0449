"""T1: a 2-2-2 network of named neurons, and the wrong gradient behind the figures its source prints."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.network import Network
from deltarule.tutorials.comparisons import Comparison, compare, compare_figures
from deltarule.tutorials.computed_figures import figures_after_updates
from deltarule.tutorials.example import Example, load_example

UPDATES = (1, 2, 3, 4, 10_000)
WRONG_SOURCE = (
    "The published table is wrong: the program behind it propagates the error back through the weights that "
    "lead into a hidden neuron instead of those that lead out of it, and takes the slope of the output "
    "neuron for that of the hidden one. Ours is right."
)
BY_MISTAKE = "Computed with that mistake on purpose: this gives the published figures to every digit."


def t1() -> list[Comparison]:
    """T1's figures, forward, backward and after updates; then the source's with the source's mistake."""
    example = load_example("T1")
    notes = dict.fromkeys(example.published, WRONG_SOURCE)
    rows = compare_figures("T1", example, figures_after_updates(example, UPDATES), notes)
    mistaken = figures_after_updates(example, UPDATES, train_mistaken)
    return rows + [
        compare("T1", f"{name}, with the mistake", published, mistaken[name], note=BY_MISTAKE)
        for name, published in example.published.items()
    ]


def train_mistaken(example: Example, net: Network, updates: int) -> None:
    """Gradient descent along :func:`mistaken_gradient`, biases frozen."""
    learning_rate = example.training["optimizer"].learning_rate
    for _ in range(updates):
        gradient = mistaken_gradient(net, example.X, example.Y)
        gradient[net.frozen] = 0
        net.parameters -= learning_rate * gradient


def mistaken_gradient(net: Network, X: Array, Y: Array) -> Array:
    """The WRONG gradient that T1's source computes, to show that its figures come from it.

        wrong:  delta_h = (delta_o @ W1)   ⊙ f′(net_o)
        right:  delta_h = (delta_o @ W2.T) ⊙ f′(net_h)

    Only a 2-2-2 network hides it: elsewhere the shapes would not fit.

    Returns
    -------
    ndarray, (n_parameters,)
        In the order of ``net.parameters``.
    """
    hidden, output = net.layers
    trace = net.forward(X)
    grads = net.backward(trace, Y)
    slope = output.activation.derivative(trace[1].z, trace[1].a)
    delta = (grads[1].delta @ hidden.W) * slope
    wrong = hidden.gradients(trace[0], delta, np.empty(hidden.dense.n_parameters))
    grads[0].dW[:] = wrong.dW
    return grads.flat
