"""Batches that come as named tuples and other structures: all of their parts are inputs."""

from collections import OrderedDict, defaultdict
from typing import NamedTuple

import numpy as np
import pytest

import dotori
from dotori.compiler import tree


class Batch(NamedTuple):
    x: object
    y: object


class Rows(list):
    """A list of one's own."""


def as_batch(x, y):
    return Batch(x, y)


def as_ordered(x, y):
    return OrderedDict(x=x, y=y)


def as_default(x, y):
    found = defaultdict(list)
    found.update(x=x, y=y)
    return found


def as_rows(x, y):
    return Rows([x, y])


def as_nested(x, y):
    return [Batch((x,), {"y": y})]


@pytest.mark.parametrize("mode", ["numpy", "auto"])
@pytest.mark.parametrize("kind", [as_batch, as_ordered, as_default, as_rows, as_nested])
def test_later_calls_use_their_own_arrays(kind, mode):
    seen = []

    def step(batch):
        seen.append(type(batch))
        x, y = tree.leaves(batch)
        return (x * y).sum()

    compiled = dotori.compile(step, mode=mode)
    for scale in (1.0, 2.0, 3.0):
        batch = kind(dotori.full((3,), scale), dotori.full((3,), 2.0))
        assert float(compiled(batch)) == 6.0 * scale
    assert set(seen) == {type(batch)}


def test_arrays_in_a_named_tuple():
    compiled = dotori.compile(lambda batch: batch.x + batch.y)
    for scale in (1.0, 2.0):
        found = compiled(Batch(np.full(2, scale), np.ones(2)))
        assert np.asarray(found).tolist() == [scale + 1] * 2


def test_what_is_returned_keeps_its_kind():
    compiled = dotori.compile(lambda x: (Batch(x, x + 1), OrderedDict(a=x), Rows([x])))
    for scale in (1.0, 2.0):
        batch, ordered, rows = compiled(dotori.full((1,), scale))
        assert (type(batch), type(ordered), type(rows)) == (Batch, OrderedDict, Rows)
        assert [float(x) for x in tree.leaves([batch, ordered, rows])] == [
            scale,
            scale + 1,
            scale,
            scale,
        ]
