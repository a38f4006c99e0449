"""``python -m benchmarks.playground``: the page in a browser, by the local server and by Python in a worker.

500 points of two classes, a network 2-8-8-1, a boundary of 50 × 50, every view open:

``frames``
    How many different states are drawn in a second while it trains as fast as it goes.
``scrub``
    From a press on the time bar, which has 10,000 updates, to the state drawn: at places by lot.
``first view``
    Of a browser that has seen nothing: the first contentful paint, when the drawing and the controls are
    there, when Python is; and the bytes of the page without Python.
``memory``
    With ``--minutes``: the proportional memory of browser and server while it plays.

It takes Debian's Chromium or the one in ``--browser``, and for the worker a folder with Pyodide and NumPy
(``--pyodide``, or what ``deltarule play --build`` keeps).
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from deltarule.playground import Session, build_site

__all__ = ["main"]

_UPDATES = 10_000
_SCRUBS = 60
#: Count the different states that the time bar shows at the frames of some seconds.
_FRAMES = """seconds => new Promise(resolve => {
  const bar = document.getElementById("timebar"), begin = performance.now();
  let states = 0, frames = 0, before = bar.getAttribute("aria-valuenow");
  requestAnimationFrame(function look() {
    const now = bar.getAttribute("aria-valuenow");
    frames++;
    if (now !== before) states++;
    before = now;
    if (performance.now() - begin < 1000 * seconds) requestAnimationFrame(look);
    else resolve([states / seconds, frames / seconds]);
  });
})"""
#: Note when the time bar is pressed, and the frame after it shows another update.
_WATCH = """() => {
  const bar = document.getElementById("timebar");
  window.scrubs = [];
  let pressed = 0;
  addEventListener("pointerdown", () => (pressed = performance.now()), true);
  new MutationObserver(() => pressed && requestAnimationFrame(() => {
    if (pressed) window.scrubs.push(performance.now() - pressed);
    pressed = 0;
  })).observe(bar, { attributeFilter: ["aria-valuenow"] });
}"""
_FIRST_VIEW = """() => new Promise(resolve => {
  const paint = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  const look = () => (paint() && document.querySelector("#net [data-name]") && document.querySelector("#play")
    ? resolve([paint(), performance.now()]) : setTimeout(look, 5));
  look();
})"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def _static(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def _local() -> Iterator[str]:
    command = [sys.executable, "-m", "deltarule", "play", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = None
        while found is None:
            found = re.search(r"http://127\.0\.0\.1:\d+\S+", process.stdout.readline())
        yield found.group()
        process.terminate()


def _link() -> str:
    """What stands behind the # of an address: the points and the network."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (500, 2))
    points = {"x": x.tolist(), "y": (x[:, 0] * x[:, 1] > 0).astype(int).tolist()}
    session = Session()
    hidden = [{"units": 8, "activation": "tanh"}] * 2
    for message in (
        {"do": "open", "points": points},
        {"do": "configure", "changes": {"hidden": hidden, "batch_size": 10}},
    ):
        reply = json.loads(session.answer(json.dumps({"id": 1} | message)))
        if not reply["ok"]:
            raise click.ClickException(reply["error"])
    return json.loads(session.answer('{"id": 2, "do": "link"}'))["link"]


def _open(page: Any, address: str, link: str) -> tuple[float, float, float]:
    """Open the page; returns milliseconds until paint, drawing with controls, and Python."""
    page.goto(f"{address}#{link}", wait_until="commit")
    paint, drawn = page.evaluate(_FIRST_VIEW)
    page.wait_for_selector("html[data-ready=yes]", timeout=120_000)
    return paint, drawn, page.evaluate("performance.now()")


def _update(page: Any) -> int:
    return int(page.get_attribute("#timebar", "aria-valuenow"))


def _play(page: Any) -> None:
    page.locator("#speed").evaluate(
        "input => { input.value = input.max; input.dispatchEvent(new Event('input')); }"
    )
    page.click("#play")


def _frames(page: Any, seconds: float) -> tuple[float, float]:
    _play(page)
    page.wait_for_timeout(1500)
    found = page.evaluate(_FRAMES, seconds)
    while _update(page) < _UPDATES:
        page.wait_for_timeout(200)
    page.click("#play")
    page.wait_for_timeout(300)
    return found[0], found[1]


def _scrub(page: Any) -> list[float]:
    """Press the time bar at places by lot; returns the milliseconds of each."""
    page.evaluate(_WATCH)
    box, rng = page.locator("#timebar").bounding_box(), random.Random(0)
    for _ in range(_SCRUBS):
        page.mouse.click(
            box["x"] + 10 + rng.random() * (box["width"] - 20), box["y"] + min(12, box["height"] / 2)
        )
        page.wait_for_timeout(150)
    return page.evaluate("window.scrubs")


def _memory(words: tuple[str, ...]) -> float:
    """The proportional memory in MB of processes started here whose command has one of the words (Linux)."""
    total = 0
    started = {os.getpid()}
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda process: int(process.name)):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent not in started:
                continue
            started.add(int(process.name))
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            if any(word in command for word in words):
                lines = (process / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except OSError:
            continue
    return total / 1024


def _hour(page: Any, minutes: float) -> None:
    _play(page)
    for done in range(int(minutes) + 1):
        browser, server = _memory(("--type=",)), _memory(("play\0--no-browser", "playground"))
        click.echo(
            f"  {done} min: update {_update(page):,}, browser {browser:.0f} MB, server {server:.0f} MB"
        )
        page.wait_for_timeout(60_000)


@click.command()
@click.option("--seconds", default=10.0, help="How long frames are counted.")
@click.option("--rounds", default=3, help="How often each transport is opened, in turns.")
@click.option("--minutes", default=0.0, help="Play so long at the end, and tell the memory each minute.")
@click.option("--transport", multiple=True, type=click.Choice(["server", "worker"]), help="Only this one.")
@click.option("--browser", default="/usr/bin/chromium", help="The browser.")
@click.option("--pyodide", type=click.Path(exists=True, file_okay=False), help="A folder with Pyodide.")
def main(
    seconds: float, rounds: int, minutes: float, transport: tuple[str, ...], browser: str, pyodide: str | None
) -> None:
    """Measure the playground's page with both transports."""
    from playwright.sync_api import sync_playwright

    link = _link()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        build_site(folder, pyodide)
        places: dict[str, Callable[[], Any]] = {
            "server": _local,
            "worker": functools.partial(_static, Path(folder)),
        }
        places = {name: place for name, place in places.items() if name in transport or not transport}
        found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in places}
        for turn in range(rounds):
            for name, place in places.items():
                with place() as address:
                    chromium = playwright.chromium.launch(
                        executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
                    )
                    page = chromium.new_page(viewport={"width": 1440, "height": 900})
                    view = _open(page, address, link)
                    found[name].append((*view, *_frames(page, seconds), _scrub(page)))
                    if turn == rounds - 1 and minutes:
                        click.echo(f"{name}:")
                        _hour(page, minutes)
                    chromium.close()
        _report(found, Path(folder))


def _report(found: dict[str, list[tuple[Any, ...]]], folder: Path) -> None:
    for name, turns in found.items():
        paint, drawn, python, states, frames = (median(turn[k] for turn in turns) for k in range(5))
        scrubs = sorted(one for turn in turns for one in turn[5])
        click.echo(f"{name}: first paint {paint:.0f} ms, drawing and controls {drawn:.0f} ms, ", nl=False)
        click.echo(f"Python {python / 1000:.1f} s")
        click.echo(f"  {states:.1f} states a second ({frames:.1f} frames); a scrub takes ", nl=False)
        click.echo(
            f"{median(scrubs):.0f} ms, 9 of 10 at most {scrubs[len(scrubs) * 9 // 10]:.0f}, ", nl=False
        )
        click.echo(f"the longest {scrubs[-1]:.0f} ({len(scrubs)})")
    own = [
        file
        for file in folder.rglob("*")
        if file.suffix in (".html", ".js", ".css", ".json") and "pyodide" not in file.name
    ]
    click.echo(f"the page without Python: {sum(file.stat().st_size for file in own) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
