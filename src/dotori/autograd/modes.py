"""Switching the recording on and off, and watching operations as they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dotori.autograd.graph import GRAD, OBSERVE, recording


class _GradMode:
    """Switch recording for a `with` block or a decorated function, in this thread."""

    on = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """As a decorator without brackets, it is given the function."""
        mode = object.__new__(cls)
        if not args or not callable(args[0]):
            return mode
        cls.__init__(mode)
        return mode(args[0])

    def __init__(self) -> None:
        self._before: list[int] = []

    def __enter__(self) -> None:
        state = recording.state
        self._before.append(state.flags)
        state.flags = (state.flags | GRAD) if self.on else (state.flags & ~GRAD)

    def __exit__(self, *exc: object) -> None:
        state, grad_before = recording.state, self._before.pop() & GRAD
        state.flags = (state.flags & ~GRAD) | grad_before

    def __call__(self, function: Any) -> Any:
        from functools import wraps

        @wraps(function)
        def inner(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return inner

    def _again(self) -> _GradMode:
        """Another of the same: each call of a decorated function has its own."""
        return type(self)()


class no_grad(_GradMode):
    """Operations inside are not recorded.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.ones(2, requires_grad=True)
    >>> with dotori.no_grad():
    ...     y = w * 2
    >>> y.requires_grad
    False
    """

    on = False


class enable_grad(_GradMode):
    """Operations inside are recorded, also within `no_grad`."""

    on = True


class inference_mode(_GradMode):
    """`no_grad` under the name that PyTorch has for its stricter kind.

    What is computed inside can be used in a graph afterwards, as a constant.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.ones(2, requires_grad=True)
    >>> with dotori.inference_mode():
    ...     y = w * 2
    >>> y.requires_grad
    False
    """

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.on = not mode

    def _again(self) -> _GradMode:
        return inference_mode(not self.on)


class set_grad_enabled(_GradMode):
    """Recording on or off: at once, and for a `with` block where used as one."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.on = bool(mode)
        self._outer = recording.state.flags
        recording.state.flags = (
            (self._outer | GRAD) if self.on else (self._outer & ~GRAD)
        )

    def __enter__(self) -> None:
        self._before.append(self._outer)

    def __call__(self, function: Any) -> Any:
        recording.state.flags = self._outer
        return (enable_grad if self.on else no_grad)()(function)


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread."""
    return bool(recording.state.flags & GRAD)


class observe:
    """Call ``observer(op, inputs, outputs, attrs)`` after every operation in a block.

    The summary counts multiply-adds with it, and the guard against NaN finds the
    operation at fault. Outside of such a block it costs nothing.
    """

    def __init__(self, observer: Callable[..., None]) -> None:
        self._observer = observer

    def __enter__(self) -> None:
        self._before = recording.state.flags, recording.state.observer
        recording.state.flags, recording.state.observer = (
            recording.state.flags | OBSERVE,
            self._observer,
        )

    def __exit__(self, *exc: object) -> None:
        state = recording.state
        flags, state.observer = self._before
        state.flags = (state.flags & ~OBSERVE) | (flags & OBSERVE)
