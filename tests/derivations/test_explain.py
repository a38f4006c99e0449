"""explain: the right numbers, each line true by itself, in every notation; what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deltarule.data import load
from deltarule.derivations import explain, explain_update
from deltarule.derivations.derivation import FORMATS
from deltarule.derivations.notation import NOTATIONS
from deltarule.documents.document import Lines, TableBlock
from deltarule.errors import InputError, ShapeError
from deltarule.formula.emitter import is_numeric, worked_out
from deltarule.formula.tree import Matrix, Number
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep
from deltarule.training import train
from deltarule.training.replay import replay
from deltarule.tutorials import load_example

from .networks import N_NETWORKS, every_name, random_case

GRADIENT_STEPS = [name for name in OPTIMIZERS if isinstance(OPTIMIZERS.resolve(name), GradientStep)]


def of_example(name, what, **settings):
    example = load_example(name)
    settings.setdefault("optimizer", example.training.get("optimizer"))
    return explain(example.network(), example.X, example.Y, what, **settings)


def lines_of(derivation):
    return [line for block in derivation.document.blocks if isinstance(block, Lines) for line in block.lines]


def check_lines(derivation):
    """The numbers of each line give its value."""
    checked = 0
    for line in lines_of(derivation):
        *_, before, value = line.sides
        if is_numeric(before) and is_numeric(value) and not _has_matrix(before) and len(line.sides) > 2:
            with np.errstate(all="ignore"):
                found, said = float(worked_out(before)), float(worked_out(value))
            if not np.isfinite(found):
                assert "log 0 and 1/0 finite" in line.note[-1], line
                continue
            assert abs(found - said) <= 1e-12 * max(1, abs(said)), line
            checked += 1
    return checked


def _has_matrix(node):
    return isinstance(node, Matrix) or any(map(_has_matrix, node.parts))


# ---------------------------------------------------------------------- the published examples

T1 = {
    "w5": {"∂E/∂out_o1": 0.7413650695523157, "∂out_o1/∂net_o1": 0.18681560180895948,
           "∂net_o1/∂w5": 0.5932699921071872, "∂E/∂w5": 0.0821670405642308, "w5": 0.3589164797178847},
    "w1": {"∂E/∂w1": 0.0004385677344743, "w1": 0.1497807161327628},
}  # fmt: skip
T4 = {
    "w6": {"∂E/∂out_o1": 0.248598311, "∂out_o1/∂net_o1": 0.18819888, "∂net_o1/∂w6": 0.601327636,
           "∂E/∂w6": 0.028133669, "w6": 0.347186633},
    "w1": {"∂E_o1/∂out_h1": 0.0140357770958667, "∂E_o2/∂out_h1": -0.0102386287731701,
           "∂E/∂out_h1": 0.0037971483226966, "∂out_h1/∂net_h1": 0.2395375380175078,
           "∂E/∂w1": 0.0000181911912141, "w1": 0.2499981808808786},
}  # fmt: skip


@pytest.mark.parametrize(("name", "figures"), [("T1", T1), ("T4", T4)])
@pytest.mark.parametrize("notation", list(NOTATIONS))
def test_every_factor_of_the_tutorials_is_there(name, figures, notation):
    for what, expected in figures.items():
        derivation = of_example(name, what, notation=notation)
        assert check_lines(derivation) > 1
        if notation == "tutorial":
            for quantity, value in expected.items():
                assert derivation.values[quantity] == pytest.approx(value, abs=6e-10), quantity
        found = np.array(list(derivation.values.values()))
        for value in expected.values():
            assert np.abs(found - value).min() < 6e-10


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "pdf"])
@pytest.mark.parametrize("notation", list(NOTATIONS))
def test_every_figure_is_printed_to_the_last_digit_in_every_format(format, notation):
    for name, figures in (("T1", T1), ("T4", T4)):
        made = of_example(name, list(figures), notation=notation, digits=9).to(format).decode()
        for expected in figures.values():
            for value in expected.values():
                assert _digits(value) in made, (name, value)


def _digits(value):
    """The first six digits, wherever the point is."""
    return (
        f"{abs(value):.8e}"[0] + "." + f"{abs(value):.8e}"[2:7]
        if abs(value) < 1e-4
        else f"{abs(value):.8g}"[:8]
    )


def test_the_reference_figures_of_t1_are_all_explained():
    exact = load_example("T1").exact
    derivation = of_example("T1", "all")
    for name in (*(f"net_{n}" for n in ("h1", "h2", "o1", "o2")), "out_h1", "out_o2", "E_o1", "E"):
        assert derivation.values[name] == pytest.approx(exact[name], rel=1e-13)
    for n in ("h1", "h2", "o1", "o2"):
        assert derivation.values[f"δ_{n}"] == pytest.approx(exact[f"delta_{n}"], rel=1e-11)
    for i in range(1, 9):
        assert derivation.values[f"∂E/∂w{i}"] == pytest.approx(exact[f"dE_dw{i}"], rel=1e-11)


# ---------------------------------------------------------------------- every kind of network


@pytest.mark.parametrize(
    "seed", [*range(30), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(30, N_NETWORKS))]
)
def test_each_line_is_true_and_values_are_those_of_backward(seed):
    net, X, Y, masks = random_case(seed)
    state = None if masks is None else masks.bit_generator.state
    notation, detail = list(NOTATIONS)[seed % 3], ["chain", "delta"][seed % 2]
    derivation = explain(
        net, X, Y, every_name(net), notation=notation, detail=detail, rng=masks, optimizer="adam"
    )
    assert check_lines(derivation) > 3
    if masks is not None:
        masks.bit_generator.state = state
    grads = net.backward(net.forward(X, masks), Y)
    values = [v for name, v in derivation.values.items() if name.startswith("∂") and "/∂" in name]
    for slope in (grads[0].dW[0, 0], grads[-1].dW[0, 0]):
        assert np.abs(np.array(values) - slope).min() <= 1e-12 * max(1, abs(slope))


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "pdf"])
@pytest.mark.parametrize(
    "seed",
    [pytest.param(n, marks=[pytest.mark.slow] if n % 4 else []) for n in range(0, N_NETWORKS, 9)],
)
def test_every_format_takes_every_kind_of_network(seed, format):
    net, X, Y, masks = random_case(seed)
    made = explain(net, X, Y, every_name(net), rng=masks, notation=list(NOTATIONS)[seed % 3]).to(format)
    assert len(made.decode()) > 200


def test_a_large_network_is_explained_in_a_page_one_can_read():
    net = Network([784, 200, 80, 10], output="softmax", seed=0)
    X = np.random.default_rng(0).random((1, 784))
    text = explain(net, X, [3], "W1[2,7]").text()
    assert "along 800 paths" in text
    assert "the 5 largest of 800 paths" in text
    assert len(text.splitlines()) < 90
    assert max(map(len, text.splitlines())) <= 100


def test_ascii_text_is_ascii():
    for what in ("w5", "all", "layer2"):
        assert of_example("T1", what).text(ascii=True).isascii()


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_text_is_no_wider_than_asked(columns):
    for what, notation in (("all", "tutorial"), ("w1", "column"), ("all", "matrix")):
        text = of_example("T1", what, notation=notation).text(columns)
        assert max(map(len, text.splitlines())) <= columns


# ---------------------------------------------------------------------- batches, penalties, softmax


def test_one_sample_of_a_batch_is_that_batch_alone():
    example = load_example("T5_xor")
    net = example.network()
    one = explain(net, example.X, example.Y, "W2[1,0]", sample=1)
    alone = explain(net, example.X[1:2], example.Y[1:2], "W2[1,0]")
    assert one.values == alone.values


def test_sample_weights_count():
    net = Network([2, 2, 1], output="sigmoid", seed=1)
    X, Y, weight = [[1.0, 2.0], [0.5, -1.0]], [1, 0], [3.0, 1.0]
    derivation = explain(net, X, Y, "W1[0,1]", sample_weight=weight)
    assert derivation.values["∂L/∂E[0]"] == 0.75
    assert derivation.values["∂L/∂W1[0,1]"] == net.backward(net.forward(X), Y, weight)[0].dW[0, 1]
    check_lines(derivation)


def test_softmax_shows_the_jacobian_and_the_short_form():
    text = of_example("T5_xor", "W2[1,0]", sample=1).text()
    assert "affects all of them" in text
    assert "With cross-entropy this simplifies" in text


def test_a_saturated_output_is_said_to_be_so():
    net = Network([1, 1], output="sigmoid", bias="none")
    net.set_weights({"w1": 800.0})
    text = explain(net, [[1.0]], [[0.0]], "w1").text()
    assert "training uses the short form" in text


def test_frozen_parameters_stay():
    assert "b1 is frozen" in of_example("T1", "b1").text()


def test_a_formula_that_was_given_as_text_is_printed_as_it_is():
    from deltarule.nn.activations import Activation

    cube = Activation("cube", lambda z: z**3, lambda z, a: 3 * z**2, "z cubed", "three z squared")
    net = Network([1, 1, 1], activation=cube)
    text = explain(net, [[1.0]], [[1.0]], ["a1[0]", "w1"]).text()
    assert "z cubed" in text
    assert "three z squared" in text


# ---------------------------------------------------------------------- updates


@pytest.mark.parametrize("clip", ["", ", clip_norm=0.001"])
@pytest.mark.parametrize("name", GRADIENT_STEPS)
def test_the_update_is_the_optimizers_own(name, clip):
    example = load_example("T1")
    net = example.network()
    net.unfreeze()
    optimizer = f"{name}(0.1{clip})"
    derivation = explain(net, example.X, example.Y, ["w5", "w1", "b2"], optimizer=optimizer)
    check_lines(derivation)
    train(net, example.X, example.Y, optimizer=optimizer, epochs=1, batch_size=None, engine="reference")
    for what in ("w5", "w1", "b2"):
        assert derivation.values[what] == pytest.approx(
            float(net.parameters[net.select(what)].item()), rel=1e-13
        )


def batches_of_wine(optimizer, dropout=0.2, **settings):
    data = load("wine")
    labels = np.unique(data.y, return_inverse=True)[1]
    X = (data.X - data.X.mean(axis=0)) / data.X.std(axis=0)
    net = Network([13, 6, 3], output="softmax", l2=0.01, l1=0.001, dropout=dropout, seed=2)
    history = train(net, X, labels, optimizer=optimizer, epochs=4, batch_size=32, seed=5, **settings)
    return net, history


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("name", GRADIENT_STEPS)
def test_a_step_of_a_real_run_is_explained_exactly(name, engine):
    if engine == "compiled":
        pytest.importorskip("numba")
    net, history = batches_of_wine(f"{name}(cosine(0.01))", engine=engine)
    last = history.epochs * 6
    derivation = explain_update(history, last, "W2[1,2]")
    assert derivation.values["W2[1,2]"] == pytest.approx(float(net.layers[1].W[1, 2]), rel=1e-12)
    parts, together = change_table(derivation)
    assert sum(parts) == pytest.approx(together, rel=1e-9, abs=1e-15)


def change_table(derivation):
    (table,) = [
        block
        for block in derivation.document.blocks
        if isinstance(block, TableBlock) and block.header[0] == "part"
    ]
    amounts = [row[1].number for row in table.rows if isinstance(row[1], Number)]
    return amounts[:-1], amounts[-1]


def test_replay_stands_where_the_run_stood():
    _, history = batches_of_wine("adam(0.01)")
    seen = []
    net, again = batches_of_wine("adam(0.01)", callbacks=[lambda run: seen.append(run.net.parameters.copy())])
    for epoch in (1, 2, 3):
        moment = replay(history, epoch * 6 + 1)
        assert moment.net.parameters.tolist() == seen[epoch - 1].tolist()
        assert (moment.epoch, moment.batch) == (epoch + 1, 1)
    assert replay(again, 1).net.parameters.tolist() != net.parameters.tolist()


def test_pulls_of_the_samples_are_named_by_their_rows():
    _, history = batches_of_wine("sgd(0.1)", dropout=0.0)
    text = explain_update(history, 3, "b2[0]").text()
    assert "Update 3: epoch 1, batch 3, 32 samples" in text
    assert "27 others" in text


def test_a_run_that_cannot_be_made_again_says_so():
    pytest.importorskip("scipy")
    net = Network([2, 1], output="sigmoid")
    history = train(net, [[0.0, 1.0], [1.0, 0.5]], [0, 1], optimizer="lbfgs", epochs=2, batch_size=None)
    with pytest.raises(InputError, match="L-BFGS"):
        explain_update(history, 1, "w1")
    _, history = batches_of_wine("sgd(0.1)")
    with pytest.raises(InputError, match="1 to 24, got 25"):
        explain_update(history, 25, "w1")


# ---------------------------------------------------------------------- by hand


def test_by_hand_rounds_at_each_step_and_says_how_far_that_leads():
    derivation = of_example("T4", "w6", by_hand=3)
    assert derivation.values["∂E/∂out_o1"] == 0.249
    assert derivation.values["∂out_o1/∂net_o1"] == 0.188
    assert derivation.values["∂E/∂w6"] == round(0.249 * 0.188 * 0.601, 3)
    assert "Every step was rounded to 3 decimals" in derivation.text()


def test_by_hand_with_many_decimals_is_exact():
    for seed in range(0, N_NETWORKS, 11):
        net, X, Y, _ = random_case(seed)
        by_hand = explain(net, X, Y, "W1[0,0]", by_hand=15).values
        for name, value in explain(net, X, Y, "W1[0,0]").values.items():
            assert by_hand[name] == pytest.approx(value, rel=1e-8, abs=1e-11), name


def test_by_hand_goes_through_a_deep_network():
    net = Network([2] * 120, activation="tanh", seed=0)
    assert explain(net, [[1.0, -1.0]], [[0.5, 0.5]], "w1", by_hand=6).values


# ---------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("w9", "no parameter 'w9'"),
        ("net_h9", "no neuron 'h9'"),
        ("z3", "no layer 3"),
        ("a1[2]", "layer 1 has neurons 0 to 1"),
        ("forwards", "did you mean 'forward'"),
        ("", "nothing called ''"),
        ("layer1[0]", "no 'layer1\\[0\\]'"),
    ],
)
def test_what_there_is_not_is_refused(what, message):
    with pytest.raises(InputError, match=message):
        of_example("T1", what)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"notation": "roman"}, "unknown notation"),
        ({"detail": "all"}, "detail must be one of"),
        ({"digits": 0}, "digits must be"),
        ({"digits": "half"}, "digits must be"),
        ({"by_hand": 0}, "by_hand must be"),
        ({"sample": 1}, "sample must be"),
        ({"inputs": ["one"]}, "inputs must name each of the 2 inputs"),
        ({"optimizer": "adamm"}, "did you mean 'adam'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        of_example("T1", "w1", **settings)


def test_data_that_do_not_fit_are_refused():
    net = load_example("T1").network()
    with pytest.raises(ShapeError):
        explain(net, [[1.0]], [[1.0, 1.0]], "w1")


def test_nothing_is_changed_by_an_explanation():
    example = load_example("T1")
    net = example.network()
    before = net.parameters.copy()
    explain(net, example.X, example.Y, "all", optimizer="adam")
    assert net.parameters.tolist() == before.tolist()


# ---------------------------------------------------------------------- the object


def test_it_is_saved_by_the_ending_of_its_name(tmp_path):
    derivation = of_example("T1", "w5")
    for format, ending in FORMATS.items():
        if format != "pdf":
            derivation.save(tmp_path / f"w5{ending}")
            assert (tmp_path / f"w5{ending}").read_bytes() == derivation.to(format)
    with pytest.raises(InputError, match=r"\.doc: expected a name that ends in"):
        derivation.save(tmp_path / "w5.doc")
    with pytest.raises(InputError, match="format must be one of"):
        derivation.to("word")


def test_json_holds_every_number_in_full():
    data = json.loads(of_example("T1", "w5").json())
    assert "0.08216704056423078" in json.dumps(data)


def test_notebooks_get_formulas():
    derivation = of_example("T1", "w5")
    assert "\\frac" in derivation._repr_markdown_()
    assert "<math" in derivation._repr_html_()
    assert str(derivation) == repr(derivation) == derivation.text()
