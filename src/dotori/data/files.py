"""Table files as such: what a name says about the format, and opening for bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Literal, TypeAlias

from dotori.errors import ArgumentError, DataError, need

Path: TypeAlias = str | os.PathLike[str]
Format: TypeAlias = Literal["csv", "tsv", "parquet", "arrow", "npz"]

_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "arrow",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrow",
    ".npz": "npz",
}
_COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True)
class FileKind:
    """What a file's name says: the format, and the compression around it."""

    format: Format
    compression: str = ""

    @property
    def delimiter(self) -> str:
        """The character between fields, for the two formats that are text."""
        return "\t" if self.format == "tsv" else ","


def file_kind(path: Path) -> FileKind:
    """The format of a table file by its name, such as ``data.csv.gz``.

    Examples
    --------
    >>> file_kind("data.csv.gz")
    FileKind(format='csv', compression='.gz')
    """
    name = os.path.basename(os.fspath(path)).lower()
    stem, extension = os.path.splitext(name)
    compression = extension if extension in _COMPRESSIONS else ""
    if compression:
        extension = os.path.splitext(stem)[1]
    if extension not in _FORMATS:
        raise DataError(
            f"{os.fspath(path)!r}: the extension {extension or '(none)'} is not one of "
            f"a table; known are {', '.join(_FORMATS)}, and the text formats with "
            f"{', '.join(_COMPRESSIONS)} after them"
        )
    return FileKind(_FORMATS[extension], compression)


def check_readable(path: Path) -> str:
    """The path as a string, if it is a file with something in it that may be read."""
    name = os.fspath(path)
    if not isinstance(name, str) or not name or "\0" in name:
        raise ArgumentError(f"a file name was wanted, got {name!r}")
    if os.path.isdir(name):
        raise DataError(f"{name!r} is a folder; give the name of a file in it")
    try:
        with open(name, "rb") as file:
            first = file.read(1)
    except FileNotFoundError:
        raise DataError(_no_such_file(name)) from None
    except OSError as error:
        raise DataError(f"{name!r} cannot be read: {error.strerror}") from error
    if not first:
        raise DataError(f"{name!r} is empty; a table with a header line was wanted")
    return name


def _no_such_file(name: str) -> str:
    import difflib  # late: only a mistake needs it

    folder, base = os.path.split(name)
    if not os.path.isdir(folder or "."):
        return f"there is no file {name!r}: the folder {folder!r} does not exist"
    names = sorted(os.listdir(folder or "."))
    close = difflib.get_close_matches(base, names, n=3, cutoff=0.6)
    if not close:
        return f"there is no file {name!r}; check the name and the folder"
    meant = " or ".join(repr(os.path.join(folder, other)) for other in close)
    return f"there is no file {name!r}; did you mean {meant}?"


@contextmanager
def open_bytes(path: str, compression: str) -> Iterator[IO[bytes]]:
    """Open a file for its bytes without the compression around them.

    Damage that the compressed form reveals, at any moment of the reading, is raised as
    a DataError.
    """
    try:
        with _opened(path, compression) as file:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, compression, error) from error
    except OSError as error:
        # bz2 and pyarrow report damage as an OSError without a number.
        if compression and error.errno is None:
            raise _damaged(path, compression, error) from error
        raise DataError(
            f"{path!r} cannot be read: {error.strerror or error}"
        ) from error
    except Exception as error:
        if type(error).__name__ != "LZMAError":
            raise
        raise _damaged(path, compression, error) from error


def _damaged(path: str, compression: str, error: Exception) -> DataError:
    return DataError(
        f"{path!r} is damaged or not a {compression or 'readable'} file ({error}); "
        "get the file again"
    )


def _opened(path: str, compression: str) -> Any:
    if compression == ".gz":
        return gzip.open(path, "rb")
    if compression == ".bz2":
        return bz2.open(path, "rb")
    if compression == ".xz":
        import lzma  # late: few files need it

        return lzma.open(path, "rb")
    if compression == ".zst":
        pa = need("pyarrow", "cli", "reading a .zst file")
        # Through a buffer, for the csv module iterates over lines.
        return io.BufferedReader(pa.input_stream(path, compression="zstd"))
    return open(path, "rb")
