"""More arithmetic beside PyTorch's: strange numbers, whole numbers, types, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dotori
from dotori.errors import ArgumentError, DTypeError
from torch_oracle import agree, same, torch

STRANGE = np.array([0.0, -0.0, 1.5, -2.5, math.inf, -math.inf, math.nan, 1e-310, 3e300])
INTEGERS = hnp.arrays(
    np.int64, hnp.array_shapes(max_dims=2), elements=st.integers(-40, 40)
)


def both(name, *arrays, **kwargs):
    """Assert that a function gives PyTorch's values and type; no gradients."""
    ours = getattr(dotori, name)(*map(dotori.tensor, arrays), **kwargs)
    theirs = getattr(torch, name)(*map(torch.tensor, arrays), **kwargs)
    same(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["fmax", "fmin", "copysign", "nextafter", "logaddexp2", "heaviside"]
)
def test_pairs_of_strange_numbers(name):
    a, b = np.meshgrid(STRANGE, STRANGE)
    both(name, a, b)


@pytest.mark.parametrize(
    "name", ["signbit", "isposinf", "isneginf", "nan_to_num", "sign", "deg2rad", "frac"]
)
def test_strange_numbers(name):
    both(name, STRANGE)
    both(name, STRANGE[:-2].astype(np.float32))


def test_frexp_and_ldexp_are_exact_for_every_size():
    x = np.array([0.0, -0.0, 5e-324, 1.0, 0.75, -3e300, math.inf, math.nan])
    mantissa, exponent = dotori.frexp(dotori.tensor(x))
    expected = torch.frexp(torch.tensor(x))
    np.testing.assert_array_equal(mantissa.array, expected.mantissa.numpy())
    np.testing.assert_array_equal(exponent.array, expected.exponent.numpy())
    assert exponent.dtype == np.int32
    np.testing.assert_array_equal(dotori.ldexp(mantissa, exponent).array, x)


@pytest.mark.parametrize("name", ["fmax", "fmin", "maximum"])
def test_ties_and_nan_share_the_gradient_as_in_pytorch(name):
    a = np.array([1.0, 2.0, math.nan, 4.0, math.nan])
    b = np.array([1.0, 3.0, 2.0, math.nan, math.nan])
    if name == "maximum":
        a, b = a[:2], b[:2]
    agree(getattr(dotori, name), getattr(torch, name), a, b)


@given(
    hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3),
    st.floats(-2, 2),
    st.integers(0, 99),
)
@pytest.mark.parametrize("name", ["addcmul", "addcdiv"])
def test_fused_forms_broadcast(name, shapes, value, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(0.5, 2.0, shape) for shape in shapes.input_shapes]
    agree(
        lambda *xs: getattr(dotori, name)(*xs, value=value),
        lambda *xs: getattr(torch, name)(*xs, value=value),
        *arrays,
    )


def test_bounds_of_a_clamp_may_be_tensors_and_get_gradients():
    x = np.array([-3.0, 0.5, 3.0, 1.0, math.nan, -1.0])
    low = np.array([-1.0, 0.0, 0.0, 2.0, 0.0, -1.0])
    high = np.array([1.0, 1.0, 1.0, 1.0, 1.0, math.inf])
    agree(dotori.clamp, torch.clamp, x, low, high)
    agree(lambda t: dotori.clamp(t, max=0.7), lambda t: torch.clamp(t, max=0.7), x[:4])


def test_a_clamp_has_the_type_of_what_it_keeps():
    whole = dotori.tensor([1, 2, 3])
    assert dotori.clamp(whole, 0.5).dtype == np.float32
    assert dotori.clamp(whole, 2).dtype == np.int64
    assert np.clip(whole, a_min=2, a_max=None).tolist() == [2, 2, 3]
    assert np.clip(whole, max=2).tolist() == [1, 2, 2]
    with pytest.raises(ArgumentError, match="give min, max or both"):
        dotori.clamp(whole)


@given(INTEGERS, st.integers(1, 9), st.sampled_from(["trunc", "floor"]))
def test_rounded_quotients_of_integers(a, b, mode):
    both("div", a, np.int64(b), rounding_mode=mode)
    both("div", a, np.int64(-b), rounding_mode=mode)


@given(INTEGERS)
def test_bits_and_divisors(a):
    for name in ("gcd", "lcm"):
        both(name, a, np.int64(12))
    shifts = np.abs(a) % 70
    both("bitwise_left_shift", a, shifts)
    both("bitwise_right_shift", a, shifts)


