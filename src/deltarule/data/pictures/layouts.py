"""Which folders are parts of a set (training, validation, test) and which are classes; or what is wanted."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from itertools import zip_longest
from pathlib import PurePath

from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.pictures.named import classes_within
from deltarule.data.pictures.tree import Entry, PictureFolder
from deltarule.errors import LayoutError
from deltarule.registry import record

_PARTS = {
    "train": ("train", "training", "trn"),
    "validation": ("val", "valid", "validation", "dev", "eval"),
    "test": ("test", "testing", "tst", "holdout"),
}
_BESIDE = r"[^a-z]+|\d+|(?<=[a-z])set\b|\b(?:sets?|data|datasets?|images?|imgs?|pictures|seg|split|part)\b"
_WANTED = """\
animals/           or: animals/
├── cat/               ├── train/
│   ├── 1.png          │   ├── cat/ …
│   └── 2.png          │   └── dog/ …
└── dog/               ├── val/ …
    ├── 3.png          └── test/ …
    └── 4.png"""

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
    path: str | os.PathLike[str], root: PictureFolder, *, labelled: bool = True, classes: int = 2
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

    Raises
    ------
    LayoutError
        If it has no such classes: the message draws what is wanted beside what was found.
    """
    decisions: list[Decision] = []
    folder = _only_folder(root)
    if folder is not root:
        decisions.append(decide("nested", folder=name_within(root, folder.entry)))
    parts = _parts_of(folder)
    if parts and "train" not in parts and classes < 2:  # to be evaluated, not trained on
        parts = {"train": next(reversed(parts.values()))}
    pictures: dict[str, tuple[Labelled, ...]] = {"train": (), "validation": (), "test": ()}
    for part, found in (parts or {"train": folder}).items():
        inner = _only_folder(found, of_part=True) if parts else found
        flat = inner.folders[0] if len(inner.folders) == 1 and not inner.pictures else inner
        without = classes_within(flat, root, decisions) if labelled and not flat.folders else []
        if without and (
            part == "train" or {label for _, label in without} & {x for _, x in pictures["train"]}
        ):
            pictures[part] = tuple(without)
        elif part != "train" and labelled and not _is_labelled(inner, pictures["train"]):
            where = os.path.join(os.fspath(path), *PurePath(name_within(root, inner.entry)).parts)
            count = len(inner.all_pictures)
            decisions += [decide("unlabelled", count=count, folder=found.name, where=where)] if count else []
            continue
        else:
            pictures[part] = _classes_in(inner, labelled, decisions)
        if part == "validation":
            decisions.append(decide("validation", count=len(pictures[part]), folder=found.name))
        elif parts and found.name != part:
            decisions.append(decide("part", folder=found.name, part=part))
    if parts:
        used = [found.name for found in parts.values()]
        others = [one for one in folder.folders if one.name not in used and one.all_pictures]
        _beside([picture for one in others for picture in one.all_pictures], decisions)
    labels = {label for _, label in pictures["train"]}
    if len(labels) < classes or not pictures["train"]:
        raise LayoutError(
            path, _reason(root, labels, (part.name for part in parts.values())), beside(_WANTED, draw(root))
        )
    files = {dict(item.words)["file"] for item in decisions if item.kind == "labels-file"}
    decisions = [*left_aside(root, files), *dict.fromkeys(decisions)]
    return PictureLayout(pictures["train"], pictures["validation"], pictures["test"], tuple(decisions))


def left_aside(root: PictureFolder, used: Collection[str] = ()) -> list[Decision]:
    """What is no picture: files of systems and tools, and others, but those that are used."""
    litter = [name for folder in root.walk() for name in folder.litter]
    strays = [stray.name for folder in root.walk() for stray in folder.strays if stray.name not in used]
    found = []
    if litter:
        found.append(decide("litter", count=len(litter), shown=shown(dict.fromkeys(litter))))
    if strays:
        found.append(decide("strays", count=len(strays), shown=shown(strays), every=", ".join(strays)))
    return found


def _only_folder(folder: PictureFolder, *, of_part: bool = False) -> PictureFolder:
    """The folder within folders that holds more than one folder, or is a part, or holds pictures."""
    while len(folder.folders) == 1 and not folder.pictures:
        inner = folder.folders[0]
        if not inner.folders or (_part_named(inner.name) and not of_part):
            break
        folder = inner
    return folder


