"""Drawings of programs: every instruction is there once, nothing lies over another."""

import itertools
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori.compiler.graph import Graph
from dotori.compiler.ir import Instr, Program, Value
from dotori.compiler.layout import Box, place

F4 = np.dtype("f4")


def mlp():
    """One layer and its update: a state, a view, numbers, a fused group."""
    x = Value((8, 3), F4, "input", name="x")
    w = Value((5, 3), F4, "state", np.zeros((5, 3), F4), "0.weight")
    lr = Value((), np.dtype("f8"), "host", name="lr")
    wt, z, h, new = (Value(s, F4) for s in ((3, 5), (8, 5), (8, 5), (5, 3)))
    total, inner = Value((), F4), Value((8, 5), F4)
    body = [
        Instr("exp", (z,), (inner,)),
        Instr("exp", (inner,), (h,)),
        Instr("sum", (h,), (total,), {"axis": (0, 1), "keepdims": False}),
    ]
    instrs = [
        Instr("transpose", (w,), (wt,), {"axes": (1, 0)}, "train.py:3"),
        Instr("matmul", (x, wt), (z,), {}, "train.py:3"),
        Instr("fused", (z,), (h, total), {"body": body}, "train.py:4"),
        Instr("multiply", (w, lr), (new,), {}, "train.py:5"),
    ]
    return Program([x], [lr], instrs, [total, h], [(w, new)])


def kinds(graph):
    return [node.kind for node in graph.nodes]


def test_nodes_and_edges():
    graph = Graph(mlp())
    labels = [node.lines[0] for node in graph.nodes]
    assert labels == [
        *("x", "lr", "0.weight", "matmul", "fused", "multiply"),
        *("output 0", "output 1", "new 0.weight"),
    ]
    assert graph.nodes[4].lines == ["fused", "exp x 2", "sum"]
    ends = [(e.start.lines[0], e.end.lines[0], e.label) for e in graph.edges]
    assert ("0.weight", "matmul", "3 x 5 T") in ends
    assert ("x", "matmul", "8 x 3") in ends
    assert ("multiply", "new 0.weight", "5 x 3") in ends
    assert len(graph.edges) == 8


def test_views_may_be_boxes():
    graph = Graph(mlp(), views=True)
    assert [n.lines[0] for n in graph.nodes if n.kind == "instr"] == [
        "transpose",
        "matmul",
        "multiply",
    ]


def test_numbers_stand_in_the_box():
    x, y = Value((2,), F4, "input"), Value((2,), F4)
    half = Value((), F4, "constant", np.asarray(0.5, F4))
    many = Value((2,), F4, "constant", np.zeros(2, F4))
    z = Value((2,), F4)
    instrs = [Instr("add", (x, half), (y,)), Instr("add", (y, many), (z,))]
    graph = Graph(Program([x], [], instrs, [z]))
    assert graph.nodes[1].lines == ["add 0.5"]
    assert kinds(graph) == ["input", "instr", "instr", "constant", "output"]


def test_svg_is_sound_and_names_are_escaped():
    program = mlp()
    program.inputs[0].name = 'a<b & "c"'
    root = ElementTree.fromstring(Graph(program)._repr_svg_())
    texts = [e.text for e in root.iter() if e.tag.endswith("text")]
    assert 'a<b & "c"' in texts and "matmul" in texts
    assert sum(e.tag.endswith("rect") for e in root.iter()) == 9
    titles = {e.text for e in root.iter() if e.tag.endswith("title")}
    assert titles == {"train.py:3", "train.py:4", "train.py:5"}
    assert "nan" not in Graph(program).svg()


def test_high_boxes_have_their_room():
    program = mlp()
    root = ElementTree.fromstring(Graph(program, views=True).svg())
    rects = [e.attrib for e in root.iter() if e.tag.endswith("rect")]
    spans = [tuple(float(r[k]) for k in ("x", "y", "width", "height")) for r in rects]
    for i, (x, y, w, h) in enumerate(spans):
        for u, v, p, q in spans[:i]:
            assert x + w <= u or u + p <= x or y + h <= v or v + q <= y
    bottom = max(y + h for _, y, _, h in spans)
    assert bottom <= float(root.attrib["height"])


def test_text_goes_by_the_users_lines():
    lines = str(Graph(mlp())).splitlines()
    assert lines[0] == "train.py:3"
    assert lines[1] == "  #3 matmul  <-  x [8 x 3], 0.weight [3 x 5 T]"
    assert lines[2] == "train.py:4"


def test_dot_has_each_node_and_edge():
    text = Graph(mlp()).dot()
    assert len(re.findall(r"^  n\d+ \[label", text, re.M)) == 9
    assert len(re.findall(r"->", text)) == 8


def test_an_empty_program():
    assert ElementTree.fromstring(Graph(Program([], [], [], [])).svg()) is not None


@given(st.data())
def test_boxes_do_not_touch_and_edges_go_down(data):
    n = data.draw(st.integers(1, 12))
    boxes = [Box(data.draw(st.floats(1, 100))) for _ in range(n)]
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    chosen = data.draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    layers, ways = place(boxes, [(boxes[i], boxes[j]) for i, j in chosen])
    assert sum(len(layer) for layer in layers) == n + sum(len(w) - 2 for w in ways)
    for layer in layers:
        for a, b in itertools.pairwise(layer):
            assert b.x - b.width / 2 >= a.x + a.width / 2 + 23.9
    for way in ways:
        assert [b.layer for b in way] == list(
            range(way[0].layer, way[0].layer + len(way))
        )
    assert min(b.x - b.width / 2 for layer in layers for b in layer) == pytest.approx(0)


def test_a_simple_crossing_is_removed():
    a, b, c, d = (Box(10) for _ in range(4))
    place([a, b, c, d], [(a, d), (b, c)])
    assert (a.x < b.x) == (d.x < c.x)


def test_a_chain_is_straight_and_a_parent_stands_between_its_children():
    a, b, c, d = Box(10), Box(100), Box(30), Box(50)
    place([a, b, c, d], [(a, b), (b, c), (b, d)])
    assert a.x == pytest.approx(b.x)
    assert b.x == pytest.approx((c.x + d.x) / 2, abs=1)


def test_a_captured_step():
    def total(x):
        return dotori.exp(x).sum()

    step = dotori.compile(total, "numpy")
    step(dotori.ones(2, 3))
    graph = step.graph()
    (box,) = (n for n in graph.nodes if "exp" in " ".join(n.lines))
    assert "sum" in " ".join(box.lines)  # one loop
    assert ElementTree.fromstring(graph.svg()).tag.endswith("svg")
