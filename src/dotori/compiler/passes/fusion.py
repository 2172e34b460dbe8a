"""Fusion: elementwise instructions and reductions that share loops become one.

Values that only the group reads never reach memory, or only a row at a time. Nothing is
computed twice. What a group's loops are, and which instructions may share them, is the
matter of `fusion_space`; here the groups are found so that no group waits for itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.passes.dead import without_dead_code
from dotori.compiler.passes.fusion_space import (
    POINTWISE,
    Known,
    Space,
    elementwise_call,
)
from dotori.compiler.primitives import REDUCTIONS, VIEWS
from dotori.compiler.views import Views

#: More members would make the loop long to compile, more arrays leave no registers.
MOST_MEMBERS = 80
MOST_ARRAYS = 24


def fused(program: Program) -> Program:
    """The program with ``fused`` instructions for elementwise ones and reductions.

    Reshapes that have to move elements become copies first, so that every view that
    remains only says how memory is walked. A ``fused`` instruction has the attributes
    ``body``, its members and the views among them in order, and ``space``, the loops
    (`dotori.compiler.passes.fusion_space.Space`). Instructions of types that loops
    cannot handle stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> f4 = np.dtype("f4")
    >>> x, h, y = (Value((8, 4), f4, kind) for kind in ("input", "made", "made"))
    >>> instrs = [Instr("add", (x, 0.5), (h,)), Instr("exp", (h,), (y,))]
    >>> [instr.op for instr in fused(Program([x], [], instrs, [y])).instrs]
    ['fused']
    """
    program = with_copies(without_dead_code(program))
    grouping = _Grouping(program)
    for i, instr in enumerate(program.instrs):
        if instr.op not in VIEWS:
            grouping.add(i, instr)
    grouping.merge()
    return grouping.program()


def with_copies(program: Program) -> Program:
    """The program with a copy before each reshape that is no view of its input."""
    views = Views(Program([], [], [], []))
    instrs: list[Instr] = []
    for instr in program.instrs:
        views.add(instr)
        if instr.op == "reshape" and views(instr.output).root is instr.output:
            (x,) = instr.values()
            copied = Value(x.shape, x.dtype, name=x.name)
            instrs.append(Instr("copy", (x,), (copied,), {}, instr.where))
            instr = Instr("reshape", (copied,), instr.outputs, instr.attrs, instr.where)
            views.forget(instr.output)
            views.add(instr)
        instrs.append(instr)
    return program.with_instrs(instrs)


def fusable(instr: Instr) -> bool:
    """Whether an instruction can be part of a loop: its operation, and its types."""
    known = instr.op in POINTWISE or instr.op in REDUCTIONS
    if not known and elementwise_call(instr) is None:
        return False
    values = [*instr.values(), *instr.outputs]
    return all(x.dtype.kind in "biuf" and x.dtype.itemsize <= 8 for x in values) and (
        all(x.dtype.char not in "eg" for x in values)
    )


#: Where these stand alone, they belong to what reads them: beside what makes their
#: input they would only be one more array to write. The slope of a ReLU is one.
LATE = frozenset(
    "equal not_equal less less_equal greater greater_equal sign isnan".split()
)


@dataclass(eq=False)
class _Node:
    """A group, or an instruction that stays alone (its space is None)."""

    instrs: list[tuple[int, Instr]]
    space: Space | None
    needs: set[_Node] = field(default_factory=set)

    @property
    def first(self) -> int:
        return self.instrs[0][0]

    @property
    def last(self) -> int:
        return self.instrs[-1][0]


class _Grouping:
    """Groups, and how they depend on each other."""

    def __init__(self, given: Program) -> None:
        self.given = given
        self.known = Known(given.made_by(), Views(given))
        self.nodes: dict[_Node, None] = {}
        self.node_of: dict[Value, _Node] = {}
        self.readers: dict[Value, list[_Node]] = {}

    def add(self, i: int, instr: Instr) -> None:
        """Put an instruction into the first group that takes it, or a new one."""
        needs = self._needs(instr)
        if fusable(instr) and instr.op not in LATE:
            for node in self._candidates(instr):
                if self._join(node, i, instr, needs):
                    return
        space = Space().with_member(instr, self.known) if fusable(instr) else None
        self._note(_Node([(i, instr)], space, needs), instr)

    def _needs(self, instr: Instr) -> set[_Node]:
        roots = (self.known.root(x) for x in instr.values())
        return {self.node_of[x] for x in roots if x in self.node_of}

    def _candidates(self, instr: Instr) -> list[_Node]:
        """Groups that make what it reads, the latest first; then those that read it."""
        makers = sorted(self._needs(instr), key=lambda node: -node.last)
        beside = [node for x in instr.values() for node in self.readers.get(x, ())]
        found = dict.fromkeys([*makers, *reversed(beside)])
        return [node for node in found if node.space is not None]

    def _join(self, node: _Node, i: int, instr: Instr, needs: set[_Node]) -> bool:
        if any(other is not node and self._waits(other, node) for other in needs):
            return False
        assert node.space is not None
        space = node.space.with_member(instr, self.known)
        if space is None or not _small(space, self.known):
            return False
        node.space = space
        node.instrs.append((i, instr))
        node.needs |= needs - {node}
        self._note(node, instr)
        return True

    def _note(self, node: _Node, instr: Instr) -> None:
        self.nodes[node] = None
        for y in instr.outputs:
            self.node_of[y] = node
        for x in instr.values():
            self.readers.setdefault(x, []).append(node)

    def _waits(self, node: _Node, other: _Node) -> bool:
        """Whether `node` can only run after `other`."""
        waiting, seen = [node], {node}
        while waiting:
            for needed in waiting.pop().needs:
                if needed is other:
                    return True
                if needed not in seen and needed.last > other.first:
                    seen.add(needed)
                    waiting.append(needed)
        return False

    # Groups that feed each other

    def merge(self) -> None:
        """Join groups of which one reads what the other makes, where they agree."""
        for node in list(self.nodes):
            if len(node.instrs) == 1 and node.instrs[0][1].op in LATE:
                readers = [other for other in self.nodes if node in other.needs]
                any(self._merge(node, reader) for reader in readers)
        for node in list(self.nodes):
            joined = True
            while joined and node in self.nodes:
                joined = any(
                    self._merge(needed, node)
                    for needed in sorted(node.needs, key=lambda n: -n.last)
                )

    def _merge(self, a: _Node, b: _Node) -> bool:
        """Move what `a` holds into `b`, which reads some of it."""
        if a.space is None or b.space is None:
            return False
        small, large = sorted((a.space.size, b.space.size))
        if small and large % small:
            return False
        instrs = sorted(a.instrs + b.instrs, key=lambda pair: pair[0])
        if len(instrs) > MOST_MEMBERS:
            return False
        if any(n is not a and self._waits(n, a) for n in b.needs):
            return False
        space = _replayed(instrs, self.known)
        if space is None or not _small(space, self.known):
            return False
        b.space, b.instrs = space, instrs
        b.needs = (a.needs | b.needs) - {a, b}
        self._replace(a, b)
        return True

    def _replace(self, a: _Node, b: _Node) -> None:
        del self.nodes[a]
        for node in self.nodes:
            if a in node.needs:
                node.needs.discard(a)
                node.needs.add(b)
        for _, instr in a.instrs:
            for y in instr.outputs:
                self.node_of[y] = b

    # The program of the groups

    def program(self) -> Program:
        """Each group as one instruction, and the views that are still read."""
        wanted = set(self.given.results())
        for node in self.nodes:
            wanted.update(self._read(node))
        instrs: list[Instr] = []
        done: set[Value] = set()
        for node in self._sorted():
            instr = self._instr(node, wanted)
            if instr.op == "fused" and not instr.outputs:
                continue
            for x in instr.values():
                self._add_views(x, instrs, done)
            instrs.append(instr)
        for x in self.given.results():
            self._add_views(x, instrs, done)
        return self.given.with_instrs(instrs)

    def _read(self, node: _Node) -> Iterable[Value]:
        """What a node reads from outside; and what that is a view of."""
        made = node.space.made if node.space else set()
        for _, instr in node.instrs:
            for x in instr.values():
                if self.known.root(x) not in made:
                    yield x
                    yield self.known.root(x)

    def _add_views(self, x: Value, instrs: list[Instr], done: set[Value]) -> None:
        chain = []
        maker = self.known.makers.get(x)
        while maker is not None and maker.op in VIEWS and x not in done:
            done.add(x)
            chain.append(maker)
            (x,) = maker.values()
            maker = self.known.makers.get(x)
        instrs.extend(reversed(chain))

    def _instr(self, node: _Node, wanted: set[Value]) -> Instr:
        if node.space is None:
            return node.instrs[0][1]
        body: list[Instr] = []
        inside: set[Value] = set()
        inputs: dict[Value, None] = {}
        for _, instr in node.instrs:
            for x in instr.values():
                if self.known.root(x) in node.space.made:
                    self._add_views(x, body, inside)
                else:
                    inputs[x] = None
            body.append(instr)
        results = {self.known.root(x) for x in self.given.results()}
        made = [instr.output for _, instr in node.instrs]
        outputs = tuple(y for y in made if y in wanted or y in results)
        attrs = {"body": body, "space": node.space}
        where = next((instr.where for _, instr in node.instrs if instr.where), "")
        return Instr("fused", tuple(inputs), outputs, attrs, where)

    def _sorted(self) -> Iterable[_Node]:
        """Each node after those it needs, else in the order of the program."""
        missing = {node: len(node.needs) for node in self.nodes}
        followers: dict[_Node, list[_Node]] = {}
        for node in self.nodes:
            for needed in node.needs:
                followers.setdefault(needed, []).append(node)
        at = {node.last: node for node in self.nodes}
        ready = [node.last for node, n in missing.items() if not n]
        heapq.heapify(ready)
        while ready:
            node = at[heapq.heappop(ready)]
            yield node
            for follower in followers.get(node, ()):
                missing[follower] -= 1
                if not missing[follower]:
                    heapq.heappush(ready, follower.last)


def _small(space: Space, known: Known) -> bool:
    arrays = sum(known.root(x) not in space.made for x in space.axes)
    return len(space.members) <= MOST_MEMBERS and arrays <= MOST_ARRAYS


def _replayed(instrs: list[tuple[int, Instr]], known: Known) -> Space | None:
    """One space for all these instructions; None where they do not agree.

    An instruction that shares nothing with those before it waits until one that
    connects them has come, as only then is it known which loops are the same. If all
    wait, the first is taken to run along the loops that have its shape.
    """
    space = Space()
    waiting = [instr for _, instr in instrs]
    unmade = {y for instr in waiting for y in instr.outputs}
    apart = False
    while waiting:
        postponed: list[Instr] = []
        for instr in waiting:
            ready = unmade.isdisjoint(known.root(x) for x in instr.values())
            loose = space.members and not space.touches(instr, known)
            if not ready or (loose and not apart):
                postponed.append(instr)
                continue
            joined = space.with_member(instr, known, apart)
            if joined is None:
                return None
            space, apart = joined, False
            unmade.discard(instr.output)
        if len(postponed) == len(waiting):
            if apart:
                return None
            apart = True
        waiting = postponed
    return space
