"""MNIST: found, downloaded from the first mirror that works, never kept when wrong."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import logging
import os
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from deltarule.data import load, load_mnist, mnist
from deltarule.errors import DataFileError, InputError

pooch = pytest.importorskip("pooch")

NAME = "t10k-labels-idx1-ubyte"
SOUND = gzip.compress(b"the right file" * 1000, mtime=0)


class Mirror(http.server.ThreadingHTTPServer):
    """A local web server that answers as it is told."""

    body: bytes = SOUND
    status: int = 200
    stated: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Answer(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(self.server.stated or len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mirror, Mirror]]:
    monkeypatch.setitem(mnist.CHECKSUMS, NAME, hashlib.sha256(SOUND).hexdigest())
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    pooch.get_logger().setLevel(logging.ERROR)
    servers = (Mirror(), Mirror())
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers]
    for thread in threads:
        thread.start()
    monkeypatch.setattr(mnist, "MIRRORS", tuple(server.url for server in servers))
    yield servers
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_file_is_downloaded_once_its_checksum_is_right(
    mirrors: tuple[Mirror, Mirror], tmp_path: Path
) -> None:
    path = mnist.fetch(NAME, tmp_path)
    assert path == tmp_path / f"{NAME}.gz"
    assert path.read_bytes() == SOUND
    assert mirrors[0].asked == [f"/{NAME}.gz"]
    assert mirrors[1].asked == []


@pytest.mark.parametrize("fault", ["gone", "wrong", "short", "dead", "empty"])
def test_the_second_mirror_helps_when_the_first_fails(
    mirrors: tuple[Mirror, Mirror], tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_mirror(mirrors[0], fault, monkeypatch)
    assert mnist.fetch(NAME, tmp_path).read_bytes() == SOUND
    assert mirrors[1].asked == [f"/{NAME}.gz"]
    assert os.listdir(tmp_path) == [f"{NAME}.gz"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("gone", "404"),
        ("wrong", "checksum"),
        ("short", "IncompleteRead"),
        ("dead", "127.0.0.1"),
        ("empty", "checksum"),
    ],
)
def test_nothing_is_kept_when_all_mirrors_fail(
    mirrors: tuple[Mirror, Mirror], tmp_path: Path, fault: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mirror in mirrors:
        break_mirror(mirror, fault, monkeypatch)
    with pytest.raises(DataFileError, match=reason) as caught:
        mnist.fetch(NAME, tmp_path)
    assert os.listdir(tmp_path) == []
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("http://127.0.0.1") >= 2
    assert "cannot be downloaded" in caught.value.reason


def break_mirror(mirror: Mirror, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if fault == "gone":
        mirror.status = 404
    elif fault == "wrong":
        mirror.body = SOUND[:-1] + b"?"
    elif fault == "short":
        mirror.body, mirror.stated = SOUND[:-7], len(SOUND)
    elif fault == "empty":
        mirror.body = b""
    else:  # nobody listens on the port of a closed socket
        nobody = Mirror()
        nobody.server_close()
        monkeypatch.setattr(
            mnist, "MIRRORS", tuple(nobody.url if url == mirror.url else url for url in mnist.MIRRORS)
        )


def test_a_full_disk_leaves_nothing_behind(
    mirrors: tuple[Mirror, Mirror], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, url: str, output_file: str, *_: object, **__: object) -> None:
        Path(output_file).write_bytes(SOUND[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    with pytest.raises(DataFileError, match="No space left on device"):
        mnist.fetch(NAME, tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", ["file in the way", "read-only"])
def test_a_folder_that_takes_no_files_is_an_error(
    mirrors: tuple[Mirror, Mirror], tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "mnist"
    if kind == "file in the way":
        folder.write_text("x")
    elif os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    else:
        folder.mkdir(mode=0o500)
    with pytest.raises(DataFileError, match="cannot be downloaded"):
        mnist.fetch(NAME, folder)


def test_downloads_at_once_leave_one_good_file(mirrors: tuple[Mirror, Mirror], tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: mnist.fetch(NAME, tmp_path), range(8)))
    assert {path.read_bytes() for path in paths} == {SOUND}
    assert os.listdir(tmp_path) == [f"{NAME}.gz"]


def test_no_home_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DELTARULE_DATA_HOME", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: Path("~/.cache") / project)
    with pytest.raises(InputError, match="set DELTARULE_DATA_HOME"):
        load("mnist")


def test_the_cache_folder_is_used_without_a_data_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DELTARULE_DATA_HOME", raising=False)
    assert mnist.data_home() == Path(pooch.os_cache("deltarule"))


def test_a_file_in_the_data_home_is_checked_by_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELTARULE_DATA_HOME", str(tmp_path))
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">HBB3I", 0, 8, 3, 2, 1, 1) + b"ab")
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">HBBI", 0, 8, 1, 2) + b"\0\1")
    with pytest.raises(DataFileError, match="expected 60,000 and 10,000 images"):
        load_mnist()
    (folder / "train-labels-idx1-ubyte").write_bytes(b"<html>404</html>")
    with pytest.raises(DataFileError, match="train-labels-idx1-ubyte: expected the magic number"):
        load_mnist()


def test_only_missing_files_are_fetched_into_the_data_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELTARULE_DATA_HOME", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(b"")
    wanted: list[str] = []
    monkeypatch.setattr(mnist, "fetch", lambda name, folder: wanted.append(name))
    with pytest.raises(DataFileError):
        load_mnist()
    assert wanted == ["train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


@pytest.mark.skipif("DELTARULE_DATA_HOME" not in os.environ, reason="DELTARULE_DATA_HOME is not set")
def test_mnist_is_the_published_one() -> None:
    dataset = load("mnist")
    assert dataset.test is not None
    assert dataset.inputs.shape == (60000, 28, 28)
    assert dataset.test.inputs.shape == (10000, 28, 28)
    assert dataset.inputs.dtype == np.uint8
    assert dataset.target[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(dataset.target).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert dataset.test.target[:5].tolist() == [7, 2, 1, 0, 4]
    assert dataset.classes == tuple(range(10))
