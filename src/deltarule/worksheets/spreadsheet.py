"""A network as a workbook of live formulas: forward, loss, backward, update, and a whole training run.

Every formula is the tree that ``explain`` prints (:class:`~deltarule.derivations.definitions.Definitions`),
with a cell for each quantity in it. The numbers stored beside the formulas are those that training computes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from io import BytesIO
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from deltarule.arrays import Array, check_whole
from deltarule.derivations.definitions import Definitions
from deltarule.derivations.evidence import Evidence
from deltarule.derivations.notation import Tutorial
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.derivations.updates import Step
from deltarule.errors import InputError
from deltarule.formula.excel import Cell, defined_name, excel
from deltarule.formula.text import clean, text
from deltarule.formula.tree import (
    Add,
    Call,
    Choice,
    Compare,
    Div,
    Expr,
    Number,
    Rest,
    Symbol,
    Total,
    absolute,
    log,
    sign,
    sqrt,
    total,
)
from deltarule.network import Network
from deltarule.optimizers import ETA, GRADIENT, OPTIMIZERS, THETA, TIME, GradientStep, Optimizer
from deltarule.registry import import_extra
from deltarule.tutorials import Example

__all__ = ["MOST_CELLS", "MOST_FORMULAS", "example_spreadsheet", "spreadsheet"]

#: So many formulas work out one step at most, and so many a whole workbook.
MOST_FORMULAS, MOST_CELLS = 2_000, 400_000

#: In a formula that is written out, a longer sum shows so many of its terms.
MOST_TERMS, SHOWN_TERMS = 10, 6

L1, L2 = Symbol("l1"), Symbol("l2")
NORM, LIMIT, SHARE = Symbol("‖g‖"), Symbol("clip_norm"), Symbol("c")

#: What 0 counts as in training, where it is divided by or its logarithm is taken: a, and 1 − a.
_TINIEST, _ROUNDED = math.sqrt(np.finfo(float).tiny), float(np.finfo(float).eps)

#: Where a quantity stands; None where it has no cell of its own and its formula is put in its place.
Place: TypeAlias = Callable[[Expr], Cell | None]


def example_spreadsheet(
    example: Example, *, optimizer: str | Optimizer | None = None, steps: int = 100
) -> bytes:
    """The workbook of a worked example; see :func:`spreadsheet`.

    Examples
    --------
    >>> from deltarule.tutorials import load_example
    >>> example_spreadsheet(load_example("T1"), steps=2)[:2]
    b'PK'
    """
    optimizer = optimizer or example.training.get("optimizer")
    size, n = example.training.get("batch_size"), len(example.X)
    batches = [] if size is None or size >= n else [_FULL_BATCH.format(size=size, n=n)]
    return spreadsheet(
        example.network(), example.X, example.Y, optimizer, steps=steps, title=example.title, notes=batches
    )


def spreadsheet(
    net: Network,
    X: Any,
    Y: Any,
    optimizer: str | Optimizer | None = None,
    *,
    steps: int = 100,
    title: str | None = None,
    notes: Sequence[str] = (),
) -> bytes:
    """A workbook for Excel or LibreOffice in which every number but the given ones is a formula.

    Parameters
    ----------
    net : Network
    X, Y : array-like
        A few samples and their targets.
    optimizer : str or Optimizer, optional
        Whose update, and whose training run on all samples at once, are worked out.
    steps : int
        Steps of the training run.
    title : str, optional
    notes : sequence of str
        More to say on the first sheet.

    Raises
    ------
    InputError
        If the network is too large for a sheet, or one of its formulas is a text.
    MissingExtraError
        If XlsxWriter is not installed.
    """
    check_whole("steps", steps)
    resolved = None if optimizer is None else OPTIMIZERS.resolve(optimizer)
    rule = resolved if isinstance(resolved, GradientStep) else None
    _check_size(net, len(net.inputs(X)), rule, steps)
    exact = net.copy("float64")
    model = Model(exact, *_rows(exact, X, Y), rule, steps)
    said = [*notes, *_notes(net, resolved)]
    return _Workbook(model, clean(title or repr(net))[:200], said, steps).written()


def _rows(net: Network, X: Any, Y: Any) -> tuple[Array, Array]:
    x = net.inputs(X)
    return x.astype(net.dtype, copy=False), net.targets(Y, None, len(x))[0]


_FULL_BATCH = (
    "The example trains in batches of {size}; this workbook takes all {n} samples at once, in every step."
)
_DROPOUT = "Training drops some inputs of layers at random (dropout); this workbook drops none."
_NARROW = (
    "The network computes in float32; a spreadsheet computes in double precision, and so do the numbers."
)
_NO_RULE = "The example does not say how to train, so there is no update and no training run here."
_SEARCHES = (
    "L-BFGS finds each step by a line search over several gradients: no one formula gives it, so there is "
    "no update and no training run here."
)
_SCHEDULED = (
    "The learning rate changes from step to step ({spec}, planned for the steps on the sheet training): "
    "there its column holds numbers. The learning rate on this sheet is that of this sheet's update alone."
)


def _notes(net: Network, optimizer: Optimizer | None) -> Iterator[str]:
    """What this workbook leaves out."""
    if any(layer.dense.dropout for layer in net.layers):
        yield _DROPOUT
    if net.dtype != np.float64:
        yield _NARROW
    if optimizer is None:
        yield _NO_RULE
    elif not isinstance(optimizer, GradientStep):
        yield _SEARCHES
    elif optimizer.schedule.name != "constant":
        yield _SCHEDULED.format(spec=optimizer.schedule.spec)


def _check_size(net: Network, n_samples: int, rule: GradientStep | None, steps: int) -> None:
    """Refuse what would make a sheet that nobody can read, or no program open."""
    per_parameter = 2 + (len(rule.slots) if rule else 0)
    coupled = [layer.dense.n_out for layer in net.layers if layer.activation.pull_back]
    per_sample = 3 * sum(net.sizes[1:]) + sum(size**2 for size in coupled)
    formulas = net.parameters.size * per_parameter + n_samples * per_sample
    if formulas > MOST_FORMULAS:
        raise InputError(
            f"{net!r} with {n_samples:,} samples takes {formulas:,} formulas a step, a spreadsheet "
            f"{MOST_FORMULAS:,} at most: choose a smaller network or fewer samples"
        )
    if rule and formulas * steps > MOST_CELLS:
        raise InputError(
            f"{steps:,} steps of {formulas:,} formulas each are too many for a spreadsheet: ask for "
            f"{MOST_CELLS // formulas:,} steps at most"
        )


# ---------------------------------------------------------------------- what is worked out


class Own(Expr):
    """A letter of the optimizer for one parameter: before the update, or after one of its lines."""

    def __init__(self, symbol: Symbol, parameter: Quantity, line: int = 0) -> None:
        self.symbol, self.parameter, self.line = symbol, parameter, line

    @property
    def parts(self) -> list[Expr]:
        """None: a leaf."""
        return []


class Model:
    """The quantities of one step: what each is computed from, and what it is worth.

    Parameters
    ----------
    net : Network
    x, y : ndarray
    rule : GradientStep, optional
    steps : int
        For how many steps a schedule of the learning rate is planned.
    """

    def __init__(self, net: Network, x: Array, y: Array, rule: GradientStep | None, steps: int) -> None:
        self.net, self.x, self.y, self.rule, self.planned = net, x, y, rule, steps
        self.evidence = self.look(net)
        self.definitions = Definitions(self.evidence)
        self.cost, self.n_layers = self.evidence.cost, self.evidence.n_layers
        self.n_samples = self.evidence.n_samples
        self.parameters = [*self.definitions.weights(), *self._biases()]
        self.positions = {p: self._position(p) for p in self.parameters}
        frozen = set(net.frozen.tolist())
        self.trained = [p for p in self.parameters if self.positions[p] not in frozen]

    def look(self, net: Network) -> Evidence:
        """The passes of a network, with its parameters as they are."""
        return Evidence(net, self.x, net.forward(self.x), self.y)

    def _biases(self) -> Iterator[Quantity]:
        for layer in range(1, self.n_layers + 1):
            for j in range(self.evidence.layer(layer).dense.n_biases):
                bias = self.definitions.bias(layer, j)
                assert bias is not None
                yield bias

    def _position(self, p: Quantity) -> int:
        index = ",".join(map(str, p.index)) if p.index else "0"
        return int(self.net.select(f"{p.kind}{p.layer}[{index}]"))

    # ------------------------------------------------------------------ given

    @cached_property
    def settings(self) -> dict[Expr, float]:
        """The numbers that stand for themselves: the learning rate, the optimizer's letters, penalties."""
        objective, rule = self.net.objective, self.rule
        settings: dict[Expr, float] = {}
        if rule is not None:
            letters = self.step.letters()
            counts = any(TIME in formula.leaves() for _, formula in rule.steps)
            settings |= {letter: number for letter, number in letters.items() if letter != TIME or counts}
            settings |= {} if rule.clip_norm is None else {LIMIT: rule.clip_norm}
        settings |= {L1: objective.l1} if objective.l1 else {}
        return settings | ({L2: objective.l2} if objective.l2 else {})

    @cached_property
    def step(self) -> Step:
        """The first update."""
        assert self.rule is not None
        rate = self.rule.schedule(0, self.planned)
        return Step(self.net, self.evidence.grads.flat, self.rule, rate=rate)

    @property
    def is_scheduled(self) -> bool:
        """Whether the learning rate changes from step to step."""
        return self.rule is not None and self.rule.schedule.name != "constant"

    # ------------------------------------------------------------------ formulas

    def define(self, leaf: Expr) -> Expr:
        """The formula of a quantity, with each hyperparameter as a symbol."""
        if isinstance(leaf, Own):
            return self._updates[leaf.parameter][leaf]
        if isinstance(leaf, Symbol):
            return self._clipping[leaf]
        if isinstance(leaf, Rate) and leaf.by.kind in ("W", "b") and leaf.top == self.cost:
            return total([*self.definitions.pulls(leaf.by), *self.penalty_slopes(leaf.by)])
        if isinstance(leaf, Quantity) and leaf.kind == "penalty":
            return self._penalty(leaf)
        if isinstance(leaf, Quantity) and leaf.kind == "delta" and self.is_fused(leaf.layer):
            return self.definitions.fused_delta(leaf)
        formula = self.definitions(leaf)
        assert formula is not None, leaf
        return _kept_finite(formula) if self._meets_zero and _is_of_loss(leaf) else formula

    @cached_property
    def _meets_zero(self) -> bool:
        """Whether outputs lie where the loss has a log 0 or a 1/0, as those of a ReLU do for poisson."""
        low, high = self.net.loss.domain
        z = np.random.default_rng(0).normal(size=(64, self.net.sizes[-1]))
        a = self.net.objective.output.value(z)
        return bool(a.min() <= low or a.max() >= high)

    def is_fused(self, layer: int) -> bool:
        """Whether the deltas of a layer shorten to a − y."""
        return layer == self.n_layers and self.net.objective.fused is not None

    def _penalty(self, q: Quantity) -> Expr:
        weights = list(self.definitions.weights())
        if q.index == (1,):
            return L1 * total([absolute(w) for w in weights])
        return L2 / 2 * total([w**2 for w in weights])

    def penalty_slopes(self, p: Quantity) -> list[Expr]:
        """What the penalties add to the gradient of a parameter."""
        objective = self.net.objective
        if p.kind != "W":
            return []
        slopes: list[Expr] = [L1 * sign(p)] if objective.l1 else []
        return [*slopes, L2 * p] if objective.l2 else slopes

    @cached_property
    def _clipping(self) -> dict[Expr, Expr]:
        """The gradient's length, and the share of it that is taken."""
        squares = [Rate(self.cost, p) ** 2 for p in self.trained]
        return {
            NORM: sqrt(total(squares)),
            SHARE: Choice(LIMIT / NORM, Compare(NORM, ">", LIMIT), Number(1)),
        }

    def lines(self, p: Quantity) -> list[Own]:
        """The lines of the update of a parameter, in order; none of a frozen one."""
        return list(self._updates.get(p, ()))

    @cached_property
    def _updates(self) -> dict[Quantity, dict[Own, Expr]]:
        return {p: dict(self._lines_of(p)) for p in self.trained} if self.rule else {}

    def _lines_of(self, p: Quantity) -> Iterator[tuple[Own, Expr]]:
        assert self.rule is not None
        gradient: Expr = Rate(self.cost, p)
        worth: dict[Expr, Expr] = {
            THETA: p,
            GRADIENT: SHARE * gradient if LIMIT in self.settings else gradient,
        }
        worth |= {Symbol(slot): Own(Symbol(slot), p) for slot in self.rule.slots}
        for line, (symbol, formula) in enumerate(self.step.steps(self.positions[p]), start=1):
            own = Own(symbol, p, line)
            yield own, formula.replace(worth.get)
            worth[symbol] = own

    def placed(self, formula: Expr, place: Place) -> Expr:
        """The formula over quantities that have a cell."""

        def put_in(part: Expr) -> Expr | None:
            if not isinstance(part, Quantity | Rate | Own) or place(part) is not None:
                return None
            return self.placed(self.define(part), place)

        return formula.replace(put_in)

    # ------------------------------------------------------------------ numbers

    def value(self, leaf: Expr) -> float:
        """What a quantity of the first step is worth."""
        if isinstance(leaf, Own):
            return self._own_value(leaf)
        if leaf in (NORM, SHARE):
            return clipping_value(leaf, self.step.raw, self.rule)
        return self.settings[leaf] if leaf in self.settings else self.evidence(leaf)

    def _own_value(self, own: Own) -> float:
        if own.line == 0:
            return 0.0
        if own == self.lines(own.parameter)[-1]:
            return float(self.step.after[self.positions[own.parameter]])
        return float(self.define(own).value(self.value))

    def run(self, steps: int) -> Iterator[Moment]:
        """The network before the first step and after each, as training makes it."""
        net, rule = self.net.copy(), self.rule
        assert rule is not None
        slots, rates = rule.start(net.parameters), rule.schedule.rates(np.arange(float(steps)), steps)
        with np.errstate(all="ignore"):
            for number in range(steps + 1):
                step = Step(net, self.look(net).grads.flat, rule, slots, float(rates[min(number, steps - 1)]))
                yield Moment(number, self.look(net), slots, step.raw, float(rates[number - 1]))
                rule.update(net.parameters, step.gradient, slots, step.rate, number + 1, net.decaying)


