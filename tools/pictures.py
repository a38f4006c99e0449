"""Draw the pictures of the README, each by the command that stands above it there.

    python tools/pictures.py             # into docs/pictures
    python tools/pictures.py FOLDER

Needs playwright and a Chromium: the playground and a derivation are pages.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

README = Path(__file__).parents[1] / "README.md"
CHROMIUM = "/usr/bin/chromium"
#: In the README: a command of its own, and the picture below it.
_SHOWN = re.compile(r"^```sh\ndeltarule (.*?)(?: +#.*)?\n```\n\n!\[.*\]\(docs/pictures/(.*)\)$", re.M)


def command_above(name: str) -> list[str]:
    """The command that stands above a picture in the README."""
    words = {picture: command for command, picture in _SHOWN.findall(README.read_text(encoding="utf-8"))}
    return [sys.executable, "-m", "deltarule", *shlex.split(words[name])]


def playground(browser: Any, path: Path) -> None:
    """The page that the command opens, after 60 epochs, with the derivation of a weight."""
    command = [*command_above(path.name), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            address = next(line for line in serving.stdout if "http://" in line).split()[-1]
            _play(browser.new_page(viewport={"width": 1440, "height": 860}), address, path)
        finally:
            serving.terminate()


def _play(page: Any, address: str, path: Path) -> None:
    page.goto(address)
    page.wait_for_selector("html[data-ready=yes]")
    page.keyboard.press("Escape")
    page.select_option("#unit", "epoch")
    for epoch in range(1, 61):
        page.click("#step")
        page.wait_for_selector(f"#timebar[aria-valuenow='{24 * epoch}']")
    page.locator('#net [data-name="w9"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#derivation > *")
    page.wait_for_timeout(1500)  # until all is drawn
    page.screenshot(path=str(path))


def derivation(browser: Any, path: Path) -> None:
    """The top of the page that the command writes."""
    command = command_above(path.name)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, check=True, cwd=folder)
        (written,) = Path(folder).glob("*.html")
        page = browser.new_page(viewport={"width": 900, "height": 1060})
        page.goto(written.as_uri())
        page.wait_for_function("document.fonts.status === 'loaded'")
        page.screenshot(path=str(path))


#: What draws each picture.
PICTURES: dict[str, Callable[[Any, Path], None]] = {
    "playground.png": playground,
    "derivation.png": derivation,
}


def draw(browser: Any, folder: Path) -> None:
    """Draw all pictures into a folder."""
    from PIL import Image

    for name, draw_picture in PICTURES.items():
        draw_picture(browser, folder / name)
        Image.open(folder / name).quantize(256).save(folder / name, optimize=True)


def main(folder: Path) -> None:
    """Start a browser, and draw with it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        draw(browser, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[1] / "docs" / "pictures")
