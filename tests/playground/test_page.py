"""The playground in a browser: the eighteen things that one can do, in both transports."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .browser import (
    choose,
    drop_file,
    fresh,
    numbers_of,
    place_on_plane,
    ready,
    take_steps,
    thing,
    thing_words,
    unfold,
    update,
    wait_for_update,
    wait_until,
)

pytestmark = pytest.mark.slow
pytest.importorskip("playwright.sync_api")

TABLE = "height,weight,sport,sex\n" + "".join(
    f"{160 + 3 * i},{50 + 2 * i},{'rowing' if i % 3 else 'chess'},{'fm'[i % 2]}\n" for i in range(12)
)
ENDLESS = "import numpy as np\nx = np.ones((2, 2))\nwhile True:\n    x = x * 1.0\n"
WRONG = """import numpy as np
X = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
y = np.array([[1.0], [1.0], [0.0], [0.0]])
rng = np.random.default_rng(0)
W1, W2 = rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
sigmoid = lambda z: 1 / (1 + np.exp(-z))
for epoch in range(50):
    h = sigmoid(X @ W1)
    out = sigmoid(h @ W2)
    delta2 = out - y
    delta1 = delta2 @ W2.T
    W2 -= 0.5 * h.T @ delta2
    W1 -= 0.5 * X.T @ delta1
