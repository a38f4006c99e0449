"""One change in a right backward pass is seen and its line is told; what changes nothing is not accused."""

from collections import Counter

import pytest

from deltarule.diagnosis.observation import observe

from .mutant_bases import BASES
from .mutants import is_right_line, mutants_of


def count(tmp_path, each):
    """Count mutants: wrong, seen, on the right line, unchanged, accused."""
    counts, told = Counter(), []
    path = tmp_path / "program.py"
    for name, text in BASES.items():
        for mutant in mutants_of(name, text, each):
            path.write_text(mutant.text, encoding="utf-8")
            seen = observe(path)
            is_seen = seen.verdict == "wrong"
            counts["wrong" if mutant.is_wrong else "unchanged"] += 1
            if not mutant.is_wrong:
                counts["accused"] += is_seen
            elif is_seen:
                counts["seen"] += 1
                counts["line"] += is_right_line(mutant, seen.faults[0])
            if is_seen != mutant.is_wrong or (is_seen and not is_right_line(mutant, seen.faults[0])):
                told.append(f"{name}: {mutant.kind}, line {mutant.line}: {seen}")
    return counts, "\n".join(told)


@pytest.mark.parametrize("name", BASES)
def test_the_programs_are_right(name, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(BASES[name], encoding="utf-8")
    assert observe(path).verdict == "right"


def test_a_mutant_of_each_program(tmp_path):
    counts, told = count(tmp_path, 1)
    assert sum(counts[one] for one in ("wrong", "unchanged")) == 10
    assert counts["accused"] == 0, told
    assert counts["seen"] >= 0.9 * counts["wrong"], told


@pytest.mark.slow
def test_four_hundred_mutants(tmp_path):
    counts, told = count(tmp_path, 45)
    assert sum(counts[one] for one in ("wrong", "unchanged")) >= 400
    assert counts["accused"] == 0, told
    assert counts["seen"] >= 0.95 * counts["wrong"], told
    assert counts["line"] >= 0.85 * counts["wrong"], told
