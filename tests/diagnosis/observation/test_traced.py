"""Traced arrays behave as NumPy's, move their ids with their numbers, and know their derivatives."""

import numpy as np
import pytest

from deltarule.diagnosis.recording.functions import erf
from deltarule.diagnosis.recording.operations import RULES, reverse_mode
from deltarule.diagnosis.recording.substitutes import substitutes
from deltarule.diagnosis.recording.tape import Tape, use_tape
from deltarule.diagnosis.recording.traced import Traced, leaf, plain

RNG = np.random.default_rng(3)
A, B, V = RNG.uniform(0.2, 0.9, (3, 4)), RNG.uniform(0.2, 0.9, (4, 2)), RNG.uniform(0.2, 0.9, 4)
C = RNG.uniform(1.1, 1.9, (3, 4))


@pytest.fixture(autouse=True)
def tape():
    made = Tape([])
    use_tape(made)
    yield made
    use_tape(None)


@pytest.fixture
def xp():
    return substitutes()["numpy"]


COMPUTING = {
    "add": (lambda np, a, c: a + c, A, C),
    "subtract": (lambda np, a, c: a - c, A, C),
    "multiply": (lambda np, a, c: a * c, A, C),
    "divide": (lambda np, a, c: a / c, A, C),
    "power": (lambda np, a, c: a**c, A, C),
    "broadcast": (lambda np, a, v: a * v + v, A, V),
    "reflected": (lambda np, a: 1 - 2 / (3 + a), A),
    "negative": (lambda np, a: -a, A),
    "absolute": (lambda np, a: abs(a - 0.5), A),
    "matmul": (lambda np, a, b: a @ b, A, B),
    "dot of a vector": (lambda np, a, v: np.dot(a, v), A, V),
    "dot of vectors": (lambda np, v, w: np.dot(v, w), V, V[::-1].copy()),
    "stacks of matrices": (lambda np, a, b: np.matmul(a, b), np.stack([A, C]), np.stack([B, B + 1])),
    "stack and column": (lambda np, a, v: np.matmul(a, v), np.stack([A, C]), V),
    "row and stack": (lambda np, w, b: np.matmul(w, b), V, np.stack([B, B + 1])),
    "inner": (lambda np, a, c: np.inner(a, c), A, C),
    "outer": (lambda np, v, w: np.outer(v, w), V, V + 1),
    "tensordot": (lambda np, a, b: np.tensordot(a, b, axes=1), A, B),
    "einsum": (lambda np, a, b: np.einsum("ij,jk->ik", a, b), A, B),
    "einsum of other axes": (lambda np, a, b: np.einsum("...j,jk->...k", a, b), np.stack([A, C]), B),
    "einsum transposed": (lambda np, a, c: np.einsum("ij,ij->j", a, c), A, C),
    "exp": (lambda np, a: np.exp(a), A),
    "exp2": (lambda np, a: np.exp2(a), A),
    "expm1": (lambda np, a: np.expm1(a), A),
    "log": (lambda np, a: np.log(a), A),
    "log2": (lambda np, a: np.log2(a), A),
    "log10": (lambda np, a: np.log10(a), A),
    "log1p": (lambda np, a: np.log1p(a), A),
    "logaddexp": (lambda np, a, c: np.logaddexp(a, c), A, C),
    "tanh": (lambda np, a: np.tanh(a), A),
    "sinh": (lambda np, a: np.sinh(a), A),
    "cosh": (lambda np, a: np.cosh(a), A),
    "sin": (lambda np, a: np.sin(a), A),
    "cos": (lambda np, a: np.cos(a), A),
    "arctan": (lambda np, a: np.arctan(a), A),
    "sqrt": (lambda np, a: np.sqrt(a), A),
    "square": (lambda np, a: np.square(a), A),
    "reciprocal": (lambda np, a: np.reciprocal(a), A),
    "error function": (lambda np, a: erf(a), A),
    "maximum": (lambda np, a: np.maximum(a, 0.5), A),
    "minimum": (lambda np, a: np.minimum(0.5, a), A),
    "where": (lambda np, a, c: np.where(a > 0.5, a, c), A, C),
    "clip": (lambda np, a: np.clip(a, 0.3, 0.6), A),
    "sum": (lambda np, a: np.sum(a), A),
    "sum along": (lambda np, a: a.sum(axis=0), A),
    "sum kept": (lambda np, a: np.sum(a, axis=1, keepdims=True), A),
    "mean": (lambda np, a: a.mean(0), A),
    "max": (lambda np, a: a.max(axis=1), A),
    "min": (lambda np, a: np.min(a), A),
    "prod": (lambda np, a: np.prod(a, axis=1), A),
    "var": (lambda np, a: np.var(a, axis=0), A),
    "var of a sample": (lambda np, a: np.var(a, axis=0, ddof=1), A),
    "std": (lambda np, a: a.std(1), A),
    "norm": (lambda np, a: np.linalg.norm(a), A),
    "average": (lambda np, a, c: np.average(a, weights=c), A, C),
    "a list": (lambda np, v: np.sum([v[0], v[1] * 2, 3.0]), V),
    "in place": (lambda np, a, c: _in_place(a, c), A, C),
    "written": (lambda np, a: _written(np, a), A),
    "joined": (lambda np, a, c: np.concatenate([a, c * 2], axis=1), A, C),
    "stacked": (lambda np, v, w: np.vstack([v, w, v]), V, V + 1),
    "columns": (lambda np, v, w: np.c_[v, w], V, V + 1),
    "chosen": (lambda np, a: a[[0, 2, 0], 1:] ** 2, A),
    "padded": (lambda np, a: np.pad(a, 1) * 2, A),
    "vectorized": (lambda np, a: np.vectorize(lambda x: x * x if x > 0.5 else 2 * x)(a), A),
}


