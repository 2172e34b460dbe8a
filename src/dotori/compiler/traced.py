"""`Traced`: stands for an array while a step is captured, and writes down what is done.

It holds the true array as well, so the captured step is a step like any other. NumPy's
own functions come here through its protocols; what a program cannot express raises
`Untraceable`, and what needs the value itself, as `if loss > 1` does, asks the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler import primitives
from dotori.compiler.trace import NoAttribute, Number, Trace, Untraceable
from dotori.compiler.ir import Value

_NUMBERS = (bool, int, float)


class Traced:
    """An array of a step that is being captured.

    Attributes
    ----------
    array : numpy.ndarray
        What it is in this run.
    value : Value
        What it is in the program; another one after a write.
    trace : Trace
    viewed : bool
        Whether it shares its memory with another one: then it cannot be written to.
    """

    __slots__ = ("__weakref__", "array", "trace", "value", "viewed")
    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, trace: Trace, array: NDArray[Any], value: Value) -> None:
        self.trace, self.array, self.value = trace, array, value
        self.viewed = False

    # ------------------------------------------------------------ what is known of it

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    nbytes = property(lambda self: self.array.nbytes)
    itemsize = property(lambda self: self.array.itemsize)
    strides = property(lambda self: self.array.strides)
    flags = property(lambda self: self.array.flags)
    base = property(lambda self: self.array.base)

    def __len__(self) -> int:
        return len(self.array)

    def __repr__(self) -> str:
        return f"<captured {self.dtype}{list(self.shape)}>"

    # ------------------------------------------------------------ the value itself

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise Untraceable("its numbers are needed as a plain NumPy array")

    def _number(self, kind: str) -> Any:
        return self.trace.value_needed(self.array, kind)

    def __bool__(self) -> bool:
        return bool(self._number("the program branches on it").item())

    def __float__(self) -> float:
        return float(self._number("a Python number is made of it").item())

    def __int__(self) -> int:
        return int(self._number("a Python number is made of it").item())

    def __index__(self) -> int:
        return int(self._number("it is used as an index").item())

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self.array)))

    def item(self) -> Any:
        """The number: as a result of the step, it is a number at each call."""
        if self.trace.inside:
            raise Untraceable("a Python number is made of it")
        return Number(self.trace, self.array.item(), self.value)

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
            made = _ufunc(self.trace, ufunc, inputs, kwargs)
        elif method == "reduce" and out is None:
            return _reduce_ufunc(ufunc, *inputs, **kwargs)
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
        if found is None:
            raise Untraceable(f"numpy.{func.__name__} has no place in a program")
        return found(*args, **kwargs)

    # ------------------------------------------------------------ indexing

    def __getitem__(self, key: Any) -> Any:
        return _getitem(self, key)

    def __setitem__(self, key: Any, new: Any) -> None:
        if self.viewed:
            raise Untraceable("a view, or what has views, is written to")
        index, _ = _basic(self, key)
        part = new if isinstance(new, Traced) else self.trace.operand_of(self, new)
        shape = self.array[index].shape
        if isinstance(part, Traced) and part.dtype != self.dtype:
            part = part.astype(self.dtype)
        if isinstance(part, Traced) and part.shape != shape:
            part = broadcast_to(part, shape)
        self.trace.write(self, index, part)

    # ------------------------------------------------------------ methods

    def astype(self, dtype: Any, copy: bool = True, **options: Any) -> Any:
        dtype = np.dtype(dtype)
        if dtype == self.dtype and not copy:
            return self
        return self.trace.record("cast", (self,), self.array.astype(dtype))

    def copy(self, order: str = "C") -> Any:
        return self.trace.record("copy", (self,), self.array.copy(order))

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return reshape(self, shape, order)

    def transpose(self, *axes: Any) -> Any:
        axes = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return transpose(self, axes or None)

    def __getattr__(self, name: str) -> Any:
        function = methods.get(name)
        if function is None:
            raise NoAttribute(f"its {name} is used")
        return lambda *args, **kwargs: function(self, *args, **kwargs)

    T = property(lambda self: transpose(self))
    mT = property(lambda self: swapaxes(self, -1, -2))
    real = property(lambda self: self)


# ---------------------------------------------------------------- elementwise


def _ufunc(
    trace: Trace, ufunc: np.ufunc, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    name = ufunc.__name__
    if kwargs or (name not in primitives.UFUNCS and name != "matmul"):
        raise Untraceable(f"numpy.{name}")
    if name == "matmul":
        return matmul(*inputs)
    made = np.asarray(ufunc(*map(concrete, inputs)))
    if made.dtype.kind == "c":
        raise Untraceable("complex numbers")
    return trace.record(name, inputs, made)


def concrete(x: Any) -> Any:
    """The true array behind `x`."""
    return x.array if isinstance(x, Traced) else x


def _trace_of(*xs: Any) -> Trace:
    for x in xs:
        if isinstance(x, Traced):
            return x.trace
        if isinstance(x, (list, tuple)):
            for part in x:
                if isinstance(part, Traced):
                    return part.trace
    raise Untraceable("no array of the step is there")


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


def where(condition: Any, *parts: Any) -> Any:
    if len(parts) != 2:
        raise Untraceable("numpy.where with one argument")
    inputs = (condition, *parts)
    made = np.asarray(np.where(*map(concrete, inputs)))
    return _trace_of(*inputs).record("where", inputs, made)


def clip(x: Any, a_min: Any = None, a_max: Any = None, **bounds: Any) -> Any:
    low, high = bounds.pop("min", a_min), bounds.pop("max", a_max)
    if bounds:
        raise Untraceable("numpy.clip with options")
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


# ---------------------------------------------------------------- reductions


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(sorted(a % x.ndim for a in given))


def _reduction(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def reduce(
        x: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        **options: Any,
    ) -> Any:
        if out is not None or any(v is not np._NoValue for v in options.values()):
            raise Untraceable(f"numpy.{name} with options")
        keep = keepdims is not np._NoValue and bool(keepdims)
        if dtype is not None and np.dtype(dtype) != x.dtype:
            x = x.astype(dtype)
        axes = _axes(x, axis)
        made = np.asarray(function(x.array, axis=axes, keepdims=keep))
        if x.dtype.kind in "bi" and made.dtype != x.dtype and name in ("sum", "prod"):
            x = x.astype(made.dtype)
        attrs = {"axis": axes, "keepdims": keep}
        found: Any = x.trace.record(name, (x,), made, attrs)
        return found

    return reduce


def _arg_reduction(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def reduce(x: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
        if axis is None:
            x, axis = reshape(x, (-1,)), 0
        keep = keepdims is not np._NoValue and bool(keepdims)
        made = np.asarray(function(x.array, axis=axis, keepdims=keep))
        attrs = {"axis": axis % x.ndim, "keepdims": keep}
        return x.trace.record(name, (x,), made, attrs)

    return reduce


sum_, prod, max_, min_ = map(_reduction, ("sum", "prod", "max", "min"))
any_, all_ = map(_reduction, ("any", "all"))
argmax, argmin = map(_arg_reduction, ("argmax", "argmin"))


def mean(x: Any, axis: Any = None, keepdims: Any = False, **options: Any) -> Any:
    if options or x.dtype.kind != "f" or not x.size:
        raise Untraceable("numpy.mean of such an array, or with options")
    total = sum_(x, axis, keepdims=keepdims)
    return total / (x.size // max(total.size, 1))


def _reduce_ufunc(ufunc: np.ufunc, x: Any, axis: Any = 0, **kwargs: Any) -> Any:
    names = {"add": sum_, "multiply": prod, "maximum": max_, "minimum": min_}
    names |= {"logical_or": any_, "logical_and": all_}
    if ufunc.__name__ not in names or not isinstance(x, Traced):
        raise Untraceable(f"{ufunc.__name__}.reduce")
    return names[ufunc.__name__](x, axis, **kwargs)


def count_nonzero(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return sum_((x != 0).astype(np.int64), axis, keepdims=keepdims)


# ---------------------------------------------------------------- products


def matmul(a: Any, b: Any) -> Any:
    """As `numpy.matmul`: vectors become matrices and are taken back."""
    made = np.asarray(np.matmul(concrete(a), concrete(b)))
    trace = _trace_of(a, b)
    left, right = (x if isinstance(x, Traced) else trace.constant(x) for x in (a, b))
    dtype = made.dtype
    left, right = (x if x.dtype == dtype else x.astype(dtype) for x in (left, right))
    if left.ndim > 1 and right.ndim > 1:
        return trace.record("matmul", (left, right), made)
    left = reshape(left, (1, -1)) if left.ndim == 1 else left
    right = reshape(right, (-1, 1)) if right.ndim == 1 else right
    full = np.matmul(left.array, right.array)
    return reshape(trace.record("matmul", (left, right), full), made.shape)


def dot(a: Any, b: Any) -> Any:
    if np.ndim(concrete(a)) > 2 or np.ndim(concrete(b)) > 2:
        raise Untraceable("numpy.dot of stacks")
    if not np.ndim(concrete(a)) or not np.ndim(concrete(b)):
        return np.multiply(a, b)
    return matmul(a, b)


# ---------------------------------------------------------------- views and movement


def _view(name: str, x: Traced, made: Any, attrs: dict[str, Any] | None = None) -> Any:
    found = x.trace.record(name, (x,), made, attrs)
    if np.shares_memory(made, x.array):
        x.viewed = found.viewed = True
    return found


def reshape(x: Any, shape: Any, order: str = "C", **options: Any) -> Any:
    if order != "C" or options:
        raise Untraceable("a reshape that is not in C order")
    made = x.array.reshape(shape)
    return x if made.shape == x.shape else _view("reshape", x, made)


def transpose(x: Any, axes: Any = None) -> Any:
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axes)
    order = tuple(a % x.ndim for a in order)
    if order == tuple(range(x.ndim)):
        return x
    return _view("transpose", x, x.array.transpose(order), {"axes": order})


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    places = np.moveaxis(np.empty(range(1, x.ndim + 1)), source, destination)
    return transpose(x, [n - 1 for n in places.shape])


def expand_dims(x: Any, axis: Any) -> Any:
    return reshape(x, np.expand_dims(x.array, axis).shape)


def squeeze(x: Any, axis: Any = None) -> Any:
    return reshape(x, np.squeeze(x.array, axis).shape)


def broadcast_to(x: Any, shape: Any, **options: Any) -> Any:
    made = np.broadcast_to(x.array, shape)
    return x if made.shape == x.shape else _view("broadcast_to", x, made)


def ravel(x: Any, order: str = "C") -> Any:
    return reshape(x, (-1,), order)


def concatenate(parts: Any, axis: Any = 0, **options: Any) -> Any:
    if options or axis is None:
        raise Untraceable("numpy.concatenate with options")
    trace = _trace_of(parts)
    made = np.concatenate([concrete(p) for p in parts], axis)
    given = [p if isinstance(p, Traced) else trace.constant(p) for p in parts]
    given = [p if p.dtype == made.dtype else p.astype(made.dtype) for p in given]
    return trace.record("concatenate", given, made, {"axis": axis % made.ndim})


def stack(parts: Any, axis: int = 0, **options: Any) -> Any:
    n = np.ndim(concrete(parts[0])) + 1
    return concatenate([np.expand_dims(p, axis % n) for p in parts], axis % n)


def take_along_axis(x: Any, index: Any, axis: Any = -1) -> Any:
    if isinstance(index, Traced) or axis is None:
        raise Untraceable("places that are not known")
    made = np.take_along_axis(x.array, index, axis)
    index = np.where(index < 0, index + x.shape[axis], index)
    attrs = {"axis": axis % x.ndim}
    return x.trace.record("take_along_axis", (x, index), made, attrs)


def take(x: Any, index: Any, axis: Any = None, **options: Any) -> Any:
    if isinstance(index, Traced) or axis is None or options:
        raise Untraceable("places that are not known")
    index = np.asarray(index)
    made = np.take(x.array, index, axis)
    index = np.where(index < 0, index + x.shape[axis], index)
    return x.trace.record("take", (x, index), made, {"axis": axis % x.ndim})


def _basic(x: Traced, key: Any) -> tuple[tuple[Any, ...], tuple[int, ...] | None]:
    """An index with an int or slice for each axis, and the shape if None was in it."""
    given = key if isinstance(key, tuple) else (key,)
    if not all(
        k is None
        or k is Ellipsis
        or isinstance(k, (slice, int, np.integer))
        and not isinstance(k, bool)
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
    index = tuple(
        slice(k.start, None, k.step) if isinstance(k, slice) and k.stop < 0 else k
        for k in index
    )
    shape = x.array[key].shape if None in given else None
    return index, shape


def _getitem(x: Traced, key: Any) -> Any:
    if isinstance(key, np.ndarray) and key.dtype.kind == "i":
        return take(x, key, 0)
    if isinstance(key, tuple) and any(isinstance(k, np.ndarray) for k in key):
        return _getitem_by_one_array(x, key)
    index, shape = _basic(x, key)
    made = x.array[index]
    if made.shape == x.shape and all(
        isinstance(k, slice) and k.step == 1 for k in index
    ):
        return x if shape is None else reshape(x, shape)
    found = _view("slice", x, np.asarray(made), {"index": index})
    return found if shape is None else reshape(found, shape)


def _getitem_by_one_array(x: Traced, key: tuple[Any, ...]) -> Any:
    arrays = [i for i, k in enumerate(key) if isinstance(k, np.ndarray)]
    others = [k for i, k in enumerate(key) if i not in arrays]
    plain = all(isinstance(k, slice) and k == slice(None) for k in others)
    if len(arrays) != 1 or not plain or key[arrays[0]].dtype.kind != "i":
        raise Untraceable("it is indexed by arrays")
    return take(x, key[arrays[0]], arrays[0])


# ---------------------------------------------------------------- constants


def _constant_like(make: Callable[..., Any]) -> Callable[..., Any]:
    def like(x: Any, *args: Any, **kwargs: Any) -> Any:
        made = make(concrete(x), *args, **kwargs)
        return _trace_of(x).constant(made)

    return like


#: NumPy's functions on traced arrays.
functions: dict[Any, Callable[..., Any]] = {
    np.where: where,
    np.clip: clip,
    np.sum: sum_,
    np.prod: prod,
    np.max: max_,
    np.min: min_,
    np.any: any_,
    np.all: all_,
    np.mean: mean,
    np.argmax: argmax,
    np.argmin: argmin,
    np.count_nonzero: count_nonzero,
    np.dot: dot,
    np.reshape: reshape,
    np.ravel: ravel,
    np.transpose: transpose,
    np.swapaxes: swapaxes,
    np.moveaxis: moveaxis,
    np.expand_dims: expand_dims,
    np.squeeze: squeeze,
    np.broadcast_to: broadcast_to,
    np.concatenate: concatenate,
    np.stack: stack,
    np.take: take,
    np.take_along_axis: take_along_axis,
    np.copy: lambda x, *_, **__: x.copy(),
    np.zeros_like: _constant_like(np.zeros_like),
    np.ones_like: _constant_like(np.ones_like),
    np.full_like: _constant_like(np.full_like),
    np.ndim: lambda x: x.ndim,
    np.shape: lambda x: x.shape,
    np.size: lambda x: x.size,
    np.result_type: lambda *xs: np.result_type(*map(concrete, xs)),
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
}

methods: dict[str, Callable[..., Any]] = {
    "sum": sum_,
    "prod": prod,
    "max": max_,
    "min": min_,
    "any": any_,
    "all": all_,
    "mean": mean,
    "argmax": argmax,
    "argmin": argmin,
    "clip": clip,
    "dot": dot,
    "ravel": ravel,
    "flatten": ravel,
    "swapaxes": swapaxes,
    "squeeze": squeeze,
    "take": take,
    "conj": lambda x: x,
}


class Namespace:
    """`xp` for traced arrays: NumPy, whose functions come back here by its protocols."""

    def asarray(self, x: Any, dtype: Any = None, **options: Any) -> Any:
        """`x` itself if it is traced, which `numpy.asarray` would refuse."""
        if isinstance(x, Traced):
            return x if dtype is None else x.astype(dtype, copy=False)
        return np.asarray(x, dtype, **options)

    ascontiguousarray = asarray

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


namespace = Namespace()
