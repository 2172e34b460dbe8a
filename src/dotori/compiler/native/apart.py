"""`apart`: functions whose arrays do not overlap, as C's ``restrict`` says it.

A loop that reads five arrays and writes three becomes vectors only if LLVM knows that
no number written is read later; to check that before the loop, it gives up at eight
comparisons. Numba can mark arguments ``noalias`` but offers no option for that, so this
is a dispatcher with compiler flags of its own.
"""

from __future__ import annotations

from typing import Any

from dotori.errors import need


def decorator(options: dict[str, Any]) -> Any:
    """Compiles a function with Numba's `options`; its arrays must not overlap."""
    registry: Any = need("numba.core.registry", "fast", "compiled steps")
    plain: Any = registry.cpu_target
    kind: Any = type(plain)

    class Options(kind.options):  # type: ignore[misc]  # a class that is found late
        def finalize(self, flags: Any, options: Any) -> None:
            super().finalize(flags, options)
            flags.noalias = True

    class Target(kind):  # type: ignore[misc]  # as above
        options = Options
        typing_context = property(lambda self: plain.typing_context)
        target_context = property(lambda self: plain.target_context)

    class Dispatcher(registry.CPUDispatcher):  # type: ignore[misc]  # as above
        targetdescr = Target("cpu")

    def compiled(function: Any) -> Any:
        given = {"nopython": True, "boundscheck": None, **options}
        return Dispatcher(function, targetoptions=given)

    return compiled
