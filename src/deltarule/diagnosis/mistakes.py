"""The catalogue: the mistakes people make in backpropagation, each with its name, its reason and its remedy.

A mistake's ``variants`` are backward passes that carry it. Code lines use W (in, out), samples in rows, and
layer l with the layer l+1 after it.
"""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, LayerGradient
from deltarule.registry import record

__all__ = ["ACCUMULATES", "CHANGES", "MISTAKES", "OVERFLOWS", "Mistake", "Unfit"]


class Unfit(Exception):
    """The mistake cannot be made in this case: the shapes would not fit, or it makes no difference."""


@record
class Mistake:
    """One mistake.

    Parameters
    ----------
    key : str
        Its name in programs: ``"no_slope_at_output"``.
    title : str
        Its name for people.
    why : str
        How it comes about.
    wrong, right : str
        The line as it is, and as it should be.
    remedy : str
        What to do.
    variants : tuple of Backprop subclasses
        Backward passes that have it.
    """

    key: str
    title: str
    why: str
    wrong: str
    right: str
    remedy: str
    variants: tuple[type[Backprop], ...]


# ---------------------------------------------------------------------- factors of the whole


def _scaled(factor: str) -> type[Backprop]:
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


class _DividedAgainEachLayer(Backprop):
    def behind(self, layer: int, delta: Array) -> Array:
        return super().behind(layer, delta) / self.case.n


# ---------------------------------------------------------------------- the output's delta


def _error(backprop: Backprop) -> Array:
    case = backprop.case
    return (case.a[-1] - case.y) * case.share


