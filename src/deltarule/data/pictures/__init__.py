"""Folders and zips of pictures: where the pictures of each class lie, and their pixels, all of one form.

Reading order: tree, folders, label_tables, named, drawing, layouts; files, form, reading.
"""

from __future__ import annotations

from deltarule.data.pictures.layouts import PictureLayout, find_layout, left_aside, name_within
from deltarule.data.pictures.reading import ReadPictures, read_pictures
from deltarule.data.pictures.tree import PICTURE_SUFFIXES, PictureFolder, is_picture_zip, look_into

__all__ = [
    "PICTURE_SUFFIXES",
    "PictureFolder",
    "PictureLayout",
    "ReadPictures",
    "find_layout",
    "is_picture_zip",
    "left_aside",
    "look_into",
    "name_within",
    "read_pictures",
]
