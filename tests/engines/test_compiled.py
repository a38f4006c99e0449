"""The compiled engine gives the reference's numbers: generated from the registries."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import cycle

import numpy as np
import pytest

from deltarule import Activation, Dense, Network, Scaled, resume, train
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.engines import (
    compilation,
    compiled,
    jobs,
    machine_code,
    reference,
    workspace,
)
from deltarule.nn.engines.contract import Samples
from deltarule.nn.layers import BIAS_KINDS
from deltarule.nn.losses import LOSSES
from deltarule.nn.optimizers import OPTIMIZERS
from deltarule.training import Checkpoint

pytest.importorskip("numba")

TOLERANCE = {"float64": {"rtol": 1e-12, "atol": 1e-12}, "float32": {"rtol": 1e-5, "atol": 1e-5}}
#: What the kernels have branches for; everything else is computed by NumPy.
HIDDEN = [name for name in ACTIVATIONS if name in jobs.ACTIVATIONS]
STEPS = [name for name in OPTIMIZERS if name in jobs.OPTIMIZERS]
PAIRS = [
    (output, loss)
    for output in HIDDEN
    for loss in LOSSES
    if loss in jobs.LOSSES and LOSSES.resolve(loss).accepts(ACTIVATIONS.resolve(output))
]


def targets(net, n, rng):
    """Numbers from 0 to 1; in rows that sum to 1 where the outputs do (else a sum of signs may cancel)."""
    k = net.sizes[-1]
    sums = net.loss.distribution or net.layers[-1].activation.name == "softmax"
    return rng.dirichlet(np.ones(k), n) if sums else rng.random((n, k))


def samples_of(net, n=11, weighted=False, number=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(n, net.sizes[0])) * 40).astype(np.int8).astype(number)
    if number is np.float64:
        x = rng.normal(size=(n, net.sizes[0])).astype(net.dtype)
    weight = rng.random((n, 1)).astype(net.dtype) if weighted else None
    return Samples(x, targets(net, n, rng).astype(net.dtype), weight)


def run(engine, net, samples, optimizer, size=4, epochs=3, shuffle=True):
    """Parameters, slots and losses after some epochs; the network is left alone."""
    net = net.copy()
    slots = optimizer.start(net.parameters)
    n = len(samples)
    orders = np.array([np.random.default_rng(e).permutation(n) for e in range(epochs)]) if shuffle else None
    rates = 0.05 / (1 + np.arange(epochs * -(-n // size), dtype=float).reshape(epochs, -1))
    generator = np.random.default_rng(5)
    losses = engine.run_epochs(net, samples, size, orders, optimizer, slots, rates, 0, generator)
    return net.parameters, slots, losses


def output_of(code, **settings):
    """What a fresh process prints that runs the code, with settings in its environment."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_same(net, samples, optimizer, **options):
    x = samples.x.values if isinstance(samples.x, Scaled) else samples.x
    before = [None if a is None else a.copy() for a in (x, samples.y, samples.weight)]
    theirs = run(reference, net, samples, optimizer, **options)
    ours = run(compiled, net, samples, optimizer, **options)
    message = (
        f"{net!r} with {net.loss.name} and {optimizer.name}: kernels.py differs from reference.py. Does what "
        "was added to jobs.py have its branches in kernels.py, before the last, which is another's?"
    )
    for mine, right in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, right, **TOLERANCE[str(net.dtype)], err_msg=message)
    assert len(ours[2]) == options.get("epochs", 3)
    assert (ours[0] != net.parameters).any()
    for array, old in zip((x, samples.y, samples.weight), before, strict=True):
        np.testing.assert_array_equal(array, old)


def keeps_its_digits(net, wide, samples, optimizer):
    """Whether the reference alone, in float32, stays near its parameters in float64: else rounding grows."""
    wide.parameters[:] = net.parameters
    given = Samples(samples.x.astype(float), samples.y.astype(float), samples.weight)
    narrow, exact = run(reference, net, samples, optimizer)[0], run(reference, wide, given, optimizer)[0]
    return np.allclose(narrow, exact, **TOLERANCE["float32"])


