"""Whole programs that train a network with data of their own, in six styles, with a mistake planted by name.

A program is made of fragments; a mistake puts another text in the place of one. The lines in which the
program differs from the right one are where the mistake is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .planted_neurons import NEURON_NETWORKS, neuron_plants, neuron_program


class Net(NamedTuple):
    """What is trained."""

    sizes: tuple[int, ...]
    hidden: str
    output: str
    loss: str
    samples: int

    @property
    def last(self) -> int:
        """How many layers have weights."""
        return len(self.sizes) - 1

    @property
    def square(self) -> bool:
        """Whether all layers have one size."""
        return len(set(self.sizes)) == 1

    @property
    def has_slope(self) -> bool:
        """Whether the output's slope is in its delta."""
        return self.loss == "squared" and self.output != "identity"


NETWORKS = (
    Net((3, 4, 2), "sigmoid", "sigmoid", "squared", 5),
    Net((4, 5, 3), "tanh", "softmax", "cross", 7),
    Net((3, 4, 4, 2), "relu", "identity", "squared", 7),
    Net((3, 5, 1), "tanh", "sigmoid", "binary", 7),
    Net((2, 2, 2), "sigmoid", "sigmoid", "squared", 3),
    Net((3, 3, 3, 3), "tanh", "sigmoid", "squared", 4),
)
ARRAY_STYLES = ("script", "functions", "dicts", "columns", "class")

_F = {"sigmoid": "1 / (1 + np.exp(-({0})))", "tanh": "np.tanh({0})", "relu": "np.maximum({0}, 0)"}
_F |= {"identity": "1.0 * ({0})", "softmax": "softmax({0})"}
_SLOPE = {"sigmoid": "{0} * (1 - {0})", "tanh": "1 - {0} ** 2", "relu": "({0} > 0)"}
_LOSS = {
    "squared": "np.sum((p - Y) ** 2) / 2 / n",
    "cross": "-np.sum(Y * np.log(p)) / n",
    "binary": "-np.sum(Y * np.log(p) + (1 - Y) * np.log(1 - p)) / n",
}


class Names(NamedTuple):
    """The names of a layer's arrays: of the layer, of the one before (x, zx) and of the next (dn, Wn, hn)."""

    x: str
    zx: str
    W: str
    b: str
    z: str
    h: str
    a: str
    m: str
    d: str
    dW: str
    db: str
    dn: str
    Wn: str
    hn: str
    l: str  # noqa: E741
    columns: bool
    net: Net

    def grad(self, x: str, d: str) -> str:
        """``x.T @ d`` in the layout."""
        return f"{d} @ {x}.T" if self.columns else f"{x}.T @ {d}"

    def through(self, d: str, W: str) -> str:
        """``d @ W.T`` in the layout."""
        return f"{W}.T @ {d}" if self.columns else f"{d} @ {W}.T"

    def total(self, d: str) -> str:
        """The sum over samples."""
        return f"{d}.sum(axis={int(self.columns)}, keepdims=True)"

    def neurons(self, array: str, how: str = "") -> str:
        """The sum over neurons."""
        return f"{array}.sum(axis={int(not self.columns)}{how})"

    def samples(self, array: str, part: str) -> str:
        """Some samples."""
        return f"{array}[:, {part}]" if self.columns else f"{array}[{part}]"

    def slope(self, of: str, hidden: bool = True) -> str:
        """f′ in terms of a."""
        return _SLOPE[self.net.hidden if hidden else self.net.output].format(of)


Fragment = Callable[[Names], str]

RIGHT: dict[str, Fragment] = {
    "axis": lambda v: str(int(not v.columns)),
    "output": lambda v: _F[v.net.output].format(v.z),
    "error": lambda v: "p - Y",
    "delta_out": lambda v: f"error * {_SLOPE[v.net.output].format('p')}" if v.net.has_slope else "error",
    "back": lambda v: v.through(v.dn, v.Wn),
    "mask": lambda v: f"back * {v.m}",
    "slope": lambda v: f"back * ({v.slope(v.h)})",
    "dW": lambda v: f"{v.grad(v.x, v.d)} / n",
    "penalty": lambda v: f"l2 * {v.W}",
    "db": lambda v: f"{v.total(v.d)} / n",
    "step_W": lambda v: f"-= rate * {v.dW}",
    "step_b": lambda v: f"-= rate * {v.db}",
}


