"""``deltarule train``: every kind of source, and what is reported and written."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import deltarule
from deltarule import Network

from .cases import classes_csv, images, invoke, numbers_csv, read_rows, report_of, run, write_idx

KEYS = [
    *("task", "data", "decisions", "rows", "columns", "scale", "network", "loss", "penalties", "optimizer"),
    *("learning_rate", "schedule", "batch_size", "epochs", "stopped", "why_stopped", "seconds", "engine"),
    *("seed", "train", "validation", "test", "baseline", "classes", "model", "files"),
]


def test_iris_is_told_apart_on_rows_not_seen():
    report = report_of("train", "iris")
    assert report["test"]["accuracy"] >= 0.95
    assert report["test"]["rows"] == 150
    assert report["test"]["folds"] == 5
    assert report["task"] == "classification"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    path = tmp_path_factory.mktemp("digits") / "digits.safetensors"
    return path, report_of("train", "digits", "--save", path)


def test_digits_are_told_apart_on_rows_held_out(digits):
    path, report = digits
    assert report["test"]["accuracy"] >= 0.95
    assert report["test"]["rows"] > 300
    assert report["test"]["folds"] == 1
    assert report["validation"]["rows"] > 100
    assert report["model"] == str(path)
    assert sum(report[part]["rows"] for part in ("train", "validation", "test")) == 1797


def test_the_saved_digits_score_as_reported(digits):
    """The whole set holds the rows trained on too, so the counts of right answers must lie between."""
    path, report = digits
    found = report_of("evaluate", path, "digits")
    right = sum(report[part]["rows"] * report[part]["accuracy"] for part in ("train", "validation", "test"))
    assert found["accuracy"] * 1797 == pytest.approx(right, abs=1e-6)
    losses = sum(report[part]["rows"] * report[part]["loss"] for part in ("train", "validation", "test"))
    assert found["loss"] * 1797 == pytest.approx(losses, rel=1e-9)


def test_xor_is_learnt():
    report = report_of("train", "xor")
    assert report["train"]["accuracy"] == 1
    assert report["train"]["loss"] < 0.01
    assert report["test"] is None
    assert report["validation"] is None


@pytest.mark.parametrize("source", ["xor", "moons(60)", "encoder(4)"])
def test_the_report_is_one_object_with_the_documented_keys(source):
    report = report_of("train", source, "--epochs", 3)
    assert list(report) == KEYS
    score = "r2" if source.startswith("encoder") else "accuracy"
    for part in ("train", "validation", "test"):
        if report[part] is not None:
            assert {"rows", "loss", score} <= set(report[part])
            numbers = {name: value for name, value in report[part].items() if name != "spread_is"}
            assert all(isinstance(value, int | float) for value in numbers.values())
    assert report["epochs"] == 3
    assert report["stopped"] == "finished"
    assert report["seconds"] >= 0
    assert report["engine"] in ("reference", "compiled")
    assert report["model"] is None
    assert report["files"] == {}


def test_labels_of_text_and_a_column_of_categories_are_learnt(tmp_path):
    path = classes_csv(tmp_path / "trees.csv")
    report = report_of("train", path, "--save", tmp_path / "m")
    assert report["test"]["accuracy"] >= 0.9
    assert report["task"] == "classification"
    rows = read_rows(run("predict", tmp_path / "m", path))
    assert {row["kind"] for row in rows} == {"ash", "beech", "cedar"}
    net = deltarule.load(tmp_path / "m")
    assert net.encoding.inputs.feature_names == ("height", "colour=blue", "colour=green", "colour=red")


def test_the_target_is_the_column_that_is_named(tmp_path):
    path = classes_csv(tmp_path / "trees.csv")
    report = report_of("train", path, "--target", "colour", "--epochs", 2, "--test-size", 0)
    assert "target colour" in report["data"]
    dropped = report_of("train", path, "--drop", "colour", "--epochs", 2, "--test-size", 0)
    assert "1 inputs" in dropped["data"]


def test_numbers_are_learnt(tmp_path):
    path = numbers_csv(tmp_path / "sums.csv")
    arguments = ["--target", "total", "--drop", "excess", "--save", tmp_path / "m"]
    report = report_of("train", path, *arguments)
    assert report["task"] == "regression"
    assert report["test"]["r2"] > 0.99
    assert {"rows", "loss", "r2", "folds", "spread", "spread_is", "mean_error"} == set(report["test"])
    rows = read_rows(run("predict", tmp_path / "m", path))
    truth = [float(row["total"]) for row in read_rows(path.read_text())]
    assert [float(row["total"]) for row in rows] == pytest.approx(truth, abs=5)


def test_several_numbers_are_learnt_at_once(tmp_path):
    path = numbers_csv(tmp_path / "sums.csv")
    report = report_of("train", path, "--target", "total,excess", "--save", tmp_path / "m")
    assert report["test"]["r2"] > 0.99
    rows = read_rows(run("predict", tmp_path / "m", path))
    assert list(rows[0]) == ["total", "excess"]


@pytest.mark.parametrize(
    ("labels", "dtype"), [(("no", "yes"), "object"), (("False", "True"), "bool"), ((7, 100), "int64")]
)
def test_two_classes_take_one_output_and_come_back_as_they_were(labels, dtype, tmp_path):
    path = classes_csv(tmp_path / "two.csv", labels=labels)
    report = report_of("train", path, "--save", tmp_path / "m", "--epochs", 40)
    assert "1 sigmoid" in report["network"]
    assert report["loss"] == "binary_cross_entropy"
    assert report["train"]["accuracy"] == 1
    rows = read_rows(run("predict", tmp_path / "m", path))
    assert [row["kind"] for row in rows] == [str(labels[i % 2]) for i in range(60)]
    assert deltarule.load(tmp_path / "m").encoding.target.dtype == dtype


def test_a_parquet_file_trains_as_its_csv_does(tmp_path):
    pandas = pytest.importorskip("pandas")
    path = classes_csv(tmp_path / "trees.csv")
    pandas.read_csv(path).to_parquet(tmp_path / "trees.parquet")
    reports = []
    for name in ("trees.csv", "trees.parquet"):
        arguments = ["--epochs", 5, "--save", tmp_path / f"{name}.model"]
        reports.append(report_of("train", tmp_path / name, *arguments))
    assert reports[0]["train"] == reports[1]["train"]
    assert reports[0]["test"] == reports[1]["test"]
    assert (tmp_path / "trees.csv.model").read_bytes() == (tmp_path / "trees.parquet.model").read_bytes()
    assert run("predict", tmp_path / "trees.csv.model", tmp_path / "trees.parquet") == run(
        "predict", tmp_path / "trees.csv.model", path
    )


def test_a_folder_of_images_is_learnt(tmp_path):
    pytest.importorskip("PIL")
    folder = images(tmp_path / "bars")
    report = report_of("train", folder, "--epochs", 60, "--save", tmp_path / "m")
    assert report["train"]["rows"] == 40
    assert report["test"]["rows"] == 20
    assert report["train"]["accuracy"] == 1
    rows = read_rows(run("predict", tmp_path / "m", folder / "train" / "row"))
    assert {row["class"] for row in rows} == {"row"}
    assert [row["file"] for row in rows] == sorted(f"{i:03}.png" for i in range(1, 40, 2))
    one = read_rows(run("predict", tmp_path / "m", folder / "train" / "column" / "000.png"))
    assert [row["class"] for row in one] == ["column"]
    whole = report_of("evaluate", tmp_path / "m", folder)
    assert whole["accuracy"] == pytest.approx(report["test"]["accuracy"])
    assert whole["loss"] == pytest.approx(report["test"]["loss"])


def test_a_folder_of_idx_files_is_learnt(tmp_path):
    folder = write_idx(tmp_path / "idx")
    report = report_of("train", folder, "--epochs", 60)
    assert (report["train"]["rows"], report["test"]["rows"]) == (40, 20)
    assert report["train"]["accuracy"] == 1


def test_images_and_idx_files_of_the_same_pixels_train_the_same_network(tmp_path):
    pytest.importorskip("PIL")
    from PIL import Image

    write_idx(tmp_path / "idx")
    for part in ("train", "t10k"):
        pixels = (tmp_path / "idx" / f"{part}-images-idx3-ubyte").read_bytes()[16:]
        labels = (tmp_path / "idx" / f"{part}-labels-idx1-ubyte").read_bytes()[8:]
        order = sorted(range(len(labels)), key=lambda i: (labels[i], i))
        for i in order:
            path = (
                tmp_path / "png" / {"train": "train", "t10k": "test"}[part] / str(labels[i]) / f"{i:03}.png"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.frombuffer(pixels, np.uint8).reshape(-1, 8, 8)[i]).save(path)
        # IDX files in the order in which folders are read
        stacked = np.frombuffer(pixels, np.uint8).reshape(-1, 64)[order].tobytes()
        images_file = tmp_path / "idx" / f"{part}-images-idx3-ubyte"
        images_file.write_bytes(images_file.read_bytes()[:16] + stacked)
        labels_file = tmp_path / "idx" / f"{part}-labels-idx1-ubyte"
        labels_file.write_bytes(labels_file.read_bytes()[:8] + bytes(labels[i] for i in order))
    reports = [report_of("train", tmp_path / name, "--epochs", 3) for name in ("idx", "png")]
    for part in ("train", "test"):
        assert reports[0][part] == reports[1][part]


# ---------------------------------------------------------------- autoencoders


def test_the_fourth_tutorial_becomes_an_autoencoder():
    report = report_of("train", "T4", "--autoencoder")
    example = report_of("inspect", "T4")
    assert len(report["outputs"][0]) == len(example["layers"][0]["inputs"]["values"])
    assert report["targets"][0] == example["layers"][0]["inputs"]["values"]
    assert report["train"]["loss"] < report["train"]["loss_before"]


def test_one_hot_rows_pass_through_a_narrow_layer():
    report = report_of("train", "encoder(8)", "--autoencoder", "--hidden", 4, "--activation", "tanh")
    assert report["task"] == "autoencoder"
    assert "→ 8 sigmoid" in report["network"]
    assert report["train"]["r2"] > 0.95


def test_digits_pass_through_a_narrow_layer():
    report = report_of("train", "digits", "--autoencoder", "--hidden", 16, "--epochs", 20)
    assert report["task"] == "autoencoder"
    assert "64 → 16" in report["network"]
    assert report["test"]["r2"] > 0.5


def test_a_table_is_its_own_target_and_comes_back_in_its_own_units(tmp_path):
    path = classes_csv(tmp_path / "trees.csv")
    arguments = ["--autoencoder", "--drop", "kind", "--hidden", 3, "--epochs", 300]
    report = report_of("train", path, *arguments, "--save", tmp_path / "m")
    assert report["train"]["r2"] > 0.9
    rows = read_rows(run("predict", tmp_path / "m", path))
    truth = read_rows(path.read_text())
    assert list(rows[0]) == ["height", "colour"]
    same = np.mean([ours["colour"] == theirs["colour"] for ours, theirs in zip(rows, truth, strict=True)])
    assert same > 0.95


# ---------------------------------------------------------------- real data, where there is some


def data_home():
    home = os.environ.get("DELTARULE_DATA_HOME")
    if not home:
        pytest.skip("DELTARULE_DATA_HOME is not set")
    return Path(home)


def test_iris_from_its_csv_is_told_apart():
    path = data_home() / "iris" / "Iris.csv"
    if not path.exists():
        pytest.skip(f"there is no {path.name}")
    report = report_of("train", path, "--target", "Species", "--drop", "Id")
    assert report["test"]["accuracy"] >= 0.95


@pytest.mark.slow
def test_digits_from_folders_of_images_are_told_apart():
    folder = data_home() / "mnist-images"
    if not folder.exists():
        pytest.skip(f"there is no {folder.name}")
    report = report_of("train", folder)
    assert report["train"]["rows"] + report["validation"]["rows"] == 1000
    assert report["test"]["rows"] == 200
    assert report["test"]["accuracy"] > 0.8


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--hidden", "5,4"], "2 → 5 relu → 4 relu → 1 sigmoid"),
        (["--hidden", "0"], "2 → 1 sigmoid"),
        (["--hidden", "3", "--activation", "tanh"], "2 → 3 tanh → 1 sigmoid"),
        (["--hidden", "3", "--output", "softmax"], "2 → 3 relu → 2 softmax"),
        (["--hidden", "3", "--bias", "none"], "9 parameters"),
        (["--hidden", "3", "--bias", "shared"], "11 parameters"),
    ],
)
def test_the_network_is_the_one_asked_for(options, expected):
    assert expected in report_of("train", "xor", "--epochs", 1, *options)["network"]


def test_the_loss_is_the_one_asked_for():
    report = report_of("train", "xor", "--epochs", 1, "--loss", "squared_error")
    assert report["loss"] == "squared_error"


def test_training_equals_the_library_with_the_same_settings(tmp_path):
    """An independent path to the same bits: encode, build and train by hand."""
    options = ["--hidden", 4, "--activation", "tanh", "--optimizer", "momentum", "--learning-rate", 0.1]
    options += ["--schedule", "constant", "--epochs", 7, "--batch-size", 3, "--seed", 5, "--l2", 0.01]
    run("train", "xor", *options, "--save", tmp_path / "m", "--quiet")
    net = Network([2, 4, 1], activation="tanh", output="sigmoid", l2=0.01, seed=5)
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    deltarule.train(net, X, [0, 1, 1, 0], optimizer=deltarule.Momentum(0.1), epochs=7, batch_size=3, seed=5)
    np.testing.assert_array_equal(deltarule.load(tmp_path / "m").parameters, net.parameters)


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run("train", "moons(60)", "--epochs", 3, "--seed", seed, "--quiet", "--save", tmp_path / name)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_the_history_holds_each_epoch_in_full_precision(tmp_path):
    report = report_of("train", "digits", "--epochs", 3, "--history", tmp_path / "h.csv", "--patience", 50)
    with (tmp_path / "h.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert report["files"] == {"history": str(tmp_path / "h.csv")}
    best = min(float(row["val_loss"]) for row in rows)
    assert report["validation"]["loss"] == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_pictures_are_drawn_in_the_format_of_the_suffix(suffix, start, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"p.{suffix}"
    run("train", "moons(60)", "--epochs", 2, "--quiet", "--plot", path)
    assert path.read_bytes().startswith(start)
    assert path.stat().st_size > 5000


@pytest.mark.parametrize("source", ["numbers", "classes", "autoencoder"])
def test_every_kind_of_answer_has_its_picture(source, tmp_path):
    pytest.importorskip("matplotlib")
    path = {"numbers": numbers_csv}.get(source, classes_csv)(tmp_path / "t.csv")
    more = ["--target", "total"] if source == "numbers" else ["--test-size", 0.3]
    more += ["--autoencoder", "--target", "kind"] if source == "autoencoder" else []
    run("train", path, "--epochs", 2, "--quiet", "--plot", tmp_path / "p.png", *more)
    assert (tmp_path / "p.png").stat().st_size > 5000


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_run_draws_the_same_picture(suffix, tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("a", "b"):
        run("train", "xor", "--epochs", 2, "--quiet", "--plot", tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_people_read_a_table_with_the_same_numbers():
    text = run("train", "xor", "--quiet")
    report = report_of("train", "xor")
    assert report["network"] in text
    assert f"{report['train']['loss']:.5g}" in text
    assert "1.0000" in text
    assert "no rows were held out for a test" in text
    assert "not saved (--save FILE)" in text
    assert not re.search(r"\x1b", text)


def test_progress_goes_to_standard_error_unless_quiet():
    result = invoke("train", "xor", "--epochs", 5)
    assert result.stderr.splitlines()[-1].startswith("epoch 5/5")
    assert invoke("train", "xor", "--epochs", 5, "--quiet").stderr == ""
    assert invoke("train", "xor", "--epochs", 5, "--json").stderr == ""
    json.loads(invoke("train", "xor", "--epochs", 5, "--json").stdout)


@pytest.mark.parametrize("share", [0, 0.2, 0.5])
def test_rows_are_held_out_as_asked_for(share, tmp_path):
    path = classes_csv(tmp_path / "t.csv")
    report = report_of("train", path, "--test-size", share, "--validation", 0.25, "--epochs", 2)
    if share == 0:
        assert report["test"] is None
    else:
        assert report["test"]["rows"] == 60 * share
    rest = round(60 * (1 - share))
    assert report["validation"]["rows"] + report["train"]["rows"] == rest
    assert report["validation"]["rows"] == pytest.approx(rest / 4, abs=3)


# ---------------------------------------------------------------- worked examples


def test_the_first_tutorial_trains_to_its_exact_end():
    report = report_of("train", "T1")
    assert report["epochs"] == 10_000
    assert report["train"]["loss_before"] == pytest.approx(0.2983711087600027, rel=1e-14)
    assert report["train"]["loss"] == pytest.approx(3.510187782978859e-05, rel=1e-9)
    assert report["outputs"][0] == pytest.approx([0.0159136204435507, 0.9840642735146238], rel=1e-9)
    assert report["targets"] == [[0.01, 0.99]]


def test_an_example_takes_other_epochs_and_another_rate(tmp_path):
    files = ["--save", tmp_path / "m", "--history", tmp_path / "h.csv"]
    report = report_of("train", "T1", "--epochs", 1, "--learning-rate", 0.25, *files)
    assert report["model"] == str(tmp_path / "m")
    net = deltarule.load(tmp_path / "m")
    gradient = 0.0821670405642308
    assert float(net.parameters[net.select("w5")]) == pytest.approx(0.4 - 0.25 * gradient, abs=1e-14)
    assert len((tmp_path / "h.csv").read_text().splitlines()) == 2
