"""Fifty steps of every optimiser, and every schedule's rates, beside PyTorch's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dotori
from dotori import optim

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")

SHAPES = [(3, 4), (4,), (150, 120), (7,), (2, 2)]  # one is large: a run of its own

CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"momentum": 0.8, "dampening": 0.3, "maximize": True}),
    ("SGD", {"weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"betas": (0.5, 0.9), "eps": 1e-3}),
    ("Adam", {"weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"maximize": True, "lr": 0.1}),
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "amsgrad": True}),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True, "alpha": 0.7}),
    ("RMSprop", {"momentum": 0.9, "weight_decay": 0.01}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "maximize": True}),
]


class Pair:
    """The same parameters in both libraries, given the same gradients."""

    def __init__(self, name, options, groups=False, seed=0):
        self.rng = np.random.default_rng(seed)
        start = [self.rng.standard_normal(shape) for shape in SHAPES]
        self.ours = [dotori.tensor(a, requires_grad=True) for a in start]
        self.theirs = [torch.tensor(a, requires_grad=True) for a in start]
        a, b = self.ours, self.theirs
        if groups:
            split = [{"params": slice(0, 2)}, {"params": slice(2, 5), "lr": 0.03}]
            a = [{**g, "params": a[g["params"]]} for g in split]
            b = [{**g, "params": b[g["params"]]} for g in split]
        self.a = getattr(optim, name)(a, **options)
        self.b = getattr(torch.optim, name)(b, **options)

    def step(self, absent=()):
        for i, (x, y) in enumerate(zip(self.ours, self.theirs, strict=True)):
            g = self.rng.standard_normal(x.shape)
            x.grad = None if i in absent else dotori.tensor(g)
            y.grad = None if i in absent else torch.tensor(g)
        self.a.step()
        self.b.step()

    def check(self):
        for x, y in zip(self.ours, self.theirs, strict=True):
            assert_allclose(
                x.detach().numpy(), y.detach().numpy(), rtol=1e-9, atol=1e-12
            )


@pytest.mark.parametrize("groups", [False, True], ids=["one group", "two groups"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_fifty_steps(name, options, groups):
    pair = Pair(name, options, groups)
    for _ in range(50):
        pair.step()
    pair.check()


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_parameters_without_a_gradient_are_left_out(name, options):
    pair = Pair(name, options)
    for t in range(20):
        pair.step(absent={0: (1,), 3: (0, 4), 4: (2,), 7: range(5)}.get(t % 9, ()))
    pair.check()


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_state_travels_both_ways(name, options):
    pair, other = Pair(name, options), Pair(name, options)
    for _ in range(5):
        pair.step()
    other.ours, other.theirs = pair.ours, pair.theirs  # only the state is exchanged
    theirs = getattr(torch.optim, name)(pair.theirs, **options)
    state = pair.a.state_dict()
    packed = {
        i: {
            k: torch.tensor(float(v) if k == "step" else v)
            for k, v in kept.items()
            if not (name == "SGD" and k == "step")
        }
        for i, kept in state["state"].items()
    }
    theirs.load_state_dict({**pair.b.state_dict(), "state": packed})
    ours = getattr(optim, name)(pair.ours, **options)
    ours.load_state_dict(pair.b.state_dict())
    pair.a, pair.b = ours, theirs
    for _ in range(5):
        pair.step()
    pair.check()


def test_a_state_that_does_not_fit_changes_nothing():
    pair = Pair("Adam", {})
    pair.step()
    before = pair.a.state_dict()
    wrong = pair.a.state_dict()
    wrong["state"][2]["exp_avg"] = np.zeros((1, 1))
    with pytest.raises(
        dotori.errors.FormatError, match=r"exp_avg of parameter 2 .*\(1, 1\)"
    ):
        pair.a.load_state_dict(wrong)
    after = pair.a.state_dict()
    for i, kept in before["state"].items():
        assert_allclose(after["state"][i]["exp_avg"], kept["exp_avg"])
    fresh = Pair("Adam", {}).a.state_dict()
    pair.a.load_state_dict(fresh)
    assert pair.a.state_dict()["state"] == {}


SCHEDULES = [
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [5, 5, 20]}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 9}),
    ("LinearLR", {"start_factor": 0.1, "total_iters": 12}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.001}),
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 60}),
]


@pytest.mark.parametrize(
    ("name", "options"), SCHEDULES, ids=[name for name, _ in SCHEDULES]
)
def test_rates_of_schedules(name, options):
    pair = Pair("SGD", {"lr": 0.05}, groups=True)
    extra = {"cycle_momentum": False} if name == "OneCycleLR" else {}
    a = getattr(optim, name)(pair.a, **options)
    b = getattr(torch.optim.lr_scheduler, name)(pair.b, **options, **extra)
    for _ in range(50):
        assert a.get_last_lr() == pytest.approx(b.get_last_lr(), rel=1e-12)
        pair.step()
        a.step()
        b.step()
    pair.check()


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_plateau(mode, threshold_mode):
    pair = Pair("SGD", {"lr": 1.0})
    options = {"mode": mode, "threshold_mode": threshold_mode, "patience": 2}
    options |= {"factor": 0.5, "cooldown": 1, "min_lr": 0.01, "threshold": 0.05}
    a = optim.ReduceLROnPlateau(pair.a, **options)
    b = torch.optim.lr_scheduler.ReduceLROnPlateau(pair.b, **options)
    rng = np.random.default_rng(3)
    figures = [float("nan"), *(rng.random(60) + 0.1).tolist()]
    for figure in figures:
        a.step(figure)
        b.step(figure)
        assert a.get_last_lr() == pytest.approx(b.get_last_lr(), rel=1e-12)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
def test_clipping(norm_type):
    pair = Pair("SGD", {})
    for limit in (1e3, 0.5):
        pair.step()
        ours = optim.clip_grad_norm_(pair.ours, limit, norm_type)
        theirs = torch.nn.utils.clip_grad_norm_(pair.theirs, limit, norm_type)
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-9)
        for x, y in zip(pair.ours, pair.theirs, strict=True):
            assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-9)
    optim.clip_grad_value_(pair.ours, 1e-4)
    assert all(np.abs(x.grad.array).max() <= 1e-4 for x in pair.ours)
