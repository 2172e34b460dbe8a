"""Where arrays live: NumPy on the CPU, CuPy on a CUDA device.

This is the only file that knows CuPy. Everything else is handed `xp`, the namespace
of the arrays at hand, and writes the same lines for both.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dotori.errors import ArgumentError, DTypeError, need

#: A NumPy array, or a CuPy array with the same interface.
Array: TypeAlias = NDArray[Any]
#: A namespace with NumPy's functions: NumPy, CuPy, or dotori's own on tensors.
Namespace: TypeAlias = Any


class _Stand_in:
    """What stands for arrays while a step is captured, and its namespace."""

    type: type[Any] | None = None
    namespace: Any = None


_stand_in = _Stand_in()


def use_stand_in(kind: type[Any], namespace: Namespace) -> None:
    """Let objects of type `kind` pass for arrays, with the functions of `namespace`."""
    _stand_in.type, _stand_in.namespace = kind, namespace


def is_captured(array: Any) -> bool:
    """Whether `array` stands for an array of a step that is being captured.

    Its numbers cannot be looked at: they are others at the next call.
    """
    return _stand_in.type is not None and isinstance(array, _stand_in.type)


def namespace(array: Any) -> ModuleType:
    """The module whose functions work on `array`: NumPy or CuPy.

    Examples
    --------
    >>> namespace(np.zeros(3)).__name__
    'numpy'
    """
    if isinstance(array, np.ndarray):
        return np
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(array, cupy.ndarray):
        return cupy
    if is_captured(array):
        return _stand_in.namespace  # type: ignore[no-any-return]
    raise DTypeError(f"expected a NumPy or CuPy array, got {type(array).__name__}")


def namespace_of(*values: Any) -> ModuleType:
    """The namespace of the first device array among `values`, else NumPy."""
    for value in values:
        if type(value) is not np.ndarray and is_array(value):
            return namespace(value)
    return np


def is_array(value: Any) -> bool:
    """Whether `value` is an array of a known backend."""
    if isinstance(value, np.ndarray):
        return True
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(value, cupy.ndarray):
        return True
    return is_captured(value)


def as_array(value: Any, dtype: Any = None) -> Any:
    """`numpy.asarray`, which leaves what stands for an array as it is.

    Examples
    --------
    >>> as_array([1, 2], np.float32)
    array([1., 2.], dtype=float32)
    """
    if is_captured(value):
        return value if dtype is None else value.astype(dtype, copy=False)
    return np.asarray(value, dtype)


class device(str):
    """Where arrays live: ``"cpu"``, ``"cuda"`` or ``"cuda:0"`` and so on.

    It is a text, and can be used wherever one is.

    Parameters
    ----------
    type : str or int
        The name, or the number of a CUDA device.
    index : int, optional
        The number, if the name does not have it.

    Examples
    --------
    >>> place = device("cuda:1")
    >>> place.type, place.index, place == "cuda:1", device("cuda", 1) == place
    ('cuda', 1, True, True)
    """

    __slots__ = ()

    def __new__(cls, type: str | int, index: int | None = None) -> device:
        given = f"cuda:{type}" if isinstance(type, int) else str(type)
        name = given if index is None else f"{given}:{index}"
        kind, colon, number = name.partition(":")
        if kind not in ("cpu", "cuda") or (colon and not number.isdecimal()):
            raise ArgumentError(
                f"device must be 'cpu', 'cuda' or 'cuda:N', got {name!r}"
            )
        return super().__new__(cls, name)

    @property
    def type(self) -> str:
        """``"cpu"`` or ``"cuda"``."""
        return self.partition(":")[0]

    @property
    def index(self) -> int | None:  # type: ignore[override]
        """The number, or None."""
        number = self.partition(":")[2]
        return int(number) if number else None

    def __repr__(self) -> str:
        return f"device({str(self)!r})"


_CPU = device("cpu")


def device_of(array: Any) -> device:
    """``"cpu"``, or ``"cuda:0"`` and so on."""
    if isinstance(array, np.ndarray) or not hasattr(array, "device"):
        return _CPU
    return device(f"cuda:{array.device.id}")


def cuda_devices() -> int:
    """How many CUDA devices there are for CuPy; 0 without it."""
    try:
        cupy = need("cupy", "cuda", "a CUDA device")
        return int(cupy.cuda.runtime.getDeviceCount())
    except Exception:  # no CuPy, no driver, no device: CuPy has an error for each
        return 0


def to_device(array: Any, device: str) -> Any:
    """`array` on `device`; the same array where it is there already.

    Raises
    ------
    ArgumentError
        If `device` is neither ``"cpu"`` nor ``"cuda"`` or ``"cuda:N"``.
    """
    kind, _, index = str(device).partition(":")
    if kind == "cpu" and index in ("", "0"):
        if isinstance(array, np.ndarray) or not hasattr(array, "device"):
            return array
        return array.get()
    if kind == "cuda" and (not index or index.isdigit()):
        cupy = need("cupy", "cuda", "a CUDA device")
        with cupy.cuda.Device(int(index or 0)):
            return cupy.asarray(array)
    raise ArgumentError(f"device must be 'cpu', 'cuda' or 'cuda:N', got {device!r}")


class memory_format(str):
    """In what order a tensor's numbers lie in memory; its shape is the same in all.

    ``channels_last`` (pictures) and ``channels_last_3d`` (volumes): the numbers of all
    channels of a place side by side, as the layers on pictures have them.
    ``contiguous_format``: C order. ``preserve_format``: as it is.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"dotori.{self}"


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


@cache
def keep_memory() -> bool:
    """Let the process keep freed memory, for the arrays of its next step.

    The C library gives large freed arrays back to the system, which hands out zeroed
    pages anew at the next step: training loses a fifth of its time to that, networks on
    pictures up to half. Every optimiser calls this when it is made. It holds for the
    whole process, and does not change how much memory is used at most, only that what
    was used once is not returned. ``DOTORI_KEEP_MEMORY=0`` in the environment forbids
    it.

    Returns
    -------
    bool
        Whether it was done: with glibc, so on nearly every Linux.

    Examples
    --------
    >>> kept = keep_memory()
    """
    forbidden = os.environ.get("DOTORI_KEEP_MEMORY", "1") == "0"
    if forbidden or not sys.platform.startswith("linux"):
        return False
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    trim_threshold, mmap_threshold = -1, -3  # M_... of malloc.h
    all_of_it, largest = 2**31 - 1, 2**25  # glibc takes no more for the second
    done = mallopt(trim_threshold, all_of_it) and mallopt(mmap_threshold, largest)
    return bool(done)
