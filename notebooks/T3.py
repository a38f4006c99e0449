# ruff: noqa: B018
import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="T3: column vectors")

with app.setup:
    import marimo as mo
    import matplotlib.pyplot as plt
    import numpy as np

    import deltarule as dr
    from deltarule.tutorials import load_example

    np.set_printoptions(linewidth=90)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # T3: column vectors

    Textbooks on the mathematics of neural networks write a sample as a *column*, and put the weights in front
    of it. Here we follow one sample forward and back through a network with two inputs, three hidden neurons
    and one output, in that notation. Each step is a formula, the line of code that says the same, and the
    numbers. At the end the gradients are returned, and nothing is updated: this notebook is about getting
    them right.

    On the way we meet two hidden neurons that cannot learn, and see why.

    ## The symbols

    The small number at the top right is the layer, not a power. Layer 0 is the input.

    | symbol | in code | shape | what it is |
    | :-- | :-- | :-- | :-- |
    | $a^0 = x$ | `a0` | 2 × 1 | the input |
    | $W^1, W^2$ | `W1`, `W2` | 3 × 2, 1 × 3 | weights: a *row* for each neuron, a *column* for each input |
    | $b^1, b^2$ | `b1`, `b2` | 3 × 1, 1 × 1 | biases |
    | $z^1, z^2$ | `z1`, `z2` | 3 × 1, 1 × 1 | weighted inputs of the neurons |
    | $a^1, a^2$ | `a1`, `a2` | 3 × 1, 1 × 1 | outputs of the neurons |
    | $y$ | `y` | 1 × 1 | the target |
    | $C$ | `C` | one number | the cost (the loss of this sample) |
    | $\delta^1, \delta^2$ | `delta1`, `delta2` | 3 × 1, 1 × 1 | "delta": how fast $C$ grows with each $z$ |
    | $\nabla_b, \nabla_W$ | `nabla_b`, `nabla_w` | like $b$ and $W$ | "nabla": the gradients |

    One weight: $w^1_{32}$ belongs to layer 1, leads *to* neuron 3, *from* input 2. First "to", then "from":
    it is the row and the column in $W^1$.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The numbers

    The source draws its input from a random generator with a named seed, and its weights from one without. We
    take the input as it is, and let the same generator draw the weights and biases too, from the normal
    distribution $N(0, 1)$ (mean 0, standard deviation 1). So everybody gets these numbers.
    """)
    return


@app.cell
def _():
    draw = np.random.RandomState(1).randn
    x = 10 * draw(2, 1)
    b1, b2 = draw(3, 1), draw(1, 1)
    W1, W2 = draw(3, 2), draw(1, 3)
    y = np.array([[1.0]])
    print("x =", x, "W1 =", W1, "b1 =", b1, "W2 =", W2, "b2 =", b2, sep="\n")
    return W1, W2, b1, b2, x, y


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Forward

    $$a^0 = x \qquad\qquad z^1 = W^1 a^0 + b^1$$
    """)
    return


@app.cell
def _(W1, b1, x):
    a0 = x
    z1 = W1 @ a0 + b1
    z1
    return a0, z1


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    $$a^1 = \sigma(z^1) \qquad\text{with the sigmoid}\qquad \sigma(z) = \frac{1}{1 + e^{-z}}$$
    """)
    return


@app.function
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@app.cell
def _(z1):
    a1 = sigmoid(z1)
    a1
    return (a1,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    $$z^2 = W^2 a^1 + b^2$$
    """)
    return


@app.cell
def _(W2, a1, b2):
    z2 = W2 @ a1 + b2
    z2
    return (z2,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    $$a^2 = \sigma(z^2)$$
    """)
    return


@app.cell
def _(z2):
    a2 = sigmoid(z2)
    a2
    return (a2,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    $$C = \tfrac12 (a^2 - y)^2$$

    (Only the last little 2 is a power; the one at $a$ is the layer.)
    """)
    return


