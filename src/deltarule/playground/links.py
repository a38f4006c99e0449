"""A session as a short text, for behind the # of an address, and back."""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.table import Table
from deltarule.errors import InputError
from deltarule.playground.problem import Problem

if TYPE_CHECKING:
    from deltarule.playground.session import Session

#: A longer text is no link that programs pass on whole, and no longer one is read.
MOST_CHARACTERS, MOST_UNPACKED = 60_000, 4 << 20


def link_of(session: Session) -> str:
    """Return the text that restores data, settings and place of a session, its first weights from the seed.

    Raises
    ------
    InputError
        If the data are too large for a link.
    """
    content = {
        "source": session.link_of_source,
        "settings": session.configuration.to_dict(),
        "update": session.moment.update,
        "edits": [branch.change for branch in session.branches if " = " in branch.change],
        "view": {name: session.view[name] for name in ("axes", "digits")},
    }
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)
    text = urlsafe_b64encode(packed).decode().rstrip("=")
    if len(text) > MOST_CHARACTERS:
        raise InputError("these data are too large for a link: save the model, and keep the table beside it")
    return text


def restore(session: Session, text: str) -> None:
    """Bring a session to where a link was made.

    Raises
    ------
    InputError
        If the text is no link of ours.
    """
    content = _unpacked(text)
    session.open({**content["source"]})
    session.start(session.problem, session.configuration.with_changes(content["settings"]))
    session.set_view(content.get("view", {}))
    left = content.get("update", 0)
    if not isinstance(left, int) or not 0 <= left <= 100_000:
        raise InputError("the link asks for more updates than a link may")
    if left:
        session.train({"unit": "updates", "count": left})


def _unpacked(text: Any) -> Mapping[str, Any]:
    try:
        if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
            raise ValueError
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(urlsafe_b64decode(text + "=" * (-len(text) % 4)), MOST_UNPACKED)
        content = json.loads(plain)
        if (
            not isinstance(content, dict)
            or not isinstance(content["source"], dict)
            or "link" in content["source"]
        ):
            raise ValueError
    except (ValueError, KeyError, zlib.error, RecursionError):
        raise InputError("this link cannot be read: it is cut off, or made by something else") from None
    return content


def source_of(problem: Problem) -> dict[str, Any]:
    """Return the points of a problem as ``open`` takes them."""
    table = problem.dataset.inputs
    assert isinstance(table, Table)
    places = problem.dataset.target
    if problem.dataset.classes is not None:
        places = np.array([problem.dataset.classes.index(label) for label in places.tolist()])
    return {"points": {"x": np.round(table.matrix(), 4).tolist(), "y": places.tolist()}}
