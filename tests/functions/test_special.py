"""Special functions against SciPy, over wide ranges and at the edges; and PyTorch's."""

import warnings

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import special
from dotori.errors import ArgumentError, DTypeError, GradientError, ShapeError

scipy_special = pytest.importorskip("scipy.special", reason="SciPy is the oracle")

INF, NAN = np.inf, np.nan
EDGES = [0.0, -0.0, INF, -INF, NAN, 1e300, -1e300, 1e-300, -1e-300, 5e-324, 1, -1, 0.5]
RNG = np.random.default_rng(20)
LINE = np.concatenate([RNG.uniform(-30, 30, 4000), RNG.standard_normal(4000), EDGES])
WIDE = np.concatenate(
    [LINE, RNG.choice([-1, 1], 2000) * 10 ** RNG.uniform(-30, 200, 2000)]
)
POSITIVE = np.concatenate(
    [RNG.uniform(0, 20, 6000), 10 ** RNG.uniform(-20, 200, 2000), EDGES]
)
UNIT = np.concatenate(
    [RNG.uniform(0, 1, 4000), 10 ** RNG.uniform(-300, 0, 2000), EDGES]
)
AROUND_0 = np.concatenate(
    [RNG.uniform(-1, 1, 4000), 1 - 10 ** RNG.uniform(-16, 0, 1000), EDGES]
)


def airy(x):
    return np.where(np.isinf(x), NAN, np.where(x > 200, 0, scipy_special.airy(x)[0]))


def vanishing(f):
    """SciPy gives NaN for the Bessel functions at infinity, where they vanish."""

    def at(x):
        found = f(np.where(np.isinf(x), 1.0, x))
        second_kind = f in (scipy_special.y0, scipy_special.y1)
        left = NAN if second_kind else 0.0
        return np.where(x == INF, 0.0, np.where(x == -INF, left, found))

    return at


# name: SciPy's function, where, relative tolerance, absolute one (next to roots)
AGAINST_SCIPY = {
    "erf": (scipy_special.erf, WIDE, 2e-15, 0),
    "erfc": (scipy_special.erfc, WIDE, 2e-13, 0),
    "erfcx": (scipy_special.erfcx, WIDE, 2e-13, 0),
    "erfinv": (scipy_special.erfinv, AROUND_0, 2e-15, 0),
    "ndtr": (scipy_special.ndtr, WIDE, 3e-13, 0),
    "ndtri": (scipy_special.ndtri, UNIT, 1e-14, 1e-16),
    "log_ndtr": (scipy_special.log_ndtr, WIDE, 1e-12, 0),
    "entr": (scipy_special.entr, POSITIVE, 1e-15, 0),
    "expit": (scipy_special.expit, LINE, 1e-15, 0),
    "logit": (scipy_special.logit, UNIT, 2e-15, 1e-16),
    "gammaln": (scipy_special.gammaln, POSITIVE[POSITIVE > 1e-307], 1e-10, 1e-15),
    "digamma": (scipy_special.psi, POSITIVE[POSITIVE != 0], 1e-13, 1e-13),
    "i0": (scipy_special.i0, np.clip(WIDE, -700, 700), 5e-15, 0),
    "i0e": (scipy_special.i0e, WIDE, 5e-15, 0),
    "i1": (scipy_special.i1, np.clip(WIDE, -700, 700), 5e-15, 0),
    "i1e": (scipy_special.i1e, WIDE, 5e-15, 0),
    "modified_bessel_k0": (scipy_special.k0, WIDE, 5e-15, 0),
    "modified_bessel_k1": (scipy_special.k1, WIDE, 5e-15, 0),
    "scaled_modified_bessel_k0": (scipy_special.k0e, WIDE, 5e-15, 0),
    "scaled_modified_bessel_k1": (scipy_special.k1e, WIDE, 5e-15, 0),
    "bessel_j0": (vanishing(scipy_special.j0), LINE[abs(LINE) != 1e300], 1e-13, 2e-15),
    "bessel_j1": (vanishing(scipy_special.j1), LINE[abs(LINE) != 1e300], 1e-13, 2e-15),
    "bessel_y0": (vanishing(scipy_special.y0), LINE[abs(LINE) != 1e300], 1e-13, 2e-15),
    "bessel_y1": (vanishing(scipy_special.y1), LINE[abs(LINE) != 1e300], 1e-13, 2e-15),
    "spherical_bessel_j0": (
        lambda x: scipy_special.spherical_jn(0, x),
        LINE[abs(LINE) != 1e300],
        1e-13,
        1e-15,
    ),
    "airy_ai": (airy, LINE[abs(LINE) != 1e300], 1e-11, 2e-15),
    "sinc": (np.sinc, LINE[np.isfinite(LINE)], 1e-14, 1e-16),
}


