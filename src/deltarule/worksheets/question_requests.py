"""What is asked for, as people write it: ``forward``, ``w5``, ``show:delta_h1=3``, ``choice:net_h1``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from deltarule.derivations.quantities import Quantity, Rate
from deltarule.derivations.targets import Target, parse_targets
from deltarule.errors import InputError
from deltarule.formula.text import text, to_ascii
from deltarule.formula.tree import Expr
from deltarule.registry import did_you_mean
from deltarule.worksheets.exercise_formulas import PARTS, ExerciseFormulas, parameter_updated_to

#: How a question is put.
KINDS_OF_QUESTIONS = {
    "compute": "the number",
    "show": "to show that it is the given number",
    "choice": "which of some numbers it is; the wrong ones are those of named mistakes",
    "mistake": "what is wrong in a step with one mistake, and the right number",
    "code": "which line of a program computes it",
}

#: Names of several parts.
GROUPS = {part: (part,) for part in PARTS} | {"backward": ("deltas", "gradients"), "all": PARTS}

_NEEDS: dict[str, tuple[str, ...]] = {
    "forward": (),
    "loss": ("forward",),
    "deltas": ("forward",),
    "gradients": ("forward", "deltas"),
    "update": ("gradients",),
}
_SPEC = re.compile(r"(?:(\w+):)?\s*(.+?)\s*(?:=\s*(\d{1,4}(?:\.\d{1,2})?))?")


class QuestionRequest(NamedTuple):
    """One quantity that is asked for: how, and for how many points."""

    leaf: Expr
    kind: str
    points: float


def part_of(leaf: Expr) -> str:
    """Return the part of a pass to which a quantity belongs."""
    if isinstance(leaf, Rate):
        return "gradients"
    assert isinstance(leaf, Quantity)
    kinds = {"z": "forward", "a": "forward", "delta": "deltas", "new": "update"}
    return kinds.get(leaf.kind, "loss")


def name_key(name: str) -> str:
    """Reduce a quantity's name to what all ways of typing it share: ``δ_h1``, ``delta h1``, ``delta_h1``.

    Examples
    --------
    >>> name_key("∂E/∂w5"), name_key("dE_dw5"), name_key("net_h1⁽²⁾"), name_key("NET_h1(2)")
    ('dedw5', 'dedw5', 'neth1(2)', 'neth1(2)')
    """
    return re.sub(r"[\s_/^]", "", to_ascii(name)).lower()


def split_asked(asked: str | Sequence[str]) -> tuple[str, ...]:
    """Return what is asked for piece by piece: divided by commas or semicolons, not within ``W2[0,1]``."""
    texts = [asked] if isinstance(asked, str) else [str(text) for text in asked]
    pieces = (piece.strip() for text in texts for piece in re.split(r"[,;](?![^\[]*\])", text))
    return tuple(piece for piece in pieces if piece)


def usual_questions(formulas: ExerciseFormulas) -> tuple[str, ...]:
    """Return what is asked for where nothing is named: forward, loss, deltas; of each layer one weight."""
    trained, firsts = formulas.parameters, dict[int, str]()
    for p in trained:
        if p.kind == "W":
            firsts.setdefault(p.layer, text(formulas.names.write(p)))
    updates = [f"new {name}" for name in firsts.values()] if formulas.step is not None else []
    return ("forward", "loss", "deltas", *firsts.values(), *updates)


def _parsed(spec: str) -> tuple[str, str, float]:
    """The kind of question, the name and the points of one piece of what is asked for."""
    match = _SPEC.fullmatch(spec)
    kind, name, points = match.groups() if match else ("compute", spec, None)
    kind, worth = kind or "compute", float(points or 1)
    if kind not in KINDS_OF_QUESTIONS:
        raise InputError(f"no kind of question {kind!r} in {spec!r}{did_you_mean(kind, KINDS_OF_QUESTIONS)}")
    if "=" in name:
        raise InputError(
            f"after = comes the number of points of a question, such as 2 or 0.5, got {spec[:40]!r}"
        )
    if worth <= 0:
        raise InputError(f"a question must have more than 0 points, got {spec!r}")
    return kind, name, int(worth) if worth.is_integer() else worth


class QuestionRequests:
    """Finds the quantities that are asked for.

    Parameters
    ----------
    formulas : ExerciseFormulas
    asked : sequence of str
        Each a group or a quantity, before it the kind of question and a colon, behind it ``=`` and points.

    Attributes
    ----------
    found : list of QuestionRequest
        In the order in which they are worked out; what was named later goes before what was named earlier.
    given : tuple of str
        The parts whose numbers the sheet gives, because what rests on them is asked for as a whole.

    Raises
    ------
    InputError
        If nothing is called so, or the update is asked for where nothing says how.
    """

    def __init__(self, formulas: ExerciseFormulas, asked: Sequence[str]) -> None:
        self.formulas = formulas
        parts = PARTS if formulas.step is not None else PARTS[:-1]
        order = [*(leaf for part in parts for leaf in formulas.leaves(part)), *formulas.frozen_gradients()]
        self._names = {name_key(text(formulas.names.write(leaf))): leaf for leaf in order}
        found: dict[tuple[Expr, bool], QuestionRequest] = {}
        needed: set[str] = set()
        for kind, name, points in map(_parsed, asked):
            leaves = self._called(name)
            if kind == "code":  # a line of a program computes a layer's array
                leaves = list({(part_of(q), *_array_of(q)): q for q in reversed(leaves)}.values())[::-1]
            found |= {(leaf, kind == "code"): QuestionRequest(leaf, kind, points) for leaf in leaves}
            needed.update(need for part in GROUPS.get(name, ()) for need in _NEEDS[part])
        if not found:
            raise InputError(f"name at least one thing to ask for: {', '.join(PARTS)}, w5, delta_h1, …")
        places = {leaf: (PARTS.index(part_of(leaf)), place) for place, leaf in enumerate(order)}
        self.found = sorted(found.values(), key=lambda one: (places[one.leaf], one.kind == "code"))
        asked_of = {part_of(one.leaf) for one in self.found}
        self.given = tuple(part for part in PARTS if part in needed - asked_of)

    def _called(self, name: str) -> list[Expr]:
        if name in GROUPS:
            return [leaf for part in GROUPS[name] for leaf in self._leaves(part, name)]
        named = None if "W" in name else self._names.get(name_key(name))  # W2 is a matrix, w2 a weight
        if named is not None:
            return [named]
        new = name.startswith("new ")
        try:
            targets = parse_targets(self.formulas.net, name.removeprefix("new ").strip())
            leaves = [leaf for target in targets for leaf in self._of_target(target)]
        except InputError as error:
            hint = did_you_mean(name[:40], GROUPS)
            near = hint if hint.startswith("; did you mean") else ""
            raise InputError(f"cannot ask for {name[:40]!r}{near}: {str(error)[:300]}") from None
        return [self._updated(leaf, name) for leaf in leaves] if new else leaves

    def _leaves(self, part: str, name: str) -> list[Expr]:
        """The quantities of a part; the output of an identity, which is its input, is no question."""
        if part == "update" and self.formulas.step is None:
            if name == "update":
                raise InputError("an update needs an optimizer: name one")
            return []
        return [leaf for leaf in self.formulas.leaves(part) if not self._is_copy(leaf)]

    def _is_copy(self, leaf: Expr) -> bool:
        if not isinstance(leaf, Quantity) or leaf.kind != "a":
            return False
        return self.formulas.evidence.layer(leaf.layer).activation.name == "identity"

    def _of_target(self, target: Target) -> Iterator[Expr]:
        """The quantities of something that can be explained."""
        formulas, layer = self.formulas, target.layer
        if not layer:
            yield from (leaf for part in GROUPS[target.kind] for leaf in self._leaves(part, target.kind))
            return
        kinds = ("z", "a", "delta", "W", "b") if target.kind == "layer" else (target.kind,)
        for kind in kinds:
            if kind in ("W", "b"):
                chosen = [target.parameter] if target.parameter else formulas.positions
                fitting = (p for p in chosen if (p.kind, p.layer) == (kind, layer))
                yield from (Rate(formulas.evidence.cost, p) for p in fitting)
            else:
                neurons = target.index or range(formulas.net.sizes[layer])
                for sample in range(formulas.evidence.n_samples):
                    yield from (Quantity(kind, layer, (j,), sample) for j in neurons)

    def _updated(self, leaf: Expr, name: str) -> Expr:
        """The value after the update of the parameter whose gradient this is."""
        if not isinstance(leaf, Rate):
            raise InputError(
                f"cannot ask for {name!r}: only weights and biases have a new value after an update"
            )
        if self.formulas.step is None:
            raise InputError("an update needs an optimizer: name one")
        if leaf.by not in self.formulas.parameters:
            raise InputError(f"cannot ask for {name!r}: it is frozen, no update changes it")
        return Quantity("new", leaf.by.layer, leaf.by.index)


def _array_of(leaf: Expr) -> tuple[str, int]:
    """The letter and the layer of the array in which a quantity stands."""
    q = leaf.by if isinstance(leaf, Rate) else parameter_updated_to(leaf) or leaf
    assert isinstance(q, Quantity)
    return q.kind, q.layer
