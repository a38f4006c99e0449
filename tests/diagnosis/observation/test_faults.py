"""Faults: where they stand in their line, and the numbers that show them."""

import numpy as np

from .programs import PROGRAMS


def test_the_columns_are_those_of_the_expression(watch):
    text = PROGRAMS["script"].replace("dZ = dH * slope(H)", "π = 'größer'; dZ = dH * H  # wrong")
    fault = watch(text).faults[0]
    start, end = fault.columns
    assert text.split("\n")[fault.line - 1][start:end] == fault.expression == "dH * H"


def test_the_numbers_are_on_the_scale_of_the_gradient_the_worst_first(watch):
    text = PROGRAMS["script"].replace("b1 -= rate * dZ.sum(axis=0)", "b1 -= rate * 3 * dZ.sum(axis=0)")
    (fault,) = watch(text).faults
    assert len(fault.numbers) == 3
    assert all(place.startswith("b1[") for place, _, _ in fault.numbers)
    np.testing.assert_allclose(
        [found for _, found, _ in fault.numbers], [3 * wanted for *_, wanted in fault.numbers]
    )
    off = [abs(found - wanted) for _, found, wanted in fault.numbers]
    assert off == sorted(off, reverse=True)


def test_what_is_never_trained_has_zeros_beside_its_gradient(watch):
    (fault,) = watch(PROGRAMS["script"].replace("    b1 -= rate * dZ.sum(axis=0)\n", "")).faults
    assert [found for _, found, _ in fault.numbers] == [0.0, 0.0, 0.0]
    assert all(wanted for *_, wanted in fault.numbers)
