"""Exponentials, logarithms, trigonometric and hyperbolic functions.

Formulas: Abramowitz and Stegun, "Handbook of mathematical functions", 1964, chapter 4.
"""

from __future__ import annotations

import math
from typing import Any

from dotori.ops._op import follow
from dotori.ops.elementwise import Binary, Unary

LN2, LN10 = math.log(2.0), math.log(10.0)


class Exp(Unary):
    """y = e^x; y' = y."""

    saves = ("y",)
    floats = True
    torch = "exp"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.exp(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * y


class Log(Unary):
    """y = ln x; y' = 1/x."""

    saves = ("x",)
    floats = True
    low, high = 0.2, 3.0
    torch = "log"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.log(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / x


class Log1p(Unary):
    """y = ln(1 + x); y' = 1/(1 + x)."""

    saves = ("x",)
    floats = True
    low, high = -0.5, 3.0
    torch = "log1p"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.log1p(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / (1 + x)


class Expm1(Unary):
    """y = e^x - 1; y' = y + 1."""

    saves = ("y",)
    floats = True
    torch = "expm1"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.expm1(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * (y + 1)


class Tanh(Unary):
    """y = tanh x; y' = 1 - y^2."""

    saves = ("y",)
    floats = True
    torch = "tanh"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.tanh(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * (1 - y * y)


class Sin(Unary):
    """y = sin x; y' = cos x."""

    saves = ("x",)
    floats = True
    torch = "sin"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.sin(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * xp.cos(x)


class Cos(Unary):
    """y = cos x; y' = -sin x."""

    saves = ("x",)
    floats = True
    torch = "cos"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.cos(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return -dy * xp.sin(x)


class Sigmoid(Unary):
    """y = 1/(1 + e^-x); y' = y (1 - y). Exactly 0 and 1 far out."""

    saves = ("y",)
    floats = True
    torch = "sigmoid"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        y = xp.exp(-x)
        y += 1
        return 1 / y

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * (y * (1 - y))


class Exp2(Unary):
    """y = 2^x; y' = y ln 2."""

    saves = ("y",)
    floats = True
    torch = "exp2"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.exp2(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * y * LN2


class Log2(Unary):
    """y = log2 x; y' = 1/(x ln 2)."""

    saves = ("x",)
    floats = True
    low, high = 0.2, 3.0
    torch = "log2"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.log2(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / (x * LN2)


class Log10(Unary):
    """y = log10 x; y' = 1/(x ln 10)."""

    saves = ("x",)
    floats = True
    low, high = 0.2, 3.0
    torch = "log10"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.log10(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / (x * LN10)


class Sinh(Unary):
    """y = sinh x; y' = cosh x."""

    saves = ("x",)
    floats = True
    torch = "sinh"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.sinh(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * xp.cosh(x)


class Cosh(Unary):
    """y = cosh x; y' = sinh x."""

    saves = ("x",)
    floats = True
    torch = "cosh"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.cosh(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * xp.sinh(x)


class Tan(Unary):
    """y = tan x; y' = 1 + y^2."""

    saves = ("y",)
    floats = True
    low, high = -1.2, 1.2
    torch = "tan"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.tan(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * (y * y + 1)


class Asin(Unary):
    """y = arcsin x; y' = (1 - x^2)^(-1/2)."""

    saves = ("x",)
    floats = True
    low, high = -0.9, 0.9
    torch = "asin"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.arcsin(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / xp.sqrt(1 - x * x)


class Acos(Unary):
    """y = arccos x; y' = -(1 - x^2)^(-1/2)."""

    saves = ("x",)
    floats = True
    low, high = -0.9, 0.9
    torch = "acos"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.arccos(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return -dy / xp.sqrt(1 - x * x)


class Atan(Unary):
    """y = arctan x; y' = 1/(1 + x^2)."""

    saves = ("x",)
    floats = True
    torch = "atan"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.arctan(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / (x * x + 1)


class Asinh(Unary):
    """y = arsinh x; y' = (x^2 + 1)^(-1/2)."""

    saves = ("x",)
    floats = True
    torch = "asinh"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.arcsinh(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / xp.sqrt(x * x + 1)


class Acosh(Unary):
    """y = arcosh x; y' = (x^2 - 1)^(-1/2)."""

    saves = ("x",)
    floats = True
    low, high = 1.2, 3.0
    torch = "acosh"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.arccosh(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / xp.sqrt(x * x - 1)


class Atanh(Unary):
    """y = artanh x; y' = 1/(1 - x^2)."""

    saves = ("x",)
    floats = True
    low, high = -0.9, 0.9
    torch = "atanh"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.arctanh(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / (1 - x * x)


class Atan2(Binary):
    """y = the angle of the point (b, a); dy/da = b/(a^2+b^2), dy/db = -a/(a^2+b^2)."""

    real = True
    saves = ("a", "b")
    floats = True
    low, high = 0.5, 2.0
    torch = "atan2"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.arctan2(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        h = xp.hypot(a, b)  # its square may be too small, or too large, for the type
        h = h + (h == 0)  # PyTorch's gradient at the origin is 0
        return (dy * (b / h) / h if needs[0] else None), (
            -dy * (a / h) / h if needs[1] else None
        )


class LogAddExp(Binary):
    """y = ln(e^a + e^b); dy/da = sigmoid(a - b), also where one is infinite."""

    real = True
    saves = ("a", "b")
    floats = True
    torch = "logaddexp"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.logaddexp(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        da = dy * follow(Sigmoid, xp, a - b) if needs[0] else None
        db = dy * follow(Sigmoid, xp, b - a) if needs[1] else None
        return da, db
