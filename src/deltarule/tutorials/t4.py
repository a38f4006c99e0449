"""T4: the hand calculation of every factor, then training on; and the same network as an autoencoder."""

from __future__ import annotations

from deltarule.tutorials.comparisons import Comparison, compare_figures
from deltarule.tutorials.computed_figures import figures_after_updates
from deltarule.tutorials.example import load_example

SLIP = "The source is wrong: it halves the first term twice (0.01545028 for 0.03090056). Ours is right."
CUT = "The source cuts off after nine digits."
TWO_PATHS = "The sum over two paths: what reaches h1 from o1 and what reaches it from o2."
TARGETS = "Training on at the source's learning rate of 0.1; the targets are 0.5 and 0.9."
COPIES = "Autoencoder: the target is the input, 0.02 and 0.04."


def t4() -> list[Comparison]:
    """T4's figures, every factor of w6 and w1, the outputs nearing their targets, and the autoencoder."""
    after = ("E", "out_o1", "out_o2")
    reached = {f"{name} after 10000 updates": TARGETS for name in after}
    rows = _compare_example("T4", "", {"E": SLIP, "net_o1": CUT, "dE_dout_h1": TWO_PATHS, **reached})
    copies = dict.fromkeys(("E", *reached), COPIES)
    return rows + _compare_example("T4_autoencoder", "autoencoder: ", copies)


def _compare_example(name: str, prefix: str, notes: dict[str, str]) -> list[Comparison]:
    example = load_example(name)
    return compare_figures("T4", example, figures_after_updates(example, (1, 10_000)), notes, prefix)
