"""What runs in the reader's browser for the cells of a page: messages in, replies out, both JSON."""

from __future__ import annotations

import contextlib
import io
import json
import linecache
import tempfile
import traceback
from pathlib import Path
from typing import Any


class Cells:
    """The cells of one page: what one of them defines, the next ones know."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.folder = Path(tempfile.mkdtemp())

    def answer(self, text: str) -> str:
        """Run the program of a message, or check it; what it printed, and whether it failed, as JSON."""
        message = json.loads(text)
        path = self.folder / "my_backprop.py"
        path.write_text(message["code"], encoding="utf-8")
        printed, failed = io.StringIO(), False
        with contextlib.redirect_stdout(printed):
            try:
                (self.check if message["check"] else self.run)(path)
            except BaseException as error:
                failed = True
                frames = [
                    one for one in traceback.extract_tb(error.__traceback__) if one.filename == str(path)
                ]
                where = f"line {frames[-1].lineno}: " if frames else ""
                print(f"{where}{type(error).__name__}: {error}")
        return json.dumps({"printed": printed.getvalue(), "failed": failed})

    def run(self, path: Path) -> None:
        """Run a program in the namespace of the page."""
        linecache.checkcache()
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), self.names)

    def check(self, path: Path) -> None:
        """Print what check says of a program."""
        from deltarule.diagnosis import check

        print(check(path))
