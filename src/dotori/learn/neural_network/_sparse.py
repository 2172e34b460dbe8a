"""The first layer on sparse rows: products that skip the zeros.

A table of words has a thousand zeros for each number. Where rows are that thin, the
product with the first weights is SciPy's, and only what follows is dense.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori import nn
from dotori._tensor import Tensor
from dotori.autograd import wrap
from dotori.autograd.function import Function

Array = NDArray[Any]

#: A dense product is so many times as fast as a sparse one that skips nothing.
DENSE_FASTER = 32


class SparseRows:
    """Some rows of a sparse matrix, as a batch.

    Parameters
    ----------
    matrix : CSR matrix, shape (n, features)
    """

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix

    def __len__(self) -> int:
        return int(self.matrix.shape[0])


class SparseProduct(Function):
    """x W^T for sparse rows x (n, features) and W (units, features).

    The gradient of W is dy^T x (Bishop, "Pattern Recognition and Machine Learning",
    2006, equation 5.53); rows are data and have none.

    Examples
    --------
    >>> import dotori
    >>> from scipy.sparse import csr_matrix
    >>> w = dotori.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    >>> y = SparseProduct.apply(w, SparseRows(csr_matrix([[0.0, 5.0, 0.0]])))
    >>> y.tolist()
    [[10.0]]
    >>> y.sum().backward()
    >>> w.grad.tolist()
    [[0.0, 5.0, 0.0]]
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, rows: SparseRows) -> Tensor:
        ctx.rows, ctx.dtype = rows, weight.array.dtype
        return wrap(np.asarray(rows.matrix @ weight.array.T))

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None]:
        product = np.asarray(ctx.rows.matrix.T @ dy.array)
        return wrap(product.T.astype(ctx.dtype, copy=False)), None


def forward(network: nn.Module, x: Any) -> Tensor:
    """What the network gives for a batch, dense or sparse."""
    if not isinstance(x, SparseRows):
        return network(x)
    assert isinstance(network, nn.Sequential)
    first, *rest = network
    y: Tensor = SparseProduct.apply(first.weight, x) + first.bias
    for layer in rest:
        y = layer(y)
    return y


def is_thin(X: Any, network: Any) -> bool:
    """Whether the rows are best left sparse; a user's own module wants them dense."""
    if isinstance(X, np.ndarray) or not isinstance(network, nn.Sequential):
        return False
    return bool(X.nnz * DENSE_FASTER < X.shape[0] * X.shape[1])


def taken(X: Any, rows: Any, dtype: Any, thin: bool) -> Any:
    """Some rows of a table: a tensor, or sparse rows."""
    part = X[rows]
    if thin:
        return SparseRows(part.astype(dtype, copy=False))
    found = part if isinstance(part, np.ndarray) else part.toarray()
    return wrap(np.ascontiguousarray(found, dtype))
