"""How many threads NumPy's matrix products may use."""

from __future__ import annotations

from dotori.errors import ArgumentError, need
from dotori.kernels._threads import set_number

__all__ = ["get_num_threads", "set_num_threads"]

_PURPOSE = "setting the number of threads"


def get_num_threads() -> int:
    """The most threads that one of the libraries below NumPy uses.

    Needs threadpoolctl.
    """
    pools = need("threadpoolctl", "fast", _PURPOSE).threadpool_info()
    return max((int(pool["num_threads"]) for pool in pools), default=1)


def set_num_threads(num: int) -> None:
    """Let the libraries below NumPy, and dotori's kernels, use `num` threads.

    It holds for the whole process, and needs threadpoolctl.

    Raises
    ------
    ArgumentError
        If `num` is not a positive integer.
    """
    if isinstance(num, bool) or not isinstance(num, int) or num < 1:
        raise ArgumentError(f"set_num_threads: a positive integer, got {num!r}")
    need("threadpoolctl", "fast", _PURPOSE).threadpool_limits(limits=num)
    set_number(num)
