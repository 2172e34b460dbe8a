"""A captured training step as a script: forward, backward, update, line by line."""

from __future__ import annotations

import inspect
import linecache
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dotori.compiler.finish import Captured, capture
from dotori.compiler.guards import Surroundings
from dotori.compiler.ir import Instr, Value
from dotori.compiler.primitives import filled
from dotori.compiler.results import Result
from dotori.compiler.script.clipping import before_clipping
from dotori.compiler.script.ops import op_phrase
from dotori.compiler.script.program import instr_text
from dotori.compiler.script.rules import SLOPES, TUPLES, backward_words, forward_words
from dotori.compiler.script.session import Event, Telling, values_in
from dotori.compiler.script.text import broken, comment_text, literal
from dotori.compiler.script.units import Unit, given_to, live_values, name_of
from dotori.compiler.script.update import Update, update_lines, update_of, updated_parts
from dotori.compiler.script.values import Texts
from dotori.errors import ArgumentError

Array = np.ndarray[Any, Any]

#: Stands for a value that was never computed.
GONE = "\0"

#: Longer texts get a line and a name of their own.
_LONGEST_INLINE = 48

_KINDS = {
    **dict.fromkeys(("Linear", "Matmul", "Convolution", "ConvolutionWithBias"), "z"),
    **dict.fromkeys(("MaxPool", "MaxOnly", "WindowSum"), "pooled"),
    **dict.fromkeys(("Reshape", "Permute"), "flat"),
    "Dropout": "dropped",
    **dict.fromkeys(("BatchNorm", "LayerNorm", "RmsNorm"), "normed"),
}


@dataclass
class Step:
    """A training step as the parts of a script.

    Attributes
    ----------
    source : str
        The function ``train_step``.
    weights : dict of str to array
    updates : list of Update
    arguments : list of str
    inputs : list of array
    random : bool
        Whether it draws numbers from ``rng``.
    """

    source: str
    weights: dict[str, Array]
    updates: list[Update]
    arguments: list[str]
    inputs: list[Array]
    random: bool


def step_function(
    function: Any,
    args: tuple[Any, ...],
    inputs: list[Array],
    name: str = "train_step",
) -> Step:
    """What `function` does for `args`, as the source of a function.

    It is captured once more; nothing is changed by that. With the name ``"predict"`` it
    is a model, whose result alone is wanted.
    """
    around = Surroundings(function)
    sessions: list[Telling] = []

    class Session(Telling):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            sessions.append(self)

    found = capture(function, args, {}, around.names(), around.tensors(), Session)
    return _Writer(function, found, sessions[0], around.names(), inputs).step(name)


