"""A workbook's formulas give the numbers that training computes, in any program that works them out."""

from __future__ import annotations

import io
import math
import shutil
import subprocess
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import deltarule as dr
from deltarule.cli import cli
from deltarule.errors import InputError, MissingExtraError
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep
from deltarule.spreadsheet import example_spreadsheet, spreadsheet
from deltarule.tutorials import load_example

from .calculator import Calculator

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("xlsxwriter")

EXAMPLES = ["T1", "T2", "T4", "T5_and", "T5_xor", "one_step"]
OTHERS = ["T3", "T4_autoencoder", "T5_not", "T5_or", "rat42"]
PAIRS = [
    (output, loss)
    for output in ACTIVATIONS
    for loss in LOSSES
    if LOSSES.resolve(loss).accepts(ACTIVATIONS.resolve(output))
]
RULES = [name for name in OPTIMIZERS if isinstance(OPTIMIZERS.resolve(name), GradientStep)]
HIDDEN = list(ACTIVATIONS)


def random_case(number):
    """A small network of each output and loss in turn, samples, targets and an optimizer."""
    output, loss = PAIRS[number % len(PAIRS)]
    rng = np.random.default_rng(number)
    sizes = [int(size) for size in rng.integers(1, 5, int(rng.integers(2, 5)))]
    net = dr.Network(
        sizes,
        activation=[HIDDEN[(number + layer) % len(HIDDEN)] for layer in range(len(sizes) - 2)],
        output=output,
        loss=loss,
        bias=["neuron", "shared", "none"][number % 3],
        l1=[0.0, 0.01][number % 2],
        l2=[0.0, 0.1, 0.02][rng.integers(3)],
        reduction=["mean", "sum"][rng.integers(2)],
        seed=number,
    )
    if number % 4 == 0:
        net.freeze("W1[0,0]")
    n = int(rng.integers(1, 6))
    X, Y = rng.normal(size=(n, sizes[0])), rng.uniform(0.05, 0.95, size=(n, sizes[-1]))
    if net.loss.distribution:
        Y /= Y.sum(axis=1, keepdims=True)
    # Softmax moves nothing when all its z do; Adam would divide what rounding leaves of that 0 by itself.
    coupled = any(layer.activation.pull_back for layer in net.layers)
    name = "momentum" if coupled else RULES[number % len(RULES)]
    clip = [None, 0.05][number % 2]
    rule = replace(OPTIMIZERS.resolve(name), learning_rate=0.05, clip_norm=clip)
    return net, X, Y, rule


def read(data, values=False):
    return openpyxl.load_workbook(io.BytesIO(data), data_only=values)


def cells(book, sheets=("network", "training")):
    """Each formula or number, by sheet and address."""
    return {
        (name, each.coordinate): each.value
        for name in sheets
        if name in book.sheetnames
        for row in book[name].iter_rows()
        for each in row
        if each.value is not None
    }


def formulas(book):
    held = cells(book)
    return [key for key, value in held.items() if isinstance(value, str) and value.startswith("=")]


def assert_same(found, expected, where=""):
    assert abs(found - expected) <= 1e-12 * max(1, abs(expected)), (where, found, expected)


def assert_formulas_give_the_stored_numbers(data):
    book, stored = read(data), read(data, values=True)
    calculator, keys = Calculator(book), formulas(book)
    assert keys
    for sheet, address in keys:
        expected = stored[sheet][address].value
        assert_same(calculator(sheet, address), expected, f"{sheet}!{address} {book[sheet][address].value}")


def table_of(book):
    """The columns of the sheet training by name."""
    rows = list(book["training"].iter_rows(min_row=4, values_only=True))
    return {name: [row[index] for row in rows[1:]] for index, name in enumerate(rows[0])}


def named_rows(book):
    """The first number of each row of the sheet network, by name."""
    return {row[0]: row[3] for row in book["network"].iter_rows(values_only=True) if row[0]}


def parameter_names(net):
    names = [f"w{k}" for k in range(1, sum(layer.W.size for layer in net.layers) + 1)]
    return {name: int(net.select(name)) for name in names}


# ---------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("name", EXAMPLES + OTHERS)
def test_the_formulas_of_an_example_give_the_stored_numbers(name):
    assert_formulas_give_the_stored_numbers(example_spreadsheet(load_example(name), steps=4))


