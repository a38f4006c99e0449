"""How targets become what a network is trained towards, and how its outputs become answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np

from deltarule.arrays import Array, as_matrix, class_codes
from deltarule.data.encoding.fields import need, need_names, need_scaling, shown
from deltarule.data.encoding.scaling import rescale, restore
from deltarule.errors import InputError, ShapeError
from deltarule.registry import did_you_mean, record

Label: TypeAlias = str | int | float

_LABEL_KINDS = {
    "a boolean": bool | np.bool_,
    "an integer": int | np.integer,
    "text": str,
    "a number": float | np.floating,
}
_DTYPES = {
    "bool", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "object", "str",
    "uint16", "uint32", "uint64", "uint8",
}  # fmt: skip


def as_labels(y: Any, name: str = "y") -> Array:
    """Return ``y`` as labels of one kind: text, integers, booleans, or whole numbers kept as floats.

    Parameters
    ----------
    y : array-like, (n_rows,)
    name : str
        What messages call it.

    Returns
    -------
    ndarray, (n_rows,); arrays keep their type

    Raises
    ------
    InputError
        If a label is missing, or of another kind than the first (the message names its row).
    ShapeError
        If ``y`` does not have one dimension, or has no rows.
    """
    is_array = hasattr(y, "dtype")
    labels = np.asarray(y) if is_array else np.array(y, dtype=object)
    if labels.ndim != 1 or not len(labels):
        raise ShapeError(f"{name} must hold one label for each row, got shape {labels.shape}")
    expected = _kind_of(labels[0])
    if labels.dtype == object and set(map(type, labels)) == {str}:
        return labels if is_array else np.asarray(y)
    for row, label in enumerate(labels if labels.dtype.kind in "OfcmMSV" else labels[:1]):
        kind = _kind_of(label)
        if kind is None or kind != expected:
            wanted = f"{expected}, as in row 0" if kind else "text, an integer or a boolean"
            raise InputError(f"{name}, row {row}: expected {wanted}, got {shown(label)}")
    return labels if is_array else np.asarray(y)


def _kind_of(label: Any) -> str | None:
    """Return what a label is; None for what cannot be one, such as 0.5, NaN or None."""
    kind = next((kind for kind, types in _LABEL_KINDS.items() if isinstance(label, types)), None)
    return None if kind == "a number" and not float(label).is_integer() else kind


def _as_python(labels: Array) -> list[Label]:
    """Return labels as Python values, so that they can be looked up and written to a file."""
    if labels.dtype != object:
        return labels.tolist()
    return [label.item() if isinstance(label, np.generic) else label for label in labels.tolist()]


@record
class LabelEncoding:
    """The classes of a classification: labels to 0/1 targets, outputs back to labels.

    Parameters
    ----------
    name : str
        The name of the target.
    classes : tuple of str, int, float or bool
        Different labels of one kind, in ascending order.
    dtype : str
        The array type that decoded labels have: ``"str"``, ``"int64"``, ``"uint8"``, ``"bool"``, ….

    Examples
    --------
    >>> labels = LabelEncoding.fit([0, 100, 7, 7], "digit")
    >>> labels.encode([7, 100], n_outputs=3)
    array([[0., 1., 0.],
           [0., 0., 1.]])
    >>> labels.decode(np.array([[0.1, 0.7, 0.2]]))
    array([7])
    """

    name: str
    classes: tuple[Label, ...]
    dtype: str = "object"

    def __post_init__(self) -> None:
        need_names("the name of a target", (self.name,))
        need(isinstance(self.classes, tuple), "classes", "a tuple", self.classes)
        as_labels(np.array(self.classes, dtype=object), "classes")
        ordered = list(self.classes) == sorted(set(self.classes))
        need(ordered, "classes", "different, in ascending order", self.classes)
        need(
            self.dtype in _DTYPES, "dtype of the classes", f"one of {', '.join(sorted(_DTYPES))}", self.dtype
        )
        need(self._survive_dtype(), "classes", f"of type {self.dtype}", self.classes)

    def _survive_dtype(self) -> bool:
        try:
            return bool(np.array(self.classes, dtype=self.dtype).tolist() == list(self.classes))
        except (ValueError, OverflowError):
            return False

    @classmethod
    def fit(cls, y: Any, name: str = "y") -> LabelEncoding:
        """Take the classes that occur in ``y`` (n_rows,)."""
        labels = as_labels(y, name)
        dtype = "str" if labels.dtype.kind == "U" else labels.dtype.name
        return cls(name, tuple(sorted(set(_as_python(labels)))), dtype)

    @property
    def kinds(self) -> dict[str, str | None]:
        """``"text"``, or None for integers and booleans: how the target is read from a file."""
        return {self.name: "text" if isinstance(self.classes[0], str) else None}

    def output_names(self, n_outputs: int) -> tuple[str, ...]:
        """Name what each output is the probability of: its class, or, of a single one, not the first class.

        Examples
        --------
        >>> LabelEncoding("grown", ("no", "yes")).output_names(1)
        ('yes',)
        """
        if n_outputs == 1:
            return (str(self.classes[1]) if len(self.classes) > 1 else f"not {self.classes[0]}",)
        return tuple(map(str, self.classes))

    def codes(self, y: Any) -> Array:
        """Return the place of each label among the classes, (n_rows,) of int.

        Raises
        ------
        InputError
            If a label is not one of the classes (the message names label and row).
        """
        labels: Any = as_labels(y, self.name)
        if labels.dtype.kind == "i" and type(self.classes[0]) is int:
            classes = np.array(self.classes)
            codes = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
            codes[classes[codes] != labels] = -1
        else:
            places = {label: code for code, label in enumerate(self.classes)}
            codes = np.fromiter(map(places.get, _as_python(labels), repeat(-1)), np.intp, len(labels))
        if (codes < 0).any():
            row, labels = int((codes < 0).argmax()), _as_python(labels)
            hint = did_you_mean(str(labels[row]), map(str, self.classes))
            raise InputError(f"target {self.name!r}, row {row}: unknown label {shown(labels[row])}{hint}")
        return codes

    def encode(self, y: Any, n_outputs: int) -> Array:
        """Return labels as targets, (n_rows, n_outputs) of 0 and 1.

        One output says whether the label is the second of two classes; otherwise each class has its own.

        Raises
        ------
        ShapeError
            If there are neither as many outputs as classes, nor one output for at most two classes.
        """
        self._check_outputs(n_outputs)
        codes = self.codes(y)
        if n_outputs == 1:
            return codes[:, None].astype(np.float64)
        targets = np.zeros((len(codes), n_outputs))
        targets[np.arange(len(codes)), codes] = 1.0
        return targets

    def decode(self, outputs: Array) -> Array:
        """Return the label of the largest output in each row; of a single output, whether it is above 0.5.

        Parameters
        ----------
        outputs : ndarray, (n_rows, n_outputs)

        Returns
        -------
        ndarray, (n_rows,), of the type the labels had
        """
        self._check_outputs(outputs.shape[1])
        codes = np.minimum(class_codes(outputs), len(self.classes) - 1)
        return np.array(self.classes, dtype=self.dtype)[codes]

    def _check_outputs(self, n_outputs: int) -> None:
        n_classes = len(self.classes)
        if n_outputs != n_classes and not (n_outputs == 1 and n_classes == 2):
            wanted = f"{n_classes}{' or 1' if n_classes == 2 else ''}"
            raise ShapeError(
                f"target {self.name!r} has {n_classes} classes and needs {wanted} outputs, got {n_outputs}"
            )


@record
class NumbersEncoding:
    """The units of a regression: each target becomes (y − shift) / scale, and outputs are brought back.

    Parameters
    ----------
    names : tuple of str
        One name per target.
    shift, scale : tuple of float
        One of each per target; scales are above 0.

    Examples
    --------
    >>> price = NumbersEncoding(("price",), (100.0,), (50.0,))
    >>> price.encode([150.0, 75.0], n_outputs=1).ravel()
    array([ 1. , -0.5])
    >>> price.decode(np.array([[2.0]]))
    array([200.])
    """

    names: tuple[str, ...]
    shift: tuple[float, ...]
    scale: tuple[float, ...]

    def __post_init__(self) -> None:
        need_names("the names of targets", self.names)
        for what, values in (("shift", self.shift), ("scale", self.scale)):
            sound = isinstance(values, tuple) and len(values) == len(self.names)
            need(sound, f"{what} of targets", f"{len(self.names)} numbers", values)
        for name, shift, scale in zip(self.names, self.shift, self.scale, strict=True):
            need_scaling(f"target {name!r}", shift, scale)

    @classmethod
    def of_labels(cls, labels: Iterable[object]) -> NumbersEncoding:
        """Take several labels that may be there together: each target is whether one is, ``p(label)``.

        Examples
        --------
        >>> NumbersEncoding.of_labels(["red", "round"]).labels
        ('red', 'round')
        """
        names = tuple(f"p({label})" for label in labels)
        return cls(names, (0.0,) * len(names), (1.0,) * len(names))

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The labels that may be there together, where that is what the targets are."""
        if not all(re.fullmatch(r"p\(.*\)", name, re.DOTALL) for name in self.names):
            return None
        labels = tuple(name[2:-1] for name in self.names)
        return labels if self == NumbersEncoding.of_labels(labels) else None

    @property
    def kinds(self) -> dict[str, str | None]:
        """``"number"`` for each target: how they are read from a file."""
        return dict.fromkeys(self.names, "number")

    def encode(self, y: Any, n_outputs: int) -> Array:
        """Return numbers (n_rows,) or (n_rows, n_targets) as targets, (n_rows, n_outputs).

        Raises
        ------
        ShapeError
            If there are not as many outputs as targets.
        """
        values = np.asarray(y)
        matrix = as_matrix(values[:, None] if values.ndim == 1 else y, "the target")
        if not matrix.shape[1] == n_outputs == len(self.names):
            raise ShapeError(
                f"{len(self.names)} targets ({', '.join(self.names)}) need as many columns and "
                f"outputs, got {matrix.shape[1]} columns and {n_outputs} outputs"
            )
        return rescale(matrix, self.shift, self.scale)

    def decode(self, outputs: Array) -> Array:
        """Return outputs (n_rows, n_targets) in the targets' units; (n_rows,) where there is one target."""
        if outputs.shape[1] != len(self.names):
            raise ShapeError(f"expected {len(self.names)} outputs, got {outputs.shape[1]}")
        values = restore(outputs, self.shift, self.scale)
        return values.ravel() if len(self.names) == 1 else values
