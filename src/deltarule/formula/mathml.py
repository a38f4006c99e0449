"""Formulas as MathML Core, which browsers draw and screen readers speak."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import chain
from math import inf

from deltarule.formula import tree
from deltarule.formula.emitter import ATOM, POWER, PRODUCT, Emitter, sum_of_rest, taken_branch
from deltarule.formula.text import clean

#: A sum this many digits wide that cannot run on in a new line of the page is stacked.
_WIDE = 48
_BLANK = str.maketrans({"\ufffe": " ", "\uffff": " "})  # no XML may hold them
_TALL = ("<mfrac", "<mtable", "<munder")
#: Width of an operator, in digits, where it is not 2.5.
_SPACES: dict[type[tree.Expr], float] = {tree.Mul: 1.5, tree.Tagged: 0, tree.Transpose: 1}
_FENCES = {"abs": "|", "norm": "‖"}


def mathml(node: tree.Expr, digits: int | str = 9, display: bool = False) -> str:
    """A formula as a ``<math>`` element, for a web page or as XML of its own.

    A :class:`Tagged` part has the class ``t0`` … ``t7``, a :class:`Box` the class ``box``; colours, frames
    and the alignment of tables are up to the page.

    Parameters
    ----------
    node : Expr
    digits : int or "full"
        Significant digits of measured numbers.
    display : bool
        Whether the formula stands in a line of its own.

    Examples
    --------
    >>> from deltarule.formula.tree import Symbol
    >>> mathml(Symbol("w", "5"))
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><msub><mi>w</mi><mn>5</mn></msub></math>'
    """
    block = ' display="block"' if display else ""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{block}>{MathmlEmitter(digits)(node)}</math>'


def escaped(words: str) -> str:
    """Any text on one line, for HTML and XML."""
    return escape(clean(words).translate(_BLANK))


class MathmlEmitter(Emitter[str]):
    """See :func:`mathml`; what it returns stands inside ``<math>``."""

    def pieces(self, node: tree.Expr) -> list[str]:
        """The formula in pieces, each but the first with its sign, between which a line may end."""
        if isinstance(node, tree.Tagged):
            return [_tagged(piece, node.tag) for piece in self.pieces(node.body)]
        if isinstance(node, tree.Add):
            return list(chain.from_iterable(self._terms_in_pieces(node)))
        if isinstance(node, tree.Mul):
            first, *others = (self.factor(factor) for factor in node.factors)
            return [first, *(_times(node.op) + factor for factor in others)]
        return [self(node)]

    def _terms_in_pieces(self, node: tree.Add) -> Iterator[list[str]]:
        """The terms with their signs; a wide product is in pieces."""
        for index, (term, (sign, body)) in enumerate(zip(node.terms, self.signed_terms(node), strict=True)):
            if isinstance(term, tree.Mul) and self.width(term) > _WIDE:
                head, *others = self.pieces(term)
                yield [_infix("+") + head if index else head, *others]
            else:
                yield [_infix(sign) + body if index else _mo(sign) + body if sign else body]

    def width(self, node: tree.Expr) -> float:
        """About how wide the formula is drawn where no line ends, in digits."""
        if isinstance(node, tree.Matrix):
            columns = zip(*node.rows, strict=True)
            return sum(max(self.width(cell) if cell else 1 for cell in column) + 2 for column in columns)
        if isinstance(node, tree.Rest):
            return 12.0 + len(node.what)
        if not node.parts:
            if isinstance(node, tree.Number):
                number = self.decimal(node)
                return len(number.mantissa) + number.negative + 4.5 * (number.exponent is not None)
            if isinstance(node, tree.Symbol):
                return len(node.base) + 0.7 * max(len(node.sub), len(node.sup)) + 0.8 * len(node.index)
            return float(len(node.words)) if isinstance(node, tree.Words) else 1.0
        widths = [min(self.width(part), _WIDE if isinstance(part, tree.Add) else inf) for part in node.parts]
        if isinstance(node, tree.Div | tree.Partial | tree.Brace):
            return max(widths) + 1
        if isinstance(node, tree.Pow) or (isinstance(node, tree.Call) and node.function == "exp"):
            return sum(widths[:-1]) + 0.7 * widths[-1] + 1
        return sum(widths) + _SPACES.get(type(node), 2.5) * max(len(widths) - 1, 1)

    def group(self, body: str) -> str:
        return _fenced("(", body, ")")

    def number(self, node: tree.Number) -> str:
        number = self.decimal(node)
        mantissa = f"<mn>{number.mantissa}</mn>"
        if number.exponent is None:
            return _mrow(_mo("−"), mantissa) if number.negative else mantissa
        digits = f"<mn>{abs(number.exponent)}</mn>"
        power = _mrow(_mo("−"), digits) if number.exponent < 0 else digits
        sign = _mo("−") if number.negative else ""
        return _mrow(sign, mantissa, _mo("·"), f"<msup><mn>10</mn>{power}</msup>")

    def symbol(self, node: tree.Symbol) -> str:
        base = _name_element(node.base) or "<mi></mi>"
        if node.accent == "hat":
            base = f'<mover accent="true">{base}<mo stretchy="false">ˆ</mo></mover>'
        symbol = _scripted(base, _name_element(node.sub), _name_element(node.sup))
        return _mrow(symbol, _fenced("[", f"<mn>{escaped(node.index)}</mn>", "]")) if node.index else symbol

    def words(self, node: tree.Words) -> str:
        return _mtext(escaped(node.words))

    def neg(self, node: tree.Neg) -> str:
        return _mrow(_mo("−"), self.inside(node.body, PRODUCT))

    def add(self, node: tree.Add) -> str:
        return _mrow(*self.pieces(node)) if self.width(node) <= _WIDE else self._stacked_rows(node)

    def _stacked_rows(self, node: tree.Add) -> str:
        """A wide sum in several rows."""
        rows: list[list[str]] = [[]]
        used = 0.0
        for term, pieces in zip(node.terms, self._terms_in_pieces(node), strict=True):
            if used + self.width(term) > _WIDE and rows[-1]:
                rows.append([])
                used = 0.0
            rows[-1] += pieces
            used += self.width(term) + 2.5
        return _mtable([[_mrow(*row)] for row in rows], "stack")

    def rest(self, node: tree.Rest) -> str:
        known = sum_of_rest(node)
        total = _mo("…") if known is None else self(known)
        return _mrow(total, _aside(_mtext(f"\u00a0({escaped(node.what)})")))

    def mul(self, node: tree.Mul) -> str:
        return _mrow(*self.pieces(node))

    def div(self, node: tree.Div) -> str:
        return f"<mfrac>{self(node.top)}{self(node.bottom)}</mfrac>"

    def pow(self, node: tree.Pow) -> str:
        body, exponent = node.body, self(node.exponent)
        if type(body) is tree.Symbol and body.sub and not (body.sup or body.index):
            bare = tree.Symbol(body.base, accent=body.accent)
            return _scripted(self(bare), _name_element(body.sub), exponent)
        return f"<msup>{self.inside(body, ATOM)}{exponent}</msup>"

    def call(self, node: tree.Call) -> str:
        argument = self(node.argument)
        if node.function == "exp":
            return f"<msup><mi>e</mi>{argument}</msup>"
        if node.function == "sqrt":
            return f"<msqrt>{argument}</msqrt>"
        if node.function in _FENCES:
            return _fenced(_FENCES[node.function], argument, _FENCES[node.function])
        return _mrow(_name_element(node.function), _mo("\u2061"), self.group(argument))

    def compare(self, node: tree.Compare) -> str:
        return _mrow(self(node.left), _mo(escape(node.op)), self(node.right))

    def choice(self, node: tree.Choice) -> str:
        if node.taken is None:
            when = _mrow(_mtext("if\u00a0"), self(node.test))
            cases = [[self(node.then), when], [self(node.other), _mtext("otherwise")]]
            return _mrow(_mo("{"), _mtable(cases, "cases"))
        taken, test = taken_branch(node)
        return _mrow(self(taken), _aside(_mtext("\u00a0(as\u00a0"), self(test), _mtext(")")))

    def total(self, node: tree.Total) -> str:
        index = _name_element(node.index) or "<mi></mi>"
        return _mrow(f"<munder><mo>∑</mo>{index}</munder>", self.inside(node.body, PRODUCT))

    def partial(self, node: tree.Partial) -> str:
        top, by = (_mrow(_mo("∂"), self.inside(part, POWER)) for part in (node.top, node.by))
        return f"<mfrac>{top}{by}</mfrac>"

    def matrix(self, node: tree.Matrix) -> str:
        left_out = [all(cell is None for cell in column) for column in zip(*node.rows, strict=True)]
        rows = [list(self._entries(row, left_out)) for row in node.rows]
        return _mrow(_mo("["), _mtable(rows, "matrix"), _mo("]"))

    def _entries(self, row: tuple[tree.Expr | None, ...], left_out: list[bool]) -> Iterator[str]:
        below = all(cell is None for cell in row)
        for cell, beside in zip(row, left_out, strict=True):
            dots = "⋱" if below and beside else "⋮" if below else "⋯"
            yield _mo(dots) if cell is None else self(cell)

    def transpose(self, node: tree.Transpose) -> str:
        return f"<msup>{self.inside(node.body, ATOM)}<mo>⊤</mo></msup>"

    def brace(self, node: tree.Brace) -> str:
        return f"<munder><munder>{self(node.body)}<mo>⏟</mo></munder>{self(node.label)}</munder>"

    def box(self, node: tree.Box) -> str:
        return f'<mrow class="box">{self(node.body)}</mrow>'

    def tagged(self, node: tree.Tagged) -> str:
        return _tagged(self(node.body), node.tag)


def _mrow(*parts: str) -> str:
    """The parts as one element."""
    return f"<mrow>{''.join(parts)}</mrow>"


def _mo(operator: str) -> str:
    return f"<mo>{operator}</mo>"


def _infix(operator: str) -> str:
    """An operator between two terms, though it begin a line."""
    return f'<mo form="infix">{operator}</mo>'


def _times(op: str) -> str:
    return _infix(op) if op else '<mo>\u2062</mo><mspace width="0.17em"/>'


def _mtext(words: str) -> str:
    return f"<mtext>{words}</mtext>"


def _aside(*parts: str) -> str:
    """A remark inside a formula."""
    return f'<mrow class="aside">{"".join(parts)}</mrow>'


def _name_element(name: str) -> str:
    """A name, or "" for none: of one letter it is drawn italic, of several upright."""
    letter = name.rstrip("′")
    if len(letter) == 1 and letter != name:
        return f"<msup>{_name_element(letter)}{_mo(name[1:])}</msup>"
    element = "mn" if name.replace(",", "").isdecimal() else "mi"
    return f"<{element}>{escaped(name)}</{element}>" if name else ""


def _scripted(base: str, sub: str, sup: str) -> str:
    if sub and sup:
        return f"<msubsup>{base}{sub}{sup}</msubsup>"
    element = "msub" if sub else "msup"
    return f"<{element}>{base}{sub}{sup}</{element}>" if sub or sup else base


def _fenced(left: str, body: str, right: str) -> str:
    """The body between fences, as tall as itself; low ones keep their own height, which is less wide."""
    fence = "<mo" if any(element in body for element in _TALL) else '<mo stretchy="false"'
    return _mrow(f'{fence} form="prefix">{left}</mo>', body, f'{fence} form="postfix">{right}</mo>')


def _mtable(rows: list[list[str]], kind: str) -> str:
    cells = ("".join(f"<mtd>{cell}</mtd>" for cell in row) for row in rows)
    return f'<mtable class="{kind}">{"".join(f"<mtr>{row}</mtr>" for row in cells)}</mtable>'


def _tagged(body: str, tag: int) -> str:
    return f'<mrow class="t{tag}">{body}</mrow>'
