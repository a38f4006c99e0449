"""Plausible arguments: what a parameter of somebody's function is likely to want, read from its name."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.layouts import ArgumentLayout
from deltarule.diagnosis.driving.usage import OF_ARRAYS, UNUSED, Use
from deltarule.diagnosis.recording.substitutes import RandomNumbers
from deltarule.diagnosis.recording.tape import current_tape
from deltarule.diagnosis.recording.traced import given, leaf
from deltarule.diagnosis.recording.usual_activation import UsualActivation

DATA = re.compile(
    r"(x|xs|a0|inp|x_?seq\w*)$|x_?(train|batch|b|in|data|i)?$|inputs?(_?(data|vector|list|array|values|s))?$|.*(features|images)$"
    r"|training_(set_)?inputs|sample(s)?$|pattern$|data$|features?$|(input_?)?seq(uence)?s?$"
    r"|(entradas?|eingaben?|entrees?|giris(ler)?|wejscia?|vhod[yi]?|vkhody?|ingressi)"
    r"(_?(list[ea]?|vektor|vetor|vector|dat\w*|dados|array|train\w*))?$",
    re.I,
)
TARGET = re.compile(
    r"(y|t|ys|d)$|(y|t)_?(train|true|batch|b|data|hot|real|i|enc|onehot)?$|.*(target|label|expected|desired|truth).*"
    r"|outputs?(_data)?$|training_(set_)?outputs|((\w+_)?output_?)?(correct|right)$|answers?$"
    r"|(esperad|desejad|desead|salida|saida|sortie|ausgabe|cikis|wyjsci|ziel|soll|alvo|attendu|hedef|objetivo|vyhod)\w*$",
    re.I,
)
RATE = re.compile(
    r".*(lr|rate|alpha|eta|step_?size)$|^n$|^lr.*|^(learning|taxa|tasa|taux|lern|passo|ogrenme).*", re.I
)
MASK = re.compile(r"_*(drop(out)?_?|keep_?)?masks?$", re.I)
RANDOM = re.compile(r"_*(rng|gen(erator)?)$", re.I)
_WEIGHTS = re.compile(r"(weights?|ws?|thetas?|network|nn_weights)$", re.I)
_BIASES = re.compile(r"(bias(es)?|bs?)$", re.I)
_DICTIONARY = re.compile(r"(param(eter)?s?(_values)?|model|net|weights_dict|p)$", re.I)
_NUMBERED = re.compile(r"(w|theta|weights?|b|bias)_?(\d|h|o|ih|ho|hidden|output|out|hid)$", re.I)
_PAIRS = re.compile(
    r".*(training_data|train_data|training_set|trainingset|datasets?|mini_batch|patterns|minibatch|pairs|batch)$",
    re.I,
)
#: Rows that end with their class.
_ROWS = re.compile(r"(train\w*|rows?|data\w*|.*set|examples|samples)$", re.I)
#: The derivative of the loss by what a layer computed.
UPSTREAM = re.compile(
    r"_*(d_?(y|o|a|z|l|h|out\w*|values?|scores?|logits?|next|pred\w*|[a-z]_?d_?\w+)|(\w+_)?grad(s|ients?)?(_\w+)?|dvalues|upstream\w*"
    r"|(\w+_)?derivatives?|\w*error|delta(_?(out\w*|next))?)$",
    re.I,
)
#: What a recurrent network begins with, and its parameters.
_STATE = re.compile(
    r"(h|a|c|s|hidden|cell|state)_?(prev\w*|0|init\w*|state)$|(prev\w*|initial)_(h\w*|c\w*|state)$"
)
_LETTERED = re.compile(r"[wub]_?[xhaysfigoc]{1,2}$")
_ROLES = {"weights": _WEIGHTS, "biases": _BIASES, "X": DATA, "Y": TARGET, "rate": RATE}
_NUMBERS: list[tuple[str, Any]] = [
    (r".*(mini_?batch_?size|batch_?size|bs)$", 3),
    (r".*(epoch|(?<!cr)iter|steps|n_times|max_it|rounds|iterations|loops).*", 20),
    (r"momentum$|mu$", 0.5),
    (r".*(keep|kept|retain).*", 0.8),
    (r".*drop.*", 0.2),
    (r".*(decay|lmbda|lambda|lambd|reg|l1|l2|lam|beta|gamma)\w*$", 0.0),
    (r".*(verbose|print|debug|plot|show|monitor|flag|shuffle|log).*", False),
    (r"(is_?)?train(ing)?(_?mode)?$", True),
    (r".*(seed|random_state|strides?)$", 1),
    (r".*(filter|kernel|pool)_?(size|width|height|h|w)$|(f|k)_?size$", 2),
    (r".*pad(ding)?$", 0),
]
_SIZES = re.compile(
    r".*(sizes|layers|dims|struct(ure)?|topology|arch(itecture)?|layout|shape|n_neurons|neurons|units_list|layer_nodes)$",
    re.I,
)
_COUNT = re.compile(
    r".*(size|dim|nodes|units|count|neurons|features|hid|in|out|classes|_h|_x|_y|no_of)\w*$|nh|n[io]$|[dkhcn]\d?$",
    re.I,
)


_HIDDEN = re.compile(
    r"hid|(^|_)n?h$|(^|_)h\d?$|middle|ocult|escond|versteckt|verborgen|cach|gizli|ukryt|skryt|nascost|inner|state",
    re.I,
)
_OUT = re.compile(
    r"out|class|target|label|_y$|(^|_)no?$|(^|_)k$|(^|_)c$|^no$|sal?id|ausg|sort|cikis|wyj|vyh|uscit|action",
    re.I,
)
_IN = re.compile(r"in|feat|_x$|visible|(^|_)d$|prev|fan_in|entr|eing|giris|wej|vk?ho|dim", re.I)


def _written(name: str) -> str:
    """A name in small letters, its words apart: ``numHidden`` as ``num_hidden``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip("_")).lower()


