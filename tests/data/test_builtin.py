"""The data sets that need no download."""

from __future__ import annotations

import numpy as np
import pytest

import dotori.errors
from dotori.data.builtin import builtin_names, load_builtin
from dotori.errors import ArgumentError, MissingDependencyError


def test_diabetes_has_its_known_figures():
    """Means as the paper's data set has them: 442 patients, target mean 152.13."""
    table = load_builtin()
    assert table.shape == (442, 11)
    target = table["target"].as_float()
    assert target.mean() == pytest.approx(152.133484, abs=1e-6)
    assert (target.min(), target.max()) == (25, 346)
    assert sorted(set(table["sex"].to_list())) == [1, 2]
    assert not any(column.missing.any() for _, column in table.items())


def test_diabetes_is_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets", reason="the same data")
    theirs = datasets.load_diabetes(scaled=False)
    table = load_builtin("diabetes")
    features = [table[name].as_float() for name in table.names[:-1]]
    np.testing.assert_array_equal(np.column_stack(features), theirs.data)
    np.testing.assert_array_equal(table["target"].values, theirs.target)


@pytest.mark.parametrize("name", builtin_names()[1:])
def test_the_sets_of_scikit_learn(name):
    datasets = pytest.importorskip("sklearn.datasets", reason="the set is its own")
    theirs = getattr(datasets, f"load_{name}")()
    table = load_builtin(name)
    assert table.names == [*map(str, theirs.feature_names), "target"]
    np.testing.assert_array_equal(
        np.column_stack([table[n].values for n in table.names[:-1]]), theirs.data
    )
    labels = table["target"].to_list()
    if name == "digits":
        assert labels == theirs.target.tolist()
    else:
        assert labels == [str(theirs.target_names[i]) for i in theirs.target]


def test_names_that_are_none(monkeypatch):
    with pytest.raises(ArgumentError, match="'boston' is not one of diabetes, iris"):
        load_builtin("boston")

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(dotori.errors.importlib, "import_module", absent)
    with pytest.raises(
        MissingDependencyError, match=r"data set 'iris' needs the package"
    ):
        load_builtin("iris")
