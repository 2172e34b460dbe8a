"""The lines of NumPy that perform one instruction in planned memory.

Each writer is given a `Scribe`, which knows what arrays are called, and an instruction,
and gives the lines in which its outputs take their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.compiler.ir import Instr, Operand, Value
from dotori.compiler.primitives import REDUCTIONS, UFUNCS, VIEWS, Slot
from dotori.ops.error_function import Erf

if TYPE_CHECKING:
    from dotori.compiler.numpy_source import Scribe

#: A sum of so few elements is made as a product with ones, in half of the time; longer
#: ones are added pairwise, which loses fewer digits.
FEW = 1024

#: A sum over the first axes is rounded as often either way; the ones must be kept.
MOST = 1 << 20

#: Up to this size an array of equal numbers pays where NumPy is slow with one number.
SMALL = 32_768

_EXTREMES = ("maximum", "minimum", "fmax", "fmin")


def erf(x: Any) -> Any:
    """The error function."""
    return Erf.forward(np, x)


#: What the lines call.
FUNCTIONS: dict[str, Any] = {
    **{name: getattr(np, name) for name in UFUNCS},
    "sum": np.add.reduce,
    "prod": np.multiply.reduce,
    "max": np.maximum.reduce,
    "min": np.minimum.reduce,
    "any": np.logical_or.reduce,
    "all": np.logical_and.reduce,
    "matmul": np.matmul,
    "dot": np.dot,
    "copyto": np.copyto,
    "where": np.where,
    "concatenate": np.concatenate,
    "take_along_axis": np.take_along_axis,
    "broadcast_to": np.broadcast_to,
    "asarray": np.asarray,
    "ascontiguousarray": np.ascontiguousarray,
    "array": np.array,
    "empty": np.empty,
    "erf": erf,
    "np": np,
    "inf": np.inf,
    "nan": np.nan,
}


def lines(scribe: Scribe, instr: Instr) -> list[str]:
    """What performs `instr`; nothing if all lies where it should already."""
    return _WRITERS[instr.op](scribe, instr)


def _into(s: Scribe, y: Value, expression: str) -> list[str]:
    """`y` takes the elements of an expression that makes a new array."""
    if s.is_fixed(y):
        return [f"{s.name(y)}[...] = {expression}"]
    return [f"{s.name(y)} = {expression}"]


def _made(s: Scribe, y: Value) -> list[str]:
    """A line that makes the memory of `y`, unless it is there already."""
    if s.is_fixed(y):
        return []
    dtype = s.bind(y.dtype.name, y.dtype, y.dtype)
    return [f"{s.name(y)} = empty({y.shape}, {dtype})"]


def _ufunc(s: Scribe, instr: Instr) -> list[str]:
    y = instr.output
    floats = {x.dtype for x in instr.values() if x.dtype.kind == "f"}
    given = ", ".join(_operand(s, x, floats, instr) for x in instr.inputs)
    if not s.is_fixed(y):
        return [f"{s.name(y)} = {instr.op}({given})"]
    keyword = "out=" if instr.op in _EXTREMES[:2] else ""  # NumPy asks for it there
    return [f"{instr.op}({given}, {keyword}{s.name(y)})"]


def _operand(s: Scribe, x: Operand, floats: set[np.dtype[Any]], instr: Instr) -> str:
    """An operand's name.

    A number beside floats becomes an array of their type once, not at each call; for
    extremes one of the full shape, which NumPy compares twice as fast.
    """
    if isinstance(x, Value) or len(floats) != 1:
        return s.name(x)
    (dtype,) = floats
    y = instr.output
    full = instr.op in _EXTREMES and y.nbytes <= SMALL
    with np.errstate(all="ignore"):
        array = np.full(y.shape if full else (), x, dtype)
    stem = repr(x).replace(".", "_").replace("-", "m").replace("+", "")
    return s.bind(f"n{stem}", array, (type(x), repr(x), dtype, array.shape))


def _where(s: Scribe, instr: Instr) -> list[str]:
    y, (condition, x, other) = instr.output, instr.inputs
    c, a, b, out = (s.name(v) for v in (condition, x, other, y))
    mask = isinstance(condition, Value) and condition.dtype == np.bool_
    if not s.is_fixed(y) or not mask:
        return _into(s, y, f"where({c}, {a}, {b})")
    masked = f"copyto({out}, {a}, where={c})"
    if isinstance(other, Value) and s.together(y, other):
        return [masked]
    return [f"{out}[...] = {b}", masked]


def _cast(s: Scribe, instr: Instr) -> list[str]:
    y, x = instr.output, instr.inputs[0]
    if isinstance(x, Value) and s.together(y, x):
        return []
    return [*_made(s, y), f"{s.name(y)}[...] = {s.name(x)}"]


def _copy(s: Scribe, instr: Instr) -> list[str]:
    y, x = instr.output, instr.inputs[0]
    return [*_made(s, y), f"{s.name(y)}[...] = {s.name(x)}"]


def _erf(s: Scribe, instr: Instr) -> list[str]:
    return _into(s, instr.output, f"erf({s.name(instr.inputs[0])})")


def _reduction(s: Scribe, instr: Instr) -> list[str]:
    y, x = instr.output, instr.inputs[0]
    assert isinstance(x, Value)
    axis, keepdims = tuple(instr.attrs["axis"]), instr.attrs.get("keepdims", False)
    short = _sum_as_product(s, instr, x, axis)
    if short:
        return [short]
    axes = axis[0] if len(axis) == 1 else axis
    rest = ", True" if keepdims else ""
    if s.is_fixed(y):
        return [f"{instr.op}({s.name(x)}, {axes}, None, {s.name(y)}{rest})"]
    rest = ", None, None" + rest if keepdims else ""
    return [f"{s.name(y)} = {instr.op}({s.name(x)}, {axes}{rest})"]


def _sum_as_product(s: Scribe, instr: Instr, x: Value, axis: tuple[int, ...]) -> str:
    """A sum over the first or the last axes in memory, as a product with ones."""
    y = instr.output
    floats = x.dtype == y.dtype and x.dtype.kind == "f"
    axes = [a for a in x.order if x.shape[a] != 1]
    kept = [a for a in axes if a not in axis]
    first = kept == axes[len(axes) - len(kept) :]  # NumPy adds these one by one as well
    last = kept == axes[: len(kept)]
    n = x.size // y.size if y.size else 0
    most = MOST if first and kept else FEW
    if instr.op != "sum" or not floats or not (first or last) or not 0 < n <= most:
        return ""
    if (
        kept != sorted(kept)
        or not s.in_order(x)
        or (s.is_fixed(y) and not s.is_dense(y))
    ):
        return ""
    ones = s.bind(f"ones{n}", np.ones(n, x.dtype), (n, x.dtype))
    shape = (n, y.size) if first else (y.size, n)
    matrix = s.ordered(x, shape if y.shape else (n,))
    product = f"{ones}, {matrix}" if first or not y.shape else f"{matrix}, {ones}"
    if s.is_fixed(y):
        return f"dot({product}, {s.reshaped(y, (y.size,) if y.shape else ())})"
    return f"{s.name(y)} = dot({product}).reshape({y.shape})"


def _arg_reduction(s: Scribe, instr: Instr) -> list[str]:
    y, x, axis = instr.output, instr.inputs[0], instr.attrs["axis"]
    assert isinstance(x, Value)
    keepdims = instr.attrs.get("keepdims", False)
    if not s.is_fixed(y):
        rest = ", keepdims=True" if keepdims else ""
        return [f"{s.name(y)} = {s.name(x)}.{instr.op}({axis}{rest})"]
    shape = tuple(n for i, n in enumerate(x.shape) if i != axis)
    out = s.reshaped(y, shape) if keepdims else s.name(y)
    return [f"{s.name(x)}.{instr.op}({axis}, {out})"]


def _matmul(s: Scribe, instr: Instr) -> list[str]:
    y, (a, b) = instr.output, instr.inputs
    assert isinstance(a, Value) and isinstance(b, Value)
    if not s.is_fixed(y):
        return [f"{s.name(y)} = matmul({s.name(a)}, {s.name(b)})"]
    floats = a.dtype == b.dtype == y.dtype and y.dtype.kind == "f"
    # `dot` takes half a microsecond less, but knows matrices in C order only
    plain = floats and a.ndim == b.ndim == 2 and s.is_dense(y)
    return [f"{'dot' if plain else 'matmul'}({s.name(a)}, {s.name(b)}, {s.name(y)})"]


def _view(s: Scribe, instr: Instr) -> list[str]:
    """Nothing where the view was made with the plan; else a line."""
    y, x = instr.output, instr.inputs[0]
    assert isinstance(x, Value)
    if not s.is_fixed(y):
        return [f"{s.name(y)} = {_viewing(instr, x, s.name(x))}"]
    if s.is_alias(y):
        return []
    if s.is_dense(y):  # a reshape that has to copy
        return [f"{s.reshaped(y, x.shape)}[...] = {s.name(x)}"]
    return [f"{s.name(y)}[...] = {s.name(x)}.reshape({y.shape})"]


def _viewing(instr: Instr, x: Value, name: str) -> str:
    if instr.op == "reshape":
        return f"{name}.reshape({instr.output.shape})"
    if instr.op == "broadcast_to":
        return f"broadcast_to({name}, {instr.output.shape})"
    if instr.op == "transpose":
        axes = tuple(instr.attrs["axes"])
        backwards = axes == tuple(reversed(range(x.ndim)))
        return f"{name}.T" if backwards else f"{name}.transpose({axes})"
    return f"{name}[{_index(instr)}]"


def _index(instr: Instr) -> str:
    index = instr.attrs["index"]
    return ", ".join(map(_place, index)) if index else "()"


def _place(at: int | slice) -> str:
    if not isinstance(at, slice):
        return str(int(at))
    start, stop = ("" if end is None else str(int(end)) for end in (at.start, at.stop))
    return f"{start}:{stop}" + ("" if at.step in (None, 1) else f":{int(at.step)}")


def _concatenate(s: Scribe, instr: Instr) -> list[str]:
    """Nothing for what was made inside of it."""
    y, axis = instr.output, instr.attrs["axis"]
    given = ", ".join(s.name(x) for x in instr.inputs)
    if not s.is_fixed(y):
        return [f"{s.name(y)} = concatenate(({given},), {axis})"]
    missing = s.memory.missing_parts(instr)
    if len(missing) == len(instr.inputs):
        return [f"concatenate(({given},), {axis}, {s.name(y)})"]
    return [f"copyto({s.part(y, place, x.shape)}, {s.name(x)})" for x, place in missing]


def _take(s: Scribe, instr: Instr) -> list[str]:
    y, (x, index), axis = instr.output, instr.inputs, instr.attrs["axis"]
    call = f"{s.name(x)}.take({s.name(index)}, {axis}"
    if s.is_fixed(y):
        return [f"{call}, {s.name(y)})"]
    return [f"{s.name(y)} = {call})"]


def _take_along_axis(s: Scribe, instr: Instr) -> list[str]:
    y, (x, index), axis = instr.output, instr.inputs, instr.attrs["axis"]
    assert isinstance(x, Value)
    places = []
    for i, n in enumerate(x.shape):
        if i == axis:
            places.append(s.name(index))
            continue
        shape = (1,) * i + (n,) + (1,) * (x.ndim - i - 1)
        places.append(s.bind(f"along{i}", np.arange(n).reshape(shape), shape))
    taken = f"{s.name(x)}[{', '.join(places)}]"
    if s.is_fixed(y):
        return [f"{s.name(y)}[...] = {taken}"]
    return [f"{s.name(y)} = {taken}"]


def _update(s: Scribe, instr: Instr) -> list[str]:
    y, (x, part) = instr.output, instr.inputs
    assert isinstance(x, Value)
    inside = f"{s.name(y)}[{_index(instr)}] = {s.name(part)}"
    if not s.is_fixed(y):
        return [f"{s.name(y)} = array({s.name(x)})", inside]
    whole = [] if s.together(y, x) else [f"{s.name(y)}[...] = {s.name(x)}"]
    return [*whole, inside]


def _call(s: Scribe, instr: Instr) -> list[str]:
    attrs = instr.attrs
    op, rule = attrs["op"], attrs["rule"]
    function = s.bind(f"{op.__name__}_{rule}", getattr(op, rule), (op, rule))
    given = [_argument(s, a, instr.inputs) for a in attrs["args"]]
    given += [
        f"{key}={_argument(s, a, instr.inputs)}" for key, a in attrs["kwargs"].items()
    ]
    names = iter([s.name(y) for y in instr.outputs])
    target = _target(attrs["structure"], names)
    line = f"{target} = {function}({', '.join(['np', *given])})"
    return [line, "del _"] if "_" in target.strip("(),").split(", ") else [line]


def _target(structure: Any, names: Iterator[str]) -> str:
    """What a call's result is assigned to, part by part."""
    if structure is None:
        return "_"
    if structure is True:
        return next(names)
    parts = [_target(part, names) for part in structure]
    return f"({', '.join(parts)},)" if parts else "_"


