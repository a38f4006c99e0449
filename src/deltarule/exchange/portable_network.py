"""A network as numbers and names: all that another program needs to compute the same answers."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding import (
    CategoryColumn,
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumbersEncoding,
    PixelsEncoding,
)
from deltarule.data.encoding.targets import Label
from deltarule.data.meaning import MISSING_TOO
from deltarule.nn.activations import Activation
from deltarule.nn.network import Network
from deltarule.registry import record


@record
class PortableLayer:
    """``a = f(x @ W + b)`` with ``W`` (n_in, n_out), ``b`` (n_out,): a layer without bias has zeros."""

    W: Array
    b: Array
    activation: Activation


@record
class FeatureSource:
    """Where an input of a network comes from: a cell of a row, and what is taken of it.

    Attributes
    ----------
    column : int
        The place of the cell.
    kind : str
        How the cell is read: "number", "comma", "yes-no", "unit kg" (of numbers " without -999", where that
        stands for a missing one) or an order of dates, as a column is;
        "text" for 1 where the cell is ``part``, "other" where it is no category of its column, "missing"
        where there is nothing that is read as ``part`` says; else 0.
    part : str
    """

    column: int
    kind: str
    part: str = ""


@record
class PortableNetwork:
    """What a trained network computes, from raw numbers to answers.

    ``x = (X − shift) / scale``, where a missing number (NaN) of X is first replaced by ``fill``; then the
    layers; then, for a regression with units, ``outputs · out_scale + out_shift``.

    Attributes
    ----------
    layers : tuple of PortableLayer
        Their arrays are of the network's dtype.
    features : tuple of str
        A name for each input.
    shift, scale : ndarray, (n_features,) of float64
    fill : ndarray, (n_features,) of float64
        NaN where nothing stands in for a missing number.
    outputs : tuple of str
        A name for each output: the target's, or ``p(setosa)`` for a class.
    classes : tuple of str, int, float or bool, or None
        What a classification answers: the class of the largest output; of a single output, the second
        class where it is above ½.
    out_shift, out_scale : ndarray, (n_outputs,) of float64
    texts : tuple of (int, CategoryColumn)
        The columns of text, each with the place of its first feature.
    columns : tuple of str
        The cells that a row of a table has; none where inputs come from no table.
    sources : tuple of FeatureSource
        Where each feature comes from.
    labels : tuple of str or None
        Several labels that may be there together: each is where its output is above ½.
    """

    layers: tuple[PortableLayer, ...]
    features: tuple[str, ...]
    shift: Array
    scale: Array
    fill: Array
    outputs: tuple[str, ...]
    classes: tuple[Label, ...] | None
    out_shift: Array
    out_scale: Array
    texts: tuple[tuple[int, CategoryColumn], ...] = ()
    labels: tuple[str, ...] | None = None
    columns: tuple[str, ...] = ()
    sources: tuple[FeatureSource, ...] = ()

    @property
    def takes_cells(self) -> bool:
        """Whether a row is cells as a table has them, and not one number for each input."""
        return any(source.kind != "number" for source in self.sources)

    @property
    def cell_kinds(self) -> tuple[str, ...]:
        """How the cell of each column is read."""
        kinds = dict.fromkeys(range(len(self.columns)), "text")
        for source in self.sources:
            kind = source.part if source.kind == "missing" else source.kind
            kinds[source.column] = "text" if kind == "other" else kind
        return tuple(kinds.values())

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of the weights: float32 or float64."""
        return self.layers[0].W.dtype

    @property
    def is_scaled(self) -> bool:
        """Whether inputs do not go in as they are."""
        return bool(self.shift.any() or (self.scale != 1).any())

    @property
    def has_fill(self) -> bool:
        """Whether anything stands in for a missing number anywhere."""
        return not np.isnan(self.fill).all()

    @property
    def has_units(self) -> bool:
        """Whether outputs are not the answer as they are."""
        return bool(self.out_shift.any() or (self.out_scale != 1).any())


