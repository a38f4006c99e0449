"""The report of an experiment: one list, which is printed for people and becomes JSON for programs."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from deltarule.data.decisions import Decision
from deltarule.data.encoding import (
    CategoryColumn,
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumberColumn,
    PixelsEncoding,
)
from deltarule.documents.plain_table import aligned, one_line
from deltarule.experiments.fitting import Predictions, encoding_of
from deltarule.experiments.outcome import Outcome
from deltarule.experiments.scores import Spread, baseline, class_scores, mean_error
from deltarule.nn.optimizers import GradientStep, Optimizer
from deltarule.registry import record
from deltarule.training import History

WIDTH = 80
_MARGIN = 12
_MOST_ALIKE = 4  # decisions of one kind that are told one by one
_MOST_NAMES = 6  # columns of a kind that are named
_MOST_CLASSES = 20  # that are listed
_LEAVE_OUT_ROWS = ("ragged", "no-target", "missing-rows", "unreadable")

_ENGINES = {"reference": "NumPy, layer by layer", "compiled": "compiled by Numba"}
_SCHEDULES = {
    "constant": "constant", "cosine": "decreasing along a cosine", "step": "decreasing in steps",
    "exponential": "decreasing exponentially", "inverse_scaling": "decreasing with a power of time",
    "one_cycle": "rising, then decreasing", "warm_up": "rising first",
}  # fmt: skip


@record
class ReportItem:
    """A line of a report, or a block of them.

    Parameters
    ----------
    values : mapping of str to what JSON knows
        Its entries in JSON.
    label : str
        What stands before its text; "" for a block.
    text : str
        For people; "" where it says nothing to them.
    """

    values: Mapping[str, Any]
    label: str = ""
    text: str = ""

    def lines(self, width: int) -> str:
        """The text, with its label in the margin."""
        if not self.label:
            return self.text
        return wrapped(f"{self.label:{_MARGIN}}{self.text}", width, " " * _MARGIN)


def wrapped(text: str, width: int = WIDTH, indent: str = "  ") -> str:
    """A text in lines of at most this width, of which all but the first are indented."""
    return textwrap.fill(
        text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def decision_lines(
    decisions: Iterable[Decision | Mapping[str, Any]], width: int = WIDTH, *, options: bool = True
) -> list[str]:
    """A line for each decision, with the option that overrules it; few lines for many alike."""
    listed = [item.to_dict() if isinstance(item, Decision) else item for item in decisions]
    total, told = Counter(item["kind"] for item in listed), Counter[str]()
    lines = []
    for item in listed:
        kind = item["kind"]
        told[kind] += 1
        if total[kind] <= _MOST_ALIKE or told[kind] < _MOST_ALIKE:
            overruled = f" ({item['option']})" if options else ""
            lines.append(wrapped(one_line(f"· {item['text']}{overruled}"), width))
        elif told[kind] == total[kind]:
            lines.append(
                f"· and {total[kind] - _MOST_ALIKE + 1} more columns like these ({kind}; --json lists them)"
            )
    return lines


def report_items(result: Outcome) -> list[ReportItem]:
    """All that an experiment decided, did and found."""
    return [*_about_data(result), *_about_network(result), *_about_training(result), *_about_scores(result)]


def report_values(result: Outcome) -> dict[str, Any]:
    """The report for JSON."""
    return {name: value for item in report_items(result) for name, value in item.values.items()}


def report_text(result: Outcome, width: int = WIDTH) -> str:
    """The report for people."""
    return "\n".join(item.lines(width) for item in report_items(result) if item.text)


# ---------------------------------------------------------------- the data


def _about_data(result: Outcome) -> Iterator[ReportItem]:
    dataset, encoding = result.dataset, encoding_of(result.trained.net)
    task = dataset.task if encoding.target else "autoencoder"
    described = wrapped(one_line(f"{dataset.description}: {task}"))
    yield ReportItem({"task": task, "data": dataset.description}, "", described)
    told = [decision.to_dict() for decision in result.decisions]
    yield ReportItem({"decisions": told}, "", "\n".join(decision_lines(told)))
    counts = [item["count"] for item in told if item["kind"] in _LEAVE_OUT_ROWS]
    used, left_out = result.n_rows, sum(counts)
    text = f"{used:,} used, {f'{left_out:,}' if left_out else 'none'} left out"
    yield ReportItem({"rows": {"used": used, "left_out": left_out}}, "rows", text)
    described_columns = list(_columns(encoding))
    values = {"columns": described_columns, "scale": result.choices.scale or dataset.scale}
    yield ReportItem(values, "inputs", _inputs_text(encoding, described_columns))


def _columns(encoding: Encoding) -> Iterator[dict[str, Any]]:
    """Each column: how it becomes features of the network."""
    inputs = encoding.inputs
    if isinstance(inputs, PixelsEncoding):
        size = f"{inputs.width} × {inputs.height}"
        scaled = f"value / {inputs.scale:g}"
        yield {"name": "pixels", "size": size, "features": encoding.n_inputs, "encoding": scaled}
        return
    for column in inputs.columns:
        yield {
            "name": column.name,
            "features": len(column.feature_names),
            "encoding": encoding_text(column),
            "fill": column.fill,
        }


def encoding_text(column: NumberColumn | CategoryColumn) -> str:
    """How a column becomes features: as a formula of its value x, or one-hot."""
    if isinstance(column, CategoryColumn):
        categories = len(column.categories)
        return f"one-hot, {categories} categories" + (" and other" if column.other else "")
    if (column.shift, column.scale) == (0.0, 1.0):
        return "x"
    sign = "−" if column.shift >= 0 else "+"
    return f"(x {sign} {abs(column.shift):.6g}) / {column.scale:.6g}"


def _inputs_text(encoding: Encoding, columns: Sequence[Mapping[str, Any]]) -> str:
    inputs = encoding.inputs
    if isinstance(inputs, PixelsEncoding):
        channels = "grey" if inputs.channels == 1 else "in colour"
        return f"{columns[0]['size']} pixels {channels}, {columns[0]['encoding']}"
    assert isinstance(inputs, ColumnsEncoding)
    numbers = [column for column in inputs.columns if isinstance(column, NumberColumn)]
    plain = [column.name for column in numbers if (column.shift, column.scale) == (0.0, 1.0)]
    scaled = [column.name for column in numbers if column.name not in plain]
    texts = [column for column in inputs.columns if isinstance(column, CategoryColumn)]
    listed = [
        (plain, "as they are"),
        (scaled, "scaled, (x − shift) / scale"),
        ([f"{column.name} ({len(column.feature_names)})" for column in texts], "one-hot"),
    ]
    return "; ".join(f"{len(names)} {how}: {_few(names)}" for names, how in listed if names)


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    shown = names if more <= 1 else names[:_MOST_NAMES]
    return one_line(", ".join(shown)) + (f" and {more} more" if more > 1 else "")


# ---------------------------------------------------------------- network and training


def _about_network(result: Outcome) -> Iterator[ReportItem]:
    net = result.trained.net
    yield ReportItem({"network": repr(net)}, "network", repr(net))
    penalties = {penalty.name: strength for penalty, strength in net.objective.penalties}
    dropout = max(layer.dense.dropout for layer in net.layers)
    values = {"l1": 0.0, "l2": 0.0} | penalties | {"dropout": dropout}
    words = [net.loss.name, *(f"{name} = {value:.3g}" for name, value in penalties.items())]
    words += [f"dropout = {dropout:g}"] if dropout else []
    yield ReportItem({"loss": net.loss.name, "penalties": values}, "loss", ", ".join(words))
    if result.pair_warning:
        yield ReportItem({"warning": result.pair_warning}, "warning", result.pair_warning)


def _about_training(result: Outcome) -> Iterator[ReportItem]:
    history = result.trained.history
    optimizer, rows = result.trained.optimizer, result.trained.batch_size
    rate, schedule = _rate(optimizer)
    falling = (
        f", learning rate {rate:g} {_SCHEDULES.get(schedule.partition('(')[0], schedule)}" if rate else ""
    )
    clipped = getattr(optimizer, "clip_norm", None)
    yield ReportItem(
        {"optimizer": optimizer.spec, "learning_rate": rate, "schedule": schedule, "batch_size": rows},
        "optimizer",
        f"{optimizer.name}{falling}, {f'batches of {rows} rows' if rows else 'all rows at once'}"
        + (f", gradient norms clipped at {clipped:g}" if clipped else ""),
    )
    why = why_stopped(history)
    engine = _ENGINES.get(history.engine, history.engine)
    yield ReportItem(
        {
            "epochs": history.epochs, "stopped": history.stopped, "why_stopped": why,
            "seconds": round(history.seconds, 3), "engine": history.engine, "seed": result.choices.seed,
        },
        "training",
        f"{history.epochs} epochs in {history.seconds:.2f} s ({engine}), seed {result.choices.seed}: {why}",
    )  # fmt: skip


def _rate(optimizer: Optimizer) -> tuple[float | None, str]:
    """The first learning rate and the schedule, where the optimizer has such."""
    if not isinstance(optimizer, GradientStep):
        return None, ""
    return float(optimizer.schedule(0, 1)), optimizer.schedule.spec


def ended_by_budget(history: History) -> bool:
    """Whether the loss of held-out rows still fell by 1 % over the last tenth of the epochs."""
    losses = history.get("val_loss", [])
    last = len(losses) // 10
    if history.stopped != "finished" or not last:
        return False
    return min(losses[-last:]) < 0.99 * min(losses[:-last])


def why_stopped(history: History) -> str:
    """Why training ended, as a sentence says it."""
    if ended_by_budget(history):
        return (
            f"the held-out loss was still falling when the limit of {history.epochs} epochs was "
            f"reached: --epochs {2 * history.epochs} trains longer"
        )
    return {
        "finished": "as many as planned",
        "early": "the held-out loss had stopped improving; the best weights are kept",
        "converged": "no better weights were found nearby",
        "interrupted": "interrupted",
    }.get(history.stopped, history.stopped)


# ---------------------------------------------------------------- scores


def _about_scores(result: Outcome) -> Iterator[ReportItem]:
    scores, tested = result.trained.scores, result.tested
    score = list(scores["train"])[-1]
    parts: dict[str, Any] = {name: scores.get(name) for name in ("train", "validation")}
    parts["test"] = None if tested is None else _tested(tested, encoding_of(result.trained.net))
    rows: list[list[object]] = [["", "rows", "loss", score]]
    for name, part in parts.items():
        if part:
            folds = part.get("folds", 1)
            label = f"test, {folds} folds" if folds > 1 else name
            spread = f" ± {part['spread']:.4f}" if part.get("spread") is not None else ""
            rows.append([label, f"{part['rows']:,}", f"{part['loss']:.5g}", f"{part[score]:.4f}{spread}"])
    rows = [[*row[:3], f"{row[3]:{max(len(str(r[3])) for r in rows)}}"] for row in rows]
    yield ReportItem(parts, "", "\n".join(["", *aligned(rows)]))
    if tested is None:
        text = "" if result.interrupted else "no rows were held out for a test"
        yield ReportItem({"baseline": None, "classes": None}, "", text)
        return
    yield _about_baseline(result, tested, score)
    yield _about_classes(result, tested)


def _tested(tested: Predictions, encoding: Encoding) -> dict[str, Any]:
    spread = Spread.of(tested)
    said = {} if spread is None else {"spread": spread.value, "spread_is": spread.what}
    return tested.scores | mean_error(tested, encoding) | said | {"folds": tested.folds}


def _about_baseline(result: Outcome, tested: Predictions, score: str) -> ReportItem:
    found = baseline(result.trained_rows.target, tested, encoding_of(result.trained.net))
    if found is None:
        return ReportItem({"baseline": None})
    answer = found["answer"]
    shown = one_line(str(answer)) if isinstance(answer, str | bool | int) else "the mean"
    text = f"always answering {shown} has {score} {found[score]:.4f}"
    if "mean_error" in found:
        ours = mean_error(tested, encoding_of(result.trained.net))["mean_error"]
        text += f" and is off by {found['mean_error']:.4g} on average (the network: by {ours:.4g})"
    return ReportItem({"baseline": found}, "baseline", text)


def _about_classes(result: Outcome, tested: Predictions) -> ReportItem:
    target = encoding_of(result.trained.net).target
    if not isinstance(target, LabelEncoding):
        return ReportItem({"classes": None})
    found = class_scores(tested, target)
    return ReportItem({"classes": found}, "", "\n" + class_table(found))


def class_table(found: Sequence[Mapping[str, Any]]) -> str:
    """Rows, precision and recall of each class, as a table."""
    shown = [
        [item["class"], item["rows"], *(_share(item[name]) for name in ("precision", "recall"))]
        for item in found[:_MOST_CLASSES]
    ]
    table = "\n".join(aligned([["class", "rows", "precision", "recall"], *shown]))
    more = len(found) - len(shown)
    return table + (f"\n… and {more} more classes (--json lists them)" if more else "")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
