"""Download a file that is known by its checksum."""

from __future__ import annotations

import hashlib
import os
from typing import IO, TYPE_CHECKING

from dotori.errors import ArgumentError, DataError, FormatError
from dotori.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dotori.data.files import Path

_PIECE = 1 << 18
_TIMEOUT = 30.0  # seconds without a byte


def download(url: str, path: Path, *, sha256: str, limit: int = 1 << 30) -> None:
    """Download a file, and keep it only if it is the one that was meant.

    Parameters
    ----------
    url : str
        An address that begins with ``https://`` or ``http://``.
    path : str or PathLike
        Where to put it; the folder is created. The file appears whole or not at all.
    sha256 : str
        64 hexadecimal digits: the SHA-256 checksum, of a ``.gz`` file that of what is
        in it, as the same contents can be compressed in many ways.
    limit : int, default 2**30
        The most bytes to take, compressed or not.

    Raises
    ------
    ArgumentError
        If the address is of another kind.
    DataError
        If the file cannot be had, or is larger than `limit`.
    FormatError
        If its checksum is another one.
    """
    if not url.startswith(("https://", "http://")):
        raise ArgumentError(f"an address with https:// was wanted, got {url!r}")
    target = os.fspath(path)
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    with atomic_write(target) as file:
        for piece in _pieces(url, limit):
            file.write(piece)
        file.flush()
        found = _contents_digest(file.name, limit)
        if found != sha256.lower():
            raise FormatError(
                f"{url} is not the file that was wanted: its SHA-256 is {found}, not "
                f"{sha256.lower()}; nothing was kept. Try again, or get it elsewhere"
            )


def _pieces(url: str, limit: int) -> Iterator[bytes]:
    # Late: most programs download nothing, and these bring all of http and email.
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    request = Request(url, headers={"User-Agent": "dotori"})
    taken = 0
    try:
        with urlopen(request, timeout=_TIMEOUT) as answer:
            announced = int(answer.headers.get("Content-Length", -1))
            while piece := answer.read(_PIECE):
                taken += len(piece)
                if max(taken, announced) > limit:
                    raise DataError(f"{url} has more than the {limit} bytes allowed")
                yield piece
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{url} cannot be downloaded: {error}; download it by other means, and "
            "give the folder that holds it"
        ) from error
    if taken < announced:
        raise DataError(
            f"{url} broke off after {taken} of {announced} bytes; try again"
        )


def _contents_digest(path: str, limit: int) -> str:
    """The SHA-256 of a file, or of what is in it if it is compressed."""
    from dotori.data.idx import open_unpacked

    with open_unpacked(path) as file:
        return _digest(file, limit)


def _digest(file: IO[bytes], limit: int) -> str:
    digest, taken = hashlib.sha256(), 0
    while piece := file.read(_PIECE):
        taken += len(piece)
        if taken > limit:
            raise DataError(f"the file unpacks to more than the {limit} bytes allowed")
        digest.update(piece)
    return digest.hexdigest()
