"""Modules that hold parameters: in a list, and under names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dotori._tensor import Tensor
from dotori.errors import DTypeError
from dotori.nn.container import Row, pairs_of
from dotori.nn.module import Module
from dotori.nn.parameter import Parameter


class ParameterList(Row[Any]):
    """A list whose parameters are registered; a tensor becomes one.

    Examples
    --------
    >>> from dotori import nn, ones
    >>> weights = nn.ParameterList([ones(2), ones(3)])
    >>> [(name, p.shape) for name, p in weights.named_parameters()]
    [('0', (2,)), ('1', (3,))]
    """

    home = "_parameters"

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def _checked(self, item: Any) -> Parameter:
        return _as_parameter(self, item)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}: {p.shape}" for name, p in self._parameters.items())


class ParameterDict(Module):
    """A mapping whose parameters are registered; a tensor becomes one.

    It has a dict's methods, and keeps the order in which names were first set: see
    `update`.

    Examples
    --------
    >>> from dotori import nn, ones
    >>> weights = nn.ParameterDict({"left": ones(2), "right": ones(3)})
    >>> [(name, p.shape) for name, p in weights.named_parameters()]
    [('left', (2,)), ('right', (3,))]
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Parameter:
        found: Parameter = self._parameters[key]
        return found

    def __setitem__(self, key: str, value: Any) -> None:
        self.register_parameter(key, _as_parameter(self, value))

    def __delitem__(self, key: str) -> None:
        self._parameters[key]  # a KeyError names what is not there
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._parameters))

    def __reversed__(self) -> Iterator[str]:
        names: list[str] = list(self._parameters)
        return reversed(names)

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def keys(self) -> Iterable[str]:
        found: Iterable[str] = self._parameters.keys()
        return found

    def values(self) -> Iterable[Parameter]:
        found: Iterable[Parameter] = self._parameters.values()
        return found

    def items(self) -> Iterable[tuple[str, Parameter]]:
        found: Iterable[tuple[str, Parameter]] = self._parameters.items()
        return found

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of this name, or `default`."""
        return self._parameters.get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Parameter:
        """The parameter of this name, which is `default` if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, parameters: Any) -> None:
        """Take over the values of a mapping, or of pairs of name and value.

        Those of a plain dict come in the order of their names, as in PyTorch: so do
        their states in an optimiser.
        """
        pairs = pairs_of(self, parameters)
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs.sort(key=lambda pair: pair[0])
        for key, value in pairs:
            self[key] = value

    def pop(self, key: str) -> Parameter:
        """Take one out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Parameter]:
        """Take out the last one; returns its name and it."""
        if not len(self):
            raise KeyError("this ParameterDict is empty")
        key = next(reversed(self))
        return key, self.pop(key)

    def clear(self) -> None:
        """Take out all."""
        for key in list(self):
            del self[key]

    def copy(self) -> ParameterDict:
        """Another one with the same parameters."""
        return ParameterDict(self)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Another one with `default` under each of `keys`."""
        return ParameterDict([(key, default) for key in keys])

    def __or__(self, other: Any) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other: Any) -> ParameterDict:
        joined = ParameterDict(other)
        joined.update(self)
        return joined

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        return ", ".join(f"{key}: {p.shape}" for key, p in self.items())


def _as_parameter(container: Module, value: Any) -> Parameter:
    if isinstance(value, Parameter):
        return value
    if not isinstance(value, Tensor):
        raise DTypeError(
            f"{type(container).__name__} holds tensors, got {type(value).__name__}"
        )
    return Parameter(value)
