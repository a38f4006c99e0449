"""A whole layer at once: its formulas in matrices, forwards and backwards, with the matrices printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deltarule.derivations.line_writer import LineWriter
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.documents.document import Block, Heading, Line, Lines, Paragraph
from deltarule.formula.tree import (
    Call,
    Expr,
    Matrix,
    Mul,
    Number,
    Partial,
    Symbol,
    Total,
    Transpose,
    measured,
    total,
)

__all__ = ["LayerDerivation"]

#: A matrix with more rows or columns is shown by its first and last ones.
MOST, FIRST, LAST = 6, 3, 2


class LayerDerivation:
    """The lines of one layer, in matrix or in column notation.

    Parameters
    ----------
    writer : LineWriter
        Its notation decides: rows are samples and ``z = x W + b``, or columns are and ``z = W x + b``.
    layer : int
    """

    def __init__(self, writer: LineWriter, layer: int) -> None:
        self.writer, self.evidence, self.layer = writer, writer.evidence, layer
        self.columns = writer.notation.name == "column"
        self.sizes = writer.evidence.net.sizes

    def blocks(self, kinds: str, level: int = 2) -> Iterator[Block]:
        """Under a heading, the lines of some of z, a, d (delta), W and b (their gradients)."""
        n_in, n_out = self.sizes[self.layer - 1], self.sizes[self.layer]
        activation = self.evidence.layer(self.layer).activation.name
        yield Heading((f"Layer {self.layer}: {n_in} → {n_out}, {activation}",), level)
        lines = {"z": self._z, "a": self._a, "d": self._delta, "W": self._dW, "b": self._db}
        has_bias = self.evidence.layer(self.layer).dense.bias != "none"
        yield Lines(tuple(lines[kind]() for kind in kinds if kind != "b" or has_bias))
        if max(self.sizes[self.layer - 1], self.sizes[self.layer], self.evidence.n_samples) > MOST:
            yield Paragraph(
                (f"Of more than {MOST} rows or columns the first {FIRST} and the last {LAST} are shown.",),
                True,
            )

    # ------------------------------------------------------------------ names and numbers

    def _name(self, base: str, layer: int | None = None) -> Symbol:
        number = str(self.layer if layer is None else layer)
        return Symbol(base, sup=number) if self.columns else Symbol(base, number)

    @property
    def _input_name(self) -> Symbol:
        if self.evidence.has_mask(self.layer):
            return self._name("x")
        return Symbol("x") if self.layer == 1 and not self.columns else self._name("a", self.layer - 1)

    def _vectors(self, n: int, leaf: Callable[[int, int], Expr]) -> Matrix:
        """A row (or column) for each sample, of n entries."""
        return self._matrix(self.evidence.n_samples, n, leaf)

    def _matrix(self, n_rows: int, n_columns: int, leaf: Callable[[int, int], Expr]) -> Matrix:
        """The values of ``leaf(row, column)``, turned over in column notation."""
        if self.columns:
            n_rows, n_columns, inner = n_columns, n_rows, leaf
            leaf = lambda i, j: inner(j, i)  # noqa: E731

        def entry(i: int | None, j: int | None) -> Expr | None:
            return None if i is None or j is None else self._measured(leaf(i, j))

        return Matrix(tuple(tuple(entry(i, j) for j in _shown(n_columns)) for i in _shown(n_rows)))

    def _measured(self, leaf: Expr) -> Number:
        return measured(self.writer.values(leaf))

    def _of(self, kind: str, layer: int | None = None) -> Matrix:
        number = self.layer if layer is None else layer
        return self._vectors(self.sizes[number], lambda s, j: Quantity(kind, number, (j,), s))

    def _inputs(self) -> Matrix:
        definitions = self.writer.definitions
        return self._vectors(self.sizes[self.layer - 1], lambda s, i: definitions.input(self.layer, i, s))

    def _W(self, layer: int) -> Matrix:
        n_in, n_out = self.sizes[layer - 1 : layer + 1]
        return self._matrix(n_in, n_out, lambda i, j: Quantity("W", layer, (i, j)))

    def _bias(self) -> Matrix:
        shared = self.evidence.layer(self.layer).dense.bias == "shared"
        return self._matrix(
            1, self.sizes[self.layer], lambda _, j: Quantity("b", self.layer, () if shared else (j,))
        )

    def _product(self, *factors: Expr) -> Mul:
        return Mul(tuple(reversed(factors)) if self.columns else factors, "")

    # ------------------------------------------------------------------ lines

    def _z(self) -> Line:
        layer = self.evidence.layer(self.layer)
        symbols: list[Expr] = [self._product(self._input_name, self._name("W"))]
        numbers: list[Expr] = [self._product(self._inputs(), self._W(self.layer))]
        if layer.b is not None:
            symbols.append(self._name("b"))
            numbers.append(self._bias())
        return Line((self._name("z"), total(symbols), total(numbers), self._of("z")))

    def _a(self) -> Line:
        activation = self.evidence.layer(self.layer).activation
        note = (Call("f", Symbol("z")), " = ", activation.formula)
        return Line((self._name("a"), Call("f", self._name("z")), self._of("a")), note)

    def _delta(self) -> Line:
        name, a, z = self._name("δ"), self._name("a"), self._name("z")
        last = self.layer == self.evidence.n_layers
        if last and self.evidence.net.objective.fused:
            return self._fused(name, a)
        if self.evidence.is_coupled(self.layer):
            through = f"through the Jacobian of {self.evidence.layer(self.layer).activation.name}"
            return Line((name, Partial(self.writer.notation.cost, z), self._of("delta")), (through,))
        slope = self._vectors(
            self.sizes[self.layer],
            lambda s, j: Rate(Quantity("a", self.layer, (j,), s), Quantity("z", self.layer, (j,), s)),
        )
        symbols, numbers = self._da(last)
        note = (Call("f′", Symbol("z")), " = ", self.evidence.layer(self.layer).activation.derivative_formula)
        return Line(
            (name, Mul((symbols, Call("f′", z)), "⊙"), Mul((numbers, slope), "⊙"), self._of("delta")), note
        )

    def _da(self, last: bool) -> tuple[Expr, Expr]:
        """∂cost/∂a: from the loss, or δ Wᵀ from the layer after; and dropout's mask."""
        if last:
            numbers = self._vectors(
                self.sizes[-1], lambda s, k: Rate(self.evidence.cost, Quantity("a", self.layer, (k,), s))
            )
            return Partial(self.writer.notation.cost, self._name("a")), numbers
        after = self.layer + 1
        symbols: Expr = self._product(self._name("δ", after), Transpose(self._name("W", after)))
        numbers_: Expr = self._product(self._of("delta", after), Transpose(self._W(after)))
        if not self.evidence.has_mask(after):
            return symbols, numbers_
        mask = self._vectors(self.sizes[self.layer], lambda s, i: Quantity("mask", after, (i,), s))
        return Mul((symbols, self._name("m", after)), "⊙"), Mul((numbers_, mask), "⊙")

    def _fused(self, name: Expr, a: Expr) -> Line:
        symbols: Expr = a - Symbol("y")
        numbers: Expr = self._of("a") - self._of("y")
        n = self.evidence.n_samples
        if self.evidence.weight is not None:
            return Line(
                (name, Mul((Symbol("s"), symbols), "⊙"), self._of("delta")),
                ("s: each sample's share of the cost",),
            )
        if n > 1 and self.evidence.net.objective.reduction == "mean":
            symbols, numbers = Number(1) / n * symbols, Number(1) / n * numbers
        return Line((name, symbols, numbers, self._of("delta")), ("chain rule and slope, shortened",))

    def _dW(self) -> Line:
        symbols: list[Expr] = [self._product(Transpose(self._input_name), self._name("δ"))]
        numbers: list[Expr] = [self._product(Transpose(self._inputs()), self._of("delta"))]
        W = self._name("W")
        for penalty, strength in self.evidence.net.objective.penalties:
            symbols.append(penalty.of(penalty.slope, Number(strength, True), W))
            numbers.append(penalty.of(penalty.slope, Number(strength, True), self._W(self.layer)))
        gradient = self._matrix(
            self.sizes[self.layer - 1],
            self.sizes[self.layer],
            lambda i, j: Rate(self.evidence.cost, Quantity("W", self.layer, (i, j))),
        )
        return Line((Partial(self.writer.notation.cost, W), total(symbols), total(numbers), gradient))

    def _db(self) -> Line:
        shared = self.evidence.layer(self.layer).dense.bias == "shared"
        delta = self._name("δ")
        several = self.evidence.n_samples > 1
        formula: Expr = (
            Total("s" if not shared else "s,j" if several else "j", delta) if several or shared else delta
        )
        name = Partial(self.writer.notation.cost, self._name("b"))
        if shared:
            value = self._measured(Rate(self.evidence.cost, Quantity("b", self.layer)))
            over = "samples and neurons" if several else "the neurons"
            return Line((name, formula, value), (f"the bias is shared: the sum over {over}",))
        note = ("the sum over the samples",) if several else ()
        gradient = self._matrix(
            1, self.sizes[self.layer], lambda _, j: Rate(self.evidence.cost, Quantity("b", self.layer, (j,)))
        )
        return Line((name, formula, gradient), note)


def _shown(n: int) -> list[int | None]:
    """The indices to show; None for those left out."""
    return list(range(n)) if n <= MOST else [*range(FIRST), None, *range(n - LAST, n)]
