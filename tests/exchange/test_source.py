"""Exported source files compute what the network computes, say so themselves, and never more than that."""

from __future__ import annotations

import random
import re
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner

import deltarule as dr
from deltarule.cli import cli
from deltarule.data.encoding import (
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumberColumn,
    NumbersEncoding,
    PixelsEncoding,
)
from deltarule.errors import InputError
from deltarule.exchange.exporting import FORMATS, export, export_format, exported
from deltarule.exchange.literals import c_string, comment, javascript_string, python_string
from deltarule.exchange.portable_network import portable_network
from deltarule.exchange.self_tests import self_tests
from deltarule.formula.tree import (
    Call,
    Choice,
    Compare,
    NamedConstant,
    Number,
    Symbol,
    Total,
    absolute,
    exp,
    log,
    sign,
    sqrt,
    tanh,
    z,
)
from deltarule.nn.activations import ACTIVATIONS, Activation
from deltarule.tutorials import load_example

from .source_files import ENDINGS, LANGUAGES, alike, loaded, of_cells, program, raw_rows, truth, written

NAMES = [
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "leaky_relu(0.2)", "elu", "elu(0.7)", "exp", "gelu",
    "silu",
    "softplus", "softmax",
]  # fmt: skip
DTYPES = {"float64": 1e-12, "float32": 1e-6}
EXTREME = [-1e4, -745.2, -88.5, -17, -1e-8, 0, 1e-8, 0.5, 17, 88.5, 710, 1e4]

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def registered(monkeypatch):
    """What a test registers is forgotten."""
    monkeypatch.setattr(ACTIVATIONS, "_makers", dict(ACTIVATIONS._makers))


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


def columns(*names, fill=None):
    return ColumnsEncoding(
        tuple(NumberColumn(name, 3.0 * i - 1, 0.7 + i, fill) for i, name in enumerate(names))
    )


def network(sizes, inputs=None, target=None, **settings):
    net = dr.Network(sizes, **{"activation": "tanh", "bias_initializer": "normal(0.5)", "seed": 5} | settings)
    net.encoding = None if inputs is None else Encoding(inputs, target)
    return net


#: A network for each task.
TASKS = {
    "no encoding": lambda **s: network([3, 4, 2], **s),
    "binary": lambda **s: network(
        [3, 4, 1], columns("a", "b", "c"), LabelEncoding.fit(["no", "yes"]), output="sigmoid", **s
    ),
    "classes": lambda **s: network(
        [3, 5, 3], columns("a", "b", "c"), LabelEncoding.fit([7, 0, 100]), output="softmax", **s
    ),
    "units": lambda **s: network(
        [3, 4, 2], columns("a", "b", "c"), NumbersEncoding(("p", "q"), (100.0, -1e3), (50.0, 0.25)), **s
    ),
    "fills": lambda **s: network(
        [3, 4, 1], columns("a", "b", "c", fill=0.25), NumbersEncoding(("p",), (0.0,), (3.0,)), **s
    ),
    "pixels": lambda **s: network(
        [12, 6, 2], PixelsEncoding(3, 4), LabelEncoding.fit(["bar", "row"]), output="softmax", **s
    ),
    "autoencoder": lambda **s: network([3, 2, 3], columns("a", "b", "c"), **s),
    "shared bias": lambda **s: network([3, 4, 2], bias="shared", **s),
    "no bias": lambda **s: network([3, 4, 2], bias="none", bias_initializer="zeros", **s),
}


def _slow(task, dtype):
    """What is left to the sweeps."""
    return task in ("shared bias", "no bias") or (dtype == "float32" and task not in ("fills", "pixels"))


