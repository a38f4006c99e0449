"""A worksheet: an exercise, what is asked of it, and its documents."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from deltarule.arrays import check_whole
from deltarule.data.raw_files import read_bytes
from deltarule.derivations import Derivation
from deltarule.derivations.derivation import FORMATS
from deltarule.documents.plain_table import json_text
from deltarule.errors import DataFileError, DeltaruleError, InputError
from deltarule.files import check_writable, write_atomically
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.optimizers import Optimizer
from deltarule.tutorials import Example, load_example
from deltarule.worksheets.exercise import Exercise, check_optimizer
from deltarule.worksheets.exercise_formulas import ExerciseFormulas
from deltarule.worksheets.printing import SheetPrinter
from deltarule.worksheets.question_requests import split_asked, usual_questions
from deltarule.worksheets.questions import Blank, Questions
from deltarule.worksheets.random_exercise import draw_exercise

T = TypeVar("T")

FORMAT = "deltarule worksheet 2"


class Worksheet(Questions):
    """A sheet with numbered blanks, its key, and everything that is needed to mark it.

    Attributes
    ----------
    task : Exercise
        The network and its numbers.
    asked : tuple of str
        The quantities that are asked for, one by one.
    blanks : list of Blank
    decimals : int
        The number of decimals to which answers are rounded.
    student : str
        The name of the student, or any other text.
    seed : int or None
        The random seed of the numbers.
    title, instructions : str
    with_formulas, with_hints : bool
        Whether the sheet says how each number is computed, in symbols or in words.
    paper : str
        "a4" or "letter".
    """

    @cached_property
    def sheet(self) -> Derivation:
        """What is handed out; ``.text()``, ``.html()``, ``.save(path)`` as any derivation."""
        return Derivation(SheetPrinter(self).sheet(), {})

    def sheet_as(self, format: str) -> bytes:
        """Return the sheet in one of the formats, with lines to write on that suit it."""
        return Derivation(SheetPrinter(self, format).sheet(), {}).to(format)

    @cached_property
    def key(self) -> Derivation:
        """The sheet with every step worked out."""
        return Derivation(SheetPrinter(self).key(), self.answers())

    def answers(self) -> dict[str, float]:
        """Return the right answers by quantity, rounded; nothing of a question without a number."""
        numbers = (blank for blank in self.blanks if blank.kind != "code")
        return {b.name: round(self.formulas.exact(b.leaf), self.decimals) for b in numbers}

    def key_answers(self) -> dict[str, float | str]:
        """Return what full marks are given for: numbers, letters, and the points of what was to be shown."""
        return {blank.name: self._key_answer(blank) for blank in self.blanks}

    def _key_answer(self, blank: Blank) -> float | str:
        if blank.number in self.options:
            return next(option.letter for option in self.options[blank.number] if option.is_right)
        return blank.points if blank.kind == "show" else self.answers()[blank.name]

    def data(self) -> dict[str, Any]:
        """Return all that is needed to print the sheet again and to mark it, as JSON knows it."""
        return {
            "format": FORMAT,
            "title": self.title,
            "instructions": self.instructions,
            "student": self.student,
            "seed": self.seed,
            "decimals": self.decimals,
            "asked": list(self.asked),
            "formulas": self.with_formulas,
            "hints": self.with_hints,
            "paper": self.paper,
            "task": self.task.data(),
            "blanks": [
                {"blank": b.number, "quantity": b.name, "part": b.part, "kind": b.kind, "points": b.points}
                for b in self.blanks
            ],
        }

    def json(self) -> str:
        """:meth:`data` as text."""
        return json_text(self.data()) + "\n"

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Worksheet:
        """Make the worksheet that :meth:`data` describes.

        Raises
        ------
        InputError
            If the data describe none.
        """
        try:
            if data["format"] != FORMAT:
                raise InputError(f"expected the format {FORMAT!r}, got {str(data['format'])[:60]!r}")
            task = Exercise.from_data(data["task"])
            return cls(
                task, split_asked(data["asked"]), decimals=data["decimals"], student=str(data["student"]),
                seed=data["seed"], title=str(data["title"]), instructions=str(data["instructions"]),
                with_formulas=bool(data["formulas"]), with_hints=bool(data["hints"]), paper=data["paper"],
            )  # fmt: skip
        except DeltaruleError as error:
            raise InputError(f"not a worksheet: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise InputError(f"not a worksheet: {type(error).__name__} {error}") from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Worksheet:
        """Read the worksheet whose data :meth:`save` wrote.

        Raises
        ------
        DataFileError
            If the file cannot be read, or holds no worksheet.
        """
        return read_json_file(path, cls.from_data)

    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write ``sheet.pdf``, and beside it ``sheet-key.pdf`` and ``sheet.json`` with all to mark it by.

        The format is that of the name's ending; .json writes the data alone.

        Raises
        ------
        InputError
            If no format has this ending, or a file cannot be written.
        """
        target = Path(path)
        ending = target.suffix.lower()
        format, contents = format_with(ending), {".json": self.json().encode()}
        if format != "json":
            contents = {ending: self.sheet_as(format), f"-key{ending}": self.key.to(format), **contents}
        files = {target.with_name(target.stem + end): content for end, content in contents.items()}
        for file in files:
            check_writable(file)
        for file, content in files.items():
            write_atomically(file, content)
        return list(files)


def format_with(ending: str) -> str:
    """Return the format of a worksheet's file with this ending, or refuse it."""
    for format, known in FORMATS.items():
        if ending == known:
            return format
    raise InputError(f"a worksheet's file ends in {', '.join(FORMATS.values())}, got {ending!r}")


