"""What a saved network says: ``predict``, ``evaluate``, ``inspect``; and what there is to learn: ``data``."""

from __future__ import annotations

import json

import numpy as np
import pytest

import deltarule
from deltarule.data import names

from .cases import classes_csv, invoke, read_rows, refused, report_of, run


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """A table, and a network trained on all of it."""
    folder = tmp_path_factory.mktemp("trees")
    path = classes_csv(folder / "trees.csv")
    report = report_of("train", path, "--epochs", 30, "--test-size", 0, "--save", folder / "m")
    return path, folder / "m", report


# ---------------------------------------------------------------- predict


def test_predictions_are_labels_one_for_each_row(trees):
    path, model, report = trees
    rows = read_rows(run("predict", model, path))
    truth = [row["kind"] for row in read_rows(path.read_text())]
    assert [list(row) for row in rows] == [["kind"]] * 60
    right = np.mean([row["kind"] == true for row, true in zip(rows, truth, strict=True)])
    assert right == pytest.approx(report["train"]["accuracy"])


def test_probabilities_sum_to_one_and_their_greatest_is_the_label(trees):
    path, model, _ = trees
    for row in read_rows(run("predict", model, path, "--probabilities")):
        p = {name: float(value) for name, value in row.items() if name.startswith("p(")}
        assert list(p) == ["p(ash)", "p(beech)", "p(cedar)"]
        assert sum(p.values()) == pytest.approx(1, abs=1e-12)
        assert max(p, key=p.get) == f"p({row['kind']})"


def test_two_classes_have_two_probabilities(tmp_path):
    path = classes_csv(tmp_path / "two.csv", labels=("no", "yes"))
    run("train", path, "--epochs", 5, "--test-size", 0, "--quiet", "--save", tmp_path / "m")
    for row in read_rows(run("predict", tmp_path / "m", path, "--probabilities")):
        assert float(row["p(no)"]) + float(row["p(yes)"]) == pytest.approx(1, abs=1e-12)
        assert row["kind"] == ("yes" if float(row["p(yes)"]) > 0.5 else "no")


def test_raw_rows_are_encoded_as_in_training(trees):
    """The row by hand: scaled, one-hot, through the layers in plain NumPy."""
    path, model, _ = trees
    net = deltarule.load(model)
    raw = read_rows(path.read_text())
    heights = np.array([float(row["height"]) for row in raw])
    x = np.array(
        [
            [(float(row["height"]) - heights.mean()) / heights.std()]
            + [float(row["colour"] == colour) for colour in ("blue", "green", "red")]
            for row in raw
        ]
    )
    z = np.tanh(x @ net.layers[0].W + net.layers[0].b) @ net.layers[1].W + net.layers[1].b
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    rows = read_rows(run("predict", model, path, "--probabilities"))
    ours = [[float(row[f"p({kind})"]) for kind in ("ash", "beech", "cedar")] for row in rows]
    np.testing.assert_allclose(ours, expected, rtol=1e-10)


def test_columns_may_come_in_any_order_and_without_the_target(trees, tmp_path):
    path, model, _ = trees
    rows = read_rows(path.read_text())
    text = "extra,colour,height\n" + "".join(f"?,{row['colour']},{row['height']}\n" for row in rows)
    (tmp_path / "new.csv").write_text(text)
    assert run("predict", model, tmp_path / "new.csv") == run("predict", model, path)


