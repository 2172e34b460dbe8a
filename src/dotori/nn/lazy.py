"""Layers that learn the number of their inputs at the first call.

Until then their parameters are `UninitializedParameter`, without a shape. The first
call makes them and turns the layer into one of the plain class. It draws the random
numbers that the plain layer would draw when it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import DTypeLike

from dotori.errors import ArgumentError, ShapeError
from dotori.nn import batch_norm as norms
from dotori.nn import convolution as conv
from dotori.nn.explain import explain
from dotori.nn.functional.sizes import Sizes
from dotori.nn.linear import Linear
from dotori.nn.module import Module
from dotori.nn.parameter import (
    Uninitialized,
    UninitializedBuffer,
    UninitializedParameter,
    is_lazy,
)

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
]


class LazyModuleMixin(Module):
    """A module whose parameters get their shapes at the first call.

    A subclass names it before the module that it extends, sets `UninitializedParameter`
    in ``__init__``, and defines ``initialize_parameters``, which is given the arguments
    of the first call and calls ``materialize`` on each. If it names a class in
    ``cls_to_become``, it is of that class from then on.

    Examples
    --------
    >>> import dotori
    >>> from dotori import nn
    >>> class Scale(LazyModuleMixin, nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.weight = nn.UninitializedParameter()
    ...
    ...     def initialize_parameters(self, x):
    ...         self.weight.materialize(x.shape[1:])
    ...         nn.init.ones_(self.weight)
    ...
    ...     def forward(self, x):
    ...         return x * self.weight
    >>> Scale()(dotori.ones(2, 3)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    cls_to_become: ClassVar[type[Module] | None] = None

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give all parameters their shapes and values, from the first input."""
        raise NotImplementedError(f"{type(self).__name__} has no initialize_parameters")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer waits for its shape."""
        return any(map(is_lazy, (*self._parameters.values(), *self._buffers.values())))

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        become = self.cls_to_become
        if become is None and not self.has_uninitialized_params():
            return super().__call__(*args, **kwargs)
        try:
            self.initialize_parameters(*args, **kwargs)
            if self.has_uninitialized_params():
                raise ArgumentError(
                    f"{type(self).__name__}: initialize_parameters has left a "
                    "parameter without a shape"
                )
        except Exception as error:
            explain(error, self, args)
            raise
        if become is None:
            return super().__call__(*args, **kwargs)
        object.__setattr__(self, "__class__", become)
        return become.__call__(self, *args, **kwargs)


class _Lazy(LazyModuleMixin):
    """A layer whose first argument is the number of its inputs."""

    _size: ClassVar[str]  # the attribute that holds this number
    _arguments: dict[str, Any]

    def _start(self, **arguments: Any) -> None:
        """Make the plain layer of no inputs, then take its parameters out."""
        super().__init__(0, **arguments)  # type: ignore[call-arg]
        object.__setattr__(self, "_arguments", arguments)
        kinds = {"_parameters": UninitializedParameter, "_buffers": UninitializedBuffer}
        for home, kind in kinds.items():
            for name, t in getattr(self, home).items():
                if t is not None and t.ndim:  # not the number of batches
                    self._put(home, name, kind(dtype=t.dtype, device=str(t.device)))

    def _n_inputs(self, x: Tensor) -> int:
        raise NotImplementedError

    def initialize_parameters(self, x: Tensor, *args: Any, **kwargs: Any) -> None:
        """Take the parameters of a plain layer that fits `x`; what was loaded stays."""
        n = self._n_inputs(x)
        if self.has_uninitialized_params():
            make: Any = self.cls_to_become
            plain = make(n, **self._arguments)
            for name, t in (*self._parameters.items(), *self._buffers.items()):
                if isinstance(t, Uninitialized):
                    made = getattr(plain, name).array
                    t.materialize(made.shape)
                    t.array[...] = made
        setattr(self, self._size, n)
        object.__delattr__(self, "_arguments")

    def _axis(self, x: Tensor, axis: int, wanted: list[int]) -> int:
        """The length of an axis of `x`, which has one of these numbers of axes."""
        if x.ndim not in wanted:
            raise ShapeError(
                f"{type(self).__name__}: x has shape {x.shape}; "
                f"{' or '.join(map(str, wanted))} axes are wanted"
            )
        return x.shape[axis]


class LazyLinear(_Lazy, Linear):
    """`Linear` whose `in_features` is the last axis of the first input.

    Parameters
    ----------
    out_features : int
    bias : bool

    Examples
    --------
    >>> import dotori
    >>> layer = LazyLinear(2)
    >>> layer
    LazyLinear(in_features=0, out_features=2, bias=True)
    >>> layer(dotori.ones(5, 3)).shape, layer
    ((5, 2), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become = Linear
    _size = "in_features"

    def __init__(
        self,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        self._start(out_features=out_features, bias=bias, device=device, dtype=dtype)

    def _n_inputs(self, x: Tensor) -> int:
        return self._axis(x, -1, [max(x.ndim, 1)])


class _LazyConv(_Lazy):
    _size = "in_channels"
    n_axes: ClassVar[int]

    def _n_inputs(self, x: Tensor) -> int:
        n = self.n_axes
        return self._axis(x, -n - 1, [n + 1, n + 2])


class _LazyForward(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        self._start(
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
            device=device,
            dtype=dtype,
        )


class _LazyTransposed(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        self._start(
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            groups=groups,
            bias=bias,
            dilation=dilation,
            padding_mode=padding_mode,
            device=device,
            dtype=dtype,
        )


class LazyConv1d(_LazyForward, conv.Conv1d):
    """`Conv1d` whose `in_channels` is that of the first input.

    Examples
    --------
    >>> import dotori
    >>> LazyConv1d(4, 3)(dotori.zeros(2, 3, 9)).shape
    (2, 4, 7)
    """

    cls_to_become = conv.Conv1d


class LazyConv2d(_LazyForward, conv.Conv2d):
    """`Conv2d` whose `in_channels` is that of the first input.

    Examples
    --------
    >>> import dotori
    >>> LazyConv2d(4, 3)(dotori.zeros(2, 3, 9, 9)).shape
    (2, 4, 7, 7)
    """

    cls_to_become = conv.Conv2d


class LazyConv3d(_LazyForward, conv.Conv3d):
    """`Conv3d` whose `in_channels` is that of the first input.

    Examples
    --------
    >>> import dotori
    >>> LazyConv3d(4, 3)(dotori.zeros(2, 3, 9, 9, 9)).shape
    (2, 4, 7, 7, 7)
    """

    cls_to_become = conv.Conv3d


class LazyConvTranspose1d(_LazyTransposed, conv.ConvTranspose1d):
    """`ConvTranspose1d` whose `in_channels` is that of the first input.

    Examples
    --------
    >>> import dotori
    >>> LazyConvTranspose1d(4, 3)(dotori.zeros(2, 3, 9)).shape
    (2, 4, 11)
    """

    cls_to_become = conv.ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposed, conv.ConvTranspose2d):
    """`ConvTranspose2d` whose `in_channels` is that of the first input.

    Examples
    --------
    >>> import dotori
    >>> LazyConvTranspose2d(4, 3)(dotori.zeros(2, 3, 9, 9)).shape
    (2, 4, 11, 11)
    """

    cls_to_become = conv.ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposed, conv.ConvTranspose3d):
    """`ConvTranspose3d` whose `in_channels` is that of the first input.

    Examples
    --------
    >>> import dotori
    >>> LazyConvTranspose3d(4, 3)(dotori.zeros(2, 3, 9, 9, 9)).shape
    (2, 4, 11, 11, 11)
    """

    cls_to_become = conv.ConvTranspose3d


class _LazyNorm(_Lazy, norms._RunningNorm):
    """All have a weight and running statistics by default, as in PyTorch."""

    _size = "num_features"

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        self._start(
            eps=eps,
            momentum=momentum,
            affine=affine,
            track_running_stats=track_running_stats,
            device=device,
            dtype=dtype,
            bias=bias,
        )

    def _n_inputs(self, x: Tensor) -> int:
        wanted = [2 + n for n in self._spatial]
        # instance norm takes a sample without a batch as well
        axis = 1 if isinstance(self, norms._BatchNorm) else -max(self._spatial) - 1
        return self._axis(x, axis, wanted)


class LazyBatchNorm1d(_LazyNorm, norms.BatchNorm1d):
    """`BatchNorm1d` whose `num_features` is the channels of the first input.

    Examples
    --------
    >>> import dotori
    >>> LazyBatchNorm1d()(dotori.zeros(2, 3, 4)).shape
    (2, 3, 4)
    """

    cls_to_become = norms.BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, norms.BatchNorm2d):
    """`BatchNorm2d` whose `num_features` is the channels of the first input.

    Examples
    --------
    >>> import dotori
    >>> LazyBatchNorm2d()(dotori.zeros(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    cls_to_become = norms.BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, norms.BatchNorm3d):
    """`BatchNorm3d` whose `num_features` is the channels of the first input.

    Examples
    --------
    >>> import dotori
    >>> LazyBatchNorm3d()(dotori.zeros(2, 3, 4, 4, 4)).shape
    (2, 3, 4, 4, 4)
    """

    cls_to_become = norms.BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, norms.InstanceNorm1d):
    """`InstanceNorm1d` whose `num_features` is the channels of the first input.

    By default it has a weight and running statistics, other than `InstanceNorm1d`.

    Examples
    --------
    >>> import dotori
    >>> LazyInstanceNorm1d()(dotori.zeros(2, 3, 4)).shape
    (2, 3, 4)
    """

    cls_to_become = norms.InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, norms.InstanceNorm2d):
    """`InstanceNorm2d` whose `num_features` is the channels of the first input.

    By default it has a weight and running statistics, other than `InstanceNorm2d`.

    Examples
    --------
    >>> import dotori
    >>> LazyInstanceNorm2d()(dotori.zeros(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    cls_to_become = norms.InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, norms.InstanceNorm3d):
    """`InstanceNorm3d` whose `num_features` is the channels of the first input.

    By default it has a weight and running statistics, other than `InstanceNorm3d`.

    Examples
    --------
    >>> import dotori
    >>> LazyInstanceNorm3d()(dotori.zeros(2, 3, 4, 4, 4)).shape
    (2, 3, 4, 4, 4)
    """

    cls_to_become = norms.InstanceNorm3d
