"""The loader's promises, each tried many times; prints a figure for each.

    python tools/reliability_loader.py [--repeats 10]

Workers are killed, leave, fail, hang or are interrupted; afterwards no thread, process
or descriptor may be left. Order and random numbers may not depend on the workers.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from dotori import Generator
from dotori.data import DataLoader
from dotori.errors import WorkerError
from worker_datasets import Failing, Noisy, OddError

LIMIT = 5.0  # seconds from the failure to the exception

EXPECTED: dict[str, type[BaseException]] = {
    "raise": KeyError,
    "odd": WorkerError,
    "exit": WorkerError,
    "leave": WorkerError,
    "kill": WorkerError,
    "hang": WorkerError,
    "interrupt": KeyboardInterrupt,
}
IN_THREADS = ("raise", "odd", "exit", "hang", "interrupt")


def fail(how: str, kind: str, at: int) -> bool:
    """Whether a failure comes home in time, as the right type, naming the worker."""
    hang = how in ("hang", "interrupt")
    loader = DataLoader[Any](
        Failing(60, at, "hang" if hang else how),
        3,
        num_workers=3,
        workers=kind,  # type: ignore[arg-type]
        timeout=1.0 if how == "hang" else 0,
    )
    start = time.monotonic()
    try:
        for _ in loader:
            start = time.monotonic()
            if how == "interrupt":
                threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
                time.sleep(10)
    except BaseException as error:
        told = str(error) + "\n".join(getattr(error, "__notes__", []))
        # A thread brings home even what cannot be pickled.
        right = isinstance(error, (EXPECTED[how], OddError))
        named = "worker" in told or how == "interrupt"
        return right and named and time.monotonic() - start < LIMIT
    return False


def nothing_left(descriptors: int) -> bool:
    """Whether threads, processes and descriptors are gone within two seconds."""
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        gc.collect()
        threads = [t for t in threading.enumerate() if "dotori-loader" in t.name]
        processes = multiprocessing.active_children()
        if not threads and not processes and open_descriptors() <= descriptors:
            return True
        time.sleep(0.02)
    return False


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def failures(repeats: int) -> tuple[int, int]:
    passed = cases = 0
    list(DataLoader[Any](Noisy(4), num_workers=1, workers="process"))  # the tracker
    before = open_descriptors()
    for how in EXPECTED:
        for kind in ("thread", "process"):
            if kind == "thread" and how not in IN_THREADS:
                continue
            for at in range(repeats):
                good = fail(how, kind, 7 * at % 60) and nothing_left(before)
                passed, cases = passed + good, cases + 1
    return passed, cases


def equal_batches(repeats: int) -> tuple[int, int]:
    """Any workers, any prefetch: the same bits."""
    passed = cases = 0
    for seed in range(repeats):
        expected = batches(seed)
        for workers in (1, 2, 4):
            for prefetch in (1, 3):
                for kind in ("thread", "process")[: 1 + (prefetch == 1)]:
                    got = batches(
                        seed,
                        num_workers=workers,
                        prefetch_factor=prefetch,
                        workers=kind,
                    )
                    passed, cases = passed + (got == expected), cases + 1
    return passed, cases


def batches(seed: int, **options: Any) -> list[Any]:
    loader = DataLoader[Any](
        Noisy(31), 4, shuffle=True, generator=Generator(seed), **options
    )
    return [[c.array.tobytes() for c in batch] for _ in range(2) for batch in loader]


def distinct_streams(repeats: int) -> tuple[int, int]:
    """Batches, epochs and seeds: no two draw the same numbers."""
    seen = [noise for seed in range(10 * repeats) for _, noise in batches(seed)]
    return len(set(seen)), len(seen)


def memory(_: int) -> tuple[int, int]:
    """Four threads over a list of a million numbers, 5 epochs: memory grows < 10 %."""
    million = list(range(1_000_000))
    loader = DataLoader[Any](million, 1000, num_workers=4, shuffle=True)
    for _epoch in range(2):  # then the allocator keeps what an order of 8 MB needs
        for _batch in loader:
            pass
    before = resident()
    for _epoch in range(5):
        for _batch in loader:
            pass
    return int(resident() < 1.1 * before), 1


def resident() -> int:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    bad = 0
    for row in (failures, equal_batches, distinct_streams, memory):
        passed, cases = row(repeats)
        bad += passed != cases
        print(f"{row.__name__:<18} {passed} of {cases}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
