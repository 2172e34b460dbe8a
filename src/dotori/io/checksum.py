"""Checksums in the metadata, which safetensors itself does not have.

Two keys are added to the metadata of what dotori writes: ``dotori.checksums``, a
digest of each array's bytes, and ``dotori.header``, one of everything that the header
says, those checksums included. A single damaged bit can hide one of the two keys but
never both, so a file that has only one of them is damaged as well.

The digest is BLAKE2b cut to 64 bits (RFC 7693): a damaged file passes with a chance
of 2**-64. It protects from accidents, not from somebody who also writes a new digest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dotori.errors import FormatError
from dotori.io.header import Entry

ARRAYS_KEY = "dotori.checksums"
HEADER_KEY = "dotori.header"


def array_digest(array: npt.NDArray[Any]) -> str:
    """The digest of a C-contiguous array's bytes, as 16 hexadecimal digits.

    Examples
    --------
    >>> array_digest(np.arange(3, dtype="<i4"))
    '99a5826197698e6d'
    """
    octets = array.reshape(-1).view(np.uint8).data
    return hashlib.blake2b(octets, digest_size=8).hexdigest()


def header_digest(entries: Iterable[Entry], metadata: Mapping[str, str]) -> str:
    """The digest of all that a header says, however its JSON is spelled."""
    rows = sorted((e.name, e.dtype, e.shape, e.begin, e.end) for e in entries)
    texts = sorted((k, v) for k, v in metadata.items() if k != HEADER_KEY)
    canonical = json.dumps([rows, texts]).encode()
    return hashlib.blake2b(canonical, digest_size=8).hexdigest()


def checked_digests(
    entries: list[Entry], metadata: Mapping[str, str]
) -> dict[str, str]:
    """The arrays' digests that a file carries; empty for one from another program.

    Raises
    ------
    FormatError
        If the header is not what its own digest was taken of.
    """
    if ARRAYS_KEY not in metadata and HEADER_KEY not in metadata:
        return {}
    digests: object = None
    with contextlib.suppress(KeyError, ValueError, RecursionError):
        if metadata[HEADER_KEY] == header_digest(entries, metadata):
            digests = json.loads(metadata[ARRAYS_KEY])
    if not (
        isinstance(digests, dict)
        and digests.keys() == {entry.name for entry in entries}
        and all(isinstance(digest, str) for digest in digests.values())
    ):
        raise FormatError(
            "the header is damaged: it does not match its checksum; use a backup, or "
            "write the file again"
        )
    return digests
