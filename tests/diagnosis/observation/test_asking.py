"""Arguments that ask what they should be: right programs are right, wrong ones wrong."""

import re

import pytest

from .asking_programs import FAST, PROGRAMS


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name, marks=() if name in FAST else pytest.mark.slow)
        for name, text in PROGRAMS.items()
    ],
)
def test_what_is_done_with_an_argument_tells_what_it_is(watch, text):
    for group, verdict in ((r"\1", "right"), (r"\2", "wrong")):
        seen = watch(re.sub(r"«(.*?)\|(.*?)»", group, text, flags=re.S))
        assert seen.verdict == verdict, str(seen)