@pytest.mark.parametrize(
    "number", [pytest.param(k, marks=[pytest.mark.slow] * (k % 3 > 0)) for k in range(len(PAIRS))]
)
def test_the_formulas_of_any_network_give_the_stored_numbers(number):
    net, X, Y, rule = random_case(number)
    assert_formulas_give_the_stored_numbers(spreadsheet(net, X, Y, rule, steps=3))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_stored_numbers_are_those_of_network_and_train(name):
    example = load_example(name)
    net, steps = example.network(), 12
    book = read(example_spreadsheet(example, steps=steps), values=True)
    rows, table = named_rows(book), table_of(book)
    cost = "L" if "L" in rows else "E"
    assert rows[cost] == pytest.approx(net.cost(example.X, example.Y), rel=1e-14)
    grads = net.backward(net.forward(example.X), example.Y).flat
    names = parameter_names(net)
    for weight, position in names.items():
        assert rows[f"∂{cost}/∂{weight}"] == grads[position]
    history = example.train(net, epochs=steps)
    assert table[cost][:-1] == pytest.approx(history["loss"], rel=1e-14)
    for weight, position in names.items():
        assert table[weight][-1] == net.parameters[position]
    assert table["n"] == list(range(steps + 1))


def test_t1_shows_the_figures_of_its_source():
    example = load_example("T1")
    rows = named_rows(read(example_spreadsheet(example, steps=1), values=True))
    for name, row in (
        ("net_h1", "net_h1"),
        ("E", "E"),
        ("dE_dw5", "∂E/∂w5"),
        ("w5 after 1 update", "w5 new"),
    ):
        assert_same(rows[row], example.exact[name])


def test_a_schedule_gives_numbers_for_the_rate_of_each_step():
    net, X, Y, _ = random_case(1)
    data = spreadsheet(net, X, Y, "momentum(cosine(0.1))", steps=6)
    assert_formulas_give_the_stored_numbers(data)
    book = read(data, values=True)
    twin = net.copy()
    history = dr.train(twin, X, Y, optimizer="momentum(cosine(0.1))", epochs=6, batch_size=None)
    assert table_of(book)["η"] == [None, *history["learning_rate"]]
    assert table_of(book)["w1"][-1] == pytest.approx(twin.parameters[twin.select("w1")], rel=1e-13)
    assert "changes from step to step (cosine(" in str(cells(book))


def test_inputs_are_stored_with_all_their_digits():
    net = dr.Network([1, 1], initializer="zeros")
    net.parameters[:] = [0.1 + 0.2, 1 / 3]
    rows = named_rows(read(spreadsheet(net, [[2 / 3]], [[1e-17]], steps=1)))
    assert [rows[name] for name in ("w1", "b_o1", "i1", "y_o1")] == [0.1 + 0.2, 1 / 3, 2 / 3, 1e-17]


def test_what_runs_out_of_the_numbers_is_stored_as_the_error_a_spreadsheet_shows():
    net = dr.Network([1, 1], initializer="zeros")
    net.parameters[:] = [1e6, 0.0]
    book = read(spreadsheet(net, [[1e3]], [[0.0]], "sgd(1e6)", steps=40), values=True)
    assert table_of(book)["w1"][-1] == "#NUM!"


# ---------------------------------------------------------------------- LibreOffice

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")


