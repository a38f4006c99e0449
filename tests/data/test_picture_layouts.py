"""Layouts of folders in which sets of pictures are handed round: which picture gets which class and part."""

from __future__ import annotations

import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from deltarule.data import Dataset, load, read_images
from deltarule.errors import DataFileError, InputError, LayoutError

Image = pytest.importorskip("PIL.Image")

FOUR = [0, 1, 2, 3]
AB = ["a", "b", "a", "b"]


def rows(*columns: Iterable[object]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True))


#: Pictures and other files of a set, and how many pictures of each class its parts have.
LAYOUTS: dict[str, tuple[list[str], dict[str, str], list[dict[object, int]]]] = {
    "a column for each class": (
        [f"images/{i}.png" for i in FOUR],
        {"train.csv": "image_id,a,b\n" + rows(FOUR, [1, 0, 1, 0], [0, 1, 0, 1])},
        [{"a": 2, "b": 2}],
    ),
    "a list of names without a header": (
        [f"images/{i}.png" for i in FOUR],
        {"list.txt": "".join(f"images/{i}.png {label}\n" for i, label in enumerate(AB))},
        [{"a": 2, "b": 2}],
    ),
    "a list for each part": (
        [f"images/{i}.png" for i in range(8)],
        {f"{part}.txt": "".join(f"images/{start + i}.png {label}\n" for i, label in enumerate(AB))
         for part, start in (("train", 0), ("test", 4))},
        [{"a": 2, "b": 2}, {}, {"a": 2, "b": 2}],
    ),
    "records that name files": (
        [f"train/{i}.png" for i in FOUR],
        {"train/metadata.jsonl": "".join(
            json.dumps({"file_name": f"{i}.png", "label": label}) + "\n" for i, label in enumerate(AB))},
        [{"a": 2, "b": 2}],
    ),
    "one object of names and classes": (
        [f"{i}.png" for i in FOUR],
        {"labels.json": json.dumps({f"{i}.png": label for i, label in enumerate(AB)})},
        [{"a": 2, "b": 2}],
    ),
    "a column of parts": (
        [f"{i}.png" for i in range(8)],
        {"set.csv": "file,class,split\n" + rows(range(8), AB * 2, ["train"] * 4 + ["test"] * 4)},
        [{"a": 2, "b": 2}, {}, {"a": 2, "b": 2}],
    ),
    "numbered pieces, classes in a table": (
        [f"images_{1 + i // 2}/{i}.png" for i in FOUR],
        {"meta.csv": "id,age,dx\n" + rows(FOUR, [9, 8, 7, 8], AB)},
        [{"a": 2, "b": 2}],
    ),
    "numbered pieces of each class": (
        [f"fold{k}/{label}/{k}.png" for k in (1, 2) for label in "ab"], {}, [{"a": 2, "b": 2}],
    ),
    "parts within each class": (
        [f"{label}/{part}/{i}.png" for label in "ab" for part in ("train", "test") for i in (0, 1)],
        {},
        [{"a": 2, "b": 2}, {}, {"a": 2, "b": 2}],
    ),
    "a copy of the whole in itself": (
        [f"{top}{label}/{i}.png" for top in ("", "copy/") for label in "ab" for i in (0, 1)],
        {},
        [{"a": 2, "b": 2}],
    ),
    "a folder for each patient": (
        [f"patient{p}/{view}.png" for p in range(4) for view in (1, 2)],
        {"labels.csv": "path,label\n"
         + rows([f"patient{p}/{v}.png" for p in range(4) for v in (1, 2)], "aabbaabb")},
        [{"a": 4, "b": 4}],
    ),
    "masks beside images": (
        [f"{label}/{kind}/{i}.png" for label in "ab" for kind in ("images", "masks") for i in (0, 1)],
        {},
        [{"a": 2, "b": 2}],
    ),
    "trimaps in another folder": (
        [f"{folder}/{label}_{i}.png"
         for folder in ("images", "annotations/trimaps") for label in "ab" for i in (1, 2)],
        {"notes/readme.txt": "1: foreground, 2: background"},
        [{"a": 2, "b": 2}],
    ),
    "a table of the test part": (
        [f"Train/{k}/{i}.png" for k in (0, 1) for i in (0, 1)]
        + [f"Test/{i}.png" for i in FOUR],
        {"Test.csv": "ClassId,Path\n" + rows([0, 1, 0, 1], [f"Test/{i}.png" for i in FOUR])},
        [{0: 2, 1: 2}, {}, {0: 2, 1: 2}],
    ),
    "parts with a common name": (
        [f"asl_{part}/{label}/{i}.png" for part in ("train", "test") for label in "ab" for i in (0, 1)],
        {},
        [{"a": 2, "b": 2}, {}, {"a": 2, "b": 2}],
    ),
    "an unlabelled part, and an example of answers": (
        [f"train/{label}.{i}.png" for label in ("cat", "dog") for i in (0, 1)] + ["test1/1.png"],
        {"sampleSubmission.csv": "id,label\n1,0\n2,0\n"},
        [{"cat": 2, "dog": 2}],
    ),
    "a date before the class": (
        [f"2024-05-{day:02}_{label}.png" for day in (1, 2) for label in ("rain", "sun")],
        {},
        [{"rain": 2, "sun": 2}],
    ),
    "hexadecimal digits behind the class": (
        [f"{label}_{i:04x}f{i}.png" for i in (3000, 4000) for label in ("rain", "sun")],
        {},
        [{"rain": 2, "sun": 2}],
    ),
}  # fmt: skip


