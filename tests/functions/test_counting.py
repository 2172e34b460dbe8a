"""Counts of values and histograms, beside PyTorch and NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import ArgumentError, DTypeError, ShapeError
from torch_oracle import same, torch


@given(st.lists(st.integers(0, 9), min_size=1), st.integers(0, 12))
def test_counts_of_whole_numbers(values, minlength):
    a = np.array(values, np.int64)
    same(
        dotori.bincount(dotori.tensor(a), minlength=minlength),
        torch.bincount(torch.tensor(a), minlength=minlength),
    )
    for dtype in (np.float32, np.float64, np.int64):
        w = (np.arange(len(a)) + 1).astype(dtype)
        same(
            dotori.bincount(dotori.tensor(a), dotori.tensor(w)),
            torch.bincount(torch.tensor(a), torch.tensor(w)),
            rtol=1e-6,
        )
    assert (
        np.bincount(dotori.tensor(a), minlength=3).tolist()
        == np.bincount(a, minlength=3).tolist()
    )


@given(
    st.integers(0, 99), st.integers(1, 7), st.sampled_from([(0, 0), (-1, 1), (0.5, 3)])
)
def test_equal_intervals(seed, bins, limits):
    a = np.random.default_rng(seed).standard_normal(20)
    same(
        dotori.histc(dotori.tensor(a), bins, *limits),
        torch.histc(torch.tensor(a), bins, *limits),
    )


@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("bins", [1, 5, [-1.0, -0.5, 0.0, 2.0]])
@pytest.mark.parametrize("weighted", [False, True])
def test_histograms(bins, weighted, density):
    rng = np.random.default_rng(0)
    a, w = rng.standard_normal((4, 5)), rng.uniform(size=(4, 5))
    results = []
    for module in (dotori, torch):
        edges = (
            bins if isinstance(bins, int) else module.tensor(bins, dtype=module.float64)
        )
        results.append(
            module.histogram(
                module.tensor(a), edges, density=density,
                weight=module.tensor(w) if weighted else None,
            )
        )  # fmt: skip
    same(results[0].hist, results[1].hist)
    same(results[0].bin_edges, results[1].bin_edges)


def test_a_range_and_the_ends_of_intervals():
    a = np.array([0.0, 1.0, 1.0, 2.0, 3.0, 3.5])
    ours = dotori.histogram(dotori.tensor(a), 3, range=(0.0, 3.0))
    theirs = torch.histogram(torch.tensor(a), 3, range=(0.0, 3.0))
    same(ours.hist, theirs.hist)
    assert ours.hist.tolist() == [1.0, 2.0, 2.0]  # 3 belongs to the last, 3.5 to none
    same(
        dotori.histogram(dotori.ones(3), 4).hist, torch.histogram(torch.ones(3), 4).hist
    )
    same(dotori.histc(dotori.ones(3), 4), torch.histc(torch.ones(3), 4))


@pytest.mark.parametrize("bins", [3, [2, 3]])
def test_histograms_of_points(bins):
    points = np.random.default_rng(0).standard_normal((20, 2))
    for density in (False, True):
        ours = dotori.histogramdd(dotori.tensor(points), bins, density=density)
        theirs = torch.histogramdd(torch.tensor(points), bins, density=density)
        same(ours.hist, theirs.hist)
        for x, t in zip(ours.bin_edges, theirs.bin_edges, strict=True):
            same(x, t)
    limits = [-1.0, 1.0, 0.0, 2.0]
    ours = dotori.histogramdd(dotori.tensor(points), bins, range=limits)
    theirs = torch.histogramdd(torch.tensor(points), bins, range=limits)
    same(ours.hist, theirs.hist)


def test_the_density_of_nothing_is_nan():
    found = dotori.histogram(dotori.tensor([9.0]), 2, range=(0.0, 1.0), density=True)
    assert all(map(math.isnan, found.hist.tolist()))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: dotori.bincount([-1]), ArgumentError, "with a negative one"),
        (lambda x: dotori.bincount(x), ArgumentError, "float32 of shape"),
        (lambda x: dotori.bincount([1, 2], [1.0]), ShapeError, "must be equal"),
        (lambda x: dotori.histc(x, 0), ArgumentError, "1 or more, got 0"),
        (lambda x: dotori.histc(x, 2, 3, 1), ArgumentError, "runs backwards"),
        (lambda x: dotori.histc(x * math.nan, 2), ArgumentError, "not finite"),
        (lambda x: dotori.histc(x.long(), 2), DTypeError, "floats were wanted"),
        (lambda x: dotori.histogram(x, [1.0, 0.0]), ArgumentError, "must rise"),
        (lambda x: dotori.histogram(x, 2, weight=[1.0]), ShapeError, "3 weights"),
        (lambda x: dotori.histogramdd(x, 2), ShapeError, "points"),
        (lambda x: dotori.histogramdd(dotori.ones((2, 2)), [2]), ArgumentError, "2 bins"),
    ],
)  # fmt: skip
def test_wrong_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call(dotori.tensor([1.0, 2.0, 3.0]))
