"""The optimiser of a training step in a script: which function, which numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dotori.compiler.host import Numbers
from dotori.compiler.ir import Instr, Value
from dotori.compiler.script.text import broken, literal
from dotori.errors import ArgumentError

Array = np.ndarray[Any, Any]


@dataclass
class Update:
    """What an optimiser does with some of the weights.

    Attributes
    ----------
    function : str
        In `dotori.compiler.script.optimizers`.
    names : list of str
        The weights.
    gradients : list of Value
        Theirs, in the same order.
    memory : dict of str to list of array
        What the optimiser keeps for each weight, by the function's argument.
    counts : bool
        Whether the function is told the number of the step.
    settings : dict of str to number
        Arguments that are not the function's own defaults.
    lr : float
    step : int
        How many steps were made.
    values : list of array
        The weights as they are now.
    """

    function: str
    names: list[str]
    gradients: list[Value]
    memory: dict[str, list[Array]]
    counts: bool
    settings: dict[str, Any]
    lr: float
    step: int
    values: list[Array]


def update_of(
    kernel: Instr, hosts: list[Any], names: dict[int, str], made_by: dict[Value, Instr]
) -> Update:
    """The update behind a kernel's instruction.

    Raises
    ------
    ArgumentError
        If scripts have no words for the optimiser or one of its settings.
    """
    memory = [x for x in kernel.values() if x.kind == "state"]
    numbers, run = _run_of(memory[0], hosts)
    group, optimizer = numbers.group, numbers.optimizer
    params = [numbers.flat.params[i] for i in run.members]
    chosen = _chosen(type(optimizer).__name__, group)
    if chosen is None or group.get("maximize") or group.get("amsgrad"):
        raise ArgumentError(
            f"export_script: a script has no words for {type(optimizer).__name__} with "
            "these settings; SGD, Adam, AdamW and RMSprop in their plain forms have"
        )
    function, kept, counts, settings = chosen
    sizes = [int(p.array.size) for p in params]
    cuts = np.cumsum(sizes)[:-1]
    shapes = [p.array.shape for p in params]
    found = {
        name: [
            part.reshape(shape).copy()
            for part, shape in zip(np.split(run.state(name), cuts), shapes, strict=True)
        ]
        for name in kept
    }
    gradients = _gradients(kernel, memory, shapes, made_by)
    known = [names[id(p)] for p in params]
    lr = float(group["lr"])
    values = [p.array.copy() for p in params]
    return Update(
        function, known, gradients, found, counts, settings, lr, run.step, values
    )


def update_lines(update: Update, whole: bool, lr: str) -> list[str]:
    """The statements of an update; `whole` if it is that of all weights."""
    names = ", ".join(map(literal, update.names))
    kept = ["*MEMORY[name]"] if update.memory else []
    settings = [f"{k}={v!r}" for k, v in update.settings.items()]
    given = [*kept, *(["t"] if update.counts else []), lr, *settings]
    call = f"{update.function}(W[name], grad[name], {', '.join(given)})"
    over = "grad" if whole else f"[{names}]"
    return [broken(f"    for name in {over}:"), broken(f"        {call}")]


def updated_parts(
    instrs: list[Instr], kernel: Instr, update: Update
) -> dict[Value, str]:
    """What is cut out of the new memory after a kernel: which weight each part is."""
    starts, start = {}, 0
    for name, value in zip(update.names, update.values, strict=True):
        starts[start] = name
        start += value.size
    found: dict[Value, str] = {}
    memory = kernel.outputs[0]
    for instr in instrs:
        source = instr.inputs[0] if instr.inputs else None
        if instr.op == "slice" and source is memory:
            found[instr.output] = starts[instr.attrs["index"][0].start]
        elif instr.op == "reshape" and source is memory:
            found[instr.output] = update.names[0]
        elif instr.op == "reshape" and isinstance(source, Value) and source in found:
            made_of = next(i for i in instrs if source in i.outputs)
            if made_of.inputs[0] is memory and made_of.op == "slice":
                found[instr.output] = found[source]
    return found


def _run_of(state: Value, hosts: list[Any]) -> tuple[Numbers, Any]:
    for numbers in hosts:
        if isinstance(numbers, Numbers):
            for run in numbers.runs:
                if np.shares_memory(run.values, state.array):
                    return numbers, run
    raise ArgumentError("export_script: an optimiser's memory was not found")


def _chosen(
    name: str, group: Any
) -> tuple[str, list[str], bool, dict[str, Any]] | None:
    decay = {"weight_decay": group["weight_decay"]} if group["weight_decay"] else {}
    if name in ("Adam", "AdamW"):
        (beta1, beta2), eps = group["betas"], group["eps"]
        pairs = {"beta1": (beta1, 0.9), "beta2": (beta2, 0.999), "eps": (eps, 1e-8)}
        settings = {k: v for k, (v, usual) in pairs.items() if v != usual} | decay
        kind = "adamw" if decay and group["decoupled_weight_decay"] else "adam"
        return kind, ["exp_avg", "exp_avg_sq"], True, settings
    if name == "SGD" and not group["momentum"]:
        return "sgd", [], False, decay
    if name == "SGD":
        settings = {"momentum": group["momentum"]}
        settings |= {k: group[k] for k in ("dampening", "nesterov") if group[k]}
        return "sgd_with_momentum", ["momentum_buffer"], True, settings | decay
    if name == "RMSprop" and not group["momentum"] and not group["centered"]:
        pairs = {"alpha": (group["alpha"], 0.99), "eps": (group["eps"], 1e-8)}
        settings = {k: v for k, (v, usual) in pairs.items() if v != usual} | decay
        return "rmsprop", ["square_avg"], False, settings
    return None


def _gradients(
    kernel: Instr,
    memory: list[Value],
    shapes: list[tuple[int, ...]],
    made_by: dict[Value, Instr],
) -> list[Value]:
    """Each weight's gradient, before they were put in a row."""
    row = next(
        x
        for x in kernel.values()
        if x not in memory and x.kind != "host" and x.ndim == 1
    )
    joined = made_by.get(row)
    if len(shapes) == 1 or joined is None or joined.op != "concatenate":
        parts = [row]
    else:
        parts = list(joined.values())
    pairs = zip(parts, shapes, strict=True)
    return [_before_reshape(x, shape, made_by) for x, shape in pairs]


def _before_reshape(
    x: Value, shape: tuple[int, ...], made_by: dict[Value, Instr]
) -> Value:
    instr = made_by.get(x)
    if instr is not None and instr.op == "reshape" and x.shape != shape:
        return next(instr.values())
    return x
