"""One training by many workers: each computes the gradients of its share of every batch's shards.

Reading order: team, epochs, local; then who the others are: helpers and helper (processes of this one's
own), start, watch and mpi; choice.
"""

from __future__ import annotations

from deltarule.training.workers.choice import workers_for
from deltarule.training.workers.epochs import cost_and_gradient, run_epochs
from deltarule.training.workers.local import LocalSGD, run_local_epochs
from deltarule.training.workers.team import OneWorker, Workers

__all__ = [
    "LocalSGD",
    "OneWorker",
    "Workers",
    "cost_and_gradient",
    "run_epochs",
    "run_local_epochs",
    "workers_for",
]
