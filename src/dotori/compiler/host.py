"""What Python works out before each run of a captured step: it needs no tensor.

Random numbers, the rates that schedules set, and an optimiser's numbers such as
1 - beta^t. As none of it depends on what the step computes, it is all done first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import note_change
from dotori.compiler.ir import Value
from dotori.kernels import Pair, Placeholder
from dotori.random import Generator, default_generator

if TYPE_CHECKING:
    from dotori.optim.flat import FlatGroup, Run
    from dotori.optim.optimizer import Group, Optimizer


class Changed(Exception):
    """What was fixed when the step was captured is no longer so."""


class Draw:
    """Random numbers, from a generator's method.

    Attributes
    ----------
    values : list of Value
        One: the array drawn.
    generator : Generator or None
        None: the default one of the thread that calls.
    """

    def __init__(
        self,
        generator: Generator | None,
        method: Callable[..., Any],
        args: Any,
        kwargs: Any,
        value: Value,
    ) -> None:
        self.generator, self.method = generator, method
        self.args, self.kwargs = args, kwargs
        self.values = [value]

    def run(self) -> Sequence[Any]:
        """The array, drawn anew."""
        generator = self.generator or default_generator()
        return (self.method(generator, *self.args, **self.kwargs),)


class Act:
    """A call that gives nothing, such as a schedule's step."""

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.values: list[Value] = []
        self.gradients: list[Value] = []

    def run(self, gradients: Sequence[Any] = ()) -> Sequence[Any]:
        """Do it again."""
        self.function(*self.args, **self.kwargs)
        return ()


class Part(Placeholder):
    """Stands for an array of an optimiser's run: its values, gradient, or a state."""

    __slots__ = ("calls", "name")

    def __init__(self, name: str, calls: list[tuple[Pair, tuple[Any, ...]]]) -> None:
        self.name, self.calls = name, calls

    def called(self, pair: Pair, args: tuple[Any, ...]) -> None:
        self.calls.append((pair, args))


class Rehearsal:
    """A `Run` without arrays: what an optimiser's `update` does with it is noted."""

    def __init__(self, run: Run) -> None:
        self.calls: list[tuple[Pair, tuple[Any, ...]]] = []
        self.step, self.numbers = run.step, dict(run.numbers)
        self.values = Part("values", self.calls)
        self._parts: dict[str, Part] = {}

    def gradient(self) -> Part:
        return self.state("gradient")

    def state(self, name: str) -> Part:
        found = self._parts.get(name)
        if found is None:
            found = self._parts[name] = Part(name, self.calls)
        return found

    def again(self, step: int) -> Rehearsal:
        """The same for the update that follows `step` others."""
        self.step = step
        self.calls.clear()
        return self


def rehearsed(
    optimizer: Optimizer, rehearsal: Rehearsal, group: Group
) -> tuple[Pair, tuple[Any, ...]] | None:
    """The kernel that updates a run and its arguments; None if it is not one call.

    Arrays stand as `Part`; numbers are those of the step that comes.
    """
    if rehearsal.numbers:
        return None
    run: Any = rehearsal
    try:
        optimizer.update(run, group)
    except (TypeError, AttributeError):  # it computes with arrays itself
        return None
    return rehearsal.calls[0] if len(rehearsal.calls) == 1 else None


class Numbers:
    """The numbers of an optimiser's update of one flat group; counts its steps too.

    Attributes
    ----------
    values : list of Value
        One float for each number, for each age of a run.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        group: Group,
        flat: FlatGroup,
        runs: list[Run],
    ) -> None:
        self.optimizer, self.group, self.flat, self.runs = optimizer, group, flat, runs
        self.whole = runs is flat.whole
        self.values: list[Value] = []
        self._ages: list[tuple[Run, Rehearsal, tuple[Any, ...]]] = []
        self._of_step: dict[int, list[Value]] = {}

    def values_of(self, run: Run, args: tuple[Any, ...]) -> list[Value]:
        """The values of the numbers among `args`, shared by runs of one age."""
        known = self._of_step.get(run.step)
        if known is None:
            known = [_number() for a in args if isinstance(a, float)]
            self._of_step[run.step] = known
            self._ages.append((run, Rehearsal(run), _fixed(args)))
            self.values += known
        return known

    def run(self) -> Sequence[float]:
        """The numbers of the step that comes, which counts as made from now on.

        Raises
        ------
        Changed
            If parameters lie elsewhere now, or a setting that is no number changed.
        """
        return self.run_many(1)[0]

    def run_many(self, n: int) -> list[list[float]]:
        """The numbers of the next `n` steps, if nothing else changes between them."""
        optimizer, flat = self.optimizer, self.flat
        if optimizer._state_is_out:
            optimizer._take_state_back()
        if (self.whole and flat.whole is not self.runs) or not flat.still_in_place():
            raise Changed("the parameters of the optimiser lie elsewhere")
        found: list[list[float]] = [[] for _ in range(n)]
        for run, rehearsal, fixed in self._ages:
            for i, numbers in enumerate(found):
                again = rehearsal.again(run.step + i)
                call = rehearsed(optimizer, again, self.group)
                if call is None or _fixed(call[1]) != fixed:
                    raise Changed("the settings of the optimiser are others")
                numbers += [a for a in call[1] if isinstance(a, float)]
        self.count(n)
        note_change(flat.values, f"{type(optimizer).__name__}.step")
        return found

    def count(self, n: int) -> None:
        """Count `n` steps as made; a negative `n` takes them back."""
        if not self.whole:
            for _ in range(n):
                self.flat.finish(self.runs)
        for run in self.runs if self.whole or n < 0 else ():
            run.step += n
            for i in run.members:
                self.flat.steps[i] = run.step
        if not self.whole and n < 0:
            self.flat.rearrange()


def _number() -> Value:
    return Value((), np.dtype(np.float64), "host")


def _fixed(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """What must stay as it was: all that is neither a number nor an array."""
    return tuple(
        a.name if isinstance(a, Part) else None if isinstance(a, float) else a
        for a in args
    )


class Later:
    """An optimiser whose update is no kernel: it runs after the step, as it is.

    Attributes
    ----------
    params : list of Tensor
    gradients : list of Value
        What the program gives for it.
    """

    def __init__(
        self, optimizer: Optimizer, params: list[Any], gradients: list[Value]
    ) -> None:
        self.optimizer, self.params, self.gradients = optimizer, params, gradients

    def run(self, gradients: Sequence[Any]) -> None:
        """Make the update, with these gradients."""
        from dotori.autograd import wrap

        for p, g in zip(self.params, gradients, strict=True):
            p.grad = wrap(g)
        self.optimizer.step()
        for p in self.params:
            p.grad = None
