"""Conversions, tensors like others, and questions about memory."""

import numpy as np
import pytest

import dotori
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError

NAMED = {
    "half": np.float16, "float": np.float32, "double": np.float64, "bool": np.bool_,
    "byte": np.uint8, "char": np.int8, "short": np.int16, "int": np.int32, "long": np.int64,
    "cfloat": np.complex64, "cdouble": np.complex128,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_methods_named_after_types(name):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = np.array([-1.7, 0.0, 2.9])
    y = getattr(dotori.tensor(a), name)()
    assert y.dtype == NAMED[name]
    np.testing.assert_array_equal(y.array, getattr(torch.tensor(a), name)().numpy())
    assert getattr(y, name)() is y


def test_to_takes_types_devices_and_tensors():
    x = dotori.tensor([1.0, 2.0], requires_grad=True)
    assert x.to("cpu") is x
    assert x.to(np.float32) is x
    assert x.to(x) is x
    for y in (
        x.to(np.float64),
        x.to(dotori.float64),
        x.to("float64"),
        x.to("cpu", np.float64),
        x.to(device="cpu", dtype=np.float64),
        x.to(dotori.zeros(1, dtype=np.float64)),
        x.to(other=dotori.zeros(1, dtype=np.float64)),
        x.type_as(dotori.zeros(1, dtype=np.float64)),
        x.type(np.float64),
        x.type("torch.DoubleTensor"),
    ):
        assert y.dtype == np.float64
        (g,) = dotori.autograd.grad(y.sum(), x)
        assert g.dtype == np.float32
    for y in (x.to(np.float32, copy=True), x.to("cpu", np.float32, False, True)):
        assert not np.shares_memory(x.array, y.array)
        assert y.requires_grad
    assert x.type() == "dotori.FloatTensor"


def test_integers_have_no_gradient():
    x = dotori.tensor([1.5], requires_grad=True)
    with pytest.raises(dotori.errors.GradientError):
        x.long().double().backward()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.bfloat16(), DTypeError, "bfloat16.*NumPy has none"),
        (lambda x: x.to("bfloat16"), DTypeError, "NumPy has none"),
        (lambda x: x.to("nonsense"), DTypeError, "no type 'nonsense'"),
        (lambda x: x.to(np.dtype("U1")), DTypeError, "cannot hold"),
        (lambda x: x.to("cpu:3"), ArgumentError, "device"),
        (lambda x: x.to(np.float32, True, True, True), ArgumentError, "flags"),
        (lambda x: x.type("SparseTensor"), DTypeError, "SparseTensor"),
        (lambda x: x.stride(2), AxisError, "axis 2"),
        (lambda x: dotori.is_nonzero(x), ShapeError, r"\(2, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(dotori.zeros(2, 3))


def test_what_a_tensor_says_of_itself():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    a = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for cut in (
        lambda x: x,
        lambda x: x[1, 1:],
        lambda x: x.permute(2, 0, 1),
        lambda x: x[..., ::2],
    ):
        x, z = cut(dotori.tensor(a)), cut(torch.tensor(a))
        for name in (
            "stride",
            "storage_offset",
            "is_contiguous",
            "element_size",
            "nelement",
            "ndimension",
            "is_floating_point",
            "is_signed",
            "is_complex",
        ):
            assert getattr(x, name)() == getattr(z, name)(), name
        assert (x.itemsize, x.nbytes) == (z.itemsize, z.nbytes)
        assert x.stride(-1) == z.stride(-1)
    assert dotori.is_tensor(x)
    assert not dotori.is_tensor(a)
    assert dotori.numel(a) == 24
    assert not dotori.is_signed(np.zeros(1, np.uint8))
    assert x.is_same_size(x)
    assert dotori.is_nonzero([2.0])


def test_new_tensors_take_the_type_of_another():
    x = dotori.zeros(2, dtype=np.float64)
    assert (
        x.new_zeros(2, 3).shape == x.new_ones((2, 3)).shape == x.new_empty(2, 3).shape
    )
    for y in (
        x.new_zeros(2),
        x.new_ones(2),
        x.new_empty(2),
        x.new_full((2,), 3),
        x.new_tensor([1, 2]),
        x.new_empty_strided((2,), (1,)),
    ):
        assert (y.dtype, y.requires_grad) == (np.float64, False)
    assert x.new_full((2,), 3, dtype=np.int8).tolist() == [3, 3]
    assert x.new_ones(2, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("arange", (0, 1, 0.1)), ("arange", (5, 0, -1.5)), ("arange", (3,)), ("arange", (2**40, 2**40 + 3)),
        ("linspace", (3, -2, 6)), ("linspace", (0.1, 0.1, 3)), ("logspace", (0, 3, 4, 2)),
        ("full", ((2,), 1)), ("full", ((), True)), ("full", ((2, 1), 2.5)), ("eye", (2, 3)), ("eye", (0,)),
        ("scalar_tensor", (3,)), ("zeros", ((2, 3),)), ("ones", (2,)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [None, np.float32, np.float64, np.int64, np.int32])
def test_new_tensors_are_pytorchs(name, args, dtype):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    if dtype is np.int32 and name == "arange" and args[0] == 2**40:
        pytest.skip("out of the range of the type")
    if dtype in (np.int64, np.int32) and args == (0, 1, 0.1):
        with pytest.raises((RuntimeError, ValueError)):
            dotori.arange(*args, dtype=np.int64)
        return
    ours = getattr(dotori, name)(*args, dtype=dtype, device="cpu")
    kind = None if dtype is None else getattr(torch, np.dtype(dtype).name)
    theirs = getattr(torch, name)(*args, **({} if kind is None else {"dtype": kind}))
    assert ours.shape == tuple(theirs.shape)
    assert ours.dtype == theirs.numpy().dtype
    np.testing.assert_allclose(ours.array, theirs.numpy(), rtol=1e-6, atol=1e-7)


def test_strides_of_choice():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    for size, stride in (
        ((2, 3), (1, 2)),
        ((2, 3), (0, 1)),
        ((2, 3), (7, 2)),
        ((0, 3), (1, 1)),
        ((), ()),
    ):
        x = dotori.empty_strided(size, stride)
        assert (x.shape, x.dtype) == (size, np.float32)
        assert (
            x.numel() == 0 or x.stride() == torch.empty_strided(size, stride).stride()
        )
    for order in ((0, 1, 2), (2, 0, 1), (1, 0, 2)):
        x = dotori.empty_permuted((2, 3, 5), order)
        assert x.stride() == torch.empty_permuted((2, 3, 5), order).stride()
    with pytest.raises(ShapeError, match="a stride for each axis"):
        dotori.empty_strided((2, 3), (1,))
    with pytest.raises(ArgumentError, match="no order"):
        dotori.empty_permuted((2, 3), (0, 0))


def test_asarray_shares_or_copies():
    a = np.zeros(3)
    leaf = dotori.tensor(a, requires_grad=True)
    assert np.shares_memory(dotori.asarray(a).array, a)
    assert np.shares_memory(dotori.asarray(leaf).array, leaf.array)
    assert not dotori.asarray(leaf).requires_grad
    assert dotori.asarray(leaf, requires_grad=True).is_leaf
    assert not np.shares_memory(dotori.asarray(a, copy=True).array, a)
    assert dotori.asarray([1, 2.5]).dtype == np.float32
    for bad in ({"obj": [1.0]}, {"obj": a, "dtype": np.float32}):
        with pytest.raises(ArgumentError, match="without a copy"):
            dotori.asarray(**bad, copy=False)


@pytest.mark.parametrize("name", ["zeros", "ones", "empty"])
def test_only_floats_can_ask_for_a_gradient(name):
    assert getattr(dotori, name)(2, requires_grad=True).requires_grad
    with pytest.raises(DTypeError, match="only floats"):
        getattr(dotori, name)(2, dtype=np.int64, requires_grad=True)


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(DTypeError, match="inf"):
        dotori.full((2,), float("inf"), dtype=np.int64)
    with pytest.raises(DTypeError, match="300"):
        dotori.full_like(np.zeros(2, np.uint8), 300)
    with pytest.raises(ArgumentError, match="numbers are wanted"):
        dotori.linspace(np.zeros(2), 1, 3)
    with pytest.raises(ArgumentError, match="never leads"):
        dotori.arange(0, float("nan"))
