"""What recurrent layers share: weights, layers on top of each other, two directions,
padded and packed batches.

Inside, every batch is packed (see `dotori.nn.utils.rnn`): one whose sequences are of
equal length is the case in which no step is shorter than the one before.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable, wrap
from dotori.backend import namespace
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.gathering import index_select
from dotori.functions.join import cat, stack
from dotori.nn import functional as F
from dotori.nn import init
from dotori.nn.functional.linear import at_dtype_of
from dotori.nn.initial import new_parameter
from dotori.nn.module import Module
from dotori.nn.parameter import Parameter
from dotori.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pad_packed_sequence,
)
from dotori.ops import gru, lstm, recurrent

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["RNNBase"]

#: The number of gates of each mode, its operation, and what the operation is told.
MODES: dict[str, tuple[int, Any, dict[str, Any]]] = {
    "RNN_TANH": (1, recurrent.RNN, {"relu": False}),
    "RNN_RELU": (1, recurrent.RNN, {"relu": True}),
    "LSTM": (4, lstm.LSTM, {}),
    "GRU": (3, gru.GRU, {}),
}

States = tuple["Tensor", ...]


class RNNBase(Module):
    """What `RNN`, `LSTM` and `GRU` share; it has no forward of its own.

    Parameters
    ----------
    mode : {"RNN_TANH", "RNN_RELU", "LSTM", "GRU"}
    input_size : int
        Features of a step of the input.
    hidden_size : int
        Features of the state.
    num_layers : int
        Layers on top of each other: each reads the outputs of the one below.
    bias : bool
    batch_first : bool
        Whether padded batches are (batch, time, features) and not (time, batch,
        features). States are (.., batch, features) either way.
    dropout : float
        The probability with which an output of a layer is dropped on its way to the
        layer above, in training.
    bidirectional : bool
        Whether each layer reads the sequence from its end as well; its output is that
        of both directions, side by side.
    proj_size : int
        If above 0, an LSTM's output and h are W_hr times what they would be, and have
        so many features.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_hr_l0 : Parameter
        Of the first layer, the gates one below the other. Those of further layers end
        in their number, those of the other direction in ``_reverse``. All start evenly
        spread between -1/sqrt(hidden_size) and its opposite.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if mode not in MODES:
            raise ArgumentError(f"{name}: mode is one of {list(MODES)}, got {mode!r}")
        check_sizes(
            name,
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
        )
        _check_flags(name, bias=bias, batch_first=batch_first)
        _check_projection(name, mode, proj_size, hidden_size)
        _check_dropout(name, dropout, num_layers)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bool(bidirectional)
        self.proj_size = proj_size
        self._names: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in self._suffixes():
                self._add_weights(layer, suffix, device, dtype)
        self.reset_parameters()

    def _suffixes(self) -> tuple[str, ...]:
        """What the names of the weights of each direction end in."""
        return ("", "_reverse") if self.bidirectional else ("",)

    def _add_weights(
        self, layer: int, suffix: str, device: str | None, dtype: DTypeLike | None
    ) -> None:
        rows = MODES[self.mode][0] * self.hidden_size
        out = self.proj_size or self.hidden_size
        below = len(self._suffixes()) * out if layer else self.input_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, below),
            "weight_hh": (rows, out),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        self._names.append([f"{kind}_l{layer}{suffix}" for kind in shapes])
        for name, shape in zip(self._names[-1], shapes.values(), strict=True):
            setattr(self, name, new_parameter(shape, dtype, device))

    def reset_parameters(self) -> None:
        """Give all parameters their initial values again, drawn anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._names]

    def flatten_parameters(self) -> None:
        """Nothing: here for programs that call PyTorch's, which arranges memory."""

    def extra_repr(self) -> str:
        found = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        for name, default in defaults.items():
            value = getattr(self, name)
            if value != default:
                found += f", {name}={value}"
        return found

    def _run(
        self, input: Any, hx: States | None, lengths: TensorLike | None
    ) -> tuple[Any, States]:
        """The outputs, in the form of the input, and the final states."""
        if isinstance(input, PackedSequence):
            if lengths is not None:
                raise ArgumentError(
                    f"{type(self).__name__}: a packed sequence has its lengths in it; "
                    "lengths= is for padded batches"
                )
            return self._run_packed(input, hx)
        x = as_variable(input)
        if x.ndim not in (2, 3):
            raise ShapeError(
                f"{type(self).__name__}: input of 2 axes, (time, features), or 3, "
                f"{self._layout()}, is wanted, got shape {x.shape}"
            )
        if lengths is None:
            return self._run_padded(x, hx)
        if x.ndim == 2:
            raise ShapeError(
                f"{type(self).__name__}: lengths= is for batches, of shape "
                f"{self._layout()}, got one sequence of shape {x.shape}; cut it instead"
            )
        time = x.shape[1 if self.batch_first else 0]
        packed = pack_padded_sequence(x, lengths, self.batch_first, False)
        y, final = self._run_packed(packed, hx)
        padded, _ = pad_packed_sequence(y, self.batch_first, total_length=time)
        return padded, final

    def _run_padded(self, x: Tensor, hx: States | None) -> tuple[Tensor, States]:
        """A batch of sequences of equal length, or one sequence."""
        batched, swapped = x.ndim == 3, x.ndim == 3 and self.batch_first
        if swapped:
            x = x.transpose(0, 1)
        time, batch = x.shape[0], x.shape[1] if batched else 1
        if not time:
            raise ShapeError(
                f"{type(self).__name__}: a sequence of at least one step is wanted, "
                f"got time 0 in {self._layout()}"
            )
        start = self._start(hx, batch if batched else None, None)
        if not batched:
            start = tuple(s.reshape(s.shape[0], 1, s.shape[1]) for s in start)
        else:
            x = x.reshape(time * batch, x.shape[2])
        y, final = self._through_layers(x, (batch,) * time, start)
        if not batched:
            return y, tuple(s.reshape(s.shape[0], s.shape[2]) for s in final)
        y = y.reshape(time, batch, y.shape[1])
        return y.transpose(0, 1) if swapped else y, final

    def _run_packed(
        self, input: PackedSequence, hx: States | None
    ) -> tuple[PackedSequence, States]:
        """A packed batch. States are in the order in which its sequences were given."""
        x, batch_sizes, there, back = input
        sizes = tuple(batch_sizes.tolist())
        start = self._start(hx, sizes[0], there)
        y, final = self._through_layers(x, sizes, start)
        if back is not None:
            final = tuple(index_select(s, 1, back) for s in final)
        return PackedSequence(y, batch_sizes, there, back), final

    def _start(
        self, hx: States | None, batch: int | None, order: Tensor | None
    ) -> States:
        """The initial states in the order of the sequences; zeros for None."""
        first = getattr(self, self._names[0][0])
        count = self.num_layers * len(self._suffixes())
        lead = (count,) if batch is None else (count, batch)
        widths = [self.proj_size or self.hidden_size]
        if self.mode == "LSTM":
            widths.append(self.hidden_size)
        if hx is None:
            xp, dtype = namespace(first.array), first.array.dtype
            return tuple(wrap(xp.zeros((*lead, n), dtype)) for n in widths)
        states = tuple(at_dtype_of(first, as_variable(s)) for s in hx)
        for what, state, n in zip(("h", "c"), states, widths, strict=False):
            if state.shape != (*lead, n):
                raise ShapeError(
                    f"{type(self).__name__}: the initial {what} must have shape "
                    f"{(*lead, n)}, (layers * directions, batch, features) without "
                    f"the batch for one sequence, got {state.shape}"
                )
        if order is None:
            return states
        return tuple(index_select(s, 1, order) for s in states)

    def _through_layers(
        self, x: Tensor, sizes: tuple[int, ...], start: States
    ) -> tuple[Tensor, States]:
        """Packed rows through all layers, and the final states of each."""
        if x.ndim != 2 or x.shape[1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: the steps of the input must have "
                f"{self.input_size} features (input_size), got steps of shape "
                f"{x.shape[1:]}"
            )
        _, op, attrs = MODES[self.mode]
        x = at_dtype_of(getattr(self, self._names[0][0]), x)
        directions = len(self._suffixes())
        finals = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = F.dropout(x, self.dropout, self.training)
            outputs = []
            for k in range(layer * directions, (layer + 1) * directions):
                y, *final = apply(
                    op,
                    x,
                    *[s[k] for s in start],
                    *self._weights(k),
                    sizes=sizes,
                    reverse=k % directions == 1,
                    **attrs,
                )
                outputs.append(y)
                finals.append(final)
            x = outputs[0] if directions == 1 else cat(outputs, dim=1)
        return x, tuple(stack(states) for states in zip(*finals, strict=True))

    def _weights(self, k: int) -> list[Parameter | None]:
        """What the operation takes for layer and direction `k`: None for what is not
        there."""
        found: list[Parameter | None] = [getattr(self, n) for n in self._names[k]]
        if not self.bias:
            found[2:2] = [None, None]
        if self.mode == "LSTM" and not self.proj_size:
            found.append(None)
        return found

    def _layout(self) -> str:
        return f"({'batch, time' if self.batch_first else 'time, batch'}, features)"


