# ruff: noqa: B018
import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="T4: the hand calculation")

with app.setup:
    from math import exp

    import marimo as mo
    import matplotlib.pyplot as plt

    import deltarule as dr
    from deltarule.tutorials import computed_figures, load_example


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # T4: the hand calculation

    The same kind of network as in T1: two inputs, two hidden neurons, two outputs, sigmoids, half squared
    error. This time the question is what it takes to do it *by hand*: every factor of two weights, one near
    the output and one near the input; how many decimals to carry along; and how to spot a slip. Then we let
    the computer go on, and end with the same network learning to repeat its own input.

    | symbol | what it is |
    | :-- | :-- |
    | $i_1, i_2$ | the inputs |
    | $h_1, h_2$; $o_1, o_2$ | hidden neurons; output neurons |
    | $w_1 \dots w_4$ | weights into $h_1$ (from $i_1$, $i_2$), then into $h_2$ |
    | $w_5 \dots w_8$ | weights into $o_1$ (from $h_1$, $h_2$), then into $o_2$ |
    | $b_1, b_2$ | biases, one for each layer; they stay as they are |
    | $\mathrm{net}$, $\mathrm{out}$ | the weighted input of a neuron, and its output |
    | $y_{o1}, y_{o2}$ | the targets |
    | $E$ | the loss (or error), made of a term $E_{o1}$ and a term $E_{o2}$ |
    | $\eta$ | the learning rate, 0.1 |
    """)
    return


@app.cell
def _():
    example = load_example("T4")
    net = example.network()
    print("inputs ", example.X[0])
    print("targets", example.Y[0])
    print("weights", *(f"{name} = {value}" for name, value in example.weights.items()))
    return example, net


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Forward

    A weighted sum, then the sigmoid $\sigma(z) = 1 / (1 + e^{-z})$, for each neuron:

    $$
    \mathrm{net}_{h1} = w_1 i_1 + w_2 i_2 + b_1 \qquad\quad \mathrm{out}_{h1} = \sigma(\mathrm{net}_{h1})
    \qquad\quad \mathrm{net}_{o1} = w_5 \, \mathrm{out}_{h1} + w_6 \, \mathrm{out}_{h2} + b_2 \qquad \dots
    $$

    By hand, with a pocket calculator:
    """)
    return


@app.cell
def _():
    net_h1 = 0.25 * 0.02 + 0.25 * 0.04 + 0.40
    net_h2 = 0.15 * 0.02 + 0.20 * 0.04 + 0.40
    out_h1 = 1 / (1 + exp(-net_h1))
    out_h2 = 1 / (1 + exp(-net_h2))
    net_o1 = 0.30 * out_h1 + 0.35 * out_h2 + 0.70
    net_o2 = 0.40 * out_h1 + 0.35 * out_h2 + 0.70
    out_o1 = 1 / (1 + exp(-net_o1))
    out_o2 = 1 / (1 + exp(-net_o2))
    print(f"net_h1 = {net_h1:.9f}   out_h1 = {out_h1:.9f}")
    print(f"net_h2 = {net_h2:.9f}   out_h2 = {out_h2:.9f}")
    print(f"net_o1 = {net_o1:.9f}   out_o1 = {out_o1:.9f}")
    print(f"net_o2 = {net_o2:.9f}   out_o2 = {out_o2:.9f}")
    return out_h1, out_h2, out_o1, out_o2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    `computed_figures` collects everything the package computes on the way, under the same names. Beside what
    the source prints:
    """)
    return


@app.cell
def _(example, net):
    ours = computed_figures(net, example.X, example.Y)
    print("              published       ours")
    for _name, _published in example.published.items():
        if _name in ours:
            _mark = "" if abs(ours[_name] - _published) < 2e-9 else "   <-- not the same"
            print(f"{_name:16} {_published:.9f}   {ours[_name]:.9f}{_mark}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ### A slip in the total

    All agree but one: the total error. (In the last digit of $\mathrm{net}_{o1}$ the source cut off where we
    round.) By its definition

    $$
    E = E_{o1} + E_{o2}
    = \tfrac12 (\mathrm{out}_{o1} - y_{o1})^2 + \tfrac12 (\mathrm{out}_{o2} - y_{o2})^2
    $$

    With a slip like this the difference itself is the best clue. It is half of the first term: that term was
    halved twice.
    """)
    return


