"""The page in Firefox, driven by its own WebDriver BiDi: drawing, derivation and formulas are there."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess

import pytest

from .browser import free_port, listens, wait_until

pytestmark = pytest.mark.slow
connect = pytest.importorskip("websockets.sync.client").connect
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """A window of Firefox, by https://www.w3.org/TR/webdriver-bidi/."""

    def __init__(self, socket):
        self._numbers, self._socket = itertools.count(1), socket
        self.ask("session.new", capabilities={})
        self.context = self.ask("browsingContext.create", type="tab")["context"]
        size = {"width": 1440, "height": 900}
        self.ask("browsingContext.setViewport", context=self.context, viewport=size)

    def ask(self, method, **params):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (reply := json.loads(self._socket.recv(timeout=60))).get("id") != number:
            pass
        assert reply["type"] == "success", reply
        return reply["result"]

    def open(self, address):
        self.ask("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def value(self, expression):
        target = {"context": self.context}
        reply = self.ask("script.evaluate", expression=expression, target=target, awaitPromise=True)
        return reply["result"].get("value")

    def screenshot(self):
        return base64.b64decode(self.ask("browsingContext.captureScreenshot", context=self.context)["data"])


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    if FIREFOX is None:
        pytest.skip("no Firefox here")
    folder, port = tmp_path_factory.mktemp("firefox"), free_port()
    command = [FIREFOX, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", port]
    environment = os.environ | {"MOZ_HEADLESS": "1", "HOME": str(folder)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*map(str, command)], env=environment, **quiet) as process:
        try:
            wait_until(lambda: listens(port), 60)
            with connect(f"ws://127.0.0.1:{port}/session", max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.kill()


def test_an_address_opens_a_derivation_with_drawing_and_formulas(firefox, address, tmp_path):
    firefox.open(f"{address}#show=w5&notation=matrix")
    shown = "String(document.querySelector('#derivation math') !== null)"
    when_loaded = f"document.readyState === 'complete' ? {shown} : ''"
    assert wait_until(lambda: firefox.value(when_loaded), 90) == "true"
    assert firefox.value("document.querySelector('#side-title').textContent").endswith("w5 comes from")
    assert firefox.value("document.querySelectorAll('#net [data-name]').length") > 20
    # A fraction that is laid out is higher than a line of text; MathML that is not understood is not.
    fraction = "document.querySelector('#derivation mfrac').getBoundingClientRect().height"
    line = "parseFloat(getComputedStyle(document.querySelector('#derivation math')).fontSize)"
    assert firefox.value(f"{fraction} / {line}") > 1.3
    picture = firefox.screenshot()
    (tmp_path / "firefox.png").write_bytes(picture)  # to look at
    assert len(picture) > 50_000
