"""A page for each named mistake: what it is, its numbers, a wrong and a right program, what check says."""

from __future__ import annotations

import linecache
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis import Diagnosis, check
from deltarule.diagnosis.backprop import Backprop, Case, Dropped, Step, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake, Variant
from deltarule.diagnosis.mistakes import MISTAKES
from deltarule.nn.network import Network
from docs_site.pages import PAGES, ROOT, fenced, table, write

_HERE = ROOT / "tools" / "docs_site"
#: The networks that the programs train, made by the package itself: sizes and settings.
_NETWORKS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "sigmoid": ([3, 4, 2], {"activation": "sigmoid", "output": "sigmoid"}),
    "square": ([3, 3, 3], {"activation": "sigmoid", "output": "sigmoid"}),
    "tanh": ([3, 4, 2], {"activation": "tanh", "output": "sigmoid"}),
    "relu": ([3, 5, 2], {"activation": "relu", "output": "sigmoid"}),
    "softmax": ([3, 4, 3], {"activation": "tanh", "output": "softmax", "loss": "cross_entropy"}),
    "one_output": ([3, 4, 1], {"activation": "tanh", "output": "sigmoid", "loss": "binary_cross_entropy"}),
    "logistic": ([3, 1], {"output": "sigmoid", "loss": "binary_cross_entropy"}),
    "penalised": ([3, 4, 2], {"activation": "sigmoid", "output": "sigmoid", "l2": 0.01}),
    "dropout": ([3, 6, 2], {"activation": "sigmoid", "output": "sigmoid"}),
    "one_by_one": ([3, 4, 2], {"activation": "sigmoid", "output": "sigmoid"}),
}
_RATE, _SAMPLES, _UPDATES = 0.3, 7, (0, 10, 100, 1000)


@cache
def said() -> dict[str, dict[str, Any]]:
    """What ``mistakes.toml`` adds to the catalogue, by mistake."""
    return tomllib.loads((_HERE / "mistakes.toml").read_text(encoding="utf-8"))


def programs(key: str) -> tuple[str, str]:
    """Return the right program of a mistake's page, and the wrong one."""
    entry = said()[key]
    right = (_HERE / "programs" / f"{entry['program']}.py").read_text(encoding="utf-8")
    first = right.index(entry["right"].strip("\n").split("\n")[0])
    indent = " " * (first - right.rfind("\n", 0, first) - 1)
    old, new = (textwrap.indent(entry[kind].strip("\n"), indent) for kind in ("right", "wrong"))
    if right.count(old) != 1:
        raise ValueError(
            f"{key}: the line to replace stands {right.count(old)} times in {entry['program']}.py"
        )
    wrong = right.replace(old, new)
    return right, wrong.replace(
        entry.get("also_right", ""), entry["also_wrong"]
    ) if "also_wrong" in entry else wrong


def diagnosis_of(key: str, program: str) -> Diagnosis:
    """What check says of a program: of the file, or, where only a second call shows it, of its function."""
    path = PAGES.parent / "programs" / key / "my_backprop.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(program, encoding="utf-8")
    if "called" not in said()[key]:
        return check(path)
    linecache.checkcache()
    names: dict[str, Any] = {"__name__": "my_backprop"}
    exec(compile(program, str(path), "exec"), names)
    return check(names[said()[key]["called"]])


def write_mistakes() -> None:
    """Write a page for each mistake of the catalogue, and the list of them all."""
    with ThreadPoolExecutor(2) as pool:  # check runs a program in a process of its own
        pages = pool.map(lambda one: "\n\n".join(_page(one)), MISTAKES)
        for mistake, page in zip(MISTAKES, pages, strict=True):
            write(f"mistakes/{mistake.key}.md", page)
    rows = [(f"[{one.title}]({one.key}.md)", f"`{one.wrong}`", f"`{one.right}`") for one in MISTAKES]
    intro = (ROOT / "docs" / "mistakes" / "index.md").read_text(encoding="utf-8").rstrip()
    write("mistakes/index.md", f"{intro}\n\n{table(('mistake', 'as it is', 'as it should be'), rows)}")
    nav = [f"* [{_heading(one)}]({one.key}.md)" for one in MISTAKES]
    write("mistakes/.nav.md", "\n".join(["* [All mistakes](index.md)", *nav]))


def _page(mistake: Mistake) -> Iterator[str]:
    entry, (right, wrong) = said()[mistake.key], programs(mistake.key)
    yield f"# {_heading(mistake)}"
    yield mistake.why
    yield f"As it is: `{mistake.wrong}`  \nAs it should be: `{mistake.right}`"
    yield f"**How to fix it.** {mistake.remedy}"
    yield "## Why it often goes unnoticed"
    yield entry["unnoticed"].strip()
    if entry["program"] in _NETWORKS:
        yield from _numbers(mistake, entry)
    yield "## A wrong program"
    marked = {number for number, line in enumerate(wrong.splitlines(), 1) if line not in right.splitlines()}
    style = f'python hl_lines="{" ".join(map(str, sorted(marked)))}"'
    yield f"<!-- live check -->\n{fenced(wrong, style)}"
    seen = str(diagnosis_of(mistake.key, wrong)).split("\n\nHow the program was understood:")[0]
    yield f"`deltarule check my_backprop.py` says:\n\n{fenced(seen)}"
    yield "## The right program"
    yield f"<!-- live check -->\n{fenced(right, 'python')}"
    if len(mistake.variants) > 1:
        yield "## Other forms of this mistake"
        yield "\n".join(f"* `{one.line}`" for one in _different(mistake.variants))


