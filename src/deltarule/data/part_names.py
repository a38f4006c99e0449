"""What the parts of a set are called, by folders, columns and arrays."""

from __future__ import annotations

#: The names of each part in small letters, the parts in their order.
PART_NAMES = {
    "train": ("train", "training", "trn"),
    "validation": ("val", "valid", "validation", "dev", "eval"),
    "test": ("test", "testing", "tst", "holdout"),
}
