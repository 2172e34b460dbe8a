"""What a capture holds for: shapes, types, modes, and the values of plain arguments."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from dotori import nn
from dotori._tensor import Tensor
from dotori.autograd.graph import GRAD, recording
from dotori.dtypes import get_default_dtype
from dotori.nn.module import structure

_PLAIN = (bool, int, float, str, bytes, type(None))


class Surroundings:
    """What a function reaches without its arguments: networks, and tensors.

    Found are those in its closure, among the globals that it names, its defaults, the
    object that it is a method of, and in the attributes and lists of such. None is kept
    alive. From then on, each change of a module's attributes moves a clock, which is
    part of the signature.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._modules: dict[int, weakref.ref[nn.Module]] = {}
        self._tensors: dict[int, weakref.ref[Tensor]] = {}
        self._names: dict[int, str] = {}
        self._seen: set[int] = set()
        for value in _reach(function):
            self._look(value, 2)

    def modes(self) -> tuple[Any, ...]:
        """Whether each module trains, and when attributes last changed."""
        found = [
            m.training if (m := r()) is not None else None
            for r in self._modules.values()
        ]
        return (structure.clock, *found)

    def modules(self) -> list[nn.Module]:
        """The modules that live."""
        return [m for r in self._modules.values() if (m := r()) is not None]

    def _look(self, value: Any, depth: int) -> None:
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, nn.Module):
            self._add(value)
        elif isinstance(value, Tensor):
            self._tensors[id(value)] = weakref.ref(value)
        elif isinstance(value, (list, tuple)) and depth:
            for part in value[:1000]:
                self._look(part, depth - 1)
        elif isinstance(value, dict) and depth:
            for part in list(value.values())[:1000]:
                self._look(part, depth - 1)
        elif callable(value) and depth and hasattr(value, "__code__"):
            for part in _reach(value):
                self._look(part, depth - 1)
        elif depth and hasattr(value, "__dict__") and not isinstance(value, type):
            for part in list(vars(value).values()):
                self._look(part, depth - 1)

    def _add(self, module: nn.Module) -> None:
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            self._tensors.setdefault(id(tensor), weakref.ref(tensor))
            self._names.setdefault(id(tensor), name)
        for part in module.modules():
            known = self._modules.get(id(part))
            if known is None or known() is not part:
                self._modules[id(part)] = weakref.ref(part)
                structure.watch(part)

    def names(self) -> dict[int, str]:
        """The names of weights and buffers, by id."""
        return self._names

    def tensors(self) -> list[Tensor]:
        """Tensors that the step may use."""
        return [t for r in self._tensors.values() if (t := r()) is not None]


def _reach(function: Any) -> list[Any]:
    """What a function can name."""
    owner = getattr(function, "__self__", None)
    found: list[Any] = [owner] if owner is not None else []
    if isinstance(function, nn.Module):
        found.append(function)
    plain = getattr(function, "__func__", function)
    plain = getattr(plain, "__wrapped__", plain)
    code = getattr(plain, "__code__", None)
    if code is None:
        return (
            [*found, *vars(function).values()]
            if hasattr(function, "__dict__")
            else found
        )
    for cell in plain.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # not assigned yet
            continue
    names = plain.__globals__
    found += [names[name] for name in code.co_names if name in names]
    return found + list(plain.__defaults__ or ())


def signature(args: Any, kwargs: Any, around: Surroundings) -> Any:
    """What two calls must have in common to run the same plan; it can be a key."""
    return (
        parts(args),
        tuple([(k, _part(kwargs[k])) for k in sorted(kwargs)]) if kwargs else (),
        around.modes(),
        recording.state.flags & GRAD,
        get_default_dtype(),
    )


def parts(args: Any) -> tuple[Any, ...]:
    """What of the positional arguments is in the signature."""
    return tuple([_part(a) for a in args])


def _part(value: Any) -> Any:
    """A tensor's shape, type, layout and whether it has a place in the graph."""
    if isinstance(value, Tensor):
        array = value.array
        lies = None if array.flags.c_contiguous else array.strides
        return array.shape, array.dtype, lies, value.node is not None
    if type(value) is np.ndarray:
        lies = None if value.flags.c_contiguous else value.strides
        return value.shape, value.dtype, lies
    if isinstance(value, (list, tuple)):
        return type(value), tuple([_part(part) for part in value])
    if isinstance(value, dict):
        return tuple([(key, _part(part)) for key, part in value.items()])
    if isinstance(value, _PLAIN):
        return type(value), value
    return type(value), id(value)
