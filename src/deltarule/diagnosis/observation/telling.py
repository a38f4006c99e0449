"""The report of an observation: what a learner reads, in 79 columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from deltarule.diagnosis.faults.fault import Fault
from deltarule.diagnosis.mistakes import mistake
from deltarule.diagnosis.observation.seen import SeenProgram

WIDTH = 79
#: What is said of a parameter, by the verdict on its steps.
_OF_A_PARAMETER = {
    "right": "right",
    "factor": "off by a factor",
    "wrong": "wrong",
    "penalty": "right, with a penalty or momentum",
    "optimizer": "right, through an optimizer",
    "nothing to see": "not judged: its gradient is zero here",
    "alone": "not judged: a single number is not enough here",
}
#: By loss that the steps follow and loss that may be meant: what would be wrong.
_OTHERWISE = {
    ("squared error", "binary cross-entropy"): "f′ at the output should not be there",
    ("squared error", "cross-entropy of softmax"): "the derivative of the softmax should not be there",
    ("binary cross-entropy", "squared error"): "f′ at the output would be missing",
    ("cross-entropy of softmax", "squared error"): "the derivative of the softmax would be missing",
}


def tell(seen: SeenProgram) -> str:
    """Return the report."""
    blocks = [_heading(seen)]
    blocks += [list(_fault(seen, number, fault)) for number, fault in enumerate(seen.faults, 1)]
    if seen.verdict == "cannot judge":
        blocks += [_obstacle(seen), _paste(seen)]
    blocks += [_findings(seen), _read_as(seen), _parameters(seen), _unseen(seen)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def in_words(values: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, [", ".join(values[:-1]), *values[-1:]]))


def shortened(names: Iterable[str], most: int) -> str:
    """The first of some names, each once: ``a, b …``."""
    once = list(dict.fromkeys(names))
    return ", ".join(once[:most]) + (" …" if len(once) > most else "")


def _sentence(seen: SeenProgram, text: str) -> str:
    """A capital at the start, unless a name of the program stands there, and a full stop at the end."""
    text = text.strip()
    first = text.split(" ", 1)[0]
    names = {name for name, *_ in seen.parameters}.union(seen.rates, *(one.parameters for one in seen.faults))
    is_word = first.isalpha() and first.islower() and (len(first) > 1 or first == "a")
    if is_word and first not in names:
        text = text[0].upper() + text[1:]
    return text if not text or text[-1] in ".?!:" else f"{text}."


def _wrapped(text: str, indent: str = "", later: str | None = None) -> list[str]:
    later = indent if later is None else later
    wrapper = textwrap.TextWrapper(WIDTH, indent, later, break_on_hyphens=False, break_long_words=False)
    return wrapper.wrap(text)


def _heading(seen: SeenProgram) -> list[str]:
    if seen.verdict == "right":
        return _right(seen)
    if seen.verdict == "wrong":
        count = len(seen.faults)
        return ["Wrong: one mistake." if count == 1 else f"Wrong: {count} mistakes. Fix the first one first."]
    return ["It was not possible to judge whether this backpropagation is right."]


def _right(seen: SeenProgram) -> list[str]:
    computes = "Right. The backward pass computes the gradient of the"
    if seen.loss == "its own loss":
        return _wrapped(f"{computes} loss that the program computes.")
    if seen.named:
        return _wrapped(f"Right for the {seen.loss}, the loss that was named.")
    if not seen.supposed:
        return _wrapped(f"{computes} {seen.loss}, the program's own loss.")
    if seen.driven and not seen.loss_line:  # the check compared outputs with targets, no line of the program
        return _wrapped(
            f"Right. The program computes no loss, so the check assumed the {seen.loss} of its "
            "outputs; the backward pass computes the gradient of that loss."
        )
    text = f"Right for the {seen.loss}. The program computes no loss itself, so the loss was inferred from "
    text += "the backward pass."
    for other in seen.other_losses:
        if what := _OTHERWISE.get((seen.loss, other)):
            text += f" For a {other} it would be wrong: {what}."
    return _wrapped(text)


def _fault(seen: SeenProgram, number: int, fault: Fault) -> Iterator[str]:
    """One mistake: where, what, how it should be, with which numbers, and its page."""
    page = mistake(fault.mistake) if fault.mistake else None
    heading = [f"Line {fault.line}"] if fault.line else []
    yield from _wrapped(f"{number}. {': '.join([*heading, *([page.title] if page else [])])}", later="   ")
    yield ""
    if fault.line:
        yield from _shown(seen.lines.get(fault.line, fault.expression), fault)
        yield ""
    yield from _wrapped(_sentence(seen, fault.text), "   ")
    if fault.should_be:
        yield from ["   It should be:", ""]
        yield from (f"     {line}" for line in fault.should_be.splitlines())
        yield ""
    if fault.numbers:
        place, found, wanted = fault.numbers[0]
        whose = "the numbers of this call" if seen.driven else "your numbers"
        told = f"With {whose}: the gradient of {_returned(place)} comes out as {found:.4g}; "
        told += f"it should be {wanted:.4g}."
        yield from _wrapped(told, "   ")
    if fault.last_right:
        yield from _wrapped(f"Correct up to here: {fault.last_right}.", "   ")
    if fault.parameters:
        yield from _wrapped(f"It affects {in_words([_returned(name) for name in fault.parameters])}.", "   ")
    if page:
        yield ""
        yield from _wrapped(f"How it happens: {page.why}", "   ")
        yield from _wrapped(f"How to fix it: {page.remedy}", "   ")
        yield from _wrapped(f"Learn more: mistakes/{page.key} in the documentation.", "   ")


def _shown(line: str, fault: Fault) -> Iterator[str]:
    """The line of the program with its number, and an arrow below the expression."""
    head = f"   {fault.line:>5} | "
    start, end = fault.columns or (len(line) - len(line.lstrip()), len(line.rstrip()))
    room = WIDTH - len(head)
    first = max(0, min(len(line) - len(line.lstrip()), start))
    if end - first > room:  # a long line: what is around the expression
        first = max(first, min(start - 8, len(line) - room))
    before = "…" if first > len(line) - len(line.lstrip()) else ""
    part = before + line[first + len(before) :].rstrip()
    yield head + (part if len(part) <= room else part[: room - 1] + "…")
    yield " " * (len(head) + start - first) + "^" + "~" * (min(end, first + room) - start - 1)


def _findings(seen: SeenProgram) -> list[str]:
    """What keeps first weights from learning."""
    lines = ["With these initial weights it cannot learn well:"] if seen.findings else []
    for one in seen.findings:
        where = f" ({one.where})" if one.where else ""
        lines += _wrapped(f"{one.evidence}{where}. {one.meaning} {one.remedy}", "  ", "    ")
    return lines


def _obstacle(seen: SeenProgram) -> list[str]:
    lines = []
    if seen.obstacle:
        where = f"Line {seen.obstacle_line}: " if seen.obstacle_line else ""
        lines += _wrapped(where + (seen.obstacle if where else _sentence(seen, seen.obstacle)))
        if seen.obstacle_line in seen.lines:
            text = seen.lines[seen.obstacle_line].strip()
            head = f"   {seen.obstacle_line:>5} | "
            lines += ["", head + textwrap.shorten(text, WIDTH - len(head), placeholder=" …")]
    for text in seen.notes:
        lines += _wrapped(_sentence(seen, text))
    if seen.found:
        lines += ["", "What was observed:"] if lines else ["What was observed:"]
        lines += [line for text in seen.found for line in _wrapped(text, "  ", "    ")]
    return lines


def _paste(seen: SeenProgram) -> list[str]:
    lines = _wrapped(_sentence(seen, seen.advice)) if seen.advice else []
    if seen.paste:
        lines += ["", *(f"    {line}".rstrip() for line in seen.paste.splitlines())]
    return lines


def _read_as(seen: SeenProgram) -> list[str]:
    """What the program was taken for."""
    if not seen.loss:
        return []
    lines = ["How the program was understood:"]
    items = [f"network: {seen.network}"] if seen.network else []
    own = " (assumed: the program computes none)" if seen.supposed else ", as the program computes it"
    own = ", as you named it" if seen.named else own
    where = f"; output and target are compared on line {seen.loss_line}" if seen.loss_line else ""
    items.append(f"loss: {seen.loss}{own}{where}")
    if seen.samples:
        items.append(f"each update uses {seen.samples} sample{'s' * (seen.samples != 1)}")
    if seen.rates:
        told = []
        for name, value in seen.rates.items():
            is_number = name.replace(".", "").replace("e-", "").isdigit()
            told.append(name if is_number else f"{name} = {value:.4g}")
        items.append(f"the updates are scaled by {in_words(told)}")
    items += seen.notes if seen.verdict != "cannot judge" else ()
    if seen.driven:
        with_made = "" if "with its own data" in seen.driven else " with made-up numbers"
        called = f"it was called{with_made}: {seen.driven}"
        items.append(f"the program trains nothing by itself, so {called}")
    return lines + [line for text in items for line in _wrapped(text, "  ", "    ")]


def _parameters(seen: SeenProgram) -> list[str]:
    if not seen.parameters:
        return []
    rows = []
    for name, line, shape, verdict in seen.parameters:
        size = " × ".join(map(str, shape)) or "one number"
        rows.append((_returned(name), size, f"line {line}", _OF_A_PARAMETER[verdict]))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    lines = ["Parameters, and the lines that change them:"]
    for row in rows:
        lines += _wrapped("  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3]]), "  ")
    return lines


def _unseen(seen: SeenProgram) -> list[str]:
    lines = [line for text in seen.unseen for line in _wrapped(_sentence(seen, text))]
    if seen.error and seen.verdict != "cannot judge" and not any(one.kind == "shape" for one in seen.faults):
        lines += _wrapped(f"The program ended with an error: {seen.error}")
    return lines


def _returned(name: str) -> str:
    """What was returned, in words: ``grads(…)[0]``, ``dW1 of grads(…)``, or what a layer sends back."""
    if not name or name.startswith("["):
        return f"the input{name}"
    name = re.sub(r"^(\w+)\['result (\d+)'\]", lambda at: f"{at.group(1)}(…)[{int(at.group(2)) - 1}]", name)
    name = re.sub(r"^(\w+)\['([A-Za-z_]\w*)'\](.*)$", r"\2\3 of \1(…)", name)
    return re.sub(r"^(\w+)(?=\[\d+\]\[)", r"\1(…)", name)
