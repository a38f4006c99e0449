"""Questions for Moodle's question bank, as its XML format has them.

Of each blank there is a category with a question for each variant, so that a quiz draws one of them for each
student; and there is a category with whole sheets, a Cloze question for each variant.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from deltarule.documents.document import Block, Heading, Lines, Listing, Paragraph
from deltarule.formula.text import clean
from deltarule.formula.tree import Expr
from deltarule.worksheets.choices import Option
from deltarule.worksheets.follow_through import StudentValues
from deltarule.worksheets.moodle_html import PICTURE, MoodleRenderer
from deltarule.worksheets.printing import HEADINGS, SheetPrinter
from deltarule.worksheets.question_lines import QuestionLines
from deltarule.worksheets.questions import Blank, Questions
from deltarule.worksheets.wrong_formulas import KINDS, wrong_formulas_of

#: Of the usual mistakes so many have feedback of their own.
_MOST_MISTAKES = 12


class Accepted(NamedTuple):
    """An interval of numbers that a question tells apart: its middle, how far it reaches, and what to say."""

    value: float
    tolerance: float
    words: str
    is_right: bool

    def overlaps(self, other: Accepted) -> bool:
        """Whether some number lies in both."""
        return abs(self.value - other.value) <= self.tolerance + other.tolerance

    @property
    def texts(self) -> tuple[str, str]:
        """The middle and the tolerance as decimals."""
        return f"{self.value:.12f}".rstrip("0").rstrip("."), f"{self.tolerance:.12f}"


def accepted_numbers(sheet: Questions, leaf: Expr) -> list[Accepted]:
    """Return the right number of a quantity with all that rounding explains, then those of usual mistakes."""
    student, formulas = StudentValues(sheet.formulas, {}, 10.0**-sheet.decimals / 2), sheet.formulas
    rights = formulas.all(leaf)
    reach = max(student.tolerance(formula) for formula in rights)
    found = [Accepted(formulas.exact(leaf), reach, "", True)]
    for wrong in wrong_formulas_of(formulas, leaf):
        value = student.value(wrong.formula)
        if not abs(value) < 1e6:
            continue
        one = Accepted(value, student.tolerance(wrong.formula), KINDS[wrong.kind], False)
        if len(found) <= _MOST_MISTAKES and not any(one.overlaps(other) for other in found):
            found.append(one)
    return found


def moodle_questions(sheets: Sequence[Questions]) -> bytes:
    """Return a file for *Question bank → Import → Moodle XML*.

    The sheets are the variants, all of which ask for the same.
    """
    quiz, first = ET.Element("quiz"), sheets[0]
    top = f"$course$/top/{_as_category(first.title)}"
    for index, blank in enumerate(first.blanks):
        _category(quiz, f"{top}/{_as_category(f'({blank.number}) {blank.name}')}")
        for number, sheet in enumerate(sheets, 1):
            _MoodleSheet(quiz, sheet, number).single(sheet.blanks[index])
    _category(quiz, f"{top}/whole sheets")
    for number, sheet in enumerate(sheets, 1):
        _MoodleSheet(quiz, sheet, number).cloze()
    return ET.tostring(quiz, encoding="utf-8", xml_declaration=True)


def _as_category(name: str) -> str:
    """A category's name, in which a slash would begin another one."""
    return clean(name).replace("/", "//")


def _category(quiz: ET.Element, path: str) -> None:
    question = ET.SubElement(quiz, "question", type="category")
    ET.SubElement(ET.SubElement(question, "category"), "text").text = path


def _text(parent: ET.Element, tag: str, words: str, format: str = "html") -> ET.Element:
    """An element with a text in it."""
    element = ET.SubElement(parent, tag, format=format)
    ET.SubElement(element, "text").text = words
    return element


