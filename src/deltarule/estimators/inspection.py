"""Looking into a fitted estimator: hidden activations, gradients, derivations, pictures; and its export."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import estimator_html_repr
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from deltarule.arrays import Array, check_whole
from deltarule.errors import InputError
from deltarule.estimators.fitted_network import Networked
from deltarule.nn.engines.contract import Samples
from deltarule.nn.engines.reference import outputs_of
from deltarule.nn.network import Network

if TYPE_CHECKING:
    from deltarule.checks.health import HealthReport
    from deltarule.data.encoding import Encoding
    from deltarule.derivations import Derivation

__all__ = ["Looking"]


class Looking(Networked):
    """What the estimators share of showing what they do."""

    def transform(self, X: Any, layer: int | None = None) -> Array:
        """The activations of a hidden layer: the features that the network has made for itself.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
        layer : int, optional
            1 for the first hidden layer; the last one where none is named.

        Returns
        -------
        ndarray, (n_samples, n_neurons)
        """
        check_is_fitted(self, "coefs_")
        x = self._new_inputs(X)
        layers = self._linked().layers[: self._layer(layer)]
        self._transformed_layer = layer  # whose neurons get_feature_names_out then names
        return outputs_of(layers, x)

    def _layer(self, layer: int | None) -> int:
        """The number of a hidden layer, from 1."""
        n_hidden = len(self.network_.layers) - 1
        if not n_hidden:
            raise InputError("transform shows a hidden layer, and hidden_layer_sizes=[] has none")
        if layer is None:
            return self._shown_layer()
        check_whole("layer", layer, 1, n_hidden)
        return int(layer)

    def _shown_layer(self) -> int:
        """The hidden layer that ``transform`` shows."""
        return len(self.network_.layers) - 1

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names of what :meth:`transform` gave last, or will give: ``mlpclassifier0``, …."""
        check_is_fitted(self, "coefs_")
        name = type(self).__name__.lower()
        width = self.network_.sizes[self._layer(self._transformed_layer)]
        return np.array([f"{name}{number}" for number in range(width)], dtype=object)

    def loss_and_gradients(
        self, X: Any, y: Any, sample_weight: Any = None
    ) -> tuple[float, list[Array], list[Array | None]]:
        """The loss that training makes small, and its gradient by the weights and the intercepts.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.

        Returns
        -------
        loss : float
            Penalty included.
        coef_gradients, intercept_gradients : list of ndarray
            Of the shapes of ``coefs_`` and ``intercepts_``.
        """
        net, samples = self._labelled(X, y, sample_weight)
        weight = None if samples.weight is None else samples.weight[:, 0]
        grads = net.backward(net.forward(samples.x), samples.y, weight)
        return net.cost(samples.x, samples.y, weight), [g.dW for g in grads], [g.db for g in grads]

    def explain(self, X: Any, y: Any, what: str | Sequence[str], **options: Any) -> Derivation:
        """Derive any number of the network, as :func:`deltarule.explain` does.

        Parameters
        ----------
        X, y
            Samples; an outline of many, or ``sample=`` one of them.
        what : str, or sequence of them
            ``"W1[0,1]"``, ``"delta2"``, ``"loss"`` …
        options
            ``sample``, ``notation``, ``digits`` …
        """
        from deltarule.derivations import explain

        net, samples = self._labelled(X, y, options.pop("sample_weight", None))
        names = getattr(self, "feature_names_in_", None)
        return explain(
            net, samples.x, samples.y, what, **{"inputs": None if names is None else list(names)} | options
        )

    def health(self, X: Any, y: Any) -> HealthReport:
        """What keeps the network from learning, in plain words, as :func:`deltarule.health` finds it."""
        from deltarule.checks import health

        net, samples = self._labelled(X, y)
        return health(net, samples.x, samples.y, self._history())

    def _labelled(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[Network, Samples]:
        """The network, and samples whose targets are known."""
        check_is_fitted(self, "coefs_")
        X, y = self._validated(X, y, reset=False)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        return self._linked(), self._samples(X, self._encode(X, y), weight)

    def _history(self) -> dict[str, list[float]]:
        """The columns that are known, as a History has them."""
        columns: dict[str, list[float]] = {"epoch": [], "loss": self.loss_curve_}
        columns["epoch"] = [float(epoch) for epoch in range(1, len(self.loss_curve_) + 1)]
        if self.validation_loss_curve_ and len(self.validation_loss_curve_) == len(self.loss_curve_):
            columns["val_loss"] = self.validation_loss_curve_
        return columns

    def plot_loss(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the loss by epoch, and that of the validation samples where there are some.

        Parameters
        ----------
        path : path, optional
            Where to save the picture.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from deltarule.plotting import draw_history, figure, save_figure
        from deltarule.training.history import History

        check_is_fitted(self, "coefs_")
        history = History()
        history.extend(self._history())
        made, (panel,) = figure(1, type(self).__name__)
        draw_history(panel, history, "loss")
        if path is not None:
            save_figure(made, path)
        return made

    def to_network(self) -> Network:
        """A copy of the network, with the names of features and the labels: to explain, save or export it."""
        check_is_fitted(self, "coefs_")
        net = self._linked().copy()
        net.encoding = self._encoding()
        return net

    def _encoding(self) -> Encoding:
        from deltarule.data.encoding import ColumnsEncoding, Encoding, NumberColumn

        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        n = self.n_features_in_
        shift, scale = (np.zeros(n), np.ones(n)) if self._scaling is None else self._scaling
        columns = (
            NumberColumn(str(a), float(b), float(c)) for a, b, c in zip(names, shift, scale, strict=True)
        )
        return Encoding(ColumnsEncoding(tuple(columns)), self._target_encoding())

    def export(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write what computes the same answers without deltarule, as :func:`deltarule.export` does."""
        from deltarule.exchange.exporting import export

        export(self, path, format)

    def _output_names(self) -> list[str] | None:
        """What the outputs stand for, where that has a name."""
        return None

    def _html_repr(self) -> str:
        """For notebooks: scikit-learn's box, and under it the network that was fitted."""
        box = str(estimator_html_repr(self))
        if not hasattr(self, "network_"):
            return box
        from deltarule.derivations.network_drawing import draw
        from deltarule.documents.svg import svg

        names = getattr(self, "feature_names_in_", None)
        drawing = draw(
            self._linked(),
            inputs=None if names is None else [str(name) for name in names],
            outputs=self._output_names(),
        )
        return f'{box}<div style="max-width: 60em; margin-top: 0.5em">{svg(drawing)}</div>'
