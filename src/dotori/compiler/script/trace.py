"""What a model does for an example, as a list of calls: layers, and what lies between.

The model runs once in evaluation mode. A layer that `layers` has words for is
one call; of any other module, what runs inside of it is looked at in turn. It runs a
second time with one row more: numbers that differ then follow the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import no_grad, observe
from dotori.compiler.script.layers import phrase
from dotori.errors import ArgumentError

Array = np.ndarray[Any, Any]


class Rows(int):
    """A number that follows the batch: `each` for each of its rows."""

    each: int

    def __new__(cls, number: int, each: int = 1) -> Rows:
        self = int.__new__(cls, number)
        self.each = each
        return self

    def __repr__(self) -> str:
        return "n" if self.each == 1 else f"{self.each} * n"


@dataclass(frozen=True)
class Ref:
    """A value by its number; inputs of the model come first."""

    number: int


@dataclass(frozen=True)
class Named:
    """A parameter or buffer, by its name in the state dict."""

    name: str


@dataclass
class Call:
    """One layer or operation.

    Attributes
    ----------
    op : str
        The operation's name, or the layer's class.
    inputs : list
        Each a `Ref`, a `Named`, an array or a number.
    attrs : dict
        Of an operation.
    outputs : list of int
        The numbers of the values that it makes.
    shapes : list of tuple
        Of the inputs that are arrays, then of the outputs.
    path : str
        The module itself, or that in whose `forward` the operation stands.
    module : Module or None
        A layer's module.
    """

    op: str
    inputs: list[Any]
    attrs: dict[str, Any]
    outputs: list[int]
    shapes: list[tuple[int, ...]]
    path: str
    module: Any = None


@dataclass
class Trace:
    """All calls of one run, and what the model returned, made of `Ref`."""

    calls: list[Call]
    output: Any
    output_shapes: dict[int, tuple[int, ...]]
    input_shapes: list[tuple[int, ...]]
    inputs: list[Ref]


class _Recorder:
    """Follows a run through hooks and `observe`, and knows arrays by their identity."""

    def __init__(self, names: dict[int, str], inputs: Sequence[Array]) -> None:
        self.names, self.calls = names, list[Call]()
        self.numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no identity is given to a second array
        self._paths: list[str] = [""]
        self._inside = 0
        for x in inputs:
            self.number(x)

    def number(self, array: Array) -> int:
        """That of a new value."""
        found = len(self._kept)
        self.numbers[id(array)] = found
        self._kept.append(array)
        return found

    def ref(self, x: Any) -> Any:
        """What `x` is: a value, a weight, or a constant."""
        x = getattr(x, "array", x)
        if id(x) in self.numbers:
            return Ref(self.numbers[id(x)])
        return Named(self.names[id(x)]) if id(x) in self.names else x

    def see(self, op: Any, inputs: Any, outputs: Any, attrs: Any) -> None:
        """An operation outside of known layers."""
        if self._inside:
            return
        refs = [self.ref(x) for x in inputs]
        shapes = [x.shape for x in (*inputs, *outputs) if hasattr(x, "shape")]
        made = [self.number(y) for y in outputs]
        path = self._paths[-1]
        self.calls.append(Call(op.__name__, refs, dict(attrs), made, shapes, path))

    def enter(self, path: str) -> Callable[[Any, Any], None]:
        def hook(module: Any, args: Any) -> None:
            self._inside += bool(self._inside) or _is_known(module, args)
            self._paths.append(path)

        return hook

    def leave(self, module: Any, args: Any, output: Any) -> None:
        path = self._paths.pop()
        if self._inside == 1:
            self._layer(module, args, output, path)
        self._inside = max(0, self._inside - 1)

    def _layer(self, module: Any, args: Any, output: Any, path: str) -> None:
        refs = [self.ref(x) for x in args]
        found = list(_tensors(output))
        shapes = [args[0].shape, *(y.shape for y in found)]
        if phrase(module, "x", str, shapes[0]) == "x":  # dropout, identity
            self.numbers[id(output.array)] = refs[0].number
            self._kept.append(output.array)
            return
        made = [self.number(y.array) for y in found]
        name = type(module).__name__
        self.calls.append(Call(name, refs, {}, made, shapes, path, module))


def _is_known(module: Any, args: Any) -> bool:
    if not args or not all(isinstance(x, Tensor) for x in args):
        return False
    return phrase(module, "x", str, args[0].shape) is not None


def trace(model: Any, inputs: Sequence[Array]) -> Trace:
    """Run `model` on `inputs` twice and say what it does, for any number of rows.

    Raises
    ------
    ArgumentError
        If it does something else for another batch.
    """
    first = _run(model, inputs)
    longer = _one_row_more(inputs)
    if longer is None:
        return first
    try:
        second = _run(model, longer)
    except Exception:  # made for this number of rows only
        return first
    return _merged(first, second, len(inputs[0]))


def _run(model: Any, inputs: Sequence[Array]) -> Trace:
    from dotori.autograd import wrap

    tensors = [wrap(x) for x in inputs]
    recorder = _Recorder(_names_of(model), [t.array for t in tensors])
    with _evaluated(model), ExitStack() as stack:
        for path, module in model.named_modules():
            before = module.register_forward_pre_hook(recorder.enter(path))
            after = module.register_forward_hook(recorder.leave)
            stack.callback(before.remove)
            stack.callback(after.remove)
        with no_grad(), observe(recorder.see):
            output = model(*tensors)
    found = _structure(output, recorder)
    shapes = {recorder.numbers[id(y.array)]: y.shape for y in _tensors(output)}
    refs = [Ref(i) for i in range(len(inputs))]
    return Trace(recorder.calls, found, shapes, [x.shape for x in inputs], refs)


def _names_of(model: Any) -> dict[int, str]:
    named = (*model.named_parameters(), *model.named_buffers())
    return {id(t.array): name for name, t in named}


@contextmanager
def _evaluated(model: Any) -> Iterator[None]:
    """In evaluation mode, and afterwards each module in the one in which it was."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, mode in modes:
            object.__setattr__(module, "training", mode)


