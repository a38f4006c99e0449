"""Backward passes with a mistake: each replaces a step of the right one."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Dropped, LayerGradient, Unfit

__all__ = [
    "BroadcastMean",
    "BroadcastTargets",
    "DividedAgainEachLayer",
    "ErrorAsDelta",
    "ErrorPassedBack",
    "ErrorPassedBackOnce",
    "MaskOnlyBackward",
    "NoSlopeAtOutput",
    "NothingDropped",
    "OtherMask",
    "OtherMaskScaled",
    "OwnWeightsAndNextSlope",
    "OwnWeightsTurnedAndNextSlope",
    "SlopeAtZero",
    "SlopeOfDropped",
    "SlopeOfLayerBefore",
    "SlopeOfNextLayer",
    "SlopeTooMany",
    "SoftmaxElementwise",
    "SoftmaxOverSamples",
    "SoftmaxTwice",
    "TurnedGradient",
    "UpdatedTooEarly",
    "bias",
    "hidden_slope",
    "l2_penalty",
    "lost_paths",
    "one_sample",
    "one_sample_in_weights",
    "one_sample_whole",
    "output_slope",
    "rectifier_mask",
    "scaled",
    "through_dropout",
    "wrong_input",
    "wrong_weights",
]

# ---------------------------------------------------------------------- factors of the whole


def scaled(factor: str) -> type[Backprop]:
    """All gradients times one of the factors of :func:`_factors`."""

    class Scaled(Backprop):
        def finish(self, found: list[LayerGradient]) -> list[LayerGradient]:
            c = _factors(self)[factor]
            if abs(c - 1) < 1e-9:
                raise Unfit
            return [LayerGradient(c * dW, c * db) for dW, db in super().finish(found)]

    return Scaled


def _factors(backprop: Backprop) -> dict[str, float]:
    n, k, eta = backprop.case.n, backprop.case.K, backprop.case.eta
    return {
        "n": n, "1/n": 1 / n, "2": 2.0, "1/2": 0.5, "1/K": 1 / k, "2/K": 2 / k, "K": k, "K/2": k / 2,
        "-1": -1.0, "eta": eta, "1/eta": 1 / eta,
    }  # fmt: skip


class DividedAgainEachLayer(Backprop):
    def behind(self, layer: int, delta: Array) -> Array:
        return super().behind(layer, delta) / self.case.n


# ---------------------------------------------------------------------- the output's delta


def _error(backprop: Backprop) -> Array:
    case = backprop.case
    return (case.a[-1] - case.y) * case.share


class NoSlopeAtOutput(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if case.objective.fused or case.activation(case.L) == "identity":
            raise Unfit
        return case.objective.loss.derivative(case.a[-1], case.y) * case.share


class ErrorAsDelta(Backprop):
    def output_delta(self) -> Array:
        if self.case.objective.fused or self.case.activation(self.case.L) == "identity":
            raise Unfit
        return _error(self)


class SlopeTooMany(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.objective.fused or case.activation(case.L) == "identity":
            raise Unfit
        return _error(self) * case.a[-1] * (1 - case.a[-1])


class SoftmaxElementwise(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.is_coupled:
            raise Unfit
        da = case.objective.loss.derivative(case.a[-1], case.y)
        return da * case.a[-1] * (1 - case.a[-1]) * case.share


class SoftmaxTwice(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.is_coupled:
            raise Unfit
        return (case.f(case.L, case.a[-1]) - case.y) * case.share


class SoftmaxOverSamples(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.is_coupled:
            raise Unfit
        return (case.f(case.L, case.z[-1].T).T - case.y) * case.share


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


_SAME_SLOPE = ("identity", "relu", "leaky_relu")


def _wrong_slope(backprop: Backprop, layer: int, of_a: bool) -> Array:
    case = backprop.case
    a = case.a[layer]
    return case.slope(layer, a, case.f(layer, a)) if of_a else case.slope(layer, case.z[layer], case.z[layer])


class BroadcastTargets(Backprop):
    """(n,) against (n, 1): every sample's error becomes the sum of its errors for all targets."""

    average = False

    def output_delta(self) -> Array:
        case = self.case
        if case.K != 1 or case.is_coupled:
            raise Unfit
        right = super().output_delta()
        wrong = np.zeros_like(right)
        for y in case.y:
            targets = np.broadcast_to(y, case.y.shape)
            wrong += case.objective.sample_delta(case.z[-1], case.a[-1], targets) * case.share
        return wrong / case.n if self.average else wrong


class BroadcastMean(BroadcastTargets):
    """Targets of the wrong shape broadcast against the outputs, and the rows of errors averaged."""

    average = True


# ---------------------------------------------------------------------- hidden layers


def _needs_hidden(backprop: Backprop) -> None:
    if backprop.case.L < 2:
        raise Unfit


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


class ErrorPassedBack(Backprop):
    """The error a − y goes back where delta should; errors of inner layers likewise."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        _needs_hidden(self)
        self._errors: Array | None = None

    def behind(self, layer: int, delta: Array) -> Array:
        case = self.case
        if self._errors is None:
            self._errors = _error(self)
            if np.allclose(self._errors, delta, rtol=1e-12, atol=0) and case.L == 2:
                raise Unfit
        self._errors = self._errors @ case.W[layer + 1].T
        return self._errors


class ErrorPassedBackOnce(Backprop):
    """The error a − y goes back from the output; from there on, deltas."""

    def behind(self, layer: int, delta: Array) -> Array:
        if layer == self.case.L - 1:
            error = _error(self)
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


# ---------------------------------------------------------------------- dW


def wrong_input(kind: str) -> type[Backprop]:
    class WrongInput(Backprop):
        def x(self, layer: int) -> Array:
            case = self.case
            if kind == "z":
                return case.z[layer - 1]
            if case.a[layer].shape != case.a[layer - 1].shape:
                raise Unfit
            return case.a[layer]

    return WrongInput


class SlopeAtZero(Backprop):
    """ReLU's slope at z = 0 taken as that above it: as good a convention as that below."""

    def slope(self, layer: int) -> Array:
        case = self.case
        tiny = np.where(case.z[layer] == 0, 1e-300, case.z[layer])
        return case.slope(layer, tiny, case.f(layer, tiny))


