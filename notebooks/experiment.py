import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="One experiment, with a table of your own")

with app.setup:
    import tempfile
    from pathlib import Path

    import marimo as mo
    import numpy as np

    import deltarule as dr


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # One experiment, with a table of your own

    A forest station records for each tree its girth, what kind of leaf it has, the day on which it was
    measured, and whether it was felled in the storm. The notes are as notes are: some cells are empty,
    dates are texts, a column merely counts the rows. Which trees fall?

    `dr.experiment` reads the table, decides what you did not specify and reports it, holds rows out, trains
    a network, and scores it on rows it has not seen. A DataFrame would do as well, or a file's name.
    """)
    return


@app.cell
def _():
    rng = np.random.default_rng(11)
    n_trees = 240
    girth = rng.uniform(0.4, 3.2, n_trees)
    leaf = rng.choice(["needle", "broad"], n_trees, p=[0.6, 0.4])
    fell = girth + 1.1 * (leaf == "needle") + rng.normal(0, 0.2, n_trees) > 2.2
    trees = {
        "no": np.arange(1, n_trees + 1),
        "girth": [None if rng.random() < 0.05 else round(float(value), 2) for value in girth],
        "leaf": leaf,
        "measured": [f"{day:02}.{month:02}.2025" for day, month in rng.integers(1, 13, (n_trees, 2))],
        "storm": np.where(fell, "fell", "stands"),
    }
    {name: list(column[:4]) for name, column in trees.items()}
    return (trees,)


@app.cell
def _(trees):
    result = dr.experiment(trees, target="storm", hidden=4, epochs=150, seed=1)
    print(result)
    return (result,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Each line that begins with a point is a decision, with the option that changes it: `(--keep no)` is
    `keep="no"` in Python, as `deltarule train` on the command line is this very function. The same report,
    for programs:
    """)
    return


@app.cell
def _(result):
    report = result.to_dict()
    {name: report[name] for name in ("rows", "penalties", "learning_rate", "why_stopped", "baseline", "test")}
    return


@app.cell
def _(result):
    result.plot()
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## New trees

    Rows go in as they are: a DataFrame, columns by name, records, a file. Values that are missing, or that
    the model has never seen, do not stop the other rows; they are reported as a warning.
    """)
    return


@app.cell
def _(result):
    new_trees = [
        {"girth": 0.6, "leaf": "broad", "measured": "03.05.2025"},
        {"girth": 2.9, "leaf": "needle", "measured": "11.08.2025"},
    ]
    result.predict(new_trees, probabilities=True)
    return (new_trees,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Where an answer comes from

    A network takes numbers near 0, so the girth is scaled,
    $x = (\text{girth} - \text{mean}) / \text{deviation}$; a leaf becomes a 1 for its own kind and 0 for the
    other, a date becomes parts. `inspect` shows that, and every neuron of the network for one row:
    """)
    return


@app.cell
def _(new_trees, result):
    print(result.inspect(new_trees, row=2))
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    `explain` derives a number starting from the raw cell, every factor with its value. Here is the output of
    the network for the second new tree:
    """)
    return


@app.cell
def _(new_trees, result):
    result.explain(new_trees, ["net_h1", "out_h1", "out_o1"], row=2, digits=4, picture=False)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Kept for later

    The file holds the network, how it reads rows, and digests of the rows that trained it. So it
    recognises rows that it has learned from, which say little about new ones:
    """)
    return


@app.cell
def _(result, trees):
    file = Path(tempfile.mkdtemp()) / "storm.safetensors"
    result.save(file)
    model = dr.load_model(file)
    print(model.evaluate(trees))
    return


if __name__ == "__main__":
    app.run()
