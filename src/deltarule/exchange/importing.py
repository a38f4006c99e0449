"""A network from elsewhere: another library's object, an ONNX file, arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from deltarule.errors import InputError
from deltarule.exchange.foreign_layers import activation_called
from deltarule.exchange.from_onnx import imported_from_model, network_of_model, read_onnx
from deltarule.exchange.imported_network import ImportedNetwork, build_network
from deltarule.exchange.other_libraries import read_foreign_layers
from deltarule.nn.activations import Activation
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network

Name: TypeAlias = str | Activation


def import_network(
    source: Any,
    *,
    activation: Name | Sequence[Name] | None = None,
    output: Name | None = None,
    loss: str | Loss | None = None,
    features: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
) -> Network:
    """Return a network that another library has trained, or that is stored in an ONNX file.

    The network gives the same outputs, in the number type of the weights; a log-softmax becomes a softmax.
    Whatever matters only in training (dropout, scikit-learn's ``alpha``, optimizers) is left out.

    Parameters
    ----------
    source : object
        The path or the bytes of an ONNX file; scikit-learn's MLPClassifier or MLPRegressor; a `Sequential` of
        PyTorch or Keras; a ``state_dict``; a list of arrays ``[W1, b1, W2, b2]`` with W (n_in, n_out).
    activation : str, Activation, or a sequence with one for each hidden layer, optional
        Needed if the source does not say it, as a ``state_dict`` or arrays do not.
    output : str or Activation, optional
        The activation of the last layer, if the source does not say it or ends before it: "softmax" for a
        network that was trained with PyTorch's cross-entropy.
    loss : str or Loss, by default the one that belongs to the output
    features, classes : sequence, optional
        The names of the inputs and the labels of the outputs (for a single output, the labels for at most ½
        and for more), by default those that the source contains. Outputs are in ascending order of their
        labels.

    Returns
    -------
    Network, with an encoding if names, labels or a scaling are known

    Raises
    ------
    InputError
        If the source is none of these, or contains something that deltarule does not support; the message
        names it.
    ModelFileError
        If a file is damaged; nothing in it was executed.

    Examples
    --------
    >>> net = import_network([[[0.5], [0.25]], [0.1]], output="sigmoid", classes=["no", "yes"])
    >>> net.encoding.decode(net.predict([[1.0, 1.0]]))
    array(['yes'], dtype='<U3')
    """
    model = read_onnx(source) if isinstance(source, str | os.PathLike | bytes) else None
    is_as_written = all(choice is None for choice in (activation, output, loss, features, classes))
    ours = network_of_model(model) if model is not None and is_as_written else None
    if ours is not None:
        return ours
    if model is not None:
        imported = _with_output(imported_from_model(model), activation, output)
    else:
        foreign = read_foreign_layers(source)
        complete = _with_output if foreign.says_activations else _with_activations
        imported = complete(foreign.network(), activation, output)
    return build_network(imported, loss, features, classes)


def _with_activations(
    imported: ImportedNetwork, activation: Name | Sequence[Name] | None, output: Name | None
) -> ImportedNetwork:
    n_hidden = len(imported.layers) - 1
    if output is None or (activation is None and n_hidden):
        raise InputError(
            f"weights alone do not tell which activations follow them: name those of the {n_hidden} "
            "hidden layers and of the output, as in activation='relu', output='softmax'"
        )
    hidden = [activation] * n_hidden if isinstance(activation, str | Activation) else list(activation or [])
    if len(hidden) != n_hidden:
        raise InputError(
            f"activation must be one for all or one for each of {n_hidden} hidden layers, got {len(hidden)}"
        )
    names = [*hidden, output]
    layers = [
        replace(layer, activation=activation_called(name))
        for layer, name in zip(imported.layers, names, strict=True)
    ]
    return replace(imported, layers=tuple(layers))


def _with_output(imported: ImportedNetwork, activation: Any, output: Name | None) -> ImportedNetwork:
    """The layers with the output that the caller names, where the source ends with plain numbers."""
    if activation is not None:
        raise InputError("the source says which activations its layers have; leave out activation")
    if output is None:
        return imported
    *others, last = imported.layers
    named = activation_called(output)
    if last.activation.name not in ("identity", named.name):
        raise InputError(
            f"the last layer has the output {last.activation.name!r}, not {named.name!r}; leave out output"
        )
    return replace(imported, layers=(*others, replace(last, activation=named)))
