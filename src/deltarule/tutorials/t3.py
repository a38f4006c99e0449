"""T3: one sample in column-vector notation; nabla_b and nabla_w are returned, and nothing is updated."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.tutorials.comparisons import Comparison, compare
from deltarule.tutorials.example import load_example

NO_FIGURES = (
    "The source prints no weights and no figures. Ours start from the next draws of the generator its x is "
    "from, numpy.random.RandomState(1): biases, then weights. x is large, so two of three hidden neurons "
    "saturate."
)
LIFTED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def t3() -> list[Comparison]:
    """Each step beside its formula: z and a of each layer, delta, nabla_b and nabla_w of each layer.

    Examples
    --------
    >>> t3()[-1].quantity, t3()[-1].ours
    ('parameters that moved', 0)
    """
    example = load_example("T3")
    net = example.network()
    before = net.parameters.copy()
    trace = net.forward(example.X)
    grads = net.backward(trace, example.Y)
    last = len(net.layers)
    x = "a⁰ = x"
    rows = [compare("T3", x, example.published[x], _as_column(trace[0].dense_x).tolist())]
    for i, step in enumerate(trace, 1):
        rows += [
            _unpublished("z{i} = W{i} a{h} + b{i}", i, _as_column(step.z)),
            _unpublished("a{i} = σ(z{i})", i, _as_column(step.a)),
        ]
    for i in range(last, 0, -1):
        delta = "δ{i} = (a{i} − y) ⊙ σ′(z{i})" if i == last else "δ{i} = (W{j}ᵀ δ{j}) ⊙ σ′(z{i})"
        rows.append(_unpublished(delta, i, _as_column(grads[i - 1].delta)))
    for i, layer in enumerate(grads, 1):
        rows += [
            _unpublished("nabla_b{i} = δ{i}", i, _as_column(layer.db)),
            _unpublished("nabla_w{i} = δ{i} a{h}ᵀ", i, layer.dW.T),
        ]
    moved = int(np.count_nonzero(net.parameters != before))
    return [*rows, compare("T3", "parameters that moved", None, moved, exact=0)]


def _unpublished(formula: str, i: int, ours: Array) -> Comparison:
    indices = {key: str(number).translate(LIFTED) for key, number in (("h", i - 1), ("i", i), ("j", i + 1))}
    return compare("T3", formula.format(**indices), None, ours.tolist(), note=NO_FIGURES)


def _as_column(row: Array | None) -> Array:
    """A sample's row (1, n), or biases (n,), as a column (n, 1)."""
    assert row is not None
    return row.reshape(-1, 1)
