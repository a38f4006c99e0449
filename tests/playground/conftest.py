"""The page in a real browser, once with the local server and once with Python in a worker."""

from __future__ import annotations

import pytest

from .browser import RUNTIME, chromium, local_server, ready, static_server


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright, chromium(playwright) as found:
        yield found


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the static site."""
    if not RUNTIME:
        pytest.skip("DELTARULE_PYODIDE names no folder with Pyodide and NumPy's wheel")
    from deltarule.playground import build_site

    folder = tmp_path_factory.mktemp("site")
    build_site(folder, RUNTIME)
    return folder


@pytest.fixture(scope="session", params=["server", "worker"])
def address(request):
    """Where the page is, by one of the transports."""
    if request.param == "server":
        pytest.importorskip("uvicorn")
        with local_server() as found:
            yield found
    else:
        with static_server(request.getfixturevalue("site")) as found:
            yield found


@pytest.fixture(scope="session")
def open_page(browser, address):
    """A page that is used by one test after another, with what went wrong in it and what it asked for."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", accept_downloads=True
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.faults, page.requests = [], []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: message.type == "error" and page.faults.append(message.text))
    page.on("request", lambda request: page.requests.append(request.url))
    ready(page, address)
    yield page
    context.close()


@pytest.fixture
def page(open_page):
    yield open_page
    faults, open_page.faults[:] = list(open_page.faults), []
    assert not faults
