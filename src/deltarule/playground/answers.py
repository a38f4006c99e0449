"""What a session answers: its state, derivations, marks, checks, files."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.checks import health
from deltarule.data.encoding import LabelEncoding, NumberColumn, NumbersEncoding
from deltarule.data.table import Table
from deltarule.derivations import Derivation, explain
from deltarule.derivations.explaining import explain_replayed
from deltarule.diagnosis import check
from deltarule.documents.document import Figure
from deltarule.documents.drawing import Gap, NeuronColumn
from deltarule.documents.renderers.html import content
from deltarule.errors import DataFaults, DataFileError, InputError
from deltarule.exchange.exporting import exported
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names
from deltarule.playground import links, views
from deltarule.playground.catalogue import SAVED
from deltarule.playground.problem import Problem, of_table, worked
from deltarule.registry import did_you_mean
from deltarule.spreadsheet import spreadsheet
from deltarule.tutorials import Example
from deltarule.worksheets import mark, worksheet

if TYPE_CHECKING:
    from deltarule.playground.session import Session

#: So many decimals have the blanks of a sheet, and so long may code be that is checked.
DECIMALS, MOST_CODE, CHECK_SECONDS = 4, 200_000, 20.0


def place_of(error: Exception) -> dict[str, Any]:
    """Return where in a pasted table the fault is, for the page to show."""
    if isinstance(error, DataFaults):
        return {"where": {"line": error.line, "column": error.column}, "faults": [str(one) for one in error.faults]}
    if isinstance(error, DataFileError) and error.line is not None:
        return {"where": {"line": error.line, "column": error.column}}
    return {}


# -------------------------------------------------------------------- the state


def state_of(session: Session) -> dict[str, Any]:
    """Return all that a page shows, in the parts that were asked for."""
    net, branch, moment, view = session.net, session.branch, session.moment, session.view
    train, test = session._costs()
    passed = session.passed()
    state: dict[str, Any] = {
        "source": _source(session),
        "config": session.configuration.to_dict() | {"loss": net.loss.name},
        "position": {
            "update": moment.update, "epoch": moment.epoch + moment.batch // branch.n_batches,
            "batch": moment.batch % branch.n_batches, "phase": _phase(session), "branch": branch.number,
            "first": 0, "last": branch.last, "n_batches": branch.n_batches,
        },
        "branches": [
            {"id": one.number, "parent": one.parent, "start": one.start, "last": one.last,
             "label": _label(one.number), "change": one.change}
            for one in session.branches
        ],
        "loss": {
            "batch": views.number(net.objective.terms(passed.trace[-1].z, passed.trace[-1].a, passed.y).sum(1).mean()),
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


def _phase(session: Session) -> str:
    from deltarule.playground.session import PHASES

    return PHASES[session.phase]


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
    inputs = []
    for column in columns:
        for name in column.feature_names:
            place = len(inputs)
            number = isinstance(column, NumberColumn)
            inputs.append({
                "name": name, "kind": "number" if number else "one-hot",
                "mean": column.shift if number else 0.0, "scale": column.scale if number else 1.0,
                "low": views.number(x[:, place].min()), "high": views.number(x[:, place].max()),
            })  # fmt: skip
    known = set(session.link_of_source)
    return {
        "name": dataset.name,
        "title": session.problem.title,
        "rows": len(dataset),
        "inputs": inputs[: views.MOST_NEURONS],
        "columns": list(dataset.inputs.names) + list(dataset.target_names) if "table" in known and isinstance(dataset.inputs, Table) else [],
        "target": ", ".join(dataset.target_names),
        "task": "number" if dataset.classes is None else "classes",
        "classes": [] if dataset.classes is None else [str(one) for one in dataset.classes],
        "decisions": [str(decision) for decision in dataset.decisions],
        "editable": isinstance(dataset.inputs, Table) and len(dataset.inputs.names) == 2 and session.problem.example is None,
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
            raw.append(views.number(value * column.scale + column.shift) if isinstance(column, NumberColumn) else value)
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


# -------------------------------------------------------------------- derivations


def _explained(session: Session, given: Mapping[str, Any]) -> Derivation:
    """The derivation at this moment, of the rows shown or of the row that is asked for."""
    net = session.net
    x, y, kind = session.shown_rows()
    if given.get("row") is not None:
        one = session.problem.samples(net).take(np.array([given["row"]]))
        x, y = one.x.astype(net.dtype), one.y
    notation = given.get("notation")
    return explain(
        net, x, y, given["what"], notation=notation, digits=given.get("digits", session.view["digits"]),
        detail=given.get("detail", "chain"), optimizer=session.branch.optimizer if session.moment.update == 0 else None,
    )  # fmt: skip


def _shown(derivation: Derivation) -> dict[str, Any]:
    return {
        "title": derivation.document.title,
        "html": content(derivation.document),
        "text": derivation.text(),
        "tags": tags_of(derivation),
    }


def tags_of(derivation: Derivation) -> dict[str, int]:
    """Return the colours of a derivation's drawing by the names of neurons and weights."""
    tags: dict[str, int] = {}
    for block in derivation.document.blocks:
        if isinstance(block, Figure):
            columns = block.drawing.columns
            keys = [[f"i{i + 1}" for i in range(columns[0].size)], *neuron_names([column.size for column in columns])]
            places = [_places(column) for column in columns]
            for column, at, key in zip(columns, places, keys, strict=True):
                for node, place in zip(column.nodes, at, strict=True):
                    if not isinstance(node, Gap) and node.tag is not None:
                        tags[key[place]] = node.tag
            before = 0
            for layer in range(1, len(columns)):
                size = columns[layer - 1].size
                for edge in block.drawing.edges:
                    if edge.layer == layer and edge.tag is not None:
                        source, to = places[layer - 1][edge.source], places[layer][edge.target]
                        tags[f"w{before + to * size + source + 1}"] = edge.tag
                before += size * columns[layer].size
    return tags


