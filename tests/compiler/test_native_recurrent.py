"""Native routines of recurrent layers against the operations' own rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.compiler.native import recurrent
from dotori.ops.gru import GRU
from dotori.ops.lstm import LSTM
from dotori.ops.recurrent import RNN
from routine_calls import Example, agree

GATES: dict[Any, int] = {RNN: 1, LSTM: 4, GRU: 3}
EXTRAS: dict[Any, int] = {RNN: 0, LSTM: 3, GRU: 2}


def layer(
    op: Any,
    sizes: tuple[int, ...] = (2, 2, 1),
    features: int = 3,
    size: int = 5,
    bias: bool = True,
    dtype: Any = np.float64,
    seed: int = 0,
) -> list[Any]:
    """What `op` is called with."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> Any:
        return (rng.standard_normal(shape) / 2).astype(dtype)

    states = [draw(sizes[0], size) for _ in range(2 if op is LSTM else 1)]
    wide = GATES[op] * size
    weights = [draw(wide, features), draw(wide, size)]
    biases = [draw(wide) if bias else None for _ in range(2)]
    projection = [None] if op is LSTM else []
    return [draw(sum(sizes), features), *states, *weights, *biases, *projection]


def attributes(op: Any, sizes: tuple[int, ...], reverse: bool, relu: bool) -> Any:
    return {"sizes": sizes, "reverse": reverse} | ({"relu": relu} if op is RNN else {})


def both_rules(
    op: Any, inputs: list[Any], attrs: Any, given_back: Any, wanted: bool = True
) -> tuple[Example, Example]:
    """The forward call and the backward call that follows it."""
    forward = Example(op, "forward", *inputs, **attrs)
    outputs = forward.raw[: len(forward.raw) - EXTRAS[op]]
    extras = forward.raw[len(outputs) :]
    rng = np.random.default_rng(1)
    dys = tuple(
        rng.standard_normal(y.shape).astype(y.dtype) if wanted else None
        for y, wanted in zip(outputs, given_back, strict=True)
    )
    needs = tuple(wanted and x is not None for x in inputs)
    saved = (*inputs, forward.raw[0], *extras)
    return forward, Example(op, "backward", dys, needs, *saved, **attrs)


@st.composite
def cases(draw: Any, most: int = 6) -> Any:
    op = draw(st.sampled_from([RNN, LSTM, GRU]))
    rising = sorted(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    sizes = tuple(reversed(rising))
    bias = draw(st.booleans())
    inputs = layer(
        op,
        sizes,
        draw(st.integers(1, 4)),
        draw(st.integers(1, most)),
        bias,
        draw(st.sampled_from([np.float64, np.float32])),
    )
    attrs = attributes(op, sizes, draw(st.booleans()), draw(st.booleans()))
    n_outputs = 3 if op is LSTM else 2
    back = draw(st.tuples(*[st.booleans()] * n_outputs))
    return both_rules(op, inputs, attrs, back, draw(st.booleans()))


@given(cases())
def test_routines_give_what_the_rules_give(case: Any) -> None:
    for example in case:
        agree(example)


@pytest.mark.parametrize("op", [RNN, LSTM, GRU])
@pytest.mark.parametrize("reverse", [False, True])
def test_hidden_units_in_pieces(op: Any, reverse: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr(recurrent, "UNITS", 2)
    sizes = (5, 2, 2) if reverse else (3, 2, 2)
    inputs = layer(op, sizes, size=6)
    assert recurrent.pieces_of(6) == 3
    everything = (True,) * (3 if op is LSTM else 2)
    attrs = attributes(op, sizes, reverse, relu=False)
    for example in both_rules(op, inputs, attrs, everything):
        agree(example)


@pytest.mark.parametrize("op", [RNN, LSTM, GRU])
def test_compiled(op: Any) -> None:
    pytest.importorskip("numba", reason="needs Numba")
    dtype = np.float64 if op is RNN else np.float32
    sizes = (5, 5, 2)
    inputs = layer(op, sizes, 2, 128, dtype=dtype)
    everything = (True,) * (3 if op is LSTM else 2)
    attrs = attributes(op, sizes, reverse=op is GRU, relu=False)
    for example in both_rules(op, inputs, attrs, everything):
        agree(example, "numba", threads=2)


def test_compiled_without_biases_and_some_gradients() -> None:
    pytest.importorskip("numba", reason="needs Numba")
    inputs = layer(GRU, (1,), 1, 3, bias=False)
    attrs = attributes(GRU, (1,), reverse=False, relu=True)
    for example in both_rules(GRU, inputs, attrs, (False, True), wanted=False):
        agree(example, "numba")


@pytest.mark.parametrize("threads", [2, 3])
def test_results_do_not_depend_on_the_number_of_threads(threads: int) -> None:
    pytest.importorskip("numba", reason="needs Numba")
    sizes = (4,) * 25
    inputs = layer(RNN, sizes, 64, 192, dtype=np.float32)
    attrs = attributes(RNN, sizes, reverse=False, relu=False)
    example, _ = both_rules(RNN, inputs, attrs, (True, True))
    for one, more in zip(
        example.run("numba"), example.run("numba", threads), strict=True
    ):
        np.testing.assert_array_equal(one, more)


def test_nan_and_infinities_pass() -> None:
    inputs = layer(RNN, (2, 2))
    inputs[0][0], inputs[0][3] = np.nan, -np.inf
    inputs[3][:] = np.abs(inputs[3])
    attrs = attributes(RNN, (2, 2), reverse=False, relu=True)
    with np.errstate(all="ignore"):
        example = Example(RNN, "forward", *inputs, **attrs)
        found = example.run()
    np.testing.assert_array_equal(np.isnan(found[0]), np.isnan(example.expected[0]))


def test_what_has_no_routine() -> None:
    inputs = layer(LSTM, (2, 1), size=5)
    inputs[1], inputs[4] = inputs[1][:, :2], inputs[4][:, :2]
    inputs[7] = np.ones((2, 5))
    example = Example(LSTM, "forward", *inputs, sizes=(2, 1), reverse=False)
    assert example.routine() is None  # projections
    half = layer(GRU, (2, 1), dtype=np.float16)
    example = Example(GRU, "forward", *half, sizes=(2, 1), reverse=False)
    assert example.routine() is None
