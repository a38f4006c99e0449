"""docs/experiment.md: its code runs and prints what the page says, but for numbers that it leaves open."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

pytest.importorskip("pandas")

PAGE = Path(__file__).parents[1] / "docs" / "experiment.md"


def test_the_page_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert tried > 15
    assert failed == 0
    assert (tmp_path / "why.html").is_file()
