"""Where numbers come from: derivations, their terms, what would be, what is wrong with the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.checks import health
from deltarule.derivations import Derivation, explain
from deltarule.derivations.explaining import explain_replayed
from deltarule.documents.document import Figure
from deltarule.documents.drawing import Gap, NeuronColumn
from deltarule.documents.renderers.html import content
from deltarule.errors import InputError
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names
from deltarule.playground import views
from deltarule.playground.played_run import PlayedRun


def explained(run: PlayedRun, given: Mapping[str, Any]) -> Derivation:
    """The derivation at this moment, of the rows shown or of the row that is asked for."""
    net = run.net
    x, y, _ = run.shown_rows()
    if given.get("row") is not None:
        x, y = run.row(given["row"])
    notation, first = given.get("notation"), run.moment.update == 0
    return explain(
        net, x, y, given["what"], notation=notation, digits=given.get("digits", run.view["digits"]),
        detail=given.get("detail", "chain"), optimizer=run.branch.optimizer if first else None,
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
            keys = [
                [f"i{i + 1}" for i in range(columns[0].size)],
                *neuron_names([column.size for column in columns]),
            ]
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


def explain_now(run: PlayedRun, given: Mapping[str, Any]) -> dict[str, Any]:
    """Derive a number at this moment."""
    return _shown(explained(run, given))


def why(run: PlayedRun, given: Mapping[str, Any]) -> dict[str, Any]:
    """Why a parameter changed at the update that led here."""
    branch, update = run.branch, run.moment.update
    if update == 0:
        raise InputError("nothing has changed yet: make an update first")
    if update == branch.start:
        assert branch.parent is not None
        branch = run.branches[branch.parent]
    made = branch.replayed(branch.at(update - 1))
    digits = given.get("digits", run.view["digits"])
    return _shown(explain_replayed(made, given["what"], notation=given.get("notation"), digits=digits))


def terms(run: PlayedRun, given: Mapping[str, Any]) -> dict[str, Any]:
    """What each row of the batch adds to a gradient."""
    made, net = run.branch.replayed(run.moment), run.net
    place, batch = views.position_of(net, given["what"]), made.samples
    x = batch.x.astype(net.dtype)
    plain = net.copy()
    plain.objective = replace(plain.objective, l1=0.0, l2=0.0)
    share = plain.objective.shares(len(batch))
    rows = []
    for k, row in enumerate(np.flatnonzero(~run.held)[made.rows].tolist()):
        trace = plain.forward(x[k : k + 1])
        one = plain.backward(trace, batch.y[k : k + 1])
        factors = _factors(plain, place, trace, one)
        rows.append({
            "row": row, "value": views.number(one.flat[place] * share), "share": views.number(share),
            "factors": [views.number(factor) for factor in factors],
        })  # fmt: skip
    return {"rows": rows, "sum": views.number(sum(row["value"] or 0.0 for row in rows))}


def _factors(net: Network, place: int, trace: Any, grads: Any) -> list[float]:
    """What makes the gradient of a weight for one row: δ of its neuron, and what the weight multiplies."""
    for number, values in enumerate(trace, start=1):
        found = np.argwhere(net.select(f"W{number}") == place)
        if len(found):
            source, to = found[0]
            return [float(grads[number - 1].delta[0, to]), float(np.asarray(values.x)[0, source])]
    return []


def try_value(run: PlayedRun, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the cost and the outputs would be with another value; nothing changes."""
    place = views.position_of(run.net, given["parameter"])
    x, y, _ = run.shown_rows()

    def seen(net: Network) -> dict[str, Any]:
        outputs = np.asarray(net.predict(x)).mean(axis=0)
        return {"cost": views.number(net.cost(x, y)), "outputs": [views.number(a) for a in outputs[:12]]}

    other = run.net.copy()
    other.parameters[place] = float(given["value"])
    return {"before": seen(run.net), "after": seen(other)}


def find_faults(run: PlayedRun, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say what keeps the network from learning."""
    samples = run.branch.samples.take(slice(None, views.MOST_ROWS))
    report = health(run.net, samples.x, samples.y)
    findings = [
        {"severity": one.severity, "title": one.name.replace("_", " "), "text": one.evidence}
        for one in report.findings
    ]
    return {"findings": findings, "text": str(report)}
