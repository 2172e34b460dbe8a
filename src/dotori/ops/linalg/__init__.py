"""Linear algebra on stacks of matrices, the last two axes: values and gradient rules.

Gradient rules: Giles, "An extended collection of matrix derivative results for forward
and reverse mode algorithmic differentiation", 2008; for the factorisations also Walter
and Lehmann, "Algorithmic differentiation of linear algebra functions", 2010.
"""

from dotori.ops.linalg.analytic import MatrixExp, VectorNorm
from dotori.ops.linalg.factors import LU, QR, Cholesky
from dotori.ops.linalg.inverse import (
    Determinant,
    Inverse,
    PseudoInverse,
    SignLogDet,
    Solve,
)
from dotori.ops.linalg.spectral import SVD, Eig, Eigh
from dotori.ops.linalg.triangular import SolveTriangular

__all__ = [
    "LU",
    "QR",
    "SVD",
    "Cholesky",
    "Determinant",
    "Eig",
    "Eigh",
    "Inverse",
    "MatrixExp",
    "PseudoInverse",
    "SignLogDet",
    "Solve",
    "SolveTriangular",
    "VectorNorm",
]
