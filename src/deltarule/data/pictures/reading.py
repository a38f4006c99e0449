"""Reading all pictures of a set in one form, and telling what was decided for it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.pictures.files import PictureHeader, look_at, read_pixels, resized
from deltarule.data.pictures.form import (
    as_color,
    as_grey,
    color_tells,
    common_size,
    is_colored,
    on_paper,
    paper_for,
)  # fmt: skip
from deltarule.data.pictures.tree import Entry
from deltarule.data.reading import ReadingOptions
from deltarule.errors import DataFileError, all_faults
from deltarule.registry import record


@record
class ReadPictures:
    """Pictures of one form, (n, height, width) or (n, height, width, 3), and which of the files they are."""

    pixels: Array
    rows: Array
    paper: str
    decisions: tuple[Decision, ...]


def read_pictures(entries: Sequence[Entry], labels: Sequence[str], options: ReadingOptions) -> ReadPictures:
    """Read pictures in one form: of one size, all grey or all in colour, on one paper.

    Parameters
    ----------
    entries : sequence of path
    labels : sequence of str
        The classes of the first of them, which decide whether colour is needed.
    options : ReadingOptions
        ``size``, ``color`` and ``paper``, where they are named, are the form.

    Returns
    -------
    ReadPictures
        Without the files that cannot be read: ``rows`` are the numbers of the others.

    Raises
    ------
    DataFileError
        If none can be read, or if ``options.strict`` and any cannot.
    """
    faults: dict[int, DataFileError] = {}
    with warnings.catch_warnings():  # once, because all threads share it
        warnings.simplefilter("ignore")
        looked = _each(range(len(entries)), lambda row: look_at(entries[row]), faults)
        headers = {row: header for row, (header, _) in looked.items()}
        size = options.size or common_size(header.size for header in headers.values()) if headers else (1, 1)
        n_threads = _count_threads(pixels is None for _, pixels in looked.values())

        def read(row: int) -> Array:
            _, pixels = looked.pop(row)
            return read_pixels(entries[row], size) if pixels is None else resized(pixels, size)

        clear = [row for row, header in headers.items() if header.transparent]
        before_paper = {} if options.paper else _each(clear, read, faults, n_threads)
        paper = options.paper or paper_for(before_paper.values())
        colored = options.color is not False and any(header.color for header in headers.values())

        def form(row: int) -> Array:
            pixels = on_paper(before_paper.pop(row) if row in before_paper else read(row), paper)
            return as_color(pixels) if colored or options.color else as_grey(pixels)

        images = _each([row for row in headers if row not in faults], form, faults, n_threads)
    if faults and (options.strict or not images):
        listed = [faults[row] for row in sorted(faults)]
        raise all_faults(listed)
    rows = np.array(sorted(images), dtype=np.intp)
    kept = {row: headers[row] for row in rows.tolist()}
    decisions = (
        _unreadable(entries, faults)
        + _of_files(entries, kept)
        + _of_sizes(entries, kept, size, "resized" if options.size else "size")
    )
    if options.paper is None and paper:
        decisions.append(
            decide("paper", count=len(clear), paper=paper, drawn={"white": "dark"}.get(paper, "light"))
        )
    pixels = np.stack([images.pop(row) for row in rows.tolist()])
    if colored and options.color is None:
        known = [labels[row] for row in rows.tolist() if row < len(labels)]
        told = color_tells(pixels[: len(known)], known) if known else None
        pixels = pixels if told is not None else _told_grey(pixels, decisions)
        if told is not None:
            decisions.append(
                decide("color", share=f"{100 * told:.0f}", chance=f"{100 / len(set(known)):.0f}")
            )
    return ReadPictures(pixels, rows, paper, tuple(decisions))


def _told_grey(pixels: Array, decisions: list[Decision]) -> Array:
    if any(is_colored(image) for image in pixels):
        decisions.append(decide("grey"))
    return as_grey(pixels)


def _each(
    rows: Sequence[int] | range,
    read: Callable[[int], Any],
    faults: dict[int, DataFileError],
    n_threads: int = 1,
) -> dict[int, Any]:
    """What is read for each row; rows that cannot be read become faults."""

    def outcome(row: int) -> Any:
        try:
            return read(row)
        except DataFileError as error:
            return error

    with ThreadPoolExecutor(n_threads) as threads:  # starts none before it has work
        outcomes = dict(zip(rows, (threads.map if n_threads > 1 else map)(outcome, rows), strict=True))
    faults |= {row: error for row, error in outcomes.items() if isinstance(error, DataFileError)}
    return {row: found for row, found in outcomes.items() if row not in faults}


def _count_threads(are_large: Iterable[bool]) -> int:
    """How many threads decode: Pillow lets others work meanwhile, which pays where pictures are large."""
    return min(os.cpu_count() or 1, 4) if any(are_large) and sys.platform != "emscripten" else 1


def _names(entries: Sequence[Entry], rows: Sequence[int]) -> dict[str, Any]:
    names = ["/".join(PurePath(str(entries[row])).parts[-2:]) for row in rows]
    return {"count": len(names), "shown": shown(names), "every": ", ".join(names)}


def _unreadable(entries: Sequence[Entry], faults: dict[int, DataFileError]) -> list[Decision]:
    if not faults:
        return []
    rows = sorted(faults)
    return [decide("unreadable", **_names(entries, rows), reason=faults[rows[0]].reason)]


def _of_files(entries: Sequence[Entry], headers: dict[int, PictureHeader]) -> list[Decision]:
    found = []
    for kind in ("animated", "turned", "deep"):
        rows = [row for row, header in headers.items() if getattr(header, kind)]
        if rows:
            found.append(decide(kind, **_names(entries, rows)))
    return found


def _of_sizes(
    entries: Sequence[Entry], headers: dict[int, PictureHeader], size: tuple[int, int], kind: str
) -> list[Decision]:
    rows = [row for row, header in headers.items() if header.size != size]
    if not rows:
        return []
    other = "{} × {}".format(*headers[rows[0]].size)
    words = {"made": f"{size[0]} × {size[1]}", "other": other, "total": len(headers)}
    return [decide(kind, **_names(entries, rows), **words)]
