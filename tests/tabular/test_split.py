"""Splits: every row once, exact counts, every class in its share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dotori.errors import ArgumentError, DataError
from dotori.random import Generator
from dotori.tabular.split import apportion, train_valid_test_split

SHARES = [(0.7, 0.15, 0.15), (0.6, 0.2, 0.2), (0.8, 0.0, 0.2), (0.9, 0.1, 0.0)]


@given(st.integers(3, 500), st.sampled_from(SHARES), st.integers(0, 100))
def test_every_row_is_in_one_part(n, shares, seed):
    split = train_valid_test_split(n, shares, Generator(seed))
    assert sorted(np.concatenate(split).tolist()) == list(range(n))
    for part, share in zip(split, shares, strict=True):
        assert abs(len(part) - n * share) < 1 or len(part) == 1
        assert (len(part) == 0) == (share == 0)
        assert (np.diff(part) > 0).all()


@given(
    st.lists(st.integers(2, 60), min_size=2, max_size=8),
    st.sampled_from(SHARES),
    st.integers(0, 100),
)
def test_every_class_is_in_every_part(counts, shares, seed):
    classes = Generator(seed).permutation(sum(counts))
    classes = np.repeat(np.arange(len(counts)), counts)[classes]
    n, parts = len(classes), sum(share > 0 for share in shares)
    assume(n * min(s for s in shares if s) >= 2 * len(counts))
    plain = train_valid_test_split(n, shares, Generator(seed))
    split = train_valid_test_split(n, shares, Generator(seed), stratify=classes)
    assert [len(part) for part in split] == [len(part) for part in plain]
    assert sorted(np.concatenate(split).tolist()) == list(range(n))
    for k, count in enumerate(counts):
        found = [int((classes[part] == k).sum()) for part in split]
        assert found[0] >= 1
        if count >= parts:
            for share, number in zip(shares, found, strict=True):
                assert (number >= 1) == (share > 0)
        for share, number in zip(shares[1:], found[1:], strict=True):
            assert abs(number - share * count) < 2


def test_shares_of_classes_are_as_in_scikit_learn():
    """On counts that divide evenly there is one right answer."""
    selection = pytest.importorskip("sklearn.model_selection", reason="the reference")
    classes = np.repeat([0, 1, 2], [500, 300, 200])
    split = train_valid_test_split(1000, (0.8, 0.0, 0.2), Generator(1), classes)
    train, test = selection.train_test_split(
        classes, test_size=0.2, stratify=classes, random_state=0
    )
    assert np.bincount(classes[split.train]).tolist() == np.bincount(train).tolist()
    assert np.bincount(classes[split.test]).tolist() == np.bincount(test).tolist()


def test_the_seed_alone_decides():
    classes = np.arange(100) % 3
    for stratify in (None, classes):
        a, b = (
            train_valid_test_split(100, generator=Generator(5), stratify=stratify)
            for _ in range(2)
        )
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        c = train_valid_test_split(100, generator=Generator(6), stratify=stratify)
        assert not np.array_equal(a.test, c.test)


def test_each_row_is_as_likely_to_be_in_the_test():
    classes = np.repeat([0, 1], [10, 30])
    seen = np.zeros(40)
    for seed in range(400):
        seen[
            train_valid_test_split(40, (0.5, 0.0, 0.5), Generator(seed), classes).test
        ] += 1
    assert np.abs(seen / 400 - 0.5).max() < 0.13  # five standard deviations


def test_largest_remainders():
    zero, many = np.zeros(3, np.int64), np.full(3, 100)
    assert apportion(10, np.array([4.5, 3.3, 2.2]), zero, many).tolist() == [5, 3, 2]
    assert apportion(3, np.array([0.1, 0.1, 2.8]), zero + 1, many).tolist() == [1, 1, 1]
    with pytest.raises(DataError, match="cannot divide"):
        apportion(10, np.array([1.0, 1.0, 1.0]), zero, zero + 1)


def test_a_class_with_a_single_row():
    with pytest.raises(DataError, match="class 'rare' has a single row"):
        train_valid_test_split(
            10, stratify=[0] * 9 + [1], class_names=["often", "rare"]
        )
    with pytest.raises(DataError, match="class '7' has a single row"):
        train_valid_test_split(10, stratify=[3] * 9 + [7])


def test_more_classes_than_a_part_has_room_for():
    classes = np.repeat(np.arange(20), 3)
    split = train_valid_test_split(60, (0.8, 0.1, 0.1), Generator(0), classes)
    assert [len(part) for part in split] == [48, 6, 6]
    assert len(np.unique(classes[split.train])) == 20


@pytest.mark.parametrize(
    "shares", [(0.5, 0.5, 0.5), (1.2, -0.1, -0.1), (np.nan, 0.5, 0.5), (1, 0)]
)
def test_wrong_fractions(shares):
    with pytest.raises(ArgumentError, match="three fractions"):
        train_valid_test_split(10, shares)


def test_too_few_rows():
    for n in (0, 1, 2):
        with pytest.raises(DataError, match=f"{n} rows cannot be split into 3 parts"):
            train_valid_test_split(n)
    assert [len(part) for part in train_valid_test_split(3)] == [1, 1, 1]
    with pytest.raises(DataError, match=r"shape \(4,\) was wanted, got \(3,\)"):
        train_valid_test_split(4, stratify=[0, 0, 1])
