"""How a program is used, as its author wrote it down: in comments, in texts, behind ``>>>``, by a switch."""

from __future__ import annotations

import ast
import doctest
import re
import textwrap
from collections.abc import Iterator
from itertools import groupby

from deltarule.diagnosis.driving.usage import is_change
from deltarule.diagnosis.recording.source import ProgramSource

_LONGEST, _MOST = 40, 4


def other_texts(source: ProgramSource) -> Iterator[tuple[str, str]]:
    """The text of a program as it may be meant to be run, and what is different in it."""
    for usage in written_usages(source):
        yield f"{source.text}\n{usage}\n", "it was used as a comment or a text in it says"
    for name, written in _switches(source):
        lines, value = list(source.lines), str(not written.value)
        row = lines[written.lineno - 1].encode()
        row = row[: written.col_offset] + value.encode() + row[written.end_col_offset :]
        lines[written.lineno - 1] = row.decode()
        yield "\n".join(lines), f"{name} was taken as {value}"


def _switches(source: ProgramSource) -> list[tuple[str, ast.Constant]]:
    """The assignments of True or False on which it depends whether something changes, or is called."""
    asked: set[str] = set()
    for node in source.nodes:
        if isinstance(node, ast.If) and any(map(_may_train, [*node.body, *node.orelse])):
            asked |= {one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)}
    found = []
    for node in source.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(name)], value=ast.Constant(bool()) as written):
                found += [(name, written)] if name in asked else []
    return found[:_MOST]


def _may_train(statement: ast.stmt) -> bool:
    parts = list(ast.walk(statement))
    called = [one.func for one in parts if isinstance(one, ast.Call)]
    shown = [one for one in called if not isinstance(one, ast.Name) or one.id != "print"]
    return any(map(is_change, parts)) or bool(shown)


def written_usages(source: ProgramSource) -> list[str]:
    """Statements that stand in comments and texts of a program and call what it defines."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    defined = {one.name for one in source.nodes if isinstance(one, kinds)}
    found = [_statements(block, defined) for block in (*_texts(source.tree), *_comments(source.lines))]
    return [one for one in dict.fromkeys(found) if one][:_MOST]


def _comments(lines: list[str]) -> Iterator[list[str]]:
    for is_comment, block in groupby(lines, lambda line: line.lstrip().startswith("#")):
        if is_comment:
            yield [re.sub(r"^\s*#+", "", line) for line in block]


def _texts(tree: ast.AST) -> Iterator[list[str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                try:
                    examples = doctest.DocTestParser().get_examples(text)
                except ValueError:
                    examples = []
                yield "".join(one.source for one in examples).split("\n") if examples else text.split("\n")


def _statements(block: list[str], defined: set[str]) -> str:
    """The longest part of a block, from its first line that is Python, that calls what is defined."""
    block = block[:_LONGEST]
    for start in range(len(block)):
        for end in range(len(block), start, -1):
            text = textwrap.dedent("\n".join(block[start:end]))
            try:
                tree = ast.parse(text)
            except (SyntaxError, ValueError):
                continue
            if _calls(tree, defined):
                return text
            break
    return ""


def _calls(tree: ast.Module, defined: set[str]) -> bool:
    if any(isinstance(one, ast.FunctionDef | ast.ClassDef | ast.Return) for one in ast.walk(tree)):
        return False
    called = [one.func for one in ast.walk(tree) if isinstance(one, ast.Call)]
    return any(getattr(one, "attr", getattr(one, "id", "")) in defined for one in called)
