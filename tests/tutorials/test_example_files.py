"""Example files: what they say comes through, and every slip is named with its place."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deltarule import DataFileError, InputError, Network
from deltarule.errors import DataFaults
from deltarule.tutorials import example as module
from deltarule.tutorials import example_names, is_example, load_example
from deltarule.tutorials.example_schema import SECTIONS

GOOD = """title = "mine"

[network]
sizes = [2, 2, 1]
activation = "sigmoid"
output = "sigmoid"
bias = "shared"

[weights]
w1 = 0.15
W2 = [[0.4], [0.45]]
b1 = 0.35

[data]
x = [[0.0, 1.0], [1.0, 1.0]]
y = [0, 1]

[training]
optimizer = "momentum(momentum=0.8)"
learning_rate = 0.5
epochs = 3
batch_size = 1
frozen = ["b", "w1"]
"""


@pytest.fixture
def write(tmp_path):
    def writer(text):
        path = tmp_path / "mine.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return writer


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


# ---------------------------------------------------------------------- what comes through


def test_a_file_gives_its_network_its_data_and_its_training(write):
    example = load_example(write(GOOD))
    net = example.network()
    assert example.title == "mine"
    assert net.sizes == [2, 2, 1]
    assert net.loss.name == "binary_cross_entropy"
    assert net.parameters[net.select("w1")] == 0.15
    assert net.parameters[net.select("W2")].tolist() == [[0.4], [0.45]]
    assert net.parameters[net.select("b")].tolist() == [0.35, 0.0]
    assert sorted(net.frozen) == sorted([*net.select("b"), int(net.select("w1"))])
    assert example.X.tolist() == [[0, 1], [1, 1]]
    assert example.Y.tolist() == [[0], [1]]
    assert example.training["optimizer"].learning_rate == 0.5
    assert example.training["optimizer"].momentum == 0.8
    history = example.train(net)
    assert history.epochs == 3
    assert net.parameters[net.select("w1")] == 0.15


def test_each_network_is_a_fresh_one(write):
    example = load_example(write(GOOD))
    first = example.network()
    first.parameters[:] = 0
    assert example.network().parameters[0] == 0.15


def test_changes_go_before_what_the_file_says():
    example = load_example("T1")
    net = example.network(l2=0.1)
    assert net.objective.l2 == 0.1
    assert example.train(net, epochs=2).epochs == 2


def test_updates_are_epochs_of_the_full_batch(write):
    training = load_example(write(changed("epochs = 3\nbatch_size = 1", "updates = 7"))).training
    assert training["epochs"] == 7
    assert training["batch_size"] is None


def test_without_training_there_is_a_network_but_no_training(write):
    example = load_example(write(GOOD.partition("[training]")[0]))
    with pytest.raises(InputError, match=r"mine\.toml has no section \[training\]"):
        example.train(example.network())


@pytest.mark.parametrize(
    ("sizes", "x", "y", "X", "Y"),
    [
        ("[2, 2]", "[1, 2]", "[3, 4]", [[1, 2]], [[3, 4]]),
        ("[1, 1]", "[1, 2]", "[3, 4]", [[1], [2]], [[3], [4]]),
        ("[2, 1]", "[[1, 2], [3, 4]]", "[5, 6]", [[1, 2], [3, 4]], [[5], [6]]),
        ("[2, 2]", "[1, 2]", '"x"', [[1, 2]], [[1, 2]]),
        ("[1, 1]", "[1]", "[3]", [[1]], [[3]]),
    ],
)
def test_bare_rows_and_columns_are_understood(write, sizes, x, y, X, Y):
    example = load_example(write(f"[network]\nsizes = {sizes}\n[data]\nx = {x}\ny = {y}\n"))
    assert example.X.tolist() == X
    assert example.Y.tolist() == Y


def test_class_numbers_become_rows_of_ones_and_zeros(write):
    text = '[network]\nsizes = [1, 3]\noutput = "softmax"\n[data]\nx = [1, 2]\ny = [2, 0]\n'
    assert load_example(write(text)).Y.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_what_is_drawn_is_drawn_as_by_the_network_itself(write):
    text = "[network]\nsizes = [2, 2]\ninitializer = 'normal(0.01)'\nseed = 5\n[data]\nx = [1, 2]\ny = 'x'\n"
    twin = Network([2, 2], initializer="normal(0.01)", seed=5)
    assert np.array_equal(load_example(write(text)).network().parameters, twin.parameters)


# ---------------------------------------------------------------------- what ships


def test_every_example_that_ships_loads_and_can_be_told_by_its_name():
    assert set(example_names()) >= {"T1", "T2", "T3", "T4", "T5_and", "T5_or", "T5_not", "T5_xor", "one_step"}
    for name in example_names():
        example = load_example(name)
        assert is_example(name)
        assert example.network().predict(example.X).shape == example.Y.shape


def test_a_file_is_known_by_its_ending_and_a_name_goes_first(tmp_path, monkeypatch, write):
    monkeypatch.chdir(tmp_path)
    write(GOOD).rename(tmp_path / "T1")
    assert load_example("T1").title != "mine"
    assert load_example("./T1").title == "mine"
    assert is_example("any.toml")
    assert not is_example("iris")


def test_the_format_is_documented_to_the_last_key():
    block = module.__doc__.partition(".. code-block:: toml")[2]
    for section, keys in SECTIONS.items():
        assert f"    [{section}] " in block or f"    [{section}]\n" in block
        for key in keys or ():
            assert re.search(rf"^    {key} = ", block, re.MULTILINE), key


def test_the_documented_file_loads(write):
    block = re.search(r"toml\n\n(.*?)\n\n\S", module.__doc__, re.DOTALL)[1]
    text = "\n".join(line.removeprefix("    ") for line in block.splitlines())
    text = re.sub(r"(?m)^updates.*$", "", text)  # the one that excludes epochs
    assert load_example(write(text)).title == "2-2-1, by hand"


# ---------------------------------------------------------------------- what is refused

BAD = {
    "not TOML": (changed("sizes = [2", "sizes = = [2"), r":4:9: not TOML: Invalid value"),
    "cut off": (GOOD[:40], r":4: not TOML"),
    "the same key twice": (
        changed("w1 = 0.15", "w1 = 0.15\nw1 = 0.2"),
        r":\d+:\d+: not TOML: Cannot overwrite",
    ),
    "not UTF-8": (GOOD.encode() + b"\xff", r":\d+: byte \d+ is not UTF-8"),
    "nested without end": (changed("x = [[0.0, 1.0], [1.0, 1.0]]", "x = " + "[" * 9999), "nested too deeply"),
    "no data": (GOOD.partition("[data]")[0], r": the section \[data\] is missing: its keys are x and y"),
    "no sizes": (changed("sizes = [2, 2, 1]\n", ""), r":3: \[network\] needs a key 'sizes'"),
    "no y": (changed("y = [0, 1]\n", ""), r":14: \[data\] needs a key 'y'"),
    "unknown section": (
        changed("[weights]", "[wieghts]"),
        r":9: unknown key .* 'wieghts'; did you mean 'weights'",
    ),
    "unknown key": (
        changed("output =", "outptu ="),
        r":6: \[network\] has no key 'outptu'; did you mean 'output'",
    ),
    "unknown key of training": (changed("epochs =", "epoch ="), r":21: .*'epoch'; did you mean 'epochs'"),
    "title of another type": (changed('"mine"', "1"), r":1: title must be a text, got 1"),
    "section that is a value": (
        "weights = 3\n" + GOOD.replace("[weights]", "[exact]"),
        r":1: weights must be a section",
    ),
    "sizes as text": (changed("[2, 2, 1]", '"221"'), r":4: sizes in \[network\] must be a list of whole"),
    "sizes with fractions": (changed("[2, 2, 1]", "[2, 2.5, 1]"), r":4: sizes .* got \[2, 2.5, 1\]"),
    "true for a number": (
        changed("learning_rate = 0.5", "learning_rate = true"),
        r":20: learning_rate .* got True",
    ),
    "a date": (changed("w1 = 0.15", "w1 = 2020-01-01"), r":10: w1 in \[weights\] must be a number"),
    "text among numbers": (changed("[0.0, 1.0]", '[0.0, "1"]'), r":15: x in \[data\]"),
    "no neuron": (changed("[2, 2, 1]", "[2, 0, 1]"), r":4: \[network\]: each of sizes must be"),
    "unknown activation": (
        changed('activation = "sigmoid"', 'activation = "sigmiod"'),
        "did you mean 'sigmoid'",
    ),
    "unknown loss": (
        changed("[weights]", 'loss = "mse"\n[weights]'.replace("\n[", "\n\n[")),
        r"unknown loss 'mse'",
    ),
    "no such weight": (changed("w1 = 0.15", "w7 = 0.15"), r":10: \[weights\]: there is no parameter 'w7'"),
    "matrix of another shape": (
        changed("[[0.4], [0.45]]", "[[0.4, 0.45]]"),
        r"W2 must have shape \(2, 1\), got \(1, 2\)",
    ),
    "ragged": (changed("[1.0, 1.0]]", "[1.0]]"), r":15: \[data\]: x is ragged"),
    "too many columns": (
        changed("[[0.0, 1.0], [1.0, 1.0]]", "[[1, 2, 3]]"),
        r"\[data\]: layer 1 .* got \(1, 3\)",
    ),
    "not finite": (changed("[0.0, 1.0]", "[nan, 1.0]"), r"\[data\]: X must hold finite numbers"),
    "weight not finite": (changed("w1 = 0.15", "w1 = inf"), r"\[weights\]: w1 must hold finite"),
    "targets of other rows": (
        changed("y = [0, 1]", "y = [0, 1, 1]"),
        r"\[data\]: Y must have shape \(2, 1\)",
    ),
    "targets out of range": (
        changed("y = [0, 1]", "y = [0, 2]"),
        r"\[data\]: loss 'binary_cross_entropy' needs",
    ),
    "targets by a strange name": (
        changed("y = [0, 1]", 'y = "z"'),
        r'y must be a list of numbers or "x", got \'z\'',
    ),
    "updates and epochs": (changed("epochs = 3", "epochs = 3\nupdates = 3"), r"\[training\]: give either"),
    "neither of them": (changed("epochs = 3\n", ""), r"\[training\]: give either"),
    "updates of batches": (changed("epochs = 3", "updates = 3"), r"with batch_size give epochs"),
    "unknown optimizer": (
        changed("momentum(momentum=0.8)", "sgdd"),
        r":19: \[training\]: unknown optimizer 'sgdd'",
    ),
    "rate for L-BFGS": (changed("momentum(momentum=0.8)", "lbfgs"), "'lbfgs' takes no learning_rate"),
    "negative rate": (
        changed("learning_rate = 0.5", "learning_rate = -1"),
        r"\[training\]: learning_rate must be",
    ),
    "no such frozen": (changed('"w1"]', '"c"]'), r"\[training\]: no parameter 'c'"),
    "no epoch": (changed("epochs = 3", "epochs = 0"), r"\[training\]: epochs must be a whole number"),
    "no batch": (
        changed("batch_size = 1", "batch_size = 0"),
        r"\[training\]: batch_size must be a whole number",
    ),
    "figures in words": (GOOD + '\n[published]\nE = "small"\n', r":26: E in \[published\] must be a number"),
}


@pytest.mark.parametrize("slip", BAD)
def test_a_slip_is_named_with_its_file_and_place(write, slip):
    text, message = BAD[slip]
    path = write(text)
    with pytest.raises(DataFileError, match=message) as caught:
        load_example(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_all_faults_are_named_at_once_each_with_its_line(write):
    text = (
        changed("w1 = 0.15", "w1 = 0.15\nw7 = 1\nb3 = 1").replace("[0, 1]", "[0, 2]").replace('"w1"]', '"c"]')
    )
    with pytest.raises(DataFaults) as caught:
        load_example(write(text))
    assert [fault.line for fault in caught.value.faults] == [11, 12, 25, 18]
    with pytest.raises(DataFaults) as caught:
        load_example(write(changed("bias =", "biass =").replace("epochs", "epoch")))
    assert [fault.line for fault in caught.value.faults] == [7, 21]
    with pytest.raises(DataFaults, match=r"\[network\] is missing: its key is sizes"):
        load_example(write(""))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataFileError, match="no such file"):
        load_example(tmp_path / "none.toml")
    with pytest.raises(InputError, match="no example and no file 'T6'; choose from: T1"):
        load_example("T6")