class _MoodleSheet:
    """Writes the questions of one variant."""

    def __init__(self, quiz: ET.Element, sheet: Questions, variant: int) -> None:
        self.quiz, self.sheet, self.variant = quiz, sheet, variant
        self.renderer = MoodleRenderer(sheet.decimals + 2)
        self.lines = QuestionLines(sheet)

    # ------------------------------------------------------------------ a question of its own

    def single(self, blank: Blank) -> None:
        """A question about one blank."""
        kinds = {"choice": "multichoice", "code": "multichoice", "show": "essay"}
        kind = kinds.get(blank.kind, "numerical")
        asked = self.renderer.all([*self._task(), *self._asking(blank)])
        question = self._question(kind, f"({blank.number}) {blank.name}", asked, [blank])
        ET.SubElement(question, "defaultgrade").text = f"{blank.points:g}"
        if kind == "numerical":
            self._add_numbers(question, blank)
        elif kind == "multichoice":
            self._add_options(question, self.sheet.options[blank.number])
        else:
            for tag, words in (("responseformat", "editor"), ("responserequired", "1"), ("attachments", "1")):
                ET.SubElement(question, tag).text = words

    def _question(self, kind: str, name: str, asked: str, blanks: Sequence[Blank]) -> ET.Element:
        question = ET.SubElement(self.quiz, "question", type=kind)
        title = ET.SubElement(ET.SubElement(question, "name"), "text")
        title.text = f"{clean(name)}, variant {self.variant:03}"
        element = _text(question, "questiontext", asked)
        picture = ET.SubElement(element, "file", name=PICTURE, path="/", encoding="base64")
        picture.text = b64encode(self.renderer.pictures[0].encode()).decode()
        known = {blank.leaf for blank in blanks if blank.kind != "code"}
        known.update(leaf for part in self.sheet.given for leaf in self.sheet.formulas.leaves(part))
        steps = [Lines(tuple(self.lines.steps(blank, known))) for blank in blanks]
        _text(question, "generalfeedback", self.renderer.all(steps))
        return question

    def _task(self) -> Iterator[Block]:
        """What is given."""
        if self.sheet.instructions:
            yield Paragraph((self.sheet.instructions,))
        yield from SheetPrinter(self.sheet).task()

    def _asking(self, blank: Blank) -> Iterator[Block]:
        """The question in words, with what belongs to it."""
        symbol = self.sheet.formulas.symbol(blank.leaf)
        if blank.kind == "code":
            yield Paragraph(("Which line is missing?",))
            yield Listing(self.sheet.code.program(blank.leaf, self._asked_code()))
            return
        new = " after the update" * (blank.part == "update")
        if blank.kind == "show":
            yield Paragraph(("Show that ", symbol, f"{new} is ", self.lines.rounded(blank.leaf), "."))
            return
        yield Paragraph(("What is ", symbol, f"{new}?"))
        notes = [note for note in self.lines.notes(blank) if blank.kind == "mistake"]
        yield from (Paragraph(tuple(note)) for note in notes)

    def _asked_code(self) -> list[Expr]:
        return [blank.leaf for blank in self.sheet.blanks if blank.kind == "code"]

    def _add_numbers(self, question: ET.Element, blank: Blank) -> None:
        for number in accepted_numbers(self.sheet, blank.leaf):
            value, tolerance = number.texts
            answer = _text(question, "answer", value, "moodle_auto_format")
            answer.set("fraction", "100" if number.is_right else "0")
            ET.SubElement(answer, "tolerance").text = tolerance
            _text(answer, "feedback", f"It seems that you {number.words}." if number.words else "Right.")
        units = {"unitgradingtype": "0", "unitpenalty": "0.1", "showunits": "3", "unitsleft": "0"}
        for tag, words in units.items():
            ET.SubElement(question, tag).text = words

    def _add_options(self, question: ET.Element, options: Sequence[Option]) -> None:
        for tag, words in (("single", "true"), ("shuffleanswers", "true"), ("answernumbering", "ABCD")):
            ET.SubElement(question, tag).text = words
        for option in options:
            words = option.words or f"{option.value:g}".replace("-", "−")
            answer = _text(question, "answer", self.renderer.part(words))
            answer.set("fraction", "100" if option.is_right else "0")
            _text(answer, "feedback", self.renderer.part(option.mistake or "Right."))

    # ------------------------------------------------------------------ a whole sheet

    def cloze(self) -> None:
        """One question with all blanks, each at its place."""
        written = [self.renderer.all(self._task())]
        for part, heading in HEADINGS.items():
            blanks = [blank for blank in self.sheet.blanks if blank.part == part]
            written += [self.renderer.heading(Heading((heading,)))] * bool(blanks)
            written += map(self._cloze_line, blanks)
        self._question("cloze", self.sheet.title, "\n".join(written), self.sheet.blanks)

    def _cloze_line(self, blank: Blank) -> str:
        if blank.kind == "show":
            return self.renderer.all(self._asking(blank))
        symbol = self.renderer.part(self.sheet.formulas.symbol(blank.leaf))
        before = ""
        if blank.kind == "code":
            options = [f"{option.letter}   {option.words}" for option in self.sheet.options[blank.number]]
            program = self.sheet.code.program(blank.leaf, self._asked_code())
            before = self.renderer.listing(Listing("\n".join([program, "", *options])))
            symbol = "the missing line"
        elif blank.kind == "mistake":
            before = self.renderer.all(Paragraph(tuple(note)) for note in self.lines.notes(blank))
        return f"{before}<p>({blank.number}) {symbol} {blank.relation} {self._gap(blank)}</p>"

    def _gap(self, blank: Blank) -> str:
        """``{1:NUMERICAL:=0.3775:0.0001#right~%0%0.2775:0.0001#forgot the bias}``."""
        whole = all(float(each.points).is_integer() for each in self.sheet.blanks)
        weight = int(blank.points if whole else round(100 * blank.points))
        kind, answers = "NUMERICAL", list[tuple[bool, str, str]]()
        if blank.number in self.sheet.options:
            kind, options = "MULTICHOICE", self.sheet.options[blank.number]
            answers = [(o.is_right, o.letter if o.words else f"{o.value:g}", o.mistake) for o in options]
        else:
            numbers = accepted_numbers(self.sheet, blank.leaf)
            answers = [(n.is_right, ":".join(n.texts), n.words) for n in numbers]
        written = (
            f"{'=' if right else '%0%'}{value}#{_shielded(words or 'right')}"
            for right, value, words in answers
        )
        return f"{{{weight}:{kind}:{'~'.join(written)}}}"


def _shielded(words: str) -> str:
    """Words without what means something in a gap."""
    return "".join(f"\\{character}" if character in '}#~/"\\' else character for character in words)
