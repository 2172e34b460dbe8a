"""Masks of compiled code against `Generator.keep_mask`, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from dotori.compiler.native import random
from dotori.random import Generator

pytest.importorskip("numba", reason="masks are compiled by Numba")

SIZES = (0, 1, 7, 8, 9, 31, 32, 33, 64, 100, 4096, 5003)
SOURCE = """
def step(table, thread, threads):
    state = uint64(table, 0, (11,))
    size = int64(table, 1, (1,))[0]
    p = float64(table, 2, (1,))[0]
    keep_mask(state, p, boolean(table, 3, (size,)))
    return 0
"""


class Masks:
    """A generator whose masks compiled code draws."""

    def __init__(self, seed: int) -> None:
        from dotori.compiler.native.runtime import load

        self.generator = Generator(seed)
        self.step = load(SOURCE)

    def keep_mask(self, size: int, p: float) -> np.ndarray:
        state = random.read_state(self.generator)
        out = np.full(size + 1, True)
        arrays = [state, np.array([size]), np.array([p]), out]
        assert self.step(np.array([x.ctypes.data for x in arrays])) == 0
        assert out[size]  # nothing is written behind the mask
        random.write_state(self.generator, state)
        return out[:size]


@pytest.fixture(scope="module")
def masks() -> Masks:
    return Masks(7)


# 1/256, 0.25 and 0.5 need no second draw; 0.999 makes ties with the last byte, 255
@pytest.mark.parametrize(
    "p", [0.0, 1e-12, 0.001, 1 / 256, 0.1, 0.25, 0.3, 0.5, 0.75, 0.9, 0.999, 1.0]
)
def test_masks_and_what_follows_are_equal_to_the_definition(
    masks: Masks, p: float
) -> None:
    reference = Generator(7)
    masks.generator = Generator(7)
    for size in SIZES:
        expected = reference.keep_mask((size,), p)
        assert np.array_equal(masks.keep_mask(size, p), expected), size
        assert masks.generator.get_state() == reference.get_state(), size
    assert np.array_equal(masks.generator.normal(5), reference.normal(5))


def test_the_half_number_that_numpy_keeps_is_kept(masks: Masks) -> None:
    reference, masks.generator = Generator(3), Generator(3)
    for g in (reference, masks.generator):
        g.uniform((3,))  # float32: half of a word is left
    expected = reference.keep_mask((50,), 0.3)
    assert np.array_equal(masks.keep_mask(50, 0.3), expected)
    assert np.array_equal(masks.generator.uniform((5,)), reference.uniform((5,)))


def test_a_counter_that_overflows_carries(masks: Masks) -> None:
    reference, masks.generator = Generator(5), Generator(5)
    state = reference.get_state()
    state["counter"] = [2**64 - 2, 2**64 - 1, 3, 0]
    for g in (reference, masks.generator):
        g.set_state(state)
    expected = reference.keep_mask((200,), 0.3)
    assert np.array_equal(masks.keep_mask(200, 0.3), expected)
    assert masks.generator.get_state() == reference.get_state()
    assert reference.get_state()["counter"][2] == 4  # it did carry
