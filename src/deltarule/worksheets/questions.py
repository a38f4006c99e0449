"""What a worksheet asks for: its blanks, and what there is to choose among."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from deltarule.arrays import check_whole
from deltarule.errors import InputError
from deltarule.formula.text import text
from deltarule.formula.tree import Expr
from deltarule.registry import record
from deltarule.worksheets.choices import Option, Slips
from deltarule.worksheets.code_lines import CodeLines
from deltarule.worksheets.exercise import Exercise
from deltarule.worksheets.exercise_formulas import ExerciseFormulas
from deltarule.worksheets.question_requests import QuestionRequests, name_key, part_of
from deltarule.worksheets.wrong_formulas import WrongFormula

#: A sheet with more blanks would not be worked out by hand.
MOST_BLANKS = 500

PAPERS = ("a4", "letter")


@record
class Blank:
    """One thing that is asked for.

    Parameters
    ----------
    number : int
        From 1.
    leaf : Expr
        The quantity; of the kind "new" where it is a parameter after the update.
    name : str
        ``net_h1``, ``δ_o1``, ``∂E/∂w5``, ``new w5``; with ``code:`` before it where a line is asked for.
    kind : str
        How the question is put, see :data:`deltarule.worksheets.question_requests.KINDS_OF_QUESTIONS`.
    points : int or float
    """

    number: int
    leaf: Expr
    name: str
    kind: str = "compute"
    points: float = 1

    @property
    def part(self) -> str:
        """The part of the pass in which it stands."""
        return part_of(self.leaf)

    @property
    def relation(self) -> str:
        """The sign between the quantity and its value: ← where the value replaces an old one."""
        return "←" if self.part == "update" else "="

    @property
    def has_number(self) -> bool:
        """Whether a number is worked out, and written down."""
        return self.kind in ("compute", "mistake")


def blanks_by_name(blanks: Sequence[Blank]) -> dict[str, Blank]:
    """Return the blanks by what people may call them: the number, or the quantity's name."""
    found: dict[str, Blank] = {}
    for blank in blanks:
        keys = [str(blank.number), name_key(blank.name)]
        if blank.part == "update":
            parameter = name_key(blank.name).replace("new", "")
            keys += [parameter, f"{parameter}new"]
        for key in keys:
            found.setdefault(key, blank)
    return found


class Questions:
    """The blanks of a worksheet, and what its head says; see :class:`~deltarule.worksheets.Worksheet`."""

    def __init__(
        self,
        task: Exercise,
        asked: Sequence[str],
        *,
        decimals: int = 4,
        student: str = "",
        seed: int | None = None,
        title: str = "Worksheet",
        instructions: str = "",
        with_formulas: bool = False,
        with_hints: bool = False,
        paper: str = "a4",
    ) -> None:
        check_whole("decimals", decimals, 1, 10)
        if paper not in PAPERS:
            raise InputError(f"paper must be one of {', '.join(PAPERS)}, got {paper!r}")
        self.task, self.asked, self.decimals, self.paper = task, tuple(asked), decimals, paper
        self.student, self.seed, self.title, self.instructions = student, seed, title, instructions
        self.with_formulas, self.with_hints = with_formulas, with_hints
        self.formulas = ExerciseFormulas(task)
        requests = QuestionRequests(self.formulas, self.asked)
        self.given = requests.given
        if len(requests.found) > MOST_BLANKS:
            raise InputError(
                f"the sheet would have {len(requests.found):,} blanks, more than {MOST_BLANKS}: use "
                "fewer neurons or samples, or ask for less"
            )
        names = self.formulas.names
        self.blanks = [
            Blank(number, leaf, "code:" * (kind == "code") + text(names.write(leaf)), kind, points)
            for number, (leaf, kind, points) in enumerate(requests.found, 1)
        ]
        self.options = {b.number: self._options(b) for b in self.blanks if b.kind in ("choice", "code")}
        self.planted: dict[int, tuple[WrongFormula, float]] = {
            b.number: self._slips.planted(b.leaf) for b in self.blanks if b.kind == "mistake"
        }

    @cached_property
    def code(self) -> CodeLines:
        """The program of the step."""
        return CodeLines(self.formulas)

    @cached_property
    def by_hand(self) -> dict[Expr, float]:
        """What each quantity is to somebody who rounds at every step."""
        return self.formulas.by_hand(self.decimals)

    @cached_property
    def _slips(self) -> Slips:
        return Slips(self.formulas, self.decimals)

    def _options(self, blank: Blank) -> list[Option]:
        if blank.kind == "choice":
            return self._slips.options(blank.leaf)
        return self.code.options(blank.leaf, self._slips.draws(blank.leaf).permutation)

    @property
    def out_of(self) -> float:
        """How many points there are."""
        return sum(blank.points for blank in self.blanks)
