"""Functions of single numbers for compiled code; in loops they become vectors.

exp, expm1, log, log1p, tanh, sigmoid, erf, logaddexp, and power in float32 are written
here without a branch, a table or a call, as LLVM can make vectors of such code only.
The others are Numba's; many of them call the C library for one number at a time.

==========  ===================  ===================
error       float32              float64
==========  ===================  ===================
exp         1.1 ulp              1.1 ulp
expm1       2 ulp                2 ulp
log         1 ulp                1 ulp
log1p       2 ulp                2 ulp
tanh        3 ulp                3 ulp
sigmoid     2 ulp                2 ulp
erf         3 ulp                3 ulp
power       1 ulp                the C library's
==========  ===================  ===================

These are bounds in units of the last place, held over 10,000 arguments of all sizes by
`tests/compiler/test_native_functions.py`. Zeros, infinities, NaN and subnormal numbers
come out as in NumPy; sigmoid is 0 where e^-x overflows.

`tools/minimax.py` fits the polynomials. Reduction of e^x: Cody and Waite, "Software
Manual for the Elementary Functions", 1980.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from dotori.compiler.native import bits
from dotori.compiler.primitives import UFUNCS
from dotori.errors import need

# fmt: off
_EXP32 = (
    0.5, 0.16666577756404877, 0.041666556149721146, 0.008363173343241215,
    0.0013926175888627768,
)
_EXP64 = (
    0.5000000000000001, 0.16666666666666669, 0.041666666666624164,
    0.008333333333330065, 0.0013888888917196719, 0.00019841269863040545,
    2.4801521322368692e-05, 2.7557268480310024e-06, 2.7620075879983367e-07,
    2.5100375832561234e-08,
)
_LOG32 = (0.6666668653488159, 0.3998878002166748, 0.29579949378967285)
_LOG64 = (
    0.666666666666667, 0.39999999999899505, 0.28571428625975487, 0.2222221113479508,
    0.18182889125261723, 0.15331721600556042, 0.14616449685043406,
)
_ERF32 = (
    1.1283791065216064, -0.3761262595653534, 0.11283594369888306,
    -0.02685421146452427, 0.005189087241888046, -0.000801686430349946,
    7.875874871388078e-05,
)
_ERF64 = (
    1.1283791670955126, -0.37612638903183543, 0.11283791670945006,
    -0.02686617064323777, 0.0052239776071164225, -0.0008548325975389692,
    0.00012055294904839707, -1.492473690741966e-05, 1.6447424703317362e-06,
    -1.6208483801871705e-07, 1.3720064546777686e-08, -7.795898827002142e-10,
)
_ERFC32 = (
    -1.556815266609192, -0.529021143913269, 0.12623929977416992,
    -0.03664613142609596, 0.010961172170937061, -0.0031953866127878428,
    0.0008814931497909129, -0.0002208476362284273, 4.140557939535938e-05,
    -2.9150376121833688e-06,
)
_ERFC64 = (
    -1.8624374021481738, -0.6652489709129766, 0.20779340786106157,
    -0.0816509097178572, 0.03412841107971968, -0.014384548328888422,
    0.005953704477141584, -0.0023739973006794987, 0.0008935765716880319,
    -0.00030781940159072446, 9.090101551597176e-05, -1.847528986000811e-05,
    -1.4780737118311842e-06, 4.56839762190763e-06, -3.4204246659666945e-06,
    1.91269798607734e-06, -9.165507592535276e-07, 3.918923288527924e-07,
    -1.2999681259733388e-07, 1.8848830089033838e-08, -2.1580142736303587e-09,
    4.710840527099266e-09, 4.521416204583651e-09, -7.240824974515327e-09,
    2.247276352107439e-09,
)
# fmt: on


class Kind(NamedTuple):
    """What the functions must know of a type of floating numbers.

    ``ln2_high`` has zeros for last bits, so that k times it is exact; ``ln2_low`` is
    the rest of ln 2. ``lowest`` and ``highest`` are where e^x is 0 and infinite.
    """

    number: Any
    magic: Any
    ln2_high: Any
    ln2_low: Any
    lowest: Any
    highest: Any
    normal: Any
    places: Any
    flat: Any  # from here on tanh is 1, and e^-x - 1 is -1
    last: Any  # from here on erf is 1
    exp: tuple[float, ...]
    log: tuple[float, ...]
    erf: tuple[float, ...]
    erfc: tuple[float, ...]


def _kind(number: Any, *values: float, polynomials: Any) -> Kind:
    return Kind(number, *map(number, values), *polynomials)


# fmt: off
KINDS = {
    "float32": _kind(
        np.float32, 1.5 * 2**23, 0.693359375, -2.1219444005469057e-4, -104.0, 89.0,
        2.0**-126, 23, 20.0, 4.0, polynomials=(_EXP32, _LOG32, _ERF32, _ERFC32),
    ),
    "float64": _kind(
        np.float64, 1.5 * 2**52, 0.6931471803691238, 1.9082149292705877e-10, -746.0,
        710.0, 2.0**-1022, 52, 40.0, 6.0, polynomials=(_EXP64, _LOG64, _ERF64, _ERFC64),
    ),
}
# fmt: on

#: Fast-math would undo what is done here to keep the last bits.
_OPTIONS: dict[str, Any] = {"fastmath": {"contract"}, "forceinline": True}


@cache
def functions() -> dict[str, Any]:
    """All elementwise functions by their names, and ``where(condition, a, b)``."""
    numba: Any = need("numba", "fast", "compiled steps")
    options = {**_OPTIONS, "error_model": "numpy", "_nrt": False}
    options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

    def compiled(function: Any) -> Any:
        return numba.njit(function, **options)

    made = {name: compiled(_of_numpy(getattr(np, name))) for name in sorted(UFUNCS)}
    made["erf"] = compiled(_erf_of_c)
    own = {kind: _family(KINDS[kind], compiled) for kind in KINDS}
    _add_power(own["float32"], own["float64"], compiled)
    for name in dict.fromkeys((*own["float32"], *own["float64"])):
        of_kinds = own["float32"].get(name), own["float64"].get(name)
        made[name] = _by_type(name, *of_kinds, made.get(name), options)
    made["where"] = bits.select()
    for name in "maximum", "minimum":  # of floats
        made[name] = bits.extreme(name)
    return made


def _by_type(
    name: str, single: Any, double: Any, others: Any, options: dict[str, Any]
) -> Any:
    """The function that is `single` of float32, `double` of float64; of integers, the
    `double` of their values."""
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types

    def one(x: Any) -> Any:
        """A name that is given a meaning below."""

    def two(x: Any, y: Any) -> Any:
        """A name that is given a meaning below."""

    def of_one(x: Any) -> Any:
        chosen = single if x == types.float32 else double or others
        number = np.float32 if x == types.float32 else np.float64
        return lambda x: chosen(number(x))

    def of_two(x: Any, y: Any) -> Any:
        floats = x == y == types.float32
        chosen = single if floats else double or others
        number = np.float32 if floats else np.float64
        return lambda x, y: chosen(number(x), number(y))

    binary = name in UFUNCS and getattr(np, name).nin == 2
    stub = two if binary else one
    rule = of_two if binary else of_one
    extending.overload(stub, jit_options=options, strict=False)(rule)
    return stub


def _of_numpy(ufunc: np.ufunc) -> Any:
    """NumPy's function, which Numba knows, as one of single numbers."""

    def one(x: Any) -> Any:
        return ufunc(x)

    def two(x: Any, y: Any) -> Any:
        return ufunc(x, y)

    return one if ufunc.nin == 1 else two


