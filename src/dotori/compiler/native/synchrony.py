"""`barrier` for compiled code, and the atomic numbers that threads agree by.

All atomic operations are sequentially consistent: what a thread wrote before one,
another sees after it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from dotori.compiler.native import machine
from dotori.errors import need

#: For the linker: the system's function by which a thread lets others go first.
YIELD = "dotori_yield"
#: Two numbers of each object: threads at the barrier, and barriers so far. They lie in
#: cache lines of their own, as one changes while the other is watched.
BARRIER = "dotori_barrier"
_COUNT, _ROUND, _WORDS = 0, 8, 16

#: Looks at a number before other threads get the processor: some 20 microseconds.
SPINS = 500


def define() -> None:
    """Tell the linker how a thread lets others go first."""
    name, owner = "sched_yield", None
    if sys.platform == "win32":
        name, owner = "SwitchToThread", "kernel32"
    function = getattr(ctypes.CDLL(owner), name)
    address = ctypes.cast(function, ctypes.c_void_p).value
    machine.define(YIELD, address or 0)


@cache
def functions() -> dict[str, Any]:
    """The names for compiled code.

    ``barrier(table, thread, threads)``
        Returns when all threads have come here.
    ``pause(spins)``
        Waits for a moment; from the `SPINS`-th on, lets other threads go first.
    ``atomic_load(p, i)``, ``atomic_store(p, i, x)``, ``atomic_add(p, i, x)``
        Of ``p[i]``, where p points to int64; `atomic_add` gives what was there before.
    ``atomic_swap(p, i, old, new)``
        ``p[i] = new`` if it was `old`; whether it was.
    ``call(address, table, thread, threads)``
        Calls a step.
    ``pointer(address)``
        As a pointer to int64.
    """
    numba: Any = need("numba", "fast", "compiled steps")
    made = _atomics()
    options = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    pause = numba.njit(_pause(), **options)
    barrier = numba.njit(_barrier(made, pause), **options)
    return {
        **made,
        "pause": pause,
        "barrier": barrier,
        "call": _call(),
        "pointer": _pointer(),
    }


def _barrier(atomics: dict[str, Any], pause: Any) -> Any:
    """The last to come opens it: the others watch the number of the round."""
    load, store, add = (atomics[f"atomic_{x}"] for x in ("load", "store", "add"))
    state = _state()

    def barrier(table: Any, thread: int, threads: int) -> None:
        if threads > 1:
            words = state()
            now = load(words, _ROUND)
            if add(words, _COUNT, 1) == threads - 1:
                store(words, _COUNT, 0)
                store(words, _ROUND, now + 1)
            else:
                spins = 0
                while load(words, _ROUND) == now:
                    pause(spins)
                    spins += 1

    return barrier


def _pause() -> Any:
    hint, give_way = _hint(), _system_call(YIELD)

    def pause(spins: int) -> None:
        if spins < SPINS:
            hint()
        else:
            give_way()

    return pause


def _hint() -> Any:
    """The processor's own way to wait a little in a loop that watches a number."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ir: Any = need("llvmlite.ir", "fast", "compiled steps")
        cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
        target = builder.module.triple.partition("-")[0]
        numbers = {"x86_64": [], "aarch64": [1], "arm64": [1]}.get(target)
        if numbers is not None:
            name = "llvm.aarch64.hint" if numbers else "llvm.x86.sse2.pause"
            given = [ir.IntType(32)(n) for n in numbers]
            kind = ir.FunctionType(ir.VoidType(), [g.type for g in given])
            builder.call(
                cgutils.get_or_insert_function(builder.module, kind, name), given
            )
        return context.get_dummy_value()

    return _intrinsic(codegen, "")


def _system_call(name: str) -> Any:
    """A function of the system without arguments, whose result does not matter."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ir: Any = need("llvmlite.ir", "fast", "compiled steps")
        cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return _intrinsic(codegen, "")


def _state() -> Any:
    """A pointer to the numbers of the barrier, which are part of the object."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ir: Any = need("llvmlite.ir", "fast", "compiled steps")
        cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
        kind = ir.ArrayType(ir.IntType(64), _WORDS)
        words = cgutils.add_global_variable(builder.module, kind, BARRIER)
        words.linkage, words.align = "linkonce_odr", 64
        words.initializer = kind(None)
        return builder.bitcast(words, ir.IntType(64).as_pointer())

    return _intrinsic(codegen, "", "p")


def _atomics() -> dict[str, Any]:
    order = "seq_cst"

    def load(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_place(builder, args), order, 8)

    def store(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[2], _place(builder, args), order, 8)
        return context.get_dummy_value()

    def add(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _place(builder, args), args[2], order)

    def swap(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _place(builder, args)
        pair = builder.cmpxchg(place, args[2], args[3], order, order)
        return builder.zext(builder.extract_value(pair, 1), args[2].type)

    return {
        "atomic_load": _intrinsic(load, "pi", "i"),
        "atomic_store": _intrinsic(store, "pii"),
        "atomic_add": _intrinsic(add, "pii", "i"),
        "atomic_swap": _intrinsic(swap, "piii", "i"),
    }


def _call() -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ir: Any = need("llvmlite.ir", "fast", "compiled steps")
        kind = ir.FunctionType(ir.IntType(64), [a.type for a in args[1:]])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    return _intrinsic(codegen, "ipii", "i")


def _pointer() -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], args[0].type.as_pointer())

    return _intrinsic(codegen, "i", "p")


def _place(builder: Any, args: Any) -> Any:
    return builder.gep(args[0], [args[1]], inbounds=True)


def _intrinsic(codegen: Callable[..., Any], takes: str, gives: str = "") -> Any:
    """The intrinsic whose arguments and result are p, a pointer, or i, an int64."""
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    kinds = {"p": types.CPointer(types.int64), "i": types.int64, "": types.void}
    signature = kinds[gives](*(kinds[letter] for letter in takes))

    def none(typingctx: Any) -> Any:
        return signature, codegen

    def one(typingctx: Any, a: Any) -> Any:
        return signature, codegen

    def two(typingctx: Any, a: Any, b: Any) -> Any:
        return signature, codegen

    def three(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
        return signature, codegen

    def four(typingctx: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        return signature, codegen

    by_count: dict[int, Any] = {0: none, 1: one, 2: two, 3: three, 4: four}
    return extending.intrinsic(by_count[len(takes)])
