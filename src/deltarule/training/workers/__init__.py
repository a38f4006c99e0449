"""One training by many workers: each computes the gradients of its share of every batch's shards.

Reading order: team, epochs; then who the others are: helpers and helper (processes of this one's own), mpi
and watch; choice.
"""

from __future__ import annotations

from deltarule.training.workers.choice import workers_for
from deltarule.training.workers.epochs import cost_and_gradient, run_epochs
from deltarule.training.workers.team import OneWorker, Workers

__all__ = ["OneWorker", "Workers", "cost_and_gradient", "run_epochs", "workers_for"]
