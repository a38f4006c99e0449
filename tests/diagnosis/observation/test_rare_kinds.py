"""Programs of rare kinds are never accused where they are right, and found where they are wrong."""

import pytest

from .rare_programs import PROGRAMS

FAST = (
    "a number that is clipped",
    "a random output",
    "limited steps",
    "all words around one",
    "other arrays",
)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        pytest.param(*rest, id=name, marks=() if name in FAST else pytest.mark.slow)
        for name, *rest in PROGRAMS
    ],
)
def test_a_rare_kind_is_judged(text, old, new, watch):
    seen = watch(text)
    assert seen.verdict == ("right" if old else "cannot judge"), str(seen)
    if old:
        assert old in text
        seen = watch(text.replace(old, new))
        assert seen.verdict == "wrong", str(seen)
