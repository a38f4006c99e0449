"""Templates of source files are code of their language, and nothing of them is left in what is exported."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from importlib.resources import files

import pytest

from deltarule.exchange.exporting import exported
from deltarule.exchange.portable_network import portable_network
from deltarule.exchange.templates import filled_in
from deltarule.exchange.to_c import CSource
from deltarule.exchange.to_javascript import JavaScriptSource
from deltarule.exchange.to_python import NumpySource, PythonSource

from .source_files import of_cells
from .test_source import TASKS, TREES, network, own

SOURCES = {"c": CSource, "javascript": JavaScriptSource, "numpy": NumpySource, "python": PythonSource}
ASSETS = {asset.name: asset for asset in files("deltarule.exchange").joinpath("assets").iterdir()}
NETWORKS = {
    **TASKS,
    "cells": of_cells,
    "own": lambda: network([1, *[1] * len(TREES), 1], activation=[own(tree) for tree in TREES.values()]),
    "float32": lambda: network([3, 4, 2], dtype="float32", output="softmax"),
}


def test_each_template_is_used():
    named = {name for source in SOURCES.values() for name in (*source.templates, source.cells)}
    assert sorted(ASSETS) == sorted(named)


@pytest.mark.parametrize("name", [name for name in ASSETS if name.endswith(".py")])
def test_a_template_of_python_is_python(name):
    ast.parse(ASSETS[name].read_text("utf-8"))


@pytest.mark.skipif(not shutil.which("gcc"), reason="there is no gcc")
@pytest.mark.parametrize(("name", "options"), [("network.c", []), ("network.c", ["-DMAIN"]), ("cells.c", [])])
def test_a_template_of_c_is_c(name, options):
    command = ["gcc", "-std=c99", "-Wall", "-Werror", "-Wno-unused-function", "-Wno-unused-const-variable"]
    done = subprocess.run([*command, "-fsyntax-only", *options, ASSETS[name]], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node")
@pytest.mark.parametrize("name", ["network.mjs", "cells.mjs"])
def test_a_template_of_javascript_is_javascript(name):
    done = subprocess.run(["node", "--check", ASSETS[name]], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("language", SOURCES)
def test_nothing_of_a_template_is_left(language):
    for make in NETWORKS.values():
        text = exported(make(), language).decode()
        assert not re.findall(r"__[A-Z_]+__|(?:#|//) ?(?:end)?if .*", text)


@pytest.mark.parametrize("language", SOURCES)
def test_each_condition_holds_for_one_network_and_not_for_another(language):
    source = SOURCES[language]
    texts = "".join(ASSETS[name].read_text("utf-8") for name in (*source.templates, source.cells))
    named = set(re.findall(r"(?:#|//) ?if !?(\w+)$", texts, re.M)) - {"exported"}
    held = [source(portable_network(make()), "").conditions() for make in NETWORKS.values()]
    assert named
    assert named <= set.union(*held)
    assert not named & set.intersection(*held)


def test_a_word_that_begins_a_line_stands_for_lines_that_are_indented_as_it_is():
    words = dict.fromkeys(re.findall(r"__([A-Z_]+)__", ASSETS["network.mjs"].read_text("utf-8")), "x")
    text = filled_in(
        "network.mjs", words | {"LAYERS": "one;\n  two;", "HEAD": "a\nb", "FUNCTIONS": "", "CELLS": ""}, ()
    )
    assert text.startswith("/*\n * a\n * b\n *\n")
    assert "\n    const x = inputs(row);\n    one;\n      two;\n    return x;\n" in text
    assert "bias));\n}\n\n/** A row as layer 1" in text


def test_a_file_of_numpy_calls_nothing_of_math():
    assert "math" not in exported(NETWORKS["own"](), "numpy").decode()
