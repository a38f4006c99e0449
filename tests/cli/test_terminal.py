"""What files hold cannot command the terminal: control characters are written out."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from deltarule.cli import cli

BAD = "wid\x1b[31mth\x9b"


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli, list(map(str, arguments)))
    assert result.exit_code in (0, 2)
    return result.output


def test_control_characters_of_headers_and_labels_are_written_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = "".join(f"{row}.5,{'ab'[row % 2]}\n" for row in range(60)) + "8.5,c\x1b]0;x\x07\n" * 3
    path.write_text(f"{BAD},kind\n{rows}", encoding="utf-8")
    outputs = [
        run("train", path, "--epochs", 1, "--quiet", "--save", tmp_path / "m"),
        run("train", path, "--target", "none\x1b"),
        run("evaluate", tmp_path / "m", path),
        run("inspect", tmp_path / "m", path),
        run("data", "show", path),
        run("predict", tmp_path / "m", path),
        run("explain", tmp_path / "m", path, "a1[0]", "loss"),
        run("worksheet", tmp_path / "m", path),
        run("draw", tmp_path / "m", path, "--out", tmp_path / "m.svg"),
        run("train", path, "--epochs", 1, "--json"),
        run("evaluate", tmp_path / "m", path, "--json"),
        run("inspect", tmp_path / "m", path, "--json"),
        run("explain", tmp_path / "m", path, "loss", "--format", "json"),
    ]
    raw = [place for place, output in enumerate(outputs) if set("\x1b\x07\x9b") & set(output)]
    assert raw == []
    assert r"\x1b" in outputs[0] + outputs[1]
    assert BAD in [column["name"] for column in json.loads(outputs[-4])["columns"]]
