"""How inputs become features: number columns are scaled, text columns one-hot, pixels divided."""

from __future__ import annotations

import math
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from deltarule.arrays import Array, Scaled, as_matrix
from deltarule.data.encoding.fields import is_finite, need, need_names, need_scaling, need_whole, shown
from deltarule.data.encoding.scaling import rescale, restore
from deltarule.data.meaning import DATE_FORMS, KINDS, MISSING_TOO, is_kind
from deltarule.data.table import Table, is_gone
from deltarule.errors import InputError, ShapeError
from deltarule.registry import record

_SPARSE_BYTES = 1 << 23  # from which on features that are mostly 0 are sparse
_SPARSE_SHARE = 0.2  # of them that may not be 0


@record
class NumberColumn:
    """A column of numbers, as the one feature (x − shift) / scale.

    Parameters
    ----------
    name : str
    shift, scale : float
        In the units of the column; ``scale`` is above 0.
    fill : float or None
        What replaces a missing cell; None refuses missing cells.
    form : str
        How its cells are written in files, where not as plain numbers: "comma" (decimal commas), "yes-no",
        "unit kg", or an order of dates such as "dmy", of which ``caught.month`` is a part of column
        ``caught``; with "+missing" at the end where ``caught.missing`` says which cells are missing.
    """

    name: str
    shift: float = 0.0
    scale: float = 1.0
    fill: float | None = None
    form: str = ""

    def __post_init__(self) -> None:
        need_names("the name of a column", (self.name,))
        need_scaling(f"column {self.name!r}", self.shift, self.scale)
        known = self.fill is None or is_finite(self.fill)
        need(known, f"fill of column {self.name!r}", "a finite number or None", self.fill)
        need(
            self.form == "" or (isinstance(self.form, str) and is_kind(self.form)),
            f"form of column {self.name!r}",
            f"one of {', '.join(KINDS)}",
            self.form,
        )

    @property
    def source(self) -> str:
        """The column of a file that it is read from."""
        is_part = self.form.removesuffix(MISSING_TOO) in DATE_FORMS or (
            self.form.endswith(MISSING_TOO) and self.name.endswith(".missing")
        )
        return self.name.rpartition(".")[0] if is_part else self.name

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of the column."""
        return (self.name,)

    def encode(self, table: Table) -> Array:
        """Return the column of ``table`` as a feature, (n_rows, 1)."""
        values = table.column(self.name)
        if values.dtype == object:
            row = next((row for row, value in enumerate(values) if isinstance(value, str)), None)
            if row is not None:
                raise table.fault(row, self.name, f"expected a number, got {shown(values[row])}")
        feature = rescale(values.astype(float, copy=False), self.shift, self.scale)
        if not np.isfinite(feature).all() and (missing := is_gone(values)).any():
            if self.fill is None:
                _check_there(table, self.name)
            values = np.where(missing, np.float64(self.fill or 0.0), values)
            feature = rescale(values.astype(float), self.shift, self.scale)
        if not np.isfinite(feature).all():
            row = int(np.argmin(np.isfinite(feature)))
            raise table.fault(row, self.name, f"{values[row]} cannot be scaled to a finite number")
        return feature[:, None]

    def decode(self, features: Array) -> Array:
        """Return the feature (n_rows, 1) in the units of the column, (n_rows,)."""
        return restore(features[:, 0], self.shift, self.scale)


@record
class CategoryColumn:
    """A column of text, as one feature per category: 1 for its own, 0 for the others.

    Parameters
    ----------
    name : str
    categories : tuple of str
    fill : str or None
        The category that replaces a missing cell; None refuses missing cells.
    other : bool
        Whether there is a last feature for all other texts; without it they are 0 everywhere.

    Examples
    --------
    >>> tree = CategoryColumn("tree", ("ash", "oak"), other=True)
    >>> tree.feature_names
    ('tree=ash', 'tree=oak', 'tree=other')
    >>> tree.encode(Table({"tree": ["oak", "yew"]}))
    array([[0., 1., 0.],
           [0., 0., 1.]])
    """

    name: str
    categories: tuple[str, ...]
    fill: str | None = None
    other: bool = False

    def __post_init__(self) -> None:
        need_names("the name of a column", (self.name,))
        need_names(f"categories of column {self.name!r}", self.categories)
        known = self.fill is None or self.fill in self.categories
        need(known, f"fill of column {self.name!r}", "one of its categories or None", self.fill)
        need(isinstance(self.other, bool), f"other of column {self.name!r}", "true or false", self.other)

    @property
    def source(self) -> str:
        """The column of a file that it is read from."""
        return self.name

    @property
    def feature_names(self) -> tuple[str, ...]:
        """``colour=red``, ``colour=blue``, … and ``colour=other`` where there is such a feature."""
        named = tuple(f"{self.name}={category}" for category in self.categories)
        rest = f"{self.name}=other"
        return (*named, rest + " (rare)" * (rest in named)) if self.other else named

    def codes(self, table: Table) -> Array:
        """Return the place of each cell among the categories, (n_rows,); their number for all others.

        Raises
        ------
        InputError
            If a cell is missing and there is nothing that stands in for it.
        """
        places: dict[object, int] = {category: place for place, category in enumerate(self.categories)}
        column = table.coded(self.name)
        if self.fill is None:
            _check_there(table, self.name)
        else:
            places[None] = places[self.fill]
        values = (None if value != value else value for value in column.values.tolist())  # NaN is missing
        codes = [places.get(value, len(self.categories)) for value in values]
        found: Array = np.array(codes, np.min_scalar_type(len(self.categories)))[column.codes]
        return found

    def unseen(self, table: Table) -> Array:
        """Return where cells hold none of the categories, (n_rows,) of bool."""
        found: Array = self.codes(table) == len(self.categories)
        return found

    def encode(self, table: Table, zeros: Array | None = None) -> Array:
        """Return the column of ``table`` as features, (n_rows, n_features), in ``zeros`` if given."""
        codes, n_features = self.codes(table), len(self.feature_names)
        features = np.zeros((len(table), n_features)) if zeros is None else zeros
        rows = np.flatnonzero(codes < n_features)
        features[rows, codes[rows]] = 1.0
        return features

    def decode(self, features: Array) -> Array:
        """Return the category of the largest feature in each row, (n_rows,)."""
        codes: Array = features.argmax(axis=1)
        return np.array([*self.categories, "other"], dtype=object)[codes]


def _check_there(table: Table, name: str) -> None:
    """Refuse a column with missing cells."""
    missing = table.missing(name)
    if missing.any():
        row = int(missing.argmax())
        raise table.fault(row, name, "the cell is missing; fill it, or choose an imputation")


@record
class ColumnsEncoding:
    """How the columns of a table become the features of a network.

    Parameters
    ----------
    columns : tuple of NumberColumn and CategoryColumn
        In the order of the features. Other columns of a table are ignored.

    Examples
    --------
    >>> encoding = ColumnsEncoding((NumberColumn("height", 1.5, 0.1), CategoryColumn("sex", ("f", "m"))))
    >>> encoding.encode(Table({"sex": ["m"], "height": [1.75]})).round(3)
    array([[2.5, 0. , 1. ]])
    >>> encoding.feature_names
    ('height', 'sex=f', 'sex=m')
    """

    columns: tuple[NumberColumn | CategoryColumn, ...]

    def __post_init__(self) -> None:
        kinds = isinstance(self.columns, tuple) and all(
            isinstance(column, NumberColumn | CategoryColumn) for column in self.columns
        )
        need(kinds, "columns", "number and category columns", self.columns)
        need_names("the names of columns", tuple(column.name for column in self.columns))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per feature, in order."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def kinds(self) -> dict[str, str | None]:
        """``"number"`` or ``"text"`` by column name: how new rows are read from a file."""
        return {
            column.source: (column.form or "number") if isinstance(column, NumberColumn) else "text"
            for column in self.columns
        }

    def encode(self, inputs: Table | Array, dtype: npt.DTypeLike = np.float64) -> Array | Scaled:
        """Return the rows of a table as features, (n_rows, n_features).

        Large ones that are mostly 0, as those of many categories are, come as sparse rows, with SciPy.

        Raises
        ------
        InputError
            If a column or a cell is missing, or a cell is of the wrong kind.
        """
        if not isinstance(inputs, Table):
            raise InputError(f"expected a table of named columns, got {type(inputs).__name__}")
        n_features = len(self.feature_names)
        size = len(inputs) * n_features * np.dtype(dtype).itemsize
        mostly_zero = len(self.columns) < _SPARSE_SHARE * n_features
        if size > _SPARSE_BYTES and mostly_zero and find_spec("scipy") is not None:
            return self._sparse(inputs, dtype)
        features = np.zeros((len(inputs), n_features), dtype)
        start = 0
        for column in self.columns:
            block = features[:, start : start + len(column.feature_names)]
            if isinstance(column, CategoryColumn):
                column.encode(inputs, block)
            else:
                block[:] = column.encode(inputs)
            start += block.shape[1]
        return features

    def _sparse(self, table: Table, dtype: npt.DTypeLike) -> Scaled:
        """The same features, of each column only the one that may differ from 0."""
        from scipy.sparse import csr_array

        shape = (len(table), len(self.columns))
        indices, values, start = np.empty(shape, np.int32), np.ones(shape, dtype), 0
        for place, column in enumerate(self.columns):
            n_features = len(column.feature_names)
            if isinstance(column, CategoryColumn):
                codes = column.codes(table)
                values[:, place] = codes < n_features
                indices[:, place] = np.minimum(codes, n_features - 1)
                indices[:, place] += start
            else:
                values[:, place] = column.encode(table)[:, 0]
                indices[:, place] = start
            start += n_features
        ends = np.arange(0, values.size + 1, shape[1], dtype=np.int32 if values.size < 2**31 else np.int64)
        return Scaled(csr_array((values.ravel(), indices.ravel(), ends), shape=(len(table), start)))

    def decode(self, features: Array) -> Table:
        """Return features (n_rows, n_features) in the units and categories of the columns."""
        features = _checked_width(features, len(self.feature_names))
        ends = np.cumsum([len(column.feature_names) for column in self.columns])
        blocks = np.split(features, ends[:-1], axis=1)
        return Table(
            {column.name: column.decode(block) for column, block in zip(self.columns, blocks, strict=True)}
        )


@record
class PixelsEncoding:
    """How images of one size become features: pixel by pixel, row by row, value / scale.

    Parameters
    ----------
    height, width : int
    scale : float
        255 brings 8-bit values into [0, 1].
    channels : {1, 3}
        Grey, or red, green and blue of each pixel.
    paper : {"", "black", "white"}
        The colour behind transparent images; "" decides by the images.
    """

    height: int
    width: int
    scale: float = 255.0
    channels: int = 1
    paper: str = ""

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            need_whole(f"{name} of images", getattr(self, name), 1, 65535)
        need(
            self.channels in (1, 3) and type(self.channels) is int,
            "channels of images",
            "1 or 3",
            self.channels,
        )
        need(self.paper in ("", "black", "white"), "paper of images", "black or white", self.paper)
        need_scaling("pixels", 0.0, self.scale)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """``pixel_0_0``, ``pixel_0_1``, …: row, then column; or ``pixel_0_0_red``, ``pixel_0_0_green``, …."""
        ends = ("",) if self.channels == 1 else ("_red", "_green", "_blue")
        return tuple(
            f"pixel_{row}_{column}{end}"
            for row in range(self.height)
            for column in range(self.width)
            for end in ends
        )

    @property
    def _shape(self) -> tuple[int, ...]:
        return (self.height, self.width) if self.channels == 1 else (self.height, self.width, self.channels)

    def flatten(self, images: Table | Array) -> Array:
        """Return images (n, height, width) or (n, n_features) as rows (n, n_features), same type.

        Images in colour have the shape (n, height, width, 3).

        Raises
        ------
        ShapeError
            If the images have another size.
        """
        if isinstance(images, Table):
            raise InputError("expected images, got a table of named columns")
        n_features = math.prod(self._shape)
        if images.shape[1:] not in (self._shape, (n_features,)):
            shape = ", ".join(map(str, self._shape))
            raise ShapeError(f"images must have shape (n, {shape}) or (n, {n_features}), got {images.shape}")
        return as_matrix(images.reshape(len(images), n_features), "images")

    def encode(self, inputs: Table | Array, dtype: npt.DTypeLike = np.float64) -> Scaled:
        """Return images as features, (n, n_features), which stay bytes until a batch of them is used."""
        return Scaled(self.flatten(inputs), scale=self.scale)

    def decode(self, features: Array) -> Array:
        """Return features (n, n_features) as 8-bit images (n, height, width) or (n, height, width, 3)."""
        features = _checked_width(features, math.prod(self._shape))
        pixels = np.clip(np.rint(features * self.scale), 0, 255).astype(np.uint8)
        return pixels.reshape(-1, *self._shape)


def _checked_width(features: Array, n_features: int) -> Array:
    if features.ndim != 2 or features.shape[1] != n_features:
        raise ShapeError(f"features must have shape (n, {n_features}), got {features.shape}")
    return features
