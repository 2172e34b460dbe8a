"""What a fitted model says, in the columns and units of the table.

The preprocessing scales amounts and takes categories apart; here that is undone, so
that a coefficient is per kilogram, a question is about a price, and a centre is a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dotori.tabular.predictors import ClusterPredictor, LinearPredictor, TreePredictor

if TYPE_CHECKING:
    from dotori.algorithms.tree.tree import Tree
    from dotori.tabular.model import TableModel

Float = NDArray[np.float64]


def explain(model: TableModel) -> dict[str, Any]:
    """What there is to say of a model that is no network, as JSON values.

    Returns
    -------
    dict
        "coefficients" of a linear model; "importances" of trees, and "splits" of one;
        "centers" and "sizes" of clusters; nothing of a network.
    """
    found = model.predictor
    if isinstance(found, LinearPredictor):
        return {"coefficients": coefficients(model)}
    if isinstance(found, TreePredictor):
        about: dict[str, Any] = {"importances": importances(model)}
        if found.name == "tree":
            about["splits"] = tree_lines(model)
        return about
    if isinstance(found, ClusterPredictor):
        return {"centers": centers(model), "sizes": sizes(model)}
    return {}


def coefficients(model: TableModel) -> list[dict[str, Any]]:
    """The slope of each column of the matrix and the intercept.

    Returns
    -------
    list of dict
        name; per_unit, by how much the prediction (or the log-odds, one for each class,
        of two classes that of the second) changes where the column is one more, in
        the table's unit; scaled, the same for the scaled column, by which columns can
        be compared.
    """
    found, scaling = model.predictor, model.preprocessor.scaling
    assert isinstance(found, LinearPredictor)
    scaled = found.coef.T
    per_unit = scaled / scaling.factor[:, np.newaxis]
    intercept = found.intercept - scaling.shift @ per_unit
    names = model.preprocessor.feature_names_out
    rows = [
        {"name": name, "per_unit": unit.tolist(), "scaled": each.tolist()}
        for name, unit, each in zip(names, per_unit, scaled, strict=True)
    ]
    last = {
        "name": "(intercept)",
        "per_unit": intercept.tolist(),
        "scaled": found.intercept.tolist(),
    }
    return [*rows, last]


def importances(model: TableModel) -> dict[str, float]:
    """The share of each column in what the splits have gained, largest first.

    The columns are those of the table: categories and parts of dates are added up.
    """
    found = model.predictor
    assert isinstance(found, TreePredictor)
    each = [tree.compute_feature_importances() for tree in found.trees]
    mean = np.mean(each, axis=0)
    shares: dict[str, float] = {}
    at = 0
    for encoder in model.preprocessor.encoders:
        end = at + len(encoder.names)
        shares[encoder.name] = float(mean[at:end].sum())
        at = end
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def tree_lines(model: TableModel, depth: int = 3) -> list[str]:
    """The first splits of a tree as lines of text; deeper ones are counted."""
    found = model.predictor
    assert isinstance(found, TreePredictor)
    tree, lines = found.trees[0], []
    stack = [(0, 0, "")]
    while stack:
        node, level, question = stack.pop()
        leaf = tree.children_left[node] < 0
        line = "  " * (level - 1) + question
        if leaf or level == depth:
            line += _answer(model, tree, node)
            if not leaf:
                line += f", {_below(tree, node)} splits below"
        lines.append(line.rstrip())
        if not leaf and level < depth:
            yes, no = _questions(model, tree, node)
            stack.append((int(tree.children_right[node]), level + 1, f"{no}: "))
            stack.append((int(tree.children_left[node]), level + 1, f"{yes}: "))
    return lines if len(lines) == 1 else [line for line in lines if line]


def _questions(model: TableModel, tree: Tree, node: int) -> tuple[str, str]:
    """A split's condition in the table's units, and its opposite."""
    column, names = int(tree.feature[node]), model.preprocessor.feature_names_out
    name = names[column]
    scaling = model.preprocessor.scaling
    scaled = any(
        name in encoder.names[: encoder.scaled]
        for encoder in model.preprocessor.encoders
    )
    if not scaled:
        return f"not {name}", name
    shift, factor = scaling.shift[column], scaling.factor[column]
    value = f"{tree.threshold[node] * factor + shift:.6g}"
    return f"{name} <= {value}", f"{name} > {value}"


def _answer(model: TableModel, tree: Tree, node: int) -> str:
    """What a node would predict, and for how many of the training rows."""
    values, target = tree.value[node, 0], model.target
    rows = f"({int(tree.n_node_samples[node])} rows)"
    if target.is_regression:
        return f"{values[0]:.6g} {rows}"
    best = int(values.argmax())
    return f"{target.classes[best]} {values[best]:.0%} {rows}"


def _below(tree: Tree, node: int) -> int:
    """The number of splits in the tree under a node, its own included."""
    count, stack = 0, [node]
    while stack:
        here = stack.pop()
        if tree.children_left[here] >= 0:
            count += 1
            stack += [int(tree.children_left[here]), int(tree.children_right[here])]
    return count


def sizes(model: TableModel) -> list[int]:
    """The number of the training's rows in each cluster."""
    found = model.results.get("train", {}).get("sizes", [])
    return [int(n) for n in found]


def centers(model: TableModel) -> list[dict[str, float]]:
    """The centre of each cluster: amounts in their units, shares of categories."""
    found = model.predictor
    assert isinstance(found, ClusterPredictor)
    values: Float = model.preprocessor.scaling.invert(found.centers)
    names = model.preprocessor.feature_names_out
    return [dict(zip(names, row.tolist(), strict=True)) for row in values]
