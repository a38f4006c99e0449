"""Tables beside pictures that name their classes: files of lines, of columns, or of records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import PurePath

import numpy as np

from deltarule.data.pictures.folders import part_named
from deltarule.data.pictures.tree import Entry, PictureFolder
from deltarule.data.raw_files import DAMAGED
from deltarule.data.reading import Cells, ReadingOptions, read_data
from deltarule.registry import record

_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".json", ".jsonl", ".ndjson", ".xls", ".xlsx", ".ods")
_MOST_TABLES, _MOST_BYTES = 50, 1 << 26
_USUAL_NAMES = (
    "label", "class", "target", "category", "classname", "labelname", "diagnosis", "dx", "breed", "species",
    "labels", "classes", "classid", "labelid", "categoryid", "y",
)  # fmt: skip


@record
class LabelTable:
    """What a table beside pictures says of them.

    Parameters
    ----------
    file : str
    column : str
        That of the classes; or several, of which one is 1 in each row.
    labels : dict of path to str
        The classes of pictures; none where ``column`` lists several that may have them.
    usual : bool
        Whether the column was named by somebody, or is called as columns of classes are.
    parts : dict of path to str
        The cells of a column that divides pictures into parts, such as "split"; none without.
    """

    file: str
    column: str
    labels: dict[Entry, str]
    usual: bool
    parts: dict[Entry, str]


class PictureIndex:
    """Pictures by what tables call them: the ends of their paths, with suffix and without."""

    def __init__(self, pictures: Iterable[Entry]) -> None:
        self._pictures = pictures

    @cached_property
    def _found(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for picture in self._pictures:
            path = PurePath(str(picture))
            for key in dict.fromkeys([*_ends(path), *_ends(path.with_suffix(""))]):
                found.setdefault(key, []).append(picture)
        return found

    def find(self, text: str) -> Sequence[Entry]:
        """Return the pictures that a cell may mean: those of the longest end of its path that is known."""
        path = PurePath(text.strip().replace("\\", "/").lstrip("./"))
        for end in (*_ends(path), path.stem) if path.name else ():
            if end in self._found:
                return self._found[end]
        return ()


def _ends(path: PurePath) -> Iterator[str]:
    """The ends of a path, the longest of at most four parts first."""
    parts = path.parts[-4:]
    return ("/".join(parts[start:]) for start in range(len(parts)))


def label_tables(folders: Iterable[PictureFolder], part: str) -> list[Entry]:
    """Return files that may name the classes of a part's pictures: those named like the part come first."""
    strays = dict.fromkeys(stray for folder in folders for stray in folder.strays)
    tables = [file for file in strays if PurePath(file.name).suffix.lower() in _SUFFIXES]
    return sorted(tables, key=lambda file: part not in file.name.lower())[:_MOST_TABLES]


def read_labels(
    file: Entry, pictures: Sequence[Entry], index: PictureIndex, target: str | None
) -> LabelTable | None:
    """Return what a table says of pictures; None where it names few of them, or nothing else."""
    wanted = set(pictures)
    if PurePath(file.name).stem in {PurePath(picture.name).stem for picture in pictures}:
        return None  # notes on one picture
    try:
        cells = _cells(file, lambda text: bool(wanted.intersection(index.find(text))))
    except DAMAGED:
        return None
    found = {
        name: [next((one for one in index.find(text) if one in wanted), None) for text in texts]
        for name, texts in cells.items()
    }
    name = max(found, key=lambda name: len({*found[name]} - {None}), default="")
    if len({*found.get(name, ())} - {None}) * 2 <= min(len(found.get(name, ())), len(wanted) / 2):
        return None
    return _labels_of(file, found.pop(name), {other: cells[other] for other in found}, target)


def _labels_of(
    file: Entry, rows: Sequence[Entry | None], cells: dict[str, list[str]], target: str | None
) -> LabelTable | None:
    """Return what the other columns say of the pictures of the rows."""

    def by_picture(texts: Sequence[str]) -> dict[Entry, str]:
        return {row: text for row, text in zip(rows, texts, strict=True) if row is not None and text}

    chosen = _label_column(cells, target)
    if chosen is None:
        few = _columns_of_few_texts(cells)
        return LabelTable(file.name, ", ".join(few), {}, False, {}) if few else None
    column, labels, usual = chosen
    parts = [texts for texts in cells.values() if all(map(part_named, texts))]
    divided = next((by_picture(texts) for texts in parts if "train" in map(part_named, texts)), {})
    return LabelTable(file.name, column, by_picture(labels), usual, divided)


def _cells(file: Entry, is_picture: Callable[[str], bool]) -> dict[str, list[str]]:
    """Return the texts of each column of a table; names of pictures are no names of columns."""
    with file.open("rb") as opened:
        data = opened.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        return {}
    table = read_data(str(file), data, ReadingOptions())
    if any(map(is_picture, table.names)):
        if len(table) == 1:  # {"1.png": "cat", "2.png": "dog"}
            return {"picture": list(table.names), "class": [_texts(column)[0] for column in table.columns]}
        table = read_data(str(file), data, ReadingOptions(header=False))
    return {name: _texts(column) for name, column in zip(table.names, table.columns, strict=True)}


def _label_column(cells: dict[str, list[str]], target: str | None) -> tuple[str, Sequence[str], bool] | None:
    """Return the column of classes: the one named, else by its name, else the only one of few texts."""
    if target is not None:
        return (target, cells[target], True) if target in cells else None
    plain = {re.sub(r"[\W_]", "", name.lower()): name for name in reversed(cells)}
    usual = next((plain[name] for name in _USUAL_NAMES if name in plain), None)
    if usual is not None:
        return usual, cells[usual], True
    few = _columns_of_few_texts(cells)
    if len(few) == 1:
        return few[0], cells[few[0]], False
    ones = [name for name in few if set(cells[name]) == {"0", "1"}]
    rows = list(zip(*(cells[name] for name in ones), strict=True))
    if len(ones) > 1 and all(row.count("1") == 1 for row in rows):
        return ", ".join(ones), [ones[row.index("1")] for row in rows], True
    return None


def _columns_of_few_texts(cells: dict[str, list[str]]) -> list[str]:
    return [name for name, texts in cells.items() if 1 < len(set(texts)) <= len(texts) / 2]


def _texts(column: Cells) -> list[str]:
    if column.numbers is not None:
        return ["" if np.isnan(number) else f"{number:.17g}" for number in column.numbers.tolist()]
    assert column.codes is not None
    return [column.texts[code] for code in column.codes.tolist()]
