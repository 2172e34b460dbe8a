"""How operations outside of known layers read in a stand-alone script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dotori.compiler.script.text import bracketed, infix

SIGNS = {
    "Add": "+",
    "Sub": "-",
    "Mul": "*",
    "Div": "/",
    "Pow": "**",
    "Matmul": "@",
    "Remainder": "%",
    "FloorDivide": "//",
    "Eq": "==",
    "Ne": "!=",
    "Lt": "<",
    "Le": "<=",
    "Gt": ">",
    "Ge": ">=",
    "LogicalAnd": "&",
    "LogicalOr": "|",
}

_FUNCTIONS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "GeluTanh": "gelu_tanh",
    "Erf": "erf",
    "NormalCdf": "normal_cdf",
    "Linear": "linear",
    **{
        name: f"np.{name.lower()}"
        for name in "Sqrt Square Abs Sign Maximum Minimum Exp Log Log1p Expm1 Tanh Sin "
        "Cos Exp2 Log2 Log10 Sinh Cosh Tan Floor Ceil Trunc Reciprocal Hypot Where "
        "LogAddExp".split()
    },
    "Neg": "-",
    "Asin": "np.arcsin",
    "Acos": "np.arccos",
    "Atan": "np.arctan",
    "Atan2": "np.arctan2",
    "IsNan": "np.isnan",
    "LogicalNot": "np.logical_not",
    "Round": "np.round",
    "Fmod": "np.fmod",
}


def op_phrase(
    name: str, inputs: Sequence[str], attrs: Mapping[str, Any], shape: tuple[Any, ...]
) -> str | None:
    """The text of an operation of `dotori.ops`, or None where there is none.

    `shape` is that of its first input.
    """
    if name in SIGNS:
        return infix(inputs[0], SIGNS[name], inputs[1])
    if name == "Neg":
        return f"-{bracketed(inputs[0])}"
    if name in _FUNCTIONS:
        return f"{_FUNCTIONS[name]}({', '.join(inputs)})"
    found = _PHRASES.get(name)
    return None if found is None else found(inputs, attrs, shape)


Ins = Sequence[str]
Attrs = Mapping[str, Any]


def _size_text(shape: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, shape))


def _reshape(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    wanted = list(attrs["shape"])
    plain = [i for i, n in enumerate(wanted) if type(n) is int]
    if len(plain) == 1 and len(wanted) > 1:
        wanted[plain[0]] = -1  # what the others leave
    return f"{bracketed(x[0])}.reshape({_size_text(tuple(wanted))})"


def _permute(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    axes = tuple(attrs["axes"])
    if axes == tuple(range(len(axes)))[::-1]:
        return f"{bracketed(x[0])}.T"
    return f"{bracketed(x[0])}.transpose{axes}"


def _reduction(method: str) -> Callable[[Ins, Attrs, tuple[Any, ...]], str]:
    def text(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
        axis = attrs["axis"]
        if isinstance(axis, tuple) and len(axis) == 1:
            axis = axis[0]
        given = [] if axis is None else [f"axis={axis}"]
        if attrs["keepdims"]:
            given.append("keepdims=True")
        if method == "var" and attrs.get("correction"):
            given.append(f"ddof={attrs['correction']}")
        return f"{bracketed(x[0])}.{method}({', '.join(given)})"

    return text


def _index(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str | None:
    index = attrs["index"]
    parts = index if isinstance(index, tuple) else (index,)
    texts = [_one_index(part) for part in parts]
    return None if None in texts else f"{bracketed(x[0])}[{', '.join(map(str, texts))}]"


def _one_index(part: Any) -> str | None:
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        ends = ["" if n is None else repr(n) for n in (part.start, part.stop)]
        return ":".join([*ends, *([repr(part.step)] if part.step is not None else [])])
    return repr(part) if part is None or isinstance(part, int) else None


def _along(function: str) -> Callable[[Ins, Attrs, tuple[Any, ...]], str]:
    def text(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
        axis = attrs["axis"]
        axis = -1 if axis in (-1, len(shape) - 1) else axis
        return f"{function}({x[0]})" if axis == -1 else f"{function}({x[0]}, {axis})"

    return text


def _leaky_relu(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    return f"leaky_relu({x[0]}, {attrs['negative_slope']!r})"


def _clip(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str | None:
    low, high = attrs["min"], attrs["max"]
    plain = all(n is None or isinstance(n, (int, float)) for n in (low, high))
    return f"np.clip({x[0]}, {low!r}, {high!r})" if plain else None


def _concatenate(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    return f"np.concatenate([{', '.join(x)}], axis={attrs['axis']})"


def _broadcast(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    return f"np.broadcast_to({x[0]}, ({_size_text(attrs['shape'])},))"


def _cast(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    return f'{bracketed(x[0])}.astype("{attrs["dtype"]}")'


def _softplus(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    return f"softplus({x[0]}, {attrs['beta']!r})"


def _hardtanh(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    return f"hardtanh({x[0]}, {attrs['min_val']!r}, {attrs['max_val']!r})"


def _cumulative(function: str) -> Callable[[Ins, Attrs, tuple[Any, ...]], str]:
    def text(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
        return f"np.{function}({x[0]}, axis={attrs['axis']})"

    return text


def _roll(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    return f"np.roll({x[0]}, {attrs['shifts']}, {attrs['axes']})"


def _take_along(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str | None:
    index, axis = attrs["index"], attrs["axis"]
    return f"np.take_along_axis({x[0]}, {index}, {axis})" if _is_text(index) else None


def _take_rows(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str | None:
    index = attrs["index"]
    return f"embedding({index}, {x[0]})" if _is_text(index) else None


def _is_text(value: Any) -> bool:
    """Whether an attribute is the text of a value, not a value itself."""
    return isinstance(value, str)


def _split_heads(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str:
    return f"split_heads({x[0]}, {attrs['heads']}, {attrs['batch_axis']})"


def _attention(x: Ins, attrs: Attrs, shape: tuple[Any, ...]) -> str | None:
    mask = x[3] if len(x) > 3 else "None"
    if attrs.get("keep") is not None or attrs.get("dropped") is not None:
        return None
    more = "" if mask == "None" else f", mask={mask}"
    more += ", causal=True" if attrs["causal"] else ""
    return f"attention({', '.join(x[:3])}, {attrs['scale']!r}{more})"


_PHRASES: dict[str, Callable[[Ins, Attrs, tuple[Any, ...]], str | None]] = {
    "Reshape": _reshape,
    "Permute": _permute,
    "Sum": _reduction("sum"),
    "Mean": _reduction("mean"),
    "Amax": _reduction("max"),
    "Amin": _reduction("min"),
    "Var": _reduction("var"),
    "Prod": _reduction("prod"),
    "Index": _index,
    "CumSum": _cumulative("cumsum"),
    "CumProd": _cumulative("cumprod"),
    "Flip": _cumulative("flip"),
    "Roll": _roll,
    "TakeAlong": _take_along,
    "TakeRows": _take_rows,
    "Softmax": _along("softmax"),
    "LogSoftmax": _along("log_softmax"),
    "LeakyRelu": _leaky_relu,
    "Clamp": _clip,
    "Concatenate": _concatenate,
    "BroadcastTo": _broadcast,
    "Cast": _cast,
    "Softplus": _softplus,
    "Hardtanh": _hardtanh,
    "SplitHeads": _split_heads,
    "Attention": _attention,
    "AttentionInBlocks": _attention,
}
