"""ONNX files take texts as a table has them, give several labels, and numbers in the type asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deltarule import InputError, Network, export, import_network
from deltarule.data.encoding import (
    CategoryColumn,
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumberColumn,
    Table,
)

from .runtimes import by_onnxruntime, close, exported, onnx, onnxruntime, reference

OAK = CategoryColumn("tree", ("ash", "oak", "yew"), "oak", other=True)
SHORE = CategoryColumn("shore, or not", ("no", "yes"))
SIZE, AGE = NumberColumn("size", 2.0, 0.5, 1.5), NumberColumn("age")
CELLS = {
    "tree": ["ash", "oak", "yew", "elm", "", "NaN", "n/a", "Ash", "None", "ash "],
    "shore, or not": ["no", "yes", "perhaps", "no", "", "yes", "no", "yes", "no", "NO"],
}
#: The same cells as a table has them when they were read: what is missing is None.
READ = {"tree": ["ash", "oak", "yew", "elm", None, None, None, "Ash", None, "ash "]}
NUMBERS = np.column_stack([np.linspace(-3, 3, 10), np.arange(10.0)])


def network(*columns, dtype="float64") -> Network:
    inputs = ColumnsEncoding(columns)
    net = Network([len(inputs.feature_names), 5, 3], activation="tanh", output="softmax", dtype=dtype, seed=3)
    net.encoding = Encoding(inputs, LabelEncoding("kind", ("a", "b", "c"), "str"))
    return net


def feeds(columns, dtype) -> dict[str, np.ndarray]:
    texts = [column.name for column in columns if isinstance(column, CategoryColumn)]
    numbers = [(SIZE, AGE).index(column) for column in columns if isinstance(column, NumberColumn)]
    found = {"texts": np.array([CELLS[name] for name in texts], dtype=object).T}
    return found | ({"X": NUMBERS[:, numbers].astype(dtype)} if numbers else {})


def by_both(data: bytes, given) -> list[dict[str, np.ndarray]]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    evaluator = reference.ReferenceEvaluator(onnx.load_model_from_string(data))
    return [dict(zip(names, run(None, given), strict=True)) for run in (session.run, evaluator.run)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "columns", [(OAK,), (SIZE, OAK), (OAK, SIZE), (OAK, AGE, SHORE, SIZE), (SIZE, AGE, SHORE)]
)
def test_texts_go_in_as_a_table_has_them(columns, dtype):
    net = network(*columns, dtype=dtype)
    table = {"size": NUMBERS[:, 0], "age": NUMBERS[:, 1]} | CELLS | READ
    expected = net.predict(net.encoding.inputs.encode(Table(table), dtype))
    for found in by_both(exported(net), feeds(columns, dtype)):
        assert close(found["probabilities"], expected)
        assert found["label"].tolist() == net.encoding.decode(expected).tolist()


def test_a_file_with_texts_is_imported_whole(tmp_path):
    net = network(OAK, AGE)
    export(net, tmp_path / "net.onnx")
    assert import_network(tmp_path / "net.onnx").encoding == net.encoding
    model = onnx.load(tmp_path / "net.onnx")
    said = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert said["texts"] == ["tree"]


def test_several_labels_are_given_with_their_probabilities(tmp_path):
    MLPClassifier = pytest.importorskip("deltarule.estimators").MLPClassifier
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    Y = np.column_stack([X[:, 0] > 0, X[:, 1] > X[:, 2], X.sum(1) > 1]).astype(int)
    fitted = MLPClassifier((8,), solver="lbfgs", alpha=0.1, max_iter=500, random_state=0).fit(X, Y)
    fitted.export(tmp_path / "labels.onnx")
    data = (tmp_path / "labels.onnx").read_bytes()
    found = by_onnxruntime(data, X)
    assert set(found) == {"label", "probabilities"}
    assert found["label"].dtype == np.int64
    assert (found["label"] == fitted.predict(X)).all()
    assert np.allclose(found["probabilities"], fitted.predict_proba(X), atol=1e-12)
    model = onnx.load_model_from_string(data)
    assert '["0", "1", "2"]' in [entry.value for entry in model.metadata_props if entry.key == "labels"]
    same = import_network(tmp_path / "labels.onnx")
    assert (same.parameters == fitted.to_network().parameters).all()


def test_a_float64_fit_is_exported_for_float32(tmp_path):
    net = network(SIZE, AGE)
    export(net, tmp_path / "net.onnx", dtype="float32")
    data, X = (tmp_path / "net.onnx").read_bytes(), NUMBERS.astype(np.float32)
    assert close(by_onnxruntime(data, X)["probabilities"], net.copy("float32").predict(
        net.encoding.inputs.encode(Table({"size": X[:, 0], "age": X[:, 1]}), "float32")
    ))  # fmt: skip
    with pytest.raises(InputError, match="choose float32 or float64"):
        export(net, tmp_path / "net.onnx", dtype="float16")