def _places(column: NeuronColumn) -> list[int]:
    """The place of each node of a column in its layer."""
    places, place = [], 0
    for node in column.nodes:
        places.append(place)
        place += node.count if isinstance(node, Gap) else 1
    return places


def _explain(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    return _shown(_explained(session, given))


def _why(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """Why a parameter changed at the update that led here."""
    branch, update = session.branch, session.moment.update
    if update == 0:
        raise InputError("nothing has changed yet: make an update first")
    if update == branch.start:
        assert branch.parent is not None
        branch = session.branches[branch.parent]
    made = branch.replayed(branch.at(update - 1))
    return _shown(explain_replayed(
        made, given["what"], notation=given.get("notation"), digits=given.get("digits", session.view["digits"]),
    ))  # fmt: skip


def _terms(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """What each row of the batch adds to a gradient."""
    from deltarule.playground.session import position_of

    made, net = session.branch.replayed(session.moment), session.net
    place, batch = position_of(net, given["what"]), made.samples
    x = batch.x.astype(net.dtype)
    plain = net.copy()
    plain.objective = replace(plain.objective, l1=0.0, l2=0.0)
    share = plain.objective.shares(len(batch))
    rows = []
    for k, row in enumerate(np.flatnonzero(~session.held)[made.rows].tolist()):
        one = plain.backward(plain.forward(x[k : k + 1]), batch.y[k : k + 1])
        rows.append({"row": row, "value": views.number(one.flat[place] * share)})
    return {"rows": rows, "sum": views.number(sum(row["value"] or 0.0 for row in rows))}


def _try(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """What the cost and the outputs would be with another value; nothing changes."""
    from deltarule.playground.session import position_of

    place = position_of(session.net, given["parameter"])
    x, y, _ = session.shown_rows()

    def seen(net: Network) -> dict[str, Any]:
        outputs = np.asarray(net.predict(x)).mean(axis=0)
        return {"cost": views.number(net.cost(x, y)), "outputs": [views.number(a) for a in outputs[:12]]}

    other = session.net.copy()
    other.parameters[place] = float(given["value"])
    return {"before": seen(session.net), "after": seen(other)}


def _health(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    samples = session.branch.samples.take(slice(None, views.MOST_ROWS))
    report = health(session.net, samples.x, samples.y)
    findings = [
        {"severity": one.severity, "title": one.name.replace("_", " "), "text": one.evidence} for one in report.findings
    ]
    return {"findings": findings, "text": str(report)}


# -------------------------------------------------------------------- by hand, code, files


def _example(session: Session, rows: int = 1) -> Example:
    """The network with its numbers, rounded as a sheet has them, and the row that is shown."""
    net = session.net
    x, y, _ = session.shown_rows()
    settings = {
        "sizes": net.sizes, "activation": [layer.activation.name for layer in net.layers[:-1]] or "sigmoid",
        "output": net.layers[-1].activation.name, "loss": net.loss.name, "bias": net.layers[0].dense.bias,
    }  # fmt: skip
    weights = {
        f"{kind}{number}": np.round(values, DECIMALS)
        for number, layer in enumerate(net.layers, start=1)
        for kind, values in (("W", layer.W), ("b", layer.b))
        if values is not None
    }
    X, Y = (np.round(np.asarray(part, float)[:rows], DECIMALS) for part in (x, y))
    training = {"optimizer": session.branch.optimizer.spec}
    return Example("playground", session.problem.title, settings, weights, (), X, Y, training)


def _hand(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """Make blanks of numbers, mark answers, or give a hint."""
    if "start" in given:
        session.sheet = worksheet(_example(session), asked=given["start"].get("groups", "all"), decimals=DECIMALS)
        return {"blanks": [{"name": b.name, "part": b.part, "number": b.number} for b in session.sheet.blanks],
                "html": content(session.sheet.sheet.document), "decimals": DECIMALS}  # fmt: skip
    if session.sheet is None:
        raise InputError("there are no blanks yet: start with the parts to work out")
    marking = mark(session.sheet, given.get("answers", {}))
    if "hint" in given:
        blanks = [one for one in marking.marks if one.blank.name == given["hint"]]
        if not blanks:
            raise InputError(f"no blank is called {str(given['hint'])[:40]!r}")
        return {"hint": marking.formula(blanks[0])}
    marks = [
        {"name": one.blank.name, "verdict": one.verdict, "counts": one.counts, "words": one.mistake}
        for one in marking.marks
    ]
    return {"marks": marks, "points": marking.points, "of": marking.out_of}


def _check(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """Check a program's backpropagation; it runs apart where the system has processes."""
    code = str(given["code"])
    if len(code) > MOST_CODE:
        raise InputError(f"the program has {len(code):,} characters; at most {MOST_CODE:,} are taken")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "my_backprop.py")
        path.write_text(code, encoding="utf-8")
        seen = check(path, seconds=CHECK_SECONDS)
        text = str(seen).replace(f"{folder}/", "")
    return {"verdict": seen.verdict, "text": text, "line": seen.faults[0].line if seen.faults else None}


def _save(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """Return a file."""
    name = given["format"]
    if name not in SAVED:
        raise InputError(f"unknown format {str(name)[:20]!r}{did_you_mean(str(name)[:20], SAVED)}")
    net = session.net
    if name in ("html", "pdf"):
        data = _explained(session, {"what": given.get("what", "all"), "digits": session.view["digits"]}).to(name)
    elif name == "worksheet":
        data = worksheet(_example(session), decimals=DECIMALS).sheet_as("html")
    elif name == "spreadsheet":
        x, y, _ = session.shown_rows()
        data = spreadsheet(net, x[:10], y[:10], session.branch.optimizer)
    elif name == "model":
        with tempfile.TemporaryDirectory() as folder:
            net.save(path := Path(folder, "model"))
            data = path.read_bytes()
    else:
        data = exported(net, name)
    return {"name": f"network{SAVED[name][1]}", "base64": b64encode(data).decode()}


def opened_model(data: bytes, table: str | None) -> Problem:
    """Return the problem of a model file, with the rows of a table, or with one row of means."""
    with tempfile.TemporaryDirectory() as folder:
        (path := Path(folder, "model")).write_bytes(data)
        net = Network.load(path)
    if table is not None:
        return replace(of_table(table, "table.csv"), net=net)
    x, y = np.zeros((1, net.sizes[0])), np.full((1, net.sizes[-1]), 0.5)
    plain = worked(Example("model", "Your network", {"sizes": net.sizes}, {}, (), x, y), "Your network")
    return replace(plain, example=None, net=net)


def _link(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    return {"link": links.link_of(session)}


COMMANDS: dict[str, Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    "explain": _explain,
    "why": _why,
    "terms": _terms,
    "try": _try,
    "health": _health,
    "hand": _hand,
    "check": _check,
    "save": _save,
    "link": _link,
}
