"""Bootstrap samples: fair, by weight, and of the content and not of the rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.algorithms.tree.bootstrap import Bootstrap, content_order
from dotori.errors import DataError


def table(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)).astype(np.float32), rng.integers(0, 3, (n, 1))


@given(seed=st.integers(0, 2**31 - 1), shuffle=st.integers(0, 99))
def test_a_whole_weight_is_as_many_copies_and_rows_may_be_shuffled(seed, shuffle):
    x, y = table()
    rng = np.random.default_rng(shuffle)
    weight = rng.integers(0, 4, len(x))
    rows = np.repeat(np.arange(len(x)), weight)
    rng.shuffle(rows)
    copies = Bootstrap.of(x[rows], y[rows]).counts(seed)
    weighted = Bootstrap.of(x, y, weight.astype(float)).counts(seed)
    assert weighted.sum() == weight.sum()
    np.testing.assert_array_equal(np.bincount(rows, copies, minlength=len(x)), weighted)


def test_each_row_is_drawn_as_often_as_its_weight_says():
    x, y = table(4)
    weight = np.array([0.5, 0.0, 1.5, 2.25])
    bootstrap = Bootstrap.of(x, y, weight, draws=1000)
    drawn = np.mean([bootstrap.counts(seed) for seed in range(100)], axis=0)
    expected = 1000 * weight / weight.sum()
    # 4 standard deviations of the mean of 100 binomial counts
    assert np.all(np.abs(drawn - expected) <= 4 * np.sqrt(expected / 100))
    assert drawn[1] == 0


def test_without_weights_all_rows_are_equally_likely():
    x, y = table(5)
    drawn = np.mean([Bootstrap.of(x, y).counts(s) for s in range(2000)], axis=0)
    assert np.all(np.abs(drawn - 1) < 4 / np.sqrt(2000))


def test_rows_and_counts_are_of_the_same_sample():
    x, y = table()
    bootstrap = Bootstrap.of(x, y, draws=17)
    assert len(bootstrap.rows(3)) == 17
    np.testing.assert_array_equal(
        np.bincount(bootstrap.rows(3), minlength=len(x)), bootstrap.counts(3)
    )
    assert not np.array_equal(bootstrap.rows(3), bootstrap.rows(4))


def test_equal_rows_lie_together_whatever_their_zeros_sign_and_their_nan():
    x = np.arange(64, dtype=np.float32)[:, None]
    x[40], x[50] = -0.0, np.nan  # as rows 0 and 60
    x[60] = np.nan
    place = np.argsort(content_order(x, np.zeros((64, 1))))
    assert abs(place[0] - place[40]) == 1
    assert abs(place[50] - place[60]) == 1


@pytest.mark.parametrize("weight", [[1.0, -1.0, 1.0, 1.0], [0.0] * 4])
def test_impossible_weights_are_refused(weight):
    with pytest.raises(DataError, match="not negative, and not all 0"):
        Bootstrap.of(*table(4), np.array(weight))
