"""How tensors are shown."""

from __future__ import annotations

import math
from typing import Any

from dotori.errors import ArgumentError

__all__ = ["set_printoptions"]

_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 200, "edgeitems": 3, "linewidth": 75},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
#: What `Tensor.__repr__` hands to NumPy.
options = dict(_PROFILES["default"])


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are shown; what is left out stays as it is.

    Parameters
    ----------
    precision : int
        Digits after the point.
    threshold : int or inf
        Tensors of more elements are shown in part.
    edgeitems : int
        How many elements then stand at each end of an axis.
    linewidth : int
        Characters in a line.
    profile : {"default", "short", "full"}
        Sets all of them, before the others are looked at.
    sci_mode : bool
        True for powers of ten always, False for never; by default where they help.

    Examples
    --------
    >>> from dotori import tensor
    >>> set_printoptions(precision=2)
    >>> tensor([1 / 3])
    tensor([0.33], shape=(1,), dtype=float32)
    >>> set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ArgumentError(
                f"set_printoptions: profile is one of {sorted(_PROFILES)}, got "
                f"{profile!r}"
            )
        options.clear()
        options.update(_PROFILES[profile])
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    options.update({name: v for name, v in given.items() if v is not None})
    if sci_mode is not None:
        options["suppress_small"] = not sci_mode
        options["scientific"] = sci_mode


def show(array: Any, prefix: str) -> str:
    """The values of an array as text, each line but the first behind `prefix`."""
    import numpy as np

    chosen = dict(options)
    if math.isinf(chosen["threshold"]):
        chosen["threshold"] = array.size + 1
    width = chosen.pop("linewidth")
    if chosen.pop("scientific", False):
        digits = chosen["precision"]

        def in_powers(x: Any) -> str:
            return np.format_float_scientific(x, digits, unique=False, exp_digits=2)

        chosen["formatter"] = {"float_kind": in_powers}
    return np.array2string(
        array, separator=", ", prefix=prefix, max_line_width=width, **chosen
    )
