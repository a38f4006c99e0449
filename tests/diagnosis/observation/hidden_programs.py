"""Programs whose mistake shows only in some ways of calling; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "an operation of its own that overwrites a gradient": """
import math
class Num:
    def __init__(self, v, prev=()):
        self.v, self.d, self.prev, self.go = v, 0.0, prev, None
    def __add__(self, o):
        o = o if isinstance(o, Num) else Num(o)
        r = Num(self.v + o.v, (self, o))
        def go():
            self.d += r.d
            o.d += r.d
        r.go = go
        return r
    def __mul__(self, o):
        o = o if isinstance(o, Num) else Num(o)
        r = Num(self.v * o.v, (self, o))
        def go():
            self.d += o.v * r.d
            o.d += self.v * r.d
        r.go = go
        return r
    def inverse(self):
        r = Num(1 / self.v, (self,))
        def go():
            self.d «+=|=» -r.d / self.v ** 2
        r.go = go
        return r
    def softsign(self):
        r = Num(self.v / (1 + abs(self.v)), (self,))
        def go():
            self.d += r.d / (1 + abs(self.v)) ** 2
        r.go = go
        return r
    def backward(self):
        order, seen = [], set()
        def visit(n):
            if n not in seen:
                seen.add(n)
                for p in n.prev: visit(p)
                order.append(n)
        visit(self)
        self.d = 1.0
        for n in reversed(order):
            if n.go: n.go()
""",
    "an operation of arrays that overwrites a gradient": """
import numpy as np
class Knot:
    def __init__(self, value, parents=()):
        self.value = np.asarray(value, dtype=float)
        self.slope = np.zeros_like(self.value)
        self.parents = parents
        self.send = lambda: None
    def __add__(self, other):
        other = other if isinstance(other, Knot) else Knot(other)
        out = Knot(self.value + other.value, (self, other))
        def send():
            self.slope += out.slope
            other.slope += out.slope
        out.send = send
        return out
    def __mul__(self, other):
        other = other if isinstance(other, Knot) else Knot(other)
        out = Knot(self.value * other.value, (self, other))
        def send():
            self.slope += other.value * out.slope
            other.slope += self.value * out.slope
        out.send = send
        return out
    def __matmul__(self, other):
        out = Knot(self.value @ other.value, (self, other))
        def send():
            self.slope += out.slope @ other.value.T
            other.slope += self.value.T @ out.slope
        out.send = send
        return out
    def log(self):
        out = Knot(np.log(self.value), (self,))
        def send():
            self.slope += out.slope / self.value
        out.send = send
        return out
    def sum(self):
        out = Knot(self.value.sum(), (self,))
        def send():
            self.slope += out.slope
        out.send = send
        return out
    def flat(self):
        out = Knot(self.value.reshape(-1), (self,))
        def send():
            self.slope «+=|=» out.slope.reshape(self.value.shape)
        out.send = send
        return out
    @property
    def T(self):
        out = Knot(self.value.T, (self,))
        def send():
            self.slope += out.slope.T
        out.send = send
        return out
    def detach(self):
        return Knot(self.value)
    def backward(self):
        order, seen = [], set()
        def visit(node):
            if node not in seen:
                seen.add(node)
                for one in node.parents:
                    visit(one)
                order.append(node)
        visit(self)
        self.slope = np.ones_like(self.value)
        for node in reversed(order):
            node.send()
""",
}
FAST = frozenset({
    "an operation of its own that overwrites a gradient",
})  # fmt: skip
