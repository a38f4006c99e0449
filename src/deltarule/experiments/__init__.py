"""Experiments: from any data to a trained network, its report, its held-out score and its answers.

Reading order: choices, defaults, decided, fitting, outcome, scores, report; saved_models, evaluation,
answers, fitted_model; pictures, results, streamed, running.
"""

from deltarule.experiments.evaluation import Evaluation
from deltarule.experiments.fitted_model import FittedModel, load_model
from deltarule.experiments.results import ExperimentResult
from deltarule.experiments.running import experiment

__all__ = ["Evaluation", "ExperimentResult", "FittedModel", "experiment", "load_model"]
