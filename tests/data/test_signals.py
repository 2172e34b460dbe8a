"""MNIST-1D, and the text that Python brings."""

import random

import numpy as np
import pytest

import dotori
from dotori.data import mnist1d, python_reference
from dotori.errors import ArgumentError


def test_signals_are_the_packages_own():
    package = pytest.importorskip("mnist1d.data", reason="the generator of MNIST-1D")
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    theirs, number = package.get_dataset_args(), random.getstate()
    theirs.num_samples = 100
    x, y = mnist1d(num_samples=100).tensors
    test_x, _ = mnist1d(False, num_samples=100).tensors
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert random.getstate() == number
    assert (x.shape, x.dtype, y.dtype) == ((80, 40), dotori.float32, dotori.int64)
    assert test_x.shape == (20, 40)
    assert set(y.tolist()) == set(range(10))
    again, _ = mnist1d(num_samples=100).tensors
    other, _ = mnist1d(num_samples=100, seed=1).tensors
    np.testing.assert_array_equal(x.numpy(), again.numpy())
    assert not np.array_equal(x.numpy(), other.numpy())


@pytest.mark.parametrize("wrong", [{"num_samples": 9}, {"seed": -1}, {"seed": 2**32}])
def test_what_cannot_be_made_is_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        mnist1d(**wrong)


def test_the_text_is_english_and_long():
    text = python_reference()
    assert len(text) > 400_000
    assert text.count(" the ") > 2000
    assert text == python_reference()
