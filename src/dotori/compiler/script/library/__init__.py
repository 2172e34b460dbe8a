"""The functions of a stand-alone script, in plain NumPy, as a textbook has them.

The source of those that a script calls is copied into it, without the types. So they
use NumPy and each other, nothing else, and are written to be read; `dotori.nn` has the
fast ones. float32 stays float32 in all of them.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

_NAMES = ("layers", "activations", "sequences", "gradients", "columns", "optimizers")


def modules() -> list[ModuleType]:
    """The files of the library, in the order in which a script has them."""
    return [import_module(f"{__name__}.{name}") for name in _NAMES]
