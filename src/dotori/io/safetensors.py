"""Read and write safetensors files: named arrays and some text, never code.

The names are those of ``safetensors.numpy`` and the files are exchanged with PyTorch
and every other reader of the format. Added to it are a strict check of everything
before memory is taken, a checksum for each array, and writes that are atomic.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Any

import numpy as np
import numpy.typing as npt

from dotori.errors import ArgumentError, DTypeError, FormatError
from dotori.io.atomic import FilePath, atomic_write
from dotori.io.checksum import (
    ARRAYS_KEY,
    HEADER_KEY,
    array_digest,
    checked_digests,
    header_digest,
)
from dotori.io.foreign import describe
from dotori.io.header import (
    DTYPES,
    MAX_ENTRIES,
    MAX_HEADER_BYTES,
    Entry,
    parse_header,
)
from dotori.io.source import open_regular

Array = npt.NDArray[Any]

_WRITABLE = frozenset(
    np.dtype(dtype).newbyteorder("=") for name, dtype in DTYPES.items()
)


def save_file(
    arrays: Mapping[str, Array],
    path: FilePath,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write named arrays to a safetensors file, atomically.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Of any shape and memory order; bool, integers, float16 to float64, complex64.
    path : str or PathLike
        The file to create or replace; see `atomic_write` for what is promised.
    metadata : mapping of str to str, optional
        Text to keep with the arrays. The checksums are added to it, or replaced, as
        ``dotori.checksums`` and ``dotori.header``.

    Raises
    ------
    DTypeError
        If a value is not an array, or of a type that the format does not have.
    ArgumentError
        If a name or the metadata cannot be stored.
    OSError
        If the file cannot be written. The old one, if any, is intact.

    Notes
    -----
    Equal arrays in the same order, and equal metadata, give equal bytes.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "w.safetensors"
    >>> save_file({"w": np.ones((2, 3))}, path, {"made": "by hand"})
    >>> load_file(path)["w"].shape
    (2, 3)
    """
    parts = _encode(arrays, metadata)
    with atomic_write(path) as file:
        for part in parts:
            file.write(part)


def save(
    arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None
) -> bytes:
    """What `save_file` would write, as bytes.

    Examples
    --------
    >>> load(save({"w": np.arange(3)}))
    {'w': array([0, 1, 2])}
    """
    return b"".join(_encode(arrays, metadata))


def load_file(path: FilePath) -> dict[str, Array]:
    """Read all arrays of a safetensors file.

    Parameters
    ----------
    path : str or PathLike
        A regular file, by dotori or any other program.

    Returns
    -------
    dict of str to ndarray
        New, writable arrays, in the order in which they were saved (of a file by
        another program, that of its header). BF16, which NumPy does not have, comes as
        the float32 of exactly the same value.

    Raises
    ------
    FormatError
        If the file is not wholly a sound safetensors file: cut off, damaged, hostile
        or of another kind. Found before memory is taken for the data, but for the
        checksum of an array, which is compared once the array is read.
    OSError
        If the file cannot be opened or read.
    """
    return load_with_metadata(path)[0]


def load_with_metadata(path: FilePath) -> tuple[dict[str, Array], dict[str, str]]:
    """Read a safetensors file: its arrays and its metadata, without the checksums.

    Raises as `load_file` does.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "w.safetensors"
    >>> save_file({"w": np.zeros(2)}, path, {"made": "by hand"})
    >>> load_with_metadata(path)
    ({'w': array([0., 0.])}, {'made': 'by hand'})
    """
    with open_regular(path) as (file, size), _naming(path):
        return _read(file, size)


def load(data: bytes) -> dict[str, Array]:
    """What `load_file` would read from a file of these bytes."""
    return loads_with_metadata(data)[0]


