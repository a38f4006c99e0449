"""The network drawn: what is drawn, as SVG, and for the terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from deltarule.derivations.network_drawing import draw
from deltarule.documents.drawing import Edge, Gap, Node, shortened, visible
from deltarule.documents.sketch import sketch
from deltarule.documents.svg import svg
from deltarule.documents.svg_style import TAG_COLOURS, TAG_COLOURS_DARK
from deltarule.errors import InputError, ShapeError
from deltarule.nn.network import Network
from deltarule.tutorials import load_example

HOSTILE = [
    "<script>",
    "]]>&",
    "$x#\\",
    "a" * 500,
    "",
    "two\nlines\x00\ud800",
    "😀👩‍👩‍👧☀️",
    "שלום",
    "漢字",
    "\u202eevil",
]
SIZES = [[1, 1], [2, 2, 2], [3, 4, 1], [2, 3, 3, 1], [4, 20, 20, 3], [12, 1], [784, 200, 80, 10], [2] * 31]
XMLNS = "{http://www.w3.org/2000/svg}"


def drawn(sizes, *, bias="neuron", **options):
    """A drawing with all that can be drawn."""
    net = Network(sizes, activation="tanh", bias=bias)
    trace = net.forward(np.linspace(-1, 1, 2 * sizes[0]).reshape(2, -1))
    Y = np.full((2, sizes[-1]), 0.25)
    return draw(net, trace, net.backward(trace, Y), Y, **options)


def by_hand(**options):
    example = load_example("T1")
    net = example.network()
    trace = net.forward(example.X)
    return draw(net, trace, net.backward(trace, example.Y), example.Y, **options)


def nodes(drawing):
    return [item for column in drawing.columns for item in column.nodes if isinstance(item, Node)]


def texts(drawing):
    """What must be readable in any picture of a small network."""
    numbers = [number for node in nodes(drawing) for _, number in node.values]
    return {*(node.name for node in nodes(drawing)), *numbers, *(edge.text for edge in drawing.edges)}


# ------------------------------------------------------------------ what is drawn


def test_values_of_the_worked_example():
    drawing = by_hand(number="{:.6f}".format)
    assert [column.name for column in drawing.columns] == ["inputs", "layer 1", "layer 2"]
    assert drawing.columns[0].nodes[0] == Node("i1", (("x", "0.050000"),))
    assert drawing.columns[1].nodes[0].values == (("net", "0.377500"), ("out", "0.593270"), ("δ", "0.008771"))
    labels = ("net", "out", "y", "δ")
    assert drawing.columns[2].nodes[1].values == tuple(
        zip(labels, ("1.224921", "0.772928", "0.990000", "-0.038098"), strict=True)
    )
    assert [column.bias for column in drawing.columns] == [
        None,
        Node("b1", (("b1", "0.350000"),)),
        Node("b2", (("b2", "0.600000"),)),
    ]
    assert drawing.edges[4] == Edge(2, 0, 0, "w5", 0.4, "0.400000")
    assert drawing.caption == ""


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_edges_are_the_weights_they_are_named_after(sizes):
    net = Network(sizes)
    drawing = draw(net)
    for edge in drawing.edges:
        assert net.parameters[net.select(edge.name)] == edge.weight
        ends = [
            drawing.columns[edge.layer - 1].nodes[edge.source],
            drawing.columns[edge.layer].nodes[edge.target],
        ]
        assert all(isinstance(end, Node) for end in ends)
    counts = [sum(isinstance(item, Node) for item in column.nodes) for column in drawing.columns]
    assert len(drawing.edges) == sum(a * b for a, b in pairwise(counts))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_columns_count_all_neurons_and_draw_few(sizes):
    drawing = drawn(sizes)
    assert [column.size for column in drawing.columns] == sizes
    assert all(len(column.nodes) <= 10 for column in drawing.columns)
    assert ("Left out" in drawing.caption) == any(size > 10 for size in sizes)
    assert len({node.name for node in nodes(drawing)}) == len(nodes(drawing))


def test_a_large_layer_keeps_its_tagged_neurons_the_first_and_the_last():
    layer = drawn([784, 200, 80, 10], tags={"h120": 3, "w784": 1, "h240": 2}).columns[1]
    assert [item.count if isinstance(item, Gap) else item.name for item in layer.nodes] == (
        ["h1", "h2", "h3", "h4", "h5", 114, "h120", 79, "h200"]
    )
    assert [item.tag for item in layer.nodes if isinstance(item, Node)] == [None] * 5 + [3, None]


def test_both_ends_of_a_tagged_weight_are_drawn():
    net = Network([784, 200, 80, 10])
    tagged = [edge for edge in draw(net, tags={"w100000": 6}).edges if edge.tag is not None]
    assert [(edge.name, edge.tag) for edge in tagged] == [("w100000", 6)]
    assert tagged[0].weight == net.parameters[net.select("w100000")]


def test_tags_go_by_name_whatever_the_inputs_are_called():
    drawing = by_hand(inputs=["o1", "w5"], tags={"o1": 1, "i1": 2, "w5": 3, "b2": 4, "net_h1": 5})
    assert [node.tag for node in nodes(drawing)] == [2, None, None, None, 1, None]
    assert [edge.tag for edge in drawing.edges] == [None] * 4 + [3] + [None] * 3
    assert drawing.columns[2].bias.tag == 4


def test_one_sample_of_many():
    net = Network([2, 1], output="sigmoid")
    trace = net.forward([[0, 1], [2, 3]])
    drawing = draw(net, trace, Y=[0, 1], sample=1)
    assert [node.values[0] for node in nodes(drawing)[:2]] == [("x", "2"), ("x", "3")]
    assert nodes(drawing)[2].values[-1] == ("y", "1")


def test_an_input_without_a_name_is_called_by_its_number():
    assert [node.name for node in nodes(draw(Network([3, 1]), inputs=["", " \n", "x"]))][:3] == [
        "i1",
        "i2",
        "x",
    ]


def test_outputs_go_by_the_names_that_are_given():
    named = draw(Network([1, 2, 3]), outputs=["setosa", "", "virginica"])
    assert [node.name for node in named.columns[-1].nodes] == ["setosa", "o2", "virginica"]
    assert [node.name for node in named.columns[1].nodes] == ["h1", "h2"]


def test_wrong_arguments_are_refused():
    net, other = Network([2, 1]), Network([2, 3, 1])
    trace = other.forward([[0, 1]])
    with pytest.raises(ShapeError, match=r"trace must be of this network, with layers of \[1\] neurons"):
        draw(net, trace)
    with pytest.raises(ShapeError, match="grads must be of this network"):
        draw(net, grads=other.backward(trace, [1]))
    with pytest.raises(ShapeError, match="inputs must be 2 names, one for each input, got 1"):
        draw(net, inputs=["x"])
    with pytest.raises(ShapeError, match="outputs must be 1 names, one for each output, got 2"):
        draw(net, outputs=["x", "y"])
    with pytest.raises(InputError, match="sample must be a whole number ≥ 0 and ≤ 0, got 1"):
        draw(other, trace, sample=1)
    with pytest.raises(InputError, match="the tag of w1 must be a whole number ≥ 0 and ≤ 7, got 8"):
        draw(net, tags={"w1": 8})
    with pytest.raises(InputError, match="width must be at least 20 cells, got 19"):
        sketch(draw(net), width=19)


@given(st.text())
def test_visible_texts_hold_nothing_that_moves_or_hides(text):
    shown = visible(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]", shown)
    assert visible(shown) == shown


@given(st.text(), st.integers(1, 40))
def test_shortened_texts_fit(text, room):
    assert len(shortened(text, room, len)) <= room
    assert shortened(text[:room], room, len) == text[:room]


# ------------------------------------------------------------------ SVG


def parsed(drawing):
    root = ElementTree.fromstring(svg(drawing))
    assert root.tag == f"{XMLNS}svg"
    return root


def shown_texts(root):
    return {"".join(text.itertext()) for text in root.iter(f"{XMLNS}text")}


@pytest.mark.parametrize("bias", ["neuron", "shared", "none"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_svg_draws_every_neuron_and_every_edge(sizes, bias):
    drawing = drawn(sizes, bias=bias)
    root = parsed(drawing)
    assert len(root.findall(f".//{XMLNS}circle")) == len(nodes(drawing))
    legend = 0 if len(drawing.edges) <= 20 else 2
    assert len(root.findall(f".//{XMLNS}line")) == len(drawing.edges) + legend
    shown = shown_texts(root)
    assert {number for node in nodes(drawing) for _, number in node.values} <= shown
    assert {node.name for node in nodes(drawing)} <= shown
    labels = {f"{edge.name} {edge.text}" for edge in drawing.edges}
    assert labels <= shown if not legend else not labels & shown


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_svg_keeps_within_its_borders(sizes):
    root = parsed(drawn(sizes))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for text in root.iter(f"{XMLNS}text"):
        assert 0 < float(text.attrib["x"]) < width
        assert 0 < float(text.attrib["y"]) < height


@pytest.mark.parametrize("sizes", [[2, 2, 2], [3, 4, 1], [4, 4, 1], [2, 3, 3, 1]], ids=str)
def test_labels_of_edges_do_not_overlap(sizes):
    root = parsed(drawn(sizes))
    places = [
        (float(text.attrib["x"]), float(text.attrib["y"]), 3.3 * len("".join(text.itertext())))
        for text in root.findall(f".//{XMLNS}g[@class='edge']/{XMLNS}text")
    ]
    assert len(places) == sum(a * b for a, b in pairwise(sizes))
    for index, (x, y, half) in enumerate(places):
        for other_x, other_y, other_half in places[:index]:
            assert abs(y - other_y) > 11 or abs(x - other_x) > half + other_half


def test_svg_ties_tags_to_classes():
    root = parsed(by_hand(tags={"h1": 0, "w5": 1, "b2": 7}))
    classes = [group.attrib["class"] for group in root.iter(f"{XMLNS}g")]
    assert classes.count("node tagged t0") == classes.count("bias tagged t7") == 1
    assert classes.count("edge tagged t1") == 2  # its line, its label


def test_svg_is_for_screen_readers_too():
    root = parsed(by_hand())
    assert root.attrib["role"] == "img"
    assert root[0].text == "Neural network, 2 – 2 – 2"
    assert all(word in root[1].text for word in ("h1, net 0.3775, out 0.59327", "b2 0.6", "w5 0.4"))


def test_svg_without_a_caption():
    drawing = replace(by_hand(), caption="")
    assert parsed(drawing)[1].text.startswith("inputs: i1, x 0.05; ")


def test_svg_takes_nothing_from_elsewhere():
    content = svg(drawn([9, 2, 2], inputs=HOSTILE[:9]))
    assert not re.search(r"<script|url\(|@import|href|onload", content)
    assert content.count("http") == 1  # the name space
    assert content.count("<style>") == 1


def test_svg_colours_signs_and_measures_weights_in_a_large_network():
    net = Network([5, 5, 1], initializer="zeros")
    net.parameters[:3] = [2.0, -1.0, np.nan]
    root = parsed(draw(net))
    lines = [group.attrib for group in root.iter(f"{XMLNS}g") if "stroke-width" in group.attrib]
    widths = {float(line["stroke-width"]) for line in lines[:30] if "neg" in line["class"]}
    assert widths == {1.8}
    assert max(float(line["stroke-width"]) for line in lines[:30]) == 3.2
    assert "widest: |w| = 2" in shown_texts(root)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text() | st.sampled_from(HOSTILE), min_size=3, max_size=3), st.text())
def test_any_name_and_any_number_make_a_sound_svg(names, number):
    drawing = drawn([3, 2], inputs=names, number=lambda value: number)
    root = parsed(drawing)
    titles = [group[0].text or "" for group in root.iter(f"{XMLNS}g") if group.attrib["class"] == "node"]
    assert titles == [visible(node.name) for node in nodes(drawing)]
    for line in sketch(drawing, 60).splitlines():
        assert cell_len(line) <= 60


def test_long_names_are_shortened_in_the_picture_only():
    root = parsed(drawn([1, 1], inputs=["long " * 20]))
    assert "long " * 20 in [title.text for title in root.iter(f"{XMLNS}title")]
    assert any(text.startswith("long long") and text.endswith("…") for text in shown_texts(root))


@pytest.mark.parametrize(("colours", "ground"), [(TAG_COLOURS, "#ffffff"), (TAG_COLOURS_DARK, "#16181d")])
def test_colours_of_tags_can_be_read(colours, ground):
    assert len(set(colours)) == 8
    for colour in colours:
        bright, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5
        assert colour in svg(draw(Network([1, 1])))


def luminance(colour):
    """Relative luminance, as the WCAG define it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


