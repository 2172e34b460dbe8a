"""Recurrent cells: one step at a time, for loops of one's own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable, wrap
from dotori.backend import namespace
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.nn import init
from dotori.nn.functional.linear import at_dtype_of
from dotori.nn.initial import new_parameter
from dotori.nn.module import Module
from dotori.nn.parameter import Parameter
from dotori.nn.recurrent_base import MODES, check_nonlinearity, check_sizes

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What the cells share; it has no forward of its own.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
    num_chunks : int
        The number of gates.

    Attributes
    ----------
    weight_ih : Parameter, shape (gates * hidden_size, input_size)
    weight_hh : Parameter, shape (gates * hidden_size, hidden_size)
    bias_ih, bias_hh : Parameter, shape (gates * hidden_size,), or None
        All start evenly spread between -1/sqrt(hidden_size) and its opposite.
    """

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = new_parameter((rows, input_size), dtype, device)
        self.weight_hh = new_parameter((rows, hidden_size), dtype, device)
        for which in ("bias_ih", "bias_hh"):
            made = new_parameter((rows,), dtype, device) if bias else None
            self.register_parameter(which, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Give all parameters their initial values again, drawn anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def extra_repr(self) -> str:
        found = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            found += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            found += f", nonlinearity={self.nonlinearity}"
        return found

    def _step(self, mode: str, input: TensorLike, hx: Any) -> tuple[Tensor, ...]:
        """The new states, from the input and a tuple of states, or None for zeros."""
        _, op, attrs = MODES[mode]
        x = at_dtype_of(self.weight_ih, as_variable(input))
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: input of shape (batch, {self.input_size}) or "
                f"({self.input_size},) is wanted, got {x.shape}"
            )
        states = self._states(x, hx, 2 if mode == "LSTM" else 1)
        rows = x if x.ndim == 2 else x.reshape(1, self.input_size)
        weights: list[Any] = [self.weight_ih, self.weight_hh]
        weights += [self.bias_ih, self.bias_hh]
        if mode == "LSTM":
            weights.append(None)  # no projection
        sizes = (rows.shape[0],)
        _, *new = apply(
            op, rows, *states, *weights, sizes=sizes, reverse=False, **attrs
        )
        return tuple(new) if x.ndim == 2 else tuple(s[0] for s in new)

    def _states(self, x: Tensor, hx: Any, count: int) -> list[Tensor]:
        """The states before the step, of shape (batch, hidden_size)."""
        wanted = (*x.shape[:-1], self.hidden_size)
        if hx is None:
            array = self.weight_hh.array
            zeros = namespace(array).zeros(
                (*wanted[:-1], self.hidden_size), array.dtype
            )
            states = [wrap(zeros)] * count
        else:
            states = [at_dtype_of(self.weight_hh, as_variable(s)) for s in hx]
        for state in states:
            if state.shape != wanted:
                raise ShapeError(
                    f"{type(self).__name__}: for input of shape {x.shape}, a state of "
                    f"shape {wanted} is wanted, got {state.shape}"
                )
        if x.ndim == 2:
            return states
        return [s.reshape(1, self.hidden_size) for s in states]


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or ReLU in place of tanh.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
    nonlinearity : {"tanh", "relu"}

    Examples
    --------
    >>> import dotori
    >>> cell = RNNCell(4, 3)
    >>> h = dotori.zeros(2, 3)
    >>> for x in dotori.ones(5, 2, 4):
    ...     h = cell(x, h)
    >>> h.shape
    (2, 3)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: TensorLike, hx: TensorLike | None = None) -> Tensor:
        """The new state, from an input of shape (batch, input_size) or (input_size,)
        and a state of shape (batch, hidden_size) or (hidden_size,), zeros by default.
        """
        mode = f"RNN_{self.nonlinearity.upper()}"
        return self._step(mode, input, None if hx is None else (hx,))[0]


class GRUCell(RNNCellBase):
    """h' = (1 - z) n + z h: one step of `GRU`::

        r = s(W_ir x + b_ir + W_hr h + b_hr)
        z = s(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r (W_hn h + b_hn))

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool

    Examples
    --------
    >>> import dotori
    >>> GRUCell(4, 3)(dotori.ones(2, 4)).shape
    (2, 3)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: TensorLike, hx: TensorLike | None = None) -> Tensor:
        """The new state: as `RNNCell.forward`."""
        return self._step("GRU", input, None if hx is None else (hx,))[0]


class LSTMCell(RNNCellBase):
    """c' = f c + i g and h' = o tanh(c'): one step of `LSTM`::

        i = s(W_ii x + b_ii + W_hi h + b_hi)
        f = s(W_if x + b_if + W_hf h + b_hf)
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)
        o = s(W_io x + b_io + W_ho h + b_ho)

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool

    Examples
    --------
    >>> import dotori
    >>> h, c = LSTMCell(4, 3)(dotori.ones(2, 4))
    >>> h.shape, c.shape
    ((2, 3), (2, 3))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: TensorLike, hx: tuple[TensorLike, TensorLike] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The new states (h, c), from an input and a pair of states: as
        `RNNCell.forward`."""
        if hx is not None and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
            raise ArgumentError(
                f"LSTMCell: the state is a pair (h, c), got {type(hx).__name__}"
            )
        h, c = self._step("LSTM", input, hx)
        return h, c