def test_predictions_are_written_to_a_file(trees, tmp_path):
    path, model, _ = trees
    assert run("predict", model, path, "--out", tmp_path / "p.csv") == ""
    assert (tmp_path / "p.csv").read_text() == run("predict", model, path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("height,colour\n1.5,purple\n", "new.csv:2:2: column 'colour': unknown category 'purple'"),
        ("height,colour\n1.5,reed\n", "did you mean 'red'"),
        (
            "height,colour\nhigh,red\n",
            "new.csv:2:1: expected a number, as most cells of column 'height' are, got 'high'",
        ),
        ("height,colour\n,red\n", "new.csv:2:1: column 'height': the cell is missing"),
        ("heigth,colour\n1,red\n", "new.csv:1: there is no column 'height'; did you mean 'heigth'"),
        ("height,colour\n1e999,red\n", "new.csv:2:1:"),
        ("", "new.csv:1:1: the file is empty"),
    ],
)
def test_rows_that_do_not_fit_are_refused_with_their_place(trees, tmp_path, monkeypatch, text, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.csv").write_text(text)
    assert reason in refused("predict", trees[1], "new.csv", "--out", "p.csv", "--strict")
    assert not (tmp_path / "p.csv").exists()


def test_a_file_that_could_not_be_written_is_refused_first(trees, tmp_path):
    path, model, _ = trees
    assert "there is no folder" in refused("predict", model, path, "--out", tmp_path / "no" / "p.csv")
    assert "it is a folder" in refused("predict", model, path, "--out", tmp_path)


# ---------------------------------------------------------------- evaluate


def test_evaluation_agrees_with_the_report_of_training(trees):
    path, model, report = trees
    found = report_of("evaluate", model, path)
    assert found["accuracy"] == report["train"]["accuracy"]
    assert found["loss"] == pytest.approx(report["train"]["loss"], rel=1e-12)
    assert found["rows"] == 60
    assert np.sum(found["confusion"]) == 60
    assert np.trace(found["confusion"]) == round(60 * found["accuracy"])


def test_true_classes_are_the_rows_of_the_confusion_and_predicted_ones_its_columns(trees, tmp_path):
    """Call every tree an ash: one row holds all counts, and they are those of the predictions."""
    path, model, _ = trees
    text = path.read_text().replace("beech", "ash").replace("cedar", "ash")
    (tmp_path / "t.csv").write_text(text)
    predicted = [row["kind"] for row in read_rows(run("predict", model, path))]
    counts = [predicted.count(kind) for kind in ("ash", "beech", "cedar")]
    assert report_of("evaluate", model, tmp_path / "t.csv")["confusion"] == [counts, [0, 0, 0], [0, 0, 0]]


def test_evaluation_prints_the_confusion_with_its_labels(trees):
    path, model, _ = trees
    text = run("evaluate", model, path)
    assert "true \\ predicted" in text
    for kind in ("ash", "beech", "cedar"):
        assert kind in text


def test_a_label_that_training_did_not_know_is_refused(trees, tmp_path):
    (tmp_path / "t.csv").write_text("height,colour,kind\n1,red,ash\n2,red,beach\n")
    message = refused("evaluate", trees[1], tmp_path / "t.csv", "--strict")
    assert "unknown label 'beach'; did you mean 'beech'" in message


def test_a_part_that_is_not_there_is_refused(trees):
    assert "has no test part" in refused("evaluate", trees[1], trees[0], "--part", "test")


# ---------------------------------------------------------------- inspect


def test_every_number_of_the_first_tutorial_is_shown():
    report = report_of("inspect", "T1")
    first, second = report["layers"]
    assert first["inputs"] == {"names": ["i1", "i2"], "values": [0.05, 0.1]}
    h1, h2 = first["neurons"]
    assert (h1["name"], h1["weights"], h1["bias"]) == ("h1", [0.15, 0.2], 0.35)
    assert (h2["name"], h2["weights"], h2["bias"]) == ("h2", [0.25, 0.3], 0.35)
    assert (h1["net"], h2["net"]) == (pytest.approx(0.3775, abs=1e-15), pytest.approx(0.3925, abs=1e-15))
    assert h1["output"] == pytest.approx(0.5932699921071872, abs=1e-15)
    assert h2["output"] == pytest.approx(0.596884378259767, abs=1e-15)
    o1, o2 = second["neurons"]
    assert (o1["weights"], o2["weights"], o1["bias"]) == ([0.4, 0.45], [0.5, 0.55], 0.6)
    assert o1["net"] == pytest.approx(1.10590596705977, abs=1e-14)
    assert o2["net"] == pytest.approx(1.2249214040964653, abs=1e-14)
    assert o1["output"] == pytest.approx(0.7513650695523157, abs=1e-15)
    assert o2["output"] == pytest.approx(0.7729284653214625, abs=1e-15)


def test_people_read_the_same_numbers():
    text = run("inspect", "T1")
    for number in (
        "0.3775",
        "0.3925",
        "0.593269992",
        "0.596884378",
        "1.10590597",
        "0.75136507",
        "0.772928465",
    ):
        assert number in text
    assert "0.5932699921071872" in run("inspect", "T1", "--digits", 16)


def test_a_saved_network_is_shown_with_the_names_of_its_columns(trees):
    path, model, _ = trees
    report = report_of("inspect", model, path, "--row", 17)
    net = deltarule.load(model)
    assert report["layers"][0]["inputs"]["names"] == ["height", "colour=blue", "colour=green", "colour=red"]
    outputs = [neuron["output"] for neuron in report["layers"][1]["neurons"]]
    shown = read_rows(run("predict", model, path, "--probabilities"))[16]
    assert outputs == pytest.approx([float(shown[f"p({kind})"]) for kind in ("ash", "beech", "cedar")])
    for layer, shown_layer in zip(net.layers, report["layers"], strict=True):
        weights = np.array([neuron["weights"] for neuron in shown_layer["neurons"]]).T
        np.testing.assert_array_equal(weights, layer.W)


def test_without_rows_weights_alone_are_shown(trees):
    report = report_of("inspect", trees[1], "--layer", 2)
    assert len(report["layers"]) == 1
    assert "output" not in report["layers"][0]["neurons"][0]
    assert "more weights of each" in run("inspect", trees[1], "--layer", 2)
    assert "more weights" not in run("inspect", trees[1], "--layer", 2, "--all")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["T1", "--row", 2], "row 2: there are 1 rows"),
        (["T1", "--layer", 3], "layer 3: "),
        (["T1", "rows.csv"], "has its own rows"),
        (["T9"], "cannot read T9"),
        (["missing.toml"], "missing.toml"),
    ],
)
def test_what_is_not_there_cannot_be_inspected(arguments, reason):
    assert reason in refused("inspect", *arguments)


