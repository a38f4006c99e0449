"""Which encoding a text is in: a byte order mark, UTF-8, or the likeliest of those that tables come in."""

from __future__ import annotations

import codecs
import os
import re

from deltarule.data.decisions import Decision, decide
from deltarule.errors import DataFileError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

#: Encodings of two bytes a character, and the characters that common text in them is made of.
_TWO_BYTES = {
    "gb18030": rb"[\xb0-\xd7][\xa1-\xfe]|\xa3[\xa1-\xfe]|\xa1[\xa1-\xbf]",
    "big5": rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]|\xa1[\x40-\x7e\xa1-\xbf]",
    "euc_kr": rb"[\xb0-\xc8][\xa1-\xfe]|\xa1[\xa1-\xbf]",
    "shift_jis": rb"[\x82\x83\x88-\x97][\x40-\x7e\x80-\xfc]|\x81[\x40-\x7e\x80-\x9f]|[\xa6-\xdf]",
    "euc_jp": rb"[\xa4\xa5][\xa1-\xf6]|[\xb0-\xcf][\xa1-\xfe]|\xa1[\xa1-\xbf]",
}
_SAMPLE = 1 << 18

#: UTF-8 in which some bytes are cp1252, as where two files were put together.
MIXED = "utf-8+cp1252"
_WESTERN = "äöüßéèêëàâáãåæçíìîïñóòôõøœúùûýÄÖÜÉÈÀÁÂÃÅÆÇÍÑÓÔÕØÚ"
_CENTRAL = (
    "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ",
    "áčďéěíňóřšťúůýžľĺŕôäÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ",
    "áéíóöőúüűÁÉÍÓÖŐÚÜŰ",
    "čćđšžČĆĐŠŽ",
)

#: Encodings of one byte a character, the likeliest first, and letters of languages written in them.
_ONE_BYTE = {
    "cp1252": (_WESTERN,),
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1254": ("âçğıîöşüÇĞİÖŞÜ",),
    "mac_roman": (_WESTERN,),
    "cp850": (_WESTERN,),
}
#: Signs of cp1252 that stand in tables, each where it belongs.
_SIGNS = r"[²³°ºª½¼¾](?![a-zß])|[€£µ§«»“”„–—…©®±·× ]|’(?=\w)"


def decode_text(
    path: str | os.PathLike[str], data: bytes, encoding: str | None
) -> tuple[str, list[Decision]]:
    """Decode the bytes of a text file, and say how where it is not UTF-8.

    Raises
    ------
    DataFileError
        If the encoding is unknown, the bytes are not in it, or are no text.
    """
    text, decisions = _decoded(path, data, encoding)
    sample = text[:_SAMPLE]
    strange = [found.start() for found in re.finditer(r"[\0-\x08\x0e-\x1f\x7f]", sample)]
    if len(strange) * 20 > len(sample):
        line = sample.count("\n", 0, strange[0]) + 1
        raise DataFileError(path, "this is not text: it contains control characters", line, 1)
    return text, decisions


def _decoded(path: str | os.PathLike[str], data: bytes, encoding: str | None) -> tuple[str, list[Decision]]:
    if encoding is not None:
        try:
            text = _mixed(data)[0] if encoding == MIXED else data.decode(encoding)
            return text.removeprefix("\ufeff"), []
        except LookupError:
            raise DataFileError(path, f"there is no encoding {encoding!r}") from None
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise DataFileError(
                path, f"the text is not {encoding} (byte {data[error.start]:#04x})", line
            ) from None
    for mark, name in _MARKS:
        if data.startswith(mark):
            decided = [] if name == "utf-8" else [decide("encoding", 1, 1, encoding=name, byte=data[0])]
            if name == "utf-8":
                data = data.removeprefix(mark)
                break
            return data[len(mark) :].decode(name, errors="replace"), decided
    try:
        if data[:_SAMPLE].count(0) * 3 > len(data[:_SAMPLE]):
            raise UnicodeDecodeError("utf-8", data, 0, 1, "two bytes per character")
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        mixed, n_good, n_bad = _mixed(data)
        name = MIXED if n_good > 2 * n_bad else _likely(data)
        before = re.split(rb"\r\n|\r|\n", data[: error.start])
        field = 1 + len(re.findall(rb"[,;\t|]", re.sub(rb'"[^"]*"', b"", before[-1])))
        decision = decide("encoding", len(before), field, encoding=name, byte=data[error.start])
        return mixed if name == MIXED else data.decode(name, errors="replace"), [decision]


