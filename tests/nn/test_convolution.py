"""Convolutions against PyTorch, over the combinations of their arguments."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dotori
from dotori import kernels, nn
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.kernels import winograd
from dotori.kernels.window import Window, blocks
from dotori.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")


@st.composite
def layers(draw):
    """Arguments for a convolution over 1 to 3 axes, and an input that it takes."""
    axes = draw(st.integers(1, 3))
    each = st.tuples(*[st.integers(1, 3)] * axes)
    kernel, stride, dilation = draw(each), draw(each), draw(each)
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    n_in, n_out = (groups * draw(st.integers(1, 2)) for _ in range(2))
    named = st.sampled_from(["same", "valid"])
    widths = st.tuples(*[st.integers(0, 3)] * axes)
    padding = draw(widths | named if max(stride) == 1 else widths)
    size = [
        d * (k - 1) + 1 + draw(st.integers(0, 4))
        for d, k in zip(dilation, kernel, strict=False)
    ]
    x = np.random.default_rng(draw(st.integers(0, 99))).standard_normal(
        (draw(st.integers(1, 3)), n_in, *size)
    )
    keywords = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    return axes, (n_in, n_out, kernel), keywords, x


def both(name, args, keywords):
    theirs = getattr(torch.nn, name)(*args, **keywords).double()
    ours = getattr(nn, name)(*args, **keywords).double()
    state = {k: dotori.tensor(v.numpy()) for k, v in theirs.state_dict().items()}
    ours.load_state_dict(state)
    return ours, theirs


def check(ours, theirs, x, **keywords):
    """Values, gradients, and gradients of gradients."""
    a = dotori.tensor(x, requires_grad=True)
    b = torch.tensor(x, requires_grad=True)
    y, z = ours(a, **keywords), theirs(b, **keywords)
    close(y, z)
    mine = [a, *ours.parameters()]
    others = [b, *theirs.parameters()]
    first = dotori.autograd.grad((y**2).sum(), mine, create_graph=True)
    wanted = torch.autograd.grad((z**2).sum(), others, create_graph=True)
    for g, h in zip(first, wanted, strict=True):
        close(g, h)
    second = dotori.autograd.grad(sum((g * g.detach()).sum() for g in first), mine)
    wanted = torch.autograd.grad(sum((h * h.detach()).sum() for h in wanted), others)
    for g, h in zip(second, wanted, strict=True):
        close(g, h)


def close(ours, theirs):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    scale = abs(theirs).max(initial=1.0)
    np.testing.assert_allclose(
        ours.detach().array, theirs, rtol=1e-7, atol=1e-10 * scale
    )


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@given(layers())
@settings(deadline=None)
def test_convolution_over_its_arguments(case):
    axes, args, keywords, x = case
    check(*both(f"Conv{axes}d", args, keywords), x)


@given(layers(), st.data())
@settings(deadline=None)
def test_transposed_convolution_over_its_arguments(case, data):
    axes, args, keywords, x = case
    rows = zip(keywords["stride"], keywords["dilation"], strict=False)
    more = tuple(data.draw(st.integers(0, max(row) - 1)) for row in rows)
    if isinstance(keywords["padding"], str):
        keywords["padding"] = 0
    keywords["output_padding"] = more
    ours, theirs = both(f"ConvTranspose{axes}d", args, keywords)
    rows = zip(
        x.shape[2:],
        ours.stride,
        ours.padding,
        ours.dilation,
        args[2],
        more,
        strict=False,
    )
    size = [(n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, s, p, d, k, e in rows]
    if min(size) < 1:
        with pytest.raises(ShapeError, match="would give an output of size"):
            ours(dotori.tensor(x))
    else:
        check(ours, theirs, x)


@pytest.mark.filterwarnings("ignore:Using padding=.same:UserWarning")
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [1, (2, 1), "same"])
def test_padding_modes(mode, padding):
    keywords = {"padding": padding, "padding_mode": mode}
    ours, theirs = both("Conv2d", (2, 3, (3, 4)), keywords)
    check(ours, theirs, np.random.default_rng(0).standard_normal((2, 2, 5, 6)))


def test_output_size_of_a_transposed_convolution():
    ours, theirs = both("ConvTranspose2d", (2, 3, 3), {"stride": 3, "padding": 1})
    x = np.random.default_rng(0).standard_normal((2, 2, 4, 5))
    for size in [(10, 13), (12, 15), (2, 3, 11, 14)]:
        check(ours, theirs, x, output_size=size)
    with pytest.raises(
        ShapeError, match=r"between \[10, 13\] and \[12, 15\].*\(9, 13\)"
    ):
        ours(dotori.tensor(x), output_size=(9, 13))


def test_memory_in_any_order_gives_the_same():
    x = np.random.default_rng(0).standard_normal((2, 4, 6, 8)).astype("f")
    layer = nn.Conv2d(4, 3, 3, padding=1)
    wanted = layer(dotori.tensor(x)).array
    assert wanted.transpose(0, 2, 3, 1).flags.c_contiguous
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    for same in (last, np.asfortranarray(x), x[::-1][::-1]):
        np.testing.assert_array_equal(layer(dotori.tensor(same)).array, wanted)


# -- the ways to compute it ------------------------------------------------------------


@st.composite
def winograds(draw):
    """Pictures that Winograd's transforms take."""
    n, down, across = (draw(st.integers(1, 4)) for _ in range(3))
    size = 4 * down + draw(st.integers(0, 3)), 4 * across + draw(st.integers(0, 3))
    window = Window(
        (3, 3), (1, 1), tuple(draw(st.tuples(w, w)) for w in [WIDTH] * 2), (1, 1)
    )
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.standard_normal((n, *size, draw(st.integers(1, 5)))).astype("f")
    w = rng.standard_normal((draw(st.integers(1, 5)), x.shape[-1], 3, 3)).astype("f")
    dy = rng.standard_normal((n, *window.positions(size), len(w))).astype("f")
    return x, w, dy, rng.standard_normal(len(w)).astype("f"), window


