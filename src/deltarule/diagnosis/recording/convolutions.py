"""What ``scipy.signal`` computes with two matrices, in operations that are recorded."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.functions import call_function
from deltarule.diagnosis.recording.traced import has_traced, to_traced


def correlate2d(in1: Any, in2: Any, mode: str = "full", *more: Any, **options: Any) -> Any:
    """The sums of products of a matrix and another that is moved over it.

    Raises
    ------
    ValueError
        For what is no matrix, and where neither lies within the other.
    """
    if not has_traced([in1, in2]) or more or options:
        return _original("correlate2d")(in1, in2, mode, *more, **options)
    x, kernel = to_traced(in1), to_traced(in2)
    if x.ndim != 2 or kernel.ndim != 2:
        raise ValueError("correlate2d inputs must both be 2-D arrays")
    rows, columns = kernel.shape
    is_turned = mode == "valid" and rows >= x.shape[0] and columns >= x.shape[1] and kernel.shape != x.shape
    if is_turned:
        return correlate2d(kernel, x, mode)[::-1, ::-1]
    if mode == "valid" and (rows > x.shape[0] or columns > x.shape[1]):
        raise ValueError("For 'valid' mode, one must be at least as large as the other in every dimension")
    if mode == "valid":
        return _sums(x, kernel)
    edges = ((rows - 1, rows - 1), (columns - 1, columns - 1))
    whole = _sums(to_traced(call_function(np.pad, (x, edges), {})), kernel)
    return _part(whole, x.shape, (rows // 2, columns // 2)) if mode == "same" else whole


def convolve2d(in1: Any, in2: Any, mode: str = "full", *more: Any, **options: Any) -> Any:
    """The same with the other one turned by half a circle."""
    if not has_traced([in1, in2]) or more or options:
        return _original("convolve2d")(in1, in2, mode, *more, **options)
    if np.ndim(in1) != 2 or np.ndim(in2) != 2:
        raise ValueError("convolve2d inputs must both be 2-D arrays")
    if mode == "valid" and all(np.greater_equal(np.shape(in2), np.shape(in1))):
        in1, in2 = in2, in1
    turned = to_traced(in2)[::-1, ::-1]
    if mode != "same":
        return correlate2d(in1, turned, mode)
    rows, columns = turned.shape
    return _part(correlate2d(in1, turned), np.shape(in1), ((rows - 1) // 2, (columns - 1) // 2))


def _original(name: str) -> Any:
    return getattr(importlib.import_module("scipy.signal"), name)


def _part(whole: Any, shape: tuple[int, ...], start: tuple[int, int]) -> Any:
    return whole[start[0] : start[0] + shape[0], start[1] : start[1] + shape[1]]


def _sums(x: Any, kernel: Any) -> Any:
    """At each place where the other one lies within a matrix, the sum of the products."""
    rows, columns = (n - k + 1 for n, k in zip(x.shape, kernel.shape, strict=True))
    total: Any = 0.0
    for k in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            total = total + x[k : k + rows, j : j + columns] * kernel[k, j]
    return total
