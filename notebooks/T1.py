# ruff: noqa: B018
import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="T1: neuron by neuron")

with app.setup:
    from math import exp
    from textwrap import fill

    import marimo as mo
    import matplotlib.pyplot as plt
    import numpy as np

    import deltarule as dr
    from deltarule.tutorials import load_example
    from deltarule.tutorials.t1 import train_mistaken


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # T1: neuron by neuron

    A network small enough to compute with pencil and paper: two inputs, two hidden neurons, two outputs. We
    give every neuron and every weight a name, compute each number once by hand in plain Python, and see that
    the package finds the same. At the end there is a detective story: the tutorial that this example comes
    from published a table of losses, and the table is wrong. We find out why.

    ## The network

    | symbol | what it is |
    | :-- | :-- |
    | $i_1, i_2$ | the two inputs |
    | $h_1, h_2$ | the two hidden neurons, layer 1 |
    | $o_1, o_2$ | the two output neurons, layer 2 |
    | $w_1, w_2$ | the weights that lead from $i_1$ and $i_2$ to $h_1$ |
    | $w_3, w_4$ | the weights that lead from $i_1$ and $i_2$ to $h_2$ |
    | $w_5, w_6$ | the weights that lead from $h_1$ and $h_2$ to $o_1$ |
    | $w_7, w_8$ | the weights that lead from $h_1$ and $h_2$ to $o_2$ |
    | $b_1, b_2$ | the biases: one number shared by both neurons of a layer. They stay as they are |
    | $\mathrm{net}_{h1}$ | the weighted input of a neuron, here of $h_1$ |
    | $\mathrm{out}_{h1}$ | the output of a neuron |
    | $y_{o1}, y_{o2}$ | the targets: what the outputs should be |
    | $E$ | the loss (or error): how far the outputs are from the targets |
    | $\eta$ | the learning rate ("eta"): how far one update goes |
    """)
    return


@app.cell
def _():
    w1, w2, w3, w4 = 0.15, 0.20, 0.25, 0.30
    w5, w6, w7, w8 = 0.40, 0.45, 0.50, 0.55
    b1, b2 = 0.35, 0.60
    i1, i2 = 0.05, 0.10
    y_o1, y_o2 = 0.01, 0.99
    return b1, b2, i1, i2, w1, w2, w3, w4, w5, w6, w7, w8, y_o1, y_o2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Forward: from the inputs to the loss

    A neuron adds up its inputs, each times its weight, and the bias:

    $$\mathrm{net}_{h1} = w_1 i_1 + w_2 i_2 + b_1 \qquad\qquad \mathrm{net}_{h2} = w_3 i_1 + w_4 i_2 + b_1$$
    """)
    return


@app.cell
def _(b1, i1, i2, w1, w2, w3, w4):
    net_h1 = w1 * i1 + w2 * i2 + b1
    net_h2 = w3 * i1 + w4 * i2 + b1
    print(f"net_h1 = {net_h1:.4f}")
    print(f"net_h2 = {net_h2:.4f}")
    return net_h1, net_h2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    and bends the sum with the *sigmoid* $\sigma$, a curve that rises from 0 to 1:

    $$\mathrm{out}_{h1} = \sigma(\mathrm{net}_{h1}) \qquad\text{with}\qquad \sigma(z) = \frac{1}{1 + e^{-z}}$$
    """)
    return


@app.function
def sigmoid(z):
    return 1 / (1 + exp(-z))


@app.cell
def _(net_h1, net_h2):
    out_h1 = sigmoid(net_h1)
    out_h2 = sigmoid(net_h2)
    print(f"out_h1 = {out_h1:.9f}")
    print(f"out_h2 = {out_h2:.9f}")
    return out_h1, out_h2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The output neurons do the same with what the hidden neurons pass on:

    $$
    \mathrm{net}_{o1} = w_5 \, \mathrm{out}_{h1} + w_6 \, \mathrm{out}_{h2} + b_2
    \qquad\qquad \mathrm{out}_{o1} = \sigma(\mathrm{net}_{o1})
    $$
    """)
    return


