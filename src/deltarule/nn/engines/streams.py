"""The random numbers of dropout masks: a generator's state for the kernels, and its state after them."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltarule.arrays import Array


def stream_of(rng: np.random.Generator) -> Array:
    """Return the state of NumPy's default generator as the kernels take it, see ``kernels._draw_masks``."""
    state = rng.bit_generator.state
    words = [state["state"][name] >> shift & (2**64 - 1) for name in ("state", "inc") for shift in (0, 64)]
    return np.array([*words, state["has_uint32"], state["uinteger"]], np.uint64)


def advance(rng: np.random.Generator, stream: Array, n_drawn: int) -> None:
    """Let the generator stand where it stood had it drawn so many float32 numbers itself."""
    if not n_drawn:
        return
    generator: Any = rng.bit_generator
    n_new = n_drawn - int(stream[4])  # 32 bits were left of an earlier output
    word = 0
    if n_new:
        generator.advance((n_new - 1) // 2)
        word = int(generator.random_raw())
    generator.state = generator.state | {"has_uint32": n_new % 2, "uinteger": word >> 32}
