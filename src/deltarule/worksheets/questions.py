"""What a worksheet asks for: the parts of a pass, their blanks, and what each is computed from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from deltarule.derivations.definitions import Definitions
from deltarule.derivations.notation import TutorialNotation
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.derivations.rounded_evidence import RoundedEvidence
from deltarule.errors import InputError
from deltarule.formula.text import text, to_ascii
from deltarule.formula.tree import Expr, Mul, Number, Words, total
from deltarule.nn.optimizers import GRADIENT, THETA
from deltarule.registry import did_you_mean, record
from deltarule.worksheets.exercise import Task

__all__ = ["PARTS", "Blank", "Formulas", "Names", "as_parts", "given_parts", "index_of", "name_key", "old_of"]

#: In the order in which they are worked out.
PARTS = ("forward", "loss", "deltas", "gradients", "update")

_NEEDS: dict[str, tuple[str, ...]] = {
    "forward": (),
    "loss": ("forward",),
    "deltas": ("forward",),
    "gradients": ("forward", "deltas"),
    "update": ("gradients",),
}


@record
class Blank:
    """One number that is asked for.

    Parameters
    ----------
    number : int
        From 1.
    leaf : Expr
        The quantity; of the kind "new" where it is a parameter after the update.
    part : str
    name : str
        ``net_h1``, ``δ_o1``, ``∂E/∂w5``, ``new w5``.
    """

    number: int
    leaf: Expr
    part: str
    name: str


def as_parts(asked: str | Sequence[str], has_step: bool) -> tuple[str, ...]:
    """The parts that are asked for, in their order.

    Raises
    ------
    InputError
        If there is no such part, or the update is asked for where nothing says how.
    """
    names = [asked] if isinstance(asked, str) else list(asked)
    for name in names:
        if name not in (*PARTS, "all"):
            raise InputError(f"a worksheet asks for no part {name!r}{did_you_mean(str(name), PARTS)}")
    if not names:
        raise InputError(f"name at least one part to ask for: {', '.join(PARTS)}")
    if "all" in names:
        return PARTS if has_step else PARTS[:-1]
    if "update" in names and not has_step:
        raise InputError("an update needs an optimizer: name one")
    return tuple(part for part in PARTS if part in names)


def given_parts(asked: Sequence[str]) -> tuple[str, ...]:
    """The parts that are not asked for but needed, so that the sheet gives them."""
    needed = {part for name in asked for part in _NEEDS[name]}
    return tuple(part for part in PARTS if part in needed and part not in asked)


class Names(TutorialNotation):
    """The tutorials' notation, with a name for a parameter after the update."""

    def of(self, q: Quantity) -> Expr:
        if q.kind == "new":
            return Mul((Words("new"), super().of(old_of(q))), op="")
        return super().of(q)


def old_of(new: Quantity) -> Quantity:
    """The parameter that ``new`` is after the update."""
    return Quantity("W" if len(new.index) == 2 else "b", new.layer, new.index)


def name_key(name: str) -> str:
    """A quantity's name as people may type it: ``δ_h1``, ``delta h1`` and ``delta_h1`` are the same.

    Examples
    --------
    >>> name_key("∂E/∂w5"), name_key("dE_dw5"), name_key("net_h1⁽²⁾"), name_key("NET_h1(2)")
    ('dedw5', 'dedw5', 'neth1(2)', 'neth1(2)')
    """
    return re.sub(r"[\s_/^]", "", to_ascii(name)).lower()


