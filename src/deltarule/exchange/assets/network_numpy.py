"""__HEAD__

Where this file is called net.py:

    import net
    __CALLS__
"""

import csv
import re  # if reads_cells
import sys
from datetime import datetime, timedelta  # if has_dates

import numpy as np

# __ARRAYS__
# __FUNCTIONS__
# __CELLS__
# if has_softmax


def softmax(z):
    """__FORMULA__, shifted, so that nothing overflows."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
# endif


def inputs(rows):
    """Rows as layer 1 takes them."""
    rows = np.asarray(rows, dtype=object)  # if has_columns
    rows = np.reshape([features(row) for row in rows.reshape(-1, rows.shape[-1])], (*rows.shape[:-1], -1))  # if has_columns
    x = np.asarray(rows, dtype=np.float64)
    if x.shape[-1:] != (len(FEATURES),):
        raise ValueError(f"expected {len(FEATURES)} numbers in a row, got shape {x.shape}")
    x = np.where(np.isnan(x), FILL, x)  # if has_fill
    x = (x - SHIFT) / SCALE  # if is_scaled
    if not np.isfinite(x).all():
        column = np.argwhere(~np.isfinite(x))[0, -1]
        raise ValueError(f"{FEATURES[column]} is not a finite number")
    return x  # if !is_float32
    return x.astype(np.float32)  # if is_float32


def predict_outputs(rows):
    """The __OUTPUTS__ of the network for a row, or for each of many rows."""
    x = inputs(rows)
    # __LAYERS__
    return __LAST__


def predict(rows):
    """The class of a row, or of each of many: that of the largest output."""  # if largest_class
    return CLASSES[predict_outputs(rows).argmax(axis=-1)]  # if largest_class
    """The class of a row, or of each of many: the second where the output is above 0.5, else the first."""  # if second_class
    return CLASSES[(predict_outputs(rows)[..., 0] > 0.5).astype(int)]  # if second_class
    """The outputs for a row, or for each of many, in their units."""  # if in_units
    return predict_outputs(rows) * OUT_SCALE + OUT_SHIFT  # if in_units
    """The outputs for a row, or for each of many."""  # if bare_outputs
    return predict_outputs(rows)  # if bare_outputs


# Test cases.
# __CASES__
TOLERANCE = __TOLERANCE__


def close(got, expected):
    """Whether the numbers of each row are what they should be, but for rounding."""
    return (np.abs(got - expected) <= TOLERANCE * np.maximum(1, np.abs(expected))).all(axis=-1)


def test():
    """The exit status: 0 where all test cases give what they should, else 1."""
    outputs = predict_outputs(TEST_ROWS)
    right = close(outputs, TEST_OUTPUTS)
    right &= predict(TEST_ROWS) == TEST_ANSWERS  # if has_classes
    right &= close(predict(TEST_ROWS), TEST_ANSWERS)  # if in_units
    for case in np.flatnonzero(~right):
        print(f"FAILED: test case {case}: expected {TEST_OUTPUTS[case]}, got {outputs[case]}")
    if right.all():
        print(f"ok: {len(TEST_ROWS)} test cases")
    return 0 if right.all() else 1
