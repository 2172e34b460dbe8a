"""Errors that say which module failed: its path from the model that was called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dotori.nn.module import Module


def explain(error: Exception, module: Module, args: tuple[Any, ...]) -> None:
    """Add to `error`, on its way up, which module it came from and what it was given.

    The innermost module notes its own name and the shapes; each module above adds the
    name under which it holds the one below, so that the outermost path remains.
    """
    trail = getattr(error, "_dotori_trail", None)
    if trail is None:
        shapes = ", ".join(str(getattr(a, "shape", type(a).__name__)) for a in args)
        head = f"{type(module).__name__}({module.extra_repr()})"
        trail = {"path": [], "below": module, "text": f"{head}, given {shapes}"}
        error._dotori_trail = trail  # type: ignore[attr-defined]
    else:
        below = trail["below"]
        names = [name for name, m in module._modules.items() if m is below]
        trail["path"].insert(0, names[0] if names else "?")
        trail["below"] = module
    path = ".".join(["model", *trail["path"]])
    notes = [n for n in getattr(error, "__notes__", []) if not n.startswith("in model")]
    error.__notes__ = [*notes, f"in {path}: {trail['text']}"]
