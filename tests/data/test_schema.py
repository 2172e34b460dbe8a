"""What each column is good for, rule by rule."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dotori.data.schema import Schema, infer_schema
from dotori.data.table import Table
from dotori.errors import DataError, FormatError

N = 30


def roles(data, **options):
    schema = infer_schema(Table.from_frame(data), **options)
    return {feature.name: feature.role for feature in schema.features}


def test_each_kind_has_its_role():
    data = {
        "amount": np.linspace(0, 1, N),
        "whole": [1, 2, 3] * 10,
        "flag": [True, False] * 15,
        "word": ["a", "b"] * 15,
        "day": np.arange(N).astype("datetime64[D]"),
    }
    assert roles(data) == {
        "amount": "number",
        "whole": "number",
        "flag": "number",
        "word": "category",
        "day": "datetime",
    }
    assert roles(data, categorical=["whole"])["whole"] == "category"


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([None] * N, "it has no values"),
        ([7] * N, "the same value in every row"),
        (["x"] * N, "the same value in every row"),
        ([f"u{i}" for i in range(N)], "different in every row"),
    ],
)
def test_columns_that_say_nothing_are_left_out(values, note):
    schema = infer_schema(Table.from_frame({"x": values, "good": range(N)}))
    assert [feature.name for feature in schema.used] == ["good"]
    assert schema.notes()[0].startswith("column 'x' is left out: ")
    assert note in schema.notes()[0]
    assert schema.column_types == {"good": "number"}


def test_a_constant_with_gaps_is_kept():
    assert roles({"x": [7, None, 7]}) == {"x": "number"}


@pytest.mark.parametrize("name", ["id", "ID", "user_id", "Unnamed: 0", "index", "row"])
def test_numbers_that_are_identifiers_by_name(name):
    data = {name: range(N), "x": [1.5, 2.5] * 15}
    assert roles(data)[name] == "dropped"
    assert roles(data, keep=[name])[name] == "number"
    assert roles({**data, name: [1, 2] * 15})[name] == "number"


@pytest.mark.parametrize("name", ["humid", "t", "year", "width", "price"])
def test_numbers_that_are_not(name):
    assert roles({name: range(N)})[name] == "number"


def test_few_rows_make_no_identifier():
    assert roles({"x": ["a", "b", "c"]}) == {"x": "category"}


def test_many_categories_are_noted():
    words = [f"w{i % 20}" for i in range(40)]
    schema = infer_schema(Table.from_frame({"x": words}), max_categories=5)
    assert schema.used[0].role == "category"
    assert "has 20 categories: the 5 most frequent" in schema.notes()[0]


def test_distinct_and_missing_values_are_counted():
    table = Table.from_frame({"x": ["a", None, "b", "c"], "y": [1, 2, 2, None]})
    x, y = infer_schema(table.take([0, 1, 2])).features
    assert (x.distinct, x.missing) == (2, 1)
    assert (y.distinct, y.missing) == (2, 0)


def test_tables_without_anything_to_learn_from():
    with pytest.raises(DataError, match="no rows"):
        infer_schema(Table.from_frame({"a": []}))
    with pytest.raises(DataError, match="no columns"):
        infer_schema(Table.from_frame({"a": [1]}).drop(["a"]))
    with pytest.raises(
        DataError, match=r"no column .* can be used: column 'a' is left"
    ):
        infer_schema(Table.from_frame({"a": [1, 1]}))
    with pytest.raises(DataError, match="no column 'b'"):
        infer_schema(Table.from_frame({"a": [1, 2]}), categorical=["b"])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_found(dtype, value):
    table = Table.from_frame({"a": [1, 2, 3], "b": np.array([0, np.nan, value], dtype)})
    with pytest.raises(DataError, match=r"column 'b', row 3: the value is infinite"):
        infer_schema(table)


def test_through_json():
    data = {"a": [1.5, 2.5, None], "b": ["x", "y", "x"], "c": [1, 1, 1]}
    schema = infer_schema(Table.from_frame(data), max_categories=7)
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


@pytest.mark.parametrize("document", [{}, {"features": 3}, {"features": [{}]}, []])
def test_documents_that_are_none(document):
    with pytest.raises(FormatError, match="not a schema of dotori"):
        Schema.from_json(document)
