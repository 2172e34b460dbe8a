"""Fifty steps of every optimiser beside PyTorch's, over settings, shapes and groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import dotori
from dotori import optim

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")

RATE = st.sampled_from([0.0, 1e-4, 1e-3, 0.01, 0.1])
DECAY = st.sampled_from([0.0, 0.0, 0.01, 0.3])
SHARE = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999])
EPS = st.sampled_from([1e-10, 1e-8, 1e-3])
BOOL = st.booleans()
BETAS = st.tuples(SHARE, SHARE)

COMMON = {"lr": RATE, "weight_decay": DECAY, "maximize": BOOL}
ADAM = {**COMMON, "betas": BETAS, "eps": EPS, "amsgrad": BOOL}

#: What is drawn for each optimiser; what is absent keeps its default.
SETTINGS = {
    "SGD": {**COMMON, "momentum": SHARE, "dampening": SHARE},
    "Adam": {**ADAM, "decoupled_weight_decay": BOOL},
    "AdamW": ADAM,
    "RMSprop": {**COMMON, "alpha": SHARE, "eps": EPS, "momentum": SHARE},
    "Adagrad": {
        **COMMON,
        "lr_decay": SHARE,
        "initial_accumulator_value": SHARE,
        "eps": EPS,
    },
    "Adadelta": {**COMMON, "rho": SHARE, "eps": EPS},
    "Adamax": {**COMMON, "betas": BETAS, "eps": EPS},
    "NAdam": {
        **COMMON,
        "betas": BETAS,
        "eps": EPS,
        "momentum_decay": st.sampled_from([0.0, 4e-3, 0.5]),
        "decoupled_weight_decay": BOOL,
    },
    "RAdam": {
        **COMMON,
        "betas": st.tuples(SHARE, st.sampled_from([0.9, 0.99, 0.999])),
        "eps": EPS,
        "decoupled_weight_decay": BOOL,
    },
    "ASGD": {
        **COMMON,
        "lambd": SHARE,
        "alpha": SHARE,
        "t0": st.sampled_from([0, 5, 20.5, 1e6]),
    },
    "Rprop": {
        "lr": RATE,
        "maximize": BOOL,
        "etas": st.sampled_from([(0.5, 1.2), (0.1, 2.0)]),
        "step_sizes": st.sampled_from([(1e-6, 50), (0.01, 0.02)]),
    },
    "Adafactor": {
        **COMMON,
        "beta2_decay": st.sampled_from([-0.8, 0.0, -2.0]),
        "eps": st.sampled_from([(None, 1e-3), (1e-3, 0.1)]),
        "d": st.sampled_from([1.0, 1.5]),
    },
}

SHAPES = st.lists(
    st.sampled_from([(), (1,), (4,), (7,), (3, 4), (2, 2), (1, 5), (2, 3, 4)]),
    min_size=1,
    max_size=5,
)


@pytest.fixture(autouse=True, scope="module")
def numbers_in_float64():
    """PyTorch keeps mu_product and eta in its default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


class Twins:
    """The same parameters in both libraries, on the same bowl with the same noise."""

    def __init__(self, name, options, shapes, groups=1, seed=0):
        self.rng = np.random.default_rng(seed)
        start = [self.rng.standard_normal(shape) for shape in shapes]
        self.ours = [dotori.tensor(a, requires_grad=True) for a in start]
        self.theirs = [torch.tensor(a, requires_grad=True) for a in start]
        self.a = getattr(optim, name)(split(self.ours, groups), **options)
        self.b = getattr(torch.optim, name)(split(self.theirs, groups), **options)

    def give_gradients(self, absent=()):
        for i, (x, y) in enumerate(zip(self.ours, self.theirs, strict=True)):
            noise = self.rng.standard_normal(x.shape)
            x.grad = y.grad = None
            if i not in absent:
                g, h = noise + 0.3 * x.array, noise + 0.3 * y.detach().numpy()
                x.grad = dotori.tensor(g.astype(x.dtype))
                y.grad = torch.tensor(h.astype(x.dtype))

    def step(self, absent=()):
        self.give_gradients(absent)
        self.a.step()
        self.b.step()

    def check(self):
        for x, y in zip(self.ours, self.theirs, strict=True):
            assert_allclose(x.array, y.detach().numpy(), rtol=1e-9, atol=1e-11)


