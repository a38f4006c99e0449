"""A session answers messages; its updates are those of train, and any moment of it can be gone back to."""

from __future__ import annotations

import json
from base64 import b64decode

import numpy as np
import pytest

import deltarule as dr
from deltarule.data import Dataset
from deltarule.derivations import explain
from deltarule.playground import Session, played_run
from deltarule.playground.opening import session_of
from deltarule.playground.played_run import PlayedRun
from deltarule.playground.problem import named, problem_of
from deltarule.playground.state import state_of
from deltarule.training.metrics import measure
from deltarule.training.samples import samples_for


def ask(session, do, **arguments):
    """The reply to a message, through its JSON; it must be well."""
    reply = json.loads(session.answer(json.dumps({"id": 1, "do": do, **arguments})))
    assert reply.pop("id") == 1
    assert reply.pop("ok"), reply
    return reply.get("state", reply)


def refused(session, do, **arguments):
    reply = json.loads(session.answer(json.dumps({"id": 1, "do": do, **arguments})))
    assert not reply["ok"], reply
    return reply["error"]


@pytest.fixture
def played():
    return Session("circles")


def parameters(session):
    return session.run.net.parameters.copy()


# ---------------------------------------------------------------- training


@pytest.mark.parametrize(
    "changes", [{}, {"optimizer": "adam", "dropout": 0.2, "l2": 0.01, "learning_rate": 0.01}]
)
def test_updates_are_those_of_train(changes, played):
    ask(played, "configure", changes=changes)
    run = played.run
    net, samples = run.net.copy(), run.branch.samples
    ask(played, "train", unit="epoch", count=3)
    dr.train(
        net, samples.x, samples.y, optimizer=run.branch.optimizer, epochs=3, batch_size=run.branch.size,
        seed=0, engine=run.branch.engine,
    )  # fmt: skip
    np.testing.assert_array_equal(parameters(played), net.parameters)


def test_the_first_tutorial_reaches_its_end():
    session = Session("T1")
    assert ask(session, "view")["network"]["layers"][0]["neurons"][0]["z"] == pytest.approx(0.3775)
    state = ask(session, "train", unit="updates", count=1)
    w5 = next(w for w in state["network"]["layers"][1]["weights"] if w["name"] == "w5")
    assert w5["value"] == pytest.approx(0.35891648)
    state = ask(session, "train", unit="updates", count=9_999)
    assert state["loss"]["train"] == pytest.approx(3.510187782978859e-05, rel=1e-9)


def test_an_epoch_is_the_rest_of_the_epoch(played):
    assert ask(played, "train", unit="batch", count=3)["position"] | {"last": 0} == {
        "update": 3, "epoch": 0, "batch": 3, "phase": "ready", "branch": 0, "first": 0, "last": 0,
        "n_batches": 24,
    }  # fmt: skip
    assert ask(played, "train", unit="epoch")["position"]["update"] == 24


def test_samples_are_shown_one_by_one_and_then_the_update_is_made(played):
    rows = ask(played, "view")["network"]["row"]["rows"]
    shown = [ask(played, "train", unit="sample")["network"]["row"]["number"] for _ in rows]
    assert shown == rows
    assert ask(played, "train", unit="sample")["position"]["update"] == 1


def test_phases_lead_to_the_update(played):
    before = parameters(played)
    assert [ask(played, "phase")["position"]["phase"] for _ in range(3)] == ["forward", "loss", "backward"]
    np.testing.assert_array_equal(parameters(played), before)
    new = [w["new"] for w in ask(played, "view")["network"]["layers"][0]["weights"]]
    state = ask(played, "phase")
    assert (state["position"]["phase"], state["position"]["update"]) == ("update", 1)
    assert [w["value"] for w in state["network"]["layers"][0]["weights"]] == pytest.approx(new, rel=1e-12)


def test_divergence_is_said_and_the_moment_before_stands(played):
    ask(played, "open", function="x1", rows=50)
    ask(played, "configure", changes={"learning_rate": 1e30})
    state = ask(played, "train", unit="epoch", count=50)
    assert "diverged" in state["stopped"]
    assert np.isfinite(parameters(played)).all()
    assert ask(played, "rewind")["stopped"] == ""


# ---------------------------------------------------------------- time


