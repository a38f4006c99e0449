"""Reading an ONNX graph of dense layers: node by node, what each tensor is in terms of a network.

A tensor is a constant, or `TracedLayers`: the layers so far, and what has been computed of the last one's
``z``, as values at a few points. So an activation is recognised by what it computes, however it is composed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deltarule.data.encoding.fields import shown
from deltarule.errors import InputError, ModelFileError
from deltarule.exchange.imported_network import ImportedNetwork
from deltarule.exchange.onnx_operators import applied, array_of, layers_behind
from deltarule.exchange.onnx_values import ChosenLabels, ClassProbabilities, TracedLayers, UnreadableNode
from deltarule.registry import import_extra

_READ = (
    "what can be read: dense layers (Gemm, or MatMul and Add) with deltarule's activations, scaling before "
    "and after them, labels"
)

#: More nodes than any row of dense layers needs.
_MOST_NODES = 10_000

#: A tensor may be the weights of several layers, but a small file must not become a huge network.
_MOST_SHARED = 4


def read_graph(graph: Any, n_bytes: int) -> ImportedNetwork:
    """Return the network that a GraphProto of ``n_bytes`` bytes computes.

    Raises InputError if it is anything but dense layers in a row (the message names the node);
    ModelFileError if the graph is damaged.
    """
    return _Reader(graph, n_bytes).network()


class _Reader:
    """Goes through the nodes in order; ``tensors`` says what each tensor is."""

    def __init__(self, graph: Any, n_bytes: int) -> None:
        self.onnx, self.graph = import_extra("onnx", "onnx"), graph
        self.bytes_left = _MOST_SHARED * n_bytes
        self.tensors: dict[str, Any] = {}

    def network(self) -> ImportedNetwork:
        if len(self.graph.node) > _MOST_NODES:
            raise InputError(
                f"the graph has {len(self.graph.node):,} nodes, more than {_MOST_NODES:,}; {_READ}"
            )
        if len(self.graph.sparse_initializer):
            raise InputError(f"the graph holds sparse weights; {_READ}")
        for tensor in self.graph.initializer:
            self.tensors[tensor.name] = array_of(tensor)
        inputs = [info for info in self.graph.input if info.name not in self.tensors]
        if len(inputs) != 1:
            names = ", ".join(shown(info.name) for info in inputs[:5]) or "none"
            raise InputError(f"the graph must have one input, got {names}; {_READ}")
        self.tensors[inputs[0].name] = TracedLayers()
        sizes = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim][1:]
        declared = math.prod(sizes) if sizes and all(size > 0 for size in sizes) else None
        for node in self.graph.node:
            self._read_node(node)
        network = self._from_outputs()
        taken = len(network.layers[0].W)
        if declared not in (None, taken):
            raise InputError(
                f"the graph declares {declared} numbers as its input, but its first layer takes {taken}"
            )
        return network

    def _read_node(self, node: Any) -> None:
        try:
            values = [self._tensor(name) for name in node.input]
            attributes = {part.name: self.onnx.helper.get_attribute_value(part) for part in node.attribute}
            if node.domain not in ("", "ai.onnx", "ai.onnx.ml"):
                raise UnreadableNode(f"is of {shown(node.domain)}")
            if node.op_type in ("Gemm", "MatMul") and isinstance(values[1], np.ndarray):
                self.bytes_left -= values[1].nbytes
                if self.bytes_left < 0:
                    raise ModelFileError("the graph uses the same weights too often")
            made = applied(node.op_type, values, attributes)
        except UnreadableNode as error:
            name = shown(node.name or ", ".join(node.output))
            raise InputError(f"node {name} ({shown(node.op_type)}) {error}; {_READ}") from None
        if node.output:
            self.tensors[node.output[0]] = made

    def _tensor(self, name: str) -> Any:
        if name and name not in self.tensors:
            raise ModelFileError(f"a node uses {shown(name)}, which nothing before it produces")
        return self.tensors[name] if name else None

    def _from_outputs(self) -> ImportedNetwork:
        """What the graph's outputs have in common."""
        results = [self._tensor(info.name) for info in self.graph.output]
        of_layers = TracedLayers | ClassProbabilities | ChosenLabels
        if not all(isinstance(result, of_layers) for result in results):
            raise InputError(f"an output of the graph does not come from its input; {_READ}")
        outputs = [result for result in results if not isinstance(result, ChosenLabels)] or results
        found = [layers for layers in map(layers_behind, outputs) if layers is not None]
        if not found:
            raise InputError(f"the graph has no outputs of a network; {_READ}")
        if not all(layers.gives(found[0]) for layers in found):
            raise InputError(f"the graph gives several different outputs; {_READ}")
        try:
            network: ImportedNetwork = found[0].network(self._classes(results))
            return network
        except UnreadableNode as error:
            raise InputError(f"{error}; {_READ}") from None

    def _classes(self, results: list[Any]) -> Any:
        """The labels of the outputs; with a Binarizer a row can have several, so that they are no classes."""
        if any(node.op_type == "Binarizer" for node in self.graph.node):
            return None
        known = (getattr(result, "classes", None) for result in results)
        return next((classes for classes in known if classes is not None), None)
