"""A scratch folder for a learner's program: what lies beside it is there, what it writes is thrown away."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_MOST_ENTRIES = 1000
_COPIED = 1 << 20


@contextlib.contextmanager
def scratch_for(folder: Path, program: Path | None = None) -> Iterator[tuple[Path, Path]]:
    """Make a folder in which a program finds what it finds in its own; all of it goes at the end.

    Small files are copied, so that the program may change its copies; large files and folders are links.

    Parameters
    ----------
    folder : Path
        The program's own.
    program : Path, optional
        If it looks above its folder, what lies there is there, too; what it names comes first.

    Returns
    -------
    home, here : Path
        All that may be written to, and in it the folder to work in.
    """
    home = Path(tempfile.mkdtemp(prefix="deltarule-")).resolve()
    try:
        here = home / "above" / "here"
        here.mkdir(parents=True)
        text = ""
        if program is not None:
            with program.open(encoding="utf-8", errors="replace") as file:
                text = file.read(_COPIED)
            shutil.copyfile(program, here / program.name)
        _bring(folder, here, text)
        if re.search(r"\.\.[/\\'\"]|pardir|parent\.parent|parents\[", text):
            _bring(folder.parent, here.parent, text)
        yield home, here
    finally:
        for root, folders, _ in os.walk(home):
            for name in folders:
                if not os.path.islink(path := os.path.join(root, name)):
                    os.chmod(path, 0o700)
        shutil.rmtree(home, ignore_errors=True)


def _bring(source: Path, target: Path, text: str) -> None:
    """Copy small files and link the rest; what cannot be read, or is there already, is left out."""
    entries: list[os.DirEntry[str]] = []
    with contextlib.suppress(OSError):
        entries = sorted(os.scandir(source), key=lambda entry: entry.name not in text)
    for entry in entries[:_MOST_ENTRIES]:
        with contextlib.suppress(OSError):
            copy = target / entry.name
            if copy.exists():
                continue
            if entry.is_file() and entry.stat().st_size <= _COPIED:
                shutil.copyfile(entry.path, copy)
            else:
                copy.symlink_to(entry.path)
