"""The network in a program: layers, loss and samples, where its forward pass is a plain chain of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Dropped
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import GradientComparison
from deltarule.diagnosis.reading.weighted import ForwardPass, WeightedSums
from deltarule.diagnosis.recording.tape import Ids, Tape, Values
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.layers import Dense, Layer
from deltarule.nn.losses import LOSSES
from deltarule.nn.objective import Objective

#: The losses that comparisons speak of.
LOSS_NAMES = {
    "squared error": "half_squared_error",
    "binary cross-entropy": "binary_cross_entropy",
    "cross-entropy of softmax": "cross_entropy",
}
#: Outputs that are mistakes: what they were computed with, by the key of the mistake.
_softmax = ACTIVATIONS.resolve("softmax").value
WRONG_OUTPUTS: dict[str, Callable[[Array], Array]] = {
    "softmax_over_samples": lambda z: _softmax(z.T).T,
    "softmax_twice": lambda z: _softmax(_softmax(z)),
}
_MOST_PARAMETERS = 200_000


@dataclass(frozen=True, eq=False)
class ReadStep:
    """One recorded step: the network as it was, its samples, and what each parameter was changed by.

    ``W`` and ``b`` are the values of each layer, ``ids_W`` and ``ids_b`` where they stand on the tape.
    """

    number: int
    ids_W: tuple[Ids, ...]
    ids_b: tuple[Ids | None, ...]
    W: tuple[Array, ...]
    b: tuple[Array | None, ...]
    x: Array
    y: Array
    activations: tuple[str, ...]
    dropped: tuple[Dropped | None, ...]
    changes: Values
    adjoint: Values
    #: The key of the mistake with which the output was computed.
    wrong_output: str = ""

    def case(self, loss: str, l2: float = 0.0, eta: float = 0.1, rate: float | None = None) -> Case:
        """The network at work, its loss summed over the samples.

        Parameters
        ----------
        loss : str
        l2 : float
        eta, rate : float
            As in :class:`Case`.
        """
        layers = [
            Layer(
                Dense(len(W), W.shape[1], name, bias=_kind(b, W)),
                np.concatenate([W.ravel(), *([] if b is None else [b])]),
            )
            for W, b, name in zip(self.W, self.b, self.activations, strict=True)
        ]
        objective = Objective(LOSSES.resolve(loss), ACTIVATIONS.resolve(self.activations[-1]), "sum", l2=l2)
        return Case(layers, objective, self.x, self.y, eta, self.dropped, rate)


def _kind(b: Array | None, W: Array) -> str:
    return "none" if b is None else "shared" if b.size == 1 < W.shape[1] else "neuron"


@dataclass(frozen=True, eq=False)
class ReadNetwork:
    """A program's network, as it was read from a recording of it.

    Parameters
    ----------
    sizes : tuple of int
        Of the layers, inputs first.
    activations : tuple of str
        Of each layer but the inputs.
    loss : str
        As in ``LOSSES``.
    l2 : float
        The penalty in the loss that the program computes.
    samples : int
        In one step.
    rate : float or None
        What the steps are the gradient times; None where they are no multiples of it.
    conventions : str
        How the program lays out its arrays, in words.
    scale : float
        How much greater the gradient of the comparison is than that of the loss here, summed over samples.
    steps : tuple of ReadStep
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    l2: float
    samples: int
    rate: float | None
    conventions: str
    scale: float
    steps: tuple[ReadStep, ...]

    def __str__(self) -> str:
        parts = [f"a {'-'.join(map(str, self.sizes))} network, {', '.join(self.activations)}"]
        parts.append(self.loss.replace("_", " ").replace("binary cross entropy", "binary cross-entropy"))
        parts.append(f"{self.samples} sample{'s' * (self.samples != 1)} a step")
        if self.rate is not None:
            parts.append(f"learning rate {self.rate:.4g}")
        return "; ".join([*parts, self.conventions])


