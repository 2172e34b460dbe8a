"""Resampling against PyTorch in float64, and against what can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import dotori
from dotori import nn
from dotori.autograd import apply
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.nn import functional as F
from dotori.ops.resampling import Resample, Taps

MODES = {
    1: ("nearest", "nearest-exact", "area", "linear"),
    2: ("nearest", "nearest-exact", "area", "bilinear", "bicubic"),
    3: ("nearest", "nearest-exact", "area", "trilinear"),
}
INTERPOLATING = ("linear", "bilinear", "bicubic", "trilinear")


@st.composite
def calls(draw):
    """The sizes of an input and keywords of `interpolate` that fit it."""
    n_axes = draw(st.integers(1, 3))
    sizes = draw(st.lists(st.integers(1, 6), min_size=n_axes, max_size=n_axes))
    options = {"mode": draw(st.sampled_from(MODES[n_axes]))}
    if draw(st.booleans()):
        options["size"] = tuple(draw(st.integers(1, 9)) for _ in sizes)
    else:
        factors = st.sampled_from([0.5, 0.7, 1.0, 1.3, 2.0, 2.6, 3.0])
        scales = tuple(max(draw(factors), 1 / n) for n in sizes)
        # where these keep a size, PyTorch's gradient is that of the identity
        rounded = any(
            s > 1 and int(n * s) == n for n, s in zip(sizes, scales, strict=True)
        )
        moved = ("nearest", "nearest-exact", "bicubic")
        assume(not (rounded and options["mode"] in moved))
        options["scale_factor"] = scales
        options["recompute_scale_factor"] = draw(st.sampled_from([None, True, False]))
    if options["mode"] in INTERPOLATING:
        options["align_corners"] = draw(st.sampled_from([None, True, False]))
    if options["mode"] in ("bilinear", "bicubic"):
        options["antialias"] = draw(st.booleans())
        # of pictures one pixel wide, PyTorch repeats the first pixel downwards
        narrow = min(sizes[1], options.get("size", (2, 2))[1]) == 1
        assume(not (options["antialias"] and narrow))
    return sizes, options


@given(calls(), st.booleans(), st.integers(0, 2**32))
def test_as_in_torch(call, channels_last, seed):
    oracle = pytest.importorskip("torch_oracle", reason="PyTorch is the oracle")
    sizes, options = call
    places = (2, *sizes, 3) if channels_last else (2, 3, *sizes)
    x = np.random.default_rng(seed).standard_normal(places)
    channels = -1 if channels_last else 1
    theirs = oracle.torch.nn.functional.interpolate
    oracle.agree(
        lambda x: F.interpolate(x.movedim(channels, 1), **options),
        lambda x: theirs(x.movedim(channels, 1), **options),
        x,
    )


@given(st.integers(1, 30), st.integers(1, 30), st.booleans())
def test_lanczos_is_pytorchs(n, m, wide):
    oracle = pytest.importorskip("torch_oracle", reason="PyTorch is the oracle")
    x = np.random.default_rng(n).standard_normal((1, 2, n, 3))
    options = {"size": (m, 4 if wide else 2), "mode": "lanczos", "antialias": True}
    theirs = oracle.torch.nn.functional.interpolate
    oracle.agree(
        lambda x: F.interpolate(x, **options), lambda x: theirs(x, **options), x
    )


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "area"])
def test_the_memory_format_stays(mode):
    first = np.ones((2, 3, 4, 5), np.float32)
    last = np.ones((2, 4, 5, 3), np.float32).transpose(0, 3, 1, 2)
    for x, back in ((first, (0, 1, 2, 3)), (last, (0, 2, 3, 1))):
        y = F.interpolate(dotori.from_numpy(x), (8, 9), mode=mode)
        assert y.dtype == np.float32
        assert y.array.transpose(back).flags.c_contiguous


def test_nearest_repeats_and_its_gradient_adds_up():
    x = dotori.tensor([[[1.0, 2.0]]], requires_grad=True)
    y = F.interpolate(x, scale_factor=3)
    assert y.tolist() == [[[1, 1, 1, 2, 2, 2]]]
    y.backward(dotori.tensor([[[1.0, 10.0, 100.0, 2.0, 20.0, 200.0]]]))
    assert x.grad.tolist() == [[[111, 222]]]


def test_what_has_no_weight_does_not_count():
    x = dotori.tensor([[[1.0, np.inf, 3.0]]])
    y = F.interpolate(x, size=3, mode="linear", align_corners=True)
    assert y.tolist() == [[[1.0, np.inf, 3.0]]]


@given(st.integers(1, 20), st.integers(1, 20))
def test_means_of_a_constant_are_the_constant(n, m):
    x = dotori.full((1, 1, n, n), 7.0, dtype=np.float64)
    for mode in ("area", "bilinear", "bicubic"):
        y = F.interpolate(x, size=m, mode=mode, antialias=mode != "area")
        np.testing.assert_allclose(y.array, 7.0, rtol=1e-12)


@given(st.integers(0, 2**32))
def test_taps_are_a_matrix_and_the_way_back_its_transpose(seed):
    rng = np.random.default_rng(seed)
    m, n, k = rng.integers(1, 7, 3)
    rows, columns = rng.integers(0, m, 2 * k), rng.integers(0, n, 2 * k)
    taps = Taps(m, n, rows, columns, rng.standard_normal(2 * k))
    np.testing.assert_allclose(taps.transposed.matrix(), taps.matrix().T)
    x = rng.standard_normal((2, n, 3))
    y = apply(Resample, x, taps=taps, axis=1)
    np.testing.assert_allclose(y.array, np.matmul(taps.matrix(), x), atol=1e-12)


def test_pictures_of_bytes_are_rounded_and_kept_in_range():
    x = dotori.tensor(np.array([[[[0, 255, 255, 0]]]], np.uint8))
    y = F.interpolate(x, size=(1, 9), mode="bicubic")
    wide = F.interpolate(x.double(), size=(1, 9), mode="bicubic")
    assert wide.max().item() > 255 and wide.min().item() < 0
    wanted = np.clip(np.floor(wide.array + 0.5), 0, 255)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y.array, wanted)


def test_it_never_gives_its_own_input():
    x = dotori.ones(1, 1, 4)
    assert not np.shares_memory(F.interpolate(x, size=4).array, x.array)


PICTURE = dotori.ones(1, 1, 4, 4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ArgumentError, "exactly one"),
        ({"size": 3, "scale_factor": 2}, ArgumentError, "exactly one"),
        ({"size": 3, "mode": "cubic"}, ArgumentError, "mode must be"),
        ({"size": 3, "mode": "linear"}, ShapeError, "1 axes"),
        ({"size": (3, 3, 3)}, ShapeError, "wants one number or 2"),
        ({"scale_factor": (2.0,)}, ShapeError, "wants one number or 2"),
        ({"size": 0}, ShapeError, "positive"),
        ({"scale_factor": 0.1}, ShapeError, "positive"),
        ({"size": (2.5, 2.5)}, DTypeError, "ints"),
        ({"size": 3, "align_corners": True}, ArgumentError, "align_corners"),
        ({"size": 3, "antialias": True}, ArgumentError, "antialias"),
        ({"size": 3, "mode": "lanczos"}, ArgumentError, "lanczos"),
        ({"size": 3, "recompute_scale_factor": True}, ArgumentError, "recompute"),
    ],
)
def test_mistakes_are_named(options, error, message):
    with pytest.raises(error, match=message):
        F.interpolate(PICTURE, **options)


def test_wrong_inputs_are_named():
    with pytest.raises(ShapeError, match=r"\(4, 4\)"):
        F.interpolate(dotori.ones(4, 4), size=3)
    with pytest.raises(DTypeError, match="int64"):
        F.interpolate(PICTURE.long(), size=3)


def test_older_names():
    x = dotori.tensor(np.arange(12.0).reshape(1, 1, 3, 4))
    assert F.upsample(x, 5).tolist() == F.interpolate(x, 5).tolist()
    assert F.upsample_nearest(x, 5).tolist() == F.interpolate(x, 5).tolist()
    aligned = F.interpolate(x, 5, mode="bilinear", align_corners=True)
    assert F.upsample_bilinear(x, 5).tolist() == aligned.tolist()


def test_layers_show_their_arguments():
    assert repr(nn.Upsample(scale_factor=2)) == (
        "Upsample(scale_factor=2.0, mode='nearest')"
    )
    assert repr(nn.UpsamplingBilinear2d((3, 4))) == (
        "UpsamplingBilinear2d(size=(3, 4), mode='bilinear')"
    )
