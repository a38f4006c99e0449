"""The forward pass and the loss, derived."""

from __future__ import annotations

from collections.abc import Iterator

from deltarule.derivations.line_writer import LineWriter
from deltarule.derivations.quantities import Quantity
from deltarule.documents.document import Block, Heading, Line, Lines, Paragraph

#: Of a wider layer, and of more samples, the first so many are shown.
MOST_NEURONS, MOST_SAMPLES = 12, 7


def quantity_part(writer: LineWriter, kind: str, layer: int, index: int) -> Iterator[Block]:
    """z or a of one neuron, for each sample; before a its z."""
    n = writer.evidence.n_samples
    name = writer.notation.neuron(layer, index)
    what = "weighted input" if kind == "z" else "output"
    yield Heading(writer.words(Quantity(kind, layer, (index,)), f": the {what} of ", name))
    for sample in range(min(n, MOST_SAMPLES)):
        yield Lines(tuple(neuron_lines(writer, layer, index, sample, result=kind)))
    yield from _left_out(n - MOST_SAMPLES, "samples")


def neuron_lines(writer: LineWriter, layer: int, index: int, sample: int, result: str = "") -> Iterator[Line]:
    """The lines of a neuron's z and a; none of a where z is the result."""
    for kind in ("z", "a"):
        yield writer.line(Quantity(kind, layer, (index,), sample), result=kind == result)
        if kind == result:
            return


def forward_part(writer: LineWriter) -> Iterator[Block]:
    """Every neuron's z and a, layer after layer."""
    sizes = writer.evidence.net.sizes
    yield Heading(("Forward pass",))
    for sample in range(min(writer.evidence.n_samples, MOST_SAMPLES)):
        for layer in range(1, len(sizes)):
            neurons = range(min(sizes[layer], MOST_NEURONS))
            yield Lines(tuple(line for j in neurons for line in neuron_lines(writer, layer, j, sample)))
            yield from _left_out(sizes[layer] - MOST_NEURONS, f"neurons in layer {layer}")
    yield from _left_out(writer.evidence.n_samples - MOST_SAMPLES, "samples")


def cost_part(writer: LineWriter) -> Iterator[Block]:
    """The loss of each output, of each sample, and the cost of them all."""
    evidence = writer.evidence
    name = evidence.net.loss.name.replace("_", " ")
    yield Heading(writer.words(evidence.cost, f": the {evidence.cost_word} ({name})"))
    outputs = range(min(evidence.net.sizes[-1], MOST_NEURONS))
    for sample in range(min(evidence.n_samples, MOST_SAMPLES)):
        terms = [writer.line(Quantity("term", evidence.n_layers, (k,), sample)) for k in outputs]
        whole = writer.line(Quantity("E", sample=sample), result=evidence.cost_is_loss)
        yield Lines((*terms, whole))
        yield from _left_out(evidence.net.sizes[-1] - MOST_NEURONS, "outputs")
    yield from _left_out(evidence.n_samples - MOST_SAMPLES, "samples")
    if not evidence.cost_is_loss:
        penalties = [writer.line(q) for q in writer.definitions.penalties()]
        yield Lines((*penalties, writer.line(evidence.cost, result=True)))


def _left_out(count: int, what: str) -> Iterator[Block]:
    if count > 0:
        yield Paragraph((f"… and {count:,} more {what}.",), aside=True)
