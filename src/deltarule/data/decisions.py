"""What is decided about data that nobody said: one list of kinds, which reports, options and tests read.

Whoever decides something makes a `Decision`; its kind says how it is told, and which option overrules it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from shlex import quote
from typing import Any

from deltarule.errors import DataFileError, all_faults
from deltarule.registry import record


@record
class DecisionKind:
    """One thing that may be decided.

    Parameters
    ----------
    name : str
    told : str
        The sentence that tells it; words in braces differ from case to case, and of ``[one|many]`` the
        first is said where ``count`` is 1.
    option : str
        What to write on the command line to have it otherwise.
    fault : str
        Why ``--strict`` refuses instead; "" where a choice is made in any case.
    """

    name: str
    told: str
    option: str
    fault: str = ""


_KINDS = (
    DecisionKind("format", "read as {what}, which its bytes say it is", "--format text", "it is {what}"),
    DecisionKind("unpacked", "unpacked: {what}", "--format text", "it is {what}; unpack it"),
    DecisionKind(
        "encoding",
        "the text is taken as {encoding}",
        "--encoding NAME",
        "the text is not UTF-8 (byte {byte:#04x}); save it as UTF-8, or say --encoding {encoding}",
    ),
    DecisionKind("sheet", "of {count} tables {name!r} is read", "--table NAME", "there are {count} tables"),
    DecisionKind("delimiter", "columns are separated by {delimiter}", "--delimiter TEXT"),
    DecisionKind("quotes", "quotation marks are {quote}", "--quote TEXT", "quotation marks are {quote}"),
    DecisionKind(
        "lines",
        "{count} [line is no row and is|lines are no rows and are] passed over: {shown}",
        "--all-lines",
        "not a row of the table: {shown}",
    ),
    DecisionKind(
        "ragged",
        "{count} [row has|rows have] another number of cells and [is|are] left out: line {shown}",
        "--ragged fill",
        "{reason}",
    ),
    DecisionKind(
        "no-header",
        "the first line names no columns: they are called {first} … {last}",
        "--header",
        "the first line must name the columns, got {cell}; add a header, or say --no-header",
    ),
    DecisionKind(
        "commented-header",
        "the comment on line {line} names the columns",
        "--no-header",
        "the first line must name the columns, but is a comment",
    ),
    DecisionKind("column-name", "column {number} {why}: it is called {name!r}", "--drop {name}", "{fault}"),
    DecisionKind(
        "name-matched",
        "column {found!r} is taken for {name!r}",
        "--strict",
        "there is no column {name!r}; did you mean {found!r}?",
    ),
    DecisionKind(
        "clothes",
        "{column!r} is read as numbers: {cell!r} is {value:g}",
        "--kind {column}=text",
        "expected a number, got {cell!r}",
    ),
    DecisionKind(
        "yes-no",
        "{column!r} is read as numbers: {yes!r} is 1, {no!r} is 0",
        "--kind {column}=text",
        "{yes!r} and {no!r} are texts; say --kind {column}=yes-no",
    ),
    DecisionKind(
        "dates",
        "{column!r} holds dates and times, {cell!r} is {meaning}: they become {parts}",
        "--kind {column}={other}",
        "dates and times such as {cell!r} are not taken; derive numbers from it (the year, the hour, days"
        " since), drop it, or say --kind {column}={form}",
    ),
    DecisionKind(
        "stray",
        "{count} [cell of {column!r} is no number and counts|cells of {column!r} are no numbers and count]"
        " as missing: {shown}",
        "--kind {column}=text",
        "expected a number, as most cells of column {column!r} are, got {cell!r}",
    ),
    DecisionKind(
        "sentinel",
        "{count} [cell of {column!r} is|cells of {column!r} are] {cell}, far from all others: [it counts|they"
        " count] as missing, and {column}.missing says where",
        "--kind {column}=number",
        "{cell} seems to stand for missing cells; say --kind {column}=number, or empty the cells",
    ),
    DecisionKind(
        "sentinel-target",
        "{count} [cell of the target {column!r} is|cells of the target {column!r} are] {cell}, far from all"
        " others: [it counts|they count] as missing",
        "--kind {column}=number",
        "{cell} seems to stand for missing cells; say --kind {column}=number, or empty the cells",
    ),
    DecisionKind(
        "infinite",
        "{count} [cell of {column!r} is|cells of {column!r} are] not finite and count[s|] as missing:"
        " {shown}",
        "--kind {column}=text",
        "expected a finite number, got {cell}",
    ),
    DecisionKind(
        "mixed",
        "{column!r} is taken as text: {count} of its {rows} cells are no numbers, such as {cell!r}",
        "--kind {column}=number",
        "expected a number, as most cells of column {column!r} are, got {cell!r}",
    ),
    DecisionKind(
        "empty",
        "{column!r} is left out: its cells are all missing",
        "--drop {column}",
        "all its cells are missing; drop it",
    ),
    DecisionKind("constant", "{column!r} is left out: all its cells are {cell}", "--keep {column}"),
    DecisionKind(
        "counter",
        "{column!r} is left out: it counts the rows",
        "--keep {column}",
        "it counts the rows; drop it",
    ),
    DecisionKind(
        "identifier",
        "{column!r} is left out: it names rows, with {different} different values in {count} rows",
        "--keep {column}",
        "{different} different values in {count} rows look like names; drop it",
    ),
    DecisionKind(
        "free-text",
        "{column!r} is left out: {different} different texts in {count} rows are free text",
        "--keep {column}",
        "{different} different texts in {count} rows look like free text; drop it",
    ),
    DecisionKind("target", "the target is {target!r}, {why}", "--target NAME"),
    DecisionKind("task", "{target!r} is taken as {task}: {why}", "--task {other}"),
    DecisionKind(
        "tells-all",
        "{column!r} alone tells {target!r}, in every row: leave it out if it is the answer in other words",
        "--drop {column}",
    ),
    DecisionKind(
        "no-target",
        "{count} [row|rows] without a target [is|are] left out",
        "--missing refuse",
        "the target is missing in this row",
    ),
    DecisionKind(
        "missing-rows", "{count} [row|rows] with missing cells [is|are] left out", "--missing median"
    ),
    DecisionKind(
        "missing",
        "{count} missing [cell of {column!r} is|cells of {column!r} are] filled with {fill}",
        "--missing drop",
        "the cell is missing; fill it, or choose an imputation (--missing median)",
    ),
    DecisionKind(
        "rare",
        "{count} rare [category|categories] of {column!r} (in {rows} rows) [is|are] pooled as other: {shown}",
        "--rare 1",
    ),
    DecisionKind(
        "unseen",
        "{count} [cell of {column!r} holds|cells of {column!r} hold] what the model never met: {shown};"
        " [it counts|they count] as {counted}",
        "--strict",
        "unknown category {cell!r}{hint}",
    ),
    DecisionKind(
        "new-label",
        "{count} [row has a label|rows have labels] that the model does not know, and count[s|] as wrong:"
        " {shown} ({place})",
        "--strict",
        "unknown label {cell!r}{hint}",
    ),
)

_OF_PICTURES = (
    DecisionKind(
        "litter", "{count} [file|files] of systems and tools [is|are] passed over: {shown}", "--strict"
    ),
    DecisionKind(
        "strays",
        "{count} [file is no picture and is|files are no pictures and are] passed over: {shown}",
        "--strict",
        "no pictures: {every}",
    ),
    DecisionKind(
        "beside",
        "{count} [picture|pictures] beside the folders of classes [is|are] passed over: {shown}",
        "--strict",
        "{count} [picture has|pictures have] no folder of a class: {shown}",
    ),
    DecisionKind(
        "labels-file",
        "column {column!r} of {file} names the classes of {count} of {total} pictures",
        "--strict",
        "there are no folders of classes, but column {column!r} of {file} names them",
    ),
    DecisionKind(
        "names-tell",
        "the names of the pictures begin or end with their {count} classes: {shown}",
        "--strict",
        "there are no folders of classes, but the names of the pictures tell {count}: {shown}",
    ),
    DecisionKind(
        "nested",
        "the classes are looked for in {folder}",
        "--strict",
        "the folders of classes are in {folder}; name that folder",
    ),
    DecisionKind(
        "part",
        "{folder} is taken as the {part} part",
        "--strict",
        "{folder} is neither train, val nor test; call it {part}",
    ),
    DecisionKind(
        "validation",
        "{count} [picture|pictures] of {folder} [is|are] held out to stop early",
        "--validation SHARE",
    ),
    DecisionKind(
        "unlabelled",
        "{count} [picture|pictures] of {folder} [has|have] no classes and [is|are] not used:"
        " deltarule predict MODEL {where} answers [it|them]",
        "--strict",
        "{folder} has no folders of classes",
    ),
    DecisionKind(
        "empty-class",
        "{count} [class without pictures is|classes without pictures are] left out: {shown}",
        "--strict",
        "there are no images in the folder of this class: {shown}",
    ),
    DecisionKind(
        "deeper",
        "folders within {count} [class|classes] count as that class: {shown}",
        "--strict",
        "there are folders within the folder of a class: {shown}",
    ),
    DecisionKind(
        "class-matched",
        "class {found!r} is taken for {name!r}",
        "--strict",
        "there is no class {found!r}; did you mean {name!r}?",
    ),
    DecisionKind(
        "new-class",
        "{count} [picture|pictures] to stop early by [has a class|have classes] that the training part lacks,"
        " and [is|are] left out: {shown}",
        "--strict",
        "unknown label {cell!r}{hint}",
    ),
    DecisionKind(
        "unreadable",
        "{count} [picture|pictures] cannot be read and [is|are] left out: {shown} ({reason})",
        "--strict",
        "cannot be read: {every}",
    ),
    DecisionKind(
        "animated",
        "of {count} animated [picture|pictures] the first frame is taken: {shown}",
        "--strict",
        "animated: {every}",
    ),
    DecisionKind(
        "turned",
        "{count} [picture is|pictures are] turned upright, as the camera noted: {shown}",
        "--strict",
        "to be turned, as the camera noted: {every}",
    ),
    DecisionKind(
        "deep",
        "of {count} [picture|pictures] of 16 bits the upper 8 are taken: {shown}",
        "--strict",
        "expected 8-bit values, got 16 bits; convert first: {every}",
    ),
    DecisionKind(
        "size",
        "all pictures are made {made}: {count} of {total} [has another size|have other sizes], such as"
        " {other}",
        "--size WxH",
        "{count} of {total} pictures [has another size|have other sizes] than {made}, such as {other}:"
        " {shown}",
    ),
    DecisionKind(
        "resized",
        "{count} of {total} pictures [is|are] made {made}: {shown}",
        "--strict",
        "{count} of {total} pictures [has another size|have other sizes] than {made}: {shown}",
    ),
    DecisionKind(
        "paper",
        "{count} [picture has|pictures have] transparency: what is drawn is {drawn}, so {paper} is put"
        " behind",
        "--paper black|white",
        "{count} [picture has|pictures have] transparency; say --paper {paper}",
    ),
    DecisionKind(
        "color",
        "colour is used: alone it tells {share} % of the pictures' classes (by chance {chance} %)",
        "--grey",
    ),
    DecisionKind("grey", "pictures are taken as grey: colour alone does not tell their classes", "--color"),
)

#: All that may be decided about pictures, by name.
PICTURE_DECISIONS = {kind.name: kind for kind in _OF_PICTURES}

#: All that may be decided, by name.
DECISIONS = {kind.name: kind for kind in _KINDS} | PICTURE_DECISIONS


@record
class Decision:
    """Something that was decided: of which kind, about what, and where in the file.

    Examples
    --------
    >>> decision = decide("constant", column="site", cell="'north'")
    >>> decision.text
    "'site' is left out: all its cells are 'north'"
    >>> decision.option
    '--keep site'
    """

    kind: str
    words: tuple[tuple[str, Any], ...]
    line: int | None = None
    field: int | None = None

    def _say(self, template: str) -> str:
        words = dict(self.words)
        template = re.sub(r"\[(.*?)\|(.*?)\]", r"\1" if words.get("count") == 1 else r"\2", template)
        return template.format(**words)

    @property
    def text(self) -> str:
        """What was decided."""
        return self._say(DECISIONS[self.kind].told)

    @property
    def option(self) -> str:
        """What to write on the command line to have it otherwise."""
        words = tuple((name, quote(word) if isinstance(word, str) else word) for name, word in self.words)
        return replace(self, words=words)._say(DECISIONS[self.kind].option)

    @property
    def fault(self) -> str:
        """Why it is refused where nothing shall be decided."""
        return self._say(DECISIONS[self.kind].fault)

    def to_dict(self) -> dict[str, Any]:
        """Kind, text, option and place, for JSON."""
        place = {"line": self.line, "field": self.field} if self.line else {}
        words = {name: value for name, value in self.words if name in ("column", "count", "rows")}
        return {"kind": self.kind, "text": self.text, "option": self.option, **words, **place}


def decide(kind: str, line: int | None = None, field: int | None = None, /, **words: Any) -> Decision:
    """Make the record of a decision; words are those its sentences need."""
    return Decision(kind, tuple(words.items()), line, field)


def shown(texts: Iterable[object], most: int = 3) -> str:
    """List a few texts as sentences quote them.

    Examples
    --------
    >>> shown(["a", "b", "c", "d"])
    "'a', 'b', 'c', …"
    """
    listed = [repr(text if len(str(text)) <= 40 else f"{str(text)[:39]}…") for text in texts]
    return ", ".join(listed[:most] + ["…"] * (len(listed) > most))


def refuse(path: str | os.PathLike[str], decisions: Iterable[Decision]) -> None:
    """Refuse what would have been decided, all of it at once, each with its place.

    Raises
    ------
    DataFileError
        If there is any decision that is not a choice made in any case.
    """
    places = set()  # one fault of each cell
    faults = []
    for decision in decisions:
        place = (decision.line, decision.field, dict(decision.words).get("column"))
        if DECISIONS[decision.kind].fault and place not in places:
            faults.append(DataFileError(path, _about(decision), decision.line, decision.field))
            places |= {place} - {(None, None, None)}
    if faults:
        raise all_faults(faults)


def _about(decision: Decision) -> str:
    column = dict(decision.words).get("column")
    if column is None or f"column {column!r}" in decision.fault:
        return decision.fault
    return f"column {column!r}: {decision.fault}"
