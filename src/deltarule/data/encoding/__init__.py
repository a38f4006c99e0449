"""From raw rows to the numbers a network takes, and from its outputs back to labels and units.

An encoding is fitted on the training rows and saved inside the model file, so that a model takes raw rows.
Reading order: fields, scaling, inputs, targets, trained_rows, encoding, summaries, fitting.
"""

from __future__ import annotations

from deltarule.data.encoding.encoding import Encoding
from deltarule.data.encoding.fitting import MISSING, EncodingFit, fit_encoding
from deltarule.data.encoding.inputs import CategoryColumn, ColumnsEncoding, NumberColumn, PixelsEncoding
from deltarule.data.encoding.scaling import SCALES
from deltarule.data.encoding.targets import LabelEncoding, NumbersEncoding
from deltarule.data.encoding.trained_rows import TrainedRows, row_digests
from deltarule.data.table import Origin, Table

__all__ = [
    "MISSING",
    "SCALES",
    "CategoryColumn",
    "ColumnsEncoding",
    "Encoding",
    "EncodingFit",
    "LabelEncoding",
    "NumberColumn",
    "NumbersEncoding",
    "Origin",
    "PixelsEncoding",
    "Table",
    "TrainedRows",
    "fit_encoding",
    "row_digests",
]
