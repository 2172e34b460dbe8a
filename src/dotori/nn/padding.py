"""Layers that put something around lines, pictures and volumes.

Lengths are those before and behind the last axis, then the one before it, and so on;
one number stands for all. Negative lengths cut off. See `dotori.nn.functional.pad`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from dotori.errors import ArgumentError
from dotori.nn import functional as F
from dotori.nn.functional.sizes import Sizes
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """What all of them share: a mode, and two lengths for each of some axes."""

    _mode: ClassVar[str]
    _axes: ClassVar[int]

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        wanted = 2 * self._axes
        if isinstance(padding, Sequence):
            lengths = tuple(padding)
        else:
            lengths = (padding,) * wanted
        if len(lengths) != wanted:
            raise ArgumentError(
                f"{type(self).__name__}: padding is one int or {wanted}, got {padding}"
            )
        self.padding = lengths

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """A number around."""

    _mode = "constant"

    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A number around a line.

    Parameters
    ----------
    padding : int or pair
    value : number

    Examples
    --------
    >>> import dotori
    >>> ConstantPad1d(2, 1.5)(dotori.ones(2, 3, 5)).shape
    (2, 3, 9)
    """

    _axes = 1


class ConstantPad2d(_ConstantPad):
    """A number around a picture.

    Parameters
    ----------
    padding : int or 4 of them
    value : number

    Examples
    --------
    >>> import dotori
    >>> ConstantPad2d(2, 1.5)(dotori.ones(2, 3, 5, 6)).shape
    (2, 3, 9, 10)
    """

    _axes = 2


class ConstantPad3d(_ConstantPad):
    """A number around a volume.

    Parameters
    ----------
    padding : int or 6 of them
    value : number

    Examples
    --------
    >>> import dotori
    >>> ConstantPad3d(2, 1.5)(dotori.ones(2, 3, 5, 6, 7)).shape
    (2, 3, 9, 10, 11)
    """

    _axes = 3


class ZeroPad1d(_Pad):
    """Zeros around a line.

    Parameters
    ----------
    padding : int or pair

    Examples
    --------
    >>> import dotori
    >>> ZeroPad1d(2)(dotori.ones(2, 3, 5)).shape
    (2, 3, 9)
    """

    _mode = "constant"
    _axes = 1


class ZeroPad2d(_Pad):
    """Zeros around a picture.

    Parameters
    ----------
    padding : int or 4 of them

    Examples
    --------
    >>> import dotori
    >>> ZeroPad2d(2)(dotori.ones(2, 3, 5, 6)).shape
    (2, 3, 9, 10)
    """

    _mode = "constant"
    _axes = 2


class ZeroPad3d(_Pad):
    """Zeros around a volume.

    Parameters
    ----------
    padding : int or 6 of them

    Examples
    --------
    >>> import dotori
    >>> ZeroPad3d(2)(dotori.ones(2, 3, 5, 6, 7)).shape
    (2, 3, 9, 10, 11)
    """

    _mode = "constant"
    _axes = 3


class ReflectionPad1d(_Pad):
    """A line mirrored at its ends, which are not repeated.

    Parameters
    ----------
    padding : int or pair

    Examples
    --------
    >>> import dotori
    >>> ReflectionPad1d(2)(dotori.ones(2, 3, 5)).shape
    (2, 3, 9)
    """

    _mode = "reflect"
    _axes = 1


class ReflectionPad2d(_Pad):
    """A picture mirrored at its ends, which are not repeated.

    Parameters
    ----------
    padding : int or 4 of them

    Examples
    --------
    >>> import dotori
    >>> ReflectionPad2d(2)(dotori.ones(2, 3, 5, 6)).shape
    (2, 3, 9, 10)
    """

    _mode = "reflect"
    _axes = 2


class ReflectionPad3d(_Pad):
    """A volume mirrored at its ends, which are not repeated.

    Parameters
    ----------
    padding : int or 6 of them

    Examples
    --------
    >>> import dotori
    >>> ReflectionPad3d(2)(dotori.ones(2, 3, 5, 6, 7)).shape
    (2, 3, 9, 10, 11)
    """

    _mode = "reflect"
    _axes = 3


class ReplicationPad1d(_Pad):
    """A line whose ends are repeated.

    Parameters
    ----------
    padding : int or pair

    Examples
    --------
    >>> import dotori
    >>> ReplicationPad1d(2)(dotori.ones(2, 3, 5)).shape
    (2, 3, 9)
    """

    _mode = "replicate"
    _axes = 1


class ReplicationPad2d(_Pad):
    """A picture whose ends are repeated.

    Parameters
    ----------
    padding : int or 4 of them

    Examples
    --------
    >>> import dotori
    >>> ReplicationPad2d(2)(dotori.ones(2, 3, 5, 6)).shape
    (2, 3, 9, 10)
    """

    _mode = "replicate"
    _axes = 2


class ReplicationPad3d(_Pad):
    """A volume whose ends are repeated.

    Parameters
    ----------
    padding : int or 6 of them

    Examples
    --------
    >>> import dotori
    >>> ReplicationPad3d(2)(dotori.ones(2, 3, 5, 6, 7)).shape
    (2, 3, 9, 10, 11)
    """

    _mode = "replicate"
    _axes = 3


class CircularPad1d(_Pad):
    """A line that goes on with its other end.

    Parameters
    ----------
    padding : int or pair

    Examples
    --------
    >>> import dotori
    >>> CircularPad1d(2)(dotori.ones(2, 3, 5)).shape
    (2, 3, 9)
    """

    _mode = "circular"
    _axes = 1


class CircularPad2d(_Pad):
    """A picture that goes on with its other end.

    Parameters
    ----------
    padding : int or 4 of them

    Examples
    --------
    >>> import dotori
    >>> CircularPad2d(2)(dotori.ones(2, 3, 5, 6)).shape
    (2, 3, 9, 10)
    """

    _mode = "circular"
    _axes = 2


class CircularPad3d(_Pad):
    """A volume that goes on with its other end.

    Parameters
    ----------
    padding : int or 6 of them

    Examples
    --------
    >>> import dotori
    >>> CircularPad3d(2)(dotori.ones(2, 3, 5, 6, 7)).shape
    (2, 3, 9, 10, 11)
    """

    _mode = "circular"
    _axes = 3
