"""`enet_path` and `lasso_path`: coefficients for a falling price."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import check_array, check_consistent_length

from dotori.algorithms.linear.elastic_net import elastic_net_path
from dotori.errors import ArgumentError, ShapeError
from dotori.learn._random import generator

Array = NDArray[Any]


def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    alphas: Any = 100,
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    **params: Any,
) -> tuple[Any, ...]:
    """The elastic net's coefficients along a path of alphas, without an intercept.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, d)
        Centred columns, as there is no intercept.
    y : array of shape (n,)
    l1_ratio : float, default=0.5
    eps : float, default=1e-3
        The smallest alpha over the largest.
    alphas : int or array, default=100
        How many alphas, or the alphas themselves.
    precompute : "auto", bool or array of shape (d, d), default="auto"
        The Gram matrix, or whether it is made in any case.
    Xy, copy_X, verbose, check_input
        Have no effect.
    coef_init : array of shape (d,), optional
        Where to begin.
    return_n_iter : bool, default=False
        Whether the sweeps are returned.
    positive : bool, default=False
        Only coefficients that are not negative.
    **params
        ``tol``, ``max_iter``, ``selection`` and ``random_state`` as for `ElasticNet`.

    Returns
    -------
    alphas : array of shape (m,)
        From the largest to the smallest.
    coefs : array of shape (d, m)
    dual_gaps : array of shape (m,)
    n_iters : list of int
        If `return_n_iter`.

    Examples
    --------
    >>> import numpy as np
    >>> from dotori.learn.linear_model import lasso_path
    >>> alphas, coefs, gaps = lasso_path(np.eye(2), [4.0, 2.0], alphas=3, eps=0.25)
    >>> alphas.round(9).tolist(), coefs.round(9).tolist()
    ([2.0, 1.0, 0.5], [[0.0, 2.0, 3.0], [0.0, 0.0, 1.0]])
    """
    types = [np.float64, np.float32]
    X = check_array(X, accept_sparse="csc", dtype=types)
    y = check_array(y, dtype=types, ensure_2d=False)
    check_consistent_length(X, y)
    if y.ndim != 1:
        raise ShapeError(
            f"enet_path: y of shape (n,) was wanted, got {y.shape}; call it for each "
            "target"
        )
    settings = _settings(params)
    gram: Any = precompute
    if np.ndim(precompute) == 0:
        gram = precompute is True and not sparse.issparse(X)
    path = elastic_net_path(
        X, y, alphas, eps, l1_ratio, positive, start=coef_init, gram=gram, **settings
    )
    n = X.shape[0]
    coefs = np.column_stack([fit.w for fit in path.fits]).astype(X.dtype)
    gaps = np.array([fit.gap / n for fit in path.fits])
    if return_n_iter:
        return path.alphas, coefs, gaps, [fit.sweeps for fit in path.fits]
    return path.alphas, coefs, gaps


def lasso_path(X: Any, y: Any, **params: Any) -> tuple[Any, ...]:
    """The Lasso's coefficients along a path of alphas: `enet_path` with l1_ratio=1.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, d)
    y : array of shape (n,)
    **params
        As for `enet_path`.

    Returns
    -------
    alphas, coefs, dual_gaps
        As for `enet_path`.

    Examples
    --------
    >>> import numpy as np
    >>> lasso_path(np.eye(2), [4.0, 2.0], alphas=[0.5])[1].tolist()
    [[3.0], [1.0]]
    """
    return enet_path(X, y, **{**params, "l1_ratio": 1.0})


def _settings(params: dict[str, Any]) -> dict[str, Any]:
    """The solver's settings from scikit-learn's names of them."""
    known = {"tol", "max_iter", "selection", "random_state"}
    if set(params) - known:
        raise ArgumentError(
            f"enet_path has no parameters {sorted(set(params) - known)}; it has "
            f"{sorted(known)}"
        )
    selection = params.get("selection", "cyclic")
    if selection not in ("cyclic", "random"):
        raise ArgumentError(
            f"enet_path: selection must be 'cyclic' or 'random', got {selection!r}"
        )
    random = generator(params.get("random_state")) if selection == "random" else None
    return {
        "tolerance": params.get("tol", 1e-4),
        "max_iter": params.get("max_iter", 1000),
        "generator": random,
    }
