"""`dotori.compile` on planned NumPy: the same as without, guards, and many steps."""

from __future__ import annotations

import copy
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.compiler import step as step_module
from dotori.errors import ArgumentError, CaptureError

F = nn.functional


@pytest.fixture(autouse=True)
def _float64() -> Any:
    before = dotori.get_default_dtype()
    dotori.set_default_dtype(dotori.float64)
    dotori.manual_seed(0)
    yield
    dotori.set_default_dtype(before)


def network() -> nn.Module:
    layers = [nn.Linear(5, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 3)]
    return nn.Sequential(*layers)


def pair(make_step: Any, build: Any = network) -> tuple[Any, Any, Any, Any]:
    """The same step twice: as it is, and captured; and their models."""
    model = build()
    twin = copy.deepcopy(model)
    step = dotori.compile(make_step(twin), mode="numpy")
    return make_step(model), step, model, twin


def same_weights(a: nn.Module, b: nn.Module) -> None:
    for (name, p), q in zip(
        a.state_dict().items(), b.state_dict().values(), strict=True
    ):
        np.testing.assert_allclose(
            q.array, p.array, rtol=1e-11, atol=1e-13, err_msg=name
        )


def train(a: Any, b: Any, batches: Any) -> None:
    """Both steps on the same batches with the same random numbers."""
    for f in (a, b):
        dotori.manual_seed(1)
        f.losses = [float(f(*batch)) for batch in batches]
    np.testing.assert_allclose(b.losses, a.losses, rtol=1e-11)


def data(n: int = 6, rows: int = 4) -> list[tuple[Any, Any]]:
    return [(dotori.randn(rows, 5), dotori.randn(rows, 3)) for _ in range(n)]


OPTIMIZERS = {
    name: getattr(optim, name)
    for name in optim.__all__
    if isinstance(getattr(optim, name), type)
    and issubclass(getattr(optim, name), optim.Optimizer)
    and name not in ("Optimizer", "LBFGS", "Muon")
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser(name: str) -> None:
    def make(model: Any) -> Any:
        optimizer = OPTIMIZERS[name](model.parameters(), lr=0.01)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return step

    a, b, model, twin = pair(make)
    train(a, b, data(8))
    same_weights(model, twin)


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"maximize": True},
    ],
)
def test_settings_of_sgd(options: dict[str, Any]) -> None:
    def make(model: Any) -> Any:
        optimizer = optim.SGD(model.parameters(), lr=0.01, **options)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return step

    a, b, model, twin = pair(make)
    train(a, b, data(8))
    same_weights(model, twin)


def test_clipping_penalties_groups_and_a_schedule() -> None:
    def make(model: Any) -> Any:
        groups = optim.param_groups_weight_decay(model, 0.1)
        optimizer = optim.AdamW(groups, lr=0.02)
        schedule = optim.OneCycleLR(optimizer, 0.1, total_steps=20)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            total = loss + 0.01 * sum(p.abs().sum() for p in model.parameters())
            total.backward()
            nn.utils.clip_grad_value_(model.parameters(), 0.5)
            nn.utils.clip_grad_norm_(model.parameters(), 0.3)
            optimizer.step()
            schedule.step()
            return loss

        return step

    a, b, model, twin = pair(make)
    train(a, b, data(12))
    same_weights(model, twin)
    assert b.captures == 1


def test_two_optimisers_in_turn() -> None:
    """As in adversarial training: the second update sees the first one's weights."""

    def make(models: Any) -> Any:
        one, two = models
        first = optim.Adam(one.parameters(), lr=0.05)
        second = optim.SGD(two.parameters(), lr=0.05)

        def step(x: Any, y: Any) -> Any:
            first.zero_grad()
            F.mse_loss(two(one(x)), y).backward()
            first.step()
            second.zero_grad()
            loss = F.mse_loss(two(one(x).detach()), y)
            loss.backward()
            second.step()
            return loss

        return step

    def build() -> Any:
        return nn.ModuleList([nn.Linear(5, 4), nn.Linear(4, 3)])

    a, b, model, twin = pair(make, build)
    train(a, b, data(6))
    same_weights(model, twin)


def test_gradients_add_up_without_zero_grad() -> None:
    model = nn.Linear(5, 3)
    twin = copy.deepcopy(model)

    def make(m: Any) -> Any:
        def step(x: Any, y: Any) -> Any:
            loss = F.mse_loss(m(x), y)
            loss.backward()
            return loss

        return step

    a, b = make(model), dotori.compile(make(twin), mode="numpy")
    train(a, b, data(4))
    wanted = model.weight.grad
    np.testing.assert_allclose(twin.weight.grad.array, wanted.array, rtol=1e-12)
    model.zero_grad()
    twin.zero_grad()
    train(a, b, data(2))
    np.testing.assert_allclose(
        twin.weight.grad.array, model.weight.grad.array, rtol=1e-12
    )


