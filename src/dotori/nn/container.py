"""Modules that hold other modules: in a row, in a list, under names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import index as as_index
from typing import Any, Generic, TypeVar

from dotori.errors import ArgumentError, AxisError, DTypeError
from dotori.nn.module import Module

Item = TypeVar("Item")
Own = TypeVar("Own", bound="Row[Any]")


class Row(Module, Generic[Item]):
    """What the containers that are lists share: a list's methods, keys that count.

    `home` names the dict of `Module` that the items are registered in.
    """

    home = "_modules"

    def _checked(self, item: Any) -> Any:
        """`item` as it is kept, or an error."""
        return checked_module(self, item)

    def _items(self) -> list[Item]:
        return list(self.__dict__[self.home].values())

    def _key(self, index: int) -> str:
        """The name at a place, counted from either end."""
        names, i = list(self.__dict__[self.home]), as_index(index)
        if not -len(names) <= i < len(names):
            raise AxisError(
                f"{type(self).__name__}: there is no place {i} among {len(names)}"
            )
        return str(names[i])

    def _refill(self, items: Iterable[Item]) -> None:
        """Hold these under the keys 0, 1, 2, ..."""
        kept = [self._checked(item) for item in items]
        for name in list(self.__dict__[self.home]):
            delattr(self, name)
        for i, item in enumerate(kept):
            self._put(self.home, str(i), item)

    def _part(self, chosen: slice) -> Any:
        return type(self)(self._items()[chosen])  # type: ignore[call-arg]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._part(index)
        return self.__dict__[self.home][self._key(index)]

    def __setitem__(self, index: int, item: Item) -> None:
        self._put(self.home, self._key(index), self._checked(item))

    def __delitem__(self, index: int | slice) -> None:
        items = self._items()
        if not isinstance(index, slice):
            self._key(index)
        del items[index]
        self._refill(items)

    def __len__(self) -> int:
        return len(self.__dict__[self.home])

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items())

    def append(self: Own, item: Item) -> Own:
        """Add one at the end; returns self."""
        kept, name = self._checked(item), str(len(self))
        if name in self.__dict__[self.home]:
            raise ArgumentError(
                f"{type(self).__name__}: the name {name!r}, which comes next, is taken"
            )
        self._put(self.home, name, kept)
        return self

    def extend(self: Own, items: Iterable[Item]) -> Own:
        """Add several at the end; returns self."""
        for item in list(items):
            self.append(item)
        return self

    def insert(self: Own, index: int, item: Item) -> Own:
        """Put one before the place `index`; the keys count anew. Returns self."""
        items, size = self._items(), len(self)
        if not -size <= index <= size:
            raise AxisError(
                f"{type(self).__name__}.insert: there is no place {index} among {size}"
            )
        items.insert(index, item)
        self._refill(items)
        return self

    def pop(self, index: int = -1) -> Item:
        """Take one out and return it."""
        item: Item = self[index]
        del self[index]
        return item

    def __iadd__(self: Own, others: Iterable[Item]) -> Own:
        return self.extend(others)

    def __add__(self: Own, others: Iterable[Item]) -> Own:
        return type(self)().extend(self).extend(others)


class Sequential(Row[Module]):
    """Modules in a row: the output of one is the input of the next.

    Takes modules, or one ordered mapping of names to modules. It has a list's methods;
    a part such as ``model[:2]`` shares its modules.

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
            self.add_module(name, self._checked(module))

    def forward(self, x: Any) -> Any:
        for module in self._modules.values():
            x = module(x)
        return x

    def _part(self, chosen: slice) -> Sequential:
        return Sequential(OrderedDict(list(self._modules.items())[chosen]))

    def __mul__(self, times: int) -> Sequential:
        """The same modules, with the same weights, several times in a row."""
        if isinstance(times, bool) or not isinstance(times, int) or times < 1:
            raise ArgumentError(f"Sequential: a positive number of times, got {times}")
        return Sequential(*self._items() * times)

    __rmul__ = __mul__


class ModuleList(Row[Module]):
    """A list whose modules are registered. It has no forward of its own.

    Examples
    --------
    >>> from dotori import nn
    >>> layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), len(layers[1:]), list(dict(layers.named_parameters()))[0]
    (3, 2, '0.weight')
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __repr__(self) -> str:
        lines, i = [], 0
        for text, alike in groupby(map(repr, self)):  # equal neighbours are said once
            n = len(list(alike))
            key = f"({i}): " if n == 1 else f"({i}-{i + n - 1}): {n} x "
            lines.append("  " + key + text.replace("\n", "\n  "))
            i += n
        head = f"{type(self).__name__}("
        return "\n".join([head, *lines, ")"]) if lines else f"{head})"


class ModuleDict(Module):
    """A mapping whose modules are registered. It has no forward of its own.

    Examples
    --------
    >>> from dotori import nn
    >>> heads = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()})
    >>> heads.pop("a"), list(heads)
    (ReLU(), ['b'])
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def update(self, modules: Any) -> None:
        """Take over the modules of a mapping, or of pairs of name and module."""
        for name, module in pairs_of(self, modules):
            self[name] = module

    def pop(self, name: str) -> Module:
        """Take one out and return it."""
        module = self[name]
        del self[name]
        return module

    def clear(self) -> None:
        """Take out all."""
        for name in list(self._modules):
            delattr(self, name)

    def __getitem__(self, name: str) -> Module:
        found: Module = self._modules[name]
        return found

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, checked_module(self, module))

    def __delitem__(self, name: str) -> None:
        self._modules[name]  # a KeyError names what is not there
        delattr(self, name)

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


def checked_module(container: Module, module: Any) -> Module:
    """`module` itself if it is one."""
    if not isinstance(module, Module):
        raise DTypeError(
            f"{type(container).__name__} holds modules, got {type(module).__name__}"
            + (": give an instance of it" if isinstance(module, type) else "")
        )
    return module


def pairs_of(container: Module, given: Any) -> list[tuple[str, Any]]:
    """Names and values of a mapping, a container of this kind, or a list of pairs."""
    if hasattr(given, "items"):
        return list(given.items())
    try:
        return [(name, value) for name, value in given]
    except (TypeError, ValueError) as error:
        raise DTypeError(
            f"{type(container).__name__} takes a mapping or pairs of a name and a "
            f"value, got {type(given).__name__}"
        ) from error
