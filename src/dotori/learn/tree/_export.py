"""Fitted trees for people to read, with scikit-learn's names and parameters."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from dotori.algorithms.tree import drawing
from dotori.errors import need


def export_text(
    decision_tree: Any,
    *,
    feature_names: Any = None,
    class_names: Any = None,
    max_depth: int = 10,
    spacing: int = 3,
    decimals: int = 2,
    show_weights: bool = False,
) -> str:
    """The rules of a fitted tree as text.

    Parameters
    ----------
    decision_tree : DecisionTreeClassifier or DecisionTreeRegressor
        Or one of a forest's `estimators_`.
    feature_names, class_names : sequence of str, optional
        `feature_0`, ... and the tree's classes if left out.
    max_depth : int
        Branches below it are cut short.
    spacing, decimals : int
        Characters for a level; digits of thresholds and values.
    show_weights : bool
        Add the weight of each class in a leaf.

    Examples
    --------
    >>> from dotori.learn import DecisionTreeClassifier
    >>> tree = DecisionTreeClassifier().fit([[1], [2]], ["no", "yes"])
    >>> print(export_text(tree, feature_names=["rain"]), end="")
    |--- rain <= 1.50
    |   |--- class: no
    |--- rain >  1.50
    |   |--- class: yes
    """
    return drawing.as_text(
        decision_tree_arrays(decision_tree),
        _names(decision_tree, feature_names, class_names, all_classes=True),
        max_depth=max_depth,
        spacing=spacing,
        decimals=decimals,
        show_weights=show_weights,
    )


def export_graphviz(
    decision_tree: Any,
    out_file: Any = None,
    *,
    max_depth: int | None = None,
    feature_names: Any = None,
    class_names: Any = None,
    label: str = "all",
    filled: bool = False,
    impurity: bool = True,
    node_ids: bool = False,
    proportion: bool = False,
    rotate: bool = False,
    rounded: bool = False,
    precision: int = 3,
    fontname: str = "helvetica",
) -> str | None:
    """The tree as a graph in Graphviz's language.

    Parameters
    ----------
    decision_tree : estimator
    out_file : path or file, optional
        Where to write it; it is returned if left out.
    max_depth : int, optional
    feature_names, class_names : sequence of str, optional
        `class_names` may be True for "y[0]", "y[1]", ...; without them, classes are
        not shown.
    label : {"all", "root", "none"}
        In which boxes lines say what their numbers are.
    filled, impurity, node_ids, proportion, rotate, rounded : bool
        Colours; the criterion's value; numbers of nodes; parts instead of counts; from
        left to right; round corners.
    precision : int
        Digits of numbers.
    fontname : str

    Examples
    --------
    >>> from dotori.learn import DecisionTreeRegressor
    >>> tree = DecisionTreeRegressor().fit([[1], [2]], [3.0, 4.0])
    >>> export_graphviz(tree).splitlines()[3]
    '0 [label="x[0] <= 1.5\\\\nsquared_error = 0.25\\\\nsamples = 2\\\\nvalue = 3.5"] ;'
    """
    text = drawing.as_dot(
        decision_tree_arrays(decision_tree),
        _names(decision_tree, feature_names, class_names, all_classes=False),
        max_depth=max_depth,
        filled=filled,
        rotate=rotate,
        rounded=rounded,
        fontname=fontname,
        criterion=decision_tree.criterion,
        is_classifier=is_classifier(decision_tree),
        label=label,
        impurity=impurity,
        node_ids=node_ids,
        proportion=proportion,
        precision=precision,
    )
    if out_file is None:
        return text
    if isinstance(out_file, (str, os.PathLike)):
        with open(out_file, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        out_file.write(text)
    return None


def plot_tree(
    decision_tree: Any,
    *,
    max_depth: int | None = None,
    feature_names: Any = None,
    class_names: Any = None,
    label: str = "all",
    filled: bool = False,
    impurity: bool = True,
    node_ids: bool = False,
    proportion: bool = False,
    rounded: bool = False,
    precision: int = 3,
    ax: Any = None,
    fontsize: int | None = None,
) -> list[Any]:
    """Draw the tree with Matplotlib.

    Parameters
    ----------
    decision_tree : estimator
    max_depth, feature_names, class_names, label, filled, impurity, node_ids,
    proportion, rounded, precision
        As for `export_graphviz`.
    ax : matplotlib Axes, optional
        The current one if left out.
    fontsize : int, optional
        Fits the width of the axes if left out.

    Returns
    -------
    list of matplotlib Annotation
        The boxes, in the order of the nodes.

    Raises
    ------
    MissingDependencyError
        Where Matplotlib is not installed.
    """
    plt: Any = need("matplotlib.pyplot", "plot", "drawing a tree")
    tree = decision_tree_arrays(decision_tree)
    names = _names(decision_tree, feature_names, class_names, all_classes=False)
    names.check(tree)
    ax = plt.gca() if ax is None else ax
    ax.set_axis_off()
    nodes = drawing.visible(tree, max_depth)
    x, y = drawing.positions(tree, nodes)
    if fontsize is None:
        points = 72 * ax.get_window_extent().width / ax.figure.dpi
        widest = np.bincount(tree.depths[nodes]).max()
        fontsize = int(np.clip(points / widest / 9, 3, 12))
    place = dict(zip(nodes.tolist(), zip(x, y, strict=True), strict=True))
    about: dict[str, Any] = {
        "criterion": decision_tree.criterion,
        "is_classifier": is_classifier(decision_tree),
        "label": label,
        "impurity": impurity,
        "node_ids": node_ids,
        "proportion": proportion,
        "precision": precision,
    }

    def drawn(node: int) -> Any:
        cut = max_depth is not None and tree.depths[node] > max_depth
        lines = ["(...)"] if cut else drawing.box(tree, node, names, **about)
        colour = drawing.colour(tree, node, is_classifier(decision_tree))
        return ax.annotate(
            "\n".join(lines),
            place[int(tree.parents[node])] if node else place[node],
            xytext=place[node],
            xycoords="axes fraction",
            textcoords="axes fraction",
            ha="center",
            va="center",
            fontsize=fontsize,
            bbox={
                "boxstyle": "round" if rounded else "square",
                "ec": "black",
                "fc": colour if filled else "white",
            },
            arrowprops={"arrowstyle": "<-"} if node else None,
            zorder=100 - int(tree.depths[node]),
        )

    return [drawn(node) for node in nodes.tolist()]


def decision_tree_arrays(estimator: Any) -> Any:
    """The arrays of a fitted estimator's tree."""
    check_is_fitted(estimator)
    return estimator.tree_


def _names(
    estimator: Any, feature_names: Any, class_names: Any, all_classes: bool
) -> drawing.Names:
    """What columns and classes are called.

    Without names, text shows the classes themselves, and pictures show none.
    """
    classes = None
    if is_classifier(estimator):
        first = estimator.classes_
        first = first[0] if estimator.n_outputs_ > 1 else first
        classes = list(first) if all_classes else None
        if class_names is True:
            classes = [f"y[{k}]" for k in range(len(first))]
        elif class_names is not None and class_names is not False:
            classes = list(class_names)
    features = None if feature_names is None else list(feature_names)
    if features is None and not all_classes:
        features = [f"x[{j}]" for j in range(estimator.n_features_in_)]
    return drawing.Names(features, classes, getattr(estimator, "categories_", None))
