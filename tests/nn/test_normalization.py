"""Layer, group, RMS and local response norm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import kernels, nn
from dotori.nn import functional as F

SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@given(
    shape=SIZES,
    n_axes=st.integers(1, 4),
    weight=st.booleans(),
    bias=st.booleans(),
    eps=st.sampled_from([1e-5, 0.1]),
)
def test_layer_norm_is_pytorchs(shape, n_axes, weight, bias, eps):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    rng = np.random.default_rng(len(shape))
    inner = shape[-min(n_axes, len(shape)) :]
    arrays = [rng.standard_normal(shape)]
    arrays += [rng.standard_normal(inner) for used in (weight, bias) if used]

    def call(function):
        def run(x, *given):
            left = list(given)
            w = left.pop(0) if weight else None
            return function(x, inner, w, left.pop(0) if bias else None, eps)

        return run

    theirs = call(torch.nn.functional.layer_norm)
    second = weight or not bias  # PyTorch's fails for a bias alone
    agree(call(F.layer_norm), theirs, *arrays, second=second, rtol=1e-6, atol=1e-8)


@given(
    shape=SIZES,
    n_axes=st.integers(1, 4),
    weight=st.booleans(),
    eps=st.sampled_from([None, 1e-5, 0.1]),
)
def test_rms_norm_is_pytorchs(shape, n_axes, weight, eps):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    rng = np.random.default_rng(len(shape))
    inner = shape[-min(n_axes, len(shape)) :]
    arrays = [rng.standard_normal(shape)]
    arrays += [rng.standard_normal(inner) for _ in range(weight)]

    def call(function):
        return lambda x, w=None: function(x, inner, w, eps)

    theirs = call(torch.nn.functional.rms_norm)
    agree(call(F.rms_norm), theirs, *arrays, rtol=1e-6, atol=1e-8)


@given(
    groups=st.integers(1, 3),
    width=st.integers(1, 3),
    rest=st.lists(st.integers(1, 3), max_size=3),
    last=st.booleans(),
    affine=st.booleans(),
)
def test_group_norm_is_pytorchs(groups, width, rest, last, affine):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    rng = np.random.default_rng(groups)
    x = rng.standard_normal((2, groups * width, *rest))
    if last:
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    arrays = [x] + [rng.standard_normal(groups * width) for _ in range(2 * affine)]
    agree(
        lambda x, w=None, b=None: F.group_norm(x, groups, w, b),
        lambda x, w=None, b=None: torch.nn.functional.group_norm(x, groups, w, b),
        *arrays,
        rtol=1e-6,
        atol=1e-7,
    )


@given(
    n_channels=st.integers(1, 6),
    rest=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    size=st.integers(1, 8),
    beta=st.sampled_from([0.5, 0.75, 2.0]),
)
def test_local_response_norm_is_pytorchs(n_channels, rest, size, beta):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    x = np.random.default_rng(size).standard_normal((2, n_channels, *rest))
    agree(
        lambda x: F.local_response_norm(x, size, 0.5, beta, 2.0),
        lambda x: torch.nn.functional.local_response_norm(x, size, 0.5, beta, 2.0),
        x,
        rtol=1e-6,
        atol=1e-8,
    )


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_cross_map_norm_is_pytorchs_where_that_is_right(size):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    n_channels = (size + 1) // 2
    x = np.random.default_rng(0).standard_normal((2, n_channels, 2, 3))
    ours = nn.CrossMapLRN2d(size, alpha=0.5, k=2.0)(dotori.tensor(x))
    theirs = torch.nn.CrossMapLRN2d(size, alpha=0.5, k=2.0)(torch.tensor(x))
    np.testing.assert_allclose(ours.array, theirs.numpy(), rtol=1e-12)


def test_cross_map_norm_by_hand():
    x = dotori.tensor([1.0, 2.0, 3.0, 4.0], dtype=np.float64).reshape(1, 4, 1, 1)
    y = nn.CrossMapLRN2d(3, alpha=3.0, beta=1.0, k=0.0)(x)
    wanted = [1 / 5, 2 / 14, 3 / 29, 4 / 25]
    np.testing.assert_allclose(y.array.ravel(), wanted)
    x.requires_grad_()
    assert dotori.gradcheck(nn.CrossMapLRN2d(3, alpha=3.0), (x,))
    with pytest.raises(ValueError, match=r"must be \(batch, channels, height, width\)"):
        nn.CrossMapLRN2d(3)(dotori.ones(2, 3, 4))


def test_layer_norm_by_hand():
    x = dotori.tensor([[1.0, 2.0, 6.0]], dtype=np.float64)  # mean 3, variance 14 / 3
    weight = dotori.tensor([1.0, 10.0, 1.0], dtype=np.float64)
    bias = dotori.tensor([0.0, 0.0, 5.0], dtype=np.float64)
    y = F.layer_norm(x, 3, weight, bias, eps=0.0)
    root = (14 / 3) ** 0.5
    np.testing.assert_allclose(y.array, [[-2 / root, -10 / root, 3 / root + 5]])


@pytest.mark.parametrize("width", [1, 3, 64, 100, 1000])
@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (1000, 1), (-3, 1e-3)])
@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_float32_is_as_precise_as_pytorchs(name, width, shift, scale):
    torch = pytest.importorskip("torch", reason="PyTorch is the measure")
    rng = np.random.default_rng(5)
    x = (shift + scale * rng.standard_normal((200, width))).astype(np.float32)
    dy, w = (rng.standard_normal(s).astype(np.float32) for s in (x.shape, width))

    def step(module, functions, dtype):
        leaves = [module.tensor(a.astype(dtype), requires_grad=True) for a in (x, w)]
        y = getattr(functions, name)(leaves[0], [width], leaves[1], eps=1e-5)
        y.backward(module.tensor(dy.astype(dtype)))
        found = (y, *(t.grad for t in leaves))
        return [np.asarray(t.detach().numpy(), np.float64) for t in found]

    theirs = step(torch, torch.nn.functional, np.float32)
    exact = step(torch, torch.nn.functional, np.float64)
    for a, b, c in zip(step(dotori, F, np.float32), theirs, exact, strict=True):
        assert abs(a - c).max() <= 10 * abs(b - c).max() + 4e-7 * abs(c).max()


@pytest.mark.parametrize("mode", ["numpy", "numba"])
def test_threads_change_no_bit(mode):
    if mode == "numba":
        pytest.importorskip("numba", reason="compiles the kernels")
    from dotori.kernels import _threads

    x = np.random.default_rng(0).standard_normal((5000, 90)).astype(np.float32)
    before = _threads._threads.number
    found = []
    kernels.use(mode)
    try:
        for n in (1, 3):
            _threads.set_number(n)
            layer = nn.LayerNorm(90)
            leaf = dotori.as_tensor(x).clone().requires_grad_()
            y = layer(leaf)
            (y * y * y).sum().backward()
            found.append((y.array, leaf.grad.array, layer.weight.grad.array))
    finally:
        _threads.set_number(before)
        kernels.use("auto")
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["LayerNorm", "RMSNorm", "GroupNorm"])
def test_halves(name):
    layer = getattr(nn, name)(*((2, 4) if name == "GroupNorm" else (4,)))
    x = (300 * np.random.default_rng(0).standard_normal((3, 4))).astype(np.float16)
    exact = layer.double()(dotori.tensor(x.astype(np.float64)))
    for weights in (layer.half(), layer.float()):
        y = weights(dotori.tensor(x))
        assert y.dtype == np.float16
        np.testing.assert_allclose(y.array, exact.array, atol=2e-3)


@pytest.mark.parametrize("name", ["LayerNorm", "RMSNorm", "GroupNorm"])
def test_an_empty_batch(name):
    layer = getattr(nn, name)(*((2, 4) if name == "GroupNorm" else (4,)))
    x = dotori.zeros(0, 4, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.shape == (0, 4)
    assert layer.weight.grad.tolist() == [0, 0, 0, 0]


def test_nan_stays_in_its_row():
    x = np.ones((3, 4), np.float32) * np.arange(4, dtype=np.float32)
    x[1, 2] = np.nan
    y = F.layer_norm(dotori.tensor(x), 4).array
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[[0, 2]]).all()


def test_mistakes_are_named():
    x = dotori.ones(2, 3)
    with pytest.raises(
        ValueError, match=r"x has shape \(2, 3\).*normalized_shape, \(4,\)"
    ):
        nn.LayerNorm(4)(x)
    with pytest.raises(ValueError, match=r"must have the shape \(3,\).*got \(2,\)"):
        F.layer_norm(x, 3, dotori.ones(2))
    with pytest.raises(ValueError, match="cannot be cut into num_groups, 2"):
        nn.GroupNorm(2, 3)
    with pytest.raises(ValueError, match="cannot be cut into 2 groups"):
        F.group_norm(x, 2)
    with pytest.raises(ValueError, match="one value"):
        F.group_norm(dotori.ones(1, 1), 1)
    with pytest.raises(ValueError, match="three axes or more"):
        F.local_response_norm(x, 2)
    with pytest.raises(ValueError, match="size must be positive, got 0"):
        F.local_response_norm(dotori.ones(2, 3, 4), 0)
