"""The seal on global state really breaks."""

import numpy as np

import dotori
from conftest import changes, global_state


def test_each_change_is_seen() -> None:
    before = global_state()
    assert changes(before) == []
    with dotori.no_grad():
        assert changes(before) == ["grad mode"]
    dotori.set_default_dtype(dotori.float64)
    assert changes(before) == ["default dtype"]
    dotori.set_default_dtype(dotori.float32)
    with np.errstate(over="raise"):
        assert changes(before) == ["floating-point errors"]
    with dotori.random.use_generator(dotori.Generator(0)):
        assert changes(before) == ["default generator"]
