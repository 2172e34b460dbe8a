"""`CompiledModel`: a network for inference, from its captured program."""

from __future__ import annotations

from typing import Any

from dotori._tensor import Tensor
from dotori.autograd import is_grad_enabled
from dotori.compiler.step import Compiled
from dotori.nn.module import Module


class CompiledModel:
    """A model whose forward is captured; called like the model.

    Under `no_grad` it runs from the captured program. While gradients are recorded and
    an input or weight requires one, the model itself runs: capture the whole training
    step to have that fast.

    Attributes
    ----------
    model : Module
    step : Compiled
        The captured forward, with `explain`, `source` and `graph`.

    Examples
    --------
    >>> import dotori
    >>> from dotori import nn
    >>> fast = dotori.compile(nn.Linear(3, 1).eval())
    >>> with dotori.no_grad():
    ...     y = fast(dotori.ones(2, 3))
    >>> y.shape
    (2, 1)
    """

    def __init__(self, model: Module, mode: str = "auto", *, strict: bool = True):
        self.model = model
        self.step = Compiled(model, mode, strict)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if is_grad_enabled() and self._needs_gradients(args):
            return self.model(*args, **kwargs)
        return self.step(*args, **kwargs)

    def _needs_gradients(self, args: tuple[Any, ...]) -> bool:
        if any(isinstance(x, Tensor) and x.requires_grad for x in args):
            return True
        return any(p.requires_grad for p in self.model.parameters())

    def __getattr__(self, name: str) -> Any:
        if name in ("explain", "source", "graph", "program", "over", "wait"):
            return getattr(self.step, name)
        return getattr(self.model, name)

    def __repr__(self) -> str:
        return f"compiled {self.model!r}"