@pytest.mark.parametrize("name", AGAINST_SCIPY)
def test_values_are_scipys(name):
    function, x, rtol, atol = AGAINST_SCIPY[name]
    with np.errstate(all="ignore"):
        expected = function(x)
    found = getattr(special, name)(x)
    assert found.dtype == np.float64
    normal = ~(np.abs(expected) < 1e-300)  # numbers below have lost digits themselves
    np.testing.assert_allclose(found.array[normal], expected[normal], rtol, atol)
    assert (np.abs(found.array[~normal]) < 2e-300).all()


@pytest.mark.parametrize("name", AGAINST_SCIPY)
def test_float32_is_float64_rounded(name):
    _, x, _, _ = AGAINST_SCIPY[name]
    with np.errstate(over="ignore", under="ignore"):
        x = x.astype("f4")
        exact = getattr(special, name)(x.astype("f8")).array.astype("f4")
    found = getattr(special, name)(x)
    assert found.dtype == np.float32
    spacing = np.spacing(np.abs(np.where(np.isfinite(exact), exact, 1)))
    same = (found.array == exact) | (np.isnan(found.array) & np.isnan(exact))
    with np.errstate(invalid="ignore"):
        near = np.abs(found.array - exact) <= 4 * spacing
    assert (same | near).all()


@pytest.mark.parametrize("n", [1, 2, 3, 7, 30])
def test_polygamma(n):
    x = np.concatenate([RNG.uniform(0.01, 30, 3000), 10 ** RNG.uniform(-3, 5, 500)])
    with np.errstate(all="ignore"):
        expected = scipy_special.polygamma(n, x)
    np.testing.assert_allclose(special.polygamma(n, x).array, expected, 1e-12)


def test_polygamma_left_of_0():
    """By its recurrence: psi_n(x + 1) = psi_n(x) + (-1)^n n! / x^(n + 1)."""
    x = RNG.uniform(-20, -0.5, 2000)
    for n, factorial in ((1, -1.0), (2, 2.0), (3, -6.0)):
        step = special.polygamma(n, x + 1).array - special.polygamma(n, x).array
        scale = np.abs(special.polygamma(n, x).array) + 1
        assert (np.abs(step - factorial / x ** (n + 1)) < 1e-12 * scale).all()


def test_gamma_left_of_0():
    x = RNG.uniform(-30, 0, 4000)
    found = special.gammaln(x).array
    np.testing.assert_allclose(found, scipy_special.gammaln(x), 1e-12, 1e-13)
    found = special.digamma(x).array
    scale = (x - np.rint(x)) ** -2 + 1  # next to a pole SciPy rounds pi x
    assert (np.abs(found - scipy_special.psi(x)) < 1e-13 * scale).all()


def test_gamma_at_its_poles():
    assert special.gammaln(np.array([0.0, -1.0, -2.0, -INF])).tolist() == [INF] * 4
    psi = special.psi(np.array([0.0, -0.0, -1.0, -7.0])).array
    np.testing.assert_array_equal(psi, [-INF, INF, NAN, NAN])
    assert special.polygamma(2, np.array([0.0, -3.0])).tolist() == [-INF, -INF]


def test_log_gamma_next_to_its_roots():
    """Slopes at 1 and 2: minus Euler's constant, and 1 minus it."""
    h = 1e-12
    x = np.array([1 + h, 2 + h])
    exact = (x - [1, 2]) * [-0.5772156649015329, 0.42278433509846713]
    np.testing.assert_allclose(special.gammaln(x).array, exact, rtol=1e-11)


def test_digamma_next_to_its_root():
    """The float next to the root; its value is from mpmath, with 40 digits."""
    root = np.array([1.4616321449683622])
    np.testing.assert_allclose(
        special.psi(root).array, -9.241265521729427e-17, rtol=1e-12
    )


def test_gamma_next_to_0():
    x = RNG.choice([-1, 1], 1000) * 10 ** RNG.uniform(-25, -1, 1000)
    np.testing.assert_allclose(
        special.gammaln(x).array, scipy_special.gammaln(x), 1e-14
    )
    np.testing.assert_allclose(special.psi(x).array, scipy_special.psi(x), 1e-14)


