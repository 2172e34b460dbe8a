"""Elements taken by place, against PyTorch and NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
from torch_oracle import agree


@st.composite
def along_an_axis(draw):
    """A tensor, an axis and an index with duplicates, shorter beside the axis."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    wanted = [draw(st.integers(0, n)) for n in shape]
    wanted[axis] = draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.standard_normal(shape)
    return x, axis, rng.integers(0, shape[axis], wanted)


@given(along_an_axis())
def test_gather(case):
    x, axis, index = case
    agree(
        lambda t: t.gather(axis, dotori.tensor(index)),
        lambda t: t.gather(axis, torch.tensor(index)),
        x,
    )


@given(along_an_axis())
def test_take_along_dim_is_numpys_take_along_axis(case):
    x, axis, _ = case
    index = np.argsort(x, axis)
    ours = dotori.take_along_dim(x, index, axis)
    np.testing.assert_array_equal(ours.array, np.sort(x, axis))
    y = np.take_along_axis(dotori.tensor(x), index - x.shape[axis], axis)
    np.testing.assert_array_equal(y.array, np.sort(x, axis))
    agree(
        lambda t: dotori.take_along_dim(t, index, axis),
        lambda t: torch.take_along_dim(t, torch.tensor(index), axis),
        x,
    )


@pytest.mark.parametrize(
    "layout", [lambda a: a, np.asfortranarray, lambda a: a[::-1], lambda a: a[:, ::2]]
)
def test_memory_in_any_order(layout):
    a = layout(np.random.default_rng(0).standard_normal((6, 4)))
    rows = np.array([5, 0, 0])
    x = dotori.tensor(a, requires_grad=True)
    y = x.index_select(0, rows)
    np.testing.assert_array_equal(y.array, a[rows])
    y.backward(np.ones(y.shape))
    assert x.grad.array.sum(1).tolist() == [2 * a.shape[1], 0, 0, 0, 0, a.shape[1]]


def test_rows_of_a_table_come_back_as_sums():
    """The way an embedding works: many rows, with repetitions, in float32."""
    rng = np.random.default_rng(0)
    table = dotori.tensor(
        rng.standard_normal((50, 8)).astype(np.float32), requires_grad=True
    )
    rows = rng.integers(-50, 50, (40, 30))
    weights = rng.standard_normal((40, 30, 8)).astype(np.float32)
    (table[rows] * weights).sum().backward()
    expected = np.zeros((50, 8))
    np.add.at(expected, rows, weights.astype(np.float64))
    assert table.grad.dtype == np.float32
    np.testing.assert_allclose(table.grad.array, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("ours", "theirs", "shape"),
    [
        (lambda t: t.take([[0, -1], [0, 5]]), lambda t: t.take(torch.tensor([[0, -1], [0, 5]])), (2, 3)),
        (lambda t: t.index_select(1, [2, 0, 2]), lambda t: t.index_select(1, torch.tensor([2, 0, 2])), (2, 3)),
        (lambda t: t.index_select(0, [0, 0]), lambda t: t.reshape(1)[torch.tensor([0])].reshape(()), ()),
        (lambda t: t.masked_select(t > 0), lambda t: t.masked_select(t > 0), (2, 3)),
        (lambda t: t.masked_select([True, False, True]), lambda t: t.masked_select(torch.tensor([True, False, True])), (2, 3)),
        (lambda t: t.narrow(1, -2, 2), lambda t: t.narrow(1, -2, 2), (2, 3)),
        (lambda t: t.select(1, -1), lambda t: t.select(1, -1), (2, 3)),
        (lambda t: t[t > 0], lambda t: t[t > 0], (2, 3)),
    ],
)  # fmt: skip
def test_gradients_to_second_order(ours, theirs, shape):
    if shape == ():
        ours = lambda t: t.index_select(0, [0])  # noqa: E731
    agree(ours, theirs, np.random.default_rng(1).standard_normal(shape))


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.int64, np.float32, np.float64])
def test_types_stay(dtype):
    x = dotori.tensor(np.ones((2, 3), dtype))
    for y in (
        x.gather(1, [[0], [1]]),
        x.take([0, 1]),
        x.index_select(0, [1]),
        x.masked_select([True, False, True]),
        x.narrow(0, 0, 1),
    ):
        assert y.dtype == dtype


