"""The page for everybody: by keyboard, read aloud, narrow and wide, before Python is there; and its files."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from .browser import (
    choose,
    fresh,
    numbers_of,
    static_server,
    take_steps,
    thing,
    unfold,
    update,
    wait_for_update,
    wait_until,
)

slow = pytest.mark.slow
PAGE = Path(str(resources.files("deltarule.playground").joinpath("page")))
MODULES = [path for path in sorted(PAGE.glob("*.js")) if path.name != "worker.js"]


# ------------------------------------------------------------------ files


def test_the_page_is_small():
    font = resources.files("deltarule.documents").joinpath("assets", "stix-two-math.woff2")
    files = [path for path in PAGE.iterdir() if path.suffix != ".ts"]
    assert sum(path.stat().st_size for path in files) + len(font.read_bytes()) < 300_000


def test_names_are_unique_so_that_modules_can_be_joined():
    found = {}
    declared = re.compile(
        r"^(?:export )?(?:async )?(?:function|class|const|let) (?:(\w+)|\[([^\]]+)\]|\{([^}]+)\})", re.M
    )
    for path in MODULES:
        for groups in declared.findall(path.read_text(encoding="utf-8")):
            for name in re.findall(r"\w+", next(filter(None, groups))):
                assert found.setdefault(name, path.name) == path.name, name


def test_every_module_is_fetched_at_once():
    early = re.findall(
        r'<link rel="modulepreload" href="([^"]+)">', (PAGE / "index.html").read_text(encoding="utf-8")
    )
    assert early == [path.name for path in MODULES if path.name != "main.js"]


def test_every_sentence_is_in_the_catalogue_and_used():
    texts = json.loads((PAGE / "texts.json").read_text(encoding="utf-8"))
    source = "\n".join(path.read_text(encoding="utf-8") for path in [*MODULES, PAGE / "index.html"])
    asked = set(re.findall(r'\bsay\("([\w.]+)"', source)) | set(
        re.findall(r'data-(?:say|label)="([\w.]+)"', source)
    )
    asked |= {key for one in re.findall(r'\bsay\([^()]*\? "([\w.]+)" : "([\w.]+)"', source) for key in one}
    assert asked <= set(texts), asked - set(texts)
    made = [re.escape(one).replace(r"\$\{", "${") for one in re.findall(r"say\(`([^`]+)`", source)]
    patterns = [re.compile(re.sub(r"\\?\$\{?\\?\{[^}]*\}", r"[\\w.-]+", one)) for one in made]
    quoted = set(re.findall(r'"([a-z0-9]+\.[\w.]+)"', source))
    unused = [
        key
        for key in texts
        if key not in asked | quoted
        and not key.startswith("name.")
        and not any(p.fullmatch(key) for p in patterns)
    ]
    assert not unused


@slow
def test_types_are_sound():
    if not shutil.which("npx"):
        pytest.skip("npx is not here")
    options = "--noEmit --checkJs --allowJs --strict --noUnusedLocals --target es2022 --module es2022"
    command = f"npx -y -p typescript tsc {options} --lib es2022,dom,dom.iterable".split()
    command += [str(PAGE / "main.js"), str(PAGE / "worker.js")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@slow
def test_the_first_view_is_what_the_session_says():
    said = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "first_view.py"))["first_view"]()
    first = json.loads((PAGE / "first.json").read_text(encoding="utf-8"))
    remedy = "page/first.json is out of date: run .venv/bin/python tools/first_view.py"
    assert first["catalogue"] == said["catalogue"], remedy
    near(first["state"], json.loads(json.dumps(said["state"])), f"{remedy}; state")


def near(found, expected, place="state"):
    """The same structure, names and numbers; pictures are as long."""
    assert type(found) is type(expected) or {type(found), type(expected)} == {int, float}, place
    if isinstance(found, dict):
        assert set(found) == set(expected), place
        for key in found:
            near(found[key], expected[key], f"{place}.{key}")
    elif isinstance(found, list):
        assert len(found) == len(expected), place
        for index, one in enumerate(found):
            near(one, expected[index], f"{place}[{index}]")
    elif isinstance(found, str) and len(found) > 400:
        assert len(found) == len(expected), place
    else:
        assert found == pytest.approx(expected, abs=1e-9), place


@slow
def test_there_is_a_network_to_look_at_before_python_is_there(browser, tmp_path):
    shutil.copytree(PAGE, tmp_path / "page")
    (tmp_path / "page" / "site.json").write_text('{"socket": "nowhere"}')
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    with static_server(tmp_path / "page") as address:
        page.goto(address)
        page.wait_for_selector('#net [data-name="w18"]')
        assert page.locator("#sets button").count() > 8
        page.check("#direction-gradients", force=True)
        page.wait_for_selector("#net.gradients")
        assert "–" not in page.inner_text(".meters")
        page.wait_for_selector("#loading button")
    page.close()


# ------------------------------------------------------------------ for everybody


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The source of axe-core: a file that is named, or fetched by npm."""
    named = os.environ.get("DELTARULE_AXE")
    if named:
        return Path(named).read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run(
        ["npm", "install", "--prefix", str(folder), "axe-core"], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("axe-core cannot be fetched")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(page, axe):
    page.wait_for_timeout(200)
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [(one["id"], [node["html"][:150] for node in one["nodes"][:3]]) for one in found]


@slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page, axe, scheme):
    page.emulate_media(color_scheme=scheme)
    fresh(page, "iris")
    for part in ("#own", "#function", ".more", "#extra-confusion", "#extra-flow", "#extra-health"):
        unfold(page, part)
    assert violations(page, axe) == []
    for part in ("#own", "#function", ".more", "#extra-confusion", "#extra-flow", "#extra-health"):
        unfold(page, part, False)
    fresh(page)
    take_steps(page, "batch", 2)
    wait_for_update(page, 2)
    choose(page, "w5")
    for tab in ("terms", "why", "derivation"):
        page.check(f"#tab-{tab}", force=True)
        page.wait_for_timeout(500)
        assert violations(page, axe) == []
    for panel in ("hand", "code", "save", "help", "tour"):
        page.click(f"#open-{panel}")
        if panel == "hand":
            page.click("#hand-start")
            page.wait_for_selector("#hand [data-blank]")
        assert violations(page, axe) == []
    page.click("[data-scene=tour]")
    assert violations(page, axe) == []
    page.click("#tour header button")
    page.keyboard.press("Escape")
    page.emulate_media(color_scheme="light")