def _erf_of_c(x: Any) -> Any:
    return math.erf(x)


def _family(kind: Kind, compiled: Any) -> dict[str, Any]:
    """The functions for one type."""
    exp = compiled(_exp(kind))
    expm1 = compiled(_expm1(kind))
    log = compiled(_log(kind))
    log1p = compiled(_log1p(kind, log))
    return {
        "exp": exp,
        "expm1": expm1,
        "log": log,
        "log1p": log1p,
        "tanh": compiled(_tanh(kind, expm1)),
        "sigmoid": compiled(_sigmoid(kind, exp)),
        "erf": compiled(_erf(kind, exp)),
        "logaddexp": compiled(_logaddexp(kind, exp, log1p)),
        "normal_cdf": compiled(_normal_cdf(kind, exp)),
    }


def _exp(kind: Kind) -> Any:
    """e^x = 2^k e^r with k = round(x / ln 2); 2^k in halves, which do not overflow."""
    number, magic, high, low = kind.number, kind.magic, kind.ln2_high, kind.ln2_low
    lowest, highest, rest = kind.lowest, kind.highest, bits.polynomial(kind.exp)
    per_ln2, half, one = number(1 / math.log(2)), number(0.5), number(1)
    select, two_to = bits.select(), bits.two_to()

    def exp(x: Any) -> Any:
        x = select(x > highest, highest, x)  # NaN is neither, and stays
        x = select(x < lowest, lowest, x)
        k = (x * per_ln2 + magic) - magic
        r = (x - k * high) - k * low
        y = one + (r + r * r * rest(r))
        first = k * half + magic
        second = (k - (first - magic)) + magic
        return y * two_to(first) * two_to(second)

    return exp


