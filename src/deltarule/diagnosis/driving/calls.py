"""The calls of one trial: arguments for the learner's functions and methods, and what came back."""

from __future__ import annotations

import ast
import contextlib
import inspect
import itertools
import re
from typing import Any

import numpy as np

from deltarule.diagnosis.driving import objects
from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.call_state import CallState
from deltarule.diagnosis.driving.descent import switch_on
from deltarule.diagnosis.driving.given_data import wanted_for
from deltarule.diagnosis.driving.layouts import ArgumentLayout
from deltarule.diagnosis.driving.made_arguments import answer
from deltarule.diagnosis.driving.plausible import (
    DATA,
    MASK,
    RANDOM,
    RATE,
    TARGET,
    UPSTREAM,
    Plausible,
    is_setting,
    role_of,
    roles_of_unknown,
)
from deltarule.diagnosis.driving.returned import arrays_in, holds_weights, kept_output
from deltarule.diagnosis.driving.undefined import supply_undefined
from deltarule.diagnosis.driving.usage import UNUSED, Use, never_set, uses_of
from deltarule.diagnosis.driving.within import needs_nothing, seen_returns
from deltarule.diagnosis.driving.words import (
    FORWARD,
    INPUT,
    OUTPUT,
    computed_names,
    is_given,
    is_own,
)
from deltarule.diagnosis.recording.live import Names
from deltarule.diagnosis.recording.program import Recording
from deltarule.diagnosis.recording.tape import Operation, Tape
from deltarule.diagnosis.recording.traced import Traced, given, leaf, plain

_ENDS = re.compile(r"(?!.*back).*(output|predict|forward|feed)", re.I)
#: What a layer is given, of the one before it.
_BEFORE = re.compile(r"(a|z|h|s|i)(_?(prev(ious)?|in))?$|prev_?\w*|.*_(in|prev)$", re.I)
_CHANGES = re.compile("back|grad|update|train", re.I)
_PREPARES = re.compile(
    r"_*(init\w*|build|create|setup|reset|randomi\w*)_?(weights?|param\w*|net\w*|layers?)\w*$", re.I
)


def _owner_of(function: Any) -> str:
    """A class, or a method with its class, by name; "" of a function: functions agree on what a name is."""
    name: str = getattr(function, "__qualname__", "")
    return name if "." in name or isinstance(function, type) else ""


#: How many units a layer has at most whose numbers are computed one by one.
_MOST_UNITS = 8


