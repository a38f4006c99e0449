"""Folders of images: read as 8-bit grey, class by class; a bad file is named."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data import ReadingOptions, load, read_images
from deltarule.errors import DataFaults, DataFileError, InputError, LayoutError

Image = pytest.importorskip("PIL.Image")


def save(path: Path, value: int = 0, size: tuple[int, int] = (3, 2), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label in (0, 1, 10):
        for number in (1, 2):
            save(tmp_path / "digits" / str(label) / f"{number}.png", 10 * label + number)
    return tmp_path / "digits"


def test_a_folder_per_class_is_read_in_order(folder: Path) -> None:
    dataset = load(folder)
    assert dataset.inputs.shape == (6, 2, 3)
    assert dataset.inputs.dtype == np.uint8
    assert dataset.inputs[:, 0, 0].tolist() == [1, 2, 11, 12, 101, 102]
    assert dataset.target.tolist() == [0, 0, 1, 1, 10, 10]
    assert dataset.classes == (0, 1, 10)
    assert (dataset.name, dataset.test, dataset.X.shape) == ("digits", None, (6, 6))
    assert "6 images of 3 × 2 pixels in 3 classes" in dataset.description


def test_train_and_test_folders_become_two_parts(folder: Path) -> None:
    os.renames(folder, folder.parent / "all" / "train")
    save(folder.parent / "all" / "test" / "10" / "a.png", 7)
    dataset = load(folder.parent / "all")
    assert len(dataset) == 6
    assert dataset.test is not None
    assert dataset.test.target.tolist() == [10]
    assert dataset.test.classes == dataset.classes == (0, 1, 10)


def test_a_train_folder_needs_no_test_folder(folder: Path) -> None:
    os.renames(folder, folder.parent / "all" / "train")
    assert load(folder.parent / "all").test is None


def test_class_names_that_are_no_numbers_stay_text(folder: Path) -> None:
    save(folder / "cat" / "1.png")
    assert load(folder).classes == ("0", "1", "10", "cat")


def test_numbers_that_would_fall_together_stay_text(folder: Path) -> None:
    save(folder / "01" / "1.png")
    assert load(folder).classes == ("0", "01", "1", "10")


@pytest.mark.parametrize("damaged", [False, True])
def test_a_zip_is_closed_whether_it_is_read_or_refused(
    folder: Path, damaged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[zipfile.ZipFile] = []
    open_archive = zipfile.ZipFile.__init__

    def remember(archive: zipfile.ZipFile, *arguments: Any, **options: Any) -> None:
        open_archive(archive, *arguments, **options)
        opened.append(archive)

    (folder / "1" / "1.png").write_bytes(b"\x89PNG" * damaged + (folder / "1" / "1.png").read_bytes())
    packed = shutil.make_archive(str(folder), "zip", folder.parent)
    monkeypatch.setattr(zipfile.ZipFile, "__init__", remember)
    if damaged:
        with pytest.raises(DataFileError) as refused:  # its traceback holds what was read
            load(packed, options=ReadingOptions(strict=True))
        assert refused.tb
    else:
        load(packed)
    assert opened
    assert all(archive.fp is None for archive in opened)


@pytest.mark.parametrize("extension", ["png", "jpg", "bmp", "gif", "tif"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_common_format_is_read_as_grey(tmp_path: Path, extension: str, mode: str) -> None:
    color = 200 if mode == "L" else (200, 200, 200)
    path = save(tmp_path / f"a.{extension}", color, (8, 8), mode)  # type: ignore[arg-type]
    names, images, _ = read_images(path)
    assert names == [f"a.{extension}"]
    assert images.shape == (1, 8, 8)
    assert abs(int(images[0, 0, 0]) - 200) <= 2


def test_hidden_files_are_passed_over(folder: Path) -> None:
    (folder / "0" / ".DS_Store").write_bytes(b"x")
    (folder / ".cache").mkdir()
    assert len(load(folder)) == 6


def test_a_flat_folder_is_read_for_prediction(folder: Path) -> None:
    names, images, _ = read_images(folder / "10")
    assert names == ["1.png", "2.png"]
    assert images[:, 0, 0].tolist() == [101, 102]


STRICT = ReadingOptions(strict=True)


def check_refused(folder: Path, named: Path, reason: str) -> None:
    """Nothing is decided: a strict reader refuses, and names the file or what is in the folder."""
    with pytest.raises(DataFileError, match=reason) as caught:
        load(folder, options=STRICT)
    assert caught.value.path == str(named)
    assert "\n" not in str(caught.value)


def told(folder: Path, options: ReadingOptions | None = None) -> dict[str, str]:
    return {decision.kind: decision.text for decision in load(folder, options=options).decisions}


def check_told(folder: Path, kind: str, text: str) -> None:
    """It is decided and told, all sound images are there, and a strict reader refuses."""
    assert told(folder) == {kind: text}
    assert len(load(folder)) == 6


def test_an_image_of_another_size_is_named(folder: Path) -> None:
    save(folder / "1" / "3.png", size=(2, 3))
    assert told(folder) == {
        "size": "all pictures are resized to 3 × 2: 1 of 7 has a different size, such as 2 × 3"
    }
    assert load(folder, options=ReadingOptions(size=(5, 4))).inputs.shape == (7, 4, 5)
    check_refused(folder, folder, "1 of 7 pictures has a different size than 3 × 2, such as 2 × 3: '1/3.png'")


def test_what_is_not_an_image_is_named(folder: Path) -> None:
    (folder / "1" / "notes.txt").write_text("hello")
    check_told(folder, "strays", "1 file is not a picture and is skipped: 'notes.txt'")
    check_refused(folder, folder, "these files are not pictures: notes.txt")


def test_an_image_in_name_only_is_named(folder: Path) -> None:
    path = folder / "1" / "page.jpg"
    path.write_text("<html>")
    check_told(
        folder,
        "unreadable",
        "1 picture cannot be read and is left out: '1/page.jpg' (it is not an image)",
    )
    check_refused(folder, path, "it is not an image")


@pytest.mark.parametrize("extension", ["png", "jpg", "bmp", "tif", "gif"])
def test_a_truncated_image_is_named(folder: Path, extension: str) -> None:
    path = folder / "1" / f"0.{extension}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    assert len(load(folder)) == 6
    assert f"'1/0.{extension}'" in told(folder)["unreadable"]
    check_refused(folder, path, "cannot be read|not an image")


def test_a_damaged_image_raises_one_kind_of_error_or_none(folder: Path) -> None:
    path = folder / "1" / "0.png"
    sound = save(path).read_bytes()
    for position in range(len(sound)):
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 0xFF]) + sound[position + 1 :])
        with contextlib.suppress(DataFileError):
            load(folder)


def test_an_empty_class_folder_is_named(folder: Path) -> None:
    (folder / "7").mkdir()
    check_told(folder, "empty-class", "1 class has no pictures and is left out: '7'")
    check_refused(folder, folder, "the folder of this class contains no pictures: '7'")


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    with pytest.raises(LayoutError, match="expected one folder of pictures for each class") as caught:
        load(tmp_path)
    wanted, found = caught.value.drawing.split("\n")[0].split()
    assert (wanted, found) == ("wanted", "found")
    assert "└── a.png" in caught.value.drawing
    assert "├── cat/" in caught.value.drawing


def test_a_folder_within_a_class_is_named(folder: Path) -> None:
    save(folder / "1" / "more" / "3.png")
    assert told(folder) == {"deeper": "in 1 class, pictures in subfolders count as that class: '1'"}
    assert (load(folder).target == 1).sum() == 3
    check_refused(folder, folder, "the folder of a class contains subfolders: '1'")


def test_a_pipe_does_not_hang(folder: Path) -> None:
    os.mkfifo(folder / "1" / "pipe.png")
    check_refused(folder, folder / "1" / "pipe.png", "not a file")


def test_a_broken_link_is_named(folder: Path) -> None:
    (folder / "1" / "link.png").symlink_to(folder / "nowhere")
    check_refused(folder, folder / "1" / "link.png", "no such file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(folder: Path) -> None:
    path = folder / "1" / "1.png"
    path.chmod(0)
    check_refused(folder, path, "cannot be read")


def test_a_file_that_fails_to_open_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(DataFaults, match="Permission denied") as caught:
        load(folder)
    assert caught.value.faults[0].path == str(folder / "0" / "1.png")
    assert len(caught.value.faults) == 6


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_unfolds(folder: Path, side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = folder / "1" / "0.png"
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")))
    check_refused(folder, path, "too many|decompression bomb")


def test_of_16_bits_the_upper_8_are_taken(folder: Path) -> None:
    path = folder / "1" / "0.png"
    Image.fromarray(np.full((2, 3), 40_000, dtype=np.uint16)).save(path)
    assert load(folder).inputs[2].tolist() == [[156] * 3] * 2
    assert told(folder) == {"deep": "only the upper 8 of 16 bits are used, in 1 picture: '1/0.png'"}
    check_refused(folder, folder, "expected 8-bit values")


def test_a_test_part_that_does_not_fit_is_told(folder: Path) -> None:
    whole = folder.parent / "all"
    os.renames(folder, whole / "train")
    save(whole / "test" / "5" / "a.png")
    save(whole / "test" / "1" / "a.png", size=(9, 9))
    assert told(whole) == {
        "new-label": "1 row has a label that the model does not know, and counts as wrong: 5 (test/5)",
        "size": "all pictures are resized to 3 × 2: 1 of 8 has a different size, such as 9 × 9",
    }
    with pytest.raises(DataFaults) as caught:
        load(whole, options=STRICT)
    assert len(caught.value.faults) == 2


def test_options_of_tables_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="target, drop and task apply to table files"):
        load(folder, drop="y")


@pytest.mark.skipif("DELTARULE_DATA_HOME" not in os.environ, reason="DELTARULE_DATA_HOME is not set")
def test_the_images_of_mnist_are_the_first_of_each_digit() -> None:
    home = Path(os.environ["DELTARULE_DATA_HOME"])
    folder = home / "mnist-images"
    if not folder.is_dir():
        pytest.skip("no mnist-images")
    dataset, whole = load(folder), load(home / "mnist")
    assert dataset.test is not None
    assert (len(dataset), len(dataset.test)) == (1000, 200)
    for digit in range(10):
        ours, theirs = (part.inputs[part.target == digit][:100] for part in (dataset, whole))
        assert {image.tobytes() for image in ours} == {image.tobytes() for image in theirs}