def _expm1(kind: Kind) -> Any:
    """e^x - 1 = 2^k (e^r - 1) + (2^k - 1), halved on the way so that 2^k is finite."""
    number, magic, high, low = kind.number, kind.magic, kind.ln2_high, kind.ln2_low
    lowest, highest, rest = -kind.flat, kind.highest, bits.polynomial(kind.exp)
    per_ln2, half, one, two = number(1 / math.log(2)), number(0.5), number(1), number(2)
    select, two_to = bits.select(), bits.two_to()
    tiny = number(np.finfo(number).eps / 4)

    def expm1(x: Any) -> Any:
        inside = select(x > highest, highest, x)
        inside = select(inside < lowest, lowest, inside)
        k = (inside * per_ln2 + magic) - magic
        r = (inside - k * high) - k * low
        p = r + r * r * rest(r)
        scale = two_to((k - one) + magic)
        y = (scale * p + (scale - half)) * two
        return select(abs(x) < tiny, x, y)

    return expm1


def _log(kind: Kind) -> Any:
    """ln x = e ln 2 + ln m; ln m = 2s + 2 s^3 / 3 + ... with s = (m - 1) / (m + 1).

    With f = m - 1, ln m = f - (f^2 / 2 - s (f^2 / 2 + R)): f is exact, the rest small.
    """
    number, high, low = kind.number, kind.ln2_high, kind.ln2_low
    normal, places, rest = kind.normal, kind.places, bits.polynomial(kind.log)
    up = number(2.0 ** float(kind.places))
    zero, half, one, two = number(0), number(0.5), number(1), number(2)
    infinity, nan = number(math.inf), number(math.nan)
    select, exponent, mantissa = bits.select(), bits.exponent(), bits.mantissa()

    def log(x: Any) -> Any:
        subnormal = x < normal
        y = select(subnormal, x * up, x)
        e = exponent(y) - select(subnormal, places, zero)
        f = mantissa(y) - one
        s = f / (two + f)
        z = s * s
        h = half * f * f
        found = e * high - ((h - (s * (h + z * rest(z)) + e * low)) - f)
        found = select(x > zero, found, select(x == zero, -infinity, nan))
        return select(x == infinity, x, found)

    return log


