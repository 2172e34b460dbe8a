"""A convolution or an affine map with the batch norm behind it, as one layer.

In evaluation batch norm is an affine map of each channel, so its numbers can be
multiplied into the weight: W' = W s, b' = (b - mean) s + bias, where
s = weight / sqrt(var + eps).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar

from dotori import functions as fn
from dotori.errors import ArgumentError
from dotori.nn.parameter import Parameter

if TYPE_CHECKING:
    from dotori._tensor import Tensor
    from dotori.nn.module import Module

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]

M = TypeVar("M", bound="Module")


def fuse_conv_bn_eval(conv: M, bn: Module, transpose: bool = False) -> M:
    """A copy of a convolution that does what it and `bn` do in evaluation.

    Parameters
    ----------
    conv : Module
        A convolution, in evaluation mode.
    bn : Module
        Batch norm with running statistics, in evaluation mode.
    transpose : bool
        Whether the axis of the outputs is axis 1 of the weight, not 0.

    Raises
    ------
    ArgumentError
        If one of them is in training mode, or there are no running statistics.

    Examples
    --------
    >>> from dotori import nn
    >>> conv, bn = nn.Conv2d(3, 4, 1).eval(), nn.BatchNorm2d(4).eval()
    >>> fuse_conv_bn_eval(conv, bn).weight.shape
    (4, 3, 1, 1)
    """
    _check("fuse_conv_bn_eval", conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight,
        fused.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
        transpose,
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution with batch norm multiplied in.

    Parameters
    ----------
    conv_w : Tensor, shape (out, in, ...), or (in, out, ...) with `transpose`
    conv_b, bn_w, bn_b : Tensor, shape (out,), or None
    bn_rm, bn_rv : Tensor, shape (out,)
        Running mean and variance.
    bn_eps : float

    Examples
    --------
    >>> import dotori
    >>> one, zero = dotori.ones(1), dotori.zeros(1)
    >>> w, b = fuse_conv_bn_weights(
    ...     dotori.ones(1, 1, 1), None, 3 * one, 4 * one, 0.0, one, zero
    ... )
    >>> w.item(), b.item()
    (0.5, -1.5)
    """
    scale = fn.rsqrt(bn_rv + bn_eps)
    scale = scale if bn_w is None else bn_w * scale
    outside = (1, -1) if transpose else (-1, 1)
    weight = conv_w * scale.reshape(*outside, *(1,) * (conv_w.ndim - 2))
    return _parameters(conv_w, conv_b, weight, scale, bn_rm, bn_b)


def fuse_linear_bn_eval(linear: M, bn: Module) -> M:
    """A copy of a linear layer that does what it and `bn` do in evaluation.

    Parameters
    ----------
    linear : Module
        In evaluation mode.
    bn : Module
        Batch norm with running statistics, in evaluation mode.

    Raises
    ------
    ArgumentError
        If one of them is in training mode, there are no running statistics, or the
        numbers of features differ.

    Examples
    --------
    >>> from dotori import nn
    >>> fuse_linear_bn_eval(nn.Linear(3, 4).eval(), nn.BatchNorm1d(4).eval())
    Linear(in_features=3, out_features=4, bias=True)
    """
    _check("fuse_linear_bn_eval", linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise ArgumentError(
            f"fuse_linear_bn_eval: {linear.out_features} outputs do not go with batch "
            f"norm of {bn.num_features} features"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight,
        fused.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a linear layer with batch norm multiplied in.

    Parameters
    ----------
    linear_w : Tensor, shape (out, in)
    linear_b, bn_w, bn_b : Tensor, shape (out,), or None
    bn_rm, bn_rv : Tensor, shape (out,)
        Running mean and variance.
    bn_eps : float

    Examples
    --------
    >>> import dotori
    >>> one, zero = dotori.ones(1), dotori.zeros(1)
    >>> w, b = fuse_linear_bn_weights(
    ...     dotori.ones(1, 2), one, 3 * one, 4 * one, 0.0, one, zero
    ... )
    >>> w.tolist(), b.item()
    ([[0.5, 0.5]], -1.0)
    """
    scale = fn.rsqrt(bn_rv + bn_eps)
    scale = scale if bn_w is None else bn_w * scale
    weight = linear_w * scale.unsqueeze(-1)
    return _parameters(linear_w, linear_b, weight, scale, bn_rm, bn_b)


def _parameters(
    old_w: Tensor,
    old_b: Tensor | None,
    weight: Tensor,
    scale: Tensor,
    mean: Tensor,
    shift: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """The new weight and (b - mean) scale + shift, trained if the old ones were."""
    bias = (-mean if old_b is None else old_b - mean) * scale
    bias = bias if shift is None else bias + shift
    trained: Any = old_b is not None and old_b.requires_grad
    dtype = old_w.dtype if old_b is None else old_b.dtype
    return (
        Parameter(weight.detach().to(old_w.dtype), old_w.requires_grad),
        Parameter(bias.detach().to(dtype), bool(trained)),
    )


def _check(place: str, layer: Module, bn: Module) -> None:
    if layer.training or bn.training:
        raise ArgumentError(
            f"{place}: batch norm is an affine map in evaluation only; call eval() on "
            "both first"
        )
    if bn.running_mean is None or bn.running_var is None:
        raise ArgumentError(f"{place}: batch norm has no running statistics")
