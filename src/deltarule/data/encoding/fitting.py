"""Fitting an encoding: what the training rows say about scales, categories and missing cells."""

from __future__ import annotations

from collections import Counter

from deltarule.arrays import Array, as_matrix
from deltarule.data.dataset import Dataset
from deltarule.data.encoding.encoding import Encoding
from deltarule.data.encoding.inputs import CategoryColumn, ColumnsEncoding, NumberColumn, PixelsEncoding
from deltarule.data.encoding.scaling import FILLS, SCALES
from deltarule.data.encoding.summaries import NumberSummary, TextSummary
from deltarule.data.encoding.targets import LabelEncoding, NumbersEncoding
from deltarule.data.table import Table
from deltarule.errors import InputError
from deltarule.registry import did_you_mean

MISSING = ("refuse", "drop", *FILLS)
_MOST_CATEGORIES = 100
_MOST_LABELS = 10_000


def fit_encoding(
    examples: Dataset,
    *,
    scale: str | None = None,
    missing: str = "refuse",
    rare: int = 1,
    target_is_input: bool = False,
) -> Encoding:
    """Fit an encoding to rows: their scales, categories and labels. Pass only the training rows.

    Parameters
    ----------
    examples : Dataset
    scale : {"none", "standard", "minmax"}, optional
        How to scale numbers, including the targets of a regression: not at all, to mean 0 and variance 1, or
        to [0, 1]; the default is what suits the data set. Pixels are divided by 255 unless this is
        ``"none"``.
    missing : {"refuse", "mean", "median", "mode", "drop"}
        What replaces a missing number (for "drop", the median in rows to predict). Missing text is replaced
        by the most frequent category, unless missing cells are refused.
    rare : int
        Categories that have fewer rows are grouped as "other". If categories are grouped, no column has more
        than 100 of them.
    target_is_input : bool
        Whether the network is to reproduce its input (an autoencoder).

    Returns
    -------
    Encoding

    Raises
    ------
    InputError
        If an option is unknown, a column has no values at all, or a number is infinite.

    Examples
    --------
    >>> from deltarule.data import load
    >>> fit_encoding(load("xor")).inputs.feature_names
    ('x1', 'x2')
    """
    fitting = EncodingFit(
        scale=examples.scale if scale is None else scale,
        missing=missing,
        rare=rare,
        target_is_input=target_is_input,
    )
    fitting.add(examples)
    return fitting.encoding()


