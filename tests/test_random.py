"""Streams: fixed by their seed, resumed exactly, derived without drawing."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import ArgumentError, FormatError
from dotori.random import use_generator


def draws(g):
    return [g.uniform(3), g.normal(2), g.integers(0, 9, 4), g.keep_mask((5,), 0.5)]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(draws(a), draws(b), strict=True))


@given(st.integers(0, 2**70))
def test_equal_seeds_equal_numbers_other_seeds_others(seed):
    assert same(dotori.Generator(seed), dotori.Generator(seed))
    assert not same(dotori.Generator(seed), dotori.Generator(seed + 1))


@given(st.integers(0, 7))
def test_a_state_is_json_and_goes_on_exactly(drawn):
    g = dotori.Generator(3).derive(1, 2)
    for _ in range(drawn):
        g.numpy().random(dtype=np.float32)  # leaves half of a 64-bit word behind
    state = json.loads(json.dumps(g.get_state()))
    h = dotori.Generator(0)
    h.set_state(state)
    assert same(g, h)


def test_a_mark_is_where_rewind_goes_back_to():
    g = dotori.Generator(3)
    g.uniform(3)
    mark = g.mark()
    first = draws(g)
    g.rewind(mark)
    for x, y in zip(first, draws(g), strict=True):
        np.testing.assert_array_equal(x, y)


def test_derived_streams_are_named_by_their_path():
    g = dotori.Generator(3)
    before = g.derive(1, 5).uniform(4)
    g.uniform(100)
    np.testing.assert_array_equal(before, g.derive(1, 5).uniform(4))
    np.testing.assert_array_equal(before, g.derive(1).derive(5).uniform(4))
    streams = {
        g.derive(i, j).uniform(2).tobytes() for i in range(20) for j in range(20)
    }
    assert len(streams) == 400


def test_numbers_have_the_shape_type_and_spread_asked_for():
    g = dotori.Generator(0)
    x = g.uniform((1000, 10), -2.0, 3.0)
    assert x.dtype == np.float32 and x.min() >= -2 and x.max() < 3
    assert abs(x.mean() - 0.5) < 0.05
    y = g.normal((1000, 10), 1.0, 2.0, np.float64)
    assert y.dtype == np.float64 and abs(y.mean() - 1) < 0.1 and abs(y.std() - 2) < 0.1
    kept = g.keep_mask((1000, 10), 0.3)
    assert abs(kept.mean() - 0.7) < 0.03
    assert g.keep_mask((9,), 0.0).all() and not g.keep_mask((9,), 1.0).any()


@pytest.mark.parametrize("p", [0.1, 0.5, 1 / 1024, 0.999])
def test_masks_drop_with_the_probability_asked_for(p):
    """A million draws tell 0.1 from 26/256, which a byte alone would give."""
    n = 2**20
    dropped = n - int(dotori.Generator(0).keep_mask((n,), p).sum())
    assert abs(dropped / n - p) < 5 * (p * (1 - p) / n) ** 0.5


def test_the_default_stream_is_seeded_and_swapped():
    with use_generator(dotori.Generator(1)):
        a = dotori.rand(3).tolist()
        dotori.manual_seed(1)
        assert dotori.rand(3).tolist() == a and dotori.initial_seed() == 1


def test_mistakes_are_named():
    for seed in (-1, 1.5, True, "a"):
        with pytest.raises(ArgumentError, match="non-negative integer"):
            dotori.Generator(seed)
    with pytest.raises(FormatError, match="not a state"):
        dotori.Generator(0).set_state({"seed": 1})
    assert repr(dotori.Generator(7).derive(1)) == "Generator(seed=7, path=(1,))"
