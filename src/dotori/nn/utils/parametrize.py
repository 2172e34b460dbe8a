"""Parameters that are computed from others whenever they are read.

A parametrization is a module whose ``forward`` gives the value from what is trained,
and whose ``right_inverse``, if there is one, takes a value back to that. Those of a
tensor ``weight`` stand in ``module.parametrizations.weight``, a list of modules that
also holds what is trained: ``original``, or ``original0``, ``original1`` and so on. The
module itself keeps its class: `Module` looks here for a name that it does not have.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import no_grad, note_change
from dotori.errors import ArgumentError
from dotori.nn.container import ModuleDict, ModuleList
from dotori.nn.parameter import Parameter

if TYPE_CHECKING:
    from dotori.nn.module import Module

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

M = TypeVar("M", bound="Module")


class _Cache(threading.local):
    """The values that were computed inside `cached`."""

    def __init__(self) -> None:
        self.depth = 0
        self.values: dict[int, Tensor] = {}


_cache = _Cache()


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized tensor once, however often it is read inside.

    Examples
    --------
    >>> from dotori import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> with cached():
    ...     print(layer.weight is layer.weight)
    True
    >>> layer.weight is layer.weight
    False
    """
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.values = {}


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, in their order, and what is trained for it.

    `register_parametrization` makes it.

    Parameters
    ----------
    modules : sequence of Module
    original : Parameter or Tensor
        What the tensor was before.
    unsafe : bool
        Whether shape and type may change.

    Attributes
    ----------
    original, or original0, original1, ... : Parameter or Tensor
        What the first parametrization is given: several, if its `right_inverse` gives
        several.
    """

    def __init__(
        self, modules: Sequence[Module], original: Tensor, unsafe: bool = False
    ) -> None:
        super().__init__(modules)
        if not modules:
            raise ArgumentError("ParametrizationList: there must be a parametrization")
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with no_grad():
            new = self._inverse(original, must=False)
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            if new.dtype != dtype:
                raise ArgumentError(
                    f"right_inverse gives {new.dtype}, but the tensor holds {dtype}"
                )
            _take(original, new)
            _register(self, "original", original)
        else:
            for i, part in enumerate(new):
                _register(self, f"original{i}", _as_kind_of(original, part))
        if not unsafe:
            _check_alike(self(), shape, dtype)

    def _inverse(self, value: Any, must: bool) -> Any:
        """`value` taken back through all parametrizations, the last one first."""
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                try:
                    value = module.right_inverse(value)
                except NotImplementedError:
                    if must:
                        raise
            elif must:
                raise ArgumentError(
                    f"the tensor cannot be assigned: its parametrization "
                    f"{type(module).__name__} has no right_inverse"
                )
        if not isinstance(value, (Tensor, Sequence)):
            raise ArgumentError(
                "right_inverse must return a tensor or several, got "
                f"{type(value).__name__}"
            )
        return value

    def originals(self) -> list[Tensor]:
        """What is trained, in the order in which it is given."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Make `value` the tensor: what is trained becomes what gives it."""
        with no_grad():
            found = self._inverse(value, must=True)
        parts = [found] if isinstance(found, Tensor) else list(found)
        originals = self.originals()
        if len(parts) != len(originals):
            raise ArgumentError(
                f"right_inverse gave {len(parts)} tensors, {len(originals)} are wanted"
            )
        for original, part in zip(originals, parts, strict=True):
            if part.dtype != original.dtype:
                raise ArgumentError(
                    f"right_inverse gives {part.dtype}, trained is {original.dtype}"
                )
            _take(original, part)

    def forward(self) -> Tensor:
        first, *others = self
        value: Tensor = first(*self.originals())
        for module in others:
            value = module(value)
        return value


def parametrized(module: Module, name: str) -> ParametrizationList | None:
    """The parametrizations of a tensor of `module`; None if there are none."""
    lists = module._modules.get("parametrizations")
    if not isinstance(lists, ModuleDict):
        return None
    found = lists._modules.get(name)
    return found if isinstance(found, ParametrizationList) else None


