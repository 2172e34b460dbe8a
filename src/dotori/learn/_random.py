"""`generator`: scikit-learn's `random_state` as one of dotori's streams."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from dotori.errors import ArgumentError
from dotori.random import Generator, default_generator

_HALF = 2**31


def generator(random_state: Any) -> Generator:
    """A stream of random numbers for a fit.

    Parameters
    ----------
    random_state : None, int, RandomState or Generator
        None draws a new stream from dotori's default one, which `dotori.manual_seed`
        governs; an int gives the same stream every time; NumPy's `RandomState` and
        dotori's `Generator` are moved on by the call.

    Examples
    --------
    >>> bool(generator(3).integers(0, 100) == generator(3).integers(0, 100))
    True
    """
    if random_state is None:
        random_state = default_generator()
    if isinstance(random_state, Generator):
        return Generator(int(random_state.integers(0, _HALF)))
    if isinstance(random_state, np.random.RandomState):
        return Generator(int(random_state.randint(_HALF)))
    whole = isinstance(random_state, numbers.Integral)
    if whole and not isinstance(random_state, bool) and 0 <= int(random_state) < 2**32:
        return Generator(int(random_state))
    raise ArgumentError(
        "random_state must be None, a whole number from 0 to 2**32 - 1, or a "
        f"numpy.random.RandomState, got {random_state!r}"
    )
