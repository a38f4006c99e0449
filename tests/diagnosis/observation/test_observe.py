"""Programs as they are: the right ones are right, planted mistakes are found with their line."""

import pytest

from .programs import PLANTED, PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_is_right(name, watch):
    seen = watch(PROGRAMS[name])
    assert seen.verdict == "right", str(seen)
    assert not seen.faults


@pytest.mark.parametrize(("name", "right", "wrong"), PLANTED)
def test_a_planted_mistake_is_found_on_its_line(name, right, wrong, watch):
    text = PROGRAMS[name]
    assert text.count(right) == 1
    planted = text.replace(right, wrong)
    line = next(n for n, one in enumerate(planted.split("\n"), 1) if wrong in one)
    seen = watch(planted)
    assert seen.verdict == "wrong", str(seen)
    first = seen.faults[0]
    low, high = sorted((first.line, first.other_line or first.line))
    between = "missing between" in first.text and low <= line <= high
    assert first.line == line or between, str(seen)


def test_two_mistakes_are_two(watch):
    text = PROGRAMS["script"]
    text = text.replace("dZ = dH * slope(H)", "dZ = dH * H").replace("b2 -= rate * dO", "b2 -= rate * 3 * dO")
    assert len(watch(text).faults) == 2


def test_a_swapped_update_names_the_weights_and_both_lines(watch):
    update = "    W2 -= rate * H.T @ dO\n"
    text = PROGRAMS["script"].replace(update, "").replace("    dH = dO", update + "    dH = dO")
    seen = watch(text)
    assert seen.verdict == "wrong"
    assert "W2 was already changed" in seen.faults[0].text
    assert seen.faults[0].line == seen.faults[0].other_line + 1


def test_an_untrained_bias_is_told(watch):
    seen = watch(PROGRAMS["script"].replace("    b1 -= rate * dZ.sum(axis=0)\n", ""))
    assert [(fault.kind, fault.parameters) for fault in seen.faults] == [("untrained", ("b1",))]


def test_without_a_computed_loss_right_says_for_which(watch):
    text = PROGRAMS["script"].replace("    loss = 0.5 * np.sum((O - T) ** 2)\n", "")
    seen = watch(text.replace("dO = (O - T) * slope(O)", "dO = O - T"))
    assert (seen.verdict, seen.loss, seen.supposed) == ("right", "binary cross-entropy", True)
    assert seen.other_losses == ("squared error",)
    assert "For a squared error it would be wrong: f′ at the output would be missing." in " ".join(
        str(seen).split()
    )


def test_against_its_own_loss_it_is_wrong(watch):
    seen = watch(PROGRAMS["script"].replace("dO = (O - T) * slope(O)", "dO = O - T"))
    assert seen.verdict == "wrong"
    assert not seen.supposed or "squared error" in seen.faults[0].text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rate = 0.5", "rate = 0.5 / 7"),
        ("    loss = 0.5", "    rate = rate * 0.99\n    loss = 0.5"),
        ("W1 -= rate * X.T @ dZ", "W1 -= rate * (X.T @ dZ + 0.01 * W1)"),
        ("W1 -= rate * X.T @ dZ", "W1 *= 1 - rate * 0.01\n    W1 -= rate * X.T @ dZ"),
        ("W1 -= rate * X.T @ dZ", "W1 = W1 - rate * X.T @ dZ - rate * 0.01 * W1"),
        ("T = rng.uniform", "X -= X.mean(axis=0); X /= X.std(axis=0)\nT = rng.uniform"),
        (
            "    loss = 0.5",
            "    print(f'{O.mean():.3f} %s' % O[0, 0], np.mean(np.abs(O - T)))\n    loss = 0.5",
        ),
        ("    loss = 0.5", "    wrong_ones = int(np.sum(np.round(O) != np.round(T)))\n    loss = 0.5"),
        (
            "import numpy as np",
            "import numpy as np\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()",
        ),
        ("rng = np.random.default_rng(0)", "rng = np.random.default_rng(0)\nimport package_of_a_friend"),
        ("W2 -= rate", "assert np.isfinite(dO).all() and isinstance(W2, np.ndarray)\n    W2 -= rate"),
    ],
)
def test_what_surrounds_a_right_step_does_not_make_it_wrong(old, new, watch):
    seen = watch(PROGRAMS["script"].replace(old, new, 1))
    assert seen.verdict == "right", str(seen)


