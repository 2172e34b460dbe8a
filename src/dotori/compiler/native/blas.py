"""The BLAS library that NumPy itself multiplies with, found in the running process.

Its `cblas_sgemm` and `cblas_dgemm` go by different names, with integers of 32 or 64
bits. The dynamic linker looks a name up in a module and in all that this depends on, so
asking NumPy's own compiled module finds them wherever they lie.
"""

from __future__ import annotations

import ctypes
import glob
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

#: What goes round ``cblas_sgemm`` in its name, and the bits of its integers.
_SPELLINGS = (
    ("scipy_cblas_{}64_", 64),
    ("cblas_{}64_", 64),
    ("cblas_{}_64", 64),
    ("cblas_{}$NEWLAPACK$ILP64", 64),
    ("cblas_{}$NEWLAPACK", 32),
    ("scipy_cblas_{}", 32),
    ("cblas_{}", 32),
)
_THREADS = tuple(
    prefix + "openblas_{}_num_threads" + suffix
    for prefix in ("scipy_", "")
    for suffix in ("64_", "_64", "")
)


@dataclass(frozen=True)
class Blas:
    """A library with products of matrices.

    Attributes
    ----------
    addresses : dict
        Of ``"sgemm"`` and ``"dgemm"``, as C calls them (`cblas_...`).
    bits : int
        Of its integers.
    get_threads, set_threads : callable or None
        How many threads it multiplies with, where it can be told.
    """

    addresses: dict[str, int]
    bits: int
    get_threads: Any = None
    set_threads: Any = None


@cache
def find() -> Blas | None:
    """NumPy's BLAS library; None where it has none that can be called.

    Examples
    --------
    >>> blas = find()
    >>> blas is None or sorted(blas.addresses) == ["dgemm", "sgemm"]
    True
    """
    for library in _libraries():
        for spelling, bits in _SPELLINGS:
            if hasattr(library, spelling.format("sgemm")):
                found = {
                    name: _address(library, spelling.format(name))
                    for name in ("sgemm", "dgemm")
                }
                return Blas(found, bits, *_thread_functions(library))
    return None


def _libraries() -> Iterator[ctypes.CDLL]:
    """NumPy's compiled module, then the libraries that came with it."""
    paths = []
    for name in ("numpy._core._multiarray_umath", "numpy.linalg._umath_linalg"):
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            paths.append(spec.origin)
    package = find_spec("numpy")
    if package is not None and package.origin is not None:
        folder = os.path.dirname(package.origin)
        for beside in (folder + ".libs", os.path.join(folder, ".dylibs")):
            paths += sorted(glob.glob(os.path.join(glob.escape(beside), "*blas*")))
    for path in paths:
        try:
            yield ctypes.CDLL(path, **_LOADED)
        except OSError:  # not loaded: not what NumPy uses
            continue


# Only what the process has already; a second copy would have threads of its own.
_LOADED: dict[str, Any] = (
    {} if sys.platform == "win32" else {"mode": getattr(os, "RTLD_NOLOAD", 0)}
)


def _address(library: ctypes.CDLL, name: str) -> int:
    address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    return 0 if address is None else address


def _thread_functions(library: ctypes.CDLL) -> tuple[Any, Any]:
    for name in _THREADS:
        if hasattr(library, name.format("set")) and hasattr(
            library, name.format("get")
        ):
            get = getattr(library, name.format("get"))
            put = getattr(library, name.format("set"))
            get.argtypes, get.restype = [], ctypes.c_int
            put.argtypes, put.restype = [ctypes.c_int], None
            return get, put
    return None, None
