"""``deltarule import``: a network from an ONNX file, as one of ours."""

from __future__ import annotations

from pathlib import Path

import click

from deltarule.cli.console import print_json, say
from deltarule.cli.options import FILE, GroupedCommand
from deltarule.data.encoding import LabelEncoding
from deltarule.files import check_writable
from deltarule.nn.network import Network


@click.command("import", cls=GroupedCommand, short_help="Read a network of dense layers from an ONNX file.")
@click.argument("model", type=FILE)
@click.option("--out", "-o", type=FILE, required=True, help="Write the model to this file.")
@click.option("--output", help='The activation after the last layer, if the file has none: "softmax".')
@click.option("--features", metavar="NAMES", help="The names of the inputs, separated by commas.")
@click.option(
    "--classes", metavar="LABELS", help="The classes in the order of the outputs, separated by commas."
)
@click.option("--loss", help="The loss for further training.  [default: what suits the output]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def import_model(
    model: Path,
    out: Path,
    output: str | None,
    features: str | None,
    classes: str | None,
    loss: str | None,
    as_json: bool,
) -> None:
    """Read the network in MODEL, an ONNX file, and save it as a model of deltarule.

    MODEL has to be a sequence of dense layers, as PyTorch, scikit-learn, Keras and deltarule export it,
    with scaling before it and labels after it where there are any. Afterwards deltarule inspect, predict
    and evaluate take the saved model; predict and evaluate need the names of the inputs, which --features
    gives if MODEL has none.

    \b
    Examples:
      deltarule import mlp.onnx -o mlp.safetensors
      deltarule import mlp.onnx -o mlp.safetensors --classes cat,dog
    """
    from deltarule.exchange.importing import import_network

    check_writable(out)
    net = import_network(
        model,
        output=output,
        loss=loss,
        features=None if features is None else _names_in(features),
        classes=None if classes is None else _labels_in(classes),
    )
    net.save(out)
    if as_json:
        print_json(_import_report(net, model, out))
    else:
        say(f"{net!r}, {net.loss.name}: written to {out}")


def _names_in(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _labels_in(text: str) -> list[str] | list[int]:
    """Whole numbers where all of them are, else text."""
    names = _names_in(text)
    try:
        return [int(name) for name in names]
    except ValueError:
        return names


def _import_report(net: Network, model: Path, out: Path) -> dict[str, object]:
    encoding = net.encoding
    target = None if encoding is None else encoding.target
    return {
        "model": str(model),
        "network": repr(net),
        "sizes": net.sizes,
        "activations": [layer.activation.name for layer in net.layers],
        "loss": net.loss.name,
        "features": None if encoding is None else list(encoding.inputs.feature_names),
        "classes": list(target.classes) if isinstance(target, LabelEncoding) else None,
        "written": str(out),
    }
