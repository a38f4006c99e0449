"""The pictures that suit an experiment: curves, confusion matrix, decision boundary, predictions."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule.data.encoding import LabelEncoding, NumbersEncoding
from deltarule.experiments.fitting import encoding_of, predict_dataset
from deltarule.experiments.outcome import Outcome
from deltarule.plotting import (
    draw_boundary,
    draw_confusion,
    draw_history,
    draw_predictions,
    figure,
    figure_bytes,
    save_figure,
)


def plot_experiment(path: str | os.PathLike[str] | None, result: Outcome) -> Any:
    """Draw loss and score by epoch, then the predictions for the rows held out, or for those trained on.

    Into a file, or, where none is named, as a figure that is returned.
    """
    net, history, dataset = result.trained.net, result.trained.history, result.dataset
    rows = "the training rows" if result.tested is None else "rows held out"
    predictions = result.tested or predict_dataset(net, dataset)
    inputs, target = encoding_of(net).inputs, encoding_of(net).target
    draw: list[Callable[[Any], None]] = [lambda panel: draw_history(panel, history, "loss")]
    if predictions.metric in history:  # a stream is not gone through once more for it
        draw.append(lambda panel: draw_history(panel, history, predictions.metric))
    if isinstance(target, LabelEncoding):
        draw.append(lambda panel: draw_confusion(panel, predictions.confusion(target), target.classes))
        if len(inputs.feature_names) == 2:
            X = np.asarray(inputs.encode(dataset.inputs))
            names = inputs.feature_names
            draw.append(lambda panel: draw_boundary(panel, net, X, dataset.target, target.classes, names))
    elif isinstance(target, NumbersEncoding) and len(target.names) == 1:
        true, predicted, name = predictions.true, predictions.predicted, target.names[0]
        draw.append(lambda panel: draw_predictions(panel, true, predicted, name))
    made, panels = figure(len(draw), f"{dataset.name}: {net!r}; answers for {rows}")
    for draw_panel, panel in zip(draw, panels, strict=True):
        draw_panel(panel)
    if path is None:
        made._repr_png_ = lambda: figure_bytes(made, "png")  # shows itself in notebooks, without pyplot
        return made
    save_figure(made, path)
    return None