@app.cell
def _(b2, out_h1, out_h2, w5, w6, w7, w8):
    net_o1 = w5 * out_h1 + w6 * out_h2 + b2
    net_o2 = w7 * out_h1 + w8 * out_h2 + b2
    out_o1 = sigmoid(net_o1)
    out_o2 = sigmoid(net_o2)
    print(f"out_o1 = {out_o1:.9f}   (the target is 0.01)")
    print(f"out_o2 = {out_o2:.9f}   (the target is 0.99)")
    return out_o1, out_o2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Both outputs are off. The *half squared error* says how much, in one number:

    $$
    E = E_{o1} + E_{o2}
    = \tfrac12 (\mathrm{out}_{o1} - y_{o1})^2 + \tfrac12 (\mathrm{out}_{o2} - y_{o2})^2
    $$

    The half is there for convenience: the derivative of $\tfrac12 x^2$ is plain $x$.
    """)
    return


@app.cell
def _(out_o1, out_o2, y_o1, y_o2):
    E_o1 = (out_o1 - y_o1) ** 2 / 2
    E_o2 = (out_o2 - y_o2) ** 2 / 2
    E = E_o1 + E_o2
    print(f"E = {E_o1:.9f} + {E_o2:.9f} = {E:.9f}")
    return (E,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Backward: how each weight changes the loss

    Which way should each weight move? The *gradient* knows: $\partial E / \partial w_5$ is how fast $E$ grows
    when $w_5$ grows and all else stays. The weight $w_5$ does not touch $E$ directly. It changes
    $\mathrm{net}_{o1}$, that changes $\mathrm{out}_{o1}$, and only that changes $E$. The *chain rule*
    multiplies the three rates:

    $$
    \frac{\partial E}{\partial w_5}
    = \frac{\partial E}{\partial \mathrm{out}_{o1}}
    \cdot \frac{\partial \mathrm{out}_{o1}}{\partial \mathrm{net}_{o1}}
    \cdot \frac{\partial \mathrm{net}_{o1}}{\partial w_5}
    = (\mathrm{out}_{o1} - y_{o1}) \cdot \mathrm{out}_{o1} (1 - \mathrm{out}_{o1}) \cdot \mathrm{out}_{h1}
    $$

    The middle factor is the slope of the sigmoid. It happens to be expressible by the sigmoid's own value:
    $\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$.
    """)
    return


@app.cell
def _(out_h1, out_o1, y_o1):
    dE_dout_o1 = out_o1 - y_o1
    dout_o1_dnet_o1 = out_o1 * (1 - out_o1)
    dnet_o1_dw5 = out_h1
    dE_dw5 = dE_dout_o1 * dout_o1_dnet_o1 * dnet_o1_dw5
    print(f"{dE_dout_o1:.9f} · {dout_o1_dnet_o1:.9f} · {dnet_o1_dw5:.9f} = {dE_dw5:.9f}")
    return (dE_dw5,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The package has this network as an example called `T1`. `dr.explain` derives any of its numbers, and shows
    every factor with the value it has:
    """)
    return


@app.cell
def _():
    example = load_example("T1")
    net = example.network()
    dr.explain(net, example.X, example.Y, "w5")
    return example, net


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ### A hidden weight: two paths

    $w_1$ sits further back. It changes $\mathrm{out}_{h1}$, and from there two paths lead to the loss: one
    through $o_1$ by the weight $w_5$, one through $o_2$ by the weight $w_7$. The contributions of both
    paths add up. With the shorthand

    $$
    \delta_{o1} = \frac{\partial E}{\partial \mathrm{net}_{o1}}
    = (\mathrm{out}_{o1} - y_{o1}) \cdot \mathrm{out}_{o1} (1 - \mathrm{out}_{o1})
    $$

    ("delta": how fast the loss grows with a neuron's weighted input) it reads

    $$
    \delta_{h1} = (\delta_{o1} w_5 + \delta_{o2} w_7) \cdot \mathrm{out}_{h1} (1 - \mathrm{out}_{h1})
    \qquad\qquad \frac{\partial E}{\partial w_1} = \delta_{h1} \, i_1
    $$

    Keep an eye on two things. The weights are those that lead *out of* $h_1$, namely $w_5$ and $w_7$. And the
    slope is that of $h_1$ itself. Both will matter for the detective story.
    """)
    return


@app.cell
def _(i1, out_h1, out_o1, out_o2, w5, w7, y_o1, y_o2):
    delta_o1 = (out_o1 - y_o1) * out_o1 * (1 - out_o1)
    delta_o2 = (out_o2 - y_o2) * out_o2 * (1 - out_o2)
    delta_h1 = (delta_o1 * w5 + delta_o2 * w7) * out_h1 * (1 - out_h1)
    dE_dw1 = delta_h1 * i1
    print(f"delta_o1 = {delta_o1:+.9f}")
    print(f"delta_o2 = {delta_o2:+.9f}")
    print(f"    from o1 {delta_o1 * w5:+.9f}")
    print(f"    from o2 {delta_o2 * w7:+.9f}")
    print(f"    slope   {out_h1 * (1 - out_h1):+.9f}")
    print(f"delta_h1 = {delta_h1:+.9f}")
    print(f"dE/dw1   = {dE_dw1:+.12f}")
    return (dE_dw1,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Choose a weight, and see all of its factors:
    """)
    return


@app.cell
def _():
    weight = mo.ui.dropdown([f"w{i}" for i in range(1, 9)], value="w1", label="a weight, w1 to w8")
    weight
    return (weight,)


@app.cell
def _(example, net, weight):
    dr.explain(net, example.X, example.Y, weight.value)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ### Are the gradients right?

    A gradient can be tested without any calculus: move a weight a little to either side, and measure how the
    loss changes. With a small number $\varepsilon$ ("epsilon")

    $$
    \frac{\partial E}{\partial w_1} \approx
    \frac{E(w_1 + \varepsilon) - E(w_1 - \varepsilon)}{2 \varepsilon}
    $$

    Here it is for all eight weights: by the backward pass, and with $\varepsilon = 0.00001$. Beside $w_1$
    stands the package's own name for it: `W1[0,0]` is the weight of layer 1 from input 0 to neuron 0.
    """)
    return