def test_log_odds_next_to_a_half():
    h = 2.0 ** -np.arange(10, 50)
    np.testing.assert_allclose(
        special.logit(0.5 + h).array, 2 * np.arctanh(2 * h), 1e-15
    )


@pytest.mark.parametrize("size", [1e-6, 0.1, 1, 10, 100, 1e4])
def test_incomplete_gamma(size):
    a = size * np.exp(RNG.normal(size=4000))
    x = np.abs(a * np.exp(RNG.normal(size=4000)))
    x[:1000] = np.abs(a[:1000] + np.sqrt(a[:1000]) * RNG.normal(size=1000))
    for name in ("gammainc", "gammaincc"):
        found = getattr(special, name)(a, x).array
        expected = getattr(scipy_special, name)(a, x)
        large = expected > 1e-30
        np.testing.assert_allclose(found[large], expected[large], 2e-12)
        assert (found[~large] < 2e-30).all()
        np.testing.assert_allclose(found[~large], expected[~large], 1e-9, 1e-290)


def test_incomplete_gamma_of_huge_numbers_is_normal():
    """Gamma(a) with mean a and deviation sqrt(a) tends to the normal distribution."""
    a, z = 1e12, np.linspace(-6, 6, 101)
    found = special.gammainc(np.full_like(z, a), a + z * np.sqrt(a)).array
    np.testing.assert_allclose(found, scipy_special.ndtr(z), rtol=1e-4)


def test_incomplete_gamma_at_the_edges():
    values = np.array([0, 1, 2.5, INF, -1, 1e-300, 1e300])
    a, x = (v.ravel() for v in np.meshgrid(values, values))
    for name in ("gammainc", "gammaincc"):
        found = getattr(special, name)(a, x).array
        np.testing.assert_allclose(found, getattr(scipy_special, name)(a, x), 1e-12)


def test_zeta():
    s, q = RNG.uniform(1.01, 60, 3000), RNG.uniform(0.1, 100, 3000)
    expected = scipy_special.zeta(s, q)
    np.testing.assert_allclose(special.zeta(s, q).array, expected, 1e-13)
    s = np.array([1.0, 0.5, 2.0, 2.0, 2.5, NAN, 2.0])
    q = np.array([2.0, 2.0, -3.0, 0.0, -0.5, 1.0, INF])
    found = special.zeta(s, q).array
    np.testing.assert_array_equal(found, [INF, NAN, INF, INF, NAN, NAN, 0])
    sums = sum((np.array([-2.5, -0.3, -7.75]) + k) ** -4 for k in range(20_000))
    found = special.zeta(4.0, np.array([-2.5, -0.3, -7.75])).array
    np.testing.assert_allclose(found, sums, 1e-11)


def test_logarithms_times_0():
    x = np.array([0.0, 0.0, 0.0, 2.0, 2.0, NAN])
    y = np.array([0.0, -1.0, NAN, 3.0, 0.0, 1.0])
    np.testing.assert_allclose(special.xlogy(x, y).array, scipy_special.xlogy(x, y))
    np.testing.assert_allclose(special.xlog1py(x, y).array, scipy_special.xlog1py(x, y))
    assert special.entr(np.array([0.0, -1.0])).tolist() == [0.0, -INF]
    assert special.xlogy(2.0, np.float32([1, 0])).tolist() == [0.0, -INF]
    assert special.xlogy(np.float32([0, 2]), 0.0).dtype == np.float32


@pytest.mark.parametrize("p", [1, 2, 5])
def test_gamma_of_several_dimensions(p):
    x = RNG.uniform(p / 2, 30, 100)
    expected = scipy_special.multigammaln(x, p)
    np.testing.assert_allclose(special.multigammaln(x, p).array, expected, 1e-12, 1e-12)


POLYNOMIALS = {
    "chebyshev_polynomial_t": scipy_special.eval_chebyt,
    "chebyshev_polynomial_u": scipy_special.eval_chebyu,
    "hermite_polynomial_h": scipy_special.eval_hermite,
    "hermite_polynomial_he": scipy_special.eval_hermitenorm,
    "laguerre_polynomial_l": scipy_special.eval_laguerre,
    "legendre_polynomial_p": scipy_special.eval_legendre,
    "shifted_chebyshev_polynomial_t": scipy_special.eval_sh_chebyt,
    "shifted_chebyshev_polynomial_u": scipy_special.eval_sh_chebyu,
}


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name):
    n = RNG.integers(0, 25, 3000)
    x = np.concatenate([RNG.uniform(-1.5, 1.5, 2996), [0, 1, -1, 0.5]])
    expected = POLYNOMIALS[name](n, x)
    found = getattr(special, name)(x, n).array
    greatest = np.maximum(np.abs(expected), POLYNOMIALS[name](n, np.ones_like(x)) + 1)
    assert (np.abs(found - expected) <= 1e-12 * np.abs(greatest) + 1e-13).all()
    assert getattr(special, name)(x, -1).tolist() == [0.0] * x.size


