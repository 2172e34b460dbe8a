"""Functions beside PyTorch's, over shapes, axes and strange numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dotori
from torch_oracle import agree, torch

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


@st.composite
def arrays_and_axis(draw):
    shape = draw(SHAPES)
    a = np.random.default_rng(draw(st.integers(0, 99))).standard_normal(shape)
    return a, draw(st.integers(-len(shape), len(shape) - 1)), draw(st.booleans())


@given(arrays_and_axis())
@pytest.mark.parametrize(
    "name", ["sum", "mean", "amax", "amin", "var", "logsumexp", "prod"]
)
def test_reductions(name, case):
    a, axis, keep = case
    if name == "var" and a.shape[axis] < 2:
        return  # PyTorch warns
    agree(
        lambda x: getattr(dotori, name)(x, dim=axis, keepdim=keep),
        lambda x: getattr(torch, name)(x, dim=axis, keepdim=keep),
        a,
    )


@given(arrays_and_axis())
@pytest.mark.parametrize("name", ["max", "min"])
def test_values_and_indices(name, case):
    a, axis, keep = case
    ours = getattr(dotori.tensor(a), name)(dim=axis, keepdim=keep)
    theirs = getattr(torch.tensor(a), name)(dim=axis, keepdim=keep)
    np.testing.assert_array_equal(ours.indices.numpy(), theirs.indices.numpy())
    agree(
        lambda x: getattr(x, name)(dim=axis, keepdim=keep).values,
        lambda x: getattr(x, name)(dim=axis, keepdim=keep).values,
        a,
    )


@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), st.data()
)
@pytest.mark.parametrize(
    "name",
    ["add", "sub", "mul", "div", "maximum", "minimum", "atan2", "hypot", "logaddexp"],
)
def test_broadcasting(name, shapes, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    a, b = (rng.uniform(0.5, 2.0, shape) for shape in shapes.input_shapes)
    agree(getattr(dotori, name), getattr(torch, name), a, b)


@given(arrays_and_axis())
def test_shapes(case):
    a, axis, _ = case
    for f in (
        lambda x: x.unsqueeze(axis),
        lambda x: x.squeeze(axis),
        lambda x: x.flatten(),
        lambda x: x.transpose(axis, 0),
        lambda x: x.movedim(axis, 0),
        lambda x: x.reshape(-1, 1).expand(-1, 2),
        lambda x: x.cumsum(axis),
    ):
        agree(f, f, a)
    agree(lambda x: dotori.flip(x, (axis,)), lambda x: torch.flip(x, (axis,)), a)
    agree(
        lambda x, y: dotori.cat([x, y, x], axis),
        lambda x, y: torch.cat([x, y, x], axis),
        a,
        a * 2,
    )
    agree(lambda x: dotori.stack([x, x], axis), lambda x: torch.stack([x, x], axis), a)
    for ours, theirs in zip(
        dotori.chunk(a, 2, axis), torch.chunk(torch.tensor(a), 2, axis), strict=True
    ):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


STRANGE = np.array(
    [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 5e-324, 1e-300, 1e300, -1e300, 1e38]
)
UNARY = (
    "exp expm1 log log1p log2 log10 sqrt rsqrt reciprocal abs sign tanh sin cos tan sinh "
    "cosh asin acos atan asinh acosh atanh sigmoid floor ceil trunc round square neg exp2 "
    "frac isnan isinf isfinite"
).split()


@pytest.mark.parametrize("name", UNARY)
def test_strange_numbers(name):
    # The sign of NaN is 0 in PyTorch; here NaN stays visible, as in NumPy.
    kept = {"frac": np.isfinite(STRANGE), "sign": ~np.isnan(STRANGE)}
    values = STRANGE[kept.get(name, slice(None))]
    with np.errstate(all="ignore"):
        ours = getattr(dotori, name)(values).numpy()
    theirs = getattr(torch, name)(torch.tensor(values)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-320)


@pytest.mark.parametrize(
    "name", ["add", "sub", "mul", "div", "pow", "maximum", "minimum"]
)
def test_pairs_of_strange_numbers(name):
    a, b = STRANGE[:, np.newaxis], STRANGE[np.newaxis, :]
    with np.errstate(all="ignore"):
        ours = getattr(dotori, name)(a, b).numpy()
    theirs = getattr(torch, name)(torch.tensor(a), torch.tensor(b)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def test_conventions_at_ties_and_zeros():
    a = np.array([[1.0, 3.0, 3.0], [0.0, 0.0, -2.0]])
    agree(lambda x: x.amax(1), lambda x: x.amax(1), a, second=False)
    agree(lambda x: x.abs(), lambda x: x.abs(), a, second=False)
    agree(lambda x: x.clamp(0.0, 3.0), lambda x: x.clamp(0.0, 3.0), a, second=False)
    agree(lambda x: x.prod(1), lambda x: x.prod(1), a)
    agree(lambda x: x**2, lambda x: x**2, a)
    agree(
        lambda x: dotori.norm(x, 2, 1),
        lambda x: torch.norm(x, 2, 1),
        a * 0,
        second=False,
    )
    agree(dotori.maximum, torch.maximum, a, a[::-1].copy(), second=False)
