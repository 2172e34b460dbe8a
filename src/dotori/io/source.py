"""Open a file for reading, if it is one."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from io import BufferedReader

from dotori.errors import ArgumentError
from dotori.io.atomic import FilePath


@contextlib.contextmanager
def open_regular(path: FilePath) -> Iterator[tuple[BufferedReader, int]]:
    """Open a regular file; yield it and its size in bytes.

    Raises
    ------
    ArgumentError
        If the path is a device, pipe or socket, on which a read could wait or go on
        for ever, or no file name at all.
    OSError
        If there is no such file, it is a folder, or may not be read.

    Examples
    --------
    >>> with open_regular(__file__) as (file, size):
    ...     len(file.read()) == size
    True
    """
    name = os.fspath(path)
    if not isinstance(name, str) or not name or "\0" in name:
        raise ArgumentError(f"a file name was wanted, got {name!r}")
    mode = os.stat(name).st_mode  # before opening: to open a pipe is to wait for one
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ArgumentError(f"{name!r} is a device, pipe or socket, not a file to read")
    with open(name, "rb") as file:  # a folder is refused here, by the system
        yield file, os.fstat(file.fileno()).st_size