class Plant(NamedTuple):
    """A mistake: the fragment it changes, in which layer (0: in all), and what stands there."""

    key: str
    fragment: str
    text: Fragment
    fits: Callable[[Net], bool] = lambda net: True
    layer: int = 0

    @property
    def dropping(self) -> bool:
        """Whether the program has dropout."""
        return self.key.startswith("dropout")


_smooth: Callable[[Net], bool] = lambda net: net.hidden != "relu"  # noqa: E731
_wide: Callable[[Net], bool] = lambda net: net.sizes[-1] > 1  # noqa: E731
_softmax: Callable[[Net], bool] = lambda net: net.output == "softmax"  # noqa: E731

PLANTS = (
    Plant("slope_missing_at_output", "delta_out", lambda v: "error", lambda net: net.has_slope),
    Plant(
        "slope_too_many_at_output",
        "delta_out",
        lambda v: "error * p * (1 - p)",
        lambda net: net.loss in ("cross", "binary"),
    ),
    Plant("softmax_elementwise", "delta_out", lambda v: "-Y / p * p * (1 - p)", _softmax),
    Plant("softmax_twice", "output", lambda v: f"softmax(softmax({v.z}))", _softmax),
    Plant("softmax_over_samples", "axis", lambda v: str(int(v.columns)), _softmax),
    Plant(
        "slope_of_wrong_quantity",
        "slope",
        lambda v: f"back * ({v.slope('(' + _F[v.net.hidden].format(v.h) + ')')})",
        _smooth,
    ),
    Plant("slope_of_wrong_quantity", "slope", lambda v: f"back * ({v.slope(v.z)})", _smooth),
    Plant(
        "slope_of_wrong_quantity",
        "delta_out",
        lambda v: f"error * {v.slope('(' + _F[v.net.output].format('p') + ')', False)}",
        lambda net: net.has_slope,
    ),
    Plant("slope_missing_in_hidden_layer", "slope", lambda v: "back * 1.0"),
    Plant("f_instead_of_slope", "slope", lambda v: f"back * {v.h}"),
    Plant("slope_formula", "slope", lambda v: f"back * (1 - {v.h})"),
    Plant(
        "tanh_of_square",
        "slope",
        lambda v: f"back * (1 - np.tanh({v.z} ** 2))",
        lambda net: net.hidden == "tanh",
    ),
    Plant(
        "relu_mask_of_wrong_array", "slope", lambda v: "back * (back > 0)", lambda net: net.hidden == "relu"
    ),
    Plant("error_passed_back", "back", lambda v: v.through("error", v.Wn), lambda net: net.has_slope, -1),
    Plant("error_lost", "back", lambda v: v.through(f"np.ones_like({v.dn})", v.Wn)),
    Plant("updated_too_early", "order", lambda v: ""),
    Plant(
        "wrong_transpose",
        "back",
        lambda v: v.through(v.dn, v.Wn + ".T").replace(".T.T", ""),
        lambda net: net.square,
    ),
    Plant("gradient_transposed", "dW", lambda v: f"({v.grad(v.x, v.d)}).T / n", lambda net: net.square),
    Plant("wrong_layers_weights", "back", lambda v: v.through(v.dn, v.W), lambda net: net.square),
    Plant(
        "wrong_layers_weights",
        "slope",
        lambda v: f"back * ({v.slope(v.hn)})",
        lambda net: net.square and net.has_slope,
    ),
    Plant(
        "paths_lost",
        "back",
        lambda v: f"{v.Wn}[:1].T @ {v.dn}[:1]" if v.columns else f"{v.dn}[:, :1] @ {v.Wn}[:, :1].T",
        _wide,
    ),
    Plant(
        "paths_lost",
        "back",
        lambda v: (
            f"{v.Wn}.sum(axis=0)[:, None] * {v.dn}.sum(axis=0)"
            if v.columns
            else f"{v.dn}.sum(axis=1)[:, None] * {v.Wn}.sum(axis=1)"
        ),
        lambda net: net.sizes[-1] > 1 and net.output != "softmax",
    ),
    Plant(
        "gradients_passed_back",
        "back",
        lambda v: f"{v.a} * {v.neurons(v.dn, ', keepdims=True')}",
        lambda net: net.output != "softmax",
    ),
    Plant("absolute_weights", "back", lambda v: v.through(v.dn, f"np.abs({v.Wn})")),
    Plant("wrong_layers_activation", "dW", lambda v: f"{v.grad(v.a, v.d)} / n", lambda net: net.square),
    Plant("z_for_a", "dW", lambda v: f"{v.grad(v.zx, v.d)} / n"),
    Plant("input_missing_in_dW", "dW", lambda v: f"{v.grad(f'np.ones_like({v.x})', v.d)} / n"),
    Plant("slope_missing_in_dW", "dW", lambda v: f"{v.grad(v.x, 'back')} / n", layer=1),
    Plant("bias_never_updated", "step_b", lambda v: f"-= 0 * {v.db}"),
    Plant("bias_never_updated", "db", lambda v: f"np.zeros_like({v.b})"),
    Plant("bias_with_itself", "step_b", lambda v: f"-= rate * {v.b}"),
    Plant("bias_with_itself", "step_b", lambda v: f"-= rate * {v.b}", layer=1),
    Plant("bias_summed_wrongly", "db", lambda v: f"{v.d}.sum() / n + 0 * {v.b}"),
    Plant("bias_summed_wrongly", "db", lambda v: v.total(v.d)),
    Plant("bias_summed_wrongly", "db", lambda v: f"{v.total(v.d)} / n / n"),
    Plant("bias_summed_wrongly", "db", lambda v: f"{v.samples(v.d, ':1')} / n"),
    Plant("one_sample_only", "dW", lambda v: f"{v.grad(v.samples(v.x, '-1:'), v.samples(v.d, '-1:'))} / n"),
    Plant("l2_wrong", "penalty", lambda v: f"-l2 * {v.W}"),
    Plant("l2_wrong", "penalty", lambda v: f"2 * l2 * {v.W}"),
    Plant("l2_wrong", "penalty", lambda v: f"l2 * {v.W} / n"),
    Plant("l2_wrong", "penalty", lambda v: f"l2 * {v.W}.sum()"),
    Plant("sign", "error", lambda v: "Y - p"),
    Plant("sign", "step_W", lambda v: f"+= rate * {v.dW}", layer=1),
    Plant("sum_for_mean", "dW", lambda v: v.grad(v.x, v.d), layer=1),
    Plant("divided_twice", "back", lambda v: f"{v.through(v.dn, v.Wn)} / n"),
    Plant(
        "divided_by_features",
        "dW",
        lambda v: f"{v.grad(v.x, v.d)} / {v.x}.shape[{int(not v.columns)}]",
        lambda net: len(set(net.sizes)) > 1,
    ),
    Plant("factor", "dW", lambda v: f"2 * {v.grad(v.x, v.d)} / n", layer=1),
    Plant("learning_rate_inside", "dW", lambda v: f"rate * {v.grad(v.x, v.d)} / n", layer=1),
    Plant("sign_and_scale", "dW", lambda v: f"-({v.grad(v.x, v.d)})", layer=1),
    Plant("dropout_mask_not_applied_backward", "mask", lambda v: "back"),
    Plant("dropout_scaled_one_way", "mask", lambda v: f"back * ({v.m} > 0)"),
    Plant("dropout_other_mask_backward", "mask", lambda v: f"back * ((rng.random({v.a}.shape) < 0.8) / 0.8)"),
    Plant("dropout_slope_of_dropped", "slope", lambda v: f"back * ({v.slope(v.a)})", _smooth),
)


