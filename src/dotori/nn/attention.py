"""Multi-head attention as a module."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from numpy.typing import DTypeLike

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.nn.functional.multi_head import Options, Weights, attend
from dotori.nn.init import xavier_normal_
from dotori.nn.initial import new_parameter
from dotori.nn.linear import Linear
from dotori.nn.module import Module
from dotori.nn.parameter import Parameter

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Several heads attend, each to its part of the features, and are joined.

    Vaswani and others, "Attention is all you need", 2017, section 3.2.2.

    Parameters
    ----------
    embed_dim : int
        The features of queries and of the output: a multiple of `num_heads`.
    num_heads : int
    dropout : float
        The probability with which a weight is dropped while training.
    bias : bool
        Whether the projections have biases.
    add_bias_kv : bool
        One key and value more, which are learned.
    add_zero_attn : bool
        One key and value more, which are 0.
    kdim, vdim : int, optional
        The features of keys and of values: `embed_dim` unless given.
    batch_first : bool
        Inputs have the shape (batch, length, features), not (length, batch, features).

    Attributes
    ----------
    in_proj_weight : Parameter, shape (3 embed_dim, embed_dim), or None
        Of queries, keys and values; with other `kdim` or `vdim`, `q_proj_weight`,
        `k_proj_weight` and `v_proj_weight` are there instead.
    in_proj_bias : Parameter, shape (3 embed_dim,), or None
    out_proj : Module
    bias_k, bias_v : Parameter, shape (1, 1, embed_dim), or None

    Examples
    --------
    >>> import dotori
    >>> attention = MultiheadAttention(8, 2, batch_first=True)
    >>> x = dotori.randn(4, 5, 8)
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    ((4, 5, 8), (4, 5, 5))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ArgumentError(
                f"MultiheadAttention: embed_dim={embed_dim} must be a multiple of "
                f"num_heads={num_heads}, and both at least 1"
            )
        if not 0 <= dropout <= 1:
            raise ArgumentError(
                f"MultiheadAttention: dropout is a probability, got {dropout}"
            )
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.head_dim = embed_dim // num_heads
        self.dropout, self.batch_first = dropout, batch_first
        self.add_zero_attn = add_zero_attn
        place: Any = {"dtype": dtype, "device": device}
        self._make_projections(place)
        if bias:
            self.in_proj_bias = new_parameter((3 * embed_dim,), **place)
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype)
        if self.out_proj.bias is not None:
            self.out_proj.bias.array[...] = 0
        self.bias_k = self.bias_v = None
        if add_bias_kv:
            self.bias_k = new_parameter((1, 1, embed_dim), **place)
            self.bias_v = new_parameter((1, 1, embed_dim), **place)
            xavier_normal_(self.bias_k)
            xavier_normal_(self.bias_v)

    def _make_projections(self, place: Any) -> None:
        """Weights from Xavier's even distribution, in the shapes that are needed."""
        wide = self.embed_dim
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        if self.kdim == wide and self.vdim == wide:
            bound = math.sqrt(6 / (4 * wide))  # of (3 wide, wide), as PyTorch has it
            self.in_proj_weight = new_parameter((3 * wide, wide), **place, bound=bound)
            for name in names:
                self.register_parameter(name, None)
            return
        for name, features in zip(names, (wide, self.kdim, self.vdim), strict=True):
            bound = math.sqrt(6 / (wide + features))
            setattr(self, name, new_parameter((wide, features), **place, bound=bound))
        self.register_parameter("in_proj_weight", None)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The output, and the weights if they are needed.

        Parameters
        ----------
        query, key, value : Tensor
            With a batch where `batch_first` says, or without: (length, features).
        key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal
            As for `dotori.nn.functional.multi_head_attention_forward`. Without
            `need_weights` it is faster, and takes less memory.
        """
        shape = as_variable(query).shape
        if shape[-1:] != (self.embed_dim,):
            raise ShapeError(
                f"MultiheadAttention({self.embed_dim}, {self.num_heads}) was given a "
                f"query of shape {shape}: its last axis must be {self.embed_dim}"
            )
        weights = Weights(
            self.in_proj_weight,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.out_proj.weight,
            self.out_proj.bias,
        )
        options = Options(
            self.num_heads,
            0 if self.batch_first else 1,
            self.dropout if self.training else 0.0,
            self.add_zero_attn,
            need_weights,
            average_attn_weights,
            is_causal,
        )
        return attend(query, key, value, weights, options, attn_mask, key_padding_mask)
