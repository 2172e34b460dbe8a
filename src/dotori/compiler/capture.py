"""`Capture`: what happens to tensors while a step is captured.

Tensors that the step touches are lent a `Traced` in place of their array, so all that
is done to them comes here: operations (`run`), gradient rules (`rule`), an optimiser's
update (`update`), a schedule's step (`act`) and random numbers (`draw`). An operation
that cannot be expressed by instructions becomes one, a `call`. What is written to is
saved before: at the end all memory and random streams are as they were.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple, cast

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import Node, Variable, wrap
from dotori.autograd.changes import changes, memory_owner
from dotori.backend import use_stand_in
from dotori.compiler.host import Act, Draw, Later, Numbers
from dotori.compiler.ir import Instr, Value
from dotori.compiler.primitives import Slot
from dotori.compiler.trace import Number, Trace, Untraceable, user_line
from dotori.compiler.traced import Traced, concrete_of, namespace
from dotori.compiler.tree import leaves, mapped
from dotori.errors import CaptureError
from dotori.ops._op import Op, registry
from dotori.random import Generator, default_generator, watch_draws

use_stand_in(Traced, namespace)
import_module("dotori.compiler.array_functions")  # fills the table of functions


@dataclass
class Entered:
    """A tensor from outside.

    Attributes
    ----------
    tensor : weak reference
    node : Node or None
        Its node, if it is a leaf.
    array : array
        Its memory, which it gets back.
    traced : Traced
        What it is lent.
    first : Value
        What it is when the step begins.
    gradient : Tensor or None
        Its gradient when the step began.
    later : bool
        Whether its update comes after the program.
    """

    tensor: weakref.ref[Any]
    node: Node | None
    array: Any
    traced: Traced
    first: Value
    gradient: Any = None
    later: bool = False


class Input(NamedTuple):
    """An array that the step is called with, and what it is when the step begins."""

    traced: Traced
    first: Value


class Capture(Trace):
    """The capture of one run of a step.

    Parameters
    ----------
    names : mapping of id(tensor) to str
        What to call tensors, such as ``"0.weight"``.
    """

    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__()
        self.names = names
        self.failure = ""
        self.closed = False
        self.inputs: list[Input] = []
        self.leaves: list[tuple[Node, int]] = []  # arguments that want a gradient
        self.host: list[Any] = []
        self.later: list[Later | Act] = []
        self.calls: list[str] = []
        self.entered: dict[int, Entered] = {}
        self.made_here: list[weakref.ref[Any]] = []
        self.alive: list[Any] = []
        self._saved: dict[int, tuple[Any, Any]] = {}
        self._streams: dict[int, tuple[Generator, Any]] = {}
        self.memory: dict[int, tuple[Any, Value]] = {}  # an optimiser's arrays
        self.current: dict[Value, Value] = {}  # what they hold now
        self.written: set[int] = set()
        self.forgotten: set[int] = set()
        self.began = changes.tick

    # ------------------------------------------------------------ tensors from outside

    def enter(self, *tensors: Any) -> None:
        """Lend each of `tensors`, and those in lists, a `Traced`."""
        for t in tensors:
            if isinstance(t, Variable):
                if type(t.array) is np.ndarray:
                    self.enter_one(t)
            elif isinstance(t, (list, tuple)):
                self.enter(*t)

    def enter_one(self, t: Variable) -> Traced:
        array = t.array
        known = self.entered.get(id(t))
        if known is None:
            name = self.names.get(id(t), "")
            for other in self.entered.values():  # detach() shares the memory
                if other.array is array:
                    traced = other.traced
                    break
            else:
                traced = self.made(array, name, "state")
                traced.value.array = array
            node = t.node if t.node is not None and t.node.op is None else None
            grad = None if node is None else node.grad
            known = Entered(weakref.ref(t), node, array, traced, traced.value, grad)
            self.entered[id(t)] = known
            self.alive.append(t)  # so that no other tensor gets its id meanwhile
        t.array = cast(Any, known.traced)
        return known.traced

    def argument(self, array: Any, name: str = "") -> Traced:
        """An array that the step is called with."""
        traced = self.made(array, name, "input")
        self.inputs.append(Input(traced, traced.value))
        return traced

    def made(self, array: Any, name: str = "", kind: str = "made") -> Traced:
        """A new value, whose `Traced` is remembered to see whether it lives on."""
        traced = super().made(array, name, kind)
        self.made_here.append(weakref.ref(traced))
        return traced

    def constant(self, array: Any) -> Traced:
        found = super().constant(array)
        for x in self.inputs:
            if np.may_share_memory(found.concrete, x.traced.concrete):
                raise CaptureError(
                    f"{user_line()}: this line cannot be captured: it takes numbers of "
                    "an argument out of the step's sight"
                )
        return found

    def write(self, x: Traced, index: tuple[Any, ...], part: Any) -> None:
        self.save(x.concrete)
        super().write(x, index, part)
        self.written.add(id(memory_owner(x.concrete)))

    def save(self, array: Any) -> None:
        """Keep what `array` holds: it is about to be written to."""
        self._saved.setdefault(id(array), (array, array.copy()))

    def put_back(self) -> None:
        """Make memory, random streams and counts of steps what they were."""
        for array, before in self._saved.values():
            array[...] = before
        for generator, mark in self._streams.values():
            generator.rewind(mark)
        for action in reversed(self.host):
            if isinstance(action, Numbers):
                action.count(-1)

    def known_traced(self) -> set[int]:
        """The ids of those that stand for tensors from outside, and arguments."""
        lent = [e.traced for e in self.entered.values()]
        return {id(x) for x in [*lent, *(i.traced for i in self.inputs)]}

    # ------------------------------------------------------------ operations

    def run(self, f: Callable[..., Any], *args: Any, **attrs: Any) -> Any:
        """What `State.quietly` does, where `f` is the forward of an operation."""
        op = _op_of_forward(f)
        traced = any(isinstance(x, Traced) for x in leaves((args[1:], attrs)))
        if op is None or not traced:
            return self._quietly(f, *args, **attrs)
        return self._instructions(op, "forward", args[1:], attrs)

    def rule(self, op: type[Op], xp: Any, *args: Any, **attrs: Any) -> Any:
        """The gradient rule of `op`, with the arguments that it is called with."""
        if any(isinstance(x, Variable) for x in leaves(args)):
            return op.backward(xp, *args, **attrs)
        if op.several:
            dy, needs, *saved = args
            args = (dy, tuple(bool(n) for n in needs), *saved)
        return self._instructions(op, "backward", args, attrs)

    def _instructions(
        self, op: type[Op], rule: str, args: tuple[Any, ...], attrs: dict[str, Any]
    ) -> Any:
        """`op` as the instructions of its array code, or as one call."""
        mark = len(self.instrs)
        if not op.whole:
            self.inside += 1
            try:
                function = getattr(op, rule)
                return self._quietly(function, namespace, *args, **attrs)
            except Untraceable:
                del self.instrs[mark:]
            finally:
                self.inside -= 1
        return self._call(op, rule, args, attrs)

    def _quietly(self, f: Callable[..., Any], *args: Any, **attrs: Any) -> Any:
        with np.errstate(all="ignore"):
            return f(*args, **attrs)

    def _call(
        self, op: Any, rule: str, args: tuple[Any, ...], attrs: dict[str, Any]
    ) -> Any:
        """One instruction for all of an operation."""
        if any(isinstance(x, Traced) and x.dtype == np.bool_ for x in leaves(attrs)):
            if "index" in attrs:
                raise Untraceable("how much a mask takes depends on its values")
        inputs: list[Traced] = []
        template = _template((args, attrs), inputs)
        true_args, true_attrs = mapped(concrete_of, (args, attrs))
        result = self._quietly(getattr(op, rule), np, *true_args, **true_attrs)
        outputs: list[Traced] = []
        made, structure = self._outputs(result, outputs)
        about = {
            "op": op,
            "rule": rule,
            "args": template[0],
            "kwargs": template[1],
            "structure": structure,
        }
        values = tuple(x.value for x in outputs)
        operands = tuple(x.value for x in inputs)
        self.instrs.append(Instr("call", operands, values, about, user_line()))
        self.calls.append(f"{op.__name__}.{rule} at {user_line()}")
        return made

    def call_numpy(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Outside of operations, NumPy's functions can be called as they are."""
        name = function.__name__
        if self.inside or name in _SHAPES_VARY or "out" in kwargs:
            raise Untraceable(f"numpy.{name} has no place in a program")
        return self._call(_FromNumPy(function), "forward", args, kwargs)

    def _outputs(self, result: Any, found: list[Traced]) -> tuple[Any, Any]:
        """The result of a call as traced arrays, and its structure for `unpacked`."""
        if isinstance(result, (np.ndarray, np.generic)):
            array = np.asarray(result)
            found.append(self.made(array))
            return found[-1], True
        if isinstance(result, (tuple, list)):
            pairs = [self._outputs(part, found) for part in result]
            return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
        return result, None

    # ------------------------------------------------------------ what is no operation

    def draw(
        self, generator: Generator, method: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        """Random numbers: see `dotori.random.watch_draws`."""
        name = method.__name__
        if name == "numpy":
            self.value_needed(np.zeros(()), f"it asks a generator for its {name}()")
        self._streams.setdefault(id(generator), (generator, generator.mark()))
        with watch_draws(None):
            found = method(generator, *args, **kwargs)
        traced = self.made(found, name, "host")
        whose = None if generator is default_generator() else generator
        self.host.append(Draw(whose, method, args, kwargs, traced.value))
        return traced

    def act(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Something that is done at each run without tensors; not now."""
        if any(isinstance(x, (Tensor, Number)) for x in leaves((args, kwargs))):
            self.value_needed(np.zeros(()), "a schedule looks at a tensor")
        # In order: after an update that comes later, so does this.
        (self.later or self.host).append(Act(function, args, kwargs))

    def add_to_gradient(self, node: Node, g: Any) -> None:
        """Add `g` to the gradient that a leaf has already."""
        old: Any = node.grad
        if type(old.array) is np.ndarray:
            self.enter_one(old)
        if id(old) in self.entered:  # from an earlier call: its memory goes on
            old.array[...] = old.array + g
        else:
            node.grad = wrap(old.array + g)

    def forget_gradients(self, groups: Sequence[Mapping[str, Any]]) -> None:
        """`zero_grad`: what a leaf has from before the step does not count."""
        self.forgotten.update(id(p.node) for group in groups for p in group["params"])

    def update(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """`Optimizer.step`: see `dotori.compiler.optimizers`."""
        from dotori.compiler.optimizers import record_update

        record_update(self, optimizer, bool(args or kwargs))

    # ------------------------------------------------------------ what cannot be

    def value_needed(self, array: Any, why: str) -> Any:
        """The numbers themselves, or the error that says where they are wanted."""
        if self.closed:
            return array
        if self.inside:
            raise Untraceable(why)
        message = (
            f"{user_line()}: this line cannot be captured: it needs the value of a "
            f"tensor of shape {array.shape} ({why}), which is another one at each call"
        )
        raise CaptureError(message)

    def fail(self, message: str) -> None:
        """Say that the step cannot be captured; the first reason counts."""
        self.failure = self.failure or message


#: The shapes of what these give depend on the numbers.
_SHAPES_VARY = frozenset(
    "argwhere compress delete extract flatnonzero intersect1d nonzero setdiff1d "
    "setxor1d trim_zeros union1d unique unique_all unique_counts unique_inverse "
    "unique_values where".split()
)


class _FromNumPy:
    """A function of NumPy in the place of an operation."""

    def __init__(self, function: Any) -> None:
        self.function, self.__name__ = function, function.__name__

    def forward(self, xp: Any, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


_ops: dict[Any, type[Op]] = {}
_lock = threading.Lock()


def _op_of_forward(f: Any) -> type[Op] | None:
    """The operation that `f` is the forward of."""
    found = _ops.get(f)
    if found is None and getattr(f, "__name__", "") == "forward":
        with _lock:
            _ops.update({op.forward: op for op in registry.values()})
        found = _ops.get(f)
    return found


def _template(value: Any, inputs: list[Traced]) -> Any:
    """`value` with a `Slot` for each traced array, which is put into `inputs`."""

    def slot(leaf: Any) -> Any:
        if not isinstance(leaf, Traced):
            return leaf
        places = (i for i, known in enumerate(inputs) if known is leaf)
        place = next(places, len(inputs))
        if place == len(inputs):
            inputs.append(leaf)
        return Slot(place)

    return mapped(slot, value)
