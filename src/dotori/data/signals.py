"""MNIST-1D: ten one-dimensional digits, generated from a seed."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from dotori.data.dataset import TensorDataset
from dotori.errors import ArgumentError, need


def mnist1d(
    train: bool = True, *, num_samples: int = 5000, seed: int = 42
) -> TensorDataset:
    """The MNIST-1D data set: signals of 40 numbers in ten classes.

    S. Greydanus and D. Kobak, "Scaling down deep learning with MNIST-1D", ICML 2024.
    Each signal is one of ten templates, padded, stretched, shifted, sheared and covered
    with noise. The package ``mnist1d`` generates them; with the defaults they are those
    of the paper. Nothing is downloaded, and no pickle is read.

    Parameters
    ----------
    train : bool, default True
        The first four fifths, to train; or the rest, to test.
    num_samples : int, default 5000
        Of both parts together.
    seed : int, default 42
        Below 2**32.

    Returns
    -------
    TensorDataset
        Of signals, float32 of shape (n, 40), and classes, int64 of shape (n,).

    Raises
    ------
    ArgumentError
        If there is not one sample for each class, or the seed is out of range.
    MissingDependencyError
        If the package is not installed.
    """
    if num_samples < 10:
        raise ArgumentError(f"num_samples must be at least 10, got {num_samples}")
    if not 0 <= seed < 2**32:
        raise ArgumentError(f"seed must be from 0 to 2**32 - 1, got {seed}")
    package: Any = need("mnist1d.data", "examples", "the data set MNIST-1D")
    settings = package.get_dataset_args()
    settings.num_samples, settings.seed = num_samples, seed
    # The package seeds the global generators of Python and NumPy; they are given back.
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        made = package.make_dataset(settings)
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
    end = "" if train else "_test"
    signals = np.asarray(made[f"x{end}"], dtype=np.float32)
    return TensorDataset(signals, np.asarray(made[f"y{end}"], dtype=np.int64))
