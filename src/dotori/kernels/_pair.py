"""`paired`: a loop for Numba beside the NumPy code that defines what it computes.

The loop is an optimisation, never a definition. It agrees with its twin bit for bit
(same operations in the same order, no fast-math), so it does not matter when it takes
over: equal seeds give equal results with and without Numba.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from dotori.errors import ArgumentError, need
from dotori.kernels._compiler import (
    compile_later,
    compile_now,
    dispatcher,
    is_child,
    is_on_disk,
    pending,
)

#: Importing Numba and compiling take about a second: the time in which a twin works
#: through some 10^8 elements. Before that, compiling would only cost.
WORTH_COMPILING = 200_000_000
#: Seconds of a twin's work for which Numba and a loop are loaded from disk.
WORTH_LOADING = 0.5
#: Seconds of a twin's work for which it is better to wait for the compiler.
WORTH_WAITING = 4.0

#: Every pair by the name of its loop. `tests/contracts/` walks it.
registry: dict[str, Pair] = {}

_lock = threading.Lock()
_waiting = threading.Lock()  # for the compiler: the second thread finds what is there


class _Choice:
    """What `use` has chosen, for all threads."""

    mode = "auto"


_choice = _Choice()


def use(mode: str) -> None:
    """Choose how kernels run, in the whole process.

    Parameters
    ----------
    mode : {"auto", "numba", "numpy"}
        ``"auto"``: NumPy at first; once compiling pays, a thread of its own does it
        while the work goes on (`pending` counts what is left). ``"numba"``: compiled at
        once, which makes the first call of each kernel wait. ``"numpy"``: never.

    Raises
    ------
    MissingDependencyError
        For ``"numba"`` where Numba is not installed.

    Examples
    --------
    >>> use("auto")
    """
    if mode not in ("auto", "numba", "numpy"):
        raise ArgumentError(
            f"kernels.use: mode must be 'auto', 'numba' or 'numpy', got {mode!r}"
        )
    if mode == "numba":
        need("numba", "fast", "compiled kernels")
    _choice.mode = mode


def compiling() -> bool:
    """Whether kernels are compiled once they pay: Numba is there and not forbidden.

    An algorithm that only pays when compiled asks this, never whether it has been
    compiled yet, so that results do not depend on when that happens.
    """
    return _choice.mode != "numpy" and find_spec("numba") is not None


class Placeholder:
    """Stands for an array: a kernel that is called with it only says with what.

    ``called(pair, args)`` of the first argument is what the kernel does then.
    """

    __slots__ = ()

    def called(self, pair: Pair, args: tuple[Any, ...]) -> None:
        """Called in place of `pair`."""
        raise NotImplementedError


class Pair:
    """A kernel that can be called: its twin in NumPy, and its loop once compiled.

    Attributes
    ----------
    twin : callable
        The definition, and the oracle of the tests.
    loop : callable
        The loop as plain Python.
    """

    def __init__(
        self,
        twin: Callable[..., None],
        loop: Callable[..., None],
        passes: int = 1,
        compiling: float = WORTH_WAITING,
    ) -> None:
        self.twin, self.loop, self.passes = twin, loop, passes
        self.compiling = compiling
        self.__name__ = loop.__name__
        self.__doc__ = twin.__doc__
        self._compiled: dict[Any, Callable[..., None]] = {}  # by type of number
        self._asked: set[Any] = set()
        self._work = 0

    def __call__(self, *args: Any) -> None:
        mode = _choice.mode
        if isinstance(args[0], Placeholder):
            args[0].called(self, args)
            return
        if mode != "numpy":
            dtype = args[0].dtype
            compiled = self._compiled.get(dtype)
            if compiled is None and (mode == "numba" or self._pays(args[0])):
                compiled = self._obtain(args, mode)
            if compiled is not None:
                scalar = dtype.type
                compiled(*[scalar(a) if isinstance(a, float) else a for a in args])
                return
        self.twin(*args)

    def run(self, seconds: float, *args: Any, whole: float = 0.0) -> None:
        """Call the kernel for a piece of work that comes once, such as a whole fit.

        Parameters
        ----------
        seconds : float
            What the twin would take, roughly. From half a second on, a loop that lies
            on disk is loaded; from four seconds on (`compiling` of `paired`), one is
            compiled and waited for.
        *args
            As for a call.
        whole : float, optional
            What the twin would take for this call and those that follow, if that is
            known: they decide together.
        """
        dtype = args[0].dtype
        if _choice.mode == "auto" and dtype not in self._compiled:
            self._work += int(seconds * WORTH_COMPILING)
            whole = max(seconds, whole)
            if whole > WORTH_LOADING and find_spec("numba") and not is_child():
                self._obtain_now(whole, dtype, args)
        self(*args)

    def _obtain_now(self, seconds: float, dtype: Any, args: tuple[Any, ...]) -> None:
        """Have the loop before the call, if waiting for it takes less than the twin."""
        if seconds < self.compiling and not is_on_disk(self.loop):
            return
        while dtype in self._asked and dtype not in self._compiled and pending():
            time.sleep(0.01)  # the compiling thread is at it already
        with _waiting:
            if dtype not in self._compiled:
                self._compiled[dtype] = compile_now(self.loop, args)

    def _pays(self, first: Any) -> bool:
        self._work += self.passes * first.size
        return self._work > WORTH_COMPILING

    def _obtain(self, args: tuple[Any, ...], mode: str) -> Callable[..., None] | None:
        """The compiled loop: now in mode "numba", else asked for and not waited for.

        None where there is no Numba, and in a child process: forked children that
        compile can leave a cache behind that crashes others (Numba issue 10486).
        """
        dtype = args[0].dtype
        if find_spec("numba") is None or is_child():
            self._work = 0
        elif mode == "numba":
            with _lock:
                self._compiled.setdefault(dtype, dispatcher(self.loop))
        elif dtype not in self._asked:
            self._asked.add(dtype)

            def keep(made: Callable[..., None]) -> None:
                self._compiled[dtype] = made

            compile_later(self.loop, args, keep)
        return self._compiled.get(dtype)

    def __repr__(self) -> str:
        state = "compiled" if self._compiled else "NumPy so far"
        return f"<kernel {self.__name__}: {state}>"


def paired(
    twin: Callable[..., None], passes: int = 1, compiling: float = WORTH_WAITING
) -> Callable[[Callable[..., None]], Pair]:
    """Register the decorated loop as the fast form of `twin`.

    The first argument is a contiguous array; floats among the others are brought to
    its type, as NumPy does by itself, and other float arrays have that type. `passes`
    says how often the twin goes over the first argument, in units of an optimiser's
    step: what compiling is weighed against. `compiling` is how many seconds that takes,
    or less where more calls are to be expected: what `Pair.run` waits for.
    """

    def pair(loop: Callable[..., None]) -> Pair:
        if loop.__name__ in registry:
            raise TypeError(f"a kernel named {loop.__name__} exists already")
        registry[loop.__name__] = made = Pair(twin, loop, passes, compiling)
        return made

    return pair