def assert_same_answers(net, file, X, tolerance):
    outputs, answers = truth(net, X)
    assert alike(file("predict_outputs", X), outputs, tolerance)
    got = file("predict", X)
    if net.encoding is None or not isinstance(net.encoding.target, LabelEncoding):
        answers = (
            np.column_stack([answers.column(n) for n in answers.names]) if _is_table(answers) else answers
        )
        assert alike(got, np.reshape(answers, (len(X), -1)), tolerance)
        return
    classes = net.encoding.target.classes
    got = [classes[place] for place in got] if getattr(file, "places", False) else got
    assert list(got) == answers.tolist()


def _is_table(answers):
    return hasattr(answers, "column")


# ---------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("task", "dtype"),
    [
        pytest.param(task, dtype, marks=[pytest.mark.slow] * _slow(task, dtype))
        for task in TASKS
        for dtype in DTYPES
    ],
)
def test_every_task_gives_the_outputs_and_answers_of_the_network(task, dtype, language, tmp_path):
    net = TASKS[task](dtype=dtype)
    file = loaded(written(net, language, tmp_path), language)
    assert_same_answers(net, file, raw_rows(net), DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_activations_in_a_row_give_the_outputs_of_the_network(dtype, language, tmp_path):
    net = network([3, *[4] * len(NAMES)], activation=NAMES[:-1], output="softmax", dtype=dtype)
    X = raw_rows(net)
    file = loaded(written(net, language, tmp_path), language)
    assert alike(file("predict_outputs", X), net.predict(X), DTYPES[dtype] * len(NAMES))


def test_every_activation_holds_at_extreme_inputs(language, tmp_path):
    net = network([1, *[1] * len(NAMES)], activation=NAMES[:-1], output="softmax")
    file = loaded(written(net, language, tmp_path), language)
    names = [name for name in NAMES if name not in ("identity", "tanh", "softmax")]
    called = ["exponential" if n == "exp" else re.sub(r"\W+", "_", n).strip("_") for n in names]
    for name, got in zip(names, file.functions(called, EXTREME), strict=True):
        expected = ACTIVATIONS.resolve(name).value(np.array(EXTREME, dtype=float))
        near_zero = 1e-14 if name == "gelu" else 1e-300  # 1 + tanh(−5) has lost digits in the network, too
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=near_zero, err_msg=name)


@pytest.mark.parametrize("output", ["softmax", "tanh", "identity"])
def test_outputs_hold_at_extreme_inputs(output, language, tmp_path):
    net = network([2, 3], output=output, loss="half_squared_error")
    X = np.array([(x, y) for x in EXTREME for y in EXTREME], dtype=float)
    got = loaded(written(net, language, tmp_path), language)("predict_outputs", X)
    assert alike(got, net.predict(X), 1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", ["identity", "softmax"])
@pytest.mark.parametrize("name", NAMES)
def test_every_activation_with_every_output_and_size_of_numbers(name, output, dtype, language, tmp_path):
    net = network([4, 7, 6, 3], activation=name, output=output, dtype=dtype)
    file = loaded(written(net, language, tmp_path), language)
    for spread in (1e-3, 1e4):
        X = raw_rows(net, n=200, spread=spread)
        outputs = net.predict(X)
        lost = np.abs(outputs - net.copy("float64").predict(X)).max() / np.abs(outputs).max()
        assert alike(file("predict_outputs", X), outputs, 20 * (DTYPES[dtype] + lost)), spread
    assert file.test() == 0


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_network_for_digits_works_in_every_language(dtype, language, tmp_path):
    net = network(
        [784, 200, 80, 10],
        PixelsEncoding(28, 28),
        LabelEncoding.fit(range(10)),
        output="softmax",
        dtype=dtype,
    )
    path = written(net, language, tmp_path)
    X = raw_rows(net, n=20)
    file = loaded(path, language)
    assert alike(file("predict_outputs", X), truth(net, X)[0], 10 * DTYPES[dtype])
    assert file.test() == 0


# ---------------------------------------------------------------------- the test inside


@pytest.mark.parametrize("task", ["binary", "fills"])
def test_the_file_tests_itself(task, language, tmp_path):
    path = written(TASKS[task](), language, tmp_path)
    done = subprocess.run(program(path, language), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"ok: \d test cases\n", done.stdout)


def test_one_altered_weight_in_the_file_is_noticed(language, tmp_path):
    path = written(TASKS["classes"](), language, tmp_path)
    head, before, after = path.read_text(encoding="utf-8").partition("W2")
    path.write_text(head + before + re.sub(r"0\.\d+", "0.987654", after, count=1), encoding="utf-8")
    done = subprocess.run(program(path, language), capture_output=True, text=True)
    assert done.returncode == 1
    assert "FAILED: test case 0" in done.stdout
    assert "ok" not in done.stdout


@pytest.mark.parametrize("activation", ["tanh", "relu", "softplus"])
@pytest.mark.parametrize("task", ["no encoding", "binary", "classes", "fills", "pixels"])
def test_whichever_weight_is_altered_it_is_noticed(task, activation, tmp_path):
    net = TASKS[task](activation=activation)
    file = loaded(written(net, "numpy", tmp_path), "numpy")
    for array in (file.names[f"{kind}{number}"] for number in (1, 2) for kind in "Wb"):
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] += 1e-3
            assert file.test() == 1, place
            array[place] = kept
    assert file.test() == 0


