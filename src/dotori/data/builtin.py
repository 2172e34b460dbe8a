"""Data sets that need no download."""

from __future__ import annotations

import gzip
from importlib import resources
from typing import Any

import numpy as np

from dotori.data.frame import column_from_array, text_column
from dotori.data.table import Table
from dotori.errors import ArgumentError, need

_SHIPPED = ("diabetes",)
_FROM_SKLEARN = ("iris", "wine", "breast_cancer", "digits")


def builtin_names() -> list[str]:
    """The names that :func:`load_builtin` knows.

    Examples
    --------
    >>> builtin_names()
    ['diabetes', 'iris', 'wine', 'breast_cancer', 'digits']
    """
    return [*_SHIPPED, *_FROM_SKLEARN]


def load_builtin(name: str = "diabetes") -> Table:
    """A real data set, as a table whose last column is ``target``.

    Parameters
    ----------
    name : {"diabetes", "iris", "wine", "breast_cancer", "digits"}
        ``diabetes`` comes with dotori; the others are read from scikit-learn, where it
        is installed.

    Raises
    ------
    ArgumentError
        If there is no data set of this name.
    MissingDependencyError
        If it is one of scikit-learn's, and scikit-learn is not installed.

    Notes
    -----
    ``diabetes``: 442 patients; age in years, sex (1 or 2, not said which), body mass
    index, mean blood pressure, six measurements of the blood serum (total cholesterol,
    LDL, HDL, the ratio of total to HDL, the logarithm of triglycerides, glucose), and
    as the target how far the disease had gone on one year later. From B. Efron,
    T. Hastie, I. Johnstone and R. Tibshirani, "Least angle regression", Annals of
    Statistics 32 (2004), 407-499, in their units, as scikit-learn also ships it.

    Examples
    --------
    >>> table = load_builtin("diabetes")
    >>> table.shape
    (442, 11)
    >>> table["target"].values[:3].tolist()
    [151, 75, 141]
    """
    if name in _SHIPPED:
        return _read_shipped(name)
    if name in _FROM_SKLEARN:
        return _from_sklearn(name)
    raise ArgumentError(
        f"load_builtin: {name!r} is not one of {', '.join(builtin_names())}"
    )


def _read_shipped(name: str) -> Table:
    """Plain numbers under a header line: NumPy reads them in a millisecond or two."""
    file = resources.files("dotori.data") / "builtin" / f"{name}.csv.gz"
    header, *lines = gzip.decompress(file.read_bytes()).decode("ascii").split()
    columns = zip(*(line.split(",") for line in lines), strict=True)
    return Table(
        {
            key: column_from_array(key, _numbers(fields))
            for key, fields in zip(header.split(","), columns, strict=True)
        }
    )


def _numbers(fields: tuple[str, ...]) -> np.ndarray[Any, np.dtype[Any]]:
    whole = not any("." in field for field in fields)
    return np.array([*map(int if whole else float, fields)])


def _from_sklearn(name: str) -> Table:
    datasets: Any = need("sklearn.datasets", "learn", f"the data set {name!r}")
    data = getattr(datasets, f"load_{name}")()
    names = [str(feature) for feature in data.feature_names]
    table = Table.from_frame(np.asarray(data.data), names)
    labels = np.asarray(data.target)
    if name == "digits":
        return table.with_column("target", column_from_array("target", labels))
    classes = [str(data.target_names[label]) for label in labels]
    return table.with_column("target", text_column(classes, labels < 0))
