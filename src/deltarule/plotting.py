"""Pictures of a training run: curves, confusion matrix, decision boundary, predictions."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError
from deltarule.files import format_of, write_atomically
from deltarule.nn.network import Network
from deltarule.registry import import_extra
from deltarule.training import History

FORMATS = {"png": (".png", ".", ""), "svg": ".svg", "pdf": ".pdf", "jpg": ".jpg"}
BLUE, ORANGE, GREY = "#2166ac", "#d6604d", "#666666"
_CLASS_COLOURS = ("#d6604d", "#2166ac", "#4d9221", "#8073ac", "#b35806", "#01665e", "#c51b7d", "#666666")
_NUMBERED = 12  # the most classes for which a confusion matrix is labelled and numbered in full


def figure(n_panels: int, title: str = "") -> tuple[Any, list[Any]]:
    """A figure with so many panels in a row, and the panels."""
    figures = import_extra("matplotlib.figure", "plot")
    made = figures.Figure(figsize=(4.6 * n_panels, 4.1), layout="constrained", dpi=120)
    panels = made.subplots(1, n_panels, squeeze=False)[0]
    if title:
        whole = title.encode(errors="replace").decode()  # a file's name may hold bytes that are no text
        made.suptitle(whole, fontsize=11)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
    return made, list(panels)


def picture_format(path: str | os.PathLike[str]) -> str:
    """The format that a path's suffix names; png where it has none.

    Raises InputError if it is not one of png, svg, pdf, jpg.
    """
    import_extra("matplotlib", "plot")
    format = format_of(path, FORMATS)
    if format is None:
        ending = os.path.splitext(path)[1].lower().lstrip(".")
        raise InputError(f"cannot draw {path}: unknown format {ending!r}; choose from {', '.join(FORMATS)}")
    return format


def save_figure(made: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure in the format that the path's suffix names, atomically; equal figures, equal bytes."""
    write_atomically(path, figure_bytes(made, picture_format(path)))


def figure_bytes(made: Any, suffix: str) -> bytes:
    """A figure as a file of that format has it."""
    content = io.BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix)
    with import_extra("matplotlib", "plot").rc_context({"svg.hashsalt": "deltarule"}):
        made.savefig(content, format=suffix, metadata=undated)
    return content.getvalue()


def draw_history(panel: Any, history: History, column: str) -> None:
    """A column of the history by epoch, and its validation twin where there is one."""
    for name, colour in ((column, BLUE), (f"val_{column}", ORANGE)):
        if name in history:
            label = "validation" if name.startswith("val_") else "training"
            marker = "." if history.epochs < 30 else None
            panel.plot(history["epoch"], history[name], color=colour, label=label, marker=marker, lw=1.5)
    panel.set(xlabel="epoch", ylabel=column, title=column)
    if column == "loss" and 0 < 10 * min(history[column]) < max(history[column]):
        panel.set_yscale("log")
    panel.grid(alpha=0.25)
    panel.legend(frameon=False)


def draw_confusion(panel: Any, counts: Array, classes: Sequence[object]) -> None:
    """How many rows of each class were taken for each class; see :func:`deltarule.confusion_matrix`."""
    names = [str(name) for name in classes]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    panel.imshow(share, cmap="Blues", vmin=0, vmax=1)
    panel.set(xlabel="predicted", ylabel="true", title=f"{np.trace(counts)} of {counts.sum()} rows right")
    panel.spines[:].set_visible(False)
    if len(names) > _NUMBERED:
        return
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > 3 else {}
    panel.set_xticks(range(len(names)), names, **turned)
    panel.set_yticks(range(len(names)), names)
    for i, j in np.ndindex(*counts.shape):
        if counts[i, j]:
            colour = "white" if share[i, j] > 0.5 else "black"
            panel.text(j, i, str(counts[i, j]), ha="center", va="center", color=colour, fontsize=9)


def draw_predictions(panel: Any, true: Array, predicted: Array, name: str) -> None:
    """Predicted against true numbers; on the diagonal they agree."""
    panel.scatter(true, predicted, s=10, color=BLUE, alpha=0.6, lw=0)
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    panel.plot(ends, ends, color=GREY, lw=1, ls="--")
    panel.set(xlabel=f"true {name}", ylabel=f"predicted {name}", title="predictions")
    panel.grid(alpha=0.25)


def draw_boundary(
    panel: Any, net: Network, X: Array, y: Array, classes: Sequence[object], names: Sequence[str]
) -> None:
    """What the network answers over the plane of its two inputs, and the samples on it.

    Parameters
    ----------
    panel : matplotlib Axes
    net : Network
        With two inputs.
    X : ndarray, (n_samples, 2)
        As the network takes them (after encoding).
    y : ndarray, (n_samples,)
        The true classes.
    classes : sequence
        All classes, in the order of the outputs.
    names : sequence of str
        Of the two inputs.
    """
    colors = import_extra("matplotlib.colors", "plot")
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.15 * np.maximum(high - low, 1e-9)
    axes = [np.linspace(low[i] - margin[i], high[i] + margin[i], 240) for i in (0, 1)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    outputs = net.predict(grid)
    palette = [colors.to_rgb(_CLASS_COLOURS[i % len(_CLASS_COLOURS)]) for i in range(max(2, len(classes)))]
    share = np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
    image = (share @ np.array(palette[: share.shape[1]])).reshape(240, 240, 3)
    extent = (axes[0][0], axes[0][-1], axes[1][0], axes[1][-1])
    panel.imshow(0.45 * image.clip(0, 1) + 0.55, origin="lower", extent=extent, aspect="auto")
    for i, label in enumerate(classes):
        rows = y == label
        panel.scatter(*X[rows].T, s=22, color=palette[i], edgecolor="white", lw=0.6, label=str(label))
    panel.set(xlabel=names[0], ylabel=names[1], title="decision boundary")
    panel.legend(frameon=True, fontsize=8, loc="best")