@app.cell
def _(a2, y):
    C = ((a2 - y) ** 2 / 2).sum()
    print(f"C = {C:.9f}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Backward

    It begins at the output. $\odot$ multiplies entry by entry, and $\sigma'(z) = \sigma(z)(1 - \sigma(z))$
    is the slope of the sigmoid:

    $$\delta^2 = (a^2 - y) \odot \sigma'(z^2)$$
    """)
    return


@app.function
def slope(z):
    return sigmoid(z) * (1 - sigmoid(z))


@app.cell
def _(a2, y, z2):
    delta2 = (a2 - y) * slope(z2)
    delta2
    return (delta2,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Back through the weights. ${}^{\mathsf T}$ swaps rows and columns, so that the sum now runs over the
    neurons that $a^1$ leads *to*:

    $$\delta^1 = (W^2)^{\mathsf T} \delta^2 \odot \sigma'(z^1)$$
    """)
    return


@app.cell
def _(W2, delta2, z1):
    delta1 = W2.T @ delta2 * slope(z1)
    delta1
    return (delta1,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    From the deltas the gradients follow. A bias adds to $z$ directly, so its gradient is delta itself. A
    weight multiplies an input, so its gradient is delta times that input: a column times a row gives the
    whole matrix.

    $$\nabla_{b^l} = \delta^l \qquad\qquad \nabla_{W^l} = \delta^l \, (a^{l-1})^{\mathsf T}$$

    for each layer $l$.
    """)
    return


@app.cell
def _(a0, a1, delta1, delta2):
    nabla_b = [delta1, delta2]
    nabla_w = [delta1 @ a0.T, delta2 @ a1.T]
    print("nabla_b1 =", nabla_b[0], "nabla_b2 =", nabla_b[1], sep="\n")
    print("nabla_w1 =", nabla_w[0], "nabla_w2 =", nabla_w[1], sep="\n")
    return nabla_b, nabla_w


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## All of it as one function

    Here it is for any number of layers. It returns the gradients and changes nothing.
    """)
    return


@app.function
def backprop(weights, biases, x, y):
    """nabla_b and nabla_w of one sample, shaped like the biases and the weights."""
    a, zs = [x], []
    for W, b in zip(weights, biases, strict=True):
        zs.append(W @ a[-1] + b)
        a.append(sigmoid(zs[-1]))
    deltas = [(a[-1] - y) * slope(zs[-1])]
    for W, z in zip(weights[:0:-1], zs[-2::-1], strict=True):
        deltas.insert(0, W.T @ deltas[0] * slope(z))
    nabla_w = [delta @ before.T for delta, before in zip(deltas, a, strict=False)]
    return deltas, nabla_w


@app.cell
def _(W1, W2, b1, b2, nabla_b, nabla_w, x, y):
    found_b, found_w = backprop([W1, W2], [b1, b2], x, y)
    print(all(np.array_equal(*pair) for pair in zip(found_b, nabla_b, strict=True)))
    print(all(np.array_equal(*pair) for pair in zip(found_w, nabla_w, strict=True)))
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The same in the package

    The package writes a sample as a *row* and has a weight's input first, `W[input, neuron]`: its matrices
    are these ones with rows and columns swapped. `docs/notation.md` has the whole dictionary. Up to that swap
    the gradients agree:
    """)
    return


@app.cell
def _(nabla_b, nabla_w):
    example = load_example("T3")
    net = example.network()
    before = net.parameters.copy()
    grads = net.backward(net.forward(example.X), example.Y)
    for _layer, _b, _w in zip(grads, nabla_b, nabla_w, strict=True):
        print(np.allclose(_layer.db, _b.T, atol=1e-15), np.allclose(_layer.dW, _w.T, atol=1e-14))
    print("parameters that moved:", np.count_nonzero(net.parameters != before))
    return example, net


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    `dr.explain` writes derivations in column notation, too:
    """)
    return