def _structure(output: Any, recorder: _Recorder) -> Any:
    if isinstance(output, Tensor):
        found = recorder.ref(output)
        if isinstance(found, Ref):
            return found
        raise ArgumentError(
            "export_script: the model returns a tensor that no operation made"
        )
    if isinstance(output, (tuple, list)):
        return tuple(_structure(part, recorder) for part in output)
    if isinstance(output, dict):
        return {key: _structure(part, recorder) for key, part in output.items()}
    if output is None or isinstance(output, (bool, int, float, str)):
        return output
    raise ArgumentError(
        "export_script: the model must return tensors, in tuples, lists or dicts "
        f"perhaps, got {type(output).__name__}"
    )


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, (tuple, list, dict)):
        for part in output.values() if isinstance(output, dict) else output:
            yield from _tensors(part)


def _one_row_more(inputs: Sequence[Array]) -> list[Array] | None:
    """Other examples, longer by a copy of the first row, if all are equally long."""
    if not all(x.ndim and len(x) for x in inputs) or len({len(x) for x in inputs}) > 1:
        return None
    return [np.concatenate([x, x[:1]]) for x in inputs]


def _merged(first: Trace, second: Trace, rows: int) -> Trace:
    """`first`, with the numbers that follow the batch as `Rows`."""
    merge = _Merge(rows)
    if len(first.calls) != len(second.calls):
        raise ArgumentError(_CHANGES)
    calls = [
        Call(
            merge(a.op, b.op),
            merge(a.inputs, b.inputs),
            merge(a.attrs, b.attrs),
            merge(a.outputs, b.outputs, False),
            merge(a.shapes, b.shapes),
            a.path,
            a.module,
        )
        for a, b in zip(first.calls, second.calls, strict=True)
    ]
    return Trace(
        calls,
        merge(first.output, second.output),
        merge(first.output_shapes, second.output_shapes),
        merge(first.input_shapes, second.input_shapes),
        first.inputs,
    )


_CHANGES = (
    "export_script: the model does something else for a batch with one row more; a "
    "script has one way only, so let its forward not depend on the data"
)


@dataclass
class _Merge:
    rows: int
    counted: bool = field(default=True)

    def __call__(self, a: Any, b: Any, counted: bool = True) -> Any:
        if isinstance(a, (list, tuple)) and type(a) is type(b) and len(a) == len(b):
            parts = [self(x, y, counted) for x, y in zip(a, b, strict=True)]
            return type(a)(parts) if type(a) in (list, tuple) else a
        if isinstance(a, dict) and isinstance(b, dict) and list(a) == list(b):
            return {key: self(a[key], b[key], counted) for key in a}
        if isinstance(a, slice) and isinstance(b, slice):
            ends = [(a.start, b.start), (a.stop, b.stop), (a.step, b.step)]
            return slice(*(self(x, y) for x, y in ends))
        if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
            if np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f"):
                return a
            raise ArgumentError(_CHANGES)
        if type(a) is int and type(b) is int and a != b and counted:
            each = b - a
            if a == each * self.rows:
                return Rows(a, each)
        if a == b or (type(a) is type(b) and not isinstance(a, (int, float, str, Ref))):
            return a
        raise ArgumentError(_CHANGES)
