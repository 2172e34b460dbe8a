"""Where the boxes of a drawing stand: layers from top to bottom, few crossings.

The steps are those of Sugiyama, Tagawa and Toda, "Methods for visual understanding of
hierarchical system structures", 1981: layers by the longest way from a source; edges
that cross several layers get a joint in each; the order within the layers moves each
box to the mean place of its neighbours, down and up a few times; at last boxes are
pulled towards their neighbours as far as there is room.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

_SWEEPS = 8
_GAP = 24.0


@dataclass(eq=False)
class Box:
    """A box to be placed, or the joint of an edge, which has no width.

    Attributes
    ----------
    width : float
    above, below : list of Box
        Its neighbours.
    layer : int
    x : float
        The middle.
    """

    width: float
    above: list[Box] = field(default_factory=list)
    below: list[Box] = field(default_factory=list)
    layer: int = 0
    x: float = 0.0


def place(
    boxes: Sequence[Box], edges: Sequence[tuple[Box, Box]]
) -> tuple[list[list[Box]], list[list[Box]]]:
    """Give each box its layer and its x.

    Parameters
    ----------
    boxes : sequence of Box
        In an order in which edges go forward.
    edges : sequence of (Box, Box)

    Returns
    -------
    layers : list of list of Box
        From the top, each from the left, joints included.
    ways : list of list of Box
        Each edge as the boxes and joints that it passes.

    Examples
    --------
    >>> a, b, c = Box(10), Box(10), Box(10)
    >>> layers, ways = place([a, b, c], [(a, b), (b, c), (a, c)])
    >>> [len(layer) for layer in layers], [len(way) for way in ways]
    ([1, 2, 1], [2, 2, 3])
    """
    _set_layers(boxes, edges)
    depth = 1 + max((box.layer for box in boxes), default=-1)
    layers: list[list[Box]] = [[] for _ in range(depth)]
    for box in boxes:
        layers[box.layer].append(box)
    ways = [_way(start, end, layers) for start, end in edges]
    for _ in range(_SWEEPS):
        _sweep(layers[1:], "above", layers)
        _sweep(layers[-2::-1], "below", layers)
    _spread(layers)
    return layers, ways


def _set_layers(boxes: Sequence[Box], edges: Sequence[tuple[Box, Box]]) -> None:
    before: dict[Box, list[Box]] = {box: [] for box in boxes}
    after: dict[Box, list[Box]] = {box: [] for box in boxes}
    for start, end in edges:
        before[end].append(start)
        after[start].append(end)
    for box in boxes:
        box.layer = max((b.layer + 1 for b in before[box]), default=0)
    for box in reversed(boxes):  # a source stands right above what it goes to
        if not before[box] and after[box]:
            box.layer = min(b.layer for b in after[box]) - 1


def _way(start: Box, end: Box, layers: list[list[Box]]) -> list[Box]:
    """The edge with a joint in each layer that it crosses."""
    way = [start]
    for layer in range(start.layer + 1, end.layer):
        way.append(Box(0.0, layer=layer))
        layers[layer].append(way[-1])
    way.append(end)
    for a, b in itertools.pairwise(way):
        a.below.append(b)
        b.above.append(a)
    return way


def _sweep(chosen: Sequence[list[Box]], side: str, layers: list[list[Box]]) -> None:
    """Order each layer by the mean place of the neighbours on one side."""
    rank = {box: i for layer in layers for i, box in enumerate(layer)}
    for layer in chosen:
        mean = {}
        for box in layer:
            near = getattr(box, side)
            mean[box] = sum(rank[b] for b in near) / len(near) if near else rank[box]
        layer.sort(key=mean.__getitem__)
        rank.update({box: i for i, box in enumerate(layer)})


def _spread(layers: list[list[Box]]) -> None:
    """Place the boxes of each layer, then pull them towards their neighbours."""
    for layer in layers:
        x = 0.0
        for box in layer:
            box.x = x + box.width / 2
            x += box.width + _GAP
    for sweep in range(2 * _SWEEPS):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            _pull(layer)
    left = min((b.x - b.width / 2 for layer in layers for b in layer), default=0.0)
    for layer in layers:
        for box in layer:
            box.x -= left


def _pull(layer: list[Box]) -> None:
    """Move boxes to the mean of their neighbours; those that would touch, together.

    Boxes that touch form a block, which stands at the mean of what its boxes want.
    """
    blocks: list[tuple[float, float, list[Box]]] = []  # sum of wishes, width, boxes
    for box in layer:
        near = [b.x for b in (*box.above, *box.below)]
        wish = sum(near) / len(near) if near else box.x
        total, width, members = wish - box.width / 2, box.width, [box]
        while blocks:
            before, its_width, its = blocks[-1]
            if before / len(its) + its_width + _GAP <= total / len(members):
                break
            blocks.pop()
            shift = its_width + _GAP
            total = before + total - shift * len(members)
            width, members = shift + width, its + members
        blocks.append((total, width, members))
    for total, _, members in blocks:
        x = total / len(members)
        for box in members:
            box.x = x + box.width / 2
            x += box.width + _GAP
