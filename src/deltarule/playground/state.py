"""The state of a session: all that a page shows, in the parts that were asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.encoding import CategoryColumn, LabelEncoding, NumberColumn, NumbersEncoding
from deltarule.data.table import Table
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names
from deltarule.playground import views

if TYPE_CHECKING:
    from deltarule.playground.session import Session


def state_of(session: Session) -> dict[str, Any]:
    """Return all that a page shows, in the parts that were asked for."""
    net, branch, moment, view = session.net, session.branch, session.moment, session.view
    train, test = session._costs()
    passed = session.passed()
    terms = net.objective.terms(passed.trace[-1].z, passed.trace[-1].a, passed.y)
    state: dict[str, Any] = {
        "source": _source(session),
        "config": session.configuration.to_dict() | {"loss": net.loss.name},
        "position": {
            "update": moment.update, "epoch": moment.epoch + moment.batch // branch.n_batches,
            "batch": moment.batch % branch.n_batches, "phase": views.PHASES[session.phase],
            "branch": branch.number,
            "first": 0, "last": branch.last, "n_batches": branch.n_batches,
        },
        "branches": [
            {"id": one.number, "parent": one.parent, "start": one.start, "last": one.last,
             "label": _label(one.number), "change": one.change}
            for one in session.branches
        ],
        "loss": {
            "batch": views.number(terms.sum(axis=1).mean()),
            "train": views.number(train), "test": None if test is None else views.number(test),
            "metric": session.metric(),
        },
        "stopped": session.stopped,
        "view": view,
    }  # fmt: skip
    makers: dict[str, Callable[[], Any]] = {
        "network": lambda: _network(session, passed),
        "plane": lambda: _plane(session),
        "maps": lambda: views.maps_view(net, _inputs(session), _axes(session), 20),
        "curves": lambda: _curve(session, branch.number),
        "confusion": lambda: _confusion(session),
        "flow": lambda: views.flow_view(passed),
    }
    state |= {part: makers[part]() for part in view["parts"]}
    other = session.compared
    state["other"] = None if other is None else {"label": _label(other), **_curve(session, other)}
    return state


def _label(number: int) -> str:
    """A, B, … Z, A1, …"""
    letter, round_ = chr(ord("A") + number % 26), number // 26
    return letter + (str(round_) if round_ else "")


def _inputs(session: Session) -> Any:
    """The rows that are drawn, as the network takes them."""
    samples = session.problem.samples(session.net)
    few = samples.take(slice(None, views.MOST_ROWS))
    return np.asarray(few.x.astype(session.net.dtype))


def _axes(session: Session) -> tuple[int, int]:
    across, up = session.view["axes"]
    return int(across), int(up)


def _source(session: Session) -> dict[str, Any]:
    dataset, net = session.problem.dataset, session.net
    x = _inputs(session)
    columns = net.encoding.inputs.columns if net.encoding and hasattr(net.encoding.inputs, "columns") else ()
    inputs: list[dict[str, Any]] = []
    for column in columns:
        for name in column.feature_names:
            place = len(inputs)
            shift, scale = (column.shift, column.scale) if isinstance(column, NumberColumn) else (0.0, 1.0)
            inputs.append({
                "name": name, "kind": "one-hot" if isinstance(column, CategoryColumn) else "number",
                "mean": shift, "scale": scale,
                "low": views.number(x[:, place].min()), "high": views.number(x[:, place].max()),
            })  # fmt: skip
    known = set(session.link_of_source)
    return {
        "name": dataset.name,
        "title": session.problem.title,
        "rows": len(dataset),
        "inputs": inputs[: views.MOST_NEURONS],
        "columns": list(dataset.inputs.names) + list(dataset.target_names)
        if "table" in known and isinstance(dataset.inputs, Table)
        else [],
        "target": ", ".join(dataset.target_names),
        "task": "number" if dataset.classes is None else "classes",
        "classes": [] if dataset.classes is None else [str(one) for one in dataset.classes],
        "decisions": [str(decision) for decision in dataset.decisions],
        "editable": isinstance(dataset.inputs, Table)
        and len(dataset.inputs.names) == 2
        and session.problem.example is None,
    }


def output_names(net: Network) -> list[str]:
    """Name the outputs: classes, numbers, or o1, o2 …"""
    target = net.encoding.target if net.encoding else None
    if isinstance(target, LabelEncoding):
        return list(target.output_names(net.sizes[-1]))
    if isinstance(target, NumbersEncoding):
        return list(target.names)
    return neuron_names(net.sizes)[-1]


def _network(session: Session, passed: views.Pass) -> dict[str, Any]:
    net = session.net
    x, _, kind = session.shown_rows()
    notes = views.neuron_notes(net, _inputs(session))
    raw = _raw(session, np.asarray(x).mean(axis=0))
    return {"row": kind, **views.network_view(passed, raw, output_names(net), notes)}


def _raw(session: Session, x: Any) -> list[Any]:
    """The inputs in the units of the data."""
    raw: list[Any] = []
    for column in getattr(session.net.encoding and session.net.encoding.inputs, "columns", ()):
        for _ in column.feature_names:
            value = float(x[len(raw)])
            raw.append(
                views.number(value * column.scale + column.shift)
                if isinstance(column, NumberColumn)
                else value
            )
    return raw or [views.number(value) for value in x]


def _plane(session: Session) -> dict[str, Any]:
    net, axes = session.net, _axes(session)
    x = _inputs(session)
    made = views.plane_view(net, x, axes, session.view["resolution"])
    dataset = session.problem.dataset
    y = dataset.target if dataset.target.ndim == 1 else dataset.target[:, 0]
    places = {label: place for place, label in enumerate(dataset.classes or ())}
    points = [
        {"row": row, "x": [round(float(x[row, axis]), 5) for axis in axes],
         "y": places[label] if places else float(label), "test": bool(session.held[row])}
        for row, label in enumerate(y[: len(x)].tolist())
    ]  # fmt: skip
    return made | {"points": points}


def _curve(session: Session, number: int) -> dict[str, Any]:
    """The costs by update, of a branch and of those that it came from."""
    points: list[tuple[int, float, float | None]] = []
    branch, end = session.branches[number], float("inf")
    while True:
        points = [point for point in branch.curve if point[0] <= end] + points
        if branch.parent is None:
            break
        end, branch = branch.start - 1, session.branches[branch.parent]
    columns = zip(*points, strict=True)
    names = ("update", "train", "test")
    return {name: [None if value is None else views.number(value) for value in column]
            for name, column in zip(names, columns, strict=True)}  # fmt: skip


def _confusion(session: Session) -> dict[str, Any] | None:
    rows = np.flatnonzero(session.held) if session.test is not None else np.flatnonzero(~session.held)
    rows = rows[: 5 * views.MOST_ROWS]
    x = session.problem.samples(session.net).take(rows).x
    return views.confusion_view(session.net, x, session.problem.dataset.target[rows])
