"""``deltarule train T4``: a worked example brings its own network, data and training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deltarule.checks import health
from deltarule.cli.console import number, print_json, print_table, say
from deltarule.errors import InputError
from deltarule.tutorials import load_example, trained_example

_TAKEN = ("epochs", "learning_rate", "target_is_input", "save", "history", "health", "as_json", "quiet")


def train_example(source: str, options: dict[str, Any], given: Mapping[str, str]) -> None:
    """Train a worked example, and print each row's outputs beside its targets.

    ``options`` are all of the command line, ``given`` how those that the user wrote are spelled.
    """
    refused = [spelled for name, spelled in given.items() if name not in _TAKEN]
    if refused:
        raise InputError(f"{source} has its own network and training: leave out {refused[0]}")
    example = load_example(source)
    if options["target_is_input"]:
        example = example.reproducing_inputs()
    trained = trained_example(
        example,
        epochs=options["epochs"],
        learning_rate=options["learning_rate"],
        progress=not (options["quiet"] or options["as_json"]),
    )
    net, history = trained.net, trained.history
    if options["save"]:
        net.save(options["save"])
    if options["history"]:
        history.to_csv(options["history"])
    report = trained.to_dict()
    found = health(net, example.X, example.Y, history) if options["health"] else None
    if options["as_json"]:
        report["model"] = None if options["save"] is None else str(options["save"])
        print_json(report if found is None else report | {"health": found.to_dict()})
    else:
        _print_training(report)
        if found is not None:
            say(f"\n{found}")


def _print_training(report: dict[str, Any]) -> None:
    say(f"{report['task']}: {report['network']}, {report['loss']}")
    names = [f"o{i}" for i in range(1, len(report["targets"][0]) + 1)]
    rows = [
        (f"row {i}", *(f"{value:.9g}" for pair in zip(outputs, targets, strict=True) for value in pair))
        for i, (outputs, targets) in enumerate(zip(report["outputs"], report["targets"], strict=True), 1)
    ]
    print_table(["", *(column for name in names for column in (name, "target"))], rows)
    loss = report["train"]
    say(f"loss {number(loss['loss_before'])} before, {number(loss['loss'])} after {report['epochs']} epochs")
