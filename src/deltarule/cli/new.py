"""``deltarule new``: a file to put one's own network into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import say
from deltarule.cli.options import FILE, GroupedCommand, activations, network_sizes
from deltarule.errors import InputError
from deltarule.files import check_writable, write_atomically
from deltarule.worksheets.network_template import network_template


@click.command(cls=GroupedCommand, short_help="Write a file for your own network, to explain and to draw.")
@click.argument("file", type=FILE)
@click.option(
    "--sizes",
    type=network_sizes,
    metavar="I-H-O",
    help="The numbers of inputs, hidden neurons and outputs.  [default: you are asked]",
)
@click.option(
    "--activation", type=activations, default="sigmoid", help="The activation of the hidden layers."
)
@click.option("--output", default="sigmoid", help="The activation of the output layer.")
@click.option("--loss", metavar="NAME", help="The loss.  [default: what suits the output]")
@click.option(
    "--bias",
    type=click.Choice(["neuron", "shared", "none"]),
    default="neuron",
    help="One bias for each neuron, one for each layer, or none.",
)
@click.option("--samples", "n_samples", type=click.IntRange(1, 100), default=1, help="The number of samples.")
@click.option("--learning-rate", type=float, default=0.5, help="The learning rate of the update.")
@click.option("--seed", type=click.IntRange(0), default=0, help="The random seed of the numbers.")
def new(file: Path, sizes: tuple[int, ...] | None, **settings: Any) -> None:
    """Write FILE, named .toml: a network to put your own numbers into.

    The file explains itself line by line. Its numbers are random ones with two decimals, so that every
    command works with it at once.

    \b
    Examples:
      deltarule new mine.toml
      deltarule new mine.toml --sizes 3-4-2 --activation tanh --output softmax
      deltarule explain mine.toml w1
    """
    if file.suffix.lower() != ".toml":
        raise InputError(f"{file}: the name must end in .toml")
    if check_writable(file).exists():
        raise InputError(f"{file} already exists: choose another name, or remove it")
    if sizes is None:
        sizes = click.prompt("Inputs, hidden neurons, outputs", default="2-2-1", value_proc=network_sizes)
        settings["activation"] = click.prompt(
            "Activation of the hidden layers", default="sigmoid", value_proc=activations
        )
        settings["output"] = click.prompt("Activation of the outputs", default="sigmoid")
    write_atomically(file, network_template(sizes, **settings).encode())
    say(f"{file} has been written. Put your numbers in, and then try")
    for command in (f"explain {file} w1", f"inspect {file}", f"worksheet {file}", f"draw {file} -o net.svg"):
        say(f"  deltarule {command}")
