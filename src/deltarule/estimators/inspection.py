"""What a fitted network shows of itself: its losses, its drawing, a copy with the names of its columns."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from deltarule.data.encoding import ColumnsEncoding, Encoding, NumberColumn
from deltarule.estimators.fit_record import FitRecord
from deltarule.nn.network import Network


def draw_losses(record: FitRecord, title: str, path: str | os.PathLike[str] | None) -> Any:
    """A figure of the loss by epoch, written to ``path`` where one is given."""
    from deltarule.plotting import draw_history, figure, save_figure
    from deltarule.training.history import History

    history = History()
    history.extend(record.history_columns())
    made, (panel,) = figure(1, title)
    draw_history(panel, history, "loss")
    if path is not None:
        save_figure(made, path)
    return made


def network_with_encoding(record: FitRecord) -> Network:
    """A copy of the network that knows its columns, their scaling, and what its outputs stand for."""
    net, n = record.linked_network().copy(), record.n_features_in
    names = getattr(record, "feature_names_in", [f"x{i}" for i in range(n)])
    shift, scale = (np.zeros(n), np.ones(n)) if record.scaling is None else record.scaling
    columns = (NumberColumn(str(a), float(b), float(c)) for a, b, c in zip(names, shift, scale, strict=True))
    net.encoding = Encoding(ColumnsEncoding(tuple(columns)), record.targets.file_encoding(record.n_outputs))
    return net


def network_image(record: FitRecord) -> str:
    """An image of the network, with the names of features and classes where they have some."""
    from deltarule.derivations.network_drawing import draw
    from deltarule.documents.svg import as_image, svg

    names = getattr(record, "feature_names_in", None)
    inputs = None if names is None else [str(name) for name in names]
    net = record.linked_network()
    return as_image(
        svg(draw(net, inputs=inputs, outputs=record.targets.output_names()), dark=False), repr(net)
    )
