"""The task that a target poses, and the way to numbers and back."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pytest

from dotori.data.table import Table
from dotori.errors import ArgumentError, DataError, FormatError
from dotori.tabular.target import Target, drop_missing_target, infer_target

WORDS = ["yes", "no", "yes", "no"] * 5


def target_of(values, task="auto"):
    return infer_target(Table.from_frame({"y": values}), "y", task)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (WORDS, "binary"),
        (["a", "b", "c"] * 5, "multiclass"),
        ([True, False], "binary"),
        ([0, 1, 0, 1], "binary"),
        ([-1, 1, 1], "binary"),
        ([0, 1, 2] * 10, "multiclass"),
        ([3, 4, 5, 6, 7] * 10, "multiclass"),
        (range(10), "regression"),
        (list(range(30)) * 10, "regression"),
        ([0.0, 1.0] * 5, "binary"),
        ([2.5, 7.5] * 5, "binary"),
        ([0.0, 1.0, 2.0] * 5, "multiclass"),
        ([1.0, 2.0, 3.0] * 5, "multiclass"),
        ([1.0, 2.0, 4.0] * 5, "regression"),
        ([0.5, 1.5, 2.5] * 5, "regression"),
        ([151, 75, 141, 206, 135], "regression"),
    ],
    ids=lambda v: str(v)[:25],
)
def test_the_task(values, task):
    assert target_of(values).task == task


def test_the_task_can_be_asked_for():
    assert target_of([0, 1] * 5, "regression").task == "regression"
    assert target_of([1.0, 2.0, 4.0] * 5, "classification").task == "multiclass"
    assert target_of([0, 1] * 5, "classification").task == "binary"
    assert target_of([0, 1] * 5, "multiclass").num_outputs == 2
    assert target_of(WORDS, "binary").num_outputs == 1
    with pytest.raises(DataError, match="needs two classes, the target 'y' has 3"):
        target_of([0, 1, 2] * 5, "binary")
    with pytest.raises(ArgumentError, match="task must be one of"):
        target_of(WORDS, "ranking")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (WORDS, ("no", "yes")),
        ([10, 2, 2], (2, 10)),
        ([1.0, 0.0], (0, 1)),
        ([2.5, 0.5], (0.5, 2.5)),
        ([True, False], (False, True)),
    ],
)
def test_labels_keep_their_type(values, classes):
    target = target_of(values)
    assert target.classes == classes
    assert [type(label) for label in target.classes] == [type(c) for c in classes]
    table = Table.from_frame({"y": values})
    assert target.decode(target.encode(table)) == list(values)
    again = Target.from_json(json.loads(json.dumps(target.to_json())))
    assert again == target
    assert again.encode(table).tolist() == target.encode(table).tolist()


def test_categories_that_no_row_has_are_no_classes():
    """A frame may declare more categories than it has rows of."""
    table = Table.from_frame({"y": ["a", "b", "c"] * 2}).take([0, 1, 3, 4])
    target = infer_target(table, "y")
    assert (target.task, target.classes) == ("binary", ("a", "b"))


def test_amounts_are_standardised_by_the_training_split():
    target = target_of([1.5, 2.5, 9.0]).fit_scale([1.0, 3.0])
    assert (target.mean, target.std) == (2.0, 1.0)
    assert target.scale([4.0]).tolist() == [2.0]
    assert target.unscale([2.0]).tolist() == [4.0]
    assert target.encode(Table.from_frame({"y": [3, 4]})).dtype == np.float64


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        (["a"] * 5, "auto", r"'y' has one class only, 'a'"),
        ([1, 1, 1], "classification", r"one class only, 1"),
        ([2.5] * 3, "regression", r"is 2\.5 in every row"),
        ([1.0, np.inf, 2.0], "auto", r"column 'y', row 2: the value is infinite"),
        ([datetime.date(2020, 1, 1)] * 3, "auto", r"'y' holds dates"),
        ([1.0, None], "auto", r"'y' has gaps"),
        ([], "auto", r"'y' has gaps"),
        (["1.5", "x", "2"], "regression", r"number, but row 2 holds 'x'"),
        ([f"{i}.5" for i in range(50)] + ["n.v."], "auto", r"row 51 holds 'n\.v\.'"),
        ([f"name {i}" for i in range(300)], "auto", r"300 different values in 300"),
    ],
)
def test_targets_that_cannot_be_learnt(values, task, message):
    with pytest.raises(DataError, match=message):
        target_of(values, task)


def test_an_unknown_target():
    with pytest.raises(DataError, match="no column 'prise'; did you mean 'price'"):
        infer_target(Table.from_frame({"price": [1, 2]}), "prise")


def test_rows_without_a_target():
    table = Table.from_frame({"x": [1, 2, 3], "y": [1.5, None, 2.5]})
    kept, dropped = drop_missing_target(table, "y")
    assert (kept["x"].to_list(), dropped) == ([1, 3], 1)
    assert drop_missing_target(kept, "y") == (kept, 0)
    with pytest.raises(DataError, match="'y' has no values at all"):
        drop_missing_target(Table.from_frame({"y": [None, None]}), "y")
    with pytest.raises(DataError, match="no rows"):
        drop_missing_target(Table.from_frame({"y": []}), "y")


def test_later_targets_that_do_not_fit():
    target = target_of(WORDS)
    with pytest.raises(
        DataError, match=r"'maybe' in row 2.*not see; it saw 'no', 'yes'"
    ):
        target.encode(Table.from_frame({"y": ["no", "maybe"]}))
    with pytest.raises(DataError, match="missing in row 2"):
        target.encode(Table.from_frame({"y": ["no", None]}))
    with pytest.raises(DataError, match="should be a number, but row 1 holds 'x'"):
        target_of([1.5, 2.5, 3.5]).encode(Table.from_frame({"y": ["x"]}))


@pytest.mark.parametrize("spoil", [{"task": "spy"}, {"classes": None}, {"mean": "x"}])
def test_documents_that_are_none(spoil):
    with pytest.raises(FormatError, match="not a target of dotori"):
        Target.from_json({**target_of(WORDS).to_json(), **spoil})
    with pytest.raises(FormatError, match="not a target of dotori"):
        Target.from_json({})
