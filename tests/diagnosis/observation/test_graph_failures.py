"""Numbers that build a graph: operations that fail whatever they are given are told at their line."""

import pytest

PROGRAM = """
import math
class Var:
    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents
        self._back = lambda: None
    def __add__(self, o):
        o = o if isinstance(o, Var) else Var(o)
        out = Var(self.value + o.value, (self, o))
        def _back():
            self.grad += out.grad
            o.grad += out.grad
        out._back = _back
        return out
    def __mul__(self, o):
        o = o if isinstance(o, Var) else Var(o)
        out = Var(self.value * o.value, (self, o))
        def _back():
            self.grad += o.value * out.grad
            o.grad += self.value * out.grad
        out._back = _back
        return out
    def __neg__(self):
        return self * -1
    def __rsub__(self, o):
        return -self + o
    def tanh(self):
        out = Var(math.tanh(self.value), (self,))
        def _back():
            self.grad += (1 - out.value ** 2) * out.grad
        out._back = _back
        return out
    def backward(self):
        order, seen = [], set()
        def visit(v):
            if v not in seen:
                seen.add(v)
                for p in v.parents:
                    visit(p)
                order.append(v)
        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v._back()
"""
CASES = {
    "nothing returned": ("tanh", "        return out\n", "", "what tanh has computed is not returned"),
    "kept under another name": ("tanh", "out._back = ", "out.back = ", "what tanh is computed from gets no"),
    "an attribute of another name": ("__mul__", "+= o.value", "+= o.data", "has no attribute 'data'"),
    "operands in the other order": ("__rsub__", "-self + o", "self + -o", "gives -1.3, where 1.3 is"),
    "another order": (
        "backward",
        "for p in v.parents:\n                    visit(p)\n                order.append(v)",
        "order.insert(0, v)\n                for p in v.parents:\n                    visit(p)",
        "it has its turn once, after everything that was computed from it",
    ),
}


def test_right_numbers_are_right(watch):
    assert watch(PROGRAM).verdict == "right"


@pytest.mark.parametrize("case", CASES)
def test_operations_that_fail_are_told(watch, case):
    method, right, wrong, text = CASES[case]
    start = PROGRAM.index(f"def {method}(")
    assert right in PROGRAM[start:]
    seen = watch(PROGRAM[:start] + PROGRAM[start:].replace(right, wrong, 1))
    assert seen.verdict == "wrong", str(seen)
    assert text in seen.faults[0].text
    first = PROGRAM[:start].count("\n") + 1
    assert first <= seen.faults[0].line <= first + 11


ARRAYS = """
import numpy as np
class Tensor:
    def __init__(self, data, parents=()):
        self.data = np.asarray(data, dtype=float)
        self.grad = np.zeros_like(self.data)
        self.parents = parents
        self.step = lambda: None
    def __add__(self, o):
        out = Tensor(self.data + o.data, (self, o))
        def step():
            self.grad += out.grad
            g = out.grad
            if o.data.shape[0] == 1 and g.shape[0] > 1:
                g = g.sum(axis=0, keepdims=True)
            o.grad += g
        out.step = step
        return out
    def __matmul__(self, o):
        out = Tensor(self.data @ o.data, (self, o))
        def step():
            self.grad += out.grad @ o.data.T
            o.grad += self.data.T @ out.grad
        out.step = step
        return out
    def backward(self):
        order, seen = [], set()
        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for p in v.parents:
                    visit(p)
                order.append(v)
        visit(self)
        self.grad = np.ones_like(self.data)
        for v in reversed(order):
            v.step()
"""


def test_the_gradient_of_a_row_of_biases_is_judged(watch):
    assert watch(ARRAYS).verdict == "right"
    seen = watch(ARRAYS.replace("g.sum(axis=0", "g.mean(axis=0"))
    assert seen.verdict == "wrong", str(seen)


@pytest.mark.parametrize(("of", "verdict"), [("o", "right"), ("self", "wrong")])
def test_a_row_that_going_back_fails_for_is_told_where_rows_are_summed(watch, of, verdict):
    text = ARRAYS.replace("g = out.grad\n", "g = out.grad.sum(axis=0) if o.data.ndim == 1 else out.grad\n")
    test = "if o.data.shape[0] == 1 and g.shape[0] > 1:"
    seen = watch(text.replace(test, f"if o.data.ndim > 1 and {of}.data.shape[0] == 1 and g.shape[0] > 1:"))
    assert seen.verdict == verdict, str(seen)
    assert ("must be summed" in str(seen)) == (verdict == "wrong")
