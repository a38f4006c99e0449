"""What a program does with the data that it reads, as far as its text tells: so are data made up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

#: How many columns a table has at most that is made up by the text.
_MOST_COLUMNS = 1000
#: Names of what a network should give.
_OF_TARGETS = re.compile(
    r".*(label|target|class|output|expected|answer|desired|etiq|ziel|sortie)|(.*_)?y(_.*)?$", re.I
)


@lru_cache(maxsize=32)
def columns_taken(tree: ast.AST) -> int:
    """How many columns a table needs, for those that are taken by number: ``table[:, :4], table[:, 4]``."""
    numbers = [0]
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(slice=ast.Tuple(elts=[ast.Slice(), columns])):
                numbers += _needed(columns)
    return max(one for one in numbers if one <= _MOST_COLUMNS)


def cells_taken(tree: ast.AST, row: str) -> int:
    """The same of a line that was split: ``row[:4], row[4]``."""
    taken = [
        one.slice
        for one in ast.walk(tree)
        if isinstance(one, ast.Subscript) and isinstance(one.value, ast.Name) and one.value.id == row
    ]
    return max((number for one in taken for number in _needed(one)), default=0)


def _needed(index: ast.expr) -> Iterator[int]:
    match index:
        case ast.Constant(int() as k):
            yield k + 1
        case ast.List(elts=several):
            for one in several:
                yield from _needed(one)
        case ast.Slice(lower=first, upper=last):
            if isinstance(first, ast.Constant) and type(first.value) is int:
                yield first.value + 1
            if isinstance(last, ast.Constant) and type(last.value) is int:
                yield last.value


@lru_cache(maxsize=32)
def cells_of_lines(tree: ast.AST) -> int:
    """How many cells a program takes of lines that it splits; 0 where it does not say."""
    count = 0
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=value) if any(
                map(_is_split, ast.walk(value))
            ):
                count = max(count, len(parts))
            case ast.Assign(targets=[ast.Name(row)], value=value) if any(map(_is_split, ast.walk(value))):
                count = max(count, cells_taken(tree, row))
    return count


def _is_split(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split"


@lru_cache(maxsize=32)
def words_of_classes(tree: ast.AST) -> tuple[str, ...]:
    """The words that stand for classes, where a dictionary gives each a number or a vector."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and len(node.keys) > 1:
            keys = [one.value if isinstance(one, ast.Constant) else None for one in node.keys]
            if all(isinstance(one, str) and one for one in keys) and _are_classes(node.values):
                return tuple(str(one) for one in keys)
    return ()


def _are_classes(values: list[ast.expr]) -> bool:
    """Whether they are 0, 1, 2 …, or 1, 2 …, or lists with one 1."""
    try:
        made = [ast.literal_eval(one) for one in values]
    except ValueError:
        return False
    if all(isinstance(one, list) for one in made):
        return all(sorted(one) == [0] * (len(one) - 1) + [1] for one in made if one)
    return all(type(one) is int for one in made) and sorted(made) in (
        list(range(len(made))),
        list(range(1, len(made) + 1)),
    )


@lru_cache(maxsize=32)
def arguments_taken(tree: ast.AST) -> tuple[str, ...]:
    """What a program calls the arguments that it is started with: ``sys.argv[1]``, ``_, a, b = sys.argv``."""
    names: dict[int, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value) if _is_argv(value):
                names |= {k: _name(one) for k, one in enumerate(targets)}
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                for target, value in zip(targets, values, strict=False):
                    names |= {k: _name(target) for k in _of_argv(value)}
            case ast.Assign(targets=[target], value=value):
                names |= {k: _name(target) for k in _of_argv(value)}
            case ast.keyword(arg=str() as name, value=value):
                names |= dict.fromkeys(_of_argv(value), name)
            case ast.Subscript():
                names = dict.fromkeys(_of_argv(node), "") | names
    return tuple(names.get(k) or f"argument{k}" for k in range(1, 1 + max(names, default=0)))


def _is_argv(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="argv") | ast.Name(id="argv"):
            return True
    return False


def _of_argv(node: ast.AST) -> list[int]:
    """Which arguments an expression reads."""
    return [
        one.slice.value
        for one in ast.walk(node)
        if isinstance(one, ast.Subscript)
        and _is_argv(one.value)
        and isinstance(one.slice, ast.Constant)
        and type(one.slice.value) is int
    ]


def _name(target: ast.expr) -> str:
    match target:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


@lru_cache(maxsize=32)
def column_of_classes(tree: ast.AST) -> str:
    """Which column a program takes for the classes: that which it drops from the inputs, or is called so."""
    alone, dropped, attributes = list[str](), list[str](), set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(
                slice=ast.Constant(str() as name) | ast.List(elts=[ast.Constant(str() as name)])
            ):
                alone.append(name)
            case ast.Call(func=ast.Attribute(attr="drop"), args=args, keywords=named):
                values = [*args, *(one.value for one in named)]
                dropped += [
                    one.value
                    for value in values
                    for one in ast.walk(value)
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                ]
            case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(str() as name)]):
                dropped.append(name)
                alone.append(name)
            case ast.Attribute(attr=name):
                attributes.add(name)
    both = [one for one in dropped if one in alone or one in attributes]
    called = [one for one in [*alone, *dropped] if _OF_TARGETS.match(one)]
    return next(iter([*both[::-1], *called, *alone[::-1]]), "")


#: Names of files that hold what a network should give, and nothing else.
_TARGETS_ALONE = re.compile(
    r".*(labels?|targets?|[ck]lass(es|en)?|etiquetas?|ziele?|salidas?)(\b|_|$)|(.*_)?[yt](_\w*)?$", re.I
)


def holds_targets(name: str) -> bool:
    """Whether a file is called as one is that holds what a network should give, and nothing else."""
    return bool(_TARGETS_ALONE.match(re.sub(r"\.\w+$", "", re.split(r"[/\\]", name)[-1])))
