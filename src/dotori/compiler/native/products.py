"""Products of matrices for compiled code: `matmul`, `matmul_add`, `multiply_matrices`.

What multiplies is a piece of object code of its own (`dotori.compiler.native.gemm`),
compiled once for all steps. A step calls it by the name `dotori_product32` or
`dotori_product64`; where that is, the linker is told when a step is loaded, so that the
step's own code can be kept on disk.
"""

from __future__ import annotations

import threading
from typing import Any

from dotori.compiler.native import machine
from dotori.compiler.native.arrays import place
from dotori.errors import need

SYMBOL = "dotori_product"

#: What the code is told, each an int64. Strides are in bytes.
ARGUMENTS = (
    "a a_row a_step b b_step b_column out out_row out_column "
    "rows columns depth add thread threads"
).split()

SOURCE = f"""
def step({", ".join(ARGUMENTS)}):
    product{{bits}}({", ".join(ARGUMENTS)})
    return 0
"""

_loaded: dict[str, Any] = {}  # owns the code
_lock = threading.RLock()


def provide(needed: list[str]) -> None:
    """Tell the linker where those of these functions are that are defined here."""
    for bits in (32, 64):
        symbol = f"{SYMBOL}{bits}"
        with _lock:
            if symbol in needed and symbol not in _loaded:
                from dotori.compiler.native.runtime import load

                _loaded[symbol] = load(SOURCE.format(bits=bits), len(ARGUMENTS))
                machine.define(symbol, _loaded[symbol].address)


def products() -> dict[str, Any]:
    """The functions by their names: Numba's intrinsics."""
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    whole = types.int64

    def matmul(typingctx: Any, a: Any, b: Any, out: Any) -> Any:
        return types.void(a, b, out), _calling(add=False)

    def matmul_add(typingctx: Any, a: Any, b: Any, out: Any) -> Any:
        return types.void(a, b, out), _calling(add=True)

    def multiply_matrices(
        typingctx: Any, a: Any, b: Any, out: Any, thread: Any, threads: Any
    ) -> Any:
        return types.void(a, b, out, whole, whole), _calling(add=False)

    made = (matmul, matmul_add, multiply_matrices)
    return {f.__name__: extending.intrinsic(f) for f in made}


def _calling(add: bool) -> Any:
    """What makes LLVM's code of the call."""
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
    whole = ir.IntType(64)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        given: list[Any] = []
        shapes = []
        for kind, value in zip(signature.args[:3], args[:3], strict=True):
            data, strides, shape = (
                builder.extract_value(value, place(context, kind, name))
                for name in ("data", "strides", "shape")
            )
            given.append(builder.ptrtoint(data, whole))
            given += cgutils.unpack_tuple(builder, strides, 2)
            shapes.append(cgutils.unpack_tuple(builder, shape, 2))
        given += [shapes[2][0], shapes[2][1], shapes[0][1], whole(int(add))]
        given += args[3:] or [whole(0), whole(1)]
        function = ir.FunctionType(whole, [whole] * len(ARGUMENTS))
        name = f"{SYMBOL}{signature.args[2].dtype.bitwidth}"
        callee = cgutils.get_or_insert_function(builder.module, function, name)
        builder.call(callee, given)
        return context.get_dummy_value()

    return codegen
