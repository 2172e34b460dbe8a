"""Views, and recorded writes into the memory that they share.

A view lies in the memory of the tensor that it was taken from, its origin. A write that
is recorded gives that tensor other values, so from then on it comes from another node;
each view of it finds a node of its own when it is used next. While tensors live that
were written to so, the flag STALE makes operations ask for `current_node`.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd.graph import STALE, Node, Pick, Variable, recording

if TYPE_CHECKING:
    from dotori.ops._op import Op


class Origin(NamedTuple):
    """How a view came to be: output `place` (of `of`) of `op` of `source`.

    `array` was the source's array then: `x.t_()` and the like give it another.
    """

    source: Variable
    op: type[Op]
    attrs: dict[str, Any]
    made_from: Node | None
    array: Any
    place: int = 0
    of: int = 1


# Past `Tensor.__getattr__`, which would look for a method of that name.
_read_origin = Variable.__dict__["origin"].__get__

#: The tensors whose node was replaced by a recorded write, by id, while they live.
_rewritten: dict[int, weakref.ref[Variable]] = {}


def note_origin(op: type[Op], source: Any, result: Any, attrs: dict[str, Any]) -> None:
    """Say that `result`, a tensor or a tuple of them, may be a view of `source`."""
    if not isinstance(source, Variable):
        return
    if not isinstance(result, tuple):
        if result.array.base is not None:
            result.origin = (source, op, attrs, source.node, source.array)
        return
    for i, view in enumerate(result):
        view.origin = (source, op, attrs, source.node, source.array, i, len(result))


def origin_of(x: Variable) -> Origin | None:
    """Where `x` was taken from, if it still lies in the same memory."""
    try:
        origin = Origin(*_read_origin(x))
    except AttributeError:  # the slot is empty: most tensors are no views
        return None
    if origin.array is not origin.source.array:
        origin = origin._replace(source=_as_it_was(origin.source, origin.array))
    shared = np.may_share_memory(x.array, origin.source.array)
    return origin if shared else None


def _as_it_was(x: Variable, array: Any) -> Variable:
    """`x` when its array was `array`, before it was reshaped in place."""
    earlier = x
    while earlier.array is not array:
        try:
            earlier = Origin(*_read_origin(earlier)).source
        except AttributeError:  # it was given other memory
            return x
    return earlier


def note_reshaped(x: Variable, before: Variable, after: Variable) -> None:
    """Say that `x` is `after` from now on, and that its views are those of `before`."""
    x.array, x.node = after.array, after.node
    if id(x) in _rewritten:
        _mark(before)
    if origin_of(after) is not None:
        x.origin = _read_origin(after)


def root_of(x: Variable) -> Variable:
    """The tensor that `x` is a view of, through any number of views; or `x`."""
    while (origin := origin_of(x)) is not None:
        x = origin.source
    return x


def current_node(x: Any) -> Node | None:
    """The node that `x` comes from, after all writes into its memory."""
    if not isinstance(x, Variable):
        return None
    if not _rewritten:  # nothing was written to: the usual case
        return x.node
    origin = origin_of(x)
    if origin is not None:
        source = current_node(origin.source)
        if source is not origin.made_from and id(origin.source) in _rewritten:
            x.node = _view_node(x, origin, source)
            x.origin = tuple(origin._replace(made_from=source))
            _mark(x)
    return x.node


def _view_node(x: Variable, origin: Origin, source: Node | None) -> Node | None:
    """The node of the same view of `source`."""
    if source is None:
        return None
    op, array = origin.op, x.array
    values = (origin.source.array, array)
    saved = tuple([values[i] for i in op.keeps(1)])
    node = Node(op, saved, origin.attrs, (source,), array)
    return Pick(node, origin.place, origin.of, array) if op.outputs_vary else node


def positions(x: Variable) -> tuple[Any, ...]:
    """Where in the tensor at its root the elements of the view `x` lie."""
    steps = []
    while (origin := origin_of(x)) is not None:
        steps.append(origin)
        x = origin.source
    shape = x.array.shape
    places: Any = np.arange(x.array.size).reshape(shape)
    for step in reversed(steps):
        places = step.op.forward(np, places, **step.attrs)
        if step.op.outputs_vary:
            places = places[step.place]
    return np.unravel_index(places, shape)


def rewrite(overwrite: type[Op], x: Variable, index: Any, node: Node | None) -> None:
    """Record that ``x[index]`` has just been given values that come from `node`.

    `index` is None for the whole of `x`. Where `x` is a view, it is the tensor at its
    root that is recorded as changed there: `overwrite` is the operation for that.
    """
    root = root_of(x)
    if root is x and index is None:
        x.node = node
    else:
        if root is not x:
            places = positions(x)
            index = places if index is None else tuple(p[index] for p in places)
        before = current_node(root)
        attrs = {"index": index}
        root.node = Node(overwrite, (), attrs, (before, node), root.array)
    _mark(root)
    recording.state.flags |= STALE
    current_node(x)


def _mark(x: Variable) -> None:
    key = id(x)
    if key not in _rewritten:
        _rewritten[key] = weakref.ref(x, lambda _: _forget(key))


def _forget(key: int) -> None:
    _rewritten.pop(key, None)
    if not _rewritten:
        recording.state.flags &= ~STALE
