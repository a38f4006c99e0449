"""A network from an ONNX file, our own or another program's. Nothing in the file is executed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.errors import DeltaruleError, ModelFileError
from deltarule.exchange.imported_network import ImportedNetwork
from deltarule.exchange.onnx_graph import read_graph
from deltarule.exchange.onnx_operators import array_of
from deltarule.exchange.portable_network import portable_network
from deltarule.exchange.to_onnx import MOST_BYTES, PRODUCER, network_graph
from deltarule.nn.network import Network
from deltarule.registry import import_extra

#: What reading numbers and names from a file that may hold anything can raise.
_DAMAGE = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError)


def read_onnx(source: str | os.PathLike[str] | bytes) -> Any:
    """Return the ModelProto of an ONNX file, or of its bytes; its weights are not touched.

    Raises ModelFileError if it is none, or larger than one file can be; MissingExtraError if onnx is not
    installed.
    """
    onnx = import_extra("onnx", "onnx")
    data = source if isinstance(source, bytes) else _file_bytes(Path(source))
    name = "the bytes given" if isinstance(source, bytes) else str(source)
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:
        raise ModelFileError(f"{name} cannot be read as ONNX: {error}") from None
    if not (model.ir_version and model.graph.node):
        raise ModelFileError(f"{name} cannot be read as ONNX: it holds no graph")
    return model


def _file_bytes(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe would be waited for
            raise ModelFileError(f"cannot read {path}: there is no such file")
        if path.stat().st_size > MOST_BYTES:
            raise ModelFileError(f"{path} is larger than an ONNX file can be")
        return path.read_bytes()
    except (OSError, ValueError, MemoryError) as error:
        raise ModelFileError(f"cannot read {path}: {error}") from None


def network_of_model(model: Any) -> Network | None:
    """Return the network that deltarule wrote, with all that belongs to it.

    None where the file is not ours, carries no description, or has been changed: its graph must be the one
    that is written of the network described.
    """
    properties = _our_properties(model)
    if "description" not in properties:
        return None
    try:
        description = json.loads(properties["description"])
        arrays = {tensor.name: array_of(tensor) for tensor in model.graph.initializer}
        parts = []
        for number, layer in enumerate(description["layers"], start=1):
            kept = {"neuron": None, "shared": 1, "none": 0}[layer["bias"]]
            parts += [arrays[f"W{number}"].ravel(), arrays[f"b{number}"].ravel()[:kept]]
        net = Network.from_description(
            "the model", description, {"parameters": np.concatenate(parts), "frozen": np.empty(0, np.int64)}
        )
        return net if network_graph(portable_network(net)) == model.graph else None
    except (DeltaruleError, *_DAMAGE):
        return None


def imported_from_model(model: Any) -> ImportedNetwork:
    """Return what the graph computes, whoever wrote it; where that was deltarule, with its names.

    Raises InputError if it is anything but dense layers in a row (the message names the node);
    ModelFileError if the file is damaged.
    """
    try:
        imported = read_graph(model.graph, model.ByteSize())
        names = ("features", "outputs", "loss")
        features, targets, loss = (json.loads(_our_properties(model).get(name, "null")) for name in names)
        if features == [f"x{number}" for number in range(len(features or []))]:  # they had none
            features = targets = None
        if imported.classes is not None:
            targets = None
        return replace(imported, features=features, targets=targets, loss=loss)
    except DeltaruleError:
        raise
    except (*_DAMAGE, MemoryError) as error:
        raise ModelFileError(f"the ONNX graph is damaged: {error}") from None


def _our_properties(model: Any) -> dict[str, str]:
    """What a file of ours says beside its graph."""
    if model.producer_name != PRODUCER:
        return {}
    return {entry.key: entry.value for entry in model.metadata_props}
