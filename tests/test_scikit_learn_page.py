"""docs/scikit-learn.md: its code runs and prints what the page says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

pytest.importorskip("onnx")

PAGE = Path(__file__).parents[1] / "docs" / "scikit-learn.md"


@pytest.mark.slow
def test_the_page_prints_what_it_says():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried > 40
    assert failed == 0
