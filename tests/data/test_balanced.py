"""Samplers that look at the data: shares of classes, whole groups, similar lengths."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori import Generator
from dotori.data import (
    GroupSampler,
    LengthBatchSampler,
    StratifiedBatchSampler,
    StratifiedSampler,
)
from dotori.errors import ArgumentError, ShapeError

labels_of = st.lists(st.integers(0, 4), min_size=1, max_size=120)


@given(labels=labels_of, size=st.integers(1, 20), seed=st.integers(0, 3))
def test_stratified_batches_keep_the_shares(
    labels: list[int], size: int, seed: int
) -> None:
    codes = np.array(labels)
    batches = list(StratifiedBatchSampler(labels, size, generator=Generator(seed)))
    assert sorted(i for batch in batches for i in batch) == list(range(len(labels)))
    classes = np.unique(codes)
    for batch in batches:
        for c in classes:
            share = (codes == c).mean()
            off = abs((codes[batch] == c).sum() - share * len(batch))
            assert off <= 1 + len(classes) * share + 1e-9


def test_shares_that_divide_evenly_are_exact() -> None:
    labels = np.array(["cat"] * 60 + ["dog"] * 30 + ["eel"] * 10)
    batches = list(StratifiedBatchSampler(labels, 10, generator=Generator(0)))
    for batch in batches:
        names, counts = np.unique(labels[batch], return_counts=True)
        assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
            "cat": 6,
            "dog": 3,
            "eel": 1,
        }
    again = list(StratifiedBatchSampler(labels, 10, generator=Generator(1)))
    assert batches != again  # who is in which batch is drawn


@given(labels=labels_of)
def test_stratified_order_spreads_every_class(labels: list[int]) -> None:
    codes = np.array(labels)
    order = np.array(list(StratifiedSampler(labels, Generator(0))))
    assert sorted(order.tolist()) == list(range(len(labels)))
    classes = np.unique(codes)
    for c in classes:
        held = np.cumsum(codes[order] == c)
        share = (codes == c).mean()
        due = share * np.arange(1, len(order) + 1)
        assert np.abs(held - due).max() <= 1 + len(classes) * share + 1e-9


@given(groups=labels_of, seed=st.integers(0, 3))
def test_a_group_stays_together(groups: list[int], seed: int) -> None:
    order = list(GroupSampler(groups, Generator(seed)))
    assert sorted(order) == list(range(len(groups)))
    in_order = np.array(groups)[order]
    changes = int((in_order[1:] != in_order[:-1]).sum())
    assert changes == len(set(groups)) - 1
    for g in set(groups):
        members = [i for i in order if groups[i] == g]
        assert members == sorted(members)


def test_groups_come_in_random_order() -> None:
    groups = np.repeat(np.arange(6), 2)
    orders = {tuple(GroupSampler(groups, Generator(seed))) for seed in range(20)}
    assert len(orders) > 10


@given(
    n=st.integers(1, 80),
    size=st.integers(1, 9),
    drop_last=st.booleans(),
    buckets=st.integers(1, 4),
)
def test_length_batches_visit_each_sample_once(
    n: int, size: int, drop_last: bool, buckets: int
) -> None:
    lengths = Generator(n).integers(1, 100, (n,))
    sampler = LengthBatchSampler(lengths, size, drop_last, Generator(0), buckets)
    batches = list(sampler)
    seen = [i for batch in batches for i in batch]
    assert len(seen) == len(set(seen)) == (n - n % size if drop_last else n)
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert len(batches) == len(sampler)


def test_one_bucket_pads_as_little_as_sorting() -> None:
    lengths = Generator(0).permutation(64)
    batches = list(LengthBatchSampler(lengths, 8, generator=Generator(1)))
    spans = [np.ptp(lengths[batch]) for batch in batches]
    assert spans == [7] * 8
    assert [lengths[batch].min() for batch in batches] != sorted(range(0, 64, 8))


@pytest.mark.parametrize(
    "make",
    [
        StratifiedSampler,
        GroupSampler,
        lambda labels: StratifiedBatchSampler(labels, 2),
        lambda lengths: LengthBatchSampler(lengths, 2),
    ],
)
def test_one_label_a_sample_is_needed(make: Any) -> None:
    with pytest.raises(ShapeError, match=r"one axis, got \(2, 2\)"):
        make(np.zeros((2, 2)))


def test_sizes_are_checked() -> None:
    with pytest.raises(ArgumentError, match="batch_size"):
        StratifiedBatchSampler([0, 1], 0)
    with pytest.raises(ArgumentError, match="batches_per_bucket"):
        LengthBatchSampler([1, 2], 2, batches_per_bucket=0)
