"""Saved models, as sub-commands need them."""

from __future__ import annotations

from pathlib import Path

from deltarule.data import Dataset, is_table, load
from deltarule.data.encoding import Encoding, LabelEncoding
from deltarule.errors import ModelFileError
from deltarule.nn.network import Network

__all__ = ["load_labelled", "load_model"]


def load_model(path: Path) -> tuple[Network, Encoding]:
    """A saved network with its encoding, without which raw rows mean nothing to it."""
    net = Network.load(path)
    if net.encoding is None:
        raise ModelFileError(
            f"{path} holds no encoding of inputs and targets: it was not saved by deltarule train"
        )
    return net, net.encoding


def load_labelled(source: str, encoding: Encoding) -> Dataset:
    """Data with known answers, read as the model's encoding takes them."""
    if not is_table(source):
        return load(source)
    target = encoding.target
    if target is None:
        return load(source, target=(), kinds=encoding.kinds)
    if isinstance(target, LabelEncoding):
        return load(source, target=(target.name,), task="classification", kinds=encoding.kinds)
    return load(source, target=target.names, task="regression", kinds=encoding.kinds)