class _NoSlopeAtOutput(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if case.net.objective.fused or case.activation(case.L) == "identity":
            raise Unfit
        return case.net.loss.derivative(case.a[-1], case.y) * case.share


class _ErrorAsDelta(Backprop):
    def output_delta(self) -> Array:
        if self.case.net.objective.fused or self.case.activation(self.case.L) == "identity":
            raise Unfit
        return _error(self)


class _SlopeTooMany(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.net.objective.fused or case.activation(case.L) == "identity":
            raise Unfit
        return _error(self) * case.a[-1] * (1 - case.a[-1])


class _SoftmaxElementwise(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.is_coupled:
            raise Unfit
        da = case.net.loss.derivative(case.a[-1], case.y)
        return da * case.a[-1] * (1 - case.a[-1]) * case.share


class _SoftmaxTwice(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.is_coupled:
            raise Unfit
        return (case.f(case.L, case.a[-1]) - case.y) * case.share


class _SoftmaxOverSamples(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.is_coupled:
            raise Unfit
        return (case.f(case.L, case.z[-1].T).T - case.y) * case.share


def _output_slope(of_a: bool) -> type[Backprop]:
    """The slope at the output taken of the wrong quantity: f′(a) for f′(z), or a(1 − a) with z for a."""

    class OutputSlope(Backprop):
        def output_delta(self) -> Array:
            case = self.case
            if case.net.objective.fused or case.is_coupled or case.activation(case.L) in _SAME_SLOPE:
                raise Unfit
            da = case.net.loss.derivative(case.a[-1], case.y) * case.share
            return da * _wrong_slope(self, case.L, of_a)

    return OutputSlope


_SAME_SLOPE = ("identity", "relu", "leaky_relu")


def _wrong_slope(backprop: Backprop, layer: int, of_a: bool) -> Array:
    case = backprop.case
    a = case.a[layer]
    return case.slope(layer, a, case.f(layer, a)) if of_a else case.slope(layer, case.z[layer], case.z[layer])


class _BroadcastTargets(Backprop):
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
            wrong += case.net.objective.sample_delta(case.z[-1], case.a[-1], targets) * case.share
        return wrong / case.n if self.average else wrong


class _BroadcastMean(_BroadcastTargets):
    average = True


# ---------------------------------------------------------------------- hidden layers


def _needs_hidden(backprop: Backprop) -> None:
    if backprop.case.L < 2:
        raise Unfit


def _hidden_slope(kind: str) -> type[Backprop]:
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


def _rectifier_mask(kind: str) -> type[Backprop]:
    """ReLU's mask taken of the wrong array: what comes back, or the gradient's own sign."""

    class RectifierMask(Backprop):
        def hidden_delta(self, layer: int, delta: Array) -> Array:
            if self.case.activation(layer) != "relu":
                raise Unfit
            back = self.behind(layer, delta)
            x = self.case.a[layer - 1]
            if kind == "input" and x.shape != back.shape:
                raise Unfit
            return back * ((back if kind == "back" else x) > 0)

    return RectifierMask


class _ErrorPassedBack(Backprop):
    """The error a − y goes back where delta should; errors of inner layers likewise."""

    def __init__(self, case) -> None:  # type: ignore[no-untyped-def]
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


class _ErrorPassedBackOnce(Backprop):
    """The error a − y goes back from the output; from there on, deltas."""

    def behind(self, layer: int, delta: Array) -> Array:
        if layer == self.case.L - 1:
            error = _error(self)
            if np.allclose(error, delta, rtol=1e-12, atol=0):
                raise Unfit
            delta = error
        return super().behind(layer, delta)


class _UpdatedTooEarly(Backprop):
    """Weights move before the delta behind them is computed."""

    def behind(self, layer: int, delta: Array) -> Array:
        W = self.case.W[layer + 1]
        return delta @ (W - self.case.eta * self.dW(layer + 1, delta)).T


def _wrong_weights(kind: str) -> type[Backprop]:
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


class _SlopeOfNextLayer(Backprop):
    def slope(self, layer: int) -> Array:
        case = self.case
        if case.a[layer].shape != case.a[layer + 1].shape or case.activation(layer + 1) == "softmax":
            raise Unfit
        return case.slope(layer + 1, case.z[layer + 1], case.a[layer + 1])


class _SlopeOfLayerBefore(Backprop):
    def slope(self, layer: int) -> Array:
        case = self.case
        if case.a[layer].shape != case.a[layer - 1].shape:
            raise Unfit
        return case.slope(layer, case.z[layer - 1], case.a[layer - 1])


class _OwnWeightsAndNextSlope(_wrong_weights("own"), _SlopeOfNextLayer):  # type: ignore[misc]
    """Both at once, as in a widely read tutorial."""


class _OwnWeightsTurnedAndNextSlope(_wrong_weights("own_transposed"), _SlopeOfNextLayer):  # type: ignore[misc]
    """The same with the weights turned."""


def _lost_paths(kind: str) -> type[Backprop]:
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


def _wrong_input(kind: str) -> type[Backprop]:
    class WrongInput(Backprop):
        def x(self, layer: int) -> Array:
            case = self.case
            if kind == "z":
                return case.z[layer - 1]
            if case.a[layer].shape != case.a[layer - 1].shape:
                raise Unfit
            return case.a[layer]

    return WrongInput


class _TurnedGradient(Backprop):
    def dW(self, layer: int, delta: Array) -> Array:
        dW = super().dW(layer, delta)
        return dW.T if dW.shape[0] == dW.shape[1] else dW


# ---------------------------------------------------------------------- db


def _bias(kind: str) -> type[Backprop]:
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


def _one_sample(index: int) -> type[Backprop]:
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


def _one_sample_whole(index: int) -> type[Backprop]:
    class Whole(_one_sample(index)):  # type: ignore[misc]
        whole = True

    return Whole


def _one_sample_in_weights(index: int) -> type[Backprop]:
    class InWeights(Backprop):
        def dW(self, layer: int, delta: Array) -> Array:
            if self.case.n < 2:
                raise Unfit
            kept = np.zeros_like(delta)
            kept[index] = delta[index]
            return super().dW(layer, kept)

    return InWeights


def _l2(kind: str) -> type[Backprop]:
    """The L2 penalty wrong: what is added to dW in the place of l2·W."""

    class Penalty(Backprop):
        def penalty(self, layer: int) -> Array:
            case, W = self.case, self.case.W[layer]
            l2 = case.net.objective.l2
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
            return super().db(layer, delta) + self.case.net.objective.l2 * b

    return Penalty


MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "slope_missing_at_output",
        "no f′ at the output",
        "The output's delta is the error alone. That is right for cross-entropy, where the slope cancels, "
        "and is easily "
        "copied from there; with a squared error the slope of the output's activation belongs to the chain "
        "rule.",
        "delta_L = a_L − y",
        "delta_L = (a_L − y) · f′(z_L)",
        "Multiply the error by the slope of the output activation, for a sigmoid a_L·(1 − a_L).",
        (_NoSlopeAtOutput, _ErrorAsDelta),
    ),
    Mistake(
        "slope_too_many_at_output",
        "one f′ too many at the output",
        "With cross-entropy the derivative of the loss and the slope of sigmoid or softmax cancel; what is "
        "left is a − y.",
        "delta_L = (a_L − y) · a_L·(1 − a_L)",
        "delta_L = a_L − y",
        "Leave the slope out: it is in a − y already.",
        (_SlopeTooMany,),
    ),
    Mistake(
        "softmax_elementwise",
        "softmax's derivative taken neuron by neuron",
        "Each output of a softmax depends on every z of its row. s·(1 − s) is only the diagonal of its "
        "Jacobian.",
        "delta_L = ∂E/∂a · a·(1 − a)",
        "delta_L = a − y   (with cross-entropy), in general Jᵀ·∂E/∂a",
        "Use the short form a − y. A check: each row of delta_L must sum to 0.",
        (_SoftmaxElementwise,),
    ),
    Mistake(
        "softmax_twice",
        "softmax applied twice",
        "The network ends in a softmax, and the loss applies one again (many libraries' losses expect raw "
        "z).",
        "delta_L = softmax(softmax(z)) − y",
        "delta_L = softmax(z) − y",
        "Apply softmax once: in the network, or in the loss.",
        (_SoftmaxTwice,),
    ),
    Mistake(
        "softmax_over_samples",
        "softmax over the wrong axis",
        "The exponentials are divided by their sum over the samples, not over the classes.",
        "e / e.sum(axis=0)",
        "e / e.sum(axis=1, keepdims=True)",
        "Sum over the classes of each sample: each row of outputs must sum to 1.",
        (_SoftmaxOverSamples,),
    ),
    Mistake(
        "broadcast_targets",
        "(n,) against (n, 1): targets broadcast",
        "Outputs of shape (n, 1) less targets of shape (n,) give an (n, n) array: every output is compared "
        "with every target.",
        "a − y   with shapes (n, 1) and (n,)",
        "a − y.reshape(-1, 1)",
        "Give the targets the outputs' shape, and check delta's shape once.",
        (_BroadcastTargets, _BroadcastMean),
    ),
    Mistake(
        "slope_of_wrong_quantity",
        "f′ of the wrong quantity",
        "A derivative written in terms of a, such as a·(1 − a), is given z, or one written in terms of z "
        "is given a: the "
        "activation is applied twice or not at all.",
        "sigmoid_derivative(a) = sigmoid(a)·(1 − sigmoid(a)),   or z·(1 − z)",
        "a·(1 − a)   with a = sigmoid(z)",
        "Decide whether your derivative takes z or a, and pass it that.",
        (
            _hidden_slope("of_a"),
            _hidden_slope("z_for_a"),
            _output_slope(True),
            _output_slope(False),
            type("Both", (_output_slope(True), _hidden_slope("of_a")), {}),
            type("Both", (_output_slope(False), _hidden_slope("z_for_a")), {}),
        ),
    ),
    Mistake(
        "slope_missing_in_hidden_layer",
        "no f′ in a hidden layer",
        "What comes back is passed on without the slope of the neuron it passes through.",
        "delta_l = delta_{l+1} @ W_{l+1}.T",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "Multiply by the slope of the hidden activation.",
        (_hidden_slope("none"),),
    ),
    Mistake(
        "f_instead_of_slope",
        "f instead of f′ in a hidden layer",
        "What comes back is multiplied by the activation itself, not by its derivative.",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · a_l",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "Use the derivative: a·(1 − a) for a sigmoid, 1 − a² for tanh, z > 0 for ReLU.",
        (_hidden_slope("f"),),
    ),
    Mistake(
        "tanh_of_square",
        "tanh′ as 1 − tanh(z²)",
        "The square stands inside: the derivative is 1 − (tanh z)², not 1 − tanh(z²).",
        "1 − tanh(z**2)",
        "1 − tanh(z)**2",
        "Square the result, not the argument.",
        (_hidden_slope("tanh_of_square"),),
    ),
    Mistake(
        "relu_mask_of_wrong_array",
        "ReLU's mask taken of the wrong array",
        "The gradient passes where z > 0. Here it passes where something else is positive: what comes "
        "back, or the input.",
        "delta[delta <= 0] = 0",
        "delta[z <= 0] = 0",
        "Keep z (or a) of the forward pass, and take the mask from it.",
        (_rectifier_mask("back"), _rectifier_mask("input")),
    ),
    Mistake(
        "error_passed_back",
        "the error is passed back instead of delta",
        "The hidden layer receives a − y through the weights; the slope of the output was left behind.",
        "(a_L − y) @ W_L.T",
        "delta_L @ W_L.T",
        "Pass back delta, the error times the slope.",
        (_ErrorPassedBack, _ErrorPassedBackOnce),
    ),
    Mistake(
        "updated_too_early",
        "weights updated before the delta behind them",
        "The output weights have moved already when the hidden delta is computed through them.",
        "W2 −= η·dW2;  delta1 = (delta2 @ W2.T) · f′(z1)",
        "delta1 = (delta2 @ W2.T) · f′(z1);  W2 −= η·dW2",
        "Compute all gradients first, then update all weights.",
        (_UpdatedTooEarly,),
    ),
    Mistake(
        "wrong_transpose",
        "W where its transpose belongs",
        "Going back, weights are used the other way round. In a square layer no shape complains.",
        "delta_{l+1} @ W_{l+1}",
        "delta_{l+1} @ W_{l+1}.T",
        "Transpose. A test with layers of different sizes finds it at once.",
        (_wrong_weights("untransposed"),),
    ),
    Mistake(
        "gradient_transposed",
        "the gradient of W is transposed",
        "dW has rows and columns exchanged; in a square layer no shape complains.",
        "dW = delta.T @ a",
        "dW = a.T @ delta   (W as (in, out))",
        "The gradient has the shape of W, entry for entry.",
        (_TurnedGradient,),
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
            _OwnWeightsAndNextSlope,
            _OwnWeightsTurnedAndNextSlope,
            _wrong_weights("own"),
            _wrong_weights("own_transposed"),
            _SlopeOfNextLayer,
            _SlopeOfLayerBefore,
        ),
    ),
    Mistake(
        "paths_lost",
        "paths to the loss are missing",
        "A hidden neuron reaches the loss through every neuron of the next layer; what comes back on all "
        "these paths adds up.",
        "only one path, or Σdelta · ΣW, or no weights at all",
        "Σ over k of delta_k · w_jk",
        "Sum over the next layer: delta_{l+1} @ W_{l+1}.T does it.",
        tuple(map(_lost_paths, ("first", "last", "sums", "mean", "dropped"))),
    ),
    Mistake(
        "absolute_weights",
        "|W| going back",
        "The weights lost their sign on the way back.",
        "delta_{l+1} @ abs(W_{l+1}).T",
        "delta_{l+1} @ W_{l+1}.T",
        "Use the weights as they are.",
        (_wrong_weights("absolute"),),
    ),
    Mistake(
        "wrong_layers_activation",
        "the wrong layer's activation in dW",
        "dW takes the layer's own output, where the output of the layer before belongs.",
        "dW_l = a_l.T @ delta_l",
        "dW_l = a_{l−1}.T @ delta_l",
        "A weight's gradient is what it was multiplied by, times delta: the input of the layer.",
        (_wrong_input("own"),),
    ),
    Mistake(
        "z_for_a",
        "z in the place of a in dW",
        "dW takes the weighted input of the layer before, not its output.",
        "dW_l = z_{l−1}.T @ delta_l",
        "dW_l = a_{l−1}.T @ delta_l",
        "Use what the next layer was really given: a.",
        (_wrong_input("z"),),
    ),
    Mistake(
        "bias_never_updated",
        "the bias has no gradient",
        "The biases' gradient is 0: they are never moved.",
        "db = 0",
        "db = delta.sum(axis=0)",
        "A bias is a weight from an input that is always 1: its gradient is delta.",
        (_bias("none"),),
    ),
    Mistake(
        "bias_with_itself",
        "the bias is updated with itself",
        "In the place of its gradient stands the bias: b −= η·b makes it fade away.",
        "db = b",
        "db = delta.sum(axis=0)",
        "Subtract the gradient.",
        (_bias("itself"),),
    ),
    Mistake(
        "bias_summed_wrongly",
        "the bias gradient is summed over the wrong axis",
        "delta has a row for each sample and a column for each neuron: a bias gradient sums the samples "
        "only.",
        "db = delta.sum(),  delta.mean(),  delta[0],  delta",
        "db = delta.sum(axis=0)",
        "Sum over the samples; with the mean over samples in delta already, do not divide again.",
        tuple(map(_bias, ("all", "mean_of_all", "times_n", "mean", "first", "last", "unsummed"))),
    ),
    Mistake(
        "one_sample_only",
        "only one sample counts",
        "The gradient is that of the first or last sample: inside the loop over samples it is overwritten, "
        "not added up.",
        "dW = x.T @ delta   (in the loop)",
        "dW += x.T @ delta",
        "Add up over the samples.",
        (
            _one_sample(0),
            _one_sample(-1),
            _one_sample_whole(0),
            _one_sample_whole(-1),
            _one_sample_in_weights(0),
            _one_sample_in_weights(-1),
        ),
    ),
    Mistake(
        "l2_wrong",
        "the L2 penalty's gradient is wrong",
        "The penalty l2/2·ΣW² has the gradient l2·W: for weights, not for biases, with a plus, not divided "
        "by n.",
        "dW + c·W with another c, or with ΣW for W, or also db + l2·b",
        "dW + l2·W",
        "Derive it from the penalty as it stands in your loss.",
        tuple(map(_l2, ("missing", "doubled", "halved", "negative", "over_n", "sum", "biases"))),
    ),
    Mistake(
        "sign",
        "the sign is wrong",
        "The gradient points downhill: y − a instead of a − y, with an update that subtracts; or the other "
        "way round.",
        "u = −∂L/∂W",
        "u = ∂L/∂W",
        "Either (a − y) and W −= η·dW, or (y − a) and W += η·dW.",
        (_scaled("-1"),),
    ),
    Mistake(
        "sum_for_mean",
        "a sum over the samples where the loss is a mean",
        "The loss is divided by the number of samples n, its gradient is not.",
        "dW = a.T @ delta",
        "dW = a.T @ delta / n",
        "Divide by n once, best in delta_L.",
        (_scaled("n"),),
    ),
    Mistake(
        "divided_twice",
        "divided by n twice",
        "The mean over the samples is taken in delta and again in dW and db, or again in every layer.",
        "delta / n … dW / n",
        "delta / n, once",
        "Divide by n once, best in delta_L.",
        (_scaled("1/n"), _DividedAgainEachLayer),
    ),
    Mistake(
        "factor",
        "a constant factor",
        "Every gradient is right up to one factor: a 2 or ½ of the square, or a mean over the outputs. "
        "That is a convention "
        "of the loss rather than an error, as long as loss and gradient have the same one.",
        "c · ∂L/∂W",
        "∂L/∂W",
        "Differentiate the very loss that you print: (a − y)²/2 gives a − y, (a − y)² gives 2(a − y).",
        (*map(_scaled, ("2", "1/2", "1/K", "2/K", "K", "K/2")),),
    ),
    Mistake(
        "learning_rate_inside",
        "the learning rate is in the gradient",
        "The gradient is multiplied by the learning rate already; the update does so again.",
        "dW = η · a.T @ delta;  W −= η·dW",
        "dW = a.T @ delta;  W −= η·dW",
        "Apply the learning rate once.",
        (_scaled("eta"), _scaled("1/eta")),
    ),
    Mistake(
        "gradients_accumulate",
        "gradients add up from call to call",
        "Arrays that hold gradients are made once and added to at every call; or one list is shared by "
        "all layers.",
        "self.dW += …   (never set to 0)",
        "dW = zeros_like(W) at the beginning of each backward pass",
        "Begin each backward pass with zeros, and make copies where a list is to be kept.",
        (),
    ),
    Mistake(
        "changes_its_inputs",
        "the arrays passed in are changed",
        "Weights or samples are worked on in place: the caller's arrays change too, and a second call, or a "
        "check by finite differences, starts from other numbers.",
        "W -= eta * dW   (on the caller's array)",
        "W = W - eta * dW",
        "Return gradients and leave the arguments alone, or work on copies.",
        (),
    ),
    Mistake(
        "softmax_overflows",
        "the softmax overflows",
        "For large z, e^z is infinite, and infinity by infinity is NaN. Or the greatest z of the whole array "
        "was taken away, so that rows with smaller ones become 0 by 0.",
        "e = exp(z)",
        "e = exp(z − z.max(axis=1, keepdims=True))",
        "Take away each row's own greatest z: the softmax does not change.",
        (),
    ),
)

#: The mistakes that show in how the code behaves, not in the numbers of one call.
ACCUMULATES, CHANGES, OVERFLOWS = MISTAKES[-3:]