@app.cell
def _(example, net):
    dr.explain(net, example.X, example.Y, "all", notation="column", digits=6)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Two neurons that cannot learn

    Look at $\delta^1$ again: about $3 \cdot 10^{-16}$, $0.00014$ and $0$. Nothing is wrong with the formulas.
    The inputs are large, so two hidden neurons have large weighted inputs, and there the sigmoid is flat.
    Such neurons are called *saturated*.
    """)
    return


@app.cell
def _(z1):
    flat_fig, (sigmoid_ax, slope_ax) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", sharex=True)
    axis = np.linspace(-10, 40, 400)
    sigmoid_ax.plot(axis, sigmoid(axis))
    slope_ax.semilogy(axis, np.exp(-abs(axis)) / (1 + np.exp(-abs(axis))) ** 2)
    for _j, _z in enumerate(z1[:, 0], 1):
        sigmoid_ax.plot(_z, sigmoid(_z), "o", label=f"neuron {_j}: z = {_z:.1f}")
        slope_ax.plot(_z, np.exp(-_z) / (1 + np.exp(-_z)) ** 2, "o")
    sigmoid_ax.set(xlabel="z", title="sigmoid of z")
    slope_ax.set(xlabel="z", title="slope of the sigmoid (logarithmic)")
    sigmoid_ax.legend(frameon=False, fontsize=8, loc="lower right")
    for _ax in (sigmoid_ax, slope_ax):
        _ax.grid(alpha=0.3)
    flat_fig
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    What does a slope of $10^{-15}$ mean? The gradient of $w^1_{11}$ is then about $4 \cdot 10^{-15}$. With a
    learning rate of 1, this weight needs more than two hundred thousand million updates to move by 0.001. For
    all practical purposes it stands still.

    It is also the edge of what a computer resolves. Numbers just below 1 come in steps of about
    $1.1 \cdot 10^{-16}$, so $1 - a$ is a whole number of such steps: 72 of them for neuron 1. For neuron 3
    the output rounds to exactly 1, the slope to exactly 0, and its weights get a gradient of exactly 0: no
    learning rate helps. Computed without the detour via $1 - a$, the slopes come out right:
    """)
    return


@app.cell
def _(a1, z1):
    step = np.spacing(0.5)  # the distance between numbers from 0.5 to 1
    print("neuron   1 - a in steps    a (1 - a)        slope, exactly")
    for _j in range(3):
        _a, _z = a1[_j, 0], z1[_j, 0]
        _exact = np.exp(-_z) / (1 + np.exp(-_z)) ** 2
        _steps = (1 - _a) / step
        print(f"{_j + 1:4} {_steps:21,.0f}    {_a * (1 - _a):.6e}     {_exact:.6e}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The remedy is not a better formula but smaller numbers: scale inputs to about 1 (the package's command
    line does so on its own), and draw initial weights small enough for the number of inputs. Here the input
    is multiplied by a factor: with 1 it is what the source has, with 0.1 it is of ordinary size.
    """)
    return


@app.cell
def _():
    factor = mo.ui.slider(0.05, 1.0, value=0.1, step=0.05, label="factor", show_value=True)
    factor
    return (factor,)


@app.cell
def _(W1, W2, b1, b2, factor, x, y):
    scaled_b, scaled_w = backprop([W1, W2], [b1, b2], factor.value * x, y)
    print(f"x = {(factor.value * x).ravel()}")
    print("z1 =", (W1 @ (factor.value * x) + b1).ravel())
    print("delta1 =", scaled_b[0].ravel())
    print("nabla_w1 =", scaled_w[0], sep="\n")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## To take away

    * In column notation $z = W a + b$; delta travels back by $W^{\mathsf T}$; a weight's gradient is
      delta times the input, as column times row.
    * A function that computes gradients returns them. Updating is another function's job.
    * A neuron far out on the sigmoid is saturated: its slope, and with it the gradient of all its weights, is
      next to nothing. Look at $z$ first when a network does not learn.

    On the command line: `deltarule explain T3 all --notation column`, `deltarule reproduce T3`.

    *Source:* Notation after Michael Nielsen, Neural Networks and Deep Learning, chapter 2, Determination
    Press, 2015. Licence: CC BY-NC 3.0. <http://neuralnetworksanddeeplearning.com/chap2.html>
    """)
    return


if __name__ == "__main__":
    app.run()
