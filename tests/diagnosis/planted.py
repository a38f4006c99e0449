"""Backpropagation as learners write it, in three styles, with a mistake planted by name.

Written without the package: plain NumPy with samples in rows, NumPy with a column for each sample, and lists
of neurons. ``mistake`` is the key of the catalogue, with a variant after a colon; two are joined by a plus.
"""

from __future__ import annotations

import math

import numpy as np

ETA, L2 = 0.1, 0.3

#: What stands in the place of l2·W.
L2_FACTORS = {
    "l2": lambda n: 1,
    "l2_wrong:missing": lambda n: 0,
    "l2_wrong:doubled": lambda n: 2,
    "l2_wrong:negative": lambda n: -1,
    "l2_wrong:over_n": lambda n: 1 / n,
}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


F = {"sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "identity": lambda z: z}
SLOPE = {
    "sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0) * 1.0,
    "identity": lambda z: np.ones_like(z),
}


def softmax(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def rows(mistake, hidden, output):
    """Samples in rows, W (in, out)."""
    f, slope, has = F[hidden], SLOPE[hidden], set(mistake.split("+")).__contains__
    kept = []

    def backprop(weights, biases, X, Y):
        n, last = len(X), len(weights) - 1
        a, z = [X], [X]
        for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
            z.append(a[-1] @ W + b)
            if layer < last:
                a.append(f(z[-1]))
            elif output == "softmax":
                a.append(softmax(z[-1], axis=0 if has("softmax_over_samples") else 1))
            else:
                a.append(F[output](z[-1]))
        p = a[-1]
        error = p - Y
        if has("broadcast_targets"):
            error = (p - Y[:, 0]).sum(axis=1, keepdims=True)
        if has("softmax_twice"):
            error = softmax(p, axis=1) - Y
        if output == "softmax":
            delta = error
            if has("slope_too_many_at_output"):
                delta = error * p * (1 - p)
            if has("softmax_elementwise"):
                delta = -Y / p * p * (1 - p)
        else:
            out_slope = SLOPE[output](z[-1])
            if has("slope_of_wrong_quantity:output"):
                out_slope = SLOPE[output](p)
            delta = error if has("slope_missing_at_output") else error * out_slope
        if not has("sum_for_mean"):
            delta = delta / n
            error = error / n
        if has("one_sample_only"):
            delta = delta * (np.arange(n) == n - 1)[:, None]
        dW, db = [None] * len(weights), [None] * len(weights)
        for layer in range(last, -1, -1):
            x = a[layer]
            if has("z_for_a"):
                x = z[layer]
            if has("wrong_layers_activation") and a[layer + 1].shape == x.shape:
                x = a[layer + 1]
            dW[layer] = x.T @ delta
            if has("gradient_transposed") and dW[layer].shape[0] == dW[layer].shape[1]:
                dW[layer] = dW[layer].T
            db[layer] = delta.sum(axis=0)
            if has("bias_never_updated"):
                db[layer] = np.zeros_like(db[layer])
            if has("bias_with_itself"):
                db[layer] = biases[layer].copy()
            if has("bias_summed_wrongly:all"):
                db[layer] = np.full_like(db[layer], delta.sum())
            if has("bias_summed_wrongly:unsummed"):
                db[layer] = delta
            if has("bias_summed_wrongly:first"):
                db[layer] = delta[0]
            if layer == 0:
                break
            W, h, hz = weights[layer], a[layer], z[layer]
            sent = delta
            if has("error_passed_back") and layer == last:
                sent = error
            if has("updated_too_early"):
                W = W - ETA * dW[layer]
            if has("absolute_weights"):
                W = abs(W)
            back = sent @ W.T
            if has("wrong_transpose"):
                back = sent @ W
            if has("wrong_layers_weights:own"):
                back = sent @ weights[layer - 1].T
            if has("wrong_layers_weights:t1"):
                back = sent @ weights[layer - 1].T
            if has("paths_lost:first"):
                back = sent[:, :1] @ W[:, :1].T
            if has("paths_lost:sums"):
                back = sent.sum(axis=1, keepdims=True) * W.sum(axis=1)
            s = slope(hz)
            if has("slope_missing_in_hidden_layer"):
                s = 1.0
            if has("f_instead_of_slope"):
                s = h
            if has("slope_of_wrong_quantity"):
                s = slope(h)
            if has("slope_of_wrong_quantity:z"):
                s = hz * (1 - hz) if hidden == "sigmoid" else 1 - hz**2
            if has("tanh_of_square"):
                s = 1 - np.tanh(hz**2)
            if has("wrong_layers_weights:t1"):
                s = (slope if layer < last else SLOPE[output])(z[layer + 1])
            if has("relu_mask_of_wrong_array"):
                s = (back > 0) * 1.0
            delta = back * s
            if has("divided_twice:layers"):
                delta = delta / n
        c = 1.0
        for name, factor in (
            ("sign", -1),
            ("factor", 2),
            ("learning_rate_inside", ETA),
            ("divided_twice", 1 / n),
        ):
            c *= factor if has(name) else 1
        dW, db = [c * g for g in dW], [c * g for g in db]
        for name, factor in L2_FACTORS.items():
            if has(name):
                dW = [g + factor(n) * L2 * W for g, W in zip(dW, weights, strict=True)]
        if has("l2_wrong:sum"):
            dW = [g + L2 * W.sum() for g, W in zip(dW, weights, strict=True)]
        if has("l2_wrong:biases"):
            dW = [g + L2 * W for g, W in zip(dW, weights, strict=True)]
            db = [g + L2 * b for g, b in zip(db, biases, strict=True)]
        if has("gradients_accumulate"):
            kept.append((dW, db))
            dW = [sum(one[0][k] for one in kept) for k in range(len(dW))]
        if has("changes_its_inputs"):
            weights[0] -= 0.1 * dW[0]
        return dW, db

    return backprop


def columns(mistake, hidden, output):
    """A column for each sample, W (out, in), biases (out, 1)."""
    f, slope = F[hidden], SLOPE[hidden]

    def backprop(weights, biases, X, Y):
        n, L = X.shape[1], len(weights)
        zs, activations = [], [X]
        for k in range(L):
            zs.append(weights[k] @ activations[-1] + biases[k])
            if k < L - 1:
                activations.append(f(zs[-1]))
            else:
                activations.append(softmax(zs[-1], axis=0) if output == "softmax" else F[output](zs[-1]))
        cost_slope = (activations[-1] - Y) / (1 if mistake == "sum_for_mean" else n)
        if output == "softmax":
            delta = cost_slope
            if mistake == "slope_too_many_at_output":
                delta = delta * activations[-1] * (1 - activations[-1])
        elif mistake == "slope_missing_at_output":
            delta = cost_slope
        else:
            delta = cost_slope * SLOPE[output](zs[-1])
        nabla_w, nabla_b = [0] * L, [0] * L
        for k in range(L - 1, -1, -1):
            before = {"z_for_a": ([X, *zs])[k]}.get(mistake, activations[k])
            nabla_w[k] = delta @ before.T
            nabla_b[k] = delta.sum(axis=1, keepdims=True)
            if mistake == "bias_never_updated":
                nabla_b[k] = 0 * nabla_b[k]
            if mistake == "bias_summed_wrongly:first":
                nabla_b[k] = delta[:, :1]
            if mistake == "bias_with_itself":
                nabla_b[k] = biases[k] * 1.0
            if k == 0:
                break
            W = weights[k]
            if mistake == "updated_too_early":
                W = W - ETA * nabla_w[k]
            if mistake == "absolute_weights":
                W = np.abs(W)
            if mistake == "wrong_transpose":
                W = W.T
            if mistake == "wrong_layers_weights:own":
                W = weights[k - 1]
            back = W.T @ (cost_slope if mistake == "error_passed_back" and k == L - 1 else delta)
            if mistake == "paths_lost:first":
                back = W.T[:, :1] @ delta[:1]
            if mistake == "slope_missing_in_hidden_layer":
                delta = back
            elif mistake == "f_instead_of_slope":
                delta = back * activations[k]
            elif mistake == "slope_of_wrong_quantity":
                delta = back * slope(activations[k])
            else:
                delta = back * slope(zs[k - 1])
        c = {"sign": -1.0, "factor": 2.0, "divided_twice": 1 / n}.get(mistake, 1.0)
        return {"nabla_w": [c * g for g in nabla_w], "nabla_b": [c * g for g in nabla_b]}

    return backprop


def neurons(mistake, hidden, output):
    """Neuron by neuron, in lists and loops, one sample after the other."""

    def act(name, z):
        return {
            "sigmoid": lambda: 1 / (1 + math.exp(-z)),
            "tanh": lambda: math.tanh(z),
            "identity": lambda: z,
        }.get(name, lambda: max(z, 0.0))()

    def slope(name, z, a):
        return {"sigmoid": a * (1 - a), "tanh": 1 - a * a, "identity": 1.0}.get(name, 1.0 if z > 0 else 0.0)

    def backprop(weights, biases, X, Y):
        grads = [[[0.0] * len(w) for w in layer] for layer in weights]
        bias_grads = [[0.0] * len(layer) for layer in biases]
        for x, y in zip(X, Y, strict=True):
            outs, nets = [x], [x]
            for k, layer in enumerate(weights):
                net = [
                    sum(w * o for w, o in zip(ws, outs[-1], strict=True)) + b
                    for ws, b in zip(layer, biases[k], strict=True)
                ]
                nets.append(net)
                outs.append([act(output if k == len(weights) - 1 else hidden, v) for v in net])
            delta = []
            for o, t, v in zip(outs[-1], y, nets[-1], strict=True):
                error = o - t
                delta.append(error if mistake == "slope_missing_at_output" else error * slope(output, v, o))
            errors = [o - t for o, t in zip(outs[-1], y, strict=True)]
            for k in range(len(weights) - 1, -1, -1):
                for j, d in enumerate(delta):
                    for i in range(len(grads[k][j])):
                        taken = nets[k][i] if mistake == "z_for_a" else outs[k][i]
                        one = d * taken / len(X)
                        grads[k][j][i] = one if mistake == "one_sample_only" else grads[k][j][i] + one
                    if mistake != "bias_never_updated":
                        bias_grads[k][j] += d / len(X)
                if k == 0:
                    break
                sent = errors if mistake == "error_passed_back" and k == len(weights) - 1 else delta
                new = []
                for i in range(len(outs[k])):
                    if mistake == "paths_lost:first":
                        back = sent[0] * weights[k][0][i]
                    elif mistake.startswith("wrong_layers_weights"):
                        back = sum(sent[m] * weights[k - 1][i][m] for m in range(len(sent)))
                    elif mistake == "absolute_weights":
                        back = sum(sent[m] * abs(weights[k][m][i]) for m in range(len(sent)))
                    else:
                        back = sum(sent[m] * weights[k][m][i] for m in range(len(sent)))
                    s = slope(hidden, nets[k][i], outs[k][i])
                    if mistake == "slope_missing_in_hidden_layer":
                        s = 1.0
                    if mistake == "f_instead_of_slope":
                        s = outs[k][i]
                    if mistake == "wrong_layers_weights:t1":
                        after = output if k == len(weights) - 1 else hidden
                        s = slope(after, nets[k + 1][i], outs[k + 1][i])
                    new.append(back * s)
                delta = new
        if mistake in ("sign", "factor"):
            c = -1 if mistake == "sign" else 2
            grads = [[[c * g for g in ws] for ws in layer] for layer in grads]
            bias_grads = [[c * g for g in layer] for layer in bias_grads]
        return grads, bias_grads

    return backprop


STYLES = {"rows": rows, "columns": columns, "neurons": neurons}

#: Hidden activation and output; a softmax comes with cross-entropy, any other with half squared error.
NETWORKS = [
    ("sigmoid", "sigmoid"), ("tanh", "sigmoid"), ("relu", "sigmoid"),
    ("tanh", "tanh"), ("relu", "softmax"), ("sigmoid", "softmax"),
]  # fmt: skip

SQUARE = ("wrong_transpose", "wrong_layers_weights", "gradient_transposed", "wrong_layers_activation")

#: What each style has, and with which output.
_EVERY_STYLE = (
    "slope_missing_at_output", "slope_missing_in_hidden_layer", "f_instead_of_slope", "error_passed_back",
    "wrong_layers_weights:own", "paths_lost:first", "absolute_weights", "z_for_a", "bias_never_updated",
    "sign", "factor",
)  # fmt: skip
PLANTED = {
    "rows": (
        *_EVERY_STYLE, "slope_too_many_at_output", "softmax_elementwise", "softmax_twice",
        "softmax_over_samples", "broadcast_targets", "slope_of_wrong_quantity", "slope_of_wrong_quantity:z",
        "slope_of_wrong_quantity:output", "tanh_of_square", "relu_mask_of_wrong_array", "updated_too_early",
        "wrong_transpose", "gradient_transposed", "wrong_layers_weights:t1", "paths_lost:sums",
        "wrong_layers_activation", "bias_with_itself", "bias_summed_wrongly:all",
        "bias_summed_wrongly:first", "bias_summed_wrongly:unsummed",
        "one_sample_only", "sum_for_mean", "divided_twice", "divided_twice:layers", "learning_rate_inside",
        "l2_wrong:missing", "l2_wrong:doubled", "l2_wrong:negative", "l2_wrong:over_n", "l2_wrong:sum",
        "l2_wrong:biases", "gradients_accumulate", "changes_its_inputs",
    ),
    "columns": (
        *_EVERY_STYLE, "slope_too_many_at_output", "slope_of_wrong_quantity", "updated_too_early",
        "wrong_transpose", "bias_with_itself", "bias_summed_wrongly:first", "sum_for_mean", "divided_twice",
    ),
    "neurons": (*_EVERY_STYLE, "wrong_layers_weights:t1", "one_sample_only"),
}  # fmt: skip

_ONLY = {
    "slope_missing_at_output": lambda hidden, output: output != "softmax",
    "slope_too_many_at_output": lambda hidden, output: output == "softmax",
    "softmax_elementwise": lambda hidden, output: output == "softmax",
    "softmax_twice": lambda hidden, output: output == "softmax",
    "softmax_over_samples": lambda hidden, output: output == "softmax",
    "broadcast_targets": lambda hidden, output: output != "softmax",
    "error_passed_back": lambda hidden, output: output != "softmax",
    "slope_of_wrong_quantity": lambda hidden, output: hidden != "relu",
    "slope_of_wrong_quantity:z": lambda hidden, output: hidden != "relu",
    "slope_of_wrong_quantity:output": lambda hidden, output: output != "softmax",
    "tanh_of_square": lambda hidden, output: hidden == "tanh",
    "relu_mask_of_wrong_array": lambda hidden, output: hidden == "relu",
    "wrong_layers_weights:t1": lambda hidden, output: output != "softmax",
}


def cases():
    """(style, mistake, hidden, output) for all that can be planted."""
    for style, mistakes in PLANTED.items():
        for mistake in mistakes:
            for hidden, output in NETWORKS:
                if style == "neurons" and output == "softmax":
                    continue
                if _ONLY.get(mistake, lambda hidden, output: True)(hidden, output):
                    yield style, mistake, hidden, output


def settings_of(hidden, output, mistake=""):
    loss = "cross_entropy" if output == "softmax" else "half_squared_error"
    settings = {"activation": hidden, "output": output, "loss": loss, "reduction": "mean"}
    if mistake.startswith("l2"):
        settings["l2"] = L2
    if mistake == "broadcast_targets":
        settings["sizes"] = [3, 4, 1]
    if mistake.partition(":")[0] in SQUARE:
        settings["sizes"] = [3, 3, 3]
    return settings
