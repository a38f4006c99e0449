"""What the tests of the page in a browser share: both transports, and a few words for what a person does."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

#: A folder with Pyodide's files and NumPy's wheel, for the tests in which Python runs in the page.
RUNTIME = os.environ.get("DELTARULE_PYODIDE", "")
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def static_server(folder):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@contextmanager
def local_server(*source):
    command = [sys.executable, "-m", "deltarule", "play", *source, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        found = None
        while found is None:
            found = re.search(r"http://127\.0\.0\.1:(\d+)\S+", process.stdout.readline())
        wait_until(lambda: listens(int(found[1])))
        yield found.group()
        process.kill()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def chromium(playwright):
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    yield browser
    browser.close()


def ready(page, address):
    """Open the page, and wait for Python."""
    page.goto(address)
    page.wait_for_selector("html[data-ready=yes]", timeout=60_000)


def fresh(page, name="circles"):
    """Begin anew with a set, forwards, with nothing open at the side."""
    page.keyboard.press("Escape")
    for closing in ("#tour:not([hidden]) header button", "#side:not([hidden]) header button"):
        if page.locator(closing).count():
            page.click(closing)
    page.click(f"[data-set={name}]")
    page.wait_for_selector(f"[data-set={name}][aria-pressed=true]")
    if page.locator("#plane-tools #tool-move").count():
        page.check("#tool-move", force=True)
    page.check("#direction-values", force=True)
    wait_for_update(page, 0)


def update(page):
    return int(page.get_attribute("#timebar", "aria-valuenow"))


def wait_for_update(page, number):
    page.wait_for_selector(f"#timebar[aria-valuenow='{number}']", timeout=30_000)


def wait_until(true, seconds=30):
    """Wait until a function gives something true, and return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.03)
    return found


def take_steps(page, unit, count=1):
    page.select_option("#unit", unit)
    for _ in range(count):
        page.click("#step")
        page.wait_for_timeout(60)


def thing(page, name):
    """A part of the drawing."""
    return page.locator(f'#net [data-name="{name}"]')


def thing_words(page, name):
    """What is written at a part of the drawing."""
    return page.locator(f'#net [data-of="{name}"]').text_content()


def numbers_of(page, name):
    """(value, gradient) of a parameter, as read aloud."""
    words = thing(page, name).get_attribute("aria-label").replace("−", "-").replace("·10⁻", "e-")
    superscripts = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
    found = re.search(r"value (\S+), gradient (\S+)$", words.translate(superscripts))
    return float(found[1]), float(found[2])


def choose(page, name):
    """Click a part of the drawing where it can be clicked, and wait for its derivation."""
    thing(page, name).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#side-title:has-text('{name}')")
    page.wait_for_selector("#derivation > *")


def drop_file(page, name, text):
    """Drop a text file onto the page."""
    data = page.evaluate_handle(
        "([name, text]) => { const data = new DataTransfer();"
        " data.items.add(new File([text], name, {type: 'text/csv'})); return data; }",
        [name, text],
    )
    page.dispatch_event("body", "drop", {"dataTransfer": data})


def place_on_plane(page, across, up):
    """Where a share of the plane's sides, from below, lies on the screen."""
    page.locator("canvas.plane").scroll_into_view_if_needed()
    box = page.locator("canvas.plane").bounding_box()
    return box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"]


def unfold(page, selector, wanted=True):
    page.locator(selector).evaluate("(details, wanted) => (details.open = wanted)", wanted)
