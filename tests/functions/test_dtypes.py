"""Types of results: PyTorch's rules, for all pairs of types and kinds of operands."""

import itertools

import numpy as np
import pytest

import dotori
from dotori.dtypes import promote_types
from dotori.errors import DTypeError

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")

NAMES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
]
PAIRS = list(itertools.product(NAMES, NAMES))


def name_of(t):
    return str(t.dtype).removeprefix("torch.")


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_pairs_of_types(a, b):
    expected = torch.promote_types(getattr(torch, a), getattr(torch, b))
    assert str(promote_types(a, b)) == str(expected).removeprefix("torch.")


@pytest.mark.parametrize(("a", "b"), PAIRS)
@pytest.mark.parametrize(
    "shapes", [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())], ids=str
)
def test_tensors_with_and_without_axes(a, b, shapes):
    x, y = np.ones(shapes[0], a), np.ones(shapes[1], b)
    ours = dotori.tensor(x) * dotori.tensor(y)
    theirs = torch.tensor(x) * torch.tensor(y)
    assert name_of(ours) == name_of(theirs)
    ours = dotori.tensor(x) / dotori.tensor(y)
    theirs = torch.tensor(x) / torch.tensor(y)
    assert name_of(ours) == name_of(theirs)


@pytest.mark.parametrize("number", [True, 2, 2.5])
@pytest.mark.parametrize("a", NAMES)
@pytest.mark.parametrize("shape", [(2,), ()], ids=str)
def test_python_numbers(a, number, shape):
    x = np.ones(shape, a)
    ours, theirs = dotori.tensor(x), torch.tensor(x)
    assert name_of(ours + number) == name_of(theirs + number)
    assert name_of(number * ours) == name_of(number * theirs)
    assert name_of(ours / number) == name_of(theirs / number)


@pytest.mark.parametrize("a", NAMES)
def test_functions_and_reductions_of_every_type(a):
    x = np.array([1, 0, 1]).astype(a)
    ours, theirs = dotori.tensor(x), torch.tensor(x)
    for f in ("exp", "sqrt", "sigmoid", "tanh"):
        assert name_of(getattr(ours, f)()) == name_of(getattr(theirs, f)()), f
    for f in ("sum", "prod"):
        assert name_of(getattr(ours, f)()) == name_of(getattr(theirs, f)()), f
        assert getattr(ours, f)().item() == getattr(theirs, f)().item()
    assert name_of(ours.cumsum(0)) == name_of(theirs.cumsum(0))


@pytest.mark.parametrize("bad", [["a"], np.array(["2020"], "M8"), object(), None])
def test_what_has_no_place_in_a_tensor(bad):
    with pytest.raises(DTypeError):
        dotori.tensor(bad)
