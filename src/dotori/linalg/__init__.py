"""Linear algebra under the names of ``torch.linalg``.

Matrices are the last two axes; axes before them are a stack. NumPy's functions of the
same names (``np.linalg.inv(t)``) reach these for tensors.
"""

from dotori.errors import LinAlgError
from dotori.linalg import numpys as _numpys  # noqa: F401  fills the table
from dotori.linalg.definite import cholesky, cholesky_ex
from dotori.linalg.determinant import det, slogdet
from dotori.linalg.elimination import lu, lu_factor, lu_factor_ex, lu_solve
from dotori.linalg.leastsquares import lstsq, pinv
from dotori.linalg.norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from dotori.linalg.powers import matrix_exp, matrix_power, vander
from dotori.linalg.products import (
    cross,
    diagonal,
    matmul,
    multi_dot,
    tensorinv,
    tensorsolve,
    trace,
    vecdot,
)
from dotori.linalg.reflections import householder_product, qr
from dotori.linalg.spectral import eig, eigh, eigvals, eigvalsh, svd, svdvals
from dotori.linalg.symmetric import ldl_factor, ldl_factor_ex, ldl_solve
from dotori.linalg.systems import inv, inv_ex, solve, solve_ex, solve_triangular

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vander",
    "vecdot",
    "vector_norm",
]