@dataclass(frozen=True, eq=False)
class Moment:
    """A training run after so many steps; ``rate`` is the learning rate of the last."""

    number: int
    evidence: Evidence
    slots: Array
    gradient: Array
    rate: float


def _is_of_loss(leaf: Expr) -> bool:
    """Whether a quantity is worked out by the formula of the loss, or by its derivative."""
    if isinstance(leaf, Rate):
        return leaf.top.kind == "E"
    return isinstance(leaf, Quantity) and leaf.kind == "term"


def _kept_finite(formula: Expr) -> Expr:
    """The formula with log 0 and 1/0 as training takes them: 0 counts as a tiny number."""

    def keep(part: Expr) -> Expr | None:
        if isinstance(part, Call) and part.function == "log":
            return log(_more_than_zero(part.argument))
        if isinstance(part, Div):
            return part.top.replace(keep) / _more_than_zero(part.bottom)
        return None

    return formula.replace(keep)


def _more_than_zero(body: Expr) -> Expr:
    floor = Number(_ROUNDED if isinstance(body, Add) else _TINIEST)
    return Choice(body, Compare(body, ">", floor), floor)


def clipping_value(leaf: Expr, gradient: Array, rule: GradientStep | None) -> float:
    """The gradient's length, or the share of it that is taken."""
    assert rule is not None
    norm, limit = float(np.linalg.norm(gradient)), rule.clip_norm
    assert limit is not None
    if leaf == NORM:
        return norm
    return limit / norm if norm > limit else 1.0


