"""From a capture to a `Captured` step: what goes in, what comes out, what must hold."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import Node, leaf, wrap
from dotori.autograd.changes import changes, memory_owner
from dotori.autograd.graph import CAPTURE, recording
from dotori.compiler.capture import Capture, Entered
from dotori.compiler.host import Act, Draw, Later
from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.optimizers import part_of
from dotori.compiler.results import Result
from dotori.compiler.trace import PACKAGE, Number, Untraceable
from dotori.compiler.traced import Traced
from dotori.compiler.tree import is_structure, rebuilt
from dotori.errors import CaptureError
from dotori.random import watch_draws


@dataclass
class Captured:
    """A captured step.

    Attributes
    ----------
    program : Program
    host : list
        What is run before the program, in order; it fills ``program.host``.
    later : list of (Later, places)
        What is run after it, with these outputs.
    result : object
        What the step returns, with a `Result` for each leaf.
    tensors : list of (weak reference, array)
        Tensors from outside, and the array in which each must still lie.
    gradients : list of (node, place)
        Leaves that keep a gradient, and its place among the outputs.
    begins_with : list of (Node, weak reference or None)
        Leaves, and the gradient that each must have when the step begins.
    cleared : list of Node
        Leaves that have none when it ends.
    of_arguments : list of (place, place)
        Arguments that get a gradient, and its place among the outputs.
    calls : list of str
        The operations that stay whole.
    """

    program: Program
    host: list[Any]
    later: list[tuple[Later | Act, list[int]]] = field(default_factory=list)
    result: Any = None
    tensors: list[tuple[weakref.ref[Any], Any]] = field(default_factory=list)
    gradients: list[tuple[Node, int]] = field(default_factory=list)
    begins_with: list[tuple[Node, Any]] = field(default_factory=list)
    cleared: list[Node] = field(default_factory=list)
    of_arguments: list[tuple[int, int]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def still_holds(self) -> bool:
        """Whether tensors and gradients from outside are as they were."""
        for reference, array in self.tensors:
            tensor = reference()
            if tensor is None or tensor.array is not array:
                return False
        for node, gradient in self.begins_with:
            if node.grad is not (None if gradient is None else gradient()):
                return False
        return True


def capture(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    names: Mapping[int, str] | None = None,
    tensors: Iterable[Tensor] = (),
    session_class: type[Capture] = Capture,
) -> Captured:
    """Run ``function(*args, **kwargs)`` once and write down what it does.

    Afterwards all tensors, gradients and random streams are as before: the captured
    step has yet to be run.

    Parameters
    ----------
    names : mapping of id(tensor) to str
    tensors : iterable of Tensor
        Weights and buffers that the step may use; others are found as it goes.
    session_class : type of Capture
        One that notes more than the program holds, as scripts want it.

    Raises
    ------
    CaptureError
        If the step does what no program can; names the line.
    """
    session = session_class(names or {})
    lent = _lent_arguments(session, function, args, kwargs)
    session.enter(*tensors)
    state = recording.state
    flags, quietly = state.flags, state.quietly
    state.capture, state.flags = session, flags | CAPTURE
    state.quietly = cast(Any, session.run)
    try:
        with watch_draws(session.draw):
            result = function(*lent[0], **lent[1])
        state.flags = flags
        session.closed = True
        return _finished(session, result)
    except Untraceable as error:
        raise CaptureError(
            f"{_line_of(error)}: this line cannot be captured: {error}"
        ) from error
    finally:
        state.capture, state.flags, state.quietly = None, flags, quietly
        session.closed = True
        _give_back(session)
        session.put_back()


def _line_of(error: BaseException) -> str:
    """The innermost line outside of the library that led to `error`."""
    found, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            found = f"{Path(code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _lent_arguments(
    session: Capture, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments, with inputs of the program, by their names, in place of arrays."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    names = () if code is None else code.co_varnames[: code.co_argcount]
    names = names[1:] if hasattr(function, "__self__") else names
    padded = [*names, *("",) * len(args)]
    lent = [_lend(session, x, name) for x, name in zip(args, padded, strict=False)]
    return lent, {key: _lend(session, x, key) for key, x in kwargs.items()}


def _lend(session: Capture, value: Any, name: str = "") -> Any:
    """`value` with inputs of the program in place of its arrays."""
    if isinstance(value, Tensor):
        if type(value.array) is not np.ndarray:
            return value  # on another device, or a weight that is known
        traced = session.argument(value.array, name)
        node = None
        if value.node is not None:
            if value.node.op is not None:
                session.fail(
                    f"the argument {name} of shape {value.shape} comes from other "
                    "operations, whose gradient would be lost; detach() it"
                )
            node = leaf(cast(Any, traced))
            session.leaves.append((node, len(session.inputs) - 1))
        return wrap(cast(Any, traced), node)
    if type(value) is np.ndarray and value.dtype.kind in "fiub":
        return session.argument(value, name)
    if isinstance(value, dict):
        named = iter([str(key) for key in value])
        return rebuilt(value, lambda part: _lend(session, part, next(named)))
    if is_structure(value):
        return rebuilt(value, lambda part: _lend(session, part, name))
    return value


def inputs_of(value: Any, found: list[Any]) -> None:
    """The tensors and arrays of a call's arguments whose memory the program reads.

    In the order of its inputs. It runs before each step: hence a list that is filled,
    and no generators.
    """
    if isinstance(value, Tensor):
        if type(value.array) is np.ndarray:
            found.append(value)
    elif type(value) is np.ndarray:
        if value.dtype.kind in "fiub":
            found.append(value)
    elif is_structure(value):
        for part in value.values() if isinstance(value, dict) else value:
            inputs_of(part, found)


def arrays_of(inputs: list[Any]) -> list[Any]:
    """The memory of each of `inputs_of`."""
    return [getattr(x, "array", x) for x in inputs]


def _give_back(session: Capture) -> None:
    """Give tensors their arrays back, and leaves the gradients that they had."""
    for entered in session.entered.values():
        tensor = entered.tensor()
        if tensor is not None and type(tensor.array) is Traced:
            tensor.array = entered.array
        if entered.node is not None:
            entered.node.grad = entered.gradient


def _finished(session: Capture, result: Any) -> Captured:
    gradients = _gradients(session)
    cleared = [
        entered.node
        for entered in session.entered.values()
        if entered.node is not None and entered.node.grad is None
    ]
    _give_back(session)
    outputs: list[Value] = []
    template = _returned(session, result, outputs, {})
    kept = [(node, _place(outputs, value)) for node, value in gradients]
    of_arguments = [
        (place, _place(outputs, cast(Any, node.grad.array).value))
        for node, place in session.leaves
        if node.grad is not None
    ]
    for node, _ in session.leaves:
        node.grad = None
    host, after = _in_time(session.host)
    later = [(a, [_place(outputs, g) for g in a.gradients]) for a in session.later]
    _look_for_leaks(session)
    session.alive.clear()
    prologue, tensors = _states(session)
    _check_changes(session)
    program = Program(
        [x.first for x in session.inputs],
        [value for action in host for value in action.values],
        prologue + session.instrs,
        outputs,
        _updates(session),
    )
    for x in session.inputs:
        for state, _ in program.updates:
            if np.may_share_memory(x.traced.concrete, state.array):
                session.fail("an argument lies in memory that the step writes to")
    for instr in program.instrs:
        if any(x.kind == "gone" for x in instr.values()):
            session.fail(
                f"{instr.where}: a parameter is read after its update, which is made "
                "at the end of the step"
            )
    if session.failure:
        raise CaptureError(session.failure)
    begins_with = [
        (entered.node, None if g is None else weakref.ref(g))
        for entered in session.entered.values()
        if entered.node is not None
        and id(entered.node) not in session.forgotten
        and ((g := entered.gradient) is None or id(g) in session.entered)
    ]
    later = [(act, []) for act in after] + later
    return Captured(
        program,
        host,
        later,
        template,
        tensors,
        kept,
        begins_with,
        cleared,
        of_arguments,
        session.calls,
    )


def _in_time(actions: list[Any]) -> tuple[list[Any], list[Act]]:
    """What is done before the program, and what can wait until it has run.

    An optimiser's numbers come first, as they may find that the capture holds no more;
    draws last. A schedule's step that follows the updates waits.
    """
    draws = [a for a in actions if isinstance(a, Draw)]
    others = [a for a in actions if not isinstance(a, Draw)]
    n = max((i + 1 for i, a in enumerate(others) if not isinstance(a, Act)), default=0)
    return others[:n] + draws, others[n:]


def _place(outputs: list[Value], value: Value) -> int:
    outputs.append(value)
    return len(outputs) - 1


def _gradients(session: Capture) -> list[tuple[Node, Value]]:
    """Leaves that have a gradient from this step when it ends, and what it is."""
    found: dict[Node, Value] = {}
    for entered in session.entered.values():
        node = entered.node
        if node is not None and node.grad is not None:
            array: Any = node.grad.array
            if type(array) is Traced and id(node.grad) not in session.entered:
                found[node] = array.value
    return list(found.items())


def _has_a_graph(node: Node | None) -> bool:
    """Whether a gradient can still be asked of what comes from `node`."""
    return node is not None and node.op is not None and node.saved is not None


def _returned(
    session: Capture, value: Any, outputs: list[Value], known: dict[int, Result]
) -> Any:
    """What is returned, with a `Result` in place of each leaf.

    `known` has the tensors that were met, as one may be returned several times.
    """
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, Tensor):
        array: Any = value.array
        if type(array) is not Traced:
            return Result("fixed", value)
        if _has_a_graph(value.node):
            session.fail(
                "the step returns a tensor that a gradient can still be asked of; "
                "call it under no_grad(), or detach() what it returns"
            )
        value.array, value.node = array.concrete, None
        with suppress(
            AttributeError
        ):  # only a view has an origin, which it keeps alive
            del value.origin
        known[id(value)] = Result("tensor", _place(outputs, array.value))
        return known[id(value)]
    if isinstance(value, Traced):
        return Result("array", _place(outputs, value.value))
    if isinstance(value, Number):
        return Result("number", _place(outputs, value.value))
    if is_structure(value):
        return rebuilt(value, lambda part: _returned(session, part, outputs, known))
    return Result("fixed", value)


def _look_for_leaks(session: Capture) -> None:
    """Look for arrays of the step that live on: someone keeps them outside of it."""
    known = session.known_traced()
    for reference in session.made_here:
        traced = reference()
        if traced is None or id(traced) in known:
            continue
        for holder in gc.get_referrers(traced):
            if isinstance(holder, Tensor):
                holder.array = traced.concrete
                session.fail(
                    f"a tensor of shape {traced.shape} is kept outside of the step, "
                    "where it would stay as it is now; return it, and pass it in again"
                )


def _states(session: Capture) -> tuple[list[Instr], list[tuple[Any, Any]]]:
    """Where tensors from outside lie: instructions that cut parameters out of an
    optimiser's memory, and the tensors that must stay where they are."""
    prologue: list[Instr] = []
    tensors: list[tuple[Any, Any]] = []
    for entered in session.entered.values():
        value = entered.first
        if value.kind == "made":
            continue
        array = value.array = entered.array
        for memory, state in session.memory.values():
            start = _offset(array, memory)
            if start is not None:
                value.kind, value.array = "made", None
                part_of(state, start, value.size, value.shape, prologue, value)
                break
        else:
            if entered.tensor() is None:
                value.kind = "constant"
            else:
                tensors.append((entered.tensor, array))
    return prologue, tensors


