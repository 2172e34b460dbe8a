"""Native plans are compiled in a thread of their own, while the NumPy plans run."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from dotori.kernels._compiler import is_child

if TYPE_CHECKING:
    from dotori.compiler.step import Entry


class _Queue:
    def __init__(self) -> None:
        self.waiting: list[Entry] = []
        self.condition = threading.Condition()
        self.thread: threading.Thread | None = None

    def add(self, entry: Entry) -> None:
        with self.condition:
            self.waiting.append(entry)
            if self.thread is None:
                # No daemon, as a thread must not be cut off inside of LLVM.
                self.thread = threading.Thread(target=self.run, name="dotori steps")
                self.thread.start()

    def run(self) -> None:
        while True:
            with self.condition:
                self.condition.notify_all()
                if not self.waiting or not threading.main_thread().is_alive():
                    self.waiting.clear()
                    self.thread = None
                    self.condition.notify_all()
                    return
                entry = self.waiting.pop(0)
            _compile(entry)


_queue = _Queue()


def _compile(entry: Entry) -> None:
    import logging

    log = logging.getLogger("dotori.compiler")
    start = time.perf_counter()
    try:
        entry.compile()
    except Exception as error:  # the plan goes on: compiled it is only ever faster
        entry.trouble = f"{type(error).__name__}: {error}"
        log.warning("compiling a captured step failed", exc_info=True)
    else:
        log.info("compiled a captured step in %.2f s", time.perf_counter() - start)


def compile_later(entry: Entry) -> None:
    """Make the native plan of `entry` in the compiler's thread."""
    if not is_child():
        _queue.add(entry)


def pending() -> int:
    """How many steps wait to be compiled, or are being compiled."""
    return len(_queue.waiting) + (_queue.thread is not None)


def wait_for(entry: Entry) -> None:
    """Wait until `entry` has been compiled, or could not be."""
    with _queue.condition:
        _queue.condition.wait_for(
            lambda: entry.native is not None or entry.trouble or _queue.thread is None
        )
    if entry.native is None and not entry.trouble:
        _compile(entry)  # in a child process, or the queue was given up


def wait() -> None:
    """Wait until nothing is being compiled."""
    with _queue.condition:
        _queue.condition.wait_for(lambda: _queue.thread is None)