def test_float32_cases_allow_what_float32_costs():
    net = dr.Network([50, 50, 1], activation="relu", dtype="float32", initializer="normal(30)")
    assert self_tests(portable_network(net)).tolerance > 1e-5
    assert self_tests(portable_network(net.copy("float64"))).tolerance == 1e-9


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_without_an_answer_are_no_test_cases(dtype, language, tmp_path):
    net = network([1, 1], output=own(sqrt(z)), loss="half_squared_error", dtype=dtype)
    assert np.isfinite(self_tests(portable_network(net)).outputs).all()
    assert loaded(written(net, language, tmp_path), language).test() == 0


def test_a_network_without_any_answer_is_written_all_the_same(language):
    net = network([1, 2], output=own(sqrt(-1 - absolute(z))), loss="half_squared_error", dtype="float32")
    assert "nan" in exported(net, language).decode().lower()


# ---------------------------------------------------------------------- use


def test_rows_are_answered_from_the_command_line_and_from_standard_input(language, tmp_path):
    net = TASKS["fills"]()
    run = program(written(net, language, tmp_path), language)
    X = np.array([[1.0, -2.5, 3.0], [np.nan, 0.5, 1e-3]])
    expected = truth(net, X)[1]
    one = subprocess.run([*run, "1.0", "-2.5", "3"], capture_output=True, text=True)
    assert alike(float(one.stdout), expected[0], 1e-12)
    lines = "1,-2.5, 3\n\n , 0.5,1e-3\r\nnan,.5,1e-3"
    many = subprocess.run([*run, "-"], input=lines, capture_output=True, text=True)
    assert alike([float(line) for line in many.stdout.split()], expected[[0, 1, 1]], 1e-12)


def test_labels_and_several_numbers_are_printed_in_a_line(language, tmp_path):
    run = program(written(TASKS["binary"](), language, tmp_path), language)
    done = subprocess.run([*run, "0", "0", "0"], capture_output=True, text=True)
    assert done.stdout == f"{truth(TASKS['binary'](), np.zeros((1, 3)))[1][0]}\n"
    run = program(written(TASKS["units"](), language, tmp_path), language)
    done = subprocess.run([*run, "0", "0", "0"], capture_output=True, text=True)
    assert alike(
        [float(cell) for cell in done.stdout.split(",")],
        truth(TASKS["units"](), np.zeros((1, 3)))[1][0],
        1e-12,
    )


