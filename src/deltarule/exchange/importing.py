"""A network from elsewhere: another library's object, an ONNX file, arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from deltarule.errors import InputError
from deltarule.exchange.from_onnx import found_in_model, network_of_model, read_onnx
from deltarule.exchange.other_libraries import activation_called, row_of
from deltarule.exchange.rebuilding import Found, rebuilt
from deltarule.nn.activations import Activation
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network

__all__ = ["import_network"]

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
    """A network that another library has trained, or that lies in an ONNX file.

    Outputs stay as they were. What acts in training only (dropout, scikit-learn's ``alpha``, optimizers) is
    left out; a log-softmax becomes a softmax. The number type is that of the weights.

    Parameters
    ----------
    source : object
        One of: the path or the bytes of an ONNX file; scikit-learn's MLPClassifier or MLPRegressor; a
        `Sequential` of PyTorch or of Keras; a PyTorch ``state_dict``; a list of arrays ``[W1, b1, W2, b2]``
        with W (n_in, n_out).
    activation : str, Activation, or a sequence with one for each hidden layer, optional
        Where the source does not say it: of a ``state_dict`` and of arrays.
    output : str or Activation, optional
        Of the last layer, where the source does not say it, or ends with plain numbers: PyTorch's
        cross-entropy is trained on what comes before a softmax, which then belongs here.
    loss : str or Loss, optional
        By default the one that belongs to the output.
    features : sequence of str, optional
        A name for each input; by default those that the source knows.
    classes : sequence, optional
        The label of each output; of a single output, the labels for ½ and less, and for more. By default
        those that the source knows. The network has its outputs in ascending order of the labels.

    Returns
    -------
    Network
        With an encoding, where names, labels or a scaling are known.

    Raises
    ------
    InputError
        If the source is none of these, or holds what deltarule has not; the message names it.
    ModelFileError
        If a file is damaged; nothing in it was executed.

    Examples
    --------
    >>> net = import_network([[[0.5], [0.25]], [0.1]], output="sigmoid", classes=["no", "yes"])
    >>> net
    Network(2 → 1 sigmoid, 3 parameters)
    >>> net.encoding.decode(net.predict([[1.0, 1.0]]))
    array(['yes'], dtype='<U3')
    """
    if isinstance(source, str | os.PathLike | bytes):
        model = read_onnx(source)
        own = network_of_model(model)
        if own is not None and all(part is None for part in (activation, output, loss, features, classes)):
            return own
        found = _with_output(found_in_model(model), activation, output)
    else:
        row = row_of(source)
        found = (_with_activations if row.is_silent else _with_output)(row.found(), activation, output)
    if features is not None:
        found = replace(found, features=features)
    return rebuilt(found if classes is None else replace(found, classes=classes), loss)


def _with_activations(found: Found, activation: Name | Sequence[Name] | None, output: Name | None) -> Found:
    """The layers with activations that the caller names."""
    n_hidden = len(found.layers) - 1
    if output is None or (activation is None and n_hidden):
        raise InputError(
            f"weights alone do not say which activations come after them: name those of the "
            f"{n_hidden} hidden layers and of the output, as in activation='relu', output='softmax'"
        )
    hidden = [activation] * n_hidden if isinstance(activation, str | Activation) else list(activation or [])
    if len(hidden) != n_hidden:
        raise InputError(
            f"activation must be one for all or one for each of {n_hidden} hidden layers, got {len(hidden)}"
        )
    names = [*hidden, output]
    layers = [
        replace(layer, activation=activation_called(name))
        for layer, name in zip(found.layers, names, strict=True)
    ]
    return replace(found, layers=tuple(layers))


def _with_output(found: Found, activation: Any, output: Name | None) -> Found:
    """The layers with the output that the caller names, where the source ends with plain numbers."""
    if activation is not None:
        raise InputError("the source says which activations its layers have; leave out activation")
    if output is None:
        return found
    *others, last = found.layers
    named = activation_called(output)
    if last.activation.name not in ("identity", named.name):
        raise InputError(
            f"the last layer has the output {last.activation.name!r}, not {named.name!r}; leave out output"
        )
    return replace(found, layers=(*others, replace(last, activation=named)))
