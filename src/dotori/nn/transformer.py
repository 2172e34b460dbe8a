"""The Transformer (Vaswani and others, "Attention is all you need", 2017)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable
from dotori.errors import ShapeError
from dotori.functions.filled import full
from dotori.nn import functional as F
from dotori.nn.container import ModuleList
from dotori.nn.init import xavier_uniform_
from dotori.nn.module import Module
from dotori.nn.normalization import LayerNorm
from dotori.nn.transformer_layer import (
    Activation,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerEncoder",
]


class TransformerEncoder(Module):
    """Several encoder layers, one after the other, and a norm if one is given.

    Parameters
    ----------
    encoder_layer : TransformerEncoderLayer
        Each layer is a copy of it, with equal weights at first.
    num_layers : int
    norm : Module, optional
    enable_nested_tensor, mask_check : bool
        Accepted for PyTorch's sake.

    Examples
    --------
    >>> import dotori
    >>> layer = TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> TransformerEncoder(layer, 2)(dotori.randn(4, 5, 8)).shape
    (4, 5, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList(
            copy.deepcopy(encoder_layer) for _ in range(num_layers)
        )
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self,
        src: Any,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """The sequence after all layers.

        Parameters
        ----------
        src : Tensor
        mask, src_key_padding_mask
            The masks of `MultiheadAttention`.
        is_causal : bool, optional
            Whether `mask` is causal; if it is not said, it is found out.
        """
        x = as_variable(src)
        causal = _is_causal(mask) if is_causal is None else is_causal
        for layer in self.layers:
            x = layer(
                x,
                src_mask=mask,
                is_causal=causal,
                src_key_padding_mask=src_key_padding_mask,
            )
        return x if self.norm is None else self.norm(x)


class TransformerDecoder(Module):
    """Several decoder layers, one after the other, and a norm if one is given.

    Parameters
    ----------
    decoder_layer : TransformerDecoderLayer
        Each layer is a copy of it, with equal weights at first.
    num_layers : int
    norm : Module, optional

    Examples
    --------
    >>> import dotori
    >>> layer = TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> decoder = TransformerDecoder(layer, 2)
    >>> decoder(dotori.randn(4, 3, 8), dotori.randn(4, 5, 8)).shape
    (4, 3, 8)
    """

    def __init__(
        self, decoder_layer: Module, num_layers: int, norm: Module | None = None
    ) -> None:
        super().__init__()
        self.layers = ModuleList(
            copy.deepcopy(decoder_layer) for _ in range(num_layers)
        )
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The sequence `tgt` after all layers; see `TransformerDecoderLayer.forward`.

        If `tgt_is_causal` is not said, it is found out.
        """
        x = as_variable(tgt)
        causal = _is_causal(tgt_mask) if tgt_is_causal is None else tgt_is_causal
        for layer in self.layers:
            x = layer(
                x,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return x if self.norm is None else self.norm(x)


def _is_causal(mask: Any) -> bool:
    """Whether `mask` hides from each position what comes after it, and nothing else."""
    array = None if mask is None else as_variable(mask).array
    if array is None or array.ndim != 2 or array.shape[0] != array.shape[1]:
        return False
    after = np.triu(np.ones(array.shape, bool), 1)
    if array.dtype == bool:
        return bool((array == after).all())
    return bool((array == np.where(after, -np.inf, 0)).all())


class Transformer(Module):
    """An encoder and a decoder: from one sequence to another.

    Weights with more than one axis start from Xavier's even distribution.

    Parameters
    ----------
    d_model, nhead : int
    num_encoder_layers, num_decoder_layers : int
    dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias
        As for `TransformerEncoderLayer`.
    custom_encoder, custom_decoder : Module, optional
        Take the place of `TransformerEncoder` and `TransformerDecoder`.

    Examples
    --------
    >>> import dotori
    >>> model = Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> model(dotori.randn(4, 5, 8), dotori.randn(4, 3, 8)).shape
    (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
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
        options: Any = (d_model, nhead, dim_feedforward, dropout, activation)
        options += (layer_norm_eps, batch_first, norm_first, bias, device, dtype)
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*options),
            num_encoder_layers,
            LayerNorm(d_model, **norm),
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*options),
            num_decoder_layers,
            LayerNorm(d_model, **norm),
        )
        for p in self.parameters():
            if p.ndim > 1:
                xavier_uniform_(p)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """What the decoder makes of `tgt`, seeing what the encoder made of `src`.

        Parameters
        ----------
        src, tgt : Tensor
            With a batch where `batch_first` says, or without: (length, d_model).
        src_mask, src_key_padding_mask, src_is_causal
            The masks of `src` looking at itself.
        tgt_mask, tgt_key_padding_mask, tgt_is_causal
            The masks of `tgt` looking at itself.
        memory_mask, memory_key_padding_mask, memory_is_causal
            The masks of `tgt` looking at what the encoder made.
        """
        x, y = as_variable(src), as_variable(tgt)
        self._check_shapes(x.shape, y.shape)
        memory = self.encoder(
            x,
            mask=src_mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=src_is_causal,
        )
        return self.decoder(
            y,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    def _check_shapes(self, src: tuple[int, ...], tgt: tuple[int, ...]) -> None:
        batch = 0 if self.batch_first else 1
        if len(src) == 3 and len(tgt) == 3 and src[batch] != tgt[batch]:
            raise ShapeError(
                "Transformer: src and tgt must have one batch size "
                f"(axis {batch}), got shapes {src} and {tgt}"
            )
        if src[-1:] != (self.d_model,) or tgt[-1:] != (self.d_model,):
            raise ShapeError(
                f"Transformer: the last axes of src and tgt must be {self.d_model}, "
                f"d_model, got shapes {src} and {tgt}"
            )

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: str | None = None, dtype: DTypeLike | None = None
    ) -> Tensor:
        """The causal mask: -inf for what comes after a position, else 0.

        Examples
        --------
        >>> Transformer.generate_square_subsequent_mask(2).tolist()
        [[0.0, -inf], [0.0, 0.0]]
        """
        return full((sz, sz), -np.inf, dtype=dtype, device=device).triu(1)