def _parts_of(folder: PictureFolder) -> dict[str, PictureFolder]:
    """The folders of training, validation and test; none where "train" is a class among others."""
    parts: dict[str, PictureFolder] = {}
    for one in folder.folders:
        part = _part_named(one.name)
        if part:
            parts.setdefault(part, one)
    train = parts.get("train")
    if train is None and not all(one.folders and _part_named(one.name) for one in folder.folders):
        return {}
    if train is not None and not train.folders and len(parts) < len(folder.folders):
        return {}
    return {part: parts[part] for part in _PARTS if part in parts}


def _part_named(name: str) -> str | None:
    plain = re.sub(_BESIDE, " ", name.lower().replace("_", " ")).strip()
    return next((part for part, names in _PARTS.items() if plain in names), None)


def _is_labelled(folder: PictureFolder, train: tuple[Labelled, ...]) -> bool:
    """Whether a part has folders of classes, and not just one folder, of another name than any class."""
    known = {label.casefold() for _, label in train}
    named = [one.name.casefold() for one in folder.folders if one.all_pictures]
    return len(named) > 1 or any(name in known for name in named)


def _classes_in(folder: PictureFolder, labelled: bool, decisions: list[Decision]) -> tuple[Labelled, ...]:
    if not labelled:
        return tuple((picture, folder.name) for picture in folder.all_pictures)
    if folder.folders:
        _beside(folder.pictures, decisions)
    empty = [one.name for one in folder.folders if not one.all_pictures]
    if empty and len(empty) < len(folder.folders):
        decisions.append(decide("empty-class", count=len(empty), shown=shown(empty)))
    deeper = [one.name for one in folder.folders if len(one.pictures) < len(one.all_pictures)]
    if deeper:
        decisions.append(decide("deeper", count=len(deeper), shown=shown(deeper)))
    return tuple((picture, one.name) for one in folder.folders for picture in one.all_pictures)


def _beside(pictures: list[Entry] | tuple[Entry, ...], decisions: list[Decision]) -> None:
    if pictures:
        names = [picture.name for picture in pictures]
        decisions.append(decide("beside", count=len(names), shown=shown(names)))


def name_within(root: PictureFolder, entry: Entry) -> str:
    """The name of a file or a folder within a folder."""
    return str(entry)[len(str(root.entry)) :].strip("/\\").replace("\\", "/")


def _reason(root: PictureFolder, labels: set[str], parts: Iterable[str]) -> str:
    expected = "expected one folder of pictures for each class"
    if not root.all_pictures:
        return f"{expected}, but found no pictures"
    if not labels:
        what = "no folder to train on" if any(map(_part_named, parts)) else "no such folders"
        return f"{expected}, but found {what}"
    return f"{expected}, but found only the class {min(labels)!r}"


def draw(folder: PictureFolder, most: int = 6, depth: int = 3) -> str:
    """Draw a folder as a tree, with few of its entries.

    Examples
    --------
    >>> print(draw(PictureFolder(None, "animals", (), (), (), ())))
    animals/
    """
    return "\n".join([f"{_plain(folder.name)}/", *_branches(folder, most, depth)])


def beside(wanted: str, found: str) -> str:
    """Put two drawings beside each other.

    Examples
    --------
    >>> print(beside("a/", "b/").replace(" ", "."))
    ..wanted....found
    ..a/........b/
    """
    left, right = ["wanted", *wanted.split("\n")], ["found", *found.split("\n")]
    width = max(map(len, left)) + 4
    rows = zip_longest(left, right, fillvalue="")
    return "\n".join(f"  {one:{width}}{other}".rstrip() for one, other in rows)


def _branches(folder: PictureFolder, most: int, depth: int) -> list[str]:
    names: list[tuple[str, PictureFolder | None]] = [(f"{one.name}/", one) for one in folder.folders]
    names += [(entry.name, None) for entry in (*folder.pictures, *folder.strays)]
    kept = names if len(names) <= most else names[: most - 1]
    if len(names) > len(kept):
        kept = [*kept, (f"… and {len(names) - len(kept)} more", None)]
    lines = []
    for place, (name, inner) in enumerate(kept):
        last = place == len(kept) - 1
        lines.append(("└── " if last else "├── ") + _plain(name))
        if inner is not None and depth > 1:
            lines += [("    " if last else "│   ") + line for line in _branches(inner, 3, depth - 1)]
    return lines


def _plain(name: str) -> str:
    """A name in one line, without what would steer a terminal."""
    return name if name.isprintable() else repr(name)[1:-1]
