"""A row is counted as the file has it, whoever shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

import deltarule as dr

ROWS = "size,kind\n" + "".join(
    f"{number / 4},{'' if number in (1, 4) else 'small' if number < 30 else 'large'}\n"
    for number in range(60)
)


def test_rows_without_a_target_count_for_explain_as_for_inspect(tmp_path: Path) -> None:
    path = tmp_path / "sizes.csv"
    path.write_text(ROWS)
    result = dr.experiment(path, epochs=2, hidden=2, test=0, seed=1)
    result.save(tmp_path / "m.safetensors")
    model = dr.load_model(tmp_path / "m.safetensors")
    for row in (1, 3, 4, 6, 60):
        size = f"{(row - 1) / 4:g}"
        assert f"({size} −" in model.inspect(path, row=row).text()
        assert f"({size} −" in model.explain(path, "z1[0]", row=row).to("text").decode()
        assert f"({size} −" in result.explain(row=row, what="z1[0]").to("text").decode()
    for row in (2, 5):
        assert f"({(row - 1) / 4:g} −" in model.inspect(path, row=row).text()
        with pytest.raises(dr.InputError, match=f"row {row} is not among the 58 rows that are used, of 60"):
            model.explain(path, "z1[0]", row=row)
    with pytest.raises(dr.InputError, match="there is no row 61: the table has 60 rows"):
        model.explain(path, "z1[0]", row=61)


def test_without_a_number_the_first_row_that_is_used_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "sizes.csv"
    path.write_text("size,kind\n99.5,\n" + ROWS.partition("\n")[2])
    result = dr.experiment(path, epochs=2, hidden=2, test=0, seed=1)
    assert "row 2 of" in result.explain(what="loss").document.title
    assert "(0 −" in result.model.explain(path, "z1[0]").to("text").decode()
