"""Questions about code: the program of an exercise, one line of it missing, and lines to choose among.

What is wrong with a line is called as :mod:`deltarule.diagnosis.catalogue` calls it, or as marking does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any

import numpy as np

from deltarule.derivations.quantities import Quantity, Rate
from deltarule.diagnosis import MISTAKES
from deltarule.errors import InputError
from deltarule.exchange.code_emitters import NumpyCode
from deltarule.formula.emitter import PRODUCT
from deltarule.formula.tree import Expr, Symbol
from deltarule.nn.optimizers import SGD
from deltarule.worksheets.choices import Option
from deltarule.worksheets.exercise_formulas import ExerciseFormulas, parameter_updated_to
from deltarule.worksheets.wrong_formulas import KINDS

_TITLES = {mistake.key: mistake.title for mistake in MISTAKES} | KINDS
_MOST_WRONG, _LEAST_WRONG = 3, 2

#: Wrong lines by what they compute, with the keys of their mistakes. n is the layer, m the one before, k the
#: one after, L the last; x is the layer's input, f the slope of its activation, F the slope of the wrong
#: quantity, b the bias, N the division by the number of samples.
_WRONG = {
    "z": (
        ("bias", "{x} @ W{n}"), ("net for out", "z{m} @ W{n}{b}"), ("weight", "{x} @ W{n}.T{b}"),
        ("term", "{x} * W{n}{b}"), ("bias sign", "{x} @ W{n} - b{n}"),
    ),
    "a": (
        ("net for out", "z{n}"), ("exponent", "1 / (1 + np.exp(z{n}))"), ("not normalised", "np.exp(z{n})"),
        ("softmax_over_samples", "np.exp(z{n}) / np.exp(z{n}).sum()"), ("function", "np.tanh(z{n})"),
        ("function", "1 / (1 + np.exp(-z{n}))"),
    ),
    "delta of outputs": (
        ("slope_missing_at_output", "(a{n} - y){N}"), ("y − out", "(y - a{n}){f}{N}"),
        ("slope_too_many_at_output", "(a{n} - y) * a{n} * (1 - a{n}){N}"),
        ("slope_of_wrong_quantity", "(a{n} - y){F}{N}"), ("sum_for_mean", "(a{n} - y){f}"),
        ("net for out", "(z{n} - y){f}{N}"),
    ),
    "delta": (
        ("slope_missing_in_hidden_layer", "delta{k} @ W{k}.T"), ("wrong_transpose", "delta{k} @ W{k}{f}"),
        ("error_passed_back", "(a{L} - y) @ W{L}.T{f}"), ("slope_of_wrong_quantity", "delta{k} @ W{k}.T{F}"),
        ("f_instead_of_slope", "delta{k} @ W{k}.T * a{n}"), ("no weight", "delta{k}.sum(){f}"),
    ),
    "dW": (
        ("gradient_transposed", "delta{n}.T @ {x}"), ("z_for_a", "z{m}.T @ delta{n}"),
        ("wrong_layers_activation", "a{n}.T @ delta{n}"), ("input_missing_in_dW", "delta{n}.sum(axis=0)"),
    ),
    "db": (
        ("bias_summed_wrongly", "delta{n}.sum(axis=1)"), ("bias_with_itself", "b{n}"),
        ("bias_summed_wrongly", "delta{n}.sum()"), ("bias input", "{x}.T @ delta{n}"),
    ),
    "W": (("added", "W{n} + eta * dW{n}"), ("rate", "W{n} - dW{n}"), ("step", "-eta * dW{n}")),
    "b": (("added", "b{n} + eta * db{n}"), ("rate", "b{n} - db{n}"), ("step", "-eta * db{n}")),
}  # fmt: skip


class CodeLines:
    """The lines of a program in NumPy that makes one step with an exercise's network.

    Raises InputError if the network has something that takes more than a line: shared biases, penalties.
    """

    def __init__(self, formulas: ExerciseFormulas) -> None:
        self.net, self.task, self.fused = formulas.net, formulas.exercise, formulas.is_fused
        biases = {layer.dense.bias for layer in self.net.layers}
        if "shared" in biases or self.net.objective.penalties:
            raise InputError("questions about code need a network without shared biases and penalties")
        self.has_bias = biases == {"neuron"}
        mean = self.net.objective.reduction == "mean" and self.task.evidence.n_samples > 1
        self.share = " / len(x)" if mean else ""

    @cached_property
    def lines(self) -> dict[str, str]:
        """What each array is computed by, in order."""
        layers, lines = range(1, len(self.net.layers) + 1), dict[str, str]()
        for n in layers:
            lines[f"z{n}"] = "{x} @ W{n}{b}".format_map(self._parts(n))
            lines[f"a{n}"] = self._activation(n)
        lines |= {f"delta{n}": self._delta(n) for n in reversed(layers)}
        for n in layers:
            lines[f"dW{n}"] = "{x}.T @ delta{n}".format_map(self._parts(n))
            lines |= {f"db{n}": f"delta{n}.sum(axis=0)"} if self.has_bias else {}
        if isinstance(self.task.optimizer, SGD):
            trained = [f"{letter}{n}" for n in layers for letter in ("W", "b")[: 1 + self.has_bias]]
            lines |= {name: f"{name} - eta * d{name}" for name in trained}
        return lines

    def program(self, leaf: Expr, asked: Collection[Expr]) -> str:
        """Return the program up to the line that computes a quantity, which is left open.

        ``asked`` are the quantities whose lines are asked for, too: the program does not give them
        away. Raises InputError if no line computes it.
        """
        hidden = {"{}{}".format(*self._array(other)): "…" for other in asked}
        name = "{}{}".format(*self._array(leaf))
        shown = {**self.lines, **hidden, name: "______"}
        names = list(self.lines)[: list(self.lines).index(name) + 1]
        return "\n".join(f"{each} = {shown[each]}" for each in names)

    def options(self, leaf: Expr, order: Callable[[int], Any]) -> list[Option]:
        """Return the lines to choose among, ``order(n)`` says in which order n of them.

        Raises InputError if no line computes the quantity, or too few wrong ones give other numbers.
        """
        letter, n = self._array(leaf)
        chosen = [(self.lines[f"{letter}{n}"], "")]
        kind = "delta of outputs" if letter == "delta" and n == len(self.net.layers) else letter
        for key, template in _WRONG[kind]:
            line = template.format_map(self._parts(n))
            if "z0" not in line and not any(self._gives_the_same(line, other) for other, _ in chosen):
                chosen.append((line, _TITLES[key]))
        if len(chosen) <= _LEAST_WRONG:
            raise InputError(f"too few wrong lines for {letter}{n} give other numbers: ask for another line")
        chosen = chosen[: _MOST_WRONG + 1]
        ordered = [chosen[place] for place in order(len(chosen))]
        return [
            Option("ABCD"[i], f"{letter}{n} = {line}", None, words) for i, (line, words) in enumerate(ordered)
        ]

    # ------------------------------------------------------------------ the lines

    def _array(self, leaf: Expr) -> tuple[str, int]:
        """The letter and the layer of the array in which a quantity stands."""
        q = parameter_updated_to(leaf) or (leaf.by if isinstance(leaf, Rate) else leaf)
        assert isinstance(q, Quantity)
        letter = f"{'d' if isinstance(leaf, Rate) else ''}{q.kind}"
        if f"{letter}{q.layer}" not in self.lines:
            raise InputError(f"no line of the program computes {letter}: ask for code of z, a, delta, W or b")
        return letter, q.layer

    def _parts(self, n: int) -> dict[str, Any]:
        """What stands for the letters of a template."""
        parts = {"n": n, "m": n - 1, "k": n + 1, "L": len(self.net.layers), "N": self.share}
        texts = {"x": f"a{n - 1}" if n > 1 else "x", "b": f" + b{n}" if self.has_bias else ""}
        return parts | texts | {"f": self._slope(n, "za"), "F": self._slope(n, "az")}

    def _emitted(self, formula: Expr, n: int, letters: str = "za") -> str:
        """A formula over z, a and y as code, which may stand in a product."""
        names = {"z": Symbol(f"{letters[0]}{n}"), "a": Symbol(f"{letters[1]}{n}"), "y": Symbol("y")}
        named = formula.replace(lambda part: names.get(part.base) if isinstance(part, Symbol) else None)
        return NumpyCode("the network", tuple(names.values())).inside(named, PRODUCT)

    def _activation(self, n: int) -> str:
        activation = self.net.layers[n - 1].activation
        if activation.coupled:
            return f"np.exp(z{n}) / np.exp(z{n}).sum(axis=1, keepdims=True)"
        return self._emitted(activation.formula, n)

    def _slope(self, n: int, letters: str) -> str:
        """`` * a1 * (1 - a1)``; nothing where the slope is 1, or stands in the short form."""
        activation = self.net.layers[n - 1].activation
        if activation.name == "identity" or (self.fused and n == len(self.net.layers)):
            return ""
        return f" * {self._emitted(activation.derivative_formula, n, letters)}"

    def _delta(self, n: int) -> str:
        if n < len(self.net.layers):
            return "delta{k} @ W{k}.T{f}".format_map(self._parts(n))
        error = f"(a{n} - y)" if self.fused else self._emitted(self.net.loss.derivative_formula, n)
        return f"{error}{self._slope(n, 'za')}{self.share}"

    # ------------------------------------------------------------------ what lines give

    def _gives_the_same(self, line: str, other: str) -> bool:
        one, two = self._result(line), self._result(other)
        if one is None or two is None or np.shape(one) != np.shape(two):
            return line == other
        return bool(np.allclose(one, two, rtol=1e-3, atol=1e-9))

    def _result(self, line: str) -> Any:
        """What a line gives; None where its shapes do not fit."""
        with np.errstate(all="ignore"):
            try:  # the lines are all of this module
                return eval(line, {"__builtins__": {}, "np": np, "len": len}, self._known)
            except ValueError:
                return None

    @cached_property
    def _known(self) -> dict[str, Any]:
        evidence, step = self.task.evidence, self.task.step
        known: dict[str, Any] = {"x": evidence.x, "y": evidence.y, "eta": step.rate if step else 0.0}
        passes = zip(self.net.layers, evidence.trace, evidence.grads, strict=True)
        for n, (layer, forward, backward) in enumerate(passes, 1):
            known |= {f"W{n}": layer.W, f"b{n}": layer.b, f"z{n}": forward.z, f"a{n}": forward.a}
            known |= {f"delta{n}": backward.delta, f"dW{n}": backward.dW, f"db{n}": backward.db}
        return known
