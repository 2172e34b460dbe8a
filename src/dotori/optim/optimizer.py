"""`Optimizer`: groups of parameters, their state, and one step over flat memory."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextvars import Context
from typing import Any, ClassVar

import numpy as np

from dotori._tensor import Tensor
from dotori.autograd import enable_grad, note_change
from dotori.autograd.graph import CAPTURE, recording
from dotori.backend import keep_memory
from dotori.errors import ArgumentError, DTypeError, FormatError, GradientError
from dotori.optim.flat import FlatGroup, Layout, Run, State
from dotori.optim.hooks import Hooked
from dotori.optim.saved import copied, taken_over

Group = dict[str, Any]


class _Quiet(threading.local):
    """`run` calls a function without NumPy's warnings: infinities are values too.

    It enters a context that was made once, for a fraction of what `np.errstate` costs.
    """

    def __init__(self) -> None:
        context = Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


_quiet = _Quiet()


class Optimizer(Hooked):
    """The base of all optimisers; a subclass defines `update`, or `step` altogether.

    With `update`, the parameters of a group lie in flat memory and are updated in one
    pass. A subclass written as for PyTorch, with a `step` that walks through
    `param_groups` and keeps what it needs in ``self.state[p]``, works as well.

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
    numbers : tuple of str
        What the state of a parameter holds beside arrays, by PyTorch's names.

    Raises
    ------
    ArgumentError
        For no parameters, for one given twice or without a name where others have one,
        and for parameters that share their memory.
    DTypeError
        For what is no tensor, and for a set, which has no order.
    GradientError
        For a tensor that was computed from others.

    Examples
    --------
    Two groups; the second one learns more slowly:

    >>> from dotori import nn, optim
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    >>> optimizer = optim.SGD(
    ...     [
    ...         {"params": model[0].parameters()},
    ...         {"params": model[1].parameters(), "lr": 0.01},
    ...     ],
    ...     lr=0.1,
    ... )
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.1, 0.01]
    """

    numbers: ClassVar[tuple[str, ...]] = ("step",)
    _opt_called = False

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor):
            raise DTypeError(
                f"{name} was given one tensor; pass a list of tensors or of groups"
            )
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self._layouts: list[Layout | None] = []
        self._state: defaultdict[Tensor, State] = defaultdict(dict)
        self._state_is_out = False  # somebody has `state` and may have changed it
        given = list(params)
        if not given:
            raise ArgumentError(
                f"{name} was given no parameters; pass "
                "model.parameters(), and mind that an iterator is empty after one use"
            )
        groups = given if isinstance(given[0], Mapping) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)
        keep_memory()  # as steps will follow

    def update(self, run: Run, group: Group) -> None:
        """Write new values into ``run.values``, from ``run.gradient()``.

        ``run.state(name)`` gives a state array of the same shape, zeros at first,
        ``run.numbers`` numbers to keep, and ``run.step`` the number of updates before
        this one; `Run.blocks` gives all of it piece by piece. The gradient must not be
        written to.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add parameters with settings of their own, such as layers to be unfrozen."""
        name = type(self).__name__
        if not isinstance(param_group, Mapping):
            raise DTypeError(
                f"{name}: a group must be a dict with 'params', got "
                f"{type(param_group).__name__}"
            )
        params, names = _named(name, param_group["params"])
        before = [p for g in self.param_groups for p in g["params"]]
        known = {id(p) for p in before}
        for p in params:
            _check_parameter(name, p)
            if id(p) in known:
                raise ArgumentError(
                    f"{name}: a parameter of shape {p.shape} is given "
                    "twice; each belongs into one group, once"
                )
            known.add(id(p))
        _refuse_shared_memory(name, before + params)
        if any(("param_names" in g) != bool(names) for g in self.param_groups):
            raise ArgumentError(
                f"{name}: either all groups have names for their parameters, or none"
            )
        group = {**self.defaults, **param_group, "params": params}
        if names:
            group["param_names"] = names
        self.param_groups.append(group)
        self._layouts.append(None)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; call it before each `backward`."""
        if recording.state.flags >= CAPTURE:
            recording.state.capture.forget_gradients(self.param_groups)
        for group in self.param_groups:
            for p in group["params"]:
                node = p.node
                if node is None or node.grad is None:
                    continue
                if set_to_none:
                    node.grad = None
                else:
                    node.grad = node.grad.detach()
                    node.grad.array[...] = 0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient.

        `closure` computes the loss anew, with gradients, and returns it.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if self._state_is_out:
            self._take_state_back()
        _quiet.run(self._update_all)
        return loss

    def _update_all(self) -> None:
        for group, layout in zip(self.param_groups, self._layouts, strict=True):
            if layout is None or not layout.fits(group["params"]):
                layout = self._laid_out(group)
            for flat in layout.flats:
                self._step_flat(flat, group)

    def _step_flat(self, flat: FlatGroup, group: Group) -> None:
        runs = flat.whole
        ready = [p.grad is not None for p in flat.params]
        if not all(ready):
            runs = flat.runs(i for i, there in enumerate(ready) if there)
        for run in runs:
            self.update(run, group)
        if runs:
            flat.finish(runs)
            note_change(flat.values, f"{type(self).__name__}.step")

    def _laid_out(self, group: Group) -> Layout:
        """Flat memory for a group: at first, and when parameters got other memory."""
        k = next(k for k, g in enumerate(self.param_groups) if g is group)
        before, fresh = self._layouts[k], Layout(group["params"])
        fresh.load(before.state() if before else self._state, self.numbers)
        self._layouts[k] = fresh
        return fresh

    # ------------------------------------------------------------ state

    @property
    def state(self) -> defaultdict[Tensor, State]:
        """The state of each parameter that was updated: tensors by PyTorch's names.

        The tensors lie on the optimiser's own memory. What is written into them or put
        in their place counts from the next step on; without its entry, a parameter
        starts anew.
        """
        found = self._current_state()
        self._state_is_out = True
        return found

    @state.setter
    def state(self, value: Mapping[Tensor, State]) -> None:
        self._state = defaultdict(dict, value)
        self._state_is_out = True

    def _current_state(self) -> defaultdict[Tensor, State]:
        if self._state_is_out:
            self._take_state_back()
        for layout in self._layouts:
            for p, kept in layout.state().items() if layout is not None else ():
                if "step" not in self.numbers:
                    kept.pop("step")
                if kept:
                    self._state[p] = kept
        return self._state

    def _take_state_back(self) -> None:
        """Make what somebody may have changed in `state` the state in flat memory."""
        states = {p: copied(kept) for p, kept in self._state.items()}
        for layout in self._layouts:
            if layout is not None:
                layout.load(states, self.numbers)
        self._state_is_out = False

    def state_dict(self) -> dict[str, Any]:
        """State and settings, with parameters named by position, as PyTorch has it.

        A picture of this moment: later steps do not change it.
        """
        for hook in self._hooks_at("before state_dict"):
            hook(self)
        order = [p for group in self.param_groups for p in group["params"]]
        place: dict[Any, int] = {p: i for i, p in enumerate(order)}
        states = self._current_state().items()
        groups = [
            {
                **{k: copied(v) for k, v in group.items() if k != "params"},
                "params": [place[p] for p in group["params"]],
            }
            for group in self.param_groups
        ]
        found: dict[str, Any] = {
            "state": {place.get(p, p): copied(kept) for p, kept in states},
            "param_groups": groups,
        }
        for hook in self._hooks_at("after state_dict"):
            changed = hook(self, found)
            found = found if changed is None else changed
        return found

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, here or in PyTorch.

        Raises
        ------
        FormatError
            If groups, their sizes or the arrays' shapes are not this optimiser's; then
            nothing is changed.
        """
        state_dict = dict(state_dict)
        for hook in self._hooks_at("before load"):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups = state_dict["param_groups"]
        ours = [len(g["params"]) for g in self.param_groups]
        theirs = [len(g["params"]) for g in groups]
        if ours != theirs:
            raise FormatError(
                f"{type(self).__name__}.load_state_dict: the state has groups of "
                f"{theirs} parameters, this optimiser of {ours}"
            )
        order = [p for group in self.param_groups for p in group["params"]]
        keys = [key for group in groups for key in group["params"]]
        at = dict(zip(keys, range(len(keys)), strict=True))
        states: dict[Any, State] = {}
        for key, kept in state_dict["state"].items():
            if key in at:
                p = order[at[key]]
                states[p] = self._fitting(p, at[key], kept)
            else:
                states[key] = kept
        self._state = defaultdict(dict, states)
        self._state_is_out = self._opt_called = True
        for own, given in zip(self.param_groups, groups, strict=True):
            own.update({n: v for n, v in copied(given).items() if n != "params"})
        for hook in self._hooks_at("after load"):
            hook(self)

    def _fitting(self, p: Tensor, i: int, kept: Mapping[str, Any]) -> State:
        """The state of parameter `i` as tensors of its type, in its shape."""
        is_flat = type(self).update is not Optimizer.update
        found: State = {}
        for name, value in kept.items():
            if value is None:
                continue
            exact = name == "step" or name in self.numbers
            found[name] = new = taken_over(value, None if exact else p.dtype)
            if is_flat and not exact and getattr(new, "shape", None) != p.shape:
                raise FormatError(
                    f"{type(self).__name__}.load_state_dict: {name} of parameter {i} "
                    f"has shape {getattr(new, 'shape', None)}, wanted {p.shape}; "
                    "nothing was loaded"
                )
        return found

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            settings = {k: v for k, v in group.items() if k != "params"}
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {v}" for k, v in sorted(settings.items())]
        return f"{type(self).__name__} (\n" + "\n".join(lines) + "\n)"


def _named(place: str, given: Any) -> tuple[list[Any], list[str]]:
    """The parameters of a group, and their names if they have any."""
    if isinstance(given, Tensor):
        return [given], []
    if isinstance(given, (set, frozenset)):
        raise DTypeError(f"{place}: a set has no order, give the parameters as a list")
    items = list(given)
    pairs = [item for item in items if isinstance(item, tuple)]
    if pairs and len(pairs) != len(items):
        raise ArgumentError(
            f"{place}: {len(pairs)} of {len(items)} parameters have a name; give "
            "one to all of them or to none"
        )
    return [p[1] for p in pairs] or items, [p[0] for p in pairs]


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
