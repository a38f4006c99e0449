"""Networks to export, and what the runtimes of ONNX make of the files."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule import Network
from deltarule.data.encoding import Encoding, Table
from deltarule.exchange.portable_network import portable_network
from deltarule.exchange.to_onnx import onnx_bytes

__all__ = [
    "ACTIVATION_NAMES",
    "RUNTIMES",
    "answers",
    "by_onnxruntime",
    "by_reference",
    "close",
    "exported",
    "rows",
]

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
reference = pytest.importorskip("onnx.reference")

ACTIVATION_NAMES = [
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "leaky_relu(0.2)", "elu", "elu(0.7)", "exp", "gelu",
    "silu", "softplus", "softmax",
]  # fmt: skip


def exported(net: Network, title: str = "a network") -> bytes:
    """The file, with all that belongs to the network, sound as onnx's checker says."""
    data = onnx_bytes(portable_network(net), title, net.description())
    onnx.checker.check_model(onnx.load_model_from_string(data), full_check=True)
    return data


def by_onnxruntime(data, X):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": X}), strict=True))


def by_reference(data, X):
    evaluator = reference.ReferenceEvaluator(onnx.load_model_from_string(data))
    with np.errstate(all="ignore"):  # its sigmoid computes both branches
        return dict(zip(evaluator.output_names, evaluator.run(None, {"X": X}), strict=True))


RUNTIMES = {"onnxruntime": by_onnxruntime, "reference": by_reference}


def rows(net: Network, n: int = 1000, spread: float = 2.0, seed: int = 0):
    """Raw rows of the network's number type."""
    X = np.random.default_rng(seed).standard_normal((n, net.sizes[0])) * spread
    return X.astype(net.dtype)


def answers(net: Network, X):
    """The network's outputs for raw rows."""
    encoding: Encoding | None = net.encoding
    if encoding is None:
        return net.predict(X)
    names = encoding.inputs.feature_names
    raw = X if hasattr(encoding.inputs, "flatten") else Table.of_matrix(X.astype(float), names)
    return net.predict(encoding.inputs.encode(raw, net.dtype))


def close(found, expected) -> bool:
    """Within 1e-6 in float32, 1e-12 in float64, of numbers about 1 or of the numbers' size."""
    limit = 1e-6 if found.dtype == np.float32 else 1e-12
    return found.shape == expected.shape and bool(
        (np.abs(found - expected) <= limit * np.maximum(1, np.abs(expected))).all()
    )
