"""Right programs of all kinds: none is accused, and nearly all are judged."""

import pytest

from deltarule.diagnosis.observation import observe

from ..right_programs import BY_HAND, programs

GENERATED = [(name, text) for name, text in programs() if name not in BY_HAND]


def judged(text, folder):
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return observe(path)


@pytest.mark.parametrize(("name", "text"), [*GENERATED[::42], *BY_HAND.items()])
def test_a_right_program_of_any_kind_is_right(name, text, tmp_path):
    seen = judged(text, tmp_path)
    assert seen.verdict == "right", f"{name}\n{seen}"


@pytest.mark.slow
def test_of_500_right_programs_none_is_accused(tmp_path):
    verdicts = {name: judged(text, tmp_path).verdict for name, text in GENERATED}
    assert len(verdicts) == 500
    assert [name for name, verdict in verdicts.items() if verdict == "wrong"] == []
    assert sum(verdict == "right" for verdict in verdicts.values()) >= 0.95 * len(verdicts)