def write(folder: Path, pictures: list[str], files: dict[str, str]) -> Path:
    for number, name in enumerate(pictures):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), number, np.uint8)).save(folder / name)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def counted(dataset: Dataset) -> list[dict[object, int]]:
    parts = [dataset, dataset.validation, dataset.test]
    counts = [{} if part is None else dict(Counter(part.target.tolist())) for part in parts]
    while not counts[-1]:
        counts.pop()
    return counts


@pytest.mark.parametrize("name", LAYOUTS)
def test_pictures_get_class_and_part(tmp_path: Path, name: str) -> None:
    pictures, files, expected = LAYOUTS[name]
    assert counted(load(write(tmp_path / "set", pictures, files))) == expected


def test_a_doubt_about_the_column_of_classes_names_the_option(tmp_path: Path) -> None:
    table = "id,season,gender\n" + rows(FOUR, ["x", "x", "y", "y"], AB)
    folder = write(tmp_path / "set", [f"{i}.png" for i in FOUR], {"styles.csv": table})
    with pytest.raises(LayoutError, match=r"use --target NAME for one of its columns \(season, gender\)"):
        load(folder)
    assert counted(load(folder, target="gender")) == [{"a": 2, "b": 2}]
    assert load(folder, target="gender").target_names == ("gender",)
    with pytest.raises(InputError, match=r"has a column 'sex' .*\(season, gender\)"):
        load(folder, target="sex")
    (folder / "styles.csv").unlink()
    with pytest.raises(InputError, match="no table beside the pictures"):
        load(folder, target="gender")


def test_pickles_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(LayoutError, match="pickled Python objects"):
        load(tmp_path)


@pytest.mark.parametrize("names", [("x_train", "y_train", "x_test", "y_test"), ("X", "y", None, None)])
def test_arrays_of_pictures_are_pictures(tmp_path: Path, names: tuple[str | None, ...]) -> None:
    pixels = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3)
    labels = np.array([[0], [1], [0], [1]])
    arrays = zip(names, (pixels, labels, pixels, labels), strict=True)
    np.savez(tmp_path / "set.npz", **{name: array for name, array in arrays if name})
    dataset = load(tmp_path / "set.npz")
    assert np.array_equal(dataset.inputs, pixels)
    assert counted(dataset) == [{0: 2, 1: 2}] + [{}, {0: 2, 1: 2}] * (names[2] is not None)
    assert np.array_equal(read_images(tmp_path / "set.npz")[1], pixels)


def test_a_part_of_arrays_has_any_of_its_names(tmp_path: Path) -> None:
    pixels, labels = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3), np.array([0, 1, 0, 1])
    parts = {"trn": slice(None), "dev": slice(0, 2), "tst": slice(1, 4)}
    arrays = {f"x_{part}": pixels[rows] for part, rows in parts.items()}
    np.savez(tmp_path / "set.npz", **arrays, **{f"y_{part}": labels[rows] for part, rows in parts.items()})
    assert counted(load(tmp_path / "set.npz")) == [{0: 2, 1: 2}, {0: 1, 1: 1}, {0: 1, 1: 2}]


def test_arrays_of_rows_are_a_table_with_its_labels(tmp_path: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat(
        tmp_path / "ex.mat", {"X": np.arange(20.0).reshape(10, 2) ** 2, "y": np.arange(10)[:, None] % 2}
    )
    dataset = load(tmp_path / "ex.mat")
    assert dataset.inputs.names == ("x1", "x2")
    assert dataset.target.tolist() == [0, 1] * 5
    np.savez(tmp_path / "objects.npz", x=np.array([{}], dtype=object))
    with pytest.raises(DataFileError, match="cannot be read"):
        load(tmp_path / "objects.npz")
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file" + bytes(600))
    with pytest.raises(DataFileError, match="-v7"):
        load(tmp_path / "new.mat")


def test_a_zip_of_idx_files_is_a_set_of_pictures(tmp_path: Path) -> None:
    images, labels = np.arange(36, dtype=np.uint8).reshape(4, 3, 3), np.array([0, 1, 0, 1], np.uint8)
    with zipfile.ZipFile(tmp_path / "small.zip", "w") as archive:
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            archive.writestr(f"raw/train-{name}-ubyte", head + array.tobytes())
    dataset = load(tmp_path / "small.zip")
    assert np.array_equal(dataset.inputs, images)
    assert dataset.name == "small"
    damaged = (tmp_path / "small.zip").read_bytes().replace(b"PK\x01\x02", b"PK\x01\x03")
    (tmp_path / "small.zip").write_bytes(damaged)
    with pytest.raises(DataFileError, match="damaged"):
        load(tmp_path / "small.zip")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
@pytest.mark.parametrize("name", ["pipe", "pipe.zip", "pipe.npz", "pipe.csv"])
def test_a_pipe_of_any_name_is_no_data_and_nobody_waits_for_it(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataFileError, match="cannot be read: not a file"):
        load(tmp_path / name)
