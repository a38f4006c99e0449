"""Which pictures suit a trained network, for ``--plot``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data import Dataset
from deltarule.data.encoding import LabelEncoding, NumbersEncoding
from deltarule.experiments.fitting import Answers, Fitted
from deltarule.plotting import (
    draw_boundary,
    draw_confusion,
    draw_history,
    draw_predictions,
    figure,
    save_figure,
)

__all__ = ["plot_results"]


def plot_results(path: Path, fitted: Fitted, answers: Answers, dataset: Dataset, asked: str) -> None:
    """Loss and score by epoch, then what the network answered.

    Parameters
    ----------
    path : Path
    fitted : Fitted
    answers : Answers
        To be judged: of the rows held out, or of the training rows.
    dataset : Dataset
    asked : str
        Which rows they are.
    """
    net, history = fitted.net, fitted.history
    assert net.encoding is not None
    inputs, target = net.encoding.inputs, net.encoding.target
    draw: list[Callable[[Any], None]] = [
        lambda panel: draw_history(panel, history, "loss"),
        lambda panel: draw_history(panel, history, answers.metric),
    ]
    if isinstance(target, LabelEncoding):
        draw.append(lambda panel: draw_confusion(panel, answers.confusion(target), target.classes))
        if len(inputs.feature_names) == 2:
            X = np.asarray(inputs.encode(dataset.inputs))
            names = inputs.feature_names
            draw.append(lambda panel: draw_boundary(panel, net, X, dataset.target, target.classes, names))
    elif isinstance(target, NumbersEncoding) and len(target.names) == 1:
        draw.append(lambda panel: draw_predictions(panel, answers.true, answers.predicted, target.names[0]))
    made, panels = figure(len(draw), f"{dataset.name}: {net!r}; answers for {asked}")
    for one, panel in zip(draw, panels, strict=True):
        one(panel)
    save_figure(made, path)
