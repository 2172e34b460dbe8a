"""Elements written to places, against PyTorch: duplicates, ties, zeros, types."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
from torch_oracle import agree, same

REDUCTIONS = ["sum", "prod", "mean", "amax", "amin"]


@st.composite
def scattered(draw, unique=False):
    """x, axis, index and src of the index's shape, as PyTorch's gradients want it."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    wanted = [draw(st.integers(0, n)) for n in shape]
    wanted[axis] = draw(st.integers(0, shape[axis] if unique else 5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    index = rng.integers(0, shape[axis], wanted)
    if unique:
        order = np.argsort(rng.random([*shape]), axis)
        index = order[tuple(slice(n) for n in wanted)]
    return rng.standard_normal(shape), axis, index, rng.standard_normal(wanted)


@given(scattered(unique=True))
def test_scatter(case):
    x, axis, index, src = case
    agree(
        lambda a, b: a.scatter(axis, dotori.tensor(index), b),
        lambda a, b: a.scatter(axis, torch.tensor(index), b),
        x,
        src,
    )
    ours = dotori.tensor(x).scatter(axis, index, 2.5)
    same(ours, torch.tensor(x).scatter(axis, torch.tensor(index), 2.5))


@given(scattered())
def test_scatter_add(case):
    x, axis, index, src = case
    agree(
        lambda a, b: a.scatter_add(axis, dotori.tensor(index), b),
        lambda a, b: a.scatter_add(axis, torch.tensor(index), b),
        x,
        src,
    )


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", REDUCTIONS)
@given(scattered())
def test_scatter_reduce(reduce, include_self, case):
    x, axis, index, src = case
    x, src = (np.round(a * 2) + 0.25 for a in (x, src))  # ties, and no zeros
    if not include_self:
        x += 0.125  # PyTorch takes what is left out as one of those that are equal
    agree(
        lambda a, b: a.scatter_reduce(
            axis, dotori.tensor(index), b, reduce, include_self=include_self
        ),
        lambda a, b: a.scatter_reduce(
            axis, torch.tensor(index), b, reduce, include_self=include_self
        ),
        x,
        src,
    )


@pytest.mark.parametrize("reduce", ["amax", "amin"])
def test_what_is_left_out_shares_no_gradient(reduce):
    """By hand: PyTorch halves it, as if the 2 that is left out had been a rival."""
    x = dotori.tensor([2.0, 1.0], requires_grad=True)
    v = dotori.tensor([2.0], requires_grad=True)
    x.scatter_reduce(0, [0], v, reduce, include_self=False).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]
    assert v.grad.tolist() == [1.0]


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_products_with_zeros_to_second_order(zeros):
    """Against the product written out, whose derivatives PyTorch knows by rule."""
    src = np.array([2.0, 3.0, 5.0, 7.0])
    src[:zeros] = 0.0
    agree(
        lambda x, v: x.scatter_reduce(0, dotori.tensor([1, 1, 1, 1]), v, "prod"),
        lambda x, v: torch.stack([x[0], x[1] * v[0] * v[1] * v[2] * v[3]]),
        np.array([4.0, 0.5]),
        src,
    )


@pytest.mark.filterwarnings("ignore:index_reduce")
@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_index_reduce(reduce, include_self):
    rng = np.random.default_rng(3)
    index, x = np.array([1, 0, 1]), np.round(rng.standard_normal((2, 3, 2)) * 2) + 0.25
    source = np.round(rng.standard_normal((2, 3, 2)) * 2) + 0.25
    if not include_self:
        x += 0.125  # as above
    agree(
        lambda a, b: a.index_reduce(1, index, b, reduce, include_self=include_self),
        lambda a, b: a.index_reduce(
            1, torch.tensor(index), b, reduce, include_self=include_self
        ),
        x,
        source,
    )


PARTS = {
    "index_add": (lambda a, b, i: a.index_add(1, i([0, 2, 0]), b, alpha=1.5), (2, 3), (2, 3)),
    "index_copy": (lambda a, b, i: a.index_copy(0, i([1, 0]), b), (3, 2), (2, 2)),
    "index_put": (lambda a, b, i: a.index_put((i([0, 1]), i([2, 0])), b), (2, 3), (2,)),
    "index_put added": (lambda a, b, i: a.index_put((i([0, 0]),), b, accumulate=True), (2, 3), (3,)),
    "put": (lambda a, b, i: a.put(i([0, -1]), b), (2, 3), (2,)),
    "put added": (lambda a, b, i: a.put(i([[0, 5], [0, -6]]), b, accumulate=True), (2, 3), (2, 2)),
    "masked_scatter": (lambda a, b, i: a.masked_scatter(i([True, False, True]), b), (2, 3), (5,)),
    "select_scatter": (lambda a, b, i: a.select_scatter(b, 1, -1), (2, 3), (2,)),
    "slice_scatter": (lambda a, b, i: a.slice_scatter(b, 1, 0, 3, 2), (2, 3), (2, 2)),
    "diagonal_scatter": (lambda a, b, i: a.diagonal_scatter(b, 1, 0, 2), (2, 4, 3), (4, 2)),
    "index_fill": (lambda a, b, i: a.index_fill(1, i([0, 2]), b), (2, 3), ()),
    "masked_fill": (lambda a, b, i: a.masked_fill(i([True, False, True]), b), (2, 3), ()),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_gradients_to_second_order(name):
    function, *shapes = PARTS[name]
    rng = np.random.default_rng(4)
    agree(
        lambda a, b: function(a, b, dotori.tensor),
        lambda a, b: function(a, b, torch.tensor),
        *(rng.standard_normal(s) for s in shapes),
    )


def test_a_source_may_be_longer_than_the_index():
    src = dotori.tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
    x, index = np.zeros((2, 4)), np.array([[1, 0, 1]])
    for name in ("scatter", "scatter_add"):
        y = getattr(dotori, name)(x, 0, index, src)
        theirs = getattr(torch, name)(
            torch.tensor(x), 0, torch.tensor(index), torch.tensor(src.array)
        )
        np.testing.assert_array_equal(y.array, theirs.numpy())
    (y * y).sum().backward()
    assert src.grad.tolist() == [[0, 2, 4, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_strided_places_are_replaced_and_take_their_gradient():
    """By hand: PyTorch's own gradient names the places that were left alone."""
    x = dotori.zeros(2, 3, requires_grad=True)
    v = dotori.ones(2, 2, requires_grad=True)
    y = x.as_strided_scatter(v, (2, 2), (2, 1), 1)
    assert y.tolist() == [[0, 1, 1], [1, 1, 0]]
    y.backward(np.arange(6, dtype=np.float32).reshape(2, 3))
    assert x.grad.tolist() == [[0, 0, 0], [0, 0, 5]]
    assert v.grad.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8])
@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_types_stay(dtype, reduce):
    x, src = np.array([7, 1, 3], dtype), np.array([4, 2, 3, 2], dtype)
    index = np.array([0, 0, 2, 0])
    for include_self in (True, False):
        ours = dotori.tensor(x).scatter_reduce(
            0, index, dotori.tensor(src), reduce, include_self=include_self
        )
        theirs = torch.tensor(x).scatter_reduce(
            0, torch.tensor(index), torch.tensor(src), reduce, include_self=include_self
        )
        same(ours, theirs, rtol=1e-6)


def test_nan_is_the_largest_and_the_smallest():
    for reduce in ("amax", "amin"):
        y = dotori.tensor([1.0, 2.0]).scatter_reduce(0, [0, 1], [np.nan, 5.0], reduce)
        assert np.isnan(y.array[0])
        assert not np.isnan(y.array[1])


def test_the_tensor_itself_stays_as_it_was():
    x = dotori.tensor([1.0, 2.0, 3.0])
    for y in (
        x.scatter(0, [0], [9.0]),
        x.scatter_add(0, [0], [9.0]),
        x.index_fill(0, [0], 9.0),
        x.masked_fill([True, False, False], 9.0),
        x.put([0], [9.0]),
        x.scatter(0, [], 9.0),
    ):
        assert not np.shares_memory(x.array, y.array)
    assert x.tolist() == [1.0, 2.0, 3.0]


def test_the_forms_in_place_write_into_the_tensor():
    x = dotori.tensor([1.0, 2.0, 3.0])
    same_one = x.scatter_(0, dotori.tensor([2]), 9.0)
    x.index_add_(0, dotori.tensor([0, 0]), dotori.tensor([1.0, 1.0]))
    x.masked_fill_(x == 2.0, -1.0)
    assert same_one is x
    assert x.tolist() == [3.0, -1.0, 9.0]


def test_adding_many_rows_is_exact_in_float64():
    rng = np.random.default_rng(5)
    x, rows = rng.standard_normal((30, 4)), rng.integers(0, 30, 500)
    src = rng.standard_normal((500, 4))
    expected = x.copy()
    np.add.at(expected, rows, src)
    np.testing.assert_allclose(dotori.index_add(x, 0, rows, src).array, expected)
    x, src = np.asfortranarray(x), np.asfortranarray(src)
    np.testing.assert_allclose(dotori.index_add(x, 0, rows, src).array, expected)


WRONG = [
    (lambda x: x.scatter(1, [[3]], 1.0), AxisError, "index 3"),
    (lambda x: x.scatter(1, [[-1]], 1.0), AxisError, "index -1"),
    (lambda x: x.scatter(1, [[0]]), ArgumentError, "src or value"),
    (lambda x: x.scatter(1, [[0]], [[1.0]], reduce="mean"), ArgumentError, "'mean'"),
    (lambda x: x.scatter(1, [[0, 1]], [[1.0]]), ShapeError, r"\(1, 2\).*\(1, 1\)"),
    (lambda x: x.scatter(1, [[0]], [[1]]), DTypeError, "float32.*int64"),
    (lambda x: x.scatter_reduce(1, [[0]], [[1.0]], "median"), ArgumentError, "median"),
    (lambda x: x.index_add(0, [0], dotori.zeros(2, 3)), ShapeError, r"\(1, 3\)"),
    (lambda x: x.index_add(0, [[0]], dotori.zeros(1, 3)), ShapeError, "one axis"),
    (lambda x: x.index_copy(0, [2], dotori.zeros(1, 3)), AxisError, "index 2"),
    (lambda x: x.index_fill(0, [0], dotori.zeros(2)), ShapeError, "one number"),
    (lambda x: x.index_reduce(0, [0], dotori.zeros(1, 3), "sum"), ArgumentError, "index_add"),
    (lambda x: x.put([0, 1], [1.0]), ShapeError, "2 places"),
    (lambda x: x.put([6], [1.0]), AxisError, "index 6"),
    (lambda x: x.index_put(([0, 1],), dotori.zeros(5)), ShapeError, "index_put"),
    (lambda x: x.masked_fill([1, 0, 1], 1.0), DTypeError, "booleans"),
    (lambda x: x.masked_fill([True, False], 1.0), ShapeError, r"\(2,\)"),
    (lambda x: x.masked_fill([True] * 3, 1j), DTypeError, "1j"),
    (lambda x: x.long().masked_fill([True] * 3, float("inf")), DTypeError, "inf"),
    (lambda x: x.masked_scatter([True] * 3, [1.0]), ShapeError, "6 places"),
    (lambda x: x.select_scatter([1.0], 0, 0), ShapeError, r"\(3,\)"),
    (lambda x: x.slice_scatter([1.0], 0, 0, 1), ShapeError, r"\(1, 3\)"),
    (lambda x: x.diagonal_scatter([1.0]), ShapeError, r"\(2,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(dotori.zeros(2, 3))
