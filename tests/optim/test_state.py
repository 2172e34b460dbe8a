"""States, groups, names and hooks: what an optimiser keeps, saves and lets change."""

import json
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dotori
from dotori import nn, optim
from dotori.errors import ArgumentError, DTypeError, FormatError
from dotori.train import checkpoint

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")

CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True, "eps": 1e-3}),
    ("Adagrad", {"initial_accumulator_value": 0.3, "lr_decay": 0.1}),
    ("Adadelta", {}),
    ("Adamax", {}),
    ("NAdam", {}),
    ("RAdam", {}),
    ("ASGD", {"t0": 3, "lambd": 0.1}),
    ("Rprop", {}),
    ("Adafactor", {}),
    ("Muon", {}),
    ("LBFGS", {"line_search_fn": "strong_wolfe", "max_iter": 3}),
]
every_case = pytest.mark.parametrize(("name", "options"), CASES, ids=str)
SHAPES = [(3, 4), (4,), (150, 120), (2, 2)]


@pytest.fixture(autouse=True, scope="module")
def as_pytorch_computes_it_in_float64():
    """Its numbers in float64, and Muon without rounding to bfloat16."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "bfloat16", lambda t: t.clone())
        yield
    torch.set_default_dtype(before)


class Side:
    """One library: parameters, an optimiser, and gradients from a fixed stream."""

    def __init__(self, library, name, options, params=None, seed=0):
        rng = np.random.default_rng(seed)
        shapes = [s for s in SHAPES if name != "Muon" or len(s) == 2]
        start = [rng.standard_normal(s) for s in shapes]
        if params is not None:
            start = [np.array(p.detach().numpy()) for p in params]
        self.library = library
        self.params = [library.tensor(a, requires_grad=True) for a in start]
        self.optimizer = getattr(library.optim, name)(self.params, **options)

    def step(self, rng):
        noise = [rng.standard_normal(tuple(p.shape)) for p in self.params]

        def closure():
            for p, n in zip(self.params, noise, strict=True):
                value = p.detach().numpy()
                p.grad = self.library.tensor(n + 0.3 * value)
            return sum(
                float(((p.detach().numpy() + n / 0.3) ** 2).sum()) * 0.15
                for p, n in zip(self.params, noise, strict=True)
            )

        if isinstance(self.optimizer, (optim.LBFGS, torch.optim.LBFGS)):
            self.optimizer.step(closure)
        else:
            closure()
            self.optimizer.step()


def same(a, b):
    for x, y in zip(a.params, b.params, strict=True):
        x, y = x.detach().numpy(), y.detach().numpy()
        assert_allclose(x, y, rtol=1e-8, atol=1e-10)


def as_torch(state):
    """A state dict with PyTorch's tensors in place of ours."""
    if isinstance(state, dotori.Tensor):
        return torch.tensor(state.array)
    if isinstance(state, dict):
        return {k: as_torch(v) for k, v in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(as_torch(v) for v in state)
    return state


@every_case
def test_the_keys_are_pytorchs(name, options):
    a, b = Side(dotori, name, options), Side(torch, name, options)
    assert a.optimizer.param_groups[0].keys() == b.optimizer.param_groups[0].keys()
    assert a.optimizer.defaults == b.optimizer.defaults
    for _ in range(2):
        a.step(np.random.default_rng(1))
        b.step(np.random.default_rng(1))
    mine, other = a.optimizer.state_dict(), b.optimizer.state_dict()
    assert mine.keys() == other.keys()
    assert mine["param_groups"][0].keys() == other["param_groups"][0].keys()
    assert mine["param_groups"][0]["params"] == other["param_groups"][0]["params"]
    assert mine["state"].keys() == other["state"].keys()
    for i, kept in other["state"].items():
        scratch = {"al"}  # L-BFGS keeps its scratch memory in PyTorch
        assert mine["state"][i].keys() == kept.keys() - scratch
        for key, value in kept.items():
            if isinstance(value, torch.Tensor):
                found = mine["state"][i][key]
                found = found.array if isinstance(found, dotori.Tensor) else found
                assert_allclose(found, value.numpy(), rtol=1e-8, atol=1e-12)
                assert np.shape(found) == tuple(value.shape)


@every_case
def test_states_travel_both_ways(name, options):
    a, b = Side(dotori, name, options), Side(torch, name, options)
    rng = np.random.default_rng(1)
    for _ in range(5):
        seed = int(rng.integers(99))
        a.step(np.random.default_rng(seed))
        b.step(np.random.default_rng(seed))
    ours, theirs = (Side(dotori, name, options, b.params) for _ in range(2))
    theirs = Side(torch, name, options, a.params)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.optimizer.load_state_dict(b.optimizer.state_dict())
        theirs.optimizer.load_state_dict(as_torch(a.optimizer.state_dict()))
    for _ in range(5):
        seed = int(rng.integers(99))
        for side in (a, b, ours, theirs):
            side.step(np.random.default_rng(seed))
        same(a, b)
        same(ours, b)
        same(a, theirs)


@every_case
def test_a_saved_state_is_of_its_moment_and_goes_through_a_file(name, options):
    a = Side(dotori, name, options)
    rng = np.random.default_rng(2)
    a.step(rng)
    state, values = a.optimizer.state_dict(), [p.array.copy() for p in a.params]
    text, arrays = repr(state), {}
    document = json.dumps(checkpoint.pack(state, arrays))
    a.step(np.random.default_rng(3))
    after = [p.array.copy() for p in a.params]
    assert repr(state) == text
    state = checkpoint.unpack(json.loads(document), arrays)
    for p, value in zip(a.params, values, strict=True):
        p.data = value
    a.optimizer.load_state_dict(state)
    a.step(np.random.default_rng(3))
    for p, value in zip(a.params, after, strict=True):
        assert_array_equal(p.array, value)


def test_a_state_that_does_not_fit_changes_nothing():
    a = Side(dotori, "Adam", {})
    a.step(np.random.default_rng(0))
    before = a.optimizer.state_dict()
    wrong = a.optimizer.state_dict()
    wrong["param_groups"][0]["lr"] = 7.0
    wrong["state"][2]["exp_avg"] = np.zeros((1, 1))
    with pytest.raises(FormatError, match=r"exp_avg of parameter 2 .*\(1, 1\)"):
        a.optimizer.load_state_dict(wrong)
    assert a.optimizer.param_groups[0]["lr"] == 1e-3
    after = a.optimizer.state_dict()
    for i, kept in before["state"].items():
        assert_array_equal(after["state"][i]["exp_avg"].array, kept["exp_avg"].array)
    with pytest.raises(FormatError, match=r"groups of \[1\] parameters"):
        a.optimizer.load_state_dict(optim.Adam([a.params[0]]).state_dict())
    a.optimizer.load_state_dict(Side(dotori, "Adam", {}).optimizer.state_dict())
    assert a.optimizer.state_dict()["state"] == {}


def test_parameters_are_found_by_their_keys_not_their_order():
    a = Side(dotori, "Adam", {})
    a.step(np.random.default_rng(0))
    state = a.optimizer.state_dict()
    state["param_groups"][0]["params"] = [10, 11, 12, 13]
    state["state"] = {i + 10: kept for i, kept in state["state"].items()}
    state["state"]["more"] = {"x": 1}
    b = Side(dotori, "Adam", {})
    b.optimizer.load_state_dict(state)
    found = b.optimizer.state_dict()["state"]
    assert_array_equal(found[1]["exp_avg"].array, state["state"][11]["exp_avg"].array)
    assert found["more"] == {"x": 1}


# ---------------------------------------------------------------- state that is changed


def momenta(optimizer):
    return [kept["momentum_buffer"].tolist() for kept in optimizer.state.values()]


def test_state_lies_on_the_optimisers_memory():
    w = dotori.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0, momentum=0.5)
    assert optimizer.state == {}
    w.grad = dotori.tensor([1.0, 1.0])
    optimizer.step()
    kept = optimizer.state[w]
    kept["momentum_buffer"].array[...] = 4.0
    optimizer.step()
    assert w.tolist() == [1.0 - 1.0 - 3.0, 2.0 - 1.0 - 3.0]
    optimizer.state[w]["momentum_buffer"] = dotori.tensor([0.0, 2.0])
    optimizer.step()
    assert momenta(optimizer) == [[1.0, 2.0]]
    optimizer.state.clear()
    assert optimizer.state_dict()["state"] == {}
    optimizer.step()
    assert momenta(optimizer) == [[1.0, 1.0]]
    optimizer.state = {}
    optimizer.step()
    assert momenta(optimizer) == [[1.0, 1.0]]


