"""Native routines of convolution against the operations' own rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dotori.compiler.native import gathered, winograd
from dotori.kernels.window import Window
from dotori.ops.convolution import Convolution, ConvolutionWithBias
from routine_calls import Example, agree

SAME = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))


def channels_last(array: Any) -> Any:
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def both_rules(
    x_shape: tuple[int, ...],
    n_out: int,
    window: Window,
    bias: bool = True,
    dtype: Any = np.float64,
    needs: tuple[bool, ...] = (True, True, True),
) -> tuple[Example, Example]:
    """The forward call and the backward call of one convolution."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(dtype)

    op = ConvolutionWithBias if bias else Convolution
    x, w = channels_last(draw(*x_shape)), draw(n_out, x_shape[1], *window.kernel)
    attrs = {"window": window, "groups": 1}
    b = (draw(n_out),) if bias else ()
    forward = Example(op, "forward", x, w, *b, **attrs)
    dy = channels_last(draw(*forward.raw.shape))
    needs = needs if bias else needs[:2]
    return forward, Example(op, "backward", dy, needs, x, w, **attrs)


@st.composite
def cases(draw: Any) -> Any:
    kernel, stride, dilation = (
        draw(st.tuples(st.integers(1, most), st.integers(1, most)))
        for most in (4, 3, 2)
    )
    sides = st.tuples(st.integers(0, 2), st.integers(-1, 2))
    padding = (draw(sides), draw(sides))
    window = Window(kernel, stride, padding, dilation)
    reach = window.reach()
    size = tuple(
        max(1, r - a - b) + draw(st.integers(0, 4))
        for r, (a, b) in zip(reach, padding, strict=True)
    )
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 5)), *size)
    needs = draw(st.tuples(*[st.booleans()] * 3))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    return both_rules(
        shape, draw(st.integers(1, 4)), window, draw(st.booleans()), dtype, needs
    )


@given(cases())
@settings(deadline=None)
def test_gathered_convolution(case: Any) -> None:
    for example in case:
        if example.expected:
            agree(example)


@pytest.mark.parametrize("by_taps", [False, True])
def test_blocks_of_rows(by_taps: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr(gathered, "BLOCK", 6 * 9 * 16 * 8)
    window = Window((3, 3), (2, 1), ((1, 1), (0, 1)), (1, 1))
    for example in both_rules((3, 2 if by_taps else 6, 8, 6), 4, window):
        agree(example)


@pytest.mark.parametrize(
    "padding", [((1, 1), (1, 1)), ((0, 2), (2, 1)), ((-1, 3), (1, -1))]
)
def test_winograd(padding: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(winograd, "TILES", 7)
    window = SAME._replace(padding=padding)
    examples = both_rules((3, 16, 13, 18), 20, window, dtype=np.float32)
    for example in examples:
        routine = example.routine()
        assert routine is not None and routine.name.startswith("winograd")
        agree(example)


def test_winograd_gives_only_what_is_wanted() -> None:
    for needs in ((True, False, False), (False, True, True)):
        shape = (2, 16, 16, 16)
        _, backward = both_rules(shape, 16, SAME, True, np.float32, needs)
        agree(backward)


COMPILED = {
    "winograd": ((3, 16, 13, 18), 20, SAME, np.float32),
    "pointwise": (
        (2, 5, 4, 3),
        3,
        Window((1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)),
        np.float64,
    ),
    "by taps": ((2, 1, 9, 8), 4, SAME, np.float32),
    "gathered": (
        (2, 6, 9, 8),
        4,
        Window((3, 3), (2, 2), ((1, 1), (1, 1)), (1, 2)),
        np.float64,
    ),
}


@pytest.mark.parametrize("name", COMPILED)
def test_compiled(name: str) -> None:
    pytest.importorskip("numba", reason="needs Numba")
    shape, n_out, window, dtype = COMPILED[name]
    for example in both_rules(shape, n_out, window, dtype=dtype):
        agree(example, "numba", threads=2)


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    pytest.importorskip("numba", reason="needs Numba")
    shape, n_out, window, dtype = COMPILED["by taps"]
    _, backward = both_rules(shape, n_out, window, dtype=dtype)
    for one, more in zip(backward.run("numba"), backward.run("numba", 3), strict=True):
        np.testing.assert_array_equal(one, more)


def test_what_has_no_routine() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 4, 6, 6)), rng.standard_normal((4, 2, 3, 3))
    x = channels_last(x)
    assert (
        Example(Convolution, "forward", x, w, window=SAME, groups=2).routine() is None
    )
    line = Window((3,), (1,), ((1, 1),), (1,))
    x, w = rng.standard_normal((2, 4, 6)), rng.standard_normal((4, 4, 3))
    assert (
        Example(Convolution, "forward", x, w, window=line, groups=1).routine() is None
    )
