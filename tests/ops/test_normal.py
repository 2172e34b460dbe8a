"""The normal distribution function against SciPy, in the middle and in the tails."""

import numpy as np
import pytest

import dotori
from dotori.autograd import unary
from dotori.ops.normal import NormalCdf

special = pytest.importorskip("scipy.special", reason="SciPy is the oracle")


@pytest.mark.parametrize(("kind", "rtol"), [("f8", 2e-13), ("f4", 2e-5)])
def test_relative_error_down_to_the_tail(kind, rtol):
    x = np.linspace(-12, 12, 20_001).astype(kind)
    with np.errstate(all="raise", under="ignore"):
        y = unary(NormalCdf, x)
    assert y.dtype == kind
    expected = special.ndtr(x.astype("f8"))
    normal = expected > 1e-37  # a float32 below this has lost digits itself
    np.testing.assert_allclose(y.array[normal], expected[normal], rtol=rtol)


def test_the_middle_to_the_last_digits():
    x = np.linspace(-1, 1, 2001)
    y = unary(NormalCdf, x)
    np.testing.assert_allclose(y.array, special.ndtr(x), rtol=4e-15)
    y = unary(NormalCdf, x.astype("f4"))
    np.testing.assert_allclose(y.array, special.ndtr(x.astype("f4")), rtol=5e-7)


def test_far_out():
    x = np.array([-np.inf, -1e300, -40.0, 0.0, 40.0, 1e300, np.inf])
    assert unary(NormalCdf, x).tolist() == [0, 0, special.ndtr(-40.0), 0.5, 1, 1, 1]


def test_nan_stays_nan():
    assert np.isnan(unary(NormalCdf, np.array([np.nan])).array).all()


def test_gradients():
    x = dotori.tensor(np.linspace(-3, 3, 7), requires_grad=True)
    assert dotori.gradgradcheck(lambda x: unary(NormalCdf, x), [x])
