"""Students as the tests have them: what somebody answers who rounds at every step, and makes one slip."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from deltarule.derivations.quantities import Quantity, Rate
from deltarule.nn.optimizers import OPTIMIZERS
from deltarule.worksheets.follow_through import StudentValues

__all__ = ["KINDS_OF_SHEETS", "answers_with", "by_hand"]

#: The arguments of worksheets of every kind, which ask for everything.
_SETTINGS = {
    "2-2-1": {},
    "batch": {"n_samples": 3},
    "momentum": {"activation": "tanh", "output": "identity", "optimizer": "momentum(0.5)"},
    "softmax": {"sizes": (2, 2, 3), "output": "softmax"},
    "two outputs": {"sizes": (2, 2, 2), "bias": "shared", "loss": "squared_error"},
    "classes": {"loss": "binary_cross_entropy", "n_samples": 2},
    "adam": {"activation": "relu", "output": "identity", "optimizer": "adam(0.1)"},
    "deep": {"sizes": (2, 2, 2, 1), "decimals": 5},
    "huber": {"loss": "huber(0.5)", "output": "tanh", "optimizer": "nesterov(0.5)"},
    "absolute": {"loss": "mean_absolute_error", "bias": "none", "optimizer": "adagrad(0.5)"},
}
KINDS_OF_SHEETS = {name: {"asked": "all", **settings} for name, settings in _SETTINGS.items()}


def answers_with(sheet, blank=None, formula=None):
    """Answers rounded at every step, each from those before; to one blank by another formula."""
    answers = {}
    for each in sheet.blanks:
        known = {b.leaf: answers[b.name] for b in sheet.blanks if b.name in answers}
        student = StudentValues(sheet.formulas, known, 10.0**-sheet.decimals / 2)
        value = student.value(formula if each is blank else sheet.formulas(each.leaf))
        if math.isfinite(value):  # nobody writes down the logarithm of a negative number
            answers[each.name] = round(value, sheet.decimals)
    return answers


def by_hand(sheet):
    """Every number of a sheet as the network itself gives it, by layer and index; no definition is asked."""
    task, net = sheet.task, sheet.task.net
    trace = net.forward(task.X)
    grads = net.backward(trace, task.Y)
    terms = net.objective.terms(trace[-1].z, trace.output, task.Y)
    after = net.parameters.copy()
    if task.optimizer is not None:
        optimizer = OPTIMIZERS.resolve(task.optimizer.spec)
        slots = optimizer.start(after) if task.slots is None else task.slots.copy()
        g = grads.flat.copy()
        g[net.frozen] = 0
        optimizer.update(after, g, slots, optimizer.schedule(0, 1), task.t, net.decaying)

    def parameter(vector, p):
        layer = net.layers[p.layer - 1]
        W, b = layer.dense.views(vector[slice(*ends[p.layer - 1])])
        return W[p.index] if len(p.index) == 2 else b[p.index[0] if p.index else 0]

    counts = np.cumsum([0, *(layer.dense.n_parameters for layer in net.layers)])
    ends = list(pairwise(counts))

    def value(leaf):
        if isinstance(leaf, Rate):
            return parameter(grads.flat, leaf.by)
        assert isinstance(leaf, Quantity)
        s = leaf.sample
        match leaf.kind:
            case "z" | "a":
                return getattr(trace[leaf.layer - 1], leaf.kind)[s, leaf.index[0]]
            case "delta":
                return grads[leaf.layer - 1].delta[s, leaf.index[0]]
            case "term":
                return terms[s, leaf.index[0]]
            case "E":
                return terms[s].sum()
            case "L":
                return net.cost(task.X, task.Y)
            case "new":
                return parameter(after, leaf)

    return {blank.name: value(blank.leaf) for blank in sheet.blanks}
