"""Weight and spectral norm as hooks, which compute the weight before each forward.

New code has `dotori.nn.utils.parametrizations`. These are for models and state dicts
that name ``weight_g`` and ``weight_v``, or ``weight_orig``, ``weight_u`` and
``weight_v``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dotori import functions as fn
from dotori.autograd import no_grad, note_change
from dotori.errors import ArgumentError
from dotori.nn.parameter import Parameter
from dotori.nn.utils.parametrizations import (
    as_matrix,
    axis_of_outputs,
    length_except,
    random_unit,
    unit,
)

if TYPE_CHECKING:
    from dotori._tensor import Tensor
    from dotori.nn.module import Module

__all__ = [
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_norm",
    "weight_norm",
]

M = TypeVar("M", bound="Module")


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """w = g v / |v|, computed before each forward.

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
        `module` itself, with the parameters ``weight_g`` and ``weight_v``.

    Examples
    --------
    >>> from dotori import nn
    >>> layer = weight_norm(nn.Linear(3, 2))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight_g', 'weight_v']
    """
    weight = _parameter(module, name, _WeightNorm)
    hook = _WeightNorm(name, -1 if dim is None else dim)
    with no_grad():
        g = length_except(weight, hook.dim)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(g))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    setattr(module, name, hook.value(module, training=False))
    hook.handle = module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the weight an ordinary parameter again, of its present value.

    Examples
    --------
    >>> from dotori import nn
    >>> layer = remove_weight_norm(weight_norm(nn.Linear(3, 2)))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']
    """
    return _remove(module, name, _WeightNorm, ("_g", "_v"))


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """W / sigma(W), where sigma is the largest singular value, before each forward.

    Miyato, Kataoka, Koyama and Yoshida, "Spectral normalization for generative
    adversarial networks", 2018, algorithm 1.

    Parameters
    ----------
    module : Module
    name : str
    n_power_iterations : int
        How far the singular vectors are followed before each forward in training.
    eps : float
        The least length that is divided by.
    dim : int, optional
        The axis of the outputs, by default 0, and 1 for transposed convolutions.

    Returns
    -------
    Module
        `module` itself, with the parameter ``weight_orig`` and the buffers ``weight_u``
        and ``weight_v``.

    Examples
    --------
    >>> from dotori import nn
    >>> layer = spectral_norm(nn.Linear(3, 2))
    >>> list(layer.state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    weight = _parameter(module, name, _SpectralNorm)
    if n_power_iterations < 1:
        raise ArgumentError(
            "spectral_norm: n_power_iterations must be positive, got "
            f"{n_power_iterations}"
        )
    axis = axis_of_outputs(module) if dim is None else dim
    hook = _SpectralNorm(name, axis % weight.ndim, n_power_iterations, eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    rows, columns = as_matrix(weight.detach(), hook.dim).shape
    module.register_buffer(f"{name}_u", random_unit(rows, weight, eps))
    module.register_buffer(f"{name}_v", random_unit(columns, weight, eps))
    setattr(module, name, weight.detach())  # as it is, before the first forward
    hook.handle = module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the weight an ordinary parameter again, of its present value.

    Examples
    --------
    >>> from dotori import nn
    >>> list(remove_spectral_norm(spectral_norm(nn.Linear(3, 2))).state_dict())
    ['bias', 'weight']
    """
    return _remove(module, name, _SpectralNorm, ("_u", "_v", "_orig"))


class _Hook:
    """Sets ``module.<name>``, a plain attribute, before each forward."""

    handle: Any

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.value(module, module.training))

    def value(self, module: Module, training: bool) -> Tensor:
        raise NotImplementedError


class _WeightNorm(_Hook):
    def __init__(self, name: str, dim: int) -> None:
        super().__init__(name)
        self.dim = dim

    def value(self, module: Module, training: bool) -> Tensor:
        g, v = (getattr(module, f"{self.name}_{part}") for part in "gv")
        w: Tensor = v * (g / length_except(v, self.dim))
        return w


class _SpectralNorm(_Hook):
    def __init__(self, name: str, dim: int, times: int, eps: float) -> None:
        super().__init__(name)
        self.dim, self.times, self.eps = dim, times, eps

    def value(self, module: Module, training: bool) -> Tensor:
        weight = getattr(module, f"{self.name}_orig")
        u, v = (getattr(module, f"{self.name}_{part}") for part in "uv")
        matrix = as_matrix(weight, self.dim)
        if training:
            for _ in range(self.times):
                v.array[...] = unit(matrix.array.T @ u.array, self.eps)
                u.array[...] = unit(matrix.array @ v.array, self.eps)
            note_change(u.array, "spectral_norm")
            note_change(v.array, "spectral_norm")
        # copies: the gradient of this forward must not see the next iteration
        sigma = (u.clone() * fn.matmul(matrix, v.clone())).sum()
        w: Tensor = weight / sigma
        return w


def _hook_of(module: Module, name: str, kind: type[_Hook]) -> _Hook | None:
    before = module._hooks[0] if module._hooks else {}
    for hook in before.values():
        if isinstance(hook, kind) and hook.name == name:
            return hook
    return None


def _parameter(module: Module, name: str, kind: type[_Hook]) -> Parameter:
    """The parameter, which must have no such hook yet."""
    if _hook_of(module, name, kind) is not None:
        raise ArgumentError(
            f"{name!r} of this {type(module).__name__} is normalised already"
        )
    return module.get_parameter(name)


def _remove(module: M, name: str, kind: type[_Hook], parts: tuple[str, ...]) -> M:
    hook = _hook_of(module, name, kind)
    if hook is None:
        raise ArgumentError(
            f"{name!r} of this {type(module).__name__} is not normalised so"
        )
    with no_grad():
        weight = hook.value(module, training=False)
    hook.handle.remove()
    for part in ("", *parts):
        delattr(module, name + part)
    module.register_parameter(name, Parameter(weight.detach()))
    return module
