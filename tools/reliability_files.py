"""What the files of dotori survive, in figures: the long forms of tests/io.

    python tools/reliability_files.py                  every row, long
    python tools/reliability_files.py --short          every row, a minute in all
    python tools/reliability_files.py --only kills --cases 2000

Each row ends in a line `name: passed/cases`; the exit status is 0 if all passed. Needs
Linux (fork, /proc); what a row needs beyond that (strace, the right to mount) is said
where it is missing.
"""

from __future__ import annotations

import os

# One thread, so that forks are safe; NumPy reads this when it is imported.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import argparse
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dotori.errors import FormatError
from dotori.io import load_npz, model_from_bytes, model_to_bytes, read_model
from dotori.io import safetensors as st

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "io"))
import hostile_archives
import hostile_safetensors
from reliability_crashes import (
    MEGABYTE,
    Figure,
    Skipped,
    full_disk,
    in_child,
    kills,
    paths,
    status_of,
    system_calls,
    two_savers,
)


def model(size: int) -> bytes:
    """A model file with a document and `size` numbers."""
    values = np.random.Generator(np.random.Philox(0)).standard_normal(size)
    arrays = {"layer.weight": values.astype(np.float32), "layer.bias": values[:8]}
    return model_to_bytes(arrays, {"target": "가격", "mean": [0.5, 2]}, "tabular model")


def refused(data: bytes) -> bool:
    try:
        model_from_bytes(data)
    except FormatError:
        return True
    return False


