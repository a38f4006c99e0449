# ruff: noqa: B018
import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="T2: matrices")

with app.setup:
    import marimo as mo
    import matplotlib.pyplot as plt
    import numpy as np

    import deltarule as dr
    from deltarule.tutorials import load_example


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # T2: matrices

    Naming every neuron (as in T1) is clear, and soon tedious. Matrices say the same for a whole layer and for
    all samples at once, in one line of code per formula. Here a network with three inputs, four hidden
    neurons and one output learns a truth table. A training loop of ten lines of NumPy does it; then we see
    that the package computes the same.

    ## The data

    Each row of $X$ is one *sample*, each column one input. The answer $y$ is 1 where exactly one of the first
    two inputs is 1, otherwise 0. The third input is always 1.
    """)
    return


@app.cell
def _():
    X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=float)
    Y = np.array([[0], [1], [1], [0]], dtype=float)
    np.hstack([X, Y])
    return X, Y


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The symbols

    | symbol | in code | shape | what it is |
    | :-- | :-- | :-- | :-- |
    | $X$ | `X` | 4 × 3 | a row for each sample, a column for each input |
    | $Y$ | `Y` | 4 × 1 | the targets |
    | $W_1$ | `W1` | 3 × 4 | weights of layer 1: rows are inputs, columns neurons |
    | $W_2$ | `W2` | 4 × 1 | weights of layer 2 |
    | $Z_1, Z_2$ | `Z1`, `Z2` | 4 × 4, 4 × 1 | weighted inputs: rows are samples, columns neurons |
    | $A_1, A_2$ | `A1`, `A2` | 4 × 4, 4 × 1 | outputs of the neurons; $A_2$ is the prediction |
    | $\delta_1, \delta_2$ | `delta1`, `delta2` | like $Z$ | "delta": how fast $L$ grows with each $z$ |
    | $L$ | `loss` | one number | the loss |
    | $\eta$ | `eta` | one number | the learning rate |

    There are no biases. The third input stands in for them: it is always 1, so its weights are added to every
    sample, which is what a bias does. (Only layer 1 has such an input.)

    The initial weights are drawn at random, uniformly between 0 and 1. A *seed* makes the draw repeatable.
    """)
    return


@app.cell
def _():
    first = load_example("T2").network(seed=0)
    W1, W2 = first.get_weights()[0]
    print("W1 =")
    print(W1.round(4))
    print("W2 =")
    print(W2.round(4))
    return W1, W2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Forward

    $$Z_1 = X W_1 \qquad A_1 = \sigma(Z_1) \qquad Z_2 = A_1 W_2 \qquad A_2 = \sigma(Z_2)$$

    with the sigmoid $\sigma(z) = 1 / (1 + e^{-z})$, applied to each number. In code, `@` is the matrix
    product.
    """)
    return


@app.function
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@app.cell
def _(W1, W2, X):
    Z1 = X @ W1
    A1 = sigmoid(Z1)
    Z2 = A1 @ W2
    A2 = sigmoid(Z2)
    print("A1 =")
    print(A1.round(4))
    print("A2 =")
    print(A2.round(4))
    return A1, A2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Before training the prediction is near 0.8 for every sample. How wrong is that? The *squared error*,
    without a half, added up over the samples $n$:

    $$L = \sum_n (a_n - y_n)^2$$
    """)
    return


@app.cell
def _(A2, Y):
    loss = ((A2 - Y) ** 2).sum()
    print(f"L = {loss:.6f}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Backward

    The derivative of $(a - y)^2$ is $2 (a - y)$: without the half in the loss, a 2 appears here. Then the
    chain rule, a whole layer at once. $\odot$ multiplies entry by entry; ${}^{\mathsf T}$ swaps rows and
    columns.

    $$
    \begin{aligned}
    \delta_2 &= 2 (A_2 - Y) \odot A_2 \odot (1 - A_2)
    & \frac{\partial L}{\partial W_2} &= A_1^{\mathsf T} \delta_2 \\
    \delta_1 &= \delta_2 W_2^{\mathsf T} \odot A_1 \odot (1 - A_1)
    & \frac{\partial L}{\partial W_1} &= X^{\mathsf T} \delta_1
    \end{aligned}
    $$

    Two things to remember. A gradient has the shape of what it is the gradient of. And the product
    $X^{\mathsf T} \delta_1$ adds up over the samples by itself: that is where "full batch" happens.
    """)
    return


@app.cell
def _(A1, A2, W2, X, Y):
    delta2 = 2 * (A2 - Y) * A2 * (1 - A2)
    dW2 = A1.T @ delta2
    delta1 = delta2 @ W2.T * A1 * (1 - A1)
    dW1 = X.T @ delta1
    print("dW2 =")
    print(dW2.round(6))
    print("dW1 =")
    print(dW1.round(6))
    return dW1, dW2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The package finds the same, to the last digits a computer keeps:
    """)
    return


@app.cell
def _(X, Y, dW1, dW2):
    net = dr.Network(
        [3, 4, 1],
        activation="sigmoid",
        output="sigmoid",
        loss="squared_error",
        reduction="sum",
        bias="none",
        initializer="uniform(0, 1)",
        seed=0,
    )
    grads = net.backward(net.forward(X), Y)
    print(np.allclose(grads[0].dW, dW1, rtol=1e-12), np.allclose(grads[1].dW, dW2, rtol=1e-12))
    return (net,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    and it can show its work, matrix by matrix. Everything you saw above is here, with the numbers inserted:
    """)
    return


@app.cell
def _(X, Y, net):
    dr.explain(net, X, Y, ["layer2", "layer1"], digits=4)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The whole training

    Forward, backward, update; 1,000 times:

    $$W \leftarrow W - \eta \cdot \frac{\partial L}{\partial W} \qquad\text{with}\qquad \eta = 1$$
    """)
    return


