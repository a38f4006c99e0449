"""Training: the loop over epochs of updates, what it reports, and what stops it.

Reading order: metrics, stopping, settings, streamed, samples, workers, history, agreement, run, lbfgs,
checkpoints, progress, loop, replay.
"""

from __future__ import annotations

from deltarule.training.history import History
from deltarule.training.loop import resume, train
from deltarule.training.metrics import METRICS, Metric, confusion_matrix, evaluate
from deltarule.training.run import Run
from deltarule.training.settings import Checkpoint
from deltarule.training.stopping import EarlyStopping
from deltarule.training.workers import LocalSGD

__all__ = [
    "METRICS",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "LocalSGD",
    "Metric",
    "Run",
    "confusion_matrix",
    "evaluate",
    "resume",
    "train",
]
