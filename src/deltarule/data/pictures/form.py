"""The form that all pictures of a set get: their size, grey or colour, what is behind transparency."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from deltarule.arrays import Array
from deltarule.data.pictures.files import MOST_PIXELS

_VISIBLE = 8.0  # how far red, green and blue must be apart, of 255, for a picture not to be grey
_GRID = 4
_ERRORS = 3.0  # standard errors by which colour must tell classes apart better than chance


def common_size(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return the most frequent size (width, height), shrunk to at most 4,096 pixels.

    Examples
    --------
    >>> common_size([(28, 28), (28, 28), (30, 20)]), common_size([(1600, 900)])
    ((28, 28), (85, 48))
    """
    counts = Counter(sizes)
    width, height = max(counts, key=lambda size: (counts[size], size[0] * size[1], size))
    shrink = min(1.0, math.sqrt(MOST_PIXELS / (width * height)))
    return max(1, int(width * shrink)), max(1, int(height * shrink))


def paper_for(pictures: Iterable[Array]) -> str:
    """Say what is put behind transparent pictures for strokes to show: "white", "black" or "" (nothing).

    Parameters
    ----------
    pictures : iterable of ndarray, (height, width, 4)
        Strokes that are dark on the average want white paper. Where nothing is transparent, none is needed.
    """
    ink = total = 0.0
    clear = False
    for pixels in pictures:
        opacity = pixels[..., 3].astype(float)
        clear |= bool((opacity < 255).any())
        ink += float((pixels[..., :3].mean(axis=2) * opacity).sum())
        total += float(opacity.sum())
    if not clear:
        return ""
    return "white" if ink < 127.5 * total else "black"


def on_paper(pixels: Array, paper: str) -> Array:
    """Lay a picture (height, width, 4) on paper: (height, width, 3) of uint8; return others as they are."""
    if pixels.shape[2:] != (4,):
        return pixels
    opacity = pixels[..., 3:]
    if (opacity == 255).all():
        return pixels[..., :3]
    behind = 255.0 if paper == "white" else 0.0
    mixed = (pixels[..., :3] * opacity.astype(float) + behind * (255.0 - opacity)) / 255.0
    return np.rint(mixed).astype(np.uint8)


def as_grey(pixels: Array) -> Array:
    """Return pictures (…, 3) as luminance (…), weighted and rounded as Pillow does; (height, width) stays."""
    if pixels.ndim == 2:
        return pixels
    weighted = pixels @ np.array([19595, 38470, 7471], dtype=np.uint32)
    return ((weighted + 0x8000) >> 16).astype(np.uint8)


def as_color(pixels: Array) -> Array:
    """Return a picture as red, green and blue, (height, width, 3)."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)


def is_colored(pixels: Array) -> bool:
    """Return whether a picture (height, width, 3) has colours that can be seen, not just greys."""
    spread = pixels.max(axis=2).astype(int) - pixels.min(axis=2)
    return float(np.percentile(spread, 99)) > _VISIBLE


def color_tells(pictures: Array, labels: Sequence[str]) -> float | None:
    """Say how many classes colour alone tells, brightness left out; None where that may be chance.

    The colour of a picture is how far red and blue are from green, on a grid of 4 × 4 and on the whole;
    a picture is taken for the class whose other pictures have the nearest mean.

    Parameters
    ----------
    pictures : ndarray of uint8, (n, height, width, 3)
    labels : sequence of str, (n,)

    Returns
    -------
    float or None
        Accuracy, each class counting the same.
    """
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    counts = np.bincount(codes)
    if len(names) < 2 or counts.max() < 2:
        return None
    grid = np.array([_chroma_grid(pixels) for pixels in pictures])
    whole = np.concatenate([grid.mean(axis=1), grid.std(axis=1)], axis=1)
    best = 0.0
    for features in (whole, grid.reshape(len(grid), -1)):
        right = _nearest_mean(features, codes, counts) == codes
        told = counts > 1
        rates = np.bincount(codes, right)[told] / counts[told]
        best = max(best, float(rates.mean()))
    chance = 1.0 / len(names)
    error = math.sqrt(chance * (1 - chance) / counts[counts > 1].sum())
    return best if best > chance + _ERRORS * error else None


def _chroma_grid(pixels: Array) -> Array:
    """How far red and blue are from green in each part of a picture, (16, 2)."""
    values = pixels.astype(float)
    chroma = np.stack([values[..., 0] - values[..., 1], values[..., 2] - values[..., 1]], axis=2)
    rows = [part for part in np.array_split(chroma, _GRID, axis=0) if part.size]
    parts = [part for row in rows for part in np.array_split(row, _GRID, axis=1) if part.size]
    means = np.array([part.mean(axis=(0, 1)) for part in parts])
    return np.resize(means, (_GRID * _GRID, 2))


def _nearest_mean(features: Array, codes: Array, counts: Array) -> Array:
    """The class whose mean is nearest to each row, which itself does not count."""
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1.0)
    sums = np.zeros((len(counts), features.shape[1]))
    np.add.at(sums, codes, features)
    distances = np.stack(
        [((features - sum_ / n) ** 2).sum(axis=1) for sum_, n in zip(sums, counts, strict=True)]
    )
    others = np.maximum(counts[codes] - 1, 1)[:, None]
    own = (features - (sums[codes] - features) / others) ** 2
    distances[codes, np.arange(len(codes))] = np.where(counts[codes] > 1, own.sum(axis=1), np.inf)
    return distances.argmin(axis=0)
