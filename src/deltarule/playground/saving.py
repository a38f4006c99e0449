"""Files of a session: the model, its exports, its derivation, a sheet, a workbook."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.errors import InputError
from deltarule.exchange.exporting import exported
from deltarule.experiments import FittedModel
from deltarule.nn.network import Network
from deltarule.playground.catalogue import SAVED
from deltarule.playground.explanations import explained
from deltarule.playground.homework import DECIMALS, example_of
from deltarule.playground.played_run import PlayedRun
from deltarule.playground.problem import Problem, of_table, worked
from deltarule.registry import did_you_mean
from deltarule.spreadsheet import spreadsheet
from deltarule.tutorials import Example
from deltarule.worksheets import worksheet


def save(run: PlayedRun, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file."""
    name = given["format"]
    if name not in SAVED:
        raise InputError(f"unknown format {str(name)[:20]!r}{did_you_mean(str(name)[:20], SAVED)}")
    net = run.net
    if name in ("html", "pdf"):
        data = explained(run, {"what": given.get("what", "all"), "digits": run.view["digits"]}).to(name)
    elif name == "worksheet":
        data = worksheet(example_of(run), decimals=DECIMALS).sheet_as("html")
    elif name == "spreadsheet":
        x, y, _ = run.shown_rows()
        data = spreadsheet(net, x[:10], y[:10], run.branch.optimizer)
    elif name == "model":
        with tempfile.TemporaryDirectory() as folder:
            net.save(path := Path(folder, "model"))
            data = path.read_bytes()
    else:
        data = exported(net, name)
    return {"name": f"network{SAVED[name][1]}", "base64": b64encode(data).decode()}


def opened_model(data: bytes, table: str | None) -> Problem:
    """Return the problem of a model file's content, with the rows of a table, or with a row of means."""
    with tempfile.TemporaryDirectory() as folder:
        (path := Path(folder, "model")).write_bytes(data)
        net = Network.load(path)
    return of_network(net) if table is None else replace(of_table(table, "table.csv"), net=net)


def of_network(net: Network) -> Problem:
    """Return the problem of a network that comes without rows: a row of means, with its own answer."""
    x, title = np.zeros((1, net.sizes[0])), "Your network"
    if net.encoding is not None:
        rows = FittedModel(net, title).rows_with_answers(net.encoding.inputs.decode(x), {})
        return Problem(title, rows, np.ones(1), None, net)
    y = np.full((1, net.sizes[-1]), 0.5)
    plain = worked(Example("model", title, {"sizes": net.sizes}, {}, (), x, y), title)
    net.encoding = plain.encoding(0.0, "none")
    return replace(plain, example=None, net=net)
