"""The hidden layers: mistakes on the way back, in slopes and in weights."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.catalogue.output import error_of_output

_SAME_SLOPE = ("identity", "relu", "leaky_relu")


def _wrong_slope(backprop: Backprop, layer: int, of_a: bool) -> Array:
    case = backprop.case
    a = case.a[layer]
    return case.slope(layer, a, case.f(layer, a)) if of_a else case.slope(layer, case.z[layer], case.z[layer])


def output_slope(of_a: bool) -> type[Backprop]:
    """The slope at the output taken of the wrong quantity: f′(a) for f′(z), or a(1 − a) with z for a."""

    class OutputSlope(Backprop):
        def output_delta(self) -> Array:
            case = self.case
            if case.objective.fused or case.is_coupled or case.activation(case.L) in _SAME_SLOPE:
                raise Unfit
            da = case.objective.loss.derivative(case.a[-1], case.y) * case.share
            return da * _wrong_slope(self, case.L, of_a)

    return OutputSlope


def hidden_slope(kind: str) -> type[Backprop]:
    class HiddenSlope(Backprop):
        def slope(self, layer: int) -> Array:
            case = self.case
            right, name = super().slope(layer), case.activation(layer)
            if kind == "none":
                wrong = np.ones_like(right)
            elif kind == "f":
                wrong = case.a[layer]
            elif kind == "of_a" and name not in _SAME_SLOPE:
                wrong = _wrong_slope(self, layer, of_a=True)
            elif kind == "z_for_a" and name not in _SAME_SLOPE:
                wrong = _wrong_slope(self, layer, of_a=False)
            elif kind == "tanh_of_square" and name == "tanh":
                wrong = 1 - np.tanh(case.z[layer] ** 2)
            else:
                raise Unfit
            return wrong

    return HiddenSlope


def rectifier_mask(kind: str) -> type[Backprop]:
    """ReLU's mask taken of the wrong array: what comes back, or the gradient's own sign."""

    class RectifierMask(Backprop):
        def hidden_delta(self, layer: int, delta: Array) -> Array:
            if self.case.activation(layer) != "relu":
                raise Unfit
            back = self.through_dropout(layer, self.behind(layer, delta))
            x = self.case.a[layer - 1]
            if kind == "input" and x.shape != back.shape:
                raise Unfit
            return back * ((back if kind == "back" else x) > 0)

    return RectifierMask


class SlopeAtZero(Backprop):
    """ReLU's slope at z = 0 taken as that above it: as good a convention as that below."""

    def slope(self, layer: int) -> Array:
        case = self.case
        tiny = np.where(case.z[layer] == 0, 1e-300, case.z[layer])
        return case.slope(layer, tiny, case.f(layer, tiny))


def _needs_hidden(backprop: Backprop) -> None:
    if backprop.case.L < 2:
        raise Unfit


