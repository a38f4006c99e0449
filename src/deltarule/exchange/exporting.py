"""A network as a file that other programs run: ONNX, or source code of four languages."""

from __future__ import annotations

import os
from typing import Any

from deltarule.arrays import check_finite
from deltarule.errors import InputError
from deltarule.exchange.portable_network import portable_network
from deltarule.exchange.source import Source
from deltarule.exchange.to_c import CSource
from deltarule.exchange.to_javascript import JavaScriptSource
from deltarule.exchange.to_onnx import onnx_bytes
from deltarule.exchange.to_python import NumpySource, PythonSource
from deltarule.files import check_writable, format_of, write_atomically
from deltarule.nn.network import Network
from deltarule.registry import did_you_mean

#: The formats by name, each with the endings of file names that mean it.
FORMATS: dict[str, tuple[str, ...]] = {
    "onnx": (".onnx",),
    "numpy": (".py",),
    "python": (),
    "c": (".c",),
    "javascript": (".js", ".mjs"),
}

_SOURCES: dict[str, type[Source]] = {
    "numpy": NumpySource,
    "python": PythonSource,
    "c": CSource,
    "javascript": JavaScriptSource,
}


def export(
    model: Any, path: str | os.PathLike[str], format: str | None = None, *, dtype: str | None = None
) -> None:
    """Write a network as one file that computes the same outputs without deltarule, atomically.

    A source file contains the weights, the formulas beside the code, the scaling and the labels, and test
    cases, which it checks when it is run without arguments. For a network that was trained on a table, it
    takes rows as the table has them: texts, yes and no, dates, formatted numbers and missing cells, all read
    as the model itself reads them.

    Parameters
    ----------
    model : Network, or anything with a method to_network
    path : path
    format : "onnx", "numpy", "python", "c" or "javascript", optional
        By default the ending of the path decides; ``.py`` means NumPy.
    dtype : {"float32", "float64"}, optional
        The type of the numbers that the file takes, computes with and gives; by default the network's own.
        ONNX runtimes refuse numbers of any other type.

    Raises
    ------
    InputError
        If the format is unknown, a parameter is not finite, an activation of your own has no formula from
        which code could be written, or the path cannot be written.
    MissingExtraError
        If the format is ONNX and the package is not installed.
    OSError
        If writing fails; the old file is still there.

    Examples
    --------
    >>> import tempfile
    >>> net = Network([2, 2, 1], output="sigmoid")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export(net, f"{folder}/net.c")
    """
    chosen = export_format(path, format)
    check_writable(path)
    write_atomically(path, exported(model, chosen, dtype))


def exported(model: Any, format: str, dtype: str | None = None) -> bytes:
    """Return what :func:`export` writes, as bytes.

    Examples
    --------
    >>> print(exported(Network([2, 1], initializer="zeros"), "python").decode().splitlines()[0])
    \"\"\"Network(2 → 1 identity, 3 parameters), half_squared_error.
    """
    net = model.to_network() if hasattr(model, "to_network") else model
    if not isinstance(net, Network):
        raise InputError(f"expected a network to export, or a fitted estimator, got {type(model).__name__}")
    if dtype not in (None, "float32", "float64"):
        raise InputError(f"unknown dtype {str(dtype)[:60]!r}: choose float32 or float64")
    net = net if dtype is None else net.copy(dtype)
    check_finite(net.parameters, "parameters")
    network, title = portable_network(net), f"{net!r}, {net.loss.name}"
    if format != "onnx":
        return _SOURCES[format](network, title).whole().encode()
    try:
        description = net.description()
    except InputError:  # something is a user's own, which no import could get back
        description = None
    return onnx_bytes(network, title, description)


def export_format(path: str | os.PathLike[str], format: str | None = None) -> str:
    """Return the format that is named, or that the ending of a path means.

    Examples
    --------
    >>> export_format("net.mjs"), export_format("net.py"), export_format("net.py", "python")
    ('javascript', 'numpy', 'python')
    """
    if format is not None:
        if format not in FORMATS:
            raise InputError(f"unknown format {str(format)[:60]!r}{did_you_mean(str(format), FORMATS)}")
        return format
    meant = format_of(path, FORMATS)
    if meant is not None:
        return meant
    known = ", ".join(ending for endings in FORMATS.values() for ending in endings)
    raise InputError(
        f"{os.fspath(path)} does not end in {known}: rename it, or name a format: {', '.join(FORMATS)}"
    )
