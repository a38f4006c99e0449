"""When training ends by scikit-learn's rules, and in which order the samples come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.estimators.fit_record import FitRecord
from deltarule.estimators.parameters import Parameters
from deltarule.nn.optimizers import GradientStep
from deltarule.nn.schedules import Constant
from deltarule.training.run import Run
from deltarule.training.stopping import Best


class ShuffledOrder:
    """scikit-learn's :class:`~deltarule.training.run.SampleOrder`: each epoch shuffles the order before."""

    def __init__(self, random_state: np.random.RandomState) -> None:
        self._random_state = random_state
        self._begin(random_state.get_state(legacy=False))

    def _begin(self, start: Any) -> None:
        self._start, self._drawn, self._order = start, 0, np.empty(0, dtype=np.intp)

    def permutation(self, n: int, /) -> Array:
        """The order of the next epoch, (n,)."""
        shuffled = np.arange(n)
        self._random_state.shuffle(shuffled)
        self._order = self._order[shuffled] if self._drawn else shuffled
        self._drawn += 1
        return self._order

    @property
    def bit_generator(self) -> ShuffledOrder:
        """What has the ``state`` that a checkpoint keeps."""
        return self

    @property
    def state(self) -> Mapping[str, Any]:
        """Where the shuffles began, and how many there were, as JSON knows it."""
        key = self._start["state"]["key"].tolist()
        start = self._start | {"state": self._start["state"] | {"key": key}}
        return {"start": start, "drawn": self._drawn, "n": len(self._order)}

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        inner = state["start"]["state"]
        start = state["start"] | {"state": inner | {"key": np.array(inner["key"], dtype=np.uint32)}}
        self._random_state.set_state(start)
        self._begin(start)
        for _ in range(int(state["drawn"])):
            self.permutation(int(state["n"]))


class StoppingRule:
    """A callback that records each epoch as scikit-learn's estimators do, and ends what no longer improves.

    The loss (or, with early stopping, the score on held-out samples) must improve by ``tol`` at least once in
    ``n_iter_no_change`` epochs. "adaptive" then divides the learning rate by 5 instead of stopping, down to
    10⁻⁶.

    Parameters
    ----------
    record : FitRecord
        Where losses and scores are written.
    p : Parameters
    score : callable, () -> float, optional
        Of the network on held-out samples, where there are some; greater is better.
    n_samples : int
        In an epoch.
    """

    def __init__(
        self, record: FitRecord, p: Parameters, score: Callable[[], float] | None, n_samples: int
    ) -> None:
        self.record, self.p, self.score, self.n_samples = record, p, score, n_samples

    def __call__(self, run: Run) -> None:
        """Record an epoch; end the run, or lower its learning rate, where nothing has improved for long."""
        loss = run.history["loss"][-1]
        score = None if self.score is None else float(self.score())
        run.notes.setdefault("scores", []).append(score)
        if self._add(loss, score) and score is not None:
            run.best = Best(score, run.epoch, run.net.parameters.copy())
        if self.p.verbose:
            print(f"Iteration {run.epoch}, loss = {loss:.8f}")
            if score is not None:
                print(f"Validation score: {score:f}")
        if self.record.no_improvement_count > self.p.n_iter_no_change:
            self._end_or_slow_down(run)

    def replay(self, run: Run) -> None:
        """Record the epochs that a checkpoint brought."""
        for loss, score in zip(run.history["loss"], run.notes["scores"], strict=True) if run.epoch else ():
            self._add(loss, score)
            if self.record.no_improvement_count > self.p.n_iter_no_change:
                self.record.no_improvement_count = 0

    def _add(self, loss: float, score: float | None) -> bool:
        """Record an epoch; whether its score is the best so far."""
        r, tol = self.record, self.p.tol
        r.loss = loss
        r.loss_curve.append(loss)
        r.n_iter += 1
        r.t += self.n_samples
        best_score = -np.inf if r.best_validation_score is None else r.best_validation_score
        if score is not None and r.validation_scores is not None:
            r.validation_scores.append(score)
        if r.best_loss is None:
            improves = score is not None and score >= best_score + tol
        else:
            improves = loss <= r.best_loss - tol
            r.best_loss = min(loss, r.best_loss)
        r.no_improvement_count = 0 if improves else r.no_improvement_count + 1
        if score is None or not score > best_score:
            return False
        r.best_validation_score = score
        return True

    def _end_or_slow_down(self, run: Run) -> None:
        p = self.p
        optimizer: Any = run.settings.optimizer
        rate = optimizer.schedule if isinstance(optimizer, GradientStep) else None
        if p.learning_rate != "adaptive" or p.solver != "sgd" or not isinstance(rate, Constant):
            run.stop, action = True, "Stopping."
        elif rate.rate <= 1e-6:
            run.stop, action = True, "Learning rate too small. Stopping."
        else:
            slower = replace(optimizer, learning_rate=Constant(rate.rate / 5))
            run.settings = replace(run.settings, optimizer=slower)
            self.record.no_improvement_count = 0
            action = f"Setting learning rate to {rate.rate / 5:f}"
        if p.verbose:
            monitored = "Training loss" if self.record.best_loss is not None else "Validation score"
            epochs = f"{p.n_iter_no_change} consecutive epochs."
            print(f"{monitored} did not improve by tol={p.tol:f} in {epochs}", action)
