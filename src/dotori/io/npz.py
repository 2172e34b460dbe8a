"""Read NumPy's .npz archives from anywhere: no pickle, no zip bomb, no surprise.

``numpy.load`` believes the sizes that an archive declares. Here everything that it
declares is added up and compared before anything is unpacked.
"""

from __future__ import annotations

import ast
import io
import math
import re
import stat
import zipfile
import zlib
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from dotori.errors import ArgumentError, FormatError
from dotori.io.atomic import FilePath
from dotori.io.foreign import describe
from dotori.io.source import open_regular

MAX_MEMBERS = 10_000
MAX_DIRECTORY_BYTES = 2**20
MAX_NPY_HEADER_BYTES = 4096
_CHUNK = 2**20

# Numbers, text and dates of a plain type: no 'O' (objects, which are pickles), no
# lists (structured types).
_DESCR = re.compile(
    r"[<>|=]?(?:[biufcSUV?][0-9]{0,9}|[mM]8(?:\[[0-9A-Za-z/]{1,12}\])?)"
)


def load_npz(path: FilePath, max_bytes: int = 2**31) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of an .npz archive.

    Parameters
    ----------
    path : str or PathLike
        A file as `numpy.savez` or `numpy.savez_compressed` write it.
    max_bytes : int, optional
        The most that all arrays together may take, unpacked: 2 GiB.

    Returns
    -------
    dict of str to ndarray
        New arrays in the machine's byte order, by the names given to `savez`.

    Raises
    ------
    FormatError
        If the file is no such archive, is damaged, holds Python objects, names with
        ``..``, links or archives, or would unpack to more than `max_bytes`. The
        number, names and sizes of its members are checked before anything is
        unpacked; objects are refused by their declared type and never unpickled.
    ArgumentError
        If `max_bytes` is negative.
    OSError
        If the file cannot be opened or read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "data.npz"
    >>> np.savez(path, x=np.arange(3))
    >>> load_npz(path)
    {'x': array([0, 1, 2])}
    """
    if max_bytes < 0:
        raise ArgumentError(f"max_bytes is a number of bytes, got {max_bytes}")
    with open_regular(path) as (file, size):
        head = file.read(512)
        if head[:2] != b"PK":
            reason = describe(head, size).replace("safetensors file", ".npz archive")
            raise FormatError(f"{path}: {reason}")
        try:
            return _read(file.fileno(), max_bytes)
        except FormatError as error:
            raise FormatError(f"{path}: {error}") from None
        # What zipfile and zlib raise for damaged archives; RuntimeError if encrypted.
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            ValueError,
            RuntimeError,
            OverflowError,
        ) as error:
            raise FormatError(f"{path}: the archive is damaged: {error}") from None


class _Guarded(io.BufferedReader):
    """A file that refuses what only hostile or damaged archives ask of it.

    That is above all the one large read that zipfile does, the table of contents:
    it builds an object for every member that is listed, a million of them if the file
    says so, before it can be asked how many there are.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = MAX_DIRECTORY_BYTES + 1 if size is None or size < 0 else size
        data = super().read(min(wanted, MAX_DIRECTORY_BYTES + 1))
        if len(data) > MAX_DIRECTORY_BYTES:
            raise FormatError(
                f"the archive's table of contents is larger than "
                f"{MAX_DIRECTORY_BYTES:,} bytes; an .npz has at most {MAX_MEMBERS:,} "
                f"members"
            )
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if whence == 0 and offset < 0:  # what a cut archive makes zipfile compute
            raise FormatError("the archive is damaged: its parts are not where it says")
        return super().seek(offset, whence)


def _read(descriptor: int, max_bytes: int) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {}
    with (
        _Guarded(io.FileIO(descriptor, closefd=False)) as guarded,
        zipfile.ZipFile(guarded) as archive,
    ):
        members = archive.infolist()
        _check_members(members, max_bytes)
        for member in members:
            with archive.open(member) as file:
                name = member.filename.removesuffix(".npy")
                arrays[name] = _read_npy(file, member.file_size, name)
    return arrays


