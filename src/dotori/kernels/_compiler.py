"""Compiling with Numba: at once, or in a thread of its own while the work goes on.

As kernels and their twins agree bit for bit, nobody has to wait: the twin runs until
the loop is there. What was compiled once lies on disk for the next process.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from dotori.errors import need

if TYPE_CHECKING:
    from logging import Logger

_process = os.getpid()

Keep = Callable[[Callable[..., None]], None]
F = TypeVar("F", bound=Callable[..., Any])


class _Later:
    """Loops that wait to be compiled, and the thread that does it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[..., None], list[Any], Keep]] = []
        self.left = 0
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def add(self, loop: Callable[..., None], about: list[Any], keep: Keep) -> None:
        with self.lock:
            self.waiting.append((loop, about, keep))
            self.left += 1
            if self.thread is None:
                # No daemon: Python waits for the kernel that is being compiled when
                # the program ends, as a thread must not be cut off inside of LLVM.
                self.thread = threading.Thread(target=self.run, name="dotori compiler")
                self.thread.start()

    def run(self) -> None:
        while True:
            with self.lock:
                if not self.waiting or not threading.main_thread().is_alive():
                    self.thread, self.left = None, 0
                    return
                loop, about, keep = self.waiting.pop(0)
            self.compile(loop, about, keep)
            with self.lock:
                self.left -= 1

    def compile(self, loop: Callable[..., None], about: list[Any], keep: Keep) -> None:
        start = time.perf_counter()
        try:
            made: Any = dispatcher(loop)
            made.compile(tuple(map(_type_of, about)))
        except Exception:  # the twin goes on; a kernel is only ever faster
            _log().warning("compiling %s failed", loop.__name__, exc_info=True)
        else:
            keep(made)
            seconds = time.perf_counter() - start
            _log().info("compiled %s in %.2f s", loop.__name__, seconds)


_later = _Later()


def compile_later(loop: Callable[..., None], args: tuple[Any, ...], keep: Keep) -> None:
    """Compile `loop` for arguments like these, then hand it to `keep`."""
    # notes of what the arrays are, so that they themselves can be freed meanwhile
    _later.add(loop, [_note(a, args[0].dtype.type) for a in args], keep)


def pending() -> int:
    """How many kernels are being compiled, or wait for it.

    Examples
    --------
    >>> pending()
    0
    """
    return _later.left


def compile_now(loop: Callable[..., None], args: tuple[Any, ...]) -> Any:
    """The loop, compiled for arguments like these, or loaded from disk."""
    made: Any = dispatcher(loop)
    made.compile(tuple(_type_of(_note(a, args[0].dtype.type)) for a in args))
    return made


def is_on_disk(loop: Callable[..., None]) -> bool:
    """Whether an earlier process left this loop compiled. Imports Numba."""
    made: Any = dispatcher(loop)
    try:
        newest = Path(loop.__code__.co_filename).stat().st_mtime
        pattern = f"*.{made.py_func.__qualname__}-*.nbi"
        found = Path(made.stats.cache_path).glob(pattern)
        return any(index.stat().st_mtime >= newest for index in found)
    except (OSError, TypeError):  # no folder that can be written to
        return False


def inner(function: F) -> F:
    """Mark a function that loops call: it is compiled with them.

    Until then it is plain Python, which a twin may call as well. It may call other
    `inner` functions, and read numbers that are global in its file.

    Examples
    --------
    >>> @inner
    ... def double(x):
    ...     return 2 * x
    >>> double(4)
    8
    """
    function.is_inner = True  # type: ignore[attr-defined]
    return function


def borrowing(function: F) -> F:
    """Mark an `inner` function that makes no arrays (views are none) and returns none.

    Numba then counts no references to its arguments, which takes longer than a short
    loop, and is compiled as well.

    Examples
    --------
    >>> @borrowing
    ... def first(x):
    ...     return x[0]
    >>> first([4, 5])
    4
    """
    function.is_borrowing = True  # type: ignore[attr-defined]
    return inner(function)


def dispatcher(loop: Callable[..., None]) -> Callable[..., None]:
    """The loop as Numba runs it; compiled at the first call with a signature."""
    numba = need("numba", "fast", "compiled kernels")
    inside: dict[Any, Any] = {}
    function = _with_inner(loop, inside)
    if inside:
        # Numba looks at the loop's own file for changes. The others' contents go into
        # the name under which it is kept.
        function.__qualname__ += f"_{_digest(inside)}"
    made: Callable[..., None] = numba.njit(
        function, cache=True, error_model="numpy", nogil=True
    )
    return made


def _with_inner(function: Any, made: dict[Any, Any]) -> Any:
    """The function, with Numba's forms of the `inner` ones that it calls."""
    numba = need("numba", "fast", "compiled kernels")
    known = function.__globals__
    called = {
        name: known[name]
        for name in function.__code__.co_names
        if hasattr(known.get(name), "is_inner")
    }
    if not called:
        return function
    for plain in called.values():
        if plain not in made:
            made[plain] = None  # its place in the order, before those that it calls
            copy = _with_inner(plain, made)
            made[plain] = numba.njit(
                copy,
                error_model="numpy",
                nogil=True,
                # only loops call it: a third less to compile
                no_cpython_wrapper=True,
                no_cfunc_wrapper=True,
                _nrt=not hasattr(plain, "is_borrowing"),
            )
    compiled = {name: made[plain] for name, plain in called.items()}
    copy = FunctionType(
        function.__code__,
        {**known, **compiled},
        function.__name__,
        function.__defaults__,
    )
    copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
    return copy


def _digest(functions: Iterable[Any]) -> str:
    """What these functions do, as a short text: their code and global numbers."""
    import hashlib  # where it is needed: `import dotori` comes by here

    digest = hashlib.blake2b(digest_size=8)
    for function in functions:
        code, known = function.__code__, function.__globals__
        numbers = [
            (name, known[name])
            for name in code.co_names
            if isinstance(known.get(name), (int, float, tuple, str, np.generic))
        ]
        about = (code.co_name, code.co_consts, code.co_names, numbers)
        digest.update(code.co_code + repr(about).encode())
    return digest.hexdigest()


def is_child() -> bool:
    """Whether this process was forked or spawned by one that has loaded this file."""
    if os.getpid() != _process:
        return True
    # Half of the module may be there while the compiling thread imports it; what was
    # spawned has all of it.
    parent = getattr(sys.modules.get("multiprocessing"), "parent_process", None)
    return parent is not None and parent() is not None


class _Array(NamedTuple):
    """What Numba has to know of an array. Plain tuples are arguments themselves."""

    dtype: Any
    ndim: int
    order: str
    readonly: bool


def _log() -> Logger:
    import logging  # a third of what `import dotori` costs, if done there

    return logging.getLogger("dotori.kernels")


def _note(value: Any, scalar: Any) -> Any:
    if hasattr(value, "dtype") and value.ndim:
        flags = value.flags
        order = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        return _Array(value.dtype, value.ndim, order, not flags.writeable)
    return scalar(value) if isinstance(value, float) else value


def _type_of(note: Any) -> Any:
    """Numba's type of an argument, from its note."""
    numba = need("numba", "fast", "compiled kernels")
    if not isinstance(note, _Array):
        return numba.typeof(note)
    item = numba.from_dtype(note.dtype)
    return numba.types.Array(item, note.ndim, note.order, readonly=note.readonly)
