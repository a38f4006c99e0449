"""__HEAD__

Where this file is called net.py:

    import net
    __CALLS__
"""

import csv
import math
import re  # if reads_cells
import sys
from datetime import datetime, timedelta  # if has_dates

# __ARRAYS__
# if calls_exp


def exp(x):
    """e^x, infinite where it is too large."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf
# endif
# if calls_log


def log(x):
    """The natural logarithm, −∞ of 0."""
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan
# endif
# if calls_square_root


def square_root(x):
    """The square root."""
    return math.sqrt(x) if x >= 0 else math.nan
# endif
# if calls_power


def power(x, y):
    """x^y, infinite where it is too large."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        return math.inf if x == 0 else math.nan
# endif
# if calls_divide


def divide(x, y):
    """x/y, infinite where y is 0."""
    return x / y if y != 0 else x * math.copysign(math.inf, y)
# endif


def weighted_sums(x, W, b):
    """x @ W + b: for each neuron, the sum of the inputs times its column of W, and its bias."""
    return [sum(xi * w for xi, w in zip(x, column)) + bias for column, bias in zip(zip(*W), b)]
# __FUNCTIONS__
# __CELLS__
# if has_softmax


def softmax(z):
    """__FORMULA__, shifted, so that nothing overflows."""
    top = max(z)
    e = [math.exp(zk - top) for zk in z]
    total = sum(e)
    return [ek / total for ek in e]
# endif


def inputs(row):
    """A row as layer 1 takes it."""
    row = features(row)  # if has_columns
    if len(row) != len(FEATURES):
        raise ValueError(f"expected {len(FEATURES)} numbers, got {len(row)}")
    row = [fill if math.isnan(v) else v for v, fill in zip(row, FILL)]  # if has_fill
    x = [(v - shift) / scale for v, shift, scale in zip(row, SHIFT, SCALE)]  # if is_scaled
    x = list(row)  # if !is_scaled
    for name, number in zip(FEATURES, x):
        if not math.isfinite(number):
            raise ValueError(f"{name} is not a finite number")
    return x


def predict_outputs(row):
    """The __OUTPUTS__ of the network for a row."""
    x = inputs(row)
    # __LAYERS__
    return __LAST__


def predict(row):
    """The class of a row: that of the largest output."""  # if largest_class
    outputs = predict_outputs(row)  # if largest_class
    return CLASSES[outputs.index(max(outputs))]  # if largest_class
    """The class of a row: the second where the output is above 0.5, else the first."""  # if second_class
    return CLASSES[1 if predict_outputs(row)[0] > 0.5 else 0]  # if second_class
    """The outputs for a row, in their units."""  # if in_units
    return [y * scale + shift for y, scale, shift in zip(predict_outputs(row), OUT_SCALE, OUT_SHIFT)]  # if in_units
    """The outputs for a row."""  # if bare_outputs
    return predict_outputs(row)  # if bare_outputs


# Test cases.
# __CASES__
TOLERANCE = __TOLERANCE__


def close(got, expected):
    """Whether numbers are what they should be, but for rounding."""
    return all(abs(g - e) <= TOLERANCE * max(1, abs(e)) for g, e in zip(got, expected))


def test():
    """The exit status: 0 where all test cases give what they should, else 1."""
    failed = 0
    for case, row in enumerate(TEST_ROWS):
        right = close(predict_outputs(row), TEST_OUTPUTS[case])
        right = right and predict(row) == TEST_ANSWERS[case]  # if has_classes
        right = right and close(predict(row), TEST_ANSWERS[case])  # if in_units
        if not right:
            print(f"FAILED: test case {case}: expected {TEST_OUTPUTS[case]}, got {predict_outputs(row)}")
            failed = 1
    if not failed:
        print(f"ok: {len(TEST_ROWS)} test cases")
    return failed
