"""The numbers of one case: which network, and which mistakes, give these gradients; a learner's own start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np

from deltarule.arrays import Array, as_matrix, as_numbers
from deltarule.diagnosis.backprop import Case, layers_of_arrays
from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.faults.fault import Fault
from deltarule.diagnosis.matching import Candidate, Observed, candidates, pairs, singles
from deltarule.diagnosis.observation.record import Diagnosis
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES
from deltarule.nn.objective import Objective, loss_of_output
from deltarule.registry import record

#: The likeliest first.
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "identity")
_OUTPUTS = ("sigmoid", "softmax", "identity", "tanh", "relu")
_LOSSES = ("half_squared_error", "squared_error", "mean_squared_error")
#: Pairs of mistakes are looked for in so many of the likeliest networks.
_PAIRED = 4


@record
class CaseReading:
    """What a case is read as: a network and its loss, and the mistakes in its gradients, none to two.

    Parameters
    ----------
    activation, output, loss, reduction : str
    mistakes : tuple of Mistake
    """

    activation: str
    output: str
    loss: str
    reduction: str
    mistakes: tuple[Mistake, ...] = ()

    def __str__(self) -> str:
        loss = f"{self.loss.replace('_', ' ')}, {self.reduction} over the samples"
        return f"{self.activation} hidden layers, {self.output} output, {loss}"


class CaseProbe:
    """What was observed, and the network at work that it is compared with."""

    def __init__(self, observed: Observed, case: Case) -> None:
        self.observed, self.case = observed, case


def read_case(
    W: Sequence[Array],
    b: Sequence[Array | None],
    x: Array,
    y: Array,
    observed: Observed,
    *,
    output: str | None = None,
    loss: str | None = None,
) -> list[CaseReading]:
    """Return what gives these gradients: with no mistake, else with one, else with two; empty for nothing.

    Parameters
    ----------
    W, b : sequences of ndarray
        Of each layer, (in, out) and (out,); b is None where there is none.
    x, y : ndarray, (n, n_features) and (n, n_outputs)
    observed : Observed
    output, loss : str, optional
        What is not said is tried, the likeliest first.

    Examples
    --------
    >>> W, x, y = [np.array([[0.5], [-0.25]])], np.array([[1.0, 2.0]]), np.array([[1.0]])
    >>> observed = Observed((np.array([[-1.0], [-2.0]]),), (None,))
    >>> print(read_case(W, [None], x, y, observed, output="identity")[0])
    sigmoid hidden layers, identity output, half squared error, mean over the samples
    """
    tried = []
    for reading, goal in _readings(output, loss):
        names = [reading.activation] * (len(W) - 1) + [reading.output]
        with np.errstate(all="ignore"):
            case = Case(layers_of_arrays(W, b, names), goal, x, y)
        tried.append((reading, CaseProbe(observed, case)))
    right = (Candidate((), {}),)
    usual = [one for one in tried if one[0].activation in _ACTIVATIONS]
    for kinds in (right, singles(len(W)), None):
        found = [
            replace(reading, mistakes=candidate.mistakes)
            for reading, probe in (tried if kinds is right else usual if kinds else usual[:_PAIRED])
            for candidate, _ in candidates([probe], kinds or pairs(probe))
        ]
        if found:
            return found
    return []


def _readings(output: str | None, loss: str | None) -> Iterator[tuple[CaseReading, Objective]]:
    """All networks that agree with what is said, the likeliest first, with what they minimise."""
    hidden = dict.fromkeys((*_ACTIVATIONS, *ACTIVATIONS))
    for f, g in product(hidden, [output] if output else _OUTPUTS):
        losses = [loss] if loss else list(dict.fromkeys((loss_of_output(g), *_LOSSES)))
        for one, how in product(losses, ("mean", "sum")):
            with contextlib.suppress(InputError):
                goal = Objective(LOSSES.resolve(one), ACTIVATIONS.resolve(g), how)
                yield CaseReading(f, g, one, how), goal


def own_start(weights: Sequence[Any], biases: Sequence[Any] | None, X: Any, Y: Any) -> dict[str, Any]:
    """Return a learner's own start by roles, as it is; refuse what does not fit itself.

    Raises
    ------
    InputError
    """
    own = {"weights": list(weights), "X": X, "Y": Y}
    own_layers(own)
    return own if biases is None else {**own, "biases": list(biases)}


def own_layers(own: dict[str, Any]) -> tuple[list[Array], list[Array | None], Array, Array]:
    """Return W (in, out), b (out,), x and y with samples in rows, of a start in any usual layout.

    Raises
    ------
    InputError
        If no layout fits.
    """
    given = [as_matrix(w, f"weights[{i}]").astype(float) for i, w in enumerate(own["weights"])]
    x, y = as_matrix(own["X"], "X").astype(float), as_numbers(own["Y"], "Y").astype(float)
    b: list[Array | None] = [None] * len(given)
    if own.get("biases") is not None:
        b = [as_numbers(v, f"biases[{i}]").astype(float).reshape(-1) for i, v in enumerate(own["biases"])]
    for W, samples in product((given, [w.T for w in given]), (x, x.T)):
        n_out, chained = W[-1].shape[1], all(one.shape[1] == len(other) for one, other in pairwise(W))
        if chained and len(W[0]) == samples.shape[1] and y.size == len(samples) * n_out:
            turned = y.T if y.shape == (n_out, len(samples)) != (len(samples), n_out) else y
            return W, b, samples, turned.reshape(len(samples), n_out)
    shapes = f"weights of shapes {[w.shape for w in given]}, X of shape {x.shape} and Y of shape {y.shape}"
    raise InputError(f"{shapes} do not match")


def diagnose_case(
    weights: Sequence[Any], biases: Sequence[Any] | None, X: Any, Y: Any, gradients: Any, loss: str | None
) -> Diagnosis:
    """Say what gives the gradients of one case; the gradients lie as the weights do.

    Raises
    ------
    InputError
        If the numbers do not fit each other.
    """
    W, b, x, y = own_layers({"weights": weights, "biases": biases, "X": X, "Y": Y})
    turned = any(np.shape(given) != one.shape for given, one in zip(weights, W, strict=True))
    found = read_case(W, b, x, y, _observed(list(_arrays_in(gradients)), W, turned), loss=loss)
    if not found:
        return Diagnosis(
            "cannot judge",
            obstacle="these are not the gradients of any usual network, nor of one with one or two known "
            "mistakes",
            advice="Pass the code itself to check: then its own forward pass is differentiated",
        )
    first = found[0]
    names = [*[first.activation] * (len(W) - 1), first.output]
    layers = [f"{w.shape[1]} ({name})" for w, name in zip(W, names, strict=True)]
    faults = tuple(
        Fault("derivative", 0, "", f"the numbers match {one.wrong}", should_be=one.right, mistake=one.key)
        for one in first.mistakes
    )
    return Diagnosis(
        "wrong" if faults else "right",
        faults,
        loss=first.loss.replace("_", " "),
        supposed=loss is None,
        named=loss is not None,
        samples=len(x),
        network=" → ".join([str(len(W[0])), *layers]),
        notes=(f"{first.reduction} over the samples", *_others(found)),
    )


def _others(found: Sequence[CaseReading]) -> Iterator[str]:
    """Other networks that give the same numbers with as many mistakes."""
    for one in found[1:3]:
        title = "".join(f", {mistake.title}" for mistake in one.mistakes)
        yield f"the following would give the same numbers: {one}{title}"


def _arrays_in(value: Any) -> Iterator[Array]:
    """The arrays inside nested lists, tuples and dicts, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        try:
            array = np.asarray(value, float)
        except (TypeError, ValueError):  # of different shapes
            array = np.empty((0, 0, 0))
        if array.ndim > 2 or any(isinstance(one, np.ndarray) for one in value):
            for inner in value:
                yield from _arrays_in(inner)
            return
        value = array
    if value is not None:
        yield as_numbers(value, "gradients").astype(float)


def _observed(arrays: Sequence[Array], W: Sequence[Array], turned: bool) -> Observed:
    """Each array to its layer, in order: those of weights by their shape, of biases by their size."""
    dW, db = list[Array](), list[Array]()
    for one in arrays:
        if len(dW) < len(W) and one.shape == (W[len(dW)].T if turned else W[len(dW)]).shape:
            dW.append(one.T if turned else one)
        elif len(db) < len(W) and one.size in (1, W[len(db)].shape[1]):
            db.append(one.reshape(-1))
        else:
            break
    else:
        if len(dW) == len(W) and len(db) in (0, len(W)):
            return Observed(tuple(dW), tuple(db or [None] * len(W)))
    shapes = [one.shape for one in W]
    raise InputError(
        f"the gradients do not match layers {shapes}: one array in the shape of each weight matrix is "
        "needed, and one for each bias vector"
    )
