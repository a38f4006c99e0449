"""What cannot be judged: how far the program got, what was not understood, and a change that would help."""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.layouts import ArgumentLayout
from deltarule.diagnosis.driving.plans import changing_functions, methods_to_call, training_functions
from deltarule.diagnosis.driving.plausible import DATA, TARGET, Plausible
from deltarule.diagnosis.faults.names import is_path, operand_nodes
from deltarule.diagnosis.observation.telling import in_words, shortened
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import WRONG
from deltarule.diagnosis.reading.updates import updates_on
from deltarule.diagnosis.recording.program import Recording

_FRAMEWORKS = {
    "torch": "PyTorch", "tensorflow": "TensorFlow", "keras": "Keras", "jax": "JAX", "mxnet": "MXNet",
    "theano": "Theano", "sklearn": "scikit-learn",
}  # fmt: skip
_TRAINS = re.compile(r"backward|fit(_generator)?|train_on_batch|partial_fit|step|(value_and_)?grad|gradient$")
_STOPPED = {
    "time": "time ran out",
    "operations": "it ran too many operations",
    "memory": "it used too much memory",
}


@dataclass(frozen=True)
class Obstacle:
    """What was not understood, where, and what would help: in words, and as lines to paste."""

    text: str
    line: int = 0
    advice: str = ""
    paste: str = ""


def obstacle_of(analysis: Analysis, recording: Recording) -> Obstacle:
    """The first thing that was not understood."""
    looks = (
        _framework, _missing_file, _exception, _opaque, _stopped, _fits_nothing, _absent, _flat,
        _no_change, _zero_target,
    )  # fmt: skip
    for look in looks:
        found = look(analysis, recording)
        if found is not None:
            return found
    name = next((op.label or analysis.source.target_of(op) for op in updates_on(analysis.tape)), "")
    changed = f"{name} changes, but n" if name else "N"
    return Obstacle(
        f"{changed}o place was found where an output of the network is compared with its target",
        0,
        "The check starts from the difference of the two. Compute it on a line of its own, for example:",
        "error = output - target",
    )


def found_in(analysis: Analysis, recording: Recording) -> tuple[str, ...]:
    """How far the program got, in sentences."""
    tape, source = analysis.tape, analysis.source
    lines = [line for op in tape.operations if not op.is_leaf and (line := source.line(op))]
    told = ["It computes nothing that can be followed: no arrays, no changing numbers."]
    if lines:
        where = f"lines {min(lines)} to {max(lines)}"
        told = [f"It computes with arrays or numbers that can be followed, on {where}."]
    changes = [f"{source.target_of(op)} (line {source.line(op)})" for op in updates_on(tape)]
    shown = shortened(changes, 5)
    told.append(f"It changes parameters step by step: {shown}." if shown else "It changes no parameter.")
    meeting = next((some[0] for some in (analysis.chosen.meetings if analysis.chosen else []) if some), None)
    if meeting is not None:
        told.append(f"The output is compared with the target on line {source.line(meeting.op)}.")
    return tuple(told)


def _framework(analysis: Analysis, recording: Recording) -> Obstacle | None:
    """Another package trains: its gradients are its own."""
    if updates_on(analysis.tape):
        return None
    tree = recording.source.tree
    for node in ast.walk(tree):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
        roots = [one.split(".")[0] for one in names]
        name = next((_FRAMEWORKS[root] for root in roots if root in _FRAMEWORKS), "")
        line = _training_call(tree) if name else 0
        if line:
            advice = (
                "A framework computes its own gradients, and they are right. The check is for "
                "backpropagation that is written out. To see where a step of your own differs from "
                "the framework's, compare the two; to see why a deltarule network does not learn, ask "
                "for its health:"
            )
            paste = "import deltarule as dr\nprint(dr.compare(my_step, model, X, Y, loss=loss))\n"
            paste += "print(dr.health(net, X, Y))"
            return Obstacle(f"{name} does the training here, not your own code.", line, advice, paste)
    return None


def _training_call(tree: ast.AST) -> int:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    methods = [(node.lineno, node.func.attr) for node in calls if isinstance(node.func, ast.Attribute)]
    return min((line for line, name in methods if _TRAINS.fullmatch(name)), default=0)


def _missing_file(analysis: Analysis, recording: Recording) -> Obstacle | None:
    """A file or a package is not there."""
    error, line = _error_of(recording)
    if error.startswith("FileNotFoundError"):
        statements = [one for one in recording.source.nodes if getattr(one, "lineno", 0) == line]
        inside = [one for outer in statements for one in ast.walk(outer) if isinstance(one, ast.Assign)]
        names = [ast.unparse(one.targets[0]) for one in inside] or ["data"]
        return Obstacle(
            f"a file is missing. Python says: {error}.",
            line,
            "Small made-up numbers are enough for a check. Replace the line that reads the file with:",
            "\n".join(f"{name} = np.random.rand(20, 5)" for name in dict.fromkeys(names)),
        )
    for text in analysis.tape.notes.get("missing", ()) if recording.error else ():
        package = re.match(r"the package (\w+)", text)
        if package and package.group(1) != "matplotlib":
            nodes = recording.source.nodes
            imports = (node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))
            line = next((node.lineno for node in imports if package.group(1) in ast.unparse(node)), 0)
            advice = "Install it in the environment where deltarule is installed, then check again:"
            return Obstacle(f"{text}.", line, advice, f"pip install {package.group(1)}")
    return None


