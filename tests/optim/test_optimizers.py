"""What every optimiser promises beside its numbers: memory, types, messages."""

import math

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.errors import ArgumentError, DTypeError, GradientError, NonFiniteError

EVERY = [
    value
    for value in vars(optim).values()
    if isinstance(value, type)
    and issubclass(value, optim.Optimizer)
    and value is not optim.Optimizer
    and value is not optim.LBFGS  # by itself: it wants a closure
]
FLAT = [cls for cls in EVERY if cls.update is not optim.Optimizer.update]


def parameters(dtype=np.float32, seed=0, cls=None):
    rng = np.random.default_rng(seed)
    shapes = [(3, 4), (4,), (2,)] if cls is not optim.Muon else [(3, 4), (2, 2)]
    return [
        dotori.tensor(rng.standard_normal(s).astype(dtype), requires_grad=True)
        for s in shapes
    ]


def give_gradients(params, seed=1):
    rng = np.random.default_rng(seed)
    for p in params:
        p.grad = dotori.tensor(rng.standard_normal(p.shape).astype(p.dtype))


def test_all_are_found():
    assert {c.__name__ for c in EVERY} == {
        "ASGD",
        "Adadelta",
        "Adafactor",
        "Adagrad",
        "Adam",
        "AdamW",
        "Adamax",
        "Lion",
        "Muon",
        "NAdam",
        "RAdam",
        "RMSprop",
        "Rprop",
        "SGD",
    }


@pytest.mark.parametrize("cls", EVERY)
def test_float32_stays_float32(cls):
    params = parameters(cls=cls)
    optimizer = cls(params)
    for _ in range(3):
        give_gradients(params)
        optimizer.step()
    for p in params:
        assert p.dtype == np.float32
        for name, value in optimizer.state[p].items():
            # Counts stay exact beyond the 2^24 steps that float32 can count.
            wanted = np.float64 if name in cls.numbers else np.float32
            assert value.dtype == wanted, name


@pytest.mark.parametrize("cls", FLAT)
def test_parameters_lie_in_one_piece_and_keep_their_values(cls):
    params = parameters()
    values = [p.array.copy() for p in params]
    optimizer = cls(params, lr=0.0)
    give_gradients(params)
    optimizer.step()
    assert len({id(p.array.base) for p in params}) == 1
    for p, value in zip(params, values, strict=True):
        # Rprop's smallest step is 1e-6, whatever the rate.
        np.testing.assert_allclose(p.array, value, atol=1.5e-6, rtol=0)


@pytest.mark.parametrize("cls", EVERY)
def test_new_memory_between_steps_is_followed(cls):
    bias = cls is not optim.Muon
    model, twin = nn.Linear(3, 2, bias=bias), nn.Linear(3, 2, bias=bias)
    twin.load_state_dict(model.state_dict())
    a, b = cls(model.parameters(), lr=0.1), cls(twin.parameters(), lr=0.1)
    for t in range(4):
        for m, o in ((model, a), (twin, b)):
            give_gradients(list(m.parameters()), seed=t)
            o.step()
        for p in twin.parameters():
            p.data = p.array.copy()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(p.array, q.array)
    # Loading writes into the memory that the optimiser goes on with.
    model.load_state_dict({k: v.array * 0 for k, v in model.state_dict().items()})
    give_gradients(list(model.parameters()))
    a.step()
    assert all(np.abs(p.array).max() > 0 for p in model.parameters())


@pytest.mark.parametrize("cls", EVERY)
def test_a_step_makes_older_graphs_stale(cls):
    bias = cls is not optim.Muon
    model = nn.Sequential(nn.Linear(3, 4, bias=bias), nn.Linear(4, 1, bias=bias))
    optimizer = cls(model.parameters())
    for _ in range(2):  # the first step lays the parameters into memory of its own
        loss = model(np.ones((2, 3), np.float32)).sum()
        loss.backward(retain_graph=True)
        optimizer.step()
    with pytest.raises(GradientError, match=rf"{cls.__name__}\.step has changed it"):
        loss.backward()


@pytest.mark.parametrize("cls", EVERY)
def test_infinite_gradients_give_no_warning(cls):
    params = parameters(cls=cls)
    optimizer = cls(params)
    give_gradients(params)
    params[0].grad.array[0, 0] = np.inf
    optimizer.step()
    optimizer.step()


def test_zero_grad():
    params = parameters()
    optimizer = optim.SGD(params)
    give_gradients(params)
    optimizer.zero_grad(set_to_none=False)
    assert all((p.grad.array == 0).all() for p in params)
    optimizer.zero_grad()
    assert all(p.grad is None for p in params)


def test_a_closure_is_called_with_gradients_on():
    (w,) = [dotori.tensor([2.0], requires_grad=True)]
    optimizer = optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with dotori.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert w.item() == 1.0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.SGD([]), ArgumentError, "was given no parameters"),
        (lambda: optim.Adam([np.ones(2)]), DTypeError, "updates tensors, got ndarray"),
        (
            lambda: optim.Adam([parameters()[0] * 1.0]),
            GradientError,
            "only update leaves",
        ),
        (lambda: optim.SGD(parameters()[:1] * 2), ArgumentError, "given twice"),
        (
            lambda: optim.SGD(parameters(), lr=-1),
            ArgumentError,
            "lr must be at least 0",
        ),
        (lambda: optim.Adam(parameters(), betas=(1.0, 0.9)), ArgumentError, "betas"),
        (
            lambda: optim.SGD(parameters(), nesterov=True),
            ArgumentError,
            "momentum above",
        ),
        (lambda: optim.AdamW(parameters(), eps=math.nan), ArgumentError, "eps must be"),
    ],
)
def test_mistakes_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_parameters_that_share_memory_are_refused():
    a = parameters()[0]
    b = dotori.Tensor(a.array, requires_grad=True)
    with pytest.raises(ArgumentError, match="share the Parameter itself"):
        optim.SGD([a, b])
    with pytest.raises(ArgumentError, match="share the Parameter itself"):
        optim.SGD([{"params": [a]}, {"params": [b]}])


def test_decay_for_weights_only():
    groups = optim.param_groups_weight_decay(nn.Linear(3, 2), 0.1)
    assert [(g["weight_decay"], len(g["params"])) for g in groups] == [
        (0.1, 1),
        (0.0, 1),
    ]


def test_a_norm_that_is_not_finite_is_reported():
    params = parameters()
    give_gradients(params)
    params[0].grad.array[0, 0] = np.nan
    assert math.isnan(optim.clip_grad_norm_(params, 1.0).item())
    with pytest.raises(NonFiniteError, match="is nan"):
        optim.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)


def test_repr_shows_the_settings():
    assert "lr: 0.5" in repr(optim.SGD(parameters(), lr=0.5))
