"""Replace a file whole or not at all.

The bytes go to a temporary file in the target's own folder, are flushed to the
disk, and then take the target's name in one step (POSIX ``rename``). A reader, a
crash or a full disk sees the old file or the new one, never a half of each.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from dotori.errors import ArgumentError

FilePath = str | os.PathLike[str]

# The temporaries that this process is writing now; one with our process id that
# is not among them was left by a killed process whose id we were given again.
_writing: set[str] = set()


@contextlib.contextmanager
def atomic_write(path: FilePath) -> Iterator[BinaryIO]:
    """Write a file that appears whole, or leave what is there untouched.

    Parameters
    ----------
    path : str or PathLike
        The file to create or replace. A symbolic link stays a link: the file it
        points to is replaced. An existing file's mode is kept.

    Yields
    ------
    BinaryIO
        An open temporary file in the same folder, to be written to. When the block
        ends, it is flushed to the disk and takes the target's name.

    Raises
    ------
    ArgumentError
        If the path is empty, holds a NUL, or names a device, pipe or socket.
    FileNotFoundError, IsADirectoryError, PermissionError
        If the folder is missing, the target is a folder, or neither may be written.
    OSError
        Whatever the disk reports: full, failing, gone.

    Notes
    -----
    Whatever is raised inside of the block or by the disk, the temporary is removed
    and the old file is as it was. Only the very last step, telling the disk to keep
    the new name, can fail when the new file is already in place; it is whole then.
    Temporaries that a killed process left for the same target are removed by the
    next save; those of a process that is alive on this machine are not. Of two
    processes that save to one path at once, the later one wins, with a whole file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "notes.txt"
    >>> with atomic_write(target) as file:
    ...     _ = file.write(b"all of it")
    >>> target.read_bytes()
    b'all of it'
    """
    target, mode = _target(path)
    folder, name = os.path.split(target)
    prefix = _prefix(name)
    _remove_strays(folder, prefix)
    temporary = os.path.join(folder, f"{prefix}{os.getpid()}-{os.urandom(6).hex()}.tmp")
    _writing.add(temporary)
    try:
        with _folder_descriptor(folder) as descriptor:
            with open(temporary, "xb") as file:
                if mode is not None:
                    os.chmod(temporary, mode)
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
            if descriptor is not None:
                _sync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        _writing.discard(temporary)


def _target(path: FilePath) -> tuple[str, int | None]:
    """Where the bytes will go, links followed, and the mode to keep, if any."""
    name = os.fspath(path)
    if not isinstance(name, str) or not name or "\0" in name:
        raise ArgumentError(f"a file name was wanted, got {name!r}")
    if not os.path.basename(name):
        raise IsADirectoryError(errno.EISDIR, "a file name was wanted", name)
    target = os.path.realpath(name)
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            errno.ENOENT, "the folder to save into does not exist; create it", folder
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            errno.EACCES, "the folder to save into may not be written to", folder
        )
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return target, None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(
            errno.EISDIR, "a file name was wanted, this is a folder", target
        )
    if not stat.S_ISREG(mode):
        raise ArgumentError(
            f"{name!r} is a device, pipe or socket; only a regular file can be "
            f"replaced: give the name of one"
        )
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is write-protected", target)
    return target, stat.S_IMODE(mode)


def _prefix(name: str) -> str:
    """The start of the temporaries' names for one target.

    A digest, not the name itself: that may already have the 255 bytes which file
    systems allow.
    """
    digest = hashlib.blake2b(os.fsencode(name), digest_size=8).hexdigest()
    return f".dotori-{digest}-"


def _remove_strays(folder: str, prefix: str) -> None:
    """Remove what killed processes left behind for the target of this prefix."""
    with contextlib.suppress(OSError):  # a folder that may be written, not listed
        for name in os.listdir(folder):
            owner = name.removeprefix(prefix).partition("-")[0]
            if not (name.startswith(prefix) and owner.isdecimal()):
                continue
            stray = os.path.join(folder, name)
            if stray not in _writing and not _is_another_alive(int(owner)):
                with contextlib.suppress(OSError):  # another process was faster
                    os.unlink(stray)


def _is_another_alive(process: int) -> bool:
    if process == os.getpid():
        return False
    if os.name == "nt":
        # os.kill would end the process there; and a file that is open cannot be
        # removed on Windows, which protects a living owner's temporary.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _sync(folder: int) -> None:
    """Have the disk keep the new name, where the file system can do that."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


@contextlib.contextmanager
def _folder_descriptor(folder: str) -> Iterator[int | None]:
    """The folder, open for ``fsync``; None where the system does not offer that.

    Opened before anything is written, so that a failure to open changes nothing.
    """
    try:
        descriptor = None if os.name == "nt" else os.open(folder, os.O_RDONLY)
    except PermissionError:
        descriptor = None  # a folder that may be written, not listed
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)
