"""Specs: what a name or a call may be, and that reading one never runs code."""

from __future__ import annotations

import signal
from dataclasses import FrozenInstanceError, dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from deltarule.errors import InputError, MissingExtraError
from deltarule.nn.activations import ACTIVATIONS, Activation, register_activation
from deltarule.nn.initializers import INITIALIZERS
from deltarule.nn.losses import LOSSES
from deltarule.nn.optimizers import OPTIMIZERS, SGD, Adam, Momentum
from deltarule.nn.schedules import SCHEDULES, Cosine, WarmUp
from deltarule.registry import import_extra, record

REGISTRIES = [ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES, INITIALIZERS]
ARGUMENT = {"constant": "(0.5)", "warm_up": "(cosine(0.5))", "step": "(0.5)", "exponential": "(0.5)"}
ARGUMENT |= {"inverse_scaling": "(0.5)", "cosine": "(0.5)", "one_cycle": "(0.5)"}
EVERYTHING = [(registry, name + ARGUMENT.get(name, "")) for registry in REGISTRIES for name in registry]
PARAMETERISED = [
    (ACTIVATIONS, "leaky_relu(0.25)"),
    (ACTIVATIONS, "elu(alpha=2)"),
    (LOSSES, "huber(0.3)"),
    (INITIALIZERS, "uniform(-1, high=2)"),
    (INITIALIZERS, "normal(1)"),
    (SCHEDULES, "warm_up(warm_up(one_cycle(0.1, rise=0.2), epochs=3), start=0)"),
    (OPTIMIZERS, "adamw(cosine(0.01, final=1e-5), beta1=0.8, weight_decay=0.1, clip_norm=1)"),
    (OPTIMIZERS, "  momentum( 0.1 ,momentum=0.5)  "),
    (OPTIMIZERS, "lbfgs(memory=3)"),
]
HOSTILE = [
    "__import__('os')",
    "__import__('os').system('true')",
    "().__class__.__bases__",
    "sgd.__init__",
    "(lambda: 0)()",
    "sgd(__import__('os').getpid())",
    "sgd(open('x'))",
    "sgd([i for i in (1,)])",
    "sgd(*[1])",
    "sgd(**{'learning_rate': 1})",
    "sgd(learning_rate=1, learning_rate=2)",
    "sgd(1)(2)",
    "sgd()()",
    "sgd; sgd",
    "sgd\nsgd",
    "sgd(",
    "",
    " ",
    "\0",
    "sgd\0",
    "\ud800",
    "sgd(1, 2, 3, 4)",
    "sgd(rate=1)",
    "sgd('0.1')",
    "sgd(None)",
    "sgd(10**10**10)",
    "sgd('x' * 10**10)",
    "sgd(1e999)",
    "sgd(-1)",
    "sgd(0)",
    "sgd(True)",
    "sgd(9" + "9" * 5000 + ")",
    "sgd(" * 90 + ")" * 90,
    "sgd(" * 10_000,
    "(" * 100_000,
    "[" * 1000 + "]" * 1000,
    "-" * 100_000 + "1",
    "1+" * 100_000 + "1",
    "a" * 1_000_000,
    "sgd(" + "a" * 1_000_000 + ")",
    "a." * 100_000 + "a",
    "warm_up(" * 60 + "0.1" + ")" * 60 + "x",
]


@pytest.mark.parametrize(("registry", "spec"), EVERYTHING + PARAMETERISED)
def test_every_spec_round_trips(registry, spec):
    record = registry.resolve(spec)
    text = getattr(record, "spec", record.name)
    again = registry.resolve(text)
    assert getattr(again, "spec", again.name) == text
    assert registry.resolve(record) is record
    assert record.formula


def test_numbers_of_numpy_and_fractions_round_trip():
    for optimizer in (
        SGD(np.float64(0.5)),
        SGD(np.float32(0.5)),
        SGD(Fraction(1, 2)),
        Momentum(0.1, np.float64(0.5)),
    ):
        assert OPTIMIZERS.resolve(optimizer.spec) == optimizer
    leaky = ACTIVATIONS.maker("leaky_relu")(np.float64(0.25))
    assert leaky.name == "leaky_relu(0.25)"
    assert INITIALIZERS.maker("constant")(np.float32(0.5)).name == "constant(0.5)"
    assert LOSSES.maker("huber")(np.float64(0.5)).name == "huber(0.5)"


