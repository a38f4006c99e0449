"""Neural networks that show their work: explicit forward and backward propagation.

>>> import deltarule as dr
>>> data = dr.datasets.load("xor")
>>> net = dr.Network([2, 8, 1], activation="tanh", output="sigmoid", seed=1)
>>> history = dr.train(net, data.X, data.y, optimizer=dr.Adam(0.1), epochs=200)
>>> net.predict(data.X).round().ravel()
array([0., 1., 1., 0.])
"""

from __future__ import annotations

from deltarule import datasets
from deltarule.activations import ACTIVATIONS, Activation, register_activation
from deltarule.check import check_gradients
from deltarule.encoding import Encoding, fit_encoding
from deltarule.errors import (
    DataFileError,
    DeltaruleError,
    DivergenceError,
    InputError,
    MissingExtraError,
    ModelFileError,
    ShapeError,
)
from deltarule.initializers import INITIALIZERS, Initializer
from deltarule.layers import Dense
from deltarule.losses import LOSSES, Loss, register_loss
from deltarule.network import Network
from deltarule.optimizers import (
    LBFGS,
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)
from deltarule.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    InverseScaling,
    OneCycle,
    Schedule,
    Step,
    WarmUp,
)
from deltarule.training import (
    METRICS,
    Checkpoint,
    EarlyStopping,
    History,
    Metric,
    Run,
    confusion_matrix,
    evaluate,
    resume,
    train,
)

__version__ = "0.1.0"

load = Network.load

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LBFGS",
    "LOSSES",
    "METRICS",
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "Checkpoint",
    "Constant",
    "Cosine",
    "DataFileError",
    "DeltaruleError",
    "Dense",
    "DivergenceError",
    "EarlyStopping",
    "Encoding",
    "Exponential",
    "History",
    "Initializer",
    "InputError",
    "InverseScaling",
    "Loss",
    "Metric",
    "MissingExtraError",
    "ModelFileError",
    "Momentum",
    "Nesterov",
    "Network",
    "OneCycle",
    "Optimizer",
    "RMSprop",
    "Run",
    "Schedule",
    "ShapeError",
    "Step",
    "WarmUp",
    "check_gradients",
    "confusion_matrix",
    "datasets",
    "evaluate",
    "fit_encoding",
    "load",
    "register_activation",
    "register_loss",
    "resume",
    "train",
]
