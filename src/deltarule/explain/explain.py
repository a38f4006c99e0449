"""``explain`` and ``explain_update``: the doors to all derivations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.arrays import Array, check_whole
from deltarule.errors import InputError
from deltarule.explain.derivation import Derivation
from deltarule.explain.document import Block, Document, Figure, Heading, Inline, Lines, Paragraph, Table
from deltarule.explain.drawing import draw
from deltarule.explain.evidence import Evidence
from deltarule.explain.forward import cost_part, forward_part, quantity_part
from deltarule.explain.gradients import GradientDerivation
from deltarule.explain.layers import LayerDerivation
from deltarule.explain.notation import notation_by_name
from deltarule.explain.quantities import Quantity
from deltarule.explain.targets import Target, parse
from deltarule.explain.updates import Step, UpdateDerivation
from deltarule.explain.writer import Writer
from deltarule.formula.numbers import check_digits
from deltarule.formula.text import text
from deltarule.formula.tree import Number
from deltarule.network import Network
from deltarule.optimizers import OPTIMIZERS, GradientStep, Optimizer
from deltarule.training import History
from deltarule.training.replay import Moment, replay

__all__ = ["explain", "explain_update"]

DETAILS = ("chain", "delta")


def explain(
    net: Network,
    X: Any,
    Y: Any,
    what: str | Sequence[str],
    *,
    sample: int | None = None,
    sample_weight: Any = None,
    optimizer: str | Optimizer | None = None,
    notation: str | None = None,
    detail: str = "chain",
    digits: int | str = 9,
    by_hand: int | None = None,
    rng: np.random.Generator | None = None,
    inputs: Sequence[str] | None = None,
    title: str | None = None,
) -> Derivation:
    """Derive any number of a forward pass, backward pass or update, each factor with its numbers.

        symbol = formula = numbers put in = value

    The values are those of ``net.forward``, ``net.backward`` and the optimizer's own update.

    Parameters
    ----------
    net : Network
    X : array-like, (n_samples, n_features)
    Y : array-like, (n_samples, n_outputs)
        As :meth:`Network.backward` takes it.
    what : str, or a sequence of them
        A weight (``"w5"``, ``"W2[0,1]"``) or bias (``"b1"``, ``"b_o1"``): its gradient, and with an
        optimizer its update. ``"net_h1"`` or ``"z1[0]"``, ``"out_o2"`` or ``"a2[1]"``, ``"delta_h1"`` or
        ``"delta1[0]"``. A whole layer in matrices: ``"W2"``, ``"z1"``, ``"a1"``, ``"delta2"``, or all of it,
        ``"layer2"``. ``"loss"``, ``"forward"``, ``"backward"``, ``"update"`` or ``"all"``.
    sample : int, optional
        This row alone, counted from 0, as if the batch were just it; otherwise all rows are.
    sample_weight : array-like, (n_samples,), optional
    optimizer : str or Optimizer, optional
        With one, the derivation of a parameter ends with its first update.
    notation : "matrix", "tutorial" or "column", optional
        See :mod:`deltarule.explain.notation`; the one in which ``what`` is written, where not given.
    detail : "chain" or "delta"
        Every path of the chain rule, or the recursion δ = (δ Wᵀ) ⊙ f′(z).
    digits : int or "full"
        Significant digits shown; all are computed with.
    by_hand : int, optional
        Round to so many decimals at each step, as one does by hand, and say how far that leads astray.
    rng : Generator, optional
        Draws dropout masks, as in :meth:`Network.forward`; without one nothing is dropped.
    inputs : sequence of str, optional
        Names of the inputs; those of the network's encoding, where it has one.
    title : str, optional

    Returns
    -------
    Derivation
        Prints as text; ``.html()``, ``.latex()``, ``.markdown()``, ``.pdf()``, ``.json()``, ``.save(path)``.

    Raises
    ------
    InputError, ShapeError
        If nothing is called ``what``, or a value does not fit.

    Examples
    --------
    >>> net = Network([1, 1], output="sigmoid", loss="half_squared_error", bias="none")
    >>> net.set_weights({"w1": 0.5})
    >>> derivation = explain(net, [[2.0]], [[1.0]], "w1", digits=4)
    >>> print("\\n".join(derivation.text().splitlines()[-4:]))
      ∂E/∂out_o1      = out_o1 − y_o1 = 0.7311 − 1 = −0.2689
      ∂out_o1/∂net_o1 = out_o1·(1 − out_o1) = 0.7311·(1 − 0.7311) = 0.1966   (slope of the sigmoid)
      ∂net_o1/∂w1     = i1 = 2
      ∂E/∂w1          = (−0.2689)·0.1966·2 = −0.1058

    References
    ----------
    Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors.
    """
    check_digits(digits)
    names = [what] if isinstance(what, str) else list(what)
    targets = [target for name in names for target in parse(net, name)]
    x, y, weight = _rows(net, X, Y, sample_weight, sample)
    evidence = Evidence(net, x, _forward(net, x, rng), y, weight)
    writer = _writer(evidence, notation, targets, inputs, by_hand)
    derive = _Derive(writer, _checked(detail), _step(evidence, optimizer), optimizer, digits)
    blocks = [*derive.opening(targets), *(block for target in targets for block in derive.target(target))]
    return derive.derivation(title or f"Derivation of {', '.join(names)}", blocks)


def _rows(
    net: Network, X: Any, Y: Any, sample_weight: Any, sample: int | None
) -> tuple[Array, Array, Array | None]:
    inputs = net.inputs(X)
    y, weight = net.targets(Y, sample_weight, len(inputs))
    if sample is not None:
        check_whole("sample", sample, 0, len(inputs) - 1)
        one = slice(sample, sample + 1)
        inputs, y, weight = inputs[one], y[one], None if weight is None else weight[one]
    return inputs.astype(net.dtype, copy=False), y, weight


def _forward(net: Network, x: Array, rng: np.random.Generator | None) -> Any:
    return net.forward(x, rng)


def _writer(
    evidence: Evidence,
    notation: str | None,
    targets: Sequence[Target],
    inputs: Sequence[str] | None,
    by_hand: int | None,
) -> Writer:
    net = evidence.net
    if notation is None:
        small = net.parameters.size <= 40 and not any(target.whole for target in targets)
        named = any(target.tutorial for target in targets)
        plain_parts = all(target.layer == 0 for target in targets)
        notation = "tutorial" if named or (small and plain_parts) else "matrix"
    if by_hand is not None:
        check_whole("by_hand", by_hand, 1, 15)
    names = _input_names(net, inputs)
    return Writer(
        evidence, notation_by_name(notation)(net, names, evidence.n_samples, evidence.plain), by_hand
    )


def _input_names(net: Network, inputs: Sequence[str] | None) -> Sequence[str] | None:
    if inputs is None:
        return net.encoding.inputs.feature_names if net.encoding else None
    names = [str(name) for name in inputs]
    if len(names) != net.sizes[0]:
        raise InputError(f"inputs must name each of the {net.sizes[0]} inputs, got {len(names)} names")
    return names


def _checked(detail: str) -> str:
    if detail not in DETAILS:
        raise InputError(f"detail must be one of {', '.join(DETAILS)}, got {detail!r}")
    return detail


def _step(evidence: Evidence, optimizer: str | Optimizer | None) -> Step | None:
    """The first update by an optimizer that makes single steps."""
    if optimizer is None:
        return None
    resolved = OPTIMIZERS.resolve(optimizer)
    return Step(evidence.net, evidence.grads.flat, resolved) if isinstance(resolved, GradientStep) else None


class _Derive:
    """Puts the blocks of a derivation together."""

    def __init__(
        self,
        writer: Writer,
        detail: str,
        step: Step | None,
        optimizer: str | Optimizer | None,
        digits: int | str,
    ) -> None:
        self.writer, self.evidence, self.net = writer, writer.evidence, writer.evidence.net
        self.gradients = GradientDerivation(writer, by_delta=detail == "delta")
        self.updates = None if step is None else UpdateDerivation(writer, step)
        self.searches = optimizer is not None and step is None
        self.digits = digits
        self._parts: dict[str, Callable[[], Iterator[Block]]] = {
            "forward": self._forward,
            "loss": lambda: cost_part(writer),
            "backward": self._backward,
            "update": self._update,
        }

    def derivation(self, title: str, blocks: Sequence[Block]) -> Derivation:
        """With by-hand results compared, and lines that follow each other aligned."""
        document = Document(title, tuple(_merged([*blocks, *self._drift()])), self.digits)
        return Derivation(document, self.writer.written)

    # ------------------------------------------------------------------ the opening

    def opening(self, targets: Sequence[Target], sample: int = 0) -> Iterator[Block]:
        """What the network is, what it is given, and its picture."""
        net, n = self.net, self.evidence.n_samples
        objective = net.objective
        words = f"{net!r}; loss: {net.loss.name.replace('_', ' ')}"
        if n > 1:
            words += f", {'mean' if objective.reduction == 'mean' else 'sum'} over {n} samples"
        penalties = [f"l{i} = {value:g}" for i, value in ((1, objective.l1), (2, objective.l2)) if value]
        yield Paragraph((", ".join([words, *penalties]) + ".",))
        yield Figure(self._drawing(targets, sample))

    def _drawing(self, targets: Sequence[Target], sample: int) -> Any:
        def number(value: float) -> str:
            return text(
                Number(value, measured=True), min(self.digits, 6) if isinstance(self.digits, int) else 6
            )

        return draw(
            self.net, self.evidence.trace, self.evidence.grads, self.evidence.y,
            sample=sample, inputs=self.writer.notation.inputs, number=number, tags=_tags(self.net, targets),
        )  # fmt: skip

    # ------------------------------------------------------------------ what was asked for

    def target(self, target: Target) -> Iterator[Block]:
        """The blocks of one target."""
        if target.kind in self._parts:
            yield from self._parts[target.kind]()
        elif target.whole:
            kinds = {"layer": "zadWb", "delta": "d"}.get(target.kind, target.kind)
            yield from self._layer(target.layer, kinds)
        elif target.kind in ("W", "b"):
            p = Quantity(target.kind, target.layer, target.index)
            yield from self.gradients.parameter(p)
            yield from self._update_of(p)
        elif target.kind == "delta":
            for sample in range(min(self.evidence.n_samples, 3)):
                yield from self.gradients.delta_part(Quantity("delta", target.layer, target.index, sample))
        else:
            yield from quantity_part(self.writer, target.kind, target.layer, *target.index)

    def _update_of(self, p: Quantity) -> Iterator[Block]:
        if self.updates is not None:
            yield from self.updates.parameter(p)
        elif self.searches:
            yield from _NO_STEP

    def _layer(self, layer: int, kinds: str) -> Iterator[Block]:
        """Matrices; or, in tutorial notation, which has none, matrix notation."""
        writer = self.writer
        if writer.notation.name == "tutorial":
            evidence = self.evidence
            matrices = notation_by_name("matrix")(
                self.net, writer.notation.inputs, evidence.n_samples, evidence.plain
            )
            writer = Writer(evidence, matrices, writer.hand.decimals if writer.hand else None)
        yield from LayerDerivation(writer, layer).blocks(kinds)

    @property
    def _neuron_by_neuron(self) -> bool:
        return self.writer.notation.name == "tutorial"

    def _forward(self) -> Iterator[Block]:
        if self._neuron_by_neuron:
            yield from forward_part(self.writer)
            return
        for layer in range(1, self.evidence.n_layers + 1):
            yield from self._layer(layer, "za")

    def _backward(self) -> Iterator[Block]:
        if self._neuron_by_neuron:
            yield from self.gradients.backward_part()
            return
        for layer in range(self.evidence.n_layers, 0, -1):
            yield from self._layer(layer, "dWb")

    def _update(self) -> Iterator[Block]:
        if self.updates is not None:
            yield from self.updates.table()
        elif self.searches:
            yield from _NO_STEP

    # ------------------------------------------------------------------ by hand

    def _drift(self) -> Iterator[Block]:
        hand = self.writer.hand
        if hand is None:
            return
        yield Heading(("By hand",))
        yield Paragraph(
            (f"Every step was rounded to {hand.decimals} decimals. What that does to the results:",)
        )
        rows = []
        for leaf in self.writer.results:
            rounded, exact = hand(leaf), self.evidence(leaf)
            apart = f"{abs(rounded - exact) / abs(exact):.2%}" if exact else "–"
            cells: list[Inline] = [
                Number(rounded, True),
                Number(exact, True),
                Number(rounded - exact, True),
                apart,
            ]
            rows.append((*self.writer.words(leaf), *cells))
        yield Table(("result", "by hand", "exact", "off by", "relative"), tuple(rows))


_NO_STEP = (
    Heading(("The update",), 3),
    Paragraph(
        ("L-BFGS finds its step by a line search over several gradients: no one formula gives the value.",)
    ),
)


def _tags(net: Network, targets: Sequence[Target]) -> dict[str, int]:
    """The colours of what was asked for, as the first derivation of a parameter has them."""
    from deltarule.naming import neuron_names

    for target in targets:
        if target.kind in ("W", "b", "z", "a", "delta") and target.index:
            neuron = neuron_names(net.sizes)[target.layer - 1][target.index[-1]]
            if target.kind != "W":
                return {neuron: 0}
            i = target.index[0]
            source = f"i{i + 1}" if target.layer == 1 else neuron_names(net.sizes)[target.layer - 2][i]
            weight = _weight_name(net, target)
            return {neuron: 1, source: 2, weight: 2}
    return {}


def _weight_name(net: Network, target: Target) -> str:
    before = sum(a * b for a, b in list(pairwise(net.sizes))[: target.layer - 1])
    i, j = target.index
    return f"w{before + j * net.sizes[target.layer - 1] + i + 1}"


def _merged(blocks: Sequence[Block]) -> list[Block]:
    """Blocks of lines that follow each other become one, so that they are aligned."""
    merged: list[Block] = []
    for block in blocks:
        if isinstance(block, Lines) and merged and isinstance(merged[-1], Lines):
            merged[-1] = Lines(merged[-1].lines + block.lines)
        else:
            merged.append(block)
    return merged


# ---------------------------------------------------------------------- one update of a real training run


def explain_update(
    history: History,
    step: int,
    what: str | Sequence[str],
    *,
    notation: str | None = None,
    detail: str = "chain",
    digits: int | str = 9,
    inputs: Sequence[str] | None = None,
    title: str | None = None,
) -> Derivation:
    """Derive why a parameter changed at one update of a training run.

    The run is made again up to that update, with the same batches, dropout masks and learning rates.

    Parameters
    ----------
    history : History
        What :func:`deltarule.train` or :func:`deltarule.resume` returned.
    step : int
        The number of the update, from 1; after ``resume`` those since the checkpoint.
    what : str, or a sequence of them
        As in :func:`explain`; of a parameter also which samples pulled it, and how much of the change came
        from the data, the penalties, and what the optimizer remembers.
    notation, detail, digits, inputs, title
        As in :func:`explain`.

    Raises
    ------
    InputError
        If the run cannot be made again (L-BFGS; a history read from a file), or had no such update.

    Examples
    --------
    >>> from deltarule.training import train
    >>> net = Network([2, 1], output="sigmoid", bias="none", seed=1)
    >>> history = train(net, [[0.0, 1.0], [1.0, 0.0]], [1, 0], optimizer="momentum(0.5)", epochs=3)
    >>> derivation = explain_update(history, 3, "w1")
    >>> abs(derivation.values["w1"] - net.parameters[0]) < 1e-12
    True
    """
    check_digits(digits)
    moment = replay(history, step)
    net, samples = moment.net, moment.samples
    names = [what] if isinstance(what, str) else list(what)
    targets = [target for name in names for target in parse(net, name)]
    x = samples.x.astype(net.dtype, copy=False)
    evidence = Evidence(net, x, _forward(net, x, moment.rng), samples.y, samples.weight)
    writer = _writer(evidence, notation, targets, inputs, None)
    made = Step(net, evidence.grads.flat, moment.optimizer, moment.slots, moment.rate, step)
    derive = _Derive(writer, _checked(detail), made, moment.optimizer, digits)
    blocks: list[Block] = [_when(moment), *derive.opening(targets)]
    for target in targets:
        blocks += derive.target(target)
        if target.kind in ("W", "b") and not target.whole:
            blocks += _reasons(derive, Quantity(target.kind, target.layer, target.index), moment)
    return derive.derivation(title or f"Update {step} of {net!r}", blocks)


def _when(moment: Moment) -> Paragraph:
    n = len(moment.rows)
    samples = f"{n} sample{'s' if n > 1 else ''}"
    return Paragraph((f"Update {moment.step}: epoch {moment.epoch}, batch {moment.batch}, {samples}.",))


#: So many samples are named.
MOST_SAMPLES = 5


def _reasons(derive: _Derive, p: Quantity, moment: Moment) -> Iterator[Block]:
    """Which samples pulled, and where the change comes from."""
    evidence, updates = derive.evidence, derive.updates
    assert updates is not None
    pulls = _pulls(evidence, p)
    if not pulls.any():
        yield Paragraph(derive.writer.words("None of these samples pulls ", p, "."))
    elif len(pulls) > 1:
        yield Heading(derive.writer.words("Who pulled ", p), 3)
        yield _pull_table(pulls, moment.rows)
    position = updates.position(p)
    if position in evidence.net.frozen:
        return
    parts = updates.step.sources(position, {"the samples": float(pulls.sum()), **_penalties(evidence, p)})
    yield Heading(derive.writer.words("Where the change of ", p, " came from"), 3)
    change = float(updates.step.after[position] - evidence.net.parameters[position])
    rows = [(name, Number(part, True), _share(part, change)) for name, part in parts.items()]
    yield Table(("part", "change", "share"), (*rows, ("together", Number(change, True), "")))


def _share(part: float, change: float) -> str:
    return f"{part / change + 0.0:.1%}" if change else "–"


def _pulls(evidence: Evidence, p: Quantity) -> Array:
    """What each sample adds to the gradient, (n_samples,)."""
    delta = evidence.grads[p.layer - 1].delta
    pulled = delta[:, p.index[-1]] if p.index else delta.sum(axis=1)
    return pulled * evidence.trace[p.layer - 1].x[:, p.index[0]] if p.kind == "W" else pulled


def _penalties(evidence: Evidence, p: Quantity) -> dict[str, float]:
    objective = evidence.net.objective
    if p.kind == "b":
        return {}
    w = evidence(p)
    l1 = {"the L1 penalty": objective.l1 * float(np.sign(w))} if objective.l1 else {}
    return l1 | ({"the L2 penalty": objective.l2 * w} if objective.l2 else {})


def _pull_table(pulls: Array, rows: Array) -> Table:
    order = np.argsort(-np.abs(pulls), kind="stable")
    shown, left = order[:MOST_SAMPLES], order[MOST_SAMPLES:]
    cells: list[tuple[Inline, ...]] = [(f"sample {rows[i]}", Number(float(pulls[i]), True)) for i in shown]
    if len(left):
        cells.append((f"{len(left)} others", Number(float(pulls[left].sum()), True)))
    cells.append(("together", Number(float(pulls.sum()), True)))
    return Table(("training sample", "adds to the gradient"), tuple(cells))
