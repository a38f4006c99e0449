"""Data that do not fit into memory: read piece by piece, understood alike, encoded, and mixed in windows.

Reading order: pieces, files; columnar, text, others, same_columns, finding; memory, rows, windows,
data_stream.
"""

from __future__ import annotations

from deltarule.data.streams.data_stream import Stream, read_pieces, stream
from deltarule.data.streams.files import is_pattern
from deltarule.data.streams.pieces import PicturePiece
from deltarule.data.streams.rows import MergedDecisions
from deltarule.data.streams.windows import Block

__all__ = ["Block", "MergedDecisions", "PicturePiece", "Stream", "is_pattern", "read_pieces", "stream"]