def _name(style: str, kind: str, layer: int | str) -> str:
    if style == "script":
        return f"{kind}{layer}"
    if style == "dicts":
        return f'{"w" if kind in "Wb" else "c"}["{kind}{layer}"]'
    return f"self.{kind}[{layer}]" if style == "class" else f"{kind}[{layer}]"


def names(style: str, net: Net, layer: int | str) -> Names:
    """The names of one layer's arrays; the layer may be a variable."""
    before, after = (layer - 1, layer + 1) if isinstance(layer, int) else (f"{layer} - 1", f"{layer} + 1")
    of = {kind: _name(style, kind, layer) for kind in ("W", "b", "z", "h", "a", "m", "d", "dW", "db")}
    x, zx = ("X", "X") if layer == 1 else (_name(style, "a", before), _name(style, "z", before))
    after_names = [_name(style, kind, after) for kind in ("d", "W", "a")]
    return Names(
        x,
        zx,
        **of,
        dn=after_names[0],
        Wn=after_names[1],
        hn=after_names[2],
        l=str(layer),
        columns=style == "columns",
        net=net,
    )


def array_program(style: str, net: Net, plant: Plant | None = None, *, like: Plant | None = None) -> str:
    """A program in one of the styles with arrays; ``like``: right, with what that mistake needs."""
    kind = plant or like
    dropping, penalised = bool(kind and kind.dropping), bool(kind and kind.fragment == "penalty")
    early = plant is not None and plant.fragment == "order"

    def put(fragment: str, v: Names) -> str:
        right = RIGHT[fragment](v)
        if plant is None or plant.fragment != fragment:
            return right
        layer = plant.layer if plant.layer >= 0 else net.last + plant.layer
        if not layer:
            return plant.text(v)
        if v.l.isdigit():
            return plant.text(v) if int(v.l) == layer else right
        return f"({plant.text(v)} if {v.l} == {layer} else {right})" if "=" not in right else right

    def forward(v: Names, last: bool) -> list[str]:
        sums = f"{v.W} @ {v.x} + {v.b}" if v.columns else f"{v.x} @ {v.W} + {v.b}"
        lines = [f"{v.z} = {sums}"]
        if last:
            return [*lines, f"{v.a} = {put('output', v)}"]
        lines.append(f"{v.h} = {_F[net.hidden].format(v.z)}")
        if dropping:
            return [*lines, f"{v.m} = (rng.random({v.h}.shape) < 0.8) / 0.8", f"{v.a} = {v.h} * {v.m}"]
        return [*lines, f"{v.a} = {v.h}"]

    def gradients(v: Names) -> list[str]:
        penalty = f" + {put('penalty', v)}" if penalised else ""
        return [f"{v.dW} = {put('dW', v)}{penalty}", f"{v.db} = {put('db', v)}"]

    def hidden(v: Names) -> list[str]:
        mask = [f"back = {put('mask', v)}"] if dropping else []
        return [f"back = {put('back', v)}", *mask, f"{v.d} = {put('slope', v)}"]

    def step(v: Names) -> list[str]:
        return [f"{v.W} {put('step_W', v)}", f"{v.b} {put('step_b', v)}"]

    every = [names(style, net, layer) for layer in range(1, net.last + 1)]
    top, penalty = every[-1], "".join(f" + l2 / 2 * np.sum({v.W} ** 2)" for v in every) * penalised
    start = [f"p = {top.a}", f"loss = {_LOSS[net.loss]}{penalty}", f"error = {put('error', top)}"]
    delta = f"{top.d} = {put('delta_out', top)}"
    body = [line for v in every for line in forward(v, v is top)] + start + [delta]
    if style in ("script", "dicts"):
        for v in reversed(every):
            body += ([] if v is top else hidden(v)) + gradients(v) + (step(v) if early else [])
    else:
        v = names(style, net, "l")
        loop = [f"if l < {net.last}:", *("    " + line for line in hidden(v))]
        loop += gradients(v) + (step(v) if early else [])
        body += [f"for l in range({net.last}, 0, -1):", *("    " + line for line in loop)]
    if not early:
        body += [line for v in every for line in step(v)]
    return "\n".join(_wrapped(style, net, every, body, put("axis", top))) + "\n"


