"""Folders of pictures as they lie, and as they are meant: within others, in parts, in pieces."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import takewhile

from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.part_names import PART_NAMES
from deltarule.data.pictures.tree import Entry, PictureFolder

_BESIDE = r"[^a-z]+|\d+|(?<=[a-z])set\b|\b(?:sets?|data|datasets?|images?|imgs?|pictures|seg|split|part)\b"
_IMAGES = re.compile(r"(?:jpe?g|png)?_?(?:images?|imgs?|photos?|pictures)", re.IGNORECASE)
_PIECE = re.compile(
    r"(.*(?:fold|part|batch|chunk|split|piece|shard|images?|imgs?))[ _.\-]*\d+", re.IGNORECASE
)


def set_within(folder: PictureFolder, outside: list[Entry], *, of_part: bool = False) -> PictureFolder:
    """The folder within folders that holds more than one folder, or is a part, or holds pictures.

    Where one of several is called "images", it is that; the pictures of the others are put on ``outside``.
    """
    while folder.filled and len(folder.pictures) * 10 <= len(folder.all_pictures):
        filled = folder.filled
        called = [one for one in filled if _IMAGES.fullmatch(one.name)]
        inner = filled[0] if len(filled) == 1 else called[0] if len(called) == 1 else None
        if inner is None or (len(filled) > 1 and any(part_named(one.name) for one in filled)):
            break
        if not (inner.filled or inner in called) or (part_named(inner.name) and not of_part):
            break
        outside += folder.pictures
        outside += [picture for one in filled if one is not inner for picture in one.all_pictures]
        folder = inner
    return folder


def flat_folder(folder: PictureFolder) -> PictureFolder | None:
    """The folder in which all pictures lie, be it this one or the only one within it; else None."""
    if not folder.pictures and len(folder.filled) == 1:
        folder = folder.filled[0]
    return None if folder.filled else folder


def joined_pieces(folder: PictureFolder, decisions: list[Decision]) -> PictureFolder:
    """Put numbered pieces of one set together: fold1/cat, fold2/cat, …, or images_1/, images_2/."""
    pieces = folder.filled
    stems = {found and found[1].lower() for found in (_PIECE.fullmatch(one.name) for one in pieces)}
    if len(pieces) < 2 or len(stems) > 1 or None in stems or folder.pictures:
        return folder
    within: dict[str, list[PictureFolder]] = {}
    for piece in pieces:
        for one in piece.folders:
            within.setdefault(one.name, []).append(one)
    if within and (len(within) < 2 or any(len(ones) == 1 for ones in within.values())):
        return folder
    decisions.append(decide("pieces", count=len(pieces), shown=shown(one.name for one in pieces)))
    merged = tuple(
        replace(ones[0], pictures=tuple(x for one in ones for x in one.all_pictures), folders=())
        for ones in within.values()
    )
    pictures = tuple(picture for piece in pieces for picture in piece.pictures)
    return replace(folder, pictures=pictures, folders=merged)


def parts_outside(folder: PictureFolder) -> PictureFolder:
    """Where each class is divided into parts, cat/train and cat/test, the same with the parts outside."""
    parts: dict[str, list[PictureFolder]] = {}
    for one in folder.filled:
        for inner in one.filled:
            parts.setdefault(inner.name, []).append(replace(inner, name=one.name))
        if one.pictures:
            return folder
    if not all(map(part_named, parts)) or len(folder.filled) < 2:
        return folder
    return replace(
        folder,
        folders=tuple(
            PictureFolder(folder.entry, name, (), tuple(ones), (), ()) for name, ones in parts.items()
        ),
    )


def parts_of(folder: PictureFolder) -> dict[str, PictureFolder]:
    """The folders of training, validation and test; none where "train" is a class among others."""
    parts: dict[str, PictureFolder] = {}
    words = [re.split(r"(?<=[ _.\-])", one.name) for one in folder.filled]
    before = "".join(ones[0] for ones in takewhile(lambda ones: len({*ones}) == 1, zip(*words, strict=False)))
    before = before if len(words) > 1 else ""
    named = {one.name: part_named(one.name.removeprefix(before)) for one in folder.folders}  # asl_train
    for one in folder.folders:
        part = named[one.name]
        if part:
            parts.setdefault(part, one)
    train = parts.get("train")
    if train is None and not all(one.folders and named[one.name] for one in folder.folders):
        return {}
    if train is not None and not train.folders and len(parts) < len(folder.folders):
        return {}
    return {part: parts[part] for part in PART_NAMES if part in parts}


def part_named(name: str) -> str | None:
    """Return the part that a name means: "train", "validation" or "test".

    Examples
    --------
    >>> part_named("Training_Set"), part_named("val2"), part_named("cat")
    ('train', 'validation', None)
    """
    plain = re.sub(_BESIDE, " ", name.lower().replace("_", " ")).strip()
    return next((part for part, names in PART_NAMES.items() if plain in names), None)