def _argument(s: Scribe, template: Any, inputs: tuple[Operand, ...]) -> str:
    """An argument of a call: slots are filled, plain things are written out."""
    if isinstance(template, Slot):
        return s.name(inputs[template.index])
    if type(template) is tuple:
        return f"({''.join(f'{_argument(s, t, inputs)}, ' for t in template)})"
    if type(template) is list:
        return f"[{', '.join(_argument(s, t, inputs) for t in template)}]"
    if type(template) is dict:
        pairs = (f"{k!r}: {_argument(s, t, inputs)}" for k, t in template.items())
        return f"{{{', '.join(pairs)}}}"
    if template is None or type(template) in (bool, int, float, str):
        return repr(template)
    return s.bind("argument", template, id(template))


def _kernel(s: Scribe, instr: Instr) -> list[str]:
    """The pair runs on the outputs, which first take the values of what it changes."""
    attrs = instr.attrs
    pair = s.bind(attrs["pair"].__name__, attrs["pair"], attrs["pair"])
    names = [_kernel_argument(s, x) for x in instr.inputs]
    first = []
    for y, i in zip(instr.outputs, attrs["writes"], strict=True):
        x, names[i] = instr.inputs[i], s.name(y)
        assert isinstance(x, Value)
        if not s.is_fixed(y):
            first.append(f'{s.name(y)} = array({s.name(x)}, order="C")')
        elif not s.together(y, x):
            first.append(f"{s.name(y)}[...] = {s.name(x)}")
    given = ", ".join(_filled(s, a, names) for a in attrs["args"])
    return [*first, f"{pair}({given})"]


