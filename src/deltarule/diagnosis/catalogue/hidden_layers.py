"""The hidden layers: mistakes on the way back, in slopes and in weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Step
from deltarule.diagnosis.catalogue.entry import Mistake, Variant, only, wrong
from deltarule.diagnosis.catalogue.output import error_of_output

_SAME_SLOPE = ("identity", "relu", "leaky_relu")


def _of_a(p: Backprop, layer: int) -> Array:
    """f′ taken of a where z belongs."""
    a = p.case.a[layer]
    return only(_tells(p, layer), p.case.slope(layer, a, p.case.f(layer, a)))


def _of_z(p: Backprop, layer: int) -> Array:
    """f′, which is written in terms of a, taken of z."""
    z = p.case.z[layer]
    return only(_tells(p, layer), p.case.slope(layer, z, z))


def _tells(p: Backprop, layer: int) -> bool:
    """Whether the slope of z is another than that of a."""
    return p.case.activation(layer).partition("(")[0] not in _SAME_SLOPE


def _at_output(slope: Step) -> Step:
    def output_delta(p: Backprop) -> Array:
        return only(not p.case.objective.fused and not p.case.is_coupled, p.da() * slope(p, p.case.L))

    return output_delta


def _slope_of(p: Backprop, layer: int, other: int) -> Array:
    """The slope of another layer's neurons."""
    case = p.case
    of = max(layer, other)
    return only(not case.layers[of - 1].activation.coupled, case.slope(of, case.z[other], case.a[other]))


def _through(p: Backprop, layer: int, delta: Array, own: bool, turned: bool) -> Array:
    """What comes back through W or its transpose, of the next layer or the layer's own."""
    W = p.case.W[layer if own else layer + 1]
    return delta @ (W.T if turned else W)


_OWN, _OWN_TURNED = partial(_through, own=True, turned=True), partial(_through, own=True, turned=False)
_NEXT_SLOPE: Step = lambda p, layer: _slope_of(p, layer, layer + 1)  # noqa: E731


def _rectified(p: Backprop, layer: int, delta: Array, of_input: bool) -> Array:
    """What comes back where it is itself positive, or where the layer's input is."""
    case = p.case
    back = p.through_dropout(layer, p.behind(layer, delta))
    mask = case.a[layer - 1] if of_input else back
    return only(case.layers[layer - 1].activation.rectifier, back * case.slope(layer, mask, mask))


def _error_behind(p: Backprop, layer: int) -> Array:
    """The error a − y, gone back through the weights alone."""
    if layer == p.case.L:
        return error_of_output(p)
    return _error_behind(p, layer + 1) @ p.case.W[layer + 1].T


def _of_one(p: Backprop, layer: int, delta: Array, kept: slice) -> Array:
    W = p.case.W[layer + 1]
    return only(W.shape[1] > 1, delta[:, kept] @ W[:, kept].T)


def _slope_without_error(p: Backprop, layer: int, delta: Array) -> Array:
    """What goes back if the delta before is the slope alone."""
    is_softmax = layer + 1 == p.case.L and p.case.is_coupled
    slope = np.ones_like(delta) if is_softmax else p.slope(layer + 1)
    return slope @ p.case.W[layer + 1].T


def _forms() -> Iterator[Variant]:
    """Formulas that are taken for f′: in all layers, in the hidden ones, at the output."""
    formulas: dict[str, Callable[[Array], Array]] = {
        "a·(1 + a)": lambda a: a * (1 + a),
        "1 − a": lambda a: 1 - a,
        "1 + a": lambda a: 1 + a,
        "1 + a²": lambda a: 1 + a * a,
        "1 − a²": lambda a: 1 - a * a,
        "a·(1 − a)": lambda a: a * (1 - a),
        "a²": lambda a: a * a,
        "(a > 0)": lambda a: (a > 0) * 1.0,
    }
    for formula, f in formulas.items():
        slope = partial(_of_a_layer, f=f)
        yield wrong(f"{formula}   in all layers", output_delta=_at_output(slope), slope=slope)
        yield wrong(f"{formula}   in the hidden layers", slope=slope)
        yield wrong(f"{formula}   at the output", output_delta=_at_output(slope))


