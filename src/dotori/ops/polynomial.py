"""The classical orthogonal polynomials, of a degree that may differ by element.

All follow a recurrence of three terms (DLMF 18.9). That of Chebyshev's polynomials is
used up to degree 8; beyond, what they are in x = cos theta, or x = cosh theta outside
of [-1, 1] (18.5.1 to 18.5.4), which takes one step whatever the degree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dotori.errors import ArgumentError
from dotori.ops._op import Op, Sample
from dotori.ops.approximation import by_case, in_float64

STEPS = 8  # degrees by recurrence, where there is another way
MOST = 1_000_000  # where there is none

Step = Callable[[int, Any, Any, Any], Any]
#: P_1(x), and P_{k+1} from (k, x, P_k, P_{k-1}); P_0 is 1.
RECURRENCES: dict[str, tuple[Callable[[Any], Any], Step]] = {
    "chebyshev_t": (lambda x: x, lambda k, x, p, q: 2 * x * p - q),
    "chebyshev_u": (lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - q),
    "chebyshev_v": (lambda x: 2 * x - 1, lambda k, x, p, q: 2 * x * p - q),
    "chebyshev_w": (lambda x: 2 * x + 1, lambda k, x, p, q: 2 * x * p - q),
    "hermite_h": (lambda x: 2 * x, lambda k, x, p, q: 2 * (x * p - k * q)),
    "hermite_he": (lambda x: x, lambda k, x, p, q: x * p - k * q),
    "laguerre_l": (
        lambda x: 1 - x,
        lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1),
    ),
    "legendre_p": (
        lambda x: x,
        lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1),
    ),
}


def polynomial(family: str) -> Callable[..., Any]:
    """The formula (xp, x, n) of a family, for float64 arrays; 0 where n < 0."""
    if family.startswith("shifted_"):
        plain = polynomial(family.removeprefix("shifted_"))
        return lambda xp, x, n: plain(xp, 2 * x - 1, n)

    def formula(xp: Any, x: Any, n: Any) -> Any:
        n = xp.trunc(n)
        if not family.startswith("chebyshev"):
            return _recur(xp, x, n, family)
        kind = family[-1]
        few = ~((n > STEPS) & (n < xp.inf))
        return by_case(
            xp,
            (few, lambda x, n: _recur(xp, x, n, family)),
            (~few, lambda x, n: _chebyshev(xp, x, n, kind)),
            xs=(x, n),
        )

    return formula


def _recur(xp: Any, x: Any, n: Any, family: str) -> Any:
    """Up to the highest degree; each element keeps the value at its own."""
    highest = float(xp.where(abs(n) < xp.inf, n, 0).max())
    if highest > MOST:
        raise ArgumentError(
            f"{family}: degrees go up to {MOST}, one a step; got {highest:g}"
        )
    first, step = RECURRENCES[family]
    before, p = xp.ones_like(x), first(x)
    y = xp.where(n == 0, before, xp.where(n == 1, p, 0.0))
    for k in range(1, int(max(highest, 0.0))):
        before, p = p, step(k, x, p, before)
        y = xp.where(n == k + 1, p, y)
    return xp.where(abs(n) < xp.inf, y, xp.nan)


def _chebyshev(xp: Any, x: Any, n: Any, kind: str) -> Any:
    """T, U, V or W of a high degree, from |x|: V_n(-x) = (-1)^n W_n(x)."""
    negative = x < 0
    odd = xp.where(negative & (n % 2 == 1), -1.0, 1.0)
    x = abs(x)
    inside = x < 1
    angle = xp.where(
        inside, xp.arccos(xp.minimum(x, 1.0)), xp.arccosh(xp.maximum(x, 1.0))
    )

    def cos(angle: Any) -> Any:
        return xp.where(inside, xp.cos(angle), xp.cosh(angle))

    def sin(angle: Any) -> Any:
        return xp.where(inside, xp.sin(angle), xp.sinh(angle))

    def sin_ratio(angle: Any, times: Any) -> Any:  # -> times, for the angle 0
        zero = angle == 0
        quotient = sin(times * angle) / xp.where(zero, 1.0, sin(angle))
        return xp.where(zero, times, quotient)

    if kind == "t":
        return odd * cos(n * angle)
    if kind == "u":
        return odd * sin_ratio(angle, n + 1)
    v = cos((n + 0.5) * angle) / cos(angle / 2)
    w = sin_ratio(angle / 2, 2 * n + 1)
    return odd * xp.where(negative == (kind == "v"), w, v)


class OrthogonalPolynomial(Op):
    """y = P_n(x) of the family by that name."""

    real = True
    floats = True
    differentiable = False

    @staticmethod
    def forward(xp: Any, x: Any, n: Any, *, family: str) -> Any:
        return in_float64(xp, polynomial(family), x, n)

    @staticmethod
    def torch(x: Any, n: Any, family: str) -> Any:
        import torch

        kind = family.rpartition("_")
        return getattr(torch.special, f"{kind[0]}_polynomial_{kind[2]}")(x, n)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        n = rng.integers(0, 12, (3, 4)).astype("float64")
        for family in RECURRENCES:
            x = rng.uniform(-1.2, 1.2, (3, 4))
            yield Sample((x, n), {"family": family})
        yield Sample((rng.uniform(0, 1, (4,)), n), {"family": "shifted_chebyshev_t"})