@app.function
def train_by_hand(X, Y, W1, W2, updates, eta=1.0):
    """The weights after so many updates."""
    W1, W2 = W1.copy(), W2.copy()
    for _ in range(updates):
        A1 = sigmoid(X @ W1)
        A2 = sigmoid(A1 @ W2)
        delta2 = 2 * (A2 - Y) * A2 * (1 - A2)
        delta1 = delta2 @ W2.T * A1 * (1 - A1)
        W2 -= eta * A1.T @ delta2
        W1 -= eta * X.T @ delta1
    return W1, W2


@app.cell
def _(W1, W2, X, Y):
    trained_W1, trained_W2 = train_by_hand(X, Y, W1, W2, 1_000)
    prediction = sigmoid(sigmoid(X @ trained_W1) @ trained_W2)
    print("inputs    target   prediction")
    for _x, _y, _a in zip(X, Y, prediction, strict=True):
        print(*_x.astype(int), f"{_y[0]:11.0f}   {_a[0]:.6f}")
    return (prediction,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Note the order inside the loop: both deltas are computed before either matrix is changed.

    In the package the loop is one call. `batch_size=None` means that each update uses all samples:
    """)
    return


@app.cell
def _(X, Y, net, prediction):
    trained = net.copy()
    dr.train(trained, X, Y, optimizer=dr.SGD(1.0), epochs=1_000, batch_size=None)
    print(trained.predict(X).round(6).ravel())
    print("as by hand:", np.allclose(trained.predict(X), prediction, rtol=1e-9))
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Several seeds

    The source prints its predictions: 0.0219, 0.9728, 0.9572, 0.0429. It names no seed, so nobody can get
    exactly these figures. What one can do is start from several seeds, and see how far the results differ
    among themselves. The published figures are no further from ours than ours are from each other, except for
    a thousandth.
    """)
    return


@app.cell
def _(X):
    example = load_example("T2")
    published = list(example.published.values())
    runs = []
    print("             0 0 1     0 1 1     1 0 1     1 1 1")
    print("published ", *(f"{a:9.4f}" for a in published))
    for _seed in range(6):
        _net = example.network(seed=_seed)
        runs.append(example.train(_net)["loss"])
        print(f"seed {_seed}    ", *(f"{a:9.4f}" for a in _net.predict(X)[:, 0]))
    return example, runs


@app.cell
def _(runs):
    seeds_fig, seeds_ax = plt.subplots(figsize=(5.5, 3), layout="constrained")
    for _seed, _losses in enumerate(runs):
        seeds_ax.semilogy(_losses, label=f"seed {_seed}", lw=1.2)
    seeds_ax.set(xlabel="update", ylabel="loss L (logarithmic)")
    seeds_ax.grid(alpha=0.3)
    seeds_ax.legend(frameon=False, fontsize=8)
    seeds_fig
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    All runs rest for a while at a loss near 1, which is the loss of answering 0.5 to everything. Then the
    hidden neurons find different things to do, and the loss falls.

    ### Why random at all?

    Start with all weights equal to 0.5 instead. All four hidden neurons compute the same, get the same
    gradient, and stay the same for ever. It is a network with one hidden neuron in four copies, and one is
    not enough here:
    """)
    return


@app.cell
def _(example, X):
    equal = example.network()
    equal.parameters[:] = 0.5
    equal_history = example.train(equal, epochs=5_000)
    print("W1 after 5,000 updates =")
    print(equal.layers[0].W.round(4))
    print("predictions:", equal.predict(X)[:, 0].round(4))
    print(f"loss: {equal_history['loss'][-1]:.4f}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ### Try it

    How does the learning rate change the picture? The loss here is a *sum* over four samples. With the
    *mean*, every gradient would be a quarter, and it would take $\eta = 4$ to do the same as $\eta = 1$ here.
    """)
    return


@app.cell
def _():
    eta = mo.ui.slider(0.1, 20.0, value=5.0, step=0.1, label="learning rate η", show_value=True)
    eta
    return (eta,)


@app.cell
def _(X, eta, example, runs):
    other = example.network(seed=0)
    other_losses = example.train(other, optimizer=dr.SGD(eta.value))["loss"]
    eta_fig, eta_ax = plt.subplots(figsize=(5.5, 3), layout="constrained")
    eta_ax.semilogy(runs[0], label="η = 1")
    eta_ax.semilogy(other_losses, label=f"η = {eta.value}")
    eta_ax.set(xlabel="update", ylabel="loss L (logarithmic)")
    eta_ax.grid(alpha=0.3)
    eta_ax.legend(frameon=False)
    print("predictions:", other.predict(X)[:, 0].round(4))
    eta_fig
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## To take away

    * One line of code for each formula: `Z = X @ W`, `dW = X.T @ delta`, `delta @ W.T` back.
    * Check shapes: `dW` has the shape of `W`, `delta` the shape of `Z`.
    * Whether the loss has a half in it, and whether it is summed or averaged over samples, changes every
      gradient by a constant factor. When your numbers are twice, half or a quarter of somebody else's, look
      there first.
    * Start from random weights, and name the seed.

    On the command line: `deltarule reproduce T2`, `deltarule explain T2 layer1 layer2`.

    *Source:* James Loy, How to build your own Neural Network from scratch in Python, Towards Data Science,
    2018. No licence stated.
    <https://towardsdatascience.com/how-to-build-your-own-neural-network-from-scratch-in-python-68998a08e4f6>
    """)
    return


if __name__ == "__main__":
    app.run()
