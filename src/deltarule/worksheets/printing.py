"""What is printed: the sheet with its blanks, and the key with every step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from deltarule.derivations.line_writer import LineWriter
from deltarule.derivations.network_drawing import draw
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.derivations.updates import UpdateDerivation
from deltarule.documents.document import (
    Block,
    Document,
    Figure,
    Heading,
    Inline,
    Line,
    Lines,
    Paragraph,
    TableBlock,
)
from deltarule.documents.drawing import Drawing, Gap, Node
from deltarule.formula.text import text
from deltarule.formula.tree import Compare, Expr, Mul, Number, Partial, Symbol, Words
from deltarule.nn.optimizers import TIME
from deltarule.worksheets.questions import PARTS, Blank, given_parts, old_of

if TYPE_CHECKING:
    from deltarule.worksheets.worksheet import Worksheet

__all__ = ["Paper"]

#: How long the lines to write on are, in characters: for the working, and for the answer. Formats differ in
#: how wide the character is.
_LENGTHS = {"pdf": (84, 18), "latex": (37, 9), "markdown": (12, 8)}
_LENGTH = (48, 12)

_HEADINGS = {
    "forward": "Forward pass",
    "loss": "Loss",
    "deltas": "Deltas",
    "gradients": "Gradients",
    "update": "Update",
}

#: Of a drawing, what is given.
_GIVEN_LABELS = ("b", "x", "y")


class Paper:
    """Puts a worksheet's documents together.

    Parameters
    ----------
    worksheet : Worksheet
    format : str
        What the sheet will be written as: how long the lines to write on are.
    """

    def __init__(self, worksheet: Worksheet, format: str = "text") -> None:
        self._working, self._answer = (Words("_" * n) for n in _LENGTHS.get(format, _LENGTH))
        self.worksheet, self.task, self.formulas = worksheet, worksheet.task, worksheet.formulas
        self.net, self.decimals = worksheet.task.net, worksheet.decimals
        self.writer = LineWriter(worksheet.task.evidence, worksheet.formulas.names)
        self.blanks = {blank.leaf: blank for blank in worksheet.blanks}
        self._shown: set[Expr] = set()

    def sheet(self) -> Document:
        """To be handed out."""
        return self._document(self.worksheet.title, [*self._opening(key=False), *self._questions()])

    def key(self) -> Document:
        """The same with every step."""
        self._shown.clear()
        blocks = [*self._opening(key=True), *self._solutions()]
        return self._document(f"{self.worksheet.title}: key", blocks)

    def _document(self, title: str, blocks: Sequence[Block]) -> Document:
        return Document(title, tuple(blocks), min(17, self.decimals + 2))

    # ------------------------------------------------------------------ what is given

    def _opening(self, key: bool) -> Iterator[Block]:
        name = self.worksheet.student or "_" * 28
        seed = "" if self.worksheet.seed is None else f"     No. {self.worksheet.seed}"
        yield Paragraph((f"Name: {name}{seed}",))
        yield Figure(self._drawing(key))
        yield Paragraph(tuple(self._functions()))
        yield Paragraph(("Given: ", *_listed(self._givens()), "."))
        if self.task.evidence.n_samples > 1:
            yield self._samples()
        if "update" in self.worksheet.asked:
            yield from self._optimizer()
        if not key:
            yield Paragraph((f"Round each answer to {self.decimals} decimals.",))
        else:
            words = f"Answers are rounded to {self.decimals} decimals; all digits were computed with."
            yield Paragraph((words,), aside=True)
        yield from self._known()

    def _drawing(self, key: bool) -> Drawing:
        """The network; on the sheet without what is asked for."""
        evidence, single = self.task.evidence, self.task.evidence.n_samples == 1
        drawing = draw(self.net, evidence.trace, evidence.grads, evidence.y, number=self._printed)
        if key and single:
            return drawing
        labels = _GIVEN_LABELS if single else ("b",)
        columns = tuple(
            replace(column, nodes=tuple(_with_labels(node, labels) for node in column.nodes))
            for column in drawing.columns
        )
        return replace(drawing, columns=columns)

    def _printed(self, value: float) -> str:
        return text(Number(round(value, self.decimals), measured=True), self.decimals + 2)

    def _functions(self) -> Iterator[Inline]:
        """Activations and loss, with their formulas."""
        activations = dict.fromkeys(layer.activation for layer in self.net.layers)
        for activation in activations:
            layers = [str(n) for n, layer in enumerate(self.net.layers, 1) if layer.activation is activation]
            which = f"Layer{'s' * (len(layers) > 1)} {' and '.join(layers)}"
            yield f"{which}: {activation.name.replace('_', ' ')}, "
            yield Compare(Symbol("out"), "=", activation.formula.replace(_as_tutorial))
            yield ". "
        yield f"Loss of an output: {self.net.loss.name.replace('_', ' ')}, "
        yield Compare(Symbol("E"), "=", self.net.loss.formula.replace(_as_tutorial))
        yield "; a sample's is the sum of its outputs'. " if self.net.sizes[-1] > 1 else ". "
        yield from self._cost()

    def _cost(self) -> Iterator[Inline]:
        objective, n = self.net.objective, self.task.evidence.n_samples
        cost = self.formulas.names.cost
        if not self.task.evidence.cost_is_loss:
            yield "The cost "
            yield cost
            kind = "mean" if objective.reduction == "mean" else "sum"
            yield f" is the {kind} over the {n} samples" if n > 1 else " is the loss"
            penalties = [(1, objective.l1, "Σ|w|"), (2, objective.l2, "½Σw²")]
            yield "".join(f" + {value:g}·{what}" for _, value, what in penalties if value)
            yield ". "
        if "deltas" in (*self.worksheet.asked, *given_parts(self.worksheet.asked)):
            yield Compare(Symbol("δ"), "=", Partial(cost, Symbol("net")))
            yield "."

    def _givens(self) -> Iterator[tuple[Expr, float]]:
        """Weights, biases, and of a single sample its inputs and targets."""
        definitions = self.formulas.definitions
        layers = range(1, self.task.evidence.n_layers + 1)
        biases = [
            definitions.bias(n, j) for n in layers for j in range(self.net.layers[n - 1].dense.n_biases)
        ]
        leaves = [*definitions.weights(), *(bias for bias in biases if bias is not None)]
        if self.task.evidence.n_samples == 1:
            leaves += [*self._inputs(0), *self._targets(0)]
        for leaf in leaves:
            yield self.formulas.names.write(leaf), self.formulas.exact(leaf)

    def _inputs(self, sample: int) -> list[Quantity]:
        return [Quantity("a", 0, (i,), sample) for i in range(self.net.sizes[0])]

    def _targets(self, sample: int) -> list[Quantity]:
        last = self.task.evidence.n_layers
        return [Quantity("y", last, (k,), sample) for k in range(self.net.sizes[-1])]

    def _samples(self) -> TableBlock:
        """The inputs and targets of each sample."""
        names = [Symbol("i", str(i + 1)) for i in range(self.net.sizes[0])]
        names += [Symbol("y", f"o{k + 1}") for k in range(self.net.sizes[-1])]
        rows: list[tuple[Inline, ...]] = [
            (f"{s + 1}", *(Number(self.formulas.exact(q)) for q in self._inputs(s) + self._targets(s)))
            for s in range(self.task.evidence.n_samples)
        ]
        return TableBlock(("sample", *names), tuple(rows))

    def _number(self, value: float) -> Number:
        return Number(value, measured=True)

    def _optimizer(self) -> Iterator[Block]:
        step = self.task.step
        assert step is not None
        letters = [(s, value) for s, value in step.letters().items() if s != TIME or step.optimizer.slots]
        rule = "; ".join(
            f"{symbol} ← {formula}" for symbol, formula in step.optimizer.weight_steps + step.optimizer.steps
        )
        yield Paragraph((f"Update by {step.optimizer.name}, ", *_listed(letters), f": {rule}."))
        if step.slots.any():
            yield self._memory()

    def _memory(self) -> TableBlock:
        """What the optimizer remembers of each parameter."""
        step = self.task.step
        assert step is not None
        parameters = list(self.formulas.parameters())
        rows: list[tuple[Inline, ...]] = [
            (
                self.formulas.names.write(p),
                *(Number(float(row[self.formulas.position(p)])) for row in step.slots),
            )
            for p in parameters
        ]
        return TableBlock(("remembered of", *step.optimizer.slots), tuple(rows))

    def _known(self) -> Iterator[Block]:
        """What is needed, but not asked for."""
        for part in given_parts(self.worksheet.asked):
            leaves = self.formulas.leaves(part)
            values = [(self.formulas.names.write(q), self._rounded(q)) for q in leaves]
            yield Paragraph((f"{_HEADINGS[part]}: ", *_listed(values), "."))

    def _rounded(self, leaf: Expr) -> float:
        return round(self.formulas.exact(leaf), self.decimals)

    # ------------------------------------------------------------------ the blanks

    def _questions(self) -> Iterator[Block]:
        for part in PARTS:
            blanks = [blank for blank in self.worksheet.blanks if blank.part == part]
            if blanks:
                yield Heading((_HEADINGS[part],))
                yield Lines(tuple(self._question(blank) for blank in blanks))

    def _question(self, blank: Blank) -> Line:
        working: Expr = self._working
        if self.worksheet.with_formulas:
            shown = self.formulas.shown(blank.leaf)
            working = self._working if shown is None else self.writer.symbols(shown)
        return Line(
            (self._numbered(blank), working, self._answer), relation="←" if blank.part == "update" else "="
        )

    def _numbered(self, blank: Blank) -> Expr:
        return Mul((Words(f"({blank.number})"), self.formulas.symbol(blank.leaf)), op="")

    # ------------------------------------------------------------------ the key

    def _solutions(self) -> Iterator[Block]:
        for part in PARTS:
            blanks = [blank for blank in self.worksheet.blanks if blank.part == part]
            if blanks:
                yield Heading((_HEADINGS[part],))
                if part == "deltas" and self.formulas.is_fused:
                    yield Paragraph((self._why_short(),), aside=True)
                yield Lines(tuple(line for blank in blanks for line in self._steps(blank)))

    def _why_short(self) -> str:
        output, loss = self.net.layers[-1].activation.name, self.net.loss.name.replace("_", " ")
        return f"With {output} and {loss} the chain rule shortens to out − y at the outputs."

    def _steps(self, blank: Blank) -> Iterator[Line]:
        """What stands between the blanks, then the blank's own line."""
        if blank.part == "update":
            yield from self._update(blank)
            return
        yield from self._before(blank.leaf)
        yield self._answered(self.writer.line(blank.leaf, self.formulas(blank.leaf), result=True), blank)

    def _before(self, leaf: Expr) -> Iterator[Line]:
        formula = self.formulas(leaf)
        for inner in formula.leaves() if formula is not None else ():
            is_step = isinstance(inner, Quantity | Rate) and self.formulas(inner) is not None
            if not is_step or inner in self.blanks or inner in self._shown:
                continue
            self._shown.add(inner)
            if not self._is_given(inner):
                yield from self._before(inner)
                yield self.writer.line(inner, self.formulas(inner))

    def _is_given(self, leaf: Expr) -> bool:
        return any(leaf in self.formulas.leaves(part) for part in given_parts(self.worksheet.asked))

    def _update(self, blank: Blank) -> Iterator[Line]:
        assert self.task.step is not None
        assert isinstance(blank.leaf, Quantity)
        for block in UpdateDerivation(self.writer, self.task.step).parameter(old_of(blank.leaf)):
            for line in block.lines if isinstance(block, Lines) else ():
                yield self._answered(line, blank) if line.result else line

    def _answered(self, line: Line, blank: Blank) -> Line:
        """The line with the blank's number, and its value as it is to be answered."""
        sides = (self._numbered(blank), *line.sides[1:-1], self._number(self._rounded(blank.leaf)))
        return replace(line, sides=sides, result=True)


def _as_tutorial(part: Expr) -> Expr | None:
    """z and a as net and out."""
    if not isinstance(part, Symbol) or part.base not in ("z", "a"):
        return None
    return Symbol("net" if part.base == "z" else "out", part.sub)


def _with_labels(node: Node | Gap, labels: Sequence[str]) -> Node | Gap:
    if isinstance(node, Gap):
        return node
    return replace(node, values=tuple(pair for pair in node.values if pair[0] in labels))


def _listed(pairs: Sequence[tuple[Expr, float]] | Iterator[tuple[Expr, float]]) -> list[Inline]:
    """``w1 = 0.15, w2 = 0.2``, each a formula."""
    found: list[Inline] = []
    for symbol, value in pairs:
        found += [", "] * bool(found)
        found.append(Compare(symbol, "=", Number(value)))
    return found