def _mixed(data: bytes) -> tuple[str, int, int]:
    """Return UTF-8 text, its other bytes taken as cp1252; how many characters beyond ASCII are which."""
    text = data.decode("utf-8", errors="surrogateescape")
    n_beyond = sum(not char.isascii() for char in text)
    text, n_bad = re.subn(
        "[\udc80-\udcff]",
        lambda found: bytes([ord(found[0]) - 0xDC00]).decode("cp1252", errors="replace"),
        text,
    )
    return text, n_beyond - n_bad, n_bad


def _likely(data: bytes) -> str:
    """Return the encoding that makes the most of the bytes beyond ASCII."""
    if data[:_SAMPLE].count(0) * 3 > len(data[:_SAMPLE]):
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    runs = re.findall(rb"[\x80-\xff](?:[\x80-\xff]|[\x40-\x7e](?=[\x80-\xff]))*[\x40-\x7e]?", data[:_SAMPLE])
    inside = re.findall(rb"(?<=[a-z])[\x80-\xff][\x40-\x7e\x80-\xff]?(?=[a-z])", data[:_SAMPLE])
    alone = sum(len(re.findall(rb"[\x80-\xff]", run)) == 1 for run in runs)
    shares = {name: _share(data, runs, name, common) for name, common in _TWO_BYTES.items()}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] > 0.6 and alone * 2 <= len(runs) and len(inside) * 2 <= len(runs):
        return best
    return _one_byte(data)


def _share(data: bytes, runs: list[bytes], name: str, common: bytes) -> float:
    """Return how much of the text beyond ASCII is common in an encoding; 0 where it is not in it."""
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return 0.0
    high = re.compile(rb"[\x80-\xff]")
    total = sum(len(high.findall(run)) for run in runs)
    found = sum(len(high.findall(match)) for run in runs for match in re.findall(common, run))
    korean = name == "euc_kr" and all(0xB0 <= run[0] <= 0xC8 for run in runs if len(run) > 1)
    kana = name == "euc_jp" and all(run[0] in (0xA1, 0xA4, 0xA5) for run in runs)
    return found / max(total, 1) + 0.05 * (korean or kana) + 0.04 * (name == "gb18030")


def _one_byte(data: bytes) -> str:
    """Return the likeliest encoding of one byte a character: Western, unless words are of other letters."""
    high = re.findall(rb"[\x80-\xff]+", data[:_SAMPLE])
    long = sum(len(run) for run in high if len(run) > 2)
    if long * 2 > sum(map(len, high)):
        try:
            from charset_normalizer import from_bytes
        except ModuleNotFoundError:
            return "cp1251"
        best = from_bytes(data[:_SAMPLE]).best()
        if best is not None:
            return best.encoding
    scores = {name: _score(data[:_SAMPLE], name) for name in _ONE_BYTE}
    likely = max(scores, key=lambda name: scores[name])
    try:
        data.decode(likely)
    except UnicodeDecodeError:
        return "latin-1"
    return likely


def _score(data: bytes, name: str) -> int:
    """Return how many bytes beyond ASCII are, in an encoding, letters of one language that stand in words."""
    text = data.decode(name, errors="replace")
    signs = len(re.findall(_SIGNS, text)) if name == "cp1252" else 0
    found = []
    for letters in _ONE_BYTE[name]:
        small = "".join(letter for letter in letters if letter.islower())
        found.append(len(re.findall(rf"(?<=[a-z{small}])[{small}]|(?<![a-z{small}])[{letters}](?=\w)", text)))
    return signs + max(found)
