"""Which folders are parts of a set (training, validation, test) and which are classes; or what is wanted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePath

from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.pictures.drawing import WANTED_FOLDERS, beside, draw
from deltarule.data.pictures.folders import (
    flat_folder,
    joined_pieces,
    part_named,
    parts_of,
    parts_outside,
    set_within,
)  # fmt: skip
from deltarule.data.pictures.label_tables import LabelTable, PictureIndex, label_tables, read_labels
from deltarule.data.pictures.named import classes_in_names
from deltarule.data.pictures.tree import Entry, PictureFolder
from deltarule.data.raw_files import DAMAGED
from deltarule.errors import InputError, LayoutError
from deltarule.registry import record

#: A picture with the name of its class.
Labelled = tuple[Entry, str]


@record
class PictureLayout:
    """The pictures of each part, with the names of their classes, and what was decided to find them."""

    train: tuple[Labelled, ...]
    validation: tuple[Labelled, ...]
    test: tuple[Labelled, ...]
    decisions: tuple[Decision, ...]


def find_layout(
    path: str | os.PathLike[str],
    root: PictureFolder,
    *,
    labelled: bool = True,
    classes: int = 2,
    target: str | None = None,
) -> PictureLayout:
    """Find the parts and classes of a folder of pictures.

    Parameters
    ----------
    path : path
        What messages call it.
    root : PictureFolder
    labelled : bool
        Whether pictures must have classes; otherwise all of the training part are taken.
    classes : int
        How many classes it must have at least.
    target : str, optional
        The column of a table beside the pictures that has their classes.

    Raises
    ------
    LayoutError
        If it has no such classes: the message draws what is wanted beside what was found.
    InputError
        If no table has classes of the pictures in the column ``target``, and they are to be trained on.
    """
    decisions: list[Decision] = []
    outside: list[Entry] = []
    folder = set_within(root, outside)
    if folder is not root:
        decisions.append(decide("nested", folder=name_within(root, folder.entry)))
    parts = parts_of(folder) or parts_of(folder := parts_outside(folder))
    if parts and "train" not in parts and classes < 2:  # to be evaluated, not trained on
        parts = {"train": next(reversed(parts.values()))}
    finder = _Classes(path, root, target, decisions)
    pictures: dict[str, tuple[Labelled, ...]] = {"train": (), "validation": (), "test": ()}
    for part, found in (parts or {"train": folder}).items():
        inner = joined_pieces(set_within(found, outside, of_part=True) if parts else found, decisions)
        if not labelled:
            pictures[part] = tuple((picture, inner.name) for picture in inner.all_pictures)
        elif part == "train":
            pictures |= finder.of_training(inner, trains=classes > 1)
        else:
            pictures[part] = finder.of_part(part, inner, found, pictures["train"])
        if part == "validation" and pictures[part]:
            decisions.append(decide("validation", count=len(pictures[part]), folder=found.name))
        elif parts and found.name != part and pictures[part]:
            decisions.append(decide("part", folder=found.name, part=part))
    if parts:
        used = [found.name for found in parts.values()]
        others = [one for one in folder.filled if one.name not in used]
        outside += [picture for one in others for picture in one.all_pictures]
    _beside(outside, decisions)
    labels = {label for _, label in pictures["train"]}
    if len(labels) < classes or not pictures["train"]:
        raise LayoutError(
            path,
            _reason(root, labels, (part.name for part in parts.values())) + finder.doubt,
            beside(WANTED_FOLDERS, draw(root)),
        )
    files = {dict(item.words)["file"] for item in decisions if item.kind == "labels-file"}
    decisions = [*left_aside(root, files), *dict.fromkeys(decisions)]
    return PictureLayout(pictures["train"], pictures["validation"], pictures["test"], tuple(decisions))


class _Classes:
    """Finds the classes of pictures: in a table beside them, in their folders, or in their names."""

    def __init__(
        self, path: str | os.PathLike[str], root: PictureFolder, target: str | None, decisions: list[Decision]
    ) -> None:
        self._path, self._root, self._target, self._decisions = path, root, target, decisions
        self._index = PictureIndex(root.all_pictures)
        self.doubt = ""

    def of_training(self, folder: PictureFolder, *, trains: bool) -> dict[str, tuple[Labelled, ...]]:
        """Return the pictures to train on, and other parts where a table divides them."""
        flat = flat_folder(folder)
        known = () if flat else _classes_in(folder, [])
        table = self._table("train", folder, known)
        if table is not None and (flat or self._target or _is_coarser(table, known)):
            self._tell(table, len(folder.all_pictures))
            divided: dict[str, list[Labelled]] = {}
            for picture, label in table.labels.items():
                part = part_named(table.parts.get(picture, "train")) or "train"
                divided.setdefault(part, []).append((picture, label))
            rest = [picture for picture in folder.all_pictures if picture not in table.labels]
            return {part: tuple(found) for part, found in divided.items()} | self._listed_parts(rest)
        if self._target and trains:
            raise InputError(
                f"no table beside the pictures of {os.fspath(self._path)} has a column {self._target!r} of "
                f"their classes: it needs a column of their names, too{self.doubt}"
            )
        named = classes_in_names(flat.pictures) if flat else []
        if named:
            counts = Counter(label for _, label in named)
            self._decisions.append(decide("names-tell", count=len(counts), shown=shown(counts)))
        return {"train": tuple(named) or _classes_in(folder, self._decisions)}

    def of_part(
        self, part: str, folder: PictureFolder, outer: PictureFolder, train: tuple[Labelled, ...]
    ) -> tuple[Labelled, ...]:
        """Return the pictures of a part with classes like those of training, where anything tells them."""
        trained = {label for _, label in train}
        flat = flat_folder(folder)
        table = self._table(part, folder, ()) if flat or self._target else None
        if table is not None and trained & set(table.labels.values()):
            self._tell(table, len(folder.all_pictures))
            return tuple(table.labels.items())
        named = classes_in_names(flat.pictures) if flat else []
        if trained & {label for _, label in named}:
            return tuple(named)
        if _is_labelled(folder, train):
            return _classes_in(folder, self._decisions)
        count = len(folder.all_pictures)
        if count:
            where = os.path.join(os.fspath(self._path), *PurePath(name_within(self._root, outer.entry)).parts)
            self._decisions.append(decide("unlabelled", count=count, folder=outer.name, where=where))
        return ()

    def _listed_parts(self, rest: Sequence[Entry]) -> dict[str, tuple[Labelled, ...]]:
        """Return the pictures that lists of other parts name: val.txt and test.txt beside one folder."""
        found = {}
        for file in label_tables(self._root.walk(), "train"):
            part = part_named(PurePath(file.name).stem)
            table = read_labels(file, rest, self._index, self._target) if part and part != "train" else None
            if part and table is not None and len(set(table.labels.values())) > 1:
                self._tell(table, len(table.labels))
                found[part] = tuple(table.labels.items())
        return found

    def _table(self, part: str, folder: PictureFolder, known: tuple[Labelled, ...]) -> LabelTable | None:
        """Return the table of classes that names most pictures."""
        pictures = folder.all_pictures
        found = []
        for file in label_tables((*folder.walk(), *self._root.walk()), part):
            table = read_labels(file, pictures, self._index, self._target)
            if table is not None and not table.labels:
                self.doubt = f"; {table.file} names the pictures: use --target NAME for one of its columns "
                self.doubt += f"({table.column})"
            elif table is not None and len(set(table.labels.values())) > 1:
                found.append(table)
                if table.usual and len(table.labels) * 2 > len(pictures):
                    break
        return max(found, key=lambda table: len(table.labels), default=None)

    def _tell(self, table: LabelTable, total: int) -> None:
        words = {"column": table.column, "file": table.file, "count": len(table.labels), "total": total}
        self._decisions.append(decide("labels-file", **words))


def left_aside(root: PictureFolder, used: Collection[str] = ()) -> list[Decision]:
    """What is no picture: files of systems and tools, and others, but those that are used."""
    masks = [name_within(root, mask) for folder in root.walk() for mask in folder.masks]
    litter = [name for folder in root.walk() for name in folder.litter]
    strays = [stray.name for folder in root.walk() for stray in folder.strays if stray.name not in used]
    found = []
    if litter:
        found.append(decide("litter", count=len(litter), shown=shown(dict.fromkeys(litter))))
    if masks:
        found.append(decide("masks", count=len(masks), shown=shown(masks)))
    if strays:
        found.append(decide("strays", count=len(strays), shown=shown(strays), every=", ".join(strays)))
    return found


def _is_labelled(folder: PictureFolder, train: tuple[Labelled, ...]) -> bool:
    """Whether a part has folders of classes, and not just one folder, of another name than any class."""
    known = {label.casefold() for _, label in train}
    named = [one.name.casefold() for one in folder.folders if one.all_pictures]
    return len(named) > 1 or any(name in known for name in named)


def _is_coarser(table: LabelTable, known: tuple[Labelled, ...]) -> bool:
    """Whether a table has fewer classes than there are folders, as where these are patients or days."""
    folders = {label for _, label in known}
    return (
        table.usual
        and len(set(table.labels.values())) < len(folders)
        and len(table.labels) * 10 > 9 * len(known)
    )


def _classes_in(folder: PictureFolder, decisions: list[Decision]) -> tuple[Labelled, ...]:
    if folder.folders:
        _beside(folder.pictures, decisions)
    names = {one.name for one in folder.filled}
    copies = [
        one for one in folder.filled if len(names) > 2 and names - {one.name} == {x.name for x in one.filled}
    ]
    _beside([picture for one in copies for picture in one.all_pictures], decisions)
    classes = [one for one in folder.filled if one not in copies]
    empty = [one.name for one in folder.folders if one.name not in names]
    if empty and classes:
        decisions.append(decide("empty-class", count=len(empty), shown=shown(empty)))
    deeper = [one.name for one in classes if one.filled]
    if deeper:
        decisions.append(decide("deeper", count=len(deeper), shown=shown(deeper)))
    return tuple((picture, one.name) for one in classes for picture in one.all_pictures)


def _beside(pictures: list[Entry] | tuple[Entry, ...], decisions: list[Decision]) -> None:
    if pictures:
        names = [picture.name for picture in pictures]
        decisions.append(decide("beside", count=len(names), shown=shown(names)))


def name_within(root: PictureFolder, entry: Entry) -> str:
    """The name of a file or a folder within a folder."""
    return str(entry)[len(str(root.entry)) :].strip("/\\").replace("\\", "/")


def _reason(root: PictureFolder, labels: set[str], parts: Iterable[str]) -> str:
    expected = "expected one folder of pictures for each class"
    if any(map(_is_pickle, (stray for folder in root.walk() for stray in folder.strays))):
        return f"{expected}, but found pickled Python objects, which are not read: save their arrays as .npz"
    if not root.all_pictures:
        return f"{expected}, but found no pictures"
    if not labels:
        what = "no folder to train on" if any(map(part_named, parts)) else "no such folders"
        return f"{expected}, but found {what}"
    return f"{expected}, but found only the class {min(labels)!r}"


def _is_pickle(entry: Entry) -> bool:
    try:
        with entry.open("rb") as file:
            return file.read(2) in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
    except DAMAGED:
        return False
