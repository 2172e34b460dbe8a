"""The header of a safetensors file, read with suspicion.

A safetensors file is ``n`` (8 bytes, little-endian), a JSON object of ``n`` bytes,
and the arrays' bytes. The object maps each array's name to its entry,

    {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},

and ``"__metadata__"`` to strings. The grammar is that small, so it is read here
token by token: `json.loads` would build whatever a hostile file asks for (a hundred
million empty lists, say) before anybody could say no. The first defect ends it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dotori.errors import FormatError

MAX_HEADER_BYTES = 100_000_000  # the format's own limit
MAX_UNICODE_HEADER_BYTES = 1 << 24  # one emoji makes a Python string 4 times as large
MAX_ENTRIES = 1 << 15  # a hostile header is then refused within a second
MAX_DIMENSIONS = 64  # NumPy's own limit

# BF16, the upper half of a float32, has no NumPy type: its bits are read as uint16.
DTYPES: dict[str, npt.DTypeLike] = {
    "BOOL": np.dtype("?"),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
    "C64": np.dtype("<c8"),
}

_SPACE = re.compile(r"[ \t\n\r]*")
_TOKENS = {mark: re.compile(_SPACE.pattern + re.escape(mark)) for mark in '{}[]:,"'}
# At most 19 digits: what follows a longer number is a digit, and no match.
_INTEGER = re.compile(_SPACE.pattern + r"(0|[1-9][0-9]{0,18})(?![0-9.eE])")
_STRING = json.JSONDecoder(strict=True)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the header says of one array; offsets count from the header's end."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def parse_header(header: bytes, data_size: int) -> tuple[list[Entry], dict[str, str]]:
    """Read and check the JSON header of a file with `data_size` bytes of data.

    Returns
    -------
    entries : list of Entry
        In the order of the header. Their byte ranges cover the data exactly: no
        overlap, no hole, nothing before, between or after them.
    metadata : dict of str to str

    Raises
    ------
    FormatError
        At the first defect, which it names. Nothing was allocated for the data.

    Examples
    --------
    >>> parse_header(b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8)
    ([Entry(name='w', dtype='F32', shape=(2,), begin=0, end=8)], {})
    >>> parse_header(b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 9)
    Traceback (most recent call last):
        ...
    dotori.errors.FormatError: 1 bytes follow the last array; no array owns them
    """
    text = _decode(header)
    scanner = _Scanner(text)
    entries: list[Entry] = []
    metadata: dict[str, str] = {}
    for name in scanner.members("the header"):
        if name == "__metadata__":
            for key in scanner.members("__metadata__"):
                metadata[key] = scanner.string(f"__metadata__[{_short(key)}]")
        else:
            entries.append(_entry(scanner, name))
    scanner.end()
    _check_cover(entries, data_size)
    return entries, metadata


def _decode(header: bytes) -> str:
    if len(header) > MAX_UNICODE_HEADER_BYTES and not header.isascii():
        raise FormatError(
            f"the header has {len(header):,} bytes and is not plain ASCII; dotori "
            f"reads such headers up to {MAX_UNICODE_HEADER_BYTES:,} bytes"
        )
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"the header is not valid UTF-8 at byte {error.start}"
        ) from None


class _Scanner:
    """Takes the tokens of the header one after the other, or says what is wrong."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, mark: str) -> bool:
        """Step over white space and `mark`, if that is what comes next."""
        match = _TOKENS[mark].match(self.text, self.at)
        if match is None:
            return False
        self.at = match.end()
        return True

    def want(self, mark: str, place: str) -> None:
        if not self.take(mark):
            raise self.unexpected(f"{mark!r}", place)

    def string(self, place: str) -> str:
        if not self.take('"'):
            raise self.unexpected("a string", place)
        try:
            value, self.at = _STRING.raw_decode(self.text, self.at - 1)
        except ValueError as error:
            raise FormatError(
                f"{place} has a string that is not valid JSON: {error}"
            ) from None
        text = str(value)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise FormatError(
                    f"{place} has a string with half of a surrogate pair"
                ) from None
        return text

    def integers(self, place: str, at_most: int) -> tuple[int, ...]:
        """A list of non-negative integers: no bool, no float, no overflow."""
        self.want("[", place)
        numbers: list[int] = []
        while not self.take("]"):
            if numbers:
                self.want(",", place)
            if len(numbers) == at_most:
                raise FormatError(f"{place} has more than {at_most} numbers")
            match = _INTEGER.match(self.text, self.at)
            if match is None or int(match[1]) >= 2**63:
                raise self.unexpected("an integer from 0 to 2**63 - 1", place)
            self.at = match.end()
            numbers.append(int(match[1]))
        return tuple(numbers)

    def members(self, place: str) -> Iterator[str]:
        """Yield each key of an object; the caller takes the value that follows."""
        self.want("{", place)
        seen: set[str] = set()
        while not self.take("}"):
            if seen:
                self.want(",", place)
            key = self.string(place)
            if key in seen:
                raise FormatError(f"{place} has the key {_short(key)} twice")
            if len(seen) == MAX_ENTRIES:
                raise FormatError(f"{place} has more than {MAX_ENTRIES:,} keys")
            seen.add(key)
            self.want(":", place)
            yield key

    def end(self) -> None:
        match = _SPACE.match(self.text, self.at)
        if match is None or match.end() != len(self.text):
            raise self.unexpected("the end", "the header")

    def unexpected(self, wanted: str, place: str) -> FormatError:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        found = self.text[self.at : self.at + 12]
        return FormatError(
            f"{place}: {wanted} was wanted at character {self.at} of the header, "
            f"found {found!r}"
            if found
            else f"{place}: {wanted} was wanted, but the header ends there"
        )


