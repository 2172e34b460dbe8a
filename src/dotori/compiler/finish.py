"""From a capture to a `Captured` step: what goes in, what comes out, what must hold."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import Node, wrap
from dotori.autograd.changes import changes
from dotori.autograd.graph import CAPTURE, recording
from dotori.compiler.capture import Capture, Entered, memory_owner
from dotori.compiler.host import Later
from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.optimizers import part_of
from dotori.compiler.trace import Number
from dotori.compiler.traced import Traced
from dotori.random import watch_draws


@dataclass
class Result:
    """One thing that a step returns: ``"tensor"``, ``"array"``, ``"number"``, with its
    place among the program's outputs; or ``"fixed"``, the thing itself."""

    kind: str
    value: Any


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
    without_gradient : list of Node
        Leaves that must have no gradient when the step begins.
    calls : list of str
        The operations that stay whole.
    """

    program: Program
    host: list[Any]
    later: list[tuple[Later, list[int]]] = field(default_factory=list)
    result: Any = None
    tensors: list[tuple[weakref.ref[Any], Any]] = field(default_factory=list)
    gradients: list[tuple[Node, int]] = field(default_factory=list)
    without_gradient: list[Node] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def still_holds(self) -> bool:
        """Whether tensors and gradients from outside are as they were."""
        for reference, array in self.tensors:
            tensor = reference()
            if tensor is None or tensor.array is not array:
                return False
        return all([node.grad is None for node in self.without_gradient])


def capture(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    names: Mapping[int, str] | None = None,
    tensors: Iterable[Tensor] = (),
    strict: bool = True,
) -> tuple[Any, Captured | None, str]:
    """Run ``function(*args, **kwargs)`` once and write down what it does.

    Parameters
    ----------
    names : mapping of id(tensor) to str
    tensors : iterable of Tensor
        Weights and buffers that the step may use; others are found as it goes.
    strict : bool
        See `Capture`.

    Returns
    -------
    result, captured, failure
        What the function returned, as it would have without; the captured step, or
        None with the reason why there is none.
    """
    session = Capture(names or {}, strict)
    session.enter(*tensors)
    lent = _lend(session, (args, kwargs))
    state = recording.state
    flags, quietly = state.flags, state.quietly
    state.capture, state.flags, state.quietly = session, flags | CAPTURE, session.run
    try:
        with watch_draws(session.draw):
            result = function(*lent[0], **lent[1])
    except BaseException:
        session.closed = True
        _give_back(session)
        raise
    finally:
        state.capture, state.flags, state.quietly = None, flags, quietly
        session.closed = True
    return _finished(session, result)


def _lend(session: Capture, value: Any) -> Any:
    """The arguments, with inputs of the program in place of arrays."""
    if isinstance(value, Tensor):
        if type(value.array) is not np.ndarray:
            return value  # on another device, or a weight that is known
        traced = session.argument(value.array)
        lent = wrap(traced, value.node)
        return lent
    if type(value) is np.ndarray and value.dtype.kind in "fiub":
        return session.argument(value)
    if type(value) in (tuple, list):
        return type(value)(_lend(session, part) for part in value)
    if type(value) is dict:
        return {key: _lend(session, part) for key, part in value.items()}
    return value


def arrays_of(value: Any, found: list[Any]) -> None:
    """The arrays among the arguments of a call, in the order of the program's inputs."""
    if isinstance(value, Tensor):
        if type(value.array) is np.ndarray:
            found.append(value.array)
    elif type(value) is np.ndarray:
        if value.dtype.kind in "fiub":
            found.append(value)
    elif type(value) in (tuple, list):
        for part in value:
            arrays_of(part, found)
    elif type(value) is dict:
        for part in value.values():
            arrays_of(part, found)


