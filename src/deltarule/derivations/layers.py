"""A whole layer at once: its formulas in matrices, forwards and backwards, with the matrices printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

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

#: A matrix with more rows or columns is shown by its first and last ones.
MOST, FIRST, LAST = 6, 3, 2


class LayerDerivation:
    """The lines of one layer, in matrix or in column notation.

    The writer's notation decides: rows are samples and ``z = x W + b``, or columns are and ``z = W x +
    b``.
    """

    def __init__(self, writer: LineWriter, layer: int) -> None:
        self.writer, self.evidence, self.layer = writer, writer.evidence, layer
        self.columns = writer.notation.name == "column"
        self.sizes = writer.evidence.net.sizes
        net_layer = self.evidence.layer(layer)
        self.activation, self.bias = net_layer.activation, net_layer.dense.bias

    def blocks(self, kinds: str, level: int = 2) -> Iterator[Block]:
        """Under a heading, the lines of some of z, a, d (delta), W and b (their gradients)."""
        n_in, n_out = self.sizes[self.layer - 1], self.sizes[self.layer]
        yield Heading((f"Layer {self.layer}: {n_in} → {n_out}, {self.activation.name}",), level)
        lines = {"z": self._z, "a": self._a, "d": self._delta, "W": self._dW, "b": self._db}
        yield Lines(tuple(lines[kind]() for kind in kinds if kind != "b" or self.bias != "none"))
        if max(n_in, n_out, self.evidence.n_samples) > MOST:
            words = (
                f"Of more than {MOST} rows or columns, only the first {FIRST} and the last {LAST} are shown."
            )
            yield Paragraph((words,), aside=True)

    # ------------------------------------------------------------------ names and numbers

    def _name(self, base: str, layer: int | None = None) -> Symbol:
        number = str(self.layer if layer is None else layer)
        return Symbol(base, sup=number) if self.columns else Symbol(base, number)

    @property
    def _input_name(self) -> Symbol:
        if self.evidence.has_mask(self.layer):
            return self._name("x")
        return Symbol("x") if self.layer == 1 and not self.columns else self._name("a", self.layer - 1)

    def _vectors(self, layer: int, leaf: Callable[[int, int], Expr]) -> Matrix:
        """A row (or column) for each sample, with an entry ``leaf(sample, neuron)`` for each neuron."""
        return self._matrix(self.evidence.n_samples, self.sizes[layer], leaf)

    def _matrix(self, n_rows: int, n_columns: int, leaf: Callable[[int, int], Expr]) -> Matrix:
        """The values of ``leaf(row, column)``, turned over in column notation."""
        if self.columns:
            n_rows, n_columns, inner = n_columns, n_rows, leaf
            leaf = lambda i, j: inner(j, i)  # noqa: E731

        def entry(i: int | None, j: int | None) -> Expr | None:
            if i is None or j is None:
                return None
            return self.writer.number(leaf(i, j), self.writer.values(leaf(i, j)))

        return Matrix(tuple(tuple(entry(i, j) for j in _shown(n_columns)) for i in _shown(n_rows)))

    def _of(self, kind: str, layer: int | None = None) -> Matrix:
        number = self.layer if layer is None else layer
        return self._vectors(number, lambda s, j: Quantity(kind, number, (j,), s))

    def _inputs(self) -> Matrix:
        definitions = self.writer.definitions
        return self._vectors(self.layer - 1, lambda s, i: definitions.input(self.layer, i, s))

    def _W(self, layer: int, of: Callable[[Quantity], Expr] = lambda weight: weight) -> Matrix:
        """The weights of a layer, or what ``of`` makes of each."""
        n_in, n_out = self.sizes[layer - 1 : layer + 1]
        return self._matrix(n_in, n_out, lambda i, j: of(Quantity("W", layer, (i, j))))

    def _b(self, of: Callable[[Quantity], Expr] = lambda bias: bias) -> Matrix:
        """The biases of the layer's neurons, or what ``of`` makes of each."""
        shared, n_out = self.bias == "shared", self.sizes[self.layer]
        return self._matrix(1, n_out, lambda _, j: of(Quantity("b", self.layer, () if shared else (j,))))

    def _gradient(self, by: Quantity) -> Rate:
        return Rate(self.evidence.cost, by)

    def _product(self, *factors: Expr) -> Mul:
        return Mul(tuple(reversed(factors)) if self.columns else factors, "")

    # ------------------------------------------------------------------ lines

    def _z(self) -> Line:
        symbols: list[Expr] = [self._product(self._input_name, self._name("W"))]
        numbers: list[Expr] = [self._product(self._inputs(), self._W(self.layer))]
        if self.bias != "none":
            symbols.append(self._name("b"))
            numbers.append(self._b())
        return Line((self._name("z"), total(symbols), total(numbers), self._of("z")))

    def _a(self) -> Line:
        note = (Call("f", Symbol("z")), " = ", self.activation.formula)
        return Line((self._name("a"), Call("f", self._name("z")), self._of("a")), note)

    def _delta(self) -> Line:
        name, a, z = self._name("δ"), self._name("a"), self._name("z")
        last = self.layer == self.evidence.n_layers
        if last and self.evidence.net.objective.fused:
            return self._fused(name, a)
        if self.evidence.is_coupled(self.layer):
            through = f"through the Jacobian of {self.activation.name}"
            return Line((name, Partial(self.writer.notation.cost, z), self._of("delta")), (through,))
        neurons_z = partial(Quantity, "z", self.layer)
        slope = self._vectors(self.layer, lambda s, j: Rate(neurons_z((j,), s).at("a"), neurons_z((j,), s)))
        symbols, numbers = self._da(last)
        note = (Call("f′", Symbol("z")), " = ", self.activation.derivative_formula)
        symbols, numbers = Mul((symbols, Call("f′", z)), "⊙"), Mul((numbers, slope), "⊙")
        return Line((name, symbols, numbers, self._of("delta")), note)

    def _da(self, last: bool) -> tuple[Expr, Expr]:
        """∂cost/∂a: from the loss, or δ Wᵀ from the layer after; and dropout's mask."""
        if last:
            da = self._vectors(self.layer, lambda s, k: self._gradient(Quantity("a", self.layer, (k,), s)))
            return Partial(self.writer.notation.cost, self._name("a")), da
        after = self.layer + 1
        symbols = self._product(self._name("δ", after), Transpose(self._name("W", after)))
        numbers = self._product(self._of("delta", after), Transpose(self._W(after)))
        if not self.evidence.has_mask(after):
            return symbols, numbers
        mask = self._vectors(self.layer, lambda s, i: Quantity("mask", after, (i,), s))
        return Mul((symbols, self._name("m", after)), "⊙"), Mul((numbers, mask), "⊙")

    def _fused(self, name: Expr, a: Expr) -> Line:
        symbols: Expr = a - Symbol("y")
        numbers: Expr = self._of("a") - self._of("y")
        n, delta = self.evidence.n_samples, self._of("delta")
        if self.evidence.weight is not None:
            shares = Mul((Symbol("s"), symbols), "⊙")
            return Line((name, shares, delta), ("s: each sample's share of the cost",))
        if n > 1 and self.evidence.net.objective.reduction == "mean":
            symbols, numbers = Number(1) / n * symbols, Number(1) / n * numbers
        return Line((name, symbols, numbers, delta), ("chain rule and slope, simplified",))

    def _dW(self) -> Line:
        name, W, slopes = self._name("W"), self._W(self.layer), self.writer.definitions.penalty_slopes
        symbols = [self._product(Transpose(self._input_name), self._name("δ")), *slopes(name)]
        numbers = [self._product(Transpose(self._inputs()), self._of("delta")), *slopes(W)]
        gradient = self._W(self.layer, self._gradient)
        return Line((Partial(self.writer.notation.cost, name), total(symbols), total(numbers), gradient))

    def _db(self) -> Line:
        shared, several = self.bias == "shared", self.evidence.n_samples > 1
        over = ",".join("s" * several + "j" * shared)
        name, delta = Partial(self.writer.notation.cost, self._name("b")), self._name("δ")
        formula = Total(over, delta) if over else delta
        if shared:
            value = measured(self.writer.values(self._gradient(Quantity("b", self.layer))))
            what = "samples and neurons" if several else "the neurons"
            return Line((name, formula, value), (f"the bias is shared: the sum over {what}",))
        note = ("the sum over the samples",) if several else ()
        return Line((name, formula, self._b(self._gradient)), note)


def _shown(n: int) -> list[int | None]:
    """The indices to show; None for those left out."""
    return list(range(n)) if n <= MOST else [*range(FIRST), None, *range(n - LAST, n)]
