"""`Trace`: the instructions of a step while it is captured."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.ir import Instr, Operand, Value

if TYPE_CHECKING:
    from dotori.compiler.traced import Traced

#: The folder of the library: its own lines are not the user's.
PACKAGE = str(Path(__file__).parent.parent)


class Untraceable(Exception):
    """An operation that no instruction expresses; it is then called as a whole."""


class NoAttribute(Untraceable, AttributeError):
    """An attribute of arrays that what stands for them does not have."""


class Trace:
    """What has been recorded so far.

    Attributes
    ----------
    instrs : list of Instr
    inside : int
        How many operations of the library are running, one inside of the other.
    """

    def __init__(self) -> None:
        self.instrs: list[Instr] = []
        self.inside = 0
        self._constants: dict[int, tuple[Any, Traced]] = {}

    # ------------------------------------------------------------ values

    def constant(self, array: Any) -> Traced:
        """An array that is the same at each call."""
        from dotori.compiler.traced import Traced

        array = np.asarray(array)
        known = self._constants.get(id(array))
        if known is None:
            value = Value(array.shape, array.dtype, "constant", array)
            known = self._constants[id(array)] = array, Traced(self, array, value)
        return known[1]

    def operand_of(self, x: Traced, number: Any) -> Any:
        """A number or plain array that goes beside `x`, in its type."""
        array = np.asarray(number, x.dtype)
        return self.constant(array)

    def operand(self, x: Any) -> Operand:
        """An input as an instruction holds it."""
        value = getattr(x, "value", None)
        if isinstance(value, Value):
            return value
        if isinstance(x, (bool, int, float)) and not isinstance(x, np.generic):
            return x
        return self.constant(x).value

    def made(self, array: NDArray[Any], name: str = "", kind: str = "made") -> Traced:
        """A new value that is `array` in this run."""
        from dotori.compiler.traced import Traced

        value = Value(array.shape, array.dtype, kind, name=name, order=_order(array))
        return Traced(self, array, value)

    # ------------------------------------------------------------ instructions

    def record(
        self,
        op: str,
        inputs: Sequence[Any],
        array: NDArray[Any],
        attrs: dict[str, Any] | None = None,
    ) -> Traced:
        """An instruction with one output, which is `array` in this run."""
        found = self.made(array)
        operands = tuple(map(self.operand, inputs))
        instr = Instr(op, operands, (found.value,), attrs or {}, user_line())
        self.instrs.append(instr)
        return found

    def write(self, x: Traced, index: tuple[Any, ...], part: Any) -> None:
        """Put `part` in place of a part of `x`, whose memory changes as well."""
        whole = x.concrete[index].shape == x.shape
        new = (
            part
            if whole
            else self.record("update", (x, part), x.concrete, {"index": index})
        )
        x.concrete[index] = part.concrete
        x.value = new.value

    def call_numpy(self, function: Any, args: Any, kwargs: Any) -> Any:
        """A function of NumPy that no instruction expresses, called as it is."""
        raise Untraceable(f"numpy.{function.__name__} has no place in a program")

    def require(self, condition: Any, error: Callable[[], Exception]) -> None:
        """End the step with `error` where `condition`, one truth value, is false."""
        attrs = {"error": error}
        self.instrs.append(Instr("require", (condition.value,), (), attrs, user_line()))

    # ------------------------------------------------------------ what cannot be

    def value_needed(self, array: NDArray[Any], why: str) -> NDArray[Any]:
        """Called where the numbers themselves are wanted; gives them, or raises."""
        raise Untraceable(why)


class Number:
    """A number that a step works out, such as ``loss.item()``.

    While the step is captured it can only be returned. Afterwards it can be used.
    """

    __slots__ = ("number", "trace", "value")

    def __init__(self, trace: Trace, number: Any, value: Value) -> None:
        self.trace, self.number, self.value = trace, number, value

    def _use(self) -> Any:
        array = np.asarray(self.number)
        return self.trace.value_needed(array, "it is used as a Python number").item()

    def __float__(self) -> float:
        return float(self._use())

    def __int__(self) -> int:
        return int(self._use())

    def __bool__(self) -> bool:
        return bool(self._use())

    def __format__(self, spec: str) -> str:
        return format(self._use(), spec)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._use(), name)

    def __repr__(self) -> str:
        return repr(self.number)


def _operator(name: str) -> Any:
    def apply(self: Number, *others: Any) -> Any:
        given = [o._use() if isinstance(o, Number) else o for o in others]
        return getattr(self._use(), name)(*given)

    return apply


for _name in (
    "add radd sub rsub mul rmul truediv rtruediv pow rpow neg pos abs mod floordiv "
    "lt le gt ge eq ne round"
).split():
    setattr(Number, f"__{_name}__", _operator(f"__{_name}__"))


def _order(array: NDArray[Any]) -> tuple[int, ...]:
    """The axes from the slowest to the fastest in the memory of `array`."""
    axes = range(array.ndim)
    if array.flags.c_contiguous or 0 in array.strides or not array.size:
        return tuple(axes)
    keyed = sorted(axes, key=lambda a: (-abs(array.strides[a]), a))
    return tuple(keyed)


def user_line() -> str:
    """The innermost line that runs outside of the library, as ``"train.py:12"``."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    if frame is None:
        return ""
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
