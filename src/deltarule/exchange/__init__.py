"""To other programs and from them: ONNX, source files, other libraries' networks."""

from __future__ import annotations

from deltarule.exchange.exporting import export
from deltarule.exchange.importing import import_network

__all__ = ["export", "import_network"]
