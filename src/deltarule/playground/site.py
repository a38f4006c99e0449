"""The playground as files for any web server, or as one file for a stick: Python runs in the page itself.

Pyodide and NumPy come from a folder, or are fetched once from their official places, checked by SHA-256, and
kept. The finished page asks nobody for anything.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import deltarule
from deltarule.documents.asset_files import asset
from deltarule.errors import DataFileError, InputError
from deltarule.files import check_writable, write_atomically
from deltarule.playground.server import page_files
from deltarule.registry import import_extra

PYODIDE = "0.27.7"
_SOURCE = f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE}/full/"
#: What the page runs, with the SHA-256 of each file; that of NumPy's wheel stands in the list.
_RUNTIME = {
    "pyodide.js": "b4cb23a53aba19c221659b9fb40a2f18281d685691dc06647fb0afd0681baf98",
    "pyodide.asm.js": "6b4c90de5b7172873f04f21884d0e9d2274e305fe32116558fe3e4fbe3618d51",
    "pyodide.asm.wasm": "a50dd1843f805a0b7c45b61037ee0d7b26dfe85efe0e18ef95a34ad24e401f5f",
    "python_stdlib.zip": "16611534726e5d8ac2bd8f926410b2dcb8d6f49aa24913463533b457a2115c16",
    "pyodide-lock.json": "9c45b916001a750f4102fc287494f3eab215909c7535c626a20db80fd6333e2c",
}
#: Some servers refuse files that end in .zip.
_RENAMED = {"python_stdlib.zip": "python_stdlib.bin"}
_IMPORT = re.compile(r"^import\s[^;]*?from\s+\"\./[^\"]+\";\n", re.M)


def build_site(folder: str | Path, runtime: str | Path | None = None) -> list[Path]:
    """Write the playground as files that any web server can serve.

    Parameters
    ----------
    folder : path
        The folder is made if it does not exist; files with the same names are replaced.
    runtime : path, optional
        A folder with Pyodide's files and NumPy's wheel; by default they are downloaded once and kept.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError, DataFileError
        If a file of the runtime is missing or is not the right one.
    """
    target = Path(folder)
    files = site_files(runtime)
    target.mkdir(parents=True, exist_ok=True)
    (target / "pyodide").mkdir(exist_ok=True)
    for name, content in files.items():
        write_atomically(target / name, content)
    return [target / name for name in files]


def one_file(path: str | Path, runtime: str | Path | None = None) -> None:
    """Write the playground as one HTML file, which also works offline, from a USB stick.

    Raises
    ------
    InputError, DataFileError
        As in :func:`build_site`.
    """
    check_writable(path)
    write_atomically(path, _joined(site_files(runtime)).encode())


def site_files(runtime: str | Path | None = None) -> dict[str, bytes]:
    """Return all files of the static site, by name."""
    found = _runtime_files(runtime)
    page = {name: content for name, content in page_files().items() if name != "site.json"}
    wheel = f"deltarule-{deltarule.__version__}-py3-none-any.whl"
    parts = {f"pyodide/{_RENAMED.get(name, name)}": content for name, content in found.items()}
    parts[f"pyodide/{wheel}"] = package_archive("deltarule")
    if find_spec("xlsxwriter") is not None:  # Python alone, and all that workbooks need
        parts["pyodide/xlsxwriter-py3-none-any.whl"] = package_archive("xlsxwriter")
    site = {
        "worker": "worker.js",
        "pyodide": [f"pyodide/{_RENAMED.get(name, name)}" for name in _RUNTIME],
        "renamed": _RENAMED,
        "wheels": [name for name in parts if name.endswith(".whl")],
    }
    return {**page, **parts, "site.json": json.dumps(site, indent=1).encode()}


def package_archive(name: str) -> bytes:
    """Return a package as a zip of its files, the same bytes each time."""
    root = Path(str(resources.files(name)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root.parent)
            is_page = inside.parts[1:3] == ("playground", "page")
            if path.is_file() and "__pycache__" not in inside.parts and not is_page:
                archive.writestr(zipfile.ZipInfo(inside.as_posix()), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _runtime_files(folder: str | Path | None) -> dict[str, bytes]:
    """Read, or fetch, the runtime and NumPy; each file is checked."""
    found = {name: _checked(name, sha, folder) for name, sha in _RUNTIME.items()}
    numpy = json.loads(found["pyodide-lock.json"])["packages"]["numpy"]
    return found | {numpy["file_name"]: _checked(numpy["file_name"], numpy["sha256"], folder)}


def _checked(name: str, sha256: str, folder: str | Path | None) -> bytes:
    if folder is None:
        pooch = import_extra("pooch", "data")
        try:
            path = Path(pooch.retrieve(_SOURCE + name, f"sha256:{sha256}", fname=f"pyodide-{PYODIDE}-{name}"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{_SOURCE}{name} cannot be fetched ({type(error).__name__}): name a folder by --from"
            ) from None
    else:
        path = Path(folder, name)
    try:
        content = path.read_bytes()
    except OSError:
        raise InputError(
            f"{path} is missing: the folder must contain the files of Pyodide {PYODIDE} (npm has them "
            f"as package pyodide@{PYODIDE}) and the NumPy wheel that its list names"
        ) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataFileError(path, f"is not the {name} of Pyodide {PYODIDE}: its SHA-256 is different")
    return content


# ------------------------------------------------------------------ one file


def _joined(files: Mapping[str, bytes]) -> str:
    """The page with its style, its modules and all other files inside; the largest files come last."""
    page = files["index.html"].decode()
    font = b64encode(asset("stix-two-math.woff2")).decode()
    css = files["style.css"].decode().replace("stix-two-math.woff2", f"data:font/woff2;base64,{font}")
    page = re.sub(r'<link rel="stylesheet" href="style.css"\s*/?>', lambda _: f"<style>{css}</style>", page)
    page = _PRELOADS.sub("", _POLICY.sub("", page))
    modules = "\n".join(_without_imports(files, name) for name in _in_order(files))
    script = f'<script type="module" async>\n{modules}\n</script>'  # it runs before the large files are read
    page = re.sub(r'<script type="module" src="main.js"></script>\n?', "", page)
    inside = {
        name: f'<script type="text/plain" data-file="{name}">{b64encode(content).decode()}</script>'
        for name, content in files.items()
        if not name.endswith((".html", ".css", ".woff2"))
        and (name == "worker.js" or not name.endswith(".js") or "/" in name)
    }
    small = [text for name, text in inside.items() if "/" not in name]
    large = [text for name, text in inside.items() if "/" in name]
    return page.replace("</body>", "\n".join([*small, script, *large, "</body>"]))


#: A policy that allows files of the server only; in one file there is none.
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')

#: What is fetched early: in one file nothing is fetched.
_PRELOADS = re.compile(r'<link rel="(?:module)?preload"[^>]*>\n')


def _in_order(files: Mapping[str, bytes]) -> Iterator[str]:
    """The page's modules, each after those that it imports."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done:
            return
        done.add(name)
        for inner in re.findall(r"^import\s[^;]*?from\s+\"\./([^\"]+)\";", files[name].decode(), re.M):
            yield from visit(inner)
        yield name

    yield from visit("main.js")


def _without_imports(files: Mapping[str, bytes], name: str) -> str:
    text = _IMPORT.sub("", files[name].decode())
    text = re.sub(r"^export (?=function|class|const|async|let)", "", text, flags=re.M)
    return text.replace("</script", "<\\/script")
