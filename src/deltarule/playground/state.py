"""The state of a session: all that a page shows, in the parts that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deltarule.data.encoding import CategoryColumn, NumberColumn
from deltarule.data.table import Table
from deltarule.derivations.row_origins import output_names
from deltarule.nn.parameter_names import neuron_names
from deltarule.playground import views
from deltarule.playground.played_run import PlayedRun


def state_of(run: PlayedRun) -> dict[str, Any]:
    """Return all that a page shows, in the parts that were asked for."""
    net, branch, moment, view = run.net, run.branch, run.moment, run.view
    train, test = run.measured()
    passed = run.passed()
    terms = net.objective.terms(passed.trace[-1].z, passed.trace[-1].a, passed.y)
    state: dict[str, Any] = {
        "source": _source(run),
        "config": run.configuration.to_dict() | {"loss": net.loss.name},
        "position": {
            "update": moment.update, "epoch": moment.epoch + moment.batch // branch.n_batches,
            "batch": moment.batch % branch.n_batches, "phase": views.PHASES[run.phase],
            "branch": branch.number,
            "first": 0, "last": branch.last, "n_batches": branch.n_batches,
        },
        "branches": [
            {"id": one.number, "parent": one.parent, "start": one.start, "last": one.last,
             "label": _label(one.number), "change": one.change}
            for one in run.branches
        ],
        "loss": {
            "batch": views.number(terms.sum(axis=1).mean()),
            "train": _number(train, "loss"), "test": _number(test, "loss"),
            "metric": {
                "name": run.metric, "train": _number(train, run.metric), "test": _number(test, run.metric),
            },
        },
        "stopped": run.stopped,
        "view": view,
    }  # fmt: skip
    makers: dict[str, Callable[[], Any]] = {
        "network": lambda: _network(run, passed),
        "plane": lambda: _plane(run),
        "maps": lambda: views.maps_view(net, _inputs(run), _axes(run), 20),
        "curves": lambda: _curve(run, branch.number),
        "confusion": lambda: _confusion(run),
        "flow": lambda: views.flow_view(passed),
    }
    state |= {part: makers[part]() for part in view["parts"]}
    other = run.compared
    state["other"] = None if other is None else {"label": _label(other), **_curve(run, other)}
    return state


def _number(measured: Mapping[str, float] | None, name: str) -> float | None:
    return None if measured is None or name not in measured else views.number(measured[name])


def _label(number: int) -> str:
    """A, B, … Z, A1, …"""
    letter, round_ = chr(ord("A") + number % 26), number // 26
    return letter + (str(round_) if round_ else "")


def _inputs(run: PlayedRun) -> Any:
    """The rows that are drawn, as the network takes them."""
    few = run.samples.take(slice(None, views.MOST_ROWS))
    return np.asarray(few.x.astype(run.net.dtype))


def _axes(run: PlayedRun) -> tuple[int, int]:
    across, up = run.drawn[list(run.view["axes"])]
    return int(across), int(up)


def _source(run: PlayedRun) -> dict[str, Any]:
    dataset, net = run.problem.dataset, run.net
    x = _inputs(run)
    columns = getattr(net.encoding and net.encoding.inputs, "columns", ())
    kinds = [column for column in columns for _ in column.feature_names]
    names = views.input_names(net)
    inputs: list[dict[str, Any]] = []
    for place in run.drawn.tolist():
        column = kinds[place] if kinds else None
        shift, scale = (column.shift, column.scale) if isinstance(column, NumberColumn) else (0.0, 1.0)
        inputs.append({
            "name": names[place], "kind": "one-hot" if isinstance(column, CategoryColumn) else "number",
            "mean": shift, "scale": scale,
            "low": views.number(x[:, place].min()), "high": views.number(x[:, place].max()),
        })  # fmt: skip
    known = set(run.source)
    return {
        "name": dataset.name,
        "title": run.problem.title,
        "rows": len(dataset),
        "inputs": inputs,
        "n_inputs": net.sizes[0],
        "columns": list(dataset.inputs.names) + list(dataset.target_names)
        if "table" in known and isinstance(dataset.inputs, Table)
        else [],
        "target": ", ".join(dataset.target_names),
        "task": "number" if dataset.classes is None else "classes",
        "classes": [] if dataset.classes is None else [str(one) for one in dataset.classes],
        "decisions": [{"text": one.text, "line": one.line, "field": one.field} for one in dataset.decisions],
        "editable": isinstance(dataset.inputs, Table)
        and len(dataset.inputs.names) == 2
        and run.problem.example is None,
    }


def _network(run: PlayedRun, passed: views.Pass) -> dict[str, Any]:
    net = run.net
    x, _, kind = run.shown_rows()
    notes = views.neuron_notes(net, _inputs(run))
    raw = _raw(run, np.asarray(x).mean(axis=0))
    outputs = output_names(net.encoding, net.sizes[-1]) or neuron_names(net.sizes)[-1]
    return {"row": kind, **views.network_view(passed, run.drawn, raw, outputs, notes)}


def _raw(run: PlayedRun, x: Any) -> list[Any]:
    """The inputs in the units of the data."""
    raw: list[Any] = []
    for column in getattr(run.net.encoding and run.net.encoding.inputs, "columns", ()):
        for _ in column.feature_names:
            value = float(x[len(raw)])
            is_number = isinstance(column, NumberColumn)
            raw.append(views.number(value * column.scale + column.shift) if is_number else value)
    return raw or [views.number(value) for value in x]


def _plane(run: PlayedRun) -> dict[str, Any]:
    net, axes = run.net, _axes(run)
    x = _inputs(run)
    made = views.plane_view(net, x, axes, run.view["resolution"])
    dataset = run.problem.dataset
    y = dataset.target if dataset.target.ndim == 1 else dataset.target[:, 0]
    places = {label: place for place, label in enumerate(dataset.classes or ())}
    points = [
        {"row": row, "x": [round(float(x[row, axis]), 5) for axis in axes],
         "y": places[label] if places else float(label), "test": bool(run.held[row])}
        for row, label in enumerate(y[: len(x)].tolist())
    ]  # fmt: skip
    return made | {"axes": list(run.view["axes"]), "points": points}


def _curve(run: PlayedRun, number: int) -> dict[str, Any]:
    """The costs by update, of a branch and of those that it came from."""
    points: list[tuple[int, float, float | None]] = []
    branch, end = run.branches[number], float("inf")
    while True:
        points = [point for point in branch.curve if point[0] <= end] + points
        if branch.parent is None:
            break
        end, branch = branch.start - 1, run.branches[branch.parent]
    columns = zip(*points, strict=True)
    names = ("update", "train", "test")
    return {name: [None if value is None else views.number(value) for value in column]
            for name, column in zip(names, columns, strict=True)}  # fmt: skip


def _confusion(run: PlayedRun) -> dict[str, Any] | None:
    rows = np.flatnonzero(run.held) if run.test is not None else np.flatnonzero(~run.held)
    rows = rows[: 5 * views.MOST_ROWS]
    x = run.samples.take(rows).x
    return views.confusion_view(run.net, x, run.problem.dataset.target[rows])
