"""Bad input: exit status 2, one line with its place, no traceback, no file left behind."""

from __future__ import annotations

import errno
import os
import shutil
import struct

import numpy as np
import pytest

from deltarule import Network

from .cases import classes_csv, images, invoke, refused, report_of, run, write_idx


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


OUTPUTS = ["--save", "m", "--plot", "p.png", "--history", "h.csv", "--checkpoint", "c"]
ROWS = "".join(f"{i / 7:.3f},{i % 5},{'ab'[i % 2]}\n" for i in range(30))


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfx,n,y\n" + ROWS.encode(),
        b"x,n,y\r\n" + ROWS.replace("\n", "\r\n").encode(),
        b'"x","n","y"\n' + "".join(f'"{r}"\n'.replace(",", '","') for r in ROWS.split()).encode(),
        ("x;n;y\n" + ROWS.replace(",", ";").replace(".", ",")).encode(),
        b"\n\nx,n,y\n" + ROWS.encode().rstrip() + b"\n\n\n",
        ("x\tn\ty\n" + ROWS.replace(",", "\t")).encode(),
    ],
    ids=["byte-order-mark", "crlf", "quoted", "semicolons", "blank-lines", "tabs"],
)
def test_tables_as_programs_write_them_are_read_alike(data, folder):
    (folder / "plain.csv").write_text("x,n,y\n" + ROWS)
    (folder / "rows.csv").write_bytes(data)
    for name in ("plain", "rows"):
        run("train", f"{name}.csv", "--epochs", 2, "--test-size", 0, "--quiet", "--save", f"{name}.model")
    assert (folder / "plain.model").read_bytes() == (folder / "rows.model").read_bytes()


def test_commas_within_quotes_are_no_delimiters(folder):
    (folder / "rows.csv").write_text("x,y\n" + '1.5,"a, b"\n2.5,c\n' * 5)
    assert report_of("data", "show", "rows.csv")["classes"] == ["a, b", "c"]


