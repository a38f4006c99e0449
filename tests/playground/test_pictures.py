"""The README's pictures are what its commands show: drawn anew, they look the same."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from .browser import CHROMIUM

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium")]


def test_pictures_of_the_readme_are_made_by_its_commands(browser, tmp_path):
    from PIL import Image

    tool = runpy.run_path(str(ROOT / "tools" / "pictures.py"))
    tool["draw"](browser, tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"docs/pictures/([\w.]+)", readme)) == set(tool["PICTURES"])
    for name in tool["PICTURES"]:
        made, kept = (
            np.asarray(Image.open(folder / name).convert("RGB"), float)
            for folder in (tmp_path, ROOT / "docs" / "pictures")
        )
        assert made.shape == kept.shape, name
        # Drawn anew, a picture differs by 0.05; the derivation of the next weight, w6, differs by 1.
        assert np.abs(made - kept).mean() < 0.5, name