def _wrapped(style: str, net: Net, every: list[Names], body: list[str], axis: str) -> list[str]:
    """The body in a loop, as its style has it, behind data and first weights."""
    columns, n, first, last = style == "columns", net.samples, net.sizes[0], net.sizes[-1]
    data = ["import numpy as np", "rng = np.random.default_rng(3)", f"X = rng.normal(size=({n}, {first}))"]
    targets = {
        "squared": f"rng.uniform(0.1, 0.9, size=({n}, {last}))",
        "binary": f"(rng.random(({n}, {last})) < 0.5) * 1.0",
        "cross": f"np.eye({last})[rng.integers(0, {last}, {n})]",
    }
    data += [f"Y = {targets[net.loss]}", *(["X, Y = X.T, Y.T"] if columns else [])]
    data += [f"n, rate, l2 = {n}, 0.3, 0.05"]
    if net.output == "softmax":
        data += ["def softmax(z):", f"    e = np.exp(z - z.max(axis={axis}, keepdims=True))"]
        data += [f"    return e / e.sum(axis={axis}, keepdims=True)"]
    made = []
    for v, (n_in, n_out) in zip(every, zip(net.sizes, net.sizes[1:], strict=False), strict=True):
        shape, flat = (
            (f"({n_out}, {n_in})", f"({n_out}, 1)") if columns else (f"({n_in}, {n_out})", f"(1, {n_out})")
        )
        made += [f"{v.W} = rng.normal(size={shape}) * 0.8", f"{v.b} = rng.normal(size={flat}) * 0.3"]
    kinds = ("z", "h", "a", "m", "d", "dW", "db")
    if style == "script":
        return [*data, *made, "for epoch in range(200):", *_deeper(body)]
    if style == "dicts":
        return [*data, "w, c = {}, {}", *made, "for epoch in range(200):", *_deeper(body)]
    if style == "class":
        empty = [f"self.{kind} = {{}}" for kind in ("W", "b", *kinds)]
        body = ["self.a[0], self.z[0] = X, X", *body]
        return [
            *data,
            "class Net:",
            "    def __init__(self):",
            *_deeper([*empty, *made], 2),
            "    def train(self, X, Y):",
            *_deeper(body, 2),
            "net = Net()",
            "for epoch in range(200):",
            "    net.train(X, Y)",
        ]
    empty = [*(f"{kind} = {{}}" for kind in kinds), "a[0], z[0] = X, X"]
    return [
        *data,
        "W, b = {}, {}",
        *made,
        "def train(W, b, X, Y):",
        *_deeper([*empty, *body]),
        "for epoch in range(200):",
        "    train(W, b, X, Y)",
    ]