# ------------------------------------------------------------------ the terminal

FIGURE = """\
  inputs                     layer 1, sigmoid                   layer 2, sigmoid
                           ╭────────────────╮                 ╭────────────────╮
╭────────╮                 │ h1             │                 │ o1             │
│ i1     ├──┬─── w1 0.15 ──┤ net 0.3775     ├──┬─── w5 0.4 ───┤ net 1.10591    │
│ x 0.05 │  │ ╭─ w2 0.2 ───┤ out 0.59327    │  │ ╭─ w6 0.45 ──┤ out 0.751365   │
╰────────╯  │ │            │ δ   0.00877135 │  │ │            │ y   0.01       │
            │ │            ╰────────────────╯  │ │            │ δ   0.138499   │
            │ │                                │ │            ╰────────────────╯
            │ │            ╭────────────────╮  │ │            ╭────────────────╮
╭────────╮  │ │            │ h2             │  │ │            │ o2             │
│ i2     │  ╰─│─ w3 0.25 ──┤ net 0.3925     │  ╰─│─ w7 0.5 ───┤ net 1.22492    │
│ x 0.1  ├────┴─ w4 0.3 ───┤ out 0.596884   ├────┴─ w8 0.55 ──┤ out 0.772928   │
╰────────╯                 │ δ   0.00995425 │                 │ y   0.99       │
                           ╰────────────────╯                 │ δ   -0.0380982 │
                                                              ╰────────────────╯
                             b1 0.35                            b2 0.6"""


