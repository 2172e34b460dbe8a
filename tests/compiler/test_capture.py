"""Capturing: what is written down, what is refused, and that nothing is left behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.compiler.finish import Captured, capture
from dotori.compiler.guards import Surroundings
from dotori.compiler.interpret import evaluate
from dotori.errors import ArgumentError, CaptureError, ShapeError

F = nn.functional


@pytest.fixture(autouse=True)
def _float64() -> Any:
    before = dotori.get_default_dtype()
    dotori.set_default_dtype(dotori.float64)
    dotori.manual_seed(0)
    yield
    dotori.set_default_dtype(before)


def captured(function: Any, *args: Any) -> Captured:
    around = Surroundings(function)
    return capture(function, args, {}, around.names(), around.tensors())


def run(found: Captured, *arrays: Any) -> list[Any]:
    host = [x for action in found.host for x in action.run()]
    return evaluate(found.program, [np.asarray(a) for a in arrays], host)


def test_a_function_of_arrays_gives_the_same_with_other_numbers() -> None:
    def f(x: Any, y: Any) -> Any:
        h = dotori.tanh(x @ y) + x[:, :2].sum(dim=0)
        return dotori.where(h > 0, h, h.exp() - 1), h.softmax(dim=1).mean()

    found = captured(f, dotori.randn(3, 4), dotori.randn(4, 2))
    x, y = dotori.randn(3, 4), dotori.randn(4, 2)
    for got, wanted in zip(run(found, x.array, y.array), f(x, y), strict=True):
        np.testing.assert_allclose(got, wanted.array, rtol=1e-14)


def test_the_capture_leaves_everything_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    x = dotori.randn(5, 3)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = model(x).square().sum()
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss

    for _ in range(2):
        step(x)
    before = {k: v.array.copy() for k, v in model.state_dict().items()}
    state, rate = optimizer.state_dict(), schedule.state_dict()
    stream = dotori.get_rng_state()
    model[0].weight.grad = dotori.ones(4, 3)
    captured(step, x)
    for key, tensor in model.state_dict().items():
        assert type(tensor.array) is np.ndarray
        np.testing.assert_array_equal(tensor.array, before[key])
    for i, kept in optimizer.state_dict()["state"].items():
        for name, value in kept.items():
            np.testing.assert_array_equal(value.array, state["state"][i][name].array)
    assert schedule.state_dict() == rate
    assert dotori.get_rng_state() == stream
    assert model[0].weight.grad.tolist() == [[1.0] * 3] * 4
    assert type(x.array) is np.ndarray


def test_it_is_as_before_after_an_error_too() -> None:
    norm = nn.BatchNorm1d(3)
    before = norm.running_mean.array.copy()

    def step(x: Any) -> Any:
        y = norm(x)
        return y @ dotori.ones(7, 2)

    with pytest.raises(ShapeError):
        captured(step, dotori.randn(4, 3))
    np.testing.assert_array_equal(norm.running_mean.array, before)
    assert type(norm.weight.array) is np.ndarray
    assert int(norm.num_batches_tracked) == 0


@pytest.mark.parametrize(
    "look",
    [
        lambda y: 1 if y.sum() > 0 else 2,
        lambda y: float(y.sum()),
        lambda y: [0, 1, 2][int(y.argmax())],
        lambda y: y.tolist(),
        lambda y: f"{y.sum().item():.3f}",
        lambda y: y.sum().item() + 1,
        lambda y: np.asarray(y.numpy()),
    ],
)
def test_a_line_that_needs_a_value_is_named(look: Any) -> None:
    def step(x: Any) -> Any:
        return look(x * 2)

    with pytest.raises(CaptureError, match=r"test_capture\.py:\d+: this line cannot"):
        captured(step, dotori.randn(3))


def test_item_can_be_returned() -> None:
    found = captured(lambda x: (x.sum().item(), "loss", 3), dotori.randn(3))
    assert [r.kind for r in found.result] == ["number", "fixed", "fixed"]


def test_random_numbers_are_drawn_anew_from_the_same_stream() -> None:
    model = nn.Dropout(0.5)

    def step(x: Any) -> Any:
        return model(x) + dotori.randn(4) + dotori.rand(4)

    found = captured(step, dotori.ones(4))
    dotori.manual_seed(5)
    got = [run(found, np.ones(4))[0] for _ in range(3)]
    dotori.manual_seed(5)
    for y in got:
        np.testing.assert_array_equal(y, step(dotori.ones(4)).array)


def test_a_generator_of_the_users_is_kept_apart() -> None:
    own = dotori.Generator(3)

    def step(x: Any) -> Any:
        return x + dotori.randn(2, generator=own)

    found = captured(step, dotori.zeros(2))
    got = [run(found, np.zeros(2))[0] for _ in range(2)]
    fresh = dotori.Generator(3)
    for y in got:
        np.testing.assert_array_equal(y, fresh.normal(2, dtype=np.float64))


def test_labels_out_of_range_raise_before_anything_changes() -> None:
    model = nn.Linear(3, 4)
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    @dotori.compile(mode="numpy")
    def step(x: Any, t: Any) -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        return loss

    x = dotori.randn(2, 3)
    step(x, dotori.tensor([0, 3]))
    before = model.weight.array.copy()
    with pytest.raises(ArgumentError, match="4 classes"):
        step(x, dotori.tensor([0, 4]))
    np.testing.assert_array_equal(model.weight.array, before)
    step(x, dotori.tensor([0, 3]))
    assert not np.array_equal(model.weight.array, before)


def test_a_tensor_that_is_kept_outside_is_refused() -> None:
    kept = []

    def step(x: Any) -> Any:
        h = x * 2
        kept.append(h)
        return h.sum()

    with pytest.raises(CaptureError, match="kept outside"):
        captured(step, dotori.ones(3))
    assert kept[0].tolist() == [2.0, 2.0, 2.0]


def test_a_result_with_a_graph_is_refused() -> None:
    w = dotori.ones(3, requires_grad=True)
    with pytest.raises(CaptureError, match="no_grad"):
        captured(lambda x: (x * w).sum(), dotori.ones(3))


def test_arguments_are_not_written_to() -> None:
    x = dotori.ones(3)
    with pytest.raises(CaptureError, match="called with"):
        captured(lambda x: x.mul_(2).sum(), x)
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_an_operation_that_has_no_instructions_is_called_as_a_whole() -> None:
    found = captured(lambda x: dotori.sort(x)[0].cumsum(dim=0), dotori.randn(5))
    assert {i.op for i in found.program.instrs} >= {"call"}
    x = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    np.testing.assert_allclose(run(found, x)[0], [1, 3, 6, 10, 15])


def test_running_statistics_are_updates() -> None:
    norm = nn.BatchNorm1d(3)
    twin = nn.BatchNorm1d(3)
    found = captured(lambda x: norm(x).detach(), dotori.randn(4, 3))
    assert len(found.program.updates) == 3
    for _ in range(3):
        x = dotori.randn(4, 3)
        run(found, x.array)
        twin(x)
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        got, wanted = getattr(norm, name).array, getattr(twin, name).array
        np.testing.assert_allclose(got, wanted, rtol=1e-13)


def test_each_instruction_knows_its_line() -> None:
    found = captured(lambda x: (x * 2).exp(), dotori.ones(2))
    assert all(i.where.startswith("test_capture.py:") for i in found.program.instrs)


INDEX = dotori.tensor([[0, 1], [1, 2], [2, 3], [3, 4]])
LABELS = dotori.tensor([0, 1, 2, 3])
FUNCTIONS = {
    "gather": lambda x, i, t: x.gather(1, i),
    "scatter": lambda x, i, t: x.scatter(1, i, x[:, :2]),
    "masked_fill": lambda x, i, t: x.masked_fill(x > 0, 0.5),
    "nll_loss": lambda x, i, t: F.nll_loss(x.log_softmax(1), t),
    "rows": lambda x, i, t: x[t],
    "places": lambda x, i, t: x[dotori.arange(4), t],
    "embedding": lambda x, i, t: F.embedding(t, x),
    "one_hot": lambda x, i, t: F.one_hot(t, 5),
    "topk": lambda x, i, t: x.topk(2)[0],
    "accuracy": lambda x, i, t: (x.argmax(dim=1) == t).double().mean(),
    "std": lambda x, i, t: x.std(dim=0),
    "tril": lambda x, i, t: x.tril(),
    "einsum": lambda x, i, t: dotori.einsum("ij,kj->ik", x, x),
    "median": lambda x, i, t: x.median(),
    "index_select": lambda x, i, t: x.index_select(0, t),
    "roll": lambda x, i, t: x.roll(1, 0),
    "in_place": lambda x, i, t: x.clone().mul_(2).clamp_(min=0),
    "row": lambda x, i, t: written(x),
    "attention": lambda x, i, t: F.scaled_dot_product_attention(x, x, x),
    "svd": lambda x, i, t: dotori.linalg.svd(x)[1],
    "numpy": lambda x, i, t: np.linalg.norm(x.numpy(), axis=0),
}


def written(x: Any) -> Any:
    y = x.clone()
    y[0] = 1.0
    y[1:, 2] += x[1:, 0]
    return y


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_with_other_numbers_than_at_the_capture(name: str) -> None:
    f = FUNCTIONS[name]
    found = captured(f, dotori.randn(4, 5), INDEX, LABELS)
    x, i, t = dotori.randn(4, 5), INDEX.flip(0), LABELS.flip(0)
    got = run(found, x.array, i.array, t.array)[0]
    wanted = f(x, i, t)
    np.testing.assert_allclose(got, getattr(wanted, "array", wanted), rtol=1e-12)


def test_a_mask_that_takes_elements_is_refused() -> None:
    with pytest.raises(CaptureError, match="mask"):
        captured(lambda x: x[x > 0].sum(), dotori.randn(3))