def read_json_file(path: str | os.PathLike[str], read: Callable[[dict[str, Any]], T]) -> T:
    """Return what ``read`` makes of the object in a JSON file; its refusals name the file.

    Raises DataFileError if the file holds no JSON object, or ``read`` refuses it.
    """
    try:
        data = json.loads(read_bytes(path).decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise DataFileError(path, f"not JSON: {error.msg}", error.lineno, error.colno) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise DataFileError(path, f"not JSON: {type(error).__name__}") from None
    if not isinstance(data, dict):
        raise DataFileError(path, "not a worksheet: expected a JSON object")
    try:
        return read(data)
    except DataFileError:
        raise
    except DeltaruleError as error:
        raise DataFileError(path, str(error)) from None


def worksheet(
    example: str | os.PathLike[str] | Example | None = None,
    *,
    sizes: Sequence[int] = (2, 2, 1),
    activation: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    loss: str | None = None,
    bias: str = "neuron",
    n_samples: int = 1,
    optimizer: str | Optimizer | None = None,
    asked: str | Sequence[str] = "",
    decimals: int = 4,
    seed: int = 0,
    vary: bool = False,
    student: str = "",
    formulas: bool = False,
    hints: bool = False,
    title: str | None = None,
    instructions: str = "",
    paper: str = "a4",
) -> Worksheet:
    """Make a worksheet for a computation by hand, with its key.

    Without an example, the network has the given sizes, functions and loss, and random numbers with few
    decimals, none of them degenerate; equal arguments give equal numbers.

    Parameters
    ----------
    example : str, path or Example, optional
        A worked example (``"T1"``) or a TOML file, whose network, data and optimizer are taken.
    sizes, activation, output, loss, bias
        As in :class:`~deltarule.Network`, if there is no example. The default loss is cross-entropy for a
        softmax output, otherwise half squared error.
    n_samples : int
        The number of samples in the batch.
    optimizer : str or Optimizer, optional
        The optimizer of the update; by default the example's, or ``"sgd(0.5)"``.
    asked : str or sequence of str
        Anything that :func:`~deltarule.explain` can derive, separated by commas: ``"net_h1, delta_h1, w5"``;
        a weight means its gradient, and ``"new w5"`` its value after the update. Or parts: ``"forward"``,
        ``"loss"``, ``"deltas"``, ``"gradients"``, ``"update"``, ``"all"``. A word before it chooses the kind
        of question, a number after it the points: ``"show:delta_h1=3"``, ``"choice:w5"``,
        ``"mistake:net_h1"``, ``"code:delta_h1"``. By default: the forward pass, the loss, the deltas, and one
        weight of each layer.
    decimals : int
        The number of decimals to which answers are rounded, 1 to 10.
    seed : int
        The seed of the random numbers.
    vary : bool
        Whether the network of an example gets random numbers, too.
    student : str
        The name on the sheet.
    formulas, hints : bool
        Whether the sheet says how each number is computed, in symbols or in words.
    title : str, optional
    instructions : str
        A paragraph above the questions.
    paper : "a4" or "letter"

    Raises
    ------
    InputError
        If an argument does not fit, or if no numbers can be found that suit the decimals.

    Examples
    --------
    >>> made = worksheet(seed=7)
    >>> len(made.blanks), made.blanks[0].name, made.task.X
    (14, 'net_h1', array([[0.6, 0.7]]))
    """
    check_whole("seed", seed, 0)
    check_whole("decimals", decimals, 1, 10)
    check_whole("n_samples", n_samples, 1, 100)
    drawn_with = seed if vary or example is None else None
    if example is None:
        settings = _network_settings(sizes, activation, output, loss, bias)
        task = draw_exercise(settings, n_samples, check_optimizer(optimizer or "sgd(0.5)"), decimals, seed)
        title = title or f"Worksheet {'-'.join(map(str, sizes))}"
    else:
        example = example if isinstance(example, Example) else load_example(example)
        task = _exercise_of(example, optimizer, decimals, drawn_with)
        title = title or example.title
    return Worksheet(
        task, split_asked(asked) or usual_questions(ExerciseFormulas(task)), decimals=decimals,
        student=student, seed=drawn_with, title=title, instructions=instructions, with_formulas=formulas,
        with_hints=hints, paper=paper,
    )  # fmt: skip


def _exercise_of(
    example: Example, optimizer: str | Optimizer | None, decimals: int, seed: int | None
) -> Exercise:
    """An example's exercise, with random numbers where there is a seed for them.

    Its own numbers are rounded where they have more decimals than one likes to compute with.
    """
    by_hand = None if optimizer is None else check_optimizer(optimizer)
    if optimizer is None:
        with contextlib.suppress(InputError, KeyError):  # the update is not a formula for each parameter
            by_hand = check_optimizer(example.training["optimizer"])
    settings = {**example.settings, "dtype": "float64"}
    if seed is not None:
        return draw_exercise(settings, len(example.X), by_hand, decimals, seed, example.frozen)
    parameters, X, Y = (
        np.round(np.asarray(values, float), decimals + 2)
        for values in (example.network().parameters, example.X, example.Y)
    )
    return Exercise(settings, parameters, X, Y, by_hand, example.frozen)


def _network_settings(
    sizes: Sequence[int], activation: str | Sequence[str], output: str, loss: str | None, bias: str
) -> dict[str, Any]:
    """The arguments of Network, as JSON knows them."""
    given = activation if isinstance(activation, str) else [str(name) for name in activation]
    if loss is None:
        loss = "cross_entropy" if ACTIVATIONS.resolve(output).coupled else "half_squared_error"
    whole = [int(size) for size in np.asarray(sizes).tolist()] if len(sizes) else []
    return {"sizes": whole, "activation": given, "output": output, "loss": loss, "bias": bias}
