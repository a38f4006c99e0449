"""Training: the loop, what it reports, and what stops it."""

from __future__ import annotations

from deltarule.training.history import History
from deltarule.training.loop import resume, train
from deltarule.training.metrics import METRICS, Metric, confusion_matrix, evaluate
from deltarule.training.run import Run
from deltarule.training.settings import Checkpoint
from deltarule.training.stopping import EarlyStopping

__all__ = [
    "METRICS",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "Metric",
    "Run",
    "confusion_matrix",
    "evaluate",
    "resume",
    "train",
]
