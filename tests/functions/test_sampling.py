"""Random numbers: their distributions (by SciPy), shapes, types, seeds and refusals."""

import numpy as np
import pytest

import dotori
from dotori.errors import ArgumentError, DTypeError, ShapeError

N = 20_000


def generator():
    return dotori.Generator(20)


def empty(dtype=np.float64):
    return dotori.empty(N, dtype=dtype)


CONTINUOUS = {
    "uniform_": (lambda g: empty().uniform_(-1, 3, generator=g), ("uniform", (-1, 4))),
    "normal_": (lambda g: empty().normal_(2, 3, generator=g), ("norm", (2, 3))),
    "exponential_": (
        lambda g: empty().exponential_(2.0, generator=g),
        ("expon", (0, 0.5)),
    ),
    "cauchy_": (lambda g: empty().cauchy_(1, 2, generator=g), ("cauchy", (1, 2))),
    "log_normal_": (
        lambda g: empty().log_normal_(0.5, 0.8, generator=g),
        ("lognorm", (0.8, 0, np.exp(0.5))),
    ),
    "rand_like": (lambda g: dotori.rand_like(empty(), generator=g), ("uniform", ())),
    "randn_like": (lambda g: dotori.randn_like(empty(), generator=g), ("norm", ())),
    "normal": (
        lambda g: dotori.normal(dotori.ones(N), dotori.full((N,), 2.0), generator=g),
        ("norm", (1, 2)),
    ),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distributions(name):
    stats = pytest.importorskip("scipy.stats", reason="SciPy is the oracle")
    draw, (distribution, parameters) = CONTINUOUS[name]
    x = draw(generator()).numpy().astype(np.float64)
    assert stats.kstest(x, distribution, parameters).pvalue > 1e-3
    wrong = (parameters[0] + 0.3, *parameters[1:]) if parameters else (0.1,)
    assert stats.kstest(x, distribution, wrong).pvalue < 1e-3  # the test can tell
    assert x.tobytes() == draw(generator()).numpy().astype(np.float64).tobytes()


DISCRETE = {
    "geometric_": (lambda g: empty().geometric_(0.3, generator=g), "geom", (0.3,)),
    "poisson": (
        lambda g: dotori.poisson(dotori.full((N,), 2.5), generator=g),
        "poisson",
        (2.5,),
    ),
    "binomial": (
        lambda g: dotori.binomial(
            dotori.full((N,), 7.0), dotori.full((N,), 0.3), generator=g
        ),
        "binom",
        (7, 0.3),
    ),
    "randint": (lambda g: dotori.randint(2, 9, (N,), generator=g), "randint", (2, 9)),
    "randint_like": (
        lambda g: dotori.randint_like(empty(), 2, 9, generator=g),
        "randint",
        (2, 9),
    ),
    "random_": (lambda g: empty().random_(2, 9, generator=g), "randint", (2, 9)),
    "bernoulli_": (lambda g: empty().bernoulli_(0.2, generator=g), "bernoulli", (0.2,)),
    "bernoulli": (
        lambda g: dotori.bernoulli(dotori.full((N,), 0.2), generator=g),
        "bernoulli",
        (0.2,),
    ),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_distributions(name):
    stats = pytest.importorskip("scipy.stats", reason="SciPy is the oracle")
    draw, distribution, parameters = DISCRETE[name]
    x = draw(generator()).numpy()
    values, counts = np.unique(x, return_counts=True)
    law = getattr(stats, distribution)(*parameters)
    assert set(values) <= set(np.arange(law.support()[0], 60))
    wanted = law.pmf(values) * N
    often = wanted > 5
    statistic = ((counts - wanted) ** 2 / wanted)[often].sum()
    assert stats.chi2(often.sum()).sf(statistic) > 1e-3


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_draws_in_proportion_to_the_weights(replacement):
    weights = dotori.tensor([[1.0, 0.0, 3.0, 6.0], [2.0, 2.0, 0.0, 0.0]])
    drawn = np.concatenate(
        [
            dotori.multinomial(weights, 2, replacement, generator=g).numpy()[None]
            for g in map(dotori.Generator, range(4000))
        ]
    )
    first = np.bincount(drawn[:, 0, 0], minlength=4) / len(drawn)
    np.testing.assert_allclose(first, [0.1, 0, 0.3, 0.6], atol=0.03)
    if replacement:
        assert (drawn[:, 0, 0] == drawn[:, 0, 1]).any()
    else:
        assert (drawn[:, 0, 0] != drawn[:, 0, 1]).all()
        assert set(drawn[:, 1].ravel()) == {0, 1}


def test_types_and_shapes():
    assert dotori.randperm(5).dtype == np.int64
    assert sorted(dotori.randperm(50).tolist()) == list(range(50))
    assert dotori.randint(5, (2, 3)).shape == (2, 3)
    assert dotori.randint(5, (2,), dtype=np.float32).dtype == np.float32
    assert dotori.normal(0.0, 1.0, (3, 2)).shape == (3, 2)
    assert dotori.bernoulli(dotori.ones(2, 2)).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    for dtype in (np.float16, np.float32, np.float64):
        x = dotori.empty(100, dtype=dtype).random_()
        assert x.dtype == dtype and (x >= 0).all() and x.isfinite().all()
        assert dotori.rand_like(x).dtype == dtype
    assert dotori.empty(9, dtype=np.uint8).random_().dtype == np.uint8
    assert dotori.rand_like(dotori.ones(2), requires_grad=True).requires_grad


def test_a_filled_tensor_ends_the_gradient():
    x = dotori.ones(3, requires_grad=True)
    y = x * 2
    y.uniform_()
    (y.sum() + x.sum()).backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]


BAD = [
    (lambda: dotori.randint(3, 3, (2,)), ArgumentError, "holds no integer"),
    (lambda: dotori.randint(3), ArgumentError, "size is missing"),
    (lambda: dotori.randperm(-1), ArgumentError, "negative"),
    (lambda: dotori.bernoulli([1.5]), ArgumentError, "between 0 and 1"),
    (lambda: dotori.bernoulli([float("nan")]), ArgumentError, "between 0 and 1"),
    (lambda: dotori.normal(0.0, -1.0, (2,)), ArgumentError, "deviation"),
    (lambda: dotori.normal(0.0, 1.0), ArgumentError, "size"),
    (
        lambda: dotori.normal(dotori.ones(2), dotori.ones(3)),
        ShapeError,
        r"\(2,\) .*\(3,\)",
    ),
    (lambda: dotori.poisson([-1.0]), ArgumentError, "negative"),
    (lambda: dotori.binomial([3.0], [1.5]), ArgumentError, "between 0 and 1"),
    (lambda: dotori.multinomial([-1.0, 2.0], 1), ArgumentError, "negative"),
    (lambda: dotori.multinomial([0.0, 0.0], 1), ArgumentError, "zero"),
    (lambda: dotori.multinomial([1.0, 0.0], 2), ArgumentError, "replacement=True"),
    (lambda: dotori.multinomial([1.0], 0), ArgumentError, "not positive"),
    (lambda: dotori.multinomial(dotori.ones(1, 1, 1), 1), ShapeError, r"\(1, 1, 1\)"),
    (lambda: dotori.ones(2).uniform_(2, 1), ArgumentError, "must not lie above"),
    (lambda: dotori.ones(2).normal_(0, -1), ArgumentError, "negative"),
    (lambda: dotori.ones(2).log_normal_(0, 0), ArgumentError, "positive"),
    (lambda: dotori.ones(2).exponential_(0), ArgumentError, "positive"),
    (lambda: dotori.ones(2).cauchy_(0, 0), ArgumentError, "positive"),
    (lambda: dotori.ones(2).geometric_(1.0), ArgumentError, "between 0 and 1"),
    (lambda: dotori.ones(2).bernoulli_(-0.1), ArgumentError, "between 0 and 1"),
    (lambda: dotori.ones(2).random_(3, 3), ArgumentError, "holds no integer"),
    (lambda: dotori.tensor([1]).uniform_(), DTypeError, "int64"),
    (lambda: dotori.rand_like(dotori.tensor([1])), DTypeError, "int64"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_refusals(case):
    act, error, message = BAD[case]
    with pytest.raises(error, match=message):
        act()
