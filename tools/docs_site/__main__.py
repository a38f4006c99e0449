"""Build the site: ``PYTHONPATH=tools python -m docs_site``; ``scripts/docs`` calls it."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from deltarule.documents.asset_files import asset
from docs_site.api import write_api
from docs_site.commands import write_commands
from docs_site.formulas import with_mathml
from docs_site.gallery import write_gallery
from docs_site.links import faults_of
from docs_site.live import write_live
from docs_site.mistakes import write_mistakes
from docs_site.notebooks import write_notebooks
from docs_site.pages import PAGES, ROOT, SITE


def assemble() -> None:
    """Put the pages together that Zensical reads."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PAGES)
    write_notebooks()
    write_api()
    write_commands()
    write_mistakes()
    write_gallery()
    (PAGES / "assets" / "stix-two-math.woff2").write_bytes(asset("stix-two-math.woff2"))
    for path in PAGES.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(with_mathml(_on_the_site(text)), encoding="utf-8")


#: A block of Python that runs on the page, and how it is marked: GitHub shows no comments.
_LIVE = re.compile(r"^<!-- live( check)? -->\n```python(.*)$", re.M)


def _on_the_site(text: str) -> str:
    """A page as Zensical reads it: links to notebooks lead to their pages, cells that run have a class."""
    text = text.replace("](../notebooks/", "](tutorials/").replace(".ipynb)", ".md)")
    return _LIVE.sub(lambda at: f"```{{ .python .live{'-check' if at[1] else ''}{at[2]} }}", text)


def _let_chinese_be_found() -> None:
    """Let the search cut Chinese into words, too: in an English site Zensical leaves its sentences whole."""
    for name in ("search.json", "search.js"):
        text = (SITE / name).read_text(encoding="utf-8")
        if '"lang":["en"]' not in text:
            raise RuntimeError(f"{name} does not name its language as it did")
        (SITE / name).write_text(text.replace('"lang":["en"]', '"lang":["en","zh"]', 1), encoding="utf-8")


def main() -> int:
    """Assemble, build strictly, check every link; exit status 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description="Build the documentation into build/site.")
    parser.add_argument("--from", dest="runtime", type=Path, metavar="DIR", help="Pyodide and NumPy's wheel")
    runtime = parser.parse_args().runtime
    assemble()
    if runtime is not None:
        write_live(runtime)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    if subprocess.run(command, cwd=ROOT).returncode:
        return 1
    _let_chinese_be_found()
    faults = list(faults_of(SITE))
    print("\n".join(faults) or f"every link leads somewhere: {SITE}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