def _offset(array: Any, memory: Any) -> int | None:
    """At which element of the vector `memory` a C-contiguous `array` begins."""
    first = array.__array_interface__["data"][0]
    start = memory.__array_interface__["data"][0]
    inside = start <= first < start + memory.nbytes and array.flags.c_contiguous
    if not inside or array.dtype != memory.dtype:
        return None
    return int(first - start) // int(memory.itemsize)


def _updates(session: Capture) -> list[tuple[Value, Value]]:
    """What the step changes in memory from outside."""
    found = list(session.current.items())
    seen: dict[Value, None] = {}
    for entered in session.entered.values():
        first, last = entered.first, entered.traced.value
        if first.kind == "state" and last is not first and not entered.later:
            if first not in seen:
                seen[first] = None
                found.append((first, last))
    for x in session.inputs:
        if x.traced.value is not x.first:
            session.fail("the step writes into an array that it is called with")
    return found


def _check_changes(session: Capture) -> None:
    """Look for memory of the step that was written to without being seen."""
    owners = {id(memory_owner(e.array)) for e in session.entered.values()}
    for key, (tick, by, _) in list(changes.log.items()):
        if tick > session.began and key in owners and key not in session.written:
            session.fail(f"{by} writes into memory in a way that cannot be captured")


__all__ = ["Captured", "Entered", "arrays_of", "capture", "inputs_of"]
