"""Programs with neuron objects, sample by sample, with a mistake planted by name."""

_NEURONS = """\
import math, random
random.seed(2)
rate = 0.3
class Neuron:
    def __init__(self, n):
        self.w = [random.uniform(-1, 1) for _ in range(n)]
        self.b = random.uniform(-0.5, 0.5)
    def out(self, x):
        self.x = x
        self.z = self.b
        for w, v in zip(self.w, x):
            self.z += w * v
        self.a = <f>
        return self.a
sizes = {sizes}
layers = [[Neuron(i) for _ in range(o)] for i, o in zip(sizes, sizes[1:])]
def some(n, low, high):
    return [random.uniform(low, high) for _ in range(n)]
data = [(some(sizes[0], -1, 1), some(sizes[-1], 0.1, 0.9)) for _ in range({samples})]
for epoch in range(100):
    for x, t in data:
        y = x
        for layer in layers:
            y = [n.out(y) for n in layer]
        loss = sum((a - b) ** 2 for a, b in zip(y, t)) / 2
        for k, layer in list(enumerate(layers))[::-1]:
            for j, n in enumerate(layer):
                if layer is layers[-1]:
                    n.e = <error>
                else:
                    n.e = 0.0
                    for m in layers[k + 1]:
                        n.e += <back>
                n.d = n.e * <slope>
<early>
        for layer in layers:
            for n in layer:
                for i in range(len(n.w)):
                    n.w[i] -= <dW>
                n.b -= <db>
"""
_OF_NEURON = {
    "sigmoid": ("1 / (1 + math.exp(-{0}))", "{0} * (1 - {0})"),
    "tanh": ("math.tanh({0})", "1 - {0} ** 2"),
}
NEURON_NETWORKS = (
    ((3, 4, 2), "sigmoid"),
    ((2, 3, 1), "tanh"),
    ((3, 3, 2, 2), "tanh"),
    ((2, 2, 2), "sigmoid"),
    ((4, 3, 3), "tanh"),
    ((2, 4, 3, 2), "sigmoid"),
)


def _neuron_fragments(kind: str) -> dict[str, str]:
    f, slope = _OF_NEURON[kind]
    right = {"f": f.format("self.z"), "error": "n.a - t[j]", "back": "m.w[j] * m.d"}
    return {**right, "slope": f"({slope.format('n.a')})", "dW": "rate * n.d * n.x[i]", "db": "rate * n.d"}


def neuron_plants(kind: str, sizes: tuple[int, ...]) -> list[tuple[str, str, str]]:
    """(key, fragment, text) of the mistakes in neuron objects."""
    f, slope = _OF_NEURON[kind]
    hidden = f"({slope.format('n.a')} if layer is layers[-1] else {{}})"
    top = f"({{}} if layer is layers[-1] else {slope.format('n.a')})"
    found = [
        ("slope_missing_at_output", "slope", top.format("1.0")),
        ("slope_missing_in_hidden_layer", "slope", hidden.format("1.0")),
        ("f_instead_of_slope", "slope", hidden.format("n.a")),
        ("slope_formula", "slope", "(1 - n.a)"),
        ("slope_of_wrong_quantity", "slope", f"({slope.format('(' + f.format('n.a') + ')')})"),
        ("slope_of_wrong_quantity", "slope", f"({slope.format('n.z')})"),
        ("absolute_weights", "back", "abs(m.w[j]) * m.d"),
        ("gradients_passed_back", "back", "m.d * n.a"),
        ("error_lost", "back", "m.w[j]"),
        ("input_missing_in_dW", "dW", "rate * n.d"),
        ("bias_with_itself", "db", "rate * n.b"),
        ("bias_never_updated", "db", "0 * n.d"),
        ("sign", "error", "t[j] - n.a"),
        ("sign", "db", "-rate * n.d"),
        ("factor", "dW", "2 * rate * n.d * n.x[i]"),
        ("learning_rate_inside", "dW", "rate * rate * n.d * n.x[i]"),
    ]
    if sizes[-1] > 1:
        found.append(("paths_lost", "back", "m.d"))
        found.append(("error_passed_back", "back", "m.w[j] * m.e"))
    return found


def neuron_program(sizes: tuple[int, ...], kind: str, fragment: str = "", text: str = "") -> str:
    """A program with neuron objects, sample by sample."""
    program = _NEURONS.replace("{sizes}", str(list(sizes))).replace("{samples}", "5").replace("<early>\n", "")
    for name, right in _neuron_fragments(kind).items():
        program = program.replace(f"<{name}>", text if name == fragment else right)
    return program
