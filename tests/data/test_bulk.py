"""Large files: DuckDB gives the very table that the reader of texts gives, or leaves the file to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deltarule.data.reading import ReadingOptions, arrow_stream, bulk
from deltarule.data.reading.delimited import read_text_table
from deltarule.data.reading.raw_table import RawTable

pytest.importorskip("duckdb")


@pytest.fixture(autouse=True)
def any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_LEAST", 0)


def both(folder: Path, text: str, options: ReadingOptions | None = None) -> tuple[RawTable | None, RawTable]:
    options = options or ReadingOptions()
    path = folder / "rows.csv"
    path.write_bytes(text.encode())
    return bulk.read_bulk(path, options), read_text_table(path, text, options)


def same(one: RawTable, two: RawTable) -> bool:
    assert (one.names, one.decimal_comma, one.headed) == (two.names, two.decimal_comma, two.headed)
    assert one.decisions == two.decisions
    assert one.lines is not None
    np.testing.assert_array_equal(one.lines, two.lines)
    for ours, theirs in zip(one.columns, two.columns, strict=True):
        assert ours.texts == theirs.texts
        if ours.numbers is not None:
            np.testing.assert_array_equal(ours.numbers, theirs.numbers)
        else:
            np.testing.assert_array_equal(ours.codes, theirs.codes)
    return True


def lines(n: int, *rows: str, at: int = 300) -> str:
    """A header, rows of numbers and words, and some rows of one's own among them."""
    made = [
        f"{row / 7!r},{row},{('ash', 'elm, old')[row % 2]!r},x{row % 5}".replace("'", '"') for row in range(n)
    ]
    return "\n".join(["a,b,tree,code", *made[:at], *rows, *made[at:]]) + "\n"


READ = {
    "plain": lines(600),
    "crlf": lines(600).replace("\n", "\r\n"),
    "no last newline": lines(600).rstrip(),
    "no header": lines(600).partition("\n")[2],
    "semicolons": lines(600).replace("elm, old", "elm").replace(",", ";"),
    "missing": lines(600, ",NA,ash,", "1.5,,?,x1"),
    "a stray": lines(600, "1.5,3+,ash,x1"),
    "spaces": lines(600, " 1.5 , 3,ash , x1 "),
    "exponents": lines(600, "1e-300,-5E+3,ash,x1", "0.1,+.5,ash,x1", "5.,17,ash,x1"),
    "doubled quotes": lines(600, '1.5,3,"the ""big"" one",x1'),
    "dates": lines(600).replace(",x", ",2024-01-0"),
    "other letters": lines(600, "1.5,3,Föhre,樹"),
}
LEFT = {
    "a row too short": lines(600, "1.5,3"),
    "a row too long": lines(600, "1.5,3,ash,x1,9"),
    "an empty row": lines(600, ",,,"),
    "a blank line": lines(600, ""),
    "a comment": "# by hand\n" + lines(600),
    "a footer": lines(600) + "Total,,,\n",
    "two lines in a cell": lines(600, '1.5,3,"ash\nelm",x1'),
    "infinity": lines(600, "inf,3,ash,x1"),
    "underscores": lines(600, "1_000,3,ash,x1"),
    "the mark at the end of texts": lines(600, "1.5,3,a\0sh,x1"),
}


@pytest.mark.parametrize("kind", READ)
def test_what_is_read_in_bulk_is_read_as_the_reader_of_texts_does(tmp_path: Path, kind: str) -> None:
    found, expected = both(tmp_path, READ[kind])
    assert found is not None
    assert same(found, expected)


@pytest.mark.parametrize("kind", LEFT)
def test_what_is_not_plain_is_left_to_the_reader_of_texts(tmp_path: Path, kind: str) -> None:
    found, expected = both(tmp_path, LEFT[kind])
    assert found is None or same(found, expected)


@pytest.mark.parametrize("seed", range(20))
def test_random_tables_are_read_alike(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = [
        "1",
        "-2.5",
        "1e9",
        "NA",
        "",
        "elm",
        "a b",
        "12%",
        "2024-01-05",
        "0007",
        "3,5",
        "true",
        " 4",
        "nan",
    ]
    kinds = [rng.choice(cells, size=rng.integers(1, 4)) for _ in range(4)]
    rows = [
        ",".join(f'"{cell}"' if "," in (cell := str(rng.choice(kind))) else cell for kind in kinds)
        for _ in range(400)
    ]
    found, expected = both(tmp_path, "p,q,r,s\n" + "\n".join(rows) + "\n", ReadingOptions(header=True))
    assert found is None or same(found, expected)


def test_a_small_file_is_not_worth_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert both(tmp_path, lines(600))[0] is None


def test_a_mark_of_the_end_far_below_the_head_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_HEAD", 1 << 12)
    monkeypatch.setattr(bulk, "_TAIL", 1 << 10)
    assert both(tmp_path, lines(600))[0] is not None
    assert both(tmp_path, lines(600, "1.5,3,a\0sh,x1", at=400))[0] is None


@pytest.mark.parametrize("longest", [20, 60])
def test_texts_that_share_a_place_of_the_table_or_are_long_stay_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    monkeypatch.setattr(arrow_stream, "_TABLE_BITS", 2)
    words = [f"{'ä ' * (n % 4)}{n % 11}b" for n in range(300)] + ["x" * longest] * 2
    found, expected = both(tmp_path, "p,q\n" + "".join(f"{n},{word}\n" for n, word in enumerate(words)))
    assert found is not None
    assert same(found, expected)
