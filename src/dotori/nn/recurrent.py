"""Recurrent layers: RNN, LSTM and GRU over whole sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import DTypeLike

from dotori.errors import ArgumentError
from dotori.functions._numpy import TensorLike
from dotori.nn.recurrent_base import RNNBase, check_nonlinearity

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN"]


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or ReLU in place of tanh.

    Elman's network: the state is the output, and all that is remembered.

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
    nonlinearity : {"tanh", "relu"}
    bias, batch_first, dropout, bidirectional
        See `RNNBase`.

    Examples
    --------
    >>> import dotori
    >>> layer = RNN(4, 3, batch_first=True)
    >>> output, h = layer(dotori.ones(2, 5, 4))
    >>> output.shape, h.shape
    ((2, 5, 3), (1, 2, 3))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        check_nonlinearity("RNN", nonlinearity)
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity

    def forward(
        self, input: Any, hx: Any = None, *, lengths: TensorLike | None = None
    ) -> tuple[Any, Tensor]:
        """The outputs of the last layer at all steps, and the final states of all.

        Parameters
        ----------
        input : Tensor or PackedSequence
            (time, batch, input_size), or (batch, time, input_size) with `batch_first`,
            or (time, input_size) for one sequence.
        hx : Tensor, shape (num_layers * directions, batch, hidden_size), optional
            The initial states, zeros by default; without the batch for one sequence.
        lengths : sequence of int, one for each sequence of a padded batch, optional
            Not in PyTorch: what lies beyond the length of a sequence is not read, the
            outputs there are 0, and final states are those at its end. The sequences
            may stand in any order.

        Returns
        -------
        output : Tensor or PackedSequence
            As the input, with directions * hidden_size features.
        h : Tensor, of the shape of `hx`
        """
        output, (h,) = self._run(input, None if hx is None else (hx,), lengths)
        return output, h


class GRU(RNNBase):
    """h_t = (1 - z) n + z h_{t-1}: the gated recurrent unit (Cho et al., 2014)::

        r = s(W_ir x_t + b_ir + W_hr h + b_hr)           how much of the past is seen
        z = s(W_iz x_t + b_iz + W_hz h + b_hz)           how much of it stays
        n = tanh(W_in x_t + b_in + r (W_hn h + b_hn))    what is new

    with h = h_{t-1} and the sigmoid s. Weights hold r, z and n one below the other.
    The reset gate r acts on W_hn h, as in PyTorch; in the paper it acts on h.

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
    bias, batch_first, dropout, bidirectional
        See `RNNBase`.

    Examples
    --------
    >>> import dotori
    >>> layer = GRU(4, 3, bidirectional=True)
    >>> output, h = layer(dotori.ones(5, 2, 4), lengths=[3, 5])
    >>> output.shape, h.shape
    ((5, 2, 6), (2, 2, 3))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )

    def forward(
        self, input: Any, hx: Any = None, *, lengths: TensorLike | None = None
    ) -> tuple[Any, Tensor]:
        """The outputs of the last layer and the final states: as `RNN.forward`."""
        output, (h,) = self._run(input, None if hx is None else (hx,), lengths)
        return output, h


class LSTM(RNNBase):
    """c_t = f c_{t-1} + i g and h_t = o tanh(c_t): the long short-term memory::

        i = s(W_ii x_t + b_ii + W_hi h + b_hi)        what comes in
        f = s(W_if x_t + b_if + W_hf h + b_hf)        what is kept
        g = tanh(W_ig x_t + b_ig + W_hg h + b_hg)     what is new
        o = s(W_io x_t + b_io + W_ho h + b_ho)        what is shown

    with h = h_{t-1} and the sigmoid s. Weights hold i, f, g and o one below the other.
    With `proj_size`, h_t = W_hr (o tanh(c_t)). Hochreiter and Schmidhuber, 1997; the
    forget gate f is Gers, Schmidhuber and Cummins', 2000.

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
    bias, batch_first, dropout, bidirectional, proj_size
        See `RNNBase`.

    Examples
    --------
    >>> import dotori
    >>> layer = LSTM(4, 3, num_layers=2)
    >>> output, (h, c) = layer(dotori.ones(5, 2, 4))
    >>> output.shape, h.shape, c.shape
    ((5, 2, 3), (2, 2, 3), (2, 2, 3))
    """

    def __init__(
        self,
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
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def forward(
        self, input: Any, hx: Any = None, *, lengths: TensorLike | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """The outputs of the last layer and the final states: as `RNN.forward`.

        `hx` and the final states are pairs (h, c). Of features, h has `proj_size` if
        that is given, and c has hidden_size.
        """
        if hx is not None and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
            raise ArgumentError(
                "LSTM: the initial states are a pair (h, c), got "
                f"{type(hx).__name__} of shape {getattr(hx, 'shape', len(hx))}"
            )
        output, (h, c) = self._run(input, None if hx is None else tuple(hx), lengths)
        return output, (h, c)
