"""`Op`: the value of an operation and its gradient rule; and the registry of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

#: Every operation by its name. `tests/contracts/` walks it.
registry: dict[str, type[Op]] = {}


def follow(op: type[Op], xp: Any, *xs: Any, **attrs: Any) -> Any:
    """`op` inside of a gradient rule: recorded if given tensors, plain on arrays.

    For rules that need an operation which NumPy has no name for.
    """
    if any(hasattr(x, "node") for x in xs):
        from dotori.autograd import apply

        return apply(op, *xs, **attrs)
    return op.forward(xp, *xs, **attrs)


@dataclass
class Sample:
    """Inputs that a contract test runs an operation on.

    `inputs` are arrays or numbers; floating ones are differentiated. `torch` names the
    function of PyTorch that gives the same value, or is one written for the test:
    it receives torch tensors and the attributes.
    """

    inputs: tuple[Any, ...]
    attrs: dict[str, Any] = field(default_factory=dict)


class Op:
    """One operation, written once against `xp`, an array namespace.

    A subclass defines two static methods and, as data, what is special about it:

    ``forward(xp, x, ..., *, attribute, ...)``
        The value. Parameters after `xp` are the inputs, keyword-only ones are
        attributes. Inputs are arrays (or numbers); never changed.
    ``backward(xp, dy, x, y, *, attribute, ...)``
        The gradient for the input, from the gradient `dy` of the output and from what
        `saves` names, in that order. With several inputs it is
        ``backward(xp, dy, needs, ...)`` and returns one gradient for each; where
        ``needs[i]`` is false, None will do. It uses operators and `xp` alone, in no way
        in place, so that it runs on arrays and on tensors; it never returns a saved
        array itself. Broadcasting is undone by the caller.
    ``samples(rng)``
        Yields `Sample`: what the contract tests try.

    Defining a subclass registers it.
    """

    saves: ClassVar[tuple[str, ...]] = ()
    """What backward sees: inputs by name, outputs by the names in `outputs`, extras."""

    outputs: ClassVar[tuple[str, ...]] = ("y",)
    """The names of the outputs; with several, forward returns a tuple."""

    outputs_vary: ClassVar[bool] = False
    """The number of outputs depends on the call, as in `split`."""

    extras: ClassVar[tuple[str, ...]] = ()
    """Constants (indices, masks) that forward returns after the outputs."""

    floats: ClassVar[bool] = False
    """Integer and boolean inputs are first brought to the default float type."""

    real: ClassVar[bool] = False
    """Complex numbers are refused: they have no order, or no formula is known."""

    differentiable: ClassVar[bool] = True
    """Whether a gradient is recorded."""

    holomorphic: ClassVar[bool] = True
    """Of complex numbers: backward is the rule for real ones, which the walk applies to
    conjugated gradients. False where the rule sees to complex numbers itself."""

    views: ClassVar[bool] = False
    """Whether the outputs may lie in the memory of the input, which is one."""

    whole: ClassVar[bool] = False
    """In a captured step it stays one instruction: it is more than its array code, or
    has a native routine."""

    torch: ClassVar[str | Callable[..., Any] | None] = None
    """PyTorch's name for it, as ``"special.erf"``, or a function of its tensors."""

    # Worked out from the signature of forward:
    inputs: ClassVar[tuple[str, ...]] = ()
    variadic: ClassVar[bool] = False
    several: ClassVar[bool] = False
    checks: ClassVar[bool] = False
    keeps_one: ClassVar[str] = ""
    keeps_inputs: ClassVar[bool] = False
    one_output: ClassVar[bool] = True
    _keeps: ClassVar[dict[int, tuple[int, ...]]] = {}

    forward: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if abstract:
            return
        if cls.__name__ in registry:
            raise TypeError(f"an operation named {cls.__name__} exists already")
        for name in ("forward", "backward") if cls.differentiable else ("forward",):
            if not callable(getattr(cls, name, None)):
                raise TypeError(f"the operation {cls.__name__} has no {name}")
        code = cls.forward.__code__
        cls.inputs = code.co_varnames[1 : code.co_argcount]
        cls.variadic = bool(code.co_flags & 0x04)  # CO_VARARGS: forward(xp, *xs)
        cls.several = cls.variadic or len(cls.inputs) > 1
        cls.checks = cls.floats or cls.real
        cls._keeps = {}
        for name in cls.saves:
            if name not in (*cls.inputs, *cls.outputs, *cls.extras):
                raise TypeError(
                    f"{cls.__name__} saves {name!r}, which it does not have"
                )
        if len(cls.saves) == 1 and len(cls.inputs) == 1:
            cls.keeps_one = "y" if cls.saves[0] in cls.outputs else "x"
        cls.keeps_inputs = len(cls.inputs) == 2 and cls.saves == cls.inputs
        plain = len(cls.outputs) == 1 and not cls.extras
        cls.one_output = plain and not cls.outputs_vary
        registry[cls.__name__] = cls

    @classmethod
    def keeps(cls, n_inputs: int) -> tuple[int, ...]:
        """Where the `saves` stand in (*inputs, *outputs, *extras)."""
        found = cls._keeps.get(n_inputs)
        if found is None:
            names = (*cls.inputs, *cls.outputs, *cls.extras)
            shift = n_inputs - len(cls.inputs)
            n_named = len(cls.inputs)
            places = [names.index(name) for name in cls.saves]
            found = tuple(i if i < n_named else i + shift for i in places)
            cls._keeps[n_inputs] = found
        return found

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        """Inputs for the contract tests: at least one."""
        raise NotImplementedError
