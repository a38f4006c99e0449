"""The page as files: checked parts, one file, nothing that is fetched from elsewhere."""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from deltarule.cli import cli
from deltarule.errors import DataFileError, InputError
from deltarule.playground import build_site, one_file, site
from deltarule.playground.server import page_files
from deltarule.playground.site import package_archive

RUNTIME = os.environ.get("DELTARULE_PYODIDE", "")
needs_runtime = pytest.mark.skipif(not RUNTIME, reason="DELTARULE_PYODIDE names no folder with Pyodide")


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """A folder whose files are taken for the runtime."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    numpy = {"file_name": "numpy.whl", "sha256": hashlib.sha256(b"numpy").hexdigest()}
    contents = {name: name.encode() for name in site._RUNTIME} | {"numpy.whl": b"numpy"}
    contents["pyodide-lock.json"] = f'{{"packages": {{"numpy": {numpy}}}}}'.replace("'", '"').encode()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    sums = {name: hashlib.sha256(contents[name]).hexdigest() for name in site._RUNTIME}
    monkeypatch.setattr(site, "_RUNTIME", sums)
    return folder


def test_the_files_are_written_and_nothing_named_zip(pretended, tmp_path):
    files = build_site(tmp_path / "out", pretended)
    names = {path.relative_to(tmp_path / "out").as_posix() for path in files}
    assert {"index.html", "main.js", "site.json", "pyodide/numpy.whl", "pyodide/python_stdlib.bin"} <= names
    assert not [name for name in names if name.endswith(".zip")]
    assert all(path.is_file() for path in files)
    assert (tmp_path / "out" / "pyodide" / "python_stdlib.bin").read_bytes() == b"python_stdlib.zip"


def test_a_part_that_is_not_the_one_it_should_be_is_refused(pretended, tmp_path):
    (pretended / "numpy.whl").write_bytes(b"other")
    with pytest.raises(DataFileError, match="SHA-256 is different"):
        build_site(tmp_path / "out", pretended)
    (pretended / "numpy.whl").unlink()
    with pytest.raises(InputError, match="is missing"):
        one_file(tmp_path / "play.html", pretended)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "play.html").exists()
    refused = CliRunner().invoke(cli, ["play", "--build", str(tmp_path / "out"), "--from", str(tmp_path)])
    assert refused.exit_code == 2
    assert "pyodide.js is missing" in refused.stderr


def test_one_file_holds_everything(pretended, tmp_path):
    one_file(tmp_path / "play.html", pretended)
    text = (tmp_path / "play.html").read_text(encoding="utf-8")
    assert not re.search(r'<(script|link|img)[^>]*\s(src|href)="(?!data:|#)', text)
    assert 'data-file="texts.json"' in text
    assert 'data-file="pyodide/numpy.whl"' in text
    assert not re.search(r"^(import|export) ", text, re.M)


def test_nothing_on_the_page_comes_from_elsewhere():
    for name, content in page_files().items():
        if not name.endswith(".woff2"):
            found = re.findall(r"https?://[\w.]+", content.decode())
            assert set(found) <= {"http://www.w3.org"}, name


def test_the_page_is_small():
    assert sum(map(len, page_files().values())) <= 300_000 + len(page_files()["stix-two-math.woff2"])


def test_the_package_goes_along_without_the_page():
    first, again = package_archive("deltarule"), package_archive("deltarule")
    assert first == again
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert {"deltarule/nn/network.py", "deltarule/data/assets/iris.csv"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or "playground/page" in name]


@pytest.mark.slow
@needs_runtime
def test_the_real_runtime_is_the_one_that_is_checked(tmp_path):
    files = build_site(tmp_path, RUNTIME)
    assert sum(Path(path).stat().st_size for path in files) < 25_000_000
