"""What is printed: the sheet with its blanks, and the key with every step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from deltarule.derivations.network_drawing import draw
from deltarule.derivations.quantities import Quantity
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
    merged_lines,
)
from deltarule.documents.drawing import Drawing, Gap, Node
from deltarule.formula.text import text
from deltarule.formula.tree import Compare, Expr, Number, Partial, Symbol, Words, total
from deltarule.nn.optimizers import TIME
from deltarule.worksheets.exercise_formulas import PARTS
from deltarule.worksheets.question_lines import QuestionLines
from deltarule.worksheets.questions import Blank, Questions

#: In the order in which the parts are worked out.
HEADINGS = {part: part.capitalize() for part in PARTS} | {"forward": "Forward pass"}


class SheetPrinter:
    """Puts the documents of a worksheet together.

    ``format`` is what the sheet will be written as: it decides how long the lines to write on are.
    """

    def __init__(self, questions: Questions, format: str = "text") -> None:
        self.questions, self.decimals = questions, questions.decimals
        self.formulas, self.blanks = questions.formulas, questions.blanks
        formulas = self.formulas
        self.net, self.evidence, self.step = formulas.net, formulas.evidence, formulas.step
        self.names, self.lines = formulas.names, QuestionLines(questions, format)
        self._given = {part: formulas.leaves(part) for part in questions.given}
        self._parts = {blank.part for blank in self.blanks}

    def sheet(self) -> Document:
        """Return the sheet that is handed out."""
        blocks = [*self._opening(key=False)]
        for part, blanks in self._blanks_by_part():
            blocks.append(Heading((HEADINGS[part],)))
            blocks += [block for blank in blanks for block in self.lines.question(blank)]
        return self._document(self.questions.title, blocks)

    def key(self) -> Document:
        """Return the key: the sheet with every step."""
        blocks = [*self._opening(key=True)]
        with_line = {blank.leaf for blank in self.blanks if blank.kind != "code"}.union(*self._given.values())
        for part, blanks in self._blanks_by_part():
            blocks.append(Heading((HEADINGS[part],)))
            if part == "deltas" and self.formulas.is_fused:
                output, loss = self.net.layers[-1].activation.name, self.net.loss.name.replace("_", " ")
                words = f"With {output} and {loss} the chain rule simplifies to out − y at the outputs."
                blocks.append(Paragraph((words,), aside=True))
            blocks.append(
                Lines(tuple(line for blank in blanks for line in self.lines.steps(blank, with_line)))
            )
        return self._document(f"{self.questions.title}: key", blocks)

    def _document(self, title: str, blocks: Sequence[Block]) -> Document:
        return Document(title, tuple(merged_lines(blocks)), min(17, self.decimals + 2), self.questions.paper)

    def _blanks_by_part(self) -> Iterator[tuple[str, list[Blank]]]:
        for part in HEADINGS:
            blanks = [blank for blank in self.blanks if blank.part == part]
            if blanks:
                yield part, blanks

    def _opening(self, key: bool) -> Iterator[Block]:
        points = f"     Points: ______ of {self.questions.out_of:g}" * (not key)
        yield Paragraph((f"Name: {self.questions.student or '_' * 28}{points}",))
        if self.questions.instructions:
            yield Paragraph((self.questions.instructions,))
        yield from self.task(key)

    def task(self, key: bool = False) -> Iterator[Block]:
        """What is given: the network, drawn, its functions and its numbers."""
        yield Figure(self._drawing(key))
        yield Lines(tuple(self._functions()), columns=2)
        samples = self._sample(0) if self.evidence.n_samples == 1 else []
        given = [*self.formulas.positions, *samples]
        values = [(self.names.write(leaf), self.formulas.exact(leaf)) for leaf in given]
        words = f"Answers are rounded to {self.decimals} decimals; the key was computed at full precision."
        if not key:
            words = f"Round each answer to {self.decimals} decimals."
        yield Paragraph(("Given: ", *_equations(values), f". {words}"))
        if self.evidence.n_samples > 1:
            yield self._samples()
        if "update" in self._parts:
            yield from self._memory()
        for part, leaves in self._given.items():
            values = [(self.names.write(leaf), float(self.lines.rounded(leaf).number)) for leaf in leaves]
            yield Paragraph((f"{HEADINGS[part]}: ", *_equations(values), "."))

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

    def _functions(self) -> Iterator[Line]:
        """The formulas of activations, loss, cost, delta and update."""
        for activation in dict.fromkeys(layer.activation for layer in self.net.layers):
            layers = [str(n) for n, layer in enumerate(self.net.layers, 1) if layer.activation is activation]
            which = f"layer{'s' * (len(layers) > 1)} {' and '.join(layers)}"
            formula = self.names.general(activation.formula)
            yield Line((Symbol("out"), formula), (f"{which}: {activation.name.replace('_', ' ')}",))
        words = f"loss{' of one output, to be summed over all outputs' * (self.net.sizes[-1] > 1)}: "
        name = self.net.loss.name.replace("_", " ")
        yield Line((Symbol("E"), self.names.general(self.net.loss.formula)), (words + name,))
        if not self.evidence.cost_is_loss:
            yield self._cost()
        if "deltas" in (*self._parts, *self._given):
            yield Line((Symbol("δ"), Partial(self.names.cost, Symbol("net"))))
        if "update" in self._parts:
            yield from self._rule()

    def _cost(self) -> Line:
        """What the cost is, where it is not the one sample's loss."""
        objective, n = self.net.objective, self.evidence.n_samples
        loss: Expr = Words("the loss")
        if n > 1:
            loss = Words(f"the {'mean' if objective.reduction == 'mean' else 'sum'} over the {n} samples")
        penalties = [(objective.l1, "Σ|w|"), (objective.l2, "½Σw²")]
        terms = [Number(value) * Words(what) for value, what in penalties if value]
        return Line((self.names.cost, total([loss, *terms])), ("the cost",))

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

    def _rule(self) -> Iterator[Line]:
        """The optimizer's rule, with its numbers."""
        step = self.step
        assert step is not None
        optimizer = step.optimizer
        letters = [(s, value) for s, value in step.letters().items() if s != TIME or optimizer.slots]
        rules = optimizer.weight_steps + optimizer.steps
        for index, (symbol, formula) in enumerate(rules):
            note = (f"update by {optimizer.name}, ", *_equations(letters)) if index == len(rules) - 1 else ()
            yield Line((symbol, formula), note, "←")

    def _memory(self) -> Iterator[Block]:
        """What the optimizer remembers of each parameter."""
        step, formulas = self.step, self.formulas
        assert step is not None
        asked = {blank.leaf for blank in self.blanks}
        if step.slots.any():
            rows: list[tuple[Inline, ...]] = [
                (self.names.write(p), *(Number(float(slot[formulas.positions[p]])) for slot in step.slots))
                for p in formulas.parameters
                if Quantity("new", p.layer, p.index) in asked
            ]
            yield TableBlock(("memory for", *step.optimizer.slots), tuple(rows))


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