@app.cell
def _(example, out_o1, out_o2):
    E_o1 = (out_o1 - 0.5) ** 2 / 2
    E_o2 = (out_o2 - 0.9) ** 2 / 2
    print(f"E_o1 + E_o2                = {E_o1:.8f} + {E_o2:.8f} = {E_o1 + E_o2:.9f}")
    print(f"E_o1 halved again + E_o2   = {E_o1 / 2:.8f} + {E_o2:.8f} = {E_o1 / 2 + E_o2:.9f}")
    print(f"published                                            {example.published['E']:.9f}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The slip does no harm to the training: gradients are computed from the outputs and targets, not from $E$.

    ## Backward: the weight $w_6$

    It leads from $h_2$ to $o_1$. Three links join it to the loss: $w_6$ changes $\mathrm{net}_{o1}$, that
    changes $\mathrm{out}_{o1}$, and that changes $E$.

    $$
    \frac{\partial E}{\partial w_6}
    = \frac{\partial E}{\partial \mathrm{out}_{o1}}
    \cdot \frac{\partial \mathrm{out}_{o1}}{\partial \mathrm{net}_{o1}}
    \cdot \frac{\partial \mathrm{net}_{o1}}{\partial w_6}
    = (\mathrm{out}_{o1} - y_{o1}) \cdot \mathrm{out}_{o1} (1 - \mathrm{out}_{o1}) \cdot \mathrm{out}_{h2}
    $$

    Each fraction is read "how fast the upper one grows with the lower one". The update then goes against the
    gradient: $w_6 \leftarrow w_6 - \eta \cdot \partial E / \partial w_6$.
    """)
    return


@app.cell
def _(out_h2, out_o1):
    dE_dw6 = (out_o1 - 0.5) * out_o1 * (1 - out_o1) * out_h2
    print(f"dE/dw6 = {out_o1 - 0.5:.9f} · {out_o1 * (1 - out_o1):.9f} · {out_h2:.9f} = {dE_dw6:.9f}")
    print(f"new w6 = 0.35 - 0.1 · {dE_dw6:.9f} = {0.35 - 0.1 * dE_dw6:.9f}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The package's derivation of the same, link by link. With an optimizer (here `dr.SGD(0.1)`, plain gradient
    descent with learning rate 0.1) it ends with the update:
    """)
    return


@app.cell
def _(example, net):
    dr.explain(net, example.X, example.Y, "w6", optimizer=dr.SGD(0.1))
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The weight $w_1$: a sum over two paths

    $w_1$ changes $\mathrm{out}_{h1}$. From there the loss is reached by two paths, through $o_1$ and through
    $o_2$, and their contributions add up:

    $$
    \frac{\partial E}{\partial w_1}
    = \left( \frac{\partial E_{o1}}{\partial \mathrm{out}_{h1}} +
    \frac{\partial E_{o2}}{\partial \mathrm{out}_{h1}} \right)
    \cdot \frac{\partial \mathrm{out}_{h1}}{\partial \mathrm{net}_{h1}}
    \cdot \frac{\partial \mathrm{net}_{h1}}{\partial w_1}
    $$

    $$
    \frac{\partial E_{o1}}{\partial \mathrm{out}_{h1}}
    = (\mathrm{out}_{o1} - y_{o1}) \cdot \mathrm{out}_{o1} (1 - \mathrm{out}_{o1}) \cdot w_5
    \qquad
    \frac{\partial E_{o2}}{\partial \mathrm{out}_{h1}}
    = (\mathrm{out}_{o2} - y_{o2}) \cdot \mathrm{out}_{o2} (1 - \mathrm{out}_{o2}) \cdot w_7
    $$
    """)
    return


@app.cell
def _(out_h1, out_o1, out_o2):
    from_o1 = (out_o1 - 0.5) * out_o1 * (1 - out_o1) * 0.30
    from_o2 = (out_o2 - 0.9) * out_o2 * (1 - out_o2) * 0.40
    dE_dw1 = (from_o1 + from_o2) * out_h1 * (1 - out_h1) * 0.02
    print(f"from o1  {from_o1:+.9f}")
    print(f"from o2  {from_o2:+.9f}")
    print(f"together {from_o1 + from_o2:+.9f}")
    print(f"dE/dw1 = {dE_dw1:.12f}")
    print(f"new w1 = {0.25 - 0.1 * dE_dw1:.12f}")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    The first path pulls one way, the second the other way, and little is left: the output $o_1$ is too large,
    $o_2$ too small, and $w_1$ has a hand in both. Differences of nearly equal numbers are where rounding
    hurts most.

    ## How many decimals?

    `by_hand=4` rounds every step to four decimals, as one does on paper, and reports at the end how much
    difference that makes. Choose another number of decimals:
    """)
    return


@app.cell
def _():
    decimals = mo.ui.slider(2, 12, value=4, label="decimals", show_value=True)
    decimals
    return (decimals,)


@app.cell
def _(decimals, example, net):
    dr.explain(
        net,
        example.X,
        example.Y,
        "w1",
        by_hand=decimals.value,
        optimizer=dr.SGD(0.1),
    )
    return