def _deeper(lines: list[str], levels: int = 1) -> list[str]:
    return ["    " * levels + line for line in lines]


# ---------------------------------------------------------------------- all of them


class Planted(NamedTuple):
    """A program, the mistake in it, and the lines it is in."""

    name: str
    key: str
    text: str
    lines: frozenset[int]


def planted_programs() -> list[Planted]:
    """Every mistake in every style and network in which it can be made."""
    found = []
    for style in ARRAY_STYLES:
        for number, net in enumerate(NETWORKS):
            for which, plant in enumerate(PLANTS):
                if not plant.fits(net):
                    continue
                text, right = array_program(style, net, plant), array_program(style, net, like=plant)
                if text != right:
                    found.append(
                        Planted(f"{style}-{number}-{which}-{plant.key}", plant.key, text, _lines(text, right))
                    )
    for number, (sizes, kind) in enumerate(NEURON_NETWORKS):
        right = neuron_program(sizes, kind)
        for which, (key, fragment, wrong) in enumerate(neuron_plants(kind, sizes)):
            text = neuron_program(sizes, kind, fragment, wrong)
            found.append(Planted(f"neurons-{number}-{which}-{key}", key, text, _lines(text, right)))
    return found


def _lines(text: str, right: str) -> frozenset[int]:
    one, other = text.split("\n"), right.split("\n")
    if len(one) != len(other):  # another order: where weights change, and where they are used too late
        return frozenset(k for k, line in enumerate(one, 1) if "back =" in line or "-= rate" in line)
    return frozenset(k for k, (a, b) in enumerate(zip(one, other, strict=True), 1) if a != b)


def right_programs() -> list[str]:
    """The same without mistakes."""
    arrays = [
        array_program(style, net, like=plant)
        for style in ARRAY_STYLES
        for net in NETWORKS
        for plant in PLANTS
    ]
    return list(dict.fromkeys([*arrays, *(neuron_program(*one) for one in NEURON_NETWORKS)]))


def spread(cases: list, kind: Callable, every: int) -> list:
    """Of the cases of each kind, one in so many, and at least one: of each kind others."""
    kinds = {}
    for case in cases:
        kinds.setdefault(kind(case), []).append(case)
    return [one for k, some in enumerate(kinds.values()) for one in some[k % min(every, len(some)) :: every]]
