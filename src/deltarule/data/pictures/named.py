"""Classes in the names of pictures that lie in one folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from deltarule.data.pictures.folders import part_named
from deltarule.data.pictures.tree import Entry

_BESIDE_CLASS = (  # how the name of a picture tells its class beside its number
    re.compile(r"([^\W\d_].*?)[ ._\-]*\(?\d+\)?"),  # cat.0, cat_001, cat (12)
    re.compile(r"\d[\d ._\-]*[ ._\-]([^\W\d_].*)"),  # 001_cat, 2023-01-31_cat
    re.compile(r"(\d+)[._\-]\d+"),  # 7_0012: a digit
    re.compile(r".*[ ._\-](?:class|label)[ ._\-]?([^\W_]+)", re.IGNORECASE),  # 0001_label_7
    re.compile(r"([^\W\d_]+(?:[ _\-][^\W\d_]+)*?)[ ._\-]+[\w\-. ()]*\d[\w\-. ()]*"),  # cat_8f3ab2
)
_OF_CAMERAS = frozenset(
    ("img", "image", "dsc", "dscn", "pxl", "photo", "picture", "pic", "frame", "screenshot", "scan", "file")
)


def classes_in_names(pictures: Sequence[Entry]) -> list[tuple[Entry, str]]:
    """Return pictures with the classes in their names, where all have one and each class is met twice."""
    for pattern in _BESIDE_CLASS:
        matches = [pattern.fullmatch(PurePath(picture.name).stem) for picture in pictures]
        labels = [found[1].strip(" ._-") for found in matches if found]
        counts = Counter(labels)
        met_twice = len(labels) == len(pictures) and len(counts) > 1 and min(counts.values()) > 1
        if met_twice and not any(label.lower() in _OF_CAMERAS or part_named(label) for label in counts):
            return list(zip(pictures, labels, strict=True))
    return []