def _entry(scanner: _Scanner, name: str) -> Entry:
    place = f"array {_short(name)}"
    dtype: str | None = None
    shape: tuple[int, ...] | None = None
    offsets: tuple[int, ...] = ()
    for key in scanner.members(place):
        if key == "dtype":
            dtype = scanner.string(place)
        elif key == "shape":
            shape = scanner.integers(f"{place}, shape", MAX_DIMENSIONS)
        elif key == "data_offsets":
            offsets = scanner.integers(f"{place}, data_offsets", 2)
        else:
            raise FormatError(
                f"{place} has the unknown field {_short(key)}; the fields are dtype, "
                f"shape and data_offsets"
            )
    if dtype is None or shape is None or len(offsets) != 2:
        raise FormatError(f"{place} needs a dtype, a shape and two data_offsets")
    entry = Entry(name, dtype, shape, *offsets)
    _check_size(entry, place)
    return entry


def _check_size(entry: Entry, place: str) -> None:
    if entry.dtype not in DTYPES:
        raise FormatError(
            f"{place} has dtype {_short(entry.dtype)}, which NumPy cannot hold; dotori "
            f"reads {', '.join(DTYPES)}: convert it with the program that wrote it"
        )
    itemsize = np.dtype(DTYPES[entry.dtype]).itemsize
    # NumPy computes strides as if an empty axis had length 1, so that must fit too.
    if math.prod(max(length, 1) for length in entry.shape) * itemsize >= 2**63:
        raise FormatError(f"{place}: shape {entry.shape} is larger than any memory")
    if entry.end < entry.begin:
        raise FormatError(
            f"{place}: data_offsets [{entry.begin}, {entry.end}] run backwards"
        )
    wanted = math.prod(entry.shape) * itemsize
    if entry.end - entry.begin != wanted:
        raise FormatError(
            f"{place}: {entry.dtype} of shape {entry.shape} takes {wanted} bytes, its "
            f"data_offsets hold {entry.end - entry.begin}"
        )


def _check_cover(entries: list[Entry], data_size: int) -> None:
    """The byte ranges, in order, must tile the data exactly."""
    position = 0
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != position:
            defect = "overlaps another" if entry.begin < position else "leaves a hole"
            raise FormatError(
                f"array {_short(entry.name)} {defect}: it begins at byte "
                f"{entry.begin} of the data, {position} was expected"
            )
        position = entry.end
    if position > data_size:
        raise FormatError(
            f"the file is cut off: its arrays need {position} bytes of data, "
            f"{data_size} are there"
        )
    if position < data_size:
        raise FormatError(
            f"{data_size - position} bytes follow the last array; no array owns them"
        )


def _short(text: str) -> str:
    """A name for a message: quoted, and never a page long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
