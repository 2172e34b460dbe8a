"""NumPy's functions on traced arrays: each writes an instruction, or several.

They take what NumPy's own take. What no instruction expresses raises `Untraceable`; the
operation that asked is then called as a whole.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from dotori.compiler.trace import Trace, Untraceable
from dotori.compiler.traced import Traced, basic_index, concrete_of, functions, methods


def _trace_of(*xs: Any) -> Trace:
    for x in xs:
        if isinstance(x, Traced):
            return x.trace
        if isinstance(x, (list, tuple)):
            for part in x:
                if isinstance(part, Traced):
                    return part.trace
    raise Untraceable("no array of the step is there")


def where(condition: Any, *parts: Any) -> Any:
    if len(parts) != 2:
        raise Untraceable("numpy.where with one argument")
    inputs = (condition, *parts)
    made = np.asarray(np.where(*map(concrete_of, inputs)))
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
        made = np.asarray(function(x.concrete, axis=axes, keepdims=keep))
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
        made = np.asarray(function(x.concrete, axis=axis, keepdims=keep))
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
    made = np.asarray(np.matmul(concrete_of(a), concrete_of(b)))
    trace = _trace_of(a, b)
    left, right = (x if isinstance(x, Traced) else trace.constant(x) for x in (a, b))
    dtype = made.dtype
    left, right = (x if x.dtype == dtype else x.astype(dtype) for x in (left, right))
    if left.ndim > 1 and right.ndim > 1:
        return trace.record("matmul", (left, right), made)
    left = reshape(left, (1, -1)) if left.ndim == 1 else left
    right = reshape(right, (-1, 1)) if right.ndim == 1 else right
    full = np.matmul(left.concrete, right.concrete)
    return reshape(trace.record("matmul", (left, right), full), made.shape)


def dot(a: Any, b: Any) -> Any:
    if np.ndim(concrete_of(a)) > 2 or np.ndim(concrete_of(b)) > 2:
        raise Untraceable("numpy.dot of stacks")
    if not np.ndim(concrete_of(a)) or not np.ndim(concrete_of(b)):
        return np.multiply(a, b)
    return matmul(a, b)


# ---------------------------------------------------------------- views and movement


def _view(name: str, x: Traced, made: Any, attrs: dict[str, Any] | None = None) -> Any:
    found = x.trace.record(name, (x,), made, attrs)
    if np.shares_memory(made, x.concrete):
        found.source = x, (attrs or {}).get("index")
        x.views = [r for r in x.views if r() is not None] + [weakref.ref(found)]
    return found


def reshape(x: Any, shape: Any, order: str = "C", **options: Any) -> Any:
    if order != "C" or options:
        raise Untraceable("a reshape that is not in C order")
    made = x.concrete.reshape(shape)
    return x if made.shape == x.shape else _view("reshape", x, made)


def transpose(x: Any, axes: Any = None) -> Any:
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axes)
    order = tuple(a % x.ndim for a in order)
    if order == tuple(range(x.ndim)):
        return x
    return _view("transpose", x, x.concrete.transpose(order), {"axes": order})


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    places = np.moveaxis(np.empty(range(1, x.ndim + 1)), source, destination)
    return transpose(x, [n - 1 for n in places.shape])


def expand_dims(x: Any, axis: Any) -> Any:
    return reshape(x, np.expand_dims(x.concrete, axis).shape)


def squeeze(x: Any, axis: Any = None) -> Any:
    return reshape(x, np.squeeze(x.concrete, axis).shape)


def broadcast_to(x: Any, shape: Any, **options: Any) -> Any:
    made = np.broadcast_to(x.concrete, shape)
    return x if made.shape == x.shape else _view("broadcast_to", x, made)


def ravel(x: Any, order: str = "C") -> Any:
    return reshape(x, (-1,), order)


def concatenate(parts: Any, axis: Any = 0, **options: Any) -> Any:
    if options or axis is None:
        raise Untraceable("numpy.concatenate with options")
    trace = _trace_of(parts)
    made = np.concatenate([concrete_of(p) for p in parts], axis)
    given = [p if isinstance(p, Traced) else trace.constant(p) for p in parts]
    given = [p if p.dtype == made.dtype else p.astype(made.dtype) for p in given]
    return trace.record("concatenate", given, made, {"axis": axis % made.ndim})


def stack(parts: Any, axis: int = 0, **options: Any) -> Any:
    n = np.ndim(concrete_of(parts[0])) + 1
    return concatenate([np.expand_dims(p, axis % n) for p in parts], axis % n)


def take_along_axis(x: Any, index: Any, axis: Any = -1) -> Any:
    if isinstance(index, Traced) or axis is None:
        raise Untraceable("places that are not known")
    made = np.take_along_axis(x.concrete, index, axis)
    index = np.where(index < 0, index + x.shape[axis], index)
    attrs = {"axis": axis % x.ndim}
    return x.trace.record("take_along_axis", (x, index), made, attrs)


def take(x: Any, index: Any, axis: Any = None, **options: Any) -> Any:
    if isinstance(index, Traced) or axis is None or options:
        raise Untraceable("places that are not known")
    index = np.asarray(index)
    made = np.take(x.concrete, index, axis)
    index = np.where(index < 0, index + x.shape[axis], index)
    return x.trace.record("take", (x, index), made, {"axis": axis % x.ndim})


def _getitem(x: Traced, key: Any) -> Any:
    if isinstance(key, np.ndarray) and key.dtype.kind == "i":
        return take(x, key, 0)
    if isinstance(key, tuple) and any(isinstance(k, np.ndarray) for k in key):
        return _getitem_by_one_array(x, key)
    index = basic_index(x, key)
    added = (isinstance(key, tuple) and any(k is None for k in key)) or key is None
    shape = x.concrete[key].shape if added else None
    made = x.concrete[index]
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
        made = make(concrete_of(x), *args, **kwargs)
        return _trace_of(x).constant(made)

    return like


functions |= {
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
    np.result_type: lambda *xs: np.result_type(*map(concrete_of, xs)),
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
}

methods |= {
    "getitem": _getitem,
    "reduce": _reduce_ufunc,
    "matmul": matmul,
    "reshape": reshape,
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


functions[np.may_share_memory] = lambda a, b, **_: np.may_share_memory(
    concrete_of(a), concrete_of(b)
)