def test_rows_that_mean_nothing_are_refused(language, tmp_path):
    run = program(written(TASKS["classes"](), language, tmp_path), language)
    for cells in ("1 2", "1 2 3 4", "1  3", "1 two 3"):
        done = subprocess.run([*run, *cells.split(" ")], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1


def test_a_missing_number_without_a_fill_is_never_answered(tmp_path, language):
    net = TASKS["classes"](activation="relu")
    X = np.array([[np.nan, 1.0, 2.0]])
    file = loaded(written(net, language, tmp_path), language)
    if language == "c":
        assert file("predict", X) == [-1]
        assert file("predict_outputs", X) == [None]
        return
    with pytest.raises((ValueError, AssertionError), match="a is not a finite number"):
        file("predict", X)


def test_numpy_takes_one_row_or_many(tmp_path):
    for task in ("classes", "binary", "units", "no encoding"):
        net = TASKS[task]()
        names = loaded(written(net, "numpy", tmp_path), "numpy").names
        X = raw_rows(net, n=7)
        for function in (names["predict"], names["predict_outputs"]):
            many = function(X)
            assert len(many) == 7
            one = function(X[3])
            assert one == many[3] if many.dtype.kind in "Ui" else alike(one, many[3], 1e-12)


@pytest.mark.parametrize(("task", "named"), [("no encoding", "csv math sys"), ("classes", "csv math re sys")])
def test_plain_python_imports_what_comes_with_it_alone(task, named):
    text = exported(TASKS[task](), "python").decode()
    assert re.findall(r"^(?:import|from) (.*)", text, re.M) == named.split()


# ---------------------------------------------------------------------- names

HOSTILE = [
    'a "quoted" name', "it's", "back\\slash\\", "new\nline", "*/ exit(9); /*", "</script><script>",
    '"""', "'''", '""" + exit(9) + """', "??/", "what??!", "-->", "<!-- x", "${process.exit(9)}", "%s%n",
    "# coding: x", "ä日本𝄞", "\u2028\u2029\x85", "\u202e evil", "tab\there", "`", "//# sourceMappingURL=x",
    "\r\nint main(){}", "{}", "{0}", "x" * 300, "\ufeff", "\x7f\x1b[31m", "\\u000a", "\\N{DIGIT ONE}",
    "a\\\nb", "*\\", "\\", " ",
]  # fmt: skip


def hostile(names, labels):
    inputs = ColumnsEncoding(tuple(NumberColumn(name, 1.5, 2.0, 0.5) for name in names))
    return network([len(names), 3, len(labels)], inputs, LabelEncoding.fit(labels), output="softmax")


def test_no_name_breaks_out_of_a_string_or_a_comment(language, tmp_path):
    net = hostile(HOSTILE, HOSTILE)
    file = loaded(written(net, language, tmp_path), language)
    assert file.listed("FEATURES") == HOSTILE
    assert file.listed("CLASSES") == sorted(HOSTILE)
    assert file.listed("OUTPUTS") == [f"p({label})" for label in sorted(HOSTILE)]
    assert file.test() == 0
    assert_same_answers(net, file, raw_rows(net, n=20), 1e-12)


def test_random_names_come_back(language, tmp_path):
    draw = random.Random(3)
    letters = "\"'\\\n\r*/?<>!-$`{}%# aux0189(\t\x01\u2028\ufeffé日𝄞"
    names = sorted({"".join(draw.choices(letters, k=draw.randint(1, 8))) for _ in range(300)})
    net = network(
        [1, len(names)], columns("x"), NumbersEncoding(tuple(names), (1.0,) * len(names), (2.0,) * len(names))
    )
    file = loaded(written(net, language, tmp_path), language)
    assert file.listed("OUTPUTS") == names
    assert file.test() == 0


def test_a_hostile_target_title_and_activation_do_no_harm(language, tmp_path):
    name = '*/ """ \\\n#endif</script>'
    target = NumbersEncoding((name,), (1.0,), (2.0,))
    net = network([2, 3, 1], columns("a", "b"), target, activation=own(2 * z, name))
    file = loaded(written(net, language, tmp_path), language)
    assert file.listed("OUTPUTS") == [name]
    assert file.test() == 0


def test_half_a_character_is_written_somehow(language, tmp_path):
    net = hostile(["\ud800", "b"], ["\udfff", "c"])
    assert loaded(written(net, language, tmp_path), language).test() == 0


def test_a_page_may_hold_the_script():
    text = exported(hostile(HOSTILE, HOSTILE), "javascript").decode().lower()
    assert "</script" not in text
    assert "<!--" not in text


def test_literals_say_what_they_hold():
    for text in HOSTILE:
        assert eval(python_string(text)) == text
        assert "\n" not in comment(text) + c_string(text) + javascript_string(text) + python_string(text)
        assert not any(bad in comment(text) for bad in ("*/", "/*", '"', "\\", "??", "</"))


# ---------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "labels",
    [["no", "yes"], [0, 1], [-3, 12, 40], [False, True], [0.0, 1.0], [2**70, 5], np.array([3, 200], "uint8")],
)
def test_labels_keep_their_kind(labels, language, tmp_path):
    target = LabelEncoding.fit(labels)
    net = network([2, 3, len(target.classes)], columns("a", "b"), target, output="softmax")
    file = loaded(written(net, language, tmp_path), language)
    assert file.test() == 0
    if language == "javascript":
        assert file.evaluated("net.CLASSES.map(String)") == [
            str(c).lower() if c in (True, False) and isinstance(c, bool) else str(c).removesuffix(".0")
            for c in target.classes
        ]
        return
    got = file.listed("CLASSES")
    expected = [str(c).lower() if isinstance(c, bool) else str(c) for c in target.classes]
    assert got == (expected if language == "c" else list(target.classes))


