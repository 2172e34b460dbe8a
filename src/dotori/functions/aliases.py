"""The second and third names of functions: PyTorch's own, and NumPy's."""

from dotori.functions import (
    arithmetic,
    comparison,
    elementwise,
    join,
    shape,
    transcendental,
)

__all__ = [
    "absolute",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "concatenate",
    "degrees",
    "divide",
    "expand_dims",
    "fix",
    "greater",
    "greater_equal",
    "invert",
    "left_shift",
    "less",
    "less_equal",
    "mod",
    "moveaxis",
    "multiply",
    "negative",
    "not_equal",
    "power",
    "radians",
    "right_shift",
    "rint",
    "row_stack",
    "subtract",
    "swapdims",
    "true_divide",
]

# PyTorch's
absolute = elementwise.abs
arccos = transcendental.acos
arccosh = transcendental.acosh
arcsin = transcendental.asin
arcsinh = transcendental.asinh
arctan = transcendental.atan
arctan2 = transcendental.atan2
arctanh = transcendental.atanh
concatenate = join.cat
divide = elementwise.div
fix = elementwise.trunc
greater = comparison.gt
greater_equal = comparison.ge
less = comparison.lt
less_equal = comparison.le
moveaxis = shape.movedim
multiply = elementwise.mul
negative = elementwise.neg
not_equal = comparison.ne
row_stack = join.vstack
subtract = elementwise.sub
swapdims = shape.transpose
true_divide = elementwise.div

# NumPy's
degrees = arithmetic.rad2deg
expand_dims = shape.unsqueeze
invert = comparison.bitwise_not
left_shift = arithmetic.bitwise_left_shift
mod = elementwise.remainder
power = elementwise.pow
radians = arithmetic.deg2rad
right_shift = arithmetic.bitwise_right_shift
rint = elementwise.round
