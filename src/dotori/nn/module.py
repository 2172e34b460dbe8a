"""`Module`: parameters, buffers and submodules under names, and a forward function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from dotori._tensor import Tensor
from dotori.autograd.graph import CAPTURE, recording
from dotori.backend import to_device
from dotori.errors import ArgumentError, DTypeError
from dotori.nn.explain import explain
from dotori.nn.parameter import Parameter
from dotori.nn.state import LoadResult, load_into

Self = TypeVar("Self", bound="Module")

_handles = count()  # an id would be used again once its handle is freed


class _Structure:
    """When the attributes of modules in captured steps were last changed."""

    clock = 0

    @staticmethod
    def watch(module: Module) -> None:
        """Let each change of an attribute of `module` move the clock."""
        object.__setattr__(module, "_watched", True)


structure = _Structure()


class Module:
    """The base of all layers and networks.

    A subclass assigns its parameters, buffers and submodules in ``__init__``, after
    ``super().__init__()``, and computes in ``forward``. Names, traversal orders and
    state-dict keys are PyTorch's.

    Examples
    --------
    >>> from dotori import nn
    >>> class Twice(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = nn.Linear(3, 3)
    ...
    ...     def forward(self, x):
    ...         return self.fc(self.fc(x))
    >>> [name for name, _ in Twice().named_parameters()]
    ['fc.weight', 'fc.bias']
    """

    training: bool

    def __init__(self) -> None:
        put = object.__setattr__
        put(self, "training", True)
        put(self, "_parameters", {})
        put(self, "_buffers", {})
        put(self, "_modules", {})
        put(self, "_transient", set())  # names of buffers left out of the state dict
        put(self, "_hooks", None)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method")

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)  # type: ignore[no-any-return]
            return self._call_with_hooks(*args, **kwargs)  # type: ignore[no-any-return]
        except Exception as error:
            explain(error, self, args)
            raise

    def _call_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        before, after = self._hooks
        for hook in list(before.values()):
            changed = hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        result = self.forward(*args, **kwargs)
        for hook in list(after.values()):
            changed = hook(self, args, result)
            result = result if changed is None else changed
        return result

    # ------------------------------------------------------------ attributes
    #
    # What is registered stands twice: in the dict of its kind, in order, and among the
    # ordinary attributes, so that reading self.weight costs no more than any other.

    def __setattr__(self, name: str, value: Any) -> None:
        if "_parameters" not in self.__dict__:
            raise ArgumentError(
                f"{type(self).__name__}: call super().__init__() before assigning "
                f"{name!r}"
            )
        if "parametrizations" in self._modules:
            computed = self._computed(name)
            if computed is not None:
                computed.right_inverse(value)
                return
        home = self._home(name)
        if isinstance(value, Parameter):
            self._put("_parameters", name, value)
        elif isinstance(value, Module):
            self._put("_modules", name, value)
        elif home is None:
            object.__setattr__(self, name, value)
            if "_watched" in self.__dict__:
                structure.clock += 1
        elif value is None or (home == "_buffers" and isinstance(value, Tensor)):
            self._put(home, name, value)
        else:
            wanted = {
                "_parameters": "a Parameter",
                "_modules": "a Module",
                "_buffers": "a Tensor",
            }[home]
            raise DTypeError(
                f"{type(self).__name__}.{name} must be {wanted} or None, got "
                f"{type(value).__name__}; delete it first to use the name for another"
            )

    def _home(self, name: str) -> str | None:
        """The dict that `name` is registered in."""
        for home in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__[home]:
                return home
        return None

    def _put(self, home: str, name: str, value: Any) -> None:
        before = self._home(name)
        if before is not None and before != home:
            del self.__dict__[before][name]
            self._transient.discard(name)
        self.__dict__[home][name] = value
        self.__dict__[name] = value
        if "_watched" in self.__dict__:
            structure.clock += 1

    def __getattr__(self, name: str) -> Any:
        if "parametrizations" in self.__dict__.get("_modules", ()):
            found = self._computed(name)
            if found is not None:
                from dotori.nn.utils.parametrize import value_of

                return value_of(found)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def _computed(self, name: str) -> Any:
        """What a tensor is computed from (`dotori.nn.utils.parametrize`), or None."""
        from dotori.nn.utils.parametrize import parametrized

        return parametrized(self, name)

    def __delattr__(self, name: str) -> None:
        home = self._home(name)
        if home is not None:
            del self.__dict__[home][name]
            self._transient.discard(name)
        object.__delattr__(self, name)
        if "_watched" in self.__dict__:
            structure.clock += 1

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None keeps the name free."""
        self._check("register_parameter", "_parameters", name, param, Parameter)
        self._put("_parameters", name, param)

    def register_buffer(
        self, name: str, tensor: Tensor | None, persistent: bool = True
    ) -> None:
        """Add a tensor that is part of the state but not trained, as running means are.

        One that is not `persistent` is left out of the state dict.
        """
        self._check("register_buffer", "_buffers", name, tensor, Tensor)
        self._put("_buffers", name, tensor)
        if persistent:
            self._transient.discard(name)
        else:
            self._transient.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name."""
        self._check("add_module", "_modules", name, module, Module)
        self._put("_modules", name, module)

    register_module = add_module

    def _check(
        self, by: str, home: str, name: object, value: object, wanted: type
    ) -> None:
        """Refuse what cannot be registered under `name` in `home`."""
        own = type(self).__name__
        if home not in self.__dict__:
            raise ArgumentError(f"{own}: call super().__init__() before {by}({name!r})")
        if not isinstance(name, str) or not name or "." in name:
            raise ArgumentError(
                f"a name in a module is a text without dots, got {name!r}"
            )
        if name not in self.__dict__[home] and hasattr(self, name):
            raise ArgumentError(f"{own} has an attribute {name!r} already")
        if value is not None and not isinstance(value, wanted):
            is_class = isinstance(value, type)
            raise DTypeError(
                f"{own}.{by}: {name!r} must be a {wanted.__name__} or None, got "
                + (f"the class {value!r}" if is_class else type(value).__name__)
                + (": give an instance of it" if is_class else "")
            )

    # ------------------------------------------------------------ walking

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with the paths."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below this one."""
        return (module for _, module in self.named_children())

    def _named(self, home: str, prefix: str, recurse: bool) -> Iterator[Any]:
        """Pairs of path and tensor, each tensor once."""
        seen = set()
        pairs = self.named_modules(prefix=prefix) if recurse else [(prefix, self)]
        for path, module in pairs:
            for name, value in getattr(module, home).items():
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their paths; a shared one comes once."""
        return self._named("_parameters", prefix, recurse)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters; a shared one comes once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their paths."""
        return self._named("_buffers", prefix, recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as ``"encoder.0"``."""
        module = self
        for name in target.split(".") if target else []:
            found = module._modules.get(name)
            if found is None:
                raise AttributeError(
                    f"{type(module).__name__} has no submodule {name!r} (of {target!r})"
                )
            module = found
        return module

    def set_submodule(self, target: str, module: Module) -> None:
        """Put a module at a path such as ``"encoder.0"``; those above must be there."""
        path, _, name = target.rpartition(".")
        self.get_submodule(path).add_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as ``"encoder.0.weight"``."""
        path, _, name = target.rpartition(".")
        found = self.get_submodule(path)._parameters.get(name)
        if found is None:
            raise AttributeError(f"there is no parameter {target!r}")
        return found  # type: ignore[no-any-return]

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as ``"norm.running_mean"``."""
        path, _, name = target.rpartition(".")
        found = self.get_submodule(path)._buffers.get(name)
        if found is None:
            raise AttributeError(f"there is no buffer {target!r}")
        return found  # type: ignore[no-any-return]

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module, those below before those above; returns self."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ------------------------------------------------------------ modes and types

    def train(self: Self, mode: bool = True) -> Self:
        """Dropout and running statistics behave as in training; returns self."""
        for module in self.modules():
            object.__setattr__(module, "training", mode)
        return self

    def eval(self: Self) -> Self:
        """The opposite of `train`."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Train the parameters below, or leave them as they are."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        if recording.state.flags >= CAPTURE:
            group = {"params": list(self.parameters())}
            recording.state.capture.forget_gradients([group])
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    p.grad.array[...] = 0

    def to(
        self: Self,
        *args: Any,
        dtype: DTypeLike | None = None,
        device: str | None = None,
        memory_format: str | None = None,
    ) -> Self:
        """Move to a device, or change the type of all floats; returns self.

        `memory_format` changes nothing: kernels are laid out when they are used.
        """
        for value in args:
            if isinstance(value, Tensor):
                device, dtype = value.device, value.dtype
            elif isinstance(value, str) and value.partition(":")[0] in ("cpu", "cuda"):
                device = value
            else:
                dtype = value
        chosen = None if dtype is None else np.dtype(dtype)
        if chosen is not None and chosen.kind != "f":
            raise DTypeError(f"a module holds floats, it cannot become {chosen}")
        tensors = {id(t): t for t in (*self.parameters(), *self.buffers())}
        for tensor in tensors.values():
            array = tensor.array
            if chosen is not None and array.dtype.kind == "f":
                array = array.astype(chosen, copy=False)
            if device is not None:
                array = to_device(array, device)
            if array is not tensor.array:
                tensor.data = array
        return self

    def float(self: Self) -> Self:
        return self.to(np.float32)

    def double(self: Self) -> Self:
        return self.to(np.float64)

    def half(self: Self) -> Self:
        return self.to(np.float16)

    def type(self: Self, dst_type: DTypeLike) -> Self:
        return self.to(dst_type)

    def cpu(self: Self) -> Self:
        return self.to("cpu")

    def cuda(self: Self, device: int | None = None) -> Self:
        return self.to("cuda" if device is None else f"cuda:{device}")

    # ------------------------------------------------------------ hooks

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> _Handle:
        """Call ``hook(module, inputs)`` first; what it returns takes their place."""
        return self._add_hook(0, hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> _Handle:
        """Call ``hook(module, inputs, output)`` after; its result takes the place."""
        return self._add_hook(1, hook)

    def _add_hook(self, place: int, hook: Callable[..., Any]) -> _Handle:
        if self._hooks is None:
            object.__setattr__(self, "_hooks", ({}, {}))
            structure.clock += 1
        return _Handle(self, place, hook)

    # ------------------------------------------------------------ state

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Parameters and persistent buffers by path; they share the module's memory."""
        found: dict[str, Tensor] = {}
        for name, p in self._parameters.items():
            if p is not None:
                found[prefix + name] = p.detach()
        for name, b in self._buffers.items():
            if b is not None and name not in self._transient:
                found[prefix + name] = b.detach()
        for name, module in self._modules.items():
            if module is not None:
                found.update(module.state_dict(f"{prefix}{name}."))
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> LoadResult:
        """Take over values by path: see `dotori.nn.state.load_into`."""
        return load_into(self, state_dict, strict, assign)

    # ------------------------------------------------------------ display

    def extra_repr(self) -> str:
        """What stands between the brackets of the repr."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = [
            f"  ({name}): " + repr(module).replace("\n", "\n  ")
            for name, module in self._modules.items()
        ]
        head = type(self).__name__
        if not lines:
            return f"{head}({extra})"
        return "\n".join([f"{head}({extra}", *lines, ")"])


class _Handle:
    """Removes a hook again."""

    def __init__(self, module: Module, place: int, hook: Callable[..., Any]) -> None:
        self._module, self._place, self._key = module, place, next(_handles)
        module._hooks[place][self._key] = hook

    def remove(self) -> None:
        hooks = self._module._hooks
        if hooks is None:
            return
        hooks[self._place].pop(self._key, None)
        if not any(hooks):
            object.__setattr__(self._module, "_hooks", None)
            structure.clock += 1
