"""Operations of a training step that have words of their own, and their gradients.

All others are told by their instructions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from dotori.compiler.ir import Value
from dotori.compiler.script.session import Event
from dotori.compiler.script.text import bracketed, infix

#: From an operation and the texts of its inputs to the text of its first output.
Words: TypeAlias = Callable[[Event, Sequence[str]], "str | None"]

#: From a gradient rule, the gradient's text, those of the inputs and of the output, to
#: lines: the places of the results that each gives, and its text.
Rule: TypeAlias = Callable[
    [Event, str, Sequence[str], str], "list[tuple[tuple[int, ...], str]] | None"
]


def forward_words(event: Event, inputs: Sequence[str]) -> str | None:
    """The text of an operation, or None where its instructions are to tell it."""
    found = _FORWARD.get(event.op.__name__)
    return None if found is None else found(event, inputs)


def backward_words(
    event: Event, gradient: str, inputs: Sequence[str], output: str
) -> list[tuple[tuple[int, ...], str]] | None:
    """The lines of a gradient rule, or None where its instructions are to tell it."""
    found = _BACKWARD.get(event.op.__name__)
    if found is None or event.forward is None:
        return None
    return found(event, gradient, inputs, output)


def _linear(event: Event, x: Sequence[str]) -> str:
    return f"linear({', '.join(t for t in x if t != 'None')})"


def _linear_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    d, rows = bracketed(dy), event.inputs[0]
    if rows.ndim == 2:
        lines = [((0,), infix(dy, "@", x[1])), ((1,), infix(f"{d}.T", "@", x[0]))]
    else:  # all axes but the last are rows
        flat = f"{d}.reshape(-1, {event.gradient.shape[-1]}).T"
        lines = [
            ((0,), infix(dy, "@", x[1])),
            ((1,), f"{flat} @ {bracketed(x[0])}.reshape(-1, {rows.shape[-1]})"),
        ]
    axes = tuple(range(rows.ndim - 1))
    return [*lines, ((2,), f"{d}.sum(axis={axes[0] if len(axes) == 1 else axes})")]


def _mean_squared_error(event: Event, x: Sequence[str]) -> str | None:
    same = event.args[0].shape == event.args[1].shape
    return f"mean_squared_error({x[0]}, {x[1]})" if same else None


def _mean_squared_error_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    if event.inputs[0].shape != event.inputs[1].shape:
        return None
    a, b = map(bracketed, x)
    slope = f"2 * ({a} - {b}) / {a}.size"
    return [((0,), _times(dy, slope)), ((1,), _times(dy, f"-{slope}"))]


def _times(dy: str, slope: str) -> str:
    """Without the gradient of the loss for itself, which is 1."""
    return slope if dy in ("1.0", "1") else infix(dy, "*", slope)


def _is_plain_mean(event: Event) -> bool:
    attrs = event.attrs if event.forward is None else event.forward.attrs
    x, weight = event.inputs[0], attrs["weight"]
    plain = isinstance(weight, float) and abs(weight * x.shape[0] - 1) < 1e-12
    return bool(plain and attrs["total"] and x.ndim == 2)


def _cross_entropy(event: Event, x: Sequence[str]) -> str | None:
    return f"cross_entropy({x[0]}, {x[-1]})" if _is_plain_mean(event) else None


def _cross_entropy_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    if not _is_plain_mean(event):
        return None
    classes = event.inputs[0].shape[1]
    slope = f"(softmax({x[0]}) - one_hot({x[-1]}, {classes})) / len({x[0]})"
    return [((0,), _times(dy, slope))]


def _binary_cross_entropy(event: Event, x: Sequence[str]) -> str:
    return f"binary_cross_entropy({x[0]}, {x[1]})"


def _binary_cross_entropy_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    return [((0,), _times(dy, infix(f"sigmoid({x[0]})", "-", x[1])))]


def _reshape(event: Event, x: Sequence[str]) -> str | None:
    given, made = event.args[0].shape, event.results[0].shape
    if len(made) == 2 and given[:1] == made[:1] and made[1]:
        return f"{bracketed(x[0])}.reshape(len({x[0]}), -1)"
    return None


def _reshape_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    if not isinstance(event.inputs[0], Value) or event.inputs[0].ndim < 2:
        return None
    return [((0,), f"{bracketed(dy)}.reshape({bracketed(x[0])}.shape)")]


def _window(event: Event) -> tuple[int, int, int] | None:
    """Size, stride and padding of a square window, if no more is to be said."""
    attrs = event.attrs if event.forward is None else event.forward.attrs
    window = attrs.get("window")
    if window is None or len(window.kernel) != 2 or set(window.dilation) != {1}:
        return None
    ends = {n for pair in window.padding for n in pair}
    if len(ends) > 1 or min(ends) < 0 or len(set(window.stride)) > 1:
        return None
    return window.kernel[0], window.stride[0], ends.pop()


def _options(stride: int, padding: int) -> str:
    parts = [f"stride={stride}"] if stride != 1 else []
    return "".join(
        f", {p}" for p in [*parts, *([f"padding={padding}"] if padding else [])]
    )


def _convolution(event: Event, x: Sequence[str]) -> str | None:
    window = _window(event)
    if window is None or event.attrs.get("groups", 1) != 1:
        return None
    return f"conv2d({', '.join(x[:3])}{_options(*window[1:])})"


def _convolution_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    window = _window(event)
    if window is None or event.inputs[0].ndim != 4:
        return None
    call = f"conv2d_gradients({dy}, {x[0]}, {x[1]}{_options(*window[1:])})"
    return [((0, 1), call), ((2,), f"{bracketed(dy)}.sum(axis=(0, 2, 3))")]


def _tiles(event: Event) -> tuple[int, int] | None:
    """Size and stride of square windows, if no more is to be said of them."""
    attrs = event.attrs if event.forward is None else event.forward.attrs
    x, tiling = event.inputs[0], attrs["tiling"]
    if attrs["axes"] != 2 or x.ndim != 4:
        return None
    size, stride, padding, dilation = (w[-2:] for w in tiling[2:6])
    plain = set(padding) == {0} and set(dilation) == {1}
    if not plain or len(set(size)) > 1 or len(set(stride)) > 1:
        return None
    if any((n - size[0]) % stride[0] for n in x.shape[2:]):
        return None
    return int(size[0]), int(stride[0])


def _max_pool_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    tiles = _tiles(event)
    if tiles is None:
        return None
    return [((0,), f"max_pool2d_gradient({dy}, {x[0]}, {y}, {tiles[0]}, {tiles[1]})")]


def _tiled(function: str) -> Words:
    def words(event: Event, x: Sequence[str]) -> str | None:
        tiles = _tiles(event)
        return tiles and f"{function}({x[0]}, {tiles[0]}, {tiles[1]})"

    return words


def _window_sum_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    tiles = _tiles(event)
    if tiles is None:
        return None
    shape = f"{bracketed(x[0])}.shape"
    return [((0,), f"spread_sum2d({dy}, {shape}, {tiles[0]}, {tiles[1]})")]


def _take_rows(event: Event, x: Sequence[str]) -> str | None:
    return f"embedding({x[1]}, {x[0]})" if event.attrs["scale"] is None else None


def _take_rows_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    if event.attrs["scale"] is not None:
        return None
    return [((0,), f"embedding_gradient({dy}, {x[1]}, {x[0]})")]


def _batch_norm(event: Event, x: Sequence[str]) -> str:
    return f"batch_norm_of_batch({', '.join(x[:3])}, eps={event.attrs['eps']!r})"


def _batch_norm_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    if any(g is not None for g in event.gradient[1:]) or event.forward is None:
        return None
    call = f"batch_norm_gradients({dy}, {x[0]}, {x[1]}, {event.attrs['eps']!r})"
    return [((0, 1, 2), call)]


def _layer_norm(event: Event, x: Sequence[str]) -> str:
    axes = tuple(range(-event.attrs["n_axes"], 0))
    return f"layer_norm({x[0]}, {axes}, {x[1]}, {x[2]}, {event.attrs['eps']!r})"


def _layer_norm_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    axes = tuple(range(-event.attrs["n_axes"], 0))
    eps = event.attrs["eps"]
    call = f"layer_norm_gradients({dy}, {x[0]}, {axes}, {x[1]}, {eps!r})"
    return [((0, 1, 2), call)]


def _split_heads(event: Event, x: Sequence[str]) -> str:
    return f"split_heads({x[0]}, {event.attrs['heads']}, {event.attrs['batch_axis']})"


def _split_heads_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    if any(g is None for g in event.gradient):
        return None
    return [((0,), f"join_heads([{dy}], {event.attrs['batch_axis']})")]


def _attention_options(event: Event) -> str | None:
    """What attention is told beside q, k and v, if that is all."""
    attrs = event.attrs
    if event.inputs[3] is not None or attrs.get("keep") or attrs.get("dropped"):
        return None
    return f"{attrs['scale']!r}{', causal=True' if attrs['causal'] else ''}"


def _attention(event: Event, x: Sequence[str]) -> str | None:
    options = _attention_options(event)
    return options and f"attention({', '.join(x[:3])}, {options})"


def _attention_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    options = _attention_options(event)
    if options is None:
        return None
    call = f"attention_gradients({dy}, {', '.join(x[:3])}, {options})"
    return [((0, 1, 2), call)]


def _normal_rule(event: Event, dy: str, x: Sequence[str], y: str) -> Any:
    return [((0,), infix(dy, "*", f"normal_density({x[0]})"))]


def _named(function: str) -> Words:
    def words(event: Event, x: Sequence[str]) -> str:
        return f"{function}({x[0]})"

    return words


def _mean(event: Event, x: Sequence[str]) -> str:
    axis = event.attrs["axis"]
    given = [] if axis is None else [f"axis={axis}"]
    given += ["keepdims=True"] if event.attrs["keepdims"] else []
    return f"{bracketed(x[0])}.mean({', '.join(given)})"


_FORWARD: dict[str, Words] = {
    "Mean": _mean,
    "Linear": _linear,
    "Relu": _named("relu"),
    "NormalCdf": _named("normal_cdf"),
    "Sigmoid": _named("sigmoid"),
    "GeluTanh": _named("gelu_tanh"),
    "MeanSquaredError": _mean_squared_error,
    "CrossEntropy": _cross_entropy,
    "BinaryCrossEntropyWithLogits": _binary_cross_entropy,
    "Reshape": _reshape,
    "Convolution": _convolution,
    "ConvolutionWithBias": _convolution,
    "MaxPool": _tiled("max_pool2d"),
    "MaxOnly": _tiled("max_pool2d"),
    "SplitHeads": _split_heads,
    "Attention": _attention,
    "AttentionInBlocks": _attention,
    "BatchNorm": _batch_norm,
    "LayerNorm": _layer_norm,
    "WindowSum": _tiled("window_sum2d"),
    "TakeRows": _take_rows,
}

#: Rules that multiply what they are given, which then may be a number.
SLOPES = frozenset(
    {"MeanSquaredError", "CrossEntropy", "BinaryCrossEntropyWithLogits", "NormalCdf"}
)

#: Operations whose words give all of their results.
TUPLES = frozenset({"BatchNorm", "SplitHeads"})

_BACKWARD: dict[str, Rule] = {
    "Linear": _linear_rule,
    "NormalCdf": _normal_rule,
    "MeanSquaredError": _mean_squared_error_rule,
    "CrossEntropy": _cross_entropy_rule,
    "BinaryCrossEntropyWithLogits": _binary_cross_entropy_rule,
    "Reshape": _reshape_rule,
    "Convolution": _convolution_rule,
    "ConvolutionWithBias": _convolution_rule,
    "MaxPool": _max_pool_rule,
    "SplitHeads": _split_heads_rule,
    "Attention": _attention_rule,
    "AttentionInBlocks": _attention_rule,
    "BatchNorm": _batch_norm_rule,
    "LayerNorm": _layer_norm_rule,
    "WindowSum": _window_sum_rule,
    "TakeRows": _take_rows_rule,
}