class _Writer(Texts):
    def __init__(
        self,
        function: Any,
        found: Captured,
        session: Telling,
        names: dict[int, str],
        inputs: list[Array],
    ) -> None:
        super().__init__(found)
        self.function, self.inputs = function, inputs
        self.layers: dict[Value, str] = {}
        self.updates = [
            update_of(kernel, found.host, names, self.made_by)
            for kernel in self.kernels
        ]
        gradients = [g for update in self.updates for g in update.gradients]
        trained = [name for update in self.updates for name in update.names]
        gradients, self.clipping = before_clipping(gradients, self.made_by)
        self.grads = dict(zip(gradients, trained, strict=True))
        self._note_updated()
        self.live = live_values(self.program, self.kernels, self.grads)
        self.units = list(self._units(session.events))
        self.uses = self._count_uses()
        self._check()

    # ------------------------------------------------------------ preparation

    def _check(self) -> None:
        if any(not hasattr(later, "function") for later, _ in self.found.later):
            raise ArgumentError(
                "export_script: the optimiser of this step has no words in a script; "
                "SGD, Adam, AdamW and RMSprop have"
            )
        for x in self.program.inputs:
            x.name = ""

    def _units(self, events: list[Event]) -> Iterator[Unit]:
        """The live instructions in order, those of one operation together."""
        owner = {id(instr): event for event in events for instr in event.instrs}
        for event in events:
            event.instrs = [i for i in event.instrs if self._is_live(i)]
        told: set[int] = set()
        for instr in self.program.instrs:
            if instr.op == "kernel":
                yield Unit([instr])
                continue
            if not self._is_live(instr):
                continue
            of = owner.get(id(instr))
            if of is None:
                yield Unit([instr])
            elif id(of) not in told:
                told.add(id(of))
                yield Unit(of.instrs, of)

    def _note_updated(self) -> None:
        """Weights that are read after their update are W again, which has changed."""
        for kernel, update in zip(self.kernels, self.updates, strict=True):
            for name, array in zip(update.names, update.values, strict=True):
                self.weights[name] = array
            parts = updated_parts(self.program.instrs, kernel, update)
            self.texts |= {y: f"W[{literal(name)}]" for y, name in parts.items()}
            self.cut |= parts.keys()

    def _is_live(self, instr: Instr) -> bool:
        return any(y in self.live for y in instr.outputs)

    def _count_uses(self) -> dict[Value, int]:
        count: dict[Value, int] = {}
        for unit in self.units:
            for x in dict.fromkeys(unit.reads()):
                count[x] = count.get(x, 0) + 1
            if unit.event is not None and unit.event.forward is not None:
                for x in values_in(unit.event.gradient):  # rules read it several times
                    count[x] += unit.event.op.several
        for x in (*self.program.results(), *self.grads):
            count[x] = count.get(x, 0) + 2  # a name of its own
        return count

    # ------------------------------------------------------------ the function

    def step(self, called: str) -> Step:
        arguments = self._arguments()
        for x, name in zip(self.program.inputs, arguments, strict=True):
            self.texts[x] = name
        body = list(self._lines())
        body += self._state_lines()
        returned = self._returned(self.found.result)
        head = [*arguments, *(["t"] if any(u.counts for u in self.updates) else [])]
        rates = list(dict.fromkeys(u.lr for u in self.updates))
        head += [f"lr={rates[0]!r}"] if len(rates) == 1 else []
        source = "\n".join(
            [
                f"def {called}({', '.join(head)}):",
                *self._docstring(arguments, called),
                *(["    grad = {}"] if self.grads else []),
                *body,
                *([f"    return {returned}"] if returned else []),
            ]
        )
        return Step(
            source, self.weights, self.updates, arguments, self.inputs, self.random
        )

    def _docstring(self, arguments: list[str], called: str) -> list[str]:
        given = " and ".join(
            f"{name} of shape {x.shape}"
            for name, x in zip(arguments, self.program.inputs, strict=True)
        )
        if called == "predict":
            head = "What the network gives for this number of rows:"
            checks = [
                f'    if {name}.shape != {x.shape}:\n        raise ValueError("{name}: '
                f'the shape {x.shape} is wanted")'
                for name, x in zip(arguments, self.program.inputs, strict=True)
            ]
            return [f'    """{head}', f"    {given}.", '    """', *checks]
        if not self.updates:
            return [f'    """What the step gives, made for {given}."""']
        lines = [f'    """One step of the training, made for {given}.']
        counted = any(u.counts for u in self.updates)
        tail = "; t counts the steps from 1." if counted else "."
        return [*lines, "", f"    The weights W change in place{tail}", '    """']

    def _arguments(self) -> list[str]:
        try:
            known = list(inspect.signature(self.function).parameters)
        except (TypeError, ValueError):
            known = []
        count = len(self.program.inputs)
        if len(known) < count:
            known = [f"x{i}" for i in range(count)]
        return [self.names.new(name) for name in known[:count]]

    def _lines(self) -> Iterator[str]:
        where = ""
        for unit in self.units:
            here = unit.instrs[0].where if unit.instrs else where
            line = self._users_line(here)
            if unit.instrs and unit.instrs[0].op == "kernel":
                yield from self._clip_lines()
                lines = self._kernel_lines(unit.instrs[0])
            else:
                lines = list(self._unit_lines(unit))
            if lines and here != where:
                where = here
                if line:
                    yield from (
                        "",
                        f"    # {comment_text(line).removeprefix('return ')}",
                    )
            yield from lines

    def _users_line(self, where: str) -> str:
        """The text of the user's line, if its file can be read."""
        name, _, number = where.rpartition(":")
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        if code is None or Path(code.co_filename).name != name:
            return ""
        return linecache.getline(code.co_filename, int(number)).strip()

    # ------------------------------------------------------------ operations

    def _unit_lines(self, unit: Unit) -> Iterator[str]:
        event = unit.event
        words = None
        if event is not None and event.forward is not None:
            words = self._rule_lines(event)
        elif event is not None and not event.backward:
            words = self._forward_lines(event)
        if words is None:
            words = [x for i in unit.instrs for x in self._instr_lines(i, event, unit)]
        yield from words

    def _forward_lines(self, event: Event) -> list[str] | None:
        self._layer_of(event)
        texts = [self.text(x) for x in given_to(event)]
        text = forward_words(event, texts)
        if text is not None and event.op.__name__ in TUPLES:
            return self._tuple_lines(event, text)
        first = event.results[0]
        if text is None or any(
            y in self.live and y is not first and self._is_read(y, event)
            for y in event.results
            if isinstance(y, Value)
        ):
            return None
        return self._assigned(first, text, event)

    def _tuple_lines(self, event: Event, text: str) -> list[str]:
        """An operation with several results, each of which gets a name."""
        names = []
        for y in event.results:
            if y in self.live and isinstance(y, Value):
                self.texts[y] = self._new_name(y, event, text)
                names.append(self.texts[y])
            else:
                names.append("_")
        return [broken(f"    {', '.join(names)} = {text}")]

    def _is_read(self, y: Value, event: Event) -> bool:
        """Whether someone but the operation's own rule, told in words, reads it."""
        readers = [
            u
            for u in self.units
            if u.event is not event
            and y in u.reads()
            and not (u.event and u.event.forward is event)
        ]
        return bool(readers)

    def _rule_lines(self, event: Event) -> list[str] | None:
        forward = event.forward
        assert forward is not None
        texts = [self.text(x) if self.is_known(x) else GONE for x in given_to(forward)]
        gradient = next(iter(values_in(event.gradient)))
        output = forward.results[0]
        dy = ", ".join(map(self.text, values_in(event.gradient)))
        if gradient in self.numbers and event.op.__name__ in SLOPES:
            dy = repr(self.numbers[gradient])
        told_output = self.text(output) if self.is_known(output) else GONE
        lines = backward_words(event, dy, texts, told_output)
        if lines is None or any(
            GONE in text and any(self._is_wanted(event, i) for i in places)
            for places, text in lines
        ):
            return None
        told: list[str] = []
        for places, text in lines:
            wanted: list[Value | None] = [
                event.results[i] if self._is_wanted(event, i) else None for i in places
            ]
            if not any(wanted):
                continue
            for i, y in zip(places, wanted, strict=True):
                if y is not None:
                    self._name_gradient(y, forward.args[i])
            if len(wanted) == 1 and wanted[0] is not None:
                told += self._assigned(wanted[0], text, event)
            else:
                names = ["_" if y is None else self.texts[y] for y in wanted]
                told.append(broken(f"    {', '.join(names)} = {text}"))
        return told

    def _is_wanted(self, event: Event, place: int) -> bool:
        """Whether a result of a rule is read by anybody."""
        found = event.results[place] if place < len(event.results) else None
        return isinstance(found, Value) and found in self.live

    def _name_gradient(self, y: Value, of: Any) -> None:
        """What the gradient for an input of an operation is called."""
        if y in self.texts:
            return
        if y in self.grads:
            self.texts[y] = f"grad[{literal(self.grads[y])}]"
        else:
            base = self.texts.get(of, "v") if isinstance(of, Value) else "v"
            if not base.isidentifier():
                base = getattr(of, "name", "") or "input"
            self.texts[y] = self.names.new(f"d_{base}")

    def _assigned(self, y: Value, text: str, event: Event | None) -> list[str]:
        """A line that gives `y` its value and a name."""
        if y not in self.texts:
            self.texts[y] = self._new_name(y, event, text)
        shape = f"({', '.join(map(str, y.shape))}{',' if y.ndim == 1 else ''})"
        new = (
            event
            and not event.backward
            and y.shape != getattr(event.args[0], "shape", ())
        )
        comment = shape if y.ndim and new else ""
        return [broken(f"    {self.texts[y]} = {text}", comment)]

    def _new_name(self, y: Value, event: Event | None, text: str) -> str:
        if y in self.grads:
            return f"grad[{literal(self.grads[y])}]"
        if event is None:
            for state, new in self.program.updates:
                if new is y and state.name:
                    return self.names.new(f"new_{state.name.rpartition('.')[2]}")
            return self.names.new("mask" if "rng." in text else "v")
        if event.backward:
            return self.names.new("d")
        if not y.ndim and y in self.program.outputs:
            return self.names.new("loss")
        layer = self._layer_of(event)
        if event.op.__name__ in TUPLES:
            name = event.op.outputs[list(event.results).index(y)]
            if name != "y":
                return self.names.new(f"{name}_{layer}".strip("_"))
        return self.names.new(
            f"{_KINDS.get(event.op.__name__, 'h')}_{layer}".strip("_")
        )

    def _layer_of(self, event: Event) -> str:
        """The layer of an operation: that of its weight, or of its input."""
        values = [x for x in event.args if isinstance(x, Value)]
        named = [x.name.rpartition(".")[0] for x in values if "." in x.name]
        layer = (
            named[0]
            if named
            else next((self.layers[x] for x in values if x in self.layers), "")
        )
        for y in values_in([*event.results, *(i.outputs for i in event.instrs)]):
            self.layers.setdefault(y, layer)
        return layer

    # ------------------------------------------------------------ instructions

    def _instr_lines(self, instr: Instr, event: Event | None, unit: Unit) -> list[str]:
        if instr.output in self.cut or self.is_number(instr):
            return []
        same = self.same_as(instr)
        if same is not None:
            self.texts[instr.output] = self.text(same)
            return []
        texts = [self.text_in(x, instr) for x in instr.inputs]
        text = self._whole_text(instr) if instr.op == "call" else None
        text = text or instr_text(instr, texts)
        if text is None:
            raise ArgumentError(
                f"export_script: a script has no words for {name_of(instr)} at "
                f"{instr.where}"
            )
        y = instr.output
        is_result = event is None or any(y is r for r in event.results)
        inner = sum(y in set(i.values()) for i in unit.instrs)
        single = self.uses.get(y, 0) + (inner if not is_result else 0) <= 1
        if event is not None and not is_result:
            single = inner <= 1
        trivial = instr.op in ("transpose", "cast", "slice") and text.count("(") <= 1
        if y not in self.grads and (single or trivial) and len(text) <= _LONGEST_INLINE:
            inlined = event is None or not is_result or event.backward
            if inlined or trivial:
                self.texts[y] = text
                return []
        if event is not None and event.backward and event.forward is not None:
            for of, result in zip(event.forward.args, event.results, strict=False):
                if result is y:
                    self._name_gradient(y, of)
        elif event is None and instr.op in ("add", "sum"):  # two gradients of one value
            first = re.match(r"d_\w+", self.text(next(instr.values())))
            if first and y not in self.grads:
                self.texts[y] = self.names.new(first[0])
        return self._assigned(y, text, event)

    def _whole_text(self, instr: Instr) -> str | None:
        """The text of an operation that stands in the program as a whole."""
        attrs = instr.attrs
        if attrs["rule"] == "backward" or len(instr.outputs) > 1:
            return None
        texts = [self.text(x) for x in instr.inputs]
        args = filled(attrs["args"], texts)
        given = [x if isinstance(x, str) else repr(x) for x in args]
        shape = next(instr.values()).shape
        return op_phrase(
            attrs["op"].__name__, given, filled(attrs["kwargs"], texts), shape
        )

    # ------------------------------------------------------------ clipping and update

    def _clip_lines(self) -> Iterator[str]:
        """Clipping stands between the rules and the first update."""
        if self.clipping is not None:
            line = self._users_line(self.clipping.where)
            yield from ("", f"    # {comment_text(line)}") if line else ()
            yield f"    clip_gradients(grad, {self.clipping.limit!r})"
            self.clipping = None

    def _kernel_lines(self, kernel: Instr) -> list[str]:
        update = self.updates[self.kernels.index(kernel)]
        rates = {u.lr for u in self.updates}
        lr = "lr" if len(rates) == 1 else repr(update.lr)
        return update_lines(update, len(self.updates) == 1, lr)

    def _state_lines(self) -> list[str]:
        """Other memory that the step changes, such as running statistics."""
        flat = {x for kernel in self.kernels for x in kernel.values()}
        return [
            broken(f"    {self.text(state)}[...] = {self.text(new)}")
            for state, new in self.program.updates
            if state not in flat
        ]

    def _returned(self, result: Any) -> str:
        if isinstance(result, Result):
            if result.kind == "fixed":
                return repr(result.value) if result.value is not None else ""
            return self.text(self.program.outputs[result.value])
        if isinstance(result, (tuple, list)):
            return ", ".join(filter(None, map(self._returned, result)))
        if isinstance(result, dict):
            pairs = (f"{k!r}: {self._returned(v)}" for k, v in result.items())
            return f"{{{', '.join(pairs)}}}"
        return repr(result)