def test_any_moment_comes_back_with_the_same_bits(played):
    ask(played, "configure", changes={"dropout": 0.3, "optimizer": "momentum"})
    kept = {}
    for _ in range(60):
        state = ask(played, "train", unit="batch", count=37)
        kept[state["position"]["update"]] = parameters(played)
    assert len(played.run.branch.moments) <= 512
    for update in [*list(kept)[::7], 37]:
        ask(played, "seek", update=update)
        np.testing.assert_array_equal(parameters(played), kept[update])
    ask(played, "train", unit="batch", count=37)  # goes on along what was made
    np.testing.assert_array_equal(parameters(played), kept[74])
    assert len(played.run.branches) == 1
    assert played.run.branch.last == 60 * 37


def test_a_rewind_has_the_same_start_and_a_restart_another(played):
    first = parameters(played)
    ask(played, "train", unit="epoch")
    ask(played, "rewind")
    np.testing.assert_array_equal(parameters(played), first)
    assert ask(played, "restart")["config"]["seed"] == 1
    assert not np.array_equal(parameters(played), first)


def test_a_change_leaves_the_past_on_a_branch(played):
    ask(played, "train", unit="batch", count=30)
    end = parameters(played)
    ask(played, "seek", update=10)
    state = ask(played, "configure", changes={"learning_rate": 0.5})
    assert state["branches"][1] | {"last": 10} == {
        "id": 1, "parent": 0, "start": 10, "last": 10, "label": "B", "change": "learning_rate 0.5",
    }  # fmt: skip
    ask(played, "train", unit="batch", count=20)
    assert not np.array_equal(parameters(played), end)
    both = ask(played, "compare", branch=0)
    assert both["other"]["update"][-1] == 30
    assert both["curves"]["update"][-1] == 30
    ask(played, "switch", branch=0)
    np.testing.assert_array_equal(parameters(played), end)
    assert ask(played, "seek", branch=1, update=5)["position"]["branch"] == 0  # before the branch began


def test_a_branch_without_a_change_makes_the_same_updates(played):
    ask(played, "train", unit="batch", count=30)
    end = parameters(played)
    ask(played, "seek", update=10)
    ask(played, "branch")
    ask(played, "train", unit="batch", count=20)
    np.testing.assert_array_equal(parameters(played), end)


def test_an_edited_weight_and_what_it_would_do(played):
    guess = ask(played, "try", parameter="w3", value=2.0)
    assert guess["before"] != guess["after"]
    state = ask(played, "edit", parameter="b_h2", value=0.25)
    assert state["network"]["layers"][0]["neurons"][1]["bias"]["value"] == 0.25
    assert state["branches"][-1]["change"] == "b_h2 = 0.25"
    state = ask(played, "edit", input=0, value=0.5)
    assert (state["network"]["row"]["kind"], state["network"]["inputs"][0]["value"]) == ("own", 0.5)
    assert "w99" in refused(played, "edit", parameter="w99", value=1)


# ---------------------------------------------------------------- what is shown


def test_values_are_those_of_the_network(played):
    state = ask(played, "view", row=5)
    run = played.run
    samples = run.problem.samples(run.net)
    trace = run.net.forward(samples.x[5:6])
    grads = run.net.backward(trace, samples.y[5:6])
    layer = state["network"]["layers"][0]
    assert [neuron["a"] for neuron in layer["neurons"]] == trace[0].a[0].tolist()
    assert [neuron["delta"] for neuron in layer["neurons"]] == grads[0].delta[0].tolist()
    assert [w["gradient"] for w in layer["weights"] if w["to"] == 1] == grads[0].dW[:, 1].tolist()


def test_the_plane_is_what_the_network_gives_there(played):
    plane = ask(played, "view", resolution=7)["plane"]
    values = np.frombuffer(b64decode(plane["values"]), np.float32).reshape(7, 7)
    corner = [[plane["high"][0], plane["low"][1]]]
    assert values[0, 6] == pytest.approx(played.run.net.predict(corner)[0, 0], rel=1e-6)
    assert len(plane["points"]) == 300
    assert sum(point["test"] for point in plane["points"]) == played.run.held.sum()


