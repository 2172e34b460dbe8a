"""The innermost part of a product of matrices: a tile of the result in registers.

A tile of few rows and one or more vectors of columns is summed over k in registers, so
that each number that is loaded takes part in several multiplications (Goto and van de
Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34, 2008). Here
they are LLVM's instructions over its own vectors, which it fits to the processor.
"""

from __future__ import annotations

from typing import Any

from dotori.compiler.native import machine
from dotori.errors import need

#: A multiplication and an addition are one instruction, where the processor has it.
_FLAGS = ("contract",)


def lanes(bits: int) -> int:
    """How many numbers of this width a vector of the processor holds."""
    features = machine.processor()[1].split(",")
    width = 512 if "+avx512f" in features else 256 if "+avx" in features else 128
    return width // bits


def tile(rows: int, vectors: int, lanes: int) -> Any:
    """``tile(a, row, step, b, pitch, out, gap, k, add)`` for a tile of this size.

    out[r gap + c] (+)= sum over p of a[r row + p step] b[p pitch + c], for all r in
    range(rows) and c in range(vectors * lanes); added to what is there if `add`.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        a, row, step, b, pitch, out, gap, k, add = args
        kind = _vector(a.type.pointee, lanes)
        zero = [kind(None) for _ in range(rows * vectors)]

        def add_products(p: Any, sums: list[Any]) -> list[Any]:
            right = builder.gep(b, [builder.mul(p, pitch)])
            bs = [_load(builder, right, v * lanes, kind) for v in range(vectors)]
            left = builder.gep(a, [builder.mul(p, step)])
            made = []
            for r in range(rows):
                at = builder.gep(left, [builder.mul(row, row.type(r))])
                x = _spread(builder, builder.load(at), kind)
                for v in range(vectors):
                    product = builder.fmul(x, bs[v], flags=_FLAGS)
                    before = sums[r * vectors + v]
                    made.append(builder.fadd(before, product, flags=_FLAGS))
            return made

        sums = _loop(builder, k.type(0), k, 1, zero, add_products)
        for r in range(rows):
            at = builder.gep(out, [builder.mul(gap, gap.type(r))])
            for v in range(vectors):
                _put(builder, at, v * lanes, sums[r * vectors + v], add)
        return context.get_dummy_value()

    return _intrinsic(codegen, "pii pi pi i b".replace(" ", ""))


def dots(count: int, lanes: int) -> Any:
    """``dots(a, b, pitch, out, k, add)``: products of one vector with several.

    out[c] (+)= sum over p of a[p] b[c pitch + p], for all c in range(count).
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        a, b, pitch, out, k, add = args
        number = a.type.pointee
        rows = [builder.gep(b, [builder.mul(pitch, k.type(c))]) for c in range(count)]
        totals = [number(0.0)] * count
        start = k.type(0)
        for width in dict.fromkeys((2 * lanes, min(lanes, 4), 1)):
            kind = _vector(number, width)

            def add_products(p: Any, sums: list[Any], kind: Any = kind) -> list[Any]:
                x = _load(builder, a, p, kind)
                made = []
                for total, b_row in zip(sums, rows, strict=True):
                    product = builder.fmul(
                        x, _load(builder, b_row, p, kind), flags=_FLAGS
                    )
                    made.append(builder.fadd(total, product, flags=_FLAGS))
                return made

            stop = builder.and_(k, k.type(-width))
            zero = [kind(None)] * count
            sums = _loop(builder, start, stop, width, zero, add_products)
            parts = [_sum(builder, s, width) for s in sums]
            totals = [builder.fadd(t, s) for t, s in zip(totals, parts, strict=True)]
            start = stop
        for c in range(count):
            _put(builder, out, c, totals[c], add)
        return context.get_dummy_value()

    return _intrinsic(codegen, "ppipib")


