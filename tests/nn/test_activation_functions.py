"""Activations against PyTorch in float64, to second order; far out in float32."""

import numpy as np
import pytest

import dotori
import dotori.nn.functional as F
from dotori.errors import ArgumentError, AxisError, ShapeError

CALLS = [
    ("relu", {}),
    ("relu6", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -0.3, "max_val": 2.0}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("rrelu", {}),
    ("elu", {}),
    ("elu", {"alpha": 1.7}),
    ("celu", {}),
    ("celu", {"alpha": 0.5}),
    ("selu", {}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.5, "threshold": 3.0}),
    ("softsign", {}),
    ("softshrink", {}),
    ("softshrink", {"lambd": 1.1}),
    ("hardshrink", {}),
    ("hardshrink", {"lambd": 1.1}),
    ("tanhshrink", {}),
    ("threshold", {"threshold": 0.4, "value": 7.0}),
    ("hardswish", {}),
    ("hardsigmoid", {}),
    ("tanh", {}),
    ("sigmoid", {}),
    ("logsigmoid", {}),
    ("softmax", {"dim": -1}),
    ("softmax", {"dim": 0}),
    ("softmin", {"dim": 1}),
    ("log_softmax", {"dim": -1}),
    ("log_softmax", {"dim": 0}),
    ("glu", {}),
    ("glu", {"dim": 1}),
]
IDS = [f"{name}-{'-'.join(map(str, options.values()))}" for name, options in CALLS]


@pytest.mark.parametrize(("name", "options"), CALLS, ids=IDS)
@pytest.mark.parametrize("spread", [1.0, 6.0], ids=["near", "far"])
def test_as_in_torch(name, options, spread, rng):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    theirs = getattr(oracle.torch.nn.functional, name)
    x = rng.standard_normal((3, 4, 6)) * spread
    ours = getattr(F, name)
    oracle.agree(
        lambda t: ours(t, **options),
        lambda t: theirs(t, **options),
        x,
        second=name != "hardsigmoid",  # PyTorch has none
    )


@pytest.mark.parametrize(("name", "options"), CALLS, ids=IDS)
def test_float32_stays_float32(name, options, rng):
    x = dotori.tensor(rng.standard_normal((2, 2, 4)).astype(np.float32))
    x.requires_grad_()
    y = getattr(F, name)(x, **options)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize(("name", "options"), CALLS, ids=IDS)
def test_far_out_nothing_overflows(name, options):
    x = dotori.tensor(np.array([-1e4, -100.0, 0.0, 100.0], np.float32))
    x = dotori.tensor(np.stack([x.array, -x.array]), requires_grad=True)
    with np.errstate(all="raise", under="ignore"):
        y = getattr(F, name)(
            x, **{**options, **({"dim": 1} if "dim" in options else {})}
        )
        y.sum().backward()
    assert np.isfinite(y.array).all()
    assert np.isfinite(x.grad.array).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 2, 2)])
def test_prelu_as_in_torch(channels, shape, rng):
    oracle = pytest.importorskip("torch_oracle", reason="needs PyTorch")
    x, weight = rng.standard_normal(shape), rng.standard_normal(channels)
    oracle.agree(F.prelu, oracle.torch.nn.functional.prelu, x, weight)


def test_sigmoid_of_the_specification():
    assert F.sigmoid(np.array(1.0)).item() == pytest.approx(
        0.7310585786300049, rel=1e-15
    )
    y = F.sigmoid(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(y.array, [0.73105858, 0.88079708, 0.95257413], atol=5e-9)
    assert F.sigmoid(np.array([-1000.0, 1000.0])).tolist() == [0.0, 1.0]


def test_derivative_of_sigmoid_of_the_specification():
    x = dotori.tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    F.sigmoid(x).sum().backward()
    np.testing.assert_allclose(
        x.grad.array, [0.19661193, 0.10499359, 0.04517666], atol=5e-9
    )


def test_softmax_of_the_specification():
    y = F.softmax(np.array([[9.0, 2, 5, 0, 0], [7, 5, 0, 0, 0]]), dim=1)
    expected = [
        [
            9.80897665e-01,
            8.94462891e-04,
            1.79657674e-02,
            1.21052389e-04,
            1.21052389e-04,
        ],
        [
            8.78679856e-01,
            1.18916387e-01,
            8.01252314e-04,
            8.01252314e-04,
            8.01252314e-04,
        ],
    ]
    np.testing.assert_allclose(y.array, expected, rtol=5e-9)


def test_softmax_with_masked_places():
    x = dotori.tensor([[1.0, -np.inf, 1.0]], requires_grad=True)
    y = F.softmax(x, dim=1)
    y[0, 0].backward()
    assert y.tolist() == [[0.5, 0.0, 0.5]]
    assert x.grad.tolist() == [[0.25, 0.0, -0.25]]


def test_softmax_of_nothing_but_minus_infinity_is_nan():
    assert np.isnan(F.softmax(np.full(3, -np.inf), dim=0).array).all()
    assert np.isnan(F.log_softmax(np.full(3, -np.inf), dim=0).array).all()


def test_relu_keeps_nan():
    assert np.isnan(F.relu(np.array([np.nan, -1.0])).array).tolist() == [True, False]


def test_relu_has_no_gradient_at_zero():
    x = dotori.tensor([0.0, -1.0, 2.0], requires_grad=True)
    F.relu(x).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 1.0]


def test_inplace_is_accepted_and_writes_nothing():
    x = dotori.tensor([-1.0, 2.0])
    assert F.relu(x, inplace=True).tolist() == [0.0, 2.0]
    assert x.tolist() == [-1.0, 2.0]


def test_rrelu_draws_slopes_in_training():
    dotori.manual_seed(3)
    x = dotori.tensor(-np.ones(1000), requires_grad=True)
    y = F.rrelu(x, 0.2, 0.4, training=True)
    y.sum().backward()
    np.testing.assert_array_equal(-x.grad.array, y.array)
    assert 0.2 <= -y.array.max() < 0.21
    assert 0.39 < -y.array.min() <= 0.4


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: F.glu(dotori.ones(2, 3)),
            ShapeError,
            (
                "glu: x of shape (2, 3) cannot be halved along dim=-1, whose length 3 "
                "is odd"
            ),
        ),
        (
            lambda: F.softmax(dotori.ones(2, 3), dim=2),
            AxisError,
            "softmax: x of shape (2, 3) has no axis 2",
        ),
        (
            lambda: F.gelu(dotori.ones(2), approximate="fast"),
            ArgumentError,
            "gelu: approximate must be 'none' or 'tanh', got 'fast'",
        ),
        (
            lambda: F.prelu(dotori.ones(2, 3), dotori.ones(2)),
            ShapeError,
            (
                "prelu: the weight has shape (2,), but x of shape (2, 3) has 3 "
                "channels (axis 1); give one slope, or one for each channel"
            ),
        ),
        (
            lambda: F.hardtanh(dotori.ones(2), 1.0, -1.0),
            ArgumentError,
            "hardtanh: min_val=1.0 must not exceed max_val=-1.0",
        ),
        (
            lambda: F.softshrink(dotori.ones(2), -1),
            ArgumentError,
            "softshrink: lambd must be at least 0, got -1",
        ),
        (
            lambda: F.rrelu(dotori.ones(2), 0.5, 0.25),
            ArgumentError,
            "rrelu: lower=0.5 must not exceed upper=0.25",
        ),
        (
            lambda: F.celu(dotori.ones(2), 0.0),
            ArgumentError,
            "celu: alpha divides x, it must not be 0",
        ),
    ],
)
def test_mistakes(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
