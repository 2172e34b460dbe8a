"""In-place changes: which memory was changed when, and by what.

Only changes made through dotori are seen. A node remembers the tick of the clock at its
creation: as long as nothing was changed since, there is nothing to look up.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

from dotori.backend import Array
from dotori.errors import GradientError


class Changes:
    """A clock, and the memory that was changed in place since somebody saved it."""

    def __init__(self) -> None:
        self.tick = 0
        self.log: dict[int, tuple[int, str, Any]] = {}

    def note(self, array: Any, by: str) -> None:
        owner = memory_owner(array)
        key = id(owner)
        known = self.log.get(key)
        self.tick += 1
        gone = known[2] if known else weakref.ref(owner, lambda _: self.forget(key))
        self.log[key] = (self.tick, by, gone)

    def forget(self, key: int) -> None:
        self.log.pop(key, None)

    def check(self, arrays: Iterable[Any], since: int, wanted_by: str) -> None:
        """Raise if one of `arrays` was changed after the tick `since`."""
        for array in arrays:
            found = self.log.get(id(memory_owner(array)))
            if found is not None and found[0] > since:
                raise GradientError(
                    f"{wanted_by} needs a value of shape {array.shape} for its "
                    f"gradient, but {found[1]} has changed it in place since; use the "
                    "form that is not in place, or call backward() first"
                )


def memory_owner(array: Any) -> Any:
    """The array that the memory of `array` belongs to."""
    while getattr(array, "base", None) is not None and hasattr(array.base, "dtype"):
        array = array.base
    return array


changes = Changes()


def note_change(array: Array, by: str) -> None:
    """Say that `by` (an operation's name) has written into the memory of `array`."""
    changes.note(array, by)
