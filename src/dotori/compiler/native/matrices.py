"""Products of matrices in the source of a step: which memory is seen as what matrix."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from dotori.compiler.ir import Value
from dotori.compiler.native.expressions import DType
from dotori.compiler.native.nest import Lying
from dotori.compiler.native.slots import view_text

Shape = tuple[int, ...]

#: Multiplications from which on a product is shared among the threads.
LEAST_SHARED = 1 << 17


@dataclass(frozen=True, slots=True)
class Operand:
    """A stack of matrices in memory."""

    slot: int
    dtype: DType
    shape: Shape
    strides: Shape

    def merged(self) -> Operand | None:
        """A stack of matrices below each other as one; None if they do not lie so."""
        *front, n = self.shape
        *steps, step = self.strides
        rows, stride = 1, 0
        for extent, own in reversed(list(zip(front, steps, strict=True))):
            if extent == 1:
                continue
            if rows > 1 and own != stride * rows:
                return None
            stride = stride if rows > 1 else own
            rows *= extent
        return Operand(self.slot, self.dtype, (rows, n), (stride, step))

    def text(self, index: tuple[str, ...], slot: str = "") -> tuple[str, str] | None:
        """The source of the array, and of the matrix at a place of the stack.

        None if its memory cannot be seen as a matrix or its transpose.
        """
        m, k = self.shape[-2:]
        row, column = self.strides[-2:]
        if k == 1 and m != 1:
            column = 1 if row != 1 else m
        elif k == 1:
            column = 1
        if m == 1:
            row = k * column if column else 0
        batch = zip(index, self.shape[:-2], self.strides[:-2], strict=True)
        axes = [(step, n, name) for name, n, step in batch if n != 1 and step]
        axes += [(row, m, ":"), (column, k, ":")]
        order = sorted(range(len(axes)), key=lambda a: -axes[a][0])
        extents: list[int] = []
        parts: list[str] = []
        for at, a in enumerate(order):
            step, n, name = axes[a]
            whole = n if not at else axes[order[at - 1]][0] // step if step > 0 else 0
            if step <= 0 or whole < n or (at and axes[order[at - 1]][0] % step):
                return None
            extents.append(whole)
            parts.append(f":{n}" if name == ":" and whole != n else name)
        if axes[order[-1]][0] != 1:
            return None
        turned = order.index(len(axes) - 2) > order.index(len(axes) - 1)
        base = view_text(self.dtype, slot or self.slot, tuple(extents))
        plain = all(part == ":" for part in parts)
        return base, ("" if plain else f"[{', '.join(parts)}]") + ".T" * turned


def operand(x: Value, lying: Lying) -> Operand | None:
    """A value as a stack of matrices; None if it is walked backwards."""
    if lying.offset:
        return None
    return Operand(lying.slot, x.dtype, x.shape, lying.strides)


@dataclass(frozen=True, slots=True)
class Product:
    """``y = a @ b`` as source.

    Attributes
    ----------
    text : str
        Of a function ``NAME(table, a, b, y, thread, threads)``; empty if `call` says
        all.
    call : str
    shared : bool
        Whether all threads take part.
    """

    text: str
    call: str
    shared: bool


def product(a: Operand, b: Operand, y: Operand, threads: int) -> Product | None:
    """The product of two stacks; None where one does not lie like matrices."""
    work = prod(y.shape) * a.shape[-1]
    shared = threads > 1 and work >= LEAST_SHARED
    if prod(b.shape[:-2]) == 1 and len(y.shape) > 2:
        one, two = a.merged(), y.merged()
        if one is not None and two is not None:
            b = Operand(b.slot, b.dtype, b.shape[-2:], b.strides[-2:])
            merged = product(one, b, two, threads)
            if merged is not None:
                return merged
    if len(y.shape) == 2:
        texts = [x.text(()) for x in (a, b, y)]
        given = _ordered(["".join(t) if t else None for t in texts])
        if given is None:
            return None
        if shared:
            call = f"multiply_matrices({', '.join(given)}, thread, threads)"
        else:
            call = f"matmul({', '.join(given)})"
        return Product("", call, shared)
    return _stacked(a, b, y, shared)


def _ordered(texts: list[str | None]) -> list[str] | None:
    """The operands so that the output is no transpose: (a b)' = b' a'."""
    a, b, y = texts
    if a is None or b is None or y is None:
        return None
    if y.endswith(".T"):
        return [_turned(b), _turned(a), y.removesuffix(".T")]
    return [a, b, y]


def _turned(text: str) -> str:
    return text.removesuffix(".T") if text.endswith(".T") else f"{text}.T"


def _stacked(a: Operand, b: Operand, y: Operand, shared: bool) -> Product | None:
    """A function with a loop over the stack, whose matrices the threads share."""
    batch = y.shape[:-2]
    names = tuple("ijklmnop"[: len(batch)])
    lines = ["@compiled", "def NAME(table, a, b, y, thread, threads):"]
    texts: list[str | None] = []
    for name, x in zip("aby", (a, b, y), strict=True):
        index = names[len(batch) - (len(x.shape) - 2) :]
        text = x.text(index, name)
        if text is None:
            return None
        lines.append(f"    {name}_all = {text[0]}")
        texts.append(f"{name}_all{text[1]}")
    given = _ordered(texts)
    if given is None:
        return None
    bounds = f"thread, {prod(batch)}, threads" if shared else str(prod(batch))
    lines.append(f"    for n in range({bounds}):")
    rest = prod(batch)
    for name, extent in zip(names, batch, strict=True):
        rest //= extent
        whole = f"n // {rest}" if rest > 1 else "n"
        lines.append(f"        {name} = {whole} % {extent}")
    lines.append(f"        matmul({', '.join(given)})")
    call = f"NAME(table, {a.slot}, {b.slot}, {y.slot}, thread, threads)"
    return Product("\n".join(lines) + "\n", call, shared)