def _error_of(recording: Recording) -> tuple[str, int]:
    """What Python said, and on which line of the program."""
    found = re.fullmatch(r"(.*) \(line (\d+)\)", recording.error, re.S)
    return (found.group(1), int(found.group(2))) if found else (recording.error, 0)


def _exception(analysis: Analysis, recording: Recording) -> Obstacle | None:
    error, line = _error_of(recording)
    if not error:
        return None
    return Obstacle(f"the program ends here. Python says: {error}", line, "Fix this first, then check again.")


def _opaque(analysis: Analysis, recording: Recording) -> Obstacle | None:
    """A function whose derivative is not known."""
    for op in [analysis.blind] if analysis.blind else analysis.tape.operations:
        if op.name.startswith("opaque "):
            name = op.name.removeprefix("opaque ")
            return Obstacle(
                f"the derivative of {name} is not known here, so the results that depend on it could "
                "not be followed.",
                analysis.source.line(op),
                f"Write {name} out with sums, products, np.exp, np.tanh, np.maximum and the like.",
            )
    return None


def _stopped(analysis: Analysis, recording: Recording) -> Obstacle | None:
    if analysis.tape.stopped not in _STOPPED:
        return None
    return Obstacle(
        f"the program was stopped before its parameters had changed twice: {_STOPPED[analysis.tape.stopped]}",
        0,
        "Train on a few samples only, for example (with the names of your data):",
        "X, Y = X[:20], Y[:20]",
    )


def _fits_nothing(analysis: Analysis, recording: Recording) -> Obstacle | None:
    """No step is a gradient of any loss that was supposed, and no correction makes it one."""
    chosen = analysis.chosen
    if chosen is None or not any(row.verdict == WRONG for row in chosen.rows):
        return None
    meeting = next((some[0] for some in chosen.meetings if some), None)
    return Obstacle(
        "no update fits the gradient of any usual loss, and no single correction makes it fit: the "
        "program may minimize something else, or use something other than gradients",
        analysis.source.line(meeting.op) if meeting else 0,
        "Let the program compute its loss as one number in each step, so that it is known, for example:",
        "loss = 0.5 * np.sum((output - target) ** 2)",
    )


def _absent(analysis: Analysis, recording: Recording) -> Obstacle | None:
    """Gradients were looked for, and none of the shape of an array of parameters was there."""
    if not analysis.absent:
        return None
    names = in_words(
        list(dict.fromkeys(analysis.source.name_of(op) or "a parameter" for op in analysis.absent))
    )
    return Obstacle(
        f"nothing that was returned or kept has the shape of a gradient of {names}",
        0,
        "Return the gradients, or let a function change the parameters by them, for example:",
        "w -= learning_rate * dw",
    )


def _flat(analysis: Analysis, recording: Recording) -> Obstacle | None:
    """All gradients are zero: small start values, and inputs of a usual size, would show something."""
    chosen = analysis.chosen
    if chosen is None:
        return None
    tape, source = analysis.tape, analysis.source
    rows = [row for row in chosen.rows if row.step == chosen.steps[0].number and len(row.change.shape) == 2]
    paste, places = [], []
    for row in rows:
        places.append(source.line(tape.operation_of(row.change.old[0])))
        shape = ", ".join(map(str, row.change.shape))
        paste.append((places[-1], f"{row.change.name} = 0.5 * np.random.randn({shape})"))
    for op, name, line in _large_inputs(analysis):
        paste.append((line, f"{name} = {name} / {np.abs(tape.value[op]).max():.0f}"))
    text = (
        "all gradients are zero, so right and wrong look the same: the units are saturated (outputs "
        "so close to the limits of the sigmoid or tanh that its slope vanishes) or dead (ReLUs that "
        "are all off)"
    )
    if not paste:
        return Obstacle(text)
    where = in_words([str(line) for line in sorted({line for line in places if line})])
    where = f" (line{'s' * (' ' in where)} {where})" if where else ""
    advice = f"Start with small weights{where} and inputs around 1, for example:"
    return Obstacle(text, 0, advice, "\n".join(["np.random.seed(0)", *(code for _, code in sorted(paste))]))


def _zero_target(analysis: Analysis, recording: Recording) -> Obstacle | None:
    """A target of zeros alone looks like a sum's start."""
    tape, source = analysis.tape, analysis.source
    for op in tape.operations:
        nodes = operand_nodes(source, op) if op.name == "subtract" and op.old is None else []
        name = ast.unparse(nodes[1]) if len(nodes) == 2 and op.leaves else ""
        if not is_path(name) or tape.operand(op, 1).any():
            continue
        shape = ", ".join(map(str, tape.operand(op, 1).shape))
        return Obstacle(
            f"{name} is zero everywhere, so the target cannot be told apart from a starting value of zero.",
            source.line(op),
            "Other numbers would show more, for example:",
            f"{name} = np.random.rand({shape})",
        )
    return None