def test_other_shapes_types_modes_and_arguments_are_captured_anew() -> None:
    model = nn.Dropout(0.5)

    @dotori.compile(mode="numpy")
    def f(x: Any, factor: float = 1.0) -> Any:
        return model(x) * factor

    x = dotori.ones(4)
    f(x)
    f(dotori.zeros(4))
    assert f.captures == 1
    f(dotori.ones(5))
    f(dotori.ones(4, dtype=dotori.float32))
    f(x, 2.0)
    f(x, factor=2.0)
    model.eval()
    assert f(x).tolist() == [1.0] * 4
    with dotori.no_grad():
        f(x)
    assert f.captures == 7
    assert f.reasons[0] == "first call"
    model.train()
    f(x)
    assert f.captures == 7


def test_weights_that_move_are_noticed() -> None:
    model = nn.Linear(2, 1)
    f = dotori.compile(lambda x: model(x).detach(), mode="numpy")
    x = dotori.ones(1, 2)
    f(x)
    model.load_state_dict({"weight": dotori.ones(1, 2), "bias": dotori.ones(1)})
    assert f(x).item() == 3.0
    model.weight.data = dotori.zeros(1, 2)
    assert f(x).item() == 1.0
    model.weight = nn.Parameter(dotori.ones(1, 2) * 5)
    assert f(x).item() == 11.0


def test_captures_are_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(step_module, "KEPT", 3)
    f = dotori.compile(lambda x: x + 1, mode="numpy")
    for n in range(1, 8):
        assert f(dotori.zeros(n)).tolist() == [1.0] * n
    assert len(list(f.entries())) == 3


def test_a_step_that_cannot_be_captured() -> None:
    def step(x: Any) -> Any:
        return x * 2 if x.sum() > 0 else x

    with pytest.raises(CaptureError, match=r"test_compile\.py:\d+"):
        dotori.compile(step)(dotori.ones(2))
    relaxed = dotori.compile(step, strict=False)
    with pytest.warns(UserWarning, match="without being captured"):
        assert relaxed(dotori.ones(2)).tolist() == [2.0, 2.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert relaxed(-dotori.ones(2)).tolist() == [-1.0, -1.0]
    assert "not captured" in str(relaxed.explain())


def test_many_steps_in_one_call_are_those_one_by_one() -> None:
    def make(model: Any) -> Any:
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss, {"n": loss.item()}

        return step

    a, b, model, twin = pair(make)
    batches = [*data(5), *data(2, rows=3), *data(3)]
    dotori.manual_seed(1)
    wanted = [a(*batch)[0].item() for batch in batches]
    dotori.manual_seed(1)
    losses, numbers = b.over(batches)
    np.testing.assert_allclose(losses.array, wanted, rtol=1e-12)
    np.testing.assert_allclose(numbers["n"], wanted, rtol=1e-12)
    same_weights(model, twin)
    with pytest.raises(ArgumentError, match="no batch"):
        b.over([])


def test_results_are_not_overwritten() -> None:
    f = dotori.compile(lambda x: (x * 2, x.sum()), mode="numpy")
    first = f(dotori.ones(3))
    f(dotori.zeros(3))
    assert first[0].tolist() == [2.0] * 3
    assert first[1].item() == 3.0


def test_structures_arrays_and_numbers_go_through() -> None:
    @dotori.compile(mode="numpy")
    def f(batch: Any, *, scale: Any) -> Any:
        return {"y": [batch["x"] * scale[0], (batch["x"].sum().item(), None)]}

    for k in (1.0, 2.0):
        found = f({"x": dotori.ones(2) * k}, scale=(np.array([3.0]),))
        assert found["y"][0].tolist() == [3.0 * k] * 2
        assert found["y"][1] == (2.0 * k, None)


def test_a_view_of_what_the_step_made_can_be_returned() -> None:
    flat = dotori.compile(lambda x: ((x * 2).reshape(-1), (x + 1)[0]), mode="numpy")
    for _ in range(2):
        x = dotori.randn(2, 3)
        doubled, row = flat(x)
        np.testing.assert_array_equal(doubled.numpy(), 2 * x.numpy().ravel())
        np.testing.assert_array_equal(row.numpy(), x.numpy()[0] + 1)


def test_a_model_for_inference() -> None:
    model = network().eval()
    fast = dotori.compile(model, mode="numpy")
    x = dotori.randn(4, 5)
    with dotori.no_grad():
        for _ in range(3):
            np.testing.assert_allclose(fast(x).array, model(x).array, rtol=1e-13)
    assert fast.step.captures == 1
    assert fast(x).requires_grad
    assert fast.state_dict().keys() == model.state_dict().keys()


def test_hooks_are_refused() -> None:
    model = nn.Linear(2, 1)
    handle = model.register_forward_hook(lambda *_: None)
    f = dotori.compile(lambda x: model(x).detach(), mode="numpy")
    with pytest.raises(CaptureError, match="hooks"):
        f(dotori.ones(1, 2))
    handle.remove()
    f(dotori.ones(1, 2))


def test_two_threads_share_a_step() -> None:
    f = dotori.compile(lambda x: (x * 2).sum(), mode="numpy")
    wrong: list[Any] = []

    def work(k: int) -> None:
        dotori.set_default_dtype(dotori.float64)
        for i in range(50):
            x = dotori.ones(3 + i % 3) * k
            if f(x).item() != 2 * k * (3 + i % 3):
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_what_it_tells() -> None:
    def make(model: Any) -> Any:
        def step(x: Any, y: Any) -> Any:
            return F.mse_loss(model(x), y).item()

        return step

    _, f, _, _ = pair(make)
    with pytest.raises(CaptureError, match="not been captured"):
        f.source()
    f(*data(1)[0])
    report = f.explain()
    assert report.captures == 1
    assert report.n_instructions > 0
    assert "first call" in str(report)
    assert "def step" in f.source()
    assert "compiled step" in repr(f)


def test_networks_on_pictures_run_as_they_are_until_compiled() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 1))
    runs = []

    def step(x: Any) -> Any:
        runs.append(1)
        return model(x).detach()

    x = dotori.randn(1, 1, 4, 4)
    planned = dotori.compile(step, mode="numpy")
    for _ in range(3):
        planned(x)
    assert len(runs) == 1
    chosen = dotori.compile(step)
    for _ in range(3):
        chosen(x)
    assert len(runs) == 1 + 1 + 3
    assert "runs as it is" in str(chosen.explain())