def portable_network(net: Network) -> PortableNetwork:
    """Return the numbers and names of a network and its encoding."""
    layers = tuple(
        PortableLayer(layer.W, _full_bias(layer.b, layer.dense.n_out, net.dtype), layer.activation)
        for layer in net.layers
    )
    encoding, n_in, n_out = net.encoding, net.sizes[0], net.sizes[-1]
    features = tuple(f"x{number}" for number in range(n_in))
    outputs = tuple(f"y{number}" for number in range(n_out))
    shift, scale, fill = np.zeros(n_in), np.ones(n_in), np.full(n_in, np.nan)
    out_shift, out_scale, classes, labels = np.zeros(n_out), np.ones(n_out), None, None
    texts = () if encoding is None else _text_columns(encoding)
    columns, sources = ((), ()) if encoding is None else _sources(encoding)
    if encoding is not None:
        features, (shift, scale, fill) = encoding.inputs.feature_names, _input_scaling(encoding)
        target = encoding.target
        if isinstance(target, LabelEncoding):
            classes = target.classes
            outputs = tuple(f"p({name})" for name in target.output_names(n_out))
        elif isinstance(target, NumbersEncoding):
            outputs, out_shift, out_scale = target.names, np.array(target.shift), np.array(target.scale)
            labels = target.labels if net.layers[-1].activation.name == "sigmoid" else None
        else:  # the target is the input
            outputs, out_shift, out_scale = features, shift, scale
    return PortableNetwork(
        layers, features, shift, scale, fill, outputs, classes, out_shift, out_scale, texts, labels, columns,
        sources,
    )  # fmt: skip


def _text_columns(encoding: Encoding) -> tuple[tuple[int, CategoryColumn], ...]:
    found, start = [], 0
    for column in encoding.inputs.columns if isinstance(encoding.inputs, ColumnsEncoding) else ():
        if isinstance(column, CategoryColumn):
            found.append((start, column))
        start += len(column.feature_names)
    return tuple(found)


def _sources(encoding: Encoding) -> tuple[tuple[str, ...], tuple[FeatureSource, ...]]:
    """The columns of a table, and where each feature comes from."""
    if not isinstance(encoding.inputs, ColumnsEncoding):
        return (), ()
    places: dict[str, int] = {}
    found = []
    for column in encoding.inputs.columns:
        place = places.setdefault(column.source, len(places))
        if isinstance(column, CategoryColumn):
            found += [FeatureSource(place, "text", category) for category in column.categories]
            found += [FeatureSource(place, "other")] * column.other
            continue
        kind, part = column.form.removesuffix(MISSING_TOO), column.name.removeprefix(column.source)[1:]
        kind = "number" if kind in ("", "point") else kind.replace("point ", "number ")
        is_flag = column.form.endswith(MISSING_TOO) and part == "missing"
        found.append(FeatureSource(place, "missing", kind) if is_flag else FeatureSource(place, kind, part))
    return tuple(places), tuple(found)


def _full_bias(b: Array | None, n_out: int, dtype: np.dtype[np.floating]) -> Array:
    """One for each neuron, however many the layer has."""
    return np.zeros(n_out, dtype) if b is None else np.broadcast_to(b, (n_out,)).copy()


def _input_scaling(encoding: Encoding) -> tuple[Array, Array, Array]:
    """Shift, scale and fill of each feature."""
    inputs, n_features = encoding.inputs, len(encoding.inputs.feature_names)
    if isinstance(inputs, PixelsEncoding):
        return np.zeros(n_features), np.full(n_features, inputs.scale), np.full(n_features, np.nan)
    rows: list[tuple[float, float, float]] = []
    for column in inputs.columns:
        if isinstance(column, CategoryColumn):  # one feature for each category, 0 or 1
            known = [*column.categories, *[None] * column.other]
            rows += [
                (0.0, 1.0, np.nan if column.fill is None else float(category == column.fill))
                for category in known
            ]
        else:
            rows.append((column.shift, column.scale, np.nan if column.fill is None else column.fill))
    shift, scale, fill = np.array(rows).T
    return shift, scale, fill