def test_the_worked_example_as_a_figure():
    assert sketch(by_hand(), width=80) == FIGURE


def test_ascii_is_ascii():
    figure = sketch(by_hand(), width=90, ascii=True)
    assert figure.isascii()
    assert "delta 0.00877135" in figure
    assert "| i1     +--+--- w1 0.15 --+ net   0.3775" in figure


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("width", [20, 40, 80, 100, 250])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_no_line_is_wider_than_asked(sizes, width, ascii):
    names = [HOSTILE[index % len(HOSTILE)] for index in range(sizes[0])]
    lines = sketch(drawn(sizes, inputs=names), width, ascii).split("\n")
    assert max(map(cell_len, lines)) <= width
    assert not ascii or all(line.isascii() for line in lines)
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("width", [60, 100, 200])
@pytest.mark.parametrize("sizes", [[1, 1], [2, 2, 2], [3, 4, 1], [2, 3, 3, 1], [4, 4, 1], [8, 2]], ids=str)
def test_small_networks_are_shown_with_all_their_numbers(sizes, width):
    drawing = drawn(sizes)
    shown = sketch(drawing, width)
    assert all(text in shown for text in texts(drawing))


@pytest.mark.parametrize("sizes", [[2, 2, 2], [3, 4, 1], [2, 3, 3, 1], [4, 4, 1], [5, 3], [6, 2, 1]], ids=str)
def test_wires_lead_from_each_neuron_to_each_of_its_weights(sizes):
    drawing = drawn(sizes)
    lines = sketch(drawing, 250).split("\n")
    assert "╭" in "".join(lines)
    for edge in drawing.edges:
        row = next(row for row, line in enumerate(lines) if f" {edge.name} " in line)
        source = drawing.columns[edge.layer - 1].nodes[edge.source]
        assert reached(lines, row, lines[row].index(f" {edge.name} ") - 1) == source.name