def test_a_check_of_the_gradient_inside_is_no_training(watch):
    check = (
        "def cost():\n    return 0.5 * np.sum((sigmoid(sigmoid(X @ W1 + b1) @ W2 + b2) - T) ** 2)\n"
        "for i in range(3):\n    W1[i, 0] += 1e-5; up = cost()\n    W1[i, 0] -= 2e-5; down = cost()\n"
        "    W1[i, 0] += 1e-5\n"
        "    print((up - down) / 2e-5)\n"
    )
    assert watch(PROGRAMS["script"].replace("for epoch", check + "for epoch")).verdict == "right"


def test_a_missing_table_is_made_up_and_said(watch):
    text = PROGRAMS["script"].replace(
        "X = rng.normal(size=(7, 3))", "X = np.loadtxt('measurements.csv', delimiter=',')[:7, :3]"
    )
    seen = watch(text)
    assert seen.verdict == "right"
    assert any("measurements.csv" in one for one in seen.unseen)


#: Eight features, a target: what a program asks of a file that is not there.
EIGHT_FEATURES = """
import csv, json, pickle
import numpy as np
{read}
X = np.array(X, float)
Y = np.array(Y, float).reshape(-1, 1)
W, V = np.random.randn(8, 3), np.random.randn(3, 1)
for epoch in range(100):
    H = np.tanh(X @ W)
    A = 1 / (1 + np.exp(-H @ V))
    delta = (A - Y) / len(X)
    dV = H.T @ delta
    dW = X.T @ (delta @ V.T {slope})
    V -= 0.1 * dV
    W -= 0.1 * dW
"""


@pytest.mark.parametrize(
    "read",
    [
        "table = np.loadtxt('diabetes.csv', delimiter=','); X, Y = table[:, :-1], table[:, -1]",
        "parts = json.load(open('train.json')); X, Y = parts['features'], parts['label']",
        "parts = pickle.load(open('a.pkl', 'rb'), encoding='bytes'); X, Y = parts[b'data'], parts[b'labels']",
        "X, Y = pickle.load(open('train.pickle', 'rb'))",
        "(X, Y), valid, test = pickle.load(open('data.pkl', 'rb'))",
        "rows = [[float(x) for x in row] for row in csv.reader(open('diabetes.csv'))]\n"
        "X, Y = [[row[i] for i in range(8)] for row in rows], [row[8] for row in rows]",
    ],
)
@pytest.mark.parametrize(("slope", "verdict"), [("* (1 - H**2)", "right"), ("", "wrong")])
def test_a_missing_file_is_made_up_with_the_parts_and_columns_that_the_program_takes(
    read, slope, verdict, watch
):
    seen = watch(EIGHT_FEATURES.format(read=read, slope=slope))
    assert seen.verdict == verdict
    assert "8 → 3" in str(seen)
    assert "made-up numbers were used" in str(seen.unseen)


def test_saturated_units_cannot_be_judged(watch):
    text = PROGRAMS["script"].replace("rng.normal(size=(7, 3))", "1e4 * np.ones((7, 3))")
    text = text.replace("rng.normal(size=(4, 2))", "1e4 * np.ones((4, 2))").replace(
        "rng.normal(size=(3, 4))", "np.ones((3, 4))"
    )
    assert watch(text).verdict == "cannot judge"


def test_a_program_without_training_cannot_be_judged(watch):
    seen = watch("import numpy as np\nprint(np.arange(4).sum())\n")
    assert seen.verdict == "cannot judge"
    assert "no update changes a parameter" in seen.obstacle


def test_no_python_cannot_be_judged(watch):
    assert "SyntaxError" in watch("if (:\n").error


def test_python_2_is_read(watch):
    text = (
        PROGRAMS["script"]
        + """    if epoch % 10 == 0:
        print 'loss', loss  # of the batch
    if epoch > 5: print "later: %d" % epoch,
    print
    try:
        total = sum([k for k in xrange(3)])
    except ValueError, error:
        print "no", error
"""
    )
    assert watch(text).verdict == "right"


def test_long_training_costs_nothing(watch):
    seen = watch(PROGRAMS["script"].replace("range(100000)", "range(10**12)"))  # all of them would take weeks
    assert seen.verdict == "right"