def loads_with_metadata(data: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """What `load_with_metadata` would read from a file of these bytes."""
    return _read(io.BytesIO(data), len(data))


def _encode(
    arrays: Mapping[str, Array], metadata: Mapping[str, str] | None
) -> list[bytes | memoryview]:
    """The file in three parts: header length, header, data.

    The package lays out the arrays; the header is then written again with the
    metadata in it, in a fixed order, which the package's own hash map does not give.
    """
    from safetensors.numpy import save as lay_out

    if len(arrays) > MAX_ENTRIES:
        raise ArgumentError(
            f"a file holds at most {MAX_ENTRIES:,} arrays, got {len(arrays):,}"
        )
    texts = _checked_metadata(metadata or {})
    plain = {name: _plain(name, array) for name, array in arrays.items()}
    blob = memoryview(lay_out(plain))
    data_start = 8 + int.from_bytes(blob[:8], "little")
    layout = json.loads(bytes(blob[8:data_start]))
    header = _header(layout, plain, texts)
    return [len(header).to_bytes(8, "little"), header, blob[data_start:]]


def _header(
    layout: dict[str, Any], arrays: Mapping[str, Array], texts: dict[str, str]
) -> bytes:
    """The header of this layout with the metadata and the checksums in it."""
    entries = [
        Entry(name, field["dtype"], tuple(field["shape"]), *field["data_offsets"])
        for name, field in layout.items()
    ]
    # In the caller's order, which loading gives back; the layout has its own.
    digests = {name: array_digest(array) for name, array in arrays.items()}
    texts = texts | {ARRAYS_KEY: json.dumps(digests)}
    texts[HEADER_KEY] = header_digest(entries, texts)
    members = {"__metadata__": dict(sorted(texts.items())), **layout}
    header = json.dumps(members, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the data stays aligned for those who map it
    if len(header) > MAX_HEADER_BYTES:
        raise ArgumentError(
            f"the names and metadata take {len(header):,} bytes; safetensors allows "
            f"{MAX_HEADER_BYTES:,}"
        )
    return header


def _plain(name: str, array: object) -> Array:
    """The array contiguous and little-endian, if the format can hold it."""
    _check_text(name, "the name of an array")
    if name == "__metadata__":
        raise ArgumentError("an array cannot be named '__metadata__', pick another")
    if not isinstance(array, np.ndarray | np.generic):
        raise DTypeError(
            f"array {name!r}: a NumPy array was wanted, got {type(array).__name__}"
        )
    if array.dtype.newbyteorder("=") not in _WRITABLE:
        raise DTypeError(
            f"array {name!r} has dtype {array.dtype}, which safetensors cannot hold; "
            f"convert it to bool, an integer type, float16/32/64 or complex64"
        )
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    for key, value in metadata.items():
        _check_text(key, "a key of the metadata")
        _check_text(value, f"the metadata's value for {key!r}")
    return dict(metadata)


def _check_text(text: object, place: str) -> None:
    if not isinstance(text, str):
        raise ArgumentError(f"{place}: a string was wanted, got {text!r}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"{place} cannot be stored as UTF-8: {text!r}") from None


def _read(file: BufferedIOBase, size: int) -> tuple[dict[str, Array], dict[str, str]]:
    header = _read_header(file, size)
    data_size = size - 8 - len(header)
    entries, metadata = parse_header(header, data_size)
    del header
    digests = checked_digests(entries, metadata)
    loaded: dict[str, Array] = {}
    # The byte ranges tile the data, so that reading goes straight on.
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        loaded[entry.name] = _read_array(file, entry, digests.get(entry.name))
    metadata.pop(ARRAYS_KEY, None)
    metadata.pop(HEADER_KEY, None)
    order = digests or [entry.name for entry in entries]
    return {name: loaded[name] for name in order}, metadata


def _read_header(file: BufferedIOBase, size: int) -> bytes:
    """The header's bytes, once it is clear that they are a header's."""
    head = file.read(512)
    length = int.from_bytes(head[:8], "little")
    if head[8:9] != b"{" or not 2 <= length < 2**32:
        raise FormatError(describe(head, size))
    if length > MAX_HEADER_BYTES:
        raise FormatError(
            f"the header has {length:,} bytes; safetensors allows {MAX_HEADER_BYTES:,}"
        )
    file.seek(8)
    header = file.read(min(length, size - 8))
    if len(header) < length:
        raise FormatError(
            f"the file is cut off: its header has {length:,} bytes, "
            f"{len(header):,} are there"
        )
    return header


def _read_array(file: BufferedIOBase, entry: Entry, digest: str | None) -> Array:
    dtype = np.dtype(DTYPES[entry.dtype])
    # Read, not mapped: a mapped file that somebody cuts off meanwhile kills the
    # process with a bus error.
    array = np.empty(entry.shape, dtype)
    octets = array.reshape(-1).view(np.uint8).data
    filled = 0
    while filled < len(octets):
        count = file.readinto(octets[filled:])
        if not count:
            raise FormatError(f"the file ends inside of array {entry.name!r}")
        filled += count
    if digest is not None and digest != array_digest(array):
        raise FormatError(
            f"array {entry.name!r} is damaged: its bytes do not match their checksum; "
            f"use a backup, or write the file again"
        )
    if entry.dtype == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array if sys.byteorder == "little" else array.astype(dtype.newbyteorder("="))


@contextlib.contextmanager
def _naming(path: FilePath) -> Iterator[None]:
    """Put the file's name before whatever is found wrong with it."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