def _of_a_layer(p: Backprop, layer: int, f: Callable[[Array], Array]) -> Array:
    return f(p.case.a[layer])


IN_HIDDEN_LAYERS: tuple[Mistake, ...] = (
    Mistake(
        key="slope_of_wrong_quantity",
        title="f′ of the wrong quantity",
        why="A derivative written in terms of a, such as a·(1 − a), is given z, or one written in terms "
        "of z is given a: the activation is applied once too often or not at all.",
        right="f′(z), for a sigmoid a·(1 − a), for tanh 1 − a²",
        remedy="Decide whether your derivative takes z or a, and pass it exactly that.",
        variants=(
            wrong("f′(a) in the hidden layers: sigmoid(a)·(1 − sigmoid(a))", slope=_of_a),
            wrong("z·(1 − z) or 1 − z² in the hidden layers", slope=_of_z),
            wrong("f′(a) at the output: sigmoid(a)·(1 − sigmoid(a))", output_delta=_at_output(_of_a)),
            wrong("z·(1 − z) or 1 − z² at the output", output_delta=_at_output(_of_z)),
            wrong(
                "f′(a) in all layers: sigmoid(a)·(1 − sigmoid(a))",
                output_delta=_at_output(_of_a),
                slope=_of_a,
            ),
            wrong("z·(1 − z) or 1 − z² in all layers", output_delta=_at_output(_of_z), slope=_of_z),
        ),
    ),
    Mistake(
        key="slope_missing_in_hidden_layer",
        title="no f′ in a hidden layer",
        why="The incoming gradient is passed on without being multiplied by the slope of the neuron.",
        right="delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        remedy="Multiply by the slope of the hidden layer's activation.",
        variants=(
            wrong("delta_l = delta_{l+1} @ W_{l+1}.T", slope=lambda p, layer: np.ones_like(p.case.z[layer])),
        ),
    ),
    Mistake(
        key="f_instead_of_slope",
        title="f instead of f′ in a hidden layer",
        why="The incoming gradient is multiplied by the activation itself instead of its derivative.",
        right="delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        remedy="Use the derivative: a·(1 − a) for a sigmoid, 1 − a² for tanh, z > 0 for ReLU.",
        variants=(
            wrong("delta_l = (delta_{l+1} @ W_{l+1}.T) · a_l", slope=lambda p, layer: p.case.a[layer]),
            wrong("delta_L = (a_L − y) · a_L", output_delta=_at_output(lambda p, layer: p.case.a[layer])),
        ),
    ),
    Mistake(
        key="slope_formula",
        title="the formula of f′ is wrong",
        why="The derivative is that of another function, or has a wrong sign or a wrong square: a sigmoid "
        "has a·(1 − a), tanh has 1 − a², and ReLU has 1 where z > 0 and 0 elsewhere.",
        right="f′(z_l), for a sigmoid a_l·(1 − a_l), for tanh 1 − a_l²",
        remedy="Compare your derivative with (f(z + h) − f(z − h)) / 2h for a small h.",
        variants=tuple(_forms()),
    ),
    Mistake(
        key="tanh_of_square",
        title="tanh′ as 1 − tanh(z²)",
        why="The square is in the wrong place: the derivative is 1 − (tanh z)², not 1 − tanh(z²).",
        right="1 − tanh(z)**2",
        remedy="Square the result, not the argument.",
        variants=(
            wrong(
                "1 − tanh(z**2)",
                slope=lambda p, layer: only(
                    p.case.activation(layer) == "tanh", 1 - np.tanh(p.case.z[layer] ** 2)
                ),
            ),
        ),
    ),
    Mistake(
        key="relu_mask_of_wrong_array",
        title="the ReLU mask is taken from the wrong array",
        why="The gradient passes where z > 0. Here it passes where something else is positive: the "
        "incoming gradient itself, or the layer's input.",
        right="delta[z <= 0] = 0",
        remedy="Keep z (or a) from the forward pass, and compute the mask from it.",
        variants=(
            wrong("delta[delta <= 0] = 0", hidden_delta=partial(_rectified, of_input=False)),
            wrong(
                "delta[x <= 0] = 0   (x: the layer's input)", hidden_delta=partial(_rectified, of_input=True)
            ),
        ),
    ),
    Mistake(
        key="error_passed_back",
        title="the error is passed back instead of delta",
        why="The hidden layer receives a − y through the weights; the slope of the output layer has been "
        "left out.",
        right="delta_L @ W_L.T",
        remedy="Pass back delta: the error times the slope.",
        variants=(
            wrong("(a_L − y) @ W_L.T", behind=lambda p, layer, delta: _error_behind(p, layer)),
            wrong(
                "(a_L − y) @ W_L.T",
                behind=lambda p, layer, delta: Backprop.behind(
                    p, layer, error_of_output(p) if layer == p.case.L - 1 else delta
                ),
            ),
        ),
    ),
    Mistake(
        key="error_lost",
        title="the error is lost on the way back",
        why="The hidden layer receives the slope of the next layer without the error: however good the "
        "outputs become, the weights before it keep changing.",
        right="delta_{l+1} @ W_{l+1}.T   with the error in delta_{l+1}",
        remedy="A delta is the incoming gradient times the slope: keep both factors.",
        variants=(
            wrong("f′(z_{l+1}) @ W_{l+1}.T   (without the error)", behind=_slope_without_error),
            wrong(
                "W_{l+1}.T alone   (without delta_{l+1})",
                behind=lambda p, layer, delta: np.ones_like(delta) @ p.case.W[layer + 1].T,
            ),
        ),
    ),
    Mistake(
        key="updated_too_early",
        title="weights are updated before the hidden delta is computed",
        why="The output weights have already been updated when the hidden delta is computed with them.",
        right="delta1 = (delta2 @ W2.T) · f′(z1);  W2 −= η·dW2",
        remedy="Compute all gradients first, then update all weights.",
        variants=(
            wrong(
                "W2 −= η·dW2;  delta1 = (delta2 @ W2.T) · f′(z1)",
                behind=lambda p, layer, delta: (
                    delta @ (p.case.W[layer + 1] - p.case.eta * p.dW(layer + 1, delta)).T
                ),
            ),
        ),
    ),
    Mistake(
        key="wrong_transpose",
        title="W instead of its transpose",
        why="The backward pass uses the transposed weights. If the layer is square, the shapes fit either "
        "way.",
        right="delta_{l+1} @ W_{l+1}.T",
        remedy="Transpose W. A test with layers of different sizes finds this at once.",
        variants=(wrong("delta_{l+1} @ W_{l+1}", behind=partial(_through, own=False, turned=False)),),
    ),
    Mistake(
        key="gradient_transposed",
        title="the gradient of W is transposed",
        why="The rows and columns of dW are exchanged; if the layer is square, the shapes fit either way.",
        right="dW = a.T @ delta   (W as (in, out))",
        remedy="The gradient has the same shape as W, entry by entry.",
        variants=(
            wrong(
                "dW = delta.T @ a",
                dW=lambda p, layer, delta: (
                    dW.T if (dW := Backprop.dW(p, layer, delta)).shape[0] == dW.shape[1] else dW
                ),
            ),
        ),
    ),
    Mistake(
        key="wrong_layers_weights",
        title="a hidden delta uses the wrong layer's weights or slope",
        why="The error must come back through the weights that lead out of the hidden neuron and meet "
        "that neuron's own slope. Here it comes back through the weights that lead into it, or meets "
        "the slope of a neuron in another layer. If the layers have the same size, the shapes fit "
        "either way.",
        right="delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        remedy="For neuron j of layer l: the sum over k of delta_k (of the next layer) times the weight from "
        "j to k, times f′(z_j).",
        variants=(
            wrong("delta_l = (delta_{l+1} @ W_l.T) · f′(z_{l+1})", behind=_OWN, slope=_NEXT_SLOPE),
            wrong("delta_l = (delta_{l+1} @ W_l) · f′(z_{l+1})", behind=_OWN_TURNED, slope=_NEXT_SLOPE),
            wrong("delta_l = (delta_{l+1} @ W_l.T) · f′(z_l)", behind=_OWN),
            wrong("delta_l = (delta_{l+1} @ W_l) · f′(z_l)", behind=_OWN_TURNED),
            wrong("delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_{l+1})", slope=_NEXT_SLOPE),
            wrong(
                "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_{l+1})   with the layer's own f′",
                slope=lambda p, layer: p.case.slope(layer, p.case.z[layer + 1], p.case.a[layer + 1]),
            ),
            wrong(
                "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_{l−1})",
                slope=lambda p, layer: _slope_of(p, layer, layer - 1),
            ),
        ),
    ),
    Mistake(
        key="paths_lost",
        title="paths to the loss are missing",
        why="A hidden neuron affects the loss through every neuron of the next layer; the contributions "
        "of all these paths must be added up.",
        right="delta_{l+1} @ W_{l+1}.T   (for neuron j: Σ over k of delta_k · w_jk)",
        remedy="Sum over all neurons of the next layer: each delta times its own weight.",
        variants=(
            wrong(
                "delta_{l+1}[:, :1] @ W_{l+1}[:, :1].T   (the next layer's first neuron only)",
                behind=partial(_of_one, kept=slice(1)),
            ),
            wrong(
                "delta_{l+1}[:, -1:] @ W_{l+1}[:, -1:].T   (the next layer's last neuron only)",
                behind=partial(_of_one, kept=slice(-1, None)),
            ),
            wrong(
                "(Σ over k of delta_k) · (Σ over k of w_jk)",
                behind=lambda p, layer, delta: only(
                    delta.shape[1] > 1, delta.sum(axis=1, keepdims=True) * p.case.W[layer + 1].sum(axis=1)
                ),
            ),
            wrong(
                "the mean over k of delta_k · w_jk",
                behind=lambda p, layer, delta: only(
                    delta.shape[1] > 1, Backprop.behind(p, layer, delta) / delta.shape[1]
                ),
            ),
            wrong(
                "Σ over k of delta_k   (no weights)",
                behind=lambda p, layer, delta: np.broadcast_to(
                    delta.sum(axis=1, keepdims=True), p.case.a[layer].shape
                ),
            ),
        ),
    ),
    Mistake(
        key="gradients_passed_back",
        title="weight gradients are passed back instead of deltas",
        why="The hidden neuron receives the sum of the next layer's weight gradients ∂loss/∂w. But these "
        "are delta times the neuron's own output; what is needed is delta times the weight.",
        right="Σ over k of delta_k · w_jk",
        remedy="Multiply each delta of the next layer by the weight that leads to it, then add up.",
        variants=(
            wrong(
                "Σ over k of ∂loss/∂w_jk = Σ over k of delta_k · a_j",
                behind=lambda p, layer, delta: p.case.x[layer + 1] * delta.sum(axis=1, keepdims=True),
            ),
        ),
    ),
    Mistake(
        key="absolute_weights",
        title="|W| instead of W in the backward pass",
        why="The weights lose their signs in the backward pass.",
        right="delta_{l+1} @ W_{l+1}.T",
        remedy="Use the weights as they are.",
        variants=(
            wrong(
                "delta_{l+1} @ abs(W_{l+1}).T",
                behind=lambda p, layer, delta: delta @ np.abs(p.case.W[layer + 1]).T,
            ),
        ),
    ),
)
