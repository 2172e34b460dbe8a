"""Batch norm and instance norm: the gradient through the statistics, running ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import kernels, nn
from dotori.nn import functional as F


def picture(rng, shape, last):
    """Numbers of a shape, with the channels last in memory or not."""
    if not last:
        return rng.standard_normal(shape)
    moved = rng.standard_normal((shape[0], *shape[2:], shape[1]))
    return np.moveaxis(moved, -1, 1)


SHAPES = st.tuples(st.integers(2, 4), st.integers(1, 4)).flatmap(
    lambda head: st.lists(st.integers(1, 4), max_size=3).map(lambda s: (*head, *s))
)


@given(
    shape=SHAPES,
    last=st.booleans(),
    weight=st.booleans(),
    bias=st.booleans(),
    running=st.booleans(),
    training=st.booleans(),
    momentum=st.floats(0, 1),
    eps=st.sampled_from([1e-5, 0.1]),
    seed=st.integers(0, 9),
)
def test_batch_norm_is_pytorchs(
    shape, last, weight, bias, running, training, momentum, eps, seed
):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    rng = np.random.default_rng(seed)
    stats = rng.uniform(0.5, 2, (2, shape[1])) if running or not training else None
    arrays = [picture(rng, shape, last)]
    arrays += [rng.standard_normal(shape[1]) for used in (weight, bias) if used]
    kept = {}

    def call(function, make):
        def run(x, *given):
            left = list(given)
            w = left.pop(0) if weight else None
            b = left.pop(0) if bias else None
            own = (None, None) if stats is None else tuple(make(s) for s in stats)
            kept[function] = own
            return function(x, *own, w, b, training, momentum, eps)

        return run

    ours = call(F.batch_norm, lambda s: dotori.tensor(s.copy()))
    theirs = call(torch.nn.functional.batch_norm, lambda s: torch.tensor(s.copy()))
    second = weight or not bias  # PyTorch's fails for a bias alone
    agree(ours, theirs, *arrays, second=second, rtol=1e-6, atol=1e-9)
    for a, b in zip(
        kept[F.batch_norm], kept[torch.nn.functional.batch_norm], strict=True
    ):
        if a is not None:
            np.testing.assert_allclose(a.array, b.numpy(), rtol=1e-12)


@given(
    shape=SHAPES.filter(lambda s: np.prod(s[2:]) > 1),
    last=st.booleans(),
    affine=st.booleans(),
    running=st.booleans(),
    use_input_stats=st.booleans(),
    momentum=st.floats(0, 1),
)
def test_instance_norm_is_pytorchs(
    shape, last, affine, running, use_input_stats, momentum
):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch_oracle import agree

    rng = np.random.default_rng(len(shape))
    running = running or not use_input_stats
    stats = rng.uniform(0.5, 2, (2, shape[1]))
    arrays = [picture(rng, shape, last)]
    arrays += [rng.standard_normal(shape[1]) for _ in range(2 * affine)]
    kept = {}

    def call(function, make):
        def run(x, *params):
            own = tuple(make(s) for s in stats) if running else (None, None)
            kept[function] = own
            w, b = params or (None, None)
            return function(x, *own, w, b, use_input_stats, momentum, 1e-5)

        return run

    ours = call(F.instance_norm, lambda s: dotori.tensor(s.copy()))
    theirs = call(torch.nn.functional.instance_norm, lambda s: torch.tensor(s.copy()))
    agree(ours, theirs, *arrays, rtol=1e-6, atol=1e-9)
    both = zip(
        kept[F.instance_norm], kept[torch.nn.functional.instance_norm], strict=True
    )
    for a, b in both:
        if a is not None:
            np.testing.assert_allclose(a.array, b.numpy(), rtol=1e-12)


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("BatchNorm1d", (5, 3)),
        ("BatchNorm1d", (4, 3, 2)),
        ("BatchNorm2d", (2, 3, 4, 4)),
        ("BatchNorm3d", (2, 3, 2, 2, 3)),
        ("InstanceNorm2d", (2, 3, 4, 4)),
    ],
)
def test_several_steps_then_evaluation(name, shape, momentum):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    if momentum is None and name.startswith("Instance"):
        momentum = 1.0
    rng = np.random.default_rng(0)
    keywords = {"momentum": momentum, "affine": True, "track_running_stats": True}
    ours = getattr(nn, name)(3, **keywords).double()
    theirs = getattr(torch.nn, name)(3, **keywords).double()
    for _ in range(4):
        x = 3 * rng.standard_normal(shape) + 5
        y, z = ours(dotori.tensor(x)), theirs(torch.tensor(x))
        np.testing.assert_allclose(y.detach().array, z.detach().numpy(), atol=1e-10)
    ours.eval()
    theirs.eval()
    before = {key: value.array.copy() for key, value in ours.state_dict().items()}
    y, z = ours(dotori.tensor(x)), theirs(torch.tensor(x))
    np.testing.assert_allclose(y.detach().array, z.detach().numpy(), atol=1e-10)
    for key, value in theirs.state_dict().items():
        found = ours.state_dict()[key]
        assert found.dtype == value.numpy().dtype
        np.testing.assert_allclose(found.array, value.numpy(), rtol=1e-12, err_msg=key)
        np.testing.assert_array_equal(found.array, before[key])  # it only reads them


def test_by_hand():
    norm = nn.BatchNorm1d(1, eps=0.0, momentum=0.5).double()
    y = norm(dotori.tensor([[1.0], [3.0], [5.0], [7.0]], dtype=np.float64))
    # mean 4, variance (9 + 1 + 1 + 9) / 4 = 5; the running one takes 20 / 3
    np.testing.assert_allclose(
        y.detach().array[:, 0], np.array([-3, -1, 1, 3]) / 5**0.5
    )
    assert norm.running_mean.item() == 2.0
    assert norm.running_var.item() == pytest.approx(0.5 + 0.5 * 20 / 3)
    assert norm.num_batches_tracked.item() == 1
    norm.eval()
    norm.running_mean.array[...], norm.running_var.array[...] = 1.0, 4.0
    assert norm(dotori.tensor([[9.0]], dtype=np.float64)).item() == 4.0


def test_gradients_sum_to_zero_over_a_channel():
    """A shift of all inputs, or a scale, changes nothing: so the gradient is orthogonal."""
    rng = np.random.default_rng(2)
    x = dotori.tensor(rng.standard_normal((6, 3, 4, 4)), requires_grad=True)
    y = F.batch_norm(x, None, None, training=True, eps=0.0)
    y.backward(dotori.tensor(rng.standard_normal(y.shape)))
    axes = (0, 2, 3)
    np.testing.assert_allclose(x.grad.array.sum(axis=axes), 0, atol=1e-12)
    np.testing.assert_allclose((x.grad.array * x.array).sum(axis=axes), 0, atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (0, 3), (2, 3, 0)])
def test_an_empty_batch_leaves_the_statistics_alone(shape):
    norm = {4: nn.BatchNorm2d, 2: nn.BatchNorm1d, 3: nn.BatchNorm1d}[len(shape)](3)
    x = dotori.zeros(*shape, requires_grad=True)
    y = norm(x)
    assert y.shape == shape
    y.sum().backward()
    assert x.grad.shape == shape
    assert norm.weight.grad.tolist() == [0, 0, 0]
    assert norm.running_mean.tolist() == [0, 0, 0]
    assert norm.running_var.tolist() == [1, 1, 1]


def in_format(array, last):
    """A float32 copy in one of the two layouts."""
    array = np.ascontiguousarray(array.astype(np.float32))
    if not last:
        return array
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(
    ("shift", "scale"), [(0, 1), (1000, 1), (-3, 1e-3), (1e4, 100)]
)
def test_float32_is_as_precise_as_pytorchs(shift, scale, last):
    torch = pytest.importorskip("torch", reason="PyTorch is the measure")
    rng = np.random.default_rng(5)
    x = in_format(shift + scale * rng.standard_normal((16, 8, 12, 12)), last)
    dy = in_format(rng.standard_normal(x.shape), last)

    def step(module, array, dtype):
        take = module.as_tensor if module is dotori else module.tensor
        leaf = take(array.astype(dtype)).requires_grad_()
        f = F if module is dotori else torch.nn.functional
        y = f.batch_norm(leaf, None, None, training=True)
        y.backward(module.tensor(dy.astype(dtype)))
        return [np.asarray(t.detach().numpy(), np.float64) for t in (y, leaf.grad)]

    exact = step(torch, x, np.float64)
    for a, b, c in zip(
        step(dotori, x, np.float32), step(torch, x, np.float32), exact, strict=True
    ):
        theirs = abs(b - c).max()
        assert abs(a - c).max() <= 10 * theirs + 4e-7 * abs(c).max()


@pytest.mark.parametrize("value", [7.3, -1e4, 0.0])
def test_a_channel_without_variance_is_zero(value):
    x = np.full((1000, 3), value, np.float32)
    y = F.batch_norm(dotori.tensor(x), None, None, training=True, eps=1e-5).array
    assert abs(y).max() < 2e-3


def test_squares_that_overflow_make_no_nan():
    x = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32)
    y = F.batch_norm(dotori.tensor(x * 1e30), None, None, training=True).array
    np.testing.assert_array_equal(
        y, 0
    )  # divided by an infinite variance, as in PyTorch
    x[5, 1] = np.nan
    y = F.batch_norm(dotori.tensor(x), None, None, training=True).array
    assert np.isnan(y[:, 1]).all()
    assert np.isfinite(y[:, [0, 2]]).all()


def test_halves_are_computed_in_single_precision():
    rng = np.random.default_rng(1)
    x = (200 * rng.standard_normal((64, 3, 8, 8))).astype(
        np.float16
    )  # squares overflow
    y = F.batch_norm(dotori.tensor(x), None, None, training=True)
    assert y.dtype == np.float16
    wide = x.astype(np.float64)
    exact = (wide - wide.mean((0, 2, 3), keepdims=True)) / wide.std(
        (0, 2, 3), keepdims=True
    )
    np.testing.assert_allclose(y.array, exact, atol=2e-3)


@pytest.mark.parametrize("last", [True, False])
def test_the_result_has_the_layout_of_the_input(last):
    rng = np.random.default_rng(0)
    x = in_format(rng.standard_normal((2, 3, 4, 5)), last)
    for training in (True, False):
        stats = dotori.zeros(3), dotori.ones(3)
        leaf = dotori.as_tensor(x).requires_grad_()
        y = F.batch_norm(leaf, *stats, training=training)
        assert y.array.strides == x.strides
        (g,) = dotori.autograd.grad((y * dotori.as_tensor(x)).sum(), leaf)
        assert g.array.strides == x.strides


@pytest.mark.parametrize("mode", ["numpy", "numba"])
def test_threads_change_no_bit(mode):
    if mode == "numba":
        pytest.importorskip("numba", reason="compiles the kernels")
    from dotori.kernels import _threads

    rng = np.random.default_rng(0)
    x = in_format(rng.standard_normal((8, 16, 50, 50)), True)
    before = _threads._threads.number
    found = []
    kernels.use(mode)
    try:
        for n in (1, 3):
            _threads.set_number(n)
            leaf = dotori.as_tensor(x).clone().requires_grad_()
            y = F.batch_norm(leaf, None, None, training=True)
            (y * y * y).sum().backward()
            found.append((y.array, leaf.grad.array))
    finally:
        _threads.set_number(before)
        kernels.use("auto")
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_evaluation_does_not_see_later_steps():
    """A gradient taken after the running statistics moved on is that of the forward."""
    norm = nn.BatchNorm1d(1, eps=0.0)
    norm.eval()
    x = dotori.tensor([[2.0]], requires_grad=True)
    y = norm(x)
    norm.train()
    norm(dotori.tensor([[10.0], [20.0]]))
    y.backward()
    assert x.grad.item() == 1.0


def test_an_old_state_without_a_count_can_be_loaded():
    norm = nn.Sequential(nn.BatchNorm1d(2))
    state = norm.state_dict()
    del state["0.num_batches_tracked"]
    state["0.running_mean"] = dotori.tensor([1.0, 2.0])
    norm.load_state_dict(state)
    assert norm[0].running_mean.tolist() == [1.0, 2.0]
    del state["0.running_var"]
    with pytest.raises(ValueError, match="running_var is missing"):
        norm.load_state_dict(state)


def test_reset_parameters():
    norm = nn.BatchNorm1d(2)
    norm(dotori.tensor([[1.0, 2.0], [3.0, 4.0]]))
    dotori.nn.init.zeros_(norm.weight)
    norm.reset_parameters()
    assert norm.weight.tolist() == [1, 1]
    assert norm.running_mean.tolist() == [0, 0]
    assert norm.running_var.tolist() == [1, 1]
    assert norm.num_batches_tracked.item() == 0


def test_types_of_the_state():
    norm = nn.BatchNorm2d(3).double()
    assert norm.running_var.dtype == np.float64
    assert norm.num_batches_tracked.dtype == np.int64
    assert nn.BatchNorm2d(3, dtype=np.float64).weight.dtype == np.float64
    assert norm(dotori.ones(2, 3, 4, 4)).dtype == np.float64  # data follow the weight


def test_mistakes_are_named():
    with pytest.raises(
        ValueError, match=r"BatchNorm2d: x has shape \(2, 3, 4\); 4 axes"
    ):
        nn.BatchNorm2d(3)(dotori.ones(2, 3, 4))
    with pytest.raises(
        ValueError, match=r"one value for each channel .*shape \(1, 3\)"
    ):
        nn.BatchNorm1d(3)(dotori.ones(1, 3))
    with pytest.raises(ValueError, match="has 5 channels, but a weight"):
        nn.BatchNorm1d(3)(dotori.ones(2, 5))
    with pytest.raises(ValueError, match="has one value"):
        nn.InstanceNorm1d(3)(dotori.ones(2, 3, 1))
    with pytest.raises(ValueError, match="running_mean and running_var are needed"):
        F.batch_norm(dotori.ones(2, 3), None, None)
    with pytest.warns(UserWarning, match="num_features is 3"):
        nn.InstanceNorm1d(3)(dotori.ones(2, 5, 4))
