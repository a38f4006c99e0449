"""The built documentation in Chromium, without a network: pages open, cells run, the search finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from .browser import static_server

SITE = Path(__file__).parents[2] / "build" / "site"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if path.name != "404.html")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PAGES, reason="there is no build/site: scripts/docs builds it"),
]
WORDS = """
    momentum, learning rate, sigmoid, softmax, relu, tanh, cross entropy, backpropagation, chain
    rule, gradient check, delta, bias, dropout, overfitting, early stopping, epoch, batch,
    initializer, adam, lbfgs, schedule, checkpoint, resume, autoencoder, mnist, iris, xor, csv,
    excel, missing, one-hot, confusion matrix, export, onnx, javascript, safetensors, scikit-learn,
    MLPClassifier, PyTorch, SymPy, notebook, worksheet, moodle, nbgrader, playground, offline,
    numerical gradient, transpose, broadcasting, by hand, completion, 反向传播, 神经网络, 误差后向传播,
    人工智能导论, 单层神经网络, 逻辑异或分类, OneNet
"""
#: The cells of a page: whether they are checked, their code, and what the page prints next.
CELLS = """() => [...document.querySelectorAll(".highlight")].flatMap((block, place, all) => {
  const check = block.classList.contains("live-check");
  if (!check && !block.classList.contains("live")) return [];
  const code = block.querySelector("code").textContent;
  const next = all.slice(place + 1).find((other) => !/^\\s*deltarule /.test(other.textContent));
  return [[check, code, (next?.textContent ?? "").split("...")[0].trim()]];
})"""


@pytest.fixture(scope="module", params=["server", "files"])
def page(request, browser):
    """A page that collects what goes wrong and what is asked for outside of the site."""
    with static_server(SITE) as server:
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        opened.base = server if request.param == "server" else f"{SITE.as_uri()}/"
        opened.faults = []
        inside = (opened.base, "data:", "blob:", "about:")
        opened.route(lambda address: not address.startswith(inside), lambda route: route.abort())
        opened.on("pageerror", lambda error: opened.faults.append(str(error)))
        opened.on("console", lambda message: message.type == "error" and opened.faults.append(message.text))
        opened.on("request", lambda sent: sent.url.startswith(inside) or opened.faults.append(sent.url))
        yield opened
        opened.close()


def test_every_page_opens_without_a_request_outside_and_without_an_error(page):
    for name in PAGES if page.base.startswith("http") else PAGES[::20]:
        page.goto(page.base + name)
        assert page.evaluate("document.body.innerText.length") > 40, name
        assert not page.faults, name


def test_no_page_is_wider_than_a_telephone(page):
    page.set_viewport_size({"width": 360, "height": 800})
    for name in ("index.html", *PAGES[::20]):
        if name.startswith("gallery/"):
            continue
        page.goto(page.base + name)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    page.set_viewport_size({"width": 1440, "height": 900})


def test_the_search_finds_what_people_type(page):
    page.goto(page.base + "index.html")
    field = page.locator("input[aria-label=Search]")
    while not field.is_visible():  # the script of the page may still be starting
        page.keyboard.press("Control+k")
        page.wait_for_timeout(500)
    words = [word.strip() for word in WORDS.replace("\n", " ").split(",")]
    assert len(words) >= 50
    field.fill("xqzvjkw")
    page.wait_for_selector("input[aria-label=Search][aria-expanded=false]")
    missing = []
    for word in words if page.base.startswith("http") else words[::8]:
        field.fill("")
        page.wait_for_selector("input[aria-label=Search][aria-expanded=false]")
        field.fill(word)
        try:
            page.wait_for_selector("input[aria-label=Search][aria-expanded=true]", timeout=3000)
        except sync_api_timeout():
            missing.append(word)
    assert not missing
    assert not page.faults


def sync_api_timeout():
    """What Playwright raises where something does not come."""
    return pytest.importorskip("playwright.sync_api").TimeoutError


def test_every_cell_prints_what_its_page_shows(page):
    names = [name for name in PAGES if 'class="live' in (SITE / name).read_text(encoding="utf-8")]
    cells = []
    for name in names if page.base.startswith("http") else names[::16]:
        page.goto(page.base + name)
        cells += [(name, *cell) for cell in page.evaluate(CELLS)]
    page.goto(page.base + "tutorials/student.html")  # has a cell of each kind, and one Python for all
    if not page.locator(".live-bar button").count():
        pytest.skip("the site was built without Python: scripts/docs --from DIR")
    wrong = []
    for name, check, code, shown in cells:  # of a right program no verdict is shown
        expected = "Right" if check and not shown.startswith("Wrong") else shown
        printed = printed_by(page, check, code)
        wrong += [] if printed.startswith(expected) else [f"{name}: {printed!r} instead of {expected!r}"]
    assert not wrong, "\n".join(wrong)
    assert not page.faults


def printed_by(page, check, code):
    """What a cell with this code prints."""
    block = page.locator(".highlight.live-check" if check else ".highlight.live")
    block.locator("code").evaluate("(code, text) => { code.textContent = text; }", code)
    button = block.locator("+ .live-bar button")
    button.click()
    page.wait_for_function("button => !button.disabled", arg=button.element_handle(), timeout=90_000)
    return block.locator("+ .live-bar + .live-output").inner_text().strip()
