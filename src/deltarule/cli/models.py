"""Saved models, as sub-commands need them."""

from __future__ import annotations

from pathlib import Path

from deltarule.encoding import Encoding
from deltarule.errors import ModelFileError
from deltarule.network import Network

__all__ = ["load_model"]


def load_model(path: Path) -> tuple[Network, Encoding]:
    """A saved network with its encoding, without which raw rows mean nothing to it."""
    net = Network.load(path)
    if net.encoding is None:
        raise ModelFileError(
            f"{path} holds no encoding of inputs and targets: it was not saved by deltarule train"
        )
    return net, net.encoding