BAD_TABLES = {
    "empty": (b"", ":1:1: the file is empty"),
    "only blank lines": (b"\n\n\n", ":1:1: the file is empty"),
    "header only": (b"x,y\n", ":1:1: there is a header, but no rows"),
    "no header": (b"1.5,2.5\n3.5,4.5\n", ":1:1: the first line must name the columns"),
    "a column without a name": (b"x,,y\n1,2,3\n", ":1:2: the column has no name"),
    "two columns of one name": (b"x,y,x\n1,2,3\n", ":1:3: there are two columns called 'x'"),
    "a missing cell": (b"x,y\n1,a\n,b\n3,a\n", ":3:1: column 'x': the cell is missing"),
    "a missing target": (b"x,y\n1,a\n2,\n3,a\n", ":3:2: column 'y': the target is missing"),
    "a row too short": (b"x,n,y\n1,2,a\n1,2\n", ":3:3: expected 3 fields"),
    "a row too long": (b"x,n,y\n1,2,a\n1,2,a,b\n", ":3:4: expected 3 fields"),
    "a text among numbers": (b"x,y\n1,a\n2,b\nthree,a\n4,b\n", ":4:1: expected a number"),
    "an infinite number": (b"x,y\n1,a\ninf,b\n3,a\n", ":3:1: column 'x': expected a finite number"),
    "not UTF-8": (b"x,y\n1,a\n2,caf\xe9\n", ":3:2: the text is not UTF-8"),
    "a huge cell": (b"x,y\n1,a\n2," + b"b" * 1_000_000 + b"\n", ":3:2: this is not a CSV row"),
    "a quote left open": (b'x,y\n1,a\n2,"b\n3,a\n', ":3:2: this is not a CSV row"),
    "free text": (
        b"x,note,y\n" + b"".join(b"%d,this is note %d,a\n" % (i, i) for i in range(30)),
        ":2:2: column 'note': 30 different texts",
    ),
    "dates": (b"x,day,y\n1,2024-01-02,a\n2,2024-01-03,b\n", ":2:2: column 'day': dates and times"),
    "an empty column": (b"x,n,y\n1,,a\n2,,b\n", ":2:2: column 'n': all its cells are missing"),
    "zeros for a picture": (b"\x00" * 100, ":1:"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_bad_table_is_refused_with_its_place(name, folder):
    data, reason = BAD_TABLES[name]
    (folder / "rows.csv").write_bytes(data)
    assert refused("train", "rows.csv", "--strict", *OUTPUTS).startswith(f"rows.csv{reason}")
    assert [entry.name for entry in folder.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--target", "kindd"], "trees.csv:1: there is no column 'kindd'; did you mean 'kind'"),
        (["--drop", "colour,heigth"], "trees.csv:1: there is no column 'heigth'; did you mean 'height'"),
        (["--drop", "colour,height"], "trees.csv: no columns are left"),
        (["--task", "regression"], "trees.csv:2:3: column 'kind': the target of a regression is a number"),
        (["--target", "height", "--task", "classification"], "trees.csv:2:1: column 'height': a label is"),
        (["--target", "height,kind"], "trees.csv:2:3: column 'kind': the target of a regression"),
    ],
)
def test_columns_that_do_not_do_are_refused(options, reason, folder):
    classes_csv(folder / "trees.csv")
    assert refused("train", "trees.csv", *options, *OUTPUTS).startswith(reason)
    assert [entry.name for entry in folder.iterdir()] == ["trees.csv"]


@pytest.mark.parametrize("missing", ["mean", "median"])
def test_missing_cells_can_be_filled(missing, folder):
    (folder / "rows.csv").write_text("x,c,y\n1,r,a\n,b,b\n3,,a\n4,r,b\n9,r,a\n")
    assert report_of("train", "rows.csv", "--missing", missing, "--epochs", 2)["train"]["rows"] == 5


def test_a_damaged_parquet_file_is_refused(folder):
    pytest.importorskip("pyarrow")
    (folder / "rows.parquet").write_bytes(b"PAR1" + bytes(50))
    assert refused("train", "rows.parquet", *OUTPUTS).startswith("rows.parquet: ")


# ---------------------------------------------------------------- images


def spoil(folder, kind):
    """Damage a folder of images; returns what the message must begin with."""
    from PIL import Image

    if kind == "another size":
        Image.fromarray(np.zeros((9, 8), np.uint8)).save(folder / "train" / "row" / "zzz.png")
        return "bars: 1 of 13 pictures has a different size than 8 × 8, such as 8 × 9: 'row/zzz.png'"
    if kind == "not an image":
        (folder / "train" / "row" / "zzz.png").write_text("hello")
        return "bars/train/row/zzz.png: it is not an image"
    if kind == "half an image":
        path = folder / "test" / "row" / "001.png"
        path.write_bytes(path.read_bytes()[:60])
        return "bars/test/row/001.png: "
    if kind == "an empty class":
        (folder / "train" / "square").mkdir()
        return "bars: the folder of this class contains no pictures: 'square'"
    if kind == "a class without training":
        shutil.copytree(folder / "test" / "row", folder / "test" / "square")
        return "bars: "
    return "bars: "


@pytest.mark.parametrize(
    "kind",
    [
        "another size",
        "not an image",
        "half an image",
        "an empty class",
        "a class without training",
    ],
)
def test_a_bad_folder_of_images_is_refused_by_the_name_of_its_file(kind, folder):
    pytest.importorskip("PIL")
    start = spoil(images(folder / "bars", n=8), kind)
    assert refused("train", "bars", "--strict", *OUTPUTS).startswith(start)
    assert [entry.name for entry in folder.iterdir()] == ["bars"]


def test_a_folder_without_images_is_refused_with_the_layout_that_is_wanted(folder):
    pytest.importorskip("PIL")
    (folder / "bars" / "row").mkdir(parents=True)
    result = invoke("train", "bars", *OUTPUTS)
    assert result.exit_code == 2
    first, *drawing = result.stderr.splitlines()
    assert first == "deltarule: bars: expected one folder of pictures for each class, but found no pictures"
    assert drawing[0].split() == ["wanted", "found"]
    assert drawing[2].split()[-2:] == ["└──", "row/"]
    assert [entry.name for entry in folder.iterdir()] == ["bars"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("train-images-idx3-ubyte", lambda data: struct.pack(">I", 2052) + data[4:]),
        ("train-images-idx3-ubyte", lambda data: data[:-1]),
        ("train-images-idx3-ubyte", lambda data: data + b"\0"),
        ("train-images-idx3-ubyte", lambda data: data[:10]),
        ("train-images-idx3-ubyte", lambda data: b""),
        ("train-labels-idx1-ubyte", lambda data: struct.pack(">II", 2049, 39) + data[8:-1]),
        ("t10k-labels-idx1-ubyte", lambda data: struct.pack(">I", 2051) + data[4:]),
        ("t10k-images-idx3-ubyte", lambda data: struct.pack(">IIII", 2051, 40, 4, 8) + data[16:]),
    ],
    ids=["magic", "short", "long", "header", "empty", "count", "labels", "size"],
)
def test_a_bad_idx_file_is_refused_by_its_name(name, change, folder):
    path = write_idx(folder / "idx") / name
    path.write_bytes(change(path.read_bytes()))
    assert refused("train", "idx", *OUTPUTS).startswith("idx")
    assert [entry.name for entry in folder.iterdir()] == ["idx"]