def value_of(parametrizations: ParametrizationList) -> Tensor:
    """The tensor, computed or from the cache."""
    if not _cache.depth:
        return parametrizations()
    key = id(parametrizations)
    if key not in _cache.values:
        _cache.values[key] = parametrizations()
    return _cache.values[key]


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """Compute a parameter or buffer of `module` by `parametrization` from now on.

    Of a tensor that has one already, the new one comes behind it.

    Parameters
    ----------
    module : Module
    tensor_name : str
    parametrization : Module
        ``right_inverse(value)``, if it has one, gives the arguments for which its
        ``forward`` gives `value`; else the value itself is trained.
    unsafe : bool
        Whether shape and type of the tensor may change.

    Returns
    -------
    Module
        `module` itself.

    Raises
    ------
    ArgumentError
        If there is no such tensor, or its shape or type changes.

    Examples
    --------
    >>> from dotori import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'parametrizations.weight.original']
    """
    parametrization.train(module.training)
    before = parametrized(module, tensor_name)
    if before is not None:
        if not unsafe:
            _check_next(parametrization, value_of(before))
        before.append(parametrization)
        before.unsafe = before.unsafe or unsafe
        return module
    if module._home(tensor_name) not in ("_parameters", "_buffers"):
        raise ArgumentError(
            f"{type(module).__name__} has no parameter, buffer or parametrized tensor "
            f"{tensor_name!r}"
        )
    original = getattr(module, tensor_name)
    made = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if "parametrizations" not in module._modules:
        module.add_module("parametrizations", ModuleDict())
    module._modules["parametrizations"].add_module(tensor_name, made)
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a tensor of `module` is parametrized, or any.

    Examples
    --------
    >>> from dotori import nn
    >>> is_parametrized(nn.Linear(2, 2))
    False
    """
    lists = module._modules.get("parametrizations")
    if not isinstance(lists, ModuleDict):
        return False
    return len(lists) > 0 if tensor_name is None else tensor_name in lists


def remove_parametrizations(
    module: M, tensor_name: str, leave_parametrized: bool = True
) -> M:
    """Make a tensor an ordinary one again, and return `module`.

    Parameters
    ----------
    module : Module
    tensor_name : str
    leave_parametrized : bool
        Whether it keeps the value that it has now, or gets the one that was trained.

    Raises
    ------
    ArgumentError
        If it is not parametrized, or several tensors were trained for it and one is
        asked for.

    Examples
    --------
    >>> from dotori import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> list(remove_parametrizations(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    found = parametrized(module, tensor_name)
    if found is None:
        raise ArgumentError(
            f"{type(module).__name__} has no parametrization of {tensor_name!r}"
        )
    if not leave_parametrized and not found.is_tensor:
        raise ArgumentError(
            f"{tensor_name!r} is computed from {found.ntensors} tensors: there is no "
            "single one to leave (leave_parametrized=False)"
        )
    original = found.originals()[0]
    if leave_parametrized:
        trained = any(t.requires_grad for t in found.originals())
        with no_grad():
            value = found()
        if found.is_tensor:
            _take(original, value)  # an optimiser knows the parameter
        else:
            original = Parameter(value.detach()) if trained else value.detach()
    lists = module._modules["parametrizations"]
    del lists[tensor_name]
    if not len(lists):
        delattr(module, "parametrizations")
    _register(module, tensor_name, original)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of `module`, which parametrizations do not change.

    Examples
    --------
    >>> from dotori import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> type_before_parametrizations(layer).__name__
    'Linear'
    """
    return type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: M, tensor_name: str | None = None
) -> M:
    """Give `to_module` the parametrizations of another module, and what they train.

    The parametrizations and the trained tensors are shared by both from then on.

    Parameters
    ----------
    from_module, to_module : Module
    tensor_name : str, optional
        One tensor; by default all that are parametrized.

    Returns
    -------
    Module
        `to_module` itself.

    Examples
    --------
    >>> from dotori import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> other = transfer_parametrizations_and_params(layer, nn.Linear(2, 2))
    >>> bool((other.weight == layer.weight).all())
    True
    """
    if not is_parametrized(from_module):
        return to_module
    names = list(from_module._modules["parametrizations"])
    for name in names if tensor_name is None else [tensor_name]:
        source = parametrized(from_module, name)
        if source is None:
            raise ArgumentError(
                f"{type(from_module).__name__} has no parametrization of {name!r}"
            )
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for parametrization in source:
            register_parametrization(to_module, name, parametrization, unsafe=True)
        made = parametrized(to_module, name)
        for key in (*source._parameters, *source._buffers):
            setattr(made, key, getattr(source, key))
    return to_module


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _as_kind_of(original: Tensor, part: Any) -> Tensor:
    """A parameter where `original` is one, trained or not as it is."""
    if not isinstance(part, Tensor):
        raise ArgumentError(
            f"right_inverse must return tensors, one is a {type(part).__name__}"
        )
    if isinstance(original, Parameter):
        return Parameter(part.detach().clone(), original.requires_grad)
    return part.detach()


def _take(target: Tensor, value: Tensor) -> None:
    """Give `target` the numbers of `value`, in its own memory where they fit."""
    if target.array is value.array:
        return
    if target.shape == value.shape:
        np.copyto(target.array, value.array)
        note_change(target.array, "a parametrization")
    else:
        target.data = value.detach().clone()


def _check_alike(value: Any, shape: tuple[int, ...], dtype: Any) -> None:
    if not isinstance(value, Tensor):
        raise ArgumentError(
            f"a parametrization must return a tensor, got {type(value).__name__}"
        )
    if value.shape != shape or value.dtype != dtype:
        raise ArgumentError(
            f"a parametrization may not change the shape {shape} or the type {dtype} "
            f"of a tensor, got {value.shape} and {value.dtype}; pass unsafe=True if it "
            "is meant to"
        )


def _check_next(parametrization: Any, before: Tensor) -> None:
    """Refuse one behind others that changes what they give, or take."""
    after = parametrization(before)
    _check_alike(after, before.shape, before.dtype)
    if hasattr(parametrization, "right_inverse"):
        try:
            back = parametrization.right_inverse(after)
        except NotImplementedError:
            return
        _check_alike(back, before.shape, before.dtype)
