"""Pictures of the outcomes, from what ``--json`` writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["plot_overview", "plot_scaling"]

COLOURS = {
    "deltarule": "#d62728",
    "deltarule (auto)": "#e377c2",
    "deltarule (NumPy)": "#ff9896",
    "NumPy": "#7f7f7f",
    "NumPy by hand": "#7f7f7f",
    "PyTorch": "#ff7f0e",
    "JAX": "#1f77b4",
    "scikit-learn": "#2ca02c",
    "floor": "#000000",
}


def plot_overview(report: Mapping[str, Any], folder: Path) -> Path:
    """Every contender's figure over deltarule's, workload by workload, on a logarithmic axis."""
    from matplotlib import pyplot as plt

    results = [r for r in report["results"] if any(s["ratio"] is not None for s in r["standings"])]
    figure, axes = plt.subplots(figsize=(9, 2 + 0.5 * len(results)), layout="constrained")
    axes.axvline(1.0, color=COLOURS["deltarule"], label="deltarule")
    for row, result in enumerate(results):
        for standing in result["standings"]:
            name, ratio = standing["name"], standing["ratio"]
            if ratio is not None and name in COLOURS and name != "deltarule":
                marker = "|" if name == "floor" else "o"
                axes.plot(ratio, row, marker, color=COLOURS[name], markersize=9, label=name)
        for goal in result["goals"]:
            if goal["value"] is not None:
                _mark(axes, goal, row)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("time (or size) over deltarule's; right of 1, deltarule is better")
    axes.set_yticks(range(len(results)), [result["name"] for result in results])
    axes.invert_yaxis()
    axes.grid(axis="x", which="both", alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=3, frameon=False)
    return _saved(figure, folder / "overview.svg")


def _mark(axes: Any, goal: Mapping[str, Any], row: int) -> None:
    """Where the best peer, the floor or deltarule must be for a goal to be met."""
    style: dict[str, Any] = {"color": "none", "markeredgecolor": "black", "markersize": 9}
    if not goal["against"]:
        at = goal["at_most"] / goal["value"]
        axes.plot(at, row, "<", **style, label="wanted: deltarule left of this")
    elif goal["against"] == "floor":
        axes.plot(
            1 / goal["at_most"], row, "4", color="black", markersize=9, label="wanted: floor right of this"
        )
    else:
        axes.plot(1 / goal["at_most"], row, ">", **style, label="wanted: peer right of this")


def plot_scaling(series: Mapping[str, Any], folder: Path) -> Path:
    """Seconds an epoch against what grows, and the fitted exponents."""
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(series), figsize=(4 * len(series), 6), layout="constrained")
    for axes, (name, lines) in zip(panels, series.items(), strict=True):
        for contender, line in lines.items():
            label = f"{contender}: {line['exponent']:.2f}"
            axes.plot(line["factors"], line["seconds"], "o-", color=COLOURS[contender], label=label)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set(yscale="log", title=name, xlabel=f"{name} ×", ylabel="seconds an epoch")
        axes.legend(
            title="exponent, upper half", loc="upper center", bbox_to_anchor=(0.5, -0.12), frameon=False
        )
        axes.grid(alpha=0.3)
    return _saved(figure, folder / "scaling.svg")


def _saved(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
    return path
