"""``deltarule check my_backprop.py``: is this backpropagation right, and if not, which mistake is it?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import print_json, say
from deltarule.cli.options import FILE
from deltarule.diagnosis import diagnose
from deltarule.diagnosis.observation import observe_apart
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES


@click.command(short_help="Check one's own backpropagation, and name the mistake.")
@click.argument("script", type=FILE)
@click.option("--name", help="Which function, class or object of the script.")
@click.option("--activation", help=f"Of the hidden layers: {', '.join(ACTIVATIONS)}.  [default: found out]")
@click.option("--output", help="Activation of the last layer.  [default: found out]")
@click.option("--loss", help=f"{', '.join(LOSSES)}.  [default: found out]")
@click.option(
    "--reduction", type=click.Choice(["mean", "sum"]), help="Over the samples.  [default: found out]"
)
@click.option("--l2", type=float, default=0.0, show_default=False, help="The penalty l2/2·ΣW² in the loss.")
@click.option(
    "--dropout", type=float, help="The share of the neurons that training drops.  [default: its own]"
)
@click.option("--predict", help="Which function of the script predicts: it must not drop any.")
@click.option("--learning-rate", type=float, help="η, where the script makes updates.  [default: its own]")
@click.option("--seconds", type=float, default=20.0, help="How long it may run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def check(context: click.Context, /, script: Path, as_json: bool, **settings: Any) -> None:
    """Say whether the backpropagation in SCRIPT is right, and name the mistake where it is not.

    SCRIPT is run as it is for a few updates and what it computes is recorded; its steps are compared with the
    gradient of its own forward pass, and the line is told where they part. Where that cannot be judged:

    SCRIPT has a function (weights, biases, X, Y) that returns gradients, or with a fifth argument, the
    learning rate, updated weights; or a network object with weights and a method such as train(x, y). Any
    usual layout of arrays will do. With dropout, the function takes masks, or a share such as dropout or
    keep_prob; or say --dropout. It runs in a process of its own. Exit status 0: right; 1: wrong; 2: it
    could not be tested.

    \b
    deltarule check my_backprop.py
    deltarule check my_backprop.py --loss half_squared_error --output sigmoid
    """
    if not script.is_file():
        raise InputError(f"{script}: there is no such file")
    told = any(value for setting, value in settings.items() if setting != "seconds")
    seen = None if told else observe_apart(script, settings["seconds"])
    if seen is not None and seen.verdict == "right":
        _tell(context, str(seen), {"right": True, "observed": seen.to_dict()}, as_json, 0)
    diagnosis = diagnose(script, **settings)
    status = 2 if diagnosis.failure else 0 if diagnosis.right else 1
    if seen is not None and seen.verdict != "wrong" and diagnosis.failure:
        record = {"right": False, "failure": seen.obstacle or str(seen), "observed": seen.to_dict()}
        _tell(context, str(seen), record, as_json, 2)
    if seen is None or seen.verdict != "wrong":
        _tell(context, str(diagnosis), diagnosis.to_dict(), as_json, status)
        return
    both = f"{seen}\n\n{diagnosis}" if status == 1 else str(seen)
    named = diagnosis.to_dict() if status == 1 else {"right": False}
    _tell(context, both, {**named, "observed": seen.to_dict()}, as_json, 1)


def _tell(context: click.Context, text: str, record: dict[str, Any], as_json: bool, status: int) -> None:
    """Print a report, or its record as JSON, and exit."""
    if as_json:
        print_json(record)
    else:
        say(text)
    context.exit(status)
