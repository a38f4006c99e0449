"""The gradients of weights and biases: mistakes in their parts, in sums over samples, and in factors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake, Variant, only, wrong


def _x_of_neighbour(p: Backprop, layer: int, of_z: bool) -> Array:
    """z of the layer before, or a of the layer itself, where a of the layer before belongs."""
    return p.case.z[layer - 1] if of_z else p.case.a[layer]


def _own_layer(p: Backprop, layer: int) -> Array:
    """The layer's own output where that has the shape of what it takes in."""
    case = p.case
    return case.a[layer] if case.a[layer].shape == case.x[layer].shape else case.x[layer]


def _without_slope(p: Backprop, layer: int) -> Array:
    """What delta is before it is multiplied by the slope."""
    return p.da() if layer == p.case.L else p.back[layer]


def _bias(line: str, db: Callable[[Backprop, Array, Array], Array]) -> Variant:
    """The bias gradient as another function of (pass, delta, b)."""

    def wrong_db(p: Backprop, layer: int, delta: Array) -> Array:
        b = p.case.b[layer]
        if b is None:
            raise Unfit
        return np.array(db(p, delta, b))

    return wrong(line, db=wrong_db)


def _one_sample(p: Backprop, index: int, whole: bool = False) -> Array:
    kept = (np.arange(p.case.n) == index % p.case.n)[:, None]
    return only(p.case.n > 1, Backprop.output_delta(p) * kept * (p.case.n if whole else 1))


def _dW_of_one_sample(p: Backprop, layer: int, delta: Array, index: int) -> Array:
    kept = (np.arange(p.case.n) == index % p.case.n)[:, None]
    return only(p.case.n > 1, Backprop.dW(p, layer, delta * kept))


def _of_one_sample() -> Iterator[Variant]:
    """The gradient of one sample: its share of the mean, all of it, and its share in dW alone."""
    samples = [
        (k, f"dW = x[{k}].T @ delta[{k}]", f"the {name} sample only")
        for k, name in ((0, "first"), (-1, "last"))
    ]
    for k, line, text in samples:
        yield wrong(f"{line} / n,  db likewise   ({text})", output_delta=partial(_one_sample, index=k))
    for k, line, text in samples:
        yield wrong(
            f"{line},  db likewise   ({text})", output_delta=partial(_one_sample, index=k, whole=True)
        )
    for k, line, text in samples:
        yield wrong(f"{line} / n   ({text}; db is right)", dW=partial(_dW_of_one_sample, index=k))


def _penalty(times: Callable[[Case, Array], Array]) -> Callable[[Backprop, int], Array]:
    """What is added to dW in the place of l2·W, as a function of W."""

    def penalty(p: Backprop, layer: int) -> Array:
        l2 = p.case.objective.l2
        return only(bool(l2), l2 * times(p.case, p.case.W[layer]))

    return penalty


def _penalised_bias(p: Backprop, layer: int, delta: Array) -> Array:
    b, l2 = p.case.b[layer], p.case.objective.l2
    if b is None or not l2:
        raise Unfit
    return Backprop.db(p, layer, delta) + l2 * b


def _scaled(*factors: tuple[str, Callable[[Case], float]]) -> tuple[Variant, ...]:
    """Gradients times a factor: all of them, those of weights, those of biases."""

    def finish(
        p: Backprop, layer: int, name: str, gradient: Array, factor: Callable[[Case], float], which: str
    ) -> Array:
        c = factor(p.case)
        return only(abs(c - 1) > 1e-9, c * gradient if name in which else gradient)

    return tuple(
        wrong(
            line + ("" if "," in which else f"   ({which} only)"),
            finish=partial(finish, factor=factor, which=which),
        )
        for which in ("dW, db", "dW", "db")
        for line, factor in factors
    )


