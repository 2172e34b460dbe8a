"""Sampling at places, and affine maps of places, against PyTorch and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.nn import functional as F

PADDINGS = ("zeros", "border", "reflection")


@st.composite
def calls(draw):
    n_axes = draw(st.integers(2, 3))
    sizes = draw(st.lists(st.integers(1, 5), min_size=n_axes, max_size=n_axes))
    places = draw(st.lists(st.integers(1, 4), min_size=n_axes, max_size=n_axes))
    mode = st.sampled_from(("bilinear", "nearest", "bicubic")[: 5 - n_axes])
    return (
        sizes,
        places,
        (draw(mode), draw(st.sampled_from(PADDINGS)), draw(st.booleans())),
    )


@given(calls(), st.floats(0.5, 3.0), st.integers(0, 2**32))
def test_as_in_torch(call, reach, seed):
    oracle = pytest.importorskip("torch_oracle", reason="PyTorch is the oracle")
    sizes, places, options = call
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 3, *sizes))
    grid = rng.uniform(-reach, reach, (2, *places, len(sizes)))
    theirs = oracle.torch.nn.functional.grid_sample
    oracle.agree(
        lambda x, grid: F.grid_sample(x, grid, *options),
        lambda x, grid: theirs(x, grid, *options),
        x,
        grid,
        second=False,  # which PyTorch does not have
    )


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("padding", PADDINGS)
def test_second_gradients_are_those_of_finite_differences(mode, padding):
    rng = np.random.default_rng(3)
    x, grid = rng.standard_normal((1, 1, 2, 3)), rng.uniform(-1.4, 1.4, (1, 1, 2, 2))
    assert dotori.gradgradcheck(
        lambda x, grid: F.grid_sample(x, grid, mode, padding), (x, grid)
    )


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("align", [True, False])
def test_gradients_at_the_edges_are_pytorchs(padding, align):
    oracle = pytest.importorskip("torch_oracle", reason="PyTorch is the oracle")
    x = np.arange(8.0).reshape(1, 1, 2, 4) ** 2
    edges = [-1.5, -1.25, -1.0, -0.75, -0.5, 0.0, 0.75, 1.0, 1.25, 1.5, 1e20]
    grid = np.array([[[(a, b) for a in edges] for b in edges]])
    theirs = oracle.torch.nn.functional.grid_sample
    oracle.agree(
        lambda x, grid: F.grid_sample(x, grid, "bilinear", padding, align),
        lambda x, grid: theirs(x, grid, "bilinear", padding, align),
        x,
        grid,
        second=False,
    )


def test_x_goes_along_the_last_axis():
    x = dotori.tensor([[[[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]]])
    right_top = dotori.tensor([[[[1.0, -1.0]]]])
    assert F.grid_sample(x, right_top, align_corners=True).item() == 2.0
    assert F.grid_sample(x, right_top, align_corners=False).item() == 0.5


def test_the_identity_gives_the_picture_back():
    x = dotori.randn(2, 3, 4, 5, dtype=np.float64)
    same = dotori.tensor([[1.0, 0, 0], [0, 1, 0]], dtype=np.float64)
    for align in (True, False):
        grid = F.affine_grid(same.expand(2, 2, 3), x.shape, align)
        y = F.grid_sample(x, grid, align_corners=align, padding_mode="border")
        np.testing.assert_allclose(y.array, x.array, atol=1e-14)


def test_places_that_are_not_finite():
    x = dotori.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    grid = dotori.tensor([[[[np.nan, -1.0], [np.inf, 1.0], [0.0, -np.inf]]]])
    grid.requires_grad = True
    y = F.grid_sample(x, grid, padding_mode="border", align_corners=True)
    assert y.tolist() == [[[[1.0, 4.0, 1.5]]]]
    outside = F.grid_sample(x, grid, align_corners=True)
    assert outside.tolist() == [[[[1.0, 0.0, 0.0]]]]
    outside.sum().backward()
    assert np.isfinite(grid.grad.array).all()


def test_infinities_elsewhere_do_not_count():
    x = dotori.tensor([[[[1.0, 2.0, np.inf]]]])
    grid = dotori.tensor([[[[-0.5, 0.0], [-5.0, 0.0], [5.0, 0.0]]]])
    y = F.grid_sample(x, grid, align_corners=True)
    assert y.tolist() == [[[[1.5, 0.0, 0.0]]]]


def test_float32_stays():
    x, theta = dotori.ones(1, 2, 3, 3), dotori.ones(1, 2, 3)
    grid = F.affine_grid(theta, (1, 2, 3, 3))
    assert grid.dtype == np.float32
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in PADDINGS:
            assert F.grid_sample(x, grid, mode, padding).dtype == np.float32


@pytest.mark.filterwarnings("ignore:Since version")  # PyTorch's, of single pixels
@given(st.lists(st.integers(1, 4), min_size=4, max_size=5), st.booleans())
def test_affine_grids_are_pytorchs(size, align):
    oracle = pytest.importorskip("torch_oracle", reason="PyTorch is the oracle")
    n_axes = len(size) - 2
    theta = np.random.default_rng(0).standard_normal((size[0], n_axes, n_axes + 1))
    theirs = oracle.torch.nn.functional.affine_grid
    oracle.agree(
        lambda t: F.affine_grid(t, size, align), lambda t: theirs(t, size, align), theta
    )


X, GRID = dotori.ones(1, 1, 3, 3), dotori.zeros(1, 2, 2, 2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X, GRID, "linear"), ArgumentError, "mode must be"),
        ((X, GRID, "bilinear", "wrap"), ArgumentError, "padding_mode"),
        ((X, GRID.double()), DTypeError, "float32 and float64"),
        ((X.long(), GRID.long()), DTypeError, "int64"),
        ((X, dotori.zeros(2, 2, 2, 2)), ShapeError, r"\(2, 2, 2, 2\)"),
        ((X, dotori.zeros(1, 2, 2, 3)), ShapeError, r"\(1, 2, 2, 3\)"),
        ((X[0], GRID[0]), ShapeError, r"\(1, 3, 3\)"),
        ((dotori.ones(1, 1, 0, 3), GRID), ShapeError, "no pixels"),
        (
            (dotori.ones(1, 1, 2, 2, 2), dotori.zeros(1, 1, 1, 1, 3), "bicubic"),
            ArgumentError,
            "bicubic",
        ),
    ],
)
def test_mistakes_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        F.grid_sample(*arguments)


@pytest.mark.parametrize(
    ("theta", "size", "error", "message"),
    [
        (dotori.ones(1, 2, 3).long(), (1, 1, 2, 2), DTypeError, "int64"),
        (dotori.ones(1, 2, 3), (2, 1, 2, 2), ShapeError, r"\(1, 2, 3\)"),
        (dotori.ones(1, 2, 3), (1, 1, 2, 2, 2), ShapeError, r"\(1, 2, 3\)"),
        (dotori.ones(1, 2, 3), (1, 1, 0, 2), ShapeError, "positive"),
        (dotori.ones(1, 2, 3), (1, 1, 2), ShapeError, "wants theta"),
    ],
)
def test_mistakes_of_affine_grid_are_named(theta, size, error, message):
    with pytest.raises(error, match=message):
        F.affine_grid(theta, size)
