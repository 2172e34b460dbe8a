"""Products of matrices for compiled code: `matmul`, `matmul_add`, `multiply_matrices`.

A product goes to NumPy's BLAS library, called as C calls it, in the thread that asks.
Object code names the functions `dotori_sgemm` and `dotori_dgemm`; where they are is
told to the linker when it is loaded (`define`), so that it can be kept on disk.
"""

from __future__ import annotations

from typing import Any

from dotori.compiler.native import blas, machine
from dotori.errors import need

SYMBOLS = {"dotori_sgemm": "sgemm", "dotori_dgemm": "dgemm"}

# cblas.h: rows one after the other; as it is; transposed
_ROW_MAJOR, _PLAIN, _TRANSPOSED = 101, 111, 112


def define() -> None:
    """Tell the linker where the functions of the BLAS library are."""
    found = blas.find()
    if found is not None:
        for symbol, name in SYMBOLS.items():
            machine.define(symbol, found.addresses[name])


def bits() -> int:
    """Of the BLAS library's integers; 0 where there is none, and loops multiply."""
    found = blas.find()
    return 0 if found is None else found.bits


def products(options: dict[str, Any]) -> dict[str, Any]:
    """The functions by their names, compiled with these options of Numba's."""
    numba: Any = need("numba", "fast", "compiled steps")
    gemm = numba.njit(_gemm(), **options)

    def matmul(a: Any, b: Any, out: Any) -> None:
        gemm(a, b, out, 0)

    def matmul_add(a: Any, b: Any, out: Any) -> None:
        gemm(a, b, out, 1)

    def multiply_matrices(a: Any, b: Any, out: Any, thread: int, threads: int) -> None:
        """Rows of `out` are shared, or columns where there are more of these."""
        if threads == 1:
            gemm(a, b, out, 0)
        elif out.shape[0] >= out.shape[1]:
            first = out.shape[0] * thread // threads
            last = out.shape[0] * (thread + 1) // threads
            gemm(a[first:last], b, out[first:last], 0)
        else:
            first = out.shape[1] * thread // threads
            last = out.shape[1] * (thread + 1) // threads
            gemm(a, b[:, first:last], out[:, first:last], 0)

    made = (matmul, matmul_add, multiply_matrices)
    return {f.__name__: numba.njit(f, **options) for f in made}


def _gemm() -> Any:
    """``gemm(a, b, out, beta)``: out = a @ b + beta out, for arrays of any strides."""
    call, known = _call(), bits() > 0

    def gemm(a: Any, b: Any, out: Any, beta: int) -> None:
        m, n, k = out.shape[0], out.shape[1], a.shape[1]
        if m == 0 or n == 0:
            return
        size = out.itemsize
        plain_a, plain_b = a.strides[1] == size, b.strides[1] == size
        fits = (
            known
            and k > 0
            and (plain_a or a.strides[0] == size)
            and (plain_b or b.strides[0] == size)
            and (out.strides[1] == size or n == 1)
        )
        if fits:
            lda = a.strides[0] // size if plain_a else a.strides[1] // size
            ldb = b.strides[0] // size if plain_b else b.strides[1] // size
            lda = max(lda, k if plain_a else m)  # of one row, any stride is given
            ldb = max(ldb, n if plain_b else k)
            ldc = max(out.strides[0] // size, n)
            transposed_a = _PLAIN if plain_a else _TRANSPOSED
            transposed_b = _PLAIN if plain_b else _TRANSPOSED
            call(transposed_a, transposed_b, m, n, k, a, lda, b, ldb, beta, out, ldc)
        else:
            for i in range(m):
                for j in range(n):
                    total = out[i, j] * beta if beta else out[i, j] * 0
                    for p in range(k):
                        total += a[i, p] * b[p, j]
                    out[i, j] = total

    return gemm


def _call() -> Any:
    """The intrinsic that calls `cblas_sgemm` or `cblas_dgemm`, by the type of `out`."""
    numba: Any = need("numba", "fast", "compiled steps")
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types = numba.types

    def call(
        typingctx: Any,
        transposed_a: Any,
        transposed_b: Any,
        m: Any,
        n: Any,
        k: Any,
        a: Any,
        lda: Any,
        b: Any,
        ldb: Any,
        beta: Any,
        out: Any,
        ldc: Any,
    ) -> Any:
        whole = types.int64
        given = (
            whole,
            whole,
            whole,
            whole,
            whole,
            a,
            whole,
            b,
            whole,
            whole,
            out,
            whole,
        )
        return types.void(*given), _calling(out.dtype)

    return extending.intrinsic(call)


def _calling(dtype: Any) -> Any:
    """What makes LLVM's code of the call."""
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
    double = dtype.bitwidth == 64
    name = "dotori_dgemm" if double else "dotori_sgemm"
    number = ir.DoubleType() if double else ir.FloatType()
    whole, enum = ir.IntType(bits() or 64), ir.IntType(32)
    pointer = number.as_pointer()

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def data(i: int) -> Any:
            array = context.make_array(signature.args[i])(context, builder, args[i])
            return builder.bitcast(array.data, pointer)

        def count(i: int) -> Any:
            return args[i] if whole.width == 64 else builder.trunc(args[i], whole)

        kinds = [enum, enum, enum, whole, whole, whole, number, pointer, whole]
        kinds += [pointer, whole, number, pointer, whole]
        callee = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), kinds), name
        )
        transposed = [builder.trunc(arg, enum) for arg in args[:2]]
        shape = [count(2), count(3), count(4)]
        given = [enum(_ROW_MAJOR), *transposed, *shape, number(1.0)]
        given += [data(5), count(6), data(7), count(8)]
        given += [builder.sitofp(args[9], number), data(10), count(11)]
        builder.call(callee, given)
        return context.get_dummy_value()

    return codegen
