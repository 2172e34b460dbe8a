"""`Graph`: a program as a drawing, as Graphviz's text, and as lines of text."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from html import escape

from dotori.compiler.ir import Instr, Names, Operand, Program, Value
from dotori.compiler.layout import Box, place
from dotori.compiler.primitives import VIEWS

_LETTER, _LINE, _GAP = 7.0, 16.0, 40.0
_MOST_NAMED = 6

_STYLE = """\
svg.program { font: 12px ui-monospace, monospace; --ink: #24292f; --edge: #8c959f;
  --input: #ddf4ff; --state: #fff8c5; --host: #fbefff; --instr: #ffffff;
  --fused: #dafbe1; --output: #ddf4ff; }
@media (prefers-color-scheme: dark) { svg.program { --ink: #e6edf3; --edge: #6e7681;
  --input: #0c2d6b; --state: #4b2900; --host: #3c1e70; --instr: #161b22;
  --fused: #033a16; --output: #0c2d6b; } }
.program rect { stroke: var(--edge); }
.program text { fill: var(--ink); text-anchor: middle; }
.program path { fill: none; stroke: var(--edge); }
.program .shape { fill: var(--edge); font-size: 10px; }"""


@dataclass(eq=False)
class Node:
    """A box of the drawing.

    Attributes
    ----------
    kind : str
        ``"input"``, ``"state"``, ``"host"``, ``"constant"``, ``"instr"``, ``"fused"``
        or ``"output"``.
    lines : list of str
        What stands in it.
    where : str
        The user's line.
    """

    kind: str
    lines: list[str]
    where: str = ""


@dataclass(eq=False)
class Edge:
    """A value on its way from one node to another."""

    start: Node
    end: Node
    label: str


class Graph:
    """A program for people to look at; in a notebook, it draws itself.

    Parameters
    ----------
    program : Program
    views : bool
        Draw views (transposes, reshapes, slices) as boxes; else edges pass over them.

    Attributes
    ----------
    nodes : list of Node
    edges : list of Edge

    Examples
    --------
    >>> import dotori
    >>> step = dotori.compile(lambda x: dotori.exp(x).sum())
    >>> _ = step(dotori.ones(2, 3))
    >>> graph = Graph(step.program)
    >>> [node.lines[0] for node in graph.nodes if node.kind == "instr"]
    ['exp', 'sum over 0, 1']
    >>> graph.svg().startswith("<svg")
    True
    """

    def __init__(self, program: Program, views: bool = False) -> None:
        self.program = program
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._names = Names(program)
        self._made: dict[Value, tuple[Node, str]] = {}
        used = _read(program)
        for x in (*program.inputs, *program.host, *program.states()):
            if x in used:
                node = self._add(x.kind, [x.name or self._names(x), _shape(x)])
                self._made[x] = node, ""
        for instr in program.instrs:
            self._add_instr(instr, views)
        self._add_results()
        self._drop_unread()

    def _add(self, kind: str, lines: list[str], where: str = "") -> Node:
        self.nodes.append(Node(kind, [line for line in lines if line], where))
        return self.nodes[-1]

    def _add_instr(self, instr: Instr, views: bool) -> None:
        if instr.op in VIEWS and not views:
            source = instr.inputs[0]
            if isinstance(source, Value) and source in self._made:
                self._made[instr.output] = self._seen_through(source, instr)
                return
        kind = "fused" if instr.op == "fused" else "instr"
        node = self._add(kind, _label(instr), instr.where)
        for x in instr.inputs:
            self._connect(x, node)
        for y in instr.outputs:
            self._made[y] = node, ""

    def _seen_through(self, source: Value, instr: Instr) -> tuple[Node, str]:
        """Where a view comes from, marked if it is transposed; a part of a memory
        that has a name, such as a weight, is a box of its own."""
        node, mark = self._made[source]
        y = instr.output
        if node.kind == "state" and y.name:
            return self._add("state", [y.name, _shape(y)]), ""
        return node, "T" if instr.op == "transpose" else mark

    def _connect(self, x: Operand, node: Node) -> None:
        """An edge from where `x` is made; a number is written into the node."""
        if isinstance(x, Value) and x in self._made:
            start, mark = self._made[x]
            known = any(e.start is start and e.label for e in self.edges)
            shape = "" if known and not mark else _shape(x)  # once is enough
            self.edges.append(Edge(start, node, f"{shape} {mark}".strip()))
        elif isinstance(x, Value) and x.array is not None and x.size > 1:
            constant = self._add("constant", [_shape(x) or "constant"])
            self._made[x] = constant, ""
            self._connect(x, node)
        elif node.kind == "fused":  # its body has the numbers
            return
        elif not isinstance(x, Value) or x.array is not None:
            number = x.array.item() if isinstance(x, Value) else x
            node.lines[0] += (
                f" {number:.6g}" if isinstance(number, float) else f" {number}"
            )

    def _add_results(self) -> None:
        for i, x in enumerate(self.program.outputs):
            label = "output" if len(self.program.outputs) == 1 else f"output {i}"
            self._connect(x, self._add("output", [label]))
        for state, new in self.program.updates:
            self._connect(
                new, self._add("state", [f"new {state.name or self._names(state)}"])
            )

    def _drop_unread(self) -> None:
        """Memory of which only parts are read, each by its own name, needs no box."""
        read = {e.start for e in self.edges}
        sources = ("state", "host", "input", "constant")
        ends = {e.end for e in self.edges}
        self.nodes = [
            n for n in self.nodes if n in read or n in ends or n.kind not in sources
        ]

    # ------------------------------------------------------------ forms

    def svg(self) -> str:
        """The drawing as SVG, in light or dark colours, as the page has them."""
        boxes = {node: Box(_width(node)) for node in self.nodes}
        ordered = _forward(self.nodes, self.edges)
        pairs = [(boxes[e.start], boxes[e.end]) for e in self.edges]
        layers, ways = place([boxes[node] for node in ordered], pairs)
        width = max((b.x + b.width / 2 for layer in layers for b in layer), default=0)
        middles, h = _rows(
            [(box.layer, _height(n)) for n, box in boxes.items()], layers
        )
        parts = [
            _curve(way, edge, middles)
            for way, edge in zip(ways, self.edges, strict=True)
        ]
        parts += [_rect(node, boxes[node], middles) for node in self.nodes]
        w = width + 20
        return "\n".join(
            [
                (
                    f'<svg class="program" xmlns="http://www.w3.org/2000/svg" '
                    f'viewBox="-10 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}">'
                ),
                f"<style>{_STYLE}</style>",
                *parts,
                "</svg>",
            ]
        )

    def _repr_svg_(self) -> str:
        return self.svg()

    def dot(self) -> str:
        """The drawing as text for Graphviz, which lays it out with ``dot -Tsvg``."""
        number = {node: i for i, node in enumerate(self.nodes)}
        lines = ["digraph program {", '  node [shape=box, fontname="monospace"];']
        for node, i in number.items():
            label = "\\n".join(line.replace('"', '\\"') for line in node.lines)
            style = "" if node.kind in ("instr", "fused") else ", style=rounded"
            lines.append(f'  n{i} [label="{label}"{style}];')
        lines += [
            f'  n{number[e.start]} -> n{number[e.end]} [label="{e.label}"];'
            for e in self.edges
        ]
        return "\n".join([*lines, "}"])

    def __str__(self) -> str:
        """A line for each instruction, under the user's line that it comes from."""
        number = {node: i for i, node in enumerate(self.nodes)}
        sources: dict[Node, list[str]] = {node: [] for node in self.nodes}
        for e in self.edges:
            inner = e.start.kind in ("instr", "fused")
            name = f"#{number[e.start]}" if inner else e.start.lines[0]
            label = f" [{e.label}]" if e.label else ""
            sources[e.end].append(f"{name}{label}")
        lines, where = [], ""
        for node, i in number.items():
            if (
                node.kind in ("input", "state", "host", "constant")
                and not sources[node]
            ):
                continue
            if node.where and node.where != where:
                where = node.where
                lines.append(where)
            text = " ".join(node.lines)
            found = f"  <-  {', '.join(sources[node])}" if sources[node] else ""
            lines.append(f"  #{i} {text}{found}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<graph of {len(self.nodes)} nodes and {len(self.edges)} edges>"


def _read(program: Program) -> set[Value]:
    read = {x for instr in program.instrs for x in instr.values()}
    return read | set(program.results())


def _label(instr: Instr) -> list[str]:
    """The operation; of a fused one, those in it, most frequent first."""
    if instr.op == "fused":
        counts = Counter(inner.op for inner in instr.attrs["body"])
        texts = [f"{op} x {n}" if n > 1 else op for op, n in counts.most_common()]
        more = (
            [f"and {len(texts) - _MOST_NAMED} more"] if len(texts) > _MOST_NAMED else []
        )
        return ["fused", *texts[:_MOST_NAMED], *more]
    if instr.op in ("call", "kernel"):
        found = instr.attrs["op" if instr.op == "call" else "pair"]
        name = getattr(found, "__name__", instr.op)
        back = " backward" if instr.attrs.get("rule") == "backward" else ""
        return [f"{name}{back}"]
    axis = instr.attrs.get("axis")
    return [instr.op if axis is None else f"{instr.op} over {_axes(axis)}"]


def _axes(axis: int | tuple[int, ...]) -> str:
    return ", ".join(map(str, axis)) if isinstance(axis, tuple) else str(axis)


def _shape(x: Value) -> str:
    """``32 x 64``, and the type where it is not float32."""
    size = " x ".join(map(str, x.shape))
    return size if x.dtype == "float32" or not size else f"{x.dtype} {size}"


def _width(node: Node) -> float:
    return max(len(line) for line in node.lines) * _LETTER + 20


def _height(node: Node) -> float:
    return len(node.lines) * _LINE + 8


def _forward(nodes: list[Node], edges: list[Edge]) -> list[Node]:
    """The nodes with sources first: constants are found after what reads them."""
    ends = {e.end for e in edges}
    return [n for n in nodes if n not in ends] + [n for n in nodes if n in ends]


def _rows(
    heights: list[tuple[int, float]], layers: list[list[Box]]
) -> tuple[list[float], float]:
    """The middle of each layer, as high as its highest box wants, and the end."""
    highest = [0.0] * len(layers)
    for layer, height in heights:
        highest[layer] = max(highest[layer], height)
    middles, y = [], _GAP / 2
    for height in highest:
        middles.append(y + height / 2)
        y += height + _GAP
    return middles, y


def _rect(node: Node, box: Box, middles: list[float]) -> str:
    w, h, y = _width(node), _height(node), middles[box.layer]
    kind = "state" if node.kind == "constant" else node.kind
    corner = 3 if node.kind in ("instr", "fused") else 12
    title = f"<title>{escape(node.where)}</title>" if node.where else ""
    first = y - (len(node.lines) - 1) * _LINE / 2 + 4
    texts = "".join(
        f'<text x="{box.x:.1f}" y="{first + i * _LINE:.1f}">{escape(line)}</text>'
        for i, line in enumerate(node.lines)
    )
    return (
        f'<g>{title}<rect x="{box.x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" '
        f'height="{h:.1f}" rx="{corner}" fill="var(--{kind})"/>{texts}</g>'
    )


def _curve(way: list[Box], edge: Edge, middles: list[float]) -> str:
    """From below the first box to above the last, upright at both ends."""
    points = [(box.x, middles[box.layer]) for box in way]
    points[0] = points[0][0], points[0][1] + _height(edge.start) / 2
    points[-1] = points[-1][0], points[-1][1] - _height(edge.end) / 2
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        middle = (y0 + y1) / 2
        path += f" C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}"
    (x0, y0), (x1, y1) = points[:2]
    label = ""
    if edge.label:
        x, y = 0.8 * x0 + 0.2 * x1, 0.7 * y0 + 0.3 * y1
        label = (
            f'<text class="shape" x="{x:.1f}" y="{y:.1f}">{escape(edge.label)}</text>'
        )
    return f'<path d="{path}"/>{label}'
