"""Numba without its machine code: only what LLVM is given, which is what steps need.

Numba optimises each function that another calls, and makes machine code of it, which
only Python would call. A step links all of them as LLVM's language, is optimised as a
whole, and becomes machine code once, at the end. Leaving the rest out makes compiling
several times as fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dotori.errors import need


@contextmanager
def without_machine_code(context: Any) -> Iterator[None]:
    """Within the block, what Numba compiles for `context` cannot be called by Python.

    The caller holds Numba's lock, so that no other thread compiles meanwhile. What
    others compile later may use what was compiled here: they link LLVM's language too.
    """
    codegen = context.codegen()
    library = codegen._library_class
    codegen._library_class = _quiet(library)
    context.get_executable = _token
    try:
        yield
    finally:
        codegen._library_class = library
        del context.get_executable


def _quiet(library: Any) -> Any:
    """The kind of library that stays LLVM's language."""

    class Quiet(library):  # type: ignore[misc]  # a class that is found late
        last = False  # the step itself, to which all that it calls has been linked

        def _optimize_final_module(self) -> None:
            if self.last:
                super()._optimize_final_module()

        def _finalize_final_module(self) -> None:
            self._finalize_dynamic_globals()
            self._verify_declare_only_symbols()
            self._finalized = True

    return Quiet


def _token(library: Any, fndesc: Any, env: Any) -> Any:
    """What stands for a function that Python could call: Numba looks it up by this."""
    dynfunc: Any = need("numba._dynfunc", "fast", "compiled steps")
    name = fndesc.qualname.split(".")[-1]
    about = "cannot be called by Python"
    return dynfunc.make_function(
        fndesc.lookup_module(), name, about, 0, env, (library,)
    )
