"""Named arrays as bytes in the safetensors format, the same bytes that the package of that name writes.

    8 bytes     length of the header, little-endian
    header      JSON: type, shape and place of each array, texts under ``__metadata__``; spaces to 8 bytes
    data        the arrays one after another, widest types first

The format is Hugging Face's (safetensors, 2022). It is written here so that models can also be saved where
there are no compiled packages, in a web page.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deltarule.arrays import Array

#: The types, in the order in which their arrays lie, each with NumPy's name.
_TYPES = {
    "U64": "<u8", "I64": "<i8", "F64": "<f8", "F32": "<f4", "U32": "<u4", "I32": "<i4", "F16": "<f2",
    "U16": "<u2", "I16": "<i2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _TYPES.items()}


def pack(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Return arrays and texts as the content of a file.

    Examples
    --------
    >>> arrays, texts = unpack(pack({"W": np.ones((2, 3))}, {"made": "by hand"}))
    >>> arrays["W"].shape, texts
    ((2, 3), {'made': 'by hand'})
    """
    import json

    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    order = sorted(whole, key=lambda name: (list(_NAMES).index(whole[name].dtype.str), name))
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    start = 0
    for name in order:
        array = whole[name]
        end = start + array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype.str],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(whole[name].tobytes() for name in order)])


def unpack(data: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """Return the arrays and the texts of a file's content.

    Raises ValueError, KeyError or TypeError if it is not such a content: the arrays must lie one after
    another and fill the file.
    """
    import json

    start = 8 + int.from_bytes(data[:8], "little")
    if len(data) < start:
        raise ValueError("its header is cut off")
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata are not texts")
    arrays, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, (first, last) = np.dtype(_TYPES[entry["dtype"]]), entry["data_offsets"]
        shape = tuple(entry["shape"])
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if first != end or last - first != count * dtype.itemsize or min((0, *shape)) < 0:
            raise ValueError(f"array {name!r} is not where it should be")
        arrays[name] = np.frombuffer(data, dtype, count, start + first).reshape(shape).copy()
        end = last
    if start + end != len(data):
        raise ValueError("it ends early, or continues after its arrays")
    return arrays, metadata
