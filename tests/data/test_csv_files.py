"""CSV files of every kind of damage: each one is read right, or refused with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deltarule.data import ReadingOptions, read_table
from deltarule.data.table_files import load_table
from deltarule.errors import DataFileError

STRICT = ReadingOptions(strict=True)
PLAIN = "height,colour,y\n1.5,red,0\n2.5,blue,1\n3.5,red,0\n4.5,blue,1\n"


def write(folder: Path, text: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path, **options: object) -> DataFileError:
    with pytest.raises(DataFileError) as caught:
        load_table(path, options=STRICT, missing="refuse", **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return caught.value


def place(error: DataFileError) -> tuple[int | None, int | None]:
    return error.line, error.column


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace("\n", "\n\n"),
        "\n\n" + PLAIN.replace(",", ";"),
        PLAIN.replace(",", " , "),
        PLAIN.rstrip("\n"),
        PLAIN.replace("red", '"red"').replace("height", '"height"'),
    ],
    ids=[
        "plain", "crlf", "cr", "bom", "semicolon", "tab", "bar", "decimal-comma", "blank-lines",
        "blank-start", "spaces",        "no-last-newline", "quotes",
    ],
)  # fmt: skip
def test_every_dialect_gives_the_same_table(tmp_path: Path, text: str) -> None:
    table = read_table(write(tmp_path, text))
    assert table.names == ("height", "colour", "y")
    assert table.column("height").tolist() == [1.5, 2.5, 3.5, 4.5]
    assert table.column("colour").tolist() == ["red", "blue", "red", "blue"]
    assert table.column("y").dtype == np.float64


def test_quoted_commas_quotes_and_newlines_belong_to_the_cell(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, 'a,"b, c"\n"1,5 ""big""",2\n"two\nlines",3\n'))
    assert table.names == ("a", "b, c")
    assert table.column("a").tolist() == ['1,5 "big"', "two\nlines"]


def test_lines_count_the_newlines_within_quotes(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, 'a,y\n"two\nlines",1\nb,\n'))
    assert place(error) == (4, 2)


def test_blank_lines_count_as_lines(tmp_path: Path) -> None:
    assert place(refusal(write(tmp_path, "a,y\n\n1,2\n\n3\n"))) == (5, 2)


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        (b"", (1, 1), "the file is empty"),
        (b"\xef\xbb\xbf\n\n", (1, 1), "the file is empty"),
        (b"a,y\n", (1, 1), "no rows follow"),
        (b"a,b,a\n1,2,3\n", (1, 3), "two columns called 'a'"),
        (b"a,,y\n1,2,3\n", (1, 2), "no name"),
        (b"5.1,3.5,setosa\n4.9,3.0,setosa\n", (1, 1), "must name the columns"),
        (b"a,b,y\n1,2,3\n1,2\n", (3, 3), "expected 3 fields as in the header, got 2"),
        (b"a,b,y\n1,2,3\n1,2,3,4\n", (3, 4), "expected 3 fields as in the header, got 4"),
        (b"a,y\n1,0\ncaf\xe9,1\n", (3, 1), "not UTF-8 (byte 0xe9)"),
        (b'a,b,y\n1,"x, y",caf\xe9\n', (2, 3), "not UTF-8"),
        (b"\xef\xbb\xbfa,y\n1,2\n\xe9,3\n", (3, 1), "not UTF-8 (byte 0xe9)"),
        (b"a,y\r1,2\r3,\xe9\r", (3, 2), "not UTF-8"),
        ("a,y\n1,2\n".encode("utf-16"), (1, 1), "not UTF-8"),
        (b'a,b,y\n1,2,3\n4,"5,6\n7,8,9\n', (3, 2), "unexpected end of data"),
        (b'a,b,y\n1,"x"z,3\n', (2, 2), "expected after"),
        (b"a,b,y\n1," + b"x" * 1_000_000 + b",3\n", (2, 2), "field larger than field limit"),
        (b'a,b,y\n1,2,"' + b"x,\n" * 400_000 + b'"\n', (2, 3), "field larger than field limit"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_at_its_place(
    tmp_path: Path, text: bytes, where: tuple[int, int], reason: str
) -> None:
    path = write(tmp_path, text)
    error = refusal(path)
    assert place(error) == where
    assert reason in error.reason
    assert str(error).startswith(f"{path}:{where[0]}:{where[1]}: ")


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("a,y\n1,0\ninf,1\n", (3, 1), "expected a finite number, got inf"),
        ("a,y\n1,0\n1e999,1\n", (3, 1), "expected a finite number, got 1e999"),
        ("a,y\n1,0\n2,\n", (3, 2), "the target is missing"),
        ("a,y\n1,0.5\n2,-inf\n", (3, 2), "expected a finite number"),
        ("a,b,y\n1,,0\n2,NA,1\n", (2, 2), "all its cells are missing"),
        ("a,y\n1.5,0\n2.5x,1\n3.5,0\n", (3, 1), "as most cells of column 'a' are, got '2.5x'"),
        ("a,y\n1_000,0\n2,1\n3,1\n", (2, 1), "got '1_000'"),
        ("a,when,y\n1,2024-01-05,0\n3,2024-02-01 12:30,1\n", (2, 2), "such as '2024-01-05'"),
        ("a,when,y\n1,31/12/2024,0\n2,1/1/2025,1\n", (2, 2), "derive numbers from them"),
        ("a,when,y\n1,12:30,0\n2,13:45:01,1\n", (2, 2), "dates and times"),
    ],
)  # fmt: skip
def test_a_cell_of_no_use_is_refused_at_its_place(
    tmp_path: Path, text: str, where: tuple[int, int], reason: str
) -> None:
    error = refusal(write(tmp_path, text))
    assert place(error) == where
    assert reason in error.reason


