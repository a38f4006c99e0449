"""What a student gets back: each answer with its verdict, the right step where it was not right, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from deltarule.derivations import Derivation
from deltarule.documents.document import (
    Block,
    Document,
    Heading,
    Inline,
    Line,
    Lines,
    Paragraph,
    merged_lines,
)
from deltarule.formula.tree import Expr, Number, Words
from deltarule.worksheets.exercise_formulas import quantities_in
from deltarule.worksheets.marks import Mark
from deltarule.worksheets.printing import HEADINGS
from deltarule.worksheets.question_lines import QuestionLines, points_in_words
from deltarule.worksheets.questions import Questions

_SIGNS = {
    "right": "✓ right",
    "follows on": "✓ follow-through",
    "by hand": "✓ read by hand",
    "wrong": "✗",
    "empty": "not answered",
}
_IN_SHORT = {
    "right": "right",
    "follows on": "right, given an earlier wrong number",
    "by hand": "read by hand",
    "wrong": "wrong",
    "empty": "not answered",
}


def report(sheet: Questions, marks: Sequence[Mark]) -> Derivation:
    """Return the marked sheet as a document, with a colour for each verdict."""
    return Derivation(_Feedback(sheet, marks).document(), {})


class _Feedback:
    def __init__(self, sheet: Questions, marks: Sequence[Mark]) -> None:
        self.sheet, self.marks, self.formulas = sheet, marks, sheet.formulas
        self.lines = QuestionLines(sheet)
        self.answered = {mark.blank.leaf: mark.number for mark in marks if mark.number is not None}
        given = (leaf for part in sheet.given for leaf in self.formulas.leaves(part))
        self._known: set[Expr] = {mark.blank.leaf for mark in marks}.union(given)  # needs no line of its own

    def document(self) -> Document:
        """The whole sheet, part by part."""
        sheet = self.sheet
        verdicts = [mark.verdict for mark in self.marks]
        counts = [f"{verdicts.count(name)} {words}" for name, words in _IN_SHORT.items() if name in verdicts]
        in_short = f"Of {len(verdicts)} answers: {', '.join(counts)}."
        blocks: list[Block] = [Paragraph((f"{sheet.title}. {in_short}",))]
        for part, heading in HEADINGS.items():
            marks = [mark for mark in self.marks if mark.blank.part == part]
            blocks += [Heading((heading,))] * bool(marks)
            blocks += [Lines(tuple(self._lines(mark))) for mark in marks]
        who = f"{sheet.student}: " if sheet.student else ""
        title = f"{who}{sum(mark.credit for mark in self.marks):g} of {points_in_words(sheet.out_of)}"
        return Document(title, tuple(merged_lines(blocks)), sheet.decimals + 2, sheet.paper)

    def _lines(self, mark: Mark) -> Iterator[Line]:
        """The line of an answer: where it is not right, with the right step."""
        steps = list(self.lines.steps(mark.blank, set(self._known)))
        if mark.verdict in ("right", "by hand"):
            sides = (steps[-1].sides[0], steps[-1].sides[-1])
            yield Line(sides, tuple(self._note(mark)), steps[-1].relation, verdict=mark.verdict)
            return
        yield from steps[:-1]
        yield replace(steps[-1], note=tuple(self._note(mark)), result=False, verdict=mark.verdict)

    def _note(self, mark: Mark) -> Iterator[Inline]:
        """The verdict, what was answered, the reason, and the points."""
        yield _SIGNS[mark.verdict]
        if mark.answer is not None and mark.verdict != "right":
            yield f"{'' if mark.verdict == 'wrong' else ';'} answered was " * (mark.verdict != "by hand")
            yield from [self._answer(mark)] * (mark.verdict != "by hand")
        if mark.verdict == "follows on":
            yield from self._what_it_follows_from(mark)
        yield from self._mistakes(mark)
        yield f"; {mark.credit:g} of {points_in_words(mark.blank.points)}"

    def _answer(self, mark: Mark) -> Inline:
        assert mark.answer is not None
        if mark.number is None:
            return Words(f"“{mark.answer.text[:40]}”")
        return Number(round(mark.number, self.sheet.decimals + 2), measured=True)

    def _what_it_follows_from(self, mark: Mark) -> Iterator[Inline]:
        """The student's own numbers from which the answer follows."""
        formula = self.formulas(mark.blank.leaf)
        assert formula is not None
        own = [leaf for leaf in dict.fromkeys(quantities_in(formula)) if leaf in self.answered]
        for index, leaf in enumerate(own):
            yield ", which is right for " if index == 0 else " and "
            yield self.formulas.names.write(leaf)
            yield " = "
            yield Number(self.answered[leaf], measured=True)

    def _mistakes(self, mark: Mark) -> Iterator[Inline]:
        """The mistake in words, with the formula that gives the answer."""
        if mark.chosen:
            yield f": {mark.chosen}"
        elif mark.verdict == "wrong" and not mark.wrong_formulas and mark.blank.has_number:
            yield ", which is not a number" if mark.number is None else ": no usual mistake gives this number"
        seen: list[str] = []
        for wrong in mark.wrong_formulas:
            if wrong.words not in seen:
                yield f"{': ' if not seen else ', or '}{wrong.words}, "
                yield self.formulas.names.write(wrong.formula)
                seen.append(wrong.words)
