"""Where the elements of a value lie: views as an offset and strides of other memory.

A view makes nothing: reshape, transpose, slice and broadcast_to only say in which steps
memory is walked. What makes a value of its own is its `root`.
"""

from __future__ import annotations

from dataclasses import dataclass

from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.passes import strides as steps
from dotori.compiler.primitives import VIEWS

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Element (i, j, ...) stands at ``offset + i strides[0] + j strides[1] + ...``.

    All are counted in elements of `root`, a value that is no view.
    """

    root: Value
    offset: int
    shape: Shape
    strides: Shape

    def is_dense(self) -> bool:
        """Whether the elements lie in C order without gaps."""
        step = 1
        for n, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if n != 1 and stride != step:
                return 0 in self.shape
            step *= n
        return True

    def ends(self) -> tuple[int, int]:
        """The least and the greatest place of an element; the offset where none is."""
        low = high = self.offset
        if 0 not in self.shape:
            for n, stride in zip(self.shape, self.strides, strict=True):
                low += min(0, (n - 1) * stride)
                high += max(0, (n - 1) * stride)
        return low, high

    def transposed(self, axes: Shape) -> View:
        """The same elements, the axes in another order."""
        shape = tuple(self.shape[a] for a in axes)
        strides = tuple(self.strides[a] for a in axes)
        return View(self.root, self.offset, shape, strides)


def whole(x: Value) -> View:
    """A value as the view of itself."""
    lies = steps.dense(x) if x.array is None else x.array.strides
    return View(x, 0, x.shape, _elements(lies, x))


def viewed(instr: Instr, x: View) -> View | None:
    """The view that a view instruction makes of `x`; None where it has to copy."""
    size = x.root.dtype.itemsize
    found = steps.viewed(instr, tuple(s * size for s in x.strides))
    if found is None:
        return None
    offset, strides = found
    shape = instr.output.shape
    return View(x.root, x.offset + offset // size, shape, _elements(strides, x.root))


def _elements(strides: Shape, x: Value) -> Shape:
    return tuple(s // x.dtype.itemsize for s in strides)


class Views:
    """The view behind each value of a program; made values stand for themselves."""

    def __init__(self, program: Program) -> None:
        self._found: dict[Value, View] = {}
        for instr in program.instrs:
            self.add(instr)

    def add(self, instr: Instr) -> None:
        """Take note of what an instruction makes."""
        if instr.op in VIEWS:
            (x,) = instr.values()
            view = viewed(instr, self(x))
            if view is not None:
                self._found[instr.output] = view

    def forget(self, x: Value) -> None:
        """Take back what was said of a value."""
        self._found.pop(x, None)

    def __call__(self, x: Value) -> View:
        found = self._found.get(x)
        if found is None:
            found = self._found[x] = whole(x)
        return found
