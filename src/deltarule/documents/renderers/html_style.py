"""The rules of a document's HTML: light and dark, wide and narrow, on paper."""

from __future__ import annotations

from deltarule.documents.svg_style import TAG_COLOURS, TAG_COLOURS_DARK

__all__ = ["PAGE_STYLE", "ROOMS", "html_style"]

#: Lines that are no wider, in em, have their sides below each other where the page has this room.
ROOMS = (26, 40, 54)


def html_style() -> str:
    """The rules, each below the class of a document: & stands for it."""
    light = _LIGHT + "".join(f"--t{tag}:{colour};" for tag, colour in enumerate(TAG_COLOURS))
    dark = _DARK + "".join(f"--t{tag}:{colour};" for tag, colour in enumerate(TAG_COLOURS_DARK))
    schemes = f"&{{{light}}}{_ON_DARK}{{&{{{dark}}}}}"
    tags = "".join(map(_tag_rules, range(len(TAG_COLOURS))))
    rooms = "".join(_ROOM.replace("#", str(room)) for room in ROOMS)
    rules = f"{schemes}{_RULES}{tags}{rooms}{_NARROW}{_PRINT}"
    return "".join(line.strip() for line in rules.splitlines()).replace("&", ".deltarule")


def _tag_rules(tag: int) -> str:
    return (_TAG + _CUE.replace("CUE", _CUES[tag % len(_CUES)])).replace("#", str(tag))


_LIGHT = "--paper:#fff;--ink:#1f2328;--soft:#59636e;--line:#d5dae0;--fill:#f4f6f8;"
_DARK = "--paper:#16181d;--ink:#e6e9ed;--soft:#9aa4b0;--line:#3a414b;--fill:#22262d;"
_ON_DARK = "@media screen and (prefers-color-scheme:dark)"
#: The rules of a page that holds nothing but a document.
PAGE_STYLE = f"body{{margin:0;background:#fff}}{_ON_DARK}{{body{{background:#16181d}}}}"

_RULES = """
& {background:var(--paper);color:var(--ink);font:1.0625rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,
  "Noto Sans","Liberation Sans",Arial,sans-serif;container-type:inline-size;box-sizing:border-box;
  max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 4rem;text-align:left;
  overflow-wrap:break-word;color-scheme:light dark}
div& {padding:1rem 1.25rem;margin:0}
& h1,& h2,& h3,& h4 {font-weight:600;line-height:1.3;color:inherit;text-wrap:balance;break-after:avoid}
& h1 {font-size:1.75em;margin:0 0 1.2em}
& h2 {font-size:1.35em;margin:2.4em 0 .7em;padding-bottom:.3em;border-bottom:1px solid var(--line)}
& h3 {font-size:1.1em;margin:2em 0 .6em}
& h4 {font-size:1em;margin:1.6em 0 .5em}
& p {max-width:44rem;margin:.9em 0}
& p.aside {color:var(--soft);font-size:.9em;padding-left:1em;border-left:2px solid var(--line)}
& math {font-family:"deltarule-math",math;font-size:1.12em;font-style:normal;font-weight:400;text-indent:0;
  line-height:1.2;white-space:nowrap}
& .scroll {max-width:100%;overflow:auto hidden;padding-bottom:.1em}
& span.scroll {display:inline-block;vertical-align:bottom}

& .lines {display:grid;grid-template-columns:max-content minmax(0,1fr);row-gap:.5em;margin:1em 0;
  padding:.25em 0;overflow:auto hidden}
& .line {display:grid;grid-template-columns:subgrid;grid-column:1/-1;align-items:baseline}
& .left {text-align:right;padding-left:.6em}
& .sides {display:flex;flex-wrap:wrap;align-items:baseline;row-gap:.15em;min-width:0;padding-right:.6em}
& .side {max-width:100%;padding-left:1.7em;text-indent:-1.7em;line-height:1.3;box-sizing:border-box}
& .side math,& .left math,& h2 math,& h3 math {margin:.22em 0}
& .note math {math-style:normal}
& .kept {white-space:nowrap}
& .wide mtable {font-size:.92em}
& .widest mtable {font-size:.76em}
& .note {color:var(--soft);font-size:.875em;line-height:1.45;padding-left:2.2em;max-width:36em}
& .result {background:var(--fill);border-left:3px solid var(--ink);border-radius:3px;padding:.5em 0}

& mrow.box {border:1.5px solid currentColor;border-radius:4px;padding:.22em .4em;background:var(--paper)}
& mtd {padding:.18em .38em}
& mtable.matrix mtd {text-align:-webkit-right;text-align:-moz-right;justify-items:end}
& mtable.cases,& mtable.stack {math-style:normal}
& mtable.cases mtd,& mtable.stack mtd {text-align:-webkit-left;text-align:-moz-left;justify-items:start}
& mtable.cases mtd:first-child {padding-right:1.2em}
& mtd:first-child {padding-left:.15em}
& mtd:last-child {padding-right:.15em}
& mrow.aside {color:var(--soft);font-size:.85em}
& munder>mo {outline:99em solid transparent}
& msub>:nth-child(n+2),& msup>:nth-child(n+2),& msubsup>:nth-child(n+2),& munder>:nth-child(n+2):not(mo) {
  font-feature-settings:"ssty" 1}

& table {border-collapse:collapse;margin:1.3em 0;font-variant-numeric:tabular-nums;line-height:1.4}
& thead th {border-bottom:1.5px solid var(--ink);font-weight:600;vertical-align:bottom}
& tbody tr {border-bottom:1px solid var(--line)}
& tbody th {font-weight:400}
& th,& td {padding:.4em 1.1em .4em .2em;text-align:right}
& th:first-child {text-align:left}
& figure {margin:2em 0}
& figcaption {color:var(--soft);font-size:.9em;margin-top:.5em;max-width:44rem}
& figure svg {display:block;margin:0 auto;max-width:max(100%,30rem)}
& figure.wide svg {max-width:none}
"""