def _filled(s: Scribe, template: Any, names: list[str]) -> str:
    if isinstance(template, Slot):
        return names[template.index]
    return _argument(s, template, ())


def _kernel_argument(s: Scribe, x: Operand) -> str:
    """Contiguous, as kernels want arrays; a number of Python, if it has no axes."""
    if not isinstance(x, Value):
        return s.name(x)
    if not x.shape:
        return s.number(x)
    certain = s.is_fixed(x) and s.is_dense(x)
    return s.name(x) if certain else f"ascontiguousarray({s.name(x)})"


def _require(s: Scribe, instr: Instr) -> list[str]:
    error = s.bind("error", instr.attrs["error"], id(instr))
    return [f"if not {s.name(instr.inputs[0])}:", f"    raise {error}()"]


_WRITERS: dict[str, Callable[[Scribe, Instr], list[str]]] = {
    **dict.fromkeys(UFUNCS, _ufunc),
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(VIEWS, _view),
    "argmax": _arg_reduction,
    "argmin": _arg_reduction,
    "where": _where,
    "cast": _cast,
    "copy": _copy,
    "erf": _erf,
    "matmul": _matmul,
    "concatenate": _concatenate,
    "take": _take,
    "take_along_axis": _take_along_axis,
    "update": _update,
    "call": _call,
    "kernel": _kernel,
    "require": _require,
}
