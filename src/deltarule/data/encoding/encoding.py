"""The encoding of a model: its inputs and its target, as one record that goes into the model file."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deltarule.arrays import Array, Scaled, check_fields
from deltarule.data.dataset import Dataset
from deltarule.data.encoding.fields import need, shown
from deltarule.data.encoding.inputs import CategoryColumn, ColumnsEncoding, NumberColumn, PixelsEncoding
from deltarule.data.encoding.targets import LabelEncoding, NumbersEncoding
from deltarule.data.encoding.trained_rows import TrainedRows
from deltarule.data.table import Table
from deltarule.errors import InputError, ModelFileError, ShapeError
from deltarule.registry import record


@record
class Encoding:
    """How raw rows become the numbers that a network takes, and how its outputs become predictions.

    Parameters
    ----------
    inputs : ColumnsEncoding or PixelsEncoding
    target : LabelEncoding, NumbersEncoding or None
        None if the target is the input itself (an autoencoder).
    trained : TrainedRows or None
        What is remembered about the rows that trained the network.

    Examples
    --------
    >>> encoding = Encoding(ColumnsEncoding((NumberColumn("x1"),)), LabelEncoding.fit(["no", "yes"]))
    >>> encoding.decode(np.array([[0.2, 0.8]]))
    array(['yes'], dtype='<U3')
    >>> Encoding.from_dict(encoding.to_dict()) == encoding
    True
    """

    inputs: ColumnsEncoding | PixelsEncoding
    target: LabelEncoding | NumbersEncoding | None
    trained: TrainedRows | None = None

    def __post_init__(self) -> None:
        for name, part, types in (
            ("inputs", self.inputs, ColumnsEncoding | PixelsEncoding),
            ("target", self.target, LabelEncoding | NumbersEncoding | None),
            ("trained", self.trained, TrainedRows | None),
        ):
            expected = str(types).replace(f"{__package__}.", "")
            need(isinstance(part, types), f"{name} of an encoding", expected, part)

    @property
    def n_inputs(self) -> int:
        """How many features a network must take."""
        return len(self.inputs.feature_names)

    @property
    def kinds(self) -> dict[str, str | None]:
        """How a table file is read for this model: ``"number"``, ``"text"`` or None (either) by column."""
        inputs = self.inputs.kinds if isinstance(self.inputs, ColumnsEncoding) else {}
        return {**inputs, **({} if self.target is None else self.target.kinds)}

    def encode(
        self, examples: Dataset, n_outputs: int, dtype: npt.DTypeLike = np.float64
    ) -> tuple[Array | Scaled, Array]:
        """Return the features and the targets that a network is trained on.

        Parameters
        ----------
        examples : Dataset
        n_outputs : int
            How many outputs the network has.
        dtype : dtype
            Of the features.

        Returns
        -------
        X : ndarray or Scaled, (n_rows, n_inputs)
        Y : ndarray, (n_rows, n_outputs)

        Raises
        ------
        InputError
            If a column, a cell or a label does not fit.
        ShapeError
            If the target does not fit ``n_outputs``.
        """
        X = self.inputs.encode(examples.inputs, dtype)
        if self.target is not None:
            return X, self.target.encode(examples.target, n_outputs)
        if n_outputs != X.shape[1]:
            raise ShapeError(f"the target is the input: expected {X.shape[1]} outputs, got {n_outputs}")
        return X, X.astype(dtype) if isinstance(X, Scaled) else X

    def decode(self, outputs: Array) -> Array | Table:
        """Turn outputs (n_rows, n_outputs) into labels, numbers in their units, or inputs."""
        return self.inputs.decode(outputs) if self.target is None else self.target.decode(outputs)

    def to_dict(self) -> dict[str, Any]:
        """Return the encoding as dictionaries, lists, texts and numbers, for a JSON file."""
        return _fields_to_json(self)

    @classmethod
    def from_dict(cls, data: object) -> Encoding:
        """Make the encoding that `to_dict` wrote; ``data`` may come from an untrusted file.

        Raises
        ------
        ModelFileError
            If anything is missing, unknown, of the wrong type or not sensible.
        """
        try:
            return cls(**_fields_from_json(cls, data, "encoding"))
        except InputError as error:
            raise ModelFileError(f"the encoding is invalid: {error}") from None
        except RecursionError:
            raise ModelFileError("the encoding is nested too deeply") from None


_KINDS: dict[str, type] = {
    "category": CategoryColumn,
    "columns": ColumnsEncoding,
    "labels": LabelEncoding,
    "number": NumberColumn,
    "numbers": NumbersEncoding,
    "pixels": PixelsEncoding,
    "rows": TrainedRows,
}


#: Fields that older files lack: left out of a file where they are so, which keeps older files as they are.
_LATER: dict[str, object] = {"form": "", "other": False, "channels": 1, "paper": "", "trained": None}


def _to_json(value: Any) -> Any:
    if is_dataclass(value):
        kind = next(kind for kind, record in _KINDS.items() if isinstance(value, record))
        return {"kind": kind} | _fields_to_json(value)
    return [_to_json(item) for item in value] if isinstance(value, tuple) else value


def _fields_to_json(record: Any) -> dict[str, Any]:
    items = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: _to_json(item) for name, item in items.items() if _LATER.get(name, ...) != item}


def _from_json(value: Any, place: str) -> Any:
    if isinstance(value, list):
        return tuple(_from_json(item, f"{place}[{index}]") for index, item in enumerate(value))
    if not isinstance(value, dict):
        return value
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InputError(f"{place}: expected a kind from {', '.join(_KINDS)}, got {shown(kind)}")
    others = {name: item for name, item in value.items() if name != "kind"}
    return _KINDS[kind](**_fields_from_json(_KINDS[kind], others, place))


def _fields_from_json(record: type, data: object, place: str) -> dict[str, Any]:
    """Read the fields of a record, each one present and none unknown."""
    later = {name for name in _LATER if isinstance(data, dict) and name not in data}
    known = check_fields(place, data, [field.name for field in fields(record) if field.name not in later])
    for name, value in known.items():
        need(_LATER.get(name, ...) != value, f"{place}.{name}", "omitted where it has no meaning", value)
    return {name: _from_json(value, f"{place}.{name}") for name, value in known.items()}
