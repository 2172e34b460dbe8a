"""`Traced`: stands for an array while a step is captured, and writes down what is done.

It holds the true array as well, so the captured step is a step like any other. NumPy's
own functions come here through its protocols; what a program cannot express raises
`Untraceable`, and what needs the value itself, as `if loss > 1` does, asks the trace.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from operator import getitem
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler import primitives
from dotori.compiler.ir import Value
from dotori.compiler.trace import NoAttribute, Number, Trace, Untraceable

_NUMBERS = (bool, int, float)

#: NumPy's functions on traced arrays; `dotori.compiler.array_functions` fills it.
functions: dict[Any, Callable[..., Any]] = {}

#: Methods, and what else the class calls by name.
methods: dict[str, Callable[..., Any]] = {}


class Traced:
    """An array of a step that is being captured.

    Attributes
    ----------
    array : numpy.ndarray
        What it is in this run.
    value : Value
        What it is in the program; another one after a write.
    trace : Trace
    source : (Traced, index) or None
        What it is a view of; the index is None where it is no plain part of it.
    views : list of weak reference
        Its own views.
    """

    __slots__ = ("__weakref__", "concrete", "source", "trace", "value", "views")
    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, trace: Trace, array: NDArray[Any], value: Value) -> None:
        self.trace, self.concrete, self.value = trace, array, value
        self.source: tuple[Traced, Any] | None = None
        self.views: list[weakref.ref[Traced]] = []

    # ------------------------------------------------------------ what is known of it

    shape = property(lambda self: self.concrete.shape)
    dtype = property(lambda self: self.concrete.dtype)
    ndim = property(lambda self: self.concrete.ndim)
    size = property(lambda self: self.concrete.size)
    nbytes = property(lambda self: self.concrete.nbytes)
    itemsize = property(lambda self: self.concrete.itemsize)
    strides = property(lambda self: self.concrete.strides)
    flags = property(lambda self: self.concrete.flags)
    base = property(lambda self: self.concrete.base)

    def __len__(self) -> int:
        return len(self.concrete)

    def __repr__(self) -> str:
        return f"<captured {self.dtype}{list(self.shape)}>"

    # ------------------------------------------------------------ the value itself

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise Untraceable("its numbers are needed as a plain NumPy array")

    def _number(self, kind: str) -> Any:
        return self.trace.value_needed(self.concrete, kind)

    def __bool__(self) -> bool:
        return bool(self._number("the program branches on it").item())

    def __float__(self) -> float:
        return float(self._number("a Python number is made of it").item())

    def __int__(self) -> int:
        return int(self._number("a Python number is made of it").item())

    def __index__(self) -> int:
        return int(self._number("it is used as an index").item())

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self.concrete)))

    def item(self) -> Any:
        """The number: as a result of the step, it is a number at each call."""
        if self.trace.inside:
            raise Untraceable("a Python number is made of it")
        return Number(self.trace, self.concrete.item(), self.value)

    def tolist(self) -> Any:
        return self._number("a list is made of it").tolist()

    def get(self) -> Any:
        return self._number("it is taken as a NumPy array")

    # ------------------------------------------------------------ NumPy's protocols

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        out = kwargs.pop("out", None)
        if method == "__call__":
            made = _ufunc_or_call(self.trace, ufunc, inputs, kwargs)
        elif method == "reduce" and out is None:
            return methods["reduce"](ufunc, *inputs, **kwargs)
        else:
            raise Untraceable(f"{ufunc.__name__}.{method}")
        if out is None:
            return made
        if len(out) != 1 or not isinstance(out[0], Traced):
            raise Untraceable(f"{ufunc.__name__} writes into an array")
        out[0][...] = made
        return out[0]

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        found = functions.get(func)
        if found is not None:
            mark = len(self.trace.instrs)
            try:
                return found(*args, **kwargs)
            except Untraceable:
                del self.trace.instrs[mark:]
        return self.trace.call_numpy(func, args, kwargs)

    # ------------------------------------------------------------ indexing

    def __getitem__(self, key: Any) -> Any:
        try:
            return methods["getitem"](self, key)
        except Untraceable:
            parts = key if isinstance(key, tuple) else (key,)
            if any(getattr(part, "dtype", None) == np.bool_ for part in parts):
                raise  # how much a mask takes depends on its values
            return self.trace.call_numpy(getitem, (self, key), {})

    def __setitem__(self, key: Any, new: Any) -> None:
        index = basic_index(self, key)
        self._refuse_views(new)  # `y[0] += x` ends by putting y[0] into itself
        part = new if isinstance(new, Traced) else self.trace.operand_of(self, new)
        shape = self.concrete[index].shape
        if part.dtype != self.dtype:
            part = part.astype(self.dtype)
        if part.shape != shape:
            part = np.broadcast_to(part, shape)
        self.trace.write(self, index, part)
        self._pass_on()

    def _refuse_views(self, but: Any) -> None:
        """Raise if there are views, which would not see what is written."""
        if any(v is not None and v is not but for v in (r() for r in self.views)):
            raise Untraceable("what has views is written to")
        if self.source is not None:
            base, index = self.source
            if index is None:
                raise Untraceable("a view is written to")
            base._refuse_views(self)

    def _pass_on(self) -> None:
        """Put what a view is now into what it is a view of."""
        if self.source is not None:
            base, index = self.source
            self.trace.write(base, index, self)
            base._pass_on()

    # ------------------------------------------------------------ methods

    def astype(self, dtype: Any, copy: bool = True, **options: Any) -> Any:
        dtype = np.dtype(dtype)
        if dtype == self.dtype and not copy:
            return self
        return self.trace.record("cast", (self,), self.concrete.astype(dtype))

    def copy(self, order: Any = "C") -> Any:
        return self.trace.record("copy", (self,), self.concrete.copy(order))

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return methods["reshape"](self, shape, order)

    def transpose(self, *axes: Any) -> Any:
        axes = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return np.transpose(self, axes or None)

    def __getattr__(self, name: str) -> Any:
        function = methods.get(name)
        if function is None:
            raise NoAttribute(f"its {name} is used")
        return lambda *args, **kwargs: function(self, *args, **kwargs)

    T = property(lambda self: np.transpose(self))
    mT = property(lambda self: np.swapaxes(self, -1, -2))
    real = property(lambda self: self)


def basic_index(x: Traced, key: Any) -> tuple[Any, ...]:
    """`key` without None, as one int or slice for each axis of `x`."""
    given = key if isinstance(key, tuple) else (key,)
    if not all(
        k is None
        or k is Ellipsis
        or (isinstance(k, (slice, int, np.integer)) and not isinstance(k, bool))
        for k in given
    ):
        raise Untraceable("it is indexed by arrays")
    parts = [k for k in given if k is not None]
    if Ellipsis not in parts:
        parts.append(Ellipsis)
    at = parts.index(Ellipsis)
    rest = [slice(None)] * (x.ndim - len(parts) + 1)
    parts[at : at + 1] = rest
    index = tuple(
        slice(*k.indices(n)) if isinstance(k, slice) else int(k) % n
        for k, n in zip(parts, x.shape, strict=True)
    )
    return tuple(
        slice(k.start, None, k.step) if isinstance(k, slice) and k.stop < 0 else k
        for k in index
    )


# ---------------------------------------------------------------- elementwise


def _ufunc(
    trace: Trace, ufunc: np.ufunc, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    name = ufunc.__name__
    if kwargs or (name not in primitives.UFUNCS and name != "matmul"):
        raise Untraceable(f"numpy.{name}")
    if name == "matmul":
        return methods["matmul"](*inputs)
    made = np.asarray(ufunc(*map(concrete_of, inputs)))
    if made.dtype.kind == "c":
        raise Untraceable("complex numbers")
    return trace.record(name, inputs, made)


def _ufunc_or_call(
    trace: Trace, ufunc: np.ufunc, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    try:
        return _ufunc(trace, ufunc, inputs, kwargs)
    except Untraceable:
        return trace.call_numpy(ufunc, inputs, kwargs)


def concrete_of(x: Any) -> Any:
    """The true array behind `x`."""
    return x.concrete if isinstance(x, Traced) else x


def _operator(ufunc: np.ufunc, reflected: bool = False) -> Callable[..., Any]:
    def apply(self: Traced, *other: Any) -> Any:
        if other and not isinstance(other[0], (*_NUMBERS, Traced, np.ndarray)):
            if not isinstance(other[0], np.generic):
                return NotImplemented
        inputs = (*other, self) if reflected else (self, *other)
        return _ufunc(self.trace, ufunc, inputs, {})

    return apply


def _in_place(ufunc: np.ufunc) -> Callable[..., Any]:
    def apply(self: Traced, other: Any) -> Traced:
        self[...] = _ufunc(self.trace, ufunc, (self, other), {})
        return self

    return apply


_OPERATORS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
    "pow": np.power,
    "matmul": np.matmul,
}
for _name, _function in _OPERATORS.items():
    setattr(Traced, f"__{_name}__", _operator(_function))
    setattr(Traced, f"__r{_name}__", _operator(_function, reflected=True))
    setattr(Traced, f"__i{_name}__", _in_place(_function))
for _name, _function in {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "neg": np.negative,
    "abs": np.absolute,
    "invert": np.invert,
}.items():
    setattr(Traced, f"__{_name}__", _operator(_function))


def _power(self: Traced, exponent: Any) -> Any:
    """As NumPy's operator: some whole and half powers are functions of their own."""
    short = {2: np.square, 0.5: np.sqrt, 1: np.positive, -1: np.reciprocal}
    if isinstance(exponent, _NUMBERS) and self.dtype.kind == "f":
        function = short.get(exponent)
        if function is not None:
            return _ufunc(self.trace, function, (self,), {})
    return _ufunc(self.trace, np.power, (self, exponent), {})


setattr(Traced, "__pow__", _power)  # noqa: B010


class Namespace:
    """`xp` for traced arrays: NumPy, whose functions come back by its protocols."""

    def asarray(self, x: Any, dtype: Any = None, **options: Any) -> Any:
        """`x` itself if it is traced, which `numpy.asarray` would refuse."""
        if isinstance(x, Traced):
            return x if dtype is None else x.astype(dtype, copy=False)
        return np.asarray(x, dtype, **options)

    ascontiguousarray = asarray

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


namespace = Namespace()
