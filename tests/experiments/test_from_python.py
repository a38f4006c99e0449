"""What people bring to ``dr.experiment``: files, frames, columns, records, arrays; and what they get back."""

from __future__ import annotations

import csv
import json
import warnings

import numpy as np
import pytest

import deltarule as dr
from deltarule.data.encoding import TrainedRows, row_digests
from deltarule.derivations.row_origins import row_origins
from deltarule.errors import DataFileError, InputError
from deltarule.experiments.saved_models import read_rows

rng = np.random.default_rng(3)
N = 48
GIRTH = np.round(rng.uniform(1, 9, N), 2)
LEAF = np.array(["oval", "lobed", "needle"])[np.arange(N) % 3]
TREE = np.where(GIRTH + 2 * (LEAF == "lobed") > 6, "old", "young")
COLUMNS = {"girth": GIRTH.tolist(), "leaf": LEAF.tolist(), "tree": TREE.tolist()}
RECORDS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
FEW = {"epochs": 4, "test": 0.25}


def pandas_frame():
    return pytest.importorskip("pandas").DataFrame(COLUMNS)


def polars_frame():
    return pytest.importorskip("polars").DataFrame(COLUMNS)


def arrow_table():
    return pytest.importorskip("pyarrow").table(COLUMNS)


SOURCES = {
    "columns": lambda: COLUMNS,
    "records": lambda: RECORDS,
    "pandas": pandas_frame,
    "polars": polars_frame,
    "arrow": arrow_table,
    "array of objects": lambda: np.array(list(zip(*COLUMNS.values(), strict=True)), dtype=object),
    "rows": lambda: [list(row) for row in zip(*COLUMNS.values(), strict=True)],
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("trees") / "trees.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([list(COLUMNS), *zip(*COLUMNS.values(), strict=True)])
    return path


@pytest.fixture(scope="module")
def result(path):
    return dr.experiment(path, "tree", epochs=40, test=0.25, hidden=6)


@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_in_memory_trains_the_network_that_its_file_trains(kind, path):
    source = SOURCES[kind]()
    expected = dr.experiment(path, "tree", **FEW)
    found = dr.experiment(
        source, **({"target": "tree"} if kind not in ("array of objects", "rows") else {}), **FEW
    )
    np.testing.assert_array_equal(found.net.parameters, expected.net.parameters)
    assert found.tested.score == expected.tested.score


def test_answers_may_be_a_column_of_their_own(path):
    inputs = {name: COLUMNS[name] for name in ("girth", "leaf")}
    expected = dr.experiment(path, "tree", **FEW)
    for answers in (TREE, pandas_frame()["tree"]):
        found = dr.experiment(inputs, answers, **FEW)
        np.testing.assert_array_equal(found.net.parameters, expected.net.parameters)
        assert found.evaluate(inputs, answers).score == expected.evaluate(path).score


def test_the_sets_of_scikit_learn_are_taken_with_the_names_of_their_classes():
    datasets = pytest.importorskip("sklearn.datasets")
    found = dr.experiment(datasets.load_iris(), epochs=2, test=0)
    assert found.net.encoding.target.classes == ("setosa", "versicolor", "virginica")
    assert found.net.encoding.inputs.feature_names[0] == "sepal length (cm)"
    assert found.dataset.task == "classification"


def test_a_frame_comes_back_as_a_frame_with_its_index(result):
    frame = pandas_frame().set_index([[f"r{row}" for row in range(N)]]).drop(columns="tree")
    answers = result.predict(frame, probabilities=True)
    assert list(answers.columns) == ["tree", "p(old)", "p(young)"]
    assert list(answers.index) == list(frame.index)
    np.testing.assert_allclose(answers[["p(old)", "p(young)"]].sum(axis=1), 1)
    assert type(result.predict(polars_frame())).__module__.startswith("polars")
    assert list(result.predict(COLUMNS)["tree"]) == list(answers["tree"])


@pytest.mark.parametrize(
    "row",
    [
        {"girth": 8.5, "leaf": "lobed"},
        [{"leaf": "lobed", "girth": 8.5, "tree": "?", "note": 1}],
        [8.5, "lobed"],
        [[8.5, "lobed"]],
        {"Girth": ["8.5"], " leaf": ["lobed"]},
    ],
    ids=repr,
)
def test_a_single_row_has_its_answer(result, row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert list(result.predict(row)["tree"]) == ["old"]


def test_what_is_decided_about_new_rows_is_a_warning(result):
    with pytest.warns(UserWarning, match="1 missing cell of 'girth' is filled with") as caught:
        result.predict({"girth": [None, 2.0], "leaf": ["oval", "fan"]})
    assert "1 cell of 'leaf' holds a value that the model has never seen: 'fan'" in str(caught[0].message)
    assert caught[0].filename == __file__
    with pytest.raises(InputError, match="the cell is missing"):
        result.predict({"girth": [None, 2.0], "leaf": ["oval", "oval"]}, strict=True)


def test_cells_of_every_kind_are_read():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "kind": pandas.Categorical([None, "a", "b", "a"] * 6),
            "whole": pandas.array([1, None, 3, 4] * 6, dtype="Int64"),
            "known": pandas.array([True, False, None, True] * 6, dtype="boolean"),
            "day": pandas.Timestamp("2024-01-01") + pandas.to_timedelta(np.arange(24), "D"),
            "took": pandas.to_timedelta([5, 60, 7, 8] * 6, "s"),
            "size": [1.5, 2.5, 3.5, np.nan] * 6,
        }
    )
    found = dr.experiment(frame, "size", epochs=1, test=0)
    names = found.net.encoding.inputs.feature_names
    assert names == ("kind=a", "kind=b", "whole", "known", "day.days", "day.weekday", "took")
    inputs = found.dataset.inputs
    assert len(found.dataset) == 18
    np.testing.assert_array_equal(inputs.column("took")[:3], [5, 60, 7])
    assert np.isnan(inputs.column("known")[2])
    assert {"no-target", "missing", "dates"} <= {item.kind for item in found.decisions}


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_missing_cells_are_missing_in_every_library(library):
    pytest.importorskip(library)
    pandas = pytest.importorskip("pandas")
    cells = {
        "whole": pandas.array([1, None, 3], dtype="Int64"),
        "text": pandas.array(["a", None, "b"], dtype="string"),
        "class": pandas.Categorical(["u", None, "v"]),
        "day": pandas.to_datetime(["2020-01-01", None, "2021-02-03"]),
        "known": pandas.array([True, None, False], dtype="boolean"),
    }
    frame = pandas.DataFrame(cells)
    if library == "polars":
        frame = pytest.importorskip("polars").from_pandas(frame)
    elif library == "pyarrow":
        frame = pytest.importorskip("pyarrow").Table.from_pandas(frame)
    table = dr.datasets.read_table(dr.datasets.MemoryTable.of(frame))
    names = ("whole", "text", "class", "day.days", "known")
    assert [table.missing(name).tolist() for name in names] == [[False, True, False]] * 5
    assert table.column("class").tolist() == ["u", None, "v"]


