"""Finding the operation whose gradient first became NaN."""

from __future__ import annotations

from dotori.autograd.graph import recording


class set_detect_anomaly:
    """Look for NaN in every walk back, or stop: at once, and for a block if used so.

    A gradient rule that makes NaN of numbers raises, naming the operation. Outside of
    such a block, walks do not look.

    Parameters
    ----------
    mode : bool
    check_nan : bool
        With False, nothing is looked for, as in PyTorch.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = recording.state.anomaly
        recording.state.anomaly = bool(mode and check_nan)

    def __enter__(self) -> None:
        """The mode was set when this was made."""

    def __exit__(self, *exc: object) -> None:
        recording.state.anomaly = self._before


class detect_anomaly:
    """For a `with` block: a gradient rule that makes NaN raises, naming the operation.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.tensor([0.0, 4.0], requires_grad=True)
    >>> with dotori.autograd.detect_anomaly():
    ...     (x.sqrt() * x[0]).sum().backward()
    Traceback (most recent call last):
        ...
    dotori.errors.GradientError: backward: the rule of Sqrt made NaN of 1 of 2 ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._on = check_nan
        self._before = False

    def __enter__(self) -> None:
        self._before = recording.state.anomaly
        recording.state.anomaly = self._on

    def __exit__(self, *exc: object) -> None:
        recording.state.anomaly = self._before
