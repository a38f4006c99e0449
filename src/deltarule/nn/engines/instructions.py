"""What Numba has no words for: records' arrays, vectors, products, shared counters, a generator's stream.

Each is LLVM's instructions, after a function that says in Python what they do, and that runs where Numba is
told to compile nothing. Vectors are of 64 bytes: LLVM divides them where the processor's are
shorter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import llvm_version_info
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from deltarule.nn.engines.records import array_at

VECTOR_BYTES = 64

_BIT, _BYTE, _INT, _LONG, _WIDE = (ir.IntType(bits) for bits in (1, 8, 32, 64, 128))
#: Before LLVM 22, loads and stores by a mask are told the alignment by a number.
_ALIGNMENT = (ir.Constant(_INT, 1),) if llvm_version_info < (22,) else ()


def _or_python(meaning: Callable[..., Any]) -> Callable[[Any], Any]:
    """Take a function instead of an intrinsic where Numba is told to compile nothing."""
    is_compiling = hasattr(njit(meaning), "py_func")
    return lambda instruction: instruction if is_compiling else meaning


def _data(context: Any, builder: Any, array: Any, value: Any) -> Any:
    """Return the address of an array's numbers."""
    return context.make_array(array)(context, builder, value).data


def _splat(builder: Any, value: Any, n: int) -> Any:
    """Return a vector with the same number in all places."""
    nothing = ir.Constant(ir.VectorType(value.type, n), ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_INT, n), [0] * n))


def _vector_at(builder: Any, place: Any, vector: Any) -> Any:
    """Load a vector that starts anywhere."""
    loaded = builder.load(builder.bitcast(place, vector.as_pointer()))
    loaded.align = 1
    return loaded


def _store_vector(builder: Any, value: Any, place: Any) -> None:
    builder.store(value, builder.bitcast(place, value.type.as_pointer())).align = 1


