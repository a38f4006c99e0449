"""Tables of the outcomes, from what ``--json`` writes: for the terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

__all__ = ["SCALING_TITLE", "goal_line", "markdown", "scaling_table", "setting", "table", "title", "warnings"]

LEFT = ("contender", "series", "")
HEADS = ("contender", "median", "quartiles", "÷ deltarule", "")
SCALING_HEADS = ("contender", "series", "smallest", "largest", "exponent")
SCALING_TITLE = "seconds an epoch; exponents by least squares over the upper half of each series"


def table(result: Mapping[str, Any]) -> Table:
    """One workload, for the terminal."""
    return _table(HEADS, _rows(result))


def scaling_table(series: Mapping[str, Any]) -> Table:
    """How the time grows, for the terminal."""
    return _table(SCALING_HEADS, _scaling_rows(series))


def goal_line(goal: Mapping[str, Any], quantity: str) -> str:
    """``deltarule takes 0.93 × JAX; wanted: at most 0.8 ×: not met``."""
    against = goal["against"]
    most = f"{goal['at_most']:g} × {against}" if against else amount(goal["at_most"], quantity)
    if goal["value"] is None:
        return f"wanted: at most {most}; not measured"
    value = f"{goal['value']:.2f} × {against}" if against else amount(goal["value"], quantity)
    verdict = "met" if goal["met"] else "not met"
    doubt = f" (not timed: {', '.join(goal['untimed'])})" if goal["untimed"] else ""
    return f"deltarule takes {value}, wanted: at most {most}: {verdict}{doubt}"


def setting(report: Mapping[str, Any]) -> str:
    """The machine, the versions, and whose kernels multiply, in one paragraph."""
    machine, versions = report["machine"], report["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    kernels = "; ".join(f"{name}: {kernel}" for name, kernel in report["kernels"].items())
    busy = ", with another process busy on one core" if report["busy"] else ""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory']}, {machine['os']}; {packages}; "
        f"{report['threads']} threads{busy}; up to {report['rounds']} rounds in turns, medians; ratios are "
        f"medians over rounds. Products by: {kernels}."
    )


def warnings(report: Mapping[str, Any]) -> list[str]:
    """What makes the figures less than the machine could."""
    return [
        f"{setting} is set: it holds back those who heed it, and these figures with them. "
        "Unset it to measure this machine."
        for setting in report["held back by"]
    ]


def markdown(report: Mapping[str, Any]) -> str:
    """All workloads, under a line on the machine."""
    parts = [setting(report), *warnings(report)]
    for result in report["results"]:
        lines = [f"### `{result['name']}`", "", title(result), "", _line(HEADS), _line(["---"] * len(HEADS))]
        lines += [_line(cells) for cells in _rows(result)]
        goals = [f"- {goal_line(goal, result['quantity'])}" for goal in result["goals"]]
        parts.append("\n".join([*lines, *(["", *goals] if goals else [])]))
    if "scaling" in report:
        lines = [_line(SCALING_HEADS), _line(["---"] * len(SCALING_HEADS))]
        lines += [_line(cells) for cells in _scaling_rows(report["scaling"])]
        parts.append("\n".join(["### `scaling`", "", SCALING_TITLE, "", *lines]))
    parts += [f"`{name}` was left out: {reason}" for name, reason in report["left out"].items()]
    return "\n\n".join(parts) + "\n"


def amount(value: float, quantity: str) -> str:
    """``3.52 µs``, ``61.0 MB``: three digits."""
    steps = (
        ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
        if quantity == "bytes"
        else ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
    )
    size, unit = next((step for step in steps if value >= step[0]), steps[-1])
    return f"{value / size:#.3g}".rstrip(".") + f" {unit}"


def title(result: Mapping[str, Any]) -> str:
    """What is measured, in which unit, and how closely all agree."""
    parts = [result["title"]]
    if result["quantity"] == "seconds":
        parts.append(f"per {result['unit']}")
    if result["tolerance"]:
        parts.append(f"agreeing to {power(result['tolerance'])}")
    return "; ".join(parts)


def power(value: float) -> str:
    """``1e-3``."""
    return f"{value:.0e}".replace("e-0", "e-")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        shown.add_column(head, justify="left" if head in LEFT else "right", no_wrap=head != "")
    for cells in rows:
        shown.add_row(*map(escape, cells), style="bold" if cells[0] == "deltarule" else None)
    return shown


def _scaling_rows(series: Mapping[str, Any]) -> Iterator[list[str]]:
    for name, lines in series.items():
        for contender, line in lines.items():
            first, last = (amount(line["seconds"][i], "seconds") for i in (0, -1))
            ends = [f"{first} at {line['factors'][0]}", f"{last} at {line['factors'][-1]}"]
            yield [contender, name, *ends, f"{line['exponent']:.2f}"]


def _rows(result: Mapping[str, Any]) -> Iterator[list[str]]:
    """The timed ones first, then the others, each with the reason."""
    quantity = result["quantity"]
    for standing in sorted(result["standings"], key=lambda s: s["status"] != "timed"):
        if standing["status"] != "timed":
            why = f"{standing['status']}: {standing['note']}"
            yield [standing["name"], "", "", "", why]
            continue
        low, middle, high = (amount(standing[name], quantity) for name in ("low", "median", "high"))
        spread = "" if len(standing["rounds"][quantity]) == 1 else f"{low} – {high}"
        ratio = "" if standing["ratio"] is None else f"{standing['ratio']:.2f}"
        notes = [standing["note"], *_extras(standing["rounds"])]
        yield [standing["name"], middle, spread, ratio, ", ".join(filter(None, notes))]


EXTRAS: dict[str, Callable[[float], str]] = {
    "epochs": lambda value: f"{value:g} epochs",
    "accuracy": lambda value: f"{value:.2%}",
    "peak": lambda value: f"{amount(value, 'bytes')} of memory",
}


def _extras(rounds: Mapping[str, list[float]]) -> Iterator[str]:
    """What was measured besides: medians."""
    for name, shown in EXTRAS.items():
        if name in rounds:
            yield shown(median(rounds[name]))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
