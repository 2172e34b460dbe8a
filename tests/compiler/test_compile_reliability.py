"""What a captured step promises under strain: memory, threads, many shapes, masks."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.compiler import step as step_module
from dotori.compiler.numpy_plan import NumPyPlan
from dotori.errors import CaptureError


def plans() -> int:
    gc.collect()
    return sum(type(x) is NumPyPlan for x in gc.get_objects())


def test_a_thousand_shapes_keep_a_bounded_number_of_plans() -> None:
    f = dotori.compile(lambda x: x * 2, mode="numpy")
    before = plans()
    for n in range(1, 1001):
        f(np.ones(n, np.float32))
    assert plans() - before <= step_module.KEPT
    assert f.captures == 1000
    del f
    assert plans() == before


def test_a_step_goes_with_its_last_reference() -> None:
    before = plans()
    model = nn.Linear(3, 1)
    f = dotori.compile(lambda x: model(x).detach(), mode="numpy")
    f(dotori.ones(2, 3))
    assert plans() == before + 1
    del f
    assert plans() == before


def test_failed_captures_leave_nothing() -> None:
    model = nn.BatchNorm1d(3)
    f = dotori.compile(lambda x: float(model(x).sum()), mode="numpy")
    x = dotori.randn(4, 3)
    for _ in range(3):
        with pytest.raises(CaptureError):
            f(x)
    gc.collect()
    kinds = {type(o).__name__ for o in gc.get_objects()}
    assert not kinds & {"Traced", "Capture"}
    assert type(model.weight.array) is np.ndarray


def test_first_calls_in_eight_threads_at_once() -> None:
    wrong: list[Any] = []
    f = dotori.compile(lambda x: (x + 1).sum().item(), mode="numpy")
    start = threading.Barrier(8)

    def work(k: int) -> None:
        start.wait()
        if f(np.full(5, float(k))) != 5 * (k + 1):
            wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert f.captures == 1


@pytest.mark.parametrize("seed", range(10))
def test_masks_are_those_of_the_plain_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 40, 3)
    drops = [
        nn.Dropout(float(rng.choice([0.1, 0.3, 0.5, 0.9]))),
        nn.AlphaDropout(0.2),
        nn.Dropout1d(0.5),
    ]

    def masks(x: Any) -> Any:
        return [drop(x) for drop in drops]

    captured = dotori.compile(masks, mode="numpy")
    x = dotori.ones(*map(int, sizes))
    dotori.manual_seed(seed)
    wanted = [masks(x) for _ in range(3)]
    dotori.manual_seed(seed)
    for step in wanted:
        for got, mask in zip(captured(x), step, strict=True):
            np.testing.assert_array_equal(got.array, mask.array)


def test_an_error_in_a_run_takes_back_the_count_of_the_step() -> None:
    model = nn.Linear(2, 3)
    optimizer = optim.Adam(model.parameters())

    @dotori.compile(mode="numpy")
    def step(x: Any, t: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        return loss

    x = dotori.ones(1, 2)
    for label in (0, 7, 1, -1, 2):
        if 0 <= label < 3:
            step(x, dotori.tensor([label]))
        else:
            with pytest.raises(dotori.errors.ArgumentError):
                step(x, dotori.tensor([label]))
    assert optimizer.state_dict()["state"][0]["step"].item() == 3
