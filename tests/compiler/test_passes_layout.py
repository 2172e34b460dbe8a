"""Pictures keep their channels last where elementwise operations join them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dotori
from dotori import nn
from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.passes.layout import with_one_layout
from dotori.ops.pooling import MaxPool

F4 = np.dtype("f4")
FIRST, LAST = (0, 1, 2, 3), (0, 2, 3, 1)
SHAPE = (2, 8, 5, 6)


def value(kind: str = "made", order: tuple[int, ...] = FIRST) -> Value:
    return Value(SHAPE, F4, kind, order=order)


class Convolution:
    """By its name, a call that gives the same for any order."""


def call(inputs: tuple[Value, ...], output: Value, op: Any = Convolution) -> Instr:
    return Instr("call", inputs, (output,), {"op": op})


def test_orders_follow_what_calls_make() -> None:
    x, c, d = value("input"), value(order=LAST), value(order=LAST)
    s, r = value(), value()
    instrs = [
        call((x,), c),
        Instr("add", (x, c), (s,)),
        Instr("maximum", (s, 0), (r,)),
        call((r,), d),
    ]
    turned = with_one_layout(Program([x], [], instrs, [r, d]))
    assert [i.op for i in turned.instrs] == ["copy", "call", "add", "maximum", "call"]
    assert {i.output.order for i in turned.instrs} == {LAST}
    copied = turned.instrs[0].output
    assert turned.instrs[1].inputs == (copied,)  # one copy serves both
    assert turned.instrs[2].inputs[0] is copied
    assert turned.outputs[0] is turned.instrs[3].output
    assert [i.output.order for i in instrs] == [LAST, FIRST, FIRST, LAST]  # as it was


def test_what_counts_on_an_order_keeps_it() -> None:
    x, c, s = value("input"), value(order=LAST), value()
    pooled = Value((2, 8, 2, 3), F4)
    instrs = [call((x,), c), Instr("add", (x, c), (s,)), call((s,), pooled, MaxPool)]
    program = Program([x], [], instrs, [pooled])
    assert with_one_layout(program) is program


def test_without_calls_nothing_changes() -> None:
    x, y = value("input", LAST), value()
    program = Program([x], [], [Instr("negative", (x,), (y,))], [y])
    assert with_one_layout(program) is program


@pytest.mark.parametrize("steps", [2])
def test_a_residual_network_learns_as_it_does_eagerly(steps: int) -> None:
    def losses(compiled: bool) -> list[float]:
        dotori.manual_seed(0)
        conv = nn.Conv2d(4, 4, 3, padding=1)
        norm = nn.BatchNorm2d(4)
        parameters = [*conv.parameters(), *norm.parameters()]
        optimiser = dotori.optim.SGD(parameters, 0.1)

        def step(x: Any, y: Any) -> Any:
            z = (x + norm(conv(x))).relu()
            loss = ((z + norm(conv(z)) - y) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            return loss

        rng = np.random.default_rng(0)
        x, y = (dotori.tensor(rng.standard_normal((2, 4, 6, 5))) for _ in "xy")
        conv.double()
        norm.double()
        run = dotori.compile(step, mode="numpy") if compiled else step
        return [float(run(x, y)) for _ in range(steps)]

    np.testing.assert_allclose(losses(True), losses(False), rtol=1e-12)
