"""Dumps of databases, as the programs that make them write them: their rows are a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deltarule.data import ReadingOptions, load, read_table
from deltarule.errors import DataFileError

ROWS = [(n, n / 2, ("it's", "two; words", "c)d")[n % 3], ("big", "small")[n < 9]) for n in range(18)]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def values(form: str) -> list[str]:
    return [form.format(a, "NULL" if a == 4 else b, quoted(c), quoted(d)) for a, b, c, d in ROWS]


MYSQL = (
    "-- MySQL dump 10.13\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `crabs`;\n"
    "CREATE TABLE `crabs` (\n  `age` int NOT NULL DEFAULT '0',\n  `width` decimal(9,2),\n"
    "  `note` varchar(9),\n  `kind` text,\n  PRIMARY KEY (`age`)\n) ENGINE=InnoDB;\n"
    "LOCK TABLES `crabs` WRITE;\n"
    f"INSERT INTO `crabs` VALUES {','.join(values('({},{},{},{})'))};\nUNLOCK TABLES;\n"
).replace("''s", "\\'s")
SQLITE = (
    "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"
    "CREATE TABLE other (a int);\nINSERT INTO other VALUES(1);\n"
    'CREATE TABLE IF NOT EXISTS "crabs" (age INTEGER, width REAL, note TEXT, kind TEXT);\n'
    + "".join(values('INSERT INTO "crabs" VALUES({},{},{},{});\n'))
    + "COMMIT;\n"
)
SERVER = "SET ANSI_NULLS ON\nGO\n" + "".join(
    values(
        "INSERT [dbo].[crabs] ([age], [width], [note], [kind]) VALUES (CAST({} AS int), {}, N{}, N{})\nGO\n"
    )
)
POSTGRES = (
    "--\n-- PostgreSQL database dump\n--\nSET client_encoding = 'UTF8';\n"
    "CREATE TABLE public.crabs (\n    age integer,\n    width double precision,\n"
    "    note text,\n    kind text\n);\n"
    "COPY public.crabs (age, width, note, kind) FROM stdin;\n"
    + "".join("\t".join([str(a), "\\N" if a == 4 else str(b), c, d]) + "\n" for a, b, c, d in ROWS)
    + "\\.\n"
)


@pytest.mark.parametrize(
    "text", [MYSQL, SQLITE, SERVER, POSTGRES], ids=["mysql", "sqlite", "server", "postgres"]
)
def test_the_rows_of_a_dump_are_a_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(text)
    table = read_table(path, options=ReadingOptions(table="crabs"))
    assert table.names == ("age", "width", "note", "kind")
    widths = [np.nan if a == 4 else b for a, b, _, _ in ROWS]
    np.testing.assert_array_equal(table.column("age"), [a for a, *_ in ROWS])
    np.testing.assert_array_equal(table.column("width"), widths)
    assert table.column("note").tolist() == [c for _, _, c, _ in ROWS]
    crabs = load(path, target="kind")
    assert (len(crabs), crabs.classes) == (18, ("big", "small"))
    assert crabs.inputs.origin.lines[0] <= 1 + text[: text.index("it")].count("\n")


def test_a_row_of_another_width_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(SQLITE.replace("(7,", "(7,7,"))
    with pytest.raises(DataFileError, match=r"dump.sql:13: expected 4 values, got 5"):
        read_table(path)
    path.write_text(SQLITE.partition("INSERT")[0])
    with pytest.raises(DataFileError, match="contains no table"):
        read_table(path)
