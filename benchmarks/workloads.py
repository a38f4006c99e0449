"""What is measured: each workload is a frozen record, and says what is wanted of deltarule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

__all__ = [
    "SERIES",
    "WORKLOADS",
    "Import",
    "Prediction",
    "Process",
    "Size",
    "Training",
    "Wanted",
    "Workload",
    "find",
]

MNIST_SIZES = (784, 200, 80, 10)


@dataclass(frozen=True)
class Wanted:
    """A goal: deltarule's figure, over that of ``against``, is at most ``at_most``.

    ``against`` is "best peer", the name of a contender, or "" for the figure itself, in the workload's unit.
    """

    against: str
    at_most: float


@dataclass(frozen=True)
class Workload:
    """One thing to measure; ``unit`` is what its figures are for."""

    name: str
    title: str
    wanted: tuple[Wanted, ...] = ()
    unit: str = field(default="", kw_only=True)


@dataclass(frozen=True, kw_only=True)
class Training(Workload):
    """Epochs of updates.

    Parameters
    ----------
    sizes : tuple of int
    data : str
        See ``data.SOURCES``.
    n_rows : int
        The first rows of the data.
    batch_size : int or None
        None takes all rows, unshuffled.
    learning_rate, optimizer, activation, output, loss, dtype
    epsilon : float
        Of Adam. scikit-learn adds it before the bias is corrected, the others after; where it is next to
        nothing, all agree.
    epochs : int
        How many one call trains; each call starts from the same parameters.
    checked : int
        How many epochs are compared before anything is timed.
    unit : "update" or "epoch"
    dropout : float
        In all layers but the first, for a contender of its own.
    floor : bool
        Whether the products are large enough for the floor to be one.
    """

    sizes: tuple[int, ...]
    data: str
    n_rows: int
    batch_size: int | None
    learning_rate: float
    optimizer: str = "sgd"
    epsilon: float = 1e-8
    activation: str = "relu"
    output: str = "softmax"
    loss: str = "cross_entropy"
    dtype: str = "float32"
    epochs: int = 3
    checked: int = 2
    unit: str = "epoch"
    dropout: float = 0.0
    floor: bool = True


@dataclass(frozen=True, kw_only=True)
class Prediction(Workload):
    """The outputs of ``n_rows`` rows of MNIST's test part."""

    n_rows: int
    sizes: tuple[int, ...] = MNIST_SIZES
    data: str = "mnist-test"
    activation: str = "relu"
    output: str = "softmax"
    dtype: str = "float32"
    unit: str = "call"
    floor: bool = False


@dataclass(frozen=True, kw_only=True)
class Import(Workload):
    """Time of one import statement in a fresh process."""

    unit: str = "import"


@dataclass(frozen=True, kw_only=True)
class Process(Workload):
    """A script in a fresh process, from its start to its end.

    Parameters
    ----------
    script : str
        The scripts are ``cold/{script}_{contender}.py``.
    value : str
        What a script prints that must be the same (or, with ``at_least``, large enough).
    at_least : float, optional
        Of scripts that train on MNIST's files.
    rounds : int, optional
        At most so many.
    """

    script: str
    value: str
    at_least: float | None = None
    rounds: int | None = None
    unit: str = "process"


@dataclass(frozen=True, kw_only=True)
class Size(Workload):
    """Bytes on disk of a package with all it needs."""


