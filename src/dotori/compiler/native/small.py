"""Small products of matrices: loops over tiles, where calling a library costs more.

A BLAS library packs both matrices before it multiplies and asks how many threads to
use; that pays from some 10^5 multiplications on. Below, these loops take the matrices
as they lie. Matrices are pointers with a stride for each axis, in numbers.
"""

from __future__ import annotations

from typing import Any

from dotori.compiler.native import tiles
from dotori.errors import need


def product(bits: int, options: dict[str, Any]) -> Any:
    """``product(a, a_row, a_step, b, b_step, b_column, out, gap, m, n, k, add)``.

    For numbers of 32 or 64 bits: out (m x n) = a (m x k) @ b (k x n), added to what is
    there if `add`. The strides of `a` are any, one of those of `b` is 1, and the rows
    of `out` are contiguous, `gap` apart; 0 < k <= `DEPTH`.
    """
    numba: Any = need("numba", "fast", "compiled steps")
    by_rows = numba.njit(_by_rows(bits, options), **options)
    by_dots = numba.njit(_by_dots(bits), **options)
    transposed = numba.njit(_transposed(), **options)
    wide = numba.njit(_wide(by_rows, by_dots, transposed), **options)
    narrow = numba.njit(_narrow(by_rows, by_dots, transposed), **options)

    size = tiles.SCRATCH

    def small(
        a: Any,
        a_row: int,
        a_step: int,
        b: Any,
        b_step: int,
        b_column: int,
        out: Any,
        gap: int,
        m: int,
        n: int,
        k: int,
        add: bool,
    ) -> None:
        fits = n * max(m, k) <= size or (n == gap == b_step == 1)
        if n < 4 and n < m and fits and (a_row == 1 or a_step == 1):
            narrow(a, a_row, a_step, b, b_step, b_column, out, gap, m, n, k, add)
        else:
            wide(a, a_row, a_step, b, b_step, b_column, out, gap, m, n, k, add)

    return numba.njit(small, **options)


#: The most rows of b: 16 of its columns fit into the memory on the stack.
DEPTH = tiles.SCRATCH // 16


def _by_rows(bits: int, options: dict[str, Any]) -> Any:
    """b's rows are contiguous: strips of 6, 4, 2 or 1 rows of `out`."""
    numba: Any = need("numba", "fast", "compiled steps")
    at = tiles.pointers()["at"]
    strip6, strip4, strip2, strip1 = (
        numba.njit(_strip(rows, bits), **options) for rows in (6, 4, 2, 1)
    )

    def by_rows(
        a: Any,
        row: int,
        step: int,
        b: Any,
        pitch: int,
        out: Any,
        gap: int,
        m: int,
        n: int,
        k: int,
        add: bool,
    ) -> None:
        i = 0
        while i + 6 <= m:
            strip6(
                at(a, i * row), row, step, b, pitch, at(out, i * gap), gap, n, k, add
            )
            i += 6
        if i + 4 <= m:
            strip4(
                at(a, i * row), row, step, b, pitch, at(out, i * gap), gap, n, k, add
            )
            i += 4
        if i + 2 <= m:
            strip2(
                at(a, i * row), row, step, b, pitch, at(out, i * gap), gap, n, k, add
            )
            i += 2
        if i < m:
            strip1(
                at(a, i * row), row, step, b, pitch, at(out, i * gap), gap, n, k, add
            )

    return by_rows


def _strip(rows: int, bits: int) -> Any:
    """Tiles from left to right; eight vectors of sums hide what an addition takes."""
    lanes, at = tiles.lanes(bits), tiles.pointers()["at"]
    quarter = min(lanes, 4)
    vectors = {6: 2, 4: 2, 2: 4, 1: 8}[rows]
    broad = vectors * lanes
    wide, single = tiles.tile(rows, vectors, lanes), tiles.tile(rows, 1, lanes)
    part, one = tiles.tile(rows, 1, quarter), tiles.tile(rows, 1, 1)

    def strip(
        a: Any,
        row: int,
        step: int,
        b: Any,
        pitch: int,
        out: Any,
        gap: int,
        n: int,
        k: int,
        add: bool,
    ) -> None:
        j = 0
        while j + broad <= n:
            wide(a, row, step, at(b, j), pitch, at(out, j), gap, k, add)
            j += broad
        while j + lanes <= n:
            single(a, row, step, at(b, j), pitch, at(out, j), gap, k, add)
            j += lanes
        if j < n and n >= lanes and not add:  # once more what is there already
            j = n - lanes
            single(a, row, step, at(b, j), pitch, at(out, j), gap, k, add)
            return
        while j + quarter <= n:
            part(a, row, step, at(b, j), pitch, at(out, j), gap, k, add)
            j += quarter
        if j < n and n >= quarter and not add:
            j = n - quarter
            part(a, row, step, at(b, j), pitch, at(out, j), gap, k, add)
            return
        while j < n:
            one(a, row, step, at(b, j), pitch, at(out, j), gap, k, add)
            j += 1

    return strip


