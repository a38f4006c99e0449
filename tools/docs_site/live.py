"""Python for the pages: the playground's files in one script, which pages opened as files can read, too."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

from deltarule.playground.site import site_files
from docs_site.pages import PAGES, ROOT


def write_live(runtime: Path) -> None:
    """Write the script with Pyodide, NumPy and deltarule, and let the pages know that it is there."""
    files = site_files(runtime)
    site = json.loads(files["site.json"])
    cells = (ROOT / "tools" / "docs_site" / "cells.py").read_text(encoding="utf-8")
    site["answer"] = f"{cells}\nCells().answer"
    inside = {name: b64encode(files[name]).decode() for name in [*site["pyodide"], *site["wheels"]]}
    content = {"site": site, "worker": files["worker.js"].decode(), "files": inside}
    (PAGES / "assets" / "python.js").write_text(f"globalThis.deltarulePython = {json.dumps(content)};\n")
    script = PAGES / "assets" / "live.js"
    text = script.read_text(encoding="utf-8")
    script.write_text(text.replace("const HAS_PYTHON = false;", "const HAS_PYTHON = true;"), encoding="utf-8")
