"""Flat memory: the parameters of a group in one array, and their state beside them.

Each parameter becomes a view into the flat array, so an update is one pass over it
instead of a dozen small operations for each parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori._tensor import Tensor
from dotori.autograd import wrap

Array = NDArray[Any]
State = dict[str, Any]

#: A parameter with at least so many elements is updated from its own gradient; the
#: gradients of smaller ones are first put in a row, which one call does for all.
OWN_RUN = 16_384

#: So many elements and what is computed from them stay in the cache.
BLOCK = 16_384


class Run:
    """Neighbours in the flat array that are updated together.

    Attributes
    ----------
    members : list of int
        The positions of the parameters in their flat group.
    part : slice
        Their place in the flat array.
    values : array of shape (n,)
        Their values, a view of it.
    step : int
        How often they have been updated.
    numbers : dict
        What the state holds beside arrays, such as NAdam's "mu_product".
    """

    __slots__ = ("_group", "_state", "members", "numbers", "part", "step", "values")

    def __init__(self, group: FlatGroup, members: list[int]) -> None:
        self._group = group
        self.members = members
        first, last = members[0], members[-1]
        self.part = slice(group.bounds[first], group.bounds[last + 1])
        self.values = group.values[self.part]
        self.step = group.steps[first]
        self.numbers = dict(group.numbers[first])
        self._state: dict[str, Array] = {}

    def state(self, name: str) -> Array:
        """A state array of shape (n,): zeros at first."""
        found = self._state.get(name)
        if found is None:
            found = self._state[name] = self._group.zeros(name)[self.part]
        return found

    def gradient(self) -> Array:
        """The gradients as one array; a copy only where there are several."""
        params = self._group.params
        grads: list[Any] = [params[i].grad for i in self.members]
        if len(grads) == 1:
            flat: Array = grads[0].array.reshape(-1)
            return flat.astype(self.values.dtype, copy=False)
        out = self._group.scratch[self.part]
        return np.concatenate([g.array.reshape(-1) for g in grads], out=out)

    def blocks(
        self, group: Mapping[str, Any], *names: str, decoupled: bool = False
    ) -> Iterator[tuple[Array, ...]]:
        """Values, gradient and the named states, in blocks that stay in the cache.

        The group's `maximize` and `weight_decay` are done here, once for all rules:
        the gradient is negated; decay * p is added to it or, `decoupled`, p is first
        multiplied by 1 - lr * decay (Loshchilov and Hutter, 2019, algorithm 2).
        The gradient must not be written to.
        """
        g = self.gradient()
        arrays = (self.values, g, *map(self.state, names))
        decay, keep = float(group.get("weight_decay", 0)), 1.0
        if decoupled:
            decay, keep = 0.0, 1.0 - float(group["lr"]) * decay
        for start in range(0, g.size, BLOCK):
            p, gk, *states = [a[start : start + BLOCK] for a in arrays]
            if group["maximize"]:
                gk = -gk
            if keep != 1:
                p *= keep
            if decay:
                gk = gk + decay * p
            yield p, gk, *states


class FlatGroup:
    """The memory of the parameters of one group that have the same dtype."""

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
        self.arrays: dict[str, Array] = {}
        self.steps = [0] * len(self.params)
        self.numbers: list[dict[str, float]] = [{} for _ in self.params]
        self.whole = self.runs(range(len(self.params)))

    def view(self, flat: Array, i: int) -> Array:
        """The part of a flat array that belongs to parameter `i`, in its shape."""
        part = flat[self.bounds[i] : self.bounds[i + 1]]
        return part.reshape(self.params[i].array.shape)

    def zeros(self, name: str) -> Array:
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
                and self.numbers[last] == self.numbers[i]
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
            if run.numbers:
                for i in run.members:
                    self.numbers[i] = dict(run.numbers)
        if runs is not self.whole:
            self.rearrange()

    def rearrange(self) -> None:
        """Form the runs anew, after the steps have changed."""
        self.whole = self.runs(range(len(self.params)))

    def state(self, i: int) -> State:
        """The state of parameter `i`: tensors on this memory; empty before a step."""
        if not self.steps[i]:
            return {}
        counted = {"step": self.steps[i], **self.numbers[i]}
        numbers = {k: wrap(np.array(float(v))) for k, v in counted.items()}
        return {**numbers, **{k: wrap(self.view(a, i)) for k, a in self.arrays.items()}}

    def load(self, states: Sequence[State], numbers: Iterable[str]) -> None:
        """Replace all state; `numbers` names what is not an array."""
        for array in self.arrays.values():
            array[...] = 0
        for i, state in enumerate(states):
            # PyTorch's SGD counts no steps: momentum that is there has been begun.
            self.steps[i] = int(state.get("step", 1 if state else 0))
            self.numbers[i] = {
                k: float(v) for k, v in state.items() if k in numbers and k != "step"
            }
            for name, value in state.items():
                if name != "step" and name not in numbers:
                    self.view(self.zeros(name), i)[...] = value.array
        self.rearrange()


class Layout:
    """The memory of one group of parameters: a flat group for each dtype.

    Parameters
    ----------
    params : list of tensors
        The group's own list.
    """

    def __init__(self, params: list[Tensor]) -> None:
        self.params, self._count = params, len(params)
        dtypes = dict.fromkeys(p.array.dtype for p in params)
        self.flats = [
            FlatGroup([p for p in params if p.array.dtype == dtype]) for dtype in dtypes
        ]

    def fits(self, params: list[Tensor]) -> bool:
        """Whether this still is where the parameters of the group lie."""
        return (
            params is self.params
            and len(params) == self._count
            and all([flat.still_in_place() for flat in self.flats])
        )

    def state(self) -> dict[Tensor, State]:
        """The state of each parameter that was updated."""
        pairs = ((p, f.state(i)) for f in self.flats for i, p in enumerate(f.params))
        return {p: state for p, state in pairs if state}

    def load(self, states: Mapping[Tensor, State], numbers: Iterable[str]) -> None:
        """Replace the state of every parameter."""
        for flat in self.flats:
            flat.load([states.get(p, {}) for p in flat.params], numbers)