WIDTH = st.integers(-1, 3)


@given(winograds())
@settings(deadline=None)
def test_winograd_is_convolution(case):
    from dotori.kernels import gathered

    x, w, dy, b, window = case
    exact = [a.astype(float) for a in (x, w, b)]
    wanted = gathered.correlate(np, *exact, window, 1)
    found = winograd.correlate(x, w, b, window)
    np.testing.assert_allclose(found, wanted, atol=2e-5 * abs(wanted).max(initial=1))
    wanted = gathered.weight_gradient(np, exact[0], dy.astype(float), window, 1)
    found = winograd.weight_gradient(x, dy, window)
    np.testing.assert_allclose(found, wanted, atol=2e-5 * abs(wanted).max(initial=1))


def rms(a):
    return math.sqrt(np.mean(np.square(a, dtype=float)))


@pytest.mark.parametrize("channels", [16, 64])
@pytest.mark.parametrize("mean", [0.0, 3.0])
def test_float32_is_as_near_as_pytorchs(channels, mean):
    """Within ten times PyTorch's own error, in the way that is chosen for 3 x 3."""
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((4, channels, 16, 16)) + mean).astype("f")
    w = (rng.standard_normal((32, channels, 3, 3)) / 10).astype("f")
    dy = rng.standard_normal((4, 32, 16, 16)).astype("f")

    def theirs(dtype):
        a, b = (torch.tensor(v, dtype=dtype, requires_grad=True) for v in (x, w))
        y = torch.nn.functional.conv2d(a, b, padding=1)
        y.backward(torch.tensor(dy, dtype=dtype))
        return [t.detach().numpy() for t in (y, a.grad, b.grad)]

    a, b = (dotori.tensor(v, requires_grad=True) for v in (x, w))
    y = F.conv2d(a, b, padding=1)
    y.backward(dotori.tensor(dy))
    rows = zip(
        (y.detach().array, a.grad.array, b.grad.array),
        theirs(torch.float32),
        theirs(torch.float64),
        strict=True,
    )
    for ours, float32, exact in rows:
        assert ours.dtype == np.float32
        assert rms(ours - exact) <= 10 * rms(float32 - exact)
        assert abs(ours - exact).max() <= 10 * abs(float32 - exact).max()


def test_winograd_is_chosen_by_shape_and_by_numba(monkeypatch):
    window = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    x = np.zeros((8, 16, 16, 16), "f")
    monkeypatch.setattr(winograd, "compiling", lambda: True)
    assert winograd.suits(x, 16, window, 1)
    assert not winograd.suits(x, 16, window, 2)
    assert not winograd.suits(x.astype(float), 16, window, 1)
    assert not winograd.suits(x, 16, window._replace(stride=(2, 1)), 1)
    assert not winograd.suits(x[..., :3], 16, window, 1)
    assert not winograd.suits(x[:1], 16, window, 1)
    monkeypatch.setattr(winograd, "compiling", lambda: False)
    assert not winograd.suits(x, 16, window, 1)


def test_results_do_not_depend_on_the_number_of_threads():
    from dotori.kernels import _threads

    rng = np.random.default_rng(0)
    cases = [
        (rng.standard_normal((32, 16, 16, 16)).astype("f"), (16, 16, 3, 3), 1),
        (rng.standard_normal((64, 8, 28, 28)).astype("f"), (16, 8, 5, 5), 1),
        (rng.standard_normal((64, 16, 28, 28)).astype("f"), (16, 1, 3, 3), 16),
    ]
    before, found = _threads._threads.number, []
    for number in (1, 3):
        _threads.set_number(number)
        try:
            results = []
            for x, shape, groups in cases:
                a = dotori.tensor(x, requires_grad=True)
                w = dotori.tensor(np.full(shape, 0.1, "f"), requires_grad=True)
                y = F.conv2d(a, w, padding=1, groups=groups)
                (y**2).sum().backward()
                results += [y.detach().array, a.grad.array, w.grad.array]
            found.append(results)
        finally:
            _threads.set_number(before)
    for one, three in zip(*found, strict=True):
        np.testing.assert_array_equal(one, three)


