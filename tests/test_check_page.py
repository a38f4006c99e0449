"""docs/check.md: the example's report is what the page shows."""

import re
from pathlib import Path

from deltarule.diagnosis.observation import observe

PAGE = Path(__file__).parent.parent / "docs" / "check.md"


def block(name):
    return re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S).group(1)


def test_the_page_shows_the_report_of_its_example(tmp_path):
    path = tmp_path / "my_backprop.py"
    path.write_text(block("program"), encoding="utf-8")
    assert str(observe(path)) == block("report").rstrip("\n")
