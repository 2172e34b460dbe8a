"""The values of a training step in its script: names, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dotori.compiler.finish import Captured
from dotori.compiler.host import Draw
from dotori.compiler.ir import Instr, Value
from dotori.compiler.primitives import ELEMENTWISE, UFUNCS
from dotori.compiler.script.text import literal, reserved_names
from dotori.errors import ArgumentError

Array = np.ndarray[Any, Any]


@dataclass
class Names:
    """Names of the script, each given once."""

    taken: set[str] = field(default_factory=set)

    def new(self, stem: str) -> str:
        stem = "".join(c if c.isalnum() else "_" for c in stem) or "v"
        stem = f"v{stem}" if stem[0].isdigit() else stem
        name, n = stem, 1
        while name in self.taken:
            n += 1
            name = f"{stem}_{n}"
        self.taken.add(name)
        return name


class Texts:
    """The text of each value.

    Attributes
    ----------
    texts : dict of Value to str
        Those that are known.
    weights : dict of str to array
        What the texts need of the weights' file.
    cut : set of Value
        An optimiser's memory, and the weights that are cut out of it.
    kernels : list of Instr
        The updates by optimisers.
    numbers : dict of Value to number
        Those that are one number throughout.
    random : bool
        Whether a text draws from ``rng``.
    """

    def __init__(self, found: Captured) -> None:
        self.found, self.program = found, found.program
        self.texts: dict[Value, str] = {}
        self.weights: dict[str, Array] = {}
        self.names = Names(reserved_names())
        self.random = False
        self.made_by = self.program.made_by()
        read = {x for instr in self.program.instrs for x in instr.values()}
        self.numbers: dict[Value, float] = {
            x: x.array.item() for x in read if x.kind == "constant" and not x.ndim
        }
        self.kernels = [i for i in self.program.instrs if i.op == "kernel"]
        memory = {x for kernel in self.kernels for x in kernel.values()}
        self.cut = {x for x in memory if x.kind == "state"}
        for instr in self.program.instrs:
            whole = instr.inputs[0] if instr.op in ("slice", "reshape") else None
            if isinstance(whole, Value) and whole in self.cut:
                if whole.kind == "state" or not whole.name:  # not of a weight
                    self.cut.add(instr.output)

    def is_number(self, instr: Instr) -> bool:
        """Whether what it makes is one number, wherever it stands; it is noted then."""
        y, known = instr.outputs[0], list[float]()
        for x in instr.inputs:
            if isinstance(x, Value) and x not in self.numbers:
                return False
            known.append(self.numbers[x] if isinstance(x, Value) else x)
        if y.dtype.kind != "f":
            return False
        if instr.op in ("reshape", "broadcast_to", "copy"):
            self.numbers[y] = known[0]
        elif instr.op in UFUNCS:
            with np.errstate(all="ignore"):
                found = getattr(np, instr.op)(*(y.dtype.type(k) for k in known))
            self.numbers[y] = float(str(found))  # the shortest text of a float32
        return y in self.numbers

    def same_as(self, instr: Instr) -> Value | None:
        """The input that the instruction gives as it is: x for 1 x."""
        y = instr.outputs[0]
        values = [x for x in instr.values() if x not in self.numbers]
        known = [
            self.numbers.get(x, 0) if isinstance(x, Value) else x for x in instr.inputs
        ]
        like = [x for x in values if x.shape == y.shape and x.dtype == y.dtype]
        if instr.op == "positive" and like:
            return like[0]
        if instr.op == "multiply" and len(values) == 1 and like and 1 in known:
            return like[0]
        return None

    def text_in(self, x: Any, instr: Instr) -> str:
        """The text of an operand: a number, where that broadcasts as it should."""
        if x in self.numbers and instr.op in ELEMENTWISE:
            shapes = [o.shape for o in instr.values() if o not in self.numbers]
            if instr.output.shape in shapes:
                return repr(self.numbers[x])
        return self.text(x)

    def is_known(self, x: Any) -> bool:
        """Whether `x` has a text: what nobody reads is never computed."""
        if not isinstance(x, Value) or x.kind != "made":
            return True
        return x in self.texts or x in self.numbers or x in self.cut

    def text(self, x: Any) -> str:
        """The text of an operand."""
        if not isinstance(x, Value):
            return repr(x)
        found = self.texts.get(x)
        if found is None and x in self.numbers:
            number = repr(self.numbers[x])
            full = f"np.full({x.shape}, {number}, np.{x.dtype.name})"
            return full if x.ndim else number
        if found is None:
            found = self._outer_text(x)
            self.texts[x] = found
        return found

    def _outer_text(self, x: Value) -> str:
        """The text of what no instruction makes: weights, constants, random numbers."""
        if x in self.cut or x.kind == "state":
            return self._stored(x.name or f"state{len(self.weights)}", x)
        if x.kind == "constant":
            if x.size == 1 and not x.ndim:
                return repr(x.array.item())
            return self._stored(f"constant{len(self.weights)}", x)
        if x.kind == "host":
            return self._drawn(x)
        raise ArgumentError(f"export_script: nothing is known of {x!r}")

    def _stored(self, name: str, x: Value) -> str:
        array = x.array
        if array is None:  # a part of an optimiser's memory
            array = self._cut_out(x)
        self.weights[name] = array
        return f"W[{literal(name)}]"

    def _cut_out(self, x: Value) -> Array:
        """The numbers of a weight that lies in an optimiser's memory."""
        instr = self.made_by[x]
        source = next(instr.values())
        if source.array is None:
            return self._cut_out(source).reshape(x.shape)
        if instr.op == "slice":
            part: Array = source.array[instr.attrs["index"]]
            return part.copy()
        whole: Array = source.array.reshape(x.shape)
        return whole.copy()

    def _drawn(self, x: Value) -> str:
        for draw in self.found.host:
            if isinstance(draw, Draw) and draw.values[0] is x:
                name = draw.method.__name__
                shape = ", ".join(map(str, x.shape)) + ("," if x.ndim == 1 else "")
                self.random = True
                if name == "keep_mask":
                    p = draw.args[1] if len(draw.args) > 1 else draw.kwargs["p"]
                    return f"(rng.random(({shape})) >= {p!r})"
                raise ArgumentError(
                    f"export_script: a script has no words for {name} of random numbers"
                )
        raise ArgumentError("export_script: a number of the step comes from elsewhere")