def test_operators_on_either_side():
    x = dotori.tensor([5, 6])
    assert (x << 1).tolist() == [10, 12]
    assert (1 << x).tolist() == [32, 64]
    assert (x >> 1).tolist() == [2, 3]
    assert (256 >> x).tolist() == [8, 4]
    assert (3 & x).tolist() == [1, 2]
    assert (8 | x).tolist() == [13, 14]
    assert (1 ^ x).tolist() == [4, 7]
    assert [t.tolist() for t in divmod(x, 4)] == [[1, 1], [1, 2]]
    assert [t.tolist() for t in divmod(17, x)] == [[3, 2], [2, 5]]


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
def test_integers_are_not_divided_by_zero_in_silence(name):
    with pytest.raises(ArgumentError, match=f"{name}: integers cannot be divided by 0"):
        getattr(dotori, name)(dotori.tensor([1, 2]), dotori.tensor([1, 0]))
    found = getattr(dotori, name)(dotori.tensor([1.0]), 0)
    assert not math.isfinite(found.item())  # floats have a sign for it


def test_integers_to_integer_powers():
    both("pow", np.array([1, -1, 2, 0, -1, 3]), np.array([-1, -1, -1, 0, -2, 4]))
    with pytest.raises(ArgumentError, match="no power -1 among the integers"):
        dotori.tensor([2]) ** -1


@pytest.mark.parametrize(
    "call",
    [
        lambda: dotori.gcd(dotori.tensor([1.0]), 2),
        lambda: dotori.bitwise_left_shift(dotori.tensor([1.0]), 2),
        lambda: dotori.nextafter(dotori.tensor([1]), dotori.tensor([2])),
        lambda: dotori.frexp(dotori.tensor([1])),
        lambda: dotori.positive(dotori.tensor([True])),
        lambda: dotori.addcdiv(
            dotori.tensor([1]), dotori.tensor([1]), dotori.tensor([1])
        ),
        lambda: dotori.heaviside(dotori.tensor([1.0]), dotori.tensor([1])),
    ],
)
def test_types_without_a_meaning_are_refused(call):
    with pytest.raises(DTypeError, match="got"):
        call()


def test_numbers_beside_doubles_keep_their_digits():
    x = dotori.tensor([0.0], dtype=np.float64)
    assert dotori.fmax(x, 0.1).item() == 0.1
    assert np.fmax(x, 0.1).item() == 0.1
    assert dotori.float_power(0.1, x + 1).item() == 0.1
    assert dotori.copysign(0.1, x).item() == 0.1


def test_signs_of_nan_are_those_of_the_function_called():
    x = dotori.tensor([math.nan, -2.0, 0.0])
    assert dotori.sign(x).tolist() == [0.0, -1.0, 0.0]
    assert math.isnan(np.sign(x)[0].item())


@pytest.mark.parametrize(
    "function",
    [
        np.copysign, np.fmax, np.fmin, np.logaddexp2, np.heaviside, np.nextafter,
        np.float_power,
    ],
)  # fmt: skip
def test_numpys_functions_of_two_reach_ours(function):
    a, b = np.array([1.0, 2.0]), np.array([0.5, 3.0])
    found = function(dotori.tensor(a), dotori.tensor(b))
    assert isinstance(found, dotori.Tensor)
    np.testing.assert_allclose(found.array, function(a, b))


def test_float32_stays_float32():
    x = dotori.tensor([0.5, 2.0])
    for name in ("deg2rad", "rad2deg", "nan_to_num", "square"):
        assert getattr(dotori, name)(x).dtype == np.float32
    assert dotori.ldexp(x, dotori.tensor([2, 3])).dtype == np.float32
    assert dotori.copysign(x, -1.0).dtype == np.float32
    assert dotori.clamp(x, 0.1, 1.0).dtype == np.float32


def test_second_names_are_the_same_functions():
    from dotori.functions import aliases

    assert dotori.absolute is dotori.abs
    assert dotori.arccos is dotori.acos
    assert dotori.true_divide is dotori.div
    assert dotori.tensor([1.0]).less_equal(1.0).tolist() == [True]
    for name in set(aliases.__all__) & set(dir(np)):
        assert callable(getattr(dotori, name)), name


def test_activations_that_pytorch_has_in_two_places():
    names = (
        "celu hardshrink prelu rrelu selu threshold cosine_similarity pairwise_distance"
    )
    for name in names.split():
        assert getattr(dotori, name) is getattr(dotori.nn.functional, name)
        assert hasattr(torch, name)
    x = dotori.tensor([-1.0, 0.2])
    assert x.hardshrink().tolist() == [-1.0, 0.0]