def recalculated(folder, books):
    """Each workbook as LibreOffice works it out; openpyxl has left no value that it could have kept."""
    (folder / "in").mkdir()
    for name, book in books.items():
        book.save(folder / "in" / f"{name}.xlsx")
    subprocess.run(
        [
            SOFFICE, "--headless", "--norestore", f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out"),
            *map(str, sorted((folder / "in").iterdir())),
        ],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    return {name: openpyxl.load_workbook(folder / "out" / f"{name}.xlsx", data_only=True) for name in books}


def changed(net, X):
    """The same network with another first weight, and its first input moved."""
    twin, moved = net.copy(), np.array(X, float)
    twin.parameters[twin.select("w1")] += 0.125
    moved[0, 0] -= 0.25
    return twin, moved


def put_in(book, net, X):
    """Write these numbers into the cells of the first weight and the first input."""
    at = {row[0].value: row[3] for row in book["network"].iter_rows()}
    at["w1"].value, at["i1"].value = float(net.parameters[net.select("w1")]), float(X[0, 0])


@pytest.mark.slow
@pytest.mark.skipif(not SOFFICE, reason="LibreOffice is not installed")
def test_libreoffice_works_out_our_numbers_for_changed_inputs(tmp_path):
    jobs = {}
    for name in EXAMPLES:
        example = load_example(name)
        network, rule = example.network(), example.training["optimizer"]
        jobs[name] = (network, example.X, example.Y, rule, 120)  # from 100 on, LibreOffice works in parallel
        jobs[f"{name} by Adam"] = (network, example.X, example.Y, "adam(0.05)", 10)
    for number in range(len(PAIRS)):
        jobs[f"random{number}"] = (*random_case(number), 4)
    books, expected = {}, {}
    for name, (net, X, Y, rule, steps) in jobs.items():
        twin, moved = changed(net, X)
        books[name] = read(spreadsheet(net, X, Y, rule, steps=steps, title=name))
        put_in(books[name], twin, moved)
        expected[name] = read(spreadsheet(twin, moved, Y, rule, steps=steps, title=name), values=True)
    for name, found in recalculated(tmp_path, books).items():
        right, worked_out = cells(expected[name]), cells(found)
        for key in formulas(books[name]):
            assert_same(worked_out[key], right[key], (name, *key))


# ---------------------------------------------------------------------- the file


def test_equal_workbooks_are_equal_bytes():
    example = load_example("T5_or")
    assert example_spreadsheet(example, steps=3) == example_spreadsheet(example, steps=3)


HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "a\0b\x1b[31m\ud800",
    "http://x",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_is_text_whatever_it_says(title):
    net, X, Y, rule = random_case(2)
    data = spreadsheet(net, X, Y, rule, steps=1, title=title, notes=[title])
    book = read(data)
    first = book["network"]["A1"]
    assert first.data_type == "s"
    assert not any(ord(letter) < 32 for letter in first.value)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert b"calc" not in file.read("xl/worksheets/sheet1.xml")
        assert not any("hyperlink" in name.lower() or "external" in name.lower() for name in file.namelist())


def test_a_long_title_is_cut():
    net, X, Y, _ = random_case(0)
    assert len(read(spreadsheet(net, X, Y, title="x" * 100_000))["network"]["A1"].value) == 200


def test_given_cells_can_be_changed_and_no_others():
    book = read(example_spreadsheet(load_example("T1"), optimizer="adam", steps=2))
    sheet = book["network"]
    assert sheet.protection.sheet
    assert not sheet.protection.password
    for row in sheet.iter_rows(min_row=4, min_col=4, max_col=4):
        value = row[0].value
        if value is not None:
            assert row[0].protection.locked == isinstance(value, str), row[0].coordinate
    rows = named_rows(book)
    assert {"η", "t", "β1", "β2", "ε", "m of w1", "v of w1", "m̂ of w1", "v̂ of w1", "w1 new"} <= rows.keys()
    assert "b1 new" not in rows  # frozen


def test_parameters_have_names():
    book = read(example_spreadsheet(load_example("T1"), steps=1))
    rows = {row[0].value: row[3].coordinate for row in book["network"].iter_rows()}
    column, number = rows["w5"][0], rows["w5"][1:]
    assert book.defined_names["w_5"].attr_text == f"network!${column}${number}"
    assert {"w_1", "w_8", "b_1", "b_2", "eta"} <= set(book.defined_names)


def test_the_sheets_are_laid_out_to_be_read():
    book = read(example_spreadsheet(load_example("T5_and"), steps=30))
    assert book.sheetnames == ["network", "training", "loss", "read me"]
    network, training = book["network"], book["training"]
    assert network.freeze_panes == "B5"
    assert training.freeze_panes == "C5"
    assert [cell.value for cell in network[4]][:5] == [
        "name",
        "what it is",
        "formula",
        "sample 1",
        "sample 2",
    ]
    assert len(table_of(book)["n"]) == 31
    assert training.max_row == 5 + 30
    (chart,) = network._charts
    (series,) = chart.series
    assert series.val.numRef.f == "training!$B$5:$B$35"
    assert all(network.column_dimensions[column].width > 10 for column in "ABCD")
    lines = [row[1] for row in network.iter_rows(min_row=5, values_only=True)]
    assert "weight from i1 to o1" in lines


def test_formulas_are_written_in_symbols_beside_the_cells():
    book = read(example_spreadsheet(load_example("T5_xor"), steps=1))
    rows = {row[0]: row[2:4] for row in book["network"].iter_rows(values_only=True)}
    assert rows["net_h1"][0] == "w1·i1 + w2·i2 + b_h1"
    assert rows["L"][0] == "(Σₙ E)/4 + R2"
    assert rows["∂L/∂w1"][0] == "Σₙ δ_h1·i1 + l2·w1"
    assert rows["R2"][0].endswith("… (18 more terms))")
    assert rows["R2"][1].count("SUMSQ") == 1
    assert rows["δ_o1"][0] == "∂L/∂E · (out_o1 − y_o1)"


def said(data):
    return " ".join(str(value) for value in cells(read(data), ("network", "read me")).values())


def test_what_a_workbook_leaves_out_is_said_on_it():
    example = load_example("rat42")
    text = said(example_spreadsheet(example))
    assert "L-BFGS finds each step by a line search" in text
    assert read(example_spreadsheet(example)).sheetnames == ["network", "read me"]
    assert "does not say how to train" in said(example_spreadsheet(load_example("T3")))
    xor = load_example("T5_xor")
    batches = replace(xor, training={**xor.training, "batch_size": 3})
    assert "batches of 3; this workbook takes all 4 samples" in said(example_spreadsheet(batches, steps=2))
    whole = replace(xor, training={**xor.training, "batch_size": 4})
    assert "batches of" not in said(example_spreadsheet(whole, steps=2))
    dropping = replace(xor, settings={**xor.settings, "dropout": 0.5})
    assert "drops some inputs" in said(example_spreadsheet(dropping, steps=2))
    narrow = replace(xor, settings={**xor.settings, "dtype": "float32"})
    assert "computes in float32" in said(example_spreadsheet(narrow, steps=2))
    assert_formulas_give_the_stored_numbers(example_spreadsheet(narrow, steps=2))


def test_an_optimizer_of_ones_own_goes_before_the_examples():
    data = example_spreadsheet(load_example("rat42"), optimizer="adam(0.1)", steps=2)
    assert "Update (adam)" in named_rows(read(data)) or "Update (adam)" in said(data)
    assert_formulas_give_the_stored_numbers(data)


# ---------------------------------------------------------------------- refusals


def test_a_formula_that_is_a_text_is_refused():
    logistic = ACTIVATIONS.resolve("sigmoid")
    own = replace(logistic, name="mine", formula="1/(1+e^-z)")
    net = dr.Network([1, 1], output=own, loss="half_squared_error")
    with pytest.raises(InputError, match=r"'1/\(1\+e\^-z\)' is text, which a spreadsheet cannot compute"):
        spreadsheet(net, [[1.0]], [[0.5]])


def test_a_network_too_large_for_a_sheet_is_refused():
    net = dr.Network([784, 200, 10])
    with pytest.raises(
        InputError, match=r"needs [\d,]+ formulas per step, but a spreadsheet can take only 2,000"
    ):
        spreadsheet(net, np.zeros((1, 784)), np.zeros((1, 10)))


def test_too_many_steps_are_refused_with_how_many_fit():
    with pytest.raises(InputError, match=r"ask for [\d,]+ steps at most"):
        example_spreadsheet(load_example("T1"), steps=10**6)
    with pytest.raises(InputError, match="steps must be a whole number"):
        example_spreadsheet(load_example("T1"), steps=0)


def test_the_missing_package_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(MissingExtraError, match=r'pip install "deltarule\[xlsx\]"'):
        example_spreadsheet(load_example("T1"))


# ---------------------------------------------------------------------- the command line


def invoke(*arguments):
    return CliRunner().invoke(cli, ["spreadsheet", *map(str, arguments)])


def test_the_command_writes_the_file(tmp_path):
    path = tmp_path / "T1.xlsx"
    result = invoke("T1", "-o", path, "--steps", 5)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{load_example('T1').title}: written to {path}\n"
    assert path.read_bytes() == example_spreadsheet(load_example("T1"), steps=5)
    assert [file.name for file in tmp_path.iterdir()] == ["T1.xlsx"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("T1", "-o", "T1.xls"), "the name must end in .xlsx"),
        (("T9", "-o", "T9.xlsx"), "no example and no file 'T9'"),
        (("T1", "-o", "T1.xlsx", "--optimizer", "adagradd"), "did you mean 'adagrad'"),
        (("T1", "-o", "nowhere/T1.xlsx"), "there is no folder"),
        (("T1", "-o", "T1.xlsx", "--steps", "10000000"), "steps at most"),
    ],
)
def test_the_command_refuses_in_one_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_no_number_shown_is_without_a_cause():
    """Every number on the sheets is given, a formula, or a learning rate by schedule."""
    book = read(example_spreadsheet(load_example("T2"), steps=3))
    for row in book["training"].iter_rows(min_row=6):
        for each in row:
            assert isinstance(each.value, str), each.coordinate
            assert each.value.startswith("="), each.coordinate
    assert all(math.isfinite(value) for value in named_rows(book).values() if isinstance(value, float))