def _llvm(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Call one of LLVM's own functions."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}"), arguments)


# ---------------------------------------------------------------------- arrays, of records


@_or_python(array_at)
@intrinsic
def array(typing_context, place):
    n_axes = len(place.fields) - 2
    kind = types.Array(place.typeof("of"), n_axes, "C")

    def build(context, builder, signature, arguments):
        start = builder.bitcast(arguments[0], _LONG.as_pointer())
        at, *shape = (builder.load(builder.gep(start, [ir.Constant(_LONG, i)])) for i in range(n_axes + 1))
        made = context.make_array(kind)(context, builder)
        number = context.get_data_type(kind.dtype)
        size = ir.Constant(_LONG, context.get_abi_sizeof(number))
        strides = [size] if n_axes == 1 else [builder.mul(shape[1], size), size]
        populate_array(made, builder.inttoptr(at, number.as_pointer()), shape, strides, size, None)
        return made._getvalue()

    return kind(place), build


# ---------------------------------------------------------------------- rows by those numbers that are not 0


def _combine(index, values, start, stop, M, n_columns, first, n_vectors, n_last, out, at, is_sum):
    """Put ``Σ values[i] · M[index[i]]``, i from ``start`` to ``stop``, into ``out`` from ``at`` on.

    ``M`` has rows of ``n_columns``; of each, the columns from ``first`` on count that fill ``n_vectors``
    vectors (1 to 6), of the last one ``n_last`` numbers. With ``is_sum`` it is added to what is there.
    """
    lanes = VECTOR_BYTES // M.itemsize
    count = (n_vectors - 1) * lanes + n_last
    total = out[at : at + count] if is_sum else np.zeros(count, out.dtype)
    for i in range(start, stop):
        row = index[i] * n_columns + first
        total = total + values[i] * M[row : row + count]
    out[at : at + count] = total


@_or_python(_combine)
@intrinsic
def combine(typing_context, index, values, start, stop, M, n_columns, first, n_vectors, n_last, out, at,
             is_sum):  # fmt: skip
    def build(context, builder, signature, arguments):
        kinds = signature.args
        places = {i: _data(context, builder, kinds[i], arguments[i]) for i in (0, 1, 4, 9)}
        done = builder.append_basic_block("combined")
        choice = builder.switch(arguments[7], done)
        for n_vectors in range(1, 7):
            choice.add_case(ir.Constant(_LONG, n_vectors), block := builder.append_basic_block())
            with builder.goto_block(block):
                _combine_vectors(context, builder, M.dtype, arguments, places, n_vectors)
                builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(index, values, whole, whole, M, whole, whole, whole, whole, out, whole, whole), build


def _combine_vectors(context, builder, dtype, arguments, places, n_vectors):
    """The sums stay in registers: as many vectors as the code is made for."""
    n, number = VECTOR_BYTES * 8 // dtype.bitwidth, context.get_value_type(dtype)
    vector, suffix = ir.VectorType(number, n), f"v{n}f{dtype.bitwidth}"
    zeros = ir.Constant(vector, [0.0] * n)
    lanes = ir.Constant(ir.VectorType(_LONG, n), list(range(n)))
    mask = builder.icmp_signed("<", lanes, _splat(builder, arguments[8], n))

    def load(place, k):
        place = builder.gep(place, [ir.Constant(_LONG, k * n)])
        if k < n_vectors - 1:
            return _vector_at(builder, place, vector)
        place = builder.bitcast(place, vector.as_pointer())
        return _llvm(builder, f"masked.load.{suffix}.p0", vector, place, *_ALIGNMENT, mask, zeros)

    sums = [cgutils.alloca_once(builder, vector) for _ in range(n_vectors)]
    out = builder.gep(places[9], [arguments[10]])
    with builder.if_else(builder.icmp_signed("!=", arguments[11], ir.Constant(_LONG, 0))) as (old, new):
        with old:
            for k, total in enumerate(sums):
                builder.store(load(out, k), total)
        with new:
            for total in sums:
                builder.store(zeros, total)
    one = ir.Constant(_LONG, 1)
    with cgutils.for_range_slice(builder, arguments[2], arguments[3], one, intp=_LONG) as (i, _):
        row = builder.sext(builder.load(builder.gep(places[0], [i])), _LONG)
        value = _splat(builder, builder.load(builder.gep(places[1], [i])), n)
        place = builder.gep(places[4], [builder.add(builder.mul(row, arguments[5]), arguments[6])])
        for k, total in enumerate(sums):
            terms = value, load(place, k), builder.load(total)
            builder.store(_llvm(builder, f"fmuladd.{suffix}", vector, *terms), total)
    for k, total in enumerate(sums):
        place = builder.gep(out, [ir.Constant(_LONG, k * n)])
        if k < n_vectors - 1:
            _store_vector(builder, builder.load(total), place)
        else:
            place = builder.bitcast(place, vector.as_pointer())
            stored = builder.load(total), place, *_ALIGNMENT, mask
            _llvm(builder, f"masked.store.{suffix}.p0", ir.VoidType(), *stored)


def _compress(row, start, stop, columns, values, at, later_row):
    """Put the numbers of ``row`` from ``start`` to ``stop`` that are not 0 into ``values`` from ``at`` on.

    Their places go to ``columns``. Returns where the next ones go; up to 16 places from there on are spoilt.
    The same part of ``later_row`` is brought into the cache meanwhile.
    """
    for j in range(start, stop):
        if row[j] != 0:
            columns[at], values[at] = j, row[j]
            at += 1
    return at


@_or_python(_compress)
@intrinsic
def compress(typing_context, row, start, stop, columns, values, at, later_row):
    def build(context, builder, signature, arguments):
        kinds, n = signature.args, VECTOR_BYTES * 8 // values.dtype.bitwidth
        places = (_data(context, builder, kinds[i], arguments[i]) for i in (0, 3, 4, 6))
        source, columns_at, values_at, later = places
        found = cgutils.alloca_once_value(builder, arguments[5])
        start, stop = arguments[1:3]
        length = ir.Constant(_LONG, n)
        rest = builder.srem(builder.sub(stop, start), length)
        whole = builder.sub(stop, rest)
        for first, last, k in ((start, whole, n), (whole, stop, 1)):
            step = ir.Constant(_LONG, k)
            with cgutils.for_range_slice(builder, first, last, step, intp=_LONG) as (j, _):
                if k > 1:
                    _prefetch(builder, builder.gep(later, [j]))
                place = builder.gep(source, [j])
                _compress_vector(context, builder, row.dtype, values.dtype, place, j, k,
                                 columns_at, values_at, found)  # fmt: skip
        return builder.load(found)

    whole = types.int64
    return types.int64(row, whole, whole, columns, values, whole, later_row), build


def _prefetch(builder: Any, place: Any) -> None:
    """Bring what lies there into the nearest cache, to be read."""
    to_read, nearest, data = (ir.Constant(_INT, value) for value in (0, 3, 1))
    place = builder.bitcast(place, _BYTE.as_pointer())
    _llvm(builder, "prefetch.p0", ir.VoidType(), place, to_read, nearest, data)


def _compress_vector(context, builder, given, dtype, place, j, n, columns_at, values_at, found):
    """Keep what is not 0 of ``n`` numbers from ``place`` on, column ``j``."""
    kind = context.get_data_type(given)
    number = ir.VectorType(context.get_value_type(dtype), n)
    integers, suffix = ir.VectorType(_INT, n), f"v{n}f{dtype.bitwidth}"
    x = _vector_at(builder, place, ir.VectorType(kind, n))
    nothing = ir.Constant(ir.VectorType(kind, n), None)
    if isinstance(kind, ir.IntType):
        is_kept = builder.icmp_unsigned("!=", x, nothing)
        x = (builder.sitofp if getattr(given, "signed", False) else builder.uitofp)(x, number)
    else:
        is_kept = builder.fcmp_unordered("!=", x, nothing)
        if given.bitwidth != dtype.bitwidth:
            x = (builder.fpext if given.bitwidth < dtype.bitwidth else builder.fptrunc)(x, number)
    numbers = ir.Constant(integers, list(range(n)))
    columns = builder.add(_splat(builder, builder.trunc(j, _INT), n), numbers)
    at = builder.load(found)
    for values, to, name in ((x, values_at, suffix), (columns, columns_at, f"v{n}i32")):
        kept = values
        if n > 1:
            anything = ir.Constant(values.type, ir.Undefined)
            terms = values, is_kept, anything
            kept = _llvm(builder, f"experimental.vector.compress.{name}", values.type, *terms)
        _store_vector(builder, kept, builder.gep(to, [at]))
    bits = builder.bitcast(is_kept, ir.IntType(n))
    count = builder.zext(builder.ctpop(bits) if n > 1 else bits, _LONG)
    builder.store(builder.add(at, count), found)


# ---------------------------------------------------------------------- products of parts of matrices

#: Whether a factor of :func:`product` is transposed, as BLAS takes it.
AS_IT_IS, TRANSPOSED = ord("n"), ord("t")


def _product(m, n, k, x, x_at, x_width, x_is, y, y_at, y_width, y_is, out, at, width):
    """Put ``x @ y``, (m, k) by (k, n), into ``out`` from ``at`` on, whose rows are ``width`` apart.

    ``x`` and ``y`` are flat, begin at ``x_at`` and ``y_at``, have rows ``x_width`` and ``y_width`` apart, and
    are ``AS_IT_IS`` or ``TRANSPOSED``.
    """

    def matrix(numbers, at, rows, columns, width):
        strides = (width * numbers.itemsize, numbers.itemsize)
        return np.lib.stride_tricks.as_strided(numbers[at:], (rows, columns), strides)

    left = matrix(x, x_at, m, k, x_width) if x_is == AS_IT_IS else matrix(x, x_at, k, m, x_width).T
    right = matrix(y, y_at, k, n, y_width) if y_is == AS_IT_IS else matrix(y, y_at, n, k, y_width).T
    matrix(out, at, m, n, width)[:] = left @ right


@_or_python(_product)
@intrinsic
def product(typing_context, m, n, k, x, x_at, x_width, x_is, y, y_at, y_width, y_is, out, at, width):
    def build(context, builder, signature, arguments):
        def place(value):
            return cgutils.alloca_once_value(builder, value)

        number = context.get_value_type(out_kind.dtype)
        m, n, k, x_width, y_width, width = (
            place(builder.trunc(arguments[i], _INT)) for i in (0, 1, 2, 5, 9, 13)
        )
        x_is, y_is = (place(builder.trunc(arguments[i], _BYTE)) for i in (6, 10))
        one, zero = (place(ir.Constant(number, value)) for value in (1.0, 0.0))
        x, y, out = (
            builder.gep(_data(context, builder, signature.args[i], arguments[i]), [arguments[i + 1]])
            for i in (3, 7, 11)
        )
        # BLAS goes by columns: the rows of the transposed product.
        call = (y_is, x_is, n, m, k, one, y, y_width, x, x_width, zero, out, width)
        name = f"deltarule_{'s' if out_kind.dtype.bitwidth == 32 else 'd'}gemm"  # linked with SciPy's
        kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in call])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), call)
        return context.get_dummy_value()

    out_kind, whole = out, types.int64
    return types.void(whole, whole, whole, x, whole, whole, whole, y, whole, whole, whole, out, whole,
                      whole), build  # fmt: skip


