"""How an optimiser's `step` is captured: its kernels as instructions.

An optimiser's update of a run of parameters is one kernel over flat memory, with
numbers that are worked out in Python. `rehearsed` tells which kernel, and with what.
The flat arrays are the states of the program, the parameters are cut out of them. An
optimiser that updates in another way runs as it is, after the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd.changes import memory_owner
from dotori.compiler.host import Later, Numbers, Part, Rehearsal, rehearsed
from dotori.compiler.ir import Instr, Value
from dotori.compiler.primitives import Slot
from dotori.compiler.trace import user_line
from dotori.optim.optimizer import Optimizer

if TYPE_CHECKING:
    from dotori.compiler.capture import Capture
    from dotori.compiler.traced import Traced


def record_update(session: Capture, optimizer: Any, closure: bool) -> None:
    """Record one step of `optimizer`, and make it if it is a kernel."""
    if closure or optimizer._hooks:
        session.value_needed(np.zeros(()), "the optimiser has a closure or hooks")
    params = [p for group in optimizer.param_groups for p in group["params"]]
    ready = [p for p in params if p.grad is not None]
    for p in ready:
        session.enter(p, p.grad)
    if optimizer._state_is_out:
        optimizer._take_state_back()
    optimizer._opt_called = True  # for schedules, which should step after
    plain = type(optimizer).update is Optimizer.update
    if plain or not _record_kernels(session, optimizer):
        _leave_for_later(session, optimizer, ready)
    for p in ready:
        p.node.grad = None


def _record_kernels(session: Capture, optimizer: Any) -> bool:
    """Record the update of each run as a kernel; False if that cannot be."""
    work: list[Any] = []
    for k, group in enumerate(optimizer.param_groups):
        for flat in _layout(session, optimizer, k, group).flats:
            ready = [i for i, p in enumerate(flat.params) if p.grad is not None]
            everything = len(ready) == len(flat.params)
            runs = flat.whole if everything else flat.runs(ready)
            calls = [rehearsed(optimizer, Rehearsal(run), group) for run in runs]
            if None in calls:
                return False
            work.append((group, flat, runs, calls))
    for group, flat, runs, found in work:
        numbers = Numbers(optimizer, group, flat, runs)
        for run, call in zip(runs, found, strict=True):
            _record_kernel(session, numbers, run, *call)
        session.host.append(numbers)
        flat.finish(runs)
        session.written.add(id(memory_owner(flat.values)))
    return True


def _layout(session: Capture, optimizer: Any, k: int, group: Any) -> Any:
    """The flat memory of a group; parameters that move to it keep their `Traced`."""
    for p in group["params"]:
        session.enter(p)
        p.array = p.array.concrete
    layout = optimizer._layouts[k]
    if layout is None or not layout.fits(group["params"]):
        layout = optimizer._laid_out(group)
    for p in group["params"]:
        _settle(session, p)
    return layout


def _settle(session: Capture, p: Any) -> Any:
    """Lend `p` its `Traced` again, at the memory where it lies now."""
    entered = session.entered[id(p)]
    entered.array = entered.traced.concrete = p.array
    p.array = entered.traced
    return entered


def _record_kernel(
    session: Capture, numbers: Numbers, run: Any, pair: Any, args: tuple[Any, ...]
) -> None:
    """One kernel over the memory of `run`: new versions of what it writes."""
    params = [numbers.flat.params[i] for i in run.members]
    gradient = _in_a_row([p.grad.array for p in params])
    floats = iter(numbers.values_of(run, args))
    inputs: list[Value] = []
    states: list[tuple[int, Value]] = []
    template: list[Any] = []
    true_args: list[Any] = []
    for a in args:
        true, value = a, None
        if isinstance(a, float):
            value = next(floats)
        elif isinstance(a, Part) and a.name == "gradient":
            true, value = np.ascontiguousarray(gradient.concrete), gradient.value
        elif isinstance(a, Part):
            true = run.values if a.name == "values" else run.state(a.name)
            state = _state_of(session, true, a.name)
            value = session.current.get(state, state)
            states.append((len(inputs), state))
            session.save(true)
        template.append(a if value is None else Slot(len(inputs)))
        true_args.append(true)
        if value is not None:
            inputs.append(value)
    pair(*true_args)
    outputs = tuple(Value(s.shape, s.dtype, name=s.name) for _, s in states)
    attrs = {
        "pair": pair,
        "args": tuple(template),
        "writes": tuple(i for i, _ in states),
    }
    session.instrs.append(Instr("kernel", tuple(inputs), outputs, attrs, user_line()))
    for (_, state), new in zip(states, outputs, strict=True):
        session.current[state] = new
    flat, start = session.current[_state_of(session, run.values, "values")], 0
    for p in params:  # the parameters, as parts of their new memory
        traced, n = session.entered[id(p)].traced, p.array.size
        traced.value = part_of(flat, start, n, traced.shape, session.instrs)
        start += n


def _in_a_row(gradients: list[Traced]) -> Any:
    """Gradients as one vector."""
    rows: Any = [g.reshape(-1) for g in gradients]
    return rows[0] if len(rows) == 1 else np.concatenate(rows)


def _state_of(session: Capture, array: Any, name: str) -> Value:
    """The state that stands for an optimiser's array."""
    key = array.__array_interface__["data"][0]
    known = session.memory.get(key)
    if known is None:
        state = Value(array.shape, array.dtype, "state", array, name)
        known = session.memory[key] = array, state
    return known[1]


def part_of(
    flat: Value,
    start: int,
    n: int,
    shape: tuple[int, ...],
    instrs: list[Instr],
    into: Value | None = None,
) -> Value:
    """``flat[start : start + n].reshape(shape)``, made as `into` if that is given."""
    part, where = flat, user_line()
    made = into or Value(shape, flat.dtype)
    if n != flat.size or shape == flat.shape:
        last = shape == (n,)
        part = made if last else Value((n,), flat.dtype)
        index = {"index": (slice(start, start + n, 1),)}
        instrs.append(Instr("slice", (flat,), (part,), index, where))
        if last:
            return made
    instrs.append(Instr("reshape", (part,), (made,), {}, where))
    return made


def _leave_for_later(session: Capture, optimizer: Any, params: list[Any]) -> None:
    """An update that is no kernel: made after each run of the program, not now."""
    grads: list[Traced] = [p.grad.array for p in params]
    gone = Value((), np.dtype(np.float32), "gone")
    for p in params:
        entered = session.entered[id(p)]
        entered.traced.value = gone
        entered.later = True
    session.later.append(Later(optimizer, params, [g.value for g in grads]))
