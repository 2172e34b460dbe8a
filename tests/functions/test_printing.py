"""How tensors are shown, and that it can be set."""

import numpy as np
import pytest

import dotori
from dotori.errors import ArgumentError


@pytest.fixture(autouse=True)
def restored():
    yield
    dotori.set_printoptions(profile="default")


def test_each_option_counts():
    x = dotori.tensor(np.linspace(0, 1, 1000) / 3)
    assert "..." in repr(x) and "0.3333" in repr(x)
    dotori.set_printoptions(precision=7)
    assert "0.3333333" in repr(x) and "..." in repr(x)
    dotori.set_printoptions(edgeitems=1)
    assert repr(x).count(",") < 8
    dotori.set_printoptions(threshold=1000)
    assert "..." not in repr(x)
    dotori.set_printoptions(linewidth=300)
    assert max(map(len, repr(x).splitlines())) > 200
    dotori.set_printoptions(profile="default", sci_mode=True)
    assert repr(dotori.tensor([1.5])).startswith("tensor([1.5000e+00]")
    dotori.set_printoptions(sci_mode=False)
    assert repr(dotori.tensor([1e-9, 1.0])).startswith("tensor([0., 1.]")
    assert "e-09" in repr(np.array([1e-9, 1.0])), "NumPy's own options stay"


def test_profiles():
    x = dotori.arange(5000) % 10 / 3
    dotori.set_printoptions(profile="full")
    assert "..." not in repr(x)
    dotori.set_printoptions(profile="short")
    assert "0.33," in repr(x) and "..." in repr(x)
    dotori.set_printoptions(profile="default", precision=1)
    assert "0.3," in repr(x)
    with pytest.raises(ArgumentError, match="long"):
        dotori.set_printoptions(profile="long")
