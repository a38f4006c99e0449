"""From raw rows to the numbers a network takes, and from its outputs back to labels and units.

An encoding is fitted on the training rows and saved inside the model file, so that a model takes raw rows.
"""

from __future__ import annotations

from deltarule.encoding.fitting import MISSING, fit_encoding
from deltarule.encoding.inputs import CategoryColumn, ColumnsEncoding, NumberColumn, PixelsEncoding
from deltarule.encoding.record import Encoding, Examples
from deltarule.encoding.scaling import SCALES
from deltarule.encoding.table import Origin, Table
from deltarule.encoding.targets import LabelEncoding, NumbersEncoding

__all__ = [
    "MISSING",
    "SCALES",
    "CategoryColumn",
    "ColumnsEncoding",
    "Encoding",
    "Examples",
    "LabelEncoding",
    "NumberColumn",
    "NumbersEncoding",
    "Origin",
    "PixelsEncoding",
    "Table",
    "fit_encoding",
]
