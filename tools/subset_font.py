"""Cut STIX Two Math down to the characters that explanations use, as a WOFF2 with its MATH table.

Needs ``pip install fonttools brotli``; the package itself does not. The same source font and the same
versions of these two give the same bytes. The source is STIXTwoMath-Regular.ttf of
https://github.com/stipub/stixfonts, not the web font of a font service: those lack the ``ssty`` forms.

    python tools/subset_font.py STIXTwoMath-Regular.ttf src/deltarule/documents/assets/stix-two-math.woff2
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

#: A modified version must not go by a reserved name, nor by the trademark.
FAMILY = "deltarule-math"

OPERATORS = "·⋅×÷±−∓∗=≠≈≡≔≤≥<>∝∞∂∇∑∏√∫∈⊙⊗∘⊤⊥′″…⋯⋮⋱→←↦⇒|‖⌊⌋⌈⌉⏞⏟⁄"
LETTERS_AND_SIGNS = "½⅓¼°‰–ℎℒℓℝ𝛁𝛅𝛉"
ACCENTS = "ˆ¯˜‾\u0302\u0303\u0304\u0307\u20d7"
SPACES = "\u00a0\u2002\u2003\u2009\u200a"
SCRIPT_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"
RANGES = (
    (0x0020, 0x007E),  # ASCII
    (0x0391, 0x03A9),  # Α–Ω
    (0x03B1, 0x03C9),  # α–ω
    (0x2061, 0x2064),  # invisible operators
    (0x1D400, 0x1D433),  # bold Latin
    (0x1D434, 0x1D467),  # italic Latin
    (0x1D468, 0x1D49B),  # bold italic Latin
    (0x1D6E2, 0x1D71B),  # italic Greek
)
#: Script sizes, dotless letters and flat accents, composition, kerning.
FEATURES = ["ssty", "dtls", "flac", "ccmp", "kern"]
#: The GSUB lookup type that offers several forms of one glyph; ``ssty`` is the only one kept.
ALTERNATES = 3
#: Copyright, subfamily, version, trademark, licence and its address.
KEPT_NAMES = [0, 2, 5, 7, 13, 14]
NEW_NAMES = {1: FAMILY, 3: f"{FAMILY} subset", 4: FAMILY, 6: FAMILY}


def characters() -> Iterator[int]:
    """Yield the code points to keep."""
    for first, last in RANGES:
        yield from range(first, last + 1)
    yield from map(ord, OPERATORS + LETTERS_AND_SIGNS + ACCENTS + SPACES + SCRIPT_DIGITS)


def options() -> Options:
    """Return what to keep besides glyphs: no hinting, no glyph names."""
    chosen = Options()
    chosen.layout_features = FEATURES
    chosen.hinting = False
    chosen.name_IDs = KEPT_NAMES
    chosen.notdef_outline = True
    return chosen


def spread_features(font: TTFont) -> None:
    """Offer the features of the script ``math`` to all scripts: some browsers never ask for ``math``."""
    scripts = {record.ScriptTag: record.Script for record in font["GSUB"].table.ScriptList.ScriptRecord}
    shared = scripts["math"].DefaultLangSys.FeatureIndex
    for script in scripts.values():
        system = script.DefaultLangSys
        system.FeatureIndex = sorted({*system.FeatureIndex, *shared})
        system.FeatureCount = len(system.FeatureIndex)


def keep_one_script_form(font: TTFont) -> None:
    """Let the form for scripts serve scripts of scripts too, and bold letters do without.

    This saves a quarter of the file.
    """
    glyphs = font.getBestCmap()
    bold = {glyphs[code] for code in range(0x1D400, 0x1D434)}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            if table.LookupType == ALTERNATES:
                forms = table.alternates.items()
                table.alternates = {glyph: some[:1] * 2 for glyph, some in forms if glyph not in bold}


def mend_arrows(font: TTFont) -> None:
    """Join head and shaft of → and ↦: version 2.11 has the head's connector on the wrong side."""
    glyphs, variants = font.getBestCmap(), font["MATH"].table.MathVariants
    for arrow in "→↦":
        place = variants.HorizGlyphCoverage.glyphs.index(glyphs[ord(arrow)])
        head = variants.HorizGlyphConstruction[place].GlyphAssembly.PartRecords[-1]
        if head.StartConnectorLength == 0:
            head.StartConnectorLength, head.EndConnectorLength = head.EndConnectorLength, 0


def rename(font: TTFont) -> None:
    """Give the subset a family name of its own."""
    for name_id, text in NEW_NAMES.items():
        font["name"].setName(text, name_id, 3, 1, 0x409)


def subset(source: Path, target: Path) -> int:
    """Write the subset; return its size in bytes."""
    font = TTFont(source, recalcTimestamp=False)
    keep_one_script_form(font)
    mend_arrows(font)
    subsetter = Subsetter(options())
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    spread_features(font)
    rename(font)
    font.flavor = "woff2"
    font.save(target)
    return target.stat().st_size


def main() -> None:
    """Read the command line and write the subset."""
    parser = argparse.ArgumentParser(description="Cut STIX Two Math down to what explanations use.")
    parser.add_argument("source", type=Path, help="STIXTwoMath-Regular.ttf")
    parser.add_argument("target", type=Path, help="the WOFF2 file to write")
    arguments = parser.parse_args()
    print(f"{arguments.target}: {subset(arguments.source, arguments.target):,} bytes")


if __name__ == "__main__":
    main()
