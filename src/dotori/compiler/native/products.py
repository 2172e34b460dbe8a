"""Products of matrices for compiled code: `matmul`, `matmul_add`, `multiply_matrices`.

What multiplies is a piece of object code of its own (`dotori.compiler.native.gemm`),
compiled once for all steps. A step writes down on its stack where the matrices lie, and
calls it by the name `dotori_product32` or `dotori_product64`; where that is, the linker
is told when a step is loaded, so that the step's own code can be kept on disk.
"""

from __future__ import annotations

import threading
from typing import Any

from dotori.compiler.native import machine
from dotori.errors import need

SYMBOL = "dotori_product"

#: What is written down, each an int64: addresses, and strides in bytes.
A, A_ROW, A_STEP, B, B_STEP, B_COLUMN, OUT, OUT_ROW, OUT_COLUMN = range(9)
ROWS, COLUMNS, DEPTH, ADD, THREAD, THREADS = range(9, 15)
WORDS = 15

SOURCE = """
def step(words, unused, unused_as_well):
    product{bits}(words)
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

                _loaded[symbol] = load(SOURCE.format(bits=bits))
                machine.define(symbol, _loaded[symbol].address)


def products() -> dict[str, Any]:
    """The functions by their names: Numba's intrinsics."""
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    whole = types.int64

    def matmul(typingctx: Any, a: Any, b: Any, out: Any) -> Any:
        return types.void(a, b, out), _writing(add=False)

    def matmul_add(typingctx: Any, a: Any, b: Any, out: Any) -> Any:
        return types.void(a, b, out), _writing(add=True)

    def multiply_matrices(
        typingctx: Any, a: Any, b: Any, out: Any, thread: Any, threads: Any
    ) -> Any:
        return types.void(a, b, out, whole, whole), _writing(add=False)

    made = (matmul, matmul_add, multiply_matrices)
    return {f.__name__: extending.intrinsic(f) for f in made}


def _writing(add: bool) -> Any:
    """What makes LLVM's code: the words, and the call."""
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
    whole = ir.IntType(64)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        words: list[Any] = []
        shapes = []
        for kind, value in zip(signature.args[:3], args[:3], strict=True):
            array = context.make_array(kind)(context, builder, value)
            words.append(builder.ptrtoint(array.data, whole))
            words += cgutils.unpack_tuple(builder, array.strides, 2)
            shapes.append(cgutils.unpack_tuple(builder, array.shape, 2))
        words += [shapes[2][0], shapes[2][1], shapes[0][1], whole(int(add))]
        words += args[3:] or [whole(0), whole(1)]
        place = cgutils.alloca_once(builder, whole, size=WORDS)
        for i, word in enumerate(words):
            builder.store(word, builder.gep(place, [whole(i)]))
        function = ir.FunctionType(whole, [whole.as_pointer(), whole, whole])
        name = f"{SYMBOL}{signature.args[2].dtype.bitwidth}"
        callee = cgutils.get_or_insert_function(builder.module, function, name)
        builder.call(callee, [place, whole(0), whole(0)])
        return context.get_dummy_value()

    return codegen
