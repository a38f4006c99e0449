"""From a data set to a result in Python: what the commands print is what these functions return."""

from __future__ import annotations

import csv
import dataclasses
import inspect
import io
import json

import numpy as np
import pytest
from click.testing import CliRunner

from deltarule.cli import cli
from deltarule.data import Dataset, load
from deltarule.data.encoding import Table, fit_encoding
from deltarule.derivations import explain
from deltarule.errors import InputError, ModelFileError
from deltarule.experiments import FittedModel, experiment, load_model
from deltarule.experiments.choices import READING, Choices
from deltarule.experiments.defaults import batch_size_for, build_network, epochs_for
from deltarule.experiments.fitting import cross_validate, fit, predict_dataset, set_aside
from deltarule.experiments.pictures import plot_experiment
from deltarule.experiments.report import ended_by_budget
from deltarule.experiments.running import run_experiment
from deltarule.experiments.saved_models import load_labelled, part_of
from deltarule.nn.network import Network
from deltarule.training import History

FEW = Choices(epochs=3)


def run(*arguments):
    """What a sub-command that must succeed prints."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_command_prints_the_result_of_the_function():
    report = run_experiment(load("iris"), FEW).to_dict()
    printed = json.loads(run("train", "iris", "--epochs", 3, "--json", "--quiet"))
    for one in (report, printed):
        del one["seconds"]
    del printed["model"], printed["files"]
    assert report == printed
    assert report["test"]["folds"] == 5
    assert report["test"]["rows"] == 150


def test_the_options_of_the_command_are_the_arguments_of_the_function():
    options = {parameter.name for parameter in cli.commands["train"].params}
    written = {"save", "plot", "history", "health", "as_json"}  # what is done with the result
    names = set(inspect.signature(experiment).parameters) - {"others"}
    assert options - written - {"quiet"} == names - {"progress"}  # the one is the other's opposite


@pytest.mark.parametrize("command", ["predict", "evaluate", "inspect", "explain"])
def test_the_options_of_the_other_commands_are_arguments_of_the_methods(command):
    printed = {"quiet", "out", "as_json", "everything", "digits", "ascii"}  # how it is printed
    of_examples = {"model", "source", "step", "by_hand", "optimizer"}
    options = {parameter.name for parameter in cli.commands[command].params} - printed - of_examples
    arguments = set(inspect.signature(getattr(FittedModel, command)).parameters)
    beside = {"explain": explain, "predict": FittedModel.write_answers}.get(command)
    others = set() if beside is None else set(inspect.signature(beside).parameters)
    assert options <= arguments | others | set(READING) | {"rows"}


@pytest.mark.parametrize(
    ("n_rows", "hidden", "activation", "epochs"),
    [
        (400, [64], "tanh", 100),
        (600, [64], "relu", 200),
        (3_000, [200, 80], "relu", 150),
        (20_000, [200, 80], "tanh", 75),
    ],
)
def test_network_and_epochs_suit_the_rows_of_a_table(
    n_rows: int, hidden: list[int], activation: str, epochs: int
) -> None:
    rows = np.linspace(-1, 1, n_rows)
    data = Dataset("lines", Table({"x": rows}), rows, ("y",), scale="standard")
    net = build_network(data, fit_encoding(data), Choices())
    assert net.sizes == [1, *hidden, 1]
    assert net.layers[0].activation.name == activation
    assert epochs_for(data, Choices()) == epochs


def test_choices_that_are_left_open_are_made_by_the_data():
    iris = load("iris")
    assert (batch_size_for(iris, Choices()), epochs_for(iris, Choices())) == (32, 100)
    assert (batch_size_for(iris, Choices(batch_size=7)), epochs_for(iris, Choices(epochs=9))) == (7, 9)
    net = fit(iris, dataclasses.replace(FEW, hidden=(5,), activation="relu", l2=0.5, seed=3)).net
    assert net.sizes == [4, 5, 3]
    assert net.layers[0].activation.name == "relu"
    assert net.objective.l2 == 0.5


@pytest.mark.parametrize(
    ("share", "sizes", "in_folds"), [(None, (150, 0), True), (0.0, (150, 0), False), (0.2, (120, 30), False)]
)
def test_rows_are_set_aside_as_chosen(share, sizes, in_folds):
    rest, test, folds = set_aside(load("iris"), Choices(test=share))
    assert (len(rest), 0 if test is None else len(test), folds) == (*sizes, in_folds)
    if sizes[1]:
        result = run_experiment(load("iris"), dataclasses.replace(FEW, test=share))
        assert len(result.tested.true) == sizes[1]
        assert result.tested.scores == predict_dataset(result.trained.net, test).scores


def test_folds_neither_write_nor_resume_checkpoints(tmp_path):
    choices = dataclasses.replace(FEW, checkpoint=tmp_path / "c", progress=True)
    predictions = cross_validate(load("iris"), choices)
    assert not (tmp_path / "c").exists()
    assert len(predictions.true) == len(predictions.predicted) == 150


def test_pictures_show_the_result(tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("xor", "iris"):
        plot_experiment(tmp_path / f"{name}.png", run_experiment(load(name), FEW))
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_saved_model_predicts_what_the_command_prints(tmp_path):
    net = fit(load("iris"), FEW).net
    net.save(tmp_path / "m")
    rows = load("iris")
    names = list(rows.inputs.names)
    path = tmp_path / "rows.csv"
    lines = [",".join(names)] + [
        ",".join(str(rows.inputs.column(name)[i]) for name in names) for i in range(10)
    ]
    path.write_text("\n".join(lines) + "\n")
    columns, decisions = load_model(tmp_path / "m").answers(path, probabilities=True)
    assert decisions == ()
    printed = run("predict", tmp_path / "m", path, "--probabilities")
    assert [list(map(str, row)) for row in zip(*columns.values(), strict=True)] == list(
        csv.reader(io.StringIO(printed))
    )[1:]
    model = load_model(tmp_path / "m")
    encoding = model.encoding
    assert list(columns) == [encoding.target.name, *(f"p({label})" for label in encoding.target.classes)]
    np.testing.assert_array_equal(model.net.parameters, net.parameters)
    assert len(load_labelled("iris", encoding)) == 150


def test_models_without_encoding_and_sets_without_parts_are_refused(tmp_path):
    Network([2, 1]).save(tmp_path / "m")
    with pytest.raises(ModelFileError, match="has no encoding"):
        load_model(tmp_path / "m")
    iris = load("iris")
    assert part_of(iris, None) is part_of(iris, "train") is iris
    with pytest.raises(InputError, match="has no test part"):
        part_of(iris, "test")


@pytest.mark.parametrize(
    ("losses", "stopped", "ended"),
    [
        ([1 / epoch for epoch in range(1, 51)], "finished", True),
        ([1 / epoch for epoch in range(1, 51)], "early", False),
        ([0.5] * 50, "finished", False),
        ([0.5, 0.4], "finished", False),
        ([], "finished", False),
    ],
)
def test_a_budget_that_ends_while_the_held_out_loss_falls_is_told(losses, stopped, ended):
    history = History()
    for epoch, loss in enumerate(losses, 1):
        history.append({"epoch": epoch, "loss": loss, "val_loss": loss})
    history.stopped = stopped
    assert ended_by_budget(history) == ended


def test_a_checkpoint_that_is_not_there_is_refused_before_the_data_are_read(tmp_path):
    with pytest.raises(ModelFileError, match=r"none\.ckpt: No such file"):
        experiment(tmp_path / "none.csv", resume=tmp_path / "none.ckpt")