IN_GRADIENTS: tuple[Mistake, ...] = (
    Mistake(
        key="wrong_layers_activation",
        title="the wrong layer's activation in dW",
        why="dW uses the layer's own output where it needs the output of the layer before.",
        right="dW_l = a_{l−1}.T @ delta_l",
        remedy="The gradient of a weight is the input that it was multiplied by, times delta: use the "
        "layer's input.",
        variants=(
            wrong("dW_l = a_l.T @ delta_l", x=partial(_x_of_neighbour, of_z=False)),
            wrong("dW_l = a_l.T @ delta_l   (where the shapes fit)", x=_own_layer),
        ),
    ),
    Mistake(
        key="z_for_a",
        title="z instead of a in dW",
        why="dW uses the weighted input z of the layer before instead of its output a.",
        right="dW_l = a_{l−1}.T @ delta_l",
        remedy="Use a: it is what the layer received.",
        variants=(wrong("dW_l = z_{l−1}.T @ delta_l", x=partial(_x_of_neighbour, of_z=True)),),
    ),
    Mistake(
        key="input_missing_in_dW",
        title="the layer's input is missing from dW",
        why="Every weight of a neuron is changed by the neuron's delta alone, regardless of the input "
        "that came in through it.",
        right="dW_l = a_{l−1}.T @ delta_l",
        remedy="The gradient of a weight is delta times the input that the weight was multiplied by.",
        variants=(wrong("dW_l = Σ delta_l", x=lambda p, layer: np.ones_like(p.case.x[layer])),),
    ),
    Mistake(
        key="slope_missing_in_dW",
        title="the slope is missing from dW only",
        why="Each derivative is written out by hand: the gradient that is passed back contains the slope, "
        "but in the gradient of the weights it was forgotten.",
        right="dW_l = a_{l−1}.T @ delta_l   with f′(z_l) in delta_l",
        remedy="Compute delta_l once, slope included, and use it for dW, for db and for what is passed back.",
        variants=(
            wrong(
                "dW_l = a_{l−1}.T @ (delta_{l+1} @ W_{l+1}.T),  dW_L = a_{L−1}.T @ (a_L − y)",
                dW=lambda p, layer, delta: p.x(layer).T @ _without_slope(p, layer) + p.penalty(layer),
            ),
            wrong(
                "db_l = Σ (delta_{l+1} @ W_{l+1}.T),  db_L = Σ (a_L − y)",
                db=lambda p, layer, delta: _without_slope(p, layer).sum(axis=0),
            ),
        ),
    ),
    Mistake(
        key="bias_never_updated",
        title="the bias gradient is 0",
        why="The gradient of the biases is 0, so they never change.",
        right="db = delta.sum(axis=0)",
        remedy="A bias is a weight on an input that is always 1: its gradient is delta.",
        variants=(_bias("db = 0", lambda p, delta, b: np.zeros(delta.shape[1])),),
    ),
    Mistake(
        key="bias_with_itself",
        title="the bias is updated with itself",
        why="The bias stands where its gradient should be: b −= η·b makes it fade to 0.",
        right="db = delta.sum(axis=0)",
        remedy="Subtract the gradient of the bias.",
        variants=(
            _bias("db = b", lambda p, d, b: np.broadcast_to(b, d.shape[1]) * p.case.rate / p.case.eta),
        ),
    ),
    Mistake(
        key="bias_summed_wrongly",
        title="the bias gradient is summed incorrectly",
        why="delta has a row for each sample and a column for each neuron; the bias gradient is its sum "
        "over the samples only.",
        right="db = delta.sum(axis=0)",
        remedy="Sum over the samples. If delta already contains the mean over the samples, do not divide "
        "again.",
        variants=(
            _bias(
                "db = delta.sum()   (over samples and neurons)", lambda p, d, b: np.full(d.shape[1], d.sum())
            ),
            _bias(
                "db = delta.mean()   (over samples and neurons)",
                lambda p, d, b: np.full(d.shape[1], d.mean()),
            ),
            _bias("db = n · delta.sum(axis=0)", lambda p, d, b: d.sum(axis=0) * p.case.n),
            _bias(
                "db = delta.mean(axis=0)   (delta is already divided by n)", lambda p, d, b: d.mean(axis=0)
            ),
            _bias("db = delta[0]   (the first sample only)", lambda p, d, b: d[0]),
            _bias("db = delta[-1]   (the last sample only)", lambda p, d, b: d[-1]),
            _bias("db = delta   (a row for each sample, not summed)", lambda p, d, b: d),
            _bias("db = delta.sum(axis=1)   (over the neurons)", lambda p, d, b: d.sum(axis=1)),
        ),
    ),
    Mistake(
        key="one_sample_only",
        title="only one sample counts",
        why="The gradient is that of the first or the last sample only: the loop over the samples "
        "overwrites it instead of adding to it.",
        right="dW += x[i].T @ delta[i]   for each sample i",
        remedy="Add up the gradients of all samples.",
        variants=tuple(_of_one_sample()),
    ),
    Mistake(
        key="l2_wrong",
        title="the L2 penalty's gradient is wrong",
        why="The penalty l2/2·ΣW² has the gradient l2·W. It applies to weights, not to biases, is added "
        "rather than subtracted, and is not divided by n.",
        right="dW + l2·W",
        remedy="Derive it from the penalty exactly as it stands in your loss.",
        variants=(
            wrong("dW   (without the penalty)", penalty=_penalty(lambda case, W: 0 * W)),
            wrong("dW + 2·l2·W", penalty=_penalty(lambda case, W: 2 * W)),
            wrong("dW + l2·W / 2", penalty=_penalty(lambda case, W: W / 2)),
            wrong("dW − l2·W", penalty=_penalty(lambda case, W: -W)),
            wrong("dW + l2·W / n", penalty=_penalty(lambda case, W: W / case.n)),
            wrong("dW + n·l2·W", penalty=_penalty(lambda case, W: W * case.n)),
            wrong("dW + l2·ΣW", penalty=_penalty(lambda case, W: np.full_like(W, W.sum()))),
            wrong("dW + l2·W,  and also  db + l2·b", db=_penalised_bias),
        ),
    ),
    Mistake(
        key="sign",
        title="the sign is wrong",
        why="The gradient has the opposite sign: y − a instead of a − y with an update that subtracts, or "
        "the other way round.",
        right="dW = ∂loss/∂W",
        remedy="Either (a − y) and W −= η·dW, or (y − a) and W += η·dW.",
        variants=_scaled(("dW = −∂loss/∂W", lambda case: -1.0)),
    ),
    Mistake(
        key="sign_and_scale",
        title="the sign and the scale are wrong",
        why="The gradient has the opposite sign and an extra factor besides: the number of samples, or "
        "the 2 of the square.",
        right="dW = ∂loss/∂W",
        remedy="First fix the sign: (a − y) with W −= η·dW. Then divide by the number of samples n, once.",
        variants=_scaled(
            ("dW = −n · ∂loss/∂W", lambda case: -case.n),
            ("dW = −∂loss/∂W / n", lambda case: -1 / case.n),
            ("dW = −2 · ∂loss/∂W", lambda case: -2.0),
            ("dW = −∂loss/∂W / 2", lambda case: -0.5),
        ),
    ),
    Mistake(
        key="sum_for_mean",
        title="a sum over the samples where the loss is a mean",
        why="The loss is divided by the number of samples n, but its gradient is not.",
        right="dW = a.T @ delta / n",
        remedy="Divide by n once, preferably in delta_L.",
        variants=_scaled(("dW = a.T @ delta", lambda case: case.n)),
    ),
    Mistake(
        key="divided_twice",
        title="divided by n twice",
        why="The mean over the samples is taken in delta and again in dW and db, or again in every layer.",
        right="delta / n, once",
        remedy="Divide by n once, preferably in delta_L.",
        variants=(
            *_scaled(("delta_L = … / n,  and again  dW = a.T @ delta / n", lambda case: 1 / case.n)),
            wrong(
                "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l) / n   in every layer",
                behind=lambda p, layer, delta: Backprop.behind(p, layer, delta) / p.case.n,
            ),
        ),
    ),
    Mistake(
        key="divided_by_features",
        title="divided by the number of features",
        why="The mean should be taken over the samples, but the wrong dimension of the array was used: "
        "X.shape[1] where the samples are in the rows.",
        right="dW = x.T @ delta / n   (n samples)",
        remedy="n is the number of rows of X, or the number of its columns if each column is a sample.",
        variants=(
            wrong(
                "dW = x.T @ delta / x.shape[1]",
                dW=lambda p, layer, delta: only(
                    p.case.n > 1, Backprop.dW(p, layer, delta) * p.case.n / p.case.x[layer].shape[1]
                ),
            ),
            wrong(
                "dW = x.T @ delta / X.shape[1],  db likewise",
                finish=lambda p, layer, name, gradient: only(
                    p.case.n > 1, gradient * p.case.n / p.case.x[1].shape[1]
                ),
            ),
        ),
    ),
    Mistake(
        key="factor",
        title="a constant factor",
        why="Every gradient is right except for one factor: a 2 or ½ from the square, or a mean over the "
        "outputs. That is a convention rather than a mistake as long as the loss and the gradients of "
        "all layers share it.",
        right="∂loss/∂W",
        remedy="Differentiate exactly the loss that you print: (a − y)²/2 gives a − y, (a − y)² gives 2(a − "
        "y).",
        variants=_scaled(
            ("2 · ∂loss/∂W", lambda case: 2.0),
            ("∂loss/∂W / 2", lambda case: 0.5),
            ("∂loss/∂W / K   (K outputs)", lambda case: 1 / case.K),
            ("2 · ∂loss/∂W / K   (K outputs)", lambda case: 2 / case.K),
            ("K · ∂loss/∂W   (K outputs)", lambda case: case.K),
            ("K/2 · ∂loss/∂W   (K outputs)", lambda case: case.K / 2),
        ),
    ),
    Mistake(
        key="learning_rate_inside",
        title="the learning rate is already in the gradient",
        why="The gradient is already multiplied by the learning rate, and the update multiplies by it again.",
        right="dW = a.T @ delta;  W −= η·dW",
        remedy="Apply the learning rate only once.",
        variants=_scaled(
            ("dW = η · a.T @ delta;  W −= η·dW", lambda case: case.rate),
            ("dW = a.T @ delta / η;  W −= η·dW", lambda case: 1 / case.rate),
        ),
    ),
)
