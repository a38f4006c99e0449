"""SciPy's BLAS, from which the kernels get their products of matrices."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

from deltarule.registry import import_extra

_LOADING = threading.Lock()


def load_blas() -> Any:
    """Return the module ``scipy.linalg.cython_blas``, without the rest of its package if possible.

    The rest takes a tenth of a second to load. Threads that come while it loads wait.
    """
    with _LOADING:
        return _load()


@cache
def _load() -> Any:
    full = "scipy.linalg.cython_blas"
    if full not in sys.modules:
        folders = [os.path.join(folder, "linalg") for folder in import_extra("scipy", "fast").__path__]
        with suppress(ImportError):
            found = PathFinder.find_spec(full, folders)
            if found is not None and found.loader is not None:
                module = module_from_spec(found)
                found.loader.exec_module(module)
                return module
    return import_extra(full, "fast")
