"""A run as a player has it in hand: data, network, training, branches, and the place in it that is shown."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array, as_numbers, check_finite, check_number, check_whole
from deltarule.derivations.updates import OptimizerStep
from deltarule.errors import DivergenceError, InputError
from deltarule.nn.engines import choose_engine
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.playground import views
from deltarule.playground.configuration import OF_THE_START, Configuration, suited
from deltarule.playground.problem import Problem, source_of
from deltarule.playground.rows import edited_rows
from deltarule.playground.timeline import Branch, Moment, first_moment
from deltarule.registry import did_you_mean
from deltarule.training import METRICS
from deltarule.training.metrics import measure

_UNITS = ("sample", "batch", "updates", "epoch")
_MOST_UPDATES = 1_000_000
_MOST_BRANCHES = 40
#: At each look so many rows are measured, fewer of large networks: so many products of a weight.
_MEASURED, _PRODUCTS = 5_000, 200_000_000
#: What a page can ask for.
PARTS = ("network", "plane", "maps", "curves", "confusion", "flow")


class PlayedRun:
    """One player's data, network and training, and the place in it that is shown.

    Attributes
    ----------
    problem : Problem
    configuration : Configuration
    branches : list of Branch
    branch : Branch
        Where the player is, and
    moment : Moment
        when.
    view : dict
        What is to be sent, and which row is shown.
    drawn : ndarray of int
        The inputs that are drawn, by their places among all.
    source : dict
        How the data were opened, as a link says it again.
    """

    def __init__(self, problem: Problem, source: dict[str, Any]) -> None:
        self.view: dict[str, Any] = {
            "parts": list(PARTS), "row": None, "axes": [0, 1], "resolution": 50, "units": "data",
            "digits": 4,
        }  # fmt: skip
        self.source = source
        self.start(problem)

    # ---------------------------------------------------------------- the run

    def start(self, problem: Problem, configuration: Configuration | None = None) -> None:
        """Begin a new run at update 0."""
        configuration = configuration or suited(problem)
        net = problem.net.copy() if problem.net is not None else configuration.network(problem)
        self.problem, self.configuration = problem, configuration
        self.branches: list[Branch] = []
        self.compared: int | None = None
        self.sheet: Any = None
        self.phase, self.stopped = 0, ""
        self.own: tuple[Array, Array] | None = None
        self._measured: Any = None
        self.setups: list[tuple[Problem, Configuration, Samples, Array]] = []
        moment = first_moment(net, configuration.rule(), configuration.seed)
        self._leave("", problem, configuration, net, moment, None)
        if self.view["row"] == "own" or not isinstance(self.view["row"], str | None):
            self.view["row"] = None
        if max(self.view["axes"]) >= len(self.drawn):
            self.view["axes"] = [0, min(1, len(self.drawn) - 1)]

    def begin_with(self, parameters: Any, slots: Any) -> None:
        """Begin with these parameters, and with what the optimizer remembers, at update 0."""
        net = self.net.copy()
        first = first_moment(net, self.configuration.rule(), self.configuration.seed)
        values = as_numbers(parameters, "parameters")
        memory = np.asarray(slots, float).reshape(first.slots.shape)
        if values.shape != net.parameters.shape:
            raise InputError(f"{values.size} parameters for a network with {net.parameters.size}")
        check_finite(values, "parameters")
        net.parameters[:] = values
        self.branches, self.setups = [], []
        first = replace(first, parameters=net.parameters.copy(), slots=memory)
        self._leave("", self.problem, self.configuration, net, first, None)

    def _leave(
        self,
        change: str,
        problem: Problem,
        configuration: Configuration,
        net: Network,
        moment: Moment,
        parent: Branch | None,
    ) -> None:
        """Go on from a moment on a new branch; a branch on which no update was made gives way to it."""
        gives_way = parent is not None and parent is self.branches[-1] and not parent.is_used
        if gives_way and parent is not None and parent.parent is not None:
            self.branches.pop()
            self.setups.pop()
            change = ", ".join(filter(None, [parent.change, change]))[-200:]
            parent = self.branches[parent.parent]
        if len(self.branches) >= _MOST_BRANCHES:
            raise InputError(f"there are {_MOST_BRANCHES} branches already: rewind, or open the data again")
        # With the encoding of the branch that is left.
        encoded = parent is not None and problem is self.problem
        all_samples = self.samples if encoded else problem.samples(net)
        drawn = self.drawn if encoded else views.drawn_inputs(net, all_samples.x[: views.MOST_ROWS])
        samples = all_samples.take(np.flatnonzero(~problem.held_out(configuration.test_share)))
        size, rule = min(configuration.batch_size, len(samples)), configuration.rule()
        engine = choose_engine("auto", net, rule, size, 100 * -(-len(samples) // size))
        fits = parent is not None and (parent.size, len(parent.samples)) == (size, len(samples))
        if parent is not None and not fits:  # other batches: they begin with a new epoch
            moment = replace(moment, batch=0, epoch=moment.epoch + (moment.batch > 0))
        if parent is not None and type(parent.optimizer) is not type(rule):
            moment = replace(moment, slots=rule.start(net.parameters))
        number, left = len(self.branches), None if parent is None else parent.number
        branch = Branch(number, left, change, net, samples, rule, size, engine, [moment])
        self.branches.append(branch)
        self.setups.append((problem, configuration, all_samples, drawn))
        self._take_place(branch, moment)
        self._note()

    def _take_place(self, branch: Branch, moment: Moment) -> None:
        self.branch, self.moment = branch, moment
        self.problem, self.configuration, self.samples, self.drawn = self.setups[branch.number]
        branch.net.parameters[:] = moment.parameters
        self.held = self.problem.held_out(self.configuration.test_share)
        self.test = self.samples.take(np.flatnonzero(self.held)) if self.held.any() else None
        self.phase = 0

    def _update(self) -> None:
        """Make one update."""
        self.moment = self.branch.advance(self.moment, 1)
        self.net.parameters[:] = self.moment.parameters
        self._note()

    @property
    def net(self) -> Network:
        """The network of the branch, with the parameters of the moment."""
        return self.branch.net

    # ---------------------------------------------------------------- what a player does

    def configure(self, given: Mapping[str, Any]) -> None:
        """Change settings: the shape begins a new run, the rest a branch."""
        changes = given["changes"]
        made = self.configuration.with_changes(changes)
        different = [name for name in changes if getattr(made, name) != getattr(self.configuration, name)]
        if not different:
            return
        if any(name in OF_THE_START for name in different):
            self.start(replace(self.problem, net=None), made)
            return
        net = made.network(self.problem) if self.problem.net is None else self.net.copy()
        net.encoding = self.net.encoding
        net.parameters[:] = self.moment.parameters
        words = ", ".join(f"{name} {getattr(made, name)}" for name in different)
        if self.moment.update == self.branch.start == 0 and self.branch.last == 0:
            self.start(self.problem, made)
        else:
            self._leave(words, self.problem, made, net, self.moment, self.branch)

    def train(self, given: Mapping[str, Any]) -> None:
        """Make updates from here on: of a branch that went on already, those that it made."""
        unit, count = given.get("unit", "epoch"), given.get("count", 1)
        if unit not in _UNITS:
            raise InputError(f"unknown unit {str(unit)[:20]!r}{did_you_mean(str(unit)[:20], _UNITS)}")
        check_whole("count", count, 1, _MOST_UPDATES)
        if unit == "sample":
            self._next_sample()
            return
        milliseconds = given.get("milliseconds")
        seconds = math.inf if milliseconds is None else min(float(milliseconds), 5_000) / 1000
        deadline = time.perf_counter() + seconds
        n = self.branch.n_batches
        left = count * n - self.moment.batch % n if unit == "epoch" else count
        self.stopped, self.phase = "", 0
        pace = 1
        try:
            while left > 0:
                made = min(pace, left)
                began = time.perf_counter()
                self.moment = self.branch.advance(self.moment, made)
                left -= made
                if time.perf_counter() > deadline:
                    break
                if time.perf_counter() - began < 0.005:
                    pace *= 2
        except DivergenceError as error:
            self.stopped = str(error)
        self.net.parameters[:] = self.moment.parameters
        self._note()

    def _next_sample(self) -> None:
        """Show the next row of the batch; after the last one, make the update."""
        rows = self.batch_rows().tolist()
        row = self.view["row"]
        place = rows.index(row) + 1 if row in rows else 0
        if place < len(rows):
            self.view["row"] = rows[place]
            return
        self._update()
        self.view["row"] = self.batch_rows().tolist()[0]

    def next_phase(self, given: Mapping[str, Any]) -> None:
        """Go to the next phase; the last one makes the update."""
        self.phase = (self.phase + 1) % len(views.PHASES)
        if views.PHASES[self.phase] == "update":
            self._update()

    def seek(self, given: Mapping[str, Any]) -> None:
        """Go to any update of a branch."""
        number = given.get("branch", self.branch.number)
        check_whole("branch", number, 0, len(self.branches) - 1)
        check_whole("update", given["update"], 0, 2**53)
        branch = self.branches[number]
        while given["update"] < branch.start and branch.parent is not None:
            branch = self.branches[branch.parent]
        self._take_place(branch, branch.at(given["update"]))
        self.stopped = ""

    def rewind(self, given: Mapping[str, Any]) -> None:
        """Go back to the same start."""
        self.seek({"update": 0})

    def restart(self, given: Mapping[str, Any]) -> None:
        """Begin from another start: the next seed, or the one that is named."""
        seed = given.get("seed", self.configuration.seed + 1)
        self.start(replace(self.problem, net=None), self.configuration.with_changes({"seed": seed}))

    def branch_here(self, given: Mapping[str, Any]) -> None:
        """Go on from here on a branch of its own, with nothing changed yet."""
        self._leave("", self.problem, self.configuration, self.net.copy(), self.moment, self.branch)

    def switch(self, given: Mapping[str, Any]) -> None:
        """Go to the end of another branch."""
        check_whole("branch", given["branch"], 0, len(self.branches) - 1)
        branch = self.branches[given["branch"]]
        self._take_place(branch, branch.at(branch.last))

    def compare(self, given: Mapping[str, Any]) -> None:
        """Show another branch's curve beside this one's."""
        number = given["branch"]
        if number is not None:
            check_whole("branch", number, 0, len(self.branches) - 1)
        self.compared = number

    def edit(self, given: Mapping[str, Any]) -> None:
        """Type over a parameter, which starts a branch; or over an input or target, which is shown only."""
        value = given["value"]
        check_number("value", value)
        if "parameter" in given:
            place = views.position_of(self.net, given["parameter"])
            net = self.net.copy()
            net.parameters[place] = value
            moment = replace(self.moment, parameters=net.parameters.copy())
            words = f"{given['parameter']} = {value:g}"
            self._leave(words, self.problem, self.configuration, net, moment, self.branch)
            return
        x, y, _ = self.shown_rows()
        own = self.own or (np.asarray(x, float).mean(axis=0), y.mean(axis=0))
        part, kind = (0, "input") if "input" in given else (1, "target")
        places = self.drawn if kind == "input" else range(len(own[1]))
        check_whole(kind, given[kind], 0, len(places) - 1)
        own[part][places[given[kind]]] = value
        self.own, self.view["row"] = own, "own"

    def points(self, given: Mapping[str, Any]) -> None:
        """Add, move, relabel or take away points; training goes on with them on a new branch."""
        problem = edited_rows(self.problem, given, self.configuration.seed)
        net = self.net.copy()
        if problem.dataset.classes != self.problem.dataset.classes:
            kept = self.configuration if self.configuration.output != "softmax" else None
            self.start(replace(problem, net=None), kept)
        elif self.moment.update == self.branch.last == 0:
            self.setups, self.branches = [], []
            self._leave("", problem, self.configuration, net, self.moment, None)
        else:
            self._leave("other points", problem, self.configuration, net, self.moment, self.branch)
        self.source = source_of(problem)

    def set_view(self, given: Mapping[str, Any]) -> None:
        """Say what is to be sent, and which row is shown."""
        view = {**self.view, **given}
        unknown = set(view["parts"]) - set(PARTS)
        if unknown:
            raise InputError(f"there is no part {min(unknown)!r}; parts: {', '.join(PARTS)}")
        if view["row"] is not None and view["row"] not in ("batch", "own"):
            check_whole("row", view["row"], 0, len(self.problem.dataset) - 1)
        for axis in as_numbers(view["axes"], "axes").tolist():
            check_whole("axis", int(axis), 0, len(self.drawn) - 1)
        check_whole("resolution", view["resolution"], 2, 200)
        check_whole("digits", view["digits"], 1, 17)
        self.view = view

    # ---------------------------------------------------------------- what is shown

    def batch_rows(self) -> Array:
        """The rows of the batch at hand, by their numbers in the data."""
        return np.flatnonzero(~self.held)[self.branch.replayed(self.moment).rows]

    def shown_rows(self) -> tuple[Array, Array, dict[str, Any]]:
        """The rows that are shown: the batch at hand, one row, or the player's own; x, y, what they are."""
        made = self.branch.replayed(self.moment)
        rows = np.flatnonzero(~self.held)[made.rows]
        row = self.view["row"]
        if row == "own" and self.own is not None:
            kind = {"kind": "own", "number": None, "rows": rows.tolist()}
            return self.own[0][None], self.own[1][None], kind
        if isinstance(row, int):
            return *self.row(row), {"kind": "row", "number": row, "rows": rows.tolist()}
        batch = made.samples
        return self._dense(batch.x), batch.y, {"kind": "batch", "number": None, "rows": rows.tolist()}

    def row(self, number: int) -> tuple[Array, Array]:
        """One row of the data as the network takes it, (1, n_features), and its target."""
        one = self.samples.take(np.array([number]))
        return self._dense(one.x), one.y

    def _dense(self, x: Any) -> Array:
        dense: Array = x.astype(self.net.dtype)
        return dense

    def passed(self) -> views.Pass:
        """The forward and backward pass of the rows shown, and the update by the batch at hand."""
        made, net = self.branch.replayed(self.moment), self.net
        x, y, kind = self.shown_rows()
        batch = made.samples
        trace = net.forward(self._dense(batch.x), made.rng)
        grads = net.backward(trace, batch.y)
        step = OptimizerStep(net, grads.flat, made.optimizer, made.slots, made.rate, made.step)
        if kind["kind"] == "batch":
            return views.Pass(net, trace, grads, batch.y, step)
        one = net.forward(x)
        return views.Pass(net, one, net.backward(one, y), y, step)

    def measured(self) -> tuple[dict[str, float], dict[str, float] | None]:
        """Cost and metric of the rows trained on, and of those held out: once for each moment."""
        if self._measured is None or self._measured[:2] != (self.branch, self.moment):
            samples = (self.branch.samples, self.test)
            parts = [None if part is None else self._measure(part) for part in samples]
            self._measured = (self.branch, self.moment, *parts)
        _, _, train, test = self._measured
        return train, test

    def _measure(self, samples: Samples) -> dict[str, float]:
        """Cost and metric of some rows, of many rows of those spread evenly over all."""
        most = max(_MEASURED // 10, min(_MEASURED, _PRODUCTS // self.net.parameters.size))
        few = samples.take(slice(None, None, max(1, len(samples) // most)))
        metrics = [METRICS.resolve(self.metric)] if len(samples) > 1 else []
        return measure(self.net, few.x, few.y, None, metrics)

    @property
    def metric(self) -> str:
        """What tells how good the network is: accuracy, or R² where targets are numbers."""
        return "r2" if self.problem.dataset.classes is None else "accuracy"

    def _note(self) -> None:
        train, test = self.measured()
        self.branch.note(self.moment.update, train["loss"], None if test is None else test["loss"])