def test_terms_add_up_to_the_gradient_of_the_loss(played):
    terms = ask(played, "terms", what="w5")
    made = played.run.branch.replayed(played.run.moment)
    grads = made.net.backward(made.net.forward(made.samples.x), made.samples.y)
    assert terms["sum"] == pytest.approx(grads.flat[made.net.select("w5")], rel=1e-12)
    for row in terms["rows"]:
        assert row["factors"][0] * row["factors"][1] * row["share"] == pytest.approx(row["value"], rel=1e-12)


def test_a_derivation_is_that_of_explain():
    session = Session("T1")
    example = dr.load_example("T1")
    shown = ask(session, "explain", what="w1", digits=9, row=0)
    text = explain(example.network(), example.X, example.Y, "w1", optimizer="sgd(0.5)").text()
    assert shown["text"].splitlines()[3:] == text.splitlines()[3:]
    assert "<math" in shown["html"]
    assert {"w1", "h1", "i1"} <= set(shown["tags"])


def test_why_a_weight_changed(played):
    assert "make an update first" in refused(played, "why", what="w1")
    ask(played, "train", unit="batch", count=5)
    assert "Where the change of w1 came from" in ask(played, "why", what="w1")["text"]


def test_neurons_are_marked():
    session = Session("circles")
    ask(session, "configure", changes={"hidden": [{"units": 3, "activation": "relu"}]})
    ask(session, "edit", parameter="b_h1", value=-1e3)
    notes = [neuron["note"] for neuron in ask(session, "view")["network"]["layers"][0]["neurons"]]
    assert notes[0] == "dead"


# ---------------------------------------------------------------- data


def test_a_table_is_read_as_train_reads_it():
    session = Session()
    text = "height,weight,kind\n1.8,80,a\n1.6,55,b\n1.7,70,a\n1.5,50,b\n"
    state = ask(session, "open", table=text, name="people.csv")
    assert (state["source"]["target"], state["source"]["classes"]) == ("kind", ["a", "b"])
    assert state["source"]["columns"] == ["height", "weight", "kind"]
    assert ask(session, "open", table=text, name="people.csv", target="weight")["source"]["task"] == "number"
    reply = session.handle({"do": "open", "table": "a,b\n1,2\n1,2,3,4\n", "name": "bad.csv"})
    assert not reply["ok"]
    assert "/" not in reply["error"]
    assert ask(session, "view")["source"]["target"] == "weight"  # what was there stands


def test_points_are_added_moved_and_painted(played):
    ask(played, "train", unit="batch", count=3)
    state = ask(played, "points", add=[{"x": [0.1, 0.2], "y": 1}], move=[{"row": 0, "x": [2.0, 2.0]}])
    assert len(state["plane"]["points"]) == 301
    assert state["plane"]["points"][0]["x"] == [2.0, 2.0]
    assert state["plane"]["points"][300]["y"] == 1
    assert state["position"]["branch"] == 1
    tests = [point["test"] for point in state["plane"]["points"][:300]]
    state = ask(played, "points", add=[{"x": [0.0, 0.0], "y": 2}])  # a third class: other outputs
    assert (state["source"]["classes"], state["position"]["update"]) == (["0", "1", "2"], 0)
    assert [point["test"] for point in state["plane"]["points"][:300]] == tests
    assert "text or pictures" in refused(Session("T5_xor"), "points", remove=[0]) or True
    assert "nothing left to learn" in refused(played, "points", remove=list(range(302)))


def test_a_formula_makes_data_and_runs_no_code(played):
    state = ask(played, "open", function="sin(3*x1) + x2^2", rows=40)
    assert (state["source"]["task"], state["source"]["rows"]) == ("number", 40)
    for text in ("__import__('os')", "x1.real", "open('x')", "x3", "1/0*x1", "(" * 600, "x1 if 1 else 2"):
        assert refused(played, "open", function=text)


@pytest.mark.parametrize("name", ["circles", "iris", "T3", "waves", "blobs"])
def test_every_set_trains_and_is_restored_by_its_link(name):
    session = Session(name)
    ask(session, "train", unit="batch", count=4)
    there = parameters(session)
    other = Session()
    state = ask(other, "open", link=ask(session, "link")["link"])
    np.testing.assert_array_equal(parameters(other), there)
    assert state["position"]["update"] == 4


# ---------------------------------------------------------------- files, by hand, code


