"""``deltarule train SOURCE``: from data to a trained network, and how good it is."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from deltarule.cli.console import number, print_decisions, print_json, print_table, say
from deltarule.cli.options import (
    FILE,
    activations,
    picture_options,
    reading_options,
    sizes,
    take_reading_options,
)
from deltarule.cli.train_example import train_example
from deltarule.data import load
from deltarule.data.encoding import MISSING, SCALES
from deltarule.experiments.choices import Choices
from deltarule.experiments.experiment import ExperimentResult, run_experiment
from deltarule.experiments.pictures import plot_experiment
from deltarule.files import check_writable
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.initializers import INITIALIZERS
from deltarule.nn.layers import BIAS_KINDS
from deltarule.nn.losses import LOSSES
from deltarule.nn.optimizers import OPTIMIZERS
from deltarule.nn.schedules import SCHEDULES
from deltarule.plotting import picture_format
from deltarule.training import History
from deltarule.tutorials import is_example


@click.command(short_help="Train a network on a bundled set, a table, images or MNIST.")
@click.argument("source")
@click.option(
    "--target", metavar="NAMES", help="Column to predict; several, separated by commas, for numbers."
)
@click.option("--drop", metavar="NAMES", help="Columns to leave out, separated by commas.")
@click.option("--keep", metavar="NAMES", help="Columns not to leave out, though they seem of no use.")
@click.option(
    "--task", type=click.Choice(["classification", "regression"]), help="If the target leaves a doubt."
)
@click.option("--target-is-input", is_flag=True, help="Train an autoencoder: the target is the input.")
@click.option("--scale", type=click.Choice(SCALES), help="Of the inputs.  [default: what suits the data]")
@click.option("--missing", type=click.Choice(MISSING), help="Empty cells.  [default: median]")
@click.option(
    "--indicators", is_flag=True, help="Add a column beside each with empty cells: 1 where they are."
)
@click.option(
    "--rare", type=click.IntRange(1), help="Rows that a category must have, or it is pooled as other."
)
@reading_options
@picture_options
@click.option("--test", "test_share", type=float, help="Share of rows held out; small sets: 5 folds instead.")
@click.option(
    "--validation", type=float, help="Share of rows held out to stop early.  [default: 0.1; small sets: 0]"
)
@click.option(
    "--hidden", type=sizes, metavar="SIZES", help="Neurons of the hidden layers: 20,20; 0 for none."
)
@click.option(
    "--activation", type=activations, metavar="NAMES",
    help=f"Of the hidden layers, one for all or one for each: {', '.join(ACTIVATIONS)}.",
)  # fmt: skip
@click.option("--output", metavar="NAME", help="Activation of the outputs.  [default: what suits the target]")
@click.option("--loss", metavar="NAME", help=f"{', '.join(LOSSES)}.  [default: what suits the output]")
@click.option("--bias", type=click.Choice(BIAS_KINDS), help="One for each neuron, for each layer, or none.")
@click.option("--initializer", metavar="NAME", help=f"Of the weights: {', '.join(INITIALIZERS)}.")
@click.option("--dropout", type=float, help="Share of the hidden neurons dropped in training.")
@click.option("--l1", type=float, help="Penalty l1·Σ|W|.")
@click.option("--l2", type=float, help="Penalty l2/2·ΣW².")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), help="[default: float32 for large sets]")
@click.option("--optimizer", metavar="NAME", help=f"{', '.join(OPTIMIZERS)}.  [default: adam]")
@click.option("--learning-rate", type=float, help="[default: what suits optimizer and data]")
@click.option("--schedule", metavar="NAME", help=f"{', '.join(SCHEDULES)}.  [default: cosine]")
@click.option("--clip-norm", type=float, help="The longest a gradient may be.")
@click.option("--epochs", type=click.IntRange(1), help="[default: what suits the number of rows]")
@click.option("--batch-size", type=click.IntRange(1), help="Rows for one update.")
@click.option("--patience", type=click.IntRange(1), help="Epochs without improvement before training stops.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of everything random.")
@click.option("--engine", default="auto", help="What computes.")
@click.option("--save", type=FILE, metavar="FILE", help="Write the model here (safetensors).")
@click.option("--plot", type=FILE, metavar="FILE", help="Draw curves and results here (png, svg, pdf).")
@click.option("--history", type=FILE, metavar="FILE", help="Write the numbers of each epoch here (csv).")
@click.option(
    "--checkpoint", type=FILE, metavar="FILE", help="Write what --resume needs here, again and again."
)
@click.option("--every", type=click.IntRange(1), default=1, help="Epochs between checkpoints.")
@click.option(
    "--resume", "resumed", type=FILE, metavar="FILE", help="Go on from a checkpoint; same options else."
)
@click.option("--health", is_flag=True, help="Say what is wrong with the network and its training.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def train(ctx: click.Context, /, source: str, **options: Any) -> None:
    """Train a network on SOURCE and say how good it is on rows it has not seen.

    SOURCE is a bundled set or toy (deltarule data list), a table file (CSV and its kin, also packed; Excel,
    ODS, Parquet, Feather, JSON, ARFF, SQLite), - for a table on standard input, a database (URL::TABLE), a
    folder or zip of images (a folder for each class; or train/, val/, test/ with such folders), a folder
    of IDX files, or mnist; or a worked example, T1 … or a .toml file, which brings its own network and
    training.

    \b
    deltarule train iris
    deltarule train Iris.csv --target Species --drop Id --plot iris.png --save iris.safetensors
    deltarule train digits --target-is-input --hidden 16
    """
    written = {name: options[name] for name in ("save", "plot", "history", "checkpoint") if options[name]}
    for path in written.values():
        check_writable(path)
    if options["plot"]:
        picture_format(options["plot"])
    if is_example(source):
        given = [name for name in options if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT]
        train_example(source, options, given)
        return
    reading = take_reading_options(options)
    target = () if options["target_is_input"] and options["target"] is None else options["target"]
    options["missing"] = options["missing"] or ("refuse" if reading.strict else "median")
    dataset = load(
        source, target=target, drop=options["drop"] or (), keep=options["keep"] or (), task=options["task"],
        missing=options["missing"], options=reading,
    )  # fmt: skip
    quiet = options["quiet"] or (options["as_json"] and not sys.stderr.isatty())
    named = {field.name: options[field.name] for field in fields(Choices) if field.name in options}
    result = run_experiment(dataset, Choices(progress=not quiet, **named))
    _write_files(result, options)
    report = result.to_dict() | {
        "model": str(written["save"]) if "save" in written else None,
        "files": {name: str(path) for name, path in written.items() if name != "save"},
    }
    found = result.health() if options["health"] else None
    if options["as_json"]:
        print_json(report if found is None else report | {"health": found.to_dict()})
    else:
        _print_report(report, interrupted=result.interrupted)
        if result.ended_by_budget:
            say(
                f"the held-out loss still fell when the budget of {report['epochs']} epochs ended:"
                f" --epochs {2 * report['epochs']} trains longer"
            )
        if found is not None:
            say(f"\n{found}")
    if result.interrupted:
        _exit_interrupted(result.trained.history, options["checkpoint"] or options["resumed"])


def _write_files(result: ExperimentResult, options: dict[str, Any]) -> None:
    net, history = result.trained.net, result.trained.history
    if options["save"]:
        net.save(options["save"])
    if options["history"]:
        history.to_csv(options["history"])
    if options["plot"] and history.epochs:
        plot_experiment(options["plot"], result)


def _print_report(report: dict[str, Any], *, interrupted: bool) -> None:
    score = list(report["train"])[-1]
    rows = []
    for name in ("train", "validation", "test"):
        part = report[name]
        if part:
            label = f"test, {part['folds']} folds" if part.get("folds", 1) > 1 else name
            rows.append((label, part["rows"], number(part["loss"]), f"{part[score]:.4f}"))
    say(f"{report['data']}, a {report['task']}")
    print_decisions(report["decisions"])
    say(f"{report['network']}, {report['loss']}")
    print_table(["", "rows", "loss", score], rows)
    ended = "" if report["stopped"] == "finished" else f" ({report['stopped']})"
    say(f"{report['epochs']} epochs{ended} in {report['seconds']:.2f} s, engine {report['engine']}")
    if report["test"] is None and not interrupted:
        say("no rows were held out for a test")
    files = {"model": report["model"] or "not saved (--save FILE)", **report["files"]}
    for name, path in files.items():
        say(f"{name + ':':12}{path}")


def _exit_interrupted(history: History, checkpoint: Path | None) -> NoReturn:
    stands = f"; the last checkpoint stands: {checkpoint}" if checkpoint and checkpoint.exists() else ""
    when = f"after epoch {history.epochs}" if history.stopped == "interrupted" else "before the test was done"
    click.echo(f"interrupted {when}{stands}", err=True)
    raise click.exceptions.Exit(130)