def test_state_that_was_only_looked_at_goes_on_bit_for_bit():
    sides = [Side(dotori, "NAdam", {}) for _ in range(2)]
    for t in range(6):
        for looks, side in enumerate(sides):
            side.step(np.random.default_rng(t))
            if looks:
                assert len(side.optimizer.state) == len(SHAPES)
                side.optimizer.state_dict()
    for p, q in zip(sides[0].params, sides[1].params, strict=True):
        assert_array_equal(p.array, q.array)


class InPyTorchsManner(optim.Optimizer):
    """Heavy-ball momentum, written as PyTorch's users write optimisers."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["velocity"] = dotori.zeros(*p.shape)
                state["step"] += 1
                state["velocity"] = state["velocity"] * 0.9 + p.grad.detach()
                p.data = p.data - state["velocity"] * group["lr"]


def test_an_optimiser_of_the_users_own():
    w, v = (dotori.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    own, known = InPyTorchsManner([w]), optim.SGD([v], lr=0.1, momentum=0.9)
    called = []
    own.register_step_post_hook(lambda *args: called.append(args))
    for t in range(4):
        if t == 2:
            state = own.state_dict()
            own = InPyTorchsManner([w])
            own.load_state_dict(state)
        for p in (w, v):
            p.grad = dotori.tensor([1.0, float(t)])
        own.step()
        known.step()
        assert_allclose(w.array, v.array, rtol=1e-6)
    assert own.state[w]["step"] == 4
    assert called == [(called[0][0], (), {})] * 2


# ---------------------------------------------------------------- groups and names


def test_names_are_kept_as_in_pytorch():
    model, other = nn.Linear(2, 3), torch.nn.Linear(2, 3)
    a = optim.Adam(model.named_parameters())
    b = torch.optim.Adam(other.named_parameters())
    names = b.param_groups[0]["param_names"]
    assert a.param_groups[0]["param_names"] == names == ["weight", "bias"]
    assert a.state_dict()["param_groups"][0]["param_names"] == names
    with pytest.raises(ArgumentError, match="all groups have names"):
        a.add_param_group({"params": [dotori.ones(1, requires_grad=True)]})
    named = ("w", dotori.ones(1, requires_grad=True))
    a.add_param_group({"params": [named]})
    with pytest.raises(ArgumentError, match="1 of 2 parameters have a name"):
        optim.SGD([named, dotori.ones(2, requires_grad=True)])
    unnamed = optim.Adam(nn.Linear(2, 3).parameters()).state_dict()
    c = optim.Adam(model.named_parameters())
    c.load_state_dict(unnamed)
    assert c.param_groups[0]["param_names"] == names


def test_groups_are_checked():
    w = dotori.ones(2, requires_grad=True)
    with pytest.raises(DTypeError, match="one tensor"):
        optim.SGD(w)
    with pytest.raises(DTypeError, match="a set has no order"):
        optim.SGD([{"params": {w}}])
    optimizer = optim.SGD([{"params": w, "lr": 0.5}])
    assert optimizer.param_groups[0]["params"] == [w]
    with pytest.raises(DTypeError, match="a group must be a dict"):
        optimizer.add_param_group([w])
    with pytest.raises(ArgumentError, match="given twice"):
        optimizer.add_param_group({"params": [w]})


def test_a_layer_that_is_unfrozen_and_added_later():
    sides = []
    for library in (dotori, torch):
        first, late = (library.tensor(np.ones(2), requires_grad=True) for _ in "ab")
        late.requires_grad = False
        optimizer = library.optim.Adam([first], lr=0.1)
        for t in range(6):
            if t == 3:
                late.requires_grad = True
                optimizer.add_param_group({"params": [late], "lr": 0.2})
            loss = (first**2).sum() + ((late - 3) ** 2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        sides.append([first.detach().numpy(), late.detach().numpy()])
    assert_allclose(sides[0], sides[1], rtol=1e-12)


def test_a_list_of_parameters_that_grew_is_followed():
    w, late = (dotori.ones(2, requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([w], lr=1.0, momentum=0.5)
    for _ in range(2):
        w.grad, late.grad = dotori.ones(2), dotori.ones(2)
        optimizer.step()
        optimizer.param_groups[0]["params"].append(late)
        optimizer.param_groups[0]["params"] = optimizer.param_groups[0]["params"][:2]
    assert w.tolist() == [-1.5, -1.5] and late.tolist() == [0.0, 0.0]


@every_case
def test_the_repr_is_pytorchs(name, options):
    a, b = Side(dotori, name, options), Side(torch, name, options)
    mine, other = repr(a.optimizer), repr(b.optimizer)
    numbers = str.maketrans("", "", "0123456789.")
    assert mine.translate(numbers) == other.translate(numbers)


# ---------------------------------------------------------------- hooks


def test_hooks_around_a_step():
    w = dotori.tensor([1.0], requires_grad=True)
    optimizer, log = optim.SGD([w], lr=0.5), []
    w.grad = dotori.tensor([1.0])

    def before(who, args, kwargs):
        log.append((who, args, kwargs, w.item()))
        return (lambda: 3,), {}

    first = optimizer.register_step_pre_hook(before)
    with optimizer.register_step_post_hook(lambda *args: log.append(w.item())):
        assert optimizer.step(closure=lambda: 4) == 3
    assert log[0][0] is optimizer and log[0][1] == () and "closure" in log[0][2]
    assert log[0][3] == 1.0 and log[1] == 0.5
    first.remove()
    first.remove()
    assert optimizer.step() is None and len(log) == 2
    optimizer.register_step_pre_hook(lambda *args: 3)
    with pytest.raises(ArgumentError, match=r"return None or \(args, kwargs\), got 3"):
        optimizer.step()


def test_hooks_around_states():
    w = dotori.tensor([1.0], requires_grad=True)
    optimizer, log = optim.SGD([w], lr=0.5), []
    optimizer.register_state_dict_pre_hook(lambda o: log.append(2))
    optimizer.register_state_dict_pre_hook(lambda o: log.append(1), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, s: {**s, "more": 3})
    optimizer.register_state_dict_post_hook(lambda o, s: log.append(s["more"]))
    state = optimizer.state_dict()
    assert log == [1, 2, 3] and state["more"] == 3

    def change(o, s):
        assert s is not state and s["more"] == 3
        return {**s, "param_groups": [{**s["param_groups"][0], "lr": 0.25}]}

    optimizer.register_load_state_dict_pre_hook(change)
    optimizer.register_load_state_dict_post_hook(lambda o: log.append(o.defaults["lr"]))
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.25 and log[-1] == 0.5


class CallingItsParent(optim.SGD):
    def step(self, closure=None):
        return super().step(closure)


def test_hooks_run_once_where_a_step_calls_its_parents():
    w = dotori.tensor([1.0], requires_grad=True)
    optimizer, log = CallingItsParent([w], lr=0.5), []
    optimizer.register_step_pre_hook(lambda *args: log.append("before"))
    optimizer.register_step_post_hook(lambda *args: log.append("after"))
    for _ in range(2):
        optimizer.step()
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)
    optimizer.step()
    assert log == ["before", "after"] * 2 + ["before"] + ["before", "after"]


# ---------------------------------------------------------------- arguments


MISTAKES = [
    ("SGD", {"lr": -1.0}),
    ("SGD", {"momentum": -1.0}),
    ("SGD", {"weight_decay": -1.0}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("SGD", {"lr": [0.1, 0.2]}),
    ("Adam", {"lr": [0.1, 0.2]}),
    ("Adam", {"eps": -1.0}),
    ("Adam", {"betas": (1.0, 0.9)}),
    ("Adam", {"betas": (0.9, -0.1)}),
    ("Adam", {"betas": (0, 0.9)}),
    ("Adam", {"weight_decay": -1.0}),
    ("AdamW", {"betas": (0.9, 1.0)}),
    ("RMSprop", {"alpha": -1.0}),
    ("RMSprop", {"momentum": -1.0}),
    ("Adagrad", {"lr_decay": -1.0}),
    ("Adagrad", {"initial_accumulator_value": -1.0}),
    ("Adadelta", {"rho": 1.1}),
    ("Adadelta", {"eps": -1.0}),
    ("Adamax", {"betas": (0.9, 1.0)}),
    ("NAdam", {"momentum_decay": -1.0}),
    ("RAdam", {"betas": (-0.1, 0.9)}),
    ("ASGD", {"weight_decay": -1.0}),
    ("ASGD", {"lr": -1.0}),
    ("Rprop", {"etas": (1.0, 1.2)}),
    ("Rprop", {"etas": (0.5, 1.0)}),
    ("Adafactor", {"beta2_decay": 0.5}),
    ("Adafactor", {"d": 0.5}),
    ("Adafactor", {"eps": (-1.0, 1e-3)}),
    ("Adafactor", {"eps": (None, -1e-3)}),
    ("Muon", {"adjust_lr_fn": "largest"}),
    ("Muon", {"momentum": -1.0}),
    ("LBFGS", {"lr": -1.0}),
]


@pytest.mark.parametrize(("name", "options"), MISTAKES, ids=str)
def test_wrong_settings_are_errors_as_in_pytorch(name, options):
    for library, error in ((torch, ValueError), (dotori, ArgumentError)):
        lr = options.get("lr")
        given = {**options, "lr": library.tensor(lr)} if type(lr) is list else options
        with pytest.raises(error):
            getattr(library.optim, name)([library.ones(2, 2)], **given)


def test_what_only_some_take():
    w = dotori.ones(2, 2, requires_grad=True)
    with pytest.raises(ArgumentError, match="differentiable=True is not there"):
        optim.SGD([w], differentiable=True)
    with pytest.raises(ArgumentError, match="cannot both be True"):
        optim.Adam([w], fused=True, foreach=True)
    with pytest.raises(ArgumentError, match="foreach=True wants lr as a float"):
        optim.Adam([w], lr=dotori.tensor(0.1), foreach=True)
    with pytest.raises(ArgumentError, match="ns_steps below 100"):
        optim.Muon([w], ns_steps=100)
    with pytest.raises(ArgumentError, match="one group"):
        optim.LBFGS([{"params": [w]}, {"params": [dotori.ones(1)]}])
    with pytest.raises(ArgumentError, match="needs a closure"):
        optim.LBFGS([w]).step()
    with pytest.raises(ArgumentError, match="'strong_wolfe', got 'weak'"):
        optim.LBFGS([w], line_search_fn="weak")
    with pytest.raises(dotori.errors.ShapeError, match=r"two axes, got .* \(3,\)"):
        optim.Muon([w, dotori.ones(3, requires_grad=True)])
    muon = optim.Muon([w])
    with pytest.raises(dotori.errors.ShapeError):
        muon.add_param_group({"params": [dotori.ones(3)]})
    assert len(muon.param_groups) == 1
    w.grad = dotori.ones(2, 2)
    muon.step()


def test_betas_in_tensors():
    sides = []
    for library in (dotori, torch):
        w = library.ones(3, requires_grad=True)
        half = library.tensor(0.5), library.tensor(0.75)
        optimizer = library.optim.Adam([w], lr=library.tensor(0.25), betas=half)
        w.grad = library.ones(3)
        optimizer.step()
        sides.append((w.tolist(), optimizer.param_groups[0]["betas"]))
    assert sides[0][1] == sides[1][1] == (0.5, 0.75)
    assert sides[0][0] == pytest.approx(sides[1][0])


def test_a_rate_in_a_tensor_is_saved_as_it_was():
    rate = dotori.tensor(0.5)
    optimizer = optim.SGD([dotori.ones(2, requires_grad=True)], lr=rate)
    state = optimizer.state_dict()
    rate.array[...] = 0.25
    assert state["param_groups"][0]["lr"].item() == 0.5
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"].item() == 0.5
    assert rate.item() == 0.25
