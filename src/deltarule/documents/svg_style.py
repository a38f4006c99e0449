"""The colours and rules of a drawing in SVG: light and dark, on screen and on paper.

Eight classes ``t0`` … ``t7`` colour what belongs to one factor of a formula. Their colours are the custom
properties ``--t0`` … ``--t7`` (:data:`TAG_COLOURS`, on a dark ground :data:`TAG_COLOURS_DARK`), so that
a page's formulas can use the same classes and the same colours. They are the palette of Okabe and Ito,
which colour-blind people can tell apart, darkened to a contrast of 4.5 : 1 and more on white.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["TAG_COLOURS", "TAG_COLOURS_DARK", "svg_style"]

#: The colours ``--t0`` … ``--t7`` on white.
TAG_COLOURS = ("#0068a8", "#b84a00", "#007a5a", "#a23f7a", "#736300", "#137d96", "#7a4a1d", "#4a4a4a")
#: The same on a dark ground.
TAG_COLOURS_DARK = ("#56b4e9", "#f28c3b", "#2cc79a", "#e08abd", "#f0e442", "#8fd9ee", "#d9a875", "#c8c8c8")


def _colours(scheme: dict[str, str], tags: Sequence[str]) -> str:
    tagged = {f"t{tag}": colour for tag, colour in enumerate(tags)}
    return "".join(f"--{name}:{colour};" for name, colour in {**scheme, **tagged}.items())


_LIGHT = _colours(
    {
        "paper": "#ffffff",
        "fill": "#f4f6f8",
        "ink": "#1f2328",
        "soft": "#59636e",
        "line": "#a4adb7",
        "pos": "#2166ac",
        "neg": "#d6600a",
    },
    TAG_COLOURS,
)
_DARK = _colours(
    {
        "paper": "#16181d",
        "fill": "#22262d",
        "ink": "#e6e9ed",
        "soft": "#9aa4b0",
        "line": "#5b6572",
        "pos": "#6cb0f0",
        "neg": "#f0984d",
    },
    TAG_COLOURS_DARK,
)
_RULES = """
& {background:var(--paper);max-width:100%;height:auto;direction:ltr;font-size:13px;
  font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif}
& text {fill:var(--ink)}
& .label,& .soft {fill:var(--soft)}
& .halo {stroke:var(--paper);stroke-width:8px;stroke-linejoin:round;paint-order:stroke}
& .number {font-variant-numeric:tabular-nums}
& .middle {text-anchor:middle}
& .end {text-anchor:end}
& .head {font-weight:600}
& .name {font-weight:600}
& .dots {font-size:22px}
& .node circle {fill:var(--fill);stroke:var(--tag,var(--ink));stroke-width:1.5px}
& .edge line {stroke:var(--tag,var(--line));stroke-width:1.3px;stroke-linecap:round}
& .edge .name {fill:var(--tag,var(--ink))}
& .sized line {stroke-width:inherit}
& .pos line {stroke:var(--tag,var(--pos))}
& .neg line {stroke:var(--tag,var(--neg));stroke-dasharray:7 4}
& .bias rect {fill:var(--paper);stroke:var(--tag,var(--line))}
& .bias .name {fill:var(--tag,var(--ink))}
& .card {fill:var(--paper);fill-opacity:.85}
& .tagged circle {stroke-width:3.5px}
& .tagged line {stroke-width:3px}
& .tagged rect {stroke-width:2.5px}
& .tagged .name {fill:var(--tag)}
"""


def svg_style() -> str:
    """The ``<style>`` element."""
    rules = "".join(line.strip() for line in _RULES.splitlines()).replace("&", ".deltarule-net")
    tags = "".join(f".deltarule-net .t{tag}{{--tag:var(--t{tag})}}" for tag in range(len(TAG_COLOURS)))
    dark = f"@media screen and (prefers-color-scheme:dark){{.deltarule-net{{{_DARK}}}}}"
    return f"<style>.deltarule-net{{{_LIGHT}}}{dark}{rules}{tags}</style>"