def test_the_record_is_plain_data(watch):
    import json

    seen = watch(PROGRAMS["script"])
    assert json.loads(json.dumps(seen.to_dict()))["verdict"] == "right"
    assert seen.rates == {"rate": 0.5}
    assert "Right. The backward pass computes the gradient of the squared error" in str(seen)


RELU_AT_0 = """
import numpy as np
rng = np.random.default_rng(0)
X = np.array([[0.0, 0.0], [1.0, -0.5], [-0.3, 0.8]])
Y = np.array([[1.0], [0.0], [1.0]])
W1, b1, W2 = rng.normal(size=(2, 3)), np.zeros(3), rng.normal(size=(3, 1))
for _ in range(5):
    z = X @ W1 + b1
    h = {forward}
    out = h @ W2
    loss = ((out - Y) ** 2).mean()
    d = 2 * (out - Y) / len(X)
    dz = d @ W2.T * (z {sign} 0)
    W1, b1, W2 = W1 - 0.1 * X.T @ dz, b1 - 0.1 * dz.sum(0), W2 - 0.1 * h.T @ d
"""


@pytest.mark.parametrize("sign", [">", ">="])
@pytest.mark.parametrize("forward", ["np.maximum(0, z)", "np.where(z > 0, z, 0)"])
def test_either_slope_of_relu_at_exactly_0_is_right(forward, sign, watch):
    """The first row is 0 and so are the biases: its weighted inputs are exactly 0."""
    assert watch(RELU_AT_0.format(forward=forward, sign=sign)).verdict == "right"
    assert watch(RELU_AT_0.format(forward=forward, sign="<")).verdict == "wrong"


def test_names_of_python_2_and_random_data_called_after_a_count(watch):
    seen = watch("""
import numpy as np
def points(n_b):
    t = np.pi * np.random.random(n_b)
    return np.c_[np.cos(t), 1 - np.sin(t)] + 0.1 * np.random.randn(n_b, 2)
X = points(8)
X = (X - X.mean(0)) / X.std(0)
y = np.arange(8).reshape(-1, 1) % 2
w1, w2 = np.random.randn(2, 3), np.random.randn(3, 1)
for i in xrange(60000):
    h = np.tanh(X @ w1)
    d = h @ w2 - y
    w1, w2 = w1 - 0.1 * X.T @ (d @ w2.T * (1 - h ** 2)), w2 - 0.1 * h.T @ d
""")
    assert seen.verdict == "right", str(seen)


@pytest.mark.parametrize(
    ("error", "step"), [("o - y", "/ len(x)"), ("(o - y) / len(x)", ""), ("o - y", "* (1 / len(x))")]
)
def test_a_mean_over_a_last_batch_that_is_smaller_is_right(error, step, watch):
    text = f"""
import numpy as np
rng = np.random.default_rng(4)
X, Y = rng.normal(size=(5, 3)), np.eye(2)[[0, 1, 0, 1, 1]]
W1, W2 = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
for epoch in range(10):
    for i in range(0, 5, 3):
        x, y = X[i:i + 3], Y[i:i + 3]
        h = np.maximum(0, x @ W1)
        o = np.exp(h @ W2) / np.exp(h @ W2).sum(axis=1, keepdims=True)
        d = {error}
        dW1, dW2 = x.T @ (d @ W2.T * (h > 0)) {step}, h.T @ d {step}
        W1 -= 0.1 * dW1
        W2 -= 0.1 * dW2
"""
    assert watch(text).verdict == "right"
    assert watch(
        text.replace("range(0, 5, 3)", "range(0, 3, 3)").replace("h.T @ d", "len(x) * h.T @ d")
    ).faults


def test_what_one_step_of_many_shows_is_no_verdict(watch):
    """Only in the first step is there a target: then the network is its own."""
    seen = watch("""
import numpy as np
rng = np.random.default_rng(0)
W1, W2 = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
for t in range(9):
    x = rng.normal(size=(5, 3))
    h = np.tanh(x @ W1)
    q = h @ W2
    if t == 0:
        wanted = rng.normal(size=(5, 2))
    else:
        h = np.tanh(rng.normal(size=(5, 3)) @ W1)
        wanted = 0.9 * (h @ W2)
    d = q - wanted
    dW1, dW2 = x.T @ (d @ W2.T * (1 - h ** 2)), h.T @ d
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
""")
    assert seen.verdict != "right", str(seen)