def _check_members(members: list[zipfile.ZipInfo], max_bytes: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise FormatError(
            f"the archive has {len(members):,} members; dotori reads up to "
            f"{MAX_MEMBERS:,}"
        )
    seen: set[str] = set()
    for member in members:
        _check_member(member)
        if member.filename in seen:
            raise FormatError(f"the member {member.filename[:60]!r} is there twice")
        seen.add(member.filename)
    total = sum(member.file_size for member in members)
    if total > max_bytes:
        raise FormatError(
            f"the arrays take {total:,} bytes unpacked, more than the limit of "
            f"{max_bytes:,}; if you trust the file, give a larger max_bytes"
        )


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    shown = repr(name[:60])
    if not name.endswith(".npy"):
        raise FormatError(
            f"the member {shown} is not a .npy array; an .npz has no other"
        )
    if "\\" in name or ":" in name or {"", ".", ".."} & set(name.split("/")):
        raise FormatError(f"the member {shown} points outside of the archive")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise FormatError(f"the member {shown} is a link, not an array")
    if member.flag_bits & 1:
        raise FormatError(f"the member {shown} is encrypted; unpack it first")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FormatError(
            f"the member {shown} is packed by method {member.compress_type}; NumPy "
            f"writes 0 (stored) and 8 (deflate)"
        )


def _read_npy(file: IO[bytes], size: int, name: str) -> npt.NDArray[Any]:
    """Read one .npy stream of `size` bytes; its header must account for them all."""
    place = f"array {name[:60]!r}"
    dtype, fortran, shape, header_size = _read_npy_header(file, place)
    count = math.prod(shape)
    if count * dtype.itemsize != size - header_size:
        raise FormatError(
            f"{place}: {dtype} of shape {shape} takes {count * dtype.itemsize:,} "
            f"bytes, the member has {size - header_size:,}"
        )
    flat = np.empty(count, dtype)
    octets = flat.view(np.uint8).data
    # With the last byte, zipfile compares the member's CRC-32.
    for start in range(0, len(octets), _CHUNK):
        part = octets[start : start + _CHUNK]
        chunk = file.read(len(part))
        if len(chunk) != len(part):
            raise FormatError(f"{place}: the archive holds less than it declares")
        part[:] = chunk
    array = flat.reshape(shape, order="F" if fortran else "C")
    native = dtype.newbyteorder("=")
    return array if dtype == native else array.astype(native)


def _read_npy_header(
    file: IO[bytes], place: str
) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """The type, order and shape of the array, and the bytes that said so.

    The format is described in NumPy's ``numpy.lib.format``: a magic string, a
    version, the length of a Python literal, and the literal.
    """
    magic = file.read(8)
    width = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}.get(magic)
    if width is None:
        raise FormatError(f"{place} is not a .npy array of version 1 or 2")
    length = int.from_bytes(file.read(width), "little")
    if length > MAX_NPY_HEADER_BYTES:
        raise FormatError(
            f"{place} has a header of {length:,} bytes, no array has that"
        )
    text = file.read(length).decode("latin-1")
    try:
        fields = ast.literal_eval(text)
        descr, fortran, shape = (
            fields.pop(key) for key in ("descr", "fortran_order", "shape")
        )
        extra = bool(fields)
    # literal_eval raises the last two for texts nested without end.
    except (ValueError, SyntaxError, AttributeError, KeyError, TypeError) as error:
        raise FormatError(f"{place} has a damaged header: {error}") from None
    except (RecursionError, MemoryError):
        raise FormatError(f"{place} has a hostile header") from None
    if extra or type(fortran) is not bool:
        raise FormatError(f"{place} has a damaged header: {text[:60]!r}")
    dtype = _dtype(descr, place)
    _check_shape(shape, dtype.itemsize, place)
    return dtype, fortran, shape, 8 + width + length


def _dtype(descr: object, place: str) -> np.dtype[Any]:
    if not isinstance(descr, str) or not _DESCR.fullmatch(descr):
        raise FormatError(
            f"{place} has dtype {str(descr)[:60]!r}; Python objects are pickles, which "
            f"dotori never loads, nor structured types: save numbers, text or dates"
        )
    try:
        dtype = np.dtype(descr)
    except (TypeError, ValueError):
        raise FormatError(f"{place} has the unknown dtype {descr!r}") from None
    if dtype.itemsize == 0:  # any number of items would take no bytes at all
        raise FormatError(f"{place} has dtype {descr!r} of no size")
    return dtype


def _check_shape(shape: object, itemsize: int, place: str) -> None:
    if (
        not isinstance(shape, tuple)
        or len(shape) > 64
        or any(type(length) is not int or length < 0 for length in shape)
        # NumPy computes strides as if an empty axis had length 1: that must fit too.
        or math.prod(max(length, 1) for length in shape) * itemsize >= 2**63
    ):
        raise FormatError(f"{place} has no sound shape: {str(shape)[:60]!r}")
