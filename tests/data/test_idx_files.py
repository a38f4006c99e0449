"""IDX files: read as stated, refused when anything disagrees."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from deltarule.data import load
from deltarule.data.idx_files import read_idx
from deltarule.errors import DataFileError

IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
LABELS = np.array([3, 1, 3, 1], dtype=np.uint8)


def idx(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    shape = array.shape if shape is None else shape
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + array.tobytes()


def write(folder: Path, images: bytes, labels: bytes, part: str = "train", end: str = "") -> Path:
    (folder / f"{part}-images-idx3-ubyte{end}").write_bytes(images)
    (folder / f"{part}-labels-idx1-ubyte{end}").write_bytes(labels)
    return folder


@pytest.mark.parametrize("end", ["", ".gz"])
def test_a_folder_of_idx_files_is_a_data_set(tmp_path: Path, end: str) -> None:
    pack = gzip.compress if end else bytes
    write(tmp_path, pack(idx(IMAGES)), pack(idx(LABELS)), end=end)
    dataset = load(tmp_path)
    np.testing.assert_array_equal(dataset.inputs, IMAGES)
    assert dataset.inputs.dtype == np.uint8
    assert dataset.target.tolist() == [3, 1, 3, 1]
    assert (dataset.classes, dataset.test) == ((1, 3), None)
    write(tmp_path, pack(idx(IMAGES[:1])), pack(idx(LABELS[:1])), part="t10k", end=end)
    assert load(tmp_path).test.target.tolist() == [3]


def test_names_with_a_dot_are_known_too(tmp_path: Path) -> None:
    (tmp_path / "train-images.idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx(LABELS))
    assert len(load(tmp_path)) == 4


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "expected the magic number 00000803 of an IDX file, got $"),
        (b"\x00\x00\x08", "expected the magic number 00000803"),
        (idx(LABELS), "expected the magic number 00000803 of an IDX file, got 00000801"),
        (b"\x00\x00\x0d\x03" + idx(IMAGES)[4:], "got 00000d03"),
        (idx(IMAGES)[:9], "ends inside its header, after 9 bytes"),
        (idx(IMAGES)[:-1], "states 24 bytes of shape .4, 2, 3., but the file holds only 23"),
        (idx(IMAGES) + b"x", "the file holds more"),
        (idx(IMAGES, (2**32 - 1,) * 3), "which is too large for this file"),
        (idx(IMAGES[:0]), "which is too large for this file"),
        (b"\x1f\x8b", "cannot be read"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-9], "cannot be read: Compressed file ended"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-8] + b"\0" * 8, "cannot be read: CRC check failed"),
        (gzip.compress(idx(IMAGES), mtime=0) + b"rubbish", "cannot be read|holds more"),
        (gzip.compress(idx(IMAGES, (2**32 - 1,) * 3), mtime=0), "which is too large for this file"),
        (gzip.compress(b"hello", mtime=0), "expected the magic number"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(DataFileError, match=reason) as caught:
        read_idx(path, 3)
    assert caught.value.path == str(path)


def test_a_flipped_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    sound = gzip.compress(idx(IMAGES), mtime=0)
    for position in range(len(sound)):
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 0x01]) + sound[position + 1 :])
        try:
            images = read_idx(path, 3)
        except DataFileError:
            continue
        np.testing.assert_array_equal(images, IMAGES)


def test_memory_follows_the_data_and_not_the_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    head = struct.pack(">HBB3I", 0, 8, 3, 10_000, 100, 100)
    path.write_bytes(gzip.compress(head + bytes(400_000)) + b"\0" * 200_000)
    tracemalloc.start()
    with pytest.raises(DataFileError, match="holds only"):
        read_idx(path, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_images_and_labels_must_agree_in_number(tmp_path: Path) -> None:
    write(tmp_path, idx(IMAGES), idx(LABELS[:3]))
    with pytest.raises(DataFileError, match="the train part has 4 images, but 3 labels"):
        load(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    with pytest.raises(DataFileError, match="there is no file train-labels-idx1-ubyte"):
        load(tmp_path)


def test_test_images_must_fit_the_training_images(tmp_path: Path) -> None:
    write(tmp_path, idx(IMAGES), idx(LABELS))
    write(tmp_path, idx(IMAGES.transpose(0, 2, 1)), idx(LABELS), part="t10k")
    with pytest.raises(DataFileError, match=r"training images are \(2, 3\) pixels, but test images \(3, 2\)"):
        load(tmp_path)
    write(tmp_path, idx(IMAGES), idx(LABELS + 1), part="t10k")
    with pytest.raises(DataFileError, match="the test part has class 2"):
        load(tmp_path)