def test_a_weight_as_an_argument() -> None:
    model = nn.Linear(2, 3)
    f = dotori.compile(
        lambda w, x: (w * x).sum().detach() + model.weight.detach()[0, 0]
    )
    for k in (1.0, 2.0):
        x = dotori.ones(3, 2) * k
        wanted = (model.weight * x).sum() + model.weight[0, 0]
        assert f(model.weight, x).item() == pytest.approx(wanted.item(), rel=1e-12)

    @dotori.compile
    def change(w: Any) -> Any:
        with dotori.no_grad():
            model.weight.mul_(2.0)
        return w.sum().detach()

    with pytest.raises(CaptureError, match="argument"):
        change(model.weight)


def test_many_steps_with_a_schedule_masks_and_an_error_in_the_middle() -> None:
    pytest.importorskip("numba", reason="native steps are compiled by Numba")

    def make(model: Any) -> Any:
        optimizer = optim.Adam(model.parameters(), lr=0.05)
        schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

        def step(x: Any, t: Any) -> Any:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), t)
            loss.backward()
            optimizer.step()
            schedule.step()
            return loss

        step.optimizer = optimizer
        return step

    model = network()
    twin = copy.deepcopy(model)
    plain, other = make(model), make(twin)
    fast = dotori.compile(other, mode="native")
    labels = [dotori.tensor([k % 3, 1, 2, 0]) for k in range(7)]
    batches = [(dotori.randn(4, 5), t) for t in labels]
    dotori.manual_seed(1)
    wanted = [plain(*batch).item() for batch in batches]
    dotori.manual_seed(1)
    np.testing.assert_allclose(fast.over(batches).array, wanted, rtol=1e-10)
    same_weights(model, twin)
    bad = (batches[0][0], dotori.tensor([0, 3, 1, 1]))
    with pytest.raises(ArgumentError):
        fast.over([*batches[:2], bad, *batches[2:]])
    assert other.optimizer.state_dict()["state"][0]["step"].item() == 7 + 2


def test_gradients_of_arguments() -> None:
    """As for adversarial examples, or the derivative of a network by its input."""
    model = nn.Linear(3, 1)

    def step(x: Any, y: Any) -> Any:
        loss = ((model(x) - y) ** 2).sum()
        (slope,) = dotori.autograd.grad(model(x).sum(), x, create_graph=True)
        (loss + slope.square().sum()).backward()
        return loss

    fast = dotori.compile(step, mode="numpy")
    y = dotori.randn(4, 1)
    for _ in range(2):
        data = dotori.randn(4, 3)
        grads = []
        for f in (step, fast):
            model.zero_grad()
            x = data.clone().requires_grad_()
            f(x, y)
            f(x, y)
            assert x.grad is not None
            grads.append((x.grad.array, model.weight.grad.array))
        for a, b in zip(*grads, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-11)
    with pytest.raises(CaptureError, match="detach"):
        dotori.compile(step, mode="numpy")(data.requires_grad_() * 2, y)
