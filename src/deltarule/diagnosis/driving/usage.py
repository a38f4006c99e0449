"""How a function uses its parameters: what their names do not say, its text does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from deltarule.diagnosis.recording.source import ProgramSource

#: What is called with the sizes of an array.
_SIZED = re.compile(
    r"(zeros|ones|empty|full|rand|randn|random|normal|uniform|random_sample|standard_normal|range)$"
)
#: What is asked of arrays, and not of a number.
OF_ARRAYS = frozenset(["shape", "T", "dot", "reshape", "sum", "mean", "transpose", "copy", "to_numpy"])
_ITERATING = frozenset(["len", "enumerate", "zip", "reversed", "list", "iter", "sum"])


@dataclass
class Use:
    """What is done with a parameter.

    ``keys``: strings it is indexed with; ``last``: the largest whole number. ``words``: strings it is
    compared with, or keys of a table that is indexed with it; ``constants``: the program's own that it is
    compared with, by name. ``rank``: how many numbers its shape is taken
    apart into. ``parts``: the names that it is taken apart into, in tuples. ``attributes``: what is asked of
    it; ``of_items``: of what is in it.
    ``is_factor``: something is multiplied with it. ``is_index``: something is indexed with it.
    ``has_sizes``: arrays are made with what is in it.
    ``is_flat``: parts of it are reshaped to arrays. ``is_changed``: something is added to it, or subtracted.
    ``is_needed``: it is computed with, and nobody asks before whether it is there.
    ``is_switch``: parts of the program run only if it is true, or more than 0.
    """

    keys: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    last: int = 0
    rank: int = 0
    parts: Any = None
    is_list: bool = False
    is_size: bool = False
    has_sizes: bool = False
    is_called: bool = False
    is_factor: bool = False
    is_index: bool = False
    is_flat: bool = False
    is_changed: bool = False
    is_needed: bool = False
    is_switch: bool = False
    attributes: set[str] = field(default_factory=set)
    of_items: set[str] = field(default_factory=set)


#: Nothing is known.
UNUSED = Use()


def uses_of(source: ProgramSource, function: Any, names: dict[str, Any]) -> dict[str, Use]:
    """By parameter, how a function (or the class whose constructor it is) uses it."""
    function = getattr(function, "__init__", None) if isinstance(function, type) else function
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if code is None:
        return {}
    key = code.co_name, code.co_firstlineno
    if key not in source.uses:
        node = source.function_at(*key)
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs] if node is not None else []
        every += [node.args.vararg] if node is not None and node.args.vararg else []
        holder = source.parent(node)
        source.uses[key] = {
            one.arg: _use_of(source, node, holder, one.arg, names) for one in every if node is not None
        }
    return source.uses[key]


def uses_of_name(source: ProgramSource, name: str, names: dict[str, Any]) -> Use:
    """How a program uses a name that no function is passed."""
    if (name, 0) not in source.uses:
        source.uses[name, 0] = _use_of(source, source.tree, None, name, names)
    found: Use = source.uses[name, 0]
    return found


def never_set(source: ProgramSource, one: Any, lacking: Iterable[str]) -> list[str]:
    """The attributes that a new object has as None, or lacks, and that the program sets nowhere.

    What is lacking may be a slip of the pen, unless something of it is changed, as parameters are.
    """
    nodes = [node for node in source.nodes if isinstance(node, ast.Attribute)]
    stores = [node for node in nodes if isinstance(node.ctx, ast.Store)]
    changed = {node.attr for node in stores if is_change(source.parent(node) or node)}
    fixed = [node.attr for node in stores if not is_change(source.parent(node) or node)]
    empty = [name for name, held in vars(one).items() if held is None and fixed.count(name) == 1]
    shared = vars(type(one)).items()
    empty += [name for name, held in shared if held is None and name[:2] != "__" and name not in fixed]
    missing = [name for name in lacking if name not in fixed and not hasattr(one, name)]
    return [*empty, *(missing if changed.intersection(missing) else ())]


@lru_cache(maxsize=64)
def link_of(source: ProgramSource, kind: str, method: str) -> str | None:
    """The attribute, set nowhere but to None, whose method of the same name a method calls: a neighbour."""
    nodes = source.nodes
    stored = {
        target.attr
        for node in nodes
        if isinstance(node, ast.Assign)
        and not (isinstance(node.value, ast.Constant) and not node.value.value)
        for target in node.targets
        if isinstance(target, ast.Attribute)
    }
    kinds = [node for node in nodes if isinstance(node, ast.ClassDef) and node.name == kind]
    within = [one for node in kinds for one in node.body if getattr(one, "name", "") == method]
    for node in (each for one in within for each in ast.walk(one)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(value=ast.Name("self"), attr=name), attr=called)
            ):
                if called == method and name not in stored:
                    return name
    return None


def sums_over_steps(source: ProgramSource) -> bool:
    """Whether sums go over samples and the steps of each, ``axis=(0, 1)``: data have three axes."""
    return any(
        isinstance(node, ast.keyword) and node.arg == "axis" and ast.unparse(node.value) == "(0, 1)"
        for node in source.nodes
    )


def _use_of(
    source: ProgramSource, node: ast.AST, holder: ast.AST | None, name: str, names: dict[str, Any]
) -> Use:
    use, asked, needed, is_count = Use(), list[int](), list[int](), False
    for one in _occurrences(source, node, holder, name):
        parent = source.parent(one)
        asked += [one.lineno] if _is_asked(parent, one) else []
        needed += [one.lineno] if _is_needed(parent, one) else []
        match parent:
            case ast.Subscript(value=value, slice=key) if value is one:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    use.keys.append(key.value)
                elif not isinstance(key, ast.Tuple):
                    use.is_list = True
                    use.is_flat |= isinstance(key, ast.Slice) and _is_reshaped(source, parent)
                    if isinstance(key, ast.Constant) and isinstance(key.value, int):
                        use.last = max(use.last, key.value)
            case ast.Call(func=called) if called is one:
                use.is_called = True
            case ast.Call(func=ast.Name(called)) if called in _ITERATING:
                use.is_list = True
                use.of_items |= _of_items(source, one)
            case ast.Call(func=ast.Name("range")):
                is_count = True
            case ast.For() | ast.comprehension() if parent.iter is one:
                use.is_list = True
                use.of_items |= _of_items(source, one)
            case ast.Assign(targets=[ast.Tuple() as target]):
                use.parts = _names(target)
            case ast.Compare():
                use.constants.update(_constants_in(parent, names))
            case ast.BinOp(op=ast.Mult()):
                use.is_factor = True
            case ast.BinOp(ast.List(), ast.Add()) | ast.BinOp(_, ast.Add(), ast.List()):
                use.is_list = True
            case ast.Attribute(attr=attr) if attr not in ("lower", "upper"):
                use.attributes.add(attr)
                use.rank = max(use.rank, _rank(source, parent))
        use.words += _words_for(source, parent, one, holder, names)
        use.is_switch = use.is_switch or _is_switch(source, one)
        use.is_index = use.is_index or _is_index(source, one)
        use.is_size = use.is_size or _is_size(source, one)
        use.has_sizes = use.has_sizes or any(_is_size(source, each) for each in _items(source, one))
    use.is_changed = any(_changes(one, name) for one in ast.walk(node))
    use.is_needed = bool(needed) and (not asked or min(needed) < min(asked))
    use.is_list = use.is_list and not is_count  # what is gone through has its name only
    return use


def _words_for(
    source: ProgramSource,
    parent: ast.AST | None,
    one: ast.expr,
    holder: ast.AST | None,
    names: dict[str, Any],
) -> list[str]:
    """The words that something is compared with, or that it may be to find something."""
    match parent:
        case ast.Subscript(value=table, slice=key) if key is one:
            return _words_of(table, holder, names)
        case ast.Match(subject=subject) if subject is one:
            return [word for each in parent.cases for word in _words_in(each.pattern)]
        case ast.Call(func=ast.Name("getattr"), args=[_, word, *_]) if word is one:
            return [each.name for each in ast.walk(holder or one) if isinstance(each, ast.FunctionDef)]
        case ast.Compare():
            return _words_in(parent)
        case ast.Attribute(attr="lower" | "upper"):
            return _compared_with(source, parent)
    return []


def _words_of(table: ast.expr, holder: ast.AST | None, names: dict[str, Any]) -> list[str]:
    """The words that are the keys of a table: one that is written there, of the program or of an object."""
    if isinstance(table, ast.Name):
        return [key for key in _keys(names.get(table.id)) if isinstance(key, str)]
    written = [table]
    if isinstance(table, ast.Attribute) and holder is not None:
        made = [one for one in ast.walk(holder) if isinstance(one, ast.Assign)]
        written = [one.value for one in made if getattr(one.targets[0], "attr", "") == table.attr]
    keys = [key for one in written if isinstance(one, ast.Dict) for key in one.keys]
    return [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def _words_in(comparison: ast.AST) -> list[str]:
    constants = [one for one in ast.walk(comparison) if isinstance(one, ast.Constant)]
    return [one.value for one in constants if isinstance(one.value, str)]


def _constants_in(comparison: ast.Compare, names: dict[str, Any]) -> dict[str, Any]:
    """The whole numbers and members that names of the program stand for, alone or in a class."""
    found = {}
    for one in [comparison.left, *comparison.comparators]:
        match one:
            case ast.Name(id=name):
                value = names.get(name)
            case ast.Attribute(value=ast.Name(id=holder), attr=name):
                value = getattr(names.get(holder), name, None)
            case _:
                continue
        if type(value) is int or isinstance(value, Enum):
            found[name] = value
    return found


def _compared_with(source: ProgramSource, attribute: ast.AST) -> list[str]:
    """The words of ``name.lower() == "relu"``."""
    holder = source.parent(source.parent(attribute))
    return _words_in(holder) if isinstance(holder, ast.Compare) else []


def _is_asked(holder: ast.AST | None, one: ast.expr) -> bool:
    """Whether a condition is about whether something is there."""
    match holder:
        case ast.Compare(comparators=[ast.Constant(value=None)]) | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.If(test=test) | ast.IfExp(test=test):
            return test is one
    return False


def _is_needed(holder: ast.AST | None, one: ast.expr) -> bool:
    """Whether something is computed with, gone through or looked into, so that it must be there."""
    match holder:
        case ast.Subscript(value=value, slice=key):
            return value is one and not isinstance(key, ast.Tuple) and not _words_in(key)
        case ast.Call(func=ast.Name(called)):
            return called in _ITERATING
        case ast.For() | ast.comprehension():
            return holder.iter is one
        case ast.BinOp(op=ast.Mult() | ast.Sub() | ast.Div() | ast.MatMult()):
            return True
    return False


def _changes(node: ast.AST, name: str) -> bool:
    """Whether a statement changes what has a name, or a part of it, by itself ± something."""
    target: ast.AST | None = node.target if isinstance(node, ast.AugAssign) else None
    target = node.targets[0] if isinstance(node, ast.Assign) else target
    while isinstance(target, ast.Subscript):
        target = target.value
    return isinstance(target, ast.Name) and target.id == name and is_change(node)


def is_change(node: ast.AST) -> bool:
    """Whether a statement is ``w -= a`` or ``w = w - a``, also of each in a list, and no count."""
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.Sub | ast.Add) and not isinstance(node.value, ast.Constant)
    if not isinstance(node, ast.Assign):
        return False
    target = ast.unparse(node.targets[0])
    if not isinstance(node.value, ast.ListComp):
        return _first_term(node.value) == target
    own = [one for one in node.value.generators if target in operands(one.iter)]
    taken = {one.id for each in own for one in ast.walk(each.target) if isinstance(one, ast.Name)}
    return _first_term(node.value.elt) in taken


def operands(node: ast.expr) -> list[str]:
    """An expression, and what it is called with, as ``zip(a, b)`` is with a and b."""
    return [ast.unparse(one) for one in (node, *(node.args if isinstance(node, ast.Call) else ()))]


def _first_term(node: ast.expr) -> str:
    """The first term of a sum, also of a difference; empty where it is neither."""
    left = node
    while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add | ast.Sub):
        left = left.left
    return ast.unparse(left) if left is not node else ""


def _is_reshaped(source: ProgramSource, part: ast.AST) -> bool:
    """Whether a part of an argument becomes an array of several sizes, each of which is given."""
    holder = source.parent(part)
    call = holder if isinstance(holder, ast.Call) else source.parent(holder)
    if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") != "reshape":
        return False
    return not any("-1" in ast.unparse(one) for one in call.args if one is not part)


def _is_switch(source: ProgramSource, node: ast.expr) -> bool:
    """Whether it is asked whether something is true, or more than 0."""
    test, holder = node, source.parent(node)
    if isinstance(holder, ast.Compare) and ast.unparse(holder.comparators[0]) in ("0", "0.0"):
        test, holder = holder, source.parent(holder)
    return isinstance(holder, ast.If | ast.IfExp) and holder.test is test


def _is_index(source: ProgramSource, node: ast.expr) -> bool:
    """Whether something is indexed with it, alone or with others."""
    holder = source.parent(node)
    if isinstance(holder, ast.Tuple):
        node, holder = holder, source.parent(holder)
    return isinstance(holder, ast.Subscript) and holder.slice is node


def _names(target: ast.expr) -> Any:
    """The names of a target, in tuples as they are written; None where others are among them."""
    if isinstance(target, ast.Tuple | ast.List):
        found = tuple(_names(one) for one in target.elts)
        return None if None in found else found
    return target.id if isinstance(target, ast.Name) else None


def _keys(table: Any) -> Any:
    return table if isinstance(table, dict) else ()


def _occurrences(
    source: ProgramSource, node: ast.AST, holder: ast.AST | None, name: str
) -> Iterator[ast.expr]:
    """Where a parameter is read, also as the attribute that it is kept as."""
    kept = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load):
            yield one
            into = source.parent(one)
            outer = source.parent(into) if isinstance(into, ast.Tuple) else into
            targets = outer.targets[:1] if isinstance(outer, ast.Assign) else []
            targets = [outer.target] if isinstance(outer, ast.AnnAssign) else targets
            if isinstance(into, ast.Tuple) and targets and isinstance(targets[0], ast.Tuple):
                targets = targets[0].elts[into.elts.index(one) :][:1]
            kept |= {target.attr for target in targets if isinstance(target, ast.Attribute)}
    for one in ast.walk(holder) if kept and isinstance(holder, ast.ClassDef) else ():
        if isinstance(one, ast.Attribute) and one.attr in kept and isinstance(one.ctx, ast.Load):
            yield one


def _items(source: ProgramSource, whole: ast.expr) -> Iterator[ast.expr]:
    """Where an element of something is read: by its index, or as what a loop goes through."""
    loop = source.parent(whole)
    if isinstance(loop, ast.Subscript) and loop.value is whole and not isinstance(loop.slice, ast.Slice):
        yield loop
    while isinstance(loop, ast.Call | ast.Subscript):
        loop = source.parent(loop)
    if not isinstance(loop, ast.For | ast.comprehension):
        return
    targets = {one.id for one in ast.walk(loop.target) if isinstance(one, ast.Name)}
    within = loop if isinstance(loop, ast.For) else source.parent(loop)
    for one in ast.walk(within or loop):
        if isinstance(one, ast.Name) and one.id in targets and isinstance(one.ctx, ast.Load):
            yield one


def _of_items(source: ProgramSource, iterated: ast.expr) -> set[str]:
    """What is asked of the elements that a loop goes through."""
    items = [one for one in _items(source, iterated) if isinstance(one, ast.Name)]
    holders = [source.parent(one) for one in items]
    return {one.attr for one in holders if isinstance(one, ast.Attribute)}


def _rank(source: ProgramSource, shape: ast.Attribute) -> int:
    """4 of ``n, c, h, w = x.shape``."""
    into = source.parent(shape)
    if shape.attr == "shape" and isinstance(into, ast.Assign) and isinstance(into.targets[0], ast.Tuple):
        return len(into.targets[0].elts)
    return 0


def _is_size(source: ProgramSource, node: ast.expr) -> bool:
    """Whether an array is made with it as one of its sizes, or a loop counts to it."""
    holder: ast.AST | None = source.parent(node)
    while isinstance(holder, ast.Tuple | ast.List | ast.BinOp | ast.keyword | ast.Starred):
        holder = source.parent(holder)
    if not isinstance(holder, ast.Call) or holder.func is node:
        return False
    return bool(_SIZED.match(getattr(holder.func, "attr", getattr(holder.func, "id", ""))))
