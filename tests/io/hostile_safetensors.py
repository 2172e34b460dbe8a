"""Crafted safetensors files: each one is a defect that some reader once let through.

`CASES` maps a name to (bytes, pattern). The pattern is what the error must say; None
marks a file that is odd but sound and has to load. Large files are made when asked for
(`content`).
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable

FLOATS = bytes(range(8))  # two float32


def with_header(header: str | bytes, data: bytes = b"") -> bytes:
    encoded = header.encode() if isinstance(header, str) else header
    return len(encoded).to_bytes(8, "little") + encoded + data


def entry(shape: str = "[2]", offsets: str = "[0,8]", dtype: str = '"F32"') -> str:
    return f'{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}}}'


def one(shape: str = "[2]", offsets: str = "[0,8]", dtype: str = '"F32"') -> bytes:
    """A file with the array "w" of two float32, unless told otherwise."""
    return with_header(f'{{"w":{entry(shape, offsets, dtype)}}}', FLOATS)


def two(first: str, second: str, size: int) -> bytes:
    header = f'{{"a":{entry(offsets=first)},"b":{entry(offsets=second)}}}'
    return with_header(header, bytes(size))


def metadata(text: str) -> bytes:
    return with_header(f'{{"__metadata__":{text},"w":{entry()}}}', FLOATS)


def many(count: int) -> bytes:
    value = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return with_header(json.dumps({str(index): value for index in range(count)}))


def zip_archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps([1]))
    return buffer.getvalue()


Case = tuple[bytes | Callable[[], bytes], str | None]

LENGTHS: dict[str, Case] = {
    "empty file": (b"", "empty"),
    "seven bytes": (b"\x02" + bytes(6), "7 bytes only"),
    "header of length 0": (bytes(8) + FLOATS, "does not start with"),
    "header of length 1": (b"\x01" + bytes(7) + b"{}", "does not start with"),
    "header longer than the file": ((99).to_bytes(8, "little") + b"{}", "2 are there"),
    "header one byte too long": ((3).to_bytes(8, "little") + b"{}", "cut off"),
    "header longer, its length a pickle's": (b"\x80\x02" + bytes(6) + b"{}", "cut off"),
    "header of 2**63 bytes": ((2**63).to_bytes(8, "little") + b"{}", "not start with"),
    "header of 2**64 - 1 bytes": (b"\xff" * 8 + b"{}", "does not start with"),
    "header over 100 MB, in two bytes": (
        (10**8 + 1).to_bytes(8, "little") + b"{}",
        "100,000,001 bytes; safetensors allows 100,000,000",
    ),
    "header over 100 MB": (
        lambda: with_header(b"{" + b" " * 10**8),
        "100,000,000",
    ),
    "large header, not ASCII": (
        lambda: with_header('{"é"'.encode() + b" " * 2**24),
        "not plain ASCII",
    ),
}

JSON: dict[str, Case] = {
    "not UTF-8": (with_header(b'{"\xff":' + entry().encode() + b"}", FLOATS), "UTF-8"),
    "UTF-16": (with_header("{}".encode("utf-16-le")), "UTF-8|wanted at character"),
    "surrogate as UTF-8": (with_header(b'{"\xed\xa0\x80":1}'), "UTF-8"),
    "half a surrogate": (
        with_header(f'{{"\\ud800":{entry()}}}', FLOATS),
        "surrogate",
    ),
    "a list": (with_header("[1]"), "does not start with"),
    "a string": (with_header('"ab"'), "does not start with"),
    "space before the object": (with_header(" {}"), "does not start with"),
    "text after the object": (with_header("{}x"), "the end was wanted"),
    "a second object": (with_header("{}{}"), "the end was wanted"),
    "NUL as padding": (with_header(b"{}\x00\x00"), "the end was wanted"),
    "trailing comma": (with_header(f'{{"w":{entry()},}}', FLOATS), "a string was"),
    "single quotes": (with_header("{'w':1}"), "a string was wanted"),
    "comment": (with_header('{/**/"w":1}'), "a string was wanted"),
    "no colon": (with_header('{"w" 1}'), "':' was wanted"),
    "unterminated": (with_header(f'{{"w":{entry()}', FLOATS), "header ends"),
    "unterminated string": (with_header('{"w'), "not valid JSON"),
    "bad escape": (with_header(r'{"\x41":1}'), "not valid JSON"),
    "raw control character": (with_header(b'{"a\nb":1}'), "not valid JSON"),
    "100,000 entries": (lambda: many(100_000), "more than 32,768"),
    "10,000 lists, nested": (with_header('{"w":' + "[" * 10_000), "was wanted"),
    "10,000 objects, nested": (with_header('{"w":' * 10_000), "unknown field"),
    "a million lists": (
        lambda: with_header('{"w":[' + "[]," * 10**6 + "[]]}"),
        "was wanted",
    ),
    "a key twice": (
        with_header(f'{{"w":{entry()},"w":{entry()}}}', FLOATS),
        "'w' twice",
    ),
    "a key twice, once escaped": (
        with_header(f'{{"w":{entry()},"\\u0077":{entry()}}}', FLOATS),
        "'w' twice",
    ),
    "a field twice": (
        with_header('{"w":{"dtype":"F32","dtype":"F32"}}', FLOATS),
        "'dtype' twice",
    ),
    "metadata twice": (
        with_header('{"__metadata__":{},"__metadata__":{}}'),
        "twice",
    ),
}

OFFSETS: dict[str, Case] = {
    "negative": (one(offsets="[-8,0]"), "found '-8"),
    "reversed": (one(offsets="[8,0]"), "backwards"),
    "beyond the end": (one("[3]", "[0,12]"), "cut off"),
    "far beyond the end": (one("[2]", "[9223372036854775799,9223372036854775807]"), ""),
    "2**64": (one(offsets="[0,18446744073709551624]"), "an integer from 0"),
    "a float": (one(offsets="[0,8.0]"), "found '8.0"),
    "an exponent": (one(offsets="[0,8e0]"), "found '8e0"),
    "a bool": (one(offsets="[false,8]"), "found 'false"),
    "a string": (one(offsets='["0",8]'), "an integer"),
    "only one": (one(offsets="[8]"), "two data_offsets"),
    "three": (one(offsets="[0,8,8]"), "more than 2"),
    "no list": (one(offsets="8"), r"'\[' was wanted"),
    "not the size of the shape": (one("[1]"), "takes 4 bytes"),
    "two arrays on the same bytes": (two("[0,8]", "[0,8]", 8), "overlaps"),
    "two arrays overlap by half": (two("[0,8]", "[4,12]", 12), "overlaps"),
    "hole between": (two("[0,8]", "[9,17]", 17), "hole"),
    "hole at the start": (one(offsets="[8,16]") + FLOATS, "hole"),
    "one byte after the data": (one() + b"\0", "1 bytes follow"),
    "a zip archive after the data": (one() + zip_archive(), "bytes follow"),
    "a pickle after the data": (one() + pickle.dumps([1]), "bytes follow"),
    "data without arrays": (with_header("{}", b"x"), "1 bytes follow"),
    "data cut off": (one()[:-1], "cut off"),
}

SHAPES: dict[str, Case] = {
    "product overflows to small": (
        one("[4194305,4194305,211106198978564]"),
        "larger than any memory",
    ),
    "empty, yet too large": (
        one("[0,4611686018427387904,4611686018427387904]", "[0,0]"),
        "larger than any memory",
    ),
    "empty, too large by its items": (
        one("[0,2305843009213693952]", "[0,0]", '"F64"'),
        "larger than any memory",
    ),
    "two negatives": (one("[-1,-2]"), "found '-1"),
    "a float": (one("[2.0]"), "found '2.0"),
    "a bool": (one("[2,true]"), "found 'true"),
    "10**30": (one(f"[{10**30}]"), "an integer from 0"),
    "2**63": (one(f"[{2**63}]"), "an integer from 0"),
    "5,000 digits": (one(f"[{'9' * 5000}]"), "an integer from 0"),
    "a leading zero": (one("[02]"), "an integer"),
    "a plus": (one("[+2]"), "an integer"),
    "null": (one("null"), r"'\[' was wanted"),
    "nested": (one("[[2]]"), "an integer"),
    "NaN": (one("[NaN]"), "found 'NaN"),
    "Infinity": (one("[Infinity]"), "found 'Infinity"),
    "65 axes": (one(json.dumps([2] + [1] * 64)), "more than 64"),
    "a million axes": (lambda: one(json.dumps([1] * 10**6)), "more than 64"),
}

FIELDS: dict[str, Case] = {
    "unknown dtype": (one(dtype='"F33"'), "'F33'"),
    "8-bit float": (one("[8]", dtype='"F8_E4M3"'), "NumPy cannot hold"),
    "object dtype": (one(dtype='"O"'), "NumPy cannot hold"),
    "dtype is a number": (one(dtype="32"), "a string was wanted"),
    "dtype is null": (one(dtype="null"), "a string was wanted"),
    "no dtype": (with_header('{"w":{"shape":[2],"data_offsets":[0,8]}}', FLOATS), ""),
    "no shape": (with_header('{"w":{"dtype":"F32","data_offsets":[0,8]}}', FLOATS), ""),
    "no offsets": (with_header('{"w":{"dtype":"F32","shape":[2]}}', FLOATS), "needs"),
    "unknown field": (
        with_header('{"w":{"strides":[1]}}', FLOATS),
        "unknown field 'strides'",
    ),
    "entry is a list": (with_header('{"w":[1]}', FLOATS), r"'\{' was wanted"),
    "entry is null": (with_header('{"w":null}', FLOATS), r"'\{' was wanted"),
    "entry is NaN": (with_header('{"w":NaN}', FLOATS), r"'\{' was wanted"),
    "metadata is a list": (metadata("[]"), r"'\{' was wanted"),
    "metadata is null": (metadata("null"), r"'\{' was wanted"),
    "metadata has a number": (metadata('{"a":1}'), "a string was wanted"),
    "metadata has NaN": (metadata('{"a":NaN}'), "a string was wanted"),
    "metadata has -Infinity": (metadata('{"a":-Infinity}'), "a string was wanted"),
    "metadata has null": (metadata('{"a":null}'), "a string was wanted"),
    "metadata has an object": (metadata('{"a":{"b":"c"}}'), "a string was wanted"),
    "metadata has a key twice": (metadata('{"a":"b","a":"c"}'), "'a' twice"),
    "one checksum key without the other": (
        metadata('{"dotori.checksums":"{}"}'),
        "does not match its checksum",
    ),
    "a wrong checksum of the header": (
        metadata('{"dotori.checksums":"{}","dotori.header":"0000000000000000"}'),
        "does not match its checksum",
    ),
}

SOUND: dict[str, Case] = {
    "no arrays": (with_header("{}"), None),
    "metadata only": (with_header('{"__metadata__":{"format":"pt"}}'), None),
    "misaligned data": (with_header(f'{{"w":{entry()}}} ', FLOATS), None),
    "white space everywhere": (
        with_header(f'{{ "w"\n:\t{entry("[ 2 ]", "[0 , 8]")}\r\n}}', FLOATS),
        None,
    ),
    "empty arrays share an offset": (
        with_header(
            f'{{"a":{entry("[0]", "[0,0]")},"b":{entry("[0,3]", "[0,0]")},'
            f'"w":{entry()},"c":{entry("[3,0]", "[8,8]")}}}',
            FLOATS,
        ),
        None,
    ),
    "not in the order of the data": (two("[8,16]", "[0,8]", 16), None),
    "a name that is empty": (with_header(f'{{"":{entry()}}}', FLOATS), None),
    "a name with escapes": (with_header(f'{{"\\u0077\\n":{entry()}}}', FLOATS), None),
    "a scalar": (with_header(f'{{"w":{entry("[]", "[0,4]")}}}', FLOATS[:4]), None),
    "64 axes": (one(json.dumps([2] + [1] * 63)), None),
}


def _all(**groups: dict[str, Case]) -> dict[str, Case]:
    return {
        f"{group}: {name}": c for group, g in groups.items() for name, c in g.items()
    }


CASES: dict[str, Case] = _all(
    lengths=LENGTHS,
    json=JSON,
    offsets=OFFSETS,
    shapes=SHAPES,
    fields=FIELDS,
    sound=SOUND,
)


def content(name: str) -> bytes:
    """The bytes of a case."""
    data = CASES[name][0]
    return data() if callable(data) else data
