"""`Compiled`: a step that is captured at its first call and then runs as a plan."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, update_wrapper
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import wrap
from dotori.autograd.graph import CAPTURE, recording
from dotori.compiler import background
from dotori.compiler.cost import better_plain, calls_worth_compiling
from dotori.compiler.finish import Captured, arrays_of, capture, inputs_of
from dotori.compiler.guards import Surroundings, parts, signature
from dotori.compiler.host import Act, Changed, Draw, Numbers
from dotori.compiler.numpy_plan import NumPyPlan
from dotori.compiler.passes import simplified
from dotori.compiler.report import Report
from dotori.compiler.results import given, given_stacked, joined, stacked
from dotori.errors import ArgumentError, CaptureError

if TYPE_CHECKING:
    from dotori.compiler.graph import Graph

#: So many captures of one step are kept; the one unused for the longest time goes.
KEPT = 64

#: So many steps go into one call of `Compiled.over`.
CHUNK = 256

MODES = ("auto", "numpy", "native")


class Entry:
    """One capture, and the plans made from it.

    Attributes
    ----------
    captured : Captured
    program : Program
        Simplified: what the plans are made from.
    native : NativePlan or None
        Once it has been compiled, or could not be: then `trouble` says why.
    start, switch : int
        At which run the compiler starts, and from which one on the native plan runs. A
        training that ends before compiles nothing.
    runs : int
        How often it ran.
    plain_first : bool
        Whether the function itself runs until the native plan does.
    """

    def __init__(self, captured: Captured, mode: str, choose: bool) -> None:
        self.captured, self.mode = captured, mode
        self.program = simplified(captured.program)
        self.native: Any = None
        self.masks: Any = None
        self.trouble = ""
        self.start = self.switch = self.runs = 0
        self.plain_first = choose and better_plain(self.program)
        self._asked = False
        if mode == "auto":
            self.start = calls_worth_compiling(self.program)
            self.switch = 3 * self.start  # as it compiles beside the training
        elif mode == "native":
            self.compile()

    @cached_property
    def plan(self) -> NumPyPlan:
        """The program as planned NumPy."""
        return NumPyPlan(self.program)

    def compile(self) -> None:
        """Make the native plan, now."""
        from dotori.compiler.native.draws import Masks, can_draw
        from dotori.compiler.native.plan import NativePlan

        plan = NativePlan(self.program)
        draws = [a for a in self.captured.host if isinstance(a, Draw)]
        if can_draw(draws):
            self.masks = Masks(draws)
        self.native = plan

    def best(self, count: int | None = None) -> Any:
        """The plan of run number `count`, by default that of this entry.

        In mode "auto" the number alone decides, so that a training repeats itself to
        the bit: the plans differ by rounding. By then the compiler is nearly always
        done; if not, it is waited for.
        """
        self.runs += 1
        number = self.runs if count is None else count
        if number >= self.start and self.mode == "auto" and not self._asked:
            self._asked = True
            background.compile_later(self)
        if number < self.switch:
            return None if self.plain_first else self.plan
        if self.native is None and self.mode == "auto" and not self.trouble:
            background.wait_for(self)
        return self.native or (None if self.plain_first else self.plan)

    def numbers(self) -> list[Any]:
        """What Python works out before a run.

        Raises
        ------
        Changed
            If an optimiser finds that the capture holds no more; no step is counted.
        """
        found: list[Any] = []
        counted: list[Numbers] = []
        masks = self.masks
        for action in self.captured.host:
            if masks is not None and isinstance(action, Draw):
                found += [drawn[0] for drawn in masks.run()]
                break  # draws come last, and these are all
            try:
                found += action.run()
            except Changed:
                for numbers in counted:
                    numbers.count(-1)
                raise
            if isinstance(action, Numbers):
                counted.append(action)
        return found

    def run(self, plan: Any, inputs: list[Any]) -> Any:
        """One step on these tensors and arrays."""
        host = self.numbers()
        try:
            outputs = plan.run(arrays_of(inputs), host)
        except BaseException:
            self.undo(1)
            raise
        for place, output in self.captured.of_arguments:
            add_gradient(inputs[place].node, outputs[output])
        return self.finished(outputs)

    def run_many(self, steps: list[list[Any]]) -> list[Any]:
        """Several steps, in one call of the native plan where that is possible.

        Returns
        -------
        list
            What the steps return, in pieces of some steps, each stacked.
        """
        plan, captured = self.best() or self.plan, self.captured
        self.runs += len(steps) - 1
        most = len(steps) if self.masks is None else self.masks.steps
        if len(steps) > most:
            self.runs -= len(steps)
            return self.run_many(steps[:most]) + self.run_many(steps[most:])
        alone = all(isinstance(act, Act) for act, _ in captured.later)
        if plan is not self.native or not alone or captured.gradients:
            return [stacked([self.run(plan, arrays) for arrays in steps])]
        host = self.numbers_of_many(len(steps))
        try:
            outputs = plan.run_many(steps, host)
        except BaseException as error:
            self.undo(len(steps) - getattr(error, "completed", 0))
            raise
        return [given_stacked(captured.result, outputs, len(steps))]

    def numbers_of_many(self, n: int) -> list[Any]:
        """`numbers` of `n` steps, each in a row, and what follows each step."""
        acts = [act for act, _ in self.captured.later]
        counting = [a for a in self.captured.host if isinstance(a, Numbers)]
        if acts or len(counting) != 1 or self.captured.host[0] is not counting[0]:
            found = []
            for _ in range(n):  # masks lie where the next ones will: they are copied
                found.append([np.array(x) for x in self.numbers()])
                for act in acts:
                    act.run([])
            return list(zip(*found, strict=True))
        many = counting[0].run_many(n)
        draws = self.captured.host[1:]
        rows: list[Any] = list(np.array(many).T.copy())
        if self.masks is not None:
            masks: list[Any] = self.masks.run(n)
            return rows + masks
        drawn = [[x for draw in draws for x in draw.run()] for _ in many]
        return rows + list(zip(*drawn, strict=True))

    def undo(self, n: int) -> None:
        """Take back what counts `n` steps, after they have failed."""
        for action in self.captured.host:
            if isinstance(action, Numbers):
                action.count(-n)

    def finished(self, outputs: list[Any]) -> Any:
        """Updates and gradients that follow a run, and what the step returns."""
        captured = self.captured
        for act, places in captured.later:
            act.run([outputs[i] for i in places])
        for node in captured.cleared:
            node.grad = None
        for node, place in captured.gradients:
            node.grad = wrap(outputs[place])
        return given(captured.result, outputs)


class Compiled:
    """A function of a step, run from its captured program: see `dotori.compile`.

    Attributes
    ----------
    captures : int
        How often the step was captured.
    count : int or None
        The number of the step that comes, which decides what plan it runs as; a
        training sets it. By default each signature counts by itself.
    """

    def __init__(
        self, function: Callable[..., Any], mode: str = "auto", strict: bool = True
    ) -> None:
        if mode not in MODES:
            raise ArgumentError(f"compile: mode must be one of {MODES}, got {mode!r}")
        self._choose = mode == "auto"
        if mode == "auto" and find_spec("numba") is None:
            mode = "numpy"
        self.function, self.mode, self.strict = function, mode, strict
        self.captures = 0
        self.count: int | None = None
        self.reasons: list[str] = []
        self.failures: dict[Any, str] = {}
        self._entries: OrderedDict[Any, Entry] = OrderedDict()
        self._around = Surroundings(function)
        self._lock = threading.RLock()
        update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if recording.state.flags >= CAPTURE:  # a captured step inside of another
            return self.function(*args, **kwargs)
        with self._lock:
            key = signature(args, kwargs, self._around)
            entry = self._entries.get(key)
            inputs: list[Any] = []
            inputs_of(args, inputs)
            if kwargs:
                inputs_of(kwargs, inputs)
            if entry is not None:
                try:
                    if entry.captured.still_holds():
                        plan = entry.best(self.count)
                        if plan is not None:
                            return entry.run(plan, inputs)
                        return self.function(*args, **kwargs)
                    reason = "a tensor from outside lies elsewhere, or has a gradient"
                except Changed as change:
                    reason = str(change)
            elif key in self.failures:
                return self.function(*args, **kwargs)
            else:
                reason = "first call" if not self.captures else "other arguments"
            return self._capture(reason, args, kwargs, inputs)

    def _capture(
        self, reason: str, args: tuple[Any, ...], kwargs: dict[str, Any], inputs: Any
    ) -> Any:
        """Capture the step, and make it."""
        self._around = around = Surroundings(self.function)
        try:
            _refuse_hooks(around)
            captured = capture(
                self.function, args, kwargs, around.names(), around.tensors()
            )
        except CaptureError as error:
            if self.strict:
                raise
            self._give_up(signature(args, kwargs, around), str(error))
            return self.function(*args, **kwargs)
        self.captures += 1
        self.reasons.append(reason)
        key = signature(args, kwargs, around)  # the capture may set attributes
        self._entries.pop(key, None)
        entry = self._entries[key] = Entry(captured, self.mode, self._choose)
        while len(self._entries) > KEPT:
            self._entries.popitem(last=False)
        plan = entry.best(self.count)
        if plan is None:
            return self.function(*args, **kwargs)
        return entry.run(plan, inputs)

    def _give_up(self, key: Any, failure: str) -> None:
        import warnings

        if not self.failures:
            warnings.warn(
                f"the step runs as it is, without being captured: {failure}",
                UserWarning,
                stacklevel=4,
            )
        self.failures[key] = failure

    @property
    def failure(self) -> str:
        """Why the step runs as it is, without being captured; empty if it does not."""
        return next(iter(self.failures.values()), "")

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
        pieces: list[Any] = []
        steps = iter(batches)
        while chunk := list(islice(steps, CHUNK)):
            pieces += self._over_chunk([_arguments(batch) for batch in chunk])
        if not pieces:
            raise ArgumentError("over: there is no batch")
        return joined(pieces)

    def _over_chunk(self, chunk: list[tuple[Any, ...]]) -> list[Any]:
        """Neighbours with the same signature go together."""
        pieces: list[Any] = []
        with self._lock:
            kinds = [parts(args) for args in chunk]
            start = 0
            while start < len(chunk):
                key = signature(chunk[start], {}, self._around)
                entry, end = self._entries.get(key), start + 1
                if entry is None or not entry.captured.still_holds():
                    pieces.append(stacked([self(*chunk[start])]))
                else:
                    while end < len(chunk) and kinds[end] == kinds[start]:
                        end += 1
                    pieces += self._together(entry, chunk[start:end])
                start = end
        return pieces

    def _together(self, entry: Entry, chunk: list[tuple[Any, ...]]) -> list[Any]:
        if entry.captured.of_arguments:
            return [stacked([self(*args) for args in chunk])]
        steps = []
        for args in chunk:
            inputs: list[Any] = []
            inputs_of(args, inputs)
            steps.append(arrays_of(inputs))
        try:
            return entry.run_many(steps)
        except Changed:
            return [stacked([self(*args) for args in chunk])]

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
        from dotori.compiler.passes.fusion import fused

        return Graph(fused(self.program))

    def wait(self) -> None:
        """Wait until nothing is being compiled."""
        background.wait()

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"<compiled {name}: {self.captures} captures>"


def add_gradient(node: Any, g: Any) -> None:
    """Add to the gradient of a leaf."""
    node.grad = wrap(g) if node.grad is None else node.grad + wrap(g)


def _refuse_hooks(around: Surroundings) -> None:
    for module in around.modules():
        if module._hooks is not None and any(module._hooks):
            raise CaptureError(
                f"{type(module).__name__} has forward hooks, which are Python that "
                "runs at each call; remove them to capture the step"
            )


def _arguments(batch: Any) -> tuple[Any, ...]:
    if isinstance(batch, tuple):
        return batch
    return tuple(batch) if isinstance(batch, list) else (batch,)