@app.function
def measured_slope(net, X, Y, name, epsilon=1e-5):
    """How fast the loss grows with one weight, from two losses."""
    position = net.select(name)
    losses = []
    for step in (epsilon, -epsilon):
        moved = net.copy()
        moved.parameters[position] += step
        losses.append(moved.cost(X, Y))
    return (losses[0] - losses[1]) / (2 * epsilon)


@app.cell
def _(dE_dw1, dE_dw5, example, net):
    grads = net.backward(net.forward(example.X), example.Y)
    print(f"{'':11}{'backward pass':>17} {'measured':>12}")
    for _i in range(1, 9):
        _position = net.select(f"w{_i}")
        _measured = measured_slope(net, example.X, example.Y, f"w{_i}")
        print(f"w{_i} {net.name_of(int(_position)):8}{grads.flat[_position]:+17.12f} {_measured:+12.9f}")
    assert abs(grads.flat[net.select("w5")] - dE_dw5) < 1e-15  # our own numbers from above
    assert abs(grads.flat[net.select("w1")] - dE_dw1) < 1e-15
    return (grads,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Update: a step downhill

    Every weight takes a step against its gradient, all at the same time:

    $$w \leftarrow w - \eta \cdot \frac{\partial E}{\partial w} \qquad\text{with}\qquad \eta = 0.5$$

    "At the same time" matters. If $w_5$ to $w_8$ are changed first, and $\delta_{h1}$ is computed from the
    *new* $w_5$ and $w_7$, the result is different. An older article on these very numbers makes this mistake,
    and the loss that it prints after one update gives it away.
    """)
    return


@app.cell
def _(example, grads, net):
    together = net.copy()
    together.parameters[together.select("W")] -= 0.5 * grads.flat[net.select("W")]
    print(f"all weights at once:      E = {together.cost(example.X, example.Y):.9f}")
    return


@app.cell
def _(example, grads, net):
    in_turn = net.copy()
    in_turn.layers[1].W -= 0.5 * grads[1].dW  # the output layer first …
    _a = net.forward(example.X)[0].a
    _delta = (grads[1].delta @ in_turn.layers[1].W.T) * _a * (1 - _a)  # … then back through it
    in_turn.layers[0].W -= 0.5 * (example.X.T @ _delta)
    print(f"output weights first:     E = {in_turn.cost(example.X, example.Y):.9f}")
    print("the older article prints: E = 0.291027924")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## 10,000 updates

    Forward, backward, update; and again. `example.train` calls `dr.train` with the example's settings:
    learning rate 0.5, biases frozen.
    """)
    return


@app.cell
def _(example):
    trained = example.network()
    history = example.train(trained)
    print(f"E after {history.epochs:,} updates: {trained.cost(example.X, example.Y):.9f}")
    print(f"outputs {trained.predict(example.X)[0].round(9)}, targets {example.Y[0]}")
    return history, trained