@given(st.integers(0, 9), st.integers(0, 40), st.integers(0, 1 << 18))
def test_blocks_cover_every_row_once(n, rows, cost):
    seen = np.zeros((n, rows), int)
    for pictures, every in blocks(n, rows, cost):
        for part in every:
            seen[pictures, part] += 1
    assert (seen == 1).all()


def test_compiled_kernels_give_the_same_network():
    """The loops take over during a training without a trace."""
    pytest.importorskip("numba", reason="compiles the kernels")
    x = dotori.tensor(
        np.random.default_rng(0).standard_normal((8, 16, 12, 12)).astype("f")
    )
    dotori.manual_seed(0)
    layer = nn.Conv2d(16, 16, 3, padding=1)
    gradients = []
    for mode in ("auto", "numba"):
        kernels.use(mode)
        try:
            layer.zero_grad()
            (layer(x) ** 2).sum().backward()
        finally:
            kernels.use("auto")
        gradients.append(layer.weight.grad.array)
    np.testing.assert_array_equal(*gradients)


# -- what is refused -------------------------------------------------------------------


def test_errors_name_the_shapes():
    x, w = dotori.zeros(2, 3, 8, 8), dotori.zeros(4, 3, 3, 3)
    with pytest.raises(ShapeError, match=r"x has 3 channels.*\(4, 5, 3, 3\).*wants 5"):
        F.conv2d(x, dotori.zeros(4, 5, 3, 3))
    with pytest.raises(ShapeError, match=r"\(N, C, 2 spatial axes\).*got \(8, 8\)"):
        F.conv2d(dotori.zeros(8, 8), w)
    with pytest.raises(ShapeError, match=r"4 axes.*got the shape \(4, 3, 3\)"):
        F.conv2d(x, dotori.zeros(4, 3, 3))
    with pytest.raises(ShapeError, match=r"spans \(9, 9\) does not fit x of shape"):
        F.conv2d(x, w, dilation=4)
    with pytest.raises(
        ShapeError, match=r"bias must have the shape \(4,\), got \(3,\)"
    ):
        F.conv2d(x, w, dotori.zeros(3))
    with pytest.raises(DTypeError, match="weight's type float32, got float64"):
        F.conv2d(x, w, dotori.zeros(4, dtype=dotori.float64))
    with pytest.raises(ShapeError, match=r"with 3 channels.* wants 4"):
        F.conv_transpose2d(x, w)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"stride": 0}, "stride is at least 1, got 0"),
        ({"padding": -1}, "padding is at least 0, got -1"),
        ({"padding": "some"}, "'same' or 'valid', got 'some'"),
        ({"padding": "same", "stride": 2}, r"stride of \(2, 2\)"),
        ({"groups": 2}, "multiples of groups, which is 2"),
        ({"padding_mode": "mirror"}, "padding_mode must be in .*got 'mirror'"),
        ({"dilation": (1, 1, 1)}, r"dilation is one int, or 2.*got \(1, 1, 1\)"),
    ],
)
def test_a_layer_refuses_what_cannot_be(keywords, message):
    with pytest.raises(ArgumentError, match=message):
        nn.Conv2d(3, 4, 3, **keywords)


def test_output_padding_must_be_below_the_stride():
    with pytest.raises(ArgumentError, match="less than stride or dilation"):
        nn.ConvTranspose1d(2, 2, 3, output_padding=1)(dotori.zeros(1, 2, 4))


def test_no_pictures_and_no_channels():
    assert nn.Conv2d(3, 4, 3)(dotori.zeros(0, 3, 8, 8)).shape == (0, 4, 6, 6)
    x = dotori.zeros(0, 3, 8, 8, requires_grad=True)
    layer = nn.Conv2d(3, 4, 3)
    layer(x).sum().backward()
    assert (layer.weight.grad.array == 0).all() and x.grad.shape == x.shape


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_types_stay(dtype):
    x = dotori.ones(2, 3, 6, 6, dtype=np.dtype(dtype), requires_grad=True)
    w = dotori.ones(4, 3, 3, 3, dtype=np.dtype(dtype), requires_grad=True)
    y = F.conv2d(x, w, padding=1, stride=2)
    y.sum().backward()
    assert {y.dtype, x.grad.dtype, w.grad.dtype} == {np.dtype(dtype)}
    assert float(y.array[0, 0, 1, 1]) == 27
