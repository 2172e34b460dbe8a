"""Modules that hold other modules or parameters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dotori._tensor import Tensor
from dotori.errors import DTypeError
from dotori.nn.module import Module
from dotori.nn.parameter import Parameter


class Sequential(Module):
    """Modules in a row: the output of one is the input of the next.

    Takes modules, or one ordered mapping of names to modules.

    Examples
    --------
    >>> from dotori import nn
    >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())[1]
    ReLU()
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named: Iterable[tuple[str, Module]]
        if len(args) == 1 and isinstance(args[0], Mapping):
            named = args[0].items()
        else:
            named = ((str(i), module) for i, module in enumerate(args))
        for name, module in named:
            _check(self, module)
            self.add_module(name, module)

    def forward(self, x: Any) -> Any:
        for module in self._modules.values():
            x = module(x)
        return x

    def __getitem__(self, index: int | slice) -> Any:
        items = list(self._modules.items())
        if isinstance(index, slice):
            return Sequential(OrderedDict(items[index]))
        return items[index][1]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self._modules.values()))

    def append(self, module: Module) -> Sequential:
        """Add a module at the end; returns self."""
        _check(self, module)
        self.add_module(str(len(self)), module)
        return self


class ModuleList(Module):
    """A list whose modules are registered. It has no forward of its own."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add modules at the end; returns self."""
        for module in modules:
            self.append(module)
        return self

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end; returns self."""
        _check(self, module)
        self.add_module(str(len(self)), module)
        return self

    def __getitem__(self, index: int) -> Module:
        found: Module = list(self._modules.values())[index]
        return found

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self._modules.values()))


class ModuleDict(Module):
    """A mapping whose modules are registered. It has no forward of its own."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        for name, module in (modules or {}).items():
            self[name] = module

    def __getitem__(self, name: str) -> Module:
        found: Module = self._modules[name]
        return found

    def __setitem__(self, name: str, module: Module) -> None:
        _check(self, module)
        self.add_module(name, module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def keys(self) -> Iterable[str]:
        found: Iterable[str] = self._modules.keys()
        return found

    def values(self) -> Iterable[Module]:
        found: Iterable[Module] = self._modules.values()
        return found

    def items(self) -> Iterable[tuple[str, Module]]:
        found: Iterable[tuple[str, Module]] = self._modules.items()
        return found


class ParameterList(Module):
    """A list whose parameters are registered."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        for value in values:
            self.append(value)

    def append(self, value: Any) -> ParameterList:
        """Add a parameter at the end; a tensor becomes one. Returns self."""
        if not isinstance(value, Parameter):
            if not isinstance(value, Tensor):
                raise DTypeError(
                    f"ParameterList holds tensors, got {type(value).__name__}"
                )
            value = Parameter(value)
        self.register_parameter(str(len(self)), value)
        return self

    def __getitem__(self, index: int) -> Parameter:
        return list(self._parameters.values())[index]  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(list(self._parameters.values()))


def _check(container: Module, module: object) -> None:
    if not isinstance(module, Module):
        raise DTypeError(
            f"{type(container).__name__} holds modules, got {type(module).__name__}"
            + (": give an instance of it" if isinstance(module, type) else "")
        )