def role_of(name: str) -> str:
    """``"weights"``, ``"biases"``, ``"X"``, ``"Y"`` or ``"rate"``; empty where a name does not say."""
    return next((role for role, pattern in _ROLES.items() if pattern.match(name.strip("_"))), "")


def roles_of_unknown(known: list[str], unknown: int, order: int) -> list[str]:
    """Roles for parameters whose names say nothing: those that no other has, in a usual order."""
    orders = (["weights", "biases", "X", "Y", "rate"], ["X", "Y", "weights", "biases", "rate"])
    left = [role for role in orders[order] if role not in {role_of(name) for name in known}]
    for role in ("rate", "biases", "weights"):
        if len(left) > unknown and role in left:
            left.remove(role)
    return left if len(left) == unknown else []


class Plausible:
    """Arguments for one trial; ``own`` are the learner's own, by their roles."""

    def __init__(
        self,
        layout: ArgumentLayout,
        namespace: dict[str, Any],
        own: dict[str, Any] | None = None,
        text: str = "",
    ) -> None:
        self.layout, self.namespace = layout, namespace
        self.rng = np.random.default_rng(layout.seed + 1)
        inputs, targets = self._data(layout.seed)
        self.data = {"X": inputs, "Y": targets, **(own or {})}
        self.made: dict[str, list[Any]] = {}
        self.activation = UsualActivation(text)
        #: Whether anything was asked for that the layout changes.
        self.is_used = False

    def usual(self, name: str) -> Any:
        """A usual activation, or its derivative, by the name of the argument that is it."""
        return self.activation.called(name)

    def _data(self, seed: int) -> tuple[Any, Any]:
        layout, rng = self.layout, np.random.default_rng(seed)
        n, outputs = layout.samples, layout.outputs
        x = rng.normal(size=(n, layout.inputs))
        classes = (np.arange(n) + seed) % max(outputs, 2)
        y: Any = np.eye(outputs)[classes] if outputs > 1 else rng.uniform(0.1, 0.9, (n, 1))
        if layout.labels == "whole numbers":
            y = classes
        elif layout.labels == "last":
            return [[*row, int(one)] for row, one in zip(given(x).tolist(), classes, strict=True)], None
        elif layout.labels == "flat":
            y = classes.astype(float)
        if layout.data == "columns":
            x, y = x.T.copy(), y.T.copy() if y.ndim == 2 else y.reshape(1, -1)
        elif layout.data == "column":
            x, y = x[:1].T.copy(), y[:1].T.copy()
        elif layout.data in ("vector", "list"):
            x, y = x[0], y[0]
        elif layout.data == "row":
            x, y = x[:1], y[:1]
        elif layout.data == "row vectors":
            x, y = x[:, None, :], y[:, None, :]
        elif layout.data == "column vectors":
            x, y = x[:, :, None], y[:, :, None]
        elif layout.data == "sequence":
            wanted = classes.tolist() if layout.labels == "whole numbers" else given(y[:1].T.copy())
            return [given(one.reshape(-1, 1)) for one in x], wanted
        both = given(x), given(y)
        return (both[0].tolist(), both[1].tolist()) if layout.data in ("list", "lists") else both

    def _parameters(self, kind: str, name: str) -> Any:
        """Weights, or biases, of two layers; called as the learner calls them."""
        self.is_used = True
        if kind in self.data:
            return self.data[kind]
        if kind not in self.made:
            self.made[kind] = [
                _start_value(self.rng.normal(size=shape), f"{name}[{k}]")
                for k, shape in enumerate(self._shapes(kind))
            ]
        lists = getattr(self.layout, kind).endswith("lists")
        return [one.tolist() for one in self.made[kind]] if lists else list(self.made[kind])

    def parameter(self, name: str, shape: tuple[int, ...]) -> Any:
        """A parameter of that shape."""
        self.is_used = True
        if name not in self.made:
            self.made[name] = [_start_value(self.rng.normal(size=shape) * 0.7, name)]
        return self.made[name][0]

    def flat(self, name: str) -> Any:
        """All parameters in one vector."""
        self.is_used = True
        if name not in self.made:
            self.made[name] = [_start_value(self.rng.normal(size=self.layout.flat), name)]
        return self.made[name][0]

    def one_layer(self, kind: str, name: str) -> Any:
        """The weights, or the biases, of a single layer."""
        self.is_used = True
        if kind not in self.made:
            layout, self.layout = self.layout, replace(self.layout, layers=1)
            shapes, self.layout = self._shapes(kind), layout
            self.made[kind] = [_start_value(self.rng.normal(size=shape), name) for shape in shapes]
        return self.made[kind][0]

    def _shapes(self, kind: str) -> list[tuple[int, ...]]:
        form, sizes = getattr(self.layout, kind), self.layout.widths
        if kind == "biases":
            return [{"row": (1, n), "column": (n, 1), "one": ()}.get(form, (n,)) for n in sizes[1:]]
        shapes = list(pairwise(sizes))
        return [shape[::-1] for shape in shapes] if form.startswith("out-in") else list(shapes)

    def of_role(self, role: str, name: str = "") -> Any:
        """The weights, biases, inputs, targets or rate."""
        self.is_used = True
        if role in ("weights", "biases"):
            return self._parameters(role, name or role)
        return 0.1 if role == "rate" else self.data[role]

    def value(self, name: str, others: list[str], use: Use = UNUSED) -> Any:
        """A value for a parameter of that name, beside others; LookupError where none comes to mind."""
        name = name.strip("_")
        lower = name.lower()
        if lower == "p" and any(MASK.match(one) or role_of(one) == "weights" for one in others):
            return 0.5  # a share that is dropped, or kept
        if MASK.match(lower):
            return self._masks(lower.endswith("s"))
        if RANDOM.match(lower):
            return RandomNumbers(np.random.default_rng(self.layout.seed))
        if use.is_size and not use.attributes & OF_ARRAYS and not _number_for(lower):
            return self._counts(_written(name), use)
        if use.rank > 2 and not use.is_list:
            return self.images(use.rank)
        if _NUMBERED.match(lower):
            return self._numbered(name)
        if use.is_flat:
            return self.flat(name)
        if role_of(lower) in ("weights", "biases"):
            return self.of_role(role_of(lower), name)
        if _DICTIONARY.match(lower):
            return {f"{kind[0]}{k}": self._numbered(f"{kind[0]}{k}") for kind in ("W", "b") for k in (1, 2)}
        if RATE.match(lower):
            return 0.1
        if re.match(r"(m|n_samples|num_samples|n_examples)$", lower):
            return self.layout.samples
        number = _number_for(lower)
        if number is not None and not use.is_list:
            return number
        return self._data_or_count(_written(name), others, use)

    def _data_or_count(self, name: str, others: list[str], use: Use) -> Any:
        with_hidden = any(re.search("hid", one, re.I) for one in others)
        if with_hidden and re.match(r"(n_?|num_?|no_?)?(in|out)", name) and not use.attributes & OF_ARRAYS:
            return self._counts(name, use)
        if len(others) > 2 and re.search(r"hid\w*_(layers|lengths|sizes|dims)$", name):
            return self.layout.widths[1:-1]
        if self.layout.labels == "last" and use.is_list and _ROWS.match(name):
            return self.of_role("X")
        if _PAIRS.match(name):
            return self._pairs()
        if re.match(r"(n|num|number|no|nb|size|dim|count|len)_", name) or re.search(
            r"(size|dim|nodes|units|count|num|node)$", name
        ):
            return self._counts(name, use)
        if _SIZES.match(name):
            return self.layout.widths
        if role_of(name):
            return self.of_role(role_of(name))
        if re.match(r".*(act|func|fun).*", name):
            return self.usual(name)
        if _LETTERED.match(name):
            return self._lettered(name, others)
        if _STATE.match(name):
            hidden = self.layout.hidden
            return given(self.rng.normal(size=(hidden, 1) if self.layout.data == "sequence" else hidden))
        if self.is_count(name):
            return self._counts(name, use)
        if use.is_factor and not use.attributes:
            return 0.1
        raise LookupError(name)

    def _lettered(self, name: str, others: list[str]) -> Any:
        """A parameter of a recurrent network, by the letters of what it joins: ``W_xh``, ``Wax``, ``b_f``."""
        self.is_used = True
        gates = sum(bool(re.match(r"b_?[figoc]$", one)) for one in others) > 2
        sizes = {"x": self.layout.inputs, "y": self.layout.outputs}
        if not gates:
            sizes["o"] = self.layout.outputs
        letters = [sizes.get(one, self.layout.hidden) for one in re.sub("^[a-z]_?", "", name)]
        if name[0] == "b":
            shape: tuple[int, ...] = (letters[-1], 1) if self.layout.biases == "column" else (letters[-1],)
        elif len(letters) == 1:
            shape = letters[0], self.layout.hidden + (name[-1] != "y") * self.layout.inputs
        else:
            in_first = self.layout.weights == "in-out"
            first, last = (
                letters if name[1:].strip("_")[0] == "x" or name[-1] == "y" else (letters[1], letters[0])
            )
            shape = (first, last) if in_first else (last, first)
        return _start_value(self.rng.normal(size=shape) * 0.7, name)

    def is_count(self, name: str) -> bool:
        """Whether a parameter of that name says how many neurons there are."""
        return bool(_COUNT.match(_written(name)))

    def units(self, name: str, is_first: bool) -> int:
        """How many units one layer has, or the one before it, which comes first unless a name says so."""
        name = _written(name)
        is_in = bool(_IN.search(name)) and not _OUT.search(name)
        return self.layout.inputs if is_in or (is_first and not _OUT.search(name)) else self.layout.outputs

    def _counts(self, name: str, use: Use) -> Any:
        """A number of neurons, or of all layers, or a list of the hidden ones."""
        if not use.is_list:
            return self._count(name)
        if _HIDDEN.search(name):
            return self.layout.widths[1:-1]
        if "shape" in name:  # of one sample; or of several, however many
            return (None,) * use.last + (self.layout.outputs if _OUT.search(name) else self.layout.inputs,)
        return self.layout.widths

    def images(self, rank: int, of_samples: bool = False, channels: int = 0) -> Any:
        """Small pictures: samples, channels, height, width; of fewer axes one picture, or the first ones."""
        self.is_used = True
        sizes = (2, channels or self.layout.inputs, 5, 6)
        made = self.rng.normal(size=sizes[:rank] if of_samples else sizes[-rank:])
        return given(np.moveaxis(made, -3, -1) if self.layout.order else made)

    def _masks(self, several: bool) -> Any:
        """What dropout keeps of the hidden neurons, or first of the inputs."""
        hidden = self.layout.hidden
        sizes = [self.layout.inputs, hidden] if self.layout.order and several else [hidden]
        made = []
        for size in sizes:
            mask = (self.rng.random((self.layout.samples, size)) > 0.3).astype(float)
            mask[0, :2] = 1.0, 0.0
            mask = mask[0] if self.layout.is_single else mask
            made.append(given(mask.T if self.layout.data == "columns" else mask))
        return made if several else made[0]

    def _pairs(self) -> list[tuple[Any, Any]]:
        self.is_used = True
        single = (
            self.layout if self.layout.data in ("vector", "list") else replace(self.layout, data="column")
        )
        made = Plausible(replace(single, labels="one-hot"), {})
        return [made._data(seed) for seed in range(3)]

    def _numbered(self, name: str) -> Any:
        digit = re.search(r"(\d|h|ih|hidden|hid|o|ho|output|out)$", name.lower())
        assert digit is not None
        text = digit.group(1)
        last = self.layout.layers - 1
        index = int(text) - 1 if text.isdigit() else last * (text in ("o", "ho", "output", "out"))
        if not 0 <= index < self.layout.layers:
            raise LookupError(name)
        kind = "biases" if name.lower().startswith("b") else "weights"
        one = self._parameters(kind, kind)[index]
        if (tape := current_tape()) is not None and kind in self.made:
            tape.operations[int(tape.producer[self.made[kind][index].ids.flat[0]])].label = name
        return one

    def _count(self, name: str) -> int:
        if re.fullmatch(r"(n|num|no|number)_?(of_)?layers", name):
            return len(self.layout.widths)
        if re.fullmatch(r"n_?in?|in?_?n", name):
            return self.layout.inputs
        if _HIDDEN.search(name):
            return self.layout.hidden
        if _OUT.search(name):
            return self.layout.outputs
        if _IN.search(name):
            return self.layout.inputs
        return self.layout.outputs if re.search(r"units|neurons|n$", name) else 4


def _number_for(name: str) -> Any:
    """A usual setting of that name; None where it is none."""
    return next((number for pattern, number in _NUMBERS if re.match(pattern, name)), None)


def is_setting(name: str) -> bool:
    """Whether a parameter of that name is a usual setting, or says how many neurons there are."""
    lower = name.strip("_").lower()
    return (
        _number_for(lower) is not None
        or bool(_NUMBERED.match(lower) or (_SIZES.match(lower) and lower != "layers"))
        or role_of(lower) in ("weights", "biases")
    )


def _start_value(value: Any, name: str) -> Any:
    """A start value with a name."""
    made, tape = leaf(value, is_scalar=np.ndim(value) == 0), current_tape()
    if tape is not None:
        tape.operations[-1].label = name
    return made
