"""Dropout's masks in compiled code: Philox as NumPy runs it, bit for bit.

`dotori.random.Generator.keep_mask` is the definition. Here the same words come from the
same key and counter, inside of a step: ``keep_mask(state, p, out)``, where `state` is
the array of `read_state`. Python reads the state before a call of one or many steps,
and writes it back after (`write_state`), so that the generator's stream goes on as if
it had drawn the masks itself.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.errors import need
from dotori.random import Generator

#: The words of a state: key, counter, the four numbers of the last block, and how many
#: of these are used up.
KEY, COUNTER, BUFFER, USED, WORDS = 0, 2, 6, 10, 11

State = NDArray[np.uint64]


def read_state(generator: Generator) -> State:
    """Where a generator's stream stands, as compiled code moves it on.

    Examples
    --------
    >>> state = read_state(Generator(7))
    >>> state.shape, int(state[USED])
    ((11,), 4)
    """
    about: Any = generator.mark()
    state = np.empty(WORDS, np.uint64)
    state[KEY:COUNTER] = about["state"]["key"]
    state[COUNTER:BUFFER] = about["state"]["counter"]
    state[BUFFER:USED] = about["buffer"]
    state[USED] = about["buffer_pos"]
    return state


def write_state(generator: Generator, state: State) -> None:
    """Let a generator go on from a state that was read from it."""
    about: Any = generator.mark()
    about["state"]["counter"] = state[COUNTER:BUFFER].copy()
    about["buffer"] = state[BUFFER:USED].copy()
    about["buffer_pos"] = int(state[USED])
    generator.rewind(about)


def functions(compiled: Any) -> dict[str, Any]:
    """``keep_mask(state, p, out)``, compiled by this decorator of Numba's.

    `out` is contiguous, one-dimensional, of bool or uint8; 1 stands for True.
    """
    refill = compiled(_refill(_multiply_high()))
    draw = compiled(_draw(refill))
    bytes_of = compiled(_bytes_of(refill, draw))
    break_ties = compiled(_break_ties(draw))
    return {"keep_mask": compiled(_keep_mask(bytes_of, draw, break_ties))}


def usable() -> bool:
    """Whether the bytes of a word stand in memory as the definition reads them."""
    return sys.byteorder == "little"


def _refill(high: Any) -> Any:
    """The next block of four numbers: the counter, encrypted."""
    one, m0, m1 = map(np.uint64, (1, 0xD2E7470EE14C6C93, 0xCA5A826395121157))
    w0, w1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)

    def refill(state: Any) -> None:
        for i in range(COUNTER, COUNTER + 4):
            state[i] += one
            if state[i]:
                break
        k0, k1 = state[KEY], state[KEY + 1]
        c0, c1, c2, c3 = state[2], state[3], state[4], state[5]
        for _ in range(10):
            h0, l0, h1, l1 = high(m0, c0), m0 * c0, high(m1, c2), m1 * c2
            c0, c1, c2, c3 = h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0
            k0, k1 = k0 + w0, k1 + w1
        state[6], state[7], state[8], state[9] = c0, c1, c2, c3

    return refill


def _draw(refill: Any) -> Any:
    """The next number of the stream."""
    four, one = np.uint64(4), np.uint64(1)

    def draw(state: Any) -> Any:
        if state[USED] == four:
            refill(state)
            state[USED] = 0
        found = state[BUFFER + np.int64(state[USED])]
        state[USED] += one
        return found

    return draw


def _bytes_of(refill: Any, draw: Any) -> Any:
    """Fill `words` with numbers: what is left of a block, whole blocks, the rest."""
    four = np.uint64(4)

    def bytes_of(state: Any, words: Any) -> None:
        i = 0
        while i < words.size and state[USED] != four:
            words[i] = draw(state)
            i += 1
        while i + 4 <= words.size:
            refill(state)
            for j in range(4):
                words[i + j] = state[BUFFER + j]
            i += 4
        while i < words.size:
            words[i] = draw(state)
            i += 1

    return bytes_of


def _break_ties(draw: Any) -> Any:
    """Make each byte that equals `whole` the one for True or for False.

    32 bits decide, of which each number of the stream gives two. Eight bytes are looked
    at together: one of them is zero if (x - 1..1) & ~x & 8..8 is not.
    """
    ones, tops = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)

    def break_ties(
        state: Any, data: Any, words: Any, whole: int, rest: Any, yes: int, no: int
    ) -> None:
        pattern, zero = ones * np.uint64(whole), np.uint64(0)
        spare, number = False, zero
        for i in range(words.size + 1):
            first, last = i * 8, i * 8 + 8
            if i == words.size:
                last = data.size
            else:
                x = words[i] ^ pattern
                if (x - ones) & ~x & tops == zero:
                    continue
            for j in range(first, last):
                if data[j] == whole:
                    if spare:
                        number = number >> half
                    else:
                        number = draw(state)
                    spare = not spare
                    data[j] = yes if number & low >= rest else no

    return break_ties


def _keep_mask(bytes_of: Any, draw: Any, break_ties: Any) -> Any:
    def keep_mask(state: Any, p: float, out: Any) -> None:
        data = out.view(np.uint8)
        whole = int(p * 256)
        rest = np.uint64((p * 256 - whole) * 4294967296.0)
        if whole >= 256:
            data[:] = 0
            return
        even = data.size // 8 * 8
        words = data[:even].view(np.uint64)
        bytes_of(state, words)
        if even < data.size:
            tail = draw(state)
            for j in range(even, data.size):
                data[j] = np.uint8(tail & np.uint64(255))
                tail = tail >> np.uint64(8)
        least = whole
        if rest:
            # the byte of a tie becomes the next one, above or below, that decides
            least = min(whole + 1, 255)
            break_ties(state, data, words, whole, rest, least, least - 1)
        for j in range(data.size):
            data[j] = data[j] >= least

    return keep_mask


def _multiply_high() -> Any:
    """The upper half of a product of two numbers of 64 bits."""
    extending: Any = need("numba.extending", "fast", "compiled steps")
    types: Any = need("numba", "fast", "compiled steps").types
    ir: Any = need("llvmlite.ir", "fast", "compiled steps")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(x, wide) for x in args))
        return builder.trunc(builder.lshr(product, wide(64)), args[0].type)

    def high(typingctx: Any, a: Any, b: Any) -> Any:
        return types.uint64(types.uint64, types.uint64), codegen

    return extending.intrinsic(high)
