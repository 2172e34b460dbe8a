"""Distances of all pairs, beside PyTorch."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.ops import distance
from torch_oracle import agree, same, torch

P = [0.5, 1, 1.5, 2, 3, math.inf]


@given(st.integers(0, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
@pytest.mark.parametrize("p", P)
def test_all_pairs(p, n, m, d, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    agree(
        lambda x, y: dotori.cdist(x, y, p),
        lambda x, y: torch.cdist(x, y, p),
        a,
        b,
        second=False,
    )


@pytest.mark.parametrize("p", [1.5, 2, 3])
def test_second_gradients(p):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((3, 2)), rng.standard_normal((4, 2))
    agree(
        lambda x, y: dotori.cdist(x, y, p),
        lambda x, y: (x.unsqueeze(1) - y).norm(p, dim=-1),  # PyTorch's own has none
        a,
        b,
    )
    first, second = np.triu_indices(3, 1)
    agree(
        lambda x: dotori.pdist(x, p),
        lambda x: (x[first] - x[second]).norm(p, dim=-1),
        a,
    )


def test_stacks_broadcast():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 1, 3, 4)), rng.standard_normal((5, 2, 4))
    agree(dotori.cdist, torch.cdist, a, b, second=False)


@pytest.mark.parametrize("p", P)
def test_equal_points_have_distance_and_gradient_zero(p):
    a = np.array([[1.0, 2.0], [0.0, 3.0]])
    x, y = (dotori.tensor(a, requires_grad=True) for _ in range(2))
    dotori.cdist(x, y, p).sum().backward()
    assert np.isfinite(x.grad.array).all()
    x.grad = None
    found = dotori.cdist(x[:1], y[:1], p)
    assert found.item() == 0.0
    found.sum().backward()
    np.testing.assert_array_equal(x.grad.array, 0.0)


@pytest.mark.parametrize("many", [0, 1 << 20])
def test_points_far_from_zero_keep_their_digits(monkeypatch, many):
    monkeypatch.setattr(distance, "_MANY", many)
    rng = np.random.default_rng(0)
    a, b = ((1e4 + rng.standard_normal((5, 2))).astype(np.float32) for _ in range(2))
    x = dotori.tensor(a, requires_grad=True)
    y = dotori.cdist(x, dotori.tensor(b))
    y.sum().backward()
    differences = a[:, None].astype(np.float64) - b
    lengths = np.sqrt((differences**2).sum(-1))
    np.testing.assert_allclose(y.detach().array, lengths, rtol=1e-6)
    slope = (differences / lengths[..., None]).sum(axis=1)
    np.testing.assert_allclose(x.grad.array, slope, atol=1e-5)


def test_blocks_give_what_one_piece_gives(monkeypatch):
    rng = np.random.default_rng(0)
    a, b = (
        dotori.tensor(rng.standard_normal((2, 7, 3))),
        dotori.tensor(rng.standard_normal((2, 5, 3))),
    )
    whole = dotori.cdist(a, b)
    monkeypatch.setattr(distance, "_BLOCK", 31)
    np.testing.assert_array_equal(dotori.cdist(a, b).array, whole.array)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_of_matrices_are_as_exact_as_differences(monkeypatch, dtype):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((2, 30, 4)) * 10.0 ** rng.integers(-6, 6, (2, 30, 1))
    b = np.concatenate([a[:, :9], a[:, 9:18] * (1 + 1e-7), -a[:, 20:]], axis=1)
    a, b = (100 + a).astype(dtype), (100 + b).astype(dtype)
    exact = np.sqrt(((a[:, :, None].astype(np.longdouble) - b[:, None]) ** 2).sum(-1))
    monkeypatch.setattr(distance, "_MANY", 0)
    monkeypatch.setattr(distance, "_BLOCK", 64)
    found = dotori.cdist(dotori.tensor(a), dotori.tensor(b)).array
    assert found.dtype == dtype
    rtol = 1e-5 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(found, exact.astype(np.float64), rtol=rtol)
    assert (found[0].diagonal()[:9] == 0).all()
    x, y = (dotori.tensor(v, requires_grad=True) for v in (a, b))
    dotori.cdist(x, y).sum().backward()
    differences = a[:, :, None].astype(np.longdouble) - b[:, None]
    slopes = differences / np.where(exact == 0, 1, exact)[..., None]
    atol = 1e-4 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(x.grad.array, slopes.sum(2).astype(float), atol=atol)
    np.testing.assert_allclose(y.grad.array, -slopes.sum(1).astype(float), atol=atol)


def test_second_gradients_of_many_points(monkeypatch):
    monkeypatch.setattr(distance, "_MANY", 0)
    rng = np.random.default_rng(0)
    agree(
        dotori.cdist,
        lambda x, y: (x.unsqueeze(-2) - y.unsqueeze(-3)).norm(2, dim=-1),
        rng.standard_normal((2, 3, 2)),
        rng.standard_normal((2, 4, 2)),
    )


def test_an_infinite_point_spoils_its_own_distances_alone(monkeypatch):
    monkeypatch.setattr(distance, "_MANY", 0)
    a = dotori.tensor([[0.0, 0.0], [math.inf, 0.0]])
    b = dotori.tensor([[3.0, 4.0], [math.nan, 0.0]])
    np.testing.assert_array_equal(
        dotori.cdist(a, b).array, [[5.0, math.nan], [math.inf, math.nan]]
    )


@pytest.mark.parametrize("p", P)
def test_pairs_of_rows(p):
    a = np.random.default_rng(0).standard_normal((4, 3))
    agree(lambda x: dotori.pdist(x, p), lambda x: torch.pdist(x, p), a, second=False)


def test_the_number_of_different_coordinates():
    a = np.array([[0.0, 1.0], [0.0, 2.0]])
    assert dotori.dist(dotori.tensor(a[0]), dotori.tensor(a[1]), 0).item() == 1.0
    same(
        dotori.cdist(dotori.tensor(a), dotori.tensor(a), 0),
        torch.cdist(torch.tensor(a), torch.tensor(a), 0),
    )


@pytest.mark.parametrize("p", P)
def test_the_distance_of_two(p):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((3, 4)), rng.standard_normal(4)
    agree(
        lambda x, y: dotori.dist(x, y, p),
        lambda x, y: torch.dist(x, y, p),
        a,
        b,
        second=False,
    )
    agree(
        lambda x, y: dotori.dist(x, y),
        lambda x, y: torch.dist(x, y),
        a,
        a,
        second=False,
    )


def test_nothing_to_compare():
    for shapes in (((0, 3), (2, 3)), ((2, 0), (3, 0))):
        for p in (1, 2):
            same(
                dotori.cdist(*map(dotori.zeros, shapes), p),
                torch.cdist(*map(torch.zeros, shapes), p),
            )
    assert dotori.pdist(dotori.zeros((1, 3))).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: dotori.cdist(x, dotori.ones((2, 2))), ShapeError, "vectors"),
        (lambda x: dotori.cdist(x, x, -1), ArgumentError, "must not be negative"),
        (lambda x: dotori.cdist(x, x.double()), DTypeError, "two equal float types"),
        (lambda x: dotori.cdist(x, x, compute_mode="fast"), ArgumentError, "one of"),
        (lambda x: dotori.pdist(x[0]), ShapeError, "rows"),
    ],
)
def test_wrong_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call(dotori.ones((2, 3)))
