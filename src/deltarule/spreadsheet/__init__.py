"""A network as a workbook of live formulas: forward, loss, backward, update, and a whole training run.

Every formula is the tree that ``explain`` prints (:class:`~deltarule.derivations.definitions.Definitions`),
with a cell for each quantity in it. The numbers stored beside the formulas are those that training computes.

Reading order: finite_formulas, step_model (what is worked out); cell_names, network_rows, network_layout,
training_layout (what stands where); workbook_writer (cells and their looks); network_sheet, training_sheet,
read_me (these write the sheets); workbook.
"""

from __future__ import annotations

from deltarule.spreadsheet.workbook import example_spreadsheet, spreadsheet

__all__ = ["example_spreadsheet", "spreadsheet"]