# ---------------------------------------------------------------- names and options


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["train", "irsi"], "there is no file and no bundled data set 'irsi'; did you mean 'iris'"),
        (["train", "moons(0)"], "n must be a whole number from 2"),
        (["train", "moons(5, nois=1)"], "nois"),
        (["train", "rows.csv"], "rows.csv: cannot be read: no such file"),
        (["train", "T1", "--hidden", "3"], "leave out --hidden"),
        (["train", "xor", "--target", "y"], "apply to table files"),
        (["train", "xor", "--activation", "tahn"], "unknown activation 'tahn'; did you mean 'tanh'"),
        (["train", "xor", "--output", "sigmod"], "unknown activation 'sigmod'; did you mean 'sigmoid'"),
        (["train", "xor", "--loss", "cross_entrop"], "unknown loss 'cross_entrop'; did you mean"),
        (["train", "xor", "--optimizer", "addam"], "unknown optimizer 'addam'; did you mean 'adam'"),
        (["train", "xor", "--schedule", "cosin"], "unknown schedule 'cosin'; did you mean 'cosine'"),
        (["train", "xor", "--initializer", "nromal"], "unknown initializer 'nromal'; did you mean 'normal'"),
        (["train", "xor", "--engine", "refrence"], "unknown engine 'refrence'; did you mean 'reference'"),
        (["train", "xor", "--optimizer", "sgd(0.1)", "--learning-rate", "1"], "leave out --learning-rate"),
        (["train", "xor", "--optimizer", "lbfgs", "--clip-norm", "1"], "leave out --clip-norm"),
        (["train", "xor", "--optimizer", "lbfgs", "--dropout", "0.5"], "set dropout to 0"),
        (["train", "xor", "--learning-rate", "nan"], "must be a finite number > 0, got nan"),
        (["train", "xor", "--learning-rate", "-1"], "must be a number > 0, got -1.0"),
        (["train", "xor", "--dropout", "1"], "dropout must be"),
        (["train", "xor", "--l2", "-1"], "l2 must be a number ≥ 0"),
        (["train", "xor", "--clip-norm", "0"], "clip_norm must be a number > 0"),
        (["train", "xor", "--test-size", "1"], "test must be a share of the rows"),
        (["train", "xor", "--test-size", "nan"], "test must be a finite number"),
        (["train", "xor", "--validation", "-0.1"], "validation must be a share of the rows"),
        (["train", "iris", "--optimizer", "sgd", "--learning-rate", "1e300"], "training diverged in epoch 1"),
        (["train", "xor", "--hidden", "1000000000000"], "do not fit into memory"),
        (["data", "show", "irsi"], "there is no file and no bundled data set 'irsi'; did you mean 'iris'"),
        (["data", "show", "rows.csv"], "rows.csv: cannot be read: no such file"),
        (["predict", "m", "rows.csv"], "cannot read m: No such file"),
        (["evaluate", "m", "iris"], "cannot read m: No such file"),
        (["inspect", "m"], "cannot read m: No such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_values_are_refused_in_one_line(arguments, reason, folder):
    outputs = OUTPUTS if arguments[0] == "train" and arguments[1] != "T1" else []
    assert reason in refused(*arguments, *outputs)
    assert not list(folder.iterdir())


def test_a_name_of_two_lines_is_refused_in_one():
    assert refused("train", "two\nlines.csv").endswith("lines.csv: cannot be read: no such file")
    assert refused("inspect", "two\nlines").startswith("cannot read two lines")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["trian", "iris"], "Did you mean 'train'"),
        (["train", "iris", "--epocs", "3"], "--epochs"),
        (["train", "iris", "--epochs", "0"], "Invalid value for '--epochs'"),
        (["train", "iris", "--epochs", "many"], "Invalid value for '--epochs'"),
        (["train", "iris", "--batch-size", "-1"], "Invalid value for '--batch-size'"),
        (["train", "iris", "--seed", "-1"], "Invalid value for '--seed'"),
        (["train", "iris", "--hidden", "3,"], "expected numbers of neurons such as 20,20"),
        (["train", "iris", "--hidden", "3,0"], "a layer has at least one neuron"),
        (["train", "iris", "--hidden", "-3"], "a layer has at least one neuron"),
        (["train", "iris", "--scale", "max"], "Invalid value for '--scale'"),
        (["train"], "Missing argument 'SOURCE'"),
        (["predict", "m"], "Missing argument 'ROWS'"),
        (["data", "shwo", "iris"], "Did you mean 'show'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_usage_is_answered_with_the_right_one(arguments, reason):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("deltarule: ")
    assert result.stderr.count("\n") == 1
    assert reason in result.stderr
    assert "--help" in result.stderr


# ---------------------------------------------------------------- files to write


@pytest.mark.parametrize("option", ["--save", "--plot", "--history", "--checkpoint"])
@pytest.mark.parametrize(
    ("place", "reason"), [("missing/m.png", "there is no folder missing"), ("taken.png", "it is a folder")]
)
def test_a_file_that_could_not_be_written_is_refused_before_training(option, place, reason, folder):
    (folder / "taken.png").mkdir()
    line = refused("train", "xor", option, place)  # refused() sees that no progress was printed
    assert line == f"cannot write {place}: {reason}"
    assert [entry.name for entry in folder.iterdir()] == ["taken.png"]


@pytest.mark.parametrize("name", ["p.foo", "p.png.txt"])
def test_a_picture_of_an_unknown_format_is_refused_before_training(name, folder):
    pytest.importorskip("matplotlib")
    assert "unknown format" in refused("train", "xor", "--plot", name, "--save", "m")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_model(call, folder, monkeypatch):
    run("train", "xor", "--epochs", 2, "--quiet", "--save", "m")
    before = (folder / "m").read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    assert "No space left on device" in refused("train", "xor", "--epochs", 3, "--quiet", "--save", "m")
    assert (folder / "m").read_bytes() == before
    assert [entry.name for entry in folder.iterdir()] == ["m"]


def test_lack_of_memory_is_said_in_one_line(folder, monkeypatch):
    from deltarule.experiments import fitting

    def no_room(*_, **__):
        raise MemoryError

    monkeypatch.setattr(fitting, "train", no_room)
    assert "out of memory" in refused("train", "xor", "--save", "m")
    assert not list(folder.iterdir())


# ---------------------------------------------------------------- models


def damaged(folder, kind):
    run("train", "xor", "--epochs", 1, "--quiet", "--save", "m")
    path = folder / "m"
    data = bytearray(path.read_bytes())
    if kind == "cut":
        path.write_bytes(data[:-1])
    elif kind == "flipped":
        data[-3] ^= 4
        path.write_bytes(data)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("x1,x2,y\n0,0,0\n")
    elif kind == "pickle":
        path.write_bytes(
            b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93"
        )
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "fifo":
        path.unlink()
        os.mkfifo(path)
    elif kind == "link":
        path.rename(folder / "other")
        path.symlink_to(folder / "other")


@pytest.mark.parametrize("kind", ["cut", "flipped", "empty", "text", "pickle", "folder", "fifo", "link"])
def test_what_is_no_whole_model_is_refused_by_every_sub_command(kind, folder):
    damaged(folder, kind)
    (folder / "rows.csv").write_text("x1,x2,y\n0,0,0\n")
    for arguments in (
        ["predict", "m", "rows.csv"],
        ["evaluate", "m", "rows.csv"],
        ["inspect", "m"],
        ["train", "xor", "--resume", "m"],
    ):
        line = refused(*arguments)
        assert "m" in line.split()[:4]


def test_a_network_without_an_encoding_cannot_take_raw_rows(folder):
    Network([2, 1]).save("m")
    (folder / "rows.csv").write_text("x1,x2\n0,0\n")
    assert "has no encoding" in refused("predict", "m", "rows.csv")
    assert "has no encoding" in refused("evaluate", "m", "xor")
    assert "has no encoding" in refused("inspect", "m", "rows.csv")


def test_a_model_is_not_resumed_and_a_checkpoint_not_with_other_data(folder):
    run("train", "xor", "--epochs", 2, "--quiet", "--save", "m", "--checkpoint", "c")
    assert "without training state" in refused("train", "xor", "--resume", "m")


def test_resuming_with_options_that_describe_another_network_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("train", "xor", "--epochs", 4, "--quiet", "--checkpoint", "c")
    message = refused("train", "xor", "--epochs", 9, "--quiet", "--resume", "c", "--hidden", 5)
    assert "c holds Network(2 → 32 relu → 32 relu → 1 sigmoid" in message
    assert "Network(2 → 5 relu → 1 sigmoid" in message
    assert "trained on other samples" in refused("train", "and", "--resume", "c")


@pytest.mark.parametrize(("place", "n_lines"), [("0", 1), ("3", 0)])
def test_one_of_the_processes_of_mpiexec_tells_of_a_wrong_option(place, n_lines, monkeypatch):
    monkeypatch.setenv("PMI_RANK", place)
    result = invoke("train", "iris", "--epoch-count", 3)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == n_lines
