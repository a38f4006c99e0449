"""``python -m benchmarks``: measure, show, and write what came out; all in twelve minutes."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.entries import neighbour, usable_cores
from benchmarks.machine import kernels, machine, restraints, versions
from benchmarks.plots import plot_overview, plot_scaling
from benchmarks.report import (
    SCALING_TITLE,
    goal_line,
    markdown,
    scaling_table,
    setting,
    table,
    title,
    warnings,
)
from benchmarks.run import measure
from benchmarks.scaling import measure_series
from benchmarks.workloads import WORKLOADS
from deltarule.errors import DeltaruleError

__all__ = ["main"]

SCALING = "scaling"


@click.command()
@click.argument("names", metavar="[WORKLOAD …]", nargs=-1)
@click.option(
    "--rounds", type=click.IntRange(1), default=7, show_default=True, help="How often each is timed."
)
@click.option(
    "--threads",
    type=click.IntRange(1, usable_cores()),
    default=usable_cores(),
    show_default=True,
    help="Of each contender.",
)
@click.option("--busy", is_flag=True, help="With another process busy on one core.")
@click.option(
    "--minutes",
    type=click.FloatRange(0.1),
    default=12.0,
    show_default=True,
    help="For all workloads; rounds end where a workload's part is used up.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures.")
@click.option("--markdown", "markdown_file", type=click.Path(path_type=Path), help="Write the tables.")
@click.option("--plots", type=click.Path(path_type=Path, file_okay=False), help="Draw into this folder.")
@click.option("--list", "listing", is_flag=True, help="Name the workloads, and end.")
def main(
    names: tuple[str, ...],
    rounds: int,
    threads: int,
    busy: bool,
    minutes: float,
    json_file: Path | None,
    markdown_file: Path | None,
    plots: Path | None,
    listing: bool,
) -> None:
    """Compare deltarule with its peers: all workloads, or the named ones; "scaling" shows how cost grows."""
    console = Console()
    if listing:
        for name, workload in WORKLOADS.items():
            console.print(f"{name:14}{workload.title}", highlight=False)
        console.print(f"{SCALING:14}how the time grows with rows, width and depth", highlight=False)
        return
    unknown = [name for name in names if name not in (*WORKLOADS, SCALING)]
    if unknown:
        known = ", ".join((*WORKLOADS, SCALING))
        click.echo(f"no workload {unknown[0]!r}; there are {known}", err=True)
        sys.exit(2)
    report: dict[str, Any] = {
        "machine": machine(),
        "versions": versions(),
        "kernels": kernels(),
        "held back by": restraints(),
        "busy": busy,
        "threads": threads,
        "rounds": rounds,
        "results": [],
        "left out": {},
    }
    console.print(setting(report), highlight=False)
    for line in warnings(report):
        console.print(line, style="red", highlight=False)
    end, left = time.monotonic() + 60 * minutes, list(names or WORKLOADS)
    try:
        with tempfile.TemporaryDirectory() as folder, neighbour() if busy else nullcontext():
            while left:
                report["until"] = time.monotonic() + (end - time.monotonic()) / len(left)
                _run(left.pop(0), report, console, Path(folder))
    except KeyboardInterrupt:
        console.print("interrupted")
        sys.exit(130)
    finally:
        report.pop("until", None)
        _write(report, json_file, markdown_file, plots)


def _run(name: str, report: dict[str, Any], console: Console, folder: Path) -> None:
    """One workload: measured, kept in the report, shown."""
    rounds, threads = report["rounds"], report["threads"]
    with console.status(name) as status:

        def say(what: str) -> None:
            status.update(f"{name}: {what}")

        try:
            if name == SCALING:
                report[SCALING] = measure_series(rounds, threads, folder, say)
            else:
                result = measure(WORKLOADS[name], rounds, threads, folder, report["until"], say)
                report["results"].append(asdict(result))
        except (ImportError, OSError, DeltaruleError) as error:  # data or a package that is not there
            report["left out"][name] = str(error)
            console.print(f"\n{name} left out: {error}", highlight=False)
            return
    console.print()
    if name == SCALING:
        console.print(f"[bold]{name}[/]: {SCALING_TITLE}", highlight=False)
        console.print(scaling_table(report[SCALING]))
        return
    result = report["results"][-1]
    console.print(f"[bold]{name}[/]: {title(result)}", highlight=False)
    console.print(table(result))
    for goal in result["goals"]:
        console.print(
            goal_line(goal, result["quantity"]), style="green" if goal["met"] else "red", highlight=False
        )


def _write(
    report: dict[str, Any], json_file: Path | None, markdown_file: Path | None, plots: Path | None
) -> None:
    """What was asked for, of what there is."""
    texts = ((json_file, json.dumps(report, indent=1) + "\n"), (markdown_file, markdown(report)))
    for file, text in texts:
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    if plots and report["results"]:
        plot_overview(report, plots)
    if plots and SCALING in report:
        plot_scaling(report[SCALING], plots)


if __name__ == "__main__":
    main()