def _large_inputs(analysis: Analysis) -> Iterator[tuple[Any, str, int]]:
    """(ids, name, line) of start values in products that are far from one."""
    tape, source = analysis.tape, analysis.source
    seen: set[str] = set()
    for op in tape.operations:
        ids = op.inputs[0] if op.name in ("dot", "matmul") else None
        nodes = operand_nodes(source, op)
        name = ast.unparse(nodes[0]) if nodes else ""
        if ids is None or not ids.size or name in seen or not name.isidentifier():
            continue
        seen.add(name)
        is_initial = all(tape.operations[k].initial for k in tape.producers(ids))
        if is_initial and np.abs(tape.value[ids]).max() > 20:
            yield ids, name, source.last_assignment(name)


def _no_change(analysis: Analysis, recording: Recording) -> Obstacle | None:
    """Nothing trains: the program's own functions could be called, or its gradients used."""
    if updates_on(analysis.tape):
        return None
    text = "no update changes a parameter, and no function that was called returned gradients"
    text = (recording.root and analysis.reason) or text
    if paste := _calls(recording):
        return Obstacle(text, 0, "Adding these lines at the end of the file would help:", paste)
    advice = (
        "The check needs a program that trains, or a function that returns gradients. The smallest such "
        "function is:"
    )
    lines = ["def gradients(W, X, Y):", "    error = X @ W - Y", "    return X.T @ error"]
    return Obstacle(text, 0, advice, "\n".join(lines))


def _calls(recording: Recording) -> str:
    """Calls of the program's own functions and classes with small data."""
    names = recording.namespace
    functions = {name: one for name, one in names.items() if isinstance(one, types.FunctionType)}
    path = recording.source.path
    functions = {name: one for name, one in functions.items() if one.__code__.co_filename == path}
    kinds = [one for one in names.values() if isinstance(one, type) and one.__module__ == "__main__"]
    writer = _Calls(recording)
    made = {type(one): name for name, one in names.items() if type(one) in kinds}
    for name in [*training_functions(functions), *changing_functions(recording.source, functions)]:
        return writer.lines(writer.call(name, functions[name]))
    for kind in kinds:
        others = {name: one for name, one in vars(kind).items() if name != "__init__"}
        plan = next(iter(methods_to_call(kind)), changing_functions(recording.source, others)[:1])
        if plan:
            owner = made.get(kind, "net")
            start = [] if kind in made else [f"net = {writer.call(kind.__name__, kind)}"]
            calls = [writer.call(f"{owner}.{one}", getattr(kind, one), 1) for one in plan]
            return writer.lines(*start, *calls)
    return ""


_SIZE = re.compile(r"^n_|^n[a-z]?$|num|size|dim|hid|unit|neuron|nodes|count|layer|epoch|iter|batch", re.I)


class _Calls:
    """Lines of calls, and of the data that they are called with."""

    def __init__(self, recording: Recording) -> None:
        self.plausible = Plausible(ArgumentLayout("rows", "one-hot", "in-out", "vector", 3, 2), {})
        self.names, self.text = recording.namespace, recording.source.text
        self.has_target = False
        self.data: dict[str, str] = {}

    def lines(self, *calls: str) -> str:
        data = [f"{name} = {code}" for name, code in self.data.items()]
        return "\n".join(["import numpy as np", "np.random.seed(0)", *data, *calls])

    def call(self, name: str, function: Any, skipped: int = 0) -> str:
        """The call of a function with an argument for each parameter that needs one."""
        arguments: list[str] = []
        for one in list(inspect.signature(function).parameters.values())[skipped:]:
            after_data = bool(arguments) and bool(DATA.match(arguments[-1])) and not self.has_target
            is_positional = one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
            if is_positional and one.default is one.empty:
                arguments.append(self._argument(one.name, after_data))
        return f"{name}({', '.join(arguments)})"

    def _argument(self, name: str, after_data: bool) -> str:
        if name in self.names or name in self.data:
            return name
        try:
            value = self.plausible.value(name, [])
        except LookupError:
            value = None
        if isinstance(value, bool | float) or (isinstance(value, int) and _SIZE.search(name)):
            return repr(value)
        if (value is None or isinstance(value, int)) and after_data:
            value = self.plausible.data["Y"]
        self.has_target = self.has_target or after_data or bool(TARGET.match(name))
        foreign = isinstance(value, dict) and not all(key in self.text for key in value)
        unknown = value is None or isinstance(value, int) or foreign
        self.data[name] = "...  # a value of yours" if unknown else _code(value)
        return name


def _code(value: Any) -> str:
    """An expression for made-up data: arrays as random numbers of their shape."""
    if isinstance(value, np.ndarray):
        function = "rand" if value.size and value.min() >= 0 else "randn"
        return f"np.random.{function}({', '.join(map(str, value.shape))})"
    if isinstance(value, dict):
        return "{\n" + "".join(f"    {key!r}: {_code(one)},\n" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_code, value)) + "]"
    return getattr(value, "__name__", "").strip("_") or repr(value)
