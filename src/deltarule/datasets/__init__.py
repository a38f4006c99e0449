"""Data to learn from: gates and toys, classic sets, tables, folders of images, MNIST."""

from __future__ import annotations

from deltarule.datasets.dataset import Dataset, folds, split
from deltarule.datasets.images import read_images
from deltarule.datasets.loading import is_table, load, names
from deltarule.datasets.mnist import load_mnist
from deltarule.datasets.tables import read_table

__all__ = [
    "Dataset",
    "folds",
    "is_table",
    "load",
    "load_mnist",
    "names",
    "read_images",
    "read_table",
    "split",
]
