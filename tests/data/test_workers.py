"""Process workers, killed, failing and left alone. Few tests: each starts processes."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import numpy as np
import pytest

from dotori import Generator
from dotori.data import DataLoader, TensorDataset, get_worker_info
from dotori.errors import ArgumentError, WorkerError
from worker_datasets import (
    Counting,
    Failing,
    Noisy,
    OddError,
    WhereItLies,
    WhoReads,
    keep_samples,
    refuse_to_start,
)

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


def descriptors() -> int:
    gc.collect()
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    # The first process of a program starts Python's resource tracker, with a pipe.
    process = multiprocessing.get_context("spawn").Process(target=int)
    process.start()
    process.join()
    process.close()
    before = descriptors()
    yield
    assert multiprocessing.active_children() == []
    assert not [t for t in threading.enumerate() if t.name.startswith("dotori-loader")]
    assert descriptors() <= before


def processes(dataset: Any, size: int = 2, workers: int = 2, **options: Any) -> Any:
    return DataLoader(dataset, size, num_workers=workers, workers="process", **options)


def plain(loader: Any) -> list[Any]:
    return [[column.tolist() for column in batch] for batch in loader]


@pytest.mark.parametrize("workers", [1, 4])
def test_processes_change_neither_order_nor_random_numbers(workers: int) -> None:
    def build(**options: Any) -> Any:
        return DataLoader[Any](
            Noisy(23), 4, shuffle=True, generator=Generator(7), **options
        )

    alone = build()
    loader = build(num_workers=workers, workers="process", persistent_workers=True)
    for _ in range(2):
        assert plain(loader) == plain(alone)
    loader.load_state_dict(alone.state_dict())
    assert get_worker_info() is None


def test_every_process_does_its_part() -> None:
    seen = {
        tuple(row)
        for batch in plain(processes(WhoReads(8)))
        for row in zip(*batch, strict=True)
    }
    assert {worker for _, worker in seen} == {0, 1}
    assert len(seen) == 2 and os.getpid() not in {pid for pid, _ in seen}


def test_large_batches_travel_whole() -> None:
    x = Generator(0).normal((64, 5000))
    batches = [b for (b,) in processes(TensorDataset(x), 32, prefetch_factor=4)]
    np.testing.assert_array_equal(np.concatenate([b.array for b in batches]), x)


def test_large_arrays_are_shared_by_the_processes() -> None:
    table = np.zeros((16, 300_000))
    batches = [batch.array for batch in processes(WhereItLies(table), 1)]
    assert len(set(batches[-1][0]) - {0.0}) == 2  # both pids, in the sight of one
    assert not table.any()  # the caller's own array is not touched


def test_large_arrays_keep_type_and_order() -> None:
    flat = np.arange(1_500_000, dtype=np.int64)
    for table in (flat.reshape(3, -1).T, flat[::-1], flat.astype(">i4")):
        rows = [b.array for (b,) in processes(TensorDataset(table), 400_000)]
        np.testing.assert_array_equal(np.concatenate(rows), table)


def test_streams_are_divided_among_processes() -> None:
    batches = [batch.tolist() for batch in processes(Counting(7), 2)]
    assert batches == [[0, 2], [1, 3], [4, 6], [5]]


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("raise", KeyError, "no such picture"),
        ("odd", WorkerError, "OddError: 1 and 2"),
        ("exit", WorkerError, r"SystemExit\(4\)"),
        ("leave", WorkerError, "exit code 3"),
        pytest.param("kill", WorkerError, "SIGKILL", marks=posix),
    ],
)
def test_what_happens_in_a_process_comes_home(
    how: str, kind: type[Exception], words: str
) -> None:
    loader = processes(Failing(40, 13, how))
    seen = 0
    with pytest.raises(kind, match=words) as caught:
        for _ in loader:
            seen += 1
            since = time.monotonic()
    assert time.monotonic() - since < 5
    if how not in ("leave", "kill"):  # those take finished batches along
        assert seen == 6
    notes = "\n".join(getattr(caught.value, "__notes__", []))
    if how in ("raise", "odd"):
        assert "sample 13 of Failing" in notes and "worker 0 (process)" in notes
        assert "Traceback" in notes and "worker_datasets.py" in notes
    else:
        assert "worker 0" in str(caught.value)


def test_a_batch_that_cannot_be_sent_is_an_error() -> None:
    loader = processes(Failing(4, 1, "unsendable"), collate_fn=keep_samples)
    with pytest.raises(Exception, match="pickle") as caught:
        list(loader)
    assert "could not be sent home" in "\n".join(caught.value.__notes__)


def test_a_process_that_hangs_is_ended() -> None:
    start = time.monotonic()
    loader = processes(Failing(40, 4, "hang"), timeout=1.0)
    with pytest.raises(WorkerError, match=r"within 1 s.*samples \[4, 5\]"):
        list(loader)
    assert time.monotonic() - start < 10


def test_a_process_that_cannot_start_says_why() -> None:
    with pytest.raises(OSError, match="has no disk") as caught:
        list(processes(Noisy(4), worker_init_fn=refuse_to_start))
    assert "starting" in caught.value.__notes__[0]


def test_a_job_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ArgumentError, match="top level of a module"):
        list(processes(Noisy(4), collate_fn=lambda samples: samples))
    assert issubclass(OddError, Exception)


def test_leaving_early_and_interrupts_end_the_processes() -> None:
    for _ in processes(Noisy(400)):
        break
    assert multiprocessing.active_children() == []
    with pytest.raises(KeyboardInterrupt):
        for _ in processes(Noisy(400)):
            raise KeyboardInterrupt
    assert multiprocessing.active_children() == []


@posix
def test_ctrl_c_while_waiting_leaves_nothing() -> None:
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        pytest.skip("SIGINT is ignored here, as in the background of a plain shell")
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        list(DataLoader[Any](Failing(4, 0, "hang"), num_workers=2))
    timer.join()


@posix
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_forked_workers_need_no_pickle() -> None:
    loader = DataLoader[Any](
        Noisy(8),
        2,
        num_workers=2,
        multiprocessing_context="fork",
        generator=Generator(1),
        collate_fn=lambda samples: [i for i, _ in samples],
    )
    assert list(loader) == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert loader.workers == "process"


@posix
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_no_process_outlives_a_killed_parent(method: str) -> None:
    script = textwrap.dedent(f"""
        import multiprocessing, os, signal
        from dotori.data import DataLoader
        from worker_datasets import Noisy

        if __name__ == "__main__":
            loader = DataLoader(Noisy(400), num_workers=2,
                                multiprocessing_context={method!r})
            for _ in loader:
                print(*(p.pid for p in multiprocessing.active_children()), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
    """)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.wait(timeout=30)
    assert len(pids) == 2
    end = time.monotonic() + 8
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
