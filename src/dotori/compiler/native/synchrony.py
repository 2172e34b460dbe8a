"""`barrier` for compiled code: threads that wait for each other without Python."""

from __future__ import annotations

from typing import Any

from dotori.errors import need


def functions() -> dict[str, Any]:
    """``barrier(table, thread, threads)``: returns when all threads have come here."""
    numba: Any = need("numba", "fast", "compiled steps")

    def barrier(table: Any, thread: int, threads: int) -> None:
        return

    return {"barrier": numba.njit(barrier, _nrt=False, no_cpython_wrapper=True)}
