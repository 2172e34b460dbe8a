"""Finding the first module and operation that give NaN or infinity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import observe
from dotori.nn.module import Module


@dataclass
class Fault:
    """Where something that is not finite first appeared."""

    path: str
    module: str
    op: str
    direction: str
    shape: tuple[int, ...]
    count: int

    def __str__(self) -> str:
        where = f"{self.path} ({self.module})" if self.path else "the loss"
        return (
            f"{where}: {self.op}, {self.direction}, in {self.count} of "
            f"{int(np.prod(self.shape, dtype=np.int64))} elements of shape {self.shape}"
        )


class _Watch:
    """Keeps the path of the module that is running, and the first fault."""

    def __init__(self) -> None:
        self.running: list[tuple[str, Module]] = []
        self.fault: Fault | None = None

    def see(self, op: Any, inputs: Any, outputs: Any, attrs: Any) -> None:
        for array in outputs:
            if self.fault is None and array.dtype.kind == "f":
                wrong = int(array.size - np.isfinite(array).sum())
                if wrong:
                    self._note(op.__name__, "forward", array.shape, wrong)

    def _note(self, op: str, direction: str, shape: Any, count: int) -> None:
        path, module = self.running[-1] if self.running else ("", None)
        text = "" if module is None else f"{type(module).__name__}"
        self.fault = Fault(path, text, op, direction, tuple(shape), count)


def find_nonfinite(model: Module, step: Callable[[], Tensor]) -> Fault | None:
    """Run a step again and find where NaN or infinity begins.

    Parameters
    ----------
    model : Module
        Whose modules are named.
    step : callable
        Computes the loss. Seed the random numbers as they were before.

    Returns
    -------
    Fault or None
        The first one: a parameter, then the forward pass, then the way back.
    """
    for name, p in model.named_parameters():
        wrong = int(p.array.size - np.isfinite(p.array).sum())
        if wrong:
            return Fault(name, "Parameter", "value", "before", p.shape, wrong)
    watch = _Watch()
    handles = []
    for path, module in model.named_modules():

        def enter(m: Module, args: Any, path: str = path) -> None:
            watch.running.append((path or "model", m))

        def leave(m: Module, args: Any, result: Any, path: str = path) -> None:
            watch.running.pop()
            if isinstance(result, Tensor) and result.requires_grad:
                result.register_hook(lambda g: _see_gradient(watch, path, m, g))

        handles.append(module.register_forward_pre_hook(enter))
        handles.append(module.register_forward_hook(leave))
    try:
        with observe(watch.see):
            loss = step()
        if watch.fault is None:
            watch.running.clear()
            loss.backward()
    finally:
        for handle in handles:
            handle.remove()
    if watch.fault is None:
        _see_parameters(watch, model)
    return watch.fault


def _see_gradient(watch: _Watch, path: str, module: Module, g: Tensor) -> None:
    wrong = int(g.array.size - np.isfinite(g.array).sum())
    if wrong and watch.fault is None:
        text = type(module).__name__
        op = "gradient of the output"
        watch.fault = Fault(path or "model", text, op, "backward", g.shape, wrong)


def _see_parameters(watch: _Watch, model: Module) -> None:
    for name, p in reversed(list(model.named_parameters())):
        if p.grad is not None and watch.fault is None:
            wrong = int(p.array.size - np.isfinite(p.grad.array).sum())
            if wrong:
                watch.fault = Fault(
                    name, "Parameter", "gradient", "backward", p.shape, wrong
                )