class EncodingFit:
    """An encoding that is fitted to rows, some after the others: see :func:`fit_encoding`.

    Parameters
    ----------
    scale, missing, rare, target_is_input
        As in :func:`fit_encoding`.
    most : int, optional
        How many numbers of a column may be held. Where there are more, mean and deviation follow from
        moments, and the median is that of a sample.

    Examples
    --------
    >>> from deltarule.data import load
    >>> iris, fitting = load("iris"), EncodingFit(scale="standard")
    >>> for rows in (range(75), range(75, 150)):
    ...     fitting.add(iris.take(list(rows)))
    >>> fitting.encoding() == fit_encoding(iris)
    True
    """

    def __init__(
        self,
        *,
        scale: str,
        missing: str = "refuse",
        rare: int = 1,
        target_is_input: bool = False,
        most: int | None = None,
    ) -> None:
        for name, choice, choices in (("scale", scale, SCALES), ("missing", missing, MISSING)):
            if choice not in choices:
                raise InputError(f"unknown {name} {choice!r}{did_you_mean(str(choice), choices)}")
        self._scale, self._missing, self._rare, self._most = scale, missing, rare, most
        self._target_is_input = target_is_input
        self._first: Dataset | None = None
        self._summaries: dict[str, NumberSummary | TextSummary] = {}
        self._tables: list[Table] = []  # whose numbers are held there, if they need not be few
        self._targets: list[NumberSummary] = []
        self._labels: set[str | int | float] = set()
        self._label_type = ""

    def add(self, examples: Dataset) -> None:
        """Take some more rows.

        Raises
        ------
        InputError
            If a number is infinite, a label is none, or there are too many different ones.
        """
        self._first = self._first or examples
        if isinstance(examples.inputs, Table):
            self._add_table(examples.inputs)
        if self._target_is_input:
            return
        if examples.classes is not None:
            fitted = LabelEncoding.fit(examples.target, examples.target_names[0])
            self._labels.update(fitted.classes if self._most else examples.classes)
            self._label_type = self._label_type or fitted.dtype
            if self._most and len(self._labels) > _MOST_LABELS:
                raise InputError(
                    f"the target {examples.target_names[0]!r} has more than {_MOST_LABELS:,} different "
                    "labels; if it holds numbers to predict, use task='regression' (--task regression)"
                )
            return
        target: Array = examples.target
        columns = as_matrix(target[:, None] if target.ndim == 1 else target, "the target").T.astype(float)
        self._targets = self._targets or [NumberSummary(self._most) for _ in columns]
        for summary, values in zip(self._targets, columns, strict=True):
            summary.add(values)

    def _add_table(self, table: Table) -> None:
        if self._most is None:
            self._tables.append(table)
        for name in table.names:
            is_text = table.is_text(name)
            summary = self._summaries.setdefault(
                name, TextSummary() if is_text else NumberSummary(self._most)
            )
            if isinstance(summary, TextSummary):
                summary.add(table.coded(name))
            elif self._most is not None:
                summary.add(table.finite(name))

    def _summary(self, name: str) -> NumberSummary | TextSummary:
        """Return what all rows say about a column: a column of numbers is gathered only here."""
        summary = self._summaries[name]
        if isinstance(summary, NumberSummary) and self._tables:
            summary = NumberSummary()
            for table in self._tables:
                summary.add(table.finite(name))
        return summary

    def encoding(self) -> Encoding:
        """Return the encoding that suits all rows taken.

        Raises
        ------
        InputError
            If there were none, or a column has no values at all.
        """
        examples = self._first
        if examples is None:
            raise InputError("an encoding is fitted to rows, and there are none")
        inputs = examples.inputs
        encoded: ColumnsEncoding | PixelsEncoding
        if isinstance(inputs, Table):
            encoded = ColumnsEncoding(tuple(self._column(inputs, name) for name in inputs.names))
        else:
            height, width = inputs.shape[1:3]
            largest = 1.0 if self._scale == "none" else 255.0
            encoded = PixelsEncoding(height, width, largest, 1 if inputs.ndim == 3 else 3, examples.paper)
        return Encoding(encoded, None if self._target_is_input else self._target(examples))

    def _column(self, table: Table, name: str) -> NumberColumn | CategoryColumn:
        summary = self._summary(name)
        known = summary.count if isinstance(summary, NumberSummary) else len(summary.counts)
        if not known and self._missing == "refuse":
            raise table.fault(0, name, "the column has no values; drop it")
        if isinstance(summary, NumberSummary):
            if not known:
                return NumberColumn(name, fill=0.0)
            scaling, fill = summary.scaling(self._scale), summary.fill(self._missing)
            return NumberColumn(name, *scaling, fill, table.forms.get(name, ""))
        if not known:
            return CategoryColumn(name, ("other",), "other")
        counts = summary.counts
        frequent = sorted(counts, key=lambda text: (-counts[text], text))
        most = len(frequent) if self._rare == 1 and not summary.lost else _MOST_CATEGORIES
        kept = [text for text in frequent[:most] if counts[text] >= self._rare] or frequent[:1]
        usual = None if self._missing == "refuse" else frequent[0]
        return CategoryColumn(name, tuple(sorted(kept)), usual, summary.lost or len(kept) < len(counts))

    def pooled(self, column: CategoryColumn) -> Counter[str]:
        """Return the texts that are no categories of a column, and how often each was met."""
        summary = self._summaries[column.name]
        assert isinstance(summary, TextSummary)
        known = set(column.categories)
        return Counter({text: count for text, count in summary.counts.items() if text not in known})

    def _target(self, examples: Dataset) -> LabelEncoding | NumbersEncoding:
        if examples.classes is not None:
            return LabelEncoding(examples.target_names[0], tuple(sorted(self._labels)), self._label_type)
        shifts, scales = zip(*(summary.scaling(self._scale) for summary in self._targets), strict=True)
        return NumbersEncoding(examples.target_names, shifts, scales)