# ---------------------------------------------------------------------- counters that threads share


def _add_shared(array, index, value):
    """Add to a whole number of an array, which other threads see at once."""
    array[index] += value


def _read_shared(array, index):
    """Return a whole number of an array, as other threads left it."""
    return array[index]


def _replace_shared(array, index, old, new):
    """Put ``new`` in the place of ``old``; returns whether ``old`` was still there."""
    is_there = array[index] == old
    array[index] = new if is_there else array[index]
    return is_there


@_or_python(_add_shared)
@intrinsic
def add_shared(typing_context, array, index, value):
    def build(context, builder, signature, arguments):
        place = builder.gep(_data(context, builder, array, arguments[0]), [arguments[1]])
        builder.atomic_rmw("add", place, arguments[2], "seq_cst")
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), build


@_or_python(_read_shared)
@intrinsic
def read_shared(typing_context, array, index):
    def build(context, builder, signature, arguments):
        place = builder.gep(_data(context, builder, array, arguments[0]), [arguments[1]])
        return builder.load_atomic(place, "seq_cst", 8)

    return types.int64(array, types.int64), build


@_or_python(_replace_shared)
@intrinsic
def replace_shared(typing_context, array, index, old, new):
    def build(context, builder, signature, arguments):
        place = builder.gep(_data(context, builder, array, arguments[0]), [arguments[1]])
        found = builder.cmpxchg(place, arguments[2], arguments[3], "seq_cst", "seq_cst")
        return builder.extract_value(found, 1)

    return types.boolean(array, types.int64, types.int64, types.int64), build


