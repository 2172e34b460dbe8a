"""Parametrizations of weights: by length and direction, by largest stretch, orthogonal.

See `dotori.nn.utils.parametrize` for how a parametrized tensor is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dotori import functions as fn
from dotori._tensor import Tensor
from dotori.autograd import note_change, wrap
from dotori.backend import to_device
from dotori.errors import ArgumentError, AxisError, ShapeError
from dotori.nn import functional as F
from dotori.nn.module import Module
from dotori.nn.utils.parametrize import register_parametrization
from dotori.random import default_generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """w = g v / |v|: the length g and the direction v of a weight are trained apart.

    Salimans and Kingma, "Weight normalization", 2016, equation 2.

    Parameters
    ----------
    module : Module
    name : str
    dim : int or None
        Each index along this axis has a length of its own; None: there is one.

    Returns
    -------
    Module
        `module` itself, with ``parametrizations.weight.original0`` (g) and
        ``original1`` (v).

    Examples
    --------
    >>> from dotori import nn
    >>> layer = weight_norm(nn.Linear(3, 2))
    >>> layer.parametrizations.weight.original0.shape
    (2, 1)
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """W / sigma(W), where sigma is the largest singular value: |W x| is at most |x|.

    Miyato, Kataoka, Koyama and Yoshida, "Spectral normalization for generative
    adversarial networks", 2018, algorithm 1. The singular vectors of sigma are
    followed by `n_power_iterations` of the power method whenever the weight is read
    while training.

    Parameters
    ----------
    module : Module
    name : str
    n_power_iterations : int
    eps : float
        The least length that is divided by.
    dim : int, optional
        The axis of the outputs, by default 0, and 1 for transposed convolutions; the
        others are taken as one.

    Returns
    -------
    Module
        `module` itself.

    Examples
    --------
    >>> from dotori import linalg, nn
    >>> layer = spectral_norm(nn.Linear(3, 2), n_power_iterations=20)
    >>> round(linalg.matrix_norm(layer.weight, 2).item(), 3)
    1.0
    """
    weight = _weight_of(module, name)
    axis = axis_of_outputs(module) if dim is None else dim
    norm = _SpectralNorm(weight, n_power_iterations, axis, eps)
    return register_parametrization(module, name, norm)


