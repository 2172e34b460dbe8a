"""A table of a model's layers: shapes, parameters, multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import no_grad, observe
from dotori.errors import ArgumentError
from dotori.functions.creation import zeros
from dotori.nn.module import Module

_HEAD = ("layer", "type", "output shape", "parameters", "multiply-adds")


@dataclass
class Row:
    """One call of one module.

    `parameters` and `multiply_adds` are the module's own, without those below it.
    """

    path: str
    type: str
    output_shape: tuple[int, ...] | None = None
    parameters: int = 0
    multiply_adds: int = 0


@dataclass
class Summary:
    """What `summary` found; `str` of it is a table.

    Attributes
    ----------
    rows : list of Row
        In the order in which the modules were called.
    parameters, trainable : int
        Shared ones count once.
    multiply_adds : int
        Of the matrix products that were really run.
    parameter_bytes, output_bytes : int
        Memory for the parameters and buffers, and for the output of every operation.
    """

    rows: list[Row] = field(default_factory=list)
    parameters: int = 0
    trainable: int = 0
    multiply_adds: int = 0
    parameter_bytes: int = 0
    output_bytes: int = 0

    @property
    def frozen(self) -> int:
        """Parameters that are not trained."""
        return self.parameters - self.trainable

    def __str__(self) -> str:
        cells = [_HEAD, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(_HEAD))]
        lines = [_line(line, widths) for line in cells]
        rule = "-" * max(map(len, lines))
        totals = [
            f"parameters: {self.parameters:,} ({self.trainable:,} trainable)",
            f"multiply-adds: {self.multiply_adds:,}",
            f"parameters' memory: {_size(self.parameter_bytes)}",
            f"outputs' memory: {_size(self.output_bytes)}",
        ]
        return "\n".join([lines[0], rule, *lines[1:], rule, *totals])


class _Counter:
    """Follows a forward pass through hooks and `observe`."""

    def __init__(self) -> None:
        self.result = Summary()
        self.running: list[Row] = []
        self._counted: set[int] = set()

    def enter(self, path: str) -> Callable[[Module, Any], None]:
        def hook(module: Module, args: Any) -> None:
            row = Row(path, type(module).__name__)
            for p in module.parameters(recurse=False):
                if id(p) not in self._counted:
                    self._counted.add(id(p))
                    row.parameters += p.numel()
            self.result.rows.append(row)
            self.running.append(row)

        return hook

    def leave(self, module: Module, args: Any, output: Any) -> None:
        row = self.running.pop()
        if isinstance(output, Tensor):
            row.output_shape = output.shape

    def see(self, op: Any, inputs: Any, outputs: Any, attrs: Any) -> None:
        count = 0
        if op.__name__ in ("Linear", "Matmul") and inputs[0].ndim:
            count = outputs[0].size * inputs[0].shape[-1]
        self.result.multiply_adds += count
        self.result.output_bytes += sum(
            a.nbytes for a in outputs if getattr(a, "base", None) is None
        )
        if self.running:
            self.running[-1].multiply_adds += count


def summary(model: Module, input: Any) -> Summary:
    """Run a model once and list its layers.

    The run is in evaluation mode and records no gradients; afterwards each module is in
    the mode in which it was.

    Parameters
    ----------
    model : Module
    input : tuple of int, Tensor, array, or list of tensors
        A shape with the batch (zeros of it are used), an example, or one example for
        each argument of forward.

    Raises
    ------
    ArgumentError
        If `input` is neither.

    Examples
    --------
    >>> from dotori import nn
    >>> model = nn.Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 1))
    >>> found = summary(model, (32, 13))
    >>> found.parameters, found.multiply_adds
    (961, 28672)
    >>> found.rows[1].path, found.rows[1].output_shape
    ('0', (32, 64))
    """
    args = _examples(input)
    counter = _Counter()
    modes = [(module, module.training) for module in model.modules()]
    handles = []
    try:
        for path, module in model.named_modules():
            enter = counter.enter(path)
            handles.append(module.register_forward_pre_hook(enter))
            handles.append(module.register_forward_hook(counter.leave))
        model.eval()
        with no_grad(), observe(counter.see):
            model(*args)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            object.__setattr__(module, "training", mode)
    return _totals(counter.result, model)


def _examples(input: Any) -> list[Any]:
    example = (Tensor, np.ndarray)
    if isinstance(input, example):
        return [input]
    if isinstance(input, (list, tuple)) and input:
        if all(isinstance(x, example) for x in input):
            return list(input)
        if all(isinstance(n, (int, np.integer)) for n in input):
            return [zeros(*map(int, input))]
    raise ArgumentError(
        "summary: input must be a shape such as (32, 13), a tensor, or a list of "
        f"tensors, got {input!r}"
    )


def _totals(result: Summary, model: Module) -> Summary:
    parameters = list(model.parameters())
    result.parameters = sum(p.numel() for p in parameters)
    result.trainable = sum(p.numel() for p in parameters if p.requires_grad)
    result.parameter_bytes = sum(
        t.array.nbytes for t in (*parameters, *model.buffers())
    )
    return result


def _cells(row: Row) -> tuple[str, ...]:
    depth = row.path.count(".") + 1 if row.path else 0
    return (
        "  " * depth + (row.path or "model"),
        row.type,
        "" if row.output_shape is None else str(row.output_shape),
        f"{row.parameters:,}" if row.parameters else "",
        f"{row.multiply_adds:,}" if row.multiply_adds else "",
    )


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    left = [c.ljust(w) for c, w in zip(cells[:3], widths[:3], strict=True)]
    right = [c.rjust(w) for c, w in zip(cells[3:], widths[3:], strict=True)]
    return "  ".join([*left, *right]).rstrip()


def _size(n: int) -> str:
    power = min(int(math.log(n, 1024)), 3) if n else 0
    return (
        f"{n / 1024**power:.{1 if power else 0}f} {('B', 'KiB', 'MiB', 'GiB')[power]}"
    )
