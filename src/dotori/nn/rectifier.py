"""Rectifiers as modules: ReLU and what has been made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy.typing import DTypeLike

from dotori.nn import functional as F
from dotori.nn.initial import new_parameter
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "Hardswish",
    "LeakyReLU",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Softplus",
    "Threshold",
]


class InPlace(Module):
    """An activation that takes PyTorch's `inplace`, which changes nothing here."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(InPlace):
    """max(x, 0).

    Examples
    --------
    >>> import dotori
    >>> ReLU()(dotori.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


class ReLU6(InPlace):
    """min(max(x, 0), 6).

    Examples
    --------
    >>> import dotori
    >>> ReLU6()(dotori.tensor([-1.0, 9.0])).tolist()
    [0.0, 6.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x)


class LeakyReLU(InPlace):
    """x where x > 0, else negative_slope x.

    Examples
    --------
    >>> import dotori
    >>> LeakyReLU(0.5)(dotori.tensor([-4.0, 2.0])).tolist()
    [-2.0, 2.0]
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """x where x > 0, else weight x, with slopes that are learned.

    He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015.

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels (axis 1).
    init : float
        The slopes at the start.

    Examples
    --------
    >>> import dotori
    >>> PReLU(init=0.5)(dotori.tensor([-4.0, 2.0])).tolist()
    [-2.0, 2.0]
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = new_parameter((num_parameters,), dtype, device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set all slopes to `init`."""
        self.weight.array[...] = self.init

    def forward(self, x: Tensor) -> Tensor:
        return F.prelu(x, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(InPlace):
    """x where x >= 0, else x times a slope from [lower, upper], random in training.

    Examples
    --------
    >>> import dotori
    >>> RReLU(0.25, 0.75).eval()(dotori.tensor([-16.0, 2.0])).tolist()
    [-8.0, 2.0]
    """

    def __init__(
        self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False
    ) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, x: Tensor) -> Tensor:
        return F.rrelu(x, self.lower, self.upper, self.training)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}"


class ELU(InPlace):
    """x where x > 0, else alpha (e^x - 1).

    Examples
    --------
    >>> import dotori
    >>> ELU()(dotori.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return F.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class CELU(InPlace):
    """x where x > 0, else alpha (e^(x/alpha) - 1).

    Examples
    --------
    >>> import dotori
    >>> CELU()(dotori.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return F.celu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(InPlace):
    """ELU with the constants that keep mean 0 and variance 1.

    Examples
    --------
    >>> import dotori
    >>> SELU()(dotori.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.selu(x)


class GELU(Module):
    """x P(Z <= x) for a standard normal Z.

    Examples
    --------
    >>> import dotori
    >>> GELU()(dotori.tensor([0.0])).tolist()
    [0.0]
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(InPlace):
    """x sigmoid(x), also called swish.

    Examples
    --------
    >>> import dotori
    >>> SiLU()(dotori.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x)


class Mish(InPlace):
    """x tanh(softplus(x)).

    Examples
    --------
    >>> import dotori
    >>> Mish()(dotori.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.mish(x)


class Hardswish(InPlace):
    """x min(max(x + 3, 0), 6) / 6.

    Examples
    --------
    >>> import dotori
    >>> Hardswish()(dotori.tensor([0.0, 4.0])).tolist()
    [0.0, 4.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.hardswish(x)


class Softplus(Module):
    """log(1 + e^(beta x)) / beta; x itself where beta x > threshold.

    Examples
    --------
    >>> import dotori
    >>> Softplus()(dotori.tensor([100.0])).tolist()
    [100.0]
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        return F.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Threshold(InPlace):
    """x where x > threshold, else `value`.

    Examples
    --------
    >>> import dotori
    >>> Threshold(1.0, -1.0)(dotori.tensor([0.5, 2.0])).tolist()
    [-1.0, 2.0]
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        return F.threshold(x, self.threshold, self.value)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}"
