"""What stands for an argument that asked: made from what is known of it, and from its name."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import numpy as np

from deltarule.diagnosis.driving import objects
from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.asking import OpenArgument
from deltarule.diagnosis.driving.containers import AskingList, AskingParts, AskingTable
from deltarule.diagnosis.driving.descent import Descent, is_optimizer
from deltarule.diagnosis.driving.given_data import (
    GivingRun,
    as_input,
    inputs_of,
    labels_of,
    output_of,
    target_of,
)
from deltarule.diagnosis.driving.going import go_back
from deltarule.diagnosis.driving.layered_lists import (
    NUMBERS,
    inside,
    is_added,
    is_learned,
    layer_shapes,
    own_shape,
    widths_of,
)
from deltarule.diagnosis.driving.plausible import DATA, RATE, TARGET, UPSTREAM
from deltarule.diagnosis.driving.supplied import SupplyingRun, are_tuples, supplied
from deltarule.diagnosis.driving.tables import table_of
from deltarule.diagnosis.driving.usage import OF_ARRAYS, UNUSED, Use
from deltarule.diagnosis.driving.usual_loss import UsualLoss
from deltarule.diagnosis.driving.wants import SHARE, Path, Shape, Want
from deltarule.diagnosis.driving.words import BACK, OUTPUT
from deltarule.diagnosis.recording.missing import StandIn
from deltarule.diagnosis.recording.source import ProgramSource, is_parameter
from deltarule.diagnosis.recording.traced import Traced, given
from deltarule.diagnosis.recording.usual_activation import ActivationObject, is_derived

#: Numbers that are asked for, each another: a learning rate, a momentum, a decay.
_NUMBERS = (0.1, 0.3, 0.2, 0.4)
#: How many channels pictures have of which nobody is told: two windows go across each axis.
_CHANNELS = 4


class AnsweringRun(objects.MakingRun, GivingRun, SupplyingRun, Protocol):
    """The calls of one trial, as far as what is here needs them."""

    answers: Answers
    is_asking: bool
    source: ProgramSource
    globals: dict[str, Any]
    offered: list[Any]
    steps: list[Any]
    began: int
    is_loss: bool
    computed: Any
    answered: dict[Path, Any]
    is_ahead: bool

    def upstream(self, name: str) -> Any: ...

    def result_of(self, name: str) -> Any: ...

    pool: dict[str, Any]


def answer(run: AnsweringRun, path: Path, names: list[str], use: Use = UNUSED) -> Any:
    """Return what stands at a path: an argument that asks where nothing is known yet."""
    made = run.answered[path] = _answer(run, path, names, use)
    return made


def _answer(run: AnsweringRun, path: Path, names: list[str], use: Use) -> Any:
    name = next((str(one) for one in reversed(path) if one != "[]"), "")
    run.answers.changed |= {path} if use.is_changed else set()
    if path not in run.answers.known and use.is_size and not use.attributes & OF_ARRAYS:
        _learn_sizes(run.answers, path, use)
    if use.is_flat and path not in run.answers.known:
        return run.plausible.flat(name)
    if path not in run.answers.known:
        return _open(run, path, name, use)
    kind, detail = run.answers.known[path]
    if (made := _supplied(run, path, name)) is not None:
        return made
    match kind:
        case "keys":
            return AskingTable(path, {key: _child(run, (*path, key), list(detail)) for key in detail})
        case "table":
            return table_of(path, detail, run.plausible.layout)
        case "tuple":
            return tuple(_child(run, (*path, key), list(detail)) for key in detail)
        case "parts" if all(run.answers.known.get((*path, k), ("",))[0] == "function" for k in detail):
            return objects.called_in_turn(run, name, len(detail), True)
        case "parts":
            return AskingParts(path, [_part(run, path, k, names) for k in range(max(detail) + 1)])
        case "list":
            return _list(run, path, detail, names)
        case "attribute":
            return _object(run, path, use)
        case "function":
            return objects.function_called(run, name)
        case "activation":
            return ActivationObject(run.plausible.activation)
        case "word" | "member":
            return _word(run, name, kind, detail)
        case "flag":
            return True
        case "value":
            return detail
        case "result":
            return run.result_of(detail)
        case "index":
            return _index(run, path)
        case "indices":
            return [_index(run, path) + k for k in range(2)]
        case "size":
            return _size(run, path, names)
        case "parameter":
            return run.plausible.parameter(_called(path), detail if detail is not None else (3,))
        case _:
            return _numbers(run, path, kind, detail, name)


def _learn_sizes(answers: Answers, path: Path, use: Use) -> None:
    """Take in that an argument is a size, a list of sizes, or is taken apart into them."""
    answers.known[path] = ("list", 0) if use.is_list else ("size", None)
    if isinstance(use.parts, tuple):
        answers.known[path] = "tuple", use.parts
    elif use.is_list:
        answers.known[(*path, "[]")] = "size", None


def _supplied(run: AnsweringRun, path: Path, name: str) -> Any:
    """What a function of the program supplies; None where none does, and of data, which are made up."""
    kind, detail = run.answers.known[path]
    is_own = kind == "attribute" and objects.object_called(run, name, tuple(detail), False) is not None
    is_data = kind == "list" and bool(DATA.match(name) or TARGET.match(name) or _is_maker(run, path))
    if kind not in ("keys", "attribute", "list", "tuple") or len(path) != 2 or is_own or is_data:
        return None
    made = supplied(run, kind, detail)
    inner, parts = run.answers.known.get((*path, "[]"), ("", ()))
    return made if kind != "list" or inner != "tuple" or are_tuples(made, len(parts)) else None


def _open(run: AnsweringRun, path: Path, name: str, use: Use) -> OpenArgument:
    """What stands where nothing is known yet."""
    run.answers.open.add(path)
    is_maker = _is_maker(run, path)
    is_passed = "." not in path[0] or is_parameter(name)
    may_learn = is_maker or (is_passed and run.computed is None)
    sizes = [one for one in run.answers.sizes if one != run.plausible.layout.samples]
    columns = sizes[(1 + len(run.plausible.made)) % len(sizes)]
    is_data = DATA.match(str(path[-2] if type(path[-1]) is int else name))
    is_called_so = (type(path[-1]) is int or is_parameter(name)) and not is_data
    is_weight = use.is_changed or is_called_so
    return OpenArgument(
        path,
        run.plausible.layout,
        partial(_likely_shapes, run, path, name),
        columns=columns if may_learn else 0,
        is_maker=is_maker,
        is_weight=is_weight and may_learn,
        is_changed=use.is_changed and may_learn,
        is_ahead=run.is_ahead,
    )


def _likely_shapes(run: AnsweringRun, path: Path, name: str) -> tuple[Shape, ...]:
    """The shapes of what was passed and computed so far, in the order in which an argument may be that."""
    others = sum(one[0] == path[0] and not DATA.match(str(one[1])) for one in run.answers.known)
    offered = [*run.offered[others:], *run.offered[:others]]
    passed = [*run.passed.values()]
    # the last are the likeliest: what was computed, or, once the derivative by that is passed, its input
    is_input = DATA.match(name) or run.answers.sends_back
    likely = [*passed, *offered[::-1], *(passed[::-1] if is_input else [])]
    return tuple(one.shape for one in likely if type(one) is Traced)


def _child(run: AnsweringRun, path: Path, names: list[str]) -> Any:
    """What is in a container: what its name says, or what it asked for."""
    name = path[-1]
    if isinstance(name, str) and name in run.pool:
        return run.pool[name]
    if (path[0], name) in run.answers.known:  # what was passed before is kept
        path = path[0], name
    return answer(run, path, names)


def _part(run: AnsweringRun, path: Path, k: int, names: list[str]) -> Any:
    """An element of a list: it may be another than its neighbours."""
    is_alike = (*path, k) not in run.answers.known and (*path, "[]") in run.answers.known
    if k < len(run.steps):  # it may be the derivative by the output of this step
        run.computed = run.steps[k]
    return answer(run, (*path, "[]" if is_alike else k), names)


def _called(path: Path) -> str:
    """The name of a parameter, or of one in a list."""
    return "".join(f"[{one!r}]" if k else str(one) for k, one in enumerate(path[1:]))


def _is_maker(run: AnsweringRun, path: Path) -> bool:
    """Whether an argument is passed to what makes an object."""
    return isinstance(run.namespace.get(path[0]), type)


def _index(run: AnsweringRun, path: Path) -> int:
    asked = [one for one, (kind, _) in run.answers.known.items() if kind in ("index", "indices")]
    return asked.index(path)


def _size(run: AnsweringRun, path: Path, names: list[str]) -> int:
    """How many there are: another number for each that is asked for, that they can be told apart."""
    asked = [one for one, (kind, _) in run.answers.known.items() if kind == "size" and one[0] == path[0]]
    asked.sort(key=lambda one: names.index(one[1]) if one[1] in names else 0)
    if run.in_layer and path[-1] != "[]":
        several, layout = len(asked) > 1, run.plausible.layout
        units = [run.plausible.units(str(one[-1]), k == 0 and several) for k, one in enumerate(asked)]
        if several and set(units) == {layout.outputs}:  # the names say nothing
            units[0] = layout.inputs
        return units[asked.index(path)]
    return run.answers.sizes[asked.index(path) % len(run.answers.sizes)]


def _numbers(run: AnsweringRun, path: Path, kind: str, shape: Any, name: str) -> Any:
    """A number, or an array: the target, what a layer computed or is given the derivative by, or data."""
    computed = run.computed.shape if type(run.computed) is Traced else None
    has_target = any(what == "target" for what, _ in run.answers.known.values())
    outputs = [one for one, (what, _) in run.answers.known.items() if what == "output"]
    is_loss = run.is_loss and not all(BACK.search(one[0].rpartition(".")[2]) for one in outputs)
    if is_loss and kind in ("output", "target"):
        made = output_of(run)
        return made if kind == "output" else target_of(run, made.shape)
    if kind == "output" and (computed is not None or shape == SHARE):
        return run.computed if computed is not None else output_of(run)
    if kind == "upstream" and computed is not None:
        return run.upstream(name)
    if kind == "array" and shape is None and computed and OUTPUT.match(name):
        return run.computed
    if (
        kind in ("array", "factor", "term")
        and computed is not None
        and (shape == computed or UPSTREAM.match(name))
        and not RATE.match(name)
    ):
        if (kind == "term" and shape == computed) or OUTPUT.match(name):  # else it is called a slope
            return run.computed
        if not has_target and (kind == "factor" or not DATA.match(name)):
            raise Want(path, "upstream", computed)
    if kind == "target" or (kind == "factor" and shape and TARGET.match(name)):
        usual = run.plausible.data["Y"].shape
        return target_of(run, shape if shape is not None else computed if computed is not None else usual)
    if kind in ("images", "series"):
        if computed is not None and len(computed) == shape and not has_target and not DATA.match(name):
            raise Want(path, "upstream", computed)
        return _pictures(run, kind, shape)
    if kind in ("number", "factor") and not (kind == "factor" and shape and DATA.match(name)):
        return _number(run, path, shape)
    if kind == "labels":
        return labels_of(run, shape if type(shape) is int else max(2, run.plausible.layout.outputs))
    before = _asked_before(run.answers, path)
    others = [one for one in before if not DATA.match(str(one[-1]))]
    is_named = DATA.match(name) or (TARGET.match(name) and shape is None)
    if len(run.offered) > len(others) and len(run.offered) > 1 and not is_named:
        return run.offered[len(others)]
    is_column = run.plausible.layout.data == "columns" and type(path[-1]) is int  # a sample of a list
    if shape is None and (TARGET.match(name) or (before and not DATA.match(name))):
        return target_of(run, (run.plausible.layout.outputs, 1)) if is_column else run.plausible.of_role("Y")
    if is_column and shape is None:
        return inputs_of(run, (run.plausible.layout.inputs, 1))
    if shape is None and run.passed:
        first = next(iter(run.passed))
        if first not in run.holders:
            return run.passed[first]
        shape = first
    return inputs_of(run, shape, path)


def _pictures(run: AnsweringRun, kind: str, rank: int) -> Any:
    """Pictures, or series; on which axis the channels are is not known where nobody is told their number."""
    is_told = any(what == "size" for what, _ in run.answers.known.values())
    channels = 0 if is_told else _CHANNELS
    return as_input(run, run.plausible.images(rank, kind == "series", channels))


def _number(run: AnsweringRun, path: Path, detail: Any) -> Any:
    """A single number: one of a list, a probability, or another one for each that is asked for."""
    if path[-1] == "[]":
        return given(run.plausible.rng.normal(), is_scalar=True)
    asked = [one for one, (what, _) in run.answers.known.items() if what in ("number", "factor")]
    return 0.5 if detail == SHARE else _NUMBERS[asked.index(path) % len(_NUMBERS)]


def _asked_before(answers: Answers, path: Path) -> list[Path]:
    """The arrays and lists, but those of sizes, that what is called was passed before, or in one argument."""
    known, owner = answers.known, path[:1] if len(path) == 2 else path[:2]
    if len(path) > 2 and type(path[-1]) is int:  # as the first one of a list
        path = next(one for one in known if one[:-1] == path[:-1] and one[-1] != "[]")
    asked = list(known)[: list(known).index(path)]
    found = [one for one in asked if known[one][0] in ("array", "list") and one[: len(owner)] == owner]
    sizes = [one for one in found if known.get((*one, "[]"), ("",))[0] == "size"]
    return [one for one in found if one not in sizes and one != path[: len(one)]]


def _list(run: AnsweringRun, path: Path, count: int, names: list[str]) -> Any:
    """A list of what its elements asked to be: layers, neurons in layers, numbers, whole numbers."""
    inner = (*path, "[]")
    kind, detail = run.answers.known.get(inner, ("", None))
    is_computed = type(run.computed) is Traced and run.computed.value.ndim > 0 and len(run.steps) < 2
    if kind in ("", "number", "term", "factor", "array") and is_computed and UPSTREAM.match(str(path[-1])):
        raise Want(path, "upstream", run.computed.shape)  # it is gone through
    if kind == "attribute":
        return objects.layers(run, set(detail)) or objects.layers(run, set())
    if kind == "list" and run.answers.known.get((*inner, "[]"), ("", None))[0] == "attribute":
        return objects.layers_of_neurons(run, set(run.answers.known[(*inner, "[]")][1]))
    if kind == "function":
        return objects.called_in_turn(run, str(path[-1]), count or 2, False)
    if kind == "size":
        sizes = list(run.answers.sizes[: count or 3])
        more = 0 if count else run.plausible.layout.layers - 2
        return [*sizes[:1], *sizes[1:2] * more, *sizes[1:]]
    if (made := _parameters(run, path, count, kind)) is not None:
        return made
    if (widths := widths_of(run.answers, run.plausible.layout)) and kind in (*NUMBERS, "target"):
        count = widths[-1] if kind == "target" else max(count, widths[0])
    count = count or _usual_count(run, path, kind)
    if kind == "index":
        return [_index(run, inner) + k for k in range(2)]
    key = (kind, count, detail if kind in ("array", "list") else None, inside(run.answers, path)[0])
    is_whole = "[]" not in path  # a sample is another than its neighbours
    if is_whole and key in run.passed:
        return run.passed[key]
    if kind == "array" and detail is not None:
        return inputs_of(run, (count, *detail))
    if kind == "keys" and any(run.answers.known.get((*inner, key), ("",))[0] == "size" for key in detail):
        return objects.in_steps(run, lambda: answer(run, inner, names))  # layers, as dictionaries
    made = AskingList(path, [_part(run, path, k, names) for k in range(count)])
    if (*path, -1) in run.answers.known:  # its class
        made[-1] = answer(run, (*path, -1), names)
    if kind == "target" and not detail:
        several = [one for one in run.passed if isinstance(one, tuple) and one[:1] == ("target",)]
        made = AskingList(path, target_of(run, (count,), 0 if is_whole else len(several)).tolist())
    if is_whole and kind in ("number", "factor", "term", "list"):
        run.passed[key] = made
    return made


def _parameters(run: AnsweringRun, path: Path, count: int, kind: str) -> Any:
    """Weights or biases as lists of numbers, or as such lists for each layer; None for anything else."""
    answers, layout, name = run.answers, run.plausible.layout, _called(path)
    shapes = layer_shapes(answers, path, layout)
    if is_added(answers, path) and shapes:
        return _nested(path, [given(np.zeros(one)).tolist() for one in shapes])
    if not is_learned(answers, path):
        return None
    answers.is_ambiguous |= bool(widths_of(answers, layout))
    if shapes:
        parts = [run.plausible.parameter(f"{name}[{k}]", one) for k, one in enumerate(shapes)]
        return _nested(path, [one.tolist() for one in parts])
    inner = (*path, "[]")
    if (shape := own_shape(answers, path, layout)) is None:
        shape = (count or _usual_count(run, path, kind),)
    if len(shape) == 1 and kind == "list":
        shape += (answers.known[inner][1] or _usual_count(run, inner, answers.known[(*inner, "[]")][0]),)
    return _nested(path, run.plausible.parameter(name, shape).tolist())


def _nested(path: Path, x: Any) -> Any:
    """Lists in lists that ask to be longer."""
    return AskingList(path, [_nested((*path, "[]"), one) for one in x]) if isinstance(x, list) else x


def _usual_count(run: AnsweringRun, path: Path, kind: str) -> int:
    """How many numbers a sample has, or a target; or how many samples there are."""
    if kind not in ("", "number", "factor", "term", "target"):
        return 3 if run.plausible.layout.is_single else run.plausible.layout.samples
    known = run.answers.known
    others = ("size", "list", "parts", "tuple", "keys")  # sizes of layers, samples
    lists = [one for one, (what, _) in known.items() if what == "list" and one[0] == path[0]]
    lists = [one for one in lists if known.get((*one, "[]"), ("",))[0] not in others]
    is_second = (
        kind == "target"
        or TARGET.match(next(str(one) for one in path[::-1] if one != "[]"))
        or (path in lists[1:] and not DATA.match(str(path[-1])))
    )
    return 2 if is_second else 3


def _object(run: AnsweringRun, path: Path, use: Use) -> Any:
    """An object of the learner's; parameters of one name share it; else one that does nothing."""
    name = str(path[-1])
    known = run.answers.known.items()
    every = [what for one, (kind, what) in known if kind == "attribute" and one[-1] == name]
    wanted = tuple(dict.fromkeys(each for some in every for each in some))
    own = objects.own_classes(run).values()
    if is_optimizer(run.source, wanted) and not any(hasattr(one, each) for one in own for each in wanted):
        return Descent()
    if name not in run.shared or run.in_layer:
        run.shared[name] = objects.object_called(run, name, wanted)
    made = run.shared[name]
    if run.answers.lacking and type(made) in own:
        go_back(run, made)
    if made is None and objects.is_activation(name, use):
        return ActivationObject(run.plausible.activation)
    if made is None and objects.is_loss(name) and any(map(is_derived, use.attributes)):
        return UsualLoss()
    return StandIn(name) if made is None else made


def _word(run: AnsweringRun, name: str, kind: str, said: Any) -> Any:
    """A word that the program knows, or a member of an enumeration."""
    if kind == "member":
        members: list[Any] = list(type(said).__members__.values())
        return min(members, key=lambda one: objects.rank(one.name))
    known = [said] if isinstance(said, str) else []
    return objects.word_for(run, name, known) or said or "sigmoid"
