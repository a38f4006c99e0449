"""One recorded step as a chain of dense layers: what they compute, and what the step changes them by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Case, Dropped, layers_of_arrays
from deltarule.diagnosis.reading.comparison import GradientComparison
from deltarule.diagnosis.reading.steps import RecordedStep
from deltarule.diagnosis.reading.targets import Meeting
from deltarule.diagnosis.reading.weighted import ForwardPass, WeightedSums
from deltarule.diagnosis.recording.tape import Ids, Tape, Values
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES
from deltarule.nn.objective import Objective

#: Outputs that are mistakes: what they were computed with, by the key of the mistake.
_softmax = ACTIVATIONS.resolve("softmax").value
WRONG_OUTPUTS: dict[str, Callable[[Array], Array]] = {
    "softmax_over_samples": lambda z: _softmax(z.T).T,
    "softmax_twice": lambda z: _softmax(_softmax(z)),
}


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
        objective = Objective(LOSSES.resolve(loss), ACTIVATIONS.resolve(self.activations[-1]), "sum", l2=l2)
        layers = layers_of_arrays(self.W, self.b, self.activations)
        return Case(layers, objective, self.x, self.y, eta, self.dropped, rate)


@dataclass(frozen=True, eq=False)
class Chain:
    """A step that was read, with the names that each layer's activation may have."""

    step: ReadStep
    names: tuple[tuple[str, ...], ...]
    conventions: str


def read_chain(tape: Tape, chosen: GradientComparison, number: int) -> Chain | None:
    """Read one step; None where it is no chain of layers."""
    step, meetings = chosen.steps[number], chosen.meetings[number]
    if not meetings or any(one.broadcast for one in meetings):
        return None
    outputs = np.concatenate([one.output.ravel() for one in meetings])
    parameters = np.concatenate([change.old for change in step.changes])
    passing = ForwardPass(tape, tape.ancestors(outputs, step.floor), parameters)
    apart = [_with_bias_apart(passing, one) for one in passing.layers()]
    layers = [one for one in apart if one is not None]
    if not layers or len(layers) < len(apart) or layers[-1].z.size != outputs.size:
        return None
    first = layers[0].x
    if tape.leaves(first[first >= 0]) & step.parameters:
        return None
    ends = [one.x for one in layers[1:]] + [_as_rows(outputs, layers[-1])]
    if any(one.z.shape != end.shape for one, end in zip(layers, ends, strict=True)):
        return None
    found = [_activations(passing, one, end) for one, end in zip(layers, ends, strict=True)]
    names, dropped = [options for options, _ in found], [drop for _, drop in found]
    if dropped[-1] is not None:
        return None
    wrong = "" if names[-1] else _wrong_output(passing, layers[-1], ends[-1])
    names[-1] = names[-1] or ("softmax",) * bool(wrong)
    if not all(names):
        return None
    target = _as_rows(np.concatenate([_target(one) for one in meetings]), layers[-1])
    dropped = _masks_going_back(tape, step, layers, [None, *dropped[:-1]])
    read = _step(passing, step, layers, target, dropped, wrong)
    return Chain(read, tuple(names), _conventions(tape, layers))


def _step(
    passing: ForwardPass,
    step: RecordedStep,
    layers: Sequence[WeightedSums],
    target: Array,
    dropped: Sequence[Dropped | None],
    wrong_output: str,
) -> ReadStep:
    changes = np.full(passing.tape.size, np.nan)
    for change in step.changes:
        changes[change.old] = np.ravel(change.step)
    weights, biases = tuple(one.W for one in layers), tuple(_bias(one) for one in layers)
    W = tuple(passing.values(one) for one in weights)
    b = tuple(None if one is None else passing.values(one) for one in biases)
    x = passing.values(layers[0].x)
    return ReadStep(step.number, weights, biases, W, b, x, target, (), tuple(dropped), changes, wrong_output)


def _wrong_output(passing: ForwardPass, layer: WeightedSums, output: Ids) -> str:
    """The key of the mistake that computes these outputs; empty for none."""
    z, a = layer.sign * passing.values(layer.z), passing.values(output)
    return next((key for key, f in WRONG_OUTPUTS.items() if _same(f(z), a)), "")


