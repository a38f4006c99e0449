"""What several tests of the engines need."""

from __future__ import annotations

import pytest

from deltarule.nn.engines import threads


@pytest.fixture
def shared(monkeypatch):
    """Every batch divided among so many threads, however small it is."""

    def divide(n_shares):
        monkeypatch.setattr(threads, "THREAD_PRODUCTS", 1)
        monkeypatch.setattr(threads, "RANGE_PRODUCTS", 1)
        monkeypatch.setenv("NUMBA_NUM_THREADS", str(n_shares))

    return divide