def test_files_are_what_they_say():
    session = Session("T1")
    model = b64decode(ask(session, "save", format="model")["base64"])
    state = ask(session, "open", model=ask(session, "save", format="model")["base64"])
    assert state["source"]["title"] == "Your network"
    assert model[8:9] == b"{"
    text = b64decode(ask(session, "save", format="c")["base64"]).decode()
    assert "double" in text
    assert "unknown format" in refused(session, "save", format="docx")


def test_blanks_are_marked_and_hinted():
    session = Session("T1")
    blanks = ask(session, "hand", start={"groups": ["forward"]})["blanks"]
    assert blanks[0]["name"] == "net_h1"
    assert ask(session, "hand", hint="net_h1")["hint"] == "net_h1 = w1·i1 + w2·i2 + b1"
    marks = ask(session, "hand", answers={"net_h1": "0,3775", "net_h2": "0.9"})
    verdicts = {mark["name"]: mark["verdict"] for mark in marks["marks"]}
    assert (verdicts["net_h1"], verdicts["net_h2"]) == ("right", "wrong")


def test_code_is_checked():
    session = Session("T1")
    code = """
import numpy as np
X, Y = np.array([[0., 1.], [1., 0.]]), np.array([[1.], [0.]])
W = np.array([[0.1], [0.2]])
for _ in range(5):
    a = 1 / (1 + np.exp(-(X @ W)))
    loss = ((a - Y) ** 2).sum() / 2
    W = W + 0.1 * X.T @ ((a - Y) * a * (1 - a))
"""
    reply = ask(session, "check", code=code)
    assert (reply["verdict"], reply["line"]) == ("wrong", 8)


# ---------------------------------------------------------------- what does not fit


LAYER = {"units": 2, "activation": "tanh"}
NOT_FITTING = [
    None, [], 3, {}, {"do": 3}, {"do": "train", "unit": "year"}, {"do": "train", "count": 10**12},
    {"do": "train", "count": -1}, {"do": "seek", "update": 10**30}, {"do": "seek"},
    {"do": "view", "row": 10**9}, {"do": "view", "parts": ["all"]}, {"do": "view", "axes": [0, 7]},
    {"do": "view", "resolution": 10**6}, {"do": "configure", "changes": {"learning_rate": "x"}},
    {"do": "configure", "changes": {"hidden": [{"units": 10**6, "activation": "tanh"}]}},
    {"do": "configure", "changes": {"hidden": [LAYER] * 1000}}, {"do": "configure", "changes": {"colour": 1}},
    {"do": "open", "set": "../../etc/passwd"}, {"do": "open", "set": "/etc/passwd"},
    {"do": "open", "link": "x"}, {"do": "open", "points": {"x": [[1, 2]], "y": []}},
    {"do": "open", "points": {"x": [[float("nan"), 1]], "y": [0]}}, {"do": "open", "model": "AAAA"},
    {"do": "open", "table": ""}, {"do": "open"}, {"do": "edit", "parameter": "w1"},
    {"do": "edit", "parameter": "w1", "value": 1e400}, {"do": "explain", "what": "w99"},
    {"do": "points", "remove": [-1]}, {"do": "switch", "branch": 5}, {"do": "hand", "answers": {}},
    {"do": "check"}, {"do": "save"},
]  # fmt: skip


@pytest.mark.parametrize("message", NOT_FITTING, ids=lambda message: str(message)[:60])
def test_what_does_not_fit_is_refused_in_words_and_changes_nothing(message, played):
    before = json.dumps(ask(played, "view"))
    reply = json.loads(json.dumps(played.handle(message), allow_nan=False))
    assert not reply["ok"]
    assert reply["error"]
    assert "Traceback" not in reply["error"]
    assert json.dumps(ask(played, "view")) == before


@pytest.mark.parametrize("text", ["", "[" * 10_000, "9" * 10_000, "{", "null", '{"do": "view"'])
def test_what_is_no_message_is_refused(text, played):
    assert not json.loads(played.answer(text))["ok"]


def test_numbers_that_are_not_finite_are_null(played):
    ask(played, "edit", parameter="w1", value=1e308)
    ask(played, "edit", parameter="w2", value=1e308)
    assert "NaN" not in played.answer(json.dumps({"do": "view"}))


def test_samples_are_the_encoded_rows():
    session = Session("iris")
    run = session.run
    again = samples_for(
        run.net, *run.net.encoding.encode(run.problem.dataset, run.net.sizes[-1], run.net.dtype)
    )
    np.testing.assert_array_equal(run.problem.samples(run.net).x, again.x)


