"""What a folder or a zip holds: pictures, folders, and what is neither."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

from deltarule.data.raw_files import DAMAGED, describe
from deltarule.errors import DataFileError
from deltarule.registry import record

#: A file of a folder, or of a zip: both are asked the same.
Entry = Path | zipfile.Path

PICTURE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".ppm",
    ".pgm", ".pbm", ".pnm", ".tga", ".ico", ".pcx", ".jp2", ".avif", ".heic", ".heif", ".psd",
)  # fmt: skip
_LITTER = frozenset(
    ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin")
)
_OF_SPREADSHEETS = ("[Content_Types].xml", "content.xml")

#: Drawings of where things are in pictures: folders beside those of the pictures, and files beside theirs.
_MASK = r"masks?|trimaps?|annotations?|segmentations?|seg|labels?|gt|ground[ _-]?truth"
_MASK_FOLDER = re.compile(rf"(?:{_MASK})(?:[ _-]?(?:images?|files?|\d+))?", re.IGNORECASE)
_MASK_FILE = re.compile(rf"(.+?)[ ._-]+(?:{_MASK})(?:[ ._-]?\d+)?", re.IGNORECASE)
_OF_PICTURES = re.compile(r"(?:jpe?g|png)?_?(?:images?|imgs?|photos?|pictures)|train|test", re.IGNORECASE)


@record
class PictureFolder:
    """A folder with its pictures, its folders, strange files, and what systems and tools left there.

    ``masks`` are pictures of where something is in others.
    """

    entry: Entry
    name: str
    pictures: tuple[Entry, ...]
    folders: tuple[PictureFolder, ...]
    strays: tuple[Entry, ...]
    litter: tuple[str, ...]
    masks: tuple[Entry, ...] = ()

    @property
    def filled(self) -> tuple[PictureFolder, ...]:
        """Its folders in which there are pictures, at any depth."""
        return tuple(one for one in self.folders if any(inner.pictures for inner in one.walk()))

    def walk(self) -> Iterator[PictureFolder]:
        """This folder and all within it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()

    def close(self) -> None:
        """Close the zip that it lies in, if it does: its files can be read no more."""
        if isinstance(self.entry, zipfile.Path):
            self.entry.root.close()

    @property
    def all_pictures(self) -> list[Entry]:
        """The pictures of this folder and of all within it."""
        return [picture for folder in self.walk() for picture in folder.pictures]


def is_picture_zip(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a zip of pictures, and no spreadsheet with pictures in it."""
    try:
        if not os.path.isfile(path) or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except DAMAGED:
        return False
    if any(name in _OF_SPREADSHEETS for name in names):
        return False
    return any(
        Path(name).suffix.lower() in PICTURE_SUFFIXES for name in names if not _is_litter(name.split("/")[0])
    )


def look_into(path: str | os.PathLike[str]) -> PictureFolder:
    """List what a folder or a zip holds, at any depth, by name.

    Raises
    ------
    DataFileError
        If it cannot be read.
    """
    if os.path.isdir(path):
        return _look(Path(path), Path(path).resolve().name, 0)
    if Path(path).suffix.lower() in PICTURE_SUFFIXES:
        return PictureFolder(Path(path).parent, Path(path).name, (Path(path),), (), (), ())
    if not os.path.isfile(path):  # a pipe, for which a zip's reader would wait
        reason = "not a file" if os.path.exists(path) else "no such file"
        raise DataFileError(path, f"cannot be read: {reason}")
    try:
        with ExitStack() as where_it_fails:
            archive = zipfile.Path(path)
            where_it_fails.callback(archive.root.close)
            found = _look(archive, Path(path).stem, 0)
            where_it_fails.pop_all()
        return found
    except DAMAGED as error:
        raise DataFileError(path, f"this archive is damaged: {describe(error)}") from None


def _look(folder: Entry, name: str, depth: int) -> PictureFolder:
    if depth > 20:
        raise DataFileError(str(folder), "folders are nested more than 20 deep")
    try:
        entries = sorted(_listed(folder), key=lambda found: found[0])
    except OSError as error:
        raise DataFileError(str(folder), f"cannot be read: {describe(error)}") from None
    pictures, stems, folders, strays, litter = [], [], [], [], []
    for called, entry, is_folder in entries:
        if _is_litter(called):
            litter.append(called)
        elif is_folder:
            folders.append(_look(entry, called, depth + 1))
        elif os.path.splitext(called)[1].lower() in PICTURE_SUFFIXES or _begins_as_picture(entry):
            pictures.append(entry)
            stems.append(os.path.splitext(called)[0])
        else:
            strays.append(entry)
    of_others = set(stems)
    masks = [one for one, stem in zip(pictures, stems, strict=True) if _is_mask(stem, of_others)]
    if any(_OF_PICTURES.fullmatch(one.name) for one in folders):
        drawn = [one for one in folders if _MASK_FOLDER.fullmatch(one.name)]
        masks += [picture for one in drawn for picture in one.all_pictures]
        strays += [stray for one in drawn for inner in one.walk() for stray in inner.strays]
        folders = [one for one in folders if one not in drawn]
    kept = tuple(picture for picture in pictures if picture not in masks)
    return PictureFolder(folder, name, kept, tuple(folders), tuple(strays), tuple(litter), tuple(masks))


def _listed(folder: Entry) -> list[tuple[str, Entry, bool]]:
    """The names of what lies in a folder, its entries, and whether they are folders."""
    plain: set[str] = set()
    if isinstance(folder, Path):  # whose listing tells most of them from folders
        with os.scandir(folder) as found:
            plain = {one.name for one in found if one.is_file(follow_symlinks=False)}
    return [(entry.name, entry, entry.name not in plain and entry.is_dir()) for entry in folder.iterdir()]


def _is_mask(stem: str, stems: Collection[str]) -> bool:
    found = _MASK_FILE.fullmatch(stem)
    return found is not None and found[1] in stems


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LITTER


def _begins_as_picture(entry: Entry) -> bool:
    """Whether a file without a suffix holds a PNG, JPEG, GIF or BMP."""
    if entry.suffix or not entry.is_file():
        return False
    try:
        with entry.open("rb") as file:
            return file.read(8).startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM"))
    except OSError:
        return False
