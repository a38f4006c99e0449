"""What is printed: the sheet with its blanks, and the key with every step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

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
from deltarule.worksheets.questions import PARTS, Blank, Questions, parameter_updated_to, supporting_parts

#: How long the lines to write on are, in characters: for the working, and for the answer. Formats differ in
#: how wide the character is.
_LENGTHS = {"pdf": (84, 18), "latex": (37, 9), "markdown": (12, 8)}
_LENGTH = (48, 12)

#: In the order in which the parts are worked out.
_HEADINGS = {part: part.capitalize() for part in PARTS} | {"forward": "Forward pass"}


class SheetPrinter:
    """Puts the documents of a worksheet together.

    Parameters
    ----------
    questions : Questions
    format : str
        What the sheet will be written as: it decides how long the lines to write on are.
    """

    def __init__(self, questions: Questions, format: str = "text") -> None:
        self.questions, self.asked, self.decimals = questions, questions.asked, questions.decimals
        self.formulas, self.blanks = questions.formulas, questions.blanks
        self._working, self._answer = (Words("_" * n) for n in _LENGTHS.get(format, _LENGTH))
        formulas = self.formulas
        self.net, self.evidence, self.step = formulas.net, formulas.evidence, formulas.step
        self.names, self.writer = formulas.names, LineWriter(formulas.evidence, formulas.names)
        self._given = {part: formulas.leaves(part) for part in supporting_parts(self.asked)}

    def sheet(self) -> Document:
        """Return the sheet that is handed out."""
        blocks = [*self._opening(key=False)]
        for part, blanks in self._blanks_by_part():
            blocks += [Heading((_HEADINGS[part],)), Lines(tuple(map(self._question, blanks)))]
        return self._document(self.questions.title, blocks)

    def key(self) -> Document:
        """Return the key: the sheet with every step."""
        blocks = [*self._opening(key=True)]
        with_line = {blank.leaf for blank in self.blanks}.union(*self._given.values())
        for part, blanks in self._blanks_by_part():
            blocks.append(Heading((_HEADINGS[part],)))
            if part == "deltas" and self.formulas.is_fused:
                output, loss = self.net.layers[-1].activation.name, self.net.loss.name.replace("_", " ")
                words = f"With {output} and {loss} the chain rule shortens to out − y at the outputs."
                blocks.append(Paragraph((words,), aside=True))
            blocks.append(Lines(tuple(line for blank in blanks for line in self._steps(blank, with_line))))
        return self._document(f"{self.questions.title}: key", blocks)

    def _document(self, title: str, blocks: Sequence[Block]) -> Document:
        return Document(title, tuple(blocks), min(17, self.decimals + 2))

    def _blanks_by_part(self) -> Iterator[tuple[str, list[Blank]]]:
        for part in _HEADINGS:
            blanks = [blank for blank in self.blanks if blank.part == part]
            if blanks:
                yield part, blanks

    def _opening(self, key: bool) -> Iterator[Block]:
        seed = "" if self.questions.seed is None else f"     No. {self.questions.seed}"
        yield Paragraph((f"Name: {self.questions.student or '_' * 28}{seed}",))
        yield Figure(self._drawing(key))
        yield Paragraph((*self._functions(), *self._cost()))
        samples = self._sample(0) if self.evidence.n_samples == 1 else []
        given = [*self.formulas.weights_and_biases(), *samples]
        values = [(self.names.write(leaf), self.formulas.exact(leaf)) for leaf in given]
        yield Paragraph(("Given: ", *_equations(values), "."))
        if self.evidence.n_samples > 1:
            yield self._samples()
        if "update" in self.asked:
            yield from self._optimizer()
        if key:
            words = f"Answers are rounded to {self.decimals} decimals; all digits were computed with."
        else:
            words = f"Round each answer to {self.decimals} decimals."
        yield Paragraph((words,), aside=key)
        for part, leaves in self._given.items():
            values = [(self.names.write(leaf), self._rounded(leaf)) for leaf in leaves]
            yield Paragraph((f"{_HEADINGS[part]}: ", *_equations(values), "."))

    def _drawing(self, key: bool) -> Drawing:
        """The network; on the sheet without what is asked for."""
        evidence, single = self.evidence, self.evidence.n_samples == 1
        drawing = draw(
            self.net, evidence.trace, evidence.grads, evidence.y,
            number=lambda v: text(Number(round(v, self.decimals), measured=True), self.decimals + 2),
        )  # fmt: skip
        if key and single:
            return drawing
        labels = ("b", "x", "y") if single else ("b",)  # what is given
        columns = tuple(
            replace(column, nodes=tuple(_with_labels(node, labels) for node in column.nodes))
            for column in drawing.columns
        )
        return replace(drawing, columns=columns)

    def _functions(self) -> Iterator[Inline]:
        for activation in dict.fromkeys(layer.activation for layer in self.net.layers):
            layers = [str(n) for n, layer in enumerate(self.net.layers, 1) if layer.activation is activation]
            which = f"Layer{'s' * (len(layers) > 1)} {' and '.join(layers)}"
            yield f"{which}: {activation.name.replace('_', ' ')}, "
            yield Compare(Symbol("out"), "=", activation.formula.replace(_as_tutorial))
            yield ". "
        yield f"Loss of an output: {self.net.loss.name.replace('_', ' ')}, "
        yield Compare(Symbol("E"), "=", self.net.loss.formula.replace(_as_tutorial))
        yield "; a sample's is the sum of its outputs'. " if self.net.sizes[-1] > 1 else ". "

    def _cost(self) -> Iterator[Inline]:
        """What the cost is, where it is not the one sample's loss, and what a delta is."""
        objective, n = self.net.objective, self.evidence.n_samples
        if not self.evidence.cost_is_loss:
            yield "The cost "
            yield self.names.cost
            kind = "mean" if objective.reduction == "mean" else "sum"
            yield f" is the {kind} over the {n} samples" if n > 1 else " is the loss"
            penalties = [(objective.l1, "Σ|w|"), (objective.l2, "½Σw²")]
            yield "".join(f" + {value:g}·{what}" for value, what in penalties if value)
            yield ". "
        if "deltas" in (*self.asked, *self._given):
            yield Compare(Symbol("δ"), "=", Partial(self.names.cost, Symbol("net")))
            yield "."

    def _sample(self, sample: int) -> list[Quantity]:
        inputs = [Quantity("a", 0, (i,), sample) for i in range(self.net.sizes[0])]
        last = self.evidence.n_layers
        return inputs + [Quantity("y", last, (k,), sample) for k in range(self.net.sizes[-1])]

    def _samples(self) -> TableBlock:
        names = [Symbol("i", str(i + 1)) for i in range(self.net.sizes[0])]
        names += [Symbol("y", f"o{k + 1}") for k in range(self.net.sizes[-1])]
        rows: list[tuple[Inline, ...]] = [
            (f"{s + 1}", *(Number(self.formulas.exact(q)) for q in self._sample(s)))
            for s in range(self.evidence.n_samples)
        ]
        return TableBlock(("sample", *names), tuple(rows))

    def _optimizer(self) -> Iterator[Block]:
        """Its rule and numbers, and what it remembers of each parameter."""
        step = self.step
        assert step is not None
        optimizer, formulas = step.optimizer, self.formulas
        letters = [(s, value) for s, value in step.letters().items() if s != TIME or optimizer.slots]
        rule = "; ".join(
            f"{symbol} ← {formula}" for symbol, formula in optimizer.weight_steps + optimizer.steps
        )
        yield Paragraph((f"Update by {optimizer.name}, ", *_equations(letters), f": {rule}."))
        if step.slots.any():
            rows: list[tuple[Inline, ...]] = [
                (self.names.write(p), *(Number(float(slot[formulas.position(p)])) for slot in step.slots))
                for p in formulas.parameters()
            ]
            yield TableBlock(("remembered of", *optimizer.slots), tuple(rows))

    def _rounded(self, leaf: Expr) -> float:
        return round(self.formulas.exact(leaf), self.decimals)

    def _question(self, blank: Blank) -> Line:
        shown = self.formulas.shown(blank.leaf) if self.questions.with_formulas else None
        working = self._working if shown is None else self.writer.symbols(shown)
        return Line((self._numbered(blank), working, self._answer), relation=blank.relation)

    def _numbered(self, blank: Blank) -> Expr:
        return Mul((Words(f"({blank.number})"), self.formulas.symbol(blank.leaf)), op="")

    def _steps(self, blank: Blank, with_line: set[Expr]) -> Iterator[Line]:
        """What stands between the blanks, then the blank's own line."""
        parameter = parameter_updated_to(blank.leaf)
        if parameter is None:
            yield from self._lines_before(blank.leaf, with_line)
            line = self.writer.line(blank.leaf, self.formulas(blank.leaf), result=True)
            yield self._answered(line, blank)
            return
        assert self.step is not None
        for block in UpdateDerivation(self.writer, self.step).parameter(parameter):
            for line in block.lines if isinstance(block, Lines) else ():
                yield self._answered(line, blank) if line.result else line

    def _lines_before(self, leaf: Expr, with_line: set[Expr]) -> Iterator[Line]:
        """The steps of a quantity's formula that stand nowhere else: neither asked for, nor given."""
        formula = self.formulas(leaf)
        for inner in formula.leaves() if formula is not None else ():
            is_step = isinstance(inner, Quantity | Rate) and self.formulas(inner) is not None
            if is_step and inner not in with_line:
                with_line.add(inner)
                yield from self._lines_before(inner, with_line)
                yield self.writer.line(inner, self.formulas(inner))

    def _answered(self, line: Line, blank: Blank) -> Line:
        """The line with the blank's number, and its value as it is to be answered."""
        value = Number(self._rounded(blank.leaf), measured=True)
        return replace(line, sides=(self._numbered(blank), *line.sides[1:-1], value), result=True)


def _as_tutorial(part: Expr) -> Expr | None:
    """z and a as net and out."""
    if not isinstance(part, Symbol) or part.base not in ("z", "a"):
        return None
    return Symbol("net" if part.base == "z" else "out", part.sub)


def _with_labels(node: Node | Gap, labels: Sequence[str]) -> Node | Gap:
    if isinstance(node, Gap):
        return node
    return replace(node, values=tuple(pair for pair in node.values if pair[0] in labels))


def _equations(pairs: Iterable[tuple[Expr, float]]) -> list[Inline]:
    """``w1 = 0.15, w2 = 0.2``, each a formula."""
    found: list[Inline] = []
    for symbol, value in pairs:
        found += [", "] * bool(found)
        found.append(Compare(symbol, "=", Number(value)))
    return found
