"""A session: messages in, replies out, both plain JSON.

A message is ``{"do": "train", "unit": "epoch", "count": 1}``; the reply has ``"ok": true`` and what was asked
for, or ``"ok": false`` and one sentence. What changes anything replies with the whole ``state``.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deltarule.errors import DataFaults, DataFileError, DeltaruleError, InputError
from deltarule.playground import explanations, homework, links, saving
from deltarule.playground.catalogue import catalogue
from deltarule.playground.played_run import PlayedRun
from deltarule.playground.problem import Problem, named, of_function, of_points, of_table
from deltarule.playground.state import state_of
from deltarule.registry import did_you_mean

#: Updates that a link may ask for.
_MOST_OF_A_LINK = 100_000


class Session:
    """The run of one player, controlled by messages.

    Examples
    --------
    >>> session = Session("T1")
    >>> reply = session.handle({"id": 1, "do": "train", "unit": "updates", "count": 3})
    >>> reply["ok"], reply["state"]["position"]["update"]
    (True, 3)
    >>> session.handle({"id": 2, "do": "dance"})["error"][:27]
    "there is no command 'dance'"
    """

    def __init__(self, source: str = "circles") -> None:
        self.run = PlayedRun(named(source), {"set": source})

    def answer(self, text: str) -> str:
        """Do what a message in JSON says, and reply in JSON."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        return json.dumps(self.handle(message), allow_nan=False, ensure_ascii=False)

    def handle(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a message says; never raises for what a player can send."""
        name = message.get("do") if isinstance(message, Mapping) else None
        reply: dict[str, Any] = {"id": message.get("id") if isinstance(message, Mapping) else None}
        try:
            if not isinstance(name, str) or name not in _COMMANDS:
                raise InputError(
                    f"there is no command {str(name)[:40]!r}{did_you_mean(str(name)[:40], _COMMANDS)}"
                )
            arguments = {key: value for key, value in message.items() if key not in ("id", "do")}
            with np.errstate(all="ignore"):
                if name in _CHANGES:
                    _CHANGES[name](self.run, arguments)
                    return reply | {"ok": True, "state": state_of(self.run)}
                return reply | {"ok": True} | _QUESTIONS[name](self.run, arguments)
        except DeltaruleError as error:
            return reply | {"ok": False, "error": str(error)} | _place_of(error)
        except (TypeError, ValueError, KeyError, IndexError, OverflowError, RecursionError) as error:
            reason = f"{name}: these arguments are not valid ({type(error).__name__})"
            return reply | {"ok": False, "error": reason}
        except MemoryError:
            return reply | {"ok": False, "error": "out of memory: use a smaller network or fewer rows"}


def _opened(given: Mapping[str, Any]) -> Problem:
    """The problem that a message describes."""
    makers: dict[str, Callable[[Any], Problem]] = {
        "set": named,
        "table": lambda text: of_table(
            text, str(given.get("name", "table.csv")), given.get("target") or None
        ),
        "points": lambda points: of_points(points["x"], points["y"]),
        "function": lambda text: of_function(
            text, given.get("rows", 200), given.get("noise", 0.0), given.get("task", "regression")
        ),
        "model": lambda data: saving.opened_model(b64decode(data), given.get("table")),
    }
    kind = next((kind for kind in makers if kind in given), None)
    if kind is None:
        raise InputError(f"choose what to open: one of {', '.join(makers)}, link")
    return makers[kind](given[kind])


def _open(run: PlayedRun, given: Mapping[str, Any]) -> None:
    """Begin with other data, or where a link was made."""
    if "link" not in given:
        run.start(_opened(given))
        run.source = dict(given)
        return
    content = links.unpacked(given["link"])
    left = content.get("update", 0)
    if not isinstance(left, int) or not 0 <= left <= _MOST_OF_A_LINK:
        raise InputError("the link asks for more updates than a link may")
    problem = _opened(content["source"])
    run.start(problem)
    run.start(problem, run.configuration.with_changes(content["settings"]))
    run.source = dict(content["source"])
    run.set_view(content.get("view", {}))
    if "parameters" in content:
        run.begin_with(content["parameters"], content["slots"])
    elif left:
        run.train({"unit": "updates", "count": left})


def _place_of(error: Exception) -> dict[str, Any]:
    """Return where in a pasted table the fault is, for the page to show."""
    if isinstance(error, DataFaults):
        where = {"line": error.line, "column": error.column}
        return {"where": where, "faults": [str(one) for one in error.faults]}
    if isinstance(error, DataFileError) and error.line is not None:
        return {"where": {"line": error.line, "column": error.column}}
    return {}


#: What changes the run, or what is shown of it.
_CHANGES: dict[str, Callable[[PlayedRun, Mapping[str, Any]], None]] = {
    "open": _open,
    "configure": PlayedRun.configure,
    "train": PlayedRun.train,
    "phase": PlayedRun.next_phase,
    "seek": PlayedRun.seek,
    "rewind": PlayedRun.rewind,
    "restart": PlayedRun.restart,
    "branch": PlayedRun.branch_here,
    "switch": PlayedRun.switch,
    "compare": PlayedRun.compare,
    "edit": PlayedRun.edit,
    "points": PlayedRun.points,
    "view": PlayedRun.set_view,
}
_QUESTIONS: dict[str, Callable[[PlayedRun, Mapping[str, Any]], dict[str, Any]]] = {
    "catalogue": lambda run, given: catalogue(),
    "explain": explanations.explain_now,
    "why": explanations.why,
    "terms": explanations.terms,
    "try": explanations.try_value,
    "health": explanations.find_faults,
    "hand": homework.by_hand,
    "check": homework.check_code,
    "save": saving.save,
    "link": lambda run, given: {"link": links.link_of(run)},
}
_COMMANDS = (*_CHANGES, *_QUESTIONS)
