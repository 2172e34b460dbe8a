"""Every schedule's rates, states and errors beside PyTorch's."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import optim
from dotori.optim import lr_scheduler
from dotori.optim.swa_utils import SWALR
from dotori.train import checkpoint

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")


def theirs_of(name):
    if name == "SWALR":
        return torch.optim.swa_utils.SWALR
    return getattr(torch.optim.lr_scheduler, name)


def ours_of(name):
    return SWALR if name == "SWALR" else getattr(lr_scheduler, name)


class Halving:
    """A function with a state of its own, which states take along."""

    def __init__(self):
        self.rate = 0.5

    def __call__(self, t):
        return self.rate**t


CASES = [
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
    ("LambdaLR", {"lr_lambda": [lambda t: 0.9**t, lambda t: 1 + t]}),
    ("LambdaLR", {"lr_lambda": Halving()}),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 1 - 1 / (5 + t)}),
    ("MultiplicativeLR", {"lr_lambda": [lambda t: 0.9, lambda t: 1.1]}),
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [5, 5, 20]}),
    ("MultiStepLR", {"milestones": (3, 1), "gamma": 0.3}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 9}),
    ("LinearLR", {"start_factor": 0.1, "total_iters": 12}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.2}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 30, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.001}),
    ("CosineAnnealingLR", {"T_max": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.001}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5}),
    (
        "CyclicLR",
        {
            "base_lr": [0.01, 0.02],
            "max_lr": [0.1, 0.3],
            "step_size_up": 3,
            "step_size_down": 8,
            "mode": "triangular2",
            "base_momentum": [0.7, 0.6],
            "max_momentum": 0.95,
        },
    ),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.1, "mode": "exp_range", "gamma": 0.95},
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.1,
            "step_size_up": 4,
            "scale_fn": lambda x: 1 / x if x else 1.0,
            "scale_mode": "iterations",
            "cycle_momentum": False,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 60}),
    ("OneCycleLR", {"max_lr": [0.3, 0.1], "epochs": 6, "steps_per_epoch": 10}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.3,
            "total_steps": 52,
            "pct_start": 0.4,
            "anneal_strategy": "linear",
            "three_phase": True,
            "div_factor": 10.0,
            "final_div_factor": 100.0,
            "base_momentum": 0.8,
            "max_momentum": [0.9, 0.99],
        },
    ),
    ("SWALR", {"swa_lr": 0.005}),
    ("SWALR", {"swa_lr": [0.5, 0.1], "anneal_epochs": 4, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.1, "anneal_epochs": 0}),
]
NAMES = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]
every_case = pytest.mark.parametrize(("name", "options"), CASES, ids=NAMES)

#: What PyTorch saves beside: whether a method is being called at the moment.
NOT_OURS = {"_get_lr_called_within_step", "_scale_fn_ref"}


def optimizers(name="SGD", **options):
    """Two groups with rates of their own, in both libraries."""
    options = {"momentum": 0.9, **options} if name == "SGD" else options
    start = np.ones(2)
    found = []
    for library in (dotori, torch):
        a, b = (library.tensor(start, requires_grad=True) for _ in range(2))
        groups = [{"params": [a]}, {"params": [b], "lr": 0.03}]
        found.append(getattr(library.optim, name)(groups, lr=0.05, **options))
    return found


def schedules(name, options, a, b):
    return ours_of(name)(a, **options), theirs_of(name)(b, **options)


def settings_of(optimizer):
    keys = ("lr", "momentum", "betas")
    found = [group.get(k) for group in optimizer.param_groups for k in keys]
    return [float(v) for v in np.hstack([v for v in found if v is not None])]


def same(a, b):
    assert settings_of(a) == pytest.approx(settings_of(b), rel=1e-10, abs=1e-15)


def go(schedule, optimizer, *args):
    optimizer.step()
    with warnings.catch_warnings():  # PyTorch means to take `epoch` away one day
        warnings.filterwarnings("ignore", message="The epoch parameter")
        schedule.step(*args)


@every_case
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_rates_and_momenta(name, options, optimizer):
    a, b = optimizers(optimizer)
    s, t = schedules(name, options, a, b)
    for _ in range(50):
        same(a, b)
        assert s.get_last_lr() == pytest.approx(t.get_last_lr(), rel=1e-10)
        go(s, a)
        go(t, b)


@every_case
def test_rates_that_were_changed_by_hand(name, options):
    a, b = optimizers()
    s, t = schedules(name, options, a, b)
    for i in range(30):
        if i % 7 == 3:
            for optimizer in (a, b):
                optimizer.param_groups[0]["lr"] *= 1.5
        go(s, a)
        go(t, b)
        same(a, b)


@every_case
def test_states_travel_both_ways(name, options):
    a, b = optimizers()
    s, t = schedules(name, options, a, b)
    for _ in range(4):
        go(s, a)
        go(t, b)
    mine, other = s.state_dict(), t.state_dict()
    assert mine.keys() == other.keys() - NOT_OURS
    a2, b2 = optimizers()
    s2, t2 = schedules(name, options, a2, b2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a tensor is read as an array
        a2.load_state_dict(b.state_dict())
        b2.load_state_dict(b.state_dict())
    s2.load_state_dict(other)
    t2.load_state_dict({**other, **mine})
    for _ in range(6):
        go(s2, a2)
        go(t2, b2)
        go(s, a)
        same(a2, b2)
        same(a, a2)


@every_case
def test_states_go_through_a_file(name, options):
    (a, _), (a2, _) = optimizers(), optimizers()
    s, s2 = ours_of(name)(a, **options), ours_of(name)(a2, **options)
    for _ in range(4):
        go(s, a)
    arrays = {}
    text = json.dumps(checkpoint.pack([a.state_dict(), s.state_dict()], arrays))
    optimizer_state, state = checkpoint.unpack(json.loads(text), arrays)
    a2.load_state_dict(optimizer_state)
    s2.load_state_dict(state)
    for _ in range(6):
        go(s, a)
        go(s2, a2)
        assert settings_of(a) == settings_of(a2)


#: The others have no closed form: the rate after a jump is what one step would give.
JUMPS = [
    (name, options)
    for name, options in CASES
    if name not in ("MultiplicativeLR", "SWALR", "CyclicLR", "OneCycleLR")
]


JUMP_NAMES = [f"{name}-{i}" for i, (name, _) in enumerate(JUMPS)]


@pytest.mark.parametrize(("name", "options"), JUMPS, ids=JUMP_NAMES)
def test_jumps_to_an_epoch(name, options):
    a, b = optimizers()
    s, t = schedules(name, options, a, b)
    for epoch in (5, 2, 11, 0, 29, 7):
        go(s, a, epoch)
        go(t, b, epoch)
        same(a, b)
        go(s, a)
        go(t, b)
        same(a, b)


def test_restarts_at_a_fraction_of_an_epoch():
    a, b = optimizers()
    s, t = schedules("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}, a, b)
    for step in range(40):
        go(s, a, step / 4)
        go(t, b, step / 4)
        same(a, b)


@every_case
def test_going_on_with_last_epoch(name, options):
    a, b = optimizers()
    s, t = schedules(name, options, a, b)
    for _ in range(5):
        go(s, a)
        go(t, b)
    s, t = schedules(name, {**options, "last_epoch": 4}, a, b)
    for _ in range(5):
        same(a, b)
        go(s, a)
        go(t, b)
    fresh, _ = optimizers()
    with pytest.raises(dotori.errors.ArgumentError, match="no 'initial_lr'"):
        ours_of(name)(fresh, **options, last_epoch=3)


@given(
    picks=st.lists(
        st.sampled_from([i for i, (name, _) in enumerate(CASES) if name != "SWALR"]),
        min_size=1,
        max_size=3,
    ),
    gaps=st.lists(st.integers(1, 9), min_size=2, max_size=2),
    combined=st.sampled_from(["SequentialLR", "ChainedScheduler"]),
)
def test_schedules_of_schedules(picks, gaps, combined):
    a, b = optimizers()
    both = [schedules(*CASES[i], a, b) for i in picks]
    milestones = np.cumsum(gaps)[: len(picks) - 1].tolist()
    made = []
    for library, optimizer, parts in zip(
        (dotori, torch), (a, b), zip(*both, strict=True), strict=True
    ):
        cls = getattr(library.optim.lr_scheduler, combined)
        if combined == "SequentialLR":
            made.append(cls(optimizer, list(parts), milestones))
        else:
            made.append(cls(list(parts)))
    for _ in range(25):
        same(a, b)
        last = [s.get_last_lr() for s in made]
        assert last[0] == pytest.approx(last[1], rel=1e-10, abs=1e-15)
        go(made[0], a)
        go(made[1], b)
    mine, other = (s.state_dict() for s in made)
    assert mine.keys() == other.keys()
    made[0].load_state_dict(other)
    go(made[0], a)
    go(made[1], b)
    same(a, b)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("min_lr", [0.01, [0.01, 0.02]])
def test_plateau(mode, threshold_mode, min_lr):
    options = {"mode": mode, "threshold_mode": threshold_mode, "patience": 2}
    options |= {"factor": 0.5, "cooldown": 1, "min_lr": min_lr, "threshold": 0.05}
    a, b = optimizers()
    s, t = schedules("ReduceLROnPlateau", options, a, b)
    rng = np.random.default_rng(3)
    for figure in [float("nan"), *(rng.random(40) + 0.1).tolist(), float("inf")]:
        s.step(dotori.tensor(figure, dtype=np.float64))
        t.step(torch.tensor(figure, dtype=torch.float64))
        same(a, b)
        assert s.get_last_lr() == t.get_last_lr()
    assert s.state_dict().keys() == t.state_dict().keys()
    s2, _ = schedules("ReduceLROnPlateau", {}, a, b)
    s2.load_state_dict(t.state_dict())
    for _ in range(8):
        s2.step(1.0)
        t.step(1.0)
        same(a, b)


def test_plateau_with_a_group_that_came_later():
    for min_lr, fits in ((0.0, True), ([0.0, 0.0], False)):
        a, _ = optimizers()
        s = lr_scheduler.ReduceLROnPlateau(a, patience=0, min_lr=min_lr)
        a.add_param_group({"params": [dotori.ones(1, requires_grad=True)], "lr": 1.0})
        s.step(1.0)
        if fits:
            s.step(1.0)
            assert a.param_groups[2]["lr"] == pytest.approx(0.1)
        else:
            with pytest.raises(ValueError, match="3 groups by now"):
                s.step(1.0)


def test_rates_in_tensors_are_changed_in_place():
    a, b = optimizers()
    rates = dotori.tensor(0.5), torch.tensor(0.5)
    for optimizer, rate in zip((a, b), rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
    s, t = schedules("ExponentialLR", {"gamma": 0.5}, a, b)
    for _ in range(3):
        go(s, a)
        go(t, b)
    assert a.param_groups[0]["lr"] is rates[0]
    assert rates[0].item() == rates[1].item() == 0.0625
    assert s.base_lrs[0].item() == 0.5


def test_a_step_before_the_optimisers_is_noticed():
    a, _ = optimizers()
    schedule = lr_scheduler.StepLR(a, 3)
    with pytest.warns(UserWarning, match="before the optimiser's"):
        schedule.step()


def test_a_factor_of_zero_comes_back():
    a, _ = optimizers()
    schedule = lr_scheduler.ConstantLR(a, factor=0.0, total_iters=2)
    for expected in (0.0, 0.0, 0.05):
        assert a.param_groups[0]["lr"] == expected
        go(schedule, a)


MISTAKES = [
    ("StepLR", {"optimizer": 3, "step_size": 1}),
    ("LambdaLR", {"lr_lambda": [abs]}),
    ("MultiplicativeLR", {"lr_lambda": [abs, abs, abs]}),
    ("MultiplicativeLR", {"lr_lambda": [1, 2]}),
    ("ConstantLR", {"factor": 1.5}),
    ("LinearLR", {"start_factor": 0.0}),
    ("LinearLR", {"end_factor": 1.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "eta_min": "0"}),
    ("CyclicLR", {"base_lr": [0.1], "max_lr": 0.2}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.2, "mode": "round"}),
    ("CyclicLR", {"optimizer": "Rprop", "base_lr": 0.1, "max_lr": 0.2}),
    ("OneCycleLR", {"max_lr": 0.1}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 0}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 2.0}),
    ("OneCycleLR", {"max_lr": 0.1, "epochs": 3}),
    ("OneCycleLR", {"max_lr": 0.1, "epochs": 3, "steps_per_epoch": -1}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 9, "pct_start": 2.0}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 9, "pct_start": 1}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 9, "anneal_strategy": "sin"}),
    ("OneCycleLR", {"optimizer": "Rprop", "max_lr": 0.1, "total_steps": 9}),
    ("ReduceLROnPlateau", {"factor": 1.0}),
    ("ReduceLROnPlateau", {"mode": "least"}),
    ("ReduceLROnPlateau", {"threshold_mode": "both"}),
    ("ReduceLROnPlateau", {"min_lr": [0.1]}),
    ("ReduceLROnPlateau", {"optimizer": None}),
    ("SWALR", {"swa_lr": 0.1, "anneal_strategy": "sin"}),
    ("SWALR", {"swa_lr": 0.1, "anneal_epochs": -1}),
    ("SWALR", {"swa_lr": [0.1, 0.1, 0.1]}),
    ("SequentialLR", {"schedulers": [], "milestones": []}),
    ("SequentialLR", {"schedulers": [3], "milestones": []}),
    ("ChainedScheduler", {"schedulers": []}),
    ("ChainedScheduler", {"schedulers": [None]}),
]


@pytest.mark.parametrize(("name", "options"), MISTAKES, ids=str)
def test_mistakes_are_errors_as_in_pytorch(name, options):
    given = options.get("optimizer", "SGD")
    pair = optimizers(given) if isinstance(given, str) else (given, given)
    errors = []
    for cls, optimizer in zip((ours_of(name), theirs_of(name)), pair, strict=True):
        arguments = {k: v for k, v in options.items() if k != "optimizer"}
        if name != "ChainedScheduler":
            arguments["optimizer"] = optimizer
        with pytest.raises((ValueError, TypeError, AttributeError)) as caught:
            cls(**arguments)
        errors.append(caught.value)
    assert isinstance(errors[0], dotori.errors.DotoriError)
    if not isinstance(errors[1], AttributeError):
        assert isinstance(errors[0], type(errors[1]))


def test_mistakes_in_combining():
    a, _ = optimizers()
    b, _ = optimizers()
    one, other = (lr_scheduler.StepLR(o, 2) for o in (a, b))
    plateau = lr_scheduler.ReduceLROnPlateau(a)
    error = dotori.errors.ArgumentError
    with pytest.raises(error, match="belongs to another optimiser"):
        lr_scheduler.ChainedScheduler([one, other])
    with pytest.raises(error, match="wants a figure"):
        lr_scheduler.SequentialLR(a, [one, plateau], [3])
    with pytest.raises(error, match="2 schedules want 1 milestones, got 2"):
        lr_scheduler.SequentialLR(a, [one, one], [3, 5])
    with pytest.raises(error, match="cannot jump"):
        lr_scheduler.ChainedScheduler([one]).step(3)
    with pytest.raises(error, match="cannot jump"):
        lr_scheduler.SequentialLR(a, [one], []).step(3)
    cycle = lr_scheduler.OneCycleLR(a, max_lr=1.0, total_steps=2)
    for _ in range(2):
        go(cycle, a)
    with pytest.raises(error, match="step 3 of a cycle made for 2 steps"):
        go(cycle, a)
    with pytest.raises(error, match="at least 0, got -1"):
        lr_scheduler.CosineAnnealingWarmRestarts(a, 2).step(-1)


def test_all_of_pytorchs_schedules_are_there():
    theirs = set(torch.optim.lr_scheduler.__all__)
    assert theirs <= set(lr_scheduler.__all__)
    assert {name for name in optim.__all__ if name[0].isupper()} >= {
        name
        for name, value in vars(torch.optim).items()
        if isinstance(value, type) and name != "SparseAdam"
    }
