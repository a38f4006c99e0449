"""What several tests of the engines need."""

from __future__ import annotations

from importlib import import_module

import pytest

from deltarule.nn.engines import predictions, threads


@pytest.fixture
def shared(monkeypatch):
    """Every batch divided among so many threads, however small it is."""

    def divide(n_shares):
        monkeypatch.setattr(threads, "THREAD_PRODUCTS", 1)
        monkeypatch.setattr(predictions, "START_PRODUCTS", 0)
        monkeypatch.setattr(import_module("numba.core.config"), "NUMBA_NUM_THREADS", n_shares)

    return divide
