"""Write what the playground's page shows before Python is there: the names it offers, and its first view.

    python tools/first_view.py           # into src/deltarule/playground/page/first.json

Run it when something was added to a registry, or when the first view's numbers or texts have changed.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from deltarule.playground import Session

FIRST = Path(str(resources.files("deltarule.playground").joinpath("page"))) / "first.json"
_INSTALLED = ("sets", "formats")  # depend on what is installed here, and stay as they are


def first_view() -> dict[str, Any]:
    """What the session says now, of all that the file holds."""
    known = json.loads(FIRST.read_text(encoding="utf-8"))
    session = Session()
    names = session.handle({"do": "catalogue"})
    catalogue = {key: old if key in _INSTALLED else names[key] for key, old in known["catalogue"].items()}
    view = {key: known["state"]["view"][key] for key in ("parts", "resolution")}
    return {"catalogue": catalogue, "state": session.handle({"do": "view"} | view)["state"]}


if __name__ == "__main__":
    text = json.dumps(first_view(), ensure_ascii=False, separators=(",", ":"))
    FIRST.write_text(f"{text}\n", encoding="utf-8")
    print(f"written: {FIRST}")
