"""T1 and T4 without deltarule and without NumPy: each formula of a 2-2-2 sigmoid network, written out."""

from __future__ import annotations

from math import exp

T1 = {
    "x": (0.05, 0.10),
    "y": (0.01, 0.99),
    "w": (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55),
    "b": (0.35, 0.60),
    "rate": 0.5,
}
T4 = {
    "x": (0.02, 0.04),
    "y": (0.5, 0.9),
    "w": (0.25, 0.25, 0.15, 0.20, 0.30, 0.35, 0.40, 0.35),
    "b": (0.40, 0.70),
    "rate": 0.1,
}
COPY = {**T4, "y": T4["x"]}


def sigma(z):
    return 1 / (1 + exp(-z))


def by_hand(x, y, w, b, rate, mistaken=False):
    """Every quantity, and the weights after one update."""
    w1, w2, w3, w4, w5, w6, w7, w8 = w
    net_h1, net_h2 = w1 * x[0] + w2 * x[1] + b[0], w3 * x[0] + w4 * x[1] + b[0]
    h1, h2 = sigma(net_h1), sigma(net_h2)
    net_o1, net_o2 = w5 * h1 + w6 * h2 + b[1], w7 * h1 + w8 * h2 + b[1]
    o1, o2 = sigma(net_o1), sigma(net_o2)
    e1, e2 = (o1 - y[0]) ** 2 / 2, (o2 - y[1]) ** 2 / 2
    d1, d2 = (o1 - y[0]) * o1 * (1 - o1), (o2 - y[1]) * o2 * (1 - o2)
    if mistaken:  # the weights into the hidden neurons, and the slopes of the output neurons
        dh1, dh2 = (d1 * w1 + d2 * w2) * o1 * (1 - o1), (d1 * w3 + d2 * w4) * o2 * (1 - o2)
    else:
        dh1, dh2 = (d1 * w5 + d2 * w7) * h1 * (1 - h1), (d1 * w6 + d2 * w8) * h2 * (1 - h2)
    gradient = (dh1 * x[0], dh1 * x[1], dh2 * x[0], dh2 * x[1], d1 * h1, d1 * h2, d2 * h1, d2 * h2)
    found = {
        "net_h1": net_h1, "net_h2": net_h2, "out_h1": h1, "out_h2": h2,
        "net_o1": net_o1, "net_o2": net_o2, "out_o1": o1, "out_o2": o2,
        "E_o1": e1, "E_o2": e2, "E": e1 + e2,
        "dE_dout_o1": o1 - y[0], "dE_dout_o2": o2 - y[1],
        "dout_o1_dnet_o1": o1 * (1 - o1), "dout_o2_dnet_o2": o2 * (1 - o2),
        "delta_o1": d1, "delta_o2": d2, "delta_h1": dh1, "delta_h2": dh2,
        "E_o1_to_h1": d1 * w5, "E_o1_to_h2": d1 * w6, "E_o2_to_h1": d2 * w7, "E_o2_to_h2": d2 * w8,
        "dE_dout_h1": d1 * w5 + d2 * w7, "dE_dout_h2": d1 * w6 + d2 * w8,
        "dout_h1_dnet_h1": h1 * (1 - h1), "dout_h2_dnet_h2": h2 * (1 - h2),
    }  # fmt: skip
    found |= {f"w{i}": value for i, value in enumerate(w, 1)}
    found |= {f"dE_dw{i}": value for i, value in enumerate(gradient, 1)}
    return found, tuple(value - rate * slope for value, slope in zip(w, gradient, strict=True))


def through(updates, *, w, mistaken=False, **setting):
    """Every quantity at first, and after each of so many updates, by the names of the tables."""
    found, _ = by_hand(w=w, **setting)
    for n in range(1, max(updates) + 1):
        _, w = by_hand(w=w, mistaken=mistaken, **setting)
        if n in updates:
            later, _ = by_hand(w=w, **setting)
            found |= {f"{name} after {n} update{'s' if n > 1 else ''}": later[name] for name in later}
    return found