def _heading(mistake: Mistake) -> str:
    """The title with a capital, unless it begins with a symbol: f, z or tanh′ (``a`` is an article there)."""
    first = mistake.title.split()[0]
    is_symbol = (len(first) == 1 and first != "a") or "′" in first
    return mistake.title if is_symbol else mistake.title[0].upper() + mistake.title[1:]


def _different(variants: tuple[Variant, ...]) -> list[Variant]:
    return list({one.line: one for one in variants}.values())


# ---------------------------------------------------------------------- numbers


def _numbers(mistake: Mistake, entry: Mapping[str, Any]) -> Iterator[str]:
    """How the mistake changes gradients and learning: the package's own network with and without it."""
    chosen = [one for one in mistake.variants if one.line == entry.get("numbers", one.line)]
    for variant in chosen:
        right, wrong = _Lesson(entry["program"]), _Lesson(entry["program"])
        try:
            expected, found = right.gradients({}), wrong.gradients(variant.steps)
        except (Unfit, ValueError, LookupError):
            continue
        if all(
            np.allclose(one, other, 1e-6, 1e-9)
            for one, other in zip(expected.values(), found.values(), strict=True)
        ):
            continue
        yield "## How it looks in the numbers"
        yield f"The package's own network, {right.told}, with the mistake `{variant.line}` made on purpose."
        columns = (
            "gradient",
            "first entry, right",
            "first entry, wrong",
            "length, wrong ÷ right",
            "angle between them",
        )
        yield table(columns, [_compared(name, expected[name], found[name]) for name in expected], "lrrrr")
        losses = [
            (str(n), *(f"{one.after(n, steps):.5f}" for one, steps in ((right, {}), (wrong, variant.steps))))
            for n in _UPDATES
        ]
        yield table(("updates", "loss, right gradients", "loss, wrong gradients"), losses, "rrr")
        return


def _compared(name: str, right: Array, wrong: Array) -> tuple[str, ...]:
    lengths = float(np.linalg.norm(right)), float(np.linalg.norm(wrong))
    first = f"{right.flat[0]:.5f}", f"{wrong.flat[0]:.5f}"
    if not all(lengths):
        return (f"`{name}`", *first, "0", "none")
    cosine = float(np.vdot(right, wrong)) / lengths[0] / lengths[1]
    angle = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return (f"`{name}`", *first, f"{lengths[1] / lengths[0]:.3f}", f"{angle:.1f}°")


class _Lesson:
    """A network of the package that learns along gradients that carry a mistake, or none."""

    def __init__(self, name: str) -> None:
        sizes, settings = _NETWORKS[name]
        settings = {"loss": "half_squared_error"} | settings
        self.net = Network(sizes, **settings, initializer="normal(1)", seed=0)
        self.rng, self.drops, self.done = np.random.default_rng(1), name == "dropout", 0
        self.X = self.rng.normal(size=(_SAMPLES, sizes[0]))
        n_outputs = sizes[-1]
        labels = self.rng.integers(max(2, n_outputs), size=_SAMPLES)
        self.Y: Array = np.eye(n_outputs)[labels] if n_outputs > 1 else labels[:, None] * 1.0
        if settings["loss"] == "half_squared_error":
            self.Y = self.rng.uniform(size=self.Y.shape)
        output, loss = self.net.layers[-1].activation.name, self.net.loss.name.replace("_", " ")
        self.told = f"{' → '.join(map(str, sizes))}, {output} at the output, {loss}, {_SAMPLES} samples, "
        self.told += f"learning rate {_RATE}"

    def gradients(self, steps: Mapping[str, Step]) -> dict[str, Array]:
        """``dW`` and ``db`` of each layer."""
        case = Case(self.net.layers, self.net.objective, self.X, self.Y, _RATE, self._dropped())
        found = Backprop(case, steps).gradients()
        return {f"{kind}{k}": getattr(one, kind) for k, one in enumerate(found, 1) for kind in ("dW", "db")}

    def _dropped(self) -> list[Dropped | None]:
        if not self.drops:
            return []
        masks = [(self.rng.random((_SAMPLES, self.net.sizes[1])) < 0.8) * 1.0 for _ in range(2)]
        return [None, Dropped(masks[0], 1 / 0.8, 0.2, masks[1])]

    def after(self, updates: int, steps: Mapping[str, Step]) -> float:
        """The loss after so many updates."""
        for _ in range(updates - self.done):
            with np.errstate(all="ignore"):
                flat = [one.ravel() for one in self.gradients(steps).values()]
            self.net.parameters -= _RATE * np.concatenate(flat)
        self.done = max(updates, self.done)
        return float(self.net.cost(self.X, self.Y))
