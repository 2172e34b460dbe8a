"""The captured step: run once in Python, then as a plan without it.

`capture` runs a step for real and writes its program down: forward, backward, clipping,
the optimiser's update. Passes make the program smaller, and plans run it: as NumPy with
memory that is laid out once, as machine code made of the same loops, or as a script
that needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori.compiler.model import CompiledModel
    from dotori.compiler.step import Compiled

__all__ = ["Compiled", "CompiledModel", "compile"]


@overload
def compile(
    function: Module, mode: str = ..., *, strict: bool = ...
) -> CompiledModel: ...
@overload
def compile(
    function: Callable[..., Any], mode: str = ..., *, strict: bool = ...
) -> Compiled: ...
@overload
def compile(
    function: None = ..., mode: str = ..., *, strict: bool = ...
) -> Callable[[Callable[..., Any]], Compiled]: ...
def compile(function: Any = None, mode: str = "auto", *, strict: bool = True) -> Any:
    """A step, or a model, that is captured at its first call and then runs as a plan.

    The function runs as Python once for each signature: the shapes and types of its
    tensors and arrays, the values of its other arguments, the modes of its modules, and
    whether gradients are recorded. What it does to tensors is written down, with the
    backward pass, clipping, the optimiser's update and a schedule's step, and from then
    on runs without Python in between. Its results are those of the function, to
    rounding, with the same random masks.

    Parameters
    ----------
    function : callable or Module
        A step, which may take and return tensors, arrays, numbers, and tuples, lists
        and dicts of them. A module gives a `CompiledModel`, for inference.
    mode : {"auto", "numpy", "native"}
        ``"auto"``: planned NumPy at first, and machine code once Numba has compiled it
        in a thread of its own. ``"native"``: the first call waits for that.
        ``"numpy"``: never.
    strict : bool
        Raise `CaptureError` where something cannot be captured. Else the function runs
        as it is from then on, after a warning.

    Raises
    ------
    CaptureError
        For a line that needs a tensor's value, such as ``if loss > 1``; it names the
        line.
    MissingDependencyError
        For ``mode="native"`` where Numba is not installed.

    Notes
    -----
    Inside of the step, the gradients that the optimiser used are gone at its end:
    ``p.grad`` is None. Other effects on Python, as a counter that rises, happen at the
    capture only.

    Examples
    --------
    >>> import dotori
    >>> from dotori import nn, optim
    >>> _ = dotori.manual_seed(0)
    >>> model = nn.Linear(3, 1)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> @dotori.compile
    ... def step(x, y):
    ...     optimizer.zero_grad()
    ...     loss = nn.functional.mse_loss(model(x), y)
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> x = dotori.randn(32, 3)
    >>> losses = [step(x, x.sum(dim=1, keepdim=True)).item() for _ in range(100)]
    >>> losses[-1] < 1e-3
    True
    """
    from dotori.compiler.model import CompiledModel
    from dotori.compiler.step import Compiled

    if function is None:
        return lambda given: compile(given, mode, strict=strict)
    if isinstance(function, Module):
        return CompiledModel(function, mode, strict=strict)
    return Compiled(function, mode, strict)


def __getattr__(name: str) -> Any:
    """The classes load when they are asked for: a part of a program needs neither."""
    if name == "Compiled":
        from dotori.compiler.step import Compiled

        return Compiled
    if name == "CompiledModel":
        from dotori.compiler.model import CompiledModel

        return CompiledModel
    raise AttributeError(f"module 'dotori.compiler' has no attribute {name!r}")
