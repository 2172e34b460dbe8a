"""`Compiled`: a step that is captured at its first call and then runs as a plan."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from functools import update_wrapper
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import wrap
from dotori.autograd.graph import CAPTURE, recording
from dotori.compiler import background
from dotori.compiler.finish import Captured, arrays_of, capture, given
from dotori.compiler.guards import Surroundings, signature
from dotori.compiler.host import Changed, Numbers
from dotori.compiler.numpy_plan import NumPyPlan
from dotori.compiler.passes import simplified
from dotori.compiler.report import Report
from dotori.errors import ArgumentError, CaptureError

if TYPE_CHECKING:
    from dotori.compiler.graph import Graph

#: So many captures of one step are kept; the one unused for the longest time goes.
KEPT = 64

#: So many runs of a plan before it is worth compiling.
WORTH_COMPILING = 3

#: So many steps go into one call of `Compiled.over`.
CHUNK = 256

MODES = ("auto", "numpy", "native")


class Entry:
    """One capture, and the plans made from it."""

    def __init__(self, captured: Captured, mode: str) -> None:
        self.captured, self.mode = captured, mode
        self.program = simplified(captured.program)
        self.plan: Any = None
        self.native: Any = None
        self.runs = 0
        self.asked = False
        self.trouble = ""
        if mode == "native":
            self.compile()
        else:
            self.plan = NumPyPlan(self.program)

    def compile(self) -> None:
        """Make the native plan, now."""
        from dotori.compiler.native.plan import NativePlan

        self.native = NativePlan(self.program)

    def best(self) -> Any:
        """The plan to run; asks for the native one once it pays."""
        if self.native is not None:
            return self.native
        self.runs += 1
        if self.mode == "auto" and not self.asked and self.runs >= WORTH_COMPILING:
            self.asked = True
            background.compile_later(self)
        return self.plan

    def numbers(self) -> list[Any]:
        """What Python works out before a run."""
        return [x for action in self.captured.host for x in action.run()]

    def run(self, arrays: list[Any]) -> Any:
        """One step."""
        host = self.numbers()
        try:
            outputs = self.best().run(arrays, host)
        except Exception:
            self.undo()
            raise
        return self.finished(outputs)

    def run_many(self, steps: list[list[Any]]) -> list[Any]:
        """Several steps in one call of the native plan."""
        plan = self.best()
        if plan is not self.native or self.captured.later or self.captured.gradients:
            return [self.run(arrays) for arrays in steps]
        host = [self.numbers() for _ in steps]
        return [self.finished(outputs) for outputs in plan.run_many(steps, host)]

    def undo(self) -> None:
        """Take back what counts a step, after it has failed."""
        for action in self.captured.host:
            if isinstance(action, Numbers):
                action.undo()

    def finished(self, outputs: list[Any]) -> Any:
        """Updates and gradients that follow a run, and what the step returns."""
        captured = self.captured
        for later, places in captured.later:
            later.run([outputs[i] for i in places])
        for node, place in captured.gradients:
            node.grad = wrap(outputs[place])
        return given(captured.result, outputs)


class Compiled:
    """A function of a step, run from its captured program: see `dotori.compile`.

    Attributes
    ----------
    captures : int
        How often the step was captured.
    failure : str
        Why it runs as it is, without being captured; empty if it does not.
    """

    def __init__(
        self, function: Callable[..., Any], mode: str = "auto", strict: bool = True
    ) -> None:
        if mode not in MODES:
            raise ArgumentError(f"compile: mode must be one of {MODES}, got {mode!r}")
        if mode == "auto" and find_spec("numba") is None:
            mode = "numpy"
        self.function, self.mode, self.strict = function, mode, strict
        self.captures = 0
        self.failure = ""
        self.reasons: list[str] = []
        self._entries: OrderedDict[Any, Entry] = OrderedDict()
        self._surroundings = Surroundings(function)
        self._lock = threading.RLock()
        update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.failure or recording.state.flags >= CAPTURE:
            return self.function(*args, **kwargs)
        with self._lock:
            arrays: list[Any] = []
            arrays_of(args, arrays)
            if kwargs:
                arrays_of(kwargs, arrays)
            key = signature(args, kwargs, self._surroundings)
            entry = self._entries.get(key)
            if entry is not None:
                if entry.captured.still_holds():
                    try:
                        return entry.run(arrays)
                    except Changed as change:
                        self.reasons.append(str(change))
                else:
                    self.reasons.append("a tensor from outside lies elsewhere now")
            return self._capture(key, args, kwargs)

    def _capture(self, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the step under capture; its result is that of the run."""
        if key not in self._entries:
            self.reasons.append("first call" if not self._entries else "new signature")
        around = self._surroundings
        result, captured, failure = capture(
            self.function, args, kwargs, around.names(), around.tensors(), self.strict
        )
        self.captures += 1
        if captured is None:
            if self.strict:
                raise CaptureError(f"{failure}. The step itself was made")
            self._give_up(failure)
            return result
        self._entries[key] = Entry(captured, self.mode)
        self._entries.move_to_end(key)
        while len(self._entries) > KEPT:
            self._entries.popitem(last=False)
        return result

    def _give_up(self, failure: str) -> None:
        import warnings

        self.failure = failure
        warnings.warn(
            f"the step runs as it is, without being captured: {failure}",
            UserWarning,
            stacklevel=4,
        )

    # ------------------------------------------------------------ many steps

    def over(self, batches: Iterable[Any]) -> Any:
        """Run the step for each of `batches`; many steps go in one call.

        Parameters
        ----------
        batches : iterable
            Of tuples of arguments, as a `DataLoader` gives them.

        Returns
        -------
        Tensor, array, or a tuple, list or dict of such
            What the steps return, stacked along a first axis.

        Examples
        --------
        >>> import dotori
        >>> double = dotori.compile(lambda x: x * 2)
        >>> double.over([(dotori.ones(2),), (dotori.zeros(2),)]).tolist()
        [[2.0, 2.0], [0.0, 0.0]]
        """
        results: list[Any] = []
        steps = iter(batches)
        while chunk := list(islice(steps, CHUNK)):
            results += self._over_chunk([_arguments(batch) for batch in chunk])
        if not results:
            raise ArgumentError("over: there is no batch")
        return _stacked(results)

    def _over_chunk(self, chunk: list[tuple[Any, ...]]) -> list[Any]:
        with self._lock:
            results: list[Any] = []
            while chunk:
                args = chunk[0]
                entry = None if self.failure else self._entry(args)
                if entry is None:
                    results.append(self(*args))
                    chunk = chunk[1:]
                    continue
                key = signature(args, {}, self._surroundings)
                n = 1
                while n < len(chunk) and self._same(chunk[n], key):
                    n += 1
                steps: list[list[Any]] = [[] for _ in range(n)]
                for batch, arrays in zip(chunk, steps, strict=False):
                    arrays_of(batch, arrays)
                try:
                    results += entry.run_many(steps)
                    chunk = chunk[n:]
                except Changed:
                    results.append(self(*args))
                    chunk = chunk[1:]
            return results

    def _entry(self, args: tuple[Any, ...]) -> Entry | None:
        found = self._entries.get(signature(args, {}, self._surroundings))
        return found if found is not None and found.captured.still_holds() else None

    def _same(self, args: tuple[Any, ...], key: Any) -> bool:
        return bool(signature(args, {}, self._surroundings) == key)

    # ------------------------------------------------------------ looking into it

    def explain(self) -> Report:
        """What was captured and why again, what was fused, and the memory it takes.

        Examples
        --------
        >>> import dotori
        >>> double = dotori.compile(lambda x: x * 2)
        >>> y = double(dotori.ones(3))
        >>> double.explain().captures
        1
        """
        return Report(self)

    def entries(self) -> Iterator[Entry]:
        """The captures that are kept, the last used last."""
        return iter(self._entries.values())

    def _last(self) -> Entry:
        if not self._entries:
            raise CaptureError("the step has not been captured yet; call it once")
        return next(reversed(self._entries.values()))

    @property
    def program(self) -> Any:
        """The `Program` of the last capture, simplified."""
        return self._last().program

    def source(self) -> str:
        """What runs: the source of the last capture's plan."""
        entry = self._last()
        plan = entry.native or entry.plan
        return str(plan.source())

    def graph(self) -> Graph:
        """The program of the last capture as a drawing."""
        from dotori.compiler.graph import Graph

        return Graph(self.program)

    def wait(self) -> None:
        """Wait until nothing is being compiled."""
        background.wait()

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"<compiled {name}: {self.captures} captures>"


def _arguments(batch: Any) -> tuple[Any, ...]:
    if isinstance(batch, tuple):
        return batch
    return tuple(batch) if isinstance(batch, list) else (batch,)


def _stacked(results: list[Any]) -> Any:
    """Results of equal structure, each leaf stacked along a first axis."""
    first = results[0]
    if isinstance(first, Tensor):
        return wrap(np.stack([r.array for r in results]))
    if isinstance(first, dict):
        return {k: _stacked([r[k] for r in results]) for k in first}
    if isinstance(first, (tuple, list)):
        parts = [_stacked([r[i] for r in results]) for i in range(len(first))]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    if isinstance(first, (int, float, np.ndarray)):
        return np.stack(results)
    return results