def _masks_going_back(
    tape: Tape, step: RecordedStep, layers: Sequence[WeightedSums], dropped: Sequence[Dropped | None]
) -> list[Dropped | None]:
    """What dropout does, with the masks that what goes back is multiplied by."""
    found = list(dropped)
    if not any(dropped):
        return found
    last = int(layers[-1].z.max())
    masks = [
        constant
        for index in sorted(step.sources)
        if (op := tape.operations[index]).name == "multiply" and op.start > last
        for constant in op.constants
        if constant is not None and constant.size == op.size > 1 == len(np.unique(constant[constant != 0]))
    ]
    for number in range(len(layers) - 1, 0, -1):
        drop, z = dropped[number], layers[number - 1].z
        for k, constant in enumerate(masks):
            if drop is not None and constant.size == z.size and not _is_slope(tape, layers, constant):
                mask = (_as_rows(constant.ravel(), layers[number - 1]) != 0) * 1.0
                found[number] = drop._replace(back=mask)
                del masks[k]
                break
    return found


def _is_slope(tape: Tape, layers: Sequence[WeightedSums], mask: Values) -> bool:
    """Whether a mask is where a layer's sums are positive, as a rectifier's slope is."""
    return any(
        _same((_as_rows(mask.ravel(), one) != 0) * 1.0, (tape.value[one.z] > 0) * 1.0)
        for one in layers
        if one.z.size == mask.size
    )


def _bias(layer: WeightedSums) -> Ids | None:
    if not layer.has_bias:
        return None
    return layer.b[:1] if (layer.b == layer.b[0]).all() else layer.b


def _target(meeting: Meeting) -> Values:
    """The targets; of ``-target / output`` without the sign."""
    found = np.ravel(np.asarray(meeting.target, float))
    return -found if meeting.op.name == "divide" and (found <= 0).all() else found


def _with_bias_apart(passing: ForwardPass, layer: WeightedSums) -> WeightedSums | None:
    """The same with a row of W that meets a constant 1 as its bias."""
    if layer.has_bias or (layer.b >= 0).any():
        return layer if layer.has_bias else None
    values, size, tape = passing.values(layer.x), layer.x.shape[1], passing.tape
    ones = [k for k in range(size) if size > 1 and (values[:, k] == 1).all()]
    ones = [k for k in ones if all(one < 0 or tape.operation_of(one).is_leaf for one in layer.x[:, k])]
    if not ones or (len(values) == 1 and _is_of_sample(tape, layer.x[0, ones[-1]])):
        return layer
    row = ones[-1] if len(ones) > 1 and ones[-1] == size - 1 else ones[0]
    W, x = np.delete(layer.W, row, 0), np.delete(layer.x, row, 1)
    return replace(layer, W=W, b=layer.W[row], x=x, in_rows=True)


def _is_of_sample(tape: Tape, one: int) -> bool:
    """Whether a 1 is a sample's, and does not stand in the program as such."""
    return one >= 0 and tape.operation_of(one).is_data


def _as_rows(ids: Any, layer: WeightedSums) -> Any:
    """Outputs as samples in rows, laid out as the program's sums are."""
    n, k = layer.z.shape
    return ids.reshape(k, n).T if layer.in_columns else ids.reshape(n, k)


def _same(one: Array, other: Array) -> bool:
    return bool(np.abs(one - other).max() <= 1e-9 * max(1e-300, float(np.abs(other).max())))


def _activations(passing: ForwardPass, layer: WeightedSums, a: Ids) -> tuple[tuple[str, ...], Dropped | None]:
    """The names of the functions that lead from z to a, and what dropout does to it on the way."""
    if np.array_equal(layer.z, a):
        return ("identity",), None
    sums, values = layer.sign * passing.values(layer.z), passing.values(a)
    names = [name for name in _names(sums, values) if _same(ACTIVATIONS.resolve(name).value(sums), values)]
    if names:
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


def _conventions(tape: Tape, layers: Sequence[WeightedSums]) -> str:
    """How weights, samples and biases are laid out."""
    W = max((one.W for one in layers), key=lambda W: min(W.shape))
    if len(tape.producers(W)) != 1:
        parts = ["the weights are single numbers"]
    elif 1 in W.shape:
        parts = ["W holds the weights of one neuron"]
    else:
        parts = ["W is (in, out)" if W[0, 1] - W[0, 0] == 1 else "W is (out, in)"]
    if any(one.in_columns for one in layers):
        parts.append("the samples are in columns")
    biases = [_bias(one) for one in layers]
    if any(one.in_rows for one in layers):
        parts.append("an input is always 1, so a row of W holds the biases")
    elif all(b is None for b in biases):
        parts.append("no biases")
    elif any(b is not None and b.size < one.W.shape[1] for b, one in zip(biases, layers, strict=True)):
        parts.append("each layer has a single bias")
    return ", ".join(parts)
