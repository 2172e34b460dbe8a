"""Linear algebra under the names of ``torch.linalg``.

Matrices are the last two axes; axes before them are a stack. NumPy's functions of the
same names (``np.linalg.inv(t)``) reach these for tensors.
"""

from dotori.errors import LinAlgError as LinAlgError
from dotori.linalg.definite import cholesky as cholesky
from dotori.linalg.definite import cholesky_ex as cholesky_ex
from dotori.linalg.determinant import det as det
from dotori.linalg.determinant import slogdet as slogdet
from dotori.linalg.elimination import lu as lu
from dotori.linalg.elimination import lu_factor as lu_factor
from dotori.linalg.elimination import lu_factor_ex as lu_factor_ex
from dotori.linalg.elimination import lu_solve as lu_solve
from dotori.linalg.leastsquares import lstsq as lstsq
from dotori.linalg.leastsquares import pinv as pinv
from dotori.linalg.norms import cond as cond
from dotori.linalg.norms import matrix_norm as matrix_norm
from dotori.linalg.norms import matrix_rank as matrix_rank
from dotori.linalg.norms import norm as norm
from dotori.linalg.norms import vector_norm as vector_norm
from dotori.linalg.powers import matrix_exp as matrix_exp
from dotori.linalg.powers import matrix_power as matrix_power
from dotori.linalg.powers import vander as vander
from dotori.linalg.products import cross as cross
from dotori.linalg.products import diagonal as diagonal
from dotori.linalg.products import matmul as matmul
from dotori.linalg.products import multi_dot as multi_dot
from dotori.linalg.products import tensorinv as tensorinv
from dotori.linalg.products import tensorsolve as tensorsolve
from dotori.linalg.products import trace as trace
from dotori.linalg.products import vecdot as vecdot
from dotori.linalg.reflections import householder_product as householder_product
from dotori.linalg.reflections import qr as qr
from dotori.linalg.spectral import eig as eig
from dotori.linalg.spectral import eigh as eigh
from dotori.linalg.spectral import eigvals as eigvals
from dotori.linalg.spectral import eigvalsh as eigvalsh
from dotori.linalg.spectral import svd as svd
from dotori.linalg.spectral import svdvals as svdvals
from dotori.linalg.symmetric import ldl_factor as ldl_factor
from dotori.linalg.symmetric import ldl_factor_ex as ldl_factor_ex
from dotori.linalg.symmetric import ldl_solve as ldl_solve
from dotori.linalg.systems import inv as inv
from dotori.linalg.systems import inv_ex as inv_ex
from dotori.linalg.systems import solve as solve
from dotori.linalg.systems import solve_ex as solve_ex
from dotori.linalg.systems import solve_triangular as solve_triangular
