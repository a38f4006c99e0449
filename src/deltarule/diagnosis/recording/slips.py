"""Programs that are Python but for a line or two: what is wrong there, and the rest of the program."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

#: How many lines of a program may be no Python: with more it is something else.
_MOST_SLIPS = 3
#: What Python says of what may be right elsewhere: in another version, or before it was copied.
_ELSEWHERE = re.compile(
    r"f-string|unicode error|inconsistent use of tabs|encoding|character|Missing parentheses|leading zeros|"
    r"multiple exception types|parameters cannot be parenthesized"
)
#: Statements of Python 2, and characters that pages put in place of others.
_COPIED = re.compile(r"\s*(exec|print)\s+[^(\s=]|.*[`“”‘’\u00a0]")
_OPENS_A_BLOCK = re.compile(r"\s*(async|class|def|elif|else|except|finally|for|if|try|while|with)\b")
#: What a program has, and a letter has not.
_OF_PROGRAMS = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While)


@dataclass(frozen=True)
class Slip:
    """A line that Python cannot read: its text, the place in it (from 0), and what Python says.

    ``is_mended`` tells whether it is plain what should stand there: then the rest is read with that.
    """

    line: int
    text: str
    column: int
    message: str
    is_mended: bool


def without_slips(text: str) -> tuple[str, tuple[Slip, ...]]:
    """Return a program's text as Python can read it, and the slips that were mended or left out.

    Raises
    ------
    SyntaxError
        The first one, if more than a few lines are no Python, or the text may only be cut or copied badly.
    """
    lines, slips, first = text.split("\n"), dict[int, Slip](), None
    for _ in range(2 * _MOST_SLIPS):  # a line may lack its colon and its block
        try:
            tree = ast.parse("\n".join(lines))
        except SyntaxError as error:
            first = first or error
            slip = _mend(lines, slips, error)
            if slip is None:
                break
            slips.setdefault(slip.line, slip)
        else:
            if first is None or any(isinstance(one, _OF_PROGRAMS) for one in ast.walk(tree)):
                return "\n".join(lines), tuple(slips[one] for one in sorted(slips))
            break
    assert first is not None
    raise first


def _mend(lines: list[str], slips: dict[int, Slip], error: SyntaxError) -> Slip | None:
    """Let Python read the line of an error, and return its slip; None where it is none."""
    number, column = error.lineno or 0, (error.offset or 1) - 1
    if "expected an indented block" in error.msg and (found := re.search(r"on line (\d+)$", error.msg)):
        number, column = int(found.group(1)), -1
    last = max((k for k, one in enumerate(lines, 1) if one.strip()), default=0)
    is_told = number in slips and "indented block" not in error.msg
    if not 0 < number <= last or len(slips) == _MOST_SLIPS or is_told or _ELSEWHERE.search(error.msg):
        return None
    text = lines[number - 1]
    if _COPIED.match(text):
        return None
    mended = _mended(text, column, error.msg)
    if number == last and not mended:  # the copy may end there
        return None
    indent = text[: len(text) - len(text.lstrip())]
    column = len(indent) if column < 0 else column  # of an empty block, the statement that opens it
    function = re.match(r"\s*def\s+(\w+)", text)
    left_out = "if True:" if _OPENS_A_BLOCK.match(text) else "pass"
    left_out = f"def {function.group(1)}(*_, **__):" if function else left_out
    lines[number - 1] = mended or indent + left_out
    return Slip(number, text, column, error.msg, bool(mended))


def _mended(text: str, column: int, message: str) -> str:
    """The line as it should be, where that is plain."""
    code = re.match(r"[^#'\"]*", text)
    end = len(text[: code.end()].rstrip()) if code else 0
    if message == "expected ':'" and end:
        return f"{text[:end]}:{text[end:]}"
    if "expected an indented block" in message and end and text[end - 1] == ":":
        return f"{text[:end]} pass{text[end:]}"
    if message.startswith("unmatched") and text[column : column + 1] in ")]}":
        return text[:column] + text[column + 1 :]
    return ""
