"""A document as data for JSON: what programs read, and what the Typst template draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deltarule.documents.document import (
    Block,
    Document,
    Figure,
    Heading,
    Inline,
    Lines,
    Listing,
    Paragraph,
    TableBlock,
)
from deltarule.documents.drawing import Drawing, Gap, NeuronColumn, Node
from deltarule.formula.json import Data, DataEmitter, as_json_number, as_json_text


def document_data(document: Document) -> dict[str, Any]:
    """A document as dictionaries, lists, texts and numbers that JSON knows.

    A document has ``title``, ``digits``, ``paper`` and ``blocks``. Each block is a dictionary;
    ``block`` says which. F is a formula as :func:`deltarule.formula.json.data` has it, a part is a text or
    F::

        heading    level: 2 or 3; parts: [part, …]; text: the same without formulas
        paragraph  aside: whether it may be skipped; parts: [part, …]
        lines      lines: [line, …]; columns: so many beside each other
        table      header: [part, …]; rows: [[part, …], …]
        figure     caption: text; columns: [column, …]; edges: [edge, …]
        listing    lines: [text, …], of a program

        line       sides: [F, …]; relation: "=" or "←"; note: [part, …]; result: whether it was asked
                   for; verdict: of an answer, or ""
        column     name, activation: texts; nodes: [neuron or gap, …]; bias: neuron or null
        neuron     name: text; values: [[label, number as text], …]; tag
        gap        left_out: how many neurons
        edge       layer, source, target; name: text; weight: number; text: the number as text; tag; paths

    An edge leads from node ``source`` of column ``layer - 1`` to node ``target`` of column ``layer``. A tag
    is a colour, 0 to 7, or null. NaN and infinity are the texts "NaN", "Infinity" and "-Infinity".

    Examples
    --------
    >>> document_data(Document("One", (Paragraph(("two",)),)))["blocks"]
    [{'block': 'paragraph', 'aside': False, 'parts': ['two']}]
    """
    formula = DataEmitter(document.digits)
    return {
        "title": as_json_text(document.title),
        "digits": document.digits,
        "paper": document.paper,
        "blocks": [_block_data(block, formula) for block in document.blocks],
    }


def _block_data(block: Block, formula: DataEmitter) -> Data:
    match block:
        case Heading():
            parts, text = _parts_data(block.parts, formula), as_json_text("".join(map(str, block.parts)))
            return {"block": "heading", "level": block.level, "parts": parts, "text": text}
        case Paragraph():
            return {"block": "paragraph", "aside": block.aside, "parts": _parts_data(block.parts, formula)}
        case Lines():
            lines = [
                {
                    "sides": list(map(formula, line.sides)),
                    "relation": line.relation,
                    "note": _parts_data(line.note, formula),
                    "result": line.result,
                    "verdict": line.verdict,
                }
                for line in block.lines
            ]
            return {"block": "lines", "columns": block.columns, "lines": lines}
        case TableBlock():
            rows = [_parts_data(row, formula) for row in block.rows]
            return {"block": "table", "header": _parts_data(block.header, formula), "rows": rows}
        case Figure():
            return {"block": "figure", **_drawing_data(block.drawing)}
        case Listing():
            return {"block": "listing", "lines": [as_json_text(line) for line in block.text.splitlines()]}


def _parts_data(parts: Sequence[Inline], formula: Callable[..., Data]) -> list[str | Data]:
    return [as_json_text(part) if isinstance(part, str) else formula(part) for part in parts]


def _drawing_data(drawing: Drawing) -> Data:
    return {
        "caption": as_json_text(drawing.caption),
        "columns": [_column_data(column) for column in drawing.columns],
        "edges": [
            {
                **vars(edge),
                "name": as_json_text(edge.name),
                "weight": as_json_number(edge.weight),
                "paths": list(edge.paths),
            }
            for edge in drawing.edges
        ],
    }


def _column_data(column: NeuronColumn) -> Data:
    return {
        "name": as_json_text(column.name),
        "activation": as_json_text(column.activation),
        "nodes": [_node_data(item) for item in column.nodes],
        "bias": None if column.bias is None else _node_data(column.bias),
    }


def _node_data(item: Node | Gap) -> Data:
    if isinstance(item, Gap):
        return {"left_out": item.count}
    values = [[as_json_text(text) for text in pair] for pair in item.values]
    return {"name": as_json_text(item.name), "values": values, "tag": item.tag}
