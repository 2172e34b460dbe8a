"""Native routines of pooling against the operations' own rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.kernels.tiling import Tiling, tile
from dotori.ops.pooling import MaxOnly, MaxPool, SpreadSum, WindowSum
from routine_calls import Example, agree


def last(array: Any) -> Any:
    """The same numbers with their channels side by side."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


def examples(shape: tuple[int, ...], tiling: Tiling, x: Any) -> list[Example]:
    """Both rules of the largest number and of the sum."""
    axes = len(shape) - 2
    attrs = {"tiling": tiling, "axes": axes}
    found = [Example(op, "forward", x, **attrs) for op in (MaxOnly, MaxPool)]
    y, winners = found[1].raw
    dy = last(np.random.default_rng(1).standard_normal(y.shape).astype(x.dtype))
    found.append(Example(MaxPool, "backward", dy, winners, **attrs))
    attrs["last"] = True
    for op, given_ in ((WindowSum, x), (SpreadSum, dy)):
        found.append(Example(op, "forward", given_, **attrs))
    found.append(Example(WindowSum, "backward", dy, **attrs))
    return found


@st.composite
def cases(draw: Any) -> Any:
    axes = draw(st.integers(1, 3))

    def numbers(low: int, high: int) -> tuple[int, ...]:
        return draw(st.tuples(*[st.integers(low, high)] * axes))

    size, stride, dilation = numbers(1, 3), numbers(1, 3), numbers(1, 2)
    padding = tuple(draw(st.integers(0, k // 2)) for k in size)
    reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, size, strict=True))
    places = tuple(max(reach) + draw(st.integers(0, 3)) for _ in size)
    tiling = tile(places, size, stride, padding, dilation, draw(st.booleans()))
    shape = (draw(st.integers(1, 3)), draw(st.integers(2, 5)), *places)
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 4, shape).astype(draw(st.sampled_from(["f4", "f8"])))
    if draw(st.booleans()):
        x[rng.random(shape) < 0.2] = np.nan
    return shape, tiling, last(x)


@given(cases())
def test_routines_give_what_the_rules_give(case: Any) -> None:
    _, tiling, _ = case
    if tiling.has_empty():
        return
    for example in examples(*case):
        if example.routine() is not None:
            agree(example)


@pytest.mark.parametrize("size, stride", [(2, 2), (3, 2), (2, 3)])
def test_pictures(size: int, stride: int) -> None:
    shape = (2, 16, 7, 8)
    tiling = tile(shape[2:], (size,) * 2, (stride,) * 2, (0, 0), (1, 1))
    x = last(np.random.default_rng(0).standard_normal(shape))
    for example in examples(shape, tiling, x):
        assert example.routine() is not None
        agree(example)


def test_compiled() -> None:
    pytest.importorskip("numba", reason="needs Numba")
    for size, dtype in ((2, np.float32), (3, np.float64)):
        shape = (3, 16, 6, 8)
        tiling = tile(shape[2:], (size,) * 2, (2, 2), (size // 3,) * 2, (1, 1))
        x = last(np.random.default_rng(0).standard_normal(shape).astype(dtype))
        x[0, :, 0, 0] = np.nan
        for example in examples(shape, tiling, x)[: 3 if size == 2 else 5]:
            agree(example, "numba", threads=2)


def test_what_has_no_routine() -> None:
    tiling = tile((4, 4), (2, 2), (2, 2), (0, 0), (1, 1))
    rng = np.random.default_rng(0)
    one_channel = rng.standard_normal((2, 1, 4, 4))
    first = rng.standard_normal((2, 3, 4, 4))
    whole = last(rng.integers(0, 9, (2, 3, 4, 4)))
    for x in (one_channel, first, whole):
        example = Example(MaxPool, "forward", x, tiling=tiling, axes=2)
        assert example.routine() is None
