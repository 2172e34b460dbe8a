"""Archives and pickles made to harm: bombs, climbing names, code that runs on loading.

A `Canary` creates a file when it is unpickled. Whoever reads one of the payloads
without that file appearing has not unpickled it.
"""

from __future__ import annotations

import io
import pickle
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np


class Canary:
    """Runs `open(path, "w")` in whatever process unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (self.path, "w")


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(array: object, **options: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def npy_with_header(header: str, data: bytes = b"") -> bytes:
    text = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def pickles(canary: Path) -> dict[str, bytes]:
    """Twelve files, all of which create the canary when they are unpickled."""
    trap = Canary(canary)
    objects = np.empty(1, object)
    objects[0] = trap
    plain = pickle.dumps(trap)
    header = pickle.dumps({"__metadata__": trap})
    files = {f"protocol {n}.pkl": pickle.dumps(trap, n) for n in range(6)}
    return files | {
        "objects.npy": npy(objects, allow_pickle=True),
        "objects.npz": zipped({"x.npy": npy(objects, allow_pickle=True)}),
        "pickled member.npz": zipped({"x.npy": plain}),
        "model.pt": zipped({"archive/data.pkl": plain, "archive/version": b"3\n"}),
        "compressed.joblib": zlib.compress(plain),
        "liar.safetensors": len(header).to_bytes(8, "little") + header,
    }


def bomb(megabytes: int, name: str = "x.npy") -> bytes:
    """An .npz with one array of so many MiB of zeros, packed 1,000 times smaller."""
    size = megabytes * 2**20
    header = npy(np.empty(0, np.uint8))[10:].replace(b"(0,)", b"(%d,)" % size)
    start = npy_with_header(header.decode("latin-1"))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = first + block * megabytes + packer.flush()
    encoded = name.encode()
    # Version, flags, method, time, date, CRC (wrong: nobody should get that far).
    sizes = (20, 0, 8, 0, 0, 0, len(packed), len(start) + size, len(encoded))
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", *sizes, 0) + encoded
    row = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *sizes, *[0] * 6) + encoded
    place = len(local) + len(packed)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(row), place, 0)
    return local + packed + row + end


def understated(megabytes: int) -> bytes:
    """A bomb whose zip headers declare 200 bytes."""
    data = bomb(megabytes)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        true_size = archive.getinfo("x.npy").file_size
    return data.replace(struct.pack("<L", true_size), struct.pack("<L", 200))


def overstated() -> bytes:
    """An array of 8,000 bytes, of which 80 are there; the rest would be old memory."""
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000,), }"
    member = npy_with_header(header, bytes(80))
    data = zipped({"x.npy": member}, zipfile.ZIP_DEFLATED)
    true_size, told = len(member), len(member) - 80 + 8000
    return data.replace(struct.pack("<L", true_size), struct.pack("<L", told))


def overlapping(count: int) -> bytes:
    """`count` entries of the table of contents that share one packed megabyte."""
    data = bomb(1, "00000.npy")
    end = data.rindex(b"PK\x05\x06")
    start = data.index(b"PK\x01\x02")
    row = data[start:end]
    table = b"".join(
        row.replace(b"00000.npy", b"%05d.npy" % index) for index in range(count)
    )
    tail = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(table), start, 0
    )
    return data[:start] + table + tail


def many_members(count: int) -> bytes:
    """A table of contents with `count` members of no size, and nothing else."""
    rows = b"".join(
        struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 11, *[0] * 6
        )
        + b"%07d.npy" % index
        for index in range(count)
    )
    size, shown = len(rows), min(count, 0xFFFF)
    end64 = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, 0
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, size, 1)
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, shown, shown, min(size, 2**32 - 1), 0, 0
    )
    return rows + (end64 + locator if count > 0xFFFF else b"") + end


def link_member() -> bytes:
    info = zipfile.ZipInfo("x.npy")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def bombs() -> dict[str, tuple[bytes, str]]:
    """Archives that must be refused before they are unpacked, and why."""
    array = npy(np.zeros(3))
    inner = bomb(16)
    return {
        "3 GiB in 3 MB": (bomb(3072), r"take 3,221,225,\d+ bytes unpacked"),
        "declares 200 bytes": (understated(16), "CRC-32|takes 16,777,216"),
        "declares 8,000 bytes, has 80": (overstated(), "less than it declares"),
        "3,000 members share their bytes": (overlapping(3000), "bytes unpacked"),
        "an archive in an archive": (zipped({"x.npz": inner}), "not a .npy array"),
        "an archive named as an array": (zipped({"x.npy": inner}), "not a .npy array"),
        "20,000 members": (many_members(20_000), "20,000|table of contents"),
        "1,000,000 members": (many_members(1_000_000), "table of contents"),
        "climbs": (zipped({"../../x.npy": array}), "outside"),
        "climbs later": (zipped({"a/../../x.npy": array}), "outside"),
        "absolute": (zipped({"/tmp/x.npy": array}), "outside"),
        "a drive": (zipped({"C:x.npy": array}), "outside"),
        "a link": (link_member(), "is a link"),
    }
