"""The layers that a Transformer has several of: attention, and small networks.

Each part has a residual and a norm (Vaswani and others, "Attention is all you need",
2017, section 3.1), with `norm_first` before the part, as in Xiong and others, "On layer
normalization in the Transformer architecture", 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import DTypeLike

from dotori.autograd import as_variable
from dotori.errors import ArgumentError
from dotori.nn import functional as F
from dotori.nn.attention import MultiheadAttention
from dotori.nn.dropout import Dropout
from dotori.nn.linear import Linear
from dotori.nn.module import Module
from dotori.nn.normalization import LayerNorm

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation: TypeAlias = "str | Callable[[Tensor], Tensor]"


def _activation(given: Activation) -> Callable[[Tensor], Tensor]:
    if callable(given):
        return given
    if given not in ("relu", "gelu"):
        raise ArgumentError(
            f"activation must be 'relu', 'gelu' or a function, got {given!r}"
        )
    return F.relu if given == "relu" else F.gelu


class TransformerEncoderLayer(Module):
    """Self-attention and a network of two linear layers, each with a residual.

    x <- norm1(x + attention(x)), x <- norm2(x + network(x)); with `norm_first`,
    x <- x + attention(norm1(x)), x <- x + network(norm2(x)).

    Parameters
    ----------
    d_model, nhead : int
        Features, and heads among which they are shared out.
    dim_feedforward : int
        The width of the network.
    dropout : float
    activation : {"relu", "gelu"} or callable
    layer_norm_eps : float
    batch_first : bool
        Inputs have the shape (batch, length, d_model), not (length, batch, d_model).
    norm_first, bias : bool

    Examples
    --------
    >>> import dotori
    >>> layer = TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(dotori.randn(4, 5, 8)).shape
    (4, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        place: Any = {"device": device, "dtype": dtype}
        norm: Any = {"eps": layer_norm_eps, "bias": bias, **place}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **place
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **place)
        self.norm_first = norm_first
        self.norm1, self.norm2 = LayerNorm(d_model, **norm), LayerNorm(d_model, **norm)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Tensor:
        """The sequence after this layer.

        Parameters
        ----------
        src : Tensor
        src_mask, src_key_padding_mask, is_causal
            The masks of `MultiheadAttention`.
        """
        x = as_variable(src)
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = x + self._look(self.norm1(x), *masks)
            return x + self._think(self.norm2(x))
        x = self.norm1(x + self._look(x, *masks))
        return self.norm2(x + self._think(x))

    def _look(self, x: Tensor, mask: Any, padding: Any, causal: bool) -> Tensor:
        y = self.self_attn(x, x, x, padding, False, mask, True, causal)[0]
        return self.dropout1(y)

    def _think(self, x: Tensor) -> Tensor:
        y = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return self.dropout2(y)


class TransformerDecoderLayer(Module):
    """Self-attention, attention to an encoder's output, and a network of two layers.

    Its parameters are those of `TransformerEncoderLayer`.

    Examples
    --------
    >>> import dotori
    >>> layer = TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> layer(dotori.randn(4, 3, 8), dotori.randn(4, 5, 8)).shape
    (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        place: Any = {"device": device, "dtype": dtype}
        norm: Any = {"eps": layer_norm_eps, "bias": bias, **place}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **place
        )
        self.multihead_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **place
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **place)
        self.norm_first = norm_first
        self.norm1, self.norm2 = LayerNorm(d_model, **norm), LayerNorm(d_model, **norm)
        self.norm3 = LayerNorm(d_model, **norm)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The sequence `tgt` after this layer.

        Parameters
        ----------
        tgt, memory : Tensor
            The sequence, and what the encoder made of another one.
        tgt_mask, tgt_key_padding_mask, tgt_is_causal
            The masks of `tgt` looking at itself.
        memory_mask, memory_key_padding_mask, memory_is_causal
            The masks of `tgt` looking at `memory`.
        """
        x, seen = as_variable(tgt), as_variable(memory)
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._look(self.norm1(x), *own)
            x = x + self._look_at(self.norm2(x), seen, *other)
            return x + self._think(self.norm3(x))
        x = self.norm1(x + self._look(x, *own))
        x = self.norm2(x + self._look_at(x, seen, *other))
        return self.norm3(x + self._think(x))

    def _look(self, x: Tensor, mask: Any, padding: Any, causal: bool) -> Tensor:
        y = self.self_attn(x, x, x, padding, False, mask, True, causal)[0]
        return self.dropout1(y)

    def _look_at(
        self, x: Tensor, seen: Tensor, mask: Any, padding: Any, causal: bool
    ) -> Tensor:
        y = self.multihead_attn(x, seen, seen, padding, False, mask, True, causal)[0]
        return self.dropout2(y)

    def _think(self, x: Tensor) -> Tensor:
        y = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return self.dropout3(y)
