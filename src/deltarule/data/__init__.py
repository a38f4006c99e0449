"""Data to learn from: gates, toy problems, classic sets, tables, images, MNIST; the public ``dr.datasets``.

Reading order: decision_kinds, decisions, table, dataset, encoding; part_names, raw_files, reading, meaning,
file_columns, target_roles, table_files; idx_files, mnist, array_pictures, pictures, image_folders; toys,
bundled, loading; summary; streams.
"""

from __future__ import annotations

from deltarule.data.dataset import Dataset, folds, split
from deltarule.data.image_folders import read_images
from deltarule.data.loading import is_table, load, names
from deltarule.data.mnist import load_mnist
from deltarule.data.reading import MemoryTable, ReadingOptions
from deltarule.data.streams import Stream, stream
from deltarule.data.table_files import read_table

__all__ = [
    "Dataset",
    "MemoryTable",
    "ReadingOptions",
    "Stream",
    "folds",
    "is_table",
    "load",
    "load_mnist",
    "names",
    "read_images",
    "read_table",
    "split",
    "stream",
]
