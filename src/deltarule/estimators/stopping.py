"""When training ends by scikit-learn's rules, and in which order the samples come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.estimators.parameters import Parameters
from deltarule.nn.optimizers import GradientStep
from deltarule.nn.schedules import Constant
from deltarule.training.run import Run
from deltarule.training.stopping import Best

__all__ = ["Shuffles", "Watch"]


class Shuffles:
    """scikit-learn's order of the samples: each epoch shuffles the order of the epoch before.

    It takes the place of the generator that a :class:`Run` asks for its orders.

    Parameters
    ----------
    random_state : RandomState
    """

    def __init__(self, random_state: np.random.RandomState) -> None:
        self._random_state = random_state
        self._begin(random_state.get_state(legacy=False))

    def _begin(self, start: Any) -> None:
        self._start, self._drawn, self._order = start, 0, np.empty(0, dtype=np.intp)

    def permutation(self, n: int) -> Array:
        """The order of the next epoch, (n,)."""
        shuffled = np.arange(n)
        self._random_state.shuffle(shuffled)
        self._order = self._order[shuffled] if self._drawn else shuffled
        self._drawn += 1
        return self._order

    @property
    def bit_generator(self) -> Shuffles:
        """What has a ``state``."""
        return self

    @property
    def state(self) -> dict[str, Any]:
        """Where the shuffles began, and how many there were, as JSON knows it."""
        key = self._start["state"]["key"].tolist()
        start = self._start | {"state": self._start["state"] | {"key": key}}
        return {"start": start, "drawn": self._drawn, "n": len(self._order)}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        inner = state["start"]["state"]
        start = state["start"] | {"state": inner | {"key": np.array(inner["key"], dtype=np.uint32)}}
        self._random_state.set_state(start)
        self._begin(start)
        for _ in range(int(state["drawn"])):
            self.permutation(int(state["n"]))


class Watch:
    """What scikit-learn's estimators do after each epoch: keep the books, and see whether it is enough.

    The loss (or, with early stopping, the score on held-out samples) must improve by ``tol`` at least once in
    ``n_iter_no_change`` epochs. "adaptive" then divides the learning rate by 5 instead of stopping, down to
    10⁻⁶.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Whose attributes are kept: ``loss_curve_``, ``best_loss_``, ….
    p : Parameters
    score : callable, () -> float, optional
        On held-out samples, where there are some; greater is better.
    n_samples : int
        In an epoch.
    """

    def __init__(
        self, estimator: Any, p: Parameters, score: Callable[[], float] | None, n_samples: int
    ) -> None:
        self.estimator, self.p, self.score, self.n_samples = estimator, p, score, n_samples

    def __call__(self, run: Run) -> None:
        """Enter an epoch into the books."""
        loss = run.history["loss"][-1]
        score = None if self.score is None else float(self.score())
        run.notes.setdefault("scores", []).append(score)
        if self._enter(loss, score):
            run.best = Best(
                float(self.estimator.best_validation_score_), run.epoch, run.net.parameters.copy()
            )
        if self.p.verbose:
            print(f"Iteration {run.epoch}, loss = {loss:.8f}")
            if score is not None:
                print(f"Validation score: {score:f}")
        if self.estimator._no_improvement_count > self.p.n_iter_no_change:
            self._enough(run)

    def catch_up(self, run: Run) -> None:
        """Enter the epochs that a checkpoint brought."""
        for loss, score in zip(run.history["loss"], run.notes["scores"], strict=True) if run.epoch else ():
            self._enter(loss, score)
            if self.estimator._no_improvement_count > self.p.n_iter_no_change:
                self.estimator._no_improvement_count = 0

    def _enter(self, loss: float, score: float | None) -> bool:
        """Write an epoch down; whether its score is the best so far."""
        e, tol = self.estimator, self.p.tol
        e.loss_ = loss
        e.loss_curve_.append(loss)
        e.n_iter_ += 1
        e.t_ += self.n_samples
        if score is not None:
            e.validation_scores_.append(score)
        if e.best_loss_ is None:
            improves = score is not None and score >= e.best_validation_score_ + tol
        else:
            improves = loss <= e.best_loss_ - tol
            e.best_loss_ = min(loss, e.best_loss_)
        e._no_improvement_count = 0 if improves else e._no_improvement_count + 1
        if score is None or not score > e.best_validation_score_:
            return False
        e.best_validation_score_ = score
        return True

    def _enough(self, run: Run) -> None:
        optimizer: Any = run.settings.optimizer
        p = self.p
        watched = "Training loss" if self.estimator.best_loss_ is not None else "Validation score"
        message = f"{watched} did not improve by tol={p.tol:f} in {p.n_iter_no_change} consecutive epochs."
        rate = optimizer.schedule if isinstance(optimizer, GradientStep) else None
        if p.learning_rate != "adaptive" or p.solver != "sgd" or not isinstance(rate, Constant):
            run.stop, action = True, "Stopping."
        elif rate.rate <= 1e-6:
            run.stop, action = True, "Learning rate too small. Stopping."
        else:
            run.settings = replace(
                run.settings, optimizer=replace(optimizer, learning_rate=Constant(rate.rate / 5))
            )
            self.estimator._no_improvement_count = 0
            action = f"Setting learning rate to {rate.rate / 5:f}"
        if p.verbose:
            print(message, action)
