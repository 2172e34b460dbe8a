"""A model as a script: `predict`, layer by layer, and what surrounds it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dotori.compiler.script.blocks import BLOCK, Block, block_name, repeated
from dotori.compiler.script.layers import phrase
from dotori.compiler.script.ops import SIGNS, op_phrase
from dotori.compiler.script.text import broken, comment_text, literal, reserved_names
from dotori.compiler.script.trace import Call, Named, Ref, Trace, trace
from dotori.errors import ArgumentError

Array = np.ndarray[Any, Any]

_POOL = ("x", "y", "z", "u", "v", "s", "t", "a", "b", "c", "d", "e", "f", "g", "h")


@dataclass
class Function:
    """A function of a script, and the weights that it reads.

    Attributes
    ----------
    source : str
    weights : dict of str to array
        By the names that the text uses, ``W[name]``.
    arguments : list of str
    input_shapes, output_shapes : list of tuple
        With `Rows` where they follow the batch.
    """

    source: str
    weights: dict[str, Array]
    arguments: list[str]
    input_shapes: list[tuple[int, ...]]
    output_shapes: list[tuple[int, ...]]


def model_function(
    model: Any, inputs: Sequence[Array], name: str = "predict"
) -> Function:
    """What `model` does for `inputs`, as the source of a function.

    Raises
    ------
    ArgumentError
        If there are no words for something that the model does.
    """
    found, functions, weights = trace(model, inputs), list[str](), dict[str, Array]()
    for blocks in repeated(model, found, _block_source):
        called = block_name(blocks[0], functions)
        sources = [_Writer(model, b.trace, ["x"], b.path).block(called) for b in blocks]
        functions.append(sources[0].source)
        for block, source in zip(blocks, sources, strict=True):
            weights |= source.weights
            found = block.replaced(found, called)
    whole = _Writer(model, found, _arguments(model, len(inputs))).function(name)
    whole.source = "\n\n\n".join([*functions, whole.source])
    whole.weights = weights | whole.weights
    return whole


def _block_source(model: Any, block: Block) -> str | None:
    """What the blocks that share a function have in common."""
    try:
        return _Writer(model, block.trace, ["x"], block.path).block("f").source
    except ArgumentError:
        return None


def shape_text(shape: Sequence[Any]) -> str:
    """A shape, as ``(n, 10)``."""
    return f"({', '.join(map(repr, shape))}{',' if len(shape) == 1 else ''})"


def _arguments(model: Any, count: int) -> list[str]:
    """The names that `forward` gives its arguments; x for one alone."""
    names = [
        p.name
        for p in inspect.signature(model.forward).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if count == 1 or len(names) < count:
        return ["x"] if count == 1 else [f"x{i}" for i in range(count)]
    taken = reserved_names()
    return [f"{name}_" if name in taken else name for name in names[:count]]


class _Writer:
    """Turns a trace into lines: texts of values, and names for those that need one."""

    def __init__(
        self, model: Any, found: Trace, arguments: list[str], within: str = ""
    ) -> None:
        self.model, self.trace, self.arguments = model, found, arguments
        self.within = within
        self.weights: dict[str, Array] = {}
        numbers = [x.number for x in found.inputs]
        self.texts: dict[int, str] = dict(zip(numbers, arguments, strict=True))
        self.last = _last_use(found)
        self.reads = _reads(found)
        self.arrays = {
            name: t.array
            for name, t in (*model.named_parameters(), *model.named_buffers())
        }
        self.known = {id(array): name for name, array in self.arrays.items()}

    def _body(self, told: bool = True) -> list[str]:
        lines = list(self._lines(told))
        body = [*lines, f"    return {self._returned(self.trace.output)}"]
        if any(_counts_rows(line) for line in body):
            body.insert(0, f"    n = len({self.arguments[0]})")
        return body

    def block(self, called: str) -> Function:
        """A function of x and the name under which its weights stand."""
        kind = type(self.model.get_submodule(self.within)).__name__
        head = [
            f"def {called}(x, name):",
            f'    """{kind}: its weights stand under the name."""',
        ]
        source = "\n".join([*head, *self._body(told=False)])
        return Function(source, self.weights, ["x"], [], [])

    def function(self, name: str) -> Function:
        body = self._body()
        outputs = list(self.trace.output_shapes.values())
        given = self.trace.input_shapes
        takes = " and ".join(
            f"{argument} of shape {shape_text(shape)}"
            for argument, shape in zip(self.arguments, given, strict=True)
        )
        gives = ", ".join(map(shape_text, outputs))
        doc = f'    """What the network gives for {takes}: shape {gives}."""'
        head = f"def {name}({', '.join(self.arguments)}):"
        source = "\n".join([head, *_wrapped_doc(doc), *body])
        return Function(source, self.weights, self.arguments, given, outputs)

    def _lines(self, told: bool) -> Iterator[str]:
        """The statements, `told` with shapes and the names of modules."""
        parents = [_parent(call) for call in self.trace.calls]
        many, before = len(set(parents)) > 1, ""
        for i, call in enumerate(self.trace.calls):
            texts = [self._text(x) for x in call.inputs]
            text = self._call_text(call, texts)
            if len(call.outputs) == 1 and self._is_inlined(call):
                self.texts[call.outputs[0]] = text
                continue
            if told and many and parents[i] != before:
                before = parents[i]
                yield f"    # {comment_text(before)}" if before else ""
            names = self._names(call, i)
            shapes = call.shapes[-len(call.outputs) :]
            named = zip(names, shapes, strict=True)
            comment = ", ".join(shape_text(s) for name, s in named if name != "_")
            shown = comment if told and self._changes_shape(call) else ""
            yield broken(f"    {', '.join(names)} = {text}", shown)

    def _changes_shape(self, call: Call) -> bool:
        return call.shapes[-1] != call.shapes[0] or len(call.outputs) > 1

    def _is_inlined(self, call: Call) -> bool:
        """A view of weights needs no line, nor arithmetic that the next line reads."""
        refs = [x.number for x in call.inputs if isinstance(x, Ref)]
        if all("W[" in self.texts[number] for number in refs):
            return bool(call.inputs)
        made, i = call.outputs[0], self.trace.calls.index(call)
        if (
            call.op not in SIGNS
            or self.reads.get(made) != 1
            or self.last[made] != i + 1
        ):
            return False
        return _parent(self.trace.calls[i + 1]) == _parent(call)

    def _names(self, call: Call, i: int) -> list[str]:
        """Names for the outputs: those of inputs that are read for the last time."""
        free = [
            self.texts[x.number]
            for x in call.inputs
            if isinstance(x, Ref) and self.last.get(x.number, -1) <= i
        ]
        pool = [*self.arguments, *_POOL, *(f"h{k}" for k in range(1000))]
        free = sorted({name for name in free if name.isidentifier()}, key=pool.index)
        taken = {
            text
            for number, text in self.texts.items()
            if self.last.get(number, -1) > i and text.isidentifier()
        }
        pool = [*free, *pool[len(self.arguments) :]]
        names: list[str] = []
        for number in call.outputs:
            if number not in self.last:  # nobody reads it
                names.append("_")
                continue
            name = next(n for n in pool if n not in taken and n not in names)
            names.append(name)
            self.texts[number] = name
        return names

    def _call_text(self, call: Call, texts: list[str]) -> str:
        if call.op == BLOCK:
            return f"{call.attrs['called']}({texts[0]}, {literal(call.path)})"
        if call.module is not None:

            def weight(name: str) -> str:
                value = getattr(call.module, name)
                return (
                    "None" if value is None else self._weight(call, name, value.array)
                )

            text = phrase(call.module, ", ".join(texts), weight, call.shapes[0])
        else:
            text = op_phrase(call.op, texts, call.attrs, call.shapes[0])
        if text is None:
            place = f" in {call.path!r}" if call.path else ""
            raise ArgumentError(
                f"export_script: a script has no words for {call.op}{place}; "
                "write that part with other layers, or save the model as it is"
            )
        return text

    def _weight(self, call: Call, name: str, array: Array) -> str:
        full = f"{call.path}.{name}" if call.path else name
        return self._stored(self.known.get(id(array), full), array)

    def _stored(self, name: str, array: Array) -> str:
        self.weights[name] = array
        if self.within:
            rest = literal(name.removeprefix(self.within))
            return f'W[f"{{name}}{rest.replace("{", "{{").replace("}", "}}")[1:]}]'
        return f"W[{literal(name)}]"

    def _text(self, x: Any) -> str:
        if isinstance(x, Ref):
            return self.texts[x.number]
        if isinstance(x, Named):
            return self._stored(x.name, self.arrays[x.name])
        if isinstance(x, (bool, int, float)) or x is None:
            return repr(x)
        array = np.asarray(x)
        if array.ndim == 0:
            return repr(array.item())
        return self._stored(f"constant{len(self.weights)}", array)

    def _returned(self, output: Any) -> str:
        if isinstance(output, Ref):
            return self.texts[output.number]
        if isinstance(output, tuple):
            return ", ".join(map(self._returned, output))
        if isinstance(output, dict):
            parts = (f"{k!r}: {self._returned(v)}" for k, v in output.items())
            return f"{{{', '.join(parts)}}}"
        return repr(output)


def _parent(call: Call) -> str:
    """The module whose `forward` a call stands in."""
    inner = call.module is not None or call.op == BLOCK
    return call.path.rpartition(".")[0] if inner else call.path


def _last_use(found: Trace) -> dict[int, int]:
    """The last call that reads each value; what is returned is read at the end."""
    last = {
        x.number: i
        for i, call in enumerate(found.calls)
        for x in call.inputs
        if isinstance(x, Ref)
    }
    return last | dict.fromkeys(found.output_shapes, len(found.calls))


def _reads(found: Trace) -> dict[int, int]:
    count: dict[int, int] = {}
    for call in found.calls:
        for x in call.inputs:
            if isinstance(x, Ref):
                count[x.number] = count.get(x.number, 0) + 1
    return count


def _counts_rows(line: str) -> bool:
    import ast

    code = line.split("  # ")[0].strip()
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return False
    return any(isinstance(n, ast.Name) and n.id == "n" for n in ast.walk(tree))


def _wrapped_doc(line: str) -> list[str]:
    if len(line) <= 88:
        return [line]
    cut = line.rindex(": shape") + 1
    return [line[:cut], f"    {line[cut + 1 : -3]}", '    """']
