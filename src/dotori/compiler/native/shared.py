"""A product that threads share, cut by its shape alone.

A BLAS library adds up the last rows of a matrix in an order of their own, so a product
of half of the rows differs from half of the product, in the last bits. Pieces that do
not depend on the number of threads give results that do not.
"""

from __future__ import annotations

from dotori.compiler.native.language import Array, compiled, matmul


@compiled
def multiply_in_pieces(
    a: Array, b: Array, out: Array, thread: int, threads: int
) -> None:
    """out = a @ b, in up to four pieces of its rows, or of its columns."""
    m, n = out.shape
    longer = max(m, n)
    pieces = 4 if longer >= 256 else 2 if longer >= 64 else 1
    for p in range(thread, pieces, threads):
        start, stop = longer * p // pieces, longer * (p + 1) // pieces
        if m >= n:
            matmul(a[start:stop], b, out[start:stop])
        else:
            matmul(a, b[:, start:stop], out[:, start:stop])