# ---------------------------------------------------------------- data


def test_every_named_set_is_listed():
    assert report_of("data", "list") == names()
    text = run("data", "list")
    for name in names():
        assert name in text


@pytest.mark.parametrize("name", [name for name in names() if name != "mnist"])
def test_every_named_set_is_shown(name):
    report = report_of("data", "show", name)
    assert report["rows"] > 0
    assert report["task"] in ("classification", "regression")
    assert report["description"].splitlines()[0] in run("data", "show", name)


def test_a_table_is_shown_as_training_sees_it(trees):
    report = report_of("data", "show", trees[0])
    assert [decision["kind"] for decision in report.pop("decisions")] == ["target"]
    assert report == {
        "name": "trees",
        "description": f"{trees[0]}: 60 rows, 2 inputs, target kind",
        "rows": 60,
        "test_rows": None,
        "task": "classification",
        "inputs": ["height", "colour"],
        "target": ["kind"],
        "classes": ["ash", "beech", "cedar"],
    }
    text = run("data", "show", trees[0])
    assert "3 different: blue, green, red" in text
    assert "beech" in text


def test_every_object_is_one_object(trees):
    path, model, _ = trees
    for arguments in (
        ["data", "list"],
        ["data", "show", path],
        ["inspect", "T1"],
        ["evaluate", model, path],
        ["train", "xor", "--epochs", "1"],
        ["train", "T1", "--epochs", "1"],
    ):
        assert isinstance(json.loads(run(*arguments, "--json")), dict)


# ---------------------------------------------------------------- how rows are read


@pytest.mark.parametrize("command", [["inspect"], ["explain"], ["data", "show"]])
def test_whoever_reads_a_table_is_told_how_it_is_divided(trees, tmp_path, command):
    path, model, _ = trees
    odd = tmp_path / "odd.csv"
    odd.write_text(path.read_text().replace(",", "^"))
    about = [*command, *([] if command[0] == "data" else [model]), odd]
    plain = [*command, *([] if command[0] == "data" else [model]), path]
    said = run(*about, "--delimiter", "^").splitlines()
    assert said[2:] == run(*plain).splitlines()[2:]
    assert str(odd) in invoke(*about, "--delimiter", ",", "--strict").stderr
