"""IDX files: the arrays that MNIST and the data sets after its model come in.

A file is four bytes, of which the third names the type and the fourth the number of
axes; then the length of each axis and the elements, most significant byte first. The
format is described on the page of the MNIST database (LeCun, Cortes and Burges 1998).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dotori.errors import DataError, FormatError
from dotori.io.source import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dotori.data.files import Path

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 8
_PIECE = 1 << 20


def read_idx(path: Path, *, limit: int = 1 << 31) -> NDArray[Any]:
    """Read an IDX file, compressed by gzip or not.

    Parameters
    ----------
    path : str or PathLike
    limit : int, default 2**31
        The most bytes that the array may take.

    Returns
    -------
    array
        Of the file's shape and type, in the machine's byte order.

    Raises
    ------
    DataError
        If the file is missing, or may not be read.
    FormatError
        If it is truncated, damaged, too large, or no IDX file. Memory is taken as bytes
        arrive: a short file that announces a large array takes none for it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "labels-idx1-ubyte"
    >>> _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9]))
    >>> read_idx(file)
    array([7, 0, 9], dtype=uint8)
    """
    with open_unpacked(path) as file:
        try:
            return _read(file, limit)
        except FormatError as error:
            raise FormatError(f"{str(path)!r}: {error}") from None


@contextmanager
def open_unpacked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for its bytes, without gzip's compression where there is one."""
    try:
        with open_regular(path) as (file, _):
            unpacked: Any = file
            if file.peek(2)[:2] == b"\x1f\x8b":
                unpacked = gzip.GzipFile(fileobj=file)
            yield unpacked
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(
            f"{str(path)!r} is damaged or truncated ({error}); get the file again"
        ) from error
    except OSError as error:
        raise DataError(
            f"{str(path)!r} cannot be read: {error.strerror or error}"
        ) from error


def _read(file: IO[bytes], limit: int) -> NDArray[Any]:
    dtype, shape = _read_header(file)
    size = math.prod(shape) * dtype.itemsize
    if size > limit:
        raise FormatError(
            f"the header announces an array of shape {shape} and {size} bytes, of "
            f"which {limit} are allowed; raise limit= if the file is to be trusted"
        )
    data = _read_exactly(file, size, "elements")
    if file.read(1):
        raise FormatError(f"there are bytes after the {size} of an array of {shape}")
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_header(file: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = _read_exactly(file, 4, "the first four bytes")
    if magic[:2] != b"\0\0" or magic[2] not in _TYPES:
        raise FormatError(
            f"not an IDX file: it begins with {bytes(magic).hex(' ')}, where 00 00 and "
            f"one of {', '.join(f'{code:02x}' for code in _TYPES)} were wanted"
        )
    axes = magic[3]
    if not 1 <= axes <= _MOST_AXES:
        raise FormatError(f"it has {axes} axes, where 1 to {_MOST_AXES} were wanted")
    lengths = _read_exactly(file, 4 * axes, "the lengths of the axes")
    return np.dtype(_TYPES[magic[2]]), struct.unpack(f">{axes}I", lengths)


def _read_exactly(file: IO[bytes], count: int, what: str) -> bytearray:
    """`count` bytes; a file that ends early has taken no more memory than it has."""
    data = bytearray()
    while len(data) < count:
        piece = file.read(min(_PIECE, count - len(data)))
        if not piece:
            raise FormatError(
                f"the file ends after {len(data)} of {count} bytes of {what}; get it "
                "again"
            )
        data += piece
    return data
