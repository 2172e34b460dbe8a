"""Object code in this process: made from LLVM's text, linked, called. llvmlite alone.

Importing llvmlite takes a fifth of what importing Numba takes, so whatever was compiled
before is run without Numba.
"""

from __future__ import annotations

import contextlib
import threading
from functools import cache
from typing import Any

from dotori.errors import need

#: The function that each object defines.
ENTRY = "dotori_step"

_lock = threading.RLock()  # LLVM's tables of symbols and targets are the process's


@cache
def binding() -> Any:
    """`llvmlite.binding`, ready for this machine."""
    llvm: Any = need("llvmlite.binding", "fast", "compiled steps")
    with contextlib.suppress(RuntimeError, AttributeError):
        llvm.initialize()  # needed, superfluous or gone, depending on the version
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def processor() -> tuple[str, str]:
    """The name of this processor and its features, as LLVM spells them."""
    llvm = binding()
    try:
        features = llvm.get_host_cpu_features().flatten()
    except RuntimeError:
        features = ""
    return llvm.get_host_cpu_name(), features


def _target_machine() -> Any:
    llvm = binding()
    target = llvm.Target.from_default_triple()
    name, features = processor()
    x86 = target.name.startswith("x86")
    return target.create_target_machine(
        cpu=name,
        features=features,
        opt=3,
        reloc="static" if x86 else "default",
        codemodel="jitdefault",
        jit=True,
    )


def assembled(text: str) -> tuple[bytes, list[str]]:
    """Object code of a module of LLVM's language, and the functions that it needs."""
    llvm = binding()
    with _lock:
        module = llvm.parse_assembly(text)
        wanted = [
            f.name
            for f in module.functions
            if f.is_declaration and not f.name.startswith("llvm.")
        ]
        return _target_machine().emit_object(module), wanted


def define(name: str, address: int) -> None:
    """Let object code find `name` at `address`."""
    with _lock:
        binding().add_symbol(name, address)


def missing(names: list[str]) -> list[str]:
    """Those of the functions that this process does not have."""
    llvm = binding()
    with _lock:
        return [name for name in names if not llvm.address_of_symbol(name)]


class Linked:
    """Object code that is part of the process.

    Attributes
    ----------
    address : int
        Of its function `ENTRY`.
    """

    def __init__(self, code: bytes) -> None:
        llvm = binding()
        with _lock:
            empty = llvm.parse_assembly("")
            self._engine = llvm.create_mcjit_compiler(empty, _target_machine())
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()
            self.address: int = self._engine.get_function_address(ENTRY)
