"""Functions of the user that run before and after an optimiser's steps and states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from itertools import count
from typing import Any, TypeVar

from dotori.autograd.graph import CAPTURE, recording
from dotori.errors import ArgumentError

Hook = Callable[..., Any]
Step = TypeVar("Step", bound=Callable[..., Any])

_keys = count()


class Handle:
    """Removes a hook again, by `remove` or at the end of a ``with`` block."""

    def __init__(self, hooks: dict[int, Hook], key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *args: object) -> None:
        self.remove()


class Hooked:
    """The hooks of an optimiser: at each place they run in the order of registration.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([1.0], requires_grad=True)
    >>> optimizer = dotori.optim.SGD([w], lr=0.5)
    >>> def show(optimizer, args, kwargs):
    ...     print(w.tolist())
    >>> handle = optimizer.register_step_post_hook(show)
    >>> w.grad = dotori.tensor([1.0])
    >>> _ = optimizer.step()
    [0.5]
    >>> handle.remove()
    """

    #: Place -> key -> hook; None while there is none, which a step asks first.
    _hooks: dict[str, dict[int, Hook]] | None = None
    _stepping = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """A subclass with a `step` of its own has hooks around it too."""
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = with_hooks(cls.__dict__["step"])  # type: ignore[attr-defined]

    def register_step_pre_hook(self, hook: Hook) -> Handle:
        """Call ``hook(optimizer, args, kwargs)`` before `step`.

        It returns None, or the (args, kwargs) that `step` shall get instead.
        """
        return self._register("before step", hook)

    def register_step_post_hook(self, hook: Hook) -> Handle:
        """Call ``hook(optimizer, args, kwargs)`` after `step`."""
        return self._register("after step", hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> Handle:
        """Call ``hook(optimizer)`` before `state_dict`; first of all with `prepend`."""
        return self._register("before state_dict", hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Hook, prepend: bool = False
    ) -> Handle:
        """Call ``hook(optimizer, state_dict)``; what it returns takes its place."""
        return self._register("after state_dict", hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Hook, prepend: bool = False
    ) -> Handle:
        """Call ``hook(optimizer, state_dict)``; what it returns is loaded instead."""
        return self._register("before load", hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Hook, prepend: bool = False
    ) -> Handle:
        """Call ``hook(optimizer)`` after `load_state_dict`."""
        return self._register("after load", hook, prepend)

    def _register(self, place: str, hook: Hook, prepend: bool = False) -> Handle:
        if self._hooks is None:
            self._hooks = {}
        hooks = self._hooks.setdefault(place, {})
        handle = Handle(hooks, key := next(_keys))
        if prepend:
            later = dict(hooks)
            hooks.clear()
            hooks.update({key: hook, **later})
        else:
            hooks[key] = hook
        return handle

    def _hooks_at(self, place: str) -> Iterator[Hook]:
        return iter(list((self._hooks or {}).get(place, {}).values()))


def with_hooks(step: Step) -> Step:
    """`step` with its optimiser's hooks before and after, noting that it was called."""

    @wraps(step)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if recording.state.flags >= CAPTURE:
            return recording.state.capture.update(self, args, kwargs)
        self._opt_called = True  # for schedules, which should step after
        if self._hooks is None or self._stepping:  # stepping: this is super().step()
            return step(self, *args, **kwargs)
        self._stepping = True
        try:
            for hook in self._hooks_at("before step"):
                args, kwargs = _changed(self, hook(self, args, kwargs), args, kwargs)
            result = step(self, *args, **kwargs)
            for hook in self._hooks_at("after step"):
                hook(self, args, kwargs)
        finally:
            self._stepping = False
        return result

    return hooked  # type: ignore[return-value]


def _changed(optimizer: Any, changed: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of a step after a hook has returned `changed`."""
    if changed is None:
        return args, kwargs
    if not (isinstance(changed, tuple) and len(changed) == 2):
        raise ArgumentError(
            f"{type(optimizer).__name__}: a hook before step must return None or "
            f"(args, kwargs), got {changed!r}"
        )
    return changed
