"""Which column of a table is the target, and whether it asks for classes or numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deltarule.data import ReadingOptions, load
from deltarule.data.encoding import fit_encoding
from deltarule.errors import DataFileError, InputError


def table(folder: Path, text: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("a,Species,b", "Species"),
        ("label,y,a", "label"),
        ("a,b,c", "c"),
        ("Y,a,b", "Y"),
        ("class,target,a", "target"),
    ],
)
def test_the_target_is_the_usual_name_or_the_last_column(tmp_path: Path, header: str, expected: str) -> None:
    dataset = load(table(tmp_path, f"{header}\n1,2,3\n2,3,1\n"))
    assert dataset.target_names == (expected,)
    assert f"target {expected}" in dataset.description
    assert expected not in dataset.inputs.names


def test_a_column_that_is_dropped_is_not_the_target_by_default(tmp_path: Path) -> None:
    dataset = load(table(tmp_path, "a,Species,b\n1,2,3\n2,3,1\n"), drop="Species")
    assert dataset.target_names == ("b",)
    assert dataset.inputs.names == ("a",)


@pytest.mark.parametrize("option", ["target", "drop"])
def test_an_unknown_column_is_answered_with_the_nearest(tmp_path: Path, option: str) -> None:
    path = table(tmp_path, "size,Species,kind\n1,a,u\n2,b,v\n")
    with pytest.raises(
        DataFileError, match=r"rows.csv:1: there is no column 'specie'; did you mean 'Species'\?"
    ):
        load(path, **{option: "specie"})
    with pytest.raises(DataFileError, match=r"there is no column 'species'; did you mean 'Species'\?"):
        load(path, options=ReadingOptions(strict=True), **{option: "species"})


@pytest.mark.parametrize(("name", "target"), [("note", "b"), ("label", "label")])
def test_a_column_that_is_mostly_missing_is_the_target_only_by_its_name(
    tmp_path: Path, name: str, target: str
) -> None:
    rows = "".join(f"{row},{row * 7 % 10},{row % 2 if row % 3 == 0 else ''}\n" for row in range(30))
    assert load(table(tmp_path, f"a,b,{name}\n{rows}")).target_names == (target,)


def test_different_numbers_in_the_last_column_without_header_are_the_target(tmp_path: Path) -> None:
    rows = "".join(f"{row / 3:.2f},{row % 4},{row * 37 % 101}\n" for row in range(40))
    assert load(table(tmp_path, rows)).target_names == ("c3",)


def test_a_header_alone_in_single_quotes_loses_them(tmp_path: Path) -> None:
    rows = "".join(f"{row / 3:.2f},{row % 4},{row * 37 % 101}\n" for row in range(40))
    assert load(table(tmp_path, f"'a','b (m)','c'\n{rows}")).inputs.names == ("a", "b (m)")


def test_nothing_left_as_input_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "a,y\n1,0\n2,1\n")
    with pytest.raises(DataFileError, match="no columns are left as inputs"):
        load(path, drop="a")
    with pytest.raises(DataFileError, match="no columns are left as inputs"):
        load(table(tmp_path, "a\n1\n2\n"))


@pytest.mark.parametrize(
    ("cells", "task", "kind"),
    [
        (["1", "2", "3", "5", "8", "13"] * 4, "regression", "f"),  # counts, with gaps
        (["3", "4", "5", "6"] * 4, "classification", "i"),
        (["0", "7", "100"] * 4, "classification", "i"),
        (["1988", "1989", "1990", "1991"] * 4, "regression", "f"),  # years
        (["1990", "1991"] * 4, "classification", "i"),
        (["a", "b", "a"], "classification", "O"),
        (["true", "false", "true"], "classification", "b"),
        (["0", "1", "1"], "classification", "i"),
        (["3", "5"], "classification", "i"),
        (["1", "2", "3"], "regression", "f"),
        (["1", "2", "3"] * 2, "classification", "i"),
        (["-1", "1", "-1", "1"], "classification", "i"),
        (["0.5", "1", "1"], "regression", "f"),
        ([str(number) for number in range(10)] * 2, "classification", "i"),
        ([str(number) for number in range(11)] * 3, "regression", "f"),
    ],
)
def test_the_task_follows_from_the_target(tmp_path: Path, cells: list[str], task: str, kind: str) -> None:
    text = "x,y\n" + "".join(f"{row},{cell}\n" for row, cell in enumerate(cells))
    dataset = load(table(tmp_path, text))
    assert (dataset.task, dataset.target.dtype.kind) == (task, kind)


def test_the_task_can_be_chosen(tmp_path: Path) -> None:
    path = table(tmp_path, "x,y\n1,0\n2,1\n3,1\n")
    assert load(path, task="regression").target.tolist() == [0.0, 1.0, 1.0]
    assert load(path, task="regression").classes is None
    three = table(tmp_path, "x,y\n1,7\n2,8\n3,9\n")
    assert load(three, task="classification").classes == (7, 8, 9)


@pytest.mark.parametrize(
    ("text", "task", "reason"),
    [
        ("x,y\n1,a\n2,b\n", "regression", ":2:2: .*the target of a regression is a number, got 'a'"),
        (
            "x,y\n1,1\n2,1.5\n",
            "classification",
            ":3:2: .*a label is text, a boolean or a whole number, got 1.5",
        ),
        ("x,y\n1,1\n2,1.5\n", "clustering", "task must be"),
    ],
)
def test_a_task_that_does_not_fit_is_refused(tmp_path: Path, text: str, task: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        load(table(tmp_path, text), task=task)


@pytest.mark.parametrize("target", ["u,v", ["u", "v"], "u, v"])
def test_several_targets_make_a_regression(tmp_path: Path, target: str | list[str]) -> None:
    dataset = load(table(tmp_path, "x,u,v\n1,0,1\n2,1,0\n"), target=target)
    assert dataset.task == "regression"
    assert dataset.target.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert dataset.target_names == ("u", "v")
    assert dataset.inputs.names == ("x",)


def test_several_targets_must_be_numbers(tmp_path: Path) -> None:
    path = table(tmp_path, "x,u,v\n1,a,1\n2,b,0\n")
    with pytest.raises(DataFileError, match=":2:2: "):
        load(path, target="u,v")
    with pytest.raises(InputError, match="a classification has one target, got 2"):
        load(path, target="u,v", task="classification")


def test_a_column_whose_name_has_a_comma_is_one_target(tmp_path: Path) -> None:
    assert load(table(tmp_path, 'x,"u,v"\n1,a\n2,b\n'), target="u,v").target_names == ("u,v",)


def test_new_rows_are_read_as_the_model_was_trained(tmp_path: Path) -> None:
    trained = load(table(tmp_path, "code,x,y\n1,1,5\nA,2,6\nB,3,5\nB,4,6\n", "train.csv"))
    encoding = fit_encoding(trained)
    path = table(tmp_path, "note,x,code,y\n2,2,1,5\n3,3,1,6\nslip,3,1,6\n", "new.csv")
    dataset = load(path, target="y", task="classification", kinds=encoding.kinds)
    assert dataset.inputs.names == ("x", "code")
    X, Y = encoding.encode(dataset, 2)
    assert X.shape == (3, 4)
    assert Y.tolist() == [[1, 0], [0, 1], [0, 1]]


def test_new_rows_may_look_like_names_or_be_missing_where_the_model_copes(tmp_path: Path) -> None:
    codes = [f"code{number}" for number in range(12)]
    rows = "".join(f"{code},{row},{row % 2}\n" for row, code in enumerate(codes * 3))
    encoding = fit_encoding(load(table(tmp_path, "code,x,y\n" + rows, "train.csv")), missing="mean")
    rows = "".join(f"{code},,1\n" for code in codes)
    dataset = load(table(tmp_path, "code,x,y\n" + rows, "new.csv"), target="y", kinds=encoding.kinds)
    assert encoding.encode(dataset, 1)[0].shape == (12, 13)


def test_a_table_for_an_autoencoder_has_no_target(tmp_path: Path) -> None:
    dataset = load(table(tmp_path, "a,y\n1,2\n3,4\n"), target=())
    assert dataset.inputs.names == ("a", "y")
    assert (dataset.target_names, dataset.target.shape) == ((), (2, 0))
    encoding = fit_encoding(dataset, target_is_input=True)
    X, Y = encoding.encode(dataset, 2)
    np.testing.assert_array_equal(X, Y)
    assert load(tmp_path / "rows.csv", target=(), kinds=encoding.kinds).inputs.names == ("a", "y")


def test_a_column_the_model_needs_and_the_file_lacks_is_named(tmp_path: Path) -> None:
    encoding = fit_encoding(load(table(tmp_path, "width,y\n1,5\n2,6\n", "train.csv")))
    path = table(tmp_path, "Width,y\n1,5\n2,6\n", "new.csv")
    matched = load(path, target="y", kinds=encoding.kinds)
    assert matched.inputs.names == ("width",)
    assert "column 'Width' is used as 'width'" in [decision.text for decision in matched.decisions]
    path = table(tmp_path, "Widt,y\n1,5\n2,6\n", "new.csv")
    with pytest.raises(DataFileError, match=r"new.csv:1: there is no column 'width'; did you mean 'Widt'\?"):
        load(path, target="y", kinds=encoding.kinds)


def test_a_missing_cell_is_named_with_its_line_when_it_is_encoded(tmp_path: Path) -> None:
    dataset = load(table(tmp_path, "a,colour,y\n1,red,0\n,blue,1\n3,,1\n"))
    with pytest.raises(DataFileError, match=r"rows.csv:3:1: column 'a': the cell is missing"):
        fit_encoding(dataset).encode(dataset, 1)
    with pytest.raises(DataFileError, match=r"rows.csv:4:2: column 'colour': the cell is missing"):
        fit_encoding(dataset).inputs.columns[1].encode(dataset.inputs.take(np.array([2])))
    filled = fit_encoding(dataset, scale="none", missing="mean")
    assert filled.encode(dataset, 1)[0].tolist() == [[1, 0, 1], [2, 1, 0], [3, 1, 0]]


def test_a_column_that_says_whom_rows_are_about_is_not_the_target_by_default(tmp_path: Path) -> None:
    rows = "".join(f"{n % 7},{n * 3 % 11},{n // 2}\n" for n in range(40))
    path = tmp_path / "visits.csv"
    path.write_text("month,score,subject\n" + rows)
    assert load(path).target_names == ("score",)
    assert load(path, target="subject").target_names == ("subject",)
