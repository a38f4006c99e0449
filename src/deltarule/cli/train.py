"""``deltarule train SOURCE``: from data to a trained network, and how good it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from deltarule.cli.console import print_json, say, text_width
from deltarule.cli.options import (
    FILE,
    GroupedCommand,
    activations,
    epochs_between,
    local_sgd,
    options_of,
    picture_options,
    reading_options,
    sizes,
    workers,
)
from deltarule.cli.train_example import train_example
from deltarule.cli.workers import one_voice, under_mpiexec
from deltarule.data.encoding import MISSING, SCALES
from deltarule.experiments import ExperimentResult, experiment
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

#: What options are called that had other names once; those are still taken.
_RENAMED = {"test": "test-size", "target-is-input": "autoencoder"}

_target = options_of("The target and the inputs")
_held_out = options_of("Rows held out")
_network = options_of("The network")
_training = options_of("Training")
_output = options_of("What is printed and written")


@click.command(
    cls=GroupedCommand,
    short_help="Train a network on a table, pictures or a bundled set.",
    context_settings={"token_normalize_func": lambda name: _RENAMED.get(name, name)},
)
@click.argument("source")
@_target(
    "--target",
    metavar="NAMES",
    help="The column to predict; several columns of numbers, separated by commas.  [default: recognised]",
)
@_target("--drop", metavar="NAMES", help="Columns to leave out, separated by commas.")
@_target("--keep", metavar="NAMES", help="Columns to keep, even if they look useless.")
@_target(
    "--task",
    type=click.Choice(["classification", "regression"]),
    help="Whether to predict a class or a number.  [default: recognised by the target]",
)
@_target("--autoencoder", "target_is_input", is_flag=True, help="Train the network to reproduce its inputs.")
@_target(
    "--scale", type=click.Choice(SCALES), help="How to scale the inputs.  [default: what suits the data]"
)
@_target("--missing", type=click.Choice(MISSING), help="What to do with empty cells.  [default: median]")
@_target(
    "--indicators",
    is_flag=True,
    help="Add an input beside each column with empty cells: 1 where the cell is empty.",
)
@_target(
    "--rare",
    type=click.IntRange(1),
    help='The fewest rows that a category may have; rarer ones are grouped as "other".',
)
@reading_options
@_target("--memory", metavar="SIZE", help="Read SOURCE piece by piece in this much memory: 512MB, 4GB.")
@picture_options
@_held_out(
    "--test-size",
    "test",
    type=float,
    help="The share of the rows to test on.  [default: 0.2; small sets: 5-fold cross-validation]",
)
@_held_out(
    "--validation",
    type=float,
    help="The share of the rows held out for early stopping.  [default: 0.1; small sets: 0]",
)
@_network(
    "--hidden",
    type=sizes,
    metavar="SIZES",
    help="The neurons of each hidden layer: 20,20; 0 for no hidden layer.  [default: what suits the data]",
)
@_network(
    "--activation",
    type=activations,
    metavar="NAMES",
    help=f"The activation of the hidden layers, one for all or one for each: {', '.join(ACTIVATIONS)}.",
)
@_network(
    "--output", metavar="NAME", help="The activation of the output layer.  [default: what suits the target]"
)
@_network("--loss", metavar="NAME", help=f"The loss: {', '.join(LOSSES)}.  [default: what suits the output]")
@_network(
    "--bias", type=click.Choice(BIAS_KINDS), help="One bias for each neuron, one for each layer, or none."
)
@_network(
    "--initializer",
    metavar="NAME",
    help=f"How to draw the initial weights: {', '.join(INITIALIZERS)}.  [default: what suits the activation]",
)
@_network("--dropout", type=float, help="The share of the hidden neurons to drop at each update.")
@_network("--l1", type=float, help="The strength of the penalty l1·Σ|W|.")
@_network("--l2", type=float, help="The strength of the penalty l2/2·ΣW².")
@_network(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    help="The precision of the numbers.  [default: float64; large sets: float32]",
)
@_training("--optimizer", metavar="NAME", help=f"The optimizer: {', '.join(OPTIMIZERS)}.  [default: adam]")
@_training(
    "--learning-rate", type=float, help="The learning rate.  [default: what suits the optimizer and the data]"
)
@_training(
    "--schedule",
    metavar="NAME",
    help=f"How the learning rate changes: {', '.join(SCHEDULES)}.  [default: cosine]",
)
@_training("--clip-norm", type=float, help="Clip gradients whose norm is larger than this.")
@_training(
    "--epochs",
    type=click.IntRange(1),
    help="How often to go through all rows.  [default: what suits the number of rows]",
)
@_training("--batch-size", type=click.IntRange(1), help="The number of rows for one update.")
@_training("--patience", type=click.IntRange(1), help="Stop after this many epochs without an improvement.")
@_training("--seed", type=click.IntRange(0), default=0, help="The random seed.")
@_training("--engine", default="auto", help="The engine: reference, compiled, or auto for the faster one.")
@_training(
    "--workers",
    type=workers,
    metavar="N",
    help="The number of processes that train together, or mpi for those that mpiexec started.",
)
@_training(
    "--local-sgd",
    type=local_sgd,
    metavar="KxR",
    help="Another algorithm for workers that are far from each other: R replicas train by themselves for K "
    "updates, and are then replaced by their mean.",
)
@_training(
    "--checkpoint",
    type=FILE,
    metavar="FILE",
    help="Write a checkpoint here as training goes on, for --resume.",
)
@_training(
    "--every",
    type=epochs_between,
    metavar="N",
    default="1",
    help="The number of epochs between checkpoints; for a stream also a fraction of one, such as 0.1.",
)
@_training(
    "--resume", type=FILE, metavar="FILE", help="Resume from a checkpoint, with otherwise the same options."
)
@_output("--save", type=FILE, metavar="FILE", help="Write the trained model to this file.")
@_output(
    "--plot",
    type=FILE,
    metavar="FILE",
    help="Draw the curves and the results into this file: png, svg or pdf.",
)
@_output("--history", type=FILE, metavar="FILE", help="Write the numbers of every epoch to this CSV file.")
@_output("--health", is_flag=True, help="Report what is wrong with the network and its training, in words.")
@_output("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@_output("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def train(ctx: click.Context, /, source: str, **options: Any) -> None:
    """Train a network on SOURCE, and report how good it is on rows that it has not seen.

    SOURCE is one of these:

    \b
    a table         CSV and the like (also compressed), Excel, ODS, Parquet,
                    Feather, JSON, ARFF, SQLite; - for standard input;
                    URL::TABLE for a database
    pictures        a folder or zip file with a folder for each class (or with
                    train/, val/, test/ of such folders), or IDX files
    a bundled set   iris, wine, digits, xor, moons …: deltarule data list
    an example      T1 to T5, or a .toml file: it brings its own network

    Data that do not fit into memory are read piece by piece: give a pattern of files in quotation marks,
    'train/*.parquet', and say how much memory they may take, --memory 512MB.

    Whatever you leave open is decided by what suits the data, and reported with the option that overrules it.
    In Python, deltarule.experiment(SOURCE, target="Species", …) does the same.

    \b
    Examples:
      deltarule train iris
      deltarule train Iris.csv --target Species --drop Id --save iris.safetensors
      deltarule train houses.xlsx --target price --test-size 0.25
      deltarule train digits --autoencoder --hidden 16
    """
    written = {name: options[name] for name in ("save", "plot", "history", "checkpoint") if options[name]}
    for path in written.values():
        check_writable(path)
    if options["plot"]:
        picture_format(options["plot"])
    if is_example(source):
        given = {
            str(option.name): option.opts[0]
            for option in ctx.command.params
            if option.name in options and ctx.get_parameter_source(option.name) is not ParameterSource.DEFAULT
        }
        train_example(source, options, given)
        return
    shown = {name: options.pop(name) for name in ("save", "plot", "history", "as_json", "health")}
    progress = not (options.pop("quiet") or (shown["as_json"] and not sys.stderr.isatty()))
    if options["workers"] is None and under_mpiexec():
        options["workers"] = "mpi"
    with one_voice(options["workers"]) as let_one:
        result = experiment(source, progress=progress, **options)
        let_one(lambda: _report(result, written, **shown))
    if result.interrupted:
        _exit_interrupted(result.trained.history, options["checkpoint"] or options["resume"])


def _report(
    result: ExperimentResult,
    written: dict[str, Path],
    save: Path | None,
    plot: Path | None,
    history: Path | None,
    as_json: bool,
    health: bool,
) -> None:
    """Write the files that were asked for, and print."""
    if save:
        result.save(save)
    if history:
        result.trained.history.to_csv(history)
    if plot and result.trained.history.epochs:
        result.plot(plot)
    files: dict[str, Any] = {
        "model": str(save) if save else None,
        "files": {name: str(path) for name, path in written.items() if name != "save"},
    }
    found = result.health() if health else None
    if as_json:
        print_json(result.to_dict() | files | ({} if found is None else {"health": found.to_dict()}))
        return
    say(result.text(text_width(80)))
    for name, path in {"model": save or "not saved (--save FILE)", **files["files"]}.items():
        say(f"{name:12}{path}")
    if found is not None:
        say(f"\n{found}")


def _exit_interrupted(history: History, checkpoint: Path | None) -> NoReturn:
    stands = f"; the last checkpoint stands: {checkpoint}" if checkpoint and checkpoint.exists() else ""
    when = f"after epoch {history.epochs}" if history.stopped == "interrupted" else "before the test was done"
    click.echo(f"interrupted {when}{stands}", err=True)
    raise click.exceptions.Exit(130)
