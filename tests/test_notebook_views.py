"""In a notebook, what one evaluates shows itself."""

from __future__ import annotations

import sys
from base64 import b64decode
from xml.etree import ElementTree

import numpy as np
import pytest

import deltarule as dr


def picture_in(html: str) -> ElementTree.Element:
    """The drawing that an image holds; it must be whole XML that loads nothing."""
    image = ElementTree.fromstring(html)
    kind, _, content = image.attrib["src"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    return ElementTree.fromstring(b64decode(content))


def trained(metrics=()):
    data = dr.datasets.load("xor")
    net = dr.Network([2, 3, 1], activation="tanh", output="sigmoid", seed=1)
    return dr.train(net, data.X, data.y, epochs=3, metrics=metrics)


def test_a_network_is_drawn_with_its_weights():
    net = dr.Network([2, 2, 1], seed=3)
    words = " ".join(picture_in(net._repr_html_()).itertext())
    for name in ("i1", "h2", "o1", "w6"):
        assert name in words
    assert f"{net.layers[0].W[0, 0]:.4g}"[:5] in words


def test_a_worked_example_is_its_title_and_its_network():
    shown = ElementTree.fromstring(dr.load_example("T4")._repr_html_())
    assert "hand calculation" in shown.find("b").text
    drawing = " ".join(picture_in(ElementTree.tostring(shown.find("img"), "unicode")).itertext())
    assert "w6" in drawing


def test_a_diagnosis_is_printed():
    seen = dr.Diagnosis("right", loss="squared error")
    assert ElementTree.fromstring(seen._repr_html_()).text == str(seen)


def test_a_comparison_is_printed():
    def step(weights, biases, X, Y):
        delta = X @ weights[0] + biases[0] - Y
        return [X.T @ delta], [delta.sum(axis=0)]

    net = dr.Network([2, 1], output="identity", seed=1)
    found = dr.compare(step, net, [[1.0, 2.0], [0.5, 1.0]], [[1.0], [0.0]])
    assert ElementTree.fromstring(found._repr_html_()).text == str(found)


def test_a_large_network_is_drawn_in_part():
    words = " ".join(picture_in(dr.Network([784, 200, 10])._repr_html_()).itertext())
    assert "777 more" in words


def test_a_history_is_its_curves():
    one, two = (picture_in(trained(metrics)._repr_html_()) for metrics in ([], ["accuracy"]))
    assert float(two.attrib["width"].removesuffix("pt")) > 1.8 * float(one.attrib["width"].removesuffix("pt"))


def test_without_matplotlib_a_history_is_a_table(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    shown = trained()._repr_html_()
    assert shown.startswith("<pre")
    assert "epoch" in shown


def test_a_data_set_shows_kinds_and_first_rows():
    shown = ElementTree.fromstring(dr.datasets.load("iris")._repr_html_())
    kinds, rows = shown.findall("table")
    assert [cell.text for cell in kinds[1]] == ["sepal length (cm)", "number", "0", "4.3 to 7.9, mean 5.8433"]
    assert len(rows) == 6
    assert rows[1][-1].text == "setosa"


def test_names_are_text_not_markup():
    data = dr.datasets.load("xor")
    hostile = dr.datasets.Dataset("<b>x</b>", data.inputs, data.target, ("<i>y</i>",), data.classes)
    shown = hostile._repr_html_()
    assert "<i>" not in shown
    assert "&lt;i&gt;y" in shown


@pytest.mark.parametrize("make", [
    lambda net, X, y: dr.check_gradients(net, X, y),
    lambda net, X, y: dr.health(net, X, y),
])  # fmt: skip
def test_reports_are_printed(make):
    data = dr.datasets.load("xor")
    report = make(dr.Network([2, 3, 1], output="sigmoid", seed=0), data.X, data.y)
    shown = ElementTree.fromstring(report._repr_html_())
    assert shown.tag == "pre"
    assert shown.text == str(report)


def test_a_derivation_is_a_page_with_formulas_and_a_drawing():
    net = dr.Network([2, 1], output="sigmoid", seed=0)
    shown = dr.explain(net, np.array([[0.5, 1.0]]), [[1.0]], "w1")._repr_html_()
    assert "<math" in shown
    assert "<svg" in shown
    assert "<script" not in shown


def test_where_a_notebook_is_not_trusted_a_derivation_is_text():
    net = dr.Network([2, 1], output="sigmoid", seed=0)
    derivation = dr.explain(net, np.array([[0.5, 1.0]]), [[1.0]], "w1")
    plain, full = ElementTree.fromstring(derivation._repr_html_())[1:]
    assert plain.text == derivation.text()
    assert full.get("style") == "display:none"  # which the style above it, left out there, overrules
    assert "math" in ElementTree.tostring(full, "unicode")
