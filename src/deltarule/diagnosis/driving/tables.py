"""Tables of pandas that stand for an argument: they ask for columns that they have not."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.layouts import ArgumentLayout
from deltarule.diagnosis.driving.plausible import TARGET
from deltarule.diagnosis.driving.wants import Path, Want
from deltarule.diagnosis.recording.made_tables import Frame


def learn_columns(known: dict[Path, tuple[str, Any]], path: Path, columns: tuple[Any, ...]) -> bool:
    """Let an argument be a table, also where a column of it is asked; False where nothing new is said."""
    if known.get(path[:-1], ("",))[0] == "keys":
        path = path[:-1]
    kind, before = known.get(path, ("", ()))
    if kind not in ("", "keys", "table") or (kind == "table" and set(columns) <= set(before)):
        return False
    known[path] = "table", tuple(dict.fromkeys([*before, *columns]))
    return True


def table_of(path: Path, columns: tuple[Any, ...], layout: ArgumentLayout) -> Any:
    """Return a table with columns that were asked for together, as inputs are, or one by one.

    Of those that were asked for alone, one is the class: that which is called so, or the last.
    """
    together = [name for one in columns if isinstance(one, tuple) for name in one]
    alone = [one for one in columns if isinstance(one, str) and one not in together]
    classes = next((one for one in alone if TARGET.match(one)), alone[-1] if alone else "class")
    inputs = [one for one in dict.fromkeys([*together, *alone]) if one != classes]
    rng = np.random.default_rng(layout.seed)
    made: dict[str, Any] = {
        name: rng.normal(size=layout.samples)
        for name in inputs or [f"column {k}" for k in range(layout.inputs)]
    }
    made[classes] = (np.arange(layout.samples) + layout.seed) % layout.outputs
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        return Frame(np.stack(list(made.values()), axis=1))
    return _asking(pandas, path)(made)


def _asking(pandas: Any, path: Path) -> Any:
    """The class of tables that ask, at a path, for what is taken of them and is not there."""

    def look(table: Any, key: Any, are_together: bool) -> None:
        wanted = [key] if isinstance(key, str) else key if isinstance(key, list) else []
        if any(isinstance(one, str) and one not in table.columns for one in wanted):
            raise Want(path, "table", (tuple(wanted),) if are_together else tuple(wanted))

    def taken(self: Any, key: Any) -> Any:
        look(self, key, isinstance(key, list))
        return pandas.DataFrame.__getitem__(self, key)

    def dropped(self: Any, labels: Any = None, *args: Any, columns: Any = None, **options: Any) -> Any:
        look(self, labels if columns is None else columns, False)
        return pandas.DataFrame.drop(self, labels, *args, columns=columns, **options)

    parts = {"__getitem__": taken, "drop": dropped, "_constructor": property(lambda self: pandas.DataFrame)}
    return type("AskingColumns", (pandas.DataFrame,), parts)
