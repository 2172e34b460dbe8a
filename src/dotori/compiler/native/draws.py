"""Dropout's masks of one or many steps at once, drawn by compiled code.

The stream is the generator's own, and so are the masks, bit for bit: see
`dotori.compiler.native.random`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dotori.compiler.host import Draw
from dotori.compiler.native import random, runtime
from dotori.random import Generator, default_generator

#: The masks of so many steps are drawn at once at most, and so many bytes of them.
STEPS, BYTES = 256, 1 << 25


class Masks:
    """The masks that a step draws from one generator, in order.

    Parameters
    ----------
    draws : sequence of Draw
        See `can_draw`.

    Attributes
    ----------
    steps : int
        For how many steps masks can be drawn at once.
    """

    def __init__(self, draws: Sequence[Draw]) -> None:
        self._generator = draws[0].generator
        shapes = [d.values[0].shape for d in draws]
        size = sum(d.values[0].size for d in draws)
        self.steps = max(1, min(STEPS, BYTES // max(size, 1)))
        self._masks = [np.empty((self.steps, *shape), np.bool_) for shape in shapes]
        self._state = np.zeros(random.WORDS, np.uint64)
        self._count = np.zeros(1, np.int64)
        arrays = [self._state, self._count, *self._masks]
        self._table = np.array(
            [a.__array_interface__["data"][0] for a in arrays], np.int64
        )
        self._draw = runtime.load(_source(draws, self.steps)).bound(self._table)

    def run(self, n: int = 1) -> list[Any]:
        """The masks of the next `n` steps, each draw in one array for all of them.

        They hold until the next call.
        """
        generator: Generator = self._generator or default_generator()
        self._state[...] = random.read_state(generator)
        self._count[0] = n
        self._draw()
        random.write_state(generator, self._state)
        return [masks[:n] for masks in self._masks]


def can_draw(actions: Sequence[Any]) -> bool:
    """Whether `actions` are masks of one generator that compiled code can draw."""
    draws = [a for a in actions if isinstance(a, Draw)]
    return (
        len(draws) == len(actions) > 0
        and random.usable()
        and all(d.method.__name__ == "keep_mask" for d in draws)
        and all(d.generator is draws[0].generator for d in draws)
        and all(d.values[0].size and len(d.args) == 2 and not d.kwargs for d in draws)
    )


def _source(draws: Sequence[Draw], steps: int) -> str:
    """The loop over the steps; each mask is one part of an array for all of them."""
    lines = [
        "def step(table, thread, threads):",
        f"    state = uint64(table, 0, ({random.WORDS},))",
        "    count = int64(table, 1, (1,))",
    ]
    for i, d in enumerate(draws):
        lines.append(
            f"    mask{i} = boolean(table, {i + 2}, ({steps}, {d.values[0].size}))"
        )
    lines.append("    for k in range(count[0]):")
    for i, d in enumerate(draws):
        lines.append(f"        keep_mask(state, {float(d.args[1])!r}, mask{i}[k])")
    lines.append("    return 0")
    return "\n".join(lines) + "\n"