@pytest.mark.parametrize("kind", "tuvw")
def test_chebyshev_of_high_degree_follows_the_recurrence(kind):
    f = getattr(special, f"chebyshev_polynomial_{kind}")
    x = np.concatenate([RNG.uniform(-1.2, 1.2, 500), [-1, 0, 1, -1 + 1e-12, 1 - 1e-12]])
    for n in (7, 8, 9, 10, 31):
        expected = 2 * x * f(x, n).array - f(x, n - 1).array
        scale = np.abs(expected) + 1
        assert (np.abs(f(x, n + 1).array - expected) <= 1e-10 * scale).all()


@given(
    hnp.arrays(
        st.sampled_from(["f2", "f4", ">f4", "f8", ">f8", "i1", "i4", "i8", "u1"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements=st.integers(0, 3),
    )
)
def test_any_shape_type_and_layout(x):
    for given_array in (x, x.T, x[::-1] if x.ndim else x):
        tensor = dotori.as_tensor(given_array)
        y = dotori.lgamma(tensor)
        assert y.shape == given_array.shape
        wanted = given_array.dtype if given_array.dtype.kind == "f" else np.float32
        assert y.dtype == np.dtype(wanted).newbyteorder("=")
        with np.errstate(all="ignore"):
            exact = scipy_special.gammaln(given_array.astype("f8"))
        np.testing.assert_allclose(y.numpy(), exact.astype(y.dtype), 2e-3, 1e-6)


def test_blocks_meet():
    x = np.linspace(-3, 3, 3 * 8192 + 5).reshape(-1, 1)
    np.testing.assert_allclose(dotori.erf(x).array, scipy_special.erf(x), 1e-14)


def test_numpys_names_find_them():
    t = dotori.tensor([0.5, 2.0], dtype=np.float64, requires_grad=True)
    for f in (np.sinc, np.i0):
        y = f(t)
        assert isinstance(y, dotori.Tensor)
        assert y.requires_grad
        np.testing.assert_allclose(y.detach().numpy(), f(t.detach().numpy()), 1e-7)


def test_as_methods():
    t = dotori.tensor([0.3, 0.6], dtype=np.float64)
    for name in ("erf", "erfc", "erfinv", "lgamma", "digamma", "i0", "logit", "sinc"):
        assert getattr(t, name)().tolist() == getattr(dotori, name)(t).tolist()
    assert t.polygamma(2).tolist() == dotori.polygamma(2, t).tolist()
    assert t.mvlgamma(1).tolist() == t.lgamma().tolist()
    assert t.igamma(t).tolist() == special.gammainc(t, t).tolist()
    assert t.xlogy(t).tolist() == dotori.xlogy(t, t).tolist()


def test_mistakes_are_named():
    t = dotori.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(
        ArgumentError, match="n must be a whole number from 0 on, got -1"
    ):
        dotori.polygamma(-1, t)
    with pytest.raises(ArgumentError, match="p must be at least 1, got 0"):
        dotori.mvlgamma(t, 0)
    with pytest.raises(ArgumentError, match="got 2 and 3"):
        special.zeta(2, 3)
    with pytest.raises(ArgumentError, match=r"up to 1000000, one a step; got 1e\+09"):
        special.legendre_polynomial_p(t, 1e9)
    with pytest.raises(DTypeError, match="int64"):
        dotori.igamma(np.array([1]), np.array([2]))
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        special.legendre_polynomial_p(t, np.arange(3))
    for f in (special.zeta, special.gammainc, special.gammaincc):
        with pytest.raises(GradientError, match="first argument"):
            f(t, np.float32([1.0, 2.0])).sum().backward()


def test_no_warning_escapes():
    x = np.array(EDGES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in AGAINST_SCIPY:
            t = dotori.tensor(x, requires_grad=True)
            y = getattr(special, name)(t)
            if y.requires_grad:
                y.sum().backward()
        for name in ("gammainc", "gammaincc", "zeta", "xlogy", "xlog1py"):
            getattr(special, name)(x, x[::-1].copy())
        special.hermite_polynomial_h(x, np.array([[-1], [0], [1], [7], [NAN], [INF]]))
