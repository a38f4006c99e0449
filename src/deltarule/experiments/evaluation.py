"""How good a fitted model is on data with known answers, and whether these rows trained it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deltarule.arrays import Array
from deltarule.data import Dataset
from deltarule.data.encoding import LabelEncoding
from deltarule.documents.plain_table import aligned, one_line
from deltarule.experiments.fitting import Predictions, encoding_of
from deltarule.experiments.report import WIDTH, class_table, decision_lines, wrapped
from deltarule.experiments.scores import Spread, class_scores, mean_error
from deltarule.nn.network import Network

_FEW = 0.005  # the share of rows that may be known by chance
_MOST_CLASSES = 12  # of which the confusions are printed


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The scores of a network on data with known answers; it prints as a table.

    Attributes
    ----------
    net : Network
    model : str
        Its name.
    dataset : Dataset
    predictions : Predictions
    digests : ndarray of uint64, (n_rows,)
        Digests of the rows, to recognise those that trained the network.
    """

    net: Network
    model: str
    dataset: Dataset
    predictions: Predictions
    digests: Array

    @property
    def score(self) -> float:
        """Accuracy or R²."""
        return self.predictions.score

    @property
    def trained_share(self) -> float | None:
        """The share of the rows that trained the model; None where its file does not tell."""
        trained = encoding_of(self.net).trained
        return None if trained is None else trained.known(self.digests)

    @property
    def held_out(self) -> dict[str, Any] | None:
        """Rows and score of those that were held out when it was trained; None where there were none."""
        trained = encoding_of(self.net).trained
        if trained is None or trained.score is None:
            return None
        return {"rows": trained.held_out, trained.metric: trained.score, "folds": trained.folds}

    def to_dict(self) -> dict[str, Any]:
        """All of it for JSON."""
        target, spread = encoding_of(self.net).target, Spread.of(self.predictions)
        report: dict[str, Any] = {
            "model": self.model,
            "data": self.dataset.description,
            "decisions": [decision.to_dict() for decision in self.dataset.decisions],
            **self.predictions.scores,
            **mean_error(self.predictions, encoding_of(self.net)),
            "spread": None if spread is None else spread.value,
            "trained_share": self.trained_share,
            "held_out": self.held_out,
        }
        if isinstance(target, LabelEncoding):
            report["classes"] = class_scores(self.predictions, target)
            report["confusion"] = self.predictions.confusion(target).tolist()
        return report

    def __str__(self) -> str:
        return self.text(self.to_dict())

    __repr__ = __str__

    def text(self, report: dict[str, Any], width: int = WIDTH) -> str:
        """What :meth:`to_dict` returned, for people."""
        metric, spread = self.predictions.metric, report["spread"]
        score = f"{report[metric]:.4f}" + ("" if spread is None else f" ± {spread:.4f}")
        scored = [self.dataset.name, report["rows"], f"{report['loss']:.5g}", score]
        lines = [wrapped(f"{self.net!r}, {self.net.loss.name}", width)]
        lines += decision_lines(report["decisions"], width)
        lines += [*aligned([["", "rows", "loss", metric], scored]), *self._warning(width)]
        if "mean_error" in report:
            lines.append(f"off by {report['mean_error']:.4g} on average")
        if "confusion" in report:
            names = [one_line(str(item["class"])) for item in report["classes"]]
            counts = ([name, *row] for name, row in zip(names, report["confusion"], strict=True))
            lines += ["", class_table(report["classes"])]
            if len(names) <= _MOST_CLASSES:
                lines += ["", *aligned([["true \\ predicted", *names], *counts])]
        return "\n".join(lines)

    def _warning(self, width: int) -> list[str]:
        """That rows which trained a model say little of others."""
        share, held = self.trained_share, self.held_out
        if share is None or share < _FEW:
            return []
        whose = "these rows" if share == 1 else f"{share:.0%} of these rows"
        said = f"{whose} trained the model, so this score does not tell how it does on new rows"
        if held is not None:
            metric = self.predictions.metric
            said += f"; on the {held['rows']:,} rows held out at the time, {metric} was {held[metric]:.4f}"
            said += f" ({held['folds']} folds)" if held["folds"] > 1 else ""
        else:
            said += "; no rows were held out at the time"
        return [wrapped(said, width)]
