"""The loops that the instructions of a group share, and how values lie along them.

A group runs over a box of loops, outermost first. A value varies along all of them, or
along an outer part (a number for each row), or along none. The result of a reduction
over the innermost loops, the row, can be used again by the same group: max, sum of
exponentials and quotient of a softmax are one group. All other results of reductions
are complete only when the loops have ended, and belong to the group as outputs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Any

from dotori.compiler.ir import Instr, Value
from dotori.compiler.primitives import ELEMENTWISE, REDUCTIONS, VIEWS
from dotori.compiler.views import View, Views

#: For each axis of a value, the loops that run along it; none where it does not vary.
Axes = tuple[tuple[int, ...], ...]

#: Rows longer than this are not kept between the passes over them.
LONGEST_ROW = 65_536
#: A single row longer than this is left to separate loops, which threads can share.
LONGEST_ONLY_ROW = 8_192
#: A row this short is not worth turning what lies outside of it into single numbers.
SHORTEST_NEW_ROW = 8

POINTWISE = ELEMENTWISE | {"copy"}

#: Operations, called as a whole elsewhere, that loops know as functions of one number.
FUNCTIONS = {"NormalCdf": "normal_cdf"}


def elementwise_call(instr: Instr) -> str | None:
    """The name of the function that a call is, applied to each number; else None."""
    if instr.op != "call" or instr.attrs["rule"] != "forward":
        return None
    if len(instr.inputs) != 1 or len(instr.outputs) != 1 or instr.attrs["kwargs"]:
        return None
    (x,) = instr.inputs
    if not isinstance(x, Value) or x.dtype.char not in "fd":
        return None
    return FUNCTIONS.get(instr.attrs["op"].__name__)


@dataclass
class Space:
    """Loops, and the members of a group.

    Attributes
    ----------
    extents : dict
        How long each loop is.
    loops : list of int
        Outermost first.
    row : int or None
        How many of the innermost loops are the row; None as long as nothing asks.
    axes : dict
        Of all members and of what they read.
    reduced : dict
        For each result of a reduction, the loops that it was taken over.
    """

    extents: dict[int, int] = field(default_factory=dict)
    loops: list[int] = field(default_factory=list)
    row: int | None = None
    axes: dict[Value, Axes] = field(default_factory=dict)
    reduced: dict[Value, frozenset[int]] = field(default_factory=dict)
    members: list[Instr] = field(default_factory=list)
    made: set[Value] = field(default_factory=set)

    def copy(self) -> Space:
        return Space(
            dict(self.extents),
            list(self.loops),
            self.row,
            dict(self.axes),
            dict(self.reduced),
            list(self.members),
            set(self.made),
        )

    @property
    def size(self) -> int:
        """How often the innermost loop's body runs."""
        return prod(self.extents[loop] for loop in self.loops)

    def touches(self, instr: Instr, known: Known) -> bool:
        """Whether an instruction reads anything that the members make or read."""
        return any(x in self.axes or known.root(x) in self.made for x in instr.values())

    def along(self, x: Value) -> frozenset[int]:
        """The loops along which a value varies."""
        return frozenset(loop for entry in self.axes[x] for loop in entry)

    def with_member(
        self, instr: Instr, known: Known, apart: bool = False
    ) -> Space | None:
        """This space with one more instruction; None where that is impossible.

        One that reads nothing that is known here is only taken if it may stand
        `apart`, and then if its output has the shape of the loops.
        """
        space = self.copy()
        if instr.op in REDUCTIONS:
            added = space._reduction(instr, known)
        else:
            added = space._pointwise(instr, known, apart)
        if not added:
            return None
        space.members.append(instr)
        space.made.add(instr.output)
        return space

    # Elementwise instructions

    def _pointwise(self, instr: Instr, known: Known, apart: bool) -> bool:
        y = instr.output
        entries: list[tuple[int, ...]] = [()] * y.ndim
        outer = []
        connected = apart or not self.members
        for x in dict.fromkeys(instr.values()):
            axes = self._axes(x, known)
            if axes is None:
                if known.root(x) in self.made:
                    return False
                outer.append(x)
                continue
            connected = True
            if not self._settle_row_for(known.root(x)) or not _join(entries, axes):
                return False
        if not (connected and self._complete(entries, y) and self._levelled(entries)):
            return False
        self.axes[y] = tuple(entries)
        for x in outer:
            ends = entries[y.ndim - x.ndim :]
            kept = zip(ends, x.shape, strict=True)
            self.axes[x] = tuple(entry if n != 1 else () for entry, n in kept)
        return True

    def _complete(self, entries: list[tuple[int, ...]], y: Value) -> bool:
        """Give loops to the axes that have none: free loops that fit, or new ones."""
        used = {loop for entry in entries for loop in entry}
        free = [loop for loop in self.loops if loop not in used]
        bare = [a for a in y.order if y.shape[a] != 1 and not entries[a]]
        if not bare:
            return True
        if [self.extents[loop] for loop in free] == [y.shape[a] for a in bare]:
            for axis, loop in zip(bare, free, strict=True):
                entries[axis] = (loop,)
            return True
        return not free and self._extend(entries, y, bare)

    def _extend(
        self, entries: list[tuple[int, ...]], y: Value, bare: list[int]
    ) -> bool:
        """New loops for an output that is larger than all before it."""
        if self.loops and prod(y.shape[a] for a in bare) < SHORTEST_NEW_ROW:
            return False
        if self.row is not None:
            return False
        for axis in bare:
            entries[axis] = (self._new(y.shape[axis]),)
        order = [loop for axis in y.order for loop in entries[axis]]
        if order[: len(self.loops)] != self.loops:
            return False
        if self.loops:
            self.row = len(order) - len(self.loops)
        self.loops = order
        return True

    def _new(self, extent: int) -> int:
        loop = max(self.extents, default=-1) + 1
        self.extents[loop] = extent
        return loop

    def _levelled(self, entries: list[tuple[int, ...]]) -> bool:
        """Whether a value varies along all loops, none, or all outside of the row.

        Once along each: x beside its own transpose needs loops of its own.
        """
        along = {loop for entry in entries for loop in entry}
        if len(along) < sum(map(len, entries)):
            return False
        if len(along) == len(self.loops) or not along:
            return True
        if along != set(self.loops[: len(along)]):
            return False
        row = len(self.loops) - len(along)
        if self.row is None:
            self.row = row
        return self.row == row

    # Reductions

    def _reduction(self, instr: Instr, known: Known) -> bool:
        (x,) = instr.values()
        axes = self._axes(x, known)
        if axes is None:
            if self.members:
                return False
            axes = self._begin(known.views(x))
            self.axes[x] = axes
        elif not self._settle_row_for(known.root(x)):
            return False
        over = instr.attrs["axis"]
        if any(x.shape[a] != 1 and not axes[a] for a in over):
            return False
        if not self._levelled(list(axes)):
            return False
        kept: list[tuple[int, ...]] = []
        for a, entry in enumerate(axes):
            if a not in over:
                kept.append(entry)
            elif instr.attrs.get("keepdims"):
                kept.append(())
        self.axes[instr.output] = tuple(kept)
        loops = frozenset(loop for a in over for loop in axes[a])
        if loops:
            self.reduced[instr.output] = loops
        return True

    def _begin(self, view: View) -> Axes:
        """Loops over what the first member reads, in the order of its memory."""
        entries: list[tuple[int, ...]] = [()] * len(view.shape)
        for axis in sorted(range(len(view.shape)), key=lambda a: -abs(view.strides[a])):
            if view.shape[axis] != 1:
                entries[axis] = (self._new(view.shape[axis]),)
                self.loops.append(entries[axis][0])
        return tuple(entries)

    def _settle_row_for(self, x: Value) -> bool:
        """Whether a value can be read inside of the loops: it may make them a row."""
        over = self.reduced.get(x)
        if over is None:
            return True
        row = len(over)
        if over != set(self.loops[-row:]) or self.row not in (None, row):
            return False
        length = prod(self.extents[loop] for loop in over)
        rows = prod(self.extents[loop] for loop in self.loops[:-row])
        if length > (LONGEST_ROW if rows > 1 else LONGEST_ONLY_ROW):
            return False
        self.row = row
        return True

    # Views of members

    def _axes(self, x: Value, known: Known) -> Axes | None:
        """How a value lies, a member, a view of one, or something read before."""
        if x in self.axes:
            return self.axes[x]
        instr = known.makers.get(x)
        if instr is None or instr.op not in VIEWS or known.root(x) not in self.made:
            return None
        (source,) = instr.values()
        axes = self._axes(source, known)
        if axes is None:
            return None
        found = self._through(instr, source, axes)
        if found is not None:
            self.axes[x] = found
        return found

    def _through(self, instr: Instr, x: Value, axes: Axes) -> Axes | None:
        """The axes of a view of `x`."""
        if instr.op == "transpose":
            return tuple(axes[a] for a in instr.attrs["axes"])
        if instr.op == "broadcast_to":
            return ((),) * (instr.output.ndim - x.ndim) + axes
        if instr.op == "reshape":
            return self._reshaped(x.shape, instr.output.shape, axes)
        return _sliced(x.shape, instr.attrs["index"], axes)

    def _reshaped(
        self, old: tuple[int, ...], new: tuple[int, ...], axes: Axes
    ) -> Axes | None:
        if 0 in old:
            return None
        entries: list[tuple[int, ...]] = [()] * len(new)
        for mine, yours in runs(old, new):
            wide = [a for a in mine if old[a] != 1]
            if not any(axes[a] for a in wide):
                continue
            if not all(axes[a] for a in wide):
                return None
            loops = [loop for a in wide for loop in axes[a]]
            for axis in yours:
                taken = self._take(loops, new[axis])
                if taken is None:
                    return None
                entries[axis] = taken
        return tuple(entries)

    def _take(self, loops: list[int], extent: int) -> tuple[int, ...] | None:
        """The first of some loops that hold `extent` steps; one may have to be cut."""
        taken: list[int] = []
        left = extent
        while left > 1:
            n = self.extents[loops[0]]
            if left % n == 0:
                left //= n
                taken.append(loops.pop(0))
            elif n % left == 0:
                loops[:1] = self._cut(loops[0], left)
            else:
                return None
        return tuple(taken)

    def _cut(self, loop: int, outer: int) -> list[int]:
        """Make two loops of one, everywhere; the first has `outer` steps."""
        parts = [self._new(outer)]
        parts.append(self._new(self.extents[loop] // outer))
        at = self.loops.index(loop)
        if self.row is not None and at >= len(self.loops) - self.row:
            self.row += 1
        self.loops[at : at + 1] = parts
        for x, axes in self.axes.items():
            self.axes[x] = tuple(_replaced(entry, loop, parts) for entry in axes)
        for x, over in self.reduced.items():
            self.reduced[x] = frozenset(_replaced(tuple(over), loop, parts))
        return parts


def _replaced(entry: tuple[int, ...], loop: int, parts: list[int]) -> tuple[int, ...]:
    return tuple(new for old in entry for new in (parts if old == loop else (old,)))


def _sliced(shape: tuple[int, ...], index: Iterable[Any], axes: Axes) -> Axes | None:
    """The axes of a slice that leaves nothing out but axes of length one."""
    kept: list[tuple[int, ...]] = []
    for n, part, entry in zip(shape, index, axes, strict=True):
        if isinstance(part, slice):
            if range(n)[part] != range(n):
                return None
            kept.append(entry)
        elif n != 1:
            return None
    return tuple(kept)


def _join(entries: list[tuple[int, ...]], axes: Axes) -> bool:
    """Whether an operand's axes, from the right, go with those found so far."""
    missing = len(entries) - len(axes)
    for axis, entry in enumerate(axes, missing):
        if entry and entries[axis] and entries[axis] != entry:
            return False
        entries[axis] = entries[axis] or entry
    return True


def runs(
    old: tuple[int, ...], new: tuple[int, ...]
) -> list[tuple[list[int], list[int]]]:
    """The shortest runs of axes of two shapes that hold equally many elements.

    Examples
    --------
    >>> runs((2, 6), (2, 2, 3))
    [([0], [0]), ([1], [1, 2])]
    """
    found: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(old) or j < len(new):
        mine: list[int] = []
        yours: list[int] = []
        p = q = 1
        while not (p == q and mine and yours) and (i < len(old) or j < len(new)):
            if i < len(old) and (p <= q or j == len(new)):
                p *= old[i]
                mine.append(i)
                i += 1
            else:
                q *= new[j]
                yours.append(j)
                j += 1
        found.append((mine, yours))
    return found


@dataclass
class Known:
    """What the whole program says about a value."""

    makers: dict[Value, Instr]
    views: Views

    def root(self, x: Value) -> Value:
        return self.views(x).root
