"""Every hyperparameter with values that make no sense: one kind of error, at once."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from deltarule.errors import InputError
from deltarule.nn.layers import Dense
from deltarule.nn.network import Network
from deltarule.nn.optimizers import LBFGS, OPTIMIZERS
from deltarule.nn.schedules import SCHEDULES

BAD = {
    "None": None,
    "-1": -1,
    "0": 0,
    "nan": np.nan,
    "inf": np.inf,
    "'1'": "1",
    "[]": [],
    "10**12": 10**12,
    "object": object(),
    "10**400": 10**400,
    "True": True,
    "-0.5": -0.5,
    "complex": 1j,
}
#: Which of these are legal after all.
NETWORK = {
    "sizes": "",
    "activation": "",
    "output": "",
    "loss": "None",
    "bias": "True",
    "initializer": "None",
    "bias_initializer": "",
    "dropout": "0",
    "l1": "0 10**12",
    "l2": "0 10**12",
    "reduction": "",
    "dtype": "",
    "seed": "None 0 10**12 10**400",
}
DENSE = {"n_in": "10**12 10**400", "n_out": "10**12 10**400", "dropout": "0"}
LEGAL = {
    "learning_rate": "10**12",
    "clip_norm": "None 10**12",
    "momentum": "0",
    "rho": "0",
    "beta1": "0",
    "beta2": "0",
    "epsilon": "10**12",
    "weight_decay": "0 10**12",
    "memory": "10**12 10**400",
    "tolerance": "0 10**12",
    "improvement": "0 10**12",
    "evaluations": "None 10**12 10**400",
    "rate": "10**12",
    "every": "10**12",
    "factor": "",
    "decay": "",
    "power": "10**12",
    "final": "0 10**12",
    "rise": "",
    "start": "10**12",
    "end": "10**12",
    "after": "10**12",
    "epochs": "10**12",
}
LEGAL_BY_RECORD = {("warm_up", "start"): "0"}
RECORDS = [registry.maker(name) for registry in (OPTIMIZERS, SCHEDULES) for name in registry]
FIELDS = [(record, field.name) for record in RECORDS for field in fields(record)]


def refuses_all_but(legal, make):
    for label, value in BAD.items():
        if label in legal.split():
            make(value)
        else:
            try:
                make(value)
            except InputError:
                pass
            else:
                pytest.fail(f"{label} was accepted")


@pytest.mark.parametrize("name", NETWORK)
def test_network_refuses_values_that_make_no_sense(name):
    if name == "sizes":
        refuses_all_but("", Network)
        refuses_all_but("", lambda value: Network([2, value]))
        refuses_all_but("", lambda value: Network([value, 2]))
        return
    for sizes in ([2, 3, 1], [2, 1]):
        legal = NETWORK[name]
        if name in ("activation", "dropout") and len(sizes) == 2:
            legal += " []" if name == "activation" else ""
        refuses_all_but(legal, lambda value, sizes=sizes: Network(sizes, **{name: value}))


@pytest.mark.parametrize("name", DENSE)
def test_layer_refuses_values_that_make_no_sense(name):
    refuses_all_but(DENSE[name], lambda value: Dense(**{"n_in": 2, "n_out": 2, name: value}))


@pytest.mark.parametrize(("record", "field"), FIELDS, ids=lambda value: getattr(value, "name", value))
def test_optimizers_and_schedules_refuse_values_that_make_no_sense(record, field):
    legal = LEGAL_BY_RECORD.get((record.name, field), LEGAL[field])
    needed = {name: 0.1 for name in ("rate", "after") if name in {f.name for f in fields(record)}}
    refuses_all_but(legal, lambda value: record(**{**needed, field: value}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Network([2, 0]), "each of sizes must be a whole number ≥ 1, got 0"),
        (
            lambda: Network([2]),
            r"sizes must name at least inputs and outputs, such as \[2, 3, 1\]; got \[2\]",
        ),
        (lambda: Network([2, 2, 1], activation=["tanh"] * 2), r"activation must be one .* \(1\), got 2"),
        (
            lambda: Network([2, 2, 1], dropout=[0.1]),
            r"dropout must be one for all or one for each layer \(2\), got 1",
        ),
        (lambda: Network([2, 1], dropout=1.0), "dropout must be a number ≥ 0 and < 1, got 1.0"),
        (lambda: Network([2, 1], l2=-1), "l2 must be a number ≥ 0, got -1"),
        (
            lambda: Network([2, 1], bias="both"),
            "bias must be True, False or one of neuron, shared, none, got 'both'",
        ),
        (lambda: Network([2, 1], reduction="max"), "reduction must be 'mean' or 'sum', got 'max'"),
        (lambda: Network([2, 1], dtype="int8"), "dtype must be .*float32.*float64.*, got 'int8'"),
        (lambda: Network([2, 1], seed=-1), "seed must be a whole number ≥ 0, got -1"),
        (lambda: Network([10**9, 10**9]), "parameters do not fit into memory"),
        (lambda: OPTIMIZERS.resolve("adam(beta1=1)"), "adam: beta1 must be a number ≥ 0 and < 1"),
        (lambda: OPTIMIZERS.resolve("sgd(-1)"), "must be a number > 0, got -1"),
        (lambda: LBFGS(memory=0), "lbfgs: memory must be a whole number ≥ 1, got 0"),
        (
            lambda: SCHEDULES.resolve("step(0.1, factor=2)"),
            "schedule step: factor must be a number > 0 and ≤ 1.0, got 2",
        ),
    ],
)
def test_message_names_parameter_range_and_value(make, message):
    with pytest.raises(InputError, match=message):
        make()
