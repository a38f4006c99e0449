"""Folders and zips of images, one folder per class, as 8-bit grey or colour."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from deltarule.arrays import Array
from deltarule.data.array_pictures import array_pictures
from deltarule.data.dataset import Dataset, classes_of
from deltarule.data.decisions import Decision, decide, refuse, shown
from deltarule.data.part_names import PART_NAMES
from deltarule.data.pictures import find_layout, left_aside, look_into, name_within, read_pictures
from deltarule.data.reading import ReadingOptions
from deltarule.data.table import Table
from deltarule.errors import DataFileError
from deltarule.registry import did_you_mean

Label = str | int | float


def load_images(
    folder: str | os.PathLike[str],
    options: ReadingOptions | None = None,
    *,
    target: str | Sequence[str] | None = None,
) -> Dataset:
    """Load ``FOLDER/CLASS/*``; or ``FOLDER/train/CLASS/*`` with ``FOLDER/val`` and ``FOLDER/test`` if there.

    `Dataset.decisions` has what was decided: sizes, colour, what was passed over. Classes are integers
    where all folder names are whole numbers.

    Parameters
    ----------
    folder : path
        A folder, or a zip of one.
    options : ReadingOptions, optional
        ``size``, ``color``, ``paper``, ``strict``; and ``labels``, the classes of a model.
    target : str, optional
        The column of a table beside the images that has their classes; if empty, they need none.

    Returns
    -------
    Dataset
        With inputs (n, height, width) or (n, height, width, 3) of uint8, class by class, files in the order
        of their names.

    Raises
    ------
    DataFileError
        If it has no folders of classes (the message draws what is wanted), or no image can be read.
    """
    options = options or ReadingOptions()
    labelled = target is None or bool(target)
    column = target if isinstance(target, str) else None
    fewest = 2 if labelled and not options.labels else 1
    with closing(look_into(folder)) as root:
        layout = find_layout(folder, root, labelled=labelled, classes=fewest, target=column)
        parts = [layout.train, layout.validation, layout.test]
        found = read_pictures(
            [entry for part in parts for entry, _ in part], [label for _, label in layout.train], options
        )
    of_model = () if not options.labels else ("validation",)  # which has been trained
    decisions = [*_unpacked(folder), *(item for item in layout.decisions if item.kind not in of_model)]
    decisions += found.decisions
    texts = np.array([label for part in parts for _, label in part], dtype=object)[found.rows]
    ends = np.cumsum([0, *map(len, parts)])
    of_part = np.searchsorted(ends, found.rows, side="right") - 1
    trained = texts[of_part == 0].tolist()
    if len(set(trained)) < fewest:
        raise DataFileError(folder, f"images of {len(set(trained))} classes could be read, expected {fewest}")
    known: Sequence[Label] = options.labels or classes_of(integer_labels(trained))
    labels = _matched(texts.tolist(), known, decisions)
    size = f"{found.pixels.shape[2]} × {found.pixels.shape[1]}"
    sets = {}
    for number, part in enumerate(PART_NAMES):
        rows = of_part == number
        answers, pixels = labels[rows], found.pixels[rows]
        described = f"{len(pixels)} images of {size} pixels in {len(known)} classes, from {os.fspath(folder)}"
        classes = tuple(known) if labelled else classes_of(answers)
        sets[part] = Dataset(
            Path(folder).stem if Path(folder).is_file() else Path(folder).name,
            pixels, answers, (column or "class",), classes, "minmax", None, described, paper=found.paper,
        )  # fmt: skip
    if not options.labels:
        _tell_new_labels(sets, decisions)
    if options.strict:
        refuse(folder, decisions)
    validation, test = (sets[part] if len(sets[part]) else None for part in ("validation", "test"))
    return replace(sets["train"], decisions=tuple(decisions), validation=validation, test=test)


def read_images(
    source: str | os.PathLike[str], options: ReadingOptions | None = None
) -> tuple[list[str], Array, tuple[Decision, ...]]:
    """Read an image file, or all images of a folder or a zip, for prediction.

    Parameters
    ----------
    source : path
    options : ReadingOptions, optional
        ``size``, ``color``, ``paper``: the form that a model expects; ``strict``.

    Returns
    -------
    names : list of str
        The names of the files, within the folder.
    images : ndarray of uint8, (n, height, width) or (n, height, width, 3)
    decisions : tuple of Decision

    Raises
    ------
    DataFileError
        If there are no images, or none can be read.

    Examples
    --------
    >>> files, images, decisions = read_images("photos/")  # doctest: +SKIP
    """
    options = options or ReadingOptions()
    arrays = array_pictures(source)
    if arrays is not None:
        assert not isinstance(arrays.inputs, Table)
        return [f"{arrays.name}[{row}]" for row in range(len(arrays))], arrays.inputs, ()
    with closing(look_into(source)) as root:
        entries = root.all_pictures
        if not entries:
            raise DataFileError(source, "there are no images in this folder")
        found = read_pictures(entries, (), options)
    decisions = (*_unpacked(source), *left_aside(root), *found.decisions)
    if options.strict:
        refuse(source, decisions)
    return [name_within(root, entries[row]) for row in found.rows.tolist()], found.pixels, decisions


def _unpacked(source: str | os.PathLike[str]) -> list[Decision]:
    packed = os.path.isfile(source) and Path(source).suffix.lower() == ".zip"
    return [decide("unpacked", what="a zip of pictures")] if packed else []


def integer_labels(labels: list[str]) -> Array:
    """Return labels as integers where all are, and stay different as such; else as they are."""
    if all(label.isascii() and label.isdigit() and len(label) < 19 for label in labels):
        numbers = np.array([int(label) for label in labels])
        if len(set(numbers.tolist())) == len(set(labels)):
            return numbers
    return np.array(labels, dtype=object)


def _matched(texts: list[str], known: Sequence[Label], decisions: list[Decision]) -> Array:
    """Return the labels that names of folders mean: those known, by name, number, or name in another case."""
    labels: dict[str, Label] = {}
    by_text = {str(label): label for label in known}
    by_case: dict[str, list[Label]] = {}
    for label in known:
        by_case.setdefault(str(label).casefold().strip(), []).append(label)
    for text in dict.fromkeys(texts):
        number = str(int(text)) if text.isascii() and text.isdigit() else text
        alike = by_case.get(text.casefold().strip(), [])
        labels[text] = by_text.get(text, by_text.get(number, text))
        if labels[text] is text and number.isascii() and number.isdigit() and _are_integers(known):
            labels[text] = int(number)
        if labels[text] is text and text not in by_text and len(alike) == 1:
            labels[text] = alike[0]
            decisions.append(decide("class-matched", found=text, name=str(alike[0])))
    values = [labels[text] for text in texts]
    return np.array(values, dtype=None if _are_integers(values) else object)


def _are_integers(labels: Sequence[Label]) -> bool:
    return all(isinstance(label, int) for label in labels)


def _tell_new_labels(sets: dict[str, Dataset], decisions: list[Decision]) -> None:
    """Tell the classes that the training part lacks: wrong in the test part, of no use in validation."""
    for part, kind in (("validation", "new-class"), ("test", "new-label")):
        dataset = sets[part]
        known = set(dataset.classes or ())
        new = np.array([label not in known for label in dataset.target.tolist()], dtype=bool)
        if not new.any():
            continue
        listed = list(dict.fromkeys(dataset.target[new].tolist()))
        hint = did_you_mean(str(listed[0]), map(str, known))
        words = {"count": int(new.sum()), "shown": shown(listed), "cell": listed[0], "hint": hint}
        decisions.append(decide(kind, place=f"{part}/{listed[0]}", **words))
        if part == "validation":
            sets[part] = dataset.take(~new)
