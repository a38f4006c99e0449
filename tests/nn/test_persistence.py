"""Model files: what was written is read, from any process and any version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deltarule.errors import InputError
from deltarule.nn.activations import Activation
from deltarule.nn.layers import BIAS_KINDS
from deltarule.nn.losses import LOSSES
from deltarule.nn.model_files import read_model, write_model
from deltarule.nn.network import Network

from .cases import NAMES, PAIRS
from .models import assert_same, tiny

GOLDEN = Path(__file__).parent / "golden"
X = np.array([[0.5, -1.0], [2.0, 0.25]])


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_network_is_read_as_it_was_written(output, loss, path):
    for number, dtype in enumerate(("float64", "float32")):
        index = PAIRS.index((output, loss)) + number
        net = Network(
            [2, 3, 2],
            activation=NAMES[index % len(NAMES)],
            output=output,
            loss=loss,
            bias=BIAS_KINDS[index % 3],
            reduction=("mean", "sum")[index % 2],
            l1=0.1,
            l2=0.2,
            dropout=0.25,
            initializer="normal(0.5)",
            dtype=dtype,
        )
        net.freeze("W1[0,1]", "w7")
        net.save(path)
        again = Network.load(path)
        assert_same(again, net)
        np.testing.assert_array_equal(again.predict(X), net.predict(X))
        assert again.encoding is None


def test_parameters_of_records_survive(path):
    net = Network([2, 3, 2], activation="leaky_relu(0.3)", output="elu(alpha=2)", loss="huber(0.5)")
    net.save(path)
    again = Network.load(path)
    assert (again.loss.name, again.layers[0].activation.name) == ("huber(0.5)", "leaky_relu(0.3)")
    assert again.cost(X, X) == net.cost(X, X)


def test_read_network_can_be_trained_on_and_saved_again(path):
    net = tiny()
    net.save(path)
    first = path.read_bytes()
    again = Network.load(path)
    again.save(path)
    assert path.read_bytes() == first
    again.parameters += 1
    again.save(path)
    assert path.read_bytes() != first


def test_the_same_network_makes_the_same_bytes_in_any_process(path, tmp_path):
    code = (
        "import sys; from deltarule.nn.network import Network\n"
        "net = Network([3, 4, 2], activation='gelu', output='softmax', seed=5, l2=0.1, dropout=0.5)\n"
        "net.freeze('b'); net.save(sys.argv[1])"
    )
    contents = set()
    for number, seed in enumerate(["0", "1", "random"]):
        target = tmp_path / f"{number}.safetensors"
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, target], check=True, env=environment, timeout=60)
        contents.add(target.read_bytes())
    net = Network([3, 4, 2], activation="gelu", output="softmax", seed=5, l2=0.1, dropout=0.5)
    net.freeze("b")
    net.save(path)
    assert contents == {path.read_bytes()}


def test_network_that_no_file_can_describe_is_not_saved(path):
    for settings in (
        {"activation": Activation("mine", np.tanh, lambda z, a: 1 - a**2, "", "")},
        {"activation": Activation("tanh", np.arctan, lambda z, a: 1 / (1 + z**2), "f(z) = arctan(z)", "")},
        {"loss": LOSSES.resolve("huber").__class__("own", lambda a, y: a, lambda a, y: a, "", "")},
    ):
        with pytest.raises(InputError, match="is not the registered one of that name"):
            Network([2, 2, 1], **settings).save(path)
    net = tiny()
    net.parameters[3] = np.nan
    with pytest.raises(InputError, match="parameters must hold finite numbers, got nan at row 3"):
        net.save(path)
    assert not path.exists()


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.safetensors")), ids=lambda path: path.stem)
def test_file_of_an_older_version_still_gives_its_predictions(golden):
    stored = json.loads(golden.with_suffix(".json").read_text())
    net = Network.load(golden)
    tolerance = 1e-12 if net.dtype == "float64" else 1e-6
    np.testing.assert_allclose(
        net.predict(stored["X"]), stored["predictions"], rtol=tolerance, atol=tolerance
    )
    assert net.cost(stored["X"], stored["Y"]) == pytest.approx(stored["cost"], rel=tolerance)
    assert net.description() == stored["description"]
    assert net.frozen.tolist() == stored["frozen"]


def test_a_golden_file_of_every_format_is_kept():
    assert len(list(GOLDEN.glob("format1-*.safetensors"))) == 2


def test_description_and_arrays_come_back_as_they_went(path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([], dtype="int64"), "c": np.float32([[1]])}
    write_model(path, {"text": "é\u2028", "list": [1, None, 0.1]}, arrays)
    description, read = read_model(path)
    assert description == {"format": 1, "text": "é\u2028", "list": [1, None, 0.1]}
    assert sorted(read) == ["a", "b", "c"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
