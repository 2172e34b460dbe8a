"""A tree for people to read: as text, as a graph for Graphviz, and where boxes lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.tree.tree import Tree
from dotori.errors import ArgumentError

Array = NDArray[Any]


@dataclass(frozen=True)
class Names:
    """What columns, classes and categories are called.

    Parameters
    ----------
    features : sequence of str, optional
        "feature_0", "feature_1", ... if left out.
    classes : sequence, optional
        Of the first output; None for a tree whose answers are numbers.
    categories : sequence, optional
        The categories of each column, None for a column of numbers.
    """

    features: Sequence[str] | None = None
    classes: Sequence[Any] | None = None
    categories: Sequence[Any] | None = None

    def feature(self, j: int) -> str:
        return f"feature_{j}" if self.features is None else str(self.features[j])

    def question(self, tree: Tree, node: int, threshold: str) -> tuple[str, str]:
        """What rows that go left fulfil, and what the others do.

        `threshold` says how it is written.
        """
        j = int(tree.feature[node])
        name, words = self.feature(j), tree.categories[node]
        if not words.any():
            return f"{name} <= {threshold}", f"{name} >  {threshold}"
        known = None if self.categories is None else self.categories[j]
        most = 64 * len(words) if known is None else len(known)
        bits = [c for c in range(most) if int(words[c // 64]) >> c % 64 & 1]
        chosen = ", ".join(str(c if known is None else known[c]) for c in bits)
        return f"{name} in {{{chosen}}}", f"{name} not in {{{chosen}}}"

    def check(self, tree: Tree) -> None:
        """Refuse names that are too many or too few."""
        for names, count, what in (
            (self.features, tree.n_features, "feature_names"),
            (self.classes, int(tree.n_classes[0]), "class_names"),
        ):
            if names is not None and len(names) != count:
                raise ArgumentError(f"{what} must be {count} names, got {len(names)}")


def as_text(
    tree: Tree,
    names: Names | None = None,
    *,
    max_depth: int = 10,
    spacing: int = 3,
    decimals: int = 2,
    show_weights: bool = False,
) -> str:
    """The tree as lines of text, its depth as indentation.

    Parameters
    ----------
    tree : Tree
    names : Names, optional
    max_depth : int
        Branches below it are cut short.
    spacing : int
        Characters for a level.
    decimals : int
        Of thresholds and values.
    show_weights : bool
        Add the weight of each class in a leaf.

    Examples
    --------
    >>> stump = Tree.of(
    ...     children_left=[1, -1, -1],
    ...     children_right=[2, -1, -1],
    ...     feature=[0, -2, -2],
    ...     threshold=[2.5, -2, -2],
    ...     value=[[[15.0]], [[10.0]], [[20.0]]],
    ... )
    >>> print(as_text(stump, Names(["age"])), end="")
    |--- age <= 2.50
    |   |--- value: [10.00]
    |--- age >  2.50
    |   |--- value: [20.00]
    """
    names = names or Names()
    names.check(tree)
    step, bar = "|" + " " * spacing, "|" + "-" * spacing + " "
    lines = []
    waiting: list[tuple[int, str]] = [(0, "")]  # a node, or what is said before it
    while waiting:
        node, said = waiting.pop()
        depth = int(tree.depths[node])
        if said:
            lines.append(step * (depth - 1) + bar + said)
        if tree.children_left[node] < 0:
            lines.append(
                step * depth + bar + _leaf(tree, node, names, decimals, show_weights)
            )
        elif depth > max_depth:
            below = _height(tree, node)
            lines.append(step * depth + bar + f"truncated branch of depth {below}")
        else:
            written = f"{tree.threshold[node]:.{decimals}f}"
            left, right = names.question(tree, node, written)
            waiting.append((int(tree.children_right[node]), right))
            waiting.append((int(tree.children_left[node]), left))
    return "".join(line + "\n" for line in lines)


def _leaf(tree: Tree, node: int, names: Names, decimals: int, weights: bool) -> str:
    answer = tree.value[node]
    values = answer[0] if tree.n_outputs == 1 else answer[:, 0]
    if names.classes is None:
        shown = ", ".join(f"{v:.{decimals}f}" for v in values)
        return f"value: [{shown}]"
    counts = values * tree.weighted_n_node_samples[node]
    shown = ", ".join(f"{v:.{decimals}f}" for v in counts)
    label = f"class: {names.classes[int(np.argmax(values))]}"
    return f"weights: [{shown}] {label}" if weights else label


def _height(tree: Tree, node: int) -> int:
    """The number of levels of the branch that begins with `node`."""
    levels, level = 0, np.array([node])
    while len(level):
        inside = level[tree.children_left[level] >= 0]
        level = np.append(tree.children_left[inside], tree.children_right[inside])
        levels += 1
    return levels


def box(
    tree: Tree,
    node: int,
    names: Names,
    *,
    criterion: str = "impurity",
    is_classifier: bool = False,
    label: str = "all",
    impurity: bool = True,
    node_ids: bool = False,
    proportion: bool = False,
    precision: int = 3,
) -> list[str]:
    """The lines in the box of a node: question, impurity, samples, value, class.

    Parameters
    ----------
    is_classifier : bool
        The values are fractions of classes; they are shown as weights.
    label : {"all", "root", "none"}
        In which boxes lines say what their numbers are.
    proportion : bool
        Samples and classes as parts of all.
    """
    named = label == "all" or (label == "root" and node == 0)

    def line(name: str, value: Any) -> str:
        return f"{name} = {value}" if named else str(value)

    lines = [f"node #{node}" if named else f"#{node}"] if node_ids else []
    if tree.children_left[node] >= 0:
        threshold = str(round(float(tree.threshold[node]), precision))
        lines.append(names.question(tree, node, threshold)[0])
    if impurity:
        lines.append(line(criterion, round(float(tree.impurity[node]), precision)))
    samples: Any = int(tree.n_node_samples[node])
    if proportion:
        samples = f"{100 * samples / int(tree.n_node_samples[0]):.1f}%"
    lines.append(line("samples", samples))
    lines.append(
        line("value", _shown(tree, node, is_classifier, proportion, precision))
    )
    if names.classes is not None and tree.n_outputs == 1:
        best = int(np.argmax(tree.value[node][0]))
        lines.append(line("class", names.classes[best]))
    return lines


def _shown(
    tree: Tree, node: int, is_classifier: bool, proportion: bool, precision: int
) -> Any:
    value = tree.value[node]
    if is_classifier and not proportion:
        value = value * tree.weighted_n_node_samples[node]
    value = np.round(value.squeeze(), precision)
    counts = is_classifier and not proportion and not np.any(value % 1)
    return value.astype(np.int64).tolist() if counts else value.tolist()


def visible(tree: Tree, max_depth: int | None = None) -> Array:
    """The nodes that are drawn: those down to one level below `max_depth`."""
    if max_depth is None:
        return np.arange(tree.node_count)
    return np.flatnonzero(tree.depths <= max_depth + 1)


def positions(tree: Tree, nodes: Array) -> tuple[Array, Array]:
    """Where to draw the boxes of these nodes: x and y, both from 0 to 1.

    Leaves lie side by side, each other node over the middle of its children.
    """
    shown = np.zeros(tree.node_count, np.bool_)
    shown[nodes] = True
    order = list(_left_to_right(tree, shown))
    x = np.zeros(tree.node_count)
    ends = [n for n in order if tree.children_left[n] < 0 or not _below(tree, n, shown)]
    x[ends] = (np.arange(len(ends)) + 0.5) / len(ends)
    for node in sorted(set(order) - set(ends), key=lambda n: -tree.depths[n]):
        x[node] = (x[tree.children_left[node]] + x[tree.children_right[node]]) / 2
    levels = tree.depths[nodes].max() + 1
    y = 1 - (tree.depths + 0.5) / levels
    return x[nodes], y[nodes]


def _below(tree: Tree, node: int, shown: Array) -> bool:
    return bool(shown[tree.children_left[node]])


def _left_to_right(tree: Tree, shown: Array) -> Iterator[int]:
    waiting = [0]
    while waiting:
        node = waiting.pop()
        yield node
        if tree.children_left[node] >= 0 and _below(tree, node, shown):
            waiting.append(int(tree.children_right[node]))
            waiting.append(int(tree.children_left[node]))


def colour(tree: Tree, node: int, is_classifier: bool) -> str:
    """A colour as "#rrggbb": the hue of the class, pale where classes are mixed.

    Where answers are numbers, the larger the darker.
    """
    if is_classifier:
        parts = tree.value[node][0][: int(tree.n_classes[0])]
        best = int(np.argmax(parts))
        chance = 1 / len(parts)
        strength = float((parts[best] - chance) / (1 - chance)) if chance < 1 else 0.0
        hue = best / len(parts)
    else:
        answers = tree.value[:, 0, 0]
        low, high = float(answers.min()), float(answers.max())
        strength = (float(answers[node]) - low) / (high - low) if high > low else 0.0
        hue = 0.0
    angles = 2 * np.pi * (hue + np.array([0, 1 / 3, 2 / 3])) - np.pi / 6
    strong = 150 + 80 * np.cos(angles)
    mixed = 255 + strength * (strong - 255)
    return "#" + "".join(f"{round(float(c)):02x}" for c in mixed)


def as_dot(
    tree: Tree,
    names: Names | None = None,
    *,
    max_depth: int | None = None,
    filled: bool = False,
    rotate: bool = False,
    rounded: bool = False,
    fontname: str = "helvetica",
    **about: Any,
) -> str:
    """The tree in Graphviz's language; `about` is what `box` takes.

    Examples
    --------
    >>> leaf = Tree.of(
    ...     children_left=[-1],
    ...     children_right=[-1],
    ...     feature=[-2],
    ...     threshold=[-2],
    ...     value=[[[1.0]]],
    ... )
    >>> print(as_dot(leaf, impurity=False))
    digraph Tree {
    node [shape=box, fontname="helvetica"] ;
    edge [fontname="helvetica"] ;
    0 [label="samples = 0\\nvalue = 1.0"] ;
    }
    """
    names = names or Names()
    names.check(tree)
    styles = [word for word, on in (("filled", filled), ("rounded", rounded)) if on]
    style = f', style="{", ".join(styles)}", color="black"' if styles else ""
    lines = [
        "digraph Tree {",
        f'node [shape=box{style}, fontname="{fontname}"] ;',
        f'edge [fontname="{fontname}"] ;',
        *(["rankdir=LR ;"] if rotate else []),
    ]
    for node in visible(tree, max_depth).tolist():
        cut = max_depth is not None and tree.depths[node] > max_depth
        said = ["(...)"] if cut else box(tree, node, names, **about)
        label = "\\n".join(line.replace('"', '\\"') for line in said)
        fill = (
            "#C0C0C0" if cut else colour(tree, node, about.get("is_classifier", False))
        )
        fill = f', fillcolor="{fill}"' if filled else ""
        lines.append(f'{node} [label="{label}"{fill}] ;')
        if node:
            lines.append(_edge(tree, node, rotate))
    return "\n".join([*lines, "}"])


def _edge(tree: Tree, node: int, rotate: bool) -> str:
    """The arrow to a node; the root's two say which is the answer yes."""
    parent = int(tree.parents[node])
    if parent:
        return f"{parent} -> {node} ;"
    left = node == tree.children_left[0]
    angle = 45 if left != rotate else -45
    head = f'headlabel="{left}"'
    return f"{parent} -> {node} [labeldistance=2.5, labelangle={angle}, {head}] ;"