class CallRun(CallState):
    """The calls of one trial."""

    def __init__(
        self,
        recording: Recording,
        own: dict[str, Any],
        returns: dict[tuple[str, int], list[str]],
        tape: Tape,
        layout: ArgumentLayout,
        answers: Answers | None = None,
    ) -> None:
        super().__init__()
        #: What arguments are asked to be, and whether that is found out by trial.
        self.answers, self.is_asking = answers or Answers(), answers is not None
        self.returns, self.tape, self.source = returns, tape, recording.source
        made = recording.rebuilding(is_given, recording.tape)
        names = {name: one for name, one in recording.namespace.items() if name[:2] != "__"}
        self.namespace: dict[str, Any] = Names(made, names)
        first = recording.rebuilding(is_given)
        own = {role: first.value(one, role) for role, one in own.items()}
        self.plausible = Plausible(layout, self.namespace, own, self.source.text)
        self.kept: Any = self.plausible.made
        #: The names under which functions return what they are not given.
        self.returned = computed_names(returns, self.namespace)
        #: The names that functions read, and what stands for those that the program does not define.
        self.globals = made.globals_of(recording.namespace)
        self.globals.update(supply_undefined(self))

    def is_own(self, kind: type) -> bool:
        """Whether a class is written in the learner's file."""
        return is_own(kind, self.source.path)

    def uses(self, function: Any) -> dict[str, Use]:
        """What is done with each parameter of a function, or of a constructor."""
        return uses_of(self.source, function, self.namespace)

    def words(self) -> list[str]:
        """All strings of the program."""
        every = self.source.nodes
        return [one.value for one in every if isinstance(one, ast.Constant) and isinstance(one.value, str)]

    def _away_from_zero(self, one: Any) -> None:
        """Tiny and zero weights hide mistakes."""
        for path, array in arrays_in(one):
            last = re.split(r"[.\[]", path)[-1]
            if array.value.dtype.kind != "f" or array.size < 2 or DATA.match(last) or TARGET.match(last):
                continue
            if abs(array.value).max() < 0.02 and array.value.any() and array.value.ndim == 2:
                array.value[...] = self.plausible.rng.normal(size=array.shape) * 0.7
                self.tape.value[array.ids] = array.value

    def make(self, name: str) -> Any:
        """An object of that name, or of the class of that name, ready for its first use."""
        one = self.namespace[name]
        if isinstance(one, type):
            self.making.add(name)
            self.made.add(name)
            one = self.with_arguments(one)
            wanted = never_set(self.source, one, self.answers.lacking) if self.answers.fills_objects else []
            for each in wanted:
                setattr(one, each, answer(self, (name, each), []))
            switch_on(self, one)
            objects.assemble(self, one)
            self.making.discard(name)
            for method in self._preparing(one):
                with contextlib.suppress(TypeError, AttributeError):  # what it needs may be said later
                    self.with_arguments(getattr(one, method))
        self._away_from_zero(one)
        return one

    def _preparing(self, one: Any) -> list[str]:
        """The methods that give a new object its weights: they are called so, or are told sizes alone."""
        if holds_weights(one):
            return []
        named = [each for each in dir(one) if _PREPARES.match(each)]
        if named or any(array.size for _, array in arrays_in(one, lists=True)):
            return named
        for each, function in vars(type(one)).items():
            uses = self.uses(function) if inspect.isfunction(function) and each[:2] != "__" else {}
            told = {name: use for name, use in uses.items() if name != "self"}
            is_data = any(one.match(name) for one in (DATA, TARGET, RATE, UPSTREAM) for name in told)
            counts = [
                use.is_size or (self.plausible.is_count(name) and not use.is_list)
                for name, use in told.items()
            ]
            if len(told) > 1 and all(counts) and not is_data:
                return [each]
        return []

    def changed_argument(self) -> tuple[str, Operation] | None:
        """The mistake of a function that changes the weights it was passed, and where it does."""
        for one in (array for some in self.plausible.made.values() for array in some):
            made = [self.tape.operations[k] for k in self.tape.producers(one.ids)]
            root = self.tape.root[one.ids]
            before = self.tape.value[np.where(root < 0, one.ids, root)]
            if not all(op.is_leaf for op in made) and not np.allclose(one.value, before, 1e-9, 1e-12):
                return "changes_its_inputs", made[-1]
        return None

    @property
    def passes_on(self) -> bool:
        """Whether what a layer computed is its input."""
        made = self.tape.producers(self.computed.ids) if type(self.computed) is Traced else []
        return bool(made) and all(self.tape.operations[one].label == INPUT for one in made)

    def leaves_slope_to_loss(self, result: Any) -> bool:
        """Whether softmax sends back what it was given: the loss's derivative may be by what it was given."""
        if type(result) is not Traced or type(self.sent) is not Traced or type(self.computed) is not Traced:
            return False
        sums = [self.computed.value.sum(axis) for axis in range(self.computed.value.ndim)]
        is_softmax = any(np.allclose(one, 1.0) for one in sums) and self.computed.size > 1
        return is_softmax and np.array_equal(result.ids, self.sent.ids)

    # Calls
    def call(self, name: str) -> Any:
        function = self.namespace[name]
        self.calling.add(name)
        with seen_returns(self.source.path if needs_nothing(function) else "") as seen:
            result = self.with_arguments(function)
        self.within.update(seen)
        self.calling.discard(name)
        self.results[name] = result
        self._pool(name, function.__code__.co_firstlineno, result)
        return result

    def result_of(self, name: str) -> Any:
        """What a function returns, which is called if it was not."""
        if name not in self.results and name in self.calling:
            raise LookupError(name)
        return self.results[name] if name in self.results else self.call(name)

    def call_method(self, one: Any, name: str) -> Any:
        method = getattr(one, name)
        result = self.with_arguments(method)
        if FORWARD.match(name) or name == "__call__":
            self.computed = result[0] if isinstance(result, tuple) and result else result
            if result is None:  # it is kept
                self.computed = next(kept_output(one), None)
        self.pool_returned(method, result)
        return result

    def pool_returned(self, method: Any, result: Any) -> None:
        """Keep what a method returned, under the names that its return statement has."""
        code = getattr(getattr(method, "__func__", method), "__code__", None)
        self._pool(method.__name__, code.co_firstlineno if code else 0, result)

    def _pool(self, name: str, line: int, result: Any) -> None:
        self.last = name
        if FORWARD.match(name) and isinstance(result, tuple | list):
            self.offered = [one for one in result if type(one) is Traced]
        names = self.returns.get((name, line), [])
        if len(names) == 1:
            self.pool[names[0]] = result
        elif isinstance(result, tuple | list) and len(result) == len(names):
            self.pool.update(zip(names, result, strict=True))

    def named(self, result: Any) -> Any:
        """The returned values by the names that they have in the return statement."""
        if isinstance(result, tuple):
            for names in self.returns.values():
                if len(names) == len(result) and all(
                    self.pool.get(k) is v for k, v in zip(names, result, strict=True)
                ):
                    return {
                        name if name.isidentifier() else f"result {k}": one
                        for k, (name, one) in enumerate(zip(names, result, strict=True), 1)
                    }
        return result

    def with_arguments(self, function: Any) -> Any:
        parameters = list(inspect.signature(function).parameters.values())
        names, uses = [one.name for one in parameters], self.uses(function)
        passed = len(self.plausible.made)
        positional: list[Any] = []
        named: dict[str, Any] = {}
        unknown = []
        for one in parameters:
            use = uses.get(one.name, UNUSED)
            if one.name in self.chosen:
                named[one.name] = self.chosen[one.name]
                continue
            if one.kind == one.VAR_KEYWORD or (
                one.default is not one.empty and not self._replaces(one, use, function)
            ):
                continue
            try:
                if one.kind == one.VAR_POSITIONAL:
                    continue
                named[one.name] = self.argument(one.name, names, use, function)
            except LookupError:
                if one.default is one.empty:
                    unknown.append(one.name)
        if len(unknown) == 1 and self.learns_inputs and not named:
            named[unknown[0]] = self._input(uses.get(unknown.pop(), UNUSED))
        opened = [uses.get(one.name, UNUSED) for one in parameters if one.kind == one.VAR_POSITIONAL]
        is_open = bool(opened) and not named
        known = [one for one in named if not uses.get(one, UNUSED).is_size]
        roles = roles_of_unknown(known, 4 if is_open else len(unknown), self.plausible.layout.order)
        if unknown and not roles:
            raise LookupError(unknown[0])
        values = [
            self.plausible.of_role(role, name) for role, name in zip(roles, unknown or roles, strict=True)
        ]
        if is_open:
            positional = objects.layers_or_widths(self, opened[0]) if isinstance(function, type) else values
        named.update(zip(unknown, values, strict=False))
        for one in parameters:
            taken = named.get(one.name, one.default)
            self.choices[one.name] = objects.other_choices(uses.get(one.name, UNUSED), taken)
            if one.kind == one.POSITIONAL_ONLY and one.name in named:
                positional.append(named.pop(one.name))
        if self.kept is self.plausible.made or len(self.plausible.made) > passed:
            self.began = len(self.tape.operations)
        result = function(*positional, **named)
        if inspect.isgenerator(result):  # one that trains as it is gone through
            return list(itertools.islice(result, 6))
        return result

    def _replaces(self, one: inspect.Parameter, use: Use, function: Any) -> bool:
        """Whether a default is replaced; those that are empty may be, if nothing else helps."""
        if self._overrides(one, use):
            return True
        path = _owner_of(function), one.name
        if type(one.default) in (list, tuple, dict, int, type(None)) and not one.default:
            self.answers.left_out[path] = None
        return path in self.answers.replaced

    def _overrides(self, one: inspect.Parameter, use: Use) -> bool:
        """Whether a default is worth replacing: data that is None, long loops, what layers are told."""
        if self.first_layer and re.match(
            r"(n_?)?input_?(dim|shape|size|units)|n_?in(puts)?$", one.name, re.I
        ):
            return True
        if self.learns_inputs and re.search("channel", one.name):
            return True
        if self.is_asking and one.default is False and not is_setting(one.name):
            return True
        if self.in_layer and re.search("activ", one.name) and (use.words or use.is_called):
            return True
        if type(one.default) is int and use.is_size and (one.default == 0 or self._is_large(one.default)):
            return True
        if one.default is None:
            is_data = any(each.match(one.name) for each in (DATA, TARGET, MASK, RANDOM))
            return is_data or (self.is_asking and use.is_needed)
        return bool(re.search(r"epoch|iter|batch_?size", one.name, re.I))

    def _is_large(self, size: int) -> bool:
        """Whether it takes long to compute with so many numbers, one by one."""
        return self.is_asking and size > _MOST_UNITS and "numpy" not in self.source.text

    def argument(self, name: str, names: list[str], use: Use, function: Any = None) -> Any:
        """What is passed as a parameter of that name."""
        if name in self.pool:
            return self.pool[name]
        if self.is_asking and function is not None and not any(one.match(name) for one in (MASK, RANDOM)):
            return self._asked(name, names, use, function)
        is_one = self.learns_inputs or self.plausible.layout.layers == 1
        if is_one and role_of(name) in ("weights", "biases") and not use.is_list:
            return self.plausible.one_layer(role_of(name), name)
        if self.computed is not None and UPSTREAM.match(name):
            return self.upstream(name)
        if (made := objects.wanted_object(self, name, use)) is not None:
            return made
        if use.is_called and (made := objects.wanted_function(self, name)) is not None:
            return made
        if use.is_called and re.search("act|func|phi", name):
            return self.plausible.usual(name)
        if (use.words or re.search("activat|loss", name)) and not use.is_called:
            word = objects.word_for(self, name, use.words)
            if word is not None:
                return [word, word] if use.is_list else word
        if re.search("act|func", name) and (made := objects.wanted_function(self, name)) is not None:
            return made  # that is passed on, and called elsewhere
        is_data = (DATA.match(name) or TARGET.match(name)) and not use.is_size
        if self.learns_inputs and not is_data and _BEFORE.match(name) and not use.is_size:
            return self._input(use)
        is_output = OUTPUT.match(name) and any(TARGET.match(one) for one in names if one != name)
        if is_output and self.computed is not None:
            return self.computed
        if is_output and (ending := self._ending()) is not None:
            return self._output_of(ending)
        if is_data and self.learns_inputs and DATA.match(name):
            return self._input(use)
        if not is_data and (kind := self._class_called(name)) is not None:
            return self.make(kind)
        if not is_data and (maker := self._maker_of(name)) is not None:
            self.call(maker)
            if name in self.pool:
                return self.pool[name]
        if not is_data and name in self.namespace and list(arrays_in(self.namespace[name])):
            return self.namespace[name]
        if use.parts and not is_data:
            return self._parts(use.parts)
        if use.keys and not use.attributes & {"shape", "T"}:
            return {key: self.argument(key, list(use.keys), UNUSED) for key in use.keys}
        return self.plausible.value(name, names, use)

    def _asked(self, name: str, names: list[str], use: Use, function: Any) -> Any:
        """What another function returns under that name; else what the argument itself asks to be."""
        owner = _owner_of(function)
        if not owner and (maker := self._maker_of(name)) is not None:
            self.call(maker)
        if name in self.pool:
            return self.pool[name]
        return answer(self, (owner, name), names, use)

    def _parts(self, names: Any) -> Any:
        """What is taken apart into these names."""
        if isinstance(names, str):
            return self.argument(names, [], UNUSED)
        return tuple(self._parts(one) for one in names)

    def _ending(self) -> str | None:
        """The function that the forward pass ends with."""
        found = [
            one
            for one, function in self.namespace.items()
            if _ENDS.match(one) and one not in self.calling and inspect.isfunction(function)
        ]
        given = {
            one: any(map(DATA.match, inspect.signature(self.namespace[one]).parameters)) for one in found
        }
        return min(found, key=lambda one: ("output" not in one.lower(), not given[one]), default=None)

    def _output_of(self, name: str) -> Any:
        """What a function returns; of several arrays the last of numbered ones, or the first."""
        made = self.call(name)
        names = self.returns.get((name, self.namespace[name].__code__.co_firstlineno), [])
        if not isinstance(made, tuple):
            return made
        return made[-1 if re.search(r"\d$", names[-1]) else 0]

    def _input(self, use: Use) -> Any:
        """The input of a layer, whose gradient is wanted, too."""
        made = leaf(plain(self.plausible.images(use.rank) if use.rank > 2 else self.plausible.of_role("X")))
        self.tape.operations[-1].label = INPUT
        return made

    def upstream(self, name: str) -> Any:
        """The derivative of a half squared error by what was computed; of an error, the sign is open."""
        self.was_sent = True
        made = self.computed - given(wanted_for(self, self.computed))
        self.tape.meetings.append(self.tape.operations[-1].index)
        is_error = re.search("err|delta", name, re.I)
        self.tape.may_lack_slope |= bool(re.search("err", name, re.I))
        self.sent = -made if self.plausible.layout.order and is_error else made
        return self.sent

    def _class_called(self, name: str) -> str | None:
        """The learner's class that a parameter is called after, as ``neural_net`` or ``network``."""
        called = name.replace("_", "").lower()
        for one, kind in self.namespace.items():
            own = isinstance(kind, type) and self.is_own(kind) and one not in self.making
            if own and len(called) > 3 and called in one.lower():
                return one
        return None

    def _maker_of(self, name: str) -> str | None:
        """The function whose return statement has this name, or that goes forward where a cache is wanted."""
        wants_cache = re.search(r"cache|memory|states?$|activations?$|forward", name, re.I)
        for (function, _), names in self.returns.items():
            if function in self.calling or not inspect.isfunction(self.namespace.get(function)):
                continue
            if _CHANGES.search(function) and not re.match("d|grad|cache", name, re.I):
                continue  # it returns what it was given
            if name in names:
                return function
            if wants_cache and FORWARD.match(function) and len(names) > 1:
                self.call(function)
                self.pool.setdefault(name, self.pool.get(names[-1]))
                return function
        return None
