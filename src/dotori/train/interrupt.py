"""Ctrl-C, held back until a step is finished, so that no update is left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether Ctrl-C was pressed; a second press is not held back."""

    def __init__(self) -> None:
        self.caught = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.caught:
            raise KeyboardInterrupt
        self.caught = True


@contextmanager
def catch_interrupt() -> Iterator[Interrupt]:
    """Note Ctrl-C in a block; off the main thread, where none arrives, do nothing."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
