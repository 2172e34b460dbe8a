"""Where the channels of a picture lie in memory.

Pictures have the shape (N, C, *spatial), as in PyTorch. In memory the channels come
last: the numbers of one place lie side by side, which is what products over channels
and loops over them want. NumPy's elementwise functions keep this order by themselves,
so a network turns its pictures once, at its first layer.
"""

from __future__ import annotations

from typing import Any


def channels_last(xp: Any, x: Any) -> Any:
    """`x` of shape (N, C, *spatial) as a C-contiguous (N, *spatial, C).

    A view where the memory lies like this already, else a copy.
    """
    return xp.ascontiguousarray(xp.moveaxis(x, 1, -1))


def channels_first_view(xp: Any, y: Any) -> Any:
    """`y` of shape (N, *spatial, C) seen as (N, C, *spatial)."""
    return xp.moveaxis(y, -1, 1)


def lies_channels_last(x: Any) -> bool:
    """Whether `channels_last` would not have to copy.

    Pictures of one channel lie both ways.
    """
    axes = (0, *range(2, x.ndim), 1)
    return bool(x.transpose(axes).flags.c_contiguous)
