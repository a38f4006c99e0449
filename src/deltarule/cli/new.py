"""``deltarule new``: a file to put one's own network into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import say
from deltarule.cli.options import FILE, activations, network_sizes
from deltarule.errors import InputError
from deltarule.files import check_writable, write_atomically
from deltarule.worksheets.own_network import own_network


@click.command(short_help="A file for your own network, to explain, draw and ask about.")
@click.argument("file", type=FILE)
@click.option("--sizes", type=network_sizes, metavar="I-H-O", help="Neurons.  [default: asked for]")
@click.option("--activation", type=activations, default="sigmoid", help="Of the hidden layers.")
@click.option("--output", default="sigmoid", help="Activation of the last layer.")
@click.option("--loss", metavar="NAME", help="[default: as the output suggests]")
@click.option("--bias", type=click.Choice(["neuron", "shared", "none"]), default="neuron", help="Biases.")
@click.option("--samples", "n_samples", type=click.IntRange(1, 100), default=1, help="Rows of data.")
@click.option("--learning-rate", type=float, default=0.5, help="Of the update.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the first numbers.")
def new(file: Path, sizes: tuple[int, ...] | None, **settings: Any) -> None:
    """Write FILE, named .toml, with a network to put your own numbers into.

    Every line says what may stand there. The numbers in it are random ones of two decimals, so that all
    commands work at once. Without --sizes you are asked.

    \b
    deltarule new mine.toml
    deltarule new mine.toml --sizes 3-4-2 --activation tanh --output softmax
    deltarule explain mine.toml w1
    """
    if file.suffix.lower() != ".toml":
        raise InputError(f"{file}: name it .toml")
    if check_writable(file).exists():
        raise InputError(f"{file} is there already: name another, or remove it")
    if sizes is None:
        sizes = click.prompt("Inputs, hidden neurons, outputs", default="2-2-1", value_proc=network_sizes)
        settings["activation"] = click.prompt(
            "Activation of the hidden layers", default="sigmoid", value_proc=activations
        )
        settings["output"] = click.prompt("Activation of the outputs", default="sigmoid")
    write_atomically(file, own_network(sizes, **settings).encode())
    say(f"{file} is written: put your numbers in, then")
    for command in (f"explain {file} w1", f"inspect {file}", f"worksheet {file}", f"draw {file} -o net.svg"):
        say(f"  deltarule {command}")
