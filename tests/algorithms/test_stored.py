"""Values that go into model files and come back, and what is refused."""

import json
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dotori.algorithms._stored import from_document, storable, to_document
from dotori.errors import ArgumentError, FormatError


@storable
@dataclass(frozen=True)
class Pair:
    left: object
    right: object


def there_and_back(value):
    arrays = {}
    document = json.loads(json.dumps(to_document(value, arrays), allow_nan=False))
    return from_document(document, arrays)


def same(a, b):
    """Equality with types, NaN equal to itself."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        if a.dtype == object:
            for x, y in zip(a.ravel(), b.ravel(), strict=True):
                same(x, y)
        else:
            np.testing.assert_array_equal(a, b)
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, dict):
        for (k, x), (q, y) in zip(a.items(), b.items(), strict=True):
            same(k, q)
            same(x, y)
    elif isinstance(a, Pair):
        same([a.left, a.right], [b.left, b.right])
    else:
        assert a == b or (math.isnan(a) and math.isnan(b))


plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
)
arrays = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
scalars = st.floats(width=32).map(np.float32) | st.integers(0, 9).map(np.int64)
values = st.recursive(
    plain | arrays | scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=8,
)


@given(values)
def test_values_come_back_as_they_were(value):
    same(there_and_back(value), value)


@pytest.mark.parametrize(
    "value",
    [
        np.array(["a", "bcd"]),
        np.array(["a", None, 1.5, np.float64("nan")], dtype=object),
        np.array([], dtype=object),
        np.dtype("float32"),
        np.float64,
        np.zeros((2, 3)).T,
    ],
)
def test_other_values_come_back(value):
    same(there_and_back(value), value)


def test_equal_names_do_not_share_an_array():
    value = [
        {"a": np.zeros(2)},
        {"a": np.ones(2)},
        Pair(np.full(1, 2.0), {"a": np.full(1, 3.0)}),
    ]
    same(there_and_back(value), value)


@pytest.mark.parametrize(
    "value", [print, object(), np.array(["2020-01-01"], "datetime64[D]"), {1j}]
)
def test_what_cannot_be_stored_is_named(value):
    with pytest.raises(ArgumentError, match=r"value\.0"):
        to_document([value], {})


@pytest.mark.parametrize(
    "document",
    [
        {"stored": "Popen", "fields": {}},
        {"stored": "Pair", "fields": {"left": 1}},
        {"stored": "Pair", "fields": {"left": 1, "right": 2, "more": 3}},
        {"array": "nowhere"},
        {"objects": [1, 2], "shape": [3], "text": False},
        {"float": "1e9"},
        {"dtype": "V8"},
        {"dtype": "[('a', '<f8')]"},
        {"list": 3},
        {"dict": [[1]]},
        {},
        [],
        [1],
    ],
)
def test_documents_that_are_none_of_ours(document):
    with pytest.raises(FormatError):
        from_document(document, {})


def test_only_dataclasses_can_be_marked():
    with pytest.raises(TypeError, match="dataclass"):
        storable(int)
