"""A worked example that has been trained, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep
from deltarule.training import History
from deltarule.tutorials.example import Example


@dataclass(frozen=True, eq=False)
class TrainedExample:
    """An example with the network that it trained, the history, and the cost before."""

    example: Example
    net: Network
    history: History
    cost_before: float

    def to_dict(self) -> dict[str, Any]:
        """Return what ``deltarule train T1 --json`` prints: each row's outputs and targets, the losses."""
        example, net, history = self.example, self.net, self.history
        cost = net.cost(example.X, example.Y)
        return {
            "task": example.title,
            "network": repr(net),
            "loss": net.loss.name,
            "train": {"rows": len(example.Y), "loss_before": self.cost_before, "loss": cost},
            "outputs": net.predict(example.X).tolist(),
            "targets": example.Y.tolist(),
            "epochs": history.epochs,
            "stopped": history.stopped,
            "seconds": round(history.seconds, 3),
            "engine": history.engine,
        }


def trained_example(
    example: Example,
    *,
    epochs: int | None = None,
    learning_rate: float | None = None,
    progress: bool = False,
) -> TrainedExample:
    """Train a worked example as it says, or for other epochs, or at another rate.

    Examples
    --------
    >>> from deltarule.tutorials import load_example
    >>> trained_example(load_example("T1"), epochs=1).to_dict()["train"]["loss"].__round__(9)
    0.291027774
    """
    changes: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    if learning_rate is not None:
        optimizer = OPTIMIZERS.resolve(example.training.get("optimizer", "sgd"))
        assert isinstance(optimizer, GradientStep)
        changes["optimizer"] = type(optimizer)(learning_rate)
    net = example.network()
    before = net.cost(example.X, example.Y)
    history = example.train(net, progress=progress, **changes)
    return TrainedExample(example, net, history, before)
