"""Flat memory: the parameters of a group in one array, and their state beside them.

Each parameter becomes a view into the flat array, so an update is one pass over it
instead of a dozen small operations for each parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori._tensor import Tensor

#: A parameter with at least so many elements is updated from its own gradient; the
#: gradients of smaller ones are first put in a row, which one call does for all.
OWN_RUN = 16_384


@dataclass
class Run:
    """Neighbours in the flat array that are updated together."""

    start: int
    stop: int
    members: list[int] = field(default_factory=list)


class FlatGroup:
    """The memory of the parameters of one group."""

    def __init__(self, params: Sequence[Tensor]) -> None:
        self.params = list(params)
        sizes = [p.array.size for p in self.params]
        self.bounds = [0, *np.cumsum(sizes).tolist()]
        dtype = self.params[0].array.dtype
        self.values = np.empty(self.bounds[-1], dtype)
        self.scratch = np.empty_like(self.values)
        for i, p in enumerate(self.params):
            view = self.view(self.values, i)
            np.copyto(view, p.array)
            p.array = view
        self.state: dict[str, NDArray[Any]] = {}
        self.steps = [0] * len(self.params)
        self.all_runs = list(self.runs(range(len(self.params))))

    def view(self, flat: NDArray[Any], i: int) -> NDArray[Any]:
        """The part of a flat array that belongs to parameter `i`, in its shape."""
        part = flat[self.bounds[i] : self.bounds[i + 1]]
        return part.reshape(self.params[i].array.shape)

    def zeros(self, name: str) -> NDArray[Any]:
        """The state of this name, made at its first use."""
        found = self.state.get(name)
        if found is None:
            found = self.state[name] = np.zeros_like(self.values)
        return found

    def still_in_place(self) -> bool:
        """Whether each parameter still is its view: nobody gave it other memory."""
        values = self.values
        return all([p.array.base is values for p in self.params])

    def runs(self, members: Sequence[int]) -> Iterator[Run]:
        """Neighbouring `members` in runs; a large one has a run of its own."""
        run: Run | None = None
        for i in members:
            start, stop = self.bounds[i], self.bounds[i + 1]
            large = stop - start >= OWN_RUN
            joins = (
                run is not None
                and not large
                and run.stop == start
                and run.stop - run.start < OWN_RUN
                and self.steps[i] == self.steps[run.members[0]]
            )
            if joins and run is not None:
                run.stop = stop
                run.members.append(i)
                continue
            if run is not None:
                yield run
            run = Run(start, stop, [i])
            if large:
                yield run
                run = None
        if run is not None:
            yield run

    def gradient(self, run: Run) -> NDArray[Any]:
        """The gradients of a run as one array; a copy only where there are several."""
        grads: list[Any] = [self.params[i].grad for i in run.members]
        if len(grads) == 1:
            flat: NDArray[Any] = grads[0].array.reshape(-1)
            return flat.astype(self.values.dtype, copy=False)
        out = self.scratch[run.start : run.stop]
        return np.concatenate([g.array.reshape(-1) for g in grads], out=out)
