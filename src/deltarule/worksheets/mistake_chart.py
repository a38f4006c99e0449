"""A picture of a class: which mistake was made how often."""

from __future__ import annotations

import os
from collections.abc import Mapping

from deltarule.plotting import BLUE, GREY, figure, save_figure
from deltarule.worksheets.wrong_formulas import KINDS


def plot_mistakes(path: str | os.PathLike[str], mistakes: Mapping[str, int], title: str) -> None:
    """Draw a bar for each mistake, the most frequent on top; grey where the numbers show no single mistake.

    Raises MissingExtraError if matplotlib is not installed; InputError if the picture cannot be written.
    """
    made, (panel,) = figure(1, title)
    made.set_size_inches(8, 1.6 + 0.32 * max(2, len(mistakes)))
    known = set(KINDS.values())
    names, counts = list(mistakes), list(mistakes.values())
    bars = panel.barh(range(len(names)), counts, color=[BLUE if name in known else GREY for name in names])
    panel.bar_label(bars, padding=3)
    panel.set_yticks(range(len(names)), names)
    panel.invert_yaxis()
    panel.margins(x=0.1)
    panel.set_xlabel("wrong answers")
    panel.xaxis.get_major_locator().set_params(integer=True)
    if not names:
        panel.text(0.5, 0.5, "no wrong answer", ha="center", transform=panel.transAxes)
    save_figure(made, path)
