"""Where the elements of an array lie, by its steps in bytes along each axis."""

from __future__ import annotations

from collections.abc import Sequence

from dotori.compiler.ir import Instr, Value

Steps = tuple[int, ...]


def dense(x: Value) -> Steps:
    """The steps of an array that fills its memory in the order of `x`."""
    steps = [0] * x.ndim
    step = x.dtype.itemsize
    for axis in reversed(x.order):
        steps[axis] = step
        step *= x.shape[axis]
    return tuple(steps)


def same(shape: Sequence[int], a: Steps, b: Steps) -> bool:
    """Whether both steps lead to the same elements: axes of length 1 take none."""
    return 0 in shape or all(
        n == 1 or s == t for n, s, t in zip(shape, a, b, strict=True)
    )


def viewed(instr: Instr, steps: Steps) -> tuple[int, Steps] | None:
    """Where the output of a view lies, from the steps of its input.

    Returns
    -------
    (int, tuple of int) or None
        Bytes from the input's first element to the output's, and the output's steps.
        None if it is no view: a reshape that has to copy.
    """
    x, y = instr.inputs[0], instr.output
    assert isinstance(x, Value)
    if instr.op == "transpose":
        return 0, tuple(steps[axis] for axis in instr.attrs["axes"])
    if instr.op == "broadcast_to":
        kept = zip(x.shape, y.shape[y.ndim - x.ndim :], steps, strict=True)
        own = tuple(0 if n == 1 and m != 1 else step for n, m, step in kept)
        return 0, (0,) * (y.ndim - x.ndim) + own
    if instr.op == "slice":
        return _sliced(x.shape, steps, instr.attrs["index"])
    found = reshaped(x.shape, steps, y.shape, x.dtype.itemsize)
    return None if found is None else (0, found)


def _sliced(
    shape: Sequence[int], steps: Steps, index: Sequence[int | slice]
) -> tuple[int, Steps]:
    offset, kept = 0, []
    for n, step, at in zip(shape, steps, index, strict=True):
        if isinstance(at, slice):
            places = range(n)[at]
            offset += (places.start if places else 0) * step
            kept.append(places.step * step)
        else:
            offset += (int(at) % n) * step
    return offset, tuple(kept)


def reshaped(
    shape: Sequence[int], steps: Steps, new: Sequence[int], itemsize: int
) -> Steps | None:
    """The steps of a reshaped array in the same memory; None if it has to be copied.

    Both shapes are cut into the shortest runs of axes that hold as many elements as
    each other. Within a run, the old axes must follow each other without gaps.
    """
    if 0 in shape:
        return (itemsize,) * len(new)
    old = [(n, s) for n, s in zip(shape, steps, strict=True) if n != 1]
    found = [0] * len(new)
    i = j = 0
    while i < len(old):
        n, step = old[i]
        first, m = j, new[j]
        while n != m:
            if n < m:
                i += 1
                if old[i - 1][1] != old[i][0] * old[i][1]:
                    return None
                n, step = n * old[i][0], old[i][1]
            else:
                j += 1
                m *= new[j]
        for k in range(j, first - 1, -1):
            found[k] = step
            step *= new[k]
        i, j = i + 1, j + 1
    return _with_ones(new, found, itemsize)


def _with_ones(shape: Sequence[int], steps: list[int], itemsize: int) -> Steps:
    """Axes of length 1 step over all that follows them, as BLAS wants to see."""
    step = itemsize
    for axis in reversed(range(len(shape))):
        if shape[axis] == 1:
            steps[axis] = step
        step = steps[axis] * shape[axis]
    return tuple(steps)
