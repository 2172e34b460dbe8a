"""Flat memory: the parameters of a group in one array, and their state beside them.

Each parameter becomes a view into the flat array, so an update is one pass over it
instead of a dozen small operations for each parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori._tensor import Tensor

#: A parameter with at least so many elements is updated from its own gradient; the
#: gradients of smaller ones are first put in a row, which one call does for all.
OWN_RUN = 16_384


class Run:
    """Neighbours in the flat array that are updated together.

    Attributes
    ----------
    members : list of int
        The positions of the parameters in their group.
    part : slice
        Their place in the flat array.
    values : array of shape (n,)
        Their values, a view of it.
    step : int
        How often they have been updated.
    """

    __slots__ = ("_group", "_state", "members", "part", "step", "values")

    def __init__(self, group: FlatGroup, members: list[int]) -> None:
        self._group = group
        self.members = members
        first, last = members[0], members[-1]
        self.part = slice(group.bounds[first], group.bounds[last + 1])
        self.values = group.values[self.part]
        self.step = group.steps[first]
        self._state: dict[str, NDArray[Any]] = {}

    def state(self, name: str) -> NDArray[Any]:
        """A state array of shape (n,): zeros at first."""
        found = self._state.get(name)
        if found is None:
            found = self._state[name] = self._group.zeros(name)[self.part]
        return found

    def gradient(self) -> NDArray[Any]:
        """The gradients as one array; a copy only where there are several."""
        params = self._group.params
        grads: list[Any] = [params[i].grad for i in self.members]
        if len(grads) == 1:
            flat: NDArray[Any] = grads[0].array.reshape(-1)
            return flat.astype(self.values.dtype, copy=False)
        out = self._group.scratch[self.part]
        return np.concatenate([g.array.reshape(-1) for g in grads], out=out)


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
        self.arrays: dict[str, NDArray[Any]] = {}
        self.steps = [0] * len(self.params)
        self.whole = self.runs(range(len(self.params)))

    def view(self, flat: NDArray[Any], i: int) -> NDArray[Any]:
        """The part of a flat array that belongs to parameter `i`, in its shape."""
        part = flat[self.bounds[i] : self.bounds[i + 1]]
        return part.reshape(self.params[i].array.shape)

    def zeros(self, name: str) -> NDArray[Any]:
        """The state of this name, made at its first use."""
        found = self.arrays.get(name)
        if found is None:
            found = self.arrays[name] = np.zeros_like(self.values)
        return found

    def still_in_place(self) -> bool:
        """Whether each parameter still is its view: nobody gave it other memory."""
        values = self.values
        return all([p.array.base is values for p in self.params])

    def runs(self, members: Iterable[int]) -> list[Run]:
        """`members` in runs of small neighbours of equal age; large ones by themselves.

        A large one is updated straight from its own gradient. The gradients of small
        ones are first put in a row, which is one call for all of them.
        """
        found: list[list[int]] = []
        for i in members:
            last = found[-1][-1] if found else -2
            joins = (
                last == i - 1
                and self.steps[last] == self.steps[i]
                and self._size(last) < OWN_RUN
                and self._size(i) < OWN_RUN
            )
            if joins:
                found[-1].append(i)
            else:
                found.append([i])
        return [Run(self, run) for run in found]

    def _size(self, i: int) -> int:
        return int(self.bounds[i + 1] - self.bounds[i])

    def finish(self, runs: Sequence[Run]) -> None:
        """Count the step that these runs have made."""
        for run in runs:
            run.step += 1
            for i in run.members:
                self.steps[i] = run.step
        if runs is not self.whole:
            self.rearrange()

    def rearrange(self) -> None:
        """Form the runs anew, after the steps have changed."""
        self.whole = self.runs(range(len(self.params)))
