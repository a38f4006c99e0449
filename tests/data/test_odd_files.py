"""Files put together by hand: encodings mixed, Swiss thousands, quoted names, columns by their number."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from deltarule.data import ReadingOptions, load
from deltarule.errors import DataFileError

TOWNS = "Größe,Stadt,grün\n" + "".join(
    f"{row},{('Köln', 'Zürich')[row % 2]},{row % 3}\n" for row in range(30)
)


def saved(folder: Path, content: bytes | str) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def told(dataset, kind: str) -> list[str]:
    return [decision.text for decision in dataset.decisions if decision.kind == kind]


def test_utf8_with_some_lines_of_cp1252_is_both(tmp_path: Path) -> None:
    mixed = TOWNS.encode().replace("Zürich".encode(), "Zürich".encode("cp1252"), 4)
    path = saved(tmp_path, mixed)
    found = load(path, target="grün")
    assert found.inputs.names == ("Größe", "Stadt")
    assert set(found.inputs.column("Stadt")) == {"Köln", "Zürich"}
    assert told(found, "encoding") == ["the text is read as utf-8+cp1252"]
    same = load(path, target="grün", options=ReadingOptions(encoding="utf-8+cp1252"))
    assert set(same.inputs.column("Stadt")) == {"Köln", "Zürich"}
    with pytest.raises(DataFileError, match="use --encoding utf-8\\+cp1252"):
        load(path, target="grün", options=ReadingOptions(strict=True))


@pytest.mark.parametrize("encoding", ["cp1252", "cp1250", "utf-8"])
def test_one_encoding_is_not_taken_for_two(tmp_path: Path, encoding: str) -> None:
    found = load(saved(tmp_path, TOWNS.encode(encoding)), target="grün")
    assert found.inputs.names == ("Größe", "Stadt")
    assert "+" not in "".join(told(found, "encoding"))


@pytest.mark.parametrize(
    ("encodings", "words"),
    [
        ("utf-16 cp1252 cp850 mac_roman", "größe naïve"),
        ("cp1252 cp850 mac_roman", "été forêt garçon"),
        ("cp1250 iso8859_2", "święty łódź żółty mąka"),
        ("cp1250 iso8859_2", "čaj šuma žuto"),
        ("cp1254", "kırmızı yeşil ağaç"),
        ("cp1254", "İzmir Muğla Kütahya Iğdır"),
        ("cp1251", "красный зелёный синий"),
        ("gb18030", "红色的花 绿色的草 蓝色的海"),
        ("big5", "紅色的花 綠色的草 藍色的海"),
        ("euc_kr", "빨간색꽃 초록색풀 파란색바다"),
        ("shift_jis", "赤い花です 緑の草です 青い海です"),
    ],
)
def test_the_encoding_of_a_few_words_is_recognised(tmp_path: Path, encodings: str, words: str) -> None:
    listed = words.split()
    text = "a,colour,y\n" + "".join(f"{row / 2},{listed[row % len(listed)]},{row % 2}\n" for row in range(60))
    for encoding in encodings.split():
        found = load(saved(tmp_path, text.encode(encoding)), target="y")
        assert found.inputs.column("colour")[: len(listed)].tolist() == listed, encoding
        assert len(told(found, "encoding")) == 1


def test_an_apostrophe_between_thousands_is_no_unit(tmp_path: Path) -> None:
    rows = "".join(f"{row}'000;{row * 2}'{row + 100};5'{row % 10};{row / 4}\n" for row in range(10, 40))
    found = load(saved(tmp_path, "pay;rent;height;y\n" + rows), target="y")
    assert found.inputs.column("pay")[:2].tolist() == [10_000.0, 11_000.0]
    assert found.inputs.column("rent")[:2].tolist() == [20_110.0, 22_111.0]


def test_names_in_single_quotes_between_spaces_lose_them(tmp_path: Path) -> None:
    rows = "".join(f"{row} {row / 7:.3f} {row % 2}\n" for row in range(20))
    found = load(saved(tmp_path, "'OBS' 'GPA' 'GRADE'\n" + rows))
    assert (found.inputs.names[-1], found.target_names) == ("GPA", ("GRADE",))


@pytest.mark.parametrize(
    ("position", "name"), [("3", "grün"), ("-1", "grün"), ("1", "Größe"), ("-3", "Größe")]
)
def test_a_target_may_be_named_by_its_number(tmp_path: Path, position: str, name: str) -> None:
    found = load(saved(tmp_path, TOWNS), target=position)
    assert found.target_names == (name,)
    assert told(found, "name-matched") == [f"column {name!r} is used as {position!r}"]


@pytest.mark.parametrize("position", ["0", "4", "-4", "1.5", "007"])
def test_a_number_of_no_column_is_refused(tmp_path: Path, position: str) -> None:
    with pytest.raises(DataFileError, match=f"there is no column '{position}'"):
        load(saved(tmp_path, TOWNS), target=position)


def test_a_column_called_by_a_number_goes_before_its_position(tmp_path: Path) -> None:
    found = load(saved(tmp_path, "3,b,1\n" + "".join(f"{row},x{row % 2},{row * row}\n" for row in range(9))),
                 target="3", options=ReadingOptions(header=True))  # fmt: skip
    assert found.inputs.names == ("b", "1")


@pytest.mark.parametrize(
    "page", ["<!DOCTYPE html><p>x", "\n<html><table>", '<?xml version="1.0"?>', "<table><tr>"]
)
def test_a_page_is_no_table(tmp_path: Path, page: str) -> None:
    with pytest.raises(DataFileError, match="without a table"):
        load(saved(tmp_path, page + "\na,b\n1,2\n"))


@pytest.mark.parametrize("url", ["https://example.org/t.csv", "ftp://example.org/t.csv", "s3://bucket/t.csv"])
def test_the_web_is_not_asked(url: str) -> None:
    with pytest.raises(DataFileError, match="download the file"):
        load(url)


def test_a_column_that_is_the_target_in_other_words_is_told(tmp_path: Path) -> None:
    rows = "".join(
        f"{row},{row % 3},{'abc'[row % 3]},{row % 2},{row % 7 / 10 + 2:.1f},{'xyz'[row % 3]}\n"
        for row in range(40)
    )
    path = saved(tmp_path, "size,code,letter,even,weight,kind\n" + rows)
    assert [text.partition(" ")[0] for text in told(load(path), "tells-all")] == ["'code'", "'letter'"]
    assert told(load(path, target="even"), "tells-all") == []
    grams = "".join(
        f"{row % 5},{row % 7 / 10 + 2:.1f},{(row % 7 / 10 + 2) * 1000 + 4:.0f}\n" for row in range(40)
    )
    path = saved(tmp_path, "size,weight,grams\n" + grams)
    assert [text.partition(" ")[0] for text in told(load(path, task="regression"), "tells-all")] == [
        "'weight'"
    ]


ROWS = [f"{20 + row % 7 / 4},{30 + row * 7 % 60},{('ok', 'warn')[row % 2]}" for row in range(60)]
NAMES = "temp,hum,state"
ABOVE = {
    "titles of two cells": "Instrument: XY-200\nSerial;12345\nDate;2021-03-04\n\n",
    "thirty titles": "".join(f"Key{row}: value {row}\n" for row in range(30)),
    "twelve pairs": "".join(f"key{row};value{row}\n" for row in range(12)),
    "titles filled up": "Station;Zermatt;\nLatitude;46.02;\nLongitude;7.75;\n",
    "exclamation marks": "! by hand\n! in May\n",
    "prose": "".join(f"This is line {row} of words, and more words\n" for row in range(50)),
}


@pytest.mark.parametrize("kind", ABOVE)
def test_what_stands_above_a_table_is_passed_over(tmp_path: Path, kind: str) -> None:
    table = "\n".join([NAMES, *ROWS]).replace(",", ";") + "\n"
    found = load(saved(tmp_path, ABOVE[kind] + table))
    assert (found.inputs.names, found.target_names, len(found)) == (("temp", "hum"), ("state",), 60)
    (text,) = told(found, "lines")
    assert text.startswith(f"{sum(map(bool, ABOVE[kind].splitlines()))} lines")


def test_a_long_preface_of_words_over_columns_of_spaces(tmp_path: Path) -> None:
    preface = "NIST StRD\n" + "".join(
        f"Procedure number {row} explains, at length, a model\n" for row in range(55)
    )
    found = load(saved(tmp_path, preface + "".join(f"{row / 7:10.3f} {row * row:8d}\n" for row in range(50))))
    assert (len(found), len(found.inputs.names)) == (50, 1)


def test_lines_drawn_and_counts_of_rows_are_no_rows(tmp_path: Path) -> None:
    printed = "TEMP   HUM STATE\n------ --- -----\n" + "\n".join(row.replace(",", "  ") for row in ROWS)
    found = load(saved(tmp_path, printed + "\n\n(60 rows affected)\n"))
    assert (len(found), found.classes) == (60, ("ok", "warn"))
    ruled = "| temp | hum | state |\n|------|----:|:------|\n" + "".join(
        "| " + row.replace(",", " | ") + " |\n" for row in ROWS
    )
    found = load(saved(tmp_path, ruled))
    assert (len(found), found.inputs.names, found.classes) == (60, ("temp", "hum"), ("ok", "warn"))


def test_lines_of_dashes_alone_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("---,---\n,\n===,---\n")
    with pytest.raises(DataFileError, match=r"rows.csv:1:1: no line of the file is a row"):
        load(path)


def test_a_tar_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    with tarfile.open(tmp_path / "rows.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "rows.csv", "rows.csv")
    with pytest.raises(DataFileError, match="this is a tar archive; in a terminal: tar -xf"):
        load(tmp_path / "rows.tar.gz")