@app.cell
def _(example, net):
    places = list(range(2, 13))
    errors = {}
    for _name in ("w6", "w1"):
        _exact = computed_figures(net, example.X, example.Y)[f"dE_d{_name}"]
        _rounded = [
            dr.explain(net, example.X, example.Y, _name, by_hand=n).values[f"∂E/∂{_name}"] for n in places
        ]
        errors[_name] = [abs(value - _exact) / abs(_exact) for value in _rounded]
    print("relative error of")
    print("decimals             ∂E/∂w6            ∂E/∂w1")
    for _n, _w6, _w1 in zip(places, errors["w6"], errors["w1"], strict=True):
        print(f"{_n:8} {_w6:17.1e} {_w1:17.1e}")
    return errors, places


@app.cell
def _(errors, places):
    round_fig, round_ax = plt.subplots(figsize=(5.5, 3), layout="constrained")
    for _name, _errors in errors.items():
        round_ax.semilogy(places, _errors, "o-", ms=4, label=f"∂E/∂{_name}")
    round_ax.set(xlabel="decimals kept at each step", ylabel="relative error", xticks=places)
    round_ax.grid(alpha=0.3)
    round_ax.legend(frameon=False)
    round_fig
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    With four decimals $w_6$ is fine, and $w_1$ gets no gradient at all: 0.000018 rounds to zero. What counts
    on paper are *significant digits* (those after the leading zeros), not decimals.

    ## Training on to the targets

    Update after update, 10,000 times. The targets are 0.5 and 0.9.
    """)
    return


@app.cell
def _(example):
    trained = example.network()
    outputs = [trained.predict(example.X)[0]]
    for _ in range(100):
        example.train(trained, epochs=100)
        outputs.append(trained.predict(example.X)[0])
    print("outputs after 10,000 updates:", outputs[-1].round(9))
    print(f"E = {trained.cost(example.X, example.Y):.4e}")
    return (outputs,)


@app.cell
def _(outputs):
    path_fig, path_ax = plt.subplots(figsize=(5.5, 3), layout="constrained")
    for _k, _target, _colour in ((0, 0.5, "C0"), (1, 0.9, "C1")):
        path_ax.plot(
            range(0, 10_001, 100),
            [row[_k] for row in outputs],
            _colour,
            label=f"output o{_k + 1}",
        )
        path_ax.axhline(_target, color=_colour, ls=":", lw=1)
    path_ax.set(xlabel="update", ylabel="output", title="dotted: the targets")
    path_ax.legend(frameon=False)
    path_fig
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    One sample, eight weights, two targets: there are many ways to meet them, and training finds one. For any
    update on the way, `dr.explain_update` says why a weight changed as it did. This is $w_1$ at update 1,000:
    """)
    return


@app.cell
def _(example):
    history = example.train(example.network(), epochs=1_000)
    dr.explain_update(history, 1_000, "w1")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The same network as an autoencoder

    An *autoencoder* is a network whose target is its own input. What passes through the hidden layer must be
    enough to make the input again. Nothing changes but the targets, now 0.02 and 0.04; in the example's file
    it says `y = "x"`.
    """)
    return


@app.cell
def _():
    copier_example = load_example("T4_autoencoder")
    copier = copier_example.network()
    print("targets", copier_example.Y[0])
    print("       0 updates:", copier.predict(copier_example.X)[0].round(6))
    for _done in (10_000, 20_000, 30_000):
        copier_example.train(copier)
        print(f"{_done:8,} updates:", copier.predict(copier_example.X)[0].round(6))
    return copier_example


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    It gets there, but slowly. The outputs must come down to 0.02 and 0.04, where the sigmoid is flat: its
    slope $\mathrm{out}\,(1 - \mathrm{out})$ is only about 0.02 there, and every gradient carries this factor.
    With the *identity* in place of the sigmoid in the output layer ($\mathrm{out} = \mathrm{net}$, slope 1)
    the copy is exact in no time:
    """)
    return


@app.cell
def _(copier_example):
    straight = copier_example.network(output="identity")
    copier_example.train(straight, epochs=1_000)
    print("1,000 updates:", straight.predict(copier_example.X)[0].round(12))
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## To take away

    * Every factor of the chain rule is a small formula of its own; write each one down with its number.
    * A weight further back: one path for each way to the loss, and their sum.
    * Carry significant digits, not decimals, and be careful where contributions nearly cancel.
    * When a printed figure differs from yours, look at the difference: it often tells which term went wrong.

    On the command line: `deltarule explain T4 w6 w1 --by-hand 4`, `deltarule train T4_autoencoder`,
    `deltarule reproduce T4`.

    *Source:* A hand calculation in the style of Matt Mazur's, with different numbers. We do not know its
    author.
    """)
    return


if __name__ == "__main__":
    app.run()
