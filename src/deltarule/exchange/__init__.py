"""To other programs and from them: ONNX, source files, other libraries' networks."""

from __future__ import annotations
