"""Samplers: what an epoch contains, against counting and against PyTorch's lengths."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import Generator
from dotori.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from dotori.errors import ArgumentError, ShapeError


@given(n=st.integers(0, 50), seed=st.integers(0, 5))
def test_random_sampler_visits_each_sample_once(n: int, seed: int) -> None:
    sampler = RandomSampler(range(n), generator=Generator(seed))
    order = list(sampler)
    assert all(type(i) is int for i in order)
    assert sorted(order) == list(range(n)) and len(sampler) == n


@given(
    n=st.integers(1, 9),
    wanted=st.integers(1, 40),
    replacement=st.booleans(),
)
def test_random_sampler_of_any_length(n: int, wanted: int, replacement: bool) -> None:
    sampler = RandomSampler(range(n), replacement, wanted, Generator(0))
    order = np.array(list(sampler))
    assert len(order) == len(sampler) == wanted
    assert order.min() >= 0 and order.max() < n
    if not replacement:  # whole rounds, then a part of one
        counts = np.bincount(order, minlength=n)
        assert counts.max() - counts.min() <= 1


def test_without_a_generator_the_default_one_is_drawn_from() -> None:
    dotori.manual_seed(3)
    first = list(RandomSampler(range(20)))
    second = list(RandomSampler(range(20)))
    dotori.manual_seed(3)
    assert list(RandomSampler(range(20))) == first != second


def test_subset_random_sampler_keeps_its_indices() -> None:
    sampler = SubsetRandomSampler([9, 4, 4, 7], Generator(0))
    assert sorted(sampler) == [4, 4, 7, 9] and len(sampler) == 4
    with pytest.raises(ArgumentError):
        SubsetRandomSampler([0.5])


def test_weights_are_probabilities() -> None:
    weights = np.array([1.0, 0.0, 3.0, 6.0])
    n = 40_000
    drawn = list(WeightedRandomSampler(weights, n, generator=Generator(0)))
    shares = np.bincount(drawn, minlength=4) / n
    # Five standard deviations of a share: sqrt(p (1 - p) / n) is at most 0.0025.
    np.testing.assert_allclose(shares, weights / 10, atol=0.0125)
    assert shares[1] == 0


def test_weighted_draws_without_replacement_are_successive() -> None:
    # By hand: P(first is 1) = 2/3; P({0, 1} drawn from 1, 2, 3) =
    # 1/6 * 2/5 + 2/6 * 1/4 = 0.15.
    firsts, pairs, n = 0, 0, 4_000
    for seed in range(n):
        pair = list(WeightedRandomSampler([1, 2, 3], 2, False, Generator(seed)))
        assert len(set(pair)) == 2
        firsts += pair[0] == 2
        pairs += set(pair) == {0, 1}
    assert abs(firsts / n - 1 / 2) < 0.04
    assert abs(pairs / n - 0.15) < 0.03


@pytest.mark.parametrize(
    ("weights", "wanted", "replacement", "error"),
    [
        ([1.0, -1.0], 1, True, ArgumentError),
        ([1.0, np.nan], 1, True, ArgumentError),
        ([0.0, 0.0], 1, True, ArgumentError),
        ([1.0, 0.0], 2, False, ArgumentError),
        ([1.0], 0, True, ArgumentError),
        ([[1.0]], 1, True, ShapeError),
    ],
)
def test_bad_weights_are_refused(
    weights: list[float], wanted: int, replacement: bool, error: type[Exception]
) -> None:
    with pytest.raises(error, match="WeightedRandomSampler"):
        WeightedRandomSampler(weights, wanted, replacement)


@given(n=st.integers(0, 30), size=st.integers(1, 12), drop_last=st.booleans())
def test_batch_sampler_is_torchs(
    torch_data: Any, n: int, size: int, drop_last: bool
) -> None:
    theirs = torch_data.BatchSampler(
        torch_data.SequentialSampler(range(n)), size, drop_last
    )
    for sampler in (SequentialSampler(range(n)), range(n)):
        ours = BatchSampler(sampler, size, drop_last)
        assert list(ours) == list(theirs)
        assert len(ours) == len(theirs)


def test_a_sampler_of_ones_own_may_never_end() -> None:
    class Endless(Sampler[int]):
        def __iter__(self) -> Iterator[int]:
            while True:
                yield int(dotori.default_generator().integers(0, 9))

    batches = BatchSampler(Endless(), 2, drop_last=False)
    first = [next(iter(batches.batches(Generator(1)))) for _ in range(2)]
    assert first[0] == first[1] and len(first[0]) == 2


def test_an_overridden_order_is_respected() -> None:
    class Backwards(SequentialSampler):
        def __iter__(self) -> Iterator[int]:
            return iter(range(len(self) - 1, -1, -1))

    assert list(BatchSampler(Backwards(range(5)), 2, False)) == [[4, 3], [2, 1], [0]]


@pytest.mark.parametrize("size", [0, -1, 1.5, True])
def test_batch_size_is_a_positive_integer(size: int) -> None:
    with pytest.raises(ArgumentError, match="batch_size must be an integer > 0"):
        BatchSampler(range(3), size, False)
