"""``explain`` and ``explain_update``: the doors to all derivations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from deltarule.arrays import Array, check_whole
from deltarule.data.encoding import Table
from deltarule.derivations.builder import DerivationBuilder
from deltarule.derivations.derivation import Derivation
from deltarule.derivations.evidence import Evidence
from deltarule.derivations.line_writer import LineWriter
from deltarule.derivations.notation import NOTATIONS
from deltarule.derivations.targets import Target, parse_targets
from deltarule.derivations.update_causes import causes_of_change, which_update
from deltarule.derivations.updates import OptimizerStep
from deltarule.documents.document import Block
from deltarule.errors import InputError
from deltarule.formula.numbers import check_digits
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep, Optimizer
from deltarule.registry import did_you_mean
from deltarule.training import History
from deltarule.training.replay import ReplayedUpdate, replay


def explain(
    net: Network,
    X: Any,
    Y: Any,
    what: str | Sequence[str],
    *,
    sample: int | None = None,
    sample_weight: Any = None,
    optimizer: str | Optimizer | None = None,
    notation: str | None = None,
    detail: str = "chain",
    digits: int | str = 9,
    by_hand: int | None = None,
    rng: np.random.Generator | None = None,
    inputs: Sequence[str] | None = None,
    title: str | None = None,
    picture: bool = True,
    raw: Table | Array | None = None,
) -> Derivation:
    """Derive any number of a forward pass, backward pass or update, each factor with its numbers.

        symbol = formula = numbers inserted = value

    The values are those of ``net.forward``, ``net.backward`` and the optimizer's own update.

    Parameters
    ----------
    net : Network
    X : array-like, (n_samples, n_features)
    Y : array-like, (n_samples, n_outputs)
        As in :meth:`Network.backward`.
    what : str, or a sequence of them
        A weight (``"w5"``, ``"W2[0,1]"``) or bias (``"b1"``, ``"b_o1"``) means its gradient and, with an
        optimizer, its update. ``"net_h1"`` or ``"z1[0]"``, ``"out_o2"`` or ``"a2[1]"``, ``"delta_h1"`` or
        ``"delta1[0]"``. For a whole layer in matrices: ``"W2"``, ``"z1"``, ``"a1"``, ``"delta2"``, or
        ``"layer2"`` for all of them. ``"loss"``, ``"forward"``, ``"backward"``, ``"update"`` or ``"all"``.
    sample : int, optional
        Use this row alone, counted from 0, as if it were the whole batch; by default all rows are the batch.
    sample_weight : array-like, (n_samples,), optional
    optimizer : str or Optimizer, optional
        If given, the derivation of a parameter ends with its first update.
    notation : "matrix", "tutorial" or "column", optional
        See :mod:`deltarule.derivations.notation`; by default the one in which ``what`` is written.
    detail : "chain" or "delta"
        Every path of the chain rule, or the recursion δ = (δ Wᵀ) ⊙ f′(z).
    digits : int or "full"
        The number of significant digits shown; the computation uses all digits.
    by_hand : int, optional
        Round to this many decimals at each step, as you would by hand, and say how much difference that
        makes.
    rng : Generator, optional
        Draws the dropout masks, as in :meth:`Network.forward`; without it, nothing is dropped.
    inputs : sequence of str, optional
        The names of the inputs; by default those of the network's encoding, if it has one.
    title : str, optional
    picture : bool
        Whether the network is drawn.
    raw : Table, or ndarray (n_samples, height, width), optional
        The rows before they were encoded; for a single row, the derivation then starts from its raw cells.

    Returns
    -------
    Derivation
        It prints as text and has the methods ``.html()``, ``.latex()``, ``.markdown()``, ``.pdf()``,
        ``.json()`` and ``.save(path)``.

    Raises
    ------
    InputError, ShapeError
        If ``what`` names nothing in the network, or a value does not fit.

    Examples
    --------
    >>> net = Network([1, 1], output="sigmoid", loss="half_squared_error", bias="none")
    >>> net.set_weights({"w1": 0.5})
    >>> derivation = explain(net, [[2.0]], [[1.0]], "w1", digits=4)
    >>> print("\\n".join(derivation.text().splitlines()[-4:]))
      ∂E/∂out_o1      = out_o1 − y_o1 = 0.7311 − 1 = −0.2689
      ∂out_o1/∂net_o1 = out_o1·(1 − out_o1) = 0.7311·(1 − 0.7311) = 0.1966   (slope of the sigmoid)
      ∂net_o1/∂w1     = i1 = 2
      ∂E/∂w1          = (−0.2689)·0.1966·2 = −0.1058

    References
    ----------
    Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors.
    """
    check_digits(digits)
    names, targets = _parsed(net, what)
    x, y, weight = _chosen_samples(net, X, Y, sample_weight, sample)
    evidence = Evidence(net, x, net.forward(x, rng), y, weight)
    writer = _line_writer(evidence, notation, targets, inputs, by_hand)
    rule = None if optimizer is None else OPTIMIZERS.resolve(optimizer)
    step = OptimizerStep(net, evidence.grads.flat, rule) if isinstance(rule, GradientStep) else None
    builder = DerivationBuilder(writer, detail, digits, step, rule is not None and step is None)
    if raw is not None and sample is not None:
        raw = raw.take(np.array([sample])) if isinstance(raw, Table) else raw[[sample]]
    opening = builder.opening(targets, picture, raw)
    blocks = chain(opening, chain.from_iterable(map(builder.target, targets)))
    return builder.derivation(title or f"Derivation of {', '.join(names)}", blocks)


def explain_update(
    history: History,
    step: int,
    what: str | Sequence[str],
    *,
    notation: str | None = None,
    detail: str = "chain",
    digits: int | str = 9,
    inputs: Sequence[str] | None = None,
    title: str | None = None,
    picture: bool = True,
) -> Derivation:
    """Derive why a parameter changed at one update of a training run.

    The run is repeated up to that update, with the same batches, dropout masks and learning rates.

    Parameters
    ----------
    history : History
        The history that :func:`deltarule.train` or :func:`deltarule.resume` returned.
    step : int
        The number of the update, counted from 1; after ``resume``, counted from the checkpoint.
    what : str, or a sequence of them
        As in :func:`explain`. For a parameter, the derivation also says which samples changed it, and how
        much of the change came from the data, the penalties and the optimizer's memory.
    notation, detail, digits, inputs, title, picture
        As in :func:`explain`.

    Raises
    ------
    InputError
        If the run cannot be repeated (L-BFGS; a history read from a file), or had no such update.

    Examples
    --------
    >>> from deltarule.training import train
    >>> net = Network([2, 1], output="sigmoid", bias="none", seed=1)
    >>> history = train(net, [[0.0, 1.0], [1.0, 0.0]], [1, 0], optimizer="momentum(0.5)", epochs=3)
    >>> derivation = explain_update(history, 3, "w1")
    >>> bool(abs(derivation.values["w1"] - net.parameters[0]) < 1e-12)
    True
    """
    return explain_replayed(
        replay(history, step), what, notation=notation, detail=detail, digits=digits, inputs=inputs,
        title=title, picture=picture,
    )  # fmt: skip


def explain_replayed(
    moment: ReplayedUpdate,
    what: str | Sequence[str],
    *,
    notation: str | None = None,
    detail: str = "chain",
    digits: int | str = 9,
    inputs: Sequence[str] | None = None,
    title: str | None = None,
    picture: bool = True,
) -> Derivation:
    """Derive what :func:`explain_update` does, of an update that was made again already."""
    check_digits(digits)
    net, samples, step = moment.net, moment.samples, moment.step
    _, targets = _parsed(net, what)
    x = samples.x.astype(net.dtype, copy=False)
    evidence = Evidence(net, x, net.forward(x, moment.rng), samples.y, samples.weight)
    writer = _line_writer(evidence, notation, targets, inputs)
    made = OptimizerStep(net, evidence.grads.flat, moment.optimizer, moment.slots, moment.rate, step)
    builder = DerivationBuilder(writer, detail, digits, made, searches=False)
    blocks: list[Block] = [which_update(moment), *builder.opening(targets, picture)]
    for target in targets:
        blocks += builder.target(target)
        if builder.updates is not None and target.parameter is not None:
            blocks += causes_of_change(builder.updates, target.parameter, moment)
    return builder.derivation(title or f"Update {step} of {net!r}", blocks)


def _parsed(net: Network, what: str | Sequence[str]) -> tuple[list[str], list[Target]]:
    """The names that were given, and what they stand for."""
    names = [what] if isinstance(what, str) else list(what)
    return names, [target for name in names for target in parse_targets(net, name)]


def _chosen_samples(
    net: Network, X: Any, Y: Any, sample_weight: Any, sample: int | None
) -> tuple[Array, Array, Array | None]:
    inputs = net.inputs(X)
    y, weight = net.targets(Y, sample_weight, len(inputs))
    if sample is not None:
        check_whole("sample", sample, 0, len(inputs) - 1)
        one = slice(sample, sample + 1)
        inputs, y, weight = inputs[one], y[one], None if weight is None else weight[one]
    return inputs.astype(net.dtype, copy=False), y, weight


def _line_writer(
    evidence: Evidence,
    notation: str | None,
    targets: Sequence[Target],
    inputs: Sequence[str] | None,
    by_hand: int | None = None,
) -> LineWriter:
    """The writer in the notation asked for, or in that of the targets' names."""
    net = evidence.net
    if notation is None:
        named_as_tutorials_do = any(target.tutorial for target in targets)
        parts_of_small_network = net.parameters.size <= 40 and all(target.layer == 0 for target in targets)
        notation = "tutorial" if named_as_tutorials_do or parts_of_small_network else "matrix"
    if by_hand is not None:
        check_whole("by_hand", by_hand, 1, 15)
    names = _input_names(net, inputs)
    if notation not in NOTATIONS:
        raise InputError(f"unknown notation {notation!r}{did_you_mean(str(notation), NOTATIONS)}")
    named = NOTATIONS[notation](net, names, evidence.n_samples, evidence.cost_is_loss)
    return LineWriter(evidence, named, by_hand)


def _input_names(net: Network, inputs: Sequence[str] | None) -> Sequence[str] | None:
    if inputs is None:
        return net.encoding.inputs.feature_names if net.encoding else None
    names = [str(name) for name in inputs]
    if len(names) != net.sizes[0]:
        raise InputError(f"inputs must name each of the {net.sizes[0]} inputs, got {len(names)} names")
    return names
