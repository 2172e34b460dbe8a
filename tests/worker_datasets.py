"""Datasets that a process worker can import; used by tests/data."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import dotori
from dotori.data import Dataset, IterableDataset, get_worker_info


class Noisy(Dataset[Any]):
    """(index, three random numbers): what an augmentation looks like."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int, /) -> Any:
        return index, dotori.default_generator().normal(3)


class Failing(Noisy):
    """Fails at one sample, in the way that `how` names."""

    def __init__(self, n: int, at: int, how: str) -> None:
        super().__init__(n)
        self.at, self.how = at, how

    def __getitem__(self, index: int, /) -> Any:
        if index == self.at:
            if self.how == "raise":
                raise KeyError("no such picture")
            if self.how == "odd":
                raise OddError(1, 2)
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.how == "leave":
                os._exit(3)
            if self.how == "exit":
                sys.exit(4)
            if self.how == "hang":
                time.sleep(1.5)
            if self.how == "unsendable":
                return lambda: None
        return super().__getitem__(index)


class OddError(Exception):
    """Cannot be unpickled: its arguments are not those of its constructor."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


class Counting(IterableDataset[Any]):
    """0, ..., n - 1, divided among the workers if `divide`."""

    def __init__(self, n: int, divide: bool = True) -> None:
        self.n, self.divide = n, divide

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        if info is None or not self.divide:
            return iter(range(self.n))
        return iter(range(info.id, self.n, info.num_workers))


class WhoReads(Noisy):
    """The process and the worker that read a sample."""

    def __getitem__(self, index: int, /) -> Any:
        info = get_worker_info()
        return os.getpid(), -1 if info is None else info.id


class WhereItLies(Noisy):
    """Whether the workers see one and the same memory: each leaves its mark."""

    def __init__(self, table: Any) -> None:
        super().__init__(len(table))
        self.table, self.same = table, table

    def __getitem__(self, index: int, /) -> Any:
        assert self.same is self.table
        self.table[index, 0] = os.getpid()
        time.sleep(0.02)
        return self.table[:, 0].copy()


def refuse_to_start(worker: int) -> None:
    raise OSError(f"worker {worker} has no disk")


def keep_samples(samples: list[Any]) -> list[Any]:
    return samples
