"""``deltarule train SOURCE``: from data to a trained network, and how good it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from deltarule.cli.console import print_json, say, text_width
from deltarule.cli.options import FILE, activations, epochs_between, picture_options, reading_options, sizes
from deltarule.cli.train_example import train_example
from deltarule.data.encoding import MISSING, SCALES
from deltarule.experiments import experiment
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
@click.option("--memory", metavar="SIZE", help="Read SOURCE piece by piece in so much memory: 512MB, 4GB.")
@picture_options
@click.option("--test", type=float, help="Share of rows held out; small sets: 5 folds instead.")
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
@click.option(
    "--every", type=epochs_between, metavar="N", default="1",
    help="Epochs between checkpoints; with --memory also a share: 0.1.",
)  # fmt: skip
@click.option("--resume", type=FILE, metavar="FILE", help="Go on from a checkpoint; same options else.")
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
    training. Data that do not fit into memory are read as a stream: name their files by a pattern in
    quotation marks, 'train/*.parquet', and say how much memory they may take: --memory 512MB.

    In Python it is deltarule.experiment(SOURCE, target="Species", …), with options of the same names.

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
    save, plot, history, as_json, with_health = (
        options.pop(name) for name in ("save", "plot", "history", "as_json", "health")
    )
    progress = not (options.pop("quiet") or (as_json and not sys.stderr.isatty()))
    result = experiment(source, progress=progress, **options)
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
    found = result.health() if with_health else None
    if as_json:
        print_json(result.to_dict() | files | ({} if found is None else {"health": found.to_dict()}))
    else:
        say(result.text(text_width(80)))
        for name, path in {"model": save or "not saved (--save FILE)", **files["files"]}.items():
            say(f"{name:12}{path}")
        if found is not None:
            say(f"\n{found}")
    if result.interrupted:
        _exit_interrupted(result.trained.history, options["checkpoint"] or options["resume"])


def _exit_interrupted(history: History, checkpoint: Path | None) -> NoReturn:
    stands = f"; the last checkpoint stands: {checkpoint}" if checkpoint and checkpoint.exists() else ""
    when = f"after epoch {history.epochs}" if history.stopped == "interrupted" else "before the test was done"
    click.echo(f"interrupted {when}{stands}", err=True)
    raise click.exceptions.Exit(130)