def turn() -> Any:
    """``turn(x, pitch, to, to_pitch)``: the transpose of four rows by four columns."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, pitch, to, to_pitch = args
        kind = _vector(x.type.pointee, 4)
        rows = []
        for i in range(4):
            at = builder.gep(x, [builder.mul(pitch, pitch.type(i))])
            rows.append(_load(builder, at, 0, kind))
        # pairs of rows side by side, then pairs of these
        low, high, near, far = (0, 4, 1, 5), (2, 6, 3, 7), (0, 1, 4, 5), (2, 3, 6, 7)
        columns = []
        for half in (low, high):
            first = _shuffled(builder, rows[0], rows[1], half)
            second = _shuffled(builder, rows[2], rows[3], half)
            columns += [_shuffled(builder, first, second, w) for w in (near, far)]
        for j, column in enumerate(columns):
            at = builder.gep(to, [builder.mul(to_pitch, to_pitch.type(j))])
            place = _vector_pointer(builder, at, 0, kind)
            builder.store(column, place, align=_size(x.type.pointee))
        return context.get_dummy_value()

    return _intrinsic(codegen, "pipi")


def _shuffled(builder: Any, a: Any, b: Any, places: tuple[int, ...]) -> Any:
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), list(places))
    return builder.shuffle_vector(a, b, mask)


def pointer(bits: int) -> Any:
    """``pointer(address)``: to numbers of this width."""
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    made = types.CPointer(types.float32 if bits == 32 else types.float64)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(made))

    def intrinsic(typingctx: Any, address: Any) -> Any:
        return made(types.int64), codegen

    return extending.intrinsic(intrinsic)


def pointers() -> dict[str, Any]:
    """``at(pointer, offset)`` and ``scratch(pointer)``.

    `scratch` is memory of `SCRATCH` numbers on the stack, of the type of the pointer.
    """
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")

    def at(typingctx: Any, pointer: Any, offset: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.gep(args[0], [args[1]])

        return pointer(pointer, types.int64), codegen

    def scratch(typingctx: Any, like: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            item = args[0].type.pointee
            return cgutils.alloca_once(builder, item, size=SCRATCH)

        return like(like), codegen

    return {f.__name__: extending.intrinsic(f) for f in (at, scratch)}


#: Numbers of a scratch memory: 32 KiB of float64, the first cache of most processors.
SCRATCH = 4096


def _vector(number: Any, lanes: int) -> Any:
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    return number if lanes == 1 else ir.VectorType(number, lanes)


def _load(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    """A vector from memory at any multiple of a number's size."""
    number = base.type.pointee
    at = _vector_pointer(builder, base, offset, kind)
    return builder.load(at, align=_size(number))


def _vector_pointer(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    place = ir.IntType(64)(offset) if isinstance(offset, int) else offset
    return builder.bitcast(builder.gep(base, [place]), kind.as_pointer())


def _size(number: Any) -> int:
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    return 8 if isinstance(number, ir.DoubleType) else 4


def _spread(builder: Any, x: Any, kind: Any) -> Any:
    """A vector that holds x everywhere."""
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    if kind == x.type:
        return x
    nowhere = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(nowhere, x, ir.IntType(32)(0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), None)
    return builder.shuffle_vector(first, nowhere, mask)


def _put(builder: Any, base: Any, offset: int, x: Any, add: Any) -> None:
    """Store x, plus what is there if `add`."""
    at = _vector_pointer(builder, base, offset, x.type)
    size = _size(base.type.pointee)
    with builder.if_else(add) as (adding, storing):
        with adding:
            total = builder.fadd(builder.load(at, align=size), x)
            builder.store(total, at, align=size)
        with storing:
            builder.store(x, at, align=size)


def _sum(builder: Any, x: Any, lanes: int) -> Any:
    """The sum of a vector's numbers, in halves."""
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")
    if lanes == 1:
        return x
    name = f"llvm.vector.reduce.fadd.v{lanes}f{_size(x.type.element) * 8}"
    number = x.type.element
    kind = ir.FunctionType(number, [number, x.type])
    cgutils: Any = need("numba.core.cgutils", "fast", "compiled steps")
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, [number(-0.0), x], fastmath=("reassoc",))


def _loop(
    builder: Any, start: Any, stop: Any, step: int, values: list[Any], body: Any
) -> list[Any]:
    """``for p in range(start, stop, step): values = body(p, values)``."""
    before = builder.block
    head = builder.append_basic_block("head")
    inside = builder.append_basic_block("body")
    after = builder.append_basic_block("after")
    builder.branch(head)
    builder.position_at_end(head)
    p = builder.phi(start.type)
    now = [builder.phi(x.type) for x in values]
    builder.cbranch(builder.icmp_signed("<", p, stop), inside, after)
    builder.position_at_end(inside)
    new = body(p, now)
    following = builder.add(p, start.type(step), flags=("nsw",))
    builder.branch(head)
    for phi, first, next_one in zip(
        (p, *now), (start, *values), (following, *new), strict=True
    ):
        phi.add_incoming(first, before)
        phi.add_incoming(next_one, builder.block)
    builder.position_at_end(after)
    return now


def _intrinsic(codegen: Any, takes: str) -> Any:
    """The intrinsic with arguments p, a pointer, i, an int64, or b, a truth value."""
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types

    def signature(pointer: Any) -> Any:
        kinds = {"p": pointer, "i": types.int64, "b": types.boolean}
        return types.void(*(kinds[letter] for letter in takes))

    def four(typingctx: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        return signature(a), codegen

    def six(typingctx: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
        return signature(a), codegen

    def nine(
        typingctx: Any,
        a: Any,
        b: Any,
        c: Any,
        d: Any,
        e: Any,
        f: Any,
        g: Any,
        h: Any,
        i: Any,
    ) -> Any:
        return signature(a), codegen

    by_count: dict[int, Any] = {4: four, 6: six, 9: nine}
    return extending.intrinsic(by_count[len(takes)])
