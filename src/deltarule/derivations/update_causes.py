"""Why a parameter changed at one update of a training run: who pulled it, and what else moved it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deltarule.arrays import Array
from deltarule.derivations.evidence import Evidence
from deltarule.derivations.notation import Notation
from deltarule.derivations.quantities import Quantity
from deltarule.derivations.updates import UpdateDerivation
from deltarule.documents.document import Block, Heading, Inline, Paragraph, TableBlock
from deltarule.formula.tree import Number, measured
from deltarule.training.replay import ReplayedUpdate


def which_update(moment: ReplayedUpdate) -> Paragraph:
    """Say which update of the run this is, and of how many samples."""
    n = len(moment.rows)
    samples = f"{n} sample{'s' if n > 1 else ''}"
    return Paragraph((f"Update {moment.step}: epoch {moment.epoch}, batch {moment.batch}, {samples}.",))


#: So many samples are named.
MOST_SAMPLES = 5


def causes_of_change(updates: UpdateDerivation, p: Quantity, moment: ReplayedUpdate) -> Iterator[Block]:
    """Which samples pulled, and where the change comes from."""
    writer, evidence = updates.writer, updates.writer.evidence
    delta = evidence.grads[p.layer - 1].delta
    pulled = delta[:, p.index[-1]] if p.index else delta.sum(axis=1)
    pulls = pulled * evidence.trace[p.layer - 1].dense_x[:, p.index[0]] if p.kind == "W" else pulled
    if not pulls.any():
        yield Paragraph(writer.words("None of these samples contributes to the gradient of ", p, "."))
    elif len(pulls) > 1:
        yield Heading(writer.words("Which samples changed ", p), 3)
        yield _pull_table(writer.notation, pulls, moment.rows)
    position = evidence.position(p)
    if position in evidence.net.frozen:
        return
    parts = updates.step.sources(position, {"the samples": float(pulls.sum()), **_penalties(evidence, p)})
    yield Heading(writer.words("Where the change of ", p, " came from"), 3)
    change = float(updates.step.after[position] - evidence.net.parameters[position])
    shares = (f"{part / change + 0.0:.1%}" if change else "–" for part in parts.values())
    rows = zip(parts, map(measured, parts.values()), shares, strict=True)
    yield TableBlock(("part", "change", "share"), (*rows, ("in total", measured(change), "")))


def _penalties(evidence: Evidence, p: Quantity) -> dict[str, float]:
    if p.kind == "b":
        return {}
    return {
        f"the {penalty.name.upper()} penalty": penalty.of(penalty.slope, Number(strength), p).value(evidence)
        for penalty, strength in evidence.net.objective.penalties
    }


def _pull_table(notation: Notation, pulls: Array, rows: Array) -> TableBlock:
    """What each sample adds: numbered as in the formulas, with its row in the data where that is another."""

    def called(place: int) -> str:
        row = f", row {notation.sample(int(rows[place]))} of the data" if rows[place] != place else ""
        return f"sample {notation.sample(place)}{row}"

    order = np.argsort(-np.abs(pulls), kind="stable")
    shown, left = order[:MOST_SAMPLES], order[MOST_SAMPLES:]
    cells: list[tuple[Inline, ...]] = [(called(int(i)), measured(pulls[i])) for i in shown]
    if len(left):
        cells.append((f"{len(left)} others", measured(pulls[left].sum())))
    cells.append(("in total", measured(pulls.sum())))
    return TableBlock(("sample", "contribution to the gradient"), tuple(cells))
