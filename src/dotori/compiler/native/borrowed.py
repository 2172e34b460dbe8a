"""What object code asks of Numba's own library, for processes that do not import it."""

from __future__ import annotations

from functools import cache

from dotori.compiler.native import machine

#: Called by ``a.reshape(...)``: works out new strides, and whether there are any.
RESHAPE = "numba_attempt_nocopy_reshape"

# All arrays of a step are contiguous, so there always are: each stride is the product
# of the item's size and of the lengths behind it.
_TEXT = f"""
define i32 @{machine.ENTRY}(i64 %nd, i64* %dims, i64* %strides, i64 %newnd,
                            i64* %newdims, i64* %newstrides, i64 %size, i32 %order) {{
start:
  br label %next
next:
  %k = phi i64 [ %newnd, %start ], [ %axis, %one ]
  %stride = phi i64 [ %size, %start ], [ %longer, %one ]
  %more = icmp sgt i64 %k, 0
  br i1 %more, label %one, label %done
one:
  %axis = sub i64 %k, 1
  %place = getelementptr i64, i64* %newstrides, i64 %axis
  store i64 %stride, i64* %place
  %dim = getelementptr i64, i64* %newdims, i64 %axis
  %n = load i64, i64* %dim
  %longer = mul i64 %stride, %n
  br label %next
done:
  ret i32 1
}}
"""


@cache
def _reshape() -> machine.Linked:
    code, _ = machine.assembled(_TEXT)
    return machine.Linked(code)


def provide(needed: list[str]) -> None:
    """Define what of `needed` is Numba's and not there, as Numba is not."""
    if RESHAPE in needed and machine.missing([RESHAPE]):
        machine.define(RESHAPE, _reshape().address)
