"""Special functions against PyTorch: second gradients, and values at the edges."""

import numpy as np
import pytest

import dotori
from dotori import special

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this comparison")
from torch_oracle import agree

RNG = np.random.default_rng(8)
LINE, UNIT = RNG.uniform(-4, 4, 200), RNG.uniform(0.02, 0.98, 200)
POSITIVE = RNG.uniform(0.05, 12, 200)
PLACES = {
    "erf": LINE,
    "erfc": LINE,
    "erfcx": LINE,
    "erfinv": UNIT,
    "ndtr": LINE,
    "ndtri": UNIT,
    "log_ndtr": LINE,
    "entr": POSITIVE,
    "logit": UNIT,
    "sinc": LINE,
    "gammaln": POSITIVE,
    "digamma": POSITIVE,
    "i0": LINE,
    "i0e": LINE,
    "i1": LINE,
    "i1e": LINE,
}


@pytest.mark.parametrize("name", PLACES)
def test_gradients_to_second_order(name):
    agree(getattr(special, name), getattr(torch.special, name), PLACES[name], rtol=1e-9)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py"])
def test_gradients_of_two(name):
    agree(getattr(special, name), getattr(torch.special, name), POSITIVE, UNIT)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py"])
def test_gradients_where_0_meets_infinity(name):
    x, y = np.array([0.0, 0.0, 0.0, 0.0, 2.0]), np.array([0.0, -1.0, -2.0, 3.0, 5.0])
    t, u = (dotori.tensor(v, requires_grad=True) for v in (x, y))
    a, b = (torch.tensor(v, requires_grad=True) for v in (x, y))
    getattr(special, name)(t, u).sum().backward()
    getattr(torch.special, name)(a, b).sum().backward()
    np.testing.assert_allclose(t.grad.numpy(), a.grad.numpy(), 1e-14)
    np.testing.assert_allclose(u.grad.numpy(), b.grad.numpy(), 1e-14)


def test_gradients_of_the_others():
    agree(
        lambda x: special.logit(x, eps=0.3),
        lambda x: torch.special.logit(x, eps=0.3),
        UNIT,
    )
    agree(
        lambda x: special.polygamma(2, x),
        lambda x: torch.special.polygamma(2, x),
        POSITIVE,
    )
    agree(
        lambda x: special.multigammaln(x + 2, 3),
        lambda x: torch.special.multigammaln(x + 2, 3),
        POSITIVE,
    )
    agree(
        lambda x: special.gammainc(np.full(200, 2.5), x),
        lambda x: torch.special.gammainc(torch.full((200,), 2.5).double(), x),
        POSITIVE,
    )
    agree(
        lambda q: special.zeta(np.full(200, 2.5), q),
        lambda q: torch.special.zeta(torch.full((200,), 2.5).double(), q),
        POSITIVE,
    )


EDGES = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0])
BEYOND = {  # where we give the limit, PyTorch NaN
    "bessel_j0": [2, 3],
    "bessel_j1": [2, 3],
    "bessel_y0": [2],
    "bessel_y1": [2],
    "sinc": [2, 3],
}
OF_ONE = [
    *PLACES,
    "psi",
    "expit",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "spherical_bessel_j0",
    "airy_ai",
]


@pytest.mark.parametrize("name", OF_ONE)
def test_edges(name):
    theirs = getattr(torch.special, name)(torch.tensor(EDGES)).numpy()
    ours = getattr(special, name)(EDGES).array
    kept = np.setdiff1d(np.arange(EDGES.size), BEYOND.get(name, []))
    np.testing.assert_allclose(ours[kept], theirs[kept], 1e-9, 1e-15, err_msg=name)


@pytest.mark.parametrize("name", [n for n in PLACES if n not in ("ndtri", "erfinv")])
def test_gradients_at_the_edges(name):
    limited = name in ("gammaln", "digamma", "entr", "logit")
    x = EDGES[:1] if limited else EDGES[[0, 1, 5, 6]]
    t, z = dotori.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    getattr(special, name)(t).sum().backward()
    getattr(torch.special, name)(z).sum().backward()
    np.testing.assert_allclose(t.grad.numpy(), z.grad.numpy(), 1e-9, err_msg=name)


def test_all_of_torchs_names_are_there():
    names = {n for n in torch.special.__all__} - {"gammaln"}
    assert not names - set(special.__all__)


FAMILIES = [n for n in special.__all__ if "_polynomial_" in n]


@pytest.mark.parametrize("name", FAMILIES)
def test_polynomials(name):
    n = RNG.integers(-2, 20, 400)
    x = np.concatenate([RNG.uniform(-1.3, 1.3, 395), [0, 1, -1, 0.5, 2]])
    theirs = getattr(torch.special, name)(torch.tensor(x), torch.tensor(n)).numpy()
    ours = getattr(special, name)(x, n).array
    inner = np.abs(x) < 1
    np.testing.assert_allclose(ours[~inner], theirs[~inner], 1e-7, 1e-9)
    greatest = np.nanmax(np.abs(theirs[inner]))
    np.testing.assert_allclose(ours[inner], theirs[inner], 1e-7, 1e-12 * greatest)
    assert np.isnan(getattr(special, name)(np.array([np.nan, 0.5]), 12).array[0])
    degrees = getattr(special, name)(np.array(np.nan), np.array([-1, 0, 1])).array
    np.testing.assert_array_equal(degrees, [0, 1, np.nan])