def _in_place(a, c):
    made = a.copy()
    row = made[0]
    row *= 3
    made += c
    return made * made


def _written(np, a):
    made = np.zeros((3, 4))
    made[1:] = a[:2] * 2
    made[0, 0] = a[2, 3]
    made[made > 1] = 0
    return made**2


@pytest.mark.parametrize("name", COMPUTING)
def test_the_result_is_numpys(name, xp):
    compute, *arrays = COMPUTING[name]
    traced = compute(xp, *(leaf(a) for a in arrays))
    np.testing.assert_allclose(plain(traced), compute(np, *(a.copy() for a in arrays)), rtol=1e-13)


@pytest.mark.parametrize("name", COMPUTING)
def test_the_gradient_is_that_of_finite_differences(name, xp, tape):
    compute, *arrays = COMPUTING[name]
    starts = [leaf(a) for a in arrays]
    result = compute(xp, *starts)
    weights = RNG.normal(size=result.shape)
    adjoint = reverse_mode(tape, result.ids, weights)
    for which, start in enumerate(starts):
        numeric = np.zeros_like(arrays[which])
        for where in np.ndindex(numeric.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = [a.copy() for a in arrays]
                moved[which][where] += step
                sides.append(np.sum(weights * compute(np, *moved)))
            numeric[where] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(adjoint[start.ids], numeric, rtol=1e-6, atol=1e-7)


def test_every_rule_is_met_by_one_of_these_computations(xp, tape):
    for compute, *arrays in COMPUTING.values():
        compute(xp, *(leaf(a) for a in arrays))
    met = {op.name for op in tape.operations}
    assert set(RULES) - met <= {"positive", "expit"}


MOVING = {
    "T": lambda np, a: a.T,
    "transpose": lambda np, a: np.transpose(a, (1, 0)),
    "reshape": lambda np, a: a.reshape(-1, 2),
    "ravel": lambda np, a: np.ravel(a),
    "flatten": lambda np, a: a.flatten(),
    "row": lambda np, a: a[1],
    "slice": lambda np, a: a[:, 1:3],
    "mask": lambda np, a: a[a > 0.5],
    "fancy": lambda np, a: a[[2, 0]],
    "new axis": lambda np, a: a[:, None],
    "squeeze": lambda np, a: np.squeeze(a[:1]),
    "repeat": lambda np, a: np.repeat(a, 2, axis=0),
    "tile": lambda np, a: np.tile(a, (1, 2)),
    "flip": lambda np, a: np.flip(a, 0),
    "rolled": lambda np, a: np.roll(a, 1),
    "diagonal": lambda np, a: np.diag(a[:, :3]),
    "split": lambda np, a: np.split(a, 2, axis=1)[1],
    "expand": lambda np, a: np.expand_dims(a, 0),
    "atleast": lambda np, a: np.atleast_2d(a[0]),
    "delete": lambda np, a: np.delete(a, 0, axis=1),
    "of lists": lambda np, a: np.array(a.tolist()),
    "unknown": lambda np, a: np.triu(a)[0],
}


@pytest.mark.parametrize("name", MOVING)
def test_what_moves_numbers_moves_their_ids_and_records_nothing(name, xp, tape):
    start = leaf(A)
    before = [op.name for op in tape.operations if not op.is_leaf]
    moved = MOVING[name](xp, start)
    assert [op.name for op in tape.operations if not op.is_leaf] == before
    np.testing.assert_array_equal(moved.value, MOVING[name](np, A))
    np.testing.assert_array_equal(tape.value[moved.ids], moved.value)
    assert set(moved.ids.ravel().tolist()) <= set(start.ids.ravel().tolist())


def test_a_view_sees_what_is_written_to_its_array(xp):
    start = leaf(A)
    view = start[1]
    start += 1.0
    assert (view.ids == start.ids[1]).all()
    assert (view.value == A[1] + 1).all()


def test_it_passes_for_an_array_or_for_a_number():
    start = leaf(A)
    assert isinstance(start, np.ndarray)
    assert isinstance(start[0, 0], float)
    assert not isinstance(start[0, 0], np.ndarray)
    assert f"{start[0, 0]:.3f}" == f"{A[0, 0]:.3f}"
    assert np.asarray(start).dtype == float
    assert [10, 20, 30][leaf(np.array(2))] == 30


def test_numpys_errors_are_raised():
    start = leaf(V.copy())
    with pytest.raises(ValueError, match="broadcast"):
        start += leaf(np.ones((2, 4)))
    whole = leaf(np.array([1, 2]))
    with pytest.raises(TypeError, match="Cannot cast"):
        whole += leaf(np.array([0.5, 0.5]))
    with pytest.raises(TypeError, match="index"):
        [1, 2][leaf(np.array(0.5))]


def test_an_array_of_plain_numbers_meets_a_traced_one(xp):
    start = leaf(B)
    for product in (A @ start, xp.dot(A, start), np.multiply(A[:, :2], start[:3])):
        assert type(product) is Traced


def test_a_flat_array_is_written_and_read(watch):
    text = """
import math
import numpy as np
def tanh(z):
    a = np.zeros_like(z)
    for i, one in enumerate(z.flatten()):
        a.flat[i] = math.tanh(one)
    return a
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))
V, W = rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
for _ in range(9):
    H = tanh(X @ V)
    d = H @ W - Y
    V, W = V - 0.1 * X.T @ (d @ W.T * (1 - H ** 2)), W - 0.1 * H.T @ d
"""
    assert watch(text).verdict == "right"
    assert watch(text.replace("(1 - H ** 2)", "(1 - H)")).verdict == "wrong"


@pytest.mark.parametrize("name", ["sum", "max", "std", "argmax"])
def test_an_argument_that_numpy_does_not_know_is_refused(name, xp):
    with pytest.raises(TypeError, match="acis"):
        getattr(xp, name)(leaf(A), acis=1)


@pytest.mark.parametrize("mode", ["valid", "full", "same"])
@pytest.mark.parametrize("name", ["correlate2d", "convolve2d"])
def test_sums_over_moved_matrices_are_those_of_scipy(name, mode):
    signal = pytest.importorskip("scipy.signal")
    for shape, other in [((5, 4), (2, 3)), ((2, 2), (2, 2)), ((2, 3), (4, 5)), ((3, 3), (3, 2))]:
        x, k = RNG.normal(size=shape), RNG.normal(size=other)
        found = getattr(substitutes()["scipy.signal"], name)(leaf(x), leaf(k), mode)
        np.testing.assert_allclose(plain(found), getattr(signal, name)(x, k, mode))
    with pytest.raises(ValueError, match="2-D"):
        getattr(substitutes()["scipy.signal"], name)(leaf(V), leaf(A), mode)
