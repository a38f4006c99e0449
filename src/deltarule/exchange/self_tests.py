"""The test cases that a source file carries: a few rows, and what the network makes of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from deltarule.arrays import Array
from deltarule.exchange.cells import cells_of, features_of
from deltarule.exchange.portable_network import PortableNetwork
from deltarule.registry import record

#: Rows to choose from, and how many are chosen at least and at most.
CANDIDATES, FEWEST, MOST = 64, 3, 6


@record
class SelfTests:
    """Rows, outputs and answers that belong together.

    Attributes
    ----------
    rows : ndarray, (n, n_features)
        Where numbers can be filled, the last row is the first one with those missing.
    outputs : ndarray, (n, n_outputs)
    answers : ndarray or None
        Of a classification the place of the class, (n,) of int; with units the outputs in them,
        (n, n_outputs); else None.
    tolerance : float
        How far a result may lie from the expected one, relative to the larger of that and 1.
    cells : tuple of rows of str, or None
        The same rows as cells, where the network takes such.
    """

    rows: Array
    outputs: Array
    answers: Array | None
    tolerance: float
    cells: tuple[tuple[str, ...], ...] | None = None


def self_tests(network: PortableNetwork) -> SelfTests:
    """Return rows under which as many neurons as possible are at work, so that a wrong weight is seen."""
    rows = _candidate_rows(network)
    cells = cells_of(network, rows) if network.takes_cells else None
    rows = rows if cells is None else features_of(network, cells)
    chosen = _chosen_rows(network, rows)
    rows = rows[chosen]
    if cells is not None:
        cells = tuple(cells[place] for place in chosen) + (("",) * len(network.columns),) * network.has_fill
        rows = features_of(network, cells)
    elif network.has_fill:
        rows = np.vstack([rows, np.where(np.isnan(network.fill), rows[0], np.nan)])
    outputs = _activities(network, rows)[-1]
    answers = _answers_of(network, outputs)
    digits, tolerance = 10 if network.dtype == np.float64 else 7, _tolerance(network, rows, outputs)
    if answers is not None and answers.dtype.kind == "f":
        answers = _rounded_to(answers, digits)
    return SelfTests(rows, _rounded_to(outputs, digits), answers, tolerance, cells)


def _activities(network: PortableNetwork, rows: Array) -> list[Array]:
    """``a`` of each layer for raw rows."""
    filled = np.where(np.isnan(rows), network.fill, rows)
    a, activities = ((filled - network.shift) / network.scale).astype(network.dtype), []
    with np.errstate(all="ignore"):
        for layer in network.layers:
            a = layer.activation.value(a @ layer.W + layer.b)
            activities.append(a)
    return activities


def _candidate_rows(network: PortableNetwork) -> Array:
    """Rows of numbers such as a network meets, with few digits."""
    shift, scale = network.shift, network.scale
    drawn = np.random.default_rng(0).uniform(-1, 1, (CANDIDATES, len(shift)))
    natural = drawn[: CANDIDATES // 2]  # pixels and categories are not negative
    natural[:, shift == 0] = np.abs(natural[:, shift == 0])
    digits = [max(1 - math.floor(math.log10(one)), 0) for one in scale]
    numbers = (shift + scale * drawn).tolist()
    return np.array([[round(v, d) + 0.0 for v, d in zip(row, digits, strict=True)] for row in numbers])


def _chosen_rows(network: PortableNetwork, candidates: Array) -> list[int]:
    """The places of the first few rows with finite outputs, and of those that wake what was silent so far."""
    activities = _activities(network, candidates)
    has_answer = np.isfinite(activities[-1]).all(axis=1)
    usable = np.flatnonzero(has_answer if has_answer.any() else ~has_answer)
    awake = np.hstack([np.nan_to_num(candidates), *activities])[usable] != 0
    chosen = list(range(min(FEWEST, len(usable))))
    while len(chosen) < MOST:
        woken = (awake & ~awake[chosen].any(axis=0)).sum(axis=1)
        if not woken.any():
            break
        chosen.append(int(woken.argmax()))
    return usable[chosen].tolist()


def _answers_of(network: PortableNetwork, outputs: Array) -> Array | None:
    if network.classes is not None:
        single = outputs.shape[1] < len(network.classes)
        return (outputs[:, 0] > 0.5).astype(int) if single else outputs.argmax(axis=1)
    return outputs * network.out_scale + network.out_shift if network.has_units else None


def _rounded_to(numbers: Array, digits: int) -> Array:
    return np.array([[float(f"{number:.{digits}g}") for number in row] for row in numbers.tolist()])


def _tolerance(network: PortableNetwork, rows: Array, outputs: Array) -> float:
    """1e-9; for float32 1e-5, or the power of ten well above what float32 costs here."""
    if network.dtype == np.float64:
        return 1e-9
    layers = tuple(replace(one, W=one.W.astype(float), b=one.b.astype(float)) for one in network.layers)
    wide = replace(network, layers=layers)
    exact = _activities(wide, rows)[-1]
    pairs = [(outputs, exact), (_answers_of(network, outputs), _answers_of(wide, exact))]
    lost = max(
        float(np.max(np.abs(near - far) / np.maximum(1, np.abs(far))))
        for near, far in pairs
        if near is not None and far is not None and near.dtype.kind == "f"
    )
    return max(1e-5, 10.0 ** math.ceil(math.log10(20 * lost + 1e-300))) if np.isfinite(lost) else 1e-5