# ---------------------------------------------------------------------- activations of one's own


def own(formula, name="mine", value=None):
    f = value or (lambda x: np.broadcast_to(formula.value(lambda leaf: x), x.shape))
    return Activation(name, f, lambda z, a: 0 * z, formula, Number(0))


TREES = {
    "sigmoid": 1 / (1 + exp(-z)),
    "swish": z / (1 + exp(-1.5 * z)),
    "softplus": log(1 + exp(z)),
    "cube": z**3,
    "square of a sum": (z + 1) ** 2 - 2 * z,
    "power": (1 + absolute(z)) ** -0.5,
    "signed root": sign(z) * sqrt(absolute(z)) / 3,
    "sign of a sum": sign(1 - z) / 2 - sign(z - 0.5),
    "root of what is negative": sqrt(z),
    "log of zero": log(Choice(z, Compare(z, ">", Number(0)), Number(0))),
    "step": Choice(Number(1), Compare(z, ">", Number(0)), Number(0)),
    "hard": Choice(Number(-1), Compare(z, "<", Number(-1)), Choice(Number(1), Compare(z, ">", Number(1)), z)),
    "inverse": 1 / z,
    "zero over zero": (z - z) / (2 * (z - z)),
    "equal": Choice(z, Compare(z, "=", z), -z),
    "constants": sqrt(2 / NamedConstant("π*/", np.pi)) * z + Number(1) / Number(3) - log(Number(0.5)),
    "minus": -(z * -2) - (1 - (2 - z)),
    "large": exp(z**2),
    "tiny": 1e-20 * z + 1e20 * tanh(z),
}  # fmt: skip


def test_formulas_of_ones_own_are_written_as_code(language, tmp_path):
    functions = [own(tree, f"my {name}") for name, tree in TREES.items()]
    net = network([1, *[1] * len(TREES), 1], activation=functions)
    numbers = [*map(float, EXTREME), -1.25, 2.0]
    found = loaded(written(net, language, tmp_path), language).functions(
        [f"f{layer}" for layer in range(1, len(TREES) + 1)], numbers
    )
    for got, (name, tree) in zip(found, TREES.items(), strict=True):
        expected = tree.value(lambda leaf: np.array(numbers)) + np.zeros(len(numbers))
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-300, err_msg=name)


