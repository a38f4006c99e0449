"""A session as a short text, for behind the # of an address, and back."""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from deltarule.errors import InputError
from deltarule.playground.played_run import PlayedRun

#: A longer text is no link that programs pass on whole, and no longer one is read.
MOST_CHARACTERS, MOST_UNPACKED = 60_000, 4 << 20


def link_of(run: PlayedRun) -> str:
    """Return the text that restores data, settings and place of a session.

    A run without branches is made again from its seed; of one with branches the parameters are in the text.

    Raises InputError if the data are too large for a link.
    """
    content: dict[str, Any] = {
        "source": run.source,
        "settings": run.configuration.to_dict(),
        "view": {name: run.view[name] for name in ("axes", "digits", "units")}
        | {"row": None if run.view["row"] == "own" else run.view["row"]},
    }
    if run.branch.parent is None:
        content["update"] = run.moment.update
    else:
        content |= {"parameters": run.moment.parameters.tolist(), "slots": run.moment.slots.tolist()}
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)
    text = urlsafe_b64encode(packed).decode().rstrip("=")
    if len(text) > MOST_CHARACTERS:
        raise InputError("these data are too large for a link: save the model, and keep the table with it")
    return text


def unpacked(text: Any) -> Mapping[str, Any]:
    """Return what :func:`link_of` packed; InputError if the text is no link of ours."""
    try:
        if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
            raise ValueError
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(urlsafe_b64decode(text + "=" * (-len(text) % 4)), MOST_UNPACKED)
        content = json.loads(plain)
        source = content["source"] if isinstance(content, dict) else None
        if not isinstance(source, dict) or "link" in source:
            raise ValueError
    except (ValueError, KeyError, zlib.error, RecursionError):
        raise InputError("this link cannot be read: it is cut off, or was made by something else") from None
    return content
