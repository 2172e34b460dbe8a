"""Layers that make pictures, signals and volumes larger or smaller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dotori.nn import functional as F
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """The input on a finer or a coarser grid: see `functional.interpolate`.

    Parameters
    ----------
    size : int or sequence of ints, optional
        The new size of the axes behind the channels.
    scale_factor : float or sequence of floats, optional
        Instead of `size`.
    mode : str
        nearest, linear, bilinear, bicubic or trilinear.
    align_corners : bool, optional
        Whether the centres of the corner pixels stay where they are.
    recompute_scale_factor : bool, optional

    Examples
    --------
    >>> import dotori
    >>> Upsample(scale_factor=2, mode="bilinear")(dotori.ones(1, 3, 4, 5)).shape
    (1, 3, 8, 10)
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = _floats(scale_factor)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(
            x,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Each pixel of a picture repeated.

    Examples
    --------
    >>> import dotori
    >>> UpsamplingNearest2d(scale_factor=2)(dotori.ones(1, 3, 4, 5)).shape
    (1, 3, 8, 10)
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """A picture, linearly between its pixels, with the corners' centres kept.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.tensor([[[[0.0, 2.0]]]])
    >>> UpsamplingBilinear2d(size=(1, 3))(x).tolist()
    [[[[0.0, 1.0, 2.0]]]]
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


def _floats(given: float | Sequence[float] | None) -> float | Sequence[float] | None:
    """Scale factors as floats, as `repr` shows them."""
    if given is None:
        return None
    if isinstance(given, (int, float)):
        return float(given)
    return tuple(float(s) for s in given)