@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_nonzero(shape):
    a = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2.0
    for value in (a, np.ones(shape)):
        ours, theirs = dotori.tensor(value), torch.tensor(value)
        np.testing.assert_array_equal(ours.nonzero().array, theirs.nonzero().numpy())
        assert ours.nonzero().dtype == np.int64
        np.testing.assert_array_equal(ours.argwhere().array, theirs.argwhere().numpy())
        pairs = zip(
            ours.nonzero(as_tuple=True), theirs.nonzero(as_tuple=True), strict=True
        )
        for one, two in pairs:
            np.testing.assert_array_equal(one.array, two.numpy())
        pairs = zip(dotori.where(ours), torch.where(theirs), strict=True)
        for one, two in pairs:
            np.testing.assert_array_equal(one.array, two.numpy())


def test_numpys_functions_with_numpys_meaning():
    a = np.random.default_rng(2).standard_normal((3, 4))
    x = dotori.tensor(a, requires_grad=True)
    index = np.array([[0, 2], [-1, 1]])
    for y, expected in [
        (np.take(x, index), np.take(a, index)),
        (np.take(x, index, axis=1), np.take(a, index, axis=1)),
        (np.take(x, [5, -7], 0, mode="wrap"), np.take(a, [5, -7], 0, mode="wrap")),
        (np.take(x, [5, -7], 0, mode="clip"), np.take(a, [5, -7], 0, mode="clip")),
        (np.take_along_axis(x, np.argsort(a, 1), 1), np.sort(a, 1)),
        (np.compress([True, False, True], x, axis=0), a[[0, 2]]),
    ]:
        assert isinstance(y, dotori.Tensor)
        assert y.requires_grad
        np.testing.assert_array_equal(y.array, expected)
    found = np.nonzero(x > 0)
    for one, two in zip(found, np.nonzero(a > 0), strict=True):
        np.testing.assert_array_equal(one.array, two)
    np.testing.assert_array_equal(np.argwhere(x > 0).array, np.argwhere(a > 0))
    np.testing.assert_array_equal(np.flatnonzero(x > 0).array, np.flatnonzero(a > 0))
    where = np.unravel_index(dotori.tensor([5, 11]), (3, 4))
    assert [w.tolist() for w in where] == [[1, 2], [1, 3]]


def test_nonzero_static_cuts_and_fills():
    x = dotori.tensor([0, 3, 0, 4])
    assert x.nonzero_static(size=1).tolist() == [[1]]
    assert x.nonzero_static(size=3, fill_value=9).tolist() == [[1], [3], [9]]
    with pytest.raises(ArgumentError, match="not be negative"):
        x.nonzero_static(size=-1)


WRONG = [
    (lambda x: x.gather(1, [[3]]), AxisError, r"index 3 .*\(2, 3\).*from 0 to 2"),
    (lambda x: x.gather(1, [[-1]]), AxisError, "index -1"),
    (lambda x: x.gather(1, [0]), ShapeError, r"index of shape \(1,\)"),
    (lambda x: x.gather(1, [[0], [0], [0]]), ShapeError, r"\(3, 1\)"),
    (lambda x: x.gather(1, [[0.5]]), DTypeError, "integers"),
    (lambda x: x.take([6]), AxisError, "index 6"),
    (lambda x: x.take([-7]), AxisError, "index -7"),
    (lambda x: x.index_select(0, [[0]]), ShapeError, "one axis"),
    (lambda x: x.index_select(0, [2]), AxisError, "index 2"),
    (lambda x: x.index_select(2, [0]), AxisError, "axis 2"),
    (lambda x: x.masked_select([1, 0, 1]), DTypeError, "booleans"),
    (lambda x: x.masked_select([True, False]), ShapeError, r"\(2,\).*\(2, 3\)"),
    (lambda x: dotori.take_along_dim(x, [0], 1), ShapeError, "as many axes"),
    (lambda x: dotori.where(x > 0, x), ArgumentError, "both"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(dotori.zeros(2, 3))
