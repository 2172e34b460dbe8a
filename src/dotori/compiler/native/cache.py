"""Object code on disk, so that a step is compiled once on each machine.

A file holds the code of one text, named by a digest of all that the code depends on:
the text, the versions of what compiled it, the processor. Nothing is trusted: a file
that is not whole is compiled anew, a folder into which others may write is not used,
and where nothing can be written there is simply no cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from dotori.compiler.native import blas, machine

#: The bytes that all files together may take; the least recently used go first.
LIMIT = 256 << 20

_MAGIC = b"dotori step 1\n"
_DIGEST = 32  # bytes of SHA-256


def folder() -> Path | None:
    """Where the files lie: private, made if need be; None where there can be none.

    It is in ``NUMBA_CACHE_DIR`` if that is set, as what Numba itself keeps, else in the
    user's folder for caches (``XDG_CACHE_HOME``).
    """
    path = _place()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path if _is_private(path) else None
    except (OSError, RuntimeError):
        return None


def _place() -> Path:
    numba = os.environ.get("NUMBA_CACHE_DIR")
    if numba:
        return Path(numba) / "dotori"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        base = Path(local) if local else Path("~/AppData/Local").expanduser()
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches").expanduser()
    else:
        asked = os.environ.get("XDG_CACHE_HOME", "")
        base = Path(asked if os.path.isabs(asked) else "~/.cache").expanduser()
    return base / "dotori" / "steps"


def _is_private(path: Path) -> bool:
    """Whether nobody else may put code there for us to run."""
    about = path.stat()
    if not stat.S_ISDIR(about.st_mode):
        return False
    if not hasattr(os, "getuid"):
        return True  # Windows: a profile's folders are its user's
    return about.st_uid == os.getuid() and not about.st_mode & 0o022


def key(source: str) -> str:
    """The name of the file for a text: a digest of all that its code depends on."""
    digest = hashlib.sha256(_surroundings())
    digest.update(source.encode())
    return digest.hexdigest()


@cache
def _surroundings() -> bytes:
    """All that code depends on besides its text: versions, processor, our own files."""
    found = blas.find()
    numba, here = find_spec("numba"), Path(__file__).parent
    files = sorted(here.glob("*.py"))
    if numba is not None and numba.origin is not None:
        files.append(Path(numba.origin).with_name("_version.py"))
    digest = hashlib.sha256()
    names, features = machine.processor()
    bits = 0 if found is None else found.bits
    llvmlite = machine.binding().llvm_version_info, sys.modules["llvmlite"].__version__
    about = (llvmlite, np.__version__, sys.version_info, names, features, bits)
    digest.update(repr(about).encode())
    for file in files:
        with contextlib.suppress(OSError):
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()


def read(name: str) -> tuple[bytes, list[str]] | None:
    """The code under a name, and the functions that it needs; None if there is none."""
    place = folder()
    if place is None:
        return None
    path = place / name
    try:
        data = path.read_bytes()
        os.utime(path)  # used now: it will be the last to go
    except OSError:
        return None
    return _unpacked(data)


def _unpacked(data: bytes) -> tuple[bytes, list[str]] | None:
    """What `_packed` joined; None if a bit is not as it was written."""
    start = len(_MAGIC) + _DIGEST
    body = data[start:]
    if data[: len(_MAGIC)] != _MAGIC:
        return None
    if data[len(_MAGIC) : start] != hashlib.sha256(body).digest():
        return None
    needed, _, code = body.partition(b"\n")
    return code, list(map(str, json.loads(needed)))


def _packed(code: bytes, needed: list[str]) -> bytes:
    body = json.dumps(needed).encode() + b"\n" + code
    return _MAGIC + hashlib.sha256(body).digest() + body


def write(name: str, code: bytes, needed: list[str]) -> None:
    """Keep code under a name; where that cannot be done, nothing happens."""
    from dotori.io.atomic import atomic_write

    place = folder()
    if place is None:
        return
    with contextlib.suppress(OSError):
        with atomic_write(place / name) as file:
            file.write(_packed(code, needed))
        _trim(place, name)


def _trim(place: Path, newest: str) -> None:
    """Remove the files that were not used for longest, until the rest is in bounds."""
    found = []
    for entry in os.scandir(place):
        with contextlib.suppress(OSError):  # another process removed it
            about = entry.stat()
            found.append((about.st_mtime_ns, about.st_size, entry.path, entry.name))
    total = sum(size for _, size, _, _ in found)
    for _, size, path, name in sorted(found):
        if total <= LIMIT:
            return
        if name != newest:
            with contextlib.suppress(OSError):
                os.unlink(path)
                total -= size
