"""All that may be decided about data, one record for each kind: the sentence, the option, the fault."""

from __future__ import annotations

from deltarule.registry import record


@record
class DecisionKind:
    """One thing that may be decided.

    Parameters
    ----------
    name : str
    told : str
        The sentence that tells it; words in braces differ from case to case, and of ``[one|many]`` the
        first is said where ``count`` is 1, of ``[one|many@rows]`` where ``rows`` is.
    option : str
        What to write on the command line to change it.
    fault : str
        Why ``--strict`` refuses instead; "" where a choice is made in any case.
    """

    name: str
    told: str
    option: str
    fault: str = ""


_KINDS = (
    DecisionKind("format", "read as {what}, as its contents show", "--format text", "it is {what}"),
    DecisionKind("unpacked", "unpacked: {what}", "--format text", "it is {what}; unpack it"),
    DecisionKind(
        "encoding",
        "the text is read as {encoding}",
        "--encoding NAME",
        "the text is not UTF-8 (byte {byte:#04x}); save it as UTF-8, or use --encoding {encoding}",
    ),
    DecisionKind(
        "sheet", "table {name!r} is used, one of {count}", "--table NAME", "there are {count} tables"
    ),
    DecisionKind("delimiter", "columns are separated by {delimiter}", "--delimiter TEXT"),
    DecisionKind("quotes", "quotation marks are {quote}", "--quote TEXT", "quotation marks are {quote}"),
    DecisionKind(
        "lines",
        "{count} [line is not a row of the table and is|lines are not rows of the table and are] "
        "skipped: {shown}",
        "--all-lines",
        "this is not a row of the table: {shown}",
    ),
    DecisionKind(
        "ragged",
        "{count} [row has|rows have] a different number of cells and [is|are] left out: line {shown}",
        "--ragged fill",
        "{reason}",
    ),
    DecisionKind(
        "lacking",
        "{count} [file does|files do] not have column {column!r}, whose cells count as missing there: "
        "{shown}",
        "--drop {column}",
    ),
    DecisionKind(
        "no-header",
        "the first line does not name the columns, so they are called {first} … {last}",
        "--header",
        "the first line must name the columns, got {cell}; add a header, or use --no-header",
    ),
    DecisionKind(
        "commented-header",
        "line {line}, above the table, names the columns",
        "--no-header",
        "the first line must name the columns, but line {line} above the table does",
    ),
    DecisionKind(
        "column-name", "column {number} {why}, so it is called {name!r}", "--drop {name}", "{fault}"
    ),
    DecisionKind(
        "name-matched",
        "column {found!r} is used as {name!r}",
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
        "{yes!r} and {no!r} are texts; use --kind {column}=yes-no",
    ),
    DecisionKind(
        "dates",
        "{column!r} holds dates or times ({cell!r} is {meaning}), which become {parts}",
        "--kind {column}={other}",
        "dates and times such as {cell!r} are not accepted; derive numbers from them (the year, the "
        "hour, the days since a date), drop the column, or use --kind {column}={form}",
    ),
    DecisionKind(
        "lists",
        "{column!r} holds {count} numbers in each cell, which become {first} … {last}",
        "--kind {column}=text",
        "expected one number in each cell, got {cell!r}",
    ),
    DecisionKind(
        "stray",
        "{count} [cell|cells] of {column!r} [is not a number and counts|are not numbers and count] as "
        "missing: {shown}",
        "--kind {column}=text",
        "expected a number, as most cells of column {column!r} are, got {cell!r}",
    ),
    DecisionKind(
        "sentinel",
        "{count} [cell of {column!r} is|cells of {column!r} are] {cell}, far from all others: [it counts|they"
        " count] as missing, and the column {column}.missing marks [it|them]",
        "--kind {column}=number",
        "{cell} seems to stand for missing cells; use --kind {column}=number, or empty the cells",
    ),
    DecisionKind(
        "sentinel-target",
        "{count} [cell of the target {column!r} is|cells of the target {column!r} are] {cell}, far from all"
        " others: [it counts|they count] as missing",
        "--kind {column}=number",
        "{cell} seems to stand for missing cells; use --kind {column}=number, or empty the cells",
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
        "{column!r} is read as text: {count} of its {rows} cells are not numbers, such as {cell!r}",
        "--kind {column}=number",
        "expected a number, as most cells of column {column!r} are, got {cell!r}",
    ),
    DecisionKind(
        "none-class",
        "{cell!r} ({count} [cell|cells]) is a class of the target {column!r}, not a missing cell",
        "--kind {column}='text without none'",
        "{cell!r} may be a class, or a missing cell",
    ),
    DecisionKind(
        "empty",
        "{column!r} is left out: all its cells are missing",
        "--drop {column}",
        "all its cells are missing; drop it",
    ),
    DecisionKind("constant", "{column!r} is left out: all its cells are {cell}", "--keep {column}"),
    DecisionKind(
        "counter",
        "{column!r} is left out: it only numbers the rows",
        "--keep {column}",
        "it only numbers the rows; drop it",
    ),
    DecisionKind(
        "identifier",
        "{column!r} is left out: it names the rows ({different} different values in {count} rows)",
        "--keep {column}",
        "{different} different values in {count} rows look like names; drop it",
    ),
    DecisionKind(
        "free-text",
        "{column!r} is left out: it is free text ({different} different texts in {count} rows)",
        "--keep {column}",
        "{different} different texts in {count} rows look like free text; drop it",
    ),
    DecisionKind("target", "the target is {target!r}, {why}", "--target NAME"),
    DecisionKind("task", "{target!r} is treated as {task}: {why}", "--task {other}"),
    DecisionKind(
        "tells-all",
        "{column!r} alone determines {target!r} in every row: leave it out if it is the answer in "
        "other words",
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
        "{count} rare [category|categories] of {column!r} (in {rows} [row|rows@rows]) [is|are] grouped as "
        "'other': {shown}",
        "--rare 1",
    ),
    DecisionKind(
        "unseen",
        "{count} [cell of {column!r} holds a value|cells of {column!r} hold values] that the model "
        "has never seen: {shown}; [it counts|they count] as {counted}",
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
    DecisionKind("litter", "{count} system [file is|files are] skipped: {shown}", "--strict"),
    DecisionKind(
        "strays",
        "{count} [file is not a picture and is|files are not pictures and are] skipped: {shown}",
        "--strict",
        "these files are not pictures: {every}",
    ),
    DecisionKind(
        "beside",
        "{count} [picture|pictures] outside the class folders [is|are] skipped: {shown}",
        "--strict",
        "{count} [picture is|pictures are] not in a class folder: {shown}",
    ),
    DecisionKind(
        "labels-file",
        "column {column!r} of {file} gives the classes of {count} of {total} pictures",
        "--target COLUMN",
        "there are no class folders, but column {column!r} of {file} gives the classes",
    ),
    DecisionKind(
        "masks",
        "{count} [picture marks|pictures mark] where something is in other pictures, and [is|are] "
        "skipped: {shown}",
        "--strict",
        "these mark where something is in other pictures: {shown}",
    ),
    DecisionKind(
        "pieces",
        "{count} folders are pieces of one set, not classes: {shown}",
        "--strict",
        "expected class folders, but these are pieces of one set: {shown}",
    ),
    DecisionKind(
        "names-tell",
        "the pictures' names begin or end with their class, one of {count}: {shown}",
        "--strict",
        "there are no class folders, but the pictures' names contain {count} classes: {shown}",
    ),
    DecisionKind(
        "nested",
        "the class folders are found in {folder}",
        "--strict",
        "the class folders are in {folder}; name that folder",
    ),
    DecisionKind(
        "part",
        "{folder} is used as the {part} part",
        "--strict",
        "{folder} is neither train, val nor test; call it {part}",
    ),
    DecisionKind(
        "validation",
        "{count} [picture|pictures] of {folder} [is|are] held out for early stopping",
        "--validation SHARE",
    ),
    DecisionKind(
        "unlabelled",
        "{count} [picture|pictures] of {folder} [has no class and is|have no classes and are] not "
        "used: deltarule predict MODEL {where} classifies [it|them]",
        "--strict",
        "{folder} has no class folders",
    ),
    DecisionKind(
        "empty-class",
        "{count} [class has no pictures and is|classes have no pictures and are] left out: {shown}",
        "--strict",
        "the folder of this class contains no pictures: {shown}",
    ),
    DecisionKind(
        "deeper",
        "in {count} [class|classes], pictures in subfolders count as that class: {shown}",
        "--strict",
        "the folder of a class contains subfolders: {shown}",
    ),
    DecisionKind(
        "class-matched",
        "class {found!r} is used as {name!r}",
        "--strict",
        "there is no class {found!r}; did you mean {name!r}?",
    ),
    DecisionKind(
        "new-class",
        "{count} [picture|pictures] for early stopping [has a class|have classes] that the training "
        "part does not have, and [is|are] left out: {shown}",
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
        "the first frame of {count} animated [picture|pictures] is used: {shown}",
        "--strict",
        "animated: {every}",
    ),
    DecisionKind(
        "turned",
        "{count} [picture is|pictures are] rotated upright, as the camera recorded: {shown}",
        "--strict",
        "need rotating, as the camera recorded: {every}",
    ),
    DecisionKind(
        "deep",
        "only the upper 8 of 16 bits are used, in {count} [picture|pictures]: {shown}",
        "--strict",
        "expected 8-bit values, got 16 bits; convert first: {every}",
    ),
    DecisionKind(
        "size",
        "all pictures are resized to {made}: {count} of {total} [has a different size|have different sizes], "
        "such as {other}",
        "--size WxH",
        "{count} of {total} pictures [has a different size|have different sizes] than {made}, such as "
        "{other}: {shown}",
    ),
    DecisionKind(
        "resized",
        "{count} of {total} pictures [is|are] resized to {made}: {shown}",
        "--strict",
        "{count} of {total} pictures [has a different size|have different sizes] than {made}: {shown}",
    ),
    DecisionKind(
        "paper",
        "{count} [picture has|pictures have] transparency: the drawing is {drawn}, so the background "
        "is made {paper}",
        "--paper black|white",
        "{count} [picture has|pictures have] transparency; use --paper {paper}",
    ),
    DecisionKind(
        "color",
        "colour is used: it alone predicts {share} % of the pictures' classes (chance: {chance} %)",
        "--grey",
    ),
    DecisionKind(
        "grey", "pictures are converted to grey: colour alone does not predict their classes", "--color"
    ),
)

#: All that may be decided about pictures, by name.
PICTURE_DECISIONS = {kind.name: kind for kind in _OF_PICTURES}

#: All that may be decided, by name.
DECISIONS = {kind.name: kind for kind in _KINDS} | PICTURE_DECISIONS
