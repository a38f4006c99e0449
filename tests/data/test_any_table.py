"""One table as others write it: in containers, numbers in other clothes, frames around it; the same cells."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deltarule.data import read_table
from deltarule.data.table import Table

N = 60
SIZE = [round(3.25 + row * 37 % 53 / 4, 2) for row in range(N)]
PRICE = [1_000 + row * 7_919 % 88_000 for row in range(N)]
WOOD = [["ash", "elm", "oak"][row * 5 % 3] for row in range(N)]
KIND = ["ab"[row * 3 % 7 > 3] for row in range(N)]
NAMES = ("size", "price", "wood", "kind")
LINES = [",".join(NAMES), *(f"{s},{p},{w},{k}" for s, p, w, k in zip(SIZE, PRICE, WOOD, KIND, strict=True))]
CSV = "\n".join(LINES) + "\n"


def check_same(table: Table, price: list[float] | None = None, wood: list[str] | None = None) -> None:
    np.testing.assert_allclose(table.column("size"), SIZE)
    np.testing.assert_allclose(table.column("price"), PRICE if price is None else price)
    assert table.column("wood").tolist() == (WOOD if wood is None else wood)


def zipped(name: str, text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, text)
    return content.getvalue()


def ods() -> bytes:
    space, rows = "urn:oasis:names:tc:opendocument:xmlns:", ""
    for line in LINES:
        rows += "<table:table-row>"
        for cell in line.split(","):
            number = cell.replace(".", "").isdigit()
            kind = (
                f'office:value-type="float" office:value="{cell}"' if number else 'office:value-type="string"'
            )
            rows += f"<table:table-cell {kind}><text:p>{cell}</text:p></table:table-cell>"
        rows += "</table:table-row>"
    content = (
        f'<office:document-content xmlns:office="{space}office:1.0" xmlns:table="{space}table:1.0" '
        f'xmlns:text="{space}text:1.0"><office:body><office:spreadsheet><table:table table:name="one">{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("content.xml", content)
        file.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{space}manifest:1.0"/>')
    return archive.getvalue()


ARFF = (
    "% by hand\n@RELATION trees\n@ATTRIBUTE size NUMERIC\n@attribute price integer\n"
    "@ATTRIBUTE wood {ash,elm,oak}\n@ATTRIBUTE kind {a,b}\n@DATA\n" + "\n".join(LINES[1:])
)


def _made_by_pandas(name: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        pandas = pytest.importorskip("pandas")
        pytest.importorskip({"excel": "openpyxl"}.get(name, "pyarrow"))
        columns = dict(zip(NAMES, (SIZE, PRICE, WOOD, KIND), strict=True))
        settings = {"index": False} if name == "excel" else {}
        getattr(pandas.DataFrame(columns), f"to_{name}")(path, **settings)

    return write


def sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("create table trees (size real, price integer, wood text, kind text)")
    connection.executemany("insert into trees values (?, ?, ?, ?)", zip(SIZE, PRICE, WOOD, KIND, strict=True))
    connection.commit()
    connection.close()


FILES: dict[str, bytes | Callable[[Path], object]] = {
    "rows.csv.gz": gzip.compress(CSV.encode()),
    "rows.csv.bz2": bz2.compress(CSV.encode()),
    "rows.csv.xz": lzma.compress(CSV.encode()),
    "rows.zip": zipped("rows.csv", CSV),
    "rows.ods": ods(),
    "ods.csv": ods(),
    "rows.arff": ARFF.encode(),
    "rows.sqlite": sqlite,
    "rows.db": sqlite,
    "rows.xlsx": _made_by_pandas("excel"),
    "rows.parquet": _made_by_pandas("parquet"),
    "rows.feather": _made_by_pandas("feather"),
}


@pytest.mark.parametrize("name", FILES)
def test_containers_hold_the_same_table(tmp_path: Path, name: str) -> None:
    content, path = FILES[name], tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    check_same(read_table(path))


CLOTHES: dict[str, Callable[[int], str]] = {
    "thousands": lambda p: f'"{p:,}"',
    "dollars": lambda p: f'"${p:,}.00"',
    "euros": lambda p: f"{p} €",
    "a code": lambda p: f'"USD {p:,}"',
    "spaces": lambda p: f"{p:,}".replace(",", " "),
    "spaces that do not break": lambda p: f"{p:,}".replace(",", "\u00a0"),
    "apostrophes": lambda p: f"{p:,}".replace(",", "'"),
    "points and a decimal comma": lambda p: '"' + f"{p:,}".replace(",", ".") + ',00"',
    "powers of ten": lambda p: f"{p:.6e}",
    "plus": lambda p: f"+{p}",
    "a unit": lambda p: f"{p} kg",
    "percent": lambda p: f"{p}%",
}


@pytest.mark.parametrize("name", CLOTHES)
def test_numbers_in_other_clothes_are_the_same_numbers(tmp_path: Path, name: str) -> None:
    path, put_on = tmp_path / "rows.csv", CLOTHES[name]
    path.write_text(
        "\n".join(
            [
                LINES[0],
                *(f"{s},{put_on(p)},{w},{k}" for s, p, w, k in zip(SIZE, PRICE, WOOD, KIND, strict=True)),
            ]
        ),
        encoding="utf-8",
    )
    check_same(read_table(path))


def between(delimiter: str) -> str:
    return CSV.replace(",", delimiter)


FRAMES = {
    "trailing delimiters": "".join(f"{line},\n" for line in LINES),
    "empty columns and rows": "".join(f"{line},,\n" for line in LINES) + ",,,,,\n\n",
    "comments": f"# by hand\n# 2024\n{CSV}",
    "a title": f"Trees of the valley\n\n{CSV}",
    "sep=": "sep=;\n" + between(";"),
    "a footer": f"{CSV}\nSource: the forester\n",
    "a total": f"{CSV}Total,{sum(PRICE)},,\n",
    "runs of spaces": "".join(" ".join(f"{cell:<9}" for cell in line.split(",")) + "\n" for line in LINES),
    "a space before quotes": "".join(
        ", ".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in LINES
    ),
    "single quotes": CSV.replace("ash", "'ash'").replace("elm", "'elm'").replace("oak", "'oak'"),
    "carriage returns": CSV.replace("\n", "\r"),
    "tabs": between("\t"),
    "pipes": between("|"),
    "a decimal comma": between(";").replace(".", ","),
    "a decimal comma and tabs": between("\t").replace(".", ","),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_around_a_table_are_seen_through(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.txt"
    path.write_text(FRAMES[name], encoding="utf-8", newline="")
    check_same(read_table(path))


@pytest.mark.parametrize(
    "token", ["?", "-", ".", "NA", "n/a", "N/A", "NaN", "NULL", "none", "", "#N/A", "<NA>"]
)
def test_tokens_of_missing_cells(tmp_path: Path, token: str) -> None:
    lines = [
        line.replace(line.split(",")[1], token, 1) if row in (3, 9) else line
        for row, line in enumerate(LINES)
    ]
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    table = read_table(tmp_path / "rows.csv")
    assert np.flatnonzero(table.missing("price")).tolist() == [2, 8]
    check_same(table, price=[np.nan if row in (2, 8) else price for row, price in enumerate(PRICE)])


def test_a_category_called_as_footers_are_keeps_its_rows(tmp_path: Path) -> None:
    """The last rows begin with "Average", which is how attractive they were found."""
    looks = ["Fair"] * 10 + ["Poor"] * 10 + ["Average"] * 4
    rows = ["look,years,serious,kind", *(f"{look},{i % 7},{i % 5},{i % 3}" for i, look in enumerate(looks))]
    path = tmp_path / "jury.csv"
    path.write_text("\n".join(rows))
    assert len(read_table(path)) == 24
    path.write_text("\n".join(rows[:22]))  # a single one is the average of the others
    assert len(read_table(path)) == 20