def orthogonal(
    module: M,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> M:
    """A weight with orthonormal columns, or rows if it is wider than tall.

    With A skew-symmetric, made of the lower triangle of what is trained, it is exp(A)
    or the Cayley map (I - A/2)^-1 (I + A/2); or it is a product of Householder
    reflections. With `use_trivialization`, it is multiplied by a fixed orthogonal
    matrix, so that training starts at the weight as it was (Lezcano-Casado,
    "Trivializations for gradient-based optimization on manifolds", 2019).

    Parameters
    ----------
    module : Module
    name : str
    orthogonal_map : {"matrix_exp", "cayley", "householder"}, optional
        By default "matrix_exp" for square matrices, else "householder".
    use_trivialization : bool

    Returns
    -------
    Module
        `module` itself.

    Examples
    --------
    >>> from dotori import nn
    >>> w = orthogonal(nn.Linear(2, 3)).weight.detach().array
    >>> bool(abs(w.T @ w - [[1, 0], [0, 1]]).max() < 1e-5)
    True
    """
    weight = _weight_of(module, name)
    if weight.ndim < 2:
        raise ShapeError(
            f"orthogonal: a matrix, or several, are wanted, got shape {weight.shape}"
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ArgumentError(
            "orthogonal: orthogonal_map must be 'matrix_exp', 'cayley' or "
            f"'householder', got {orthogonal_map!r}"
        )
    made = _Orthogonal(weight.shape, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


def length_except(weight: Tensor, dim: int) -> Tensor:
    """The length of the part at each index along `dim`; of all for -1."""
    if dim == -1:
        return (weight * weight).sum().sqrt()
    others = tuple(i for i in range(weight.ndim) if i != dim)
    squares = weight * weight
    total: Tensor = squares.sum(dim=others, keepdim=True) if others else squares
    return total.sqrt()


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """The axis `dim` first, and the others as one."""
    if dim:
        weight = weight.permute(dim, *(i for i in range(weight.ndim) if i != dim))
    return weight.reshape(weight.shape[0], -1)


def axis_of_outputs(module: Module) -> int:
    """1 for transposed convolutions, whose weight is (in, out, ...), else 0."""
    from dotori.nn import convolution as c

    transposed = c.ConvTranspose1d, c.ConvTranspose2d, c.ConvTranspose3d
    return int(isinstance(module, transposed))


def unit(x: NDArray[Any], eps: float) -> NDArray[Any]:
    """x / max(|x|, eps)."""
    length = np.sqrt((x * x).sum())
    found: NDArray[Any] = x / max(length, length.dtype.type(eps))
    return found


def random_unit(n: int, like: Tensor, eps: float) -> Tensor:
    """A direction at random, of the type of `like` and where that is."""
    drawn = default_generator().normal((n,), dtype=like.dtype)
    return wrap(to_device(unit(drawn, eps), like.device))


def _weight_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ArgumentError(
            f"{type(module).__name__} has no parameter or buffer {name!r}"
        )
    return weight


class _WeightNorm(Module):
    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        return v * (g / length_except(v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return length_except(weight, self.dim), weight

    def former_keys(self, path: str) -> dict[str, str]:
        """What `dotori.nn.utils.weight_norm` calls the two, by what they are here."""
        owner, _, rest = path.rpartition("parametrizations.")
        name = rest.split(".")[0]
        here = f"{owner}parametrizations.{name}.original"
        return {f"{owner}{name}_g": f"{here}0", f"{owner}{name}_v": f"{here}1"}


class _SpectralNorm(Module):
    def __init__(
        self, weight: Tensor, n_power_iterations: int, dim: int, eps: float
    ) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise AxisError(f"spectral_norm: shape {weight.shape} has no axis {dim}")
        if n_power_iterations < 1:
            raise ArgumentError(
                "spectral_norm: n_power_iterations must be positive, got "
                f"{n_power_iterations}"
            )
        self.dim = dim % weight.ndim
        self.eps = eps
        self.n_power_iterations = n_power_iterations
        if weight.ndim > 1:
            matrix = as_matrix(weight.detach(), self.dim)
            self.register_buffer("_u", random_unit(matrix.shape[0], weight, eps))
            self.register_buffer("_v", random_unit(matrix.shape[1], weight, eps))
            self._iterate(matrix.array, 15)

    def _iterate(self, matrix: NDArray[Any], times: int) -> None:
        """The power method: u = W v, v = W^T u, each brought to length 1."""
        u, v = self._u.array, self._v.array
        for _ in range(times):
            u[...] = unit(matrix @ v, self.eps)
            v[...] = unit(matrix.T @ u, self.eps)
        note_change(u, "spectral_norm")
        note_change(v, "spectral_norm")

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._iterate(matrix.array, self.n_power_iterations)
        # copies: the gradient of this forward must not see the next iteration
        u, v = self._u.detach().clone(), self._v.detach().clone()
        scaled: Tensor = weight / (u * fn.matmul(matrix, v)).sum()
        return scaled

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


class _Orthogonal(Module):
    base: Tensor | None

    def __init__(
        self, shape: tuple[int, ...], orthogonal_map: str, use_trivialization: bool
    ) -> None:
        super().__init__()
        self.shape = shape
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        if wide:
            x = x.mT
        q = self._reflected(x) if self.orthogonal_map == "householder" else self._map(x)
        if self.use_trivialization and self.base is not None:
            q = fn.matmul(self.base, q)
        return q.mT if wide else q

    def _map(self, x: Tensor) -> Tensor:
        """exp(A) or (I - A/2)^-1 (I + A/2), of A = L - L^T, its first columns."""
        from dotori import linalg

        n, k = x.shape[-2:]
        lower = x.tril()
        if n != k:
            beside = wrap(np.zeros((*x.shape[:-1], n - k), x.dtype))
            lower = fn.cat([lower, beside], dim=-1)
        a = lower - lower.mT
        if self.orthogonal_map == "matrix_exp":
            q = linalg.matrix_exp(a)
        else:
            one = wrap(np.eye(n, dtype=x.dtype))
            q = linalg.solve(one - a / 2, one + a / 2)
        return q if n == k else q[..., :k]

    def _reflected(self, x: Tensor) -> Tensor:
        """A product of reflections, with the signs of the diagonal of `x`."""
        from dotori import linalg

        below = x.tril(-1)
        tau = 2 / (1 + (below * below).sum(dim=-2))
        signs = np.trunc(x.array.diagonal(axis1=-2, axis2=-1))  # as PyTorch's int()
        return linalg.householder_product(below, tau) * wrap(signs[..., None, :])

    def right_inverse(self, value: Tensor) -> Tensor:
        if value.shape != self.shape:
            raise ShapeError(
                f"orthogonal: the weight has shape {self.shape}, got {value.shape}"
            )
        wide = value.shape[-2] < value.shape[-1]
        tall = value.detach().mT if wide else value.detach()
        if self.use_trivialization:
            self.base = _completed(tall)
            # the diagonal of -1 makes the product of reflections the identity
            start = -np.eye(*value.shape[-2:], dtype=value.dtype)
            return wrap(np.broadcast_to(start, value.shape).copy())
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "orthogonal: without use_trivialization, nothing can be assigned to "
                f"{self.orthogonal_map!r}"
            )
        found = _reflections(tall)
        return found.mT if wide else found


def _orthonormal(a: Tensor) -> Tensor:
    """Q of A = Q R, where R has a positive diagonal."""
    from dotori import linalg

    q, r = linalg.qr(a)
    return q * wrap(np.sign(r.array.diagonal(axis1=-2, axis2=-1))[..., None, :])


def _completed(q: Tensor) -> Tensor:
    """A square orthogonal matrix whose first columns are `q`, made orthonormal."""
    n, k = q.shape[-2:]
    if n != k:
        drawn = default_generator().normal((*q.shape[:-1], n - k), dtype=q.dtype)
        return _orthonormal(fn.cat([q, wrap(to_device(drawn, q.device))], dim=-1))
    product = fn.matmul(q.mT, q).array
    near = 10.0 * n * np.finfo(q.dtype).eps
    if np.allclose(product, np.eye(n), rtol=1e-5, atol=near):
        return q.clone()
    return _orthonormal(q)


def _reflections(q: Tensor) -> Tensor:
    """The reflections that make `q`, with the signs of R on the diagonal."""
    from dotori.linalg.reflections import geqrf

    a, tau = geqrf(q)
    n, k = a.shape[-2:]
    signs = np.sign(a.array.diagonal(axis1=-2, axis2=-1))
    signs = np.where(tau.array == 0, -signs, signs)  # LAPACK left this one out
    return a.tril(-1) + wrap(signs[..., None, :] * np.eye(n, k, dtype=a.dtype))