def test_every_name_that_the_kernels_know_is_registered():
    names = {"activation": jobs.ACTIVATIONS, "loss": jobs.LOSSES, "optimizer": jobs.OPTIMIZERS}
    registries = {"activation": ACTIVATIONS, "loss": LOSSES, "optimizer": OPTIMIZERS}
    unknown = [(kind, name) for kind in names for name in names[kind] if name not in registries[kind]]
    assert unknown == [], "jobs.py lists names that no registry has, which no network can use"


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_output_and_loss_with_every_hidden_activation(output, loss, dtype):
    # In float32 those that do not divide by the size of a gradient, which may be nothing but rounding.
    optimizers, kinds = cycle(STEPS if dtype == "float64" else STEPS[:3]), cycle(BIAS_KINDS)
    n_compared = 0
    for seed, hidden in enumerate(HIDDEN):
        bias = next(kinds)
        small = "normal(0.05)" if "exp" in (hidden, output) else None  # e^(e^z) would blow rounding up
        # The output's bias is 1, one for each neuron: a ReLU's output near 0 makes 1 − y/a jump, and softmax
        # has no slope along a shared bias, so that an optimizer would divide rounding by rounding.
        layers = [
            Dense(5, 7, hidden, bias=bias, initializer=small),
            Dense(7, 4, hidden, bias=bias, initializer=small),
            Dense(4, 3, output, bias_initializer="constant(1)", initializer=small),
        ]
        net = Network(layers, loss=loss, dtype=dtype, seed=seed)
        optimizer = OPTIMIZERS.resolve(next(optimizers))
        wide = Network(layers, loss=loss, dtype="float64", seed=seed)
        if dtype == "float64" or keeps_its_digits(net, wide, samples_of(net, seed=seed), optimizer):
            assert_same(net, samples_of(net, seed=seed), optimizer)
            n_compared += 1
    assert n_compared >= seed  # all but one of them


@pytest.mark.parametrize("name", STEPS)
def test_every_optimizer_with_penalties_clipping_weights_and_frozen_parameters(name):
    for reduction in ("mean", "sum"):
        net = Network([5, 6, 3], output="softmax", l1=0.01, l2=0.1, reduction=reduction)
        net.freeze("W1[0,1]", "b2")
        optimizer = type(OPTIMIZERS.resolve(name))(0.05, clip_norm=0.3)
        assert_same(net, samples_of(net, weighted=True), optimizer)
        frozen, _, _ = run(compiled, net, samples_of(net), optimizer)
        np.testing.assert_array_equal(frozen[net.frozen], net.parameters[net.frozen])


@pytest.mark.parametrize("bias", BIAS_KINDS)
def test_every_bias_kind_with_dropout_from_the_same_masks(bias):
    layers = [
        Dense(6, 8, "relu", bias=bias, dropout=0.2),
        Dense(8, 5, "tanh", bias=bias),
        Dense(5, 2, "sigmoid", bias=bias, dropout=0.5),
    ]
    net = Network(layers)
    assert_same(net, samples_of(net), OPTIMIZERS.resolve("adam"))


@pytest.mark.parametrize("size", [1, 3, 4, 11, 50])
def test_every_batch_size_and_rows_in_their_own_order(size):
    net = Network([4, 6, 1], activation="gelu", output="sigmoid")
    size = min(size, 11)
    assert_same(net, samples_of(net), OPTIMIZERS.resolve("sgd"), size=size)
    assert_same(net, samples_of(net), OPTIMIZERS.resolve("sgd"), size=size, shuffle=False)


@pytest.mark.parametrize("size", [9, 17, 32])
def test_layers_wide_enough_for_blas(size):
    net = Network([40, 50, 30, 3], activation=["sigmoid", "tanh"], output="softmax")
    assert_same(net, samples_of(net, n=70), OPTIMIZERS.resolve("momentum"), size=size)


