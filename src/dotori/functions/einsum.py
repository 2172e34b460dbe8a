"""`einsum`: sums of products, named by the letters of their axes.

It contracts two tensors at a time, in an order that keeps what lies between small, and
each pair through one product of matrices: much faster than loops over all letters, and
the gradients are those of products.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from string import ascii_letters, ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import implements
from dotori.functions.elementwise import mul
from dotori.functions.linear import matmul
from dotori.functions.reduce import sum as _sum
from dotori.functions.shape import cast, getitem, permute, reshape

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["einsum"]

#: The axes of one tensor by name: a letter each, or ".k" for the k-th of an ellipsis,
#: counted from its end, so that ellipses of different lengths broadcast.
Labels = tuple[str, ...]
Term = tuple["Tensor", Labels]

_NUMBERED = ascii_uppercase + ascii_lowercase  # the letters of the sublist format


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sums of products by Einstein's convention.

    Parameters
    ----------
    equation : str
        ``"ij,jk->ik"``: a letter for each axis. Letters that the output lacks are
        summed over; a letter twice in one term is its diagonal; ``...`` stands for any
        axes, which broadcast. Without ``->`` the output has the letters that occur
        once, in alphabetical order, after the ellipsis.
    *operands : Tensor
        One for each term. Or everything in the sublist format:
        ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.

    Raises
    ------
    ArgumentError
        If the equation makes no sense.
    ShapeError
        If it does not fit the shapes.

    Examples
    --------
    >>> einsum("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    >>> einsum("ii", [[1.0, 2.0], [3.0, 4.0]]).item()
    5.0
    >>> einsum([1.0, 2.0], [0], [3.0, 4.0], [1], [1, 0]).tolist()
    [[3.0, 6.0], [4.0, 8.0]]
    """
    if not isinstance(equation, str):
        equation, operands = _from_sublists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        inner = operands[0]
        if inner and all(hasattr(t, "shape") for t in inner):
            operands = tuple(inner)  # einsum(equation, [a, b]), as PyTorch allows
    tensors = [as_variable(t) for t in operands]
    terms, output = _parse(equation, tensors)
    sizes = _sizes(equation, terms)
    pending = [_diagonals(t, labels) for t, labels in terms]
    while len(pending) > 1:
        i, j = _cheapest(pending, output, sizes)
        others = [t for k, t in enumerate(pending) if k not in (i, j)]
        kept = set(output).union(*(labels for _, labels in others))
        pending = [*others, contract(pending[i], pending[j], kept)]
    result, labels = _sum_out(pending[0], set(output))
    return permute(result, [labels.index(c) for c in output])


@implements(np.einsum)
def _numpys_einsum(*operands: Any, optimize: Any = True) -> Tensor:
    return einsum(*operands)


