"""The colours and rules of a drawing in SVG: light and dark, on screen and on paper.

Eight classes ``t0`` … ``t7`` colour what belongs to one factor of a formula. Their colours are the custom
properties ``--t0`` … ``--t7`` (:data:`TAG_COLOURS`, on a dark ground :data:`TAG_COLOURS_DARK`), so that
a page's formulas can use the same classes and the same colours. They are the palette of Okabe and Ito,
which colour-blind people can tell apart, darkened to a contrast of 4.5 : 1 and more on white.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from deltarule.documents.asset_files import asset

#: The colours ``--t0`` … ``--t7`` on white.
TAG_COLOURS = ("#0068a8", "#b84a00", "#007a5a", "#a23f7a", "#736300", "#137d96", "#7a4a1d", "#4a4a4a")
#: The same on a dark ground.
TAG_COLOURS_DARK = ("#56b4e9", "#f28c3b", "#2cc79a", "#e08abd", "#f0e442", "#8fd9ee", "#d9a875", "#c8c8c8")

_LIGHT = "--paper:#ffffff;--fill:#f4f6f8;--ink:#1f2328;--soft:#59636e;--line:#a4adb7;"
_DARK = "--paper:#16181d;--fill:#22262d;--ink:#e6e9ed;--soft:#9aa4b0;--line:#5b6572;"
#: Of edges with positive and with negative weights.
_SIGNS, _SIGNS_DARK = "--pos:#2166ac;--neg:#d6600a;", "--pos:#6cb0f0;--neg:#f0984d;"


@cache
def svg_style(dark: bool) -> str:
    """The ``<style>`` element of a drawing; ``dark`` adds colours for readers whose ground is dark."""
    light = _LIGHT + _SIGNS + tag_properties(TAG_COLOURS)
    others = _DARK + _SIGNS_DARK + tag_properties(TAG_COLOURS_DARK)
    tags = "".join(f"& .t{tag}{{--tag:var(--t{tag})}}" for tag in range(len(TAG_COLOURS)))
    on_dark = f"@media screen and (prefers-color-scheme:dark){{&{{{others}}}}}"
    rules = "".join(joined_rules(asset("drawing.css").decode()))
    whole = f"&{{{light}}}{on_dark * dark}{rules}{tags}"
    return f"<style>{whole.replace('&', '.deltarule-net')}</style>"


def tag_properties(colours: Sequence[str]) -> str:
    """The custom properties ``--t0`` … ``--t7``."""
    return "".join(f"--t{tag}:{colour};" for tag, colour in enumerate(colours))


def joined_rules(css: str) -> list[str]:
    """The rules of a style sheet without line breaks, in parts that begin with a comment each."""
    _, *parts = re.split(r"/\*.*\*/", css)
    return ["".join(map(str.strip, part.splitlines())) for part in parts]