def _by_dots(bits: int) -> Any:
    """a's rows and b's columns are contiguous: their products, four columns at once."""
    at = tiles.pointers()["at"]
    four, one = tiles.dots(4, tiles.lanes(bits)), tiles.dots(1, tiles.lanes(bits))

    def by_dots(
        a: Any,
        row: int,
        b: Any,
        pitch: int,
        out: Any,
        gap: int,
        m: int,
        n: int,
        k: int,
        add: bool,
    ) -> None:
        for i in range(m):
            j = 0
            while j + 4 <= n:
                four(
                    at(a, i * row),
                    at(b, j * pitch),
                    pitch,
                    at(out, i * gap + j),
                    k,
                    add,
                )
                j += 4
            while j < n:
                one(
                    at(a, i * row),
                    at(b, j * pitch),
                    pitch,
                    at(out, i * gap + j),
                    k,
                    add,
                )
                j += 1

    return by_dots


def _transposed() -> Any:
    """``to[j, i] = x[i, j]``, rows x columns, each with a pitch from row to row."""
    at, turn = tiles.pointers()["at"], tiles.turn()

    def transposed(
        x: Any, pitch: int, to: Any, to_pitch: int, rows: int, columns: int
    ) -> None:
        even_rows, even_columns = rows // 4 * 4, columns // 4 * 4
        for i in range(0, even_rows, 4):
            for j in range(0, even_columns, 4):
                turn(at(x, i * pitch + j), pitch, at(to, j * to_pitch + i), to_pitch)
        for i in range(rows):
            for j in range(even_columns if i < even_rows else 0, columns):
                to[j * to_pitch + i] = x[i * pitch + j]

    return transposed


def _wide(by_rows: Any, by_dots: Any, transposed: Any) -> Any:
    """The rows of b, or of its transpose, a stretch of columns at a time."""
    at, scratch = tiles.pointers()["at"], tiles.pointers()["scratch"]
    size = tiles.SCRATCH

    def wide(
        a: Any,
        a_row: int,
        a_step: int,
        b: Any,
        b_step: int,
        b_column: int,
        out: Any,
        gap: int,
        m: int,
        n: int,
        k: int,
        add: bool,
    ) -> None:
        if b_column == 1:
            by_rows(a, a_row, a_step, b, b_step, out, gap, m, n, k, add)
        elif m < 4 and a_step == 1:
            by_dots(a, a_row, b, b_column, out, gap, m, n, k, add)
        else:
            packed = scratch(b)
            stretch = n if n * k <= size else size // k // 16 * 16
            for j in range(0, n, stretch):
                width = min(stretch, n - j)
                transposed(at(b, j * b_column), b_column, packed, width, width, k)
                by_rows(
                    a, a_row, a_step, packed, width, at(out, j), gap, m, width, k, add
                )

    return wide


def _narrow(by_rows: Any, by_dots: Any, transposed: Any) -> Any:
    """Few columns: the transpose of the product is wide; it is turned at the end."""
    scratch = tiles.pointers()["scratch"]

    def narrow(
        a: Any,
        a_row: int,
        a_step: int,
        b: Any,
        b_step: int,
        b_column: int,
        out: Any,
        gap: int,
        m: int,
        n: int,
        k: int,
        add: bool,
    ) -> None:
        direct = n == 1 and gap == 1
        made, packed = scratch(b), scratch(b)
        to = out if direct else made
        adds = add and direct
        if a_row == 1:
            by_rows(b, b_column, b_step, a, a_step, to, m, n, m, k, adds)
        elif b_step == 1:
            by_dots(b, b_column, a, a_row, to, m, n, m, k, adds)
        else:
            transposed(b, b_step, packed, k, k, n)
            by_dots(packed, k, a, a_row, to, m, n, m, k, adds)
        if not direct:
            for i in range(m):
                for j in range(n):
                    if add:
                        out[i * gap + j] += made[j * m + i]
                    else:
                        out[i * gap + j] = made[j * m + i]

    return narrow