_TAG = """
& mrow.t# {color:var(--t#)}
& section:has(.t#:hover) mrow.t#,&:has(figure .t#:hover) mrow.t# {border-radius:2px;
  --glow:color-mix(in srgb,currentColor 18%,transparent);background:var(--glow);
  box-shadow:0 0 0 3px var(--glow)}
&:has(.t#:hover) figure .t# {filter:drop-shadow(0 0 4px var(--t#))}
"""

_ROOM = """
@container (min-width:#em) {
& .room# {grid-template-columns:repeat(4,max-content) minmax(0,1fr)}
& .room# .sides {display:contents}
& .room# .side {padding-right:.3em}
& .room# .note {grid-column:-2/-1}
}
"""

_NARROW = """
@media (max-width:30rem) {
& {padding:1.5rem .9rem 3rem}
}
@container (max-width:30em) {
& h1 {font-size:1.45em}
& math {font-size:1em}
& .left {padding-left:.3em}
& .sides {padding-right:0}
& .side {padding-left:1.1em;text-indent:-1.1em}
& .note {padding-left:1.1em}
}
"""

#: On paper without colours, or where little contrast is seen: a line below each, alike below its kin.
_CUE = """
@media print,(prefers-contrast:more) {
& mrow.t# {border-bottom:CUE;padding-bottom:1px}
}
"""
_CUES = ("1px solid", "1px dashed", "1.5px dotted", "2.5px double")

_PRINT = """
@media print {
& {font-size:10.5pt;max-width:none;padding:0;margin:0}
& .lines,& .scroll {overflow:visible}
& .wide mtable {font-size:.84em}
& .widest mtable {font-size:.66em}
& .line,& tr,& figure,& p.aside {break-inside:avoid}
& thead {display:table-header-group}
& p {orphans:3;widows:3}
& figure svg,& figure.wide svg {max-width:100%;max-height:22cm}
& .result {background:none;border:1px solid #000;border-left-width:3px}
}
@page {margin:18mm}
"""
