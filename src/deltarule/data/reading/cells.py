"""The cells of a column as they stand in a file: numbers where all are, else the different texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deltarule.arrays import Array

#: What stands for a missing cell, in any case; pandas' own list, and what people write.
MISSING_CELLS = frozenset(
    {
        "", "#n/a n/a", "not available", "keine angabe", "?", "-", "--", "---", ".", "..", "...", "–", "—",
        "*", "#n/a", "#na", "#null!", "#value!", "#div/0!", "#ref!", "#name?", "#num!", "-1.#ind",
        "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "<na>", "n/a", "n.a.", "n.a", "na", "nan", "nat", "nil",
        "none", "null", "(null)", "\\n", "missing", "(missing)", "k.a.",
    }
)  # fmt: skip

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


NONE = "none"  # in any case: of a target, it may be a class

INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"


def bare(text: str) -> str:
    """Return a text without space around it, nor characters that have no width.

    Examples
    --------
    >>> bare(" \u200b12.5\u00a0 ")
    '12.5'
    """
    text = text.strip()
    return text if text.isascii() else text.strip(INVISIBLE).strip()


def is_missing(text: str) -> bool:
    """Return whether a text stands for a missing cell."""
    return len(text) < 16 and text.lower() in MISSING_CELLS


def plain_number(text: str) -> float | None:
    """Return a finite number that is written plainly, such as 12, -0.5 or 1e-3; None for any other text."""
    if _PLAIN.fullmatch(text) is None:
        return None
    value = float(text)
    return value if abs(value) < np.inf else None


def _all_numbers(cells: Sequence[str]) -> Array | None:
    """Return plain numbers quickly where all cells are such; None where any is not, or may be none."""
    try:
        numbers = np.fromiter(map(float, cells), float, len(cells))
    except ValueError:
        return None
    joined = "".join(cells)
    return numbers if "_" not in joined and joined.isascii() and np.isfinite(numbers).all() else None


@dataclass(frozen=True, eq=False)
class Cells:
    """A column of a file: either plain numbers, or its different texts and which one each cell is.

    Parameters
    ----------
    numbers : ndarray of float64, (n_rows,), or None
        NaN where a cell is missing.
    texts : tuple of str
        The different texts, without space around them, "" for missing cells, but `NONE` as it stands there;
        none where there are numbers.
    codes : ndarray of int, (n_rows,), or None
        For each cell the place of its text.
    """

    numbers: Array | None
    texts: tuple[str, ...] = ()
    codes: Array | None = None

    @classmethod
    def of(cls, cells: Sequence[str], *, as_text: bool = False) -> Cells:
        """Take cells (n_rows,); where asked, as texts even if they are all numbers.

        Examples
        --------
        >>> Cells.of(["1", "n/a", "2.5"]).numbers
        array([1. , nan, 2.5])
        >>> Cells.of(["b", "a", "b"]).codes.tolist()
        [0, 1, 0]
        """
        numbers = None if as_text else _all_numbers(cells)
        if numbers is not None:
            return cls(numbers)
        places: dict[str, int] = {}
        codes = np.fromiter((places.setdefault(cell, len(places)) for cell in cells), np.intp, len(cells))
        return cls.of_codes(list(places), codes, as_text=as_text)

    @classmethod
    def of_codes(cls, texts: Sequence[str], codes: Array, *, as_text: bool = False) -> Cells:
        """Take the different texts of a column, and for each cell which one it is (n_rows,)."""
        bared = [bare(text) for text in texts]
        plain = ["" if is_missing(text) and text.lower() != NONE else text for text in bared]
        if plain != list(texts):
            places: dict[str, int] = {}
            codes = np.array([places.setdefault(text, len(places)) for text in plain], np.intp)[codes]
            plain = list(places)
        values = [np.nan if is_missing(text) else plain_number(text) for text in plain]
        if as_text or None in values:
            return cls(None, tuple(plain), codes.astype(np.min_scalar_type(len(plain)), copy=False))
        return cls(np.array(values, float)[codes])

    def __len__(self) -> int:
        return len(self.numbers if self.numbers is not None else self.codes)  # type: ignore[arg-type]

    def missing(self) -> Array:
        """Return where cells are missing, (n_rows,) of bool."""
        if self.numbers is not None:
            return np.isnan(self.numbers)
        gone = np.array([is_missing(text) for text in self.texts], bool)
        return gone[self.codes]