def reached(lines, row, column):
    """The neuron from which the wire at this place comes; crossings are passed straight on."""
    borders = {match.end() - 1 for line in lines for match in re.finditer("╭─+╮", line)}
    seen, todo = set(), [(row, column, "l")]
    while todo:
        place = row, column, way = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        here = lines[row][column]
        if column in borders:
            return owner(lines, row, column)
        ways = way if here == "│" and way in "lr" else OPEN[here]
        todo += [moved(row, column, other) for other in ways if other != BACK[way]]
    return None


OPEN = {
    "─": "lr", "│": "ud", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu",
    "├": "udr", "┤": "udl", "┬": "lrd", "┴": "lru", "┼": "lrud", " ": "",
}  # fmt: skip
BACK = {"l": "r", "r": "l", "u": "d", "d": "u"}


def moved(row, column, way):
    return row + {"u": -1, "d": 1}.get(way, 0), column + {"l": -1, "r": 1}.get(way, 0), way


def owner(lines, row, column):
    """The name in the box whose border to the right is at this place."""
    while lines[row][column] != "╮":
        row -= 1
    left = lines[row].rindex("╭", 0, column)
    return lines[row + 1][left + 2 : column].strip()


def test_a_large_network_takes_a_line_for_each_layer():
    lines = sketch(drawn([784, 200, 80, 10]), 70).split("\n")
    assert [line.partition(";")[0] for line in lines] == [
        "inputs: 784",
        "layer 1: 200 neurons, tanh",
        "layer 2: 80 neurons, tanh",
        "layer 3: 10 neurons, identity",
    ]
    wide = sketch(draw(Network([784, 200, 80, 10])), 100)
    assert "layer 1: 200 neurons, relu; h1, h2, h3, h4, h5, h6, ⋮ 193 more, h200" in wide
