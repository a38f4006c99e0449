"""Loading any data set: by name, from a table file, from a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deltarule.data.array_pictures import array_pictures
from deltarule.data.bundled import BUNDLED
from deltarule.data.dataset import Dataset
from deltarule.data.idx_files import idx_folder, load_idx
from deltarule.data.image_folders import load_images
from deltarule.data.mnist import MNIST, load_mnist
from deltarule.data.pictures import PICTURE_SUFFIXES, is_picture_zip
from deltarule.data.reading import MemoryTable, ReadingOptions, is_database
from deltarule.data.table_files import TABLE_SUFFIXES, load_table
from deltarule.data.toys import TOYS
from deltarule.errors import InputError
from deltarule.registry import Registry, did_you_mean

_NAMED: dict[str, tuple[Callable[..., Dataset], str]] = {**TOYS, **BUNDLED, "mnist": (load_mnist, MNIST)}
_SETS = Registry("data set", Dataset)
for _name, (_maker, _) in _NAMED.items():
    _SETS.register(_name, _maker)


def names() -> dict[str, str]:
    """Return the named data sets, each with a line that says what it is, where it is from and its licence.

    Examples
    --------
    >>> "moons" in names()
    True
    """
    return {name: description for name, (_, description) in _NAMED.items()}


def _is_named(source: str | os.PathLike[str]) -> bool:
    return isinstance(source, str) and source.partition("(")[0].strip() in _SETS


def is_table(source: str | os.PathLike[str]) -> bool:
    """Return whether `load` would treat the source as a table file.

    Examples
    --------
    >>> is_table("houses.xlsx"), is_table("iris"), is_table("photos.png")
    (True, False, False)
    """
    if isinstance(source, MemoryTable):
        return True
    if _is_named(source):
        return False
    text = os.fspath(source)
    if text == "-" or is_database(text) or ("::" in text and not os.path.isdir(text)):
        return True
    if is_picture_zip(text) or Path(text).suffix.lower() in PICTURE_SUFFIXES:
        return False
    if array_pictures(text) is not None:
        return False
    return Path(source).suffix.lower() in TABLE_SUFFIXES or os.path.isfile(source)


def load(
    source: str | os.PathLike[str],
    *,
    target: str | Sequence[str] | None = None,
    drop: str | Sequence[str] = (),
    keep: str | Sequence[str] = (),
    task: str | None = None,
    missing: str | None = None,
    kinds: Mapping[str, str | None] | None = None,
    options: ReadingOptions | None = None,
) -> Dataset:
    """Load a data set by name, from a table file, or from a folder of images.

    Parameters
    ----------
    source : str or path
        A name (``"xor"``, ``"moons(300, noise=0.2)"``, ``"iris"``; see `names`), a table file, a folder (or a
        zip) with one folder of images per class, or a folder of IDX files.
        A name takes precedence over a file of the same name, which you can give as ``./iris``.
    target, drop, keep, task, missing, kinds, options
        For tables only: see `load_table`. For images, ``target`` is a column of a table beside them; with an
        empty target they need no classes. ``options`` says what form they should have.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If there is no such name, file or folder.
    DataFileError
        If a file is not what it claims to be.

    Examples
    --------
    >>> load("xor").X
    array([[0., 0.],
           [0., 1.],
           [1., 0.],
           [1., 1.]])
    """
    text = os.fspath(source)
    path: str | os.PathLike[str] = source if isinstance(source, MemoryTable) else Path(source)
    named = _is_named(source)
    if is_table(source):
        path = text if text == "-" or is_database(text) or "::" in text else path
        return load_table(
            path,
            target=target,
            drop=drop,
            keep=keep,
            task=task,
            missing=missing,
            kinds=kinds,
            options=options,
        )
    pictures = not named and (os.path.isdir(text) or is_picture_zip(text))
    if drop or task is not None or (target and not (pictures and isinstance(target, str))):
        raise InputError(f"target, drop and task apply to table files, and {text!r} is not one")
    if named:  # "and", "or" and "not" are no names to Python's parser, so only calls go through it
        return _SETS.resolve(text) if "(" in text else _SETS.maker(text.strip())()
    if not os.path.exists(text):
        raise InputError(f"there is no file and no bundled data set {text!r}{did_you_mean(text, _SETS)}")
    path = Path(source)
    arrays = array_pictures(path)
    if arrays is not None:
        return arrays
    idx = idx_folder(path)
    return load_images(path, options, target=target) if idx is None else load_idx(idx, path.name)
