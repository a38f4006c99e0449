"""PyTorch, in the form that is fastest here: eager or compiled, fused or multi-tensor updates."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.contenders import Contender
from benchmarks.data import Data, first_parameters
from benchmarks.workloads import Prediction, Training

__all__ = ["prepare"]

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def prepare(workload: Training | Prediction, data: Data, name: str) -> Contender:
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    return Predictor(workload, data) if isinstance(workload, Prediction) else Trainer(workload, data)


def _model(workload: Training | Prediction, logits: bool) -> nn.Sequential:
    """Linear layers and activations; with ``logits``, no softmax at the end."""
    modules: list[nn.Module] = []
    for W, b in first_parameters(workload):
        linear = nn.Linear(W.shape[0], W.shape[1], dtype=getattr(torch, workload.dtype))
        linear.weight.data = torch.from_numpy(np.ascontiguousarray(W.T))
        linear.bias.data = torch.from_numpy(b)
        modules += [linear, ACTIVATIONS[workload.activation]()]
    modules.pop()
    if workload.output == "sigmoid":
        modules.append(nn.Sigmoid())
    if workload.output == "softmax" and not logits:
        modules.append(nn.Softmax(dim=1))
    return nn.Sequential(*modules)


def _half_squared_error(a: Tensor, y: Tensor) -> Tensor:
    return functional.mse_loss(a, y, reduction="sum") / (2 * len(y))


LOSSES = {"cross_entropy": functional.cross_entropy, "half_squared_error": _half_squared_error}


class Trainer(Contender):
    """``zero_grad``, ``backward``, ``step``; batches by a permuted tensor of row numbers."""

    forms = ("eager, fused", "eager, foreach", "torch.compile, fused")

    def __init__(self, workload: Training, data: Data) -> None:
        self.workload = workload
        self.X = torch.from_numpy(data.inputs(workload.dtype))
        self.Y = torch.from_numpy(data.Y if data.Y.ndim == 1 else data.Y.astype(workload.dtype))
        self.model = _model(workload, logits=True)
        self.first = [p.detach().clone() for p in self.model.parameters()]
        loss = LOSSES[workload.loss]

        def cost(x: Tensor, y: Tensor) -> Tensor:
            return loss(self.model(x), y)

        self.costs = {"eager": cost, "torch.compile": torch.compile(cost)}
        self.note = self._fastest_form()

    def check(self) -> list[float]:
        return self._train(self.workload.checked, self.note, shuffle=False)

    def run(self, times: int) -> None:
        self._train(times, self.note, shuffle=True)

    def _fastest_form(self) -> str:
        """Three short trials of each, in turns; a form that cannot run, for want of a compiler, is out."""
        epochs = 1 if self.workload.unit == "epoch" else 200
        shortest: dict[str, float] = {}
        for form in self.forms:
            try:
                self._train(epochs, form, shuffle=True)
                shortest[form] = float("inf")
            except RuntimeError:
                if form.startswith("eager"):
                    raise
        for _ in range(3):
            for form in shortest:
                start = time.perf_counter()
                self._train(epochs, form, shuffle=True)
                shortest[form] = min(shortest[form], time.perf_counter() - start)
        return min(shortest, key=shortest.__getitem__)

    def _train(self, epochs: int, form: str, shuffle: bool) -> list[float]:
        """The loss of each epoch."""
        with torch.no_grad():
            for p, first in zip(self.model.parameters(), self.first, strict=True):
                p.copy_(first)
        kind, update = form.split(", ")
        cost = self.costs[kind]
        settings: dict[str, Any] = {"lr": self.workload.learning_rate, update: True}
        if self.workload.optimizer == "adam":
            settings["eps"] = self.workload.epsilon
        optimizer = OPTIMIZERS[self.workload.optimizer](self.model.parameters(), **settings)
        n, size = len(self.X), self.workload.batch_size
        counts, losses = [], []
        for _ in range(epochs):
            if size is None:
                batches = [slice(None)]
            else:
                batches = (torch.randperm(n) if shuffle else torch.arange(n)).split(size)
            for rows in batches:
                x, y = self.X[rows], self.Y[rows]
                optimizer.zero_grad(set_to_none=True)
                loss = cost(x, y)
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
                counts.append(len(x))
        totals = torch.stack(losses) * torch.tensor(counts)
        return (totals.reshape(epochs, -1).sum(dim=1) / n).tolist()


class Predictor(Contender):
    """The model under ``inference_mode``, on a tensor; eager, which is what it is run as most."""

    def __init__(self, workload: Prediction, data: Data) -> None:
        self.X, self.model = torch.from_numpy(data.inputs(workload.dtype)), _model(workload, logits=False)
        self.model.eval()

    def check(self) -> list[float]:
        with torch.inference_mode():
            return self.model(self.X)[:5].ravel().tolist()

    def run(self, times: int) -> None:
        with torch.inference_mode():
            for _ in range(times):
                self.model(self.X)
