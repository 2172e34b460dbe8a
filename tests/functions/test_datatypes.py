"""Types of results and limits of types, beside PyTorch's."""

from itertools import product

import numpy as np
import pytest

import dotori
from dotori.errors import ArgumentError, DTypeError

NAMES = "bool uint8 int8 int16 int32 int64 float16 float32 float64 complex64 complex128".split()


def name_of(theirs):
    """PyTorch's name of a type; NumPy's smallest complex type has eight bytes."""
    return str(theirs).removeprefix("torch.").replace("complex32", "complex64")


def test_every_pair_of_types_and_ranks():
    torch = pytest.importorskip("torch", reason="PyTorch's rules are the oracle")
    for a, b in product(NAMES, NAMES):
        types = (
            [getattr(T, a) for T in (dotori, torch)],
            [getattr(T, b) for T in (dotori, torch)],
        )
        for shape, other in product([(), (2,)], repeat=2):
            ours, theirs = (
                T.result_type(T.zeros(shape, dtype=x), T.zeros(other, dtype=y))
                for T, x, y in zip((dotori, torch), *types, strict=True)
            )
            assert name_of(theirs) == str(ours), (a, b, shape, other)
        for number in (True, 1, 1.0, 1j):
            ours, theirs = (
                T.result_type(T.zeros(2, dtype=x), number)
                for T, x in zip((dotori, torch), types[0], strict=True)
            )
            assert name_of(theirs) == str(ours), (a, number)
        assert dotori.can_cast(types[0][0], types[1][0]) == torch.can_cast(
            types[0][1], types[1][1]
        )


def test_limits():
    torch = pytest.importorskip("torch", reason="PyTorch's limits are the oracle")
    for name in ("float16", "float32", "float64"):
        ours, theirs = (
            dotori.finfo(getattr(dotori, name)),
            torch.finfo(getattr(torch, name)),
        )
        for limit in (
            "bits",
            "eps",
            "max",
            "min",
            "tiny",
            "smallest_normal",
            "resolution",
        ):
            # 10^-digits has the digits of its type in NumPy
            assert getattr(ours, limit) == pytest.approx(
                getattr(theirs, limit), rel=1e-3
            )
        assert str(ours.dtype) == theirs.dtype
    for name in ("uint8", "int8", "int16", "int32", "int64"):
        ours, theirs = (
            dotori.iinfo(getattr(dotori, name)),
            torch.iinfo(getattr(torch, name)),
        )
        assert (ours.bits, ours.max, ours.min) == (theirs.bits, theirs.max, theirs.min)
    assert dotori.finfo().bits == torch.finfo().bits
    with pytest.raises(DTypeError, match="int64"):
        dotori.finfo(dotori.int64)
    with pytest.raises(DTypeError, match="float32"):
        dotori.iinfo(dotori.float32)


def test_names_of_types():
    torch = pytest.importorskip("torch", reason="PyTorch has these names")
    for (
        name
    ) in "cdouble cfloat double float half int long short uint16 uint32 uint64".split():
        assert str(getattr(torch, name)) == f"torch.{getattr(dotori, name)}"
    assert isinstance(dotori.ones(2).dtype, dotori.dtype)
    assert isinstance(dotori.ones(2).shape, dotori.Size)


def test_importing_everything_leaves_pythons_types_alone():
    scope = {}
    exec("from dotori import *", scope)
    assert "tensor" in scope and not {"float", "int", "dtype", "Size"} & scope.keys()
    assert {"float", "int", "dtype", "Size"} <= set(dir(dotori))


def test_frombuffer_shares_memory():
    memory = bytearray(np.arange(4, dtype=np.float32).tobytes())
    x = dotori.frombuffer(memory, dtype=dotori.float32, count=2, offset=4)
    assert x.tolist() == [1.0, 2.0]
    x.mul_(10)
    assert np.frombuffer(memory, np.float32).tolist() == [0.0, 10.0, 20.0, 3.0]
    assert dotori.frombuffer(
        memory, dtype=dotori.float32, requires_grad=True
    ).requires_grad
    for wrong in ({"count": 5}, {"offset": 1}, {"offset": 17}):
        with pytest.raises(ArgumentError, match="frombuffer"):
            dotori.frombuffer(memory, dtype=dotori.float32, **wrong)