def test_nested_schedule_is_read_as_the_objects_it_names():
    adam = OPTIMIZERS.resolve("adam(warm_up(cosine(0.1), epochs=2), beta1=0.5)")
    assert adam == Adam(WarmUp(Cosine(0.1), epochs=2), beta1=0.5)


@record
class Point:
    x: float
    y: float = 0.0
    label: str = field(default="", compare=False)


@dataclass(frozen=True)
class Place(Point):
    z: float = 0.0


def test_records_compare_hash_and_print_by_their_fields():
    assert Point(1, 2) == Point(1.0, 2.0, "A") != Point(1, 3)
    assert Point(1, 2) != Place(1, 2)
    assert Point(1, 2) != (1, 2, "")
    assert {Point(1, 2): "found"}[Point(1, 2, "A")] == "found"
    assert repr(Point(1, 2)) == "Point(x=1, y=2, label='')"
    assert replace(Point(1, 2), y=3) == Point(1, 3)
    with pytest.raises(FrozenInstanceError):
        Point(1, 2).x = 3
    with pytest.raises(TypeError):
        hash(Point(1, []))


def test_a_dataclass_of_ones_own_may_extend_a_record():
    assert Place(1, 2, z=3) == replace(Place(1, 2), z=3) != Place(1, 2)
    assert repr(Place(1, 2)) == "Place(x=1, y=2, label='', z=0.0)"


def test_arguments_reach_the_record():
    assert ACTIVATIONS.resolve("leaky_relu(0.2)").value(np.array([-1.0]))[0] == -0.2
    assert ACTIVATIONS.resolve("leaky_relu(slope=0.01)").name == "leaky_relu"
    assert LOSSES.resolve("huber(2.0)").terms(np.array([[3.0]]), np.array([[0.0]]))[0, 0] == 2 * (3 - 1)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_unknown_name_is_answered_with_the_nearest_known_one(registry):
    name = next(name for name in registry if len(name) > 3)
    with pytest.raises(InputError, match=rf"unknown {registry.kind} '{name}x'; did you mean '{name}'\?"):
        registry.resolve(name + "x")
    with pytest.raises(InputError, match="; choose from: "):
        registry.resolve("qqqqqq")


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_hostile_specs_are_refused_briefly(registry):
    for spec in HOSTILE:
        with pytest.raises(InputError) as refusal:
            registry.resolve(spec)
        assert len(str(refusal.value)) < 600


@pytest.mark.parametrize("value", [None, 1, 0.5, [], {}, object(), b"sgd", SGD])
def test_what_is_neither_name_nor_record_is_refused(value):
    for registry in REGISTRIES:
        with pytest.raises(InputError, match=f"{registry.kind} must be a name or"):
            registry.resolve(value)


def test_name_that_is_taken_is_not_given_away():
    tanh = ACTIVATIONS.resolve("tanh")
    with pytest.raises(InputError, match="activation 'tanh' is already registered"):
        register_activation(Activation("tanh", abs, abs, "", ""))
    assert ACTIVATIONS.resolve("tanh") is tanh


def test_missing_package_is_named_with_the_extra_that_brings_it():
    with pytest.raises(
        MissingExtraError, match=r'no_such_thing is not installed: pip install "deltarule\[data\]"'
    ):
        import_extra("no_such_thing.inner", "data")
    assert import_extra("json.decoder", "data").__name__ == "json.decoder"


def test_a_module_that_swallows_exceptions_while_it_loads_does_not_lose_ctrl_c(tmp_path, monkeypatch):
    lines = "import signal", "try: signal.raise_signal(signal.SIGINT)", "except BaseException: pass"
    Path(tmp_path, "swallowing.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            import_extra("swallowing", "data")
    finally:
        signal.signal(signal.SIGINT, before)
