"""Networks for other programs and from them: ONNX, source files, other libraries.

Reading order: exporting, portable_network, cells, self_tests, source, to_python, assets (what an exported
file looks like), cell_words; importing, imported_network, other_libraries, onnx_graph, onnx_operators,
onnx_values.
"""

from __future__ import annotations

from deltarule.exchange.exporting import export
from deltarule.exchange.importing import import_network

__all__ = ["export", "import_network"]