@pytest.mark.parametrize("of", [lambda rows: rows, list, lambda rows: {"a": rows[:, 0], "b": rows[:, 1]}])
def test_what_is_masked_is_missing(of):
    rows = np.ma.masked_greater(np.arange(6.0).reshape(3, 2), 3.5)
    table = dr.datasets.read_table(dr.datasets.MemoryTable.of(of(rows)))
    assert [table.missing(name).tolist() for name in table.names] == np.ma.getmaskarray(rows).T.tolist()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"test_size": 0.2, "random_state": 7}, "write test=0.2; experiment() has no 'random_state'"),
        ({"random_state": 7}, "no 'random_state': write seed=7"),
        ({"hidden_layer_sizes": (8,)}, "write hidden=(8,)"),
        ({"lr": 0.1}, "write learning_rate=0.1"),
        ({"label": "tree"}, "write target='tree'"),
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"epochs": 2.5}, "epochs must be a whole number"),
        ({"hidden": "20,20"}, "hidden must be a whole number"),
        ({"test": 20}, "test must be a share of the rows"),
        ({"kind": {"girth": "float"}}, "unknown kind 'float'"),
        ({"missing": "zero"}, "missing must be one of 'refuse', 'drop'"),
        ({"header": 0}, "header must be one of True, False or None, got 0"),
        ({"ragged": "keep"}, "ragged must be one of 'drop', 'fill'"),
        ({"target": "treee"}, "did you mean 'tree'"),
        ({"target": TREE[:5]}, "has 5 cells, but there are 48 rows"),
        ({"output": "sigmoid", "loss": "cross_entropy", "target": "leaf"}, "all outputs go to 1"),
        ({"output": "relu", "target": "girth"}, "a target that relu cannot produce"),
    ],
    ids=lambda value: str(list(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_cannot_be_is_refused_with_what_would_do(arguments, reason):
    with pytest.raises(InputError) as caught:
        dr.experiment(COLUMNS, **{"target": "tree", "epochs": 1} | arguments)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "source", [None, 3, [], {}, {"a": 1, "b": [1, 2]}, [[1, 2], [3]], {"a": [], "b": []}], ids=repr
)
def test_what_is_no_table_is_refused(source):
    with pytest.raises(InputError):
        dr.experiment(source)


def test_names_that_others_have_for_methods_are_answered(result):
    with pytest.raises(AttributeError, match=r"write predict\(rows, probabilities=True\)"):
        result.predict_proba(COLUMNS)
    with pytest.raises(AttributeError, match=r"^'ExperimentResult' object has no attribute 'colour'$"):
        _ = result.colour
    assert not hasattr(result.model, "score")
    with pytest.raises(InputError, match="write optimizer='adam"):
        dr.train(dr.Network([2, 1]), [[0, 1]], [1], lr=0.1)
    with pytest.raises(InputError, match=r"write learning_rate=0\.1"):
        dr.Adam(lr=0.1)


# ---------------------------------------------------------------- the report


def test_the_report_and_its_text_say_the_same(result):
    report, text = result.to_dict(), str(result)
    assert report == json.loads(json.dumps(report))
    held = report["test"]
    right = np.asarray(result.tested.true == result.tested.predicted)
    assert held["spread"] == pytest.approx(right.std() / np.sqrt(len(right)))
    assert f"{held['accuracy']:.4f} ± {held['spread']:.4f}" in text
    for item in report["classes"]:
        true, found = result.tested.true == item["class"], result.tested.predicted == item["class"]
        assert item["rows"] == true.sum()
        assert item["precision"] == pytest.approx((true & found).sum() / found.sum())
        assert item["recall"] == pytest.approx((true & found).sum() / true.sum())
    names, counts = np.unique(result.trained_rows.target, return_counts=True)
    assert report["baseline"]["answer"] in names[counts == counts.max()]
    always = result.tested.true == report["baseline"]["answer"]
    assert report["baseline"]["accuracy"] == always.mean()
    assert report["rows"] == {"used": N, "left_out": 0}
    assert [column["features"] for column in report["columns"]] == [1, 3]
    assert report["optimizer"] in str(result.trained.optimizer.spec)
    for said in (
        "40 epochs",
        "seed 0",
        "decreasing along a cosine",
        "always answering",
        "NumPy",
        "one-hot: leaf",
    ):
        assert said in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_the_spread_of_r2_is_the_one_of_the_jackknife():
    found = dr.experiment(COLUMNS, "girth", epochs=30, test=0.4)
    true, predicted = found.tested.true, found.tested.predicted

    def r2(rows):
        return 1 - ((true - predicted)[rows] ** 2).mean() / true[rows].var()

    n = len(true)
    left_out = np.array([r2(np.arange(n) != row) for row in range(n)])
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    assert found.to_dict()["test"]["spread"] == pytest.approx(jackknife, rel=0.15)
    error = np.abs(true - predicted).mean()
    assert found.to_dict()["test"]["mean_error"] == pytest.approx(error)
    guessed = np.abs(true - found.trained_rows.target.mean()).mean()
    assert found.to_dict()["baseline"]["mean_error"] == pytest.approx(guessed)


def test_pictures_are_drawn_to_files_and_as_figures(result, tmp_path):
    pytest.importorskip("matplotlib")
    result.plot(tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert len(result.plot().axes) == 3


# ---------------------------------------------------------------- rows that trained


def test_a_saved_model_knows_the_rows_that_trained_it(result, path, tmp_path):
    result.save(tmp_path / "m")
    model = dr.load_model(tmp_path / "m")
    assert model.evaluate(path).trained_share == pytest.approx(
        result.net.encoding.trained.known(row_digests(*result.net.encoding.encode(result.dataset, 1)))
    )
    held = model.evaluate(
        {name: [row[name] for row in RECORDS if row not in trained_records(result)] for name in COLUMNS}
    )
    assert held.trained_share == 0
    assert "trained the model" not in str(held)
    seen = model.evaluate({name: [row[name] for row in trained_records(result)] for name in COLUMNS})
    assert seen.trained_share == 1
    assert "these rows trained the model" in str(seen)
    assert f"held out at the time, accuracy was {result.tested.score:.4f}" in " ".join(str(seen).split())
    assert seen.held_out == {"rows": 12, "accuracy": result.tested.score, "folds": 1}


def trained_records(result):
    inputs, target = result.trained_rows.inputs, result.trained_rows.target
    rows = zip(inputs.column("girth"), inputs.column("leaf"), target, strict=True)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def test_a_file_that_remembers_no_rows_is_read_and_tells_nothing(tmp_path, path):
    net = dr.experiment(path, "tree", epochs=1, test=0).net
    net.encoding = dr.Encoding(net.encoding.inputs, net.encoding.target)  # as older files have it
    assert "trained" not in net.description()["encoding"]
    net.save(tmp_path / "m")
    found = dr.load_model(tmp_path / "m").evaluate(path)
    assert (found.trained_share, found.held_out) == (None, None)
    assert "trained the model" not in str(found)


def test_of_many_rows_the_share_that_is_known_is_estimated():
    X, Y = rng.normal(size=(20_000, 3)), rng.normal(size=(20_000, 1))
    digests = row_digests(X, Y)
    assert len(set(digests.tolist())) == 20_000
    kept = TrainedRows.of(digests[:16_000], "r2", 0, None, 1)
    assert len(kept.digests) == 1024
    assert kept.known(digests[16_000:]) == 0
    assert kept.known(digests[:16_000]) == 1
    assert kept.known(digests) == pytest.approx(0.8, abs=0.05)
    assert (row_digests(X[::-1], Y[::-1])[::-1] == digests).all()


# ---------------------------------------------------------------- looked into, explained


def test_an_input_is_shown_with_where_it_comes_from(result):
    row = {"girth": 4.1, "leaf": "lobed"}
    girth = result.net.encoding.inputs.columns[0]
    by_hand = (4.1 - girth.shift) / girth.scale
    text = str(result.inspect(row))
    assert f"(4.1 − {girth.shift:.6g})/{girth.scale:.6g} = {by_hand:.6g}".replace("-", "−") in text
    assert "i2  leaf=lobed   1   (leaf is 'lobed')" in text
    derivation = result.explain(row, "forward")
    assert "The row, as the network takes it" in str(derivation)
    assert "These are 0: leaf=needle, leaf=oval." in str(derivation)
    assert "o1 for young" in str(derivation).replace("\n", " ")
    assert "the network's own answers" in derivation.document.title
    nodes = [node for column in derivation.document.blocks[1].drawing.columns for node in column.nodes]
    assert ("cell", "4.1") in nodes[0].values
    assert nodes[-1].name == "o1 young"


def test_a_filled_cell_is_said_where_an_input_comes_from(result):
    encoding = result.net.encoding
    table = dr.datasets.MemoryTable.of({"girth": [None], "leaf": ["fan"]})
    first, *leaf = row_origins(encoding, read_rows(table, encoding))
    assert (first.cell, first.note) == (
        "",
        f"the cell is missing, and counts as {encoding.inputs.columns[0].fill!r}",
    )
    assert all(str(origin.sides[0]) == "0" for origin in leaf)


def test_every_neuron_is_a_line_of_eighty_columns(result):
    lines = str(result.inspect(row=3)).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if line.startswith("  h")] == [f"h{j}" for j in range(1, 7)]
    wide = str(dr.experiment("digits", epochs=1, test=0.5, validation=0).inspect(row=1)).splitlines()
    assert max(map(len, wide)) <= 80
    assert any("more weights of each" in line for line in wide)


def test_a_row_that_is_not_there_and_a_name_for_rows_are_refused(result):
    with pytest.raises(InputError, match="there is no row 99: the table has 48 rows"):
        result.explain(row=99)
    with pytest.raises(InputError, match="write what='w1'"):
        result.explain("w1")
    with pytest.raises(DataFileError, match="there is no column 'leaf'"):
        result.predict({"girth": 1.0})
    with pytest.raises(InputError, match="load_model"):
        result.net.predict([["8.5", "lobed", "a", "b"]])


def test_a_pattern_is_predicted_as_its_files_are(tmp_path):
    rows = [{"size": n / 4, "kind": "SL"[n > 9]} for n in range(20)]
    model = dr.experiment(rows, target="kind", epochs=5, progress=False).model
    names = [tmp_path / f"{part}.csv" for part in "ab"]
    for number, name in enumerate(names):
        name.write_text("size\n" + "".join(f"{row['size']}\n" for row in rows[number::2]), encoding="utf-8")
    found = model.predict(str(tmp_path / "*.csv"), probabilities=True)
    apart = [model.predict(name, probabilities=True) for name in names]
    assert list(found) == ["kind", "p(L)", "p(S)"]
    for column, values in found.items():
        np.testing.assert_array_equal(values, np.concatenate([one[column] for one in apart]))


def test_a_row_of_a_model_is_a_worked_example():
    result = dr.experiment("iris", hidden=2, epochs=2, test=0, progress=False)
    example = result.model.example("iris", row=17)
    assert example.title.endswith("row 17 of iris")
    X, Y = result.net.encoding.encode(dr.datasets.load("iris").take([16]), 3)
    np.testing.assert_array_equal(example.X, X)
    np.testing.assert_array_equal(example.Y, Y)
    np.testing.assert_array_equal(example.network().predict(X), result.net.predict(X))