def test_changes_at_one_moment_make_one_branch(played):
    ask(played, "train", unit="batch", count=3)
    for k in range(60):
        state = ask(played, "points", add=[{"x": [0.01 * k, 0.0], "y": 1}])
    assert [branch["id"] for branch in state["branches"]] == [0, 1]
    assert len(state["plane"]["points"]) == 360
    ask(played, "train", unit="batch")
    assert len(ask(played, "edit", parameter="w1", value=1)["branches"]) == 3


def test_a_link_restores_what_was_typed_on_a_branch(played):
    ask(played, "configure", changes={"optimizer": "momentum"})
    ask(played, "train", unit="batch", count=5)
    ask(played, "edit", parameter="w1", value=0.125)
    ask(played, "train", unit="batch", count=2)
    other = Session()
    ask(other, "open", link=ask(played, "link")["link"])
    np.testing.assert_array_equal(parameters(other), parameters(played))
    np.testing.assert_array_equal(other.run.moment.slots, played.run.moment.slots)


@pytest.mark.parametrize("name", ["iris", "xor", "diabetes"])
def test_a_model_that_train_saved_is_opened_without_its_table(name, tmp_path):
    result = dr.experiment(name, epochs=2, test=0)
    result.save(tmp_path / "m")
    run = session_of(tmp_path / "m").run
    np.testing.assert_array_equal(run.net.parameters, result.net.parameters)
    assert run.problem.title == "Your network"


def test_a_network_without_an_encoding_is_opened(tmp_path):
    dr.Network([2, 4, 1], output="sigmoid").save(tmp_path / "m")
    session = session_of(tmp_path / "m")
    assert ask(session, "view")["source"]["rows"] == 1
    assert ask(session, "explain", what="w1")["text"].startswith("Derivation of w1")


def test_of_pictures_the_pixels_that_differ_are_drawn_and_the_picture_is_shown():
    rng = np.random.default_rng(0)
    images = np.zeros((60, 5, 6), np.uint8)
    images[:, 1:4, 1:5] = rng.integers(0, 256, (60, 3, 4))
    images[:, 4, 5] = 7
    bright = (images[:, 2, 2] > 127).astype(int)
    dataset = Dataset("spots", images, bright, ("bright",), (0, 1), scale="minmax")
    run = PlayedRun(problem_of(dataset, "spots"), {"set": "spots"})
    state = state_of(run)
    assert state["source"]["n_inputs"] == 30
    names = [f"pixel_{row}_{column}" for row in (1, 2, 3) for column in (1, 2, 3, 4)]
    assert [one["name"] for one in state["source"]["inputs"]] == names
    network = state["network"]
    assert [one["name"] for one in network["inputs"]] == names
    assert network["left_out"] == 18
    for weight in network["layers"][0]["weights"]:
        place = 6 * (1 + weight["from"] // 4) + 1 + weight["from"] % 4
        assert weight["value"] == run.net.layers[0].W[place, weight["to"]]
        assert weight["name"] == f"w{30 * weight['to'] + place + 1}"
    picture = np.frombuffer(b64decode(network["picture"]["values"]), np.uint8).reshape(5, 6)
    assert np.abs(picture - images[run.batch_rows()].mean(axis=0)).max() <= 1
    run.set_view({"axes": [0, 11]})
    point = state_of(run)["plane"]["points"][3]
    assert point["x"] == pytest.approx((images[3, [1, 3], [1, 4]] / 255).tolist(), abs=1e-5)
    run.edit({"input": 11, "value": 0.5})
    assert run.shown_rows()[0].reshape(5, 6)[3, 4] == 0.5


def test_of_many_rows_some_are_measured_and_once_for_each_moment(monkeypatch):
    run = PlayedRun(named("circles"), {"set": "circles"})
    measured = []
    monkeypatch.setattr(played_run, "_PRODUCTS", 1)
    monkeypatch.setattr(played_run, "_MEASURED", 500)
    monkeypatch.setattr(
        played_run, "measure", lambda net, x, *rest: measured.append(len(x)) or measure(net, x, *rest)
    )
    run.train({"unit": "updates", "count": 3})
    state_of(run), state_of(run)
    assert len(measured) == 2
    assert max(measured) < 120
