"""Collating against PyTorch's default_collate, and its messages."""

from collections import OrderedDict, namedtuple
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import dotori
from dotori.data import default_collate, default_convert
from dotori.errors import DTypeError, ShapeError

Point = namedtuple("Point", "x name")


def as_plain(batch: Any) -> Any:
    """Any batch as lists, with the type of each tensor."""
    if hasattr(batch, "numpy"):
        array = batch.numpy()
        return str(array.dtype), array.tolist()
    if isinstance(batch, dict):
        return {key: as_plain(value) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return [as_plain(value) for value in batch]
    return batch


CASES: list[list[Any]] = [
    [1, 2, 3],
    [1.5, 2.5],
    [True, False],
    ["a", "b"],
    [b"a", b"b"],
    [np.float32(1), np.float32(2)],
    [np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)],
    [np.zeros(2, np.int16), np.ones(2, np.int16)],
    [(1, "a"), (2, "b")],
    [[1, 2.0], [3, 4.0]],
    [{"x": np.zeros(2), "n": 1}, {"x": np.ones(2), "n": 2}],
    [Point(np.zeros(2), "a"), Point(np.ones(2), "b")],
    [((1, {"a": 2.0}), "t"), ((3, {"a": 4.0}), "u")],
    [np.zeros((0, 2)), np.zeros((0, 2))],
]


@pytest.mark.parametrize("batch", CASES, ids=str)
def test_default_collate_is_torchs(torch_data: Any, batch: list[Any]) -> None:
    assert as_plain(default_collate(batch)) == as_plain(
        torch_data.default_collate(batch)
    )


def test_types_of_containers_are_kept() -> None:
    assert type(default_collate([(1, 2), (3, 4)])) is tuple
    assert type(default_collate([[1, 2], [3, 4]])) is list
    point = default_collate([Point(1, "a"), Point(2, "b")])
    assert type(point) is Point and point.name == ["a", "b"]
    ordered = default_collate([OrderedDict(b=1, a=2), OrderedDict(b=3, a=4)])
    assert type(ordered) is OrderedDict and list(ordered) == ["b", "a"]
    read_only = default_collate([MappingProxyType({"a": 1})])
    assert read_only["a"].tolist() == [1]


def test_tensors_are_stacked_into_new_memory() -> None:
    rows = [dotori.tensor([1.0, 2.0]), dotori.tensor([3.0, 4.0])]
    batch = default_collate(rows)
    assert isinstance(batch, dotori.Tensor)
    assert batch.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    batch.array[0, 0] = 9
    assert rows[0].tolist() == [1.0, 2.0]


def test_samples_that_do_not_stack_are_named() -> None:
    with pytest.raises(
        ShapeError, match=r"sample 2 has shape \(4,\), sample 0 has shape \(3,\)"
    ):
        default_collate([np.zeros(3), np.zeros(3), np.zeros(4)])
    with pytest.raises(ShapeError, match="sample 1 has 3 parts, sample 0 has 2"):
        default_collate([(1, 2), (1, 2, 3)])
    with pytest.raises(ShapeError, match="key 'y'"):
        default_collate([{"y": 1}, {"x": 1}])
    with pytest.raises(ShapeError, match="without samples"):
        default_collate([])


@pytest.mark.parametrize(
    "sample",
    [None, object(), np.array(["a"]), np.array([None])],
    ids=["None", "object", "array of text", "array of objects"],
)
def test_what_cannot_be_a_tensor_is_refused(sample: Any) -> None:
    with pytest.raises(DTypeError, match=r"sample 0\).*collate_fn"):
        default_collate([sample, sample])


def test_default_convert_keeps_the_structure() -> None:
    sample = {"x": np.arange(2), "t": ("a", np.float32(3)), "p": Point(1, np.zeros(1))}
    out = default_convert(sample)
    assert isinstance(out["x"], dotori.Tensor)
    assert out["t"][0] == "a" and out["t"][1].item() == 3.0
    assert type(out["p"]) is Point and isinstance(out["p"].name, dotori.Tensor)
    words = np.array(["a"])
    assert default_convert(words) is words
