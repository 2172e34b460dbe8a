"""`Optimizer`: groups of parameters, their state, and one step over flat memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import enable_grad, note_change
from dotori.errors import ArgumentError, DTypeError, FormatError, GradientError
from dotori.optim.flat import FlatGroup, Run

Group = dict[str, Any]


class Optimizer:
    """The base of all optimisers; a subclass defines `update`.

    Parameters
    ----------
    params : iterable of tensors, of (name, tensor) pairs, or of dicts
        A dict is a group: ``{"params": [...], "lr": ...}`` with settings of its own.
    defaults : dict
        The settings of groups that do not give their own.

    Attributes
    ----------
    param_groups : list of dict
        Settings may be changed between steps, as schedules do.
    """

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self._flat: list[FlatGroup | None] = []
        given = list(params)
        if not given:
            raise ArgumentError(
                f"{type(self).__name__} was given no parameters; pass "
                "model.parameters(), and mind that an iterator is empty after one use"
            )
        groups = given if isinstance(given[0], Mapping) else [{"params": given}]
        for group in groups:
            self.add_param_group(dict(group))

    def update(self, run: Run, group: Group) -> None:
        """Write new values into ``run.values``, from ``run.gradient()``.

        ``run.state(name)`` gives a state array of the same shape, zeros at first, and
        ``run.step`` the number of updates before this one. The gradient must not be
        written to.
        """
        raise NotImplementedError

    def add_param_group(self, group: Group) -> None:
        """Add parameters with settings of their own."""
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in params:
            _check_parameter(type(self).__name__, p)
            if id(p) in known:
                raise ArgumentError(
                    f"{type(self).__name__}: a parameter of shape {p.shape} is given "
                    "twice; each belongs into one group, once"
                )
            known.add(id(p))
        _refuse_shared_memory(type(self).__name__, params)
        for dtype in dict.fromkeys(p.dtype for p in params):
            same = [p for p in params if p.dtype == dtype]
            self.param_groups.append({**self.defaults, **group, "params": same})
            self._flat.append(None)
        if not params:
            self.param_groups.append({**self.defaults, **group, "params": []})
            self._flat.append(None)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; call it before each `backward`."""
        for group in self.param_groups:
            for p in group["params"]:
                node = p.node
                if node is None or node.grad is None:
                    continue
                if set_to_none:
                    node.grad = None
                else:
                    node.grad.array[...] = 0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient.

        `closure` computes the loss anew, with gradients, and returns it.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with np.errstate(all="ignore"):  # infinite gradients are values too
            for k, group in enumerate(self.param_groups):
                if group["params"]:
                    self._step_group(self._laid_out(k), group)
        return loss

    def _step_group(self, flat: FlatGroup, group: Group) -> None:
        runs = flat.whole
        ready = [p.grad is not None for p in flat.params]
        if not all(ready):
            runs = flat.runs(i for i, there in enumerate(ready) if there)
        for run in runs:
            self.update(run, group)
        if runs:
            flat.finish(runs)
            note_change(flat.values, f"{type(self).__name__}.step")

    def _laid_out(self, k: int) -> FlatGroup:
        """The flat memory of a group; laid out anew if parameters got other memory."""
        flat = self._flat[k]
        if flat is not None and flat.still_in_place():
            return flat
        fresh = FlatGroup(self.param_groups[k]["params"])
        if flat is not None:
            fresh.steps = flat.steps
            for name, old in flat.arrays.items():
                fresh.zeros(name)[...] = old
            fresh.rearrange()
        self._flat[k] = fresh
        return fresh

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """The state of each parameter that was updated: arrays in its shape, "step"."""
        found: dict[Tensor, dict[str, Any]] = {}
        for flat in self._flat:
            for i, p in enumerate(flat.params if flat is not None else ()):
                if flat is not None and flat.steps[i]:
                    arrays = {n: flat.view(a, i) for n, a in flat.arrays.items()}
                    found[p] = {"step": flat.steps[i], **arrays}
        return found

    def state_dict(self) -> dict[str, Any]:
        """State and settings, with parameters named by position, as PyTorch has it."""
        order = [p for group in self.param_groups for p in group["params"]]
        place = {id(p): i for i, p in enumerate(order)}
        state = {
            place[id(p)]: {
                k: v.copy() if isinstance(v, np.ndarray) else v for k, v in s.items()
            }
            for p, s in self.state.items()
        }
        groups = [
            {**group, "params": [place[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, here or in PyTorch.

        Raises
        ------
        FormatError
            If groups, their sizes or the arrays' shapes are not this optimiser's.
        """
        groups = state_dict["param_groups"]
        ours = [len(g["params"]) for g in self.param_groups]
        theirs = [len(g["params"]) for g in groups]
        if ours != theirs:
            raise FormatError(
                f"{type(self).__name__}.load_state_dict: the state has groups of "
                f"{theirs} parameters, this optimiser of {ours}"
            )
        order = [p for group in self.param_groups for p in group["params"]]
        kept = [self._checked(p, i, state_dict["state"]) for i, p in enumerate(order)]
        position = 0
        for k, (own, given) in enumerate(zip(self.param_groups, groups, strict=True)):
            own.update({n: v for n, v in given.items() if n != "params"})
            if own["params"]:
                flat = self._laid_out(k)
                _load_group(flat, kept[position : position + len(flat.params)])
                position += len(flat.params)

    def _checked(self, p: Tensor, i: int, state: Mapping[Any, Any]) -> dict[str, Any]:
        """The state of parameter `i` as arrays that fit it."""
        arrays: dict[str, Any] = {}
        for name, value in state.get(i, {}).items():
            if value is None:
                continue
            if hasattr(value, "detach") and not hasattr(value, "array"):
                value = value.detach().cpu().numpy()  # a tensor of PyTorch
            array = np.asarray(getattr(value, "array", value))
            if name != "step" and array.shape != p.shape:
                raise FormatError(
                    f"{type(self).__name__}.load_state_dict: {name} of parameter {i} "
                    f"has shape {array.shape}, wanted {p.shape}; nothing was loaded"
                )
            arrays[name] = array
        return arrays

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            settings = {k: v for k, v in group.items() if k != "params"}
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {v}" for k, v in sorted(settings.items())]
        return f"{type(self).__name__} (\n" + "\n".join(lines) + "\n)"


def _load_group(flat: FlatGroup, kept: list[dict[str, Any]]) -> None:
    """Replace all state of a group's memory."""
    for old in flat.arrays.values():
        old[...] = 0
    for i, arrays in enumerate(kept):
        # PyTorch's SGD counts no steps: momentum that is there has been begun.
        flat.steps[i] = int(arrays.pop("step", 1 if arrays else 0))
        for name, array in arrays.items():
            flat.view(flat.zeros(name), i)[...] = array
    flat.rearrange()


def _check_parameter(place: str, p: Any) -> None:
    if not isinstance(p, Tensor):
        raise DTypeError(f"{place} updates tensors, got {type(p).__name__}")
    if not p.is_leaf:
        raise GradientError(
            f"{place} can only update leaves, got a tensor of shape {p.shape} that was "
            "computed from others; pass what it was computed from"
        )


def _refuse_shared_memory(place: str, params: list[Tensor]) -> None:
    """Two parameters on the same memory would come apart in the flat array."""
    seen: dict[int, Tensor] = {}
    for p in params:
        key = p.array.__array_interface__["data"][0] if p.array.size else id(p)
        if key in seen and np.shares_memory(seen[key].array, p.array):
            raise ArgumentError(
                f"{place}: two parameters of shapes {seen[key].shape} and {p.shape} "
                "share their memory; share the Parameter itself instead"
            )
        seen[key] = p


def check_settings(place: str, **settings: float) -> None:
    """Each setting must be at least 0; one message for all optimisers."""
    for name, value in settings.items():
        if not value >= 0:
            raise ArgumentError(f"{place}: {name} must be at least 0, got {value}")