def _mnist(name: str, title: str, **changes: object) -> Training:
    plain = Training(
        name,
        title,
        (Wanted("best peer", 0.5), Wanted("floor", 0.9)),
        sizes=MNIST_SIZES,
        data="mnist-float",
        n_rows=60_000,
        batch_size=256,
        learning_rate=0.1,
        epochs=1,
        checked=1,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


NO_PEER_FASTER = (Wanted("best peer", 1.0),)
WIDE = (Wanted("best peer", 0.95),)

_ALL: tuple[Workload, ...] = (
    Training(
        "two",
        "2-2-2 sigmoid, half squared error, one sample, SGD",
        (Wanted("", 0.2e-6),),
        sizes=(2, 2, 2),
        data="two",
        n_rows=1,
        batch_size=None,
        learning_rate=0.5,
        activation="sigmoid",
        output="sigmoid",
        loss="half_squared_error",
        dtype="float64",
        epochs=10_000,
        checked=5,
        unit="update",
        floor=False,
    ),
    Process(
        "two-process",
        "the same as a script: cold start, imports, 10,000 updates, the loss printed",
        (Wanted("best peer", 0.8),),
        script="two",
        value="loss",
    ),
    Training(
        "iris",
        "iris 4-20-20-3, 120 rows, full batch, SGD",
        (Wanted("best peer", 0.55),),
        sizes=(4, 20, 20, 3),
        data="iris",
        n_rows=120,
        batch_size=None,
        learning_rate=0.01,
        dtype="float64",
        epochs=1000,
        checked=5,
        unit="update",
        floor=False,
    ),
    _mnist("mnist-sgd", "MNIST 784-200-80-10 in float32, batch 256, SGD, one epoch a call"),
    _mnist(
        "mnist-adam",
        "MNIST 784-200-80-10 in float32, batch 256, Adam, one epoch a call",
        optimizer="adam",
        learning_rate=0.001,
    ),
    _mnist("mnist-bytes", "MNIST 784-200-80-10 in bytes, batch 256, SGD, one epoch a call", data="mnist"),
    _mnist(
        "dense",
        "random numbers without zeros, else as mnist-sgd",
        wanted=(Wanted("best peer", 0.75), Wanted("floor", 1.25)),
        data="dense",
        learning_rate=0.01,
    ),
    _mnist(
        "dropout",
        "as mnist-sgd, beside dropout 0.2 in both hidden layers",
        wanted=(),
        dropout=0.2,
        floor=False,
    ),
    *(
        Prediction(
            f"predict-{n}", f"{n:,} rows through 784-200-80-10", NO_PEER_FASTER, n_rows=n, floor=n == 10_000
        )
        for n in (1, 10, 100, 300, 1_000, 10_000)
    ),
    Import("import", "import in a fresh process", (Wanted("NumPy", 1.3),)),
    _mnist(
        "wide",
        "784-2048-2048-10, batch 1024, SGD, 5,120 rows",
        wanted=WIDE,
        sizes=(784, 2048, 2048, 10),
        n_rows=5_120,
        batch_size=1024,
        learning_rate=0.05,
    ),
    _mnist(
        "wide-64",
        "784-2048-2048-10, batch 64, SGD, 1,280 rows",
        wanted=WIDE,
        sizes=(784, 2048, 2048, 10),
        n_rows=1_280,
        batch_size=64,
        learning_rate=0.05,
    ),
    _mnist(
        "sigmoid",
        "MNIST 784-100-10, sigmoid hidden, batch 128, SGD",
        wanted=(Wanted("best peer", 0.6),),
        sizes=(784, 100, 10),
        activation="sigmoid",
        batch_size=128,
    ),
    Training(
        "regression",
        "8-64-64-1, half squared error, 20,000 rows, batch 32, Adam",
        (Wanted("best peer", 0.33),),
        sizes=(8, 64, 64, 1),
        data="regression",
        n_rows=20_000,
        batch_size=32,
        learning_rate=0.001,
        optimizer="adam",
        epsilon=1e-16,
        output="identity",
        loss="half_squared_error",
        dtype="float64",
        checked=1,
        floor=False,
    ),
    Process(
        "mnist-9792",
        "from a cold start to 97.92 % on MNIST's test part, 784-200-80-10",
        (Wanted("best peer", 0.5),),
        script="mnist",
        value="accuracy",
        at_least=0.9792,
        rounds=3,
    ),
    Size("size", "installed size with all dependencies, without bytecode"),
)

WORKLOADS = {workload.name: workload for workload in _ALL}


def _scaled(name: str, n_rows: int, hidden: tuple[int, ...]) -> Training:
    return Training(
        name,
        f"64-{'-'.join(map(str, hidden))}-10, {n_rows} rows",
        sizes=(64, *hidden, 10),
        data="random",
        n_rows=n_rows,
        batch_size=64,
        learning_rate=0.01,
        epochs=1,
        checked=1,
        floor=False,
    )


#: What grows, and the trainings in which it does: factor by factor.
SERIES: dict[str, dict[int, Training]] = {
    "rows": {k: _scaled(f"rows-{k}", 512 * k, (64, 64)) for k in (1, 2, 4, 8, 16, 32, 64)},
    "width": {k: _scaled(f"width-{k}", 1024, (32 * k, 32 * k)) for k in (1, 2, 4, 8, 16, 32)},
    "depth": {k: _scaled(f"depth-{k}", 1024, (64,) * k) for k in (1, 2, 4, 8, 16)},
}


def find(name: str) -> Workload:
    """The workload of that name, of those above or of a series."""
    grown = {w.name: w for series in SERIES.values() for w in series.values()}
    return {**WORKLOADS, **grown}[name]