def test_an_infinite_number_in_a_formula_is_refused(language):
    with np.errstate(all="ignore"), pytest.raises(InputError, match="∞"):
        exported(network([2, 3, 1], activation=own(z * Number(np.inf))), language)


def test_two_activations_of_ones_own_are_two_functions(language, tmp_path):
    first, second = own(z + 1, "a-b"), own(2 * z, "a_b")
    net = network([2, 3, 3, 3, 2], activation=[first, second, first], output="leaky_relu(0.2)")
    X = raw_rows(net, n=20)
    file = loaded(written(net, language, tmp_path), language)
    assert alike(file("predict_outputs", X), net.predict(X), 1e-12)


def test_ones_own_relu_is_not_ours(language, tmp_path):
    mine = own(Choice(z, Compare(z, ">", Number(1)), Number(0)), "relu")
    net = network([2, 3, 2], activation=["relu"], output=mine, loss="half_squared_error")
    X = raw_rows(net, n=20)
    file = loaded(written(net, language, tmp_path), language)
    assert alike(file("predict_outputs", X), net.predict(X), 1e-12)


@pytest.mark.parametrize(
    ("formula", "named"),
    [
        ("max(0, z)", "max(0, z)"),
        (Total("j", Symbol("z", "j")), "Σⱼ zⱼ"),
        (Call("erf", z), "erf(z)"),
        (z * Symbol("β"), "β"),
    ],
)
def test_a_formula_that_is_no_code_is_refused(formula, named, language):
    f = Activation("mine", np.tanh, lambda z, a: 1 - a**2, formula, Number(0))
    with pytest.raises(InputError, match="activation 'mine' cannot be exported") as refusal:
        exported(network([2, 3, 1], activation=f), language)
    assert named in str(refusal.value)
    assert "1 / (1 + exp(-z))" in str(refusal.value)


def test_a_formula_that_is_not_the_code_is_refused(language):
    with pytest.raises(InputError, match="gives different numbers from its code"):
        exported(network([2, 3, 1], activation=own(z**2, value=np.tanh)), language)


# ---------------------------------------------------------------------- files


def test_equal_networks_give_equal_bytes(language, tmp_path):
    net = TASKS["fills"]()
    first = exported(net, language)
    net.save(tmp_path / "net.safetensors")
    assert exported(dr.Network.load(tmp_path / "net.safetensors"), language) == first


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_are_exact(dtype, language):
    net = network([3, 4, 2], dtype=dtype)
    text = exported(net, language).decode()
    for weight in net.parameters:
        assert str(weight).removeprefix("-") in text


def test_lines_are_short_and_end_where_they_end(language):
    for make in (*TASKS.values(), of_cells):
        text = exported(make(), language).decode()
        assert max(map(len, text.splitlines())) <= 130
        assert text.endswith("\n")
        assert not re.search(r"[ \t]$", text, re.M)
        assert "\n\n\n\n" not in text


def test_the_head_says_what_goes_in_and_what_comes_out(language):
    text = exported(TASKS["fills"](), language).decode()
    head = text[: text.index("FEATURES")]
    for said in (
        "3 numbers",
        "half_squared_error",
        "/ 0.7",
        "missing: 0.25",
        "4 tanh",
        "Answer: the output in its units",
    ):
        assert said in head


def test_the_readable_example_stays_readable():
    text = exported(load_example("T1").network(), "python").decode()
    assert "    z1 = weighted_sums(x, W1, b1)   # z1 = x @ W1 + b1\n" in text
    assert "    a1 = [sigmoid(z) for z in z1]   # a1 = 1/(1 + e^(−z1))\n" in text
    assert "    [0.15, 0.25],  # x0\n    [0.2,  0.3],   # x1\n" in text