# ---------------------------------------------------------------------- NumPy's generator PCG64
# O'Neill (2014): the state s (128 bits) goes on as s·MULTIPLIER + inc, and gives (high ^ low) of itself,
# turned to the right by its highest six bits.

_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645


def _pcg_output(stream, number):
    """Return the output ``number`` (from 0 on) of a generator whose state and inc are in ``stream``.

    Each is two whole numbers of 64 bits, the lower one first.
    """
    state, inc = (int(stream[i]) | int(stream[i + 1]) << 64 for i in (0, 2))
    power = pow(_MULTIPLIER, int(number) + 1, _MULTIPLIER - 1 << 128)
    state = (power * state + (power - 1) // (_MULTIPLIER - 1) * inc) % 2**128
    word, turn = (state >> 64 ^ state) % 2**64, state >> 122
    return np.uint64((word >> turn | word << (64 - turn)) % 2**64)


@_or_python(_pcg_output)
@intrinsic
def pcg_output(typing_context, stream, number):
    def build(context, builder, signature, arguments):
        place = _data(context, builder, signature.args[0], arguments[0])
        state, inc = _state_before(builder, place, arguments[1])
        return _word(builder, _step(builder, state, inc))

    return types.uint64(stream, types.int64), build


def _pcg_mask(stream, number, n_outputs, mask, at, dropout, scale):
    """Fill a dropout mask from ``at`` on: 0 with chance ``dropout``, else ``scale``; two for each output.

    The outputs are those from ``number`` on.
    """
    for i in range(n_outputs):
        word = int(_pcg_output(stream, number + i))
        for half in (word % 2**32, word >> 32):
            mask[at] = scale if np.float32((half >> 8) / 2**24) >= np.float32(dropout) else 0
            at += 1


@_or_python(_pcg_mask)
@intrinsic
def pcg_mask(typing_context, stream, number, n_outputs, mask, at, dropout, scale):
    def build(context, builder, signature, arguments):
        place, out = (_data(context, builder, signature.args[i], arguments[i]) for i in (0, 3))
        state, inc = _state_before(builder, place, arguments[1])
        state, at = cgutils.alloca_once_value(builder, state), arguments[4]
        least = _splat(builder, builder.fptrunc(arguments[5], ir.FloatType()), 2)
        number = context.get_value_type(mask.dtype)
        scale, zeros = _splat(builder, arguments[6], 2), ir.Constant(ir.VectorType(number, 2), None)
        halves = ir.VectorType(_INT, 2)
        with cgutils.for_range(builder, arguments[2], intp=_LONG) as loop:
            builder.store(_step(builder, builder.load(state), inc), state)
            word = builder.bitcast(_word(builder, builder.load(state)), halves)
            word = builder.lshr(word, ir.Constant(halves, [8, 8]))
            drawn = builder.uitofp(word, ir.VectorType(ir.FloatType(), 2))
            drawn = builder.fmul(drawn, ir.Constant(drawn.type, [2.0**-24] * 2))
            kept = builder.select(builder.fcmp_ordered(">=", drawn, least), scale, zeros)
            first = builder.add(at, builder.shl(loop.index, ir.Constant(_LONG, 1)))
            _store_vector(builder, kept, builder.gep(out, [first]))
        return context.get_dummy_value()

    whole = types.int64
    return types.void(stream, whole, whole, mask, whole, types.float64, mask.dtype), build


def _step(builder, state, inc):
    return builder.add(builder.mul(state, ir.Constant(_WIDE, _MULTIPLIER)), inc)


def _word(builder, state):
    high = builder.trunc(builder.lshr(state, ir.Constant(_WIDE, 64)), _LONG)
    word = builder.xor(high, builder.trunc(state, _LONG))
    return _llvm(builder, "fshr.i64", _LONG, word, word, builder.lshr(high, ir.Constant(_LONG, 58)))


def _state_before(builder, place, number):
    """Return the state before an output, and inc, in steps of powers of two (Brown, 1994)."""

    def wide(first):
        start = builder.gep(place, [ir.Constant(_LONG, first)])
        loaded = builder.load(builder.bitcast(start, _WIDE.as_pointer()))
        loaded.align = 8
        return loaded

    def variable(value):
        return cgutils.alloca_once_value(builder, value)

    one, inc = ir.Constant(_WIDE, 1), wide(2)
    factor, plus = variable(one), variable(ir.Constant(_WIDE, 0))
    power, power_plus, left = variable(ir.Constant(_WIDE, _MULTIPLIER)), variable(inc), variable(number)
    with cgutils.loop_nest(builder, [ir.Constant(_LONG, 64)], _LONG):  # the bits of the number
        m, p, bits = builder.load(power), builder.load(power_plus), builder.load(left)
        with builder.if_then(builder.trunc(bits, _BIT)):
            builder.store(builder.mul(builder.load(factor), m), factor)
            builder.store(builder.add(builder.mul(builder.load(plus), m), p), plus)
        builder.store(builder.mul(builder.add(m, one), p), power_plus)
        builder.store(builder.mul(m, m), power)
        builder.store(builder.lshr(bits, ir.Constant(_LONG, 1)), left)
    return builder.add(builder.mul(builder.load(factor), wide(0)), builder.load(plus)), inc