class Formulas:
    """How each quantity of a task is computed; it says first what people do first.

    Parameters
    ----------
    task : Task
    """

    def __init__(self, task: Task) -> None:
        self.task, self.evidence, self.step = task, task.evidence, task.step
        self.definitions, self.net = Definitions(task.evidence), task.net
        self.names = Names(self.net, None, self.evidence.n_samples, self.evidence.cost_is_loss)

    def __call__(self, leaf: Expr) -> Expr | None:
        """The formula; None for what is given."""
        if isinstance(leaf, Quantity) and leaf.kind == "new":
            return self.updated(old_of(leaf))
        if isinstance(leaf, Quantity) and leaf.kind == "delta":
            return self._delta(leaf)
        if isinstance(leaf, Quantity) and leaf.kind == "E" and self.net.sizes[-1] == 1:
            return self.definitions(Quantity("term", self.evidence.n_layers, (0,), leaf.sample))
        return self.definitions(leaf)

    def all(self, leaf: Expr) -> list[Expr]:
        """Every right formula: the short one, and the chain rule where it is another."""
        found = [self(leaf)] if _is_new(leaf) else [self(leaf), self.definitions(leaf)]
        return list(dict.fromkeys(formula for formula in found if formula is not None))

    def exact(self, leaf: Expr) -> float:
        """What the quantity is worth, in full precision."""
        if isinstance(leaf, Quantity) and leaf.kind == "new":
            assert self.step is not None
            return float(self.step.after[self.position(old_of(leaf))])
        return self.evidence(leaf)

    def by_hand(self, decimals: int) -> dict[Expr, float]:
        """What each quantity is worth to somebody who rounds at every step."""
        hand = RoundedEvidence(self.evidence, decimals)
        leaves = [leaf for part in self.parts for leaf in self.leaves(part) if not _is_new(leaf)]
        worth = {leaf: hand(leaf) for leaf in leaves}
        for leaf in self.leaves("update") if "update" in self.parts else ():
            formula = self(leaf)
            assert formula is not None
            worth[leaf] = round(float(formula.value(hand)), decimals)
        return worth

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that can be asked for."""
        return as_parts("all", self.step is not None)

    @property
    def is_fused(self) -> bool:
        """Whether an output's delta shortens to out − y."""
        return self.net.objective.fused is not None

    # ------------------------------------------------------------------ which quantities there are

    def blanks(self, asked: Sequence[str]) -> list[Blank]:
        """The blanks of these parts, numbered."""
        leaves = [(part, leaf) for part in asked for leaf in self.leaves(part)]
        return [
            Blank(number, leaf, part, text(self.names.write(leaf)))
            for number, (part, leaf) in enumerate(leaves, 1)
        ]

    def leaves(self, part: str) -> list[Expr]:
        """The quantities of a part, in the order in which they are worked out."""
        found: dict[str, Iterable[Expr]] = {
            "forward": self._neurons("za", forwards=True),
            "loss": self._losses(),
            "deltas": self._neurons(("delta",), forwards=False),
            "gradients": (Rate(self.evidence.cost, p) for p in self.parameters()),
            "update": (Quantity("new", p.layer, p.index) for p in self.parameters()),
        }
        return list(found[part])

    def _neurons(self, kinds: Iterable[str], forwards: bool) -> Iterator[Quantity]:
        layers = range(1, self.evidence.n_layers + 1)
        for sample in range(self.evidence.n_samples):
            for layer in layers if forwards else reversed(layers):
                for j in range(self.net.sizes[layer]):
                    yield from (Quantity(kind, layer, (j,), sample) for kind in kinds)

    def _losses(self) -> Iterator[Quantity]:
        """Of each sample: the terms of its outputs, unless most are 0, and their sum; then the cost."""
        last, n_outputs = self.evidence.n_layers, self.net.sizes[-1]
        for sample in range(self.evidence.n_samples):
            if n_outputs > 1 and not self.net.loss.distribution:
                yield from (Quantity("term", last, (k,), sample) for k in range(n_outputs))
            yield Quantity("E", sample=sample)
        if not self.evidence.cost_is_loss:
            yield Quantity("L")

    def parameters(self) -> Iterator[Quantity]:
        """Those that are trained: weights neuron by neuron, then biases."""
        layers = range(1, self.evidence.n_layers + 1)
        biases = (
            self.definitions.bias(n, j) for n in layers for j in range(self.net.layers[n - 1].dense.n_biases)
        )
        for p in (*self.definitions.weights(), *biases):
            if p is not None and self.position(p) not in self.net.frozen:
                yield p

    def position(self, p: Quantity) -> int:
        """Where a parameter lies in the flat vector."""
        return self.evidence.position(p)

    # ------------------------------------------------------------------ formulas that are shorter here

    def _delta(self, q: Quantity) -> Expr:
        if q.layer == self.evidence.n_layers and self.is_fused:
            return self.definitions.fused_delta(q)
        if q.layer < self.evidence.n_layers and not self.evidence.is_coupled(q.layer):
            a, z = (Quantity(kind, q.layer, q.index, q.sample) for kind in "az")
            return total(self.definitions.passed_back(a)) * Rate(a, z)
        return self.definitions(q) or q

    def updated(self, p: Quantity, changed: Mapping[Expr, float] | None = None) -> Expr:
        """The optimizer's steps put into each other, over the old value and the gradient.

        Parameters
        ----------
        p : Quantity
        changed : mapping of Expr to float, optional
            Letters of the optimizer, or its memory, that are to be other than they are.
        """
        assert self.step is not None
        position = self.position(p)
        worth = {**self.step.letters(), **self.step.remembered(position), **(changed or {})}
        known: dict[Expr, Expr] = {symbol: Number(value, measured=True) for symbol, value in worth.items()}
        known |= {THETA: p, GRADIENT: Rate(self.evidence.cost, p)}
        for symbol, formula in self.step.steps(position):
            known[symbol] = formula.replace(known.get)
        return known[THETA]

    def shown(self, leaf: Expr) -> Expr | None:
        """The formula as a sheet may print it: of an update with the optimizer's letters."""
        if not _is_new(leaf):
            return self(leaf)
        assert self.step is not None
        assert isinstance(leaf, Quantity)
        p = old_of(leaf)
        known: dict[Expr, Expr] = {THETA: p, GRADIENT: Rate(self.evidence.cost, p)}
        for symbol, formula in self.step.steps(self.position(p)):
            known[symbol] = formula.replace(known.get)
        return known[THETA]

    def symbol(self, leaf: Expr) -> Expr:
        """The quantity's name; of a new value the parameter's own, before ←."""
        return self.names.write(old_of(leaf) if _is_new(leaf) and isinstance(leaf, Quantity) else leaf)


def _is_new(leaf: Expr) -> bool:
    return isinstance(leaf, Quantity) and leaf.kind == "new"


def index_of(blanks: Sequence[Blank]) -> dict[str, Blank]:
    """The blanks by what people may call them: the number, or the quantity's name."""
    found: dict[str, Blank] = {}
    for blank in blanks:
        keys = [str(blank.number), name_key(blank.name)]
        if isinstance(blank.leaf, Quantity) and blank.leaf.kind == "new":
            old = name_key(blank.name).removeprefix("new")
            keys += [old, f"{old}new"]
        for key in keys:
            found.setdefault(key, blank)
    return found
