"""Classes of pictures that lie in one folder: those that a table beside them names, or their own names do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.pictures.tree import Entry, PictureFolder
from deltarule.data.raw_files import DAMAGED
from deltarule.data.reading import Cells, RawTable, ReadingOptions, read_text

_TABLES = (".csv", ".tsv", ".txt", ".tab")
_USUAL_NAMES = ("label", "class", "target", "category", "breed", "species", "labels", "classes", "y")
_BY_NUMBER = (  # how the name of a picture tells its class beside its number
    re.compile(r"([^\W\d_].*?)[ ._\-]*\(?\d+\)?"),  # cat.0, cat_001, cat (12)
    re.compile(r"\d+[ ._\-]+([^\W\d_].*)"),  # 001_cat
    re.compile(r"(\d+)[._\-]\d+"),  # 7_0012: a digit
)
_OF_CAMERAS = frozenset(
    ("img", "image", "dsc", "dscn", "pxl", "photo", "picture", "pic", "frame", "screenshot", "scan", "file")
)


def classes_within(
    folder: PictureFolder, root: PictureFolder, decisions: list[Decision]
) -> list[tuple[Entry, str]]:
    """Return the pictures of a folder with their classes; none where nothing tells these."""
    for file in dict.fromkeys((*folder.strays, *root.strays)):
        found = _by_table(folder.pictures, file) if PurePath(file.name).suffix.lower() in _TABLES else None
        if found is not None:
            column, labelled = found
            words = {"count": len(labelled), "total": len(folder.pictures), "file": file.name}
            decisions.append(decide("labels-file", column=column, **words))
            return labelled
    labelled = _by_name(folder.pictures)
    if labelled:
        counts = Counter(label for _, label in labelled)
        decisions.append(decide("names-tell", count=len(counts), shown=shown(counts)))
    return labelled


def _by_name(pictures: Sequence[Entry]) -> list[tuple[Entry, str]]:
    """Return the classes in the names of pictures, where all have one and each class is met twice."""
    for pattern in _BY_NUMBER:
        matches = [pattern.fullmatch(PurePath(picture.name).stem) for picture in pictures]
        labels = [found[1].strip(" ._-") for found in matches if found]
        counts = Counter(labels)
        met_twice = len(labels) == len(pictures) and len(counts) > 1 and min(counts.values()) > 1
        if met_twice and not any(label.lower() in _OF_CAMERAS for label in counts):
            return list(zip(pictures, labels, strict=True))
    return []


def _by_table(pictures: Sequence[Entry], file: Entry) -> tuple[str, list[tuple[Entry, str]]] | None:
    """Return the column of a table that names classes, and the pictures with these; None if there is none."""
    try:
        table = read_text(str(file), file.read_bytes(), ReadingOptions())
    except DAMAGED:
        return None
    cells = {name: _texts(column) for name, column in zip(table.names, table.columns, strict=True)}
    entries = {name: picture for picture in pictures for name in (PurePath(picture.name).stem, picture.name)}
    names = next((name for name in cells if _names_pictures(cells[name], entries)), None)
    column = None if names is None else _label_column(table, cells, names)
    if names is None or column is None:
        return None
    pairs = [
        (entries[PurePath(text).name], label)
        for text, label in zip(cells[names], cells[column], strict=True)
        if PurePath(text).name in entries and label
    ]
    return (column, pairs) if len({label for _, label in pairs}) > 1 else None


def _names_pictures(texts: Sequence[str], entries: dict[str, Entry]) -> bool:
    return sum(PurePath(text).name in entries for text in texts) * 2 > min(len(texts), len(entries) / 2)


def _label_column(table: RawTable, cells: dict[str, list[str]], names: str) -> str | None:
    """Return the column of classes: by its name, else the only one beside the names of the pictures."""
    others = [name for name in cells if name != names]
    usual = [name for name in others if name.strip().lower() in _USUAL_NAMES]
    few = [name for name in others if len(set(cells[name])) * 2 <= len(table)]
    return usual[0] if usual else few[0] if len(few) == 1 else None


def _texts(column: Cells) -> list[str]:
    if column.numbers is not None:
        return ["" if np.isnan(number) else f"{number:.17g}" for number in column.numbers.tolist()]
    assert column.codes is not None
    return [column.texts[code] for code in column.codes.tolist()]
