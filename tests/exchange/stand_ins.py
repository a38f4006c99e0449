"""Classes that look like those of PyTorch and Keras: their names and what an import reads of them."""

from __future__ import annotations

import numpy as np

__all__ = ["keras_like", "torch_like"]


class Tensor:
    """Numbers that only come out as PyTorch's do."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def detach(self):
        return self

    cpu = detach

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


def _module(kind, **attributes):
    return type(kind, (), attributes)()


class _Torch:
    """``torch.nn`` as far as it is read."""

    def Linear(self, W, b=None):
        weight = Tensor(np.asarray(W, np.float32).T)
        return _module("Linear", weight=weight, bias=None if b is None else Tensor(np.asarray(b, np.float32)))

    def Sequential(self, *parts):
        model = _module("Sequential", __iter__=lambda self: iter(parts))
        type(model).named_children = lambda self: zip(map(str, range(len(parts))), parts, strict=True)
        type(model).state_dict = lambda self: None
        return model

    def __getattr__(self, kind):
        return lambda **attributes: _module(kind, **attributes)


class _Keras:
    """``keras.layers`` as far as it is read."""

    def Dense(self, W, b=None, activation="linear"):
        weights = [np.asarray(part, np.float32) for part in (W, b) if part is not None]
        return self._layer("Dense", weights, {"activation": activation, "use_bias": b is not None})

    def Sequential(self, *parts):
        return _module("Sequential", name="sequential", layers=list(parts), get_config=lambda self: {})

    def _layer(self, kind, weights, config):
        return _module(
            kind, name=kind.lower(), get_config=lambda self: config, get_weights=lambda self: weights
        )

    def __getattr__(self, kind):
        return lambda weights=(), **config: self._layer(kind, list(weights), config)


torch_like, keras_like = _Torch(), _Keras()