class TurnedGradient(Backprop):
    def dW(self, layer: int, delta: Array) -> Array:
        dW = super().dW(layer, delta)
        return dW.T if dW.shape[0] == dW.shape[1] else dW


# ---------------------------------------------------------------------- db


def bias(kind: str) -> type[Backprop]:
    class Bias(Backprop):
        def db(self, layer: int, delta: Array) -> Array:
            right, b = super().db(layer, delta), self.case.b[layer]
            if b is None:
                raise Unfit
            if kind == "none":
                return np.zeros_like(right)
            if kind == "itself":
                return np.broadcast_to(b, right.shape).copy()
            if kind == "all":
                return np.full_like(right, right.sum())
            if kind == "mean_of_all":
                return np.full_like(right, delta.mean())
            if kind == "times_n":
                return right * self.case.n
            if kind == "mean":
                return right / self.case.n
            if kind == "unsummed":
                return delta
            return delta[0 if kind == "first" else -1].copy()

    return Bias


# ---------------------------------------------------------------------- samples and penalties


def one_sample(index: int) -> type[Backprop]:
    class OneSample(Backprop):
        def output_delta(self) -> Array:
            if self.case.n < 2:
                raise Unfit
            delta = super().output_delta()
            kept = np.zeros_like(delta)
            kept[index] = delta[index]
            return kept * (self.case.n if self.whole else 1)

        whole = False

    return OneSample


def one_sample_whole(index: int) -> type[Backprop]:
    class Whole(one_sample(index)):  # type: ignore[misc]
        whole = True

    return Whole


def one_sample_in_weights(index: int) -> type[Backprop]:
    class InWeights(Backprop):
        def dW(self, layer: int, delta: Array) -> Array:
            if self.case.n < 2:
                raise Unfit
            kept = np.zeros_like(delta)
            kept[index] = delta[index]
            return super().dW(layer, kept)

    return InWeights


def l2_penalty(kind: str) -> type[Backprop]:
    """The L2 penalty wrong: what is added to dW in the place of l2·W."""

    class Penalty(Backprop):
        def penalty(self, layer: int) -> Array:
            case, W = self.case, self.case.W[layer]
            l2 = case.objective.l2
            if not l2:
                raise Unfit
            factor = {"missing": 0.0, "doubled": 2.0, "halved": 0.5, "negative": -1.0, "over_n": 1 / case.n}
            if kind == "sum":
                return np.full_like(W, l2 * W.sum())
            return factor.get(kind, 1.0) * l2 * W

        def db(self, layer: int, delta: Array) -> Array:
            b = self.case.b[layer]
            if kind != "biases":
                return super().db(layer, delta)
            if b is None:
                raise Unfit
            return super().db(layer, delta) + self.case.objective.l2 * b

    return Penalty


# ---------------------------------------------------------------------- dropout


def through_dropout(kind: str) -> type[Backprop]:
    """Going back, the mask or its factor is missing, or the factor is there twice."""

    class ThroughDropout(Backprop):
        def through_dropout(self, layer: int, back: Array) -> Array:
            drop = self.case.dropped[layer]
            if drop is None or kind == "nothing":
                return back
            if (kind == "scaled") != (drop.scale == 1):
                raise Unfit
            made_up = 1 / (1 - drop.share)
            return {
                "scale only": back * drop.scale,
                "mask only": back * drop.mask,
                "scaled": back * drop.mask * made_up,
                "scaled twice": back * drop.mask * drop.scale**2,
            }[kind]

    return ThroughDropout


class OtherMask(Backprop):
    """Going back, the mask that was observed there, with the factor of the forward pass."""

    def through_dropout(self, layer: int, back: Array) -> Array:
        drop = self.case.dropped[layer]
        if drop is None:
            return back
        if drop.back is None:
            raise Unfit
        return back * drop.back * self.factor(drop)

    def factor(self, drop: Dropped) -> float:
        """What it is scaled by."""
        return drop.scale


class OtherMaskScaled(OtherMask):
    """The same with the factor that makes up for dropping, or without, where the forward pass has it."""

    def factor(self, drop: Dropped) -> float:
        """What it is scaled by."""
        return 1 / (1 - drop.share) if drop.scale == 1 else 1.0


class NothingDropped(Backprop):
    """Forward and back without dropout."""

    def __init__(self, case: Case) -> None:
        if not any(case.dropped):
            raise Unfit
        super().__init__(Case(case.layers, case.objective, case.a[0], case.y, case.eta))
        self.masked = case


class MaskOnlyBackward(NothingDropped):
    """Dropout is left out in the forward pass only."""

    def through_dropout(self, layer: int, back: Array) -> Array:
        drop = self.masked.dropped[layer]
        return back if drop is None else back * drop.mask * drop.scale


class SlopeOfDropped(Backprop):
    """f′ computed from what dropout left of the activation."""

    def slope(self, layer: int) -> Array:
        case = self.case
        return case.slope(layer, case.z[layer], case.x[layer + 1])
