"""Normalisation with running statistics: batch norm and instance norm, as modules."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from dotori._tensor import Tensor
from dotori.autograd import note_change, wrap
from dotori.backend import to_device
from dotori.errors import ShapeError
from dotori.nn import functional as F
from dotori.nn import init
from dotori.nn.initial import new_parameter
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori.nn.parameter import Parameter

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
]


class _RunningNorm(Module):
    """Weight and bias of a channel, and its running mean and variance.

    Parameters
    ----------
    num_features : int
        The number of channels.
    eps : float
        Added to the variance.
    momentum : float or None
        How far running statistics move towards those of a batch; None: as far as makes
        them the average of all batches so far.
    affine, bias : bool
        Whether there is a weight, which starts as 1, and whether a bias, 0, is beside
        it.
    track_running_stats : bool
        Without running statistics, those of the input serve in evaluation as well.
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    _spatial: tuple[int, ...]  # how many axes may follow (batch, channels)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._make(num_features, bias, device, dtype)
        self.reset_parameters()

    def _make(
        self,
        num_features: int,
        bias: bool,
        device: str | None,
        dtype: DTypeLike | None,
    ) -> None:
        """The parameters and buffers, before they are given values."""
        for name, wanted in (("weight", self.affine), ("bias", self.affine and bias)):
            p = new_parameter((num_features,), dtype, device) if wanted else None
            self.register_parameter(name, p)
        for name in ("running_mean", "running_var"):
            p = new_parameter((num_features,), dtype, device)
            tracked = self.track_running_stats
            self.register_buffer(name, p.detach() if tracked else None)
        count = to_device(np.zeros((), np.int64), device or "cpu")
        tracked = self.track_running_stats
        self.register_buffer("num_batches_tracked", wrap(count) if tracked else None)

    def reset_running_stats(self) -> None:
        """Running means 0, variances 1, no batches."""
        if self.running_mean is not None and self.running_var is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
        if self.num_batches_tracked is not None:
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Weights 1, biases 0, running statistics as before the first batch."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_axes(self, x: Tensor) -> None:
        """Refuse what has another number of axes."""
        wanted = [2 + n for n in self._spatial]
        if x.ndim not in wanted:
            numbers = " or ".join(map(str, wanted))
            raise ShapeError(
                f"{type(self).__name__}: x has shape {x.shape}; {numbers} axes are "
                "wanted"
            )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_RunningNorm):
    def forward(self, x: Tensor) -> Tensor:
        self._check_axes(x)
        momentum = 0.0 if self.momentum is None else self.momentum
        counted = self.num_batches_tracked
        if self.training and self.track_running_stats and counted is not None:
            counted.array[...] += 1
            note_change(counted.array, type(self).__name__)
            if self.momentum is None:
                momentum = 1 / int(counted.array)
        mean, var = self.running_mean, self.running_var
        of_batch = self.training or (mean is None and var is None)
        if self.training and not self.track_running_stats:
            mean, var = None, None
        return F.batch_norm(
            x, mean, var, self.weight, self.bias, of_batch, momentum, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """Batch norm of (batch, channels) or (batch, channels, length).

    In training by the mean and the variance of the batch; in evaluation by running
    ones: see `dotori.nn.functional.batch_norm`.

    Parameters
    ----------
    num_features : int
    eps : float
    momentum : float or None
        None: running statistics are the average over all batches.
    affine, track_running_stats, bias : bool

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,), or None
    running_mean, running_var : Tensor, shape (num_features,), or None
    num_batches_tracked : Tensor of one int, or None

    Examples
    --------
    >>> import dotori
    >>> norm = BatchNorm1d(2)
    >>> y = norm(dotori.tensor([[1.0, 10.0], [3.0, 30.0]]))
    >>> [round(v, 3) for v in y.flatten().tolist()]
    [-1.0, -1.0, 1.0, 1.0]
    >>> [round(v, 3) for v in norm.running_mean.tolist()]
    [0.2, 2.0]
    """

    _spatial = (0, 1)


class BatchNorm2d(_BatchNorm):
    """Batch norm of (batch, channels, height, width): see `BatchNorm1d`.

    Examples
    --------
    >>> import dotori
    >>> BatchNorm2d(3)(dotori.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    _spatial = (2,)


class BatchNorm3d(_BatchNorm):
    """Batch norm of (batch, channels, depth, height, width): see `BatchNorm1d`.

    Examples
    --------
    >>> import dotori
    >>> BatchNorm3d(3)(dotori.ones(2, 3, 4, 4, 4)).shape
    (2, 3, 4, 4, 4)
    """

    _spatial = (3,)


class _InstanceNorm(_RunningNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features,
            eps,
            momentum,
            affine,
            track_running_stats,
            device,
            dtype,
            bias=bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        self._check_axes(x)
        single = x.ndim == min(self._spatial) + 2
        n_channels = x.shape[0 if single else 1]
        if n_channels != self.num_features and self.weight is None:
            warnings.warn(
                f"{type(self).__name__}: x has shape {x.shape}, of {n_channels} "
                f"channels, but num_features is {self.num_features}; without a weight "
                "that changes nothing",
                stacklevel=3,
            )
        return self._of(x.unsqueeze(0)).squeeze(0) if single else self._of(x)

    def _of(self, x: Tensor) -> Tensor:
        return F.instance_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(_InstanceNorm):
    """Instance norm of (batch, channels, length), or without the batch.

    Each channel of each sample by its own mean and variance, or, with
    `track_running_stats`, in evaluation by running ones.

    Parameters
    ----------
    num_features : int
    eps : float
    momentum : float or None
    affine, track_running_stats, bias : bool

    Examples
    --------
    >>> import dotori
    >>> InstanceNorm1d(2)(dotori.ones(3, 2, 4)).shape
    (3, 2, 4)
    """

    _spatial = (0, 1)


class InstanceNorm2d(_InstanceNorm):
    """Instance norm of (batch, channels, height, width), or without the batch.

    Examples
    --------
    >>> import dotori
    >>> InstanceNorm2d(2)(dotori.ones(3, 2, 4, 4)).shape
    (3, 2, 4, 4)
    """

    _spatial = (1, 2)


class InstanceNorm3d(_InstanceNorm):
    """Instance norm of (batch, channels, depth, height, width), or without the batch.

    Examples
    --------
    >>> import dotori
    >>> InstanceNorm3d(2)(dotori.ones(3, 2, 4, 4, 4)).shape
    (3, 2, 4, 4, 4)
    """

    _spatial = (2, 3)
