"""How the time of an epoch grows with rows, width and depth."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.run import measure
from benchmarks.workloads import SERIES

__all__ = ["measure_series"]


def measure_series(rounds: int, threads: int, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """By series and contender: the factors, the median seconds of an epoch, and the fitted exponent."""
    series: dict[str, Any] = {}
    for name, trainings in SERIES.items():
        lines: dict[str, dict[str, Any]] = {}
        for factor, training in trainings.items():

            def say_where(what: str, where: str = f"{name} × {factor}") -> None:
                say(f"{where}: {what}")

            result = measure(training, rounds, threads, folder, math.inf, say_where)
            for standing in result.standings:
                if standing.status == "timed":
                    line = lines.setdefault(standing.name, {"factors": [], "seconds": []})
                    line["factors"].append(factor)
                    line["seconds"].append(standing.median)
        for line in lines.values():
            line["exponent"] = exponent(line["factors"], line["seconds"])
        series[name] = lines
    return series


def exponent(factors: list[int], seconds: list[float]) -> float:
    """The slope of log seconds over log factor, by least squares over the upper half of the factors."""
    upper = slice(len(factors) // 2, None)
    return float(np.polyfit(np.log(factors[upper]), np.log(seconds[upper]), 1)[0])
