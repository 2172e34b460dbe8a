"""Views of addresses for compiled code: ``a = float32(table, slot, (32, 13))``."""

from __future__ import annotations

from typing import Any

from dotori.errors import need

TYPES = (
    "float64 float32 int64 int32 int16 int8 uint64 uint32 uint16 uint8 boolean "
    "complex64 complex128".split()
)


def views() -> dict[str, Any]:
    """For each type of number, the function that makes a view: Numba's intrinsics.

    Each takes the table of addresses, the number of a slot, and the shape, a tuple or
    one int, which should be written out: then LLVM knows all strides. The view is
    C-contiguous.
    """
    types: Any = need("numba", "fast", "compiled steps").types
    return {name: _view(getattr(types, name)) for name in TYPES}


def _view(dtype: Any) -> Any:
    """The intrinsic for one type of number."""
    numba: Any = need("numba", "fast", "compiled steps")
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types = numba.types

    def view(typingctx: Any, table: Any, slot: Any, shape: Any) -> Any:
        ndim = len(shape) if isinstance(shape, types.BaseTuple) else 1
        made = types.Array(dtype, ndim, "C")
        return made(table, types.int64, shape), _viewing(made)

    return extending.intrinsic(prefer_literal=True)(view)


def _viewing(made: Any) -> Any:
    """What makes LLVM's code of a view of this type.

    Numba builds an array piece by piece on the stack, which takes LLVM long to undo in
    a step with hundreds of them. Here it is a constant but for the address.
    """
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        table, slot, shape = args
        address = builder.load(cgutils.gep_inbounds(builder, table, slot))
        item = context.get_data_type(made.dtype)
        lengths = _lengths(context, builder, signature.args[2], shape)
        size = context.get_abi_sizeof(item)
        strides: list[Any] = [size]
        for length in reversed(lengths[1:]):
            strides.insert(0, _times(builder, strides[0], length))
        nitems: Any = 1
        for length in lengths:
            nitems = _times(builder, nitems, length)
        array = ir.Constant(context.get_value_type(made), ir.Undefined)
        for name, value in (("nitems", nitems), ("itemsize", size)):
            value = _number(context, value)
            array = builder.insert_value(array, value, place(context, made, name))
        for name, values in (("shape", lengths), ("strides", strides[: len(lengths)])):
            for axis, value in enumerate(values):
                inner = [place(context, made, name), axis]
                array = builder.insert_value(array, _number(context, value), inner)
        for name in ("meminfo", "parent"):
            at = place(context, made, name)
            array = builder.insert_value(array, array.type.elements[at](None), at)
        data = builder.inttoptr(address, item.as_pointer())
        return builder.insert_value(array, data, place(context, made, "data"))

    return codegen


def place(context: Any, kind: Any, name: str) -> int:
    """Where a field of Numba's arrays stands."""
    found: int = context.data_model_manager[kind].get_field_position(name)
    return found


def _lengths(context: Any, builder: Any, shape: Any, value: Any) -> list[Any]:
    """The lengths of the axes: ints where they are written out, else LLVM's values."""
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    kinds, parts = [shape], [value]
    if isinstance(shape, types.BaseTuple):
        kinds, parts = list(shape), cgutils.unpack_tuple(builder, value, len(shape))
    return [
        kind.literal_value
        if isinstance(kind, types.IntegerLiteral)
        else context.cast(builder, part, kind, types.intp)
        for part, kind in zip(parts, kinds, strict=True)
    ]


def _times(builder: Any, a: Any, b: Any) -> Any:
    """The product of two lengths, as an int if both are known."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    whole = (b if isinstance(a, int) else a).type
    first, second = (whole(x) if isinstance(x, int) else x for x in (a, b))
    return builder.mul(first, second)


def _number(context: Any, value: Any) -> Any:
    types: Any = need("numba", "fast", "compiled steps").types
    return context.get_constant(types.intp, value) if isinstance(value, int) else value
