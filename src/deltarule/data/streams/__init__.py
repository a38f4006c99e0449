"""Data that do not fit into memory: read piece by piece, understood alike, encoded, and mixed in windows.

Reading order: pieces, files; columnar, text, others, finding; rows, memory, windows, data_stream.
"""

from __future__ import annotations

from deltarule.data.streams.data_stream import Stream, stream
from deltarule.data.streams.files import is_pattern
from deltarule.data.streams.windows import Block

__all__ = ["Block", "Stream", "is_pattern", "stream"]
