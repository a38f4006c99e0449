"""A program as text, observed."""

import pytest

from deltarule.diagnosis.observation import observe


@pytest.fixture
def watch(tmp_path):
    def run(text, name="program.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return observe(path)

    return run