def read_network(analysis: Analysis) -> ReadNetwork | None:
    """Read a program's network; None where its forward pass is no plain chain of dense layers.

    What was read counts only if it computes the recorded sums and outputs again, and its gradients are
    those that the recording was compared with.
    """
    chosen = analysis.chosen
    if chosen is None or sum(change.old.size for change in chosen.steps[0].changes) > _MOST_PARAMETERS:
        return None
    chains = [_chain(analysis.tape, chosen, number) for number in range(len(chosen.steps))]
    names = _shared_names([one for one in chains if one is not None])
    steps = [replace(one.step, activations=names) for one in chains if one is not None and names]
    if not steps or len({one.x.shape[1] for one in steps}) > 1:
        return None
    found = _loss_of(steps, chosen)
    if found is None:
        return None
    loss, scale, l2 = found
    rates = [-one for one in chosen.common.values() if one]
    first = chains[0] or next(one for one in chains if one is not None)
    return ReadNetwork(
        (steps[0].x.shape[1], *(W.shape[1] for W in steps[0].W)),
        names, loss, l2, len(steps[0].x), rates[0] if rates else None, first.conventions, scale, tuple(steps),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Chain:
    """A step that was read, with the names that each layer's activation may have."""

    step: ReadStep
    names: tuple[tuple[str, ...], ...]
    conventions: str


def _shared_names(chains: Sequence[_Chain]) -> tuple[str, ...]:
    """The first activation of each layer that fits in all steps; nothing where none does."""
    found = []
    for options in zip(*(one.names for one in chains), strict=False):
        shared = [name for name in options[0] if all(name in some for some in options)]
        if not shared:
            return ()
        found.append(shared[0])
    return tuple(found)


def _chain(tape: Tape, chosen: GradientComparison, number: int) -> _Chain | None:
    """Read one step."""
    step, meetings = chosen.steps[number], chosen.meetings[number]
    if not meetings or any(one.broadcast for one in meetings):
        return None
    outputs = np.concatenate([one.output.ravel() for one in meetings])
    target = np.concatenate([np.ravel(one.target) for one in meetings])
    parameters = np.concatenate([change.old for change in step.changes])
    passing = ForwardPass(tape, tape.ancestors(outputs, step.floor), parameters)
    layers = [_with_bias_apart(passing, one) for one in passing.layers()]
    if not layers or layers[0] is None or bool(tape.leaves(layers[0].x[layers[0].x >= 0]) & step.parameters):
        return None
    names, dropped, before = list[tuple[str, ...]](), list[Dropped | None]([None]), layers[0]
    for layer in layers[1:]:
        if layer is None or layer.x.shape != before.z.shape:
            return None
        options, drop = _activations(passing, before, layer.x)
        names.append(options)
        dropped.append(drop)
        before = layer
    if outputs.size != before.z.size:
        return None
    turned = _as_rows(outputs, before), _as_rows(target, before)
    options, drop = _activations(passing, before, turned[0], last=True)
    wrong = ""
    if not options:
        wrong = next(
            (
                key
                for key, f in WRONG_OUTPUTS.items()
                if _same(f(before.sign * tape.value[before.z]), tape.value[turned[0]])
            ),
            "",
        )
        options = ("softmax",) * bool(wrong)
    names.append(options)
    if not all(names) or drop is not None:
        return None
    whole = [one for one in layers if one is not None]
    changes = np.full(tape.size, np.nan)
    for change in step.changes:
        changes[change.old] = np.ravel(change.step)
    adjoint = chosen.losses[number].adjoint
    biases = tuple(_bias(one) for one in whole)
    read = ReadStep(
        step.number,
        tuple(one.W for one in whole), biases,
        tuple(passing.values(one.W) for one in whole),
        tuple(None if one is None else passing.values(one) for one in biases),
        passing.values(whole[0].x), turned[1], (), tuple(dropped), changes,
        np.append(adjoint, np.zeros(tape.size - len(adjoint))), wrong,
    )  # fmt: skip
    return _Chain(read, tuple(names), _conventions(tape, whole))


def _bias(layer: WeightedSums) -> Ids | None:
    if not layer.has_bias:
        return None
    return layer.b[:1] if (layer.b == layer.b[0]).all() else layer.b


def _with_bias_apart(passing: ForwardPass, layer: WeightedSums) -> WeightedSums | None:
    """The same with a row of W that meets a constant 1 as its bias."""
    if layer.has_bias or (layer.b >= 0).any():
        return layer if layer.has_bias else None
    values = passing.values(layer.x)
    ones = [
        k
        for k in range(layer.x.shape[1])
        if (values[:, k] == 1).all()
        and not _is_computed(passing.tape, layer.x[:, k])
        and layer.x.shape[1] > 1
    ]
    if not ones or (len(values) == 1 and not _is_written(passing.tape, layer.x[0, ones[-1]])):
        return layer
    row = ones[-1] if len(ones) > 1 and ones[-1] == layer.x.shape[1] - 1 else ones[0]
    return replace(
        layer, W=np.delete(layer.W, row, 0), b=layer.W[row], x=np.delete(layer.x, row, 1), in_rows=True
    )


def _is_computed(tape: Tape, ids: Ids) -> bool:
    return any(not tape.operations[one].is_leaf for one in tape.producers(ids[ids >= 0]))


def _is_written(tape: Tape, one: int) -> bool:
    """Whether a 1 stands in the program as such, and is no sample's."""
    return one < 0 or not tape.operations[int(tape.producer[one])].is_data


def _as_rows(ids: Values, layer: WeightedSums) -> Array:
    """Outputs as samples in rows, laid out as the program's sums are."""
    n, k = layer.z.shape
    return ids.reshape(k, n).T if layer.in_columns else ids.reshape(n, k)


def _same(one: Array, other: Array) -> bool:
    return bool(np.abs(one - other).max() <= 1e-9 * max(1e-300, float(np.abs(other).max())))


def _activations(
    passing: ForwardPass, layer: WeightedSums, a: Ids, *, last: bool = False
) -> tuple[tuple[str, ...], Dropped | None]:
    """The names of the functions that lead from z to a, and what dropout does to it on the way."""
    if np.array_equal(layer.z, a):
        return ("identity",), None
    sums, values = layer.sign * passing.values(layer.z), passing.values(a)
    names = [name for name in _names(sums, values) if _same(ACTIVATIONS.resolve(name).value(sums), values)]
    if names or last:
        return tuple(names), None
    for name in _names(sums, values):
        plain = sums if name == "identity" else ACTIVATIONS.resolve(name).value(sums)
        kept = values != 0
        ratio = values[kept] / np.where(plain[kept] == 0, np.nan, plain[kept])
        if kept.any() and np.ptp(ratio) <= 1e-9 * abs(ratio[0]) and 0 < ratio[0] < 1e3:
            scale = float(ratio[0])
            share = 1 - 1 / scale if scale > 1 else 1 - float(kept.mean())
            return (name,), Dropped(kept * 1.0, scale, share)
    return (), None


def _names(sums: Array, values: Array) -> Iterator[str]:
    """All activations, a leaky ReLU with the slope that is seen."""
    for name in ACTIVATIONS:
        below = sums < 0
        if name == "leaky_relu" and below.any():
            name = f"leaky_relu({float(np.median(values[below] / sums[below])):.12g})"
            if not 0 < float(name[11:-1]) < 1:
                continue
        if name not in ("identity", "softmax") or (name == "softmax" and sums.shape[1] > 1):
            yield name
    yield "identity"  # a rectifier looks like it where a mask may be


def _loss_of(steps: Sequence[ReadStep], chosen: GradientComparison) -> tuple[str, float, float] | None:
    """(loss, scale, l2) with which the network's gradients are those of the comparison."""
    usual = LOSS_NAMES.get(chosen.loss_name)
    for loss in [usual] if usual else ["half_squared_error", *LOSSES]:
        try:
            found = [_fit(one, loss) for one in steps]
        except InputError:
            continue
        first = found[0]
        if first is not None and all(
            one is not None and np.allclose(one, first, 1e-6, 1e-9) for one in found
        ):
            return loss, *first
    return None


def _fit(step: ReadStep, loss: str) -> tuple[float, float] | None:
    """(scale, l2) with which the adjoint of each parameter is its gradient here."""
    if step.wrong_output:
        return 1.0, 0.0
    right = Backprop(step.case(loss)).gradients()
    mine = [g.dW.ravel() for g in right] + [
        g.db[: b.size] if b.size > 1 else g.db.sum(keepdims=True)
        for g, b in zip(right, step.b, strict=True)
        if b is not None
    ]
    theirs = [step.adjoint[ids].ravel() for ids in (*step.ids_W, *(b for b in step.ids_b if b is not None))]
    penalty = [W.ravel() for W in step.W] + [np.zeros(b.size) for b in step.b if b is not None]
    wanted, g, w = map(np.concatenate, (theirs, mine, penalty))
    for columns in (g[:, None], np.stack([g, w], axis=1)):
        solution = np.linalg.lstsq(columns, wanted, rcond=None)[0]
        if np.linalg.norm(columns @ solution - wanted) <= 1e-7 * np.linalg.norm(wanted) and solution[0] > 0:
            return float(solution[0]), float(solution[1] / solution[0]) if len(solution) > 1 else 0.0
    return None


def _conventions(tape: Tape, layers: Sequence[WeightedSums]) -> str:
    """How weights, samples and biases are laid out."""
    W = max((one.W for one in layers), key=lambda W: min(W.shape))
    whole = len(tape.producers(W)) == 1
    if not whole:
        parts = ["weights are single numbers"]
    elif 1 in W.shape:
        parts = ["W holds the weights of one neuron"]
    else:
        parts = ["W is (in, out)" if W[0, 1] - W[0, 0] == 1 else "W is (out, in)"]
    if any(one.in_columns for one in layers):
        parts.append("samples are in columns")
    biases = [_bias(one) for one in layers]
    if any(one.in_rows for one in layers):
        parts.append("biases are a row of W")
    elif all(b is None for b in biases):
        parts.append("no biases")
    elif any(b is not None and b.size < one.W.shape[1] for b, one in zip(biases, layers, strict=True)):
        parts.append("one bias for each layer")
    return ", ".join(parts)