XOR_WITHOUT_BIAS = """
import math, random
w = [[random.uniform(-1, 1) for j in range(3)] for i in range(2)]
v = [random.uniform(-1, 1) for j in range(3)]
for epoch in range(500):
    for x, y in ([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0):
        h = [math.tanh(sum(x[i] * w[i][j] for i in range(2))) for j in range(3)]
        a = math.tanh(sum(h[j] * v[j] for j in range(3)))
        delta = (y - a) * (1 - a * a)
        {first}
        {second}
"""
_LAST = "for j in range(3): v[j] = v[j] + 0.2 * delta * h[j]"
_HIDDEN = (
    "for i in range(2):\n            for j in range(3):\n"
    "                w[i][j] = w[i][j] + 0.2 * delta * v[j] * (1 - h[j] ** 2) * x[i]"
)


@pytest.mark.parametrize(
    ("first", "second", "verdict"), [(_HIDDEN, _LAST, "right"), (_LAST, _HIDDEN, "wrong")]
)
def test_a_first_sample_that_moves_nothing_leaves_enough_steps_to_judge(first, second, verdict, watch):
    assert watch(XOR_WITHOUT_BIAS.format(first=first, second=second)).verdict == verdict


NUMBER_FOR_A_LAYER = """
import numpy as np
class Network:
    b1, b2 = 0.35, {b2}
    def __init__(self):
        self.W1, self.W2 = np.array([[.15, .2], [.25, .3]]), np.array([[.4, .45], [.5, .55]])
    def train(self, x, y):
        h = 1 / (1 + np.exp(-(self.W1 @ x + {first})))
        a = 1 / (1 + np.exp(-(self.W2 @ h + self.b2)))
        delta = (a - y) * a * (1 - a)
        below = self.W2.T @ delta * h * (1 - h)
        self.W2 -= 0.5 * delta @ h.T
        self.W1 -= 0.5 * below @ x.T
net = Network()
for i in range(100):
    net.train(np.array([[.05], [.1]]), np.array([[.01], [.99]]))
"""


@pytest.mark.parametrize("first", ["self.b1", "self.b1 * np.ones((2, 1))"])
def test_a_number_written_for_a_layer_may_stay_as_it_is_and_is_told(first, watch):
    seen = watch(NUMBER_FOR_A_LAYER.format(first=first, b2="0.6"))
    assert seen.verdict == "right"
    assert len([one for one in seen.notes if "one number for the whole layer" in one]) == 2


def test_a_drawn_bias_that_never_changes_is_a_mistake(watch):
    seen = watch(NUMBER_FOR_A_LAYER.format(first="self.b1", b2="np.random.randn(2, 1)"))
    assert [one.mistake for one in seen.faults] == ["bias_never_updated"]


def test_a_parameter_that_a_function_changes_without_being_given_it_is_told(watch):
    text = (
        "import numpy as np\n"
        "def step(X, Y, W):\n"
        "    A = np.tanh(X @ W)\n"
        "    delta = (A - Y) * (1 - A**2)\n"
        "    W = W - 0.1 * X.T @ delta\n"
        "    b = b - 0.1 * delta.sum(0)\n"
        "    return W, b\n"
        "X, Y, W = np.random.randn(6, 3), np.random.randn(6, 2), np.random.randn(3, 2)\n"
        "for i in range(9):\n    W, b = step(X, Y, W)\n"
    )
    (fault,) = watch(text).faults
    assert fault.line == 6
    assert "pass b to step" in fault.text


def test_what_stands_behind_a_line_that_fails_is_run(watch):
    seen = watch("print(a1)\n" + NUMBER_FOR_A_LAYER.format(first="self.b1", b2="0.6"))
    assert seen.verdict == "right"
    assert "NameError" in seen.error


def test_a_function_of_a_missing_package_is_not_taken_for_data(watch):
    """A call of it, as of ``train`` or ``test``, raises nothing; what is called as data are is numbers."""
    seen = watch(
        "import numpy as np\nfrom helpers import train, test, x_train, y_train\n"
        "test(train(x_train))\n"
        "W = np.random.randn(3, 1)\n"
        "for i in range(9):\n"
        "    delta = x_train @ W - y_train.reshape(-1, 1)\n"
        "    W -= 0.01 * x_train.T @ delta\n"
    )
    assert (seen.verdict, seen.error) == ("right", "")