class ErrorPassedBack(Backprop):
    """The error a − y goes back where delta should; errors of inner layers likewise."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        _needs_hidden(self)
        self._errors: Array | None = None

    def behind(self, layer: int, delta: Array) -> Array:
        case = self.case
        if self._errors is None:
            self._errors = error_of_output(self)
            if np.allclose(self._errors, delta, rtol=1e-12, atol=0) and case.L == 2:
                raise Unfit
        self._errors = self._errors @ case.W[layer + 1].T
        return self._errors


class ErrorPassedBackOnce(Backprop):
    """The error a − y goes back from the output; from there on, deltas."""

    def behind(self, layer: int, delta: Array) -> Array:
        if layer == self.case.L - 1:
            error = error_of_output(self)
            if np.allclose(error, delta, rtol=1e-12, atol=0):
                raise Unfit
            delta = error
        return super().behind(layer, delta)


class UpdatedTooEarly(Backprop):
    """Weights move before the delta behind them is computed."""

    def behind(self, layer: int, delta: Array) -> Array:
        W = self.case.W[layer + 1]
        return delta @ (W - self.case.eta * self.dW(layer + 1, delta)).T


def wrong_weights(kind: str) -> type[Backprop]:
    class WrongWeights(Backprop):
        def behind(self, layer: int, delta: Array) -> Array:
            _needs_hidden(self)
            W = {
                "untransposed": self.case.W[layer + 1].T,
                "own": self.case.W[layer],
                "own_transposed": self.case.W[layer].T,
                "absolute": np.abs(self.case.W[layer + 1]),
            }[kind]
            return _product(delta, W.T, self.case.a[layer].shape)

    return WrongWeights


def _product(left: Array, right: Array, shape: tuple[int, ...]) -> Array:
    """left @ right, where that is of this shape."""
    if left.shape[1] != right.shape[0] or (left.shape[0], right.shape[1]) != shape:
        raise Unfit
    return left @ right


class TurnedGradient(Backprop):
    def dW(self, layer: int, delta: Array) -> Array:
        dW = super().dW(layer, delta)
        return dW.T if dW.shape[0] == dW.shape[1] else dW


class SlopeOfNextLayer(Backprop):
    def slope(self, layer: int) -> Array:
        case = self.case
        if case.a[layer].shape != case.a[layer + 1].shape or case.layers[layer].activation.coupled:
            raise Unfit
        return case.slope(layer + 1, case.z[layer + 1], case.a[layer + 1])


class SlopeOfLayerBefore(Backprop):
    def slope(self, layer: int) -> Array:
        case = self.case
        if case.a[layer].shape != case.a[layer - 1].shape:
            raise Unfit
        return case.slope(layer, case.z[layer - 1], case.a[layer - 1])


class OwnWeightsAndNextSlope(wrong_weights("own"), SlopeOfNextLayer):  # type: ignore[misc]
    """Both at once, as in a widely read tutorial."""


class OwnWeightsTurnedAndNextSlope(wrong_weights("own_transposed"), SlopeOfNextLayer):  # type: ignore[misc]
    """The same with the weights turned."""


def lost_paths(kind: str) -> type[Backprop]:
    class LostPaths(Backprop):
        def behind(self, layer: int, delta: Array) -> Array:
            W = self.case.W[layer + 1]
            if W.shape[1] == 1 and kind != "dropped":
                raise Unfit
            if kind == "first":
                return delta[:, :1] @ W[:, :1].T
            if kind == "last":
                return delta[:, -1:] @ W[:, -1:].T
            if kind == "sums":
                return delta.sum(axis=1, keepdims=True) * W.sum(axis=1)[None]
            if kind == "mean":
                return delta @ W.T / W.shape[1]
            return np.broadcast_to(delta.sum(axis=1, keepdims=True), self.case.a[layer].shape)

    return LostPaths


IN_HIDDEN_LAYERS: tuple[Mistake, ...] = (
    Mistake(
        "slope_of_wrong_quantity",
        "f′ of the wrong quantity",
        "A derivative written in terms of a, such as a·(1 − a), is given z, or one written in terms of z "
        "is given a: the "
        "activation is applied twice or not at all.",
        "f′ of another quantity than z",
        "f′(z), for a sigmoid a·(1 − a), for tanh 1 − a²",
        "Decide whether your derivative takes z or a, and pass it that.",
        (
            hidden_slope("of_a"),
            hidden_slope("z_for_a"),
            output_slope(True),
            output_slope(False),
            type("Both", (output_slope(True), hidden_slope("of_a")), {}),
            type("Both", (output_slope(False), hidden_slope("z_for_a")), {}),
        ),
        (
            "f′(a) in the hidden layers: sigmoid(a)·(1 − sigmoid(a))",
            "z·(1 − z) or 1 − z² in the hidden layers",
            "f′(a) at the output: sigmoid(a)·(1 − sigmoid(a))",
            "z·(1 − z) or 1 − z² at the output",
            "f′(a) in all layers: sigmoid(a)·(1 − sigmoid(a))",
            "z·(1 − z) or 1 − z² in all layers",
        ),
    ),
    Mistake(
        "slope_missing_in_hidden_layer",
        "no f′ in a hidden layer",
        "What comes back is passed on without the slope of the neuron it passes through.",
        "delta_l = delta_{l+1} @ W_{l+1}.T",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "Multiply by the slope of the hidden activation.",
        (hidden_slope("none"),),
    ),
    Mistake(
        "f_instead_of_slope",
        "f instead of f′ in a hidden layer",
        "What comes back is multiplied by the activation itself, not by its derivative.",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · a_l",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "Use the derivative: a·(1 − a) for a sigmoid, 1 − a² for tanh, z > 0 for ReLU.",
        (hidden_slope("f"),),
    ),
    Mistake(
        "tanh_of_square",
        "tanh′ as 1 − tanh(z²)",
        "The square stands inside: the derivative is 1 − (tanh z)², not 1 − tanh(z²).",
        "1 − tanh(z**2)",
        "1 − tanh(z)**2",
        "Square the result, not the argument.",
        (hidden_slope("tanh_of_square"),),
    ),
    Mistake(
        "relu_mask_of_wrong_array",
        "ReLU's mask taken of the wrong array",
        "The gradient passes where z > 0. Here it passes where something else is positive: what comes "
        "back, or the input.",
        "delta[delta <= 0] = 0",
        "delta[z <= 0] = 0",
        "Keep z (or a) of the forward pass, and take the mask from it.",
        (rectifier_mask("back"), rectifier_mask("input")),
        ("delta[delta <= 0] = 0", "delta[x <= 0] = 0   (x: what the layer takes in)"),
    ),
    Mistake(
        "error_passed_back",
        "the error is passed back instead of delta",
        "The hidden layer receives a − y through the weights; the slope of the output was left behind.",
        "(a_L − y) @ W_L.T",
        "delta_L @ W_L.T",
        "Pass back delta, the error times the slope.",
        (ErrorPassedBack, ErrorPassedBackOnce),
    ),
    Mistake(
        "updated_too_early",
        "weights updated before the delta behind them",
        "The output weights have moved already when the hidden delta is computed through them.",
        "W2 −= η·dW2;  delta1 = (delta2 @ W2.T) · f′(z1)",
        "delta1 = (delta2 @ W2.T) · f′(z1);  W2 −= η·dW2",
        "Compute all gradients first, then update all weights.",
        (UpdatedTooEarly,),
    ),
    Mistake(
        "wrong_transpose",
        "W where its transpose belongs",
        "Going back, weights are used the other way round. In a square layer no shape complains.",
        "delta_{l+1} @ W_{l+1}",
        "delta_{l+1} @ W_{l+1}.T",
        "Transpose. A test with layers of different sizes finds it at once.",
        (wrong_weights("untransposed"),),
    ),
    Mistake(
        "gradient_transposed",
        "the gradient of W is transposed",
        "dW has rows and columns exchanged; in a square layer no shape complains.",
        "dW = delta.T @ a",
        "dW = a.T @ delta   (W as (in, out))",
        "The gradient has the shape of W, entry for entry.",
        (TurnedGradient,),
    ),
    Mistake(
        "wrong_layers_weights",
        "the wrong layer's weights or slope behind a hidden delta",
        "The error comes back through the weights that lead into the hidden neuron, where those that "
        "lead out of "
        "it belong, or meets the slope of a neuron of another layer. Where layers have the same size, "
        "nothing "
        "complains.",
        "delta_l = (delta_{l+1} @ W_l) · f′(z_{l+1})",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "For neuron j of layer l: the sum over k of delta_k (of the next layer) times the weight from j "
        "to k, times "
        "f′(z_j).",
        (
            OwnWeightsAndNextSlope,
            OwnWeightsTurnedAndNextSlope,
            wrong_weights("own"),
            wrong_weights("own_transposed"),
            SlopeOfNextLayer,
            SlopeOfLayerBefore,
        ),
        (
            "delta_l = (delta_{l+1} @ W_l.T) · f′(z_{l+1})",
            "delta_l = (delta_{l+1} @ W_l) · f′(z_{l+1})",
            "delta_l = (delta_{l+1} @ W_l.T) · f′(z_l)",
            "delta_l = (delta_{l+1} @ W_l) · f′(z_l)",
            "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_{l+1})",
            "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_{l−1})",
        ),
    ),
    Mistake(
        "paths_lost",
        "paths to the loss are missing",
        "A hidden neuron reaches the loss through every neuron of the next layer; what comes back on all "
        "these paths adds up.",
        "only one path, or Σdelta · ΣW, or no weights at all",
        "delta_{l+1} @ W_{l+1}.T   (for neuron j: Σ over k of delta_k · w_jk)",
        "Sum over all neurons of the next layer, each delta times its own weight.",
        tuple(map(lost_paths, ("first", "last", "sums", "mean", "dropped"))),
        (
            "delta_{l+1}[:, :1] @ W_{l+1}[:, :1].T   (the next layer's first neuron only)",
            "delta_{l+1}[:, -1:] @ W_{l+1}[:, -1:].T   (the next layer's last neuron only)",
            "(Σ over k of delta_k) · (Σ over k of w_jk)",
            "the mean over k of delta_k · w_jk",
            "Σ over k of delta_k   (no weights)",
        ),
    ),
    Mistake(
        "absolute_weights",
        "|W| going back",
        "The weights lost their sign on the way back.",
        "delta_{l+1} @ abs(W_{l+1}).T",
        "delta_{l+1} @ W_{l+1}.T",
        "Use the weights as they are.",
        (wrong_weights("absolute"),),
    ),
)
