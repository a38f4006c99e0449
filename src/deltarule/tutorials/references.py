"""Two references beside the tutorials: one step of scikit-learn, and figures certified by NIST."""

from __future__ import annotations

from deltarule.nn.network import Network
from deltarule.tutorials.comparisons import Comparison, compare, compare_figures
from deltarule.tutorials.computed_figures import figures_after_updates
from deltarule.tutorials.example import Example, load_example

AT_CERTIFIED = (
    "max |θ·∂C/∂θ| / C: at the certified values it must vanish but for their rounding, so be below 1e-6."
)
FITTED = "Reached by L-BFGS from NIST's second start (75, 2.5, 0.07), with the output bias frozen at 0."


def one_step() -> list[Comparison]:
    """One SGD step with L2, beside scikit-learn 1.9.1's.

    Examples
    --------
    >>> all(row.agrees for row in one_step())
    True
    """
    example = load_example("one_step")
    return compare_figures("one_step", example, figures_after_updates(example, (1,)))


def rat42() -> list[Comparison]:
    """y = c1 / (1 + exp(c2 − c3·x)) as a 1-1-1 network, at the certified values and fitted to them.

    Examples
    --------
    >>> all(row.ok for row in rat42())
    True
    """
    example = load_example("rat42")
    certified = example.published
    net = example.network()
    net.set_weights({"W1": certified["c3"], "b1": -certified["c2"], "W2": certified["c1"]})
    rss = "residual sum of squares"
    cost = compare("rat42", f"{rss}, certified c", certified[rss], net.cost(example.X, example.Y))
    rows = [cost, _compare_gradient(net, example)]
    fitted = example.network()
    example.train(fitted)
    (W1, W2), (b1, _) = fitted.get_weights()
    assert b1 is not None
    ours = {"c1": W2.item(), "c2": -b1.item(), "c3": W1.item(), rss: fitted.cost(example.X, example.Y)}
    return rows + [
        compare(
            "rat42", f"{name}, fitted", certified[name], value, note=FITTED, within=1e-6 * certified[name]
        )
        for name, value in ours.items()
    ]


def _compare_gradient(net: Network, example: Example) -> Comparison:
    """The greatest |θ·∂C/∂θ| / C over the parameters that are fitted: 0 at the very minimum."""
    gradient = net.backward(net.forward(example.X), example.Y).flat
    gradient[net.frozen] = 0
    slope = float(abs(gradient * net.parameters).max()) / net.cost(example.X, example.Y)
    quantity = "gradient, scaled, certified c"
    return Comparison("rat42", quantity, None, slope, None, AT_CERTIFIED, ok=slope < 1e-6)
