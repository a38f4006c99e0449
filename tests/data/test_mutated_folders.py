"""Folders of pictures with anything done to them: read as they are, or refused by one type of exception."""

from __future__ import annotations

import random
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from deltarule.data import ReadingOptions, load
from deltarule.errors import DeltaruleError

Image = pytest.importorskip("PIL.Image")

STRAYS = (
    ("Thumbs.db", b"x"),
    ("notes.txt", b"1.png is a cat"),
    ("labels.csv", b"file,label\n1.png,cat\n2.png,dog\n3.png,cat\n"),
    ("labels.csv", "名,类\n1.png,x\n".encode("gbk")),
    ("b", b"\x89PNG"),
    ("a.gif", b""),
)


def picture(number: int) -> np.ndarray:
    """A picture (6, 6) that no other number has, whatever a single bit of its file is."""
    return np.random.default_rng(number).integers(0, 255, (6, 6)).astype(np.uint8)


def put(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(number)).save(path)


def build(folder: Path, chance: random.Random) -> set[bytes]:
    """Write a set of one of the layouts; return its pictures."""
    number = 0
    layout = chance.choice(("{label}/{number}", "train/{label}/{number}", "{label}.{number}", "{number}"))
    for label in chance.choice((("cat", "dog"), ("0", "1", "2"))):
        for _ in range(chance.randint(1, 4)):
            number += 1
            put(folder / (layout.format(label=label, number=number) + ".png"), number)
    return {picture(known).tobytes() for known in range(1, number + 1)}


def mutate(folder: Path, chance: random.Random) -> bool:
    """Do something to a file or a folder; return whether bytes of a picture are others now."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    folders = [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]
    if not files:
        return False
    file, where, act = chance.choice(files), chance.choice(folders), chance.randrange(7)
    with suppress(OSError, shutil.Error):  # such as a folder moved into itself
        if act == 0:
            file.unlink()
        elif act == 1:
            data = bytearray(file.read_bytes() or b"x")
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            file.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
            return True
        elif act == 2:
            name, content = chance.choice(STRAYS)
            (where / name).write_bytes(content)
        elif act == 3:
            (where / chance.choice(("new", "Test", "val", "__MACOSX", "é", "z.png"))).mkdir(exist_ok=True)
        elif act == 4:
            shutil.move(file, where / chance.choice((file.name, "moved.png", "IMG_1.png")))
        elif act == 5:
            shutil.copy(file, where / chance.choice(("copy.png", "copy", "7.jpg")))
        else:
            file.rename(file.with_suffix(chance.choice(("", ".jpg", ".PNG", ".txt"))))
    return False


def check(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    source = folder / str(seed) / "set"
    known = build(source, chance)
    changed = sum(mutate(source, chance) for _ in range(chance.randint(0, 4))) > 0
    if chance.random() < 0.3:
        packed = source.with_suffix(".zip")
        with zipfile.ZipFile(packed, "w") as archive:
            for path in source.rglob("*"):
                archive.write(path, path.relative_to(source.parent))
        data = bytearray(packed.read_bytes())
        if data and chance.random() < 0.3:
            data[chance.randrange(len(data))] ^= 255
            changed = True
        packed.write_bytes(data)
        source = packed
    try:
        dataset = load(source, options=ReadingOptions(strict=chance.random() < 0.3))
    except DeltaruleError:
        return
    parts = [part for part in (dataset, dataset.validation, dataset.test) if part is not None]
    assert changed or all(image.tobytes() in known for part in parts for image in part.inputs)


def test_a_mutated_folder_is_read_as_it_is_or_refused(tmp_path: Path) -> None:
    for seed in range(12):
        check(tmp_path, seed)


@pytest.mark.slow
def test_many_mutated_folders(tmp_path: Path) -> None:
    for seed in range(12, 300):
        check(tmp_path, seed)
