"""Bounded activations and softmax as modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.errors import ShapeError
from dotori.nn import functional as F
from dotori.nn.module import Module
from dotori.nn.rectifier import InPlace

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardtanh",
    "LogSigmoid",
    "LogSoftmax",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
]


class Hardsigmoid(InPlace):
    """min(max(x + 3, 0), 6) / 6.

    Examples
    --------
    >>> import dotori
    >>> Hardsigmoid()(dotori.tensor([0.0, 4.0])).tolist()
    [0.5, 1.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.hardsigmoid(x)


class Hardtanh(InPlace):
    """x held between `min_val` and `max_val`.

    Examples
    --------
    >>> import dotori
    >>> Hardtanh()(dotori.tensor([-3.0, 0.5])).tolist()
    [-1.0, 0.5]
    """

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
    ) -> None:
        super().__init__(inplace)
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, x: Tensor) -> Tensor:
        return F.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class Sigmoid(Module):
    """1 / (1 + e^-x).

    Examples
    --------
    >>> import dotori
    >>> Sigmoid()(dotori.tensor([0.0])).tolist()
    [0.5]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent.

    Examples
    --------
    >>> import dotori
    >>> Tanh()(dotori.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.tanh(x)


class LogSigmoid(Module):
    """log(1 / (1 + e^-x)).

    Examples
    --------
    >>> import dotori
    >>> LogSigmoid()(dotori.tensor([-1000.0])).tolist()
    [-1000.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.logsigmoid(x)


class Softsign(Module):
    """x / (1 + |x|).

    Examples
    --------
    >>> import dotori
    >>> Softsign()(dotori.tensor([-1.0])).tolist()
    [-0.5]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.softsign(x)


class Tanhshrink(Module):
    """x - tanh(x).

    Examples
    --------
    >>> import dotori
    >>> Tanhshrink()(dotori.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.tanhshrink(x)


class Softshrink(Module):
    """x brought nearer to 0 by `lambd`.

    Examples
    --------
    >>> import dotori
    >>> Softshrink()(dotori.tensor([-1.0, 0.25])).tolist()
    [-0.5, 0.0]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        return F.softshrink(x, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Hardshrink(Module):
    """x where |x| > lambd, else 0.

    Examples
    --------
    >>> import dotori
    >>> Hardshrink()(dotori.tensor([-1.0, 0.25])).tolist()
    [-1.0, 0.0]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        return F.hardshrink(x, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softmax(Module):
    """e^(x_i) / sum_j e^(x_j) along `dim`.

    Examples
    --------
    >>> import dotori
    >>> Softmax()(dotori.tensor([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(Module):
    """softmax(-x) along `dim`.

    Examples
    --------
    >>> import dotori
    >>> Softmin()(dotori.tensor([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return F.softmin(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """log softmax(x) along `dim`.

    Examples
    --------
    >>> import dotori
    >>> LogSoftmax()(dotori.tensor([1000.0, 0.0])).tolist()
    [0.0, -1000.0]
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class GLU(Module):
    """a sigmoid(b), where a and b are the halves of x along `dim`.

    Examples
    --------
    >>> import dotori
    >>> GLU()(dotori.tensor([4.0, 0.0])).tolist()
    [2.0]
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """softmax over the channels of (batch, channels, height, width).

    Examples
    --------
    >>> import dotori
    >>> Softmax2d()(dotori.zeros(1, 2, 1, 1)).tolist()
    [[[[0.5]], [[0.5]]]]
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim not in (3, 4):
            raise ShapeError(
                "Softmax2d: x must be (batch, channels, height, width), with or "
                f"without the batch, got shape {x.shape}"
            )
        return F.softmax(x, -3)
