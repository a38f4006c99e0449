"""What a learner's network may be, and what came out of it: settings, numbers, and both together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Case, Dropped, layers_of_arrays
from deltarule.diagnosis.matching import Observed
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES
from deltarule.nn.network import Network
from deltarule.nn.objective import Objective
from deltarule.registry import record

#: What training multiplies the neurons by that dropout keeps, where it drops a share p: the likeliest first.
SCALINGS: dict[str, Callable[[float], float]] = {
    "inverted": lambda p: 1 / (1 - p),
    "classic": lambda p: 1.0,
    "by the share dropped": lambda p: 1 / p,
    "by the share kept, downwards": lambda p: 1 - p,
}

_SAID = {
    "inverted": "what is kept divided by 1 − p in training (inverted)",
    "classic": "what is kept not scaled in training (classic)",
    "by the share dropped": "what is kept divided by p in training",
    "by the share kept, downwards": "what is kept multiplied by 1 − p in training",
}

#: Where dropout acts: on the outputs of which layer l of L, the inputs being layer 0.
PLACES: dict[str, Callable[[int, int], bool]] = {
    "all hidden layers": lambda layer, n_layers: layer > 0,
    "inputs and all hidden layers": lambda layer, n_layers: True,
    "the first hidden layer": lambda layer, n_layers: layer == 1,
    "the last hidden layer": lambda layer, n_layers: layer == n_layers - 1 > 0,
    "the inputs": lambda layer, n_layers: layer == 0,
}
_EVERYWHERE = "inputs and all hidden layers"


@record
class NetworkSettings:
    """What a learner's network may be: what the learner does not say is tried.

    Parameters
    ----------
    activation, output, loss, reduction : str or None
    l2 : float
    dropout : float
        The share that is dropped; 0: no dropout.
    scaling : one of SCALINGS, or None
    place : one of PLACES, or None
        Where dropout acts; None: wherever there are masks.
    """

    activation: str | None = None
    output: str | None = None
    loss: str | None = None
    reduction: str | None = None
    l2: float = 0.0
    dropout: float = 0.0
    scaling: str | None = None
    place: str | None = None

    @cached_property
    def objective(self) -> Objective:
        """The loss with the output that it is computed from.

        Raises
        ------
        InputError
            If the loss needs another output.
        """
        loss, output = LOSSES.resolve(self.loss or ""), ACTIVATIONS.resolve(self.output or "")
        return Objective(loss, output, self.reduction or "mean", l2=self.l2)

    @property
    def is_possible(self) -> bool:
        """Whether the loss can be computed from the output."""
        try:
            return self.objective is not None
        except InputError:
            return False

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {field.name: getattr(self, field.name) for field in fields(type(self))}

    def __str__(self) -> str:
        parts = [f"{self.activation} hidden layers", f"{self.output} output"]
        parts.append((self.loss or "").replace("_", " "))
        if self.reduction:
            parts.append(f"{self.reduction} over the samples")
        if self.l2:
            parts.append(f"l2 = {self.l2:g}")
        if self.dropout:
            parts.append(f"dropout on {self.place or 'its layers'}, {_SAID[self.scaling or 'inverted']}")
        return ", ".join(parts)


@record
class Numbers:
    """A network's weights, its samples, and the gradients somebody found: without what was not said.

    Parameters
    ----------
    W, b : tuple of ndarray
        Of each layer, (in, out) and (out,); b is None where there is none.
    x, y : ndarray, (n, n_features) and (n, n_outputs)
    observed : Observed
    masks : tuple of ndarray or None
        What dropout kept of the inputs and of each hidden layer, 1 or 0; empty where there is no dropout.
    back : tuple of ndarray or None
        The masks that the gradient seems to have met on its way back, where they could be read.
    """

    W: tuple[Array, ...]
    b: tuple[Array | None, ...]
    x: Array
    y: Array
    observed: Observed
    masks: tuple[Array | None, ...] = ()
    back: tuple[Array | None, ...] = ()

    @property
    def sizes(self) -> list[int]:
        """Of the layers, inputs first."""
        return [len(self.W[0]), *(W.shape[1] for W in self.W)]

    def case(self, settings: NetworkSettings, eta: float, scale: float | None = None) -> Case:
        """The network at work, as these settings make it; dropout may be scaled otherwise."""
        last = len(self.W) - 1
        names = [settings.activation if i < last else settings.output for i in range(len(self.W))]
        layers = layers_of_arrays(self.W, self.b, [name or "sigmoid" for name in names])
        return Case(layers, settings.objective, self.x, self.y, eta, self._dropped(settings, scale))

    def _dropped(self, settings: NetworkSettings, scale: float | None) -> list[Dropped | None]:
        """What dropout does to the inputs and to each hidden layer."""
        if not self.masks or not settings.dropout:
            return []
        acts = PLACES[settings.place or _EVERYWHERE]
        scale = SCALINGS[settings.scaling or "inverted"](settings.dropout) if scale is None else scale
        back = self.back or (None,) * len(self.masks)
        return [
            None
            if mask is None or not acts(layer, len(self.masks))
            else Dropped(mask, scale, settings.dropout, met)
            for layer, (mask, met) in enumerate(zip(self.masks, back, strict=True))
        ]

    def network(self, settings: NetworkSettings) -> Network:
        """The network alone."""
        net = Network(
            self.sizes,
            activation=settings.activation or "sigmoid",
            output=settings.output or "identity",
            loss=settings.loss,
            bias=self.bias,
            reduction=settings.reduction or "mean",
        )
        net.parameters[:] = np.concatenate(self.parameters)
        return net

    @cached_property
    def parameters(self) -> list[Array]:
        """Of each layer, in a row."""
        return [
            np.concatenate([W.ravel(), np.empty(0) if b is None else b])
            for W, b in zip(self.W, self.b, strict=True)
        ]

    @cached_property
    def bias(self) -> str:
        """What kind of biases the layers have."""
        return "none" if self.b[0] is None else "shared" if self._shared else "neuron"

    @property
    def _shared(self) -> bool:
        return any(b is not None and b.size == 1 < W.shape[1] for b, W in zip(self.b, self.W, strict=True))


class NetworkProbe:
    """What was observed in a network, and the network at work, which is made when it is asked for."""

    def __init__(self, numbers: Numbers, settings: NetworkSettings, eta: float) -> None:
        self.observed = numbers.observed
        self._of = numbers, settings, eta

    @cached_property
    def case(self) -> Case:
        """The network at work."""
        with np.errstate(all="ignore"):
            numbers, settings, eta = self._of
            return numbers.case(settings, eta)