@pytest.mark.slow
@pytest.mark.parametrize("number", [np.uint8, np.int64, np.float32])
def test_inputs_of_narrower_number_types_are_widened_row_by_row(number):
    net = Network([4, 6, 2], output="softmax", dtype="float32")
    assert_same(net, samples_of(net, number=number), OPTIMIZERS.resolve("sgd(0.001)"))


@pytest.mark.parametrize(
    ("number", "dtype"),
    [
        (np.float64, "float64"),
        pytest.param(np.uint8, "float32", marks=pytest.mark.slow),  # each pair is compiled by itself
        pytest.param(np.uint8, "float64", marks=pytest.mark.slow),
        pytest.param(np.float64, "float32", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("shift", [0.0, 30.5])
def test_inputs_scaled_as_they_are_taken(number, dtype, shift):
    net = Network([4, 6, 2], output="softmax", dtype=dtype)
    values = np.random.default_rng(0).integers(0, 256, (11, 4)).astype(number)
    samples = samples_of(net)
    scaled = Samples(Scaled(values, shift, [255, 1, 100, 17.5]), samples.y, None)
    assert_same(net, scaled, OPTIMIZERS.resolve("sgd(0.001)"))


@pytest.mark.parametrize("n_shares", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", BIAS_KINDS)
@pytest.mark.parametrize("kind", ["numbers", pytest.param("bytes", marks=pytest.mark.slow)])
def test_inputs_that_are_mostly_0_go_by_those_that_are_not(shared, kind, bias, dtype, n_shares):
    shared(n_shares)
    layers = [Dense(70, 21, "tanh", bias=bias), Dense(21, 3, "softmax")]
    net = Network(layers, loss="cross_entropy", dtype=dtype)
    rng = np.random.default_rng(0)
    x = rng.integers(1, 256, (25, 70)).astype(np.uint8)
    x[rng.random(x.shape) < 0.8] = 0
    x[3], x[7] = 0, 255
    samples = samples_of(net, n=25)
    inputs = Scaled(x, scale=255) if kind == "bytes" else x.astype(dtype) / 255
    assert workspace.is_mostly_zero(net, x, np.empty(0))
    assert_same(net, Samples(inputs, samples.y, None), OPTIMIZERS.resolve("momentum"), size=8)


@pytest.mark.parametrize("n_shares", [1, 2])
@pytest.mark.parametrize("size", [2, 20])
def test_inputs_that_are_mostly_0_go_into_wide_layers(shared, size, n_shares):
    shared(n_shares)
    net = Network([300, 523, 3], output="softmax")
    rng = np.random.default_rng(0)
    x = rng.random((25, 300)) * (rng.random((25, 300)) < 0.2)
    samples = Samples(x, samples_of(net, n=25).y, None)
    assert import_module("deltarule.nn.engines.kernels").FAR_COLUMNS < 523
    assert_same(net, samples, OPTIMIZERS.resolve("sgd(0.1)"), size=size)


@pytest.mark.parametrize("rows", ["dense", "dropped"])
def test_inputs_count_as_sparse_only_where_it_pays(rows):
    few = np.zeros((10, 100))
    few[:, : 40 if rows == "dense" else 10] = 1
    net = Network([100, 10, 2], dropout=[0.1 if rows == "dropped" else 0.0, 0.0])
    assert not workspace.is_mostly_zero(net, few, np.empty(0))


@pytest.mark.slow
def test_images_of_bytes_stay_bytes():
    net = Network([784, 4, 2], output="softmax", dtype="float32")
    images = np.zeros((20_000, 784), np.uint8)
    images[:, ::10] = 200
    train(net, Scaled(images[:100], scale=255), np.arange(100) % 2, engine="compiled", epochs=1)
    y = np.arange(20_000) % 2
    tracemalloc.start()
    train(net, Scaled(images, scale=255), y, engine="compiled", epochs=1, batch_size=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < images.nbytes  # as floats they would take four times as much


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_shares", [1, 2])
@pytest.mark.parametrize("n", [1, 2, 600])
def test_predictions(shared, n, n_shares, dtype):
    shared(n_shares)
    net = Network([70, 21, 3], activation="tanh", output="softmax", dropout=0.5, dtype=dtype)
    x = np.random.default_rng(0).integers(0, 256, (n, 70)).astype(np.uint8)
    x[:, 10:] //= 250  # mostly 0
    for X in (Scaled(x, scale=255), Scaled(x, 30.5, 255), x / 255, (x / 255)[:, ::-1]):
        before = np.array(X)
        ours = net.predict(X, engine="compiled")
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, net.predict(X), **TOLERANCE[dtype])
        np.testing.assert_array_equal(np.array(X), before)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_predictions_with_every_activation(hidden):
    net = Network([3, 9, 2], activation=hidden, output=hidden)
    X = np.random.default_rng(0).normal(size=(7, 3))
    np.testing.assert_allclose(net.predict(X, engine="compiled"), net.predict(X), **TOLERANCE["float64"])


def test_predictions_follow_the_parameters():
    net = Network([2, 2])
    net.predict([[1, 1]], engine="compiled")
    net.parameters[:] = [1, 2, 3, 4, 0.5, 0.25]
    np.testing.assert_array_equal(net.predict([[1, 1]], engine="compiled"), [[4.5, 6.25]])


@pytest.mark.parametrize("n", [1, 5, 600])
def test_losses_are_computed_from_the_references_last_z(n):
    net = Network([70, 6, 3], output="softmax", seed=0)
    x = np.random.default_rng(0).integers(0, 9, (n, 70)).astype(np.uint8) * (np.arange(70) % 5 == 0)
    for inputs in (x.astype(float), Scaled(x, scale=9), Scaled(x, shift=1)):
        np.testing.assert_allclose(
            compiled.last_z(net, inputs), reference.last_z(net, inputs), **TOLERANCE["float64"]
        )


def test_validation_is_that_of_the_other_engine():
    x = np.random.default_rng(0).normal(size=(80, 4))
    columns = [
        train(
            Network([4, 5, 3], output="softmax", seed=0),
            x, np.arange(80) % 3, validation=(x[:20], np.arange(20) % 3), metrics=["accuracy"], epochs=3,
            engine=engine,
        ).to_array()
        for engine in ("compiled", "reference")
    ]  # fmt: skip
    np.testing.assert_allclose(*columns, **TOLERANCE["float64"])


def test_few_rows_in_several_threads_at_once_do_not_meet():
    net = Network([70, 6, 3], output="softmax", seed=0)
    parts = [np.random.default_rng(seed).normal(size=(1 + seed % 3, 70)) for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        ours = list(pool.map(lambda x: net.predict(x, engine="compiled"), parts))
    for x, a in zip(parts, ours, strict=True):
        np.testing.assert_allclose(a, net.predict(x), **TOLERANCE["float64"])


@pytest.mark.parametrize("bad", [1, 3])
def test_divergence_stops_before_its_epoch_as_in_the_reference(bad):
    net = Network([3, 2], output="identity")
    samples = samples_of(net)
    rates = np.full((5, 3), 0.01)
    rates[bad] = 1e300
    for engine in (reference, compiled):
        twin, sgd = net.copy(), OPTIMIZERS.resolve("sgd")
        slots = sgd.start(twin.parameters)
        with np.errstate(all="ignore"):
            losses = engine.run_epochs(twin, samples, 4, None, sgd, slots, rates, 0, np.random.default_rng())
        assert len(losses) == bad
        wanted = net.copy()
        engine.run_epochs(wanted, samples, 4, None, sgd, slots, rates[:bad], 0, np.random.default_rng())
        np.testing.assert_array_equal(twin.parameters, wanted.parameters)


def test_train_gives_the_same_network_and_history_with_either_engine(tmp_path):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    nets = {name: Network([3, 8, 3], output="softmax", dropout=0.2) for name in ("reference", "compiled")}
    histories = {name: train(net, X, Y, epochs=30, engine=name) for name, net in nets.items()}
    assert histories["compiled"].engine == "compiled"
    np.testing.assert_allclose(histories["compiled"]["loss"], histories["reference"]["loss"], rtol=1e-10)
    np.testing.assert_allclose(
        nets["compiled"].parameters, nets["reference"].parameters, rtol=1e-9, atol=1e-12
    )


def test_a_compiled_run_resumes_to_the_identical_end_whatever_the_checkpoints(tmp_path):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    whole, halved = (Network([3, 8, 3], output="softmax", dropout=0.2) for _ in range(2))
    history = train(whole, X, Y, epochs=30, engine="compiled")
    train(halved, X, Y, epochs=13, engine="compiled", checkpoint=Checkpoint(tmp_path / "c", every=4))
    rest, longer = resume(tmp_path / "c", X, Y, epochs=30)
    assert longer.engine == "compiled"
    np.testing.assert_array_equal(rest.parameters, whole.parameters)
    assert dict(longer) == dict(history)


def test_what_it_cannot_run_the_reference_runs_and_says_so():
    cube = Activation("cube", lambda z: z**3, lambda z, a: 3 * z**2, "f(z) = z³", "f′(z) = 3z²")
    own_tanh = Activation("tanh", np.arctan, lambda z, a: 1 / (1 + z**2), "f(z) = arctan z", "")
    for activation in (cube, own_tanh):
        with pytest.warns(
            UserWarning, match=f"activation '{activation.name}' is not built into it; NumPy does"
        ):
            history = train(
                Network([2, 2, 1], activation=activation), [[0, 1]], [1], engine="compiled", epochs=2
            )
        assert history.engine == "reference"


def test_a_process_that_hangs_while_it_compiles_does_not_stop_the_others(monkeypatch):
    monkeypatch.setattr(machine_code, "LONGEST_WAIT", 0.2)
    entered = []
    with machine_code._one_process_at_a_time("f"), machine_code._one_process_at_a_time("f"):
        entered.append(True)
    assert entered


def test_what_is_compiled_once_serves_every_job_of_the_same_number_types(shared):
    loaded = set()
    plain = Network([4, 5, 2])
    other = Network([4, 5, 2], output="softmax", dropout=0.2, l1=0.1, l2=0.1, reduction="sum")
    other.freeze("W1[0,1]")
    for net, options in ((plain, {"shuffle": False}), (other, {"weighted": True, "n_shares": 2})):
        shared(options.get("n_shares", 1))
        samples = samples_of(net, weighted=options.get("weighted", False))
        for optimizer in (OPTIMIZERS.resolve("sgd"), type(OPTIMIZERS.resolve("adamw"))(0.1, clip_norm=1)):
            run(compiled, net, samples, optimizer, shuffle=options.get("shuffle", True))
            loaded.add(len(compilation._loaded))
    assert len(loaded) == 1


def test_the_kernels_run_uncompiled_too():
    code = (
        "import tests.engines.test_compiled as t; from deltarule import Network\n"
        "from deltarule.nn.optimizers import OPTIMIZERS as O\n"
        "for hidden in ('sigmoid', 'elu', 'silu'):\n"
        "    net = Network([5, 7, 3], activation=hidden, output='softmax', dropout=0.2, l2=0.1)\n"
        "    t.assert_same(net, t.samples_of(net, weighted=True), O.resolve('adamw'))\n"
        "    t.assert_same(net.copy('float32'), t.samples_of(net.copy('float32')), O.resolve('momentum'))\n"
    )
    output_of(code, NUMBA_DISABLE_JIT="1")