@app.cell
def _(history):
    loss_fig, loss_ax = plt.subplots(figsize=(5.5, 3), layout="constrained")
    loss_ax.loglog(range(1, len(history["loss"]) + 1), history["loss"])
    loss_ax.set(xlabel="update", ylabel="loss E", title="both axes logarithmic")
    loss_ax.grid(alpha=0.3)
    loss_fig
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The first hundred updates do most of the work. After that progress is slow: the nearer the outputs come to
    their targets, the smaller the gradient.

    A different learning rate, the same network: does it learn faster with larger steps?
    """)
    return


@app.cell
def _():
    eta = mo.ui.slider(0.1, 10.0, value=2.0, step=0.1, label="learning rate η", show_value=True)
    eta
    return (eta,)


@app.cell
def _(eta, example, history):
    other = example.network()
    other_history = example.train(other, optimizer=dr.SGD(eta.value), epochs=1_000)
    rate_fig, rate_ax = plt.subplots(figsize=(5.5, 3), layout="constrained")
    rate_ax.semilogy(history["loss"][:1_000], label="η = 0.5")
    rate_ax.semilogy(other_history["loss"], label=f"η = {eta.value}")
    rate_ax.set(xlabel="update", ylabel="loss E (logarithmic)")
    rate_ax.grid(alpha=0.3)
    rate_ax.legend(frameon=False)
    rate_fig
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The published table, and what went wrong

    The source prints the loss after 1, 2, 3, 4 and 10,000 updates. Its network and its first outputs are
    ours, but after one update it has left our path: it prints 0.291028391, where 0.291027774 is right. The
    difference is less than a millionth: too large for rounding, too small to be noticed.

    The mistake is in the hidden layer. For $h_1$:

    $$
    \begin{aligned}
    \text{right:} \quad & \delta_{h1}
    = (\delta_{o1} w_5 + \delta_{o2} w_7) \cdot \mathrm{out}_{h1} (1 - \mathrm{out}_{h1}) \\
    \text{the source:} \quad & \delta_{h1}
    = (\delta_{o1} w_1 + \delta_{o2} w_2) \cdot \mathrm{out}_{o1} (1 - \mathrm{out}_{o1})
    \end{aligned}
    $$

    Two mistakes in one line: the error travels back through the weights that lead *into* $h_1$, and it is
    multiplied by the slope of *another neuron*. Nothing complains, because both layers happen to have the
    same shape. With three hidden neurons there would be no such weights to take by mistake.

    The package keeps this wrong gradient for the record. We train twice, once right and once wrong:
    """)
    return


@app.function
def losses_after(updates, train):
    """The loss of a new T1 network after each of so many updates."""
    example = load_example("T1")
    net, done, losses = example.network(), 0, []
    for update in updates:
        train(example, net, update - done)
        done = update
        losses.append(net.cost(example.X, example.Y))
    return losses


@app.cell
def _(example):
    counts = [1, 2, 3, 4, 10_000]
    right = losses_after(counts, lambda example, net, n: example.train(net, epochs=n))
    wrong = losses_after(counts, train_mistaken)
    published = [example.published[f"E after {n} update{'s' if n > 1 else ''}"] for n in counts]
    print("update     published       wrong gradient  right gradient")
    for _n, _published, _wrong, _right in zip(counts, published, wrong, right, strict=True):
        print(f"{_n:6}     {_published:.9f}     {_wrong:.9f}     {_right:.9f}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The wrong gradient gives the published table, digit by digit. The right one ends nearer to the targets.

    Why did the wrong one learn at all? Because it still points downhill. $w_5$ to $w_8$ get their right
    gradients, and they are by far the largest; the hidden weights get wrong numbers, but small ones. The
    cosine of the angle between the two gradients says how far their directions agree: 1 is the same
    direction, 0 a right angle.
    """)
    return


@app.cell
def _(example, net):
    one_step = net.copy()
    train_mistaken(example, one_step, 1)
    weights = net.select("W")
    wrong_gradient = (net.parameters - one_step.parameters)[weights] / 0.5
    right_gradient = net.backward(net.forward(example.X), example.Y).flat[weights]
    _lengths = np.linalg.norm(wrong_gradient) * np.linalg.norm(right_gradient)
    print(f"cosine of the angle, all weights:    {wrong_gradient @ right_gradient / _lengths:.9f}")
    print("hidden weights, wrong gradient: ", wrong_gradient[:4].round(9))
    print("hidden weights, right gradient: ", right_gradient[:4].round(9))
    return (wrong_gradient,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    So a falling loss proves little. A gradient check would have found the mistake at once: it compares each
    entry with the measured slope.
    """)
    return


@app.cell
def _(example, net, wrong_gradient):
    suspect = net.backward(net.forward(example.X), example.Y).flat
    suspect[net.select("W")] = wrong_gradient
    report = dr.check_gradients(net, example.X, example.Y, gradient=suspect)
    for _line in str(report).splitlines():
        print(fill(_line, 90))
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## To take away

    * Forward: weighted sum, sigmoid; weighted sum, sigmoid; loss.
    * Backward: one factor for each link of the chain; where paths part, their contributions add up.
    * Back through the weights that lead *out of* a neuron, times the slope of *that* neuron.
    * All weights move at once, and only after all gradients are known.
    * Check gradients by measuring. A falling loss is no proof.

    On the command line: `deltarule inspect T1`, `deltarule explain T1 w5 w1`, `deltarule reproduce T1`.

    *Source:* Matt Mazur, A Step by Step Backpropagation Example, 2015. No licence stated. The table of losses
    that is wrong is not his: it was printed with a later program, whose author we do not know.
    <https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/>
    """)
    return


if __name__ == "__main__":
    app.run()
