"""What polynomials need of floating numbers' bits, as LLVM's own instructions.

Choices are `select`, never a branch, and shifts are of lanes that stay as wide as the
number: so loops over these functions become vectors.
"""

from __future__ import annotations

from typing import Any

from dotori.errors import need


def polynomial(coefficients: tuple[float, ...]) -> Any:
    """c0 + c1 x + c2 x^2 + ..., in the type of x, by Horner's rule."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (x,) = args
        flags = ("contract",)  # a multiplication and an addition are one, if they can
        total = x.type(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            product = builder.fmul(total, x, flags=flags)
            total = builder.fadd(product, x.type(c), flags=flags)
        return total

    return _intrinsic(codegen, 1)


def select() -> Any:
    """``select(condition, a, b)``: both are worked out, one is taken."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(*args)

    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types

    def intrinsic(typingctx: Any, condition: Any, a: Any, b: Any) -> Any:
        return a(types.boolean, a, a), codegen

    return extending.intrinsic(intrinsic)


def copysign() -> Any:
    """``copysign(x, y)``: x with the sign of y."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ir: Any = need("llvmlite.ir", "fast", "compiled steps")
        kind = args[0].type
        both = ir.FunctionType(kind, [kind, kind])
        function = builder.module.declare_intrinsic("llvm.copysign", [kind], both)
        return builder.call(function, args)

    return _intrinsic(codegen, 2)


def extreme(name: str) -> Any:
    """The larger (``maximum``) or smaller of two floats; a NaN if one of them is.

    As one instruction of LLVM's, a row's maximum becomes one of vectors.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ir: Any = need("llvmlite.ir", "fast", "compiled steps")
        kind = args[0].type
        both = ir.FunctionType(kind, [kind, kind])
        function = builder.module.declare_intrinsic(f"llvm.{name}", [kind], both)
        return builder.call(function, args)

    return _intrinsic(codegen, 2)


def two_to() -> Any:
    """``two_to(k + MAGIC)`` is 2^k, for k from -126 to 127, or -1022 to 1023.

    MAGIC is 1.5 times the number whose last bit is worth one. A sum with it holds k in
    its last bits; from there it is shifted to where an exponent stands.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole, places, bias = _layout(args[0])
        bits = builder.bitcast(args[0], whole)
        shifted = builder.shl(bits, whole(places))
        one = whole(bias << places)
        return builder.bitcast(builder.add(shifted, one), args[0].type)

    return _intrinsic(codegen, 1)


def exponent() -> Any:
    """``exponent(x)``: the e with x = 2^e m, sqrt(1/2) <= m < sqrt(2), as a float.

    `x` is positive, normal and finite; of others the result means nothing.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ir: Any = need("llvmlite.ir", "fast", "compiled steps")
        whole, _, _ = _layout(args[0])
        e = _exponent_bits(builder, args[0])
        if whole.width == 64:  # there are vector conversions of 32 bits everywhere
            e = builder.trunc(e, ir.IntType(32))
        return builder.sitofp(e, args[0].type)

    return _intrinsic(codegen, 1)


def mantissa() -> Any:
    """``mantissa(x)``: the m that belongs to `exponent`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole, places, _ = _layout(args[0])
        e = builder.shl(_exponent_bits(builder, args[0]), whole(places))
        bits = builder.sub(builder.bitcast(args[0], whole), e)
        return builder.bitcast(bits, args[0].type)

    return _intrinsic(codegen, 1)


def _exponent_bits(builder: Any, x: Any) -> Any:
    """The exponent as an integer: bits are in the order of positive numbers."""
    whole, places, _ = _layout(x)
    half = 0x3F3504F3 if whole.width == 32 else 0x3FE6A09E667F3BCD  # sqrt(1/2)
    above = builder.sub(builder.bitcast(x, whole), whole(half))
    return builder.ashr(above, whole(places))


def _layout(x: Any) -> tuple[Any, int, int]:
    """The integer as wide as x, the bits of its mantissa, its exponent's bias."""
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    if isinstance(x.type, ir.FloatType):
        return ir.IntType(32), 23, 127
    return ir.IntType(64), 52, 1023


def _intrinsic(codegen: Any, count: int) -> Any:
    """The intrinsic of one or two floats of a type, which gives one of that type."""
    extending: Any = need("numba.extending", "fast", "compiled steps")

    def one(typingctx: Any, x: Any) -> Any:
        return x(x), codegen

    def two(typingctx: Any, x: Any, y: Any) -> Any:
        return x(x, x), codegen

    return extending.intrinsic(one if count == 1 else two)
