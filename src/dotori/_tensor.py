"""`Tensor`: an array and its place in the graph.

Its arithmetic is that of `dotori.functions`, bound as methods in `_methods.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from dotori import autograd
from dotori._methods import Methods
from dotori.autograd import Node, Variable, leaf, wrap
from dotori.autograd.views import current_node
from dotori.autograd.walk import After
from dotori.backend import Array, device, device_of, to_device
from dotori.errors import AxisError, DTypeError, GradientError, ShapeError
from dotori.functions import inplace
from dotori.functions._lazy import IN_PLACE, METHODS, RESHAPING, load, load_all
from dotori.functions._numpy import namespace, table
from dotori.functions.creation import to_array


class Tensor(Variable, Methods):
    """A multi-dimensional array that remembers how it was computed.

    Parameters
    ----------
    data : number, nested list, array, tensor or data frame
        An array's memory is shared; `dotori.tensor` copies.
    dtype : dtype, optional
    requires_grad : bool
        Keep gradients for this tensor: then it must hold floats.

    Attributes
    ----------
    array : numpy.ndarray or cupy.ndarray
        The values.
    grad : Tensor or None
        What `backward` has added up for it.

    Examples
    --------
    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad.tolist()
    [2.0, 4.0, 6.0]
    """

    __slots__ = ()

    def __init__(
        self, data: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False
    ) -> None:
        self.array = to_array(data, dtype)
        self.node = None
        if requires_grad:
            self.requires_grad_()

    # ------------------------------------------------------------ what it is

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self.array.nbytes

    @property
    def device(self) -> device:
        """Where its memory is: ``"cpu"``, ``"cuda:0"`` and so on."""
        return device_of(self.array)

    @property
    def is_cpu(self) -> bool:
        return self.device.type == "cpu"

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one axis (PyTorch's meaning, not NumPy's)."""
        if dim is None:
            return self.array.shape
        try:
            return self.array.shape[dim]
        except (IndexError, TypeError) as error:
            raise AxisError(f"size: shape {self.shape} has no axis {dim!r}") from error

    def dim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.array.size

    def __len__(self) -> int:
        if not self.array.ndim:
            raise DTypeError("a tensor with no axes has no len()")
        return len(self.array)

    # ------------------------------------------------------------ its gradient

    @property
    def requires_grad(self) -> bool:
        return current_node(self) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start or stop keeping gradients for this leaf; returns self."""
        if not requires_grad:
            if not self.is_leaf:
                raise GradientError(
                    "requires_grad_(False) works on leaves only; use detach()"
                )
            self.node = None
        elif self.node is None:
            if self.array.dtype.kind not in "fc":
                raise DTypeError(
                    f"only floats have gradients, this tensor holds {self.dtype}; "
                    "convert it first, for example with .float()"
                )
            self.node = leaf(self.array)
        return self

    @property
    def is_leaf(self) -> bool:
        node = current_node(self)
        return node is None or node.op is None

    @property
    def grad(self) -> Tensor | None:
        return None if self.node is None else self.node.grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if self.node is None:
            if value is None:
                return
            raise GradientError("this tensor does not require a gradient")
        if value is not None and value.shape != self.shape:
            raise GradientError(
                f"grad has shape {value.shape}, the tensor {self.shape}: must be equal"
            )
        self.node.grad = value

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor; None for a leaf."""
        return None if self.is_leaf else current_node(self)

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Add the gradient of this tensor to the `grad` of every leaf behind it.

        Parameters
        ----------
        gradient : Tensor or array, optional
            Weights for the elements, of this tensor's shape; 1 for a single number.
        retain_graph : bool, optional
            Keep the graph for another walk; by default as `create_graph`.
        create_graph : bool
            Record the gradients, so that they have gradients themselves.
        """
        seed = autograd.start_gradient(self, gradient)
        keep = create_graph if retain_graph is None else retain_graph
        autograd.backward([self], [seed], retain_graph=keep, create_graph=create_graph)

    def detach(self) -> Tensor:
        """A tensor on the same memory, outside of the graph."""
        return wrap(self.array)

    def detach_(self) -> Tensor:
        """Take this tensor out of the graph; returns self."""
        self.node = None
        return self

    @property
    def data(self) -> Tensor:
        """The same memory outside of the graph; assigning replaces the values."""
        return wrap(self.array)

    @data.setter
    def data(self, value: Any) -> None:
        self.array = to_array(value)
        if self.node is not None and self.node.op is None:
            grad, self.node = self.node.grad, leaf(self.array)
            self.node.grad = grad

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> _HookHandle:
        """Call ``hook(gradient)`` when the gradient for this tensor is known.

        What it returns, if not None, takes the gradient's place.
        """
        if self.node is None:
            raise GradientError("a hook needs a tensor that requires a gradient")
        return _HookHandle(self.node, hook)

    def register_post_accumulate_grad_hook(
        self, hook: Callable[[Tensor], Any]
    ) -> _HookHandle:
        """Call ``hook(self)`` when a backward has added to the `grad` of this leaf.

        Leaves come last in a walk: by then, all gradients have been computed.
        """
        if self.node is None or self.node.op is not None:
            raise GradientError(
                "register_post_accumulate_grad_hook needs a leaf that requires a "
                "gradient: `grad` is added up for no other tensor"
            )
        return _HookHandle(self.node, After(self, hook))

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called for this tensor, which is no leaf."""
        hooks = () if self.node is None else self.node.hooks or ()
        return any(getattr(h, "retains", False) for h in hooks)

    def retain_grad(self) -> None:
        """Keep `grad` for this tensor though it is not a leaf."""
        node = self.node
        if node is None:
            raise GradientError("retain_grad needs a tensor that requires a gradient")
        if node.op is not None:
            # A hook in the node that named the node would be a cycle.
            from weakref import ref

            own = ref(node)

            def keep(g: Tensor) -> None:
                here = own()
                if here is not None:
                    here.grad = g if here.grad is None else here.grad + g

            keep.retains = True  # type: ignore[attr-defined]
            _HookHandle(node, keep)

    def __getattr__(self, name: str) -> Any:
        """A method of a family that was not loaded yet, or a form in place."""
        if name in METHODS:
            found = load(name, METHODS)
        elif name in IN_PLACE:
            found = inplace.form(name)
        elif name in RESHAPING:
            found = inplace.reshaping_form(name)
        else:
            raise AttributeError(f"a tensor has no attribute {name!r}")
        setattr(Tensor, name, found)
        return getattr(self, name)

    # ------------------------------------------------------------ conversion

    def numpy(self, *, force: bool = False) -> Array:
        """The values as a NumPy array on the same memory.

        Raises
        ------
        GradientError
            If the tensor requires a gradient and `force` is not given: changes would go
            unseen.
        """
        if self.node is not None and not force:
            raise GradientError(
                "numpy() would let changes go unseen by the graph; "
                "call .detach().numpy() on a tensor that requires a gradient"
            )
        return to_device(self.array, "cpu")  # type: ignore[no-any-return]

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> Array:
        array = np.asarray(self.numpy(), dtype)
        return array.copy() if copy else array

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.detach().array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.array.size != 1:
            raise ShapeError(
                f"item: one element is wanted, got shape {self.shape}; use tolist()"
            )
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.array.tolist()

    def __float__(self) -> float:
        return float(self.array.item())

    def __int__(self) -> int:
        return int(self.array.item())

    def __complex__(self) -> complex:
        return complex(self.array.item())

    def __contains__(self, value: Any) -> bool:
        """Whether an element equals `value`, a number or what broadcasts."""
        return bool((self.array == getattr(value, "array", value)).any())

    def __bool__(self) -> bool:
        return bool(self.array)

    def __index__(self) -> int:
        return self.array.__index__()

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __hash__(self) -> int:
        return id(self)

    # ------------------------------------------------------------ NumPy's protocols

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        out = kwargs.pop("out", None)
        if method == "reduce" and ufunc in _REDUCTIONS:
            return _REDUCTIONS[ufunc](*inputs, **{"axis": 0, **kwargs})
        found = _ours(ufunc) if method == "__call__" else None
        if out is not None or kwargs or found is None:
            called = ufunc if method == "__call__" else getattr(ufunc, method)
            if out is None:
                return _on_arrays(called, inputs, kwargs)
            called(*_arrays(inputs, called), out=_arrays(out, called), **kwargs)
            return out[0] if len(out) == 1 else out
        return found(*inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        found = _ours(func)
        if found is not None:
            return found(*args, **kwargs)
        return _on_arrays(func, args, kwargs)

    # ------------------------------------------------------------ display

    def __repr__(self) -> str:
        from dotori.functions.printing import show

        values = show(self.array, "tensor(")
        shape = f", shape={self.shape}" if self.array.ndim else ""
        notes = f"{shape}, dtype={self.dtype}"
        if self.device != "cpu":
            notes += f", device={self.device}"
        if self.node is not None:
            op = self.node.op
            notes += ", requires_grad=True" if op is None else f", from {op.__name__}"
        return f"tensor({values}{notes})"


class _HookHandle:
    """Removes a hook again."""

    def __init__(self, node: Node, hook: Any) -> None:
        self._node, self._hook = node, hook
        node.hooks = [*(node.hooks or []), hook]

    def remove(self) -> None:
        rest = [h for h in self._node.hooks or [] if h is not self._hook]
        self._node.hooks = rest or None


_REDUCTIONS: dict[Any, Callable[..., Any]] = {}


def _ours(func: Any) -> Callable[..., Any] | None:
    """dotori's function for one of NumPy's."""
    found = table.get(func)
    if found is None:
        load_all()  # late: only those who use it wait for it
        found = table.get(func)
    return found


def _on_arrays(func: Any, args: Any, kwargs: Any) -> Any:
    """A function of NumPy that dotori does not have, on the arrays behind tensors."""
    return _tensors(func(*_arrays(args, func), **_arrays(kwargs, func)))


def _arrays(value: Any, func: Any) -> Any:
    if isinstance(value, Tensor):
        if value.node is not None and autograd.is_grad_enabled():
            raise GradientError(
                f"numpy.{func.__name__} has no gradient in dotori; call it under "
                "no_grad() or on t.detach()"
            )
        return value.array
    if isinstance(value, (list, tuple)):
        return type(value)(_arrays(v, func) for v in value)
    if isinstance(value, dict):
        return {k: _arrays(v, func) for k, v in value.items()}
    return value


def _tensors(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiubc":
        return wrap(np.asarray(value))
    if type(value) in (list, tuple):
        return type(value)(map(_tensors, value))
    return value


autograd.use_tensor_class(Tensor, namespace)
