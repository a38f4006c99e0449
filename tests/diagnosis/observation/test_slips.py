"""A line that Python cannot read is told, and the rest is judged where it is plain how that line is meant."""

import pytest

from .programs import PROGRAMS

RIGHT = PROGRAMS["script"]
LOOP = next(line for line in RIGHT.splitlines() if line.startswith("for "))
LAST = RIGHT.rstrip().splitlines()[-1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (LOOP, LOOP.rstrip(":"), "expected ':'"),
        (LOOP, f"{LOOP}  # as often as needed".replace(":", "", 1), "expected ':'"),
        (LOOP, f"def greet(name):\nprint('hello')\n{LOOP}", "expected an indented block"),
        (LOOP, f"rates = [0.1])\n{LOOP}", "unmatched ')'"),
        (LOOP, f"rate = = 0.1\n{LOOP}", "invalid syntax"),
        (LOOP, f"def more(rate=:0.1):\n    return rate\n{LOOP}", "invalid syntax"),
    ],
)
def test_a_line_that_is_no_python_is_the_mistake(old, new, said, watch):
    seen = watch(RIGHT.replace(old, new))
    assert [fault.kind for fault in seen.faults] == ["syntax"]
    assert said in str(seen)
    first = next(k for k, line in enumerate(seen.lines.values()) if line)
    assert list(seen.lines.values())[first] in new


def test_the_rest_is_judged_too(watch):
    wrong = (
        RIGHT.replace(LOOP, LOOP.rstrip(":")).replace("W1 -= ", "W1 += ").replace("W1 = W1 - ", "W1 = W1 + ")
    )
    assert wrong.count("\n") == RIGHT.count("\n")
    kinds = [fault.kind for fault in watch(wrong).faults]
    assert kinds[0] == "syntax"
    assert len(kinds) > 1


@pytest.mark.parametrize(
    "text",
    [
        "this is no program\nit is a letter\nwith many lines\nof which none is Python\n",
        f"{RIGHT}\nprint(sum(range(3)",
        RIGHT.replace(LOOP, "print 'it begins'\nexec 'a = 1'\n" + LOOP),
        RIGHT.replace(LOOP, "print('a’)\n" + LOOP),
        "rate = = 0.1\n",
    ],
)
def test_what_is_no_program_or_only_copied_badly_is_not_called_wrong(text, watch):
    seen = watch(text)
    assert seen.verdict == "cannot judge"
    assert "this is not Python" in seen.obstacle


def test_what_python_2_raises_and_compares_is_translated(watch):
    old = f"if len(X) <> 7:\n    raise ValueError, 'what is this'\n{LOOP}"
    assert watch(RIGHT.replace(LOOP, old)).right
