"""Model files: named arrays and a description, in one safetensors file that is whole or refused.

The description is JSON inside the file's metadata; a SHA-256 over description and arrays stands beside it,
and reading checks that writing the content again gives the same bytes. So one flipped bit anywhere is seen.
Nothing in a file is ever executed.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import ModelFileError
from deltarule.files import write_atomically
from deltarule.nn.tensor_files import pack, unpack

#: The version of the file format. Older ones stay readable, newer ones are refused.
FORMAT = 1


def write_model(path: str | os.PathLike[str], description: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Write ``arrays`` and ``description`` (JSON-able) to ``path``, atomically.

    Raises InputError or OSError if the file cannot be written; what was there before still is.
    """
    write_atomically(path, _to_bytes({"format": FORMAT, **description}, arrays))


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """The description and the arrays of a file that :func:`write_model` wrote.

    Raises ModelFileError if it is anything else, or damaged.
    """
    data = _read_regular_file(path)
    try:
        import json

        arrays, metadata = unpack(data)
        content = json.loads(metadata["deltarule"])
        description = json.loads(content["description"])
        if not isinstance(description, dict):
            raise ValueError("its description is not an object")
        if content["sha256"] != _digest(content["description"], arrays):
            raise ValueError("its checksum does not match its content")
        if _to_bytes(description, arrays) != data:
            raise ValueError("its header was changed")
    except Exception as error:
        raise ModelFileError(f"{path} is not a complete deltarule model file: {error}") from None
    version = description.get("format")
    if version != FORMAT:
        raise ModelFileError(
            f"{path} has format {version!r}; this version of deltarule reads format {FORMAT}"
        )
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFileError(f"{path}: {name} holds numbers that are not finite")
    return description, arrays


def _to_bytes(description: dict[str, Any], arrays: dict[str, Array]) -> bytes:
    import json

    text = json.dumps(description, sort_keys=True, ensure_ascii=True, allow_nan=False)
    content = {"description": text, "sha256": _digest(text, arrays)}
    return pack(arrays, {"deltarule": json.dumps(content, sort_keys=True)})


def _digest(text: str, arrays: dict[str, Array]) -> str:
    from hashlib import sha256

    digest = sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _read_regular_file(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file; never waits on a pipe, never follows a link."""
    if "\0" in str(path):
        raise ModelFileError(f"cannot read {path}: a file name cannot contain a null byte")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ModelFileError(f"{path} is a symbolic link; name the file it points to") from None
        raise ModelFileError(f"cannot read {path}: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ModelFileError(f"{path} is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        try:
            start = file.read(8)
            if int.from_bytes(start, "little") > status.st_size - 8:  # before a huge foreign file is read
                raise ModelFileError(f"{path} is not a complete deltarule model file: its header is damaged")
            return start + file.read()
        except (OSError, MemoryError) as error:
            raise ModelFileError(f"cannot read {path}: {error}") from None