def truncations(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Every prefix of a small file, and random ones of a large one."""
    small, large = model(10), model(500_000)
    cuts = [small[:length] for length in range(len(small))]
    passed = sum(refused(cut) for cut in cuts)
    passed += sum(refused(large[: rng.randrange(len(large))]) for _ in range(cases))
    return passed, len(cuts) + cases


def flipped(data: bytes, bit: int) -> bytes:
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def header_bits(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Each bit of the header: an exception, or content that is identical."""
    data = model(10)
    expected = repr(model_from_bytes(data))
    bits = range(8 * (8 + int.from_bytes(data[:8], "little")))
    passed = 0
    for bit in bits:
        damaged = flipped(data, bit)
        passed += refused(damaged) or repr(model_from_bytes(damaged)) == expected
    return passed, len(bits)


def data_bits(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Random bits of the data: always an exception."""
    data = model(5000)
    start = 8 * (8 + int.from_bytes(data[:8], "little"))
    bits = [rng.randrange(start, 8 * len(data)) for _ in range(cases)]
    return sum(refused(flipped(data, bit)) for bit in bits), cases


def cheaply(work: Callable[[], bool], file_size: int) -> bool:
    """Is the work done, truly, within 1 s and twice the file's size + 50 MB?"""

    def measured() -> None:
        signal.alarm(10)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        done = work()
        seconds = time.perf_counter() - start
        grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        if seconds >= 1 or grown >= 2 * file_size + 50 * MEGABYTE or not done:
            print(f"  {done=}, {seconds:.2f} s, {grown / MEGABYTE:.0f} MB", flush=True)
            raise OSError

    return status_of(in_child(measured)) == 0


def crafted(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Crafted safetensors files: as specified, within 1 s and little memory."""
    path, passed = folder / "model.safetensors", 0
    for name, (_, pattern) in hostile_safetensors.CASES.items():
        path.write_bytes(hostile_safetensors.content(name))

        def work(sound: bool = pattern is None) -> bool:
            try:
                st.load_file(path)
            except FormatError:
                return not sound
            return sound

        good = cheaply(work, path.stat().st_size)
        passed += good
        if not good:
            print(f"  failed: {name}")
    return passed, len(hostile_safetensors.CASES)


def canaries(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Pickles that would create a file, given to both readers."""
    canary, passed = folder / "canary", 0
    files = hostile_archives.pickles(canary)
    for name, data in files.items():
        (folder / name).write_bytes(data)
        refusals = 0
        for read in (read_model, load_npz):
            try:
                read(folder / name)
            except FormatError:
                refusals += 1
        passed += refusals == 2 and not canary.exists()
    return passed, len(files)


def zip_bombs(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Archives that would unpack to gigabytes or climb out, refused within 1 s."""
    path, passed = folder / "data.npz", 0
    bombs = hostile_archives.bombs()
    for data, _ in bombs.values():
        path.write_bytes(data)

        def work() -> bool:
            try:
                load_npz(path)
            except FormatError:
                return True
            return False

        passed += cheaply(work, len(data))
    return passed if os.listdir(folder) == [path.name] else 0, len(bombs)


INTERESTING = [
    *(b"0", b"1", b"-1", b"1e9", b"9223372036854775807", b"18446744073709551616"),
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\u0000", b"NaN", b"null"),
    *(b"\0", b"\xff", b'"F32"', b'"F64"', b'"BF16"', b'"shape"', b'"data_offsets"'),
    *(b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"(0,)", b"|O", b"\xff\xff\xff\xff"),
]


def mutated(seed: bytes, rng: random.Random) -> bytes:
    """The seed with one to four places replaced, removed, repeated or filled in."""
    data = bytearray(seed)
    for _ in range(rng.randint(1, 4)):
        # Half of the changes go to the first 400 bytes, where the structure is.
        at = rng.randrange(min(len(data), rng.choice((400, 10**9))) or 1)
        length = rng.choice((0, 1, 1, 2, 4, 8, 30))
        kind = rng.randrange(4)
        if kind == 0:
            data[at : at + length] = rng.randbytes(length)
        elif kind == 1:
            data[at : at + length] = rng.choice(INTERESTING)
        elif kind == 2:
            data[at:at] = data[at : at + length]
        else:
            del data[at : at + length]
    return bytes(data)


def fuzz(
    read: Callable[[bytes, Path], object], seeds: list[bytes]
) -> Callable[..., Figure]:
    def row(cases: int, rng: random.Random, folder: Path) -> Figure:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        signal.signal(signal.SIGPROF, signal.default_int_handler)
        passed = 0
        for _ in range(cases):
            data = mutated(rng.choice(seeds), rng)
            signal.setitimer(signal.ITIMER_PROF, 1)  # a second of the processor
            try:
                read(data, folder / "fuzzed")
                passed += 1
            except FormatError:
                passed += 1
            except (Exception, KeyboardInterrupt) as error:  # the point of the row
                print(f"  failed: {error!r:.200} for {data!r:.1000}")
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(f"  memory grew by {grown / 1024:.0f} MiB")
        return passed if grown < 200 * 1024 else 0, cases

    return row


def npz_of(data: bytes, path: Path) -> object:
    path.write_bytes(data)
    return load_npz(path, max_bytes=100 * MEGABYTE)


def seeds_for_npz() -> list[bytes]:
    arrays = {"x.npy": np.arange(6.0), "y.npy": np.array(["a", "b"])}
    members = {name: hostile_archives.npy(array) for name, array in arrays.items()}
    return [hostile_archives.zipped(members, method) for method in (0, 8)]


def sound_files() -> list[bytes]:
    names = hostile_safetensors.SOUND
    return [hostile_safetensors.content(f"sound: {name}") for name in names]


# A row's name: what it does, its cases in the short and in the long form.
ROWS: dict[str, tuple[Callable[[int, random.Random, Path], Figure], int, int]] = {
    "kills": (kills, 40, 2000),
    "system calls": (system_calls, 1, 4),
    "full disk": (full_disk, 15, 200),
    "paths": (paths, 15, 15),
    "two savers": (two_savers, 20, 200),
    "truncations": (truncations, 20, 1000),
    "header bits": (header_bits, 0, 0),
    "data bits": (data_bits, 200, 5000),
    "crafted files": (crafted, 0, 0),
    "pickle canaries": (canaries, 0, 0),
    "zip bombs": (zip_bombs, 0, 0),
    "fuzz safetensors": (
        fuzz(lambda data, path: st.load(data), [*sound_files(), model(10)]),
        1000,
        200_000,
    ),
    "fuzz model": (
        fuzz(lambda data, path: model_from_bytes(data), [model(10)]),
        1000,
        10**5,
    ),
    "fuzz npz": (fuzz(npz_of, seeds_for_npz()), 1000, 10**5),
}


def run(name: str, cases: int, seed: int) -> bool:
    """Run a row in a folder of its own, print its figure, tell if it is complete."""
    row = ROWS[name][0]
    with tempfile.TemporaryDirectory(prefix="dotori-") as folder:
        start = time.perf_counter()
        try:
            passed, total = row(cases, random.Random(seed), Path(folder))
        except Skipped as reason:
            print(f"{name}: skipped, {reason}", flush=True)
            return True
    seconds = time.perf_counter() - start
    print(f"  {seconds:.0f} s\n{name}: {passed}/{total}", flush=True)
    return passed == total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="the cases that CI runs")
    parser.add_argument("--only", choices=ROWS, action="append", help="this row")
    parser.add_argument("--cases", type=int, help="as many cases in each row")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    complete = True
    for name in options.only or ROWS:
        cases = ROWS[name][1 if options.short else 2]
        cases = cases if options.cases is None else options.cases
        complete &= run(name, cases, options.seed)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
