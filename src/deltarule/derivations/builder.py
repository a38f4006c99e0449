"""A derivation put together: its opening with the picture, then what was asked for, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from deltarule.arrays import Array
from deltarule.data.encoding import Table
from deltarule.derivations.derivation import Derivation
from deltarule.derivations.forward import cost_part, forward_part, quantity_part
from deltarule.derivations.gradients import GradientDerivation
from deltarule.derivations.layers import LayerDerivation
from deltarule.derivations.line_writer import LineWriter
from deltarule.derivations.network_drawing import draw
from deltarule.derivations.notation import MatrixNotation, TutorialNotation
from deltarule.derivations.quantities import Quantity
from deltarule.derivations.row_origins import InputOrigin, origin_part, output_names, row_origins
from deltarule.derivations.targets import Target
from deltarule.derivations.updates import OptimizerStep, UpdateDerivation
from deltarule.documents.document import Block, Document, Figure, Heading, Paragraph, TableBlock, merged_lines
from deltarule.documents.drawing import Drawing
from deltarule.errors import InputError
from deltarule.formula.text import text
from deltarule.formula.tree import measured
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import weight_number

DETAILS = ("chain", "delta")


class DerivationBuilder:
    """Puts the blocks of a derivation together."""

    def __init__(
        self, writer: LineWriter, detail: str, digits: int | str, step: OptimizerStep | None, searches: bool
    ) -> None:
        if detail not in DETAILS:
            raise InputError(f"detail must be one of {', '.join(DETAILS)}, got {detail!r}")
        self.writer, self.evidence, self.net = writer, writer.evidence, writer.evidence.net
        self.gradients = GradientDerivation(writer, by_delta=detail == "delta")
        self.updates = None if step is None else UpdateDerivation(writer, step)
        self.digits, self.searches = digits, searches
        self.neuron_by_neuron = writer.notation.name == "tutorial"
        self._parts: dict[str, Callable[[], Iterator[Block]]] = {
            "forward": self._forward_part,
            "loss": lambda: cost_part(writer),
            "backward": self._backward_part,
            "update": self._update_part,
        }

    def derivation(self, title: str, blocks: Iterable[Block]) -> Derivation:
        """With by-hand results compared, and lines that follow each other aligned."""
        document = Document(title, tuple(merged_lines(chain(blocks, self._rounding_part()))), self.digits)
        return Derivation(document, self.writer.written)

    # ------------------------------------------------------------------ the opening

    def opening(
        self, targets: Sequence[Target], picture: bool, raw: Table | Array | None = None
    ) -> Iterator[Block]:
        """What the network is, what it is given, its picture, and where a raw row's inputs come from."""
        net, n = self.net, self.evidence.n_samples
        words = f"{net!r}; loss: {net.loss.name.replace('_', ' ')}"
        if n > 1:
            words += f", {'mean' if net.objective.reduction == 'mean' else 'sum'} over {n} samples"
        penalties = [f"{penalty.name} = {strength:g}" for penalty, strength in net.objective.penalties]
        yield Paragraph((", ".join([words, *penalties]) + ".",))
        known = None if n > 1 or raw is None else net.encoding
        origins = () if known is None or raw is None else row_origins(known, raw)
        if picture:
            yield Figure(self._drawing(targets, self._drawn_sample(targets), origins))
        if known is not None:
            last, outputs = self.evidence.n_layers, range(net.sizes[-1])
            neurons = [str(self.writer.notation.neuron(last, k)) for k in outputs]
            wanted = [self.writer.notation.of(Quantity("y", last, (k,))) for k in outputs]
            yield from origin_part(known, origins, self.evidence.y[0], neurons, wanted)

    def _drawn_sample(self, targets: Sequence[Target]) -> int:
        """The sample whose numbers are drawn: the one that the first derivation of a parameter follows."""
        parameters = (target.parameter for target in targets)
        first = next((parameter for parameter in parameters if parameter is not None), None)
        return 0 if first is None else self.gradients.followed(first)[0].sample

    def _drawing(self, targets: Sequence[Target], sample: int, origins: Sequence[InputOrigin]) -> Drawing:
        digits = min(self.digits, 6) if isinstance(self.digits, int) else 6
        notation, last = self.writer.notation, self.evidence.n_layers
        meant = enumerate(output_names(self.net.encoding, self.net.sizes[-1]))
        outputs = [" ".join(dict.fromkeys([notation.label(last, k), name])) for k, name in meant]
        drawing = draw(
            self.net, self.evidence.trace, self.evidence.grads, self.evidence.y,
            sample=sample, inputs=notation.inputs, outputs=outputs or None,
            cells=[origin.cell if len(origin.sides) > 1 else "" for origin in origins],
            tags=_target_colours(self.net, targets), notation=notation,
            routes=self._routes(targets),
            number=lambda value: text(measured(value), digits),
        )  # fmt: skip
        if self.evidence.n_samples == 1:
            return drawing
        whose = f"The numbers are those of sample {notation.sample(sample)}."
        return replace(drawing, caption=f"{whose} {drawing.caption}".rstrip())

    def _routes(self, targets: Sequence[Target]) -> list[Sequence[tuple[int, int]]]:
        """The paths that the first derivation of a parameter follows one by one."""
        first = next((target.parameter for target in targets if target.parameter is not None), None)
        if first is None or self.gradients.by_delta:
            return []
        a = self.gradients.followed(first)[0].at("a")
        return [path.neurons for path in self.gradients.paths_apart(a)]

    # ------------------------------------------------------------------ what was asked for

    def target(self, target: Target) -> Iterator[Block]:
        """The blocks of one target."""
        if target.kind in self._parts:
            yield from self._parts[target.kind]()
        elif target.whole:
            kinds = {"layer": "zadWb", "delta": "d"}.get(target.kind, target.kind)
            yield from self._layer_part(target.layer, kinds)
        elif target.parameter is not None:
            yield from self.gradients.parameter(target.parameter)
            yield from self._update_part(target.parameter)
        elif target.kind == "delta":
            for sample in range(min(self.evidence.n_samples, 3)):
                yield from self.gradients.delta_part(Quantity("delta", target.layer, target.index, sample))
        else:
            yield from quantity_part(self.writer, target.kind, target.layer, *target.index)

    def _layer_part(self, layer: int, kinds: str, level: int = 2) -> Iterator[Block]:
        """Matrices; or, in tutorial notation, which has none, matrix notation."""
        writer = self.writer
        if self.neuron_by_neuron:
            evidence, old = self.evidence, writer.notation
            matrices = MatrixNotation(self.net, old.inputs, evidence.n_samples, evidence.cost_is_loss)
            writer = LineWriter(evidence, matrices, writer.rounded.decimals if writer.rounded else None)
        yield from LayerDerivation(writer, layer).blocks(kinds, level)

    def _forward_part(self) -> Iterator[Block]:
        if self.neuron_by_neuron:
            yield from forward_part(self.writer)
            return
        yield Heading(("Forward pass",))
        for layer in range(1, self.evidence.n_layers + 1):
            yield from self._layer_part(layer, "za", 3)

    def _backward_part(self) -> Iterator[Block]:
        if self.neuron_by_neuron:
            yield from self.gradients.backward_part()
            return
        yield Heading(("Backward pass",))
        for layer in range(self.evidence.n_layers, 0, -1):
            yield from self._layer_part(layer, "dWb", 3)

    def _update_part(self, p: Quantity | None = None) -> Iterator[Block]:
        """Of one parameter, or of all."""
        if self.updates is not None:
            yield from self.updates.table() if p is None else self.updates.parameter(p)
        elif self.searches:
            yield from _NO_STEP

    # ------------------------------------------------------------------ by hand

    def _rounding_part(self) -> Iterator[Block]:
        hand = self.writer.rounded
        if hand is None:
            return
        yield Heading(("By hand",))
        yield Paragraph((f"Every step was rounded to {hand.decimals} decimals. The effect on the results:",))
        rows = []
        for leaf in self.writer.results:
            rounded, exact = hand(leaf), self.evidence(leaf)
            apart = f"{abs(rounded - exact) / abs(exact):.2%}" if exact else "–"
            numbers = (self.writer.number(leaf, rounded), measured(exact), measured(rounded - exact))
            rows.append((*self.writer.words(leaf), *numbers, apart))
        yield TableBlock(("result", "by hand", "exact", "off by", "relative"), tuple(rows))


_NO_STEP = (
    Heading(("The update",), 3),
    Paragraph(
        ("L-BFGS finds its step by a line search over several gradients: no single formula gives the value.",)
    ),
)


def _target_colours(net: Network, targets: Sequence[Target]) -> dict[str, int]:
    """The colours of what was asked for, as the first derivation of a parameter has them."""
    called = TutorialNotation(net).label
    for target in targets:
        if target.index:
            neuron = called(target.layer, target.index[-1])
            if target.kind != "W":
                return {neuron: 0}
            source = called(target.layer - 1, target.index[0])
            weight = weight_number(net.sizes, target.layer, *target.index)
            return {neuron: 1, source: 2, f"w{weight}": 2}
    return {}
