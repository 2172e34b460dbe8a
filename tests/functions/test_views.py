"""Views share memory as PyTorch's do, and shapes follow PyTorch's rules."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.errors import AxisError, DTypeError, ShapeError

VIEWS = {
    "x[1]": lambda x: x[1],
    "x[..., 1:3]": lambda x: x[..., 1:3],
    "x[:, None, ::2]": lambda x: x[:, None, ::2],
    "x[1, 2]": lambda x: x[1, 2],
    "x[[0, 1]]": lambda x: x[[0, 1]],
    "x[x > 0]": lambda x: x[x > 0],
    "T": lambda x: x[0].T,
    "mT": lambda x: x.mT,
    "t": lambda x: x[0].t(),
    "transpose": lambda x: x.transpose(0, 2),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "swapdims": lambda x: x.swapdims(0, 1),
    "permute": lambda x: x.permute(2, 0, 1),
    "movedim": lambda x: x.movedim(0, -1),
    "expand": lambda x: x[:1].expand(3, -1, -1),
    "expand_as": lambda x: x[:1].expand_as(x),
    "broadcast_to": lambda x: x.broadcast_to((5, 2, 3, 4)),
    "reshape": lambda x: x.reshape(6, 4),
    "reshape of a transpose": lambda x: x.transpose(0, 1).reshape(6, 4),
    "view": lambda x: x.view(3, -1),
    "view of a transpose": lambda x: x.transpose(0, 1).view(3, 2, 2, 2),
    "flatten": lambda x: x.flatten(1),
    "ravel": lambda x: x.ravel(),
    "ravel of a transpose": lambda x: x.mT.ravel(),
    "unflatten": lambda x: x.unflatten(2, (2, -1)),
    "squeeze": lambda x: x[:1].squeeze(),
    "squeeze of two": lambda x: x[:1, :1].squeeze((0, 1)),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "unfold": lambda x: x.unfold(2, 3, 1),
    "diagonal": lambda x: x.diagonal(1, 1, 2),
    "diag of a matrix": lambda x: x[0].diag(),
    "narrow": lambda x: x.narrow(1, 1, 2),
    "narrow_copy": lambda x: x.narrow_copy(1, 1, 2),
    "select": lambda x: x.select(2, 1),
    "index_select": lambda x: x.index_select(0, x[0, 0, :2].abs().long() * 0),
    "split": lambda x: x.split(2, 1)[1],
    "split_with_sizes": lambda x: x.split_with_sizes([1, 3], 2)[1],
    "tensor_split": lambda x: x.tensor_split(3, 2)[1],
    "hsplit": lambda x: x.hsplit(3)[1],
    "vsplit": lambda x: x.vsplit(2)[1],
    "dsplit": lambda x: x.dsplit(2)[1],
    "chunk": lambda x: x.chunk(2, 2)[1],
    "unbind": lambda x: x.unbind(1)[2],
    "as_strided": lambda x: x.as_strided((2, 2), (1, 3), 5),
    "as_strided of a view": lambda x: x[1].as_strided((2, 2), (4, 1)),
    "real": lambda x: x.real,
    "detach": lambda x: x.detach(),
    "contiguous": lambda x: x.contiguous(),
    "contiguous of a transpose": lambda x: x.mT.contiguous(),
    "clone": lambda x: x.clone(),
    "tile": lambda x: x.tile(2),
    "roll": lambda x: x.roll(1, 0),
    "flip": lambda x: x.flip(0),
    "take": lambda x: x.take(x.long() * 0),
    "masked_fill": lambda x: x.masked_fill(x > 0, 0.0),
    "to": lambda x: x.to("cpu"),
    "atleast_3d": lambda x: x[0].unsqueeze(-1),
}


@pytest.fixture
def cube():
    return np.random.default_rng(0).standard_normal((2, 3, 4))


@pytest.mark.parametrize("name", VIEWS)
def test_memory_is_shared_as_in_torch(name, cube):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    x, z = dotori.tensor(cube), torch.tensor(cube)
    y, w = VIEWS[name](x), VIEWS[name](z)
    same_storage = w.untyped_storage().data_ptr() == z.untyped_storage().data_ptr()
    assert np.shares_memory(y.array, x.array) == same_storage
    np.testing.assert_array_equal(y.array, w.numpy())
    if same_storage:
        assert y.storage_offset() == w.storage_offset()
        long = [i for i, n in enumerate(y.shape) if n > 1]  # the others' mean nothing
        assert [y.stride(i) for i in long] == [w.stride(i) for i in long]
        assert y.data_ptr() - x.data_ptr() == w.data_ptr() - z.data_ptr()
    assert y.is_contiguous() == w.is_contiguous()


@pytest.mark.parametrize("name", [n for n in VIEWS if n not in ("expand", "expand_as")])
def test_a_write_into_a_view_is_a_write_into_its_tensor(name, cube):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    x, z = dotori.tensor(cube), torch.tensor(cube)
    for t in (x, z):
        y = VIEWS[name](t)
        if name != "broadcast_to":
            y.zero_()
    np.testing.assert_array_equal(x.array, z.numpy())


def test_gradients_go_through_writes_into_strange_views(cube):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    names = ("diagonal", "unfold of parts", "as_strided", "mT", "narrow", "unflatten")
    for name in names:
        view = VIEWS.get(name, lambda x: x.unfold(2, 2, 2))
        grads = []
        for module in (dotori, torch):
            leaf = module.tensor(cube, requires_grad=True)
            y = leaf * 1
            view(y).mul_(3.0)
            (y * y).sum().backward()
            grads.append(np.asarray(leaf.grad))
        np.testing.assert_allclose(*grads, err_msg=name)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda x: x.mT, (-1,)),
        (lambda x: x.transpose(0, 1), (6, 4)),
        (lambda x: x[:, ::2], (8, 2)),
        (lambda x: x[:, :, :1].expand(2, 3, 4), (24,)),
    ],
)
def test_view_refuses_what_needs_a_copy(make, shape, cube):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    with pytest.raises(RuntimeError, match="reshape"):
        make(torch.tensor(cube)).view(shape)
    with pytest.raises(ShapeError, match="use reshape"):
        make(dotori.tensor(cube)).view(shape)


def test_view_reads_the_bytes_as_another_type():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    for name in ("int32", "int64", "uint8", "float64", "int16"):
        ours = dotori.tensor(a).view(getattr(np, name))
        theirs = torch.tensor(a).view(getattr(torch, name))
        np.testing.assert_array_equal(ours.array, theirs.numpy())
    with pytest.raises(ShapeError, match="cannot be read as"):
        dotori.tensor(a).T.view(np.float64)
    with pytest.raises(DTypeError, match="cannot hold"):
        dotori.tensor(a).view("U1")


def test_strides_of_parts_of_a_larger_memory():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = np.arange(20.0)
    weights = np.arange(4.0).reshape(2, 2) + 1
    for offset in (None, 0, 5, 14):
        found = []
        for module in (dotori, torch):
            leaf = module.tensor(a, requires_grad=True)
            part = leaf[5:15]
            y = module.as_strided(part, (2, 2), (1, 2), offset)
            (y * module.tensor(weights)).sum().backward()
            found += [np.asarray(y.detach()), np.asarray(leaf.grad)]
        np.testing.assert_array_equal(found[0], found[2])
        np.testing.assert_array_equal(found[1], found[3])


def test_strides_over_elements_that_share_a_place():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    found = []
    for module in (dotori, torch):
        wide = module.tensor(np.arange(4.0), requires_grad=True).expand(3, 4)
        y = module.as_strided(wide, (2, 2), (1, 2))
        (g,) = module.autograd.grad(y, wide, module.tensor([[1.0, 2.0], [3.0, 4.0]]))
        found.append(np.asarray(g))
    np.testing.assert_allclose(*found)


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [((3, 3), (3, 2), 0), ((2,), (1,), 9), ((2,), (-1,), 5), ((2, 2), (1,), 0)],
)
def test_strides_that_leave_the_memory_are_refused(size, stride, offset):
    with pytest.raises(ShapeError, match="as_strided"):
        dotori.as_strided(np.arange(10.0), size, stride, offset)


# ------------------------------------------------------------------ shapes

REFUSED = {
    "reshape(-2, 3)": lambda x: x.reshape(-2, 12),
    "reshape(-1, -1)": lambda x: x.reshape(-1, -1),
    "reshape(5, -1)": lambda x: x.reshape(5, -1),
    "reshape(7)": lambda x: x.reshape(7),
    "reshape(0, -1) of nothing": lambda x: x[:0].reshape(0, -1),
    "flatten(1, 0)": lambda x: x.flatten(1, 0),
    "flatten(0, 3)": lambda x: x.flatten(0, 3),
    "expand(2, 3)": lambda x: x.expand(2, 3),
    "expand(-1, 2, 3, 4)": lambda x: x.expand(-1, 2, 3, 4),
    "expand(2, 5, 4)": lambda x: x.expand(2, 5, 4),
    "split(-1)": lambda x: x.split(-1),
    "split(0)": lambda x: x.split(0),
    "split([-1, 3])": lambda x: x.split([-1, 3]),
    "split([1, 2])": lambda x: x.split([1, 2]),
    "chunk(0)": lambda x: x.chunk(0),
    "squeeze twice": lambda x: x.squeeze((0, 0)),
    "squeeze(3)": lambda x: x.squeeze(3),
    "unsqueeze(4)": lambda x: x.unsqueeze(4),
    "unflatten": lambda x: x.unflatten(2, (3, 2)),
    "unfold": lambda x: x.unfold(2, 5, 1),
    "unfold step": lambda x: x.unfold(2, 2, 0),
    "narrow": lambda x: x.narrow(2, 2, 3),
    "select": lambda x: x.select(2, 4),
    "tensor_split": lambda x: x.tensor_split(0),
    "vsplit": lambda x: x.vsplit(3),
    "hsplit": lambda x: x.hsplit(2),
    "t": lambda x: x.t(),
    "H": lambda x: x.H,
    "movedim": lambda x: x.movedim((0, 0), (1, 2)),
    "permute": lambda x: x.permute(0, 1),
    "diagonal": lambda x: x.diagonal(0, 1, 1),
    "rot90": lambda x: x.rot90(1, (0, 0)),
    "repeat": lambda x: x.repeat(2),
    "sum_to_size": lambda x: x.sum_to_size(2, 2, 4),
    "x[2]": lambda x: x[2],
    "x[0, 0, 0, 0]": lambda x: x[0, 0, 0, 0],
    "x[[0, 2]]": lambda x: x[[0, 2]],
    "x[mask]": lambda x: x[x[0] > 0],
    "x[0.5]": lambda x: x[0.5],
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_torch(name, cube):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    with pytest.raises((RuntimeError, IndexError, ValueError, TypeError)):
        REFUSED[name](torch.tensor(cube))
    with pytest.raises((ValueError, IndexError, TypeError)) as caught:
        REFUSED[name](dotori.tensor(cube))
    assert isinstance(caught.value, dotori.errors.DotoriError)


def test_messages_name_what_was_given(cube):
    x = dotori.tensor(cube)
    with pytest.raises(
        ShapeError, match=r"\(2, 3, 4\) cannot be stretched to \(5, 4\)"
    ):
        x.expand(5, 4)
    with pytest.raises(AxisError, match=r"shape \(2, 3, 4\).*5"):
        x[0, 5]
    with pytest.raises(ShapeError, match=r"one size may be -1.*\(-2, 12\)"):
        x.reshape(-2, 12)
    with pytest.raises(ShapeError, match="without axes"):
        dotori.cat([dotori.tensor(1.0), dotori.tensor(2.0)])
    for function in (dotori.hstack, dotori.vstack, dotori.stack, dotori.cat):
        with pytest.raises(ValueError, match="at least one tensor"):
            function([])


def test_what_has_no_elements_keeps_its_shape():
    x = dotori.zeros(0, 3, 0)
    assert x.flatten(0, 1).shape == (0, 0)
    assert x.flatten().shape == (0,)
    assert x.reshape(3, 0).shape == (3, 0)
    assert [p.shape for p in x.split(1)] == [(0, 3, 0)]
    assert [p.shape for p in dotori.zeros(0).chunk(3)] == [(0,)] * 3
    assert dotori.zeros(0, 2).unfold(0, 0, 1).shape == (1, 2, 0)


def test_cat_promotes_types_and_lets_empty_vectors_pass():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    kinds = ("bool", "uint8", "int64", "float32", "float64")
    for a in kinds:
        for b in kinds:
            ours = dotori.cat([np.ones(2, a), np.ones(1, b)])
            theirs = torch.cat(
                [
                    torch.ones(2, dtype=getattr(torch, a)),
                    torch.ones(1, dtype=getattr(torch, b)),
                ]
            )
            assert ours.dtype == theirs.numpy().dtype
    y = dotori.cat([dotori.zeros(0), dotori.ones(2, 3), dotori.zeros(0)], 1)
    assert y.shape == (2, 3)
    assert dotori.cat([dotori.zeros(0), dotori.zeros(0)]).shape == (0,)


@st.composite
def _shapes_and_indices(draw):
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    index, axis = [], 0
    count = draw(st.integers(1, 3))
    while axis < len(shape) and len(index) < 6:
        n = shape[axis]
        kind = draw(st.sampled_from(["int", "slice", "none", "array", "tensor0"]))
        if kind == "none":
            index.append(None)
            continue
        if kind == "int":
            index.append(draw(st.integers(-n, n - 1)))
        elif kind == "tensor0":
            index.append(np.array(draw(st.integers(0, n - 1))))
        elif kind == "slice":
            ends = st.none() | st.integers(-5, 5)
            step = draw(st.none() | st.integers(1, 3))
            index.append(slice(draw(ends), draw(ends), step))
        else:
            index.append(
                np.array(
                    draw(
                        st.lists(st.integers(-n, n - 1), min_size=count, max_size=count)
                    )
                )
            )
        axis += 1
    if draw(st.booleans()) and axis < len(shape):
        index.append(Ellipsis)
    return tuple(shape), tuple(index)


@given(_shapes_and_indices())
def test_every_mixture_of_indices_is_pytorchs(case):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    shape, index = case
    a = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    theirs = torch.tensor(a, requires_grad=True)
    found = theirs[
        tuple(torch.tensor(i) if isinstance(i, np.ndarray) else i for i in index)
    ]
    ours = dotori.tensor(a, requires_grad=True)
    y = ours[index]
    assert y.shape == tuple(found.shape)
    np.testing.assert_array_equal(y.array, found.detach().numpy())
    weights = np.arange(y.numel(), dtype=np.float64).reshape(y.shape) + 1
    y.backward(weights)
    found.backward(torch.tensor(weights))
    np.testing.assert_array_equal(ours.grad.array, theirs.grad.numpy())


def test_a_number_and_an_array_around_a_slice():
    x = dotori.zeros(2, 3, 4)
    assert x[0, :, [0, 1]].shape == (3, 2)  # as in PyTorch; NumPy's is (2, 3)


def test_slices_may_run_backwards():
    x = dotori.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x[::-1]
    assert y.tolist() == [3.0, 2.0, 1.0]
    y.backward([1.0, 2.0, 3.0])
    assert x.grad.tolist() == [3.0, 2.0, 1.0]


def test_a_tensor_of_bytes_is_neither_mask_nor_numbers():
    x = dotori.arange(3)
    with pytest.raises(DTypeError, match=r"\.bool\(\) or \.long\(\)"):
        x[dotori.tensor([1, 0, 1], dtype=np.uint8)]
    assert x[np.array([1, 0, 1], np.uint8)].tolist() == [1, 0, 1]


def test_an_index_may_be_changed_afterwards():
    x = dotori.tensor([1.0, 2.0, 3.0], requires_grad=True)
    index = np.array([0, 0])
    y = x[index]
    index[:] = 2
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "index", [True, False, np.array(True), ..., None, (), slice(None)]
)
def test_indices_of_a_single_number(index):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    key = torch.tensor(index) if isinstance(index, np.ndarray) else index
    ours, theirs = dotori.tensor(3.0), torch.tensor(3.0)
    if isinstance(index, slice):
        with pytest.raises(AxisError):
            ours[index]
        return
    assert ours[index].shape == tuple(theirs[key].shape)


def test_a_single_number_has_axis_0_and_minus_1():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for name, args in (
        ("transpose", (0, -1)),
        ("movedim", (0, -1)),
        ("flip", (0,)),
        ("squeeze", (-1,)),
        ("roll", (1,)),
    ):
        assert getattr(torch.tensor(3.0), name)(*args).item() == 3.0
        y = getattr(dotori.tensor(3.0, requires_grad=True), name)(*args)
        assert (y.shape, y.item()) == ((), 3.0)
        y.backward()
        with pytest.raises(AxisError):
            getattr(dotori.tensor(3.0), name)(
                *(7 for _ in args), *((7,) if name == "roll" else ())
            )


def test_numpys_functions_with_numpys_meaning(cube):
    x = dotori.tensor(cube)
    pairs = [
        (np.ravel, ()),
        (np.atleast_2d, ()),
        (np.moveaxis, ((0, 1), (1, 2))),
        (np.swapaxes, (0, 2)),
        (np.expand_dims, (1,)),
        (np.expand_dims, ((0, -1),)),
        (np.broadcast_to, ((5, 2, 3, 4),)),
        (np.transpose, ((1, 0, 2),)),
        (np.squeeze, ()),
        (np.flip, (1,)),
    ]
    for function, args in pairs:
        y = function(x, *args)
        assert isinstance(y, dotori.Tensor), function
        np.testing.assert_array_equal(y.array, function(cube, *args))
    for function, args in [
        (np.split, (2, 2)),
        (np.split, ([1, 3], 2)),
        (np.array_split, (3, 2)),
        (np.hsplit, (3,)),
        (np.vsplit, (2,)),
        (np.dsplit, ([1],)),
    ]:
        ours, theirs = function(x, *args), function(cube, *args)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert isinstance(a, dotori.Tensor), function
            np.testing.assert_array_equal(a.array, b)
    with pytest.raises(ShapeError, match="equal parts"):
        np.split(x, 3, 2)
    with pytest.raises(ShapeError, match="not 1 long"):
        np.squeeze(x, 1)
    assert np.squeeze(x[:1], axis=0).shape == (3, 4)
    assert [p.shape for p in x.tensor_split(sections=2)] == [(1, 3, 4)] * 2
    a, b = np.broadcast_arrays(x, x[0])
    assert a.shape == b.shape == (2, 3, 4)


# What copies in PyTorch though nothing has to be computed, and what does not.
IDLE = {
    "data": lambda T, x: x.data,
    "x[1:3, ::2]": lambda T, x: x[1:3, ::2],
    "x[..., None]": lambda T, x: x[..., None],
    "broadcast_to": lambda T, x: x.broadcast_to(2, 4, 6),
    "to its own type": lambda T, x: x.to(x.dtype),
    "as_tensor": lambda T, x: T.as_tensor(x),
    "x[[0, 1]]": lambda T, x: x[[0, 1]],
    "T.reshape": lambda T, x: x.T.reshape(24),
    "flip of no axis": lambda T, x: x.flip(()),
    "roll by none": lambda T, x: x.roll(0, 0),
    "rot90 by none": lambda T, x: x.rot90(0),
    "repeat once": lambda T, x: x.repeat(1, 1),
    "tile once": lambda T, x: x.tile((1,)),
    "repeat of one": lambda T, x: x[:1, :1].repeat(3, 1),
    "repeat_interleave once": lambda T, x: x.repeat_interleave(1),
    "gather": lambda T, x: x.gather(0, T.zeros(4, 6, dtype=T.int64)),
    "cat of one": lambda T, x: T.cat([x]),
    "stack of one": lambda T, x: T.stack([x]),
    "diff of order 0": lambda T, x: x.diff(n=0),
    "first power": lambda T, x: x[:4, :4].matrix_power(1),
    "sum of one": lambda T, x: x[:1].sum(dim=0),
    "max of one": lambda T, x: x[:1].amax(dim=0),
    "cumsum of one": lambda T, x: x[:1].cumsum(0),
    "x * 1": lambda T, x: x * 1,
    "x ** 1": lambda T, x: x**1,
    "relu": lambda T, x: x.relu(),
    "pad by none": lambda T, x: T.constant_pad_nd(x, (0, 0)),
    "tril": lambda T, x: x.tril(10),
}


@pytest.mark.parametrize("name", IDLE)
def test_a_copy_is_made_where_pytorch_makes_one(name):
    torch = pytest.importorskip("torch", reason="PyTorch decides what is a view")
    x, t = dotori.ones(4, 6), torch.ones(4, 6)
    ours, theirs = IDLE[name](dotori, x), IDLE[name](torch, t)
    where = theirs.untyped_storage().data_ptr(), t.untyped_storage().data_ptr()
    assert np.may_share_memory(ours.array, x.array) == (where[0] == where[1])
