"""The gradients of weights and biases: mistakes in their parts, in sums over samples, and in factors."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, LayerGradient, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake


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


IN_GRADIENTS: tuple[Mistake, ...] = (
    Mistake(
        "wrong_layers_activation",
        "the wrong layer's activation in dW",
        "dW takes the layer's own output, where the output of the layer before belongs.",
        "dW_l = a_l.T @ delta_l",
        "dW_l = a_{l−1}.T @ delta_l",
        "A weight's gradient is what it was multiplied by, times delta: the input of the layer.",
        (wrong_input("own"),),
    ),
    Mistake(
        "z_for_a",
        "z in the place of a in dW",
        "dW takes the weighted input of the layer before, not its output.",
        "dW_l = z_{l−1}.T @ delta_l",
        "dW_l = a_{l−1}.T @ delta_l",
        "Use what the next layer was really given: a.",
        (wrong_input("z"),),
    ),
    Mistake(
        "bias_never_updated",
        "the bias has no gradient",
        "The biases' gradient is 0: they are never moved.",
        "db = 0",
        "db = delta.sum(axis=0)",
        "A bias is a weight from an input that is always 1: its gradient is delta.",
        (bias("none"),),
    ),
    Mistake(
        "bias_with_itself",
        "the bias is updated with itself",
        "In the place of its gradient stands the bias: b −= η·b makes it fade away.",
        "db = b",
        "db = delta.sum(axis=0)",
        "Subtract the gradient.",
        (bias("itself"),),
    ),
    Mistake(
        "bias_summed_wrongly",
        "the bias gradient is summed wrongly",
        "delta has a row for each sample and a column for each neuron: a bias gradient sums the samples "
        "only.",
        "db = delta.sum(),  delta.mean(),  delta[0],  delta",
        "db = delta.sum(axis=0)",
        "Sum over the samples; with the mean over samples in delta already, do not divide again.",
        tuple(map(bias, ("all", "mean_of_all", "times_n", "mean", "first", "last", "unsummed"))),
        (
            "db = delta.sum()   (over samples and neurons)",
            "db = delta.mean()   (over samples and neurons)",
            "db = n · delta.sum(axis=0)",
            "db = delta.mean(axis=0)   (delta is divided by n already)",
            "db = delta[0]   (the first sample only)",
            "db = delta[-1]   (the last sample only)",
            "db = delta   (a row for each sample, not summed)",
        ),
    ),
    Mistake(
        "one_sample_only",
        "only one sample counts",
        "The gradient is that of the first or last sample: inside the loop over samples it is overwritten, "
        "not added up.",
        "dW = x.T @ delta   (in the loop)",
        "dW += x[i].T @ delta[i]   for each sample i",
        "Add up over the samples.",
        (
            one_sample(0),
            one_sample(-1),
            one_sample_whole(0),
            one_sample_whole(-1),
            one_sample_in_weights(0),
            one_sample_in_weights(-1),
        ),
        (
            "dW = x[0].T @ delta[0] / n,  db likewise   (the first sample only)",
            "dW = x[-1].T @ delta[-1] / n,  db likewise   (the last sample only)",
            "dW = x[0].T @ delta[0],  db likewise   (the first sample only)",
            "dW = x[-1].T @ delta[-1],  db likewise   (the last sample only)",
            "dW = x[0].T @ delta[0] / n   (the first sample only; db is right)",
            "dW = x[-1].T @ delta[-1] / n   (the last sample only; db is right)",
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
        tuple(map(l2_penalty, ("missing", "doubled", "halved", "negative", "over_n", "sum", "biases"))),
        (
            "dW   (without the penalty)",
            "dW + 2·l2·W",
            "dW + l2·W / 2",
            "dW − l2·W",
            "dW + l2·W / n",
            "dW + l2·ΣW",
            "dW + l2·W,  and also  db + l2·b",
        ),
    ),
    Mistake(
        "sign",
        "the sign is wrong",
        "The gradient points downhill: y − a instead of a − y, with an update that subtracts; or the other "
        "way round.",
        "dW = −∂loss/∂W",
        "dW = ∂loss/∂W",
        "Either (a − y) and W −= η·dW, or (y − a) and W += η·dW.",
        (scaled("-1"),),
    ),
    Mistake(
        "sum_for_mean",
        "a sum over the samples where the loss is a mean",
        "The loss is divided by the number of samples n, its gradient is not.",
        "dW = a.T @ delta",
        "dW = a.T @ delta / n",
        "Divide by n once, best in delta_L.",
        (scaled("n"),),
    ),
    Mistake(
        "divided_twice",
        "divided by n twice",
        "The mean over the samples is taken in delta and again in dW and db, or again in every layer.",
        "delta / n … dW / n",
        "delta / n, once",
        "Divide by n once, best in delta_L.",
        (scaled("1/n"), DividedAgainEachLayer),
        (
            "delta_L = … / n,  and again  dW = a.T @ delta / n",
            "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l) / n   in every layer",
        ),
    ),
    Mistake(
        "factor",
        "a constant factor",
        "Every gradient is right up to one factor: a 2 or ½ of the square, or a mean over the outputs. "
        "That is a convention "
        "of the loss rather than an error, as long as loss and gradient have the same one.",
        "c · ∂loss/∂W",
        "∂loss/∂W",
        "Differentiate the very loss that you print: (a − y)²/2 gives a − y, (a − y)² gives 2(a − y).",
        tuple(map(scaled, ("2", "1/2", "1/K", "2/K", "K", "K/2"))),
        (
            "2 · ∂loss/∂W",
            "∂loss/∂W / 2",
            "∂loss/∂W / K   (K outputs)",
            "2 · ∂loss/∂W / K   (K outputs)",
            "K · ∂loss/∂W   (K outputs)",
            "K/2 · ∂loss/∂W   (K outputs)",
        ),
    ),
    Mistake(
        "learning_rate_inside",
        "the learning rate is in the gradient",
        "The gradient is multiplied by the learning rate already; the update does so again.",
        "dW = η · a.T @ delta;  W −= η·dW",
        "dW = a.T @ delta;  W −= η·dW",
        "Apply the learning rate once.",
        (scaled("eta"), scaled("1/eta")),
        ("dW = η · a.T @ delta;  W −= η·dW", "dW = a.T @ delta / η;  W −= η·dW"),
    ),
)
