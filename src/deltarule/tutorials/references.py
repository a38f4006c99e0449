"""References beside the tutorials: a step of scikit-learn, figures certified by NIST, a course's mistake."""

from __future__ import annotations

import numpy as np

from deltarule.nn.network import Network
from deltarule.tutorials.comparisons import Comparison, compare, compare_figures
from deltarule.tutorials.computed_figures import computed_figures, figures_after_updates
from deltarule.tutorials.example import Example, load_example
from deltarule.tutorials.t1 import BY_MISTAKE

AT_CERTIFIED = (
    "max |θ·∂C/∂θ| / C: at the certified values it must vanish but for their rounding, so be below 1e-6."
)
FITTED = "Reached by L-BFGS from NIST's second start (75, 2.5, 0.07), with the output bias frozen at 0."

#: What a course's solution, copied by many, prints: of the forward pass, and of the weights after one step.
_COURSE_FORWARD = {"out_h1": 0.56, "out_h2": 0.5, "out_o1": 0.48, "out_o2": 0.53, "E": 0.21}
_COURSE_STEP = {
    "W1[0,0]": (0.19, 0.20842148046150222), "W1[0,1]": (-0.41, -0.412606653078458),
    "W1[1,0]": (0.49, 0.5050528882769013), "W1[1,1]": (0.59, 0.5924360081529252),
    "W2[0,0]": (0.07, 0.06536701071316228), "W2[0,1]": (-0.58, -0.5838660995382086),
    "W2[1,0]": (-0.33, -0.33049457855656833), "W2[1,1]": (0.73, 0.7261553387892843),
}  # fmt: skip
COURSE_IS_WRONG = (
    "The source is wrong: to a hidden neuron it passes back the sum of the next layer's gradients ∂E/∂w, "
    "where the sum of delta times weight belongs."
)


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


def product_of_sums() -> list[Comparison]:
    """A course's exercise whose solution passes gradients back: as it should be, then with its mistake.

        wrong:  ∂E/∂out_h = Σ ∂E/∂w      right:  ∂E/∂out_h = Σ delta·w

    Examples
    --------
    >>> [row.quantity for row in product_of_sums() if not row.agrees]
    ['W1[0,0] after 1 update', 'W1[1,0] after 1 update']
    """
    X, Y = np.array([[0.5, 0.3]]), np.array([[0.23, -0.07]])
    rows = []
    for mistaken in (False, True):
        net = Network(
            [2, 2, 2], activation="sigmoid", output="sigmoid", loss="half_squared_error", bias="none"
        )
        net.set_weights({"W1": [[0.2, -0.4], [0.5, 0.6]], "W2": [[0.1, -0.5], [-0.3, 0.8]]})
        figures = computed_figures(net, X, Y)
        trace = net.forward(X)
        grads = net.backward(trace, Y)
        if mistaken:
            back = grads[1].dW.sum(axis=1)
            grads[0].dW[:] = X.T @ (back * net.layers[0].activation.derivative(trace[1].z, trace[1].a))
        net.parameters -= grads.flat
        step = computed_figures(net, X, Y)
        forward = {} if mistaken else _COURSE_FORWARD
        rows += [compare("product_of_sums", name, told, figures[name]) for name, told in forward.items()]
        for name, (told, exact) in _COURSE_STEP.items():
            how, note = (", with the mistake", BY_MISTAKE) if mistaken else ("", COURSE_IS_WRONG)
            quantity = f"{name} after 1 update{how}"
            known = None if mistaken else exact
            rows.append(compare("product_of_sums", quantity, told, step[name], known, note))
    return rows
