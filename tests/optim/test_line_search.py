"""The line search beside PyTorch's, over wavy functions; Wolfe's conditions hold."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from dotori.optim.line_search import strong_wolfe

WAVES = st.lists(
    st.tuples(st.floats(-2, 2), st.floats(0.2, 4), st.floats(0, 6)),
    min_size=1,
    max_size=4,
)


def wavy(waves, start):
    """A function of two variables, along the way downhill from `start`."""
    h, k, phase = np.array(waves).T

    def value(x):
        return float((h * np.sin(k * x[0] + phase)).sum() + 0.1 * x @ x)

    def gradient(x):
        waves = (h * k * np.cos(k * x[0] + phase)).sum()
        return np.array([waves, 0.0]) + 0.2 * x

    d = -gradient(start)
    return lambda t: (value(start + t * d), gradient(start + t * d)), d


searches = given(
    waves=WAVES,
    start=st.tuples(st.floats(-3, 3), st.floats(-3, 3)).map(np.array),
    t=st.sampled_from([0.01, 0.1, 1.0, 10.0]),
    tries=st.sampled_from([0, 1, 3, 25]),
)


# Rare turns: near an edge twice, and a second step that is higher but not too high.
EDGE = {"waves": [(-1.0, 3.8, 3.1)], "start": np.array([1.3, 0.1]), "t": 10.0}
HIGHER = {"waves": [(-0.6, 2.7, 0.7)], "start": np.array([1.5, -1.9]), "t": 1.0}


@settings(max_examples=100)
@example(**EDGE, tries=25)
@example(**HIGHER, tries=25)
@searches
def test_the_same_points_as_pytorchs(waves, start, t, tries):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch.optim.lbfgs import _strong_wolfe

    function, d = wavy(waves, start)
    f, g = function(0.0)
    if g @ g < 1e-6:
        return  # no way down
    seen = []

    def noted(t):
        seen.append(float(t))
        return function(float(t))

    ours = strong_wolfe(noted, t, d, f, g, tries)
    mine, seen = list(seen), []

    def theirs(x, t, d):
        seen.append(float(t))
        f, g = function(float(t))
        return f, torch.tensor(g)

    g, d = torch.tensor(g), torch.tensor(d)
    other = _strong_wolfe(theirs, None, t, d, f, g, g.dot(d), max_ls=tries)
    assert_allclose(mine, seen, rtol=1e-6, atol=1e-9)
    assert ours[0] == pytest.approx(other[0], rel=1e-6, abs=1e-9)
    assert ours[2] == pytest.approx(float(other[2]), rel=1e-6, abs=1e-9)
    assert ours[3] == other[3]


@searches
def test_the_loss_falls_enough_and_the_slope_too(waves, start, t, tries):
    function, d = wavy(waves, start)
    f, g = function(0.0)
    slope = float(g @ d)
    if slope > -1e-6:
        return
    found, g, t, calls = strong_wolfe(function, t, d, f, g, 100)
    assert calls <= 101
    assert found <= f + 1e-4 * t * slope + 1e-12
    if calls < 101 and t * np.abs(d).max() > 1e-6:  # not for want of tries or width
        assert abs(float(g @ d)) <= -0.9 * slope + 1e-9
