"""Folders drawn as trees: one that was found, beside those that are wanted."""

from __future__ import annotations

from itertools import zip_longest

from deltarule.data.pictures.tree import PictureFolder

WANTED_FOLDERS = """\
animals/           or: animals/
├── cat/               ├── train/
│   ├── 1.png          │   ├── cat/ …
│   └── 2.png          │   └── dog/ …
└── dog/               ├── val/ …
    ├── 3.png          └── test/ …
    └── 4.png"""


def draw(folder: PictureFolder, most: int = 6, depth: int = 3) -> str:
    """Draw a folder as a tree, with few of its entries.

    Examples
    --------
    >>> print(draw(PictureFolder(None, "animals", (), (), (), ())))
    animals/
    """
    return "\n".join([f"{_plain(folder.name)}/", *_branches(folder, most, depth)])


def beside(wanted: str, found: str) -> str:
    """Put two drawings beside each other.

    Examples
    --------
    >>> print(beside("a/", "b/").replace(" ", "."))
    ..wanted....found
    ..a/........b/
    """
    left, right = ["wanted", *wanted.split("\n")], ["found", *found.split("\n")]
    width = max(map(len, left)) + 4
    rows = zip_longest(left, right, fillvalue="")
    return "\n".join(f"  {one:{width}}{other}".rstrip() for one, other in rows)


def _branches(folder: PictureFolder, most: int, depth: int) -> list[str]:
    names: list[tuple[str, PictureFolder | None]] = [(f"{one.name}/", one) for one in folder.folders]
    names += [(entry.name, None) for entry in (*folder.pictures, *folder.strays)]
    kept = names if len(names) <= most else names[: most - 1]
    if len(names) > len(kept):
        kept = [*kept, (f"… and {len(names) - len(kept)} more", None)]
    lines = []
    for place, (name, inner) in enumerate(kept):
        last = place == len(kept) - 1
        lines.append(("└── " if last else "├── ") + _plain(name))
        if inner is not None and depth > 1:
            lines += [("    " if last else "│   ") + line for line in _branches(inner, 3, depth - 1)]
    return lines


def _plain(name: str) -> str:
    """A name in one line, without what would steer a terminal."""
    return name if name.isprintable() else repr(name)[1:-1]