# ---------------------------------------------------------------------- export


@pytest.mark.parametrize(
    ("name", "format", "expected"),
    [
        ("net.py", None, "numpy"), ("net.py", "python", "python"), ("NET.C", None, "c"),
        ("net.js", None, "javascript"), ("net.mjs", None, "javascript"), ("net.onnx", None, "onnx"),
        ("net.txt", "c", "c"),
    ],
)  # fmt: skip
def test_the_ending_of_the_path_says_the_format(name, format, expected):
    assert export_format(name, format) == expected


@pytest.mark.parametrize(
    ("name", "format"), [("net.txt", None), ("net", None), ("net.py", "pyhton"), ("net.c", 3)]
)
def test_unknown_formats_are_refused(name, format, tmp_path):
    with pytest.raises(InputError, match="python"):
        export(TASKS["units"](), tmp_path / name, format)
    assert not list(tmp_path.iterdir())


def test_a_network_and_what_has_one_are_written(tmp_path):
    class Estimator:
        def to_network(self):
            return TASKS["units"]()

    for number, model in enumerate((TASKS["units"](), Estimator())):
        export(model, tmp_path / f"{number}.c")
    assert (tmp_path / "0.c").read_bytes() == (tmp_path / "1.c").read_bytes() == exported(Estimator(), "c")


def test_what_cannot_be_exported_is_refused_and_nothing_written(tmp_path):
    path = tmp_path / "net.py"
    broken = TASKS["units"]()
    broken.parameters[3] = np.nan
    for model, said in ((broken, "finite"), ("net.safetensors", "got str"), (None, "got NoneType")):
        with pytest.raises(InputError, match=said):
            export(model, path)
    with pytest.raises(InputError, match="there is no folder"):
        export(TASKS["units"](), tmp_path / "none" / "net.py")
    assert not list(tmp_path.iterdir())


def test_onnx_is_one_of_the_formats(tmp_path):
    pytest.importorskip("onnx")
    export(TASKS["classes"](), tmp_path / "net.onnx")
    export(network([1, 1], activation=own(2 * z), output=own(z**2)), tmp_path / "own.onnx")
    assert (tmp_path / "net.onnx").stat().st_size > 100


# ---------------------------------------------------------------------- deltarule export


def run(*arguments):
    return CliRunner().invoke(cli, ["export", *map(str, arguments)])


@pytest.fixture
def saved(tmp_path):
    TASKS["no encoding"]().save(tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


def test_the_command_writes_several_files_at_once(saved, tmp_path):
    files = {format: tmp_path / f"out{ending}" for format, ending in ENDINGS.items()}
    result = run(saved, *(word for format, path in files.items() for word in (f"--{format}", path)))
    assert result.exit_code == 0, result.output
    for format, path in files.items():
        assert path.read_bytes() == exported(TASKS["no encoding"](), format)
        assert f"written to {path} ({format}, " in result.stdout


def test_the_command_prints_json(saved, tmp_path):
    import json

    result = run(saved, "--c", tmp_path / "net.c", "--json")
    report = json.loads(result.stdout)
    assert report["written"] == {"c": str(tmp_path / "net.c")}
    assert report["network"] == repr(TASKS["no encoding"]())


def test_the_command_refuses_before_it_writes(saved, tmp_path):
    out = tmp_path / "net.c"
    for arguments, said in (
        ([saved], "name at least one file"),
        ([saved, "--c", out, "--python", tmp_path / "none" / "x.py"], "no folder"),
        ([saved, "--c", out, "--numpy", tmp_path / "." / "net.c"], "name two files"),
        ([tmp_path / "none.safetensors", "--c", out], "cannot read"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr
        assert not out.exists()


def test_the_command_has_an_option_for_each_format():
    assert {option.name for option in cli.commands["export"].params} >= set(FORMATS)


# ---------------------------------------------------------------------- modules
