"""From a quantity to its line: symbol = formula = numbers inserted = value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from deltarule.derivations.definitions import Definitions, is_opaque
from deltarule.derivations.evidence import Evidence
from deltarule.derivations.notation import Notation
from deltarule.derivations.quantities import Path, Quantity, Rate
from deltarule.derivations.rounded_evidence import RoundedEvidence
from deltarule.documents.document import Inline, Line
from deltarule.formula.emitter import failed_test
from deltarule.formula.tree import Add, Choice, Compare, Expr, Number, Rest, Tagged, measured

#: A longer sum shows so many of its terms, the greatest, and the rest as one.
MOST_TERMS, SHOWN_TERMS = 10, 6


_KEPT_FINITE = "training keeps log 0 and 1/0 finite: it replaces 0 by a tiny number"


class LineWriter:
    """Writes lines about one pass, in one notation.

    Parameters
    ----------
    evidence : Evidence
    notation : Notation
    by_hand : int, optional
        Round to so many decimals at each step.

    Attributes
    ----------
    tags : dict
        The colour of a leaf, wherever it or its number stands.
    written : dict
        The value of each quantity that has had a line, by its name.
    results : list of Expr
        The quantities that were asked for.
    """

    def __init__(self, evidence: Evidence, notation: Notation, by_hand: int | None = None) -> None:
        self.evidence, self.notation = evidence, notation
        self.rounded = None if by_hand is None else RoundedEvidence(evidence, by_hand)
        self.definitions = Definitions(evidence)
        self.tags: dict[Expr, int] = {}
        self.written: dict[str, float] = {}
        self.results: list[Expr] = []

    @property
    def values(self) -> Callable[[Expr], float]:
        """The values of leaves: exact, or rounded by hand."""
        return self.rounded or self.evidence

    def line(
        self, leaf: Expr, formula: Expr | None = None, *, note: Sequence[Inline] = (), result: bool = False
    ) -> Line:
        """``leaf = formula = numbers = value``; by its definition where no other formula is given."""
        formula = self.definitions(leaf) if formula is None else formula
        value = self.settled(leaf, formula)
        self.written[str(self.notation.write(leaf))] = value
        if result:
            self.results.append(leaf)
        sides = [self.symbols(leaf)]
        if formula is not None:
            shown = self.shortened(formula)
            sides.append(self.symbols(shown))
            notes: list[Sequence[Inline]] = [note] if note else []
            if isinstance(shown, Choice):
                test = shown.test if self._is_met(shown) else failed_test(shown.test)
                left = measured(test.left.value(self.values))
                notes.append([test.left, " = ", Compare(left, test.op, self.numbers(test.right))])
                shown = shown.then if self._is_met(shown) else shown.other
            opaque = is_opaque(shown)
            if not opaque and math.isfinite(value) and not np.all(np.isfinite(formula.value(self.values))):
                notes.append([_KEPT_FINITE])
            note = [word for index, words in enumerate(notes) for word in (*["; "] * (index > 0), *words)]
            if not (opaque or _is_quantity(shown)) and any(map(_is_quantity, shown.leaves())):
                sides.append(self.numbers(shown))
        if not isinstance(formula, Number):
            sides.append(self._tagged(leaf, self.number(leaf, value)))
        return Line(tuple(sides), self.words(*note), result=result)

    def _is_met(self, choice: Choice) -> bool:
        return bool(choice.test.value(self.values))

    def settled(self, leaf: Expr, formula: Expr | None) -> float:
        """Return the value of the leaf; by hand it is worked out by just this formula."""
        return self.rounded.settle(leaf, formula) if self.rounded else self.evidence(leaf)

    def symbols(self, formula: Expr) -> Expr:
        """The formula with the names and colours of its quantities."""
        return formula.replace(
            lambda leaf: self._tagged(leaf, self.notation.write(leaf)) if _is_quantity(leaf) else None
        )

    def numbers(self, formula: Expr) -> Expr:
        """The formula with its quantities' numbers in their places."""
        return formula.replace(self._put_in)

    def _put_in(self, part: Expr) -> Expr | None:
        if isinstance(part, Choice):
            test = Compare(self.numbers(part.test.left), part.test.op, self.numbers(part.test.right))
            return Choice(self.numbers(part.then), test, self.numbers(part.other), self._is_met(part))
        return self._tagged(part, self.number(part, self.values(part))) if _is_quantity(part) else None

    def number(self, leaf: Expr, value: float) -> Number:
        """A quantity's number; by hand with all its decimals, zeros too, where it was worked out."""
        formula = self.definitions(leaf)
        if isinstance(formula, Quantity):  # the same number by another name
            formula = self.definitions(formula)
        if self.rounded is None or formula is None:
            return measured(value)
        return Number(float(value), True, self.rounded.decimals)

    def _tagged(self, leaf: Expr, body: Expr) -> Expr:
        return Tagged(body, self.tags[leaf]) if leaf in self.tags else body

    def shortened(self, formula: Expr) -> Expr:
        """The formula with the greatest terms only of each long sum, and the others as a rest."""
        return formula.replace(lambda part: self._short_sum(part) if isinstance(part, Add) else None)

    def _short_sum(self, node: Add) -> Expr | None:
        if len(node.terms) <= MOST_TERMS:
            return None
        with np.errstate(all="ignore"):
            sizes = np.abs([float(term.value(self.values)) for term in node.terms])
        shown = sorted(np.argsort(-sizes, kind="stable")[:SHOWN_TERMS].tolist())
        left = tuple(term for index, term in enumerate(node.terms) if index not in set(shown))
        return Add((*(node.terms[index] for index in shown), Rest(left, f"{len(left)} more terms")))

    def words(self, *parts: Inline) -> tuple[Inline, ...]:
        """Running text, with the names of the quantities in it."""
        return tuple(part if isinstance(part, str) else self.symbols(part) for part in parts)


def _is_quantity(formula: Expr) -> bool:
    return isinstance(formula, Quantity | Rate | Path)