@slow
@pytest.mark.parametrize("width", [360, 800, 1440])
def test_nothing_runs_out_of_the_page(page, axe, width):
    fresh(page)
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page, axe) == []
    choose(page, "w5")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#side").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1440, "height": 900})


@slow
def test_markup_in_names_is_text(page):
    fresh(page)
    unfold(page, "#own")
    name = "<img src=x onerror=alert(1)>"
    rows = "".join(f"{i},{i * i},{name if i % 2 else 'other'}\n" for i in range(12))
    page.fill("#paste", f"{name},b,<script>alert(2)</script>\n{rows}")
    page.click("#use-paste")
    page.wait_for_selector("#source:has-text('12 rows')")
    choose(page, "w5")
    page.wait_for_selector("#derivation .lines")
    assert page.locator("img").count() == 0
    assert page.locator("main script").count() == 0
    assert name in page.inner_text("#plane-tools")
    unfold(page, "#own", False)


# ------------------------------------------------------------------ by keyboard alone


def tab_to(page, selector, back=False):
    """Press Tab until what is meant has the focus."""
    for _ in range(150):
        if page.evaluate("selector => document.activeElement?.matches(selector) ?? false", selector):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def focused(page):
    return page.evaluate("document.activeElement.dataset.name ?? document.activeElement.id")


@slow
def test_three_to_nine_by_keyboard_alone(page):
    fresh(page, "T1")
    page.evaluate("document.activeElement.blur()")
    # 3: steps and play
    tab_to(page, "#step")
    page.keyboard.press("Enter")
    wait_for_update(page, 1)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    wait_for_update(page, 2)
    page.keyboard.press("Space")
    wait_until(lambda: update(page) > 4)
    page.keyboard.press("Space")
    page.wait_for_selector("#play[aria-pressed=false]")
    page.wait_for_timeout(300)
    # 4: back in time, a branch, compared
    last = update(page)
    page.keyboard.press("t")
    page.keyboard.press("Home")
    wait_for_update(page, 0)
    page.keyboard.press("ArrowRight")
    wait_for_update(page, 1)
    page.keyboard.press("Tab")
    tab_to(page, "#branch-here")
    page.keyboard.press("Enter")
    page.wait_for_selector("#branch")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    wait_for_update(page, 2)
    tab_to(page, "#compare")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".key.dotted")
    page.keyboard.press("t")
    page.keyboard.press("ArrowUp")
    wait_for_update(page, last)
    # 5: rewind
    tab_to(page, "#rewind")
    page.keyboard.press("Enter")
    wait_for_update(page, 0)
    assert numbers_of(page, "w5")[0] == 0.4
    # 6: from part to part of the drawing, into a derivation and its factors, and back
    page.keyboard.press("g")
    while not focused(page).startswith("input"):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    while focused(page) != "w1":
        page.keyboard.press("ArrowUp")
    for key, name in (("ArrowRight", "h1"), ("ArrowDown", "b1"), ("ArrowUp", "h1"), ("ArrowRight", "w5")):
        page.keyboard.press(key)
        assert focused(page) == name
    page.keyboard.press("Enter")
    page.wait_for_selector("#derivation .line.result")
    wait_until(lambda: focused(page) == "side-title")
    tab_to(page, ".chips button")
    assert page.get_attribute("html", "data-lit") != ""
    page.keyboard.press("Escape")
    page.wait_for_selector("#side", state="hidden")
    assert focused(page) == "w5"
    # 7: backwards
    page.keyboard.press("d")
    page.wait_for_selector("#net.gradients")
    page.keyboard.press("d")
    # 8: row or batch, term by term
    tab_to(page, "#row-kind", back=True)
    page.keyboard.press("ArrowUp")
    wait_until(lambda: page.input_value("#row-kind") == "row")
    tab_to(page, "#net [data-name]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#derivation .line.result")
    tab_to(page, "#tab-derivation", back=True)
    for tab in ("why", "terms"):
        page.keyboard.press("ArrowRight")
        assert focused(page) == f"tab-{tab}"
    page.wait_for_selector(".terms .sum")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    # 9: a number is typed over
    page.keyboard.press("g")
    assert focused(page) == "w5"
    page.keyboard.type("0.9")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog p.right, dialog p.wrong")
    page.keyboard.press("Enter")
    wait_until(lambda: numbers_of(page, "w5")[0] == 0.9)


@slow
def test_what_happens_is_said_aloud(page):
    fresh(page)
    assert page.get_attribute("#spoken", "aria-live") == "polite"
    choose(page, "w5")
    wait_until(lambda: "w5" in page.inner_text("#spoken"))
    names = page.eval_on_selector_all(
        "#net [role=button]", "all => all.map(one => one.getAttribute('aria-label'))"
    )
    assert all(names)
    assert len(names) == len(set(names))
    assert "value" in thing(page, "w5").get_attribute("aria-label")
