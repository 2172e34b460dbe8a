"""How each layer of `dotori.nn` reads in a stand-alone script: one call each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from dotori.compiler.script.library import modules

#: Gives the script's text for a parameter or buffer of the layer, "None" without one.
Weight: TypeAlias = Callable[[str], str]

#: From a layer, the text of its input, its weights and its input's shape to the text
#: of its output; None where a script has no words for it.
Phrase: TypeAlias = Callable[[Any, str, Weight, tuple[int, ...]], "str | None"]

_AXES = {"1d": 1, "2d": 2, "3d": 3}


def phrase(module: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    """The text of what an evaluated layer gives for `x` of this shape, or None.

    Text equal to `x` means that the layer does nothing.
    """
    name = type(module).__name__
    if not type(module).__module__.startswith("dotori.nn."):
        return None
    if name in _NOTHING:
        return x
    if name in _CALLS:
        return _CALLS[name].format(x=x, m=module)
    found = _PHRASES.get(name)
    return None if found is None else found(module, x, weight, shape)


_NOTHING = frozenset(
    "Identity Dropout Dropout1d Dropout2d Dropout3d AlphaDropout "
    "FeatureAlphaDropout".split()
)

#: Layers without weights whose text depends on their attributes alone.
_CALLS = {
    "ReLU": "relu({x})",
    "ReLU6": "hardtanh({x}, 0.0, 6.0)",
    "LeakyReLU": "leaky_relu({x}, {m.negative_slope!r})",
    "RReLU": "leaky_relu({x}, ({m.lower!r} + {m.upper!r}) / 2)",
    "ELU": "elu({x}, {m.alpha!r})",
    "CELU": "celu({x}, {m.alpha!r})",
    "SELU": "selu({x})",
    "SiLU": "silu({x})",
    "Mish": "mish({x})",
    "Hardswish": "hardswish({x})",
    "Hardsigmoid": "hardsigmoid({x})",
    "Hardtanh": "hardtanh({x}, {m.min_val!r}, {m.max_val!r})",
    "Softplus": "softplus({x}, {m.beta!r})",
    "Softsign": "softsign({x})",
    "Sigmoid": "sigmoid({x})",
    "LogSigmoid": "log_sigmoid({x})",
    "Tanh": "np.tanh({x})",
    "Tanhshrink": "tanhshrink({x})",
    "Softshrink": "softshrink({x}, {m.lambd!r})",
    "Hardshrink": "hardshrink({x}, {m.lambd!r})",
    "Threshold": "threshold({x}, {m.threshold!r}, {m.value!r})",
    "GLU": "glu({x}, {m.dim!r})",
    "Softmax2d": "softmax({x}, -3)",
}


def _call(function: str, *parts: str, **named: Any) -> str:
    """A call; numbers by name are left out where they are the function's own."""
    code = next(vars(m)[function] for m in modules() if function in vars(m))
    names = code.__code__.co_varnames[: code.__code__.co_argcount]
    defaults = dict(
        zip(reversed(names), reversed(code.__defaults__ or ()), strict=False)
    )
    given = [f"{k}={v!r}" for k, v in named.items() if defaults.get(k, ...) != v]
    while parts and parts[-1] == "None" and names[len(parts) - 1] in defaults:
        parts = parts[:-1]
    return f"{function}({', '.join([*parts, *given])})"


def _affine(m: Any, weight: Weight) -> tuple[str, str]:
    return weight("weight"), weight("bias")


