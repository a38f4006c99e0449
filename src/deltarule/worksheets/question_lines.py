"""How each kind of question is put on a sheet, and answered in its key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from deltarule.derivations.line_writer import LineWriter
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.derivations.updates import UpdateDerivation
from deltarule.documents.document import Block, Inline, Line, Lines, Listing
from deltarule.formula.tree import Expr, Mul, Number, Words
from deltarule.worksheets.exercise_formulas import parameter_updated_to, quantities_in
from deltarule.worksheets.questions import Blank, Questions
from deltarule.worksheets.wrong_formulas import KINDS

#: How long the lines to write on are, in characters: for the working, and for the answer. Formats differ in
#: how wide the character is.
_LENGTHS = {"pdf": (84, 18), "latex": (37, 9), "markdown": (12, 8)}
_LENGTH = (48, 12)

_HINTS = {
    "z": "each input times its weight, all added up, plus the bias if there is one",
    "a": "the activation of net",
    "term": "the loss of this output alone",
    "E": "the losses of the outputs, added up",
    "L": "the losses of all samples together",
    "delta": "what comes back along the outgoing weights, times the slope of the neuron",
    "W": "the delta of the neuron that the weight leads to, times the input of the weight",
    "b": "the delta of the neuron: its bias is multiplied by 1",
    "new": "the old value, moved against its gradient",
}
_HINT_OF_OUTPUT = "how the loss changes with out, times the slope of the activation"
_HINT_OF_FUSED = "loss and activation simplify to out − y"


class QuestionLines:
    """Writes questions and their answers.

    ``format`` is what the sheet will be written as: it decides how long the lines to write on are.
    """

    def __init__(self, questions: Questions, format: str = "text") -> None:
        self.questions, self.formulas, self.decimals = questions, questions.formulas, questions.decimals
        self._working, self._answer = (Words("_" * n) for n in _LENGTHS.get(format, _LENGTH))
        self.names, self.writer = self.formulas.names, LineWriter(self.formulas.evidence, self.formulas.names)

    # ------------------------------------------------------------------ on the sheet

    def question(self, blank: Blank) -> Iterator[Block]:
        """The question with room for its answer."""
        symbol, notes = self._numbered(blank), [*self.notes(blank)]
        sides: list[Expr] = [self._answer]
        if blank.kind == "code":
            options = [f"{option.letter}   {option.words}" for option in self.questions.options[blank.number]]
            asked = [other.leaf for other in self.questions.blanks if other.kind == "code"]
            yield Listing("\n".join([self.questions.code.program(blank.leaf, asked), "", *options]))
            symbol = Words(f"({blank.number}) the missing line")
        elif blank.kind != "choice":
            hidden = blank.kind == "mistake" or not self.questions.with_formulas
            shown = None if hidden else self.formulas.shown(blank.leaf)
            working = self._working if shown is None else self.writer.symbols(shown)
            sides = [working, self.rounded(blank.leaf) if blank.kind == "show" else self._answer]
        note = tuple(part for index, words in enumerate(notes) for part in (*["; "] * (index > 0), *words))
        yield Lines((Line((symbol, *sides), note, "=" if blank.kind == "code" else blank.relation),))

    def notes(self, blank: Blank) -> Iterator[Sequence[Inline]]:
        """What is said about a question: its choices, its slip, a hint, its points."""
        if blank.kind == "show":
            yield ("show that this is so",)
        if blank.kind == "choice":
            notes: list[Inline] = []
            for option in self.questions.options[blank.number]:
                notes += [f"{'     ' * bool(notes)}{option.letter}  ", _number(option.value)]
            yield notes
        if blank.kind == "mistake":
            wrong, value = self.questions.planted[blank.number]
            step = (self.writer.symbols(wrong.formula), *self._numbers_of(wrong.formula))
            got = _number(round(value, self.decimals))
            yield ("somebody wrote ", *step, " and got ", got, ": say what is wrong, and correct it")
        if self.questions.with_hints and blank.kind != "code":
            yield (f"hint: {self._hint(blank.leaf)}",)
        if blank.points != 1:
            yield (points_in_words(blank.points),)

    def _numbers_of(self, formula: Expr) -> list[Inline]:
        """The formula with its numbers, where all of them stand on the sheet."""
        if any(self.formulas(leaf) is not None for leaf in quantities_in(formula)):
            return []
        return [" = ", self.writer.numbers(formula)]

    def _hint(self, leaf: Expr) -> str:
        if isinstance(leaf, Rate):
            return _HINTS[leaf.by.kind]
        assert isinstance(leaf, Quantity)
        if leaf.kind == "delta" and leaf.layer == self.formulas.evidence.n_layers:
            return _HINT_OF_FUSED if self.formulas.is_fused else _HINT_OF_OUTPUT
        single = leaf.kind == "E" and self.formulas.net.sizes[-1] == 1
        return _HINTS["term" if single else leaf.kind]

    def rounded(self, leaf: Expr) -> Number:
        """The right value as it is to be answered."""
        return _number(round(self.formulas.exact(leaf), self.decimals))

    def _numbered(self, blank: Blank) -> Expr:
        return Mul((Words(f"({blank.number})"), self.formulas.symbol(blank.leaf)), op="")

    # ------------------------------------------------------------------ in the key

    def steps(self, blank: Blank, with_line: set[Expr]) -> Iterator[Line]:
        """What stands between the blanks, then the blank's own line."""
        if blank.kind == "code":
            right = next(option for option in self.questions.options[blank.number] if option.is_right)
            yield Line((Words(f"({blank.number})"), Words(right.letter)), (right.words,), result=True)
            return
        parameter = parameter_updated_to(blank.leaf)
        yield from self._lines_before(blank.leaf, with_line)
        if parameter is None:
            line = self.writer.line(blank.leaf, self.formulas(blank.leaf), result=True)
            yield self._answered(line, blank)
            return
        assert self.formulas.step is not None
        for block in UpdateDerivation(self.writer, self.formulas.step).parameter(parameter):
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
        """The line with the blank's number, its value as it is to be answered, and what marking needs."""
        sides = (self._numbered(blank), *line.sides[1:-1], self.rounded(blank.leaf))
        note = line.note
        if blank.kind == "choice":
            options = self.questions.options[blank.number]
            words = "; ".join(f"{option.letter}: {option.mistake or 'right'}" for option in options)
            note = (words,)
        elif blank.kind == "mistake":
            note = (f"the mistake: {KINDS[self.questions.planted[blank.number][0].kind]}",)
        return replace(line, sides=sides, note=note, result=True)


def points_in_words(points: float) -> str:
    """``1 point``, ``2.5 points``."""
    return f"{points:g} point{'s' * (points != 1)}"


def _number(value: float | None) -> Number:
    assert value is not None
    return Number(value, measured=True)
