"""T5, one layer: logistic regression on AND, OR and NOT, and the wrong penalty behind the figures."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.optimizers import SGD
from deltarule.tutorials.comparisons import Comparison, compare, prediction_names
from deltarule.tutorials.example import Example, load_example

GATES = ("AND", "OR", "NOT")
#: The first weights are random and small, the source's unknown: what is left of them in the end.
OF_THE_START = 1e-4
QUICK_STRIDE = 50

COMPARABLE = (
    "The source's penalty subtracts λ·ΣW from every weight instead of λ·W, so its figures for AND and OR are "
    "roughly comparable only. Its text says 20,000 updates, its code runs 200,000."
)
ONE_WEIGHT = "NOT has one weight, and there the source's penalty is right; what differs is the random start."
ON_PURPOSE = "The source's penalty on purpose: but for the random start, it gives the source's figures with"
#: Gate -> the λ with which the mistaken penalty gives the published figures, and a word on it.
MISTAKES = {
    "AND": (0.002, f"{ON_PURPOSE} λ = 0.002, where the source states 0.001."),
    "OR": (0.001, f"{ON_PURPOSE} λ = 0.001, as the source states."),
}
QUICK = f"Quick: {200_000 // QUICK_STRIDE:,} updates at {QUICK_STRIDE} times the rate, nearly the same path."


def gates(quick: bool = False) -> list[Comparison]:
    """Predictions of the three gates after training, then of two with the source's mistake.

    ``quick`` takes a fiftieth of the updates, each fifty times as long.
    """
    stride = QUICK_STRIDE if quick else 1
    right = [row for gate in GATES for row in _compare_gate(gate, stride)]
    return right + [row for gate in MISTAKES for row in _compare_mistaken_gate(gate, stride)]


def _compare_gate(gate: str, stride: int) -> list[Comparison]:
    example = load_example(f"T5_{gate.lower()}")
    net = example.network()
    rate, updates = _steps(example, stride)
    example.train(net, optimizer=SGD(rate), epochs=updates)
    predictions = net.predict(example.X)
    right = 100 * float(((predictions > 0.5) == (example.Y > 0.5)).mean())
    note = _note(ONE_WEIGHT if gate == "NOT" else COMPARABLE, stride)
    rows = [compare("T5", f"{gate}: rows right, %", None, right, exact=100.0, note=note)]
    for name, ours in zip(prediction_names(example), predictions[:, 0].tolist(), strict=True):
        published, quantity = example.published[name], f"{gate}: {name}"
        if gate == "NOT":
            rows.append(compare("T5", quantity, published, ours, note=note, within=OF_THE_START))
        else:
            rows.append(Comparison("T5", quantity, published, ours, None, note))
    return rows


def _compare_mistaken_gate(gate: str, stride: int) -> list[Comparison]:
    example = load_example(f"T5_{gate.lower()}")
    l2, note = MISTAKES[gate]
    predictions = mistaken_gate(example, l2, *_steps(example, stride))[:, 0].tolist()
    return [
        compare(
            "T5", f"{gate}: {name}, mistaken", published, ours, note=_note(note, stride), within=OF_THE_START
        )
        for (name, published), ours in zip(example.published.items(), predictions, strict=True)
    ]


def _steps(example: Example, stride: int) -> tuple[float, int]:
    """The learning rate, and the number of updates."""
    training = example.training
    return stride * training["optimizer"].learning_rate, training["epochs"] // stride


def _note(text: str, stride: int) -> str:
    return text if stride == 1 else f"{text} {QUICK}"


def mistaken_gate(example: Example, l2: float, learning_rate: float, updates: int) -> Array:
    """The predictions of the WRONG gradient descent of T5's source, to show that its figures come from it.

        wrong:  W ← W − η·(dW + λ·ΣW)
        right:  W ← W − η·(dW + λ·W)

    Returns
    -------
    ndarray, (n_samples, 1)
    """
    net = example.network(l2=0.0)
    (layer,) = net.layers
    W, b, X, Y = layer.W, layer.b, example.X, example.Y
    for _ in range(updates):
        delta = (1 / (1 + np.exp(-(X @ W + b))) - Y) / len(X)
        W -= learning_rate * (X.T @ delta + l2 * W.sum())
        b -= learning_rate * delta.sum(axis=0)
    return net.predict(X)
