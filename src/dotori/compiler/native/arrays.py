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

    return extending.intrinsic(view)


def _viewing(made: Any) -> Any:
    """What makes LLVM's code of a view of this type."""
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
    arrayobj: Any = need("numba.np.arrayobj", "fast", "compiled steps")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        table, slot, shape = args
        address = builder.load(cgutils.gep_inbounds(builder, table, slot))
        item = context.get_data_type(made.dtype)
        lengths = _lengths(context, builder, signature.args[2], shape)
        size = context.get_abi_sizeof(item)
        strides = [context.get_constant(_intp(), size)]
        for length in reversed(lengths[1:]):
            strides.insert(0, builder.mul(strides[0], length))
        array = context.make_array(made)(context, builder)
        arrayobj.populate_array(
            array,
            data=builder.inttoptr(address, item.as_pointer()),
            shape=lengths,
            strides=strides if lengths else [],
            itemsize=context.get_constant(_intp(), size),
            meminfo=None,
        )
        return array._getvalue()

    return codegen


def _lengths(context: Any, builder: Any, shape: Any, value: Any) -> list[Any]:
    """The lengths of the axes as LLVM's values, constants where they are known."""
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    if not isinstance(shape, types.BaseTuple):
        return [context.cast(builder, value, shape, types.intp)]
    parts = cgutils.unpack_tuple(builder, value, len(shape))
    return [
        context.cast(builder, part, kind, types.intp)
        for part, kind in zip(parts, shape, strict=True)
    ]


def _intp() -> Any:
    return need("numba", "fast", "compiled steps").types.intp
