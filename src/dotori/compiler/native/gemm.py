"""The product of two matrices: NumPy's BLAS library, or own loops where it is small.

Compiled into a piece of object code of its own, which all steps call
(`dotori.compiler.native.products`). The library is called as C calls it, by the names
`dotori_sgemm` and `dotori_dgemm`, in the thread that asks.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from dotori.compiler.native import blas, machine, small, tiles
from dotori.errors import need

SYMBOLS = {"dotori_sgemm": "sgemm", "dotori_dgemm": "dgemm"}

#: Up to so many multiplications own loops are faster than the library; and up to so
#: many of a matrix and a vector (`benchmarks/small_products.py`).
LIMIT, VECTOR_LIMIT = 1 << 18, 1 << 20

OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}

#: Is not 0 once a product was so large that the library may have used its own threads.
large = ctypes.c_int64(0)
_LARGE, LARGE = "dotori_large", 1 << 18

# cblas.h: rows one after the other; as it is; transposed
ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112


def define() -> None:
    """Tell the linker where the functions of the BLAS library are, and `large`."""
    machine.define(_LARGE, ctypes.addressof(large))
    found = blas.find()
    if found is not None:
        for symbol, name in SYMBOLS.items():
            machine.define(symbol, found.addresses[name])


@cache
def functions() -> dict[str, Any]:
    """`product32` and `product64`, with the arguments that `products` names."""
    numba: Any = need("numba", "fast", "compiled steps")
    return {
        f"product{bits}": numba.njit(_product(bits), **OPTIONS) for bits in (32, 64)
    }


def _product(bits: int) -> Any:
    """Cut out this thread's share, and multiply: rows, or columns if they are more."""
    numba: Any = need("numba", "fast", "compiled steps")
    gemm, size = numba.njit(_gemm(bits), **OPTIONS), bits // 8

    def product(
        a: int, a_row: int, a_step: int,
        b: int, b_step: int, b_column: int,
        out: int, out_row: int, out_column: int,
        m: int, n: int, k: int, add: int, thread: int, threads: int,
    ) -> None:  # fmt: skip
        if threads > 1:
            longer = max(m, n)
            first = longer * thread // threads
            length = longer * (thread + 1) // threads - first
            if m >= n:
                m = length
                a += first * a_row
                out += first * out_row
            else:
                n = length
                b += first * b_column
                out += first * out_column
        if m > 0 and n > 0:
            gemm(
                a, a_row // size, a_step // size,
                b, b_step // size, b_column // size,
                out, out_row // size, out_column // size,
                m, n, k, add != 0,
            )  # fmt: skip

    return product


def _gemm(bits: int) -> Any:
    """The way for these sizes and strides."""
    numba: Any = need("numba", "fast", "compiled steps")
    pointer, call, note_large = tiles.pointer(bits), _call(bits), _note_large()
    few, loops = small.product(bits, OPTIONS), numba.njit(_loops(bits), **OPTIONS)
    known, most = blas.find() is not None, small.DEPTH
    limit, vector_limit = LIMIT, VECTOR_LIMIT

    def gemm(
        left: int, a_row: int, a_step: int,
        right: int, b_step: int, b_column: int,
        to: int, row: int, column: int,
        m: int, n: int, k: int, add: bool,
    ) -> None:  # fmt: skip
        a, b, out = pointer(left), pointer(right), pointer(to)
        unit = column == 1 or n == 1
        dense_a = a_row == 1 or a_step == 1
        vector = m == 1 and a_step == 1
        vector |= n == 1 and row == 1 and b_step == 1 and dense_a
        few_enough = m * n * k <= (vector_limit if vector else limit) or not known
        if k == 0 or not unit or (b_step != 1 and b_column != 1):
            loops(a, a_row, a_step, b, b_step, b_column, out, row, column, m, n, k, add)
        elif few_enough and (vector or k <= most):
            few(a, a_row, a_step, b, b_step, b_column, out, row, m, n, k, add)
        elif known and dense_a:
            plain_a, plain_b = a_step == 1, b_column == 1
            # an axis of one place may have any stride, which BLAS would refuse
            lda = max(a_row, k) if plain_a else max(a_step, m)
            ldb = max(b_step, n) if plain_b else max(b_column, k)
            kind_a = PLAIN if plain_a else TRANSPOSED
            kind_b = PLAIN if plain_b else TRANSPOSED
            if m * n * k > LARGE:
                note_large()
            call(kind_a, kind_b, m, n, k, a, lda, b, ldb, add, out, max(row, n))
        else:
            loops(a, a_row, a_step, b, b_step, b_column, out, row, column, m, n, k, add)

    return gemm


def _loops(bits: int) -> Any:
    """For memory that lies in no way that the others know."""
    zero = np.float32(0) if bits == 32 else np.float64(0)

    def loops(
        a: Any, a_row: int, a_step: int,
        b: Any, b_step: int, b_column: int,
        out: Any, row: int, column: int,
        m: int, n: int, k: int, add: bool,
    ) -> None:  # fmt: skip
        for i in range(m):
            for j in range(n):
                total = zero
                for p in range(k):
                    total += a[i * a_row + p * a_step] * b[p * b_step + j * b_column]
                at = i * row + j * column
                out[at] = out[at] + total if add else total

    return loops


def _note_large() -> Any:
    """The intrinsic that sets `large`."""
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole = ir.IntType(64)
        place = cgutils.add_global_variable(builder.module, whole, _LARGE)
        builder.store(whole(1), place)
        return context.get_dummy_value()

    def note_large(typingctx: Any) -> Any:
        return types.void(), codegen

    return extending.intrinsic(note_large)


def _call(bits: int) -> Any:
    """The intrinsic that calls `cblas_sgemm` or `cblas_dgemm`."""
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    whole = types.int64
    number = types.CPointer(types.float32 if bits == 32 else types.float64)
    given = *[whole] * 5, number, whole, number, whole, types.boolean, number, whole
    codegen = _calling(bits)

    def call(
        typingctx: Any,
        kind_a: Any,
        kind_b: Any,
        m: Any,
        n: Any,
        k: Any,
        a: Any,
        lda: Any,
        b: Any,
        ldb: Any,
        add: Any,
        out: Any,
        ldc: Any,
    ) -> Any:
        return types.void(*given), codegen

    return extending.intrinsic(call)


def _calling(bits: int) -> Any:
    """What makes LLVM's code of the call."""
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
    found = blas.find()
    name = "dotori_sgemm" if bits == 32 else "dotori_dgemm"
    number = ir.FloatType() if bits == 32 else ir.DoubleType()
    whole, enum = ir.IntType(64 if found is None else found.bits), ir.IntType(32)
    pointer = number.as_pointer()
    kinds = [enum, enum, enum, whole, whole, whole, number, pointer, whole]
    kinds += [pointer, whole, number, pointer, whole]

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def count(i: int) -> Any:
            return args[i] if whole.width == 64 else builder.trunc(args[i], whole)

        if found is None:  # no symbol that nobody knows; the call is never reached
            return context.get_dummy_value()
        callee = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), kinds), name
        )
        transposed = [builder.trunc(arg, enum) for arg in args[:2]]
        shape = [count(2), count(3), count(4)]
        given = [enum(ROW_MAJOR), *transposed, *shape, number(1.0)]
        given += [args[5], count(6), args[7], count(8)]
        given += [builder.uitofp(args[9], number), args[10], count(11)]
        builder.call(callee, given)
        return context.get_dummy_value()

    return codegen