# ---------------------------------------------------------------------- the sheet "network"


@dataclass(frozen=True)
class Row:
    """A quantity on a row of its own: a cell for each sample, or one."""

    leaves: tuple[Expr, ...]
    what: str
    given: bool = False
    result: bool = False


@dataclass(frozen=True)
class Part:
    """Rows under a heading."""

    title: str
    rows: tuple[Row, ...]


class NetworkSheet:
    """What stands where on the sheet: every quantity of one step.

    Parameters
    ----------
    model : Model
    first : int
        The row, from 0, on which the first part begins.
    """

    VALUES = 3  # the column of the first values

    def __init__(self, model: Model, first: int) -> None:
        self.model, self.net = model, model.net
        self.notation = Tutorial(model.net, None, 1, model.evidence.plain)
        listed: list[list[Part | Row]] = [[part, *part.rows] for part in self._parts() if part.rows]
        self.rows = dict(enumerate(chain.from_iterable(listed), start=first))
        self.places = dict(self._all_places())

    def _all_places(self) -> Iterator[tuple[Expr, Cell]]:
        for row, each in self.rows.items():
            if isinstance(each, Row):
                fixed = len(each.leaves) == 1 and (self.model.n_samples > 1 or each.given)
                for column, leaf in enumerate(each.leaves, start=self.VALUES):
                    yield leaf, Cell(row, column, fixed=fixed)

    def place(self, leaf: Expr) -> Cell | None:
        """Where a quantity stands, if it has a cell; a sample's share of the cost is that of all."""
        if isinstance(leaf, Rate) and leaf.by.kind == "E":
            leaf = Rate(leaf.top, Quantity("E"))
        return self.places.get(leaf)

    def formula(self, leaf: Expr) -> str:
        """What a cell holds."""
        return excel(
            self.model.placed(self.model.define(leaf), self.place), lambda part: _found(self.place(part))
        )

    # ------------------------------------------------------------------ in words

    def name(self, leaf: Expr) -> str:
        """What a quantity is called on its row."""
        if not isinstance(leaf, Own):
            return str(self._named(leaf))
        parameter = self.name(leaf.parameter)
        if leaf.symbol == THETA:
            return f"{parameter} {'new' if self._ends(leaf) else 'shrunk'}"
        return f"{leaf.symbol} of {parameter}{'' if leaf.line else ', before'}"

    def _ends(self, own: Own) -> bool:
        return own == self.model.lines(own.parameter)[-1]

    def _named(self, formula: Expr) -> Expr:
        def put_in(part: Expr) -> Expr | None:
            if isinstance(part, Own):
                return self.notation.write(part.parameter) if part.symbol == THETA else part.symbol
            return self.notation.write(part) if isinstance(part, Quantity | Rate) else None

        return formula.replace(put_in)

    def symbols(self, leaf: Expr) -> str:
        """The formula as a person writes it, for any one sample."""
        formula = self.model.placed(self._for_any_sample(leaf), self.place)
        return text(_shortened(self._named(formula)))

    def _for_any_sample(self, leaf: Expr) -> Expr:
        """Of several samples the sum over them, Σₙ, is not written out."""
        model, n = self.model, self.model.n_samples
        if n == 1:
            return model.define(leaf)
        if isinstance(leaf, Rate) and leaf.by.kind in ("W", "b"):
            pulls = model.definitions.pulls(leaf.by)
            first = Total("n", total(pulls[: len(pulls) // n]))
            return total([first, *model.penalty_slopes(leaf.by)])
        if leaf == model.cost:
            losses: Expr = Total("n", Quantity("E"))
            data = losses / n if self.net.objective.reduction == "mean" else losses
            return total([data, *model.definitions.penalties()])
        return model.define(leaf)

    # ------------------------------------------------------------------ which rows

    def _parts(self) -> Iterator[Part]:
        yield Part("Given: inputs and targets", tuple(self.data()))
        yield Part("Given: weights and biases", tuple(map(self._parameter, self.model.parameters)))
        yield Part("Given: settings", tuple(self._settings()))
        yield Part("Forward pass", tuple(self._forward()))
        yield Part("Loss", tuple(self._loss()))
        yield Part("Backward pass", tuple(self._backward()))
        yield Part("Gradients", tuple(self._gradients()))
        if self.model.rule is not None:
            yield Part("Given: what the optimizer remembers from before", tuple(self._memory()))
            yield Part(f"Update ({self.model.rule.name})", tuple(self._update()))

    def _each(self, leaf: Callable[[int], Expr], what: str, **more: bool) -> Row:
        """A row with a cell for each sample."""
        return Row(tuple(map(leaf, range(self.model.n_samples))), what, **more)

    def _neuron(self, layer: int, index: int) -> str:
        return self.notation.label(layer, index)

    def data(self) -> Iterator[Row]:
        """Inputs and targets."""
        last, sizes = self.model.n_layers, self.net.sizes
        for i in range(sizes[0]):
            yield self._each(_sampled("a", 0, i), f"input {i + 1}", given=True)
        for k in range(sizes[-1]):
            yield self._each(_sampled("y", last, k), f"target of {self._neuron(last, k)}", given=True)

    def _parameter(self, p: Quantity) -> Row:
        if p.kind == "W":
            what = (
                f"weight from {self._neuron(p.layer - 1, p.index[0])} to {self._neuron(p.layer, p.index[1])}"
            )
        elif p.index:
            what = f"bias of {self._neuron(p.layer, p.index[0])}"
        else:
            what = f"bias that layer {p.layer} shares"
        return Row((p,), what if p in self.model.trained else f"{what}; frozen", given=True)

    def _settings(self) -> Iterator[Row]:
        model = self.model
        words: dict[Expr, str] = {
            ETA: "learning rate", TIME: "number of this update", LIMIT: "greatest length of the gradient",
            L1: "penalty on Σ|w|", L2: "penalty on Σw²/2",
        }  # fmt: skip
        words |= {} if model.rule is None else {k: v.replace("_", " ") for k, v in model.rule.letters.items()}
        for letter in model.settings:
            yield Row((letter,), words[letter], given=True)

    def _forward(self) -> Iterator[Row]:
        for layer in range(1, self.model.n_layers + 1):
            activation = self.model.evidence.layer(layer).activation.name
            for j in range(self.net.sizes[layer]):
                neuron = self._neuron(layer, j)
                yield self._each(_sampled("z", layer, j), f"weighted input of {neuron}")
                yield self._each(_sampled("a", layer, j), f"output of {neuron}: {activation}")

    def _loss(self) -> Iterator[Row]:
        model, last = self.model, self.model.n_layers
        words = self.net.loss.name.replace("_", " ")
        outputs = range(self.net.sizes[-1])
        if len(outputs) > 1:
            for k in outputs:
                yield self._each(_sampled("term", last, k), f"{words} of {self._neuron(last, k)}")
        yield self._each(lambda s: Quantity("E", sample=s), f"loss: {words}", result=model.evidence.plain)
        for penalty in model.definitions.penalties():
            yield Row((penalty,), f"penalty on the weights, l{penalty.index[0]}")
        if not model.evidence.plain:
            yield Row((model.cost,), self._cost_in_words(), result=True)

    def _cost_in_words(self) -> str:
        objective, n = self.net.objective, self.model.n_samples
        data = "loss" if n == 1 else f"{objective.reduction} of the losses of {n} samples"
        return f"cost: {data}{' and penalty' if objective.l1 or objective.l2 else ''}"

    def _backward(self) -> Iterator[Row]:
        model = self.model
        if not model.evidence.is_single:
            yield Row((Rate(Quantity("L"), Quantity("E")),), "share of each sample in the cost")
        for layer in range(model.n_layers, 0, -1):
            if not model.is_fused(layer):
                yield from self._factors(layer)
            for j in range(self.net.sizes[layer]):
                neuron = self._neuron(layer, j)
                what = f"delta of {neuron}: how the {self._cost} changes with net_{neuron}"
                yield self._each(_sampled("delta", layer, j), what)

    @property
    def _cost(self) -> str:
        return "loss" if self.model.evidence.plain else "cost"

    def _factors(self, layer: int) -> Iterator[Row]:
        """∂E/∂a, and the slopes ∂a/∂z, of all neurons of a layer."""
        model, neurons = self.model, range(self.net.sizes[layer])
        of_output = layer == model.n_layers
        top, cost = (Quantity("E"), "loss") if of_output else (model.cost, self._cost)
        activation = model.evidence.layer(layer).activation.name
        for j in neurons:
            what = f"how the {cost} changes with out_{self._neuron(layer, j)}"
            yield self._each(_rate(top, Quantity("a", layer, (j,))), what)
        for j in neurons:
            for k in neurons if model.evidence.is_coupled(layer) else (j,):
                a, z = Quantity("a", layer, (j,)), Quantity("z", layer, (k,))
                yield self._each(_rate(a, z), f"slope of the {activation} at {self._neuron(layer, k)}")

    def _gradients(self) -> Iterator[Row]:
        for p in self.model.parameters:
            yield Row((Rate(self.model.cost, p),), f"gradient of {self.name(p)}")
        if LIMIT in self.model.settings:
            yield Row((NORM,), "length of the gradient of all trained parameters")
            yield Row((SHARE,), "share of the gradient that is taken")

    def _memory(self) -> Iterator[Row]:
        assert self.model.rule is not None
        for slot in self.model.rule.slots:
            for p in self.model.trained:
                yield Row((Own(Symbol(slot), p),), f"{slot} before the update", given=True)

    def _update(self) -> Iterator[Row]:
        for p in self.model.trained:
            for own in self.model.lines(p):
                yield Row((own,), self._line_in_words(own), result=self._ends(own))

    def _line_in_words(self, own: Own) -> str:
        """What a line of the update gives."""
        assert self.model.rule is not None
        parameter = self.name(own.parameter)
        if own.symbol == THETA:
            return f"{parameter} after {'the update' if self._ends(own) else 'weight decay'}"
        if own.symbol.base in self.model.rule.slots and not own.symbol.accent:
            return f"{own.symbol} after the update"
        return f"for the update of {parameter}"


def _sampled(kind: str, layer: int, index: int) -> Callable[[int], Expr]:
    return lambda sample: Quantity(kind, layer, (index,), sample)


def _rate(top: Quantity, by: Quantity) -> Callable[[int], Expr]:
    def of(sample: int) -> Expr:
        whole = top.kind == "L"
        above = top if whole else Quantity(top.kind, top.layer, top.index, sample)
        return Rate(above, Quantity(by.kind, by.layer, by.index, sample))

    return of


def _found(cell: Cell | None) -> Cell:
    assert cell is not None
    return cell


def _shortened(formula: Expr) -> Expr:
    """The formula with the first terms only of each long sum."""

    def shorten(part: Expr) -> Expr | None:
        if not isinstance(part, Add) or len(part.terms) <= MOST_TERMS:
            return None
        shown, left = part.terms[:SHOWN_TERMS], part.terms[SHOWN_TERMS:]
        return Add((*shown, Rest(left, f"{len(left)} more terms")))

    return formula.replace(shorten)


# ---------------------------------------------------------------------- the sheet "training"

#: Stand for the number of a row, and of the row before, until it is known.
NOW, BEFORE = "{0}", "{1}"


@dataclass(frozen=True)
class Column:
    """A quantity in a column: its formula in the first row, and in each other."""

    leaf: Expr
    group: str
    first: str
    other: str


class TrainingSheet:
    """What stands in which column: parameters, what the optimizer remembers, and one step's working.

    Parameters
    ----------
    model : Model
    network : NetworkSheet
        Where the given numbers are.
    """

    STEP, COST, PARAMETERS = 0, 1, 2

    def __init__(self, model: Model, network: NetworkSheet) -> None:
        self.model, self.network = model, network
        self.notation = Tutorial(model.net, None, model.n_samples, model.evidence.plain)
        self._slots = {own for p in model.trained for own in self._remembered(p)}
        leaves = list(self._leaves())
        self._at = {leaf: column for column, (leaf, _) in enumerate(leaves)}
        self.columns = [self._column(leaf, group) for leaf, group in leaves]

    def _remembered(self, p: Quantity) -> Iterator[Own]:
        """The lines of the update that a later update goes on from."""
        assert self.model.rule is not None
        slots = [Symbol(slot) for slot in self.model.rule.slots]
        return (own for own in self.model.lines(p) if own.symbol in slots)

    def _leaves(self) -> Iterator[tuple[Expr, str]]:
        model = self.model
        yield TIME, "step"
        yield model.cost, "loss" if model.evidence.plain else "cost"
        yield from ((p, "parameters") for p in model.parameters)
        for slot in model.rule.slots if model.rule else ():
            yield from ((own, f"memory {slot}") for own in self._in_order if own.symbol == Symbol(slot))
        if model.is_scheduled:
            yield ETA, "learning rate"
        yield from ((leaf, "forward pass") for leaf in self._forward())
        yield from ((leaf, "backward pass") for leaf in self._backward())
        yield from ((Rate(model.cost, p), "gradients") for p in model.trained)
        if LIMIT in model.settings:
            yield from ((leaf, "gradients") for leaf in (NORM, SHARE))

    @property
    def _in_order(self) -> list[Own]:
        return [own for p in self.model.trained for own in self._remembered(p)]

    def _forward(self) -> Iterator[Expr]:
        sizes, samples = self.model.net.sizes, range(self.model.n_samples)
        for layer in range(1, len(sizes)):
            for kind in "za":
                yield from (_sampled(kind, layer, j)(s) for j in range(sizes[layer]) for s in samples)
        if not self.model.evidence.plain:
            yield from (Quantity("E", sample=s) for s in samples)

    def _backward(self) -> Iterator[Expr]:
        model, samples = self.model, range(self.model.n_samples)
        for layer in range(model.n_layers, 0, -1):
            neurons = range(model.net.sizes[layer])
            if model.evidence.is_coupled(layer) and not model.is_fused(layer):
                top = Quantity("E") if layer == model.n_layers else model.cost
                rates = [_rate(top, Quantity("a", layer, (j,))) for j in neurons]
                yield from (rate(s) for rate in rates for s in samples)
            yield from (_sampled("delta", layer, j)(s) for j in neurons for s in samples)

    # ------------------------------------------------------------------ formulas

    def _column(self, leaf: Expr, group: str) -> Column:
        place = self.network.places
        if leaf == TIME:
            start = f"={_there(place[TIME])}-1" if TIME in place else ""
            return Column(leaf, group, start, f"={Cell(BEFORE, self.STEP)}+1")
        if leaf == ETA:
            return Column(leaf, group, "", "")
        if isinstance(leaf, Own):
            before = place[Own(leaf.symbol, leaf.parameter)]
            return Column(leaf, group, f"={_there(before)}", self._next(self.model.define(leaf)))
        if isinstance(leaf, Quantity) and leaf in self.model.positions:
            lines = self.model.lines(leaf)
            new = self._next(self.model.define(lines[-1])) if lines else f"={Cell(BEFORE, self._at[leaf])}"
            return Column(leaf, group, f"={_there(place[leaf])}", new)
        formula = self._formula(self.model.define(leaf), self._now)
        return Column(leaf, group, formula, formula)

    def _formula(self, formula: Expr, place: Place) -> str:
        placed = self.model.placed(formula, place)
        # No SUM(DC5:DF5): LibreOffice 7.4 works out 100 like formulas in parallel, and such ranges too early.
        return excel(placed, lambda leaf: _found(place(leaf)), ranges=False)

    def _next(self, formula: Expr) -> str:
        return self._formula(formula, self._after_update)

    def _now(self, leaf: Expr) -> Cell | None:
        """Where a quantity of this row's passes stands."""
        if leaf in self._at:
            return Cell(NOW, self._at[leaf])
        given = self.model.settings.keys() | self._data
        return _there(self.network.places[leaf]) if leaf in given else None

    @cached_property
    def _data(self) -> set[Expr]:
        return {leaf for row in self.network.data() for leaf in row.leaves}

    def _after_update(self, leaf: Expr) -> Cell | None:
        """Where a quantity stands for the update that leads to this row: mostly in the row before."""
        if leaf in (TIME, ETA) or leaf in self._slots:
            return self._now(leaf)
        if isinstance(leaf, Own) and leaf.line == 0:
            (leaf,) = (own for own in self._remembered(leaf.parameter) if own.symbol == leaf.symbol)
        return Cell(BEFORE, self._at[leaf]) if leaf in self._at else self._now(leaf)

    # ------------------------------------------------------------------ names and numbers

    def name(self, leaf: Expr) -> str:
        """The heading of a column."""
        if leaf == TIME:
            return "n"
        return self.network.name(leaf) if isinstance(leaf, Own) else str(self.notation.write(leaf))

    def values(self, moment: Moment) -> Iterator[float]:
        """The row of a moment, as training computes it."""
        for column in self.columns:
            leaf = column.leaf
            if leaf in (NORM, SHARE):
                yield clipping_value(leaf, moment.gradient, self.model.rule)
            elif isinstance(leaf, Own):
                yield float(moment.slots[self._slot(leaf), self.model.positions[leaf.parameter]])
            else:
                given: dict[Expr, float] = {TIME: float(moment.number), ETA: moment.rate}
                yield given[leaf] if leaf in given else moment.evidence(leaf)

    def _slot(self, own: Own) -> int:
        assert self.model.rule is not None
        return self.model.rule.slots.index(own.symbol.base)


def _there(cell: Cell) -> Cell:
    """A cell of the sheet network, seen from another."""
    return cell._replace(sheet="network", fixed=True)


# ---------------------------------------------------------------------- the file

_INK, _BAR, _GIVEN, _RESULT, _LINE = "#1F3864", "#D9E2F3", "#EAF3FF", "#FFF2CC", "#E3E3E3"
_NUMBER = "0.000000000"
_LOOKS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 16, "font_color": _INK},
    "words": {"text_wrap": True, "valign": "top", "font_color": "#404040"},
    "head": {"bold": True, "bg_color": _INK, "font_color": "#FFFFFF", "valign": "vcenter"},
    "head_right": {"bold": True, "bg_color": _INK, "font_color": "#FFFFFF", "align": "right"},
    "part": {"bold": True, "bg_color": _BAR, "font_color": _INK},
    "name": {"bold": True, "valign": "top", "bottom": 1, "bottom_color": _LINE},
    "what": {"text_wrap": True, "valign": "top", "bottom": 1, "bottom_color": _LINE},
    "formula": {
        "text_wrap": True, "valign": "top", "italic": True, "font_color": "#404040",
        "bottom": 1, "bottom_color": _LINE,
    },
    "given": {
        "font_color": "#0000FF", "bg_color": _GIVEN, "border": 1, "border_color": "#9DC3E6",
        "locked": False, "valign": "top",
    },
    "number": {"num_format": _NUMBER, "valign": "top", "bottom": 1, "bottom_color": _LINE},
    "result": {"num_format": _NUMBER, "valign": "top", "bold": True, "bg_color": _RESULT},
    "count": {"num_format": "0", "bold": True},
    "cell": {"num_format": _NUMBER},
    "rate": {"font_color": "#0000FF", "num_format": _NUMBER, "locked": False},
    "tiny": {"num_format": "0.00000E+00"},
}  # fmt: skip

_EVERYWHERE = "A1:XFD1048576"

#: What a protected sheet still lets people do.
_ALLOWED = {"format_cells": True, "format_columns": True, "format_rows": True, "objects": True}


class _Full(float):
    """A float that XlsxWriter, which asks for 16 digits, writes with all that tell it from every other."""

    def __format__(self, spec: str) -> str:
        return float.__repr__(self)


def _height(*texts: tuple[str, int]) -> float:
    """The height of a row whose texts are wrapped in columns so wide: not every program finds it itself."""
    return 15.0 * max(1, *(math.ceil(len(words) / width) for words, width in texts))


def _write(sheet: Any, row: int, column: int, words: str, look: Any = None) -> None:
    """A cell of text, never of anything else."""
    sheet.write_string(row, column, clean(words), look)


class _Workbook:
    """Writes the sheets.

    Parameters
    ----------
    model : Model
    title : str
    notes : sequence of str
        What is said under the title.
    steps : int
    """

    TABLE = 4  # the first row, from 0, of numbers on the sheet "training"
    ACROSS = 13  # so many columns can still be read when they are printed on one page
    WIDTHS = (19, 46, 50)  # of the columns of words on the sheet "network"

    def __init__(self, model: Model, title: str, notes: Sequence[str], steps: int) -> None:
        self.model, self.title, self.notes, self.steps = model, title, notes, steps
        self.head = 3 + len(notes)
        self.network = NetworkSheet(model, self.head + 1)
        self.width = NetworkSheet.VALUES + model.n_samples

    def written(self) -> bytes:
        """The file; equal workbooks are equal bytes."""
        buffer = BytesIO()
        self.book = import_extra("xlsxwriter", "xlsx").Workbook(buffer, {"in_memory": True})
        self.book.set_properties({"title": self.title, "created": datetime(2000, 1, 1)})
        self.looks = {name: self.book.add_format(look) for name, look in _LOOKS.items()}
        sheet = self._network()
        if self.model.rule is not None:
            self._training(TrainingSheet(self.model, self.network))
            sheet.insert_chart(self.head, self.width + 1, self._chart())
            loss = self.book.add_chartsheet("loss")
            loss.set_chart(self._chart())
        self._read_me()
        self.book.close()
        return buffer.getvalue()

    def _sheet(self, name: str, columns: int) -> Any:
        """A sheet for A4 paper, on one page across if so many columns can be read there."""
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        if columns <= self.ACROSS:
            sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&RPage &P of &N")
        sheet.hide_gridlines(2)
        sheet.ignore_errors({"formula_differs": _EVERYWHERE, "formula_range": _EVERYWHERE})
        return sheet

    def _number_or_error(self, value: float) -> float | str:
        return value if math.isfinite(value) else "#NUM!"

    def _tiny(self, sheet: Any, first_row: int, first_column: int, last_row: int, last_column: int) -> None:
        """Numbers too small for nine decimals, or too large for the column, have an exponent."""
        corner = Cell(first_row, first_column)
        small = f"=AND(ISNUMBER({corner}),{corner}<>0,OR(ABS({corner})<0.0001,ABS({corner})>=1000000))"
        rule = {"type": "formula", "criteria": small, "format": self.looks["tiny"]}
        sheet.conditional_format(first_row, first_column, last_row, last_column, rule)

    # ------------------------------------------------------------------ the sheet "network"

    def _network(self) -> Any:
        sheet = self._sheet("network", self.width)
        sheet.repeat_rows(self.head)
        sheet.repeat_columns(0)
        for column, width in enumerate(self.WIDTHS):
            sheet.set_column(column, column, width)
        sheet.set_column(NetworkSheet.VALUES, self.width - 1, 16)
        self._opening(sheet)
        for row, each in self.network.rows.items():
            if isinstance(each, Part):
                self._bar(sheet, row, each.title)
            else:
                self._row(sheet, row, each)
        sheet.freeze_panes(self.head + 1, 1)
        sheet.print_area(0, 0, row, self.width - 1)
        sheet.protect("", _ALLOWED)
        self._tiny(sheet, self.head + 1, NetworkSheet.VALUES, row, self.width - 1)
        self._names()
        return sheet

    def _opening(self, sheet: Any) -> None:
        net, loss = self.model.net, self.model.net.loss.name.replace("_", " ")
        rule = f"; optimizer: {self.model.rule.name}" if self.model.rule else ""
        lines = [f"{net!r}; loss: {loss}{rule}.", _HINT, *self.notes]
        _write(sheet, 0, 0, self.title, self.looks["title"])
        for row, line in enumerate(lines, start=1):
            sheet.merge_range(row, 0, row, self.width - 1, "", self.looks["words"])
            _write(sheet, row, 0, line, self.looks["words"])
            sheet.set_row(row, _height((line, sum(self.WIDTHS) + 16 * self.model.n_samples)))
        heads = ["name", "what it is", "formula"]
        for column, words in enumerate(heads):
            _write(sheet, self.head, column, words, self.looks["head"])
        n = self.model.n_samples
        for column in range(n):
            words = "value" if n == 1 else f"sample {column + 1}"
            _write(sheet, self.head, NetworkSheet.VALUES + column, words, self.looks["head_right"])

    def _bar(self, sheet: Any, row: int, title: str) -> None:
        _write(sheet, row, 0, title, self.looks["part"])
        for column in range(1, self.width):
            sheet.write_blank(row, column, None, self.looks["part"])

    def _row(self, sheet: Any, row: int, each: Row) -> None:
        first = each.leaves[0]
        _write(sheet, row, 0, self.network.name(first), self.looks["name"])
        _write(sheet, row, 1, each.what, self.looks["what"])
        written = "" if each.given else self.network.symbols(first)
        _write(sheet, row, 2, written, self.looks["formula"])
        sheet.set_row(row, _height((each.what, self.WIDTHS[1]), (written, self.WIDTHS[2])))
        for leaf in each.leaves:
            self._value(sheet, leaf, each)

    def _value(self, sheet: Any, leaf: Expr, each: Row) -> None:
        cell, value = self.network.places[leaf], self.model.value(leaf)
        if each.given:
            sheet.write_number(cell.row, cell.column, _Full(value), self.looks["given"])
            return
        look = self.looks["result" if each.result else "number"]
        formula = self.network.formula(leaf)
        sheet.write_formula(cell.row, cell.column, formula, look, self._number_or_error(value))

    def _names(self) -> None:
        """Parameters and the learning rate by name, for formulas of one's own."""
        named: dict[str, Expr] = {defined_name(self.network.name(p)): p for p in self.model.parameters}
        named |= {"eta": ETA} if ETA in self.network.places else {}
        for name, leaf in named.items():
            self.book.define_name(name, f"={_there(self.network.places[leaf])}")

    # ------------------------------------------------------------------ the sheet "training"

    def _training(self, table: TrainingSheet) -> None:
        state = sum(column.group not in _WORKING for column in table.columns)
        sheet, last = self._sheet("training", state), self.TABLE + self.steps
        sheet.repeat_rows(self.TABLE - 2, self.TABLE - 1)
        sheet.repeat_columns(0, 1)
        _write(sheet, 0, 0, self.title, self.looks["title"])
        _write(sheet, 1, 0, _TRAINING_HINT)
        self._headings(sheet, table)
        for moment in self.model.run(self.steps):
            self._moment(sheet, table, moment)
        sheet.set_column(0, 0, 6)
        sheet.set_column(1, len(table.columns) - 1, 13.5)
        sheet.print_area(0, 0, last, state - 1)
        sheet.freeze_panes(self.TABLE, TrainingSheet.PARAMETERS)
        sheet.protect("", _ALLOWED)
        self._tiny(sheet, self.TABLE, 1, last, len(table.columns) - 1)

    def _headings(self, sheet: Any, table: TrainingSheet) -> None:
        group = ""
        for index, column in enumerate(table.columns):
            words = column.group if column.group != group else ""
            _write(sheet, self.TABLE - 2, index, words, self.looks["part"])
            _write(sheet, self.TABLE - 1, index, table.name(column.leaf), self.looks["head_right"])
            group = column.group

    def _moment(self, sheet: Any, table: TrainingSheet, moment: Moment) -> None:
        row = self.TABLE + moment.number
        for index, value in enumerate(table.values(moment)):
            column = table.columns[index]
            formula = column.other if moment.number else column.first
            look = self.looks["count" if index == TrainingSheet.STEP else "cell"]
            if formula:
                here = formula.format(row + 1, row)
                sheet.write_formula(row, index, here, look, self._number_or_error(value))
            elif moment.number or column.leaf != ETA:
                given = look if column.leaf == TIME else self.looks["rate"]
                sheet.write_number(row, index, _Full(value), given)

    def _chart(self) -> Any:
        chart = self.book.add_chart({"type": "line"})
        first, last = self.TABLE, self.TABLE + self.steps
        words = "loss" if self.model.evidence.plain else "cost"
        chart.add_series({
            "name": words,
            "categories": ["training", first, TrainingSheet.STEP, last, TrainingSheet.STEP],
            "values": ["training", first, TrainingSheet.COST, last, TrainingSheet.COST],
            "line": {"color": _INK, "width": 2},
        })  # fmt: skip
        chart.set_title({"name": f"The {words} in {self.steps} steps", "overlay": False})
        every = max(1, self.steps // 10)
        chart.set_x_axis({"name": "step", "interval_unit": every, "interval_tick": every})
        chart.set_y_axis({"name": words, "min": 0} if self._is_positive else {"name": words})
        chart.set_legend({"none": True})
        return chart

    @property
    def _is_positive(self) -> bool:
        return self.model.net.loss.name != "poisson"

    # ------------------------------------------------------------------ the sheet "read me"

    def _read_me(self) -> None:
        sheet = self._sheet("read me", 2)
        sheet.set_portrait()
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 88)
        _write(sheet, 0, 0, self.title, self.looks["title"])
        row = 2
        for title, lines in self._explanations():
            _write(sheet, row, 0, title, self.looks["part"])
            sheet.write_blank(row, 1, None, self.looks["part"])
            for left, right in lines:
                row += 1
                _write(sheet, row, 0, left, self.looks["name"])
                _write(sheet, row, 1, right, self.looks["what"])
                sheet.set_row(row, _height((right, 88)))
            row += 2

    def _explanations(self) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
        trains = self.model.rule is not None
        sheets = [("network", _NETWORK)]
        if trains:
            sheets += [("training", _TRAINING.format(steps=f"{self.steps:,}")), ("loss", _LOSS)]
        yield "The sheets", sheets
        yield "How to use them", _USE
        names = [line for line in _NAMES if self.model.n_samples > 1 or line[0] not in _OF_SEVERAL]
        yield "Names", names
        yield "Numbers", _NUMBERS
        if self.notes:
            yield "This workbook", [("", note) for note in self.notes]


_WORKING = ("forward pass", "backward pass", "gradients")
_HINT = (
    "Blue cells are given: change one, and everything that follows from it changes. All other numbers are "
    "formulas. The sheet “read me” explains the names."
)
_TRAINING_HINT = (
    "Row n is the network after n updates; every number follows from the row before it. The first row takes "
    "the numbers of the sheet “network”. To the right of the parameters: the working of each step."
)
_NETWORK = (
    "One step, worked out once: the given numbers, the forward pass, the loss, the backward pass, the "
    "gradients and the update. On each row: a quantity’s name, what it is, its formula, and its number."
)
_TRAINING = (
    "{steps} steps, one on each row. Every step takes all samples. The working of a step (forward pass, "
    "backward pass, gradients) stands to the right of the parameters."
)
_LOSS = "The column of the loss as a curve; the same curve stands beside the numbers of the sheet network."
_USE = (
    ("Change a number", "Only in blue cells: inputs, targets, weights, biases and settings. "
     "The learning rate is a good one to begin with: watch the curve of the loss."),
    ("Follow a formula", "Click a cell: its formula refers to the cells of the quantities that the third "
     "column names. $ marks a cell that stays the same when a formula is copied to the next sample."),
    ("Write your own", "Parameters have names that formulas may use: w_5 is w5, b_1 is b1, b_h1 is b_h1; "
     "eta is the learning rate. (W5 is a cell, so w5 cannot be a name.)"),
    ("Change a formula", "The sheets are protected against slips, without a password: unprotect the sheet "
     "first (in Excel under Review)."),
)  # fmt: skip
_NAMES = (
    ("i1, h1, o1", "An input, a neuron of a hidden layer, an output."),
    ("w1, w2, …", "Weights, counted neuron by neuron, each neuron’s inputs in order."),
    ("b1, b_h1", "The bias that layer 1 shares; the bias of neuron h1 alone."),
    ("net_h1, out_h1", "What neuron h1 takes in, weighted and summed; what it puts out."),
    ("y_o1", "The target of output o1."),
    ("E_o1, E", "The loss of output o1; of all outputs together."),
    ("L", "The cost: the losses of all samples, and penalties where there are any."),
    ("∂E/∂w1", "How E changes with w1, all other parameters kept: the gradient."),
    ("δ_h1", "How the loss, or the cost, changes with net_h1."),
    ("Σₙ", "The sum over all samples, which stand side by side."),
    ("net_h1⁽²⁾", "On the sheet training: the number of sample 2."),
    ("… if … else …", "In a formula “u if z > 0 else v”: u where the test holds, otherwise v."),
)
_OF_SEVERAL = ("Σₙ", "net_h1⁽²⁾")
_NUMBERS = (
    ("Decimals", "Nine are shown; the cells hold about 16 digits. Very small and very large ones are shown "
     "with an exponent: 1.5E-07 is 0.00000015."),
    ("#NUM!, #DIV/0!", "A number left the range that the formula can work out, such as e^x for x over 709 or "
     "log 0. Smaller weights or a smaller learning rate help."),
)  # fmt: skip
