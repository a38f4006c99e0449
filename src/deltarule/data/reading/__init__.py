"""A file of any kind becomes names of columns, their cells, and the lines on which rows begin.

Reading order: cells, headers, raw_table; containers, text_encodings, frames, fixed_width,
delimited, libsvm, key_values, other_sources, markup, sql_dump, arrow_stream, bulk, memory,
named_arrays, number_lists; files.
"""

from __future__ import annotations

from deltarule.data.reading.cells import MISSING_CELLS, NONE, Cells, is_missing, plain_number
from deltarule.data.reading.containers import FORMATS
from deltarule.data.reading.files import is_database, read_data, read_file
from deltarule.data.reading.memory import MemoryTable
from deltarule.data.reading.named_arrays import LabelledArrays, labelled_arrays, read_array_file
from deltarule.data.reading.raw_table import RawTable, ReadingOptions, plain_name

__all__ = [
    "FORMATS",
    "MISSING_CELLS",
    "NONE",
    "Cells",
    "LabelledArrays",
    "MemoryTable",
    "RawTable",
    "ReadingOptions",
    "is_database",
    "is_missing",
    "labelled_arrays",
    "plain_name",
    "plain_number",
    "read_array_file",
    "read_data",
    "read_file",
]