print(((out - y) ** 2).mean())
"""


def test_1_a_table_is_dropped_pasted_and_its_bad_cell_named(page):
    fresh(page)
    drop_file(page, "people.csv", TABLE)
    page.wait_for_selector("#source h3:has-text('people')")
    assert "12 rows" in page.inner_text("#source")
    assert page.input_value("#target") == "sex"
    page.select_option("#target", "weight")
    page.wait_for_selector("#source:has-text('the target is a number')")
    assert page.input_value("#set-loss") == "half_squared_error"
    unfold(page, "#own")
    page.fill("#paste", "height,weight,sex\n")
    page.click("#use-paste")
    page.wait_for_selector("#fault p")
    assert "12 rows" in page.inner_text("#source")  # what was open stays
    page.fill("#paste", TABLE.replace("166,54", "166,5O"))
    page.click("#use-paste")
    page.wait_for_selector("#decisions mark:text-is('5O')", state="attached")
    page.click("[data-set=iris]")
    page.wait_for_selector("#source:has-text('3 classes')")


def test_2_points_are_painted_dragged_erased_and_made_by_a_function(page):
    fresh(page)
    rows = lambda: int(re.search(r"(\d+) rows", page.inner_text("#source"))[1])  # noqa: E731
    before = rows()
    page.check("#tool-1", force=True)
    page.mouse.click(*place_on_plane(page, 0.06, 0.06))
    wait_until(lambda: rows() == before + 1)
    page.check("#tool-move", force=True)
    page.mouse.move(*place_on_plane(page, 0.06, 0.06))
    page.mouse.down()
    page.mouse.move(*place_on_plane(page, 0.2, 0.2), steps=4)
    page.mouse.move(*place_on_plane(page, 0.5, 0.5), steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)
    page.check("#tool-erase", force=True)
    page.mouse.click(*place_on_plane(page, 0.5, 0.5))
    wait_until(lambda: rows() == before)
    page.check("#tool-move", force=True)
    unfold(page, "#function")
    page.fill("#formula", "x1**2 - x2")
    page.click("#use-function")
    page.wait_for_selector("#source:has-text('the target is a number')")
    assert page.input_value("#set-output") == "identity"


def test_3_steps_of_every_size_and_play_at_any_speed(page):
    fresh(page)
    take_steps(page, "batch")
    wait_for_update(page, 1)
    take_steps(page, "epoch")
    wait_until(lambda: "epoch 1" in page.inner_text(".where"))
    here = update(page)
    for phase in ("forward", "loss", "backward", "update"):
        take_steps(page, "phase")
        page.wait_for_selector(f"#phases [data-phase={phase}][aria-current=true]")
        assert update(page) == here + (phase == "update")
    take_steps(page, "sample")
    page.wait_for_selector("#row-kind:has(option[value=row]:checked)")
    page.select_option("#unit", "batch")
    page.locator("#speed").focus()
    page.keyboard.press("End")
    page.click("#play")
    wait_until(lambda: update(page) > here + 200)
    page.click("#play")
    page.wait_for_selector("#play[aria-pressed=false]")
    page.wait_for_timeout(200)
    there = update(page)
    page.wait_for_timeout(300)
    assert update(page) == there


def test_4_time_is_scrubbed_branched_and_compared(page):
    fresh(page)
    take_steps(page, "epoch", 2)
    wait_until(lambda: update(page) >= 20)
    last = update(page)
    value = numbers_of(page, "w5")
    page.locator("#timebar").focus()
    page.keyboard.press("ArrowLeft")
    wait_for_update(page, last - 1)
    assert numbers_of(page, "w5") != value
    page.keyboard.press("ArrowRight")
    wait_for_update(page, last)
    assert numbers_of(page, "w5") == value
    box = page.locator("#timebar").bounding_box()
    page.mouse.move(box["x"] + 11, box["y"] + 16)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 16, steps=6)
    page.mouse.up()
    wait_until(lambda: 0 < update(page) < last)
    page.wait_for_timeout(400)
    middle = update(page)
    page.fill("#set-learning_rate", "0.5")
    page.keyboard.press("Enter")
    page.wait_for_selector("#branch")
    take_steps(page, "batch", 3)
    wait_for_update(page, middle + 3)
    assert page.locator("#timebar .branch").count() == 2
    page.locator("#timebar").focus()
    for _ in range(5):  # into the past that both have, and back on the same branch
        page.keyboard.press("ArrowLeft")
    wait_for_update(page, middle - 2)
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    wait_for_update(page, middle + 3)
    assert page.input_value("#branch") == "1"
    page.select_option("#compare", "0")
    page.wait_for_selector(".key.dotted")
    page.select_option("#branch", "0")
    wait_for_update(page, last)
    assert numbers_of(page, "w5") == value


def test_5_rewind_is_the_same_start_and_new_start_another(page):
    fresh(page)
    start = numbers_of(page, "w5")
    take_steps(page, "epoch")
    wait_until(lambda: update(page) > 0)
    page.click("#rewind")
    wait_for_update(page, 0)
    assert numbers_of(page, "w5") == start
    seed = int(page.input_value("#seed"))
    page.click("#new-start")
    wait_until(lambda: page.input_value("#seed") == str(seed + 1))
    assert numbers_of(page, "w5") != start
    page.fill("#seed", str(seed))
    page.keyboard.press("Enter")
    wait_until(lambda: numbers_of(page, "w5") == start)


def test_6_a_weight_a_bias_and_a_neuron_are_derived_and_lit_both_ways(page):
    fresh(page, "T1")
    thing(page, "w5").locator(".hit").dispatch_event("click")
    page.wait_for_selector("#derivation .line.result")
    assert page.locator("#derivation math").count() > 10
    assert "tagged" in thing(page, "w5").get_attribute("class")
    tag = re.search(r"\bt(\d)\b", thing(page, "w5").get_attribute("class"))[1]
    page.hover(f".chips button.t{tag}")
    assert page.get_attribute("html", "data-lit") == tag
    page.mouse.move(5, 400)
    thing(page, "w5").focus()  # from the drawing to the formula, by keyboard
    assert page.get_attribute("html", "data-lit") == tag
    page.locator(f".chips button.t{tag}").focus()
    assert page.get_attribute("html", "data-lit") == tag
    choose(page, "h1")
    page.wait_for_selector("#derivation:has-text('0.15')")
    choose(page, "b1")
    page.wait_for_selector("#derivation .lines")


def test_6_the_text_is_that_of_the_command_line(page):
    fresh(page, "T1")
    choose(page, "w5")
    page.check("#as-text")
    page.wait_for_selector("#derivation pre")
    ours = page.locator("#derivation pre").text_content()
    page.uncheck("#as-text")
    command = [sys.executable, "-m", "deltarule", "explain", "T1", "w5", "--digits", "4"]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    part = ours[ours.index("∂E/∂w5: how") :].strip()
    assert part
    assert part in theirs


def test_7_the_same_drawing_backwards(page):
    fresh(page)
    value, gradient = numbers_of(page, "w5")
    label = page.locator("#net text.label", has_text=re.compile(r"^w5 "))
    forward = label.text_content()
    page.check("#direction-gradients", force=True)
    page.wait_for_selector("#net.gradients")
    backward = label.text_content()
    assert forward != backward
    assert float(backward.split()[1].replace("−", "-")) == pytest.approx(gradient, abs=0.006)
    assert float(forward.split()[1].replace("−", "-")) == pytest.approx(value, abs=0.006)
    assert "δ" in thing_words(page, "h1")


def test_8_a_row_or_the_batch_and_the_sum_term_by_term(page):
    fresh(page)
    page.select_option("#row-kind", "row")
    wait_until(lambda: page.input_value("#row-number").isdigit())
    page.fill("#row-number", "7")
    page.keyboard.press("Enter")
    wait_until(lambda: page.input_value("#row-number") == "7")
    one = numbers_of(page, "w5")
    page.select_option("#row-kind", "batch")
    wait_until(lambda: numbers_of(page, "w5") != one)
    choose(page, "w5")
    page.check("#tab-terms", force=True)
    page.wait_for_selector(".terms .sum")
    cells = page.locator(".terms tr td:nth-child(3)").all_text_contents()
    terms = [float(cell.replace("−", "-").replace("·10⁻⁵", "e-5")) for cell in cells]
    assert len(terms) == 11
    assert sum(terms[:-1]) == pytest.approx(terms[-1], abs=2e-4)
    assert terms[-1] == pytest.approx(numbers_of(page, "w5")[1], abs=1e-4)
    page.check("#tab-derivation", force=True)


def test_9_a_number_is_typed_over_after_a_guess(page):
    fresh(page, "T1")
    thing(page, "w5").focus()
    page.keyboard.type("0.9")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    page.click("dialog button:has-text('Rise')")
    page.wait_for_selector("dialog:has-text('loss rises from')")
    assert numbers_of(page, "w5")[0] == 0.4  # nothing has changed yet
    page.click("dialog button.main")
    wait_until(lambda: numbers_of(page, "w5")[0] == 0.9)
    before = thing(page, "h1").get_attribute("aria-label")
    thing(page, "input:0").focus()
    page.keyboard.type("0.7")
    page.keyboard.press("Enter")
    wait_until(lambda: thing(page, "h1").get_attribute("aria-label") != before)
    assert page.input_value("#row-kind") == "own"


def test_10_why_a_weight_changed(page):
    fresh(page)
    page.fill("#set-l2", "0.01")
    page.keyboard.press("Enter")
    page.select_option("#set-optimizer", "momentum")
    page.wait_for_timeout(200)
    take_steps(page, "batch", 3)
    wait_for_update(page, 3)
    choose(page, "w5")
    page.check("#tab-why", force=True)
    page.wait_for_selector("#derivation table")
    words = page.inner_text("#derivation")
    assert "samples" in words
    assert "penalt" in words or "L2" in words or "l2" in words
    assert "momentum" in words.lower() or "remember" in words
    page.check("#tab-derivation", force=True)


def test_11_shape_and_settings(page):
    fresh(page)
    page.click("#more-1")
    wait_until(lambda: thing(page, "w19").count())
    page.click("#layer-more")
    wait_until(lambda: page.locator("#activation-3").count())
    page.select_option("#activation-1", "relu")
    wait_until(lambda: page.input_value("#activation-1") == "relu")
    page.click("#layer-fewer")
    wait_until(lambda: not page.locator("#activation-3").count())
    page.click("#fewer-1")
    take_steps(page, "batch", 2)
    wait_for_update(page, 2)
    unfold(page, ".more")
    numbers = {"learning_rate": "0.03", "l1": "0.001", "l2": "0.01", "dropout": "0.1", "batch_size": "20"}
    for name, value in numbers.items():
        page.fill(f"#set-{name}", value)
        page.keyboard.press("Enter")
    for name, value in (("optimizer", "adam"), ("loss", "squared_error")):
        page.select_option(f"#set-{name}", value)
    wait_until(lambda: page.input_value("#set-loss") == "squared_error")
    page.wait_for_timeout(300)
    assert page.input_value("#set-learning_rate") == "0.03"
    assert page.input_value("#set-dropout") == "0.1"
    assert page.locator("#timebar .branch").count() > 1
    assert update(page) == 2
    page.fill("#set-batch_size", "many")
    page.keyboard.press("Enter")
    page.wait_for_selector("#notice .error")
    assert page.input_value("#set-batch_size") == "20"
    unfold(page, ".more", False)


def test_12_many_inputs_many_classes_and_numbers(page):
    fresh(page, "iris")
    assert page.locator("#choose-axis-0 option").count() == 4
    page.select_option("#choose-axis-0", "2")
    page.select_option("#choose-axis-1", "3")
    wait_until(lambda: page.inner_text("#axis-x") == "petal length (cm)")
    assert page.locator("#net .target").count() == 3
    take_steps(page, "epoch", 3)
    wait_until(lambda: update(page) > 0)
    unfold(page, "#extra-confusion")
    page.wait_for_selector(".confusion td.hit")
    assert page.locator(".confusion td").count() == 10
    unfold(page, "#extra-confusion", False)
    fresh(page, "waves")
    assert page.locator("#extra-confusion").is_hidden()
    assert "R²" in page.inner_text(".meters")


def test_13_maps_curves_flow_health_and_dead_neurons(page):
    fresh(page)
    colours = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, {0}.width, {0}.height).data).size"
    painted = colours.replace("{0}", "canvas")
    for kind in ("tiles", "plane", "curves"):
        assert page.locator(f"canvas.{kind}").evaluate(painted) > 20
    for part in ("flow", "health"):
        unfold(page, f"#extra-{part}")
    wait_until(lambda: page.locator(".flowrow .bar").count() == 3)
    wait_until(lambda: len(page.inner_text("#extra-health .body")) > 10)
    page.select_option("#activation-1", "relu")
    wait_until(lambda: page.input_value("#activation-1") == "relu")
    thing(page, "b_h1").focus()
    page.keyboard.type("-50")
    page.keyboard.press("Enter")
    page.click("dialog button.quiet")
    page.wait_for_selector("#net .node.dead")
    wait_until(lambda: "dead" in page.inner_text("#extra-health .body").lower())
    for part in ("flow", "health"):
        unfold(page, f"#extra-{part}", False)


def test_14_notation_digits_and_units(page):
    fresh(page, "iris")
    choose(page, "w5")
    tutorial = page.inner_text("#derivation")
    for notation in ("matrix", "column"):
        page.select_option("#choose-notation", notation)
        wait_until(lambda: page.inner_text("#derivation") != tutorial)
    page.select_option("#choose-notation", "tutorial")
    wait_until(lambda: page.inner_text("#derivation") == tutorial)
    page.select_option("#choose-digits", "9")
    wait_until(lambda: re.search(r"0\.\d{8,}", page.inner_text("#derivation")))
    page.select_option("#choose-digits", "4")
    page.select_option("#choose-units", "data")
    data = wait_until(lambda: thing(page, "input:0").get_attribute("aria-label"))
    page.select_option("#choose-units", "scaled")
    wait_until(lambda: thing(page, "input:0").get_attribute("aria-label") != data)
    page.select_option("#choose-units", "data")


def test_15_a_link_restores_everything_and_files_are_saved(page, tmp_path):
    fresh(page)
    take_steps(page, "batch", 4)
    wait_for_update(page, 4)
    choose(page, "w5")
    page.select_option("#choose-digits", "6")
    page.select_option("#choose-notation", "matrix")
    derivation = wait_until(
        lambda: re.search(r"𝑊[^.]+0\.\d{6}", text := page.inner_text("#derivation"), re.S) and text
    )
    value = numbers_of(page, "w5")
    page.click("#open-save")
    page.click("#make-link")
    link = wait_until(lambda: page.input_value("#link"))
    assert link == page.url
    other = page.context.new_page()
    ready(other, link)
    wait_for_update(other, 4)
    assert numbers_of(other, "w5") == value
    wait_until(lambda: other.locator("#derivation").count() and other.inner_text("#derivation") == derivation)
    other.close()
    page.evaluate("history.replaceState(null, '', location.pathname)")
    choose(page, "w5")
    page.select_option("#choose-notation", "tutorial")
    page.select_option("#choose-digits", "4")
    page.click("#open-save")
    formats = [button.get_attribute("data-format") for button in page.locator(".file").all()]
    assert {"model", "python", "c", "javascript", "html", "worksheet", "svg", "png"} <= set(formats)
    for name in formats:
        with page.expect_download() as found:
            page.click(f"[data-format={name}]")
        path = tmp_path / found.value.suggested_filename
        found.value.save_as(path)
        assert path.stat().st_size > 200
        if name == "png":
            assert path.read_bytes()[:4] == b"\x89PNG"
        if name == "svg":
            assert b"data:image/png" in path.read_bytes()


def test_16_by_hand_with_hints_and_follow_through(page):
    fresh(page, "T1")
    page.click("#open-hand")
    page.click("#hand-start")
    page.wait_for_selector("#hand [data-blank]")
    assert "Given" in page.inner_text("#hand")
    assert "?" in thing_words(page, "h1")  # what is asked for is not to be seen
    fill = lambda name, text: page.fill(f'[data-blank="{name}"]', text)  # noqa: E731
    fill("net_h1", "0,3775")
    fill("out_h1", "0.5933")
    fill("net_h2", "0.4925")  # an error of 0.1
    fill("out_h2", "0.6207")  # right from there on
    page.click("#hand-mark")
    page.wait_for_selector("#hand-result:has-text('points')")
    expected = {
        "net_h1": "right",
        "out_h1": "right",
        "net_h2": "wrong",
        "out_h2": "follows",
        "net_o1": "empty",
    }
    assert {name: page.get_attribute(f'[data-blank="{name}"]', "class") for name in expected} == expected
    assert "3 of" in page.inner_text("#hand-result")
    page.click("[data-hint=net_o1]")
    wait_until(lambda: "w5" in page.inner_text(".sides:has([data-blank=net_o1]) .words"))


def test_17_code_is_checked_and_an_endless_loop_ended(page):
    fresh(page)
    take_steps(page, "batch", 2)
    wait_for_update(page, 2)
    page.click("#open-code")
    page.fill("#code", WRONG)
    page.click("#code-run")
    page.wait_for_selector("#code-result pre", timeout=40_000)
    assert "mistake" in page.inner_text("#code-result")
    assert "delta1" in page.inner_text("#code-result code")
    page.fill("#code", ENDLESS)
    page.click("#code-run")
    page.wait_for_selector("#code-end:visible")
    page.wait_for_timeout(500)
    page.click("#code-end")
    page.wait_for_selector("#code-result:has-text('was stopped')", timeout=30_000)
    page.keyboard.press("Escape")
    take_steps(page, "batch")
    page.wait_for_selector("#timebar[aria-valuenow='3']", timeout=60_000)


def test_18_the_tour_and_the_five_scenes(page):
    fresh(page)
    for scene, steps in (("tour", 8), ("T1", 5), ("T2", 3), ("T3", 3), ("T4", 3), ("T5", 4)):
        page.click("#open-tour")
        page.click(f"[data-scene={scene}]")
        for step in range(1, steps + 1):
            page.wait_for_selector(f"#tour:has-text('{step} / {steps}')")
            page.wait_for_timeout(300)
            page.click("#tour-next")
        page.wait_for_selector("#tour", state="hidden")
    page.keyboard.press("Escape")


def test_no_request_leaves(page, address):
    host = address.split("/")[2]
    assert page.requests
    assert all(url.split("/")[2] == host for url in page.requests if not url.startswith(("data:", "blob:")))
