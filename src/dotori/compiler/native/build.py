"""From the text of a step to object code, by Numba.

Numba types and lowers the text; LLVM optimises it together with everything that it
calls. The object code refers to nothing of Numba's: the step returns a number, raises
nothing, and makes no Python object.
"""

from __future__ import annotations

import linecache
import math
from functools import cache
from typing import Any

import numpy as np

from dotori.compiler.native import (
    apart,
    arrays,
    functions,
    gemm,
    machine,
    products,
    quiet,
    random,
    synchrony,
)
from dotori.errors import need

#: Infinities, NaN and the order of range reductions count: no nnan, ninf or afn.
FASTMATH = {"reassoc", "contract", "arcp", "nsz"}
OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": FASTMATH,
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def compiled(source: str, arguments: int = 0) -> tuple[bytes, list[str]]:
    """Object code that defines `machine.ENTRY`, and the functions that it needs."""
    return machine.assembled(lowered(source, arguments))


def lowered(source: str, arguments: int = 0) -> str:
    """The step in LLVM's language, optimised.

    It takes ``table, thread, threads``, or so many of int64 if any are asked for.
    """
    compiler: Any = need("numba.core.compiler", "fast", "compiled steps")
    locks: Any = need("numba.core.compiler_lock", "fast", "compiled steps")
    target: Any = need("numba.core.registry", "fast", "compiled steps").cpu_target
    types: Any = need("numba", "fast", "compiled steps").types
    whole = types.int64
    signature = (types.CPointer(whole), whole, whole)
    if arguments:
        signature = (whole,) * arguments
    context = target.target_context
    with locks.global_compiler_lock, quiet.without_machine_code(context):
        flags = compiler.Flags()
        target.options.parse_as_flags(flags, {**OPTIONS, "nopython": True})
        flags.no_compile = True
        target.typing_context.refresh()
        target.target_context.refresh()
        result = compiler.compile_extra(
            target.typing_context,
            target.target_context,
            _function(source),
            signature,
            whole,
            flags,
            {},
        )
        _add_entry(target.target_context, result)
        result.library.last = True
        result.library.finalize()
        return str(result.library.get_llvm_str())


def namespace() -> dict[str, Any]:
    """All names that the text of a step may use."""
    return dict(_names())


@cache
def _names() -> dict[str, Any]:
    """Made once: what Numba has compiled for one step serves the next."""
    numba: Any = need("numba", "fast", "compiled steps")
    made = numba.njit(**OPTIONS)
    return {
        "np": np,
        "math": math,
        "compiled": made,
        "apart": apart.decorator(OPTIONS),
        **arrays.views(),
        **functions.functions(),
        **products.products(),
        **gemm.functions(),
        **synchrony.functions(),
        **random.functions(made),
    }


def _function(source: str) -> Any:
    """`step`, as Python; its lines are kept for the messages of Numba's errors."""
    names = namespace()
    lines = source.splitlines(keepends=True)
    linecache.cache["<captured step>"] = len(source), None, lines, "<captured step>"
    exec(compile(source, "<captured step>", "exec"), names)
    return names["step"]


def _add_entry(context: Any, result: Any) -> None:
    """Add the function that C can call: -1 where Numba's function reports an error."""
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    whole = ir.IntType(64)
    step = result.fndesc
    module = context.create_module("dotori")
    callee = context.declare_function(module, step)
    kind = ir.FunctionType(whole, list(map(context.get_value_type, step.argtypes)))
    entry = ir.Function(module, kind, machine.ENTRY)
    builder = ir.IRBuilder(entry.append_basic_block())
    status, number = context.call_conv.call_function(
        builder, callee, step.restype, step.argtypes, entry.args
    )
    builder.ret(builder.select(status.is_error, whole(-1), number))
    result.library.add_ir_module(module)