def _from_sublists(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The equation and the operands of ``einsum(a, [0, 1], b, [1, 2], [0, 2])``."""
    pairs, rest = len(given) // 2, len(given) % 2
    if not pairs:
        raise ArgumentError("einsum: an equation and operands are wanted")
    left = ",".join(_letters(part) for part in given[1 : 2 * pairs : 2])
    equation = f"{left}->{_letters(given[-1])}" if rest else left
    return equation, given[: 2 * pairs : 2]


def _letters(sublist: Any) -> str:
    try:
        parts = ["..." if n is Ellipsis else _NUMBERED[range(52)[n]] for n in sublist]
    except (TypeError, IndexError) as error:
        raise ArgumentError(
            f"einsum: a list of Ellipsis and ints below 52 was wanted, got {sublist!r}"
        ) from error
    return "".join(parts)


def _parse(equation: str, tensors: Sequence[Tensor]) -> tuple[list[Term], Labels]:
    """Each tensor with the names of its axes, and the names of the output's axes."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    parts = left.split(",")
    if len(parts) != len(tensors):
        raise ArgumentError(
            f"einsum: {equation!r} has {len(parts)} terms, but {len(tensors)} operands "
            "were given"
        )
    terms = [
        (t, _labels(equation, part, t.ndim))
        for t, part in zip(tensors, parts, strict=True)
    ]
    names = [name for _, labels in terms for name in labels]
    dots = sorted({n for n in names if n[0] == "."}, key=lambda n: -int(n[1:]))
    if not arrow:
        once = sorted(n for n in set(names) if names.count(n) == 1 and n[0] != ".")
        return terms, (*dots, *once)
    hidden = len(dots) if "..." in right else 0
    output = _labels(equation, right, len(right.replace("...", "")) + hidden)
    if len(set(output)) != len(output) or not set(output) <= set(names):
        raise ArgumentError(
            f"einsum: in {equation!r} the letters of the output must be different ones "
            "and stand in a term"
        )
    return terms, output


def _labels(equation: str, part: str, ndim: int) -> Labels:
    """The names of the axes of a term with `ndim` axes."""
    before, dots, after = part.partition("...")
    if not set(before + after) <= set(ascii_letters):
        raise ArgumentError(
            f"einsum: {part!r} in {equation!r} may hold letters and one ellipsis only"
        )
    hidden = ndim - len(before) - len(after)
    if hidden < 0 or (hidden and not dots):
        raise ShapeError(
            f"einsum: the term {part!r} in {equation!r} does not fit a tensor with "
            f"{ndim} axes"
        )
    return (*before, *(f".{k}" for k in range(hidden, 0, -1)), *after)


def _sizes(equation: str, terms: Iterable[Term]) -> dict[str, int]:
    """The length of each name's axes; 1 broadcasts."""
    sizes: dict[str, int] = {}
    for t, labels in terms:
        for name, n in zip(labels, t.shape, strict=True):
            if sizes.setdefault(name, n) == 1:
                sizes[name] = n
            elif n not in (1, sizes[name]):
                raise ShapeError(
                    f"einsum: in {equation!r} the axes {name!r} have the lengths "
                    f"{sizes[name]} and {n}; they must be equal"
                )
    return sizes


def _diagonals(t: Tensor, labels: Labels) -> Term:
    """Of axes with the same name, their diagonal."""
    for name in dict.fromkeys(labels):
        while labels.count(name) > 1:
            i = labels.index(name)
            j = labels.index(name, i + 1)
            if t.shape[i] != t.shape[j]:
                raise ShapeError(
                    f"einsum: the axes {name!r} of one term have the lengths "
                    f"{t.shape[i]} and {t.shape[j]}; they must be equal"
                )
            rest = [k for k in range(t.ndim) if k not in (i, j)]
            places = np.arange(t.shape[i])
            t = getitem(permute(t, [i, j, *rest]), (places, places))
            labels = (name, *(labels[k] for k in rest))
    return t, labels


def _cheapest(
    terms: Sequence[Term], output: Labels, sizes: dict[str, int]
) -> tuple[int, int]:
    """The pair whose contraction shrinks what is left the most."""

    def growth(pair: tuple[int, int]) -> int:
        (_, a), (_, b) = (terms[i] for i in pair)
        others = [labels for k, (_, labels) in enumerate(terms) if k not in pair]
        kept = (set(a) | set(b)) & set(output).union(*others)
        made = math.prod(sizes[n] for n in kept)
        return made - sum(math.prod(sizes[n] for n in part) for part in (a, b))

    return min(combinations(range(len(terms)), 2), key=growth)


def contract(first: Term, second: Term, kept: set[str]) -> Term:
    """Two tensors multiplied, and summed over the names that are not `kept`.

    The axes are sorted into those of both that stay (a stack), those of one, and those
    of both that are summed over: then it is a stack of matrix products.
    """
    first = _sum_out(first, kept | set(second[1]))
    second = _sum_out(second, kept | set(first[1]))
    first, second = _lone(first, second, kept), _lone(second, first, kept)
    (a, a_labels), (b, b_labels) = first, second
    both = [n for n in a_labels if n in b_labels]
    stack, summed = [n for n in both if n in kept], [n for n in both if n not in kept]
    rows = [n for n in a_labels if n not in both]
    columns = [n for n in b_labels if n not in both]
    a = permute(a, [a_labels.index(n) for n in (*stack, *rows, *summed)])
    b = permute(b, [b_labels.index(n) for n in (*stack, *summed, *columns)])
    k, s = len(summed), len(stack)
    labels = (*stack, *rows, *columns)
    if not k:  # nothing to sum: an outer product along the axes that only one has
        a = reshape(a, (*a.shape, *(1,) * len(columns)))
        b = reshape(b, (*b.shape[:s], *(1,) * len(rows), *b.shape[s:]))
        return mul(a, b), labels
    row_shape, column_shape = a.shape[s : a.ndim - k], b.shape[s + k :]
    inner = math.prod(b.shape[s : s + k])
    a = reshape(a, (*a.shape[:s], math.prod(row_shape), inner))
    b = reshape(b, (*b.shape[:s], inner, math.prod(column_shape)))
    y = matmul(a, b)
    return reshape(y, (*y.shape[:s], *row_shape, *column_shape)), labels


def _sum_out(term: Term, kept: set[str]) -> Term:
    """Without the axes whose names are not `kept`."""
    t, labels = term
    gone = tuple(i for i, name in enumerate(labels) if name not in kept)
    if not gone:
        return term
    return _sum(t, gone), tuple(n for n in labels if n in kept)


def _lone(term: Term, other: Term, kept: set[str]) -> Term:
    """Summed over axes that the other term holds with length 1 only."""
    t, labels = term
    lengths = dict(zip(other[1], other[0].shape, strict=True))
    gone = tuple(
        i
        for i, name in enumerate(labels)
        if name not in kept and lengths.get(name) == 1 and t.shape[i] != 1
    )
    return (cast(_sum(t, gone, True), t.dtype), labels) if gone else term