def _linear(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str:
    return _call("linear", x, *_affine(m, weight))


def _gelu(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str:
    return f"gelu_tanh({x})" if m.approximate == "tanh" else f"gelu({x})"


def _along(function: str) -> Phrase:
    def text(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str:
        axis = m.dim
        if axis is None:
            axis = 0 if len(shape) in (0, 1, 3) else 1
        sign = "-" if type(m).__name__ == "Softmin" else ""
        return _call(function, f"{sign}{x}", axis=_from_behind(axis, len(shape)))

    return text


def _from_behind(axis: int, ndim: int) -> int:
    """-1 for the last axis, which reads best."""
    return -1 if axis in (-1, ndim - 1) else axis


def _prelu(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str:
    return f"prelu({x}, {weight('weight')})"


def _flatten(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str:
    start, end = m.start_dim % len(shape), m.end_dim % len(shape)
    if start == 1 and end == len(shape) - 1:
        return f"{x}.reshape(len({x}), -1)"
    axes = [f"*{x}.shape[:{start}]"] if start else []
    axes.append("-1")
    if end < len(shape) - 1:
        axes.append(f"*{x}.shape[{end + 1}:]")
    return f"{x}.reshape({', '.join(axes)})"


def _unflatten(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    if not isinstance(m.dim, int):
        return None
    axis = m.dim % len(shape)
    parts = [f"*{x}.shape[:{axis}]"] if axis else []
    parts += [str(int(n)) for n in m.unflattened_size]
    if axis < len(shape) - 1:
        parts.append(f"*{x}.shape[{axis + 1}:]")
    return f"{x}.reshape({', '.join(parts)})"


def _embedding(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    return None if m.max_norm is not None else _call("embedding", x, weight("weight"))


def _equal(numbers: tuple[int, ...]) -> bool:
    return len(set(numbers)) == 1


def _convolution(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    axes = len(m.kernel_size)
    if len(shape) != axes + 2 or m.padding_mode != "zeros":
        return None
    padding = _paddings(m)
    w, b = _affine(m, weight)
    ends = tuple(n for pair in padding for n in pair)
    simple = axes < 3 and m.groups == 1 and set(m.dilation) == {1}
    if simple and _equal(m.stride) and _equal(ends):
        return _call(f"conv{axes}d", x, w, b, stride=m.stride[0], padding=ends[0])
    return _call(
        "convolution",
        x,
        w,
        b,
        stride=m.stride,
        padding=padding,
        dilation=m.dilation,
        groups=m.groups,
    )


def _paddings(m: Any) -> tuple[tuple[int, int], ...]:
    """Zeros before and behind each axis."""
    if m.padding == "valid":
        return ((0, 0),) * len(m.kernel_size)
    if m.padding == "same":
        total = [d * (k - 1) for d, k in zip(m.dilation, m.kernel_size, strict=True)]
        return tuple((n // 2, n - n // 2) for n in total)
    return tuple((n, n) for n in m.padding)


def _transposed(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    if len(shape) != len(m.kernel_size) + 2:
        return None
    return _call(
        "transposed_convolution",
        x,
        *_affine(m, weight),
        stride=m.stride,
        padding=m.padding,
        output_padding=m.output_padding,
        dilation=m.dilation,
        groups=m.groups,
    )


def _each(value: Any, axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value)


def _pool(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    name = type(m).__name__
    axes = _AXES[name[-2:]]
    kind = "max" if name.startswith("Max") else "avg"
    size, stride = _each(m.kernel_size, axes), _each(m.stride, axes)
    padding = _each(m.padding, axes)
    dilation = _each(getattr(m, "dilation", 1), axes)
    odd = getattr(m, "return_indices", False) or getattr(m, "divisor_override", None)
    if odd or len(shape) != axes + 2:
        return None
    if kind == "avg" and set(padding) != {0} and not m.count_include_pad:
        return None
    if m.ceil_mode and not _fits(shape[2:], size, stride, padding, dilation):
        return None
    plain = set(padding) == {0} and set(dilation) == {1} and axes < 3
    if plain and _equal(size) and _equal(stride):
        return f"{kind}_pool{axes}d({x}, {size[0]}, {stride[0]})"
    pairs = tuple((p, p) for p in padding)
    more = {"dilation": dilation} if kind == "max" else {}
    return _call(f"{kind}_pool", x, size=size, stride=stride, padding=pairs, **more)


def _fits(
    places: tuple[int, ...],
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
) -> bool:
    """Whether windows cover each axis, so that `ceil_mode` changes nothing."""
    each = zip(places, size, stride, padding, dilation, strict=True)
    return all((n + 2 * p - d * (k - 1) - 1) % s == 0 for n, k, s, p, d in each)


def _adaptive(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    name = type(m).__name__
    axes = _AXES[name[-2:]]
    if getattr(m, "return_indices", False):
        return None
    sizes = (
        m.output_size if isinstance(m.output_size, tuple) else (m.output_size,) * axes
    )
    chosen = [n if k is None else k for k, n in zip(sizes, shape[-axes:], strict=True)]
    function = "max" if "Max" in name else "mean"
    if set(chosen) == {1}:
        over = -1 if axes == 1 else tuple(range(-axes, 0))
        return f"{x}.{function}(axis={over}, keepdims=True)"
    return f"adaptive_pool({x}, {tuple(chosen)}, np.{function})"


def _batch_norm(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    if m.running_mean is None:
        return None
    names = ("running_mean", "running_var", "weight", "bias")
    texts = [weight(name) for name in names]
    layer = _whole_layer(texts, names)
    if layer is not None:
        texts = [f"**{layer}"]  # four long names would hide the line
    return _call("batch_norm", x, *texts, eps=m.eps)


def _whole_layer(texts: Sequence[str], names: Sequence[str]) -> str | None:
    """``layer("0")`` where the texts are all those of one layer; some may be "None"."""
    start = texts[0].removesuffix(f'.{names[0]}"]')
    regular = [f'{start}.{name}"]' for name in names]
    if any(t not in ("None", r) for t, r in zip(texts, regular, strict=True)):
        return None
    return f'layer({start.removeprefix("W[")}")'


def _layer_norm(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str:
    axes = tuple(range(-len(m.normalized_shape), 0))
    return _call("layer_norm", x, str(axes), *_affine(m, weight), eps=m.eps)


def _rms_norm(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    if m.eps is None:
        return None
    axes = tuple(range(-len(m.normalized_shape), 0))
    return f"rms_norm({x}, {axes}, {weight('weight')}, {m.eps!r})"


def _group_norm(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str:
    return _call("group_norm", x, str(m.num_groups), *_affine(m, weight), eps=m.eps)


def _instance_norm(
    m: Any, x: str, weight: Weight, shape: tuple[int, ...]
) -> str | None:
    axes = {"1d": 1, "2d": 2, "3d": 3}[type(m).__name__[-2:]]
    if len(shape) != axes + 2:
        return None
    if m.running_mean is not None:
        return _batch_norm(m, x, weight, shape)
    return _call("group_norm", x, str(shape[1]), *_affine(m, weight), eps=m.eps)


def _bilinear(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str:
    return _call("bilinear", *x.split(", "), *_affine(m, weight))


def _recurrent(m: Any, x: str, weight: Weight, shape: tuple[int, ...]) -> str | None:
    if len(shape) != 3 or m.proj_size or "," in x:
        return None
    names = [name for name, _ in m.named_parameters()]
    layer = _whole_layer([weight(name) for name in names], names)
    if layer is None:
        return None if weight is not str else x + "()"
    named = {
        "layers": m.num_layers,
        "both_ways": bool(m.bidirectional),
        "batch_first": bool(m.batch_first),
    }
    kind = type(m).__name__.lower()
    text = _call(kind, x, layer, **named)
    relu = getattr(m, "nonlinearity", "tanh") == "relu" and kind == "rnn"
    return f"{text[:-1]}, activation=relu)" if relu else text


_PHRASES: dict[str, Phrase] = {
    "Linear": _linear,
    "RNN": _recurrent,
    "GRU": _recurrent,
    "LSTM": _recurrent,
    "Bilinear": _bilinear,
    "GELU": _gelu,
    "PReLU": _prelu,
    "Softmax": _along("softmax"),
    "Softmin": _along("softmax"),
    "LogSoftmax": _along("log_softmax"),
    "Flatten": _flatten,
    "Unflatten": _unflatten,
    "Embedding": _embedding,
    "LayerNorm": _layer_norm,
    "RMSNorm": _rms_norm,
    "GroupNorm": _group_norm,
    **{f"Conv{n}": _convolution for n in _AXES},
    **{f"ConvTranspose{n}": _transposed for n in _AXES},
    **{f"BatchNorm{n}": _batch_norm for n in _AXES},
    **{f"InstanceNorm{n}": _instance_norm for n in _AXES},
    **{f"{kind}Pool{n}": _pool for kind in ("Max", "Avg") for n in _AXES},
    **{f"Adaptive{kind}Pool{n}": _adaptive for kind in ("Max", "Avg") for n in _AXES},
}
