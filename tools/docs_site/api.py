"""The reference of Python: every public name, in groups, from its docstring; the registries as tables."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

import deltarule as dr
from deltarule.formula.mathml import mathml
from deltarule.formula.tree import formula_of
from deltarule.registry import Registry
from docs_site.pages import table, with_links, write


class Group(NamedTuple):
    """Names that are looked up together."""

    name: str
    title: str
    text: str
    names: str


GROUPS = (
    Group("networks", "Networks", "A network, its layers, and reading it from a file.",
          "Network Dense load Initializer INITIALIZERS"),
    Group("activations", "Activations and losses",
          "What a neuron makes of its weighted input, and what an answer costs.",
          "ACTIVATIONS Activation register_activation LOSSES Loss register_loss"),
    Group("optimizers", "Optimizers", "The rules that turn a gradient into an update.",
          "OPTIMIZERS Optimizer SGD Momentum Nesterov Adagrad RMSprop Adam AdamHat AdamW LBFGS"),
    Group("schedules", "Schedules", "The learning rate as a function of time.",
          "SCHEDULES Schedule Constant Step Exponential InverseScaling Cosine OneCycle WarmUp"),
    Group("training", "Training", "The loop, what it calls after each epoch, and what it leaves behind.",
          "train resume History Run Checkpoint EarlyStopping LocalSGD evaluate METRICS Metric "
          "confusion_matrix"),
    Group("explaining", "Explaining", "Where a number comes from.",
          "explain explain_update Derivation load_example"),
    Group("checking", "Checking", "Whether a backpropagation, or a network, is right.",
          "check check_folder compare assert_backprop_correct Diagnosis check_gradients health"),
    Group("experiments", "Experiments", "From a table to a report, and models that take raw rows.",
          "experiment ExperimentResult FittedModel load_model Encoding fit_encoding"),
    Group("data", "Data", "Sets, tables and pictures.", "datasets Scaled"),
    Group("estimators", "Estimators", "scikit-learn's interface; these need scikit-learn.",
          "MLPClassifier MLPRegressor MLPAutoencoder"),
    Group("exchange", "To and from other programs",
          "Models of other libraries, and one file that computes the same.",
          "export import_network"),
    Group("teaching", "Teaching", "Worksheets, marking and the playground.", "worksheet mark play"),
    Group("errors", "Errors", "All that deltarule raises.",
          "DeltaruleError InputError ShapeError DataFileError ModelFileError "
          "DivergenceError MissingExtraError"),
)  # fmt: skip

_DATASETS = """## datasets { #deltarule.datasets }

::: deltarule.data
    options:
      show_root_heading: false
      show_root_toc_entry: false"""


def write_api() -> None:
    """Write a page for each group of names, and the list of them all."""
    for group in GROUPS:
        text = [f"# {group.title}", group.text, *map(_entry, group.names.split())]
        write(f"reference/api/{group.name}.md", "\n\n".join(text))
    rows = [
        (f"[`{name}`]({group.name}.md#deltarule.{name})", _first_line(name), group.title)
        for group in GROUPS
        for name in group.names.split()
    ]
    about = "Every public name, after `import deltarule as dr`."
    rows.sort(key=lambda row: row[0].lower())
    write("reference/api/index.md", f"# Python\n\n{about}\n\n{table(('name', 'what it is', 'page'), rows)}")
    nav = "\n".join(["* [All names](index.md)", *(f"* [{one.title}]({one.name}.md)" for one in GROUPS)])
    write("reference/api/.nav.md", nav)


def _first_line(name: str) -> str:
    found = getattr(dr, name)
    if isinstance(found, Registry):
        return f"The known names of each {found.kind}."
    return with_links((inspect.getdoc(found) or "").split("\n\n")[0].replace("\n", " "))


def _entry(name: str) -> str:
    """What mkdocstrings is asked for; of a registry, a table of its records."""
    found = getattr(dr, name)
    if isinstance(found, Registry):
        return _registry(name, found)
    if name == "datasets":
        return _DATASETS
    return f"::: deltarule.{name}"


def _registry(name: str, registry: Registry[Any]) -> str:
    rows = [*_records(registry)]
    columns = ["name", "what it is"] if len(rows[0]) == 2 else ["name", "formula", "derivative"]
    example = f'>>> "{next(iter(registry))}" in dr.{name}\nTrue'
    told = f"The names that stand for each {registry.kind}; arguments may follow in parentheses."
    return (
        f"## {name} {{ #deltarule.{name} }}\n\n{told}\n\n{table(columns, rows)}\n\n```python\n{example}\n```"
    )


def _records(registry: Registry[Any]) -> Iterator[tuple[str, ...]]:
    for name in registry:
        maker = registry.maker(name)
        try:
            record = maker()
        except TypeError:  # one with an argument that has to be given
            record = maker
        if hasattr(record, "derivative_formula"):
            formulas = (record.formula, record.derivative_formula)
            yield (f"`{name}`", *(mathml(formula_of(one)) for one in formulas))
        else:
            told = getattr(record, "formula", "") or (inspect.getdoc(record) or "").split("\n\n")[0]
            yield f"`{name}`", str(told).replace("\n", " ")