def _log1p(kind: Kind, log: Any) -> Any:
    """ln u + (x - (u - 1)) / u with u = 1 + x rounded: the term that rounding took."""
    number = kind.number
    zero, one, infinity = number(0), number(1), number(math.inf)
    select = bits.select()

    def log1p(x: Any) -> Any:
        u = one + x
        found = log(u) + (x - (u - one)) / u
        found = select(u == zero, -infinity, found)
        return select((x == infinity) | (x == zero), x, found)

    return log1p


def _tanh(kind: Kind, expm1: Any) -> Any:
    """-t / (t + 2) with t = e^(-2|x|) - 1, and the sign of x."""
    number, flat = kind.number, kind.flat
    two, copysign, select = number(2), bits.copysign(), bits.select()

    def tanh(x: Any) -> Any:
        a = abs(x)
        t = expm1(-two * select(a > flat, flat, a))
        return copysign(-t / (t + two), x)

    return tanh


def _sigmoid(kind: Kind, exp: Any) -> Any:
    one = kind.number(1)

    def sigmoid(x: Any) -> Any:
        return one / (one + exp(-x))

    return sigmoid


def _erf(kind: Kind, exp: Any) -> Any:
    """x p(x^2) up to 1; from there on 1 - e^(q(x) - x^2), with the sign of x."""
    number, last = kind.number, kind.last
    inner, outer = bits.polynomial(kind.erf), bits.polynomial(kind.erfc)
    one, two = number(1), number(2)
    scale, middle = two / (last - one), (last + one) / (last - one)
    copysign, select = bits.copysign(), bits.select()

    def erf(x: Any) -> Any:
        a = abs(x)
        b = select(a > last, last, a)
        far = one - exp(outer(b * scale - middle) - b * b)
        return select(a < one, x * inner(x * x), copysign(far, x))

    return erf


def _normal_cdf(kind: Kind, exp: Any) -> Any:
    """As in `dotori.ops.normal`, by the same series."""
    from dotori.ops.normal import _POLYNOMIALS

    number = kind.number
    series = bits.polynomial(_POLYNOMIALS[np.dtype(number).itemsize])
    root, end = number(math.sqrt(0.5)), number(40)
    one, two, four, scale, middle = (number(x) for x in (1, 2, 4, 7.5, 3.75))
    zero, select = number(0), bits.select()

    def normal_cdf(x: Any) -> Any:
        a = abs(x)
        z = select(a > end, end, a) * root
        tail = series(one - scale / (z + middle)) / (z * four + two) * exp(-(z * z))
        return select(x < zero, tail, one - tail)

    return normal_cdf


def _logaddexp(kind: Kind, exp: Any, log1p: Any) -> Any:
    """ln(e^x + e^y) = max + ln(1 + e^-|x - y|)."""
    select, ln2 = bits.select(), kind.number(math.log(2))

    def logaddexp(x: Any, y: Any) -> Any:
        larger = select(x > y, x, y)
        found = larger + log1p(exp(-abs(x - y)))
        return select(x == y, x + ln2, found)  # infinities as well

    return logaddexp


def _add_power(single: dict[str, Any], double: dict[str, Any], compiled: Any) -> None:
    """x^y in float32 = e^(y ln |x|) in float64, which has the digits that it takes."""
    exp, log, select = double["exp"], double["log"], bits.select()
    narrow, wide, nan = np.float32, np.float64, np.float32(math.nan)
    one, zero, half = np.float64(1), np.float64(0), np.float64(0.5)

    def power(x: Any, y: Any) -> Any:
        base, e = wide(x), wide(y)
        size = abs(base)
        found = select((size == one) & (e == e), one, exp(e * log(size)))
        whole = np.floor(e) == e
        odd = whole & (np.floor(e * half) != e * half)
        negative = (base < zero) | ((base == zero) & (one / base < zero))
        found = select(negative & odd, -found, found)
        found = select((e == zero) | (base == one), one, found)
        return select((base < zero) & (size < math.inf) & ~whole, nan, narrow(found))

    single["power"] = compiled(power)
