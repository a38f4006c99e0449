"""Folders of pictures as people have them: parts, colour, transparency, zips; models take them again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import deltarule as dr
from deltarule.cli import cli
from deltarule.data import ReadingOptions, load, read_images
from deltarule.data.decision_kinds import PICTURE_DECISIONS
from deltarule.data.pictures.form import as_grey
from deltarule.errors import DataFileError, LayoutError
from deltarule.experiments.saved_models import options_for

Image = pytest.importorskip("PIL.Image")
Array = np.ndarray


def stroke(label: int, rng: np.random.Generator) -> Array:
    """A bright row (0) or column (1) on dark noise, (12, 12)."""
    picture = rng.integers(0, 40, (12, 12)).astype(np.uint8)
    place = int(rng.integers(3, 9))
    (picture if label == 0 else picture.T)[place] = 250
    return picture


def fill(
    folder: Path,
    n: int = 12,
    names: tuple[str, ...] = ("across", "down"),
    make: Callable[[int, np.random.Generator], Array] = stroke,
) -> Path:
    rng = np.random.default_rng(n)
    for label, name in enumerate(names):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(n):
            Image.fromarray(make(label, rng)).save(folder / name / f"{number:02}.png")
    return folder


def told(source: Path, options: ReadingOptions | None = None) -> dict[str, str]:
    return {decision.kind: decision.text for decision in load(source, options=options).decisions}


def strokes_on_nothing(ink: int) -> Callable[[int, np.random.Generator], Array]:
    def make(label: int, rng: np.random.Generator) -> Array:
        picture = np.full((12, 12, 4), ink, np.uint8)
        picture[..., 3] = np.where(stroke(label, rng) > 100, 255, 0)
        return picture

    return make


def plain_color(label: int, rng: np.random.Generator) -> Array:
    """Red or green of one brightness."""
    noise = rng.integers(-9, 9, (12, 12, 3))
    return ([(190, 70, 60), (60, 136, 60)][label] + noise).astype(np.uint8)


def colored_by_chance(label: int, rng: np.random.Generator) -> Array:
    return (stroke(label, rng)[..., None] * rng.uniform(0.5, 1, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    "names", [("train", "val"), ("Train", "Valid"), ("training_set", "dev"), ("TRAIN", "validation")]
)
def test_a_folder_of_validation_is_held_out(tmp_path: Path, names: tuple[str, str]) -> None:
    fill(tmp_path / names[0])
    fill(tmp_path / names[1], 3)
    dataset = load(tmp_path)
    assert (len(dataset), dataset.test) == (24, None)
    assert dataset.validation is not None
    assert len(dataset.validation) == 6
    assert told(tmp_path)["validation"] == f"6 pictures of {names[1]} are held out for early stopping"


def test_a_class_called_train_is_a_class(tmp_path: Path) -> None:
    assert load(fill(tmp_path, names=("boat", "train"))).classes == ("boat", "train")


def test_the_folder_that_holds_the_classes_is_found(tmp_path: Path) -> None:
    fill(tmp_path / "shapes-main" / "shapes" / "Training")
    fill(tmp_path / "shapes-main" / "shapes" / "Testing", 3)
    dataset = load(tmp_path)
    assert dataset.test is not None
    assert (len(dataset), len(dataset.test)) == (24, 6)
    assert told(tmp_path)["nested"] == "the class folders are found in shapes-main/shapes"


def test_parts_within_folders_of_the_same_name_are_found(tmp_path: Path) -> None:
    fill(tmp_path / "seg_train" / "seg_train")
    fill(tmp_path / "seg_test" / "seg_test", 3)
    dataset = load(tmp_path)
    assert dataset.test is not None
    assert (len(dataset), len(dataset.test), dataset.classes) == (24, 6, ("across", "down"))


def test_parts_without_one_to_train_on_are_no_classes(tmp_path: Path) -> None:
    fill(tmp_path / "valid", 3)
    fill(tmp_path / "test")
    with pytest.raises(LayoutError, match="found no folder to train on"):
        load(tmp_path)
    assert len(load(tmp_path, options=ReadingOptions(labels=("across", "down")))) == 24


@pytest.mark.parametrize("inner", ["", "images"])
def test_pictures_without_classes_are_for_prediction(tmp_path: Path, inner: str) -> None:
    fill(tmp_path / "train")
    shutil.copytree(tmp_path / "train" / "down", tmp_path / "test" / inner, dirs_exist_ok=True)
    assert load(tmp_path).test is None
    where = tmp_path / "test"
    assert told(tmp_path) == {
        "unlabelled": f"12 pictures of test have no classes and are not used: deltarule predict MODEL {where}"
        " classifies them"
    }


def test_what_systems_and_people_leave_is_passed_over(tmp_path: Path) -> None:
    fill(tmp_path)
    for name in ("Thumbs.db", "across/desktop.ini", "across/.DS_Store", "down/labels.csv", "notes.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "__MACOSX").mkdir()
    found = told(tmp_path)
    assert set(found) == {"litter", "strays"}
    assert found["litter"].startswith("4 system files are skipped")
    assert found["strays"].startswith("2 files are not pictures and are skipped")


def test_a_zip_is_as_good_as_its_folder(tmp_path: Path) -> None:
    fill(tmp_path / "in" / "shapes" / "train")
    fill(tmp_path / "in" / "shapes" / "val", 3)
    packed = Path(shutil.make_archive(str(tmp_path / "shapes"), "zip", tmp_path / "in"))
    ours, theirs = load(packed), load(tmp_path / "in")
    assert ours.inputs.tobytes() == theirs.inputs.tobytes()  # type: ignore[union-attr]
    assert ours.target.tolist() == theirs.target.tolist()
    assert told(packed) == {"unpacked": "unpacked: a zip of pictures", **told(tmp_path / "in")}
    packed.write_bytes(packed.read_bytes()[:2000])
    with pytest.raises(DataFileError):
        load(packed)


def test_colour_is_used_where_it_tells_the_classes(tmp_path: Path) -> None:
    colored = load(fill(tmp_path / "a", make=plain_color))
    assert colored.inputs.shape == (24, 12, 12, 3)  # type: ignore[union-attr]
    assert told(tmp_path / "a") == {
        "color": "colour is used: it alone predicts 100 % of the pictures' classes (chance: 50 %)"
    }
    assert load(tmp_path / "a", options=ReadingOptions(color=False)).inputs.shape == (24, 12, 12)  # type: ignore[union-attr]
    assert load(fill(tmp_path / "b", make=colored_by_chance)).inputs.shape == (24, 12, 12)  # type: ignore[union-attr]
    assert list(told(tmp_path / "b")) == ["grey"]


def test_grey_in_three_channels_is_grey_and_nothing_to_tell(tmp_path: Path) -> None:
    fill(tmp_path, make=lambda label, rng: np.repeat(stroke(label, rng)[..., None], 3, axis=2))
    assert load(tmp_path).inputs.shape == (24, 12, 12)  # type: ignore[union-attr]
    assert told(tmp_path) == {}


def test_grey_is_the_grey_of_pillow() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 90, 3)).astype(np.uint8)
    assert (as_grey(pixels) == np.asarray(Image.fromarray(pixels).convert("L"))).all()


@pytest.mark.parametrize(("ink", "paper", "expected"), [(0, "white", {0, 255}), (255, "black", {0, 255})])
def test_strokes_on_nothing_are_seen(tmp_path: Path, ink: int, paper: str, expected: set[int]) -> None:
    dataset = load(fill(tmp_path, make=strokes_on_nothing(ink)))
    assert set(np.unique(dataset.inputs)) == expected  # type: ignore[arg-type]
    assert dataset.paper == paper
    assert f"so the background is made {paper}" in told(tmp_path)["paper"]
    other = {"white": "black", "black": "white"}[paper]
    assert len(np.unique(load(tmp_path, options=ReadingOptions(paper=other)).inputs)) == 1  # type: ignore[arg-type]


def test_a_picture_is_turned_as_the_camera_noted(tmp_path: Path) -> None:
    fill(tmp_path)
    upright = np.arange(12, dtype=np.uint8).repeat(12).reshape(12, 12) * 20
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(upright)).save(tmp_path / "down" / "zz.png", exif=exif)
    assert load(tmp_path).inputs[-1].tolist() == upright.tolist()  # type: ignore[index, union-attr]
    assert told(tmp_path) == {"turned": "1 picture is rotated upright, as the camera recorded: 'down/zz.png'"}


def test_the_first_frame_is_taken(tmp_path: Path) -> None:
    fill(tmp_path)
    frames = [Image.fromarray(np.full((12, 12), value, np.uint8)) for value in (90, 200)]
    frames[0].save(tmp_path / "down" / "zz.gif", save_all=True, append_images=frames[1:])
    assert load(tmp_path).inputs[-1, 0, 0] == 90  # type: ignore[index, call-overload]
    assert list(told(tmp_path)) == ["animated"]


@pytest.mark.parametrize(
    ("name", "rows", "n_labelled"),
    [
        ("{label} ({number}).png", [], 24),
        ("{number}-{label}.png", [], 24),
        ("IMG_{number}.png", ["picture;kind", *(f"IMG_{n}.png;{'du'[n % 2]}" for n in range(4))], 4),
        ("{number}.png", ["id,label", "0,1", "1,0", "100,1", "101,0"], 4),
    ],
)  # fmt: skip
def test_classes_of_one_folder_are_those_of_names_or_of_a_table(
    tmp_path: Path, name: str, rows: list[str], n_labelled: int
) -> None:
    names = dict(line.split(",") for line in flatten(fill(tmp_path / "all"), name))
    if rows:
        (tmp_path / "answers.csv").write_text("\n".join(rows))
    data = load(tmp_path)
    assert len(data) == n_labelled
    if not rows:
        assert data.target.tolist() == [names[file] for file in sorted(names)]
    else:
        assert sorted(map(str, data.target)) == sorted(
            row.replace(";", ",").split(",")[1] for row in rows[1:]
        )


def test_numbers_of_a_camera_are_no_classes(tmp_path: Path) -> None:
    for camera in ("IMG", "DSC"):
        flatten(fill(tmp_path), camera + "_{number}.png")
    with pytest.raises(LayoutError):
        load(tmp_path)


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="found only the class 'across'"):
        load(fill(tmp_path, names=("across",)))
    assert len(load(tmp_path, target=())) == 12


def test_a_name_that_would_steer_a_terminal_is_drawn_plainly(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m").mkdir()
    with pytest.raises(LayoutError) as caught:
        load(tmp_path)
    assert "\x1b" not in str(caught.value)


def put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)


def note_turned(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(stroke(1, np.random.default_rng(0))).save(folder / "train" / "down" / "x.png", exif=exif)


def animate(folder: Path) -> None:
    frames = [Image.fromarray(np.full((12, 12), value, np.uint8)) for value in (90, 200)]
    frames[0].save(folder / "train" / "down" / "x.gif", save_all=True, append_images=frames[1:])


def flatten(folder: Path, name: str) -> list[str]:
    """Put the pictures of both classes into one folder, renamed; return names with classes."""
    moved = []
    for label in ("across", "down"):
        for number, picture in enumerate(sorted((folder / label).iterdir())):
            called = name.format(label=label, number=number + 100 * (label == "down"))
            put(picture, folder / called)
            moved.append(f"{called},{label}")
        (folder / label).rmdir()
    return moved


#: What makes each kind of decision necessary, done to a folder with train, val and test of two classes.
DONE: dict[str, Callable[[Path], object]] = {
    "litter": lambda folder: (folder / "train" / "Thumbs.db").write_bytes(b"x"),
    "strays": lambda folder: (folder / "readme.md").write_text("x"),
    "beside": lambda folder: put(folder / "train" / "down" / "00.png", folder / "train" / "00.png"),
    "labels-file": lambda folder: (folder / "train" / "labels.csv").write_text(
        "\n".join(["file,label", *flatten(folder / "train", "{number}.png")])
    ),
    "masks": lambda folder: shutil.copy(
        folder / "train" / "down" / "00.png", folder / "train" / "down" / "00_mask.png"
    ),
    "pieces": lambda folder: [
        put(folder / "train", folder / "fold1"),
        shutil.copytree(folder / "fold1", folder / "train" / "fold2"),
        put(folder / "fold1", folder / "train" / "fold1"),
    ],
    "names-tell": lambda folder: flatten(folder / "train", "{label}.{number}.png"),
    "nested": lambda folder: [put(folder / part, folder / "in" / part) for part in ("train", "val", "test")],
    "part": lambda folder: put(folder / "train", folder / "Training"),
    "validation": lambda folder: None,
    "unlabelled": lambda folder: [
        shutil.rmtree(folder / "test" / "across"),
        put(folder / "test" / "down", folder / "test" / "all"),
    ],
    "empty-class": lambda folder: (folder / "train" / "slope").mkdir(),
    "deeper": lambda folder: put(
        folder / "train" / "down" / "00.png", folder / "train" / "down" / "x" / "0.png"
    ),
    "class-matched": lambda folder: put(folder / "test" / "down", folder / "test" / "Down "),
    "new-class": lambda folder: put(folder / "val" / "down" / "00.png", folder / "val" / "slope" / "00.png"),
    "unreadable": lambda folder: (folder / "train" / "down" / "x.png").write_bytes(b""),
    "animated": animate,
    "turned": note_turned,
    "deep": lambda folder: Image.fromarray(np.full((12, 12), 999, np.uint16)).save(
        folder / "train/down/x.png"
    ),
    "size": lambda folder: Image.new("L", (9, 7)).save(folder / "train" / "down" / "x.png"),
    "resized": lambda folder: Image.new("L", (9, 7)).save(folder / "train" / "down" / "x.png"),
    "paper": lambda folder: Image.new("LA", (12, 12), (0, 99)).save(folder / "train" / "down" / "x.png"),
    "color": lambda folder: fill(folder / "train", names=("red", "green"), make=plain_color),
    "grey": lambda folder: Image.new("RGB", (12, 12), "red").save(folder / "train" / "down" / "x.png"),
}


def test_there_is_a_folder_for_every_kind() -> None:
    assert list(DONE) == list(PICTURE_DECISIONS)


@pytest.mark.parametrize("kind", DONE)
def test_what_is_decided_is_told_or_else_refused(tmp_path: Path, kind: str) -> None:
    for part, n in (("train", 12), ("val", 2), ("test", 2)):
        fill(tmp_path / "set" / part, n)
    DONE[kind](tmp_path / "set")
    options = ReadingOptions(size=(12, 12) if kind == "resized" else None)
    assert set(told(tmp_path / "set", options)) == {kind, "validation"}
    strict = replace(options, strict=True)
    if PICTURE_DECISIONS[kind].fault:
        with pytest.raises(DataFileError):
            load(tmp_path / "set", options=strict)
    else:
        load(tmp_path / "set", options=strict)


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_model_brings_pictures_into_its_form(tmp_path: Path) -> None:
    fill(tmp_path / "all", make=plain_color)
    model = tmp_path / "m.safetensors"
    run("train", tmp_path / "all", "--test-size", 0, "--epochs", 30, "--quiet", "--save", model)
    new = fill(tmp_path / "new", 3, make=plain_color)
    (new / "down" / "00.png").write_bytes(b"")
    with Image.open(new / "down" / "01.png") as picture:
        picture.resize((40, 30)).save(new / "down" / "01.png")
    (new / "down").rename(new / "Down")
    scored = run("evaluate", model, new)
    assert "1.0000" in scored
    for part in (
        "1 picture cannot be read",
        "1 of 5 pictures is resized to 12 × 12",
        "'Down' is used as 'down'",
    ):
        assert part in scored
    answers = run("predict", model, new, "--quiet").splitlines()
    assert answers[0] == "file,class"
    across = [f"across/0{number}.png,across" for number in range(3)]
    assert sorted(answers[1:]) == ["Down/01.png,down", "Down/02.png,down", *across]
    assert "pixel_0_0_red" in run("inspect", model, new / "Down" / "01.png", "--json")
    strict = CliRunner().invoke(cli, ["evaluate", str(model), str(new), "--strict"])
    assert strict.exit_code == 2
    assert str(new / "Down" / "00.png") in strict.stderr


def test_what_is_decided_about_a_test_part_is_told_in_evaluating_it(tmp_path: Path) -> None:
    fill(tmp_path / "Train")
    fill(tmp_path / "Test", 2)
    fill(tmp_path / "Test" / "slope", 1, ("",))
    model = tmp_path / "m.safetensors"
    assert "counts as wrong: 'slope'" in run("train", tmp_path, "--epochs", 1, "--quiet", "--save", model)
    scored = run("evaluate", model, tmp_path)
    assert "Test is used as the test part" in scored
    assert "1 row has a label that the model does not know, and counts as wrong: 'slope'" in scored


@pytest.mark.parametrize("ink", [0, 255])
def test_a_model_keeps_what_is_behind_transparency(tmp_path: Path, ink: int) -> None:
    fill(tmp_path / "all", make=strokes_on_nothing(ink))
    model = tmp_path / "m.safetensors"
    run("train", tmp_path / "all", "--test-size", 0, "--epochs", 1, "--quiet", "--save", model)
    encoding = dr.load(model).encoding
    assert encoding is not None
    assert encoding.inputs.paper == {0: "white", 255: "black"}[ink]  # type: ignore[union-attr]
    half = np.full((12, 12, 4), ink, np.uint8)
    half[..., 3] = 255
    half[:6, :, 3] = 0
    Image.fromarray(half).save(tmp_path / "half.png")
    (_, images, _) = read_images(tmp_path / "half.png", options_for(encoding))
    assert images[0, :, 0].tolist() == [255 - ink] * 6 + [ink] * 6


def test_a_picture_alone_is_read_for_prediction_only(tmp_path: Path) -> None:
    picture = fill(tmp_path) / "down" / "00.png"
    names, images, decisions = read_images(picture)
    assert (names, images.shape, decisions) == (["00.png"], (1, 12, 12), ())
    with pytest.raises(LayoutError):
        load(picture)


def test_a_bit_that_is_turned_in_a_png_is_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(3):
            pixels = rng.integers(0, 255, (6, 6)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / f"{number}.png")
    damaged = tmp_path / "cat" / "1.png"
    whole = damaged.read_bytes()
    start = whole.index(b"IDAT") + 4
    for place in range(start, whole.index(b"IEND") - 4):
        turned = bytearray(whole)
        turned[place] ^= 1 << (place % 8)
        damaged.write_bytes(turned)
        found = load(tmp_path)
        assert (len(found), [item.kind for item in found.decisions]) == (5, ["unreadable"])


@pytest.mark.parametrize(("width", "height"), [(6, 4), (90, 60)])
@pytest.mark.parametrize(("dtype", "suffix"), [(np.uint8, "jpg"), (np.uint8, "png"), (np.uint16, "png")])
def test_few_and_many_pixels_of_any_depth_are_turned_alike(
    tmp_path: Path, width: int, height: int, dtype: type[np.unsignedinteger], suffix: str
) -> None:
    ramp = np.linspace(0, np.iinfo(dtype).max, height * width).astype(dtype).reshape(height, width)
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise makes it upright
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(2):
            Image.fromarray(ramp).save(tmp_path / label / f"{number}.{suffix}", exif=exif, quality=100)
    found = load(tmp_path, options=ReadingOptions(size=(height, width)))
    expected = np.rot90(ramp, -1) / (np.iinfo(dtype).max / 255)
    assert found.inputs.shape == (4, width, height)
    assert np.abs(found.inputs.astype(float) - expected).max() < 3


def test_large_pictures_are_read_by_threads_and_stay_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    for number in range(40):
        folder = tmp_path / "ab"[number // 20]
        folder.mkdir(exist_ok=True)
        side = 100 if number % 2 else 10
        Image.fromarray(np.full((side, side), 6 * number, np.uint8)).save(folder / f"{number:02}.png")
    (tmp_path / "a" / "03.png").write_bytes((tmp_path / "a" / "03.png").read_bytes()[:90])
    found = load(tmp_path, options=ReadingOptions(size=(5, 5)))
    assert found.inputs[:, 2, 2].tolist() == [6 * number for number in range(40) if number != 3]