def _give_back(session: Capture) -> None:
    """Give tensors their arrays back."""
    for entered in session.entered.values():
        tensor = entered.tensor()
        if tensor is not None and type(tensor.array) is Traced:
            tensor.array = entered.array
        node = getattr(tensor, "node", None)
        if node is not None and node.op is None and node.grad is not None:
            if type(node.grad.array) is Traced:
                node.grad.array = node.grad.array.array


def _finished(session: Capture, result: Any) -> tuple[Any, Captured | None, str]:
    gradients = _gradients(session)
    _give_back(session)
    outputs: list[Value] = []
    template, result = _returned(session, result, outputs)
    kept = [(node, _place(outputs, value)) for node, value in gradients]
    later = [
        (last, [_place(outputs, g) for g in last.gradients]) for last in session.later
    ]
    _repair_leaks(session)
    prologue, tensors = _states(session)
    _check_changes(session)
    program = Program(
        [x.first for x in session.inputs],
        [value for action in session.host for value in action.values],
        prologue + session.instrs,
        outputs,
        _updates(session),
    )
    for instr in program.instrs:
        if any(x.kind == "gone" for x in instr.values()):
            session.fail(
                f"{instr.where}: a parameter is read after its update, which is made "
                "at the end of the step"
            )
    if session.failure:
        return result, None, session.failure
    without = [
        entered.node
        for entered in session.entered.values()
        if entered.node is not None
        and not entered.had_gradient
        and id(entered.node) not in session.forgotten
    ]
    calls = session.calls
    found = Captured(
        program, session.host, later, template, tensors, kept, without, calls
    )
    return result, found, ""


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
                node.grad.array = array.array.copy()
    return list(found.items())


def _returned(session: Capture, value: Any, outputs: list[Value]) -> tuple[Any, Any]:
    """What is returned, as a template of `Result`, and as it is in this run."""
    if isinstance(value, Tensor):
        array: Any = value.array
        if type(array) is not Traced:
            return Result("fixed", value), value
        if value.node is not None and value.node.saved is not None:
            session.fail(
                "the step returns a tensor that a gradient can still be asked of; "
                "call it under no_grad(), or detach() what it returns"
            )
        value.array = np.array(array.array)
        value.node = None
        return Result("tensor", _place(outputs, array.value)), value
    if isinstance(value, Traced):
        return Result("array", _place(outputs, value.value)), np.array(value.array)
    if isinstance(value, Number):
        return Result("number", _place(outputs, value.value)), value.number
    if isinstance(value, (tuple, list)):
        pairs = [_returned(session, part, outputs) for part in value]
        parts = [[pair[i] for pair in pairs] for i in (0, 1)]
        if hasattr(value, "_fields"):  # a named tuple
            return type(value)(*parts[0]), type(value)(*parts[1])
        return type(value)(parts[0]), type(value)(parts[1])
    if isinstance(value, dict):
        made = {k: _returned(session, part, outputs) for k, part in value.items()}
        return {k: m[0] for k, m in made.items()}, {k: m[1] for k, m in made.items()}
    return Result("fixed", value), value


def given(template: Any, outputs: list[Any]) -> Any:
    """What a run returns, from the arrays that the program gave."""
    kind = type(template)
    if kind is Result:
        if template.kind == "tensor":
            return wrap(outputs[template.value])
        if template.kind == "number":
            return outputs[template.value].item()
        return outputs[template.value] if template.kind == "array" else template.value
    if isinstance(template, dict):
        return {key: given(part, outputs) for key, part in template.items()}
    parts = [given(part, outputs) for part in template]
    return kind(*parts) if hasattr(template, "_fields") else kind(parts)


def _repair_leaks(session: Capture) -> None:
    """Look for arrays of the step that live on: someone keeps them outside of it."""
    known = session.known_traced()
    for reference in session.made_here:
        traced = reference()
        if traced is None or id(traced) in known:
            continue
        for holder in gc.get_referrers(traced):
            if isinstance(holder, Tensor):
                holder.array = traced.array
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


__all__ = ["Captured", "Entered", "Result", "arrays_of", "capture", "given"]