def check_sizes(name: str, **sizes: int) -> None:
    """Sizes are integers of at least 1."""
    for what, n in sizes.items():
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise DTypeError(f"{name}: {what} must be an int, got {n!r}")
        if n < 1:
            raise ArgumentError(f"{name}: {what} must be at least 1, got {n}")


def check_nonlinearity(name: str, nonlinearity: str) -> None:
    """Only two functions have an operation."""
    if nonlinearity not in ("tanh", "relu"):
        raise ArgumentError(
            f"{name}: nonlinearity is 'tanh' or 'relu', got {nonlinearity!r}"
        )


def _check_flags(name: str, **flags: bool) -> None:
    """A number in the place of a flag is most often one argument too few."""
    for what, flag in flags.items():
        if not isinstance(flag, bool):
            raise DTypeError(f"{name}: {what} must be True or False, got {flag!r}")


def _check_projection(name: str, mode: str, proj_size: int, hidden_size: int) -> None:
    if not 0 <= proj_size < hidden_size:
        raise ArgumentError(
            f"{name}: proj_size is at least 0 (none) and below hidden_size "
            f"({hidden_size}), got {proj_size}"
        )
    if proj_size and mode != "LSTM":
        raise ArgumentError(f"{name}: proj_size is for LSTM, got {proj_size}")


def _check_dropout(name: str, dropout: float, num_layers: int) -> None:
    if isinstance(dropout, bool) or not 0 <= dropout <= 1:
        raise ArgumentError(
            f"{name}: dropout is a probability, from 0 to 1, got {dropout!r}"
        )
    if dropout and num_layers == 1:
        warnings.warn(
            f"{name}: dropout={dropout} is at work between layers, and there is one "
            "layer; put nn.Dropout behind it, or set num_layers",
            stacklevel=4,
        )
