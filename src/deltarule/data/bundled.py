"""The classic small sets, as scikit-learn ships them; iris lies here, the others are loaded from there."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from importlib import resources

import numpy as np

from deltarule.data.dataset import Dataset, classes_of
from deltarule.data.table import Table
from deltarule.registry import import_extra

_IRIS = "150 iris flowers of 3 species, 4 measures (Fisher 1936; UCI, CC BY 4.0)"
#: The name of each other set's target, and a line on the set.
_DESCRIBED = {
    "digits": (
        "digit",
        "1,797 handwritten digits of 8 × 8 pixels (Alpaydin & Kaynak 1998; UCI, CC BY 4.0)",
    ),
    "wine": (
        "cultivar",
        "178 wines of 3 cultivars, 13 analyses (Aeberhard & Forina 1992; UCI, CC BY 4.0)",
    ),
    "breast_cancer": (
        "diagnosis",
        "569 tumours, malignant or benign, 30 measures (Wolberg et al. 1993; UCI, CC BY 4.0)",
    ),
    "diabetes": (
        "progression",
        "442 patients, 10 measures, progression after a year (Efron et al. 2004; scikit-learn)",
    ),
}


def iris() -> Dataset:
    """Return Fisher's 150 flowers: 4 measures in centimetres, 3 species."""
    text = resources.files("deltarule.data").joinpath("assets", "iris.csv").read_text(encoding="utf-8")
    (*features, target_name), *rows = csv.reader(text.splitlines())
    target = np.array([row[-1] for row in rows])
    return Dataset(
        "iris",
        Table.of_matrix(np.array([row[:-1] for row in rows], dtype=float), features),
        target,
        target_names=(target_name,),
        classes=classes_of(target),
        scale="standard",
        description=_IRIS,
    )


def bundled(name: str) -> Dataset:
    """Return a classic set by name, with scikit-learn's feature names, and its class names as labels.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """
    target_name, description = _DESCRIBED[name]
    raw = getattr(import_extra("sklearn.datasets", "sklearn"), f"load_{name}")()
    target = raw.target
    if target.dtype.kind == "i" and name != "digits":
        target = np.asarray(raw.target_names)[target]
    return Dataset(
        name,
        Table.of_matrix(raw.data, [str(feature) for feature in raw.feature_names]),
        target,
        target_names=(target_name,),
        classes=None if target.dtype.kind == "f" else classes_of(target),
        scale="minmax" if name == "digits" else "standard",
        description=description,
    )


BUNDLED: dict[str, tuple[Callable[[], Dataset], str]] = {
    "iris": (iris, _IRIS),
} | {name: (partial(bundled, name), description) for name, (_, description) in _DESCRIBED.items()}