def test_an_identifier_is_refused_with_the_advice_to_drop_it(tmp_path: Path) -> None:
    rows = "".join(f"name {row},{row / 7},{row % 2}\n" for row in range(30))
    path = write(tmp_path, "who,size,y\n" + rows)
    error = refusal(path)
    assert place(error) == (2, 1)
    assert "30 different values in 30 rows" in error.reason
    assert "drop it" in error.reason
    assert load_table(path, drop="who").inputs.names == ("size",)


def test_what_is_dropped_may_hold_anything(tmp_path: Path) -> None:
    path = write(tmp_path, "ticket,when,a,y\n1,2024-01-01,5,0\n2x,2024-01-02,6,1\n3,2024-01-03,7,0\n")
    assert load_table(path, drop=["ticket", "when"]).inputs.names == ("a",)
    assert load_table(path, drop="ticket, when").inputs.names == ("a",)


@pytest.mark.parametrize("cell", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?"])
def test_missing_cells_are_known_by_many_names(tmp_path: Path, cell: str) -> None:
    table = read_table(write(tmp_path, f"a,b,c\n1.5,red,1\n{cell},{cell},2\n"))
    assert table.missing("a").tolist() == [False, True]
    assert table.missing("b").tolist() == [False, True]
    assert table.column("b").tolist() == ["red", None]


def test_a_row_of_another_width_is_refused_where_it_is_all_there_is(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=":2:2: expected 3 fields as in the header, got 1"):
        load_table(write(tmp_path, "a,b,y\n1\n"))


@pytest.mark.parametrize("cut", [30, 60, 100])
@pytest.mark.parametrize("name", ["gz", "bz2", "xz", "zip"])
def test_a_cut_archive_is_refused(tmp_path: Path, name: str, cut: int) -> None:
    import bz2
    import gzip
    import io
    import lzma
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("rows.csv", PLAIN)
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zip": lambda _: packed.getvalue()}
    data = pack[name]((PLAIN * 9).encode())
    with pytest.raises(DataFileError):
        load_table(write(tmp_path, data[: len(data) * cut // 101], f"rows.{name}"))


def test_true_and_false_are_booleans(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a,b,c\nTrue,FALSE,true\nfalse,TRUE,\n"))
    assert table.column("a").dtype == bool
    assert table.column("b").tolist() == [False, True]
    np.testing.assert_array_equal(table.column("c"), [1.0, np.nan])


def test_a_table_of_text_alone_is_read(tmp_path: Path) -> None:
    dataset = load_table(write(tmp_path, "a,b\nx,yes\nz,no\nx,yes\n"))
    assert dataset.classes == ("no", "yes")
    assert dataset.inputs.column("a").tolist() == ["x", "z", "x"]


def test_a_comma_in_a_text_beside_semicolons_stays(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a;b\n1,5;x,y\n2,5;z\n"))
    assert table.column("a").tolist() == [1.5, 2.5]
    assert table.column("b").tolist() == ["x,y", "z"]


def test_known_kinds_decide_over_the_cells(tmp_path: Path) -> None:
    path = write(tmp_path, "code,size,other\n1,2,x\n2,3,4\n")
    table = read_table(path, {"code": "text", "size": "number"})
    assert table.column("code").tolist() == ["1", "2"]
    assert table.column("size").tolist() == [2.0, 3.0]
    assert table.column("other").tolist() == ["x", "4"]
    assert read_table(path, {"other": "number"}).missing("other").tolist() == [True, False]
    with pytest.raises(DataFileError, match=r":2:3: expected a number, as most .*, got 'x'"):
        read_table(path, {"other": "number"}, STRICT)


@pytest.mark.parametrize("kind", ["nothing", "folder"])
def test_what_is_not_a_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.csv"
    if kind == "folder":
        path.mkdir()
    assert "cannot be read" in refusal(path).reason


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "x.csv")
    assert "not a file" in refusal(tmp_path / "x.csv").reason