def split(params, groups):
    """One group, or two: the second one learns at a rate of its own."""
    if groups == 1 or len(params) < 2:
        return params
    return [{"params": params[:1]}, {"params": params[1:], "lr": 0.03}]


@pytest.mark.parametrize("name", SETTINGS)
@given(data=st.data())
def test_fifty_steps(name, data):
    options = data.draw(st.fixed_dictionaries({}, optional=SETTINGS[name]))
    if name == "SGD" and options.get("momentum") and not options.get("dampening"):
        options["nesterov"] = data.draw(BOOL)
    if name == "RMSprop":
        options["centered"] = centered = data.draw(BOOL)
        # s - mean^2 is a difference of near equals: eps must keep its rounding small.
        options |= {"eps": 1e-3, "alpha": 0.9} if centered else {}
    twins = Twins(name, options, data.draw(SHAPES), data.draw(st.integers(1, 2)))
    often_absent = data.draw(st.integers(0, len(twins.ours)))
    for t in range(50):
        twins.step(absent=range(often_absent) if t % 3 else ())
    twins.check()


@pytest.mark.parametrize("name", SETTINGS)
def test_large_and_small_parameters(name):
    twins = Twins(name, {}, [(3, 4), (4,), (150, 120), (7,), (2, 2)])
    for t in range(12):
        twins.step(absent={0: (1,), 3: (0, 4), 4: (2,), 7: range(5)}.get(t, ()))
    twins.check()


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_change_on_the_way(name):
    twins = Twins(name, {}, [(3, 4), (4,), (2, 2)], groups=2)
    for t in range(30):
        for optimizer in (twins.a, twins.b):
            for group in optimizer.param_groups:
                group["lr"] = 0.1 / (1 + t)
                if "betas" in group and t == 10:
                    group["betas"] = (0.8, 0.95)
                if "momentum" in group and t >= 10 and name == "SGD":
                    group["momentum"], group["dampening"] = 0.9, 0.5
        # From step 16 on both are of the same age, with different histories.
        twins.step(absent={5: (1,), 15: (2,)}.get(t, ()))
    twins.check()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_rate_in_a_tensor(name):
    twins = Twins(name, {}, [(3, 4), (4,)])
    rates = dotori.tensor(0.05, dtype=np.float64), torch.tensor(0.05)
    for optimizer, rate in zip((twins.a, twins.b), rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
    for t in range(10):
        if t == 5:
            rates[0].array[...] = 0.02
            rates[1].fill_(0.02)
        twins.step()
    twins.check()


@pytest.mark.parametrize("name", SETTINGS)
def test_mixed_types_in_a_group(name):
    twins = Twins(name, {}, [(3, 4), (4,), (2, 2), (3,)])
    for i in (0, 2):
        twins.ours[i].data = twins.ours[i].array.astype(np.float32)
        twins.theirs[i].data = twins.theirs[i].data.float()
    for _ in range(10):
        twins.step()
    assert [p.dtype.itemsize for p in twins.ours] == [4, 8, 4, 8]
    for x, y in zip(twins.ours, twins.theirs, strict=True):
        tolerance = 1e-9 if x.dtype == np.float64 else 2e-5
        assert_allclose(x.array, y.detach().numpy(), rtol=tolerance, atol=tolerance)
    mine, other = twins.a.state_dict(), twins.b.state_dict()
    assert mine["state"].keys() == other["state"].keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_float32_is_as_near_to_float64_as_pytorchs(name):
    rng = np.random.default_rng(0)
    start = rng.standard_normal((40, 30))
    gradients = [rng.standard_normal((40, 30)) for _ in range(50)]
    ends = []
    for library, dtype in ((dotori, "f4"), (torch, "f4"), (torch, "f8")):
        w = library.tensor(start.astype(dtype), requires_grad=True)
        optimizer = getattr(library.optim, name)([w], lr=0.01)
        for g in gradients:
            w.grad = library.tensor(g.astype(dtype))
            optimizer.step()
        ends.append(w.detach().numpy().astype(np.float64))
    mine, other = (np.abs(end - ends[2]).max() for end in ends[:2])
    assert mine <= 3 * other + 1e-7


# ---------------------------------------------------------------- without PyTorch's code


@settings(max_examples=20)
@given(
    lr=RATE,
    betas=BETAS,
    decay=DECAY,
    maximize=BOOL,
    shape=st.sampled_from([(), (3, 2)]),
)
def test_lion_against_its_paper(lr, betas, decay, maximize, shape):
    rng = np.random.default_rng(1)
    start = rng.standard_normal(shape)
    w = dotori.tensor(start, requires_grad=True)
    optimizer = optim.Lion([w], lr, betas, decay, maximize=maximize)
    expected, m = start.copy(), np.zeros(shape)
    for _ in range(50):
        g = rng.standard_normal(shape)
        w.grad = dotori.tensor(g)
        optimizer.step()
        # Algorithm 2 of Chen et al. (2023), line by line.
        g = -g if maximize else g
        c = betas[0] * m + (1 - betas[0]) * g
        expected = expected - lr * (np.sign(c) + decay * expected)
        m = betas[1] * m + (1 - betas[1]) * g
    assert_allclose(w.array, expected, rtol=1e-9, atol=1e-12)


MUON = {
    "lr": RATE,
    "weight_decay": DECAY,
    "momentum": st.sampled_from([0.0, 0.5, 0.95]),
    "nesterov": BOOL,
    "ns_steps": st.sampled_from([0, 1, 5]),
    "adjust_lr_fn": st.sampled_from([None, "original", "match_rms_adamw"]),
}


@settings(max_examples=15)
@given(options=st.fixed_dictionaries({}, optional=MUON))
def test_muon_without_the_rounding_to_bfloat16(options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "bfloat16", lambda t: t.clone())
        twins = Twins("Muon", options, [(3, 4), (5, 2), (3, 3)])
        for t in range(50):
            twins.step(absent=(1,) if t % 3 else ())
        twins.check()


def test_muon_as_pytorch_rounds_it():
    twins = Twins("Muon", {"lr": 0.1}, [(8, 4), (4, 8)])
    before = [x.array.copy() for x in twins.ours]
    twins.step()
    for x, y, start in zip(twins.ours, twins.theirs, before, strict=True):
        mine, other = x.array - start, y.detach().numpy() - start
        assert np.linalg.norm(mine - other) < 0.05 * np.linalg.norm(other)


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def bowl(x):
    return ((x - 1) ** 2 * (1 + x * x)).sum()


@pytest.mark.parametrize("function", [rosenbrock, bowl])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lr": 0.3, "history_size": 3},
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "lr": 5.0, "max_eval": 7},
        {"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 2},
        {"max_iter": 3, "tolerance_grad": 1.0},
    ],
    ids=str,
)
def test_lbfgs(function, options):
    if function is rosenbrock and "line_search_fn" not in options:
        options = {**options, "lr": 1e-3}  # full steps would leave the valley
    start = np.linspace(-1.5, 2, 6)
    x = dotori.tensor(start, requires_grad=True)
    y = torch.tensor(start, requires_grad=True)
    calls = []

    def closure_for(name, optimizer, w):
        def closure():
            optimizer.zero_grad()
            loss = function(w)
            loss.backward()
            calls.append(name)
            return loss

        return closure

    a, b = optim.LBFGS([x], **options), torch.optim.LBFGS([y], **options)
    for _ in range(6):
        ours = a.step(closure_for("a", a, x))
        theirs = b.step(closure_for("b", b, y))
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-7, abs=1e-12)
        assert_allclose(x.array, y.detach().numpy(), rtol=1e-7, atol=1e-9)
    assert calls.count("a") == calls.count("b")
    kept = a.state_dict()["state"][0]
    assert kept["func_evals"] == b.state_dict()["state"][0]["func_evals"]
    assert kept["n_iter"] == b.state_dict()["state"][0]["n_iter"]


def test_lbfgs_over_several_parameters_one_of_them_unused():
    shapes = [(2, 2), (3,), ()]
    twins = Twins("LBFGS", {"line_search_fn": "strong_wolfe"}, shapes)

    def closure(optimizer, params):
        optimizer.zero_grad()
        loss = (params[0] ** 4).sum() + ((params[1] - 2) ** 2).sum()
        loss.backward()
        return loss

    for _ in range(3):
        twins.a.step(lambda: closure(twins.a, twins.ours))
        twins.b.step(lambda: closure(twins.b, twins.theirs))
    twins.check()
