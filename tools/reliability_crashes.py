"""Rows of `reliability_files.py`: what a save survives that is killed or fails."""

from __future__ import annotations

import mmap
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dotori.errors import ArgumentError, FormatError
from dotori.io import safetensors as st

MEGABYTE = 10**6
Figure = tuple[int, int]  # passed, cases


class Skipped(Exception):
    """A row that cannot run on this machine, and why."""


def state(version: int, size: int) -> dict[str, np.ndarray]:
    """`size` bytes, all of them `version`."""
    return {"w": np.full(size, version, np.uint8)}


def save(path: Path, version: int, size: int) -> None:
    st.save_file(state(version, size), path)


def version_of(path: Path) -> int:
    """The version in a file; 0 for one that is not whole (its checksum is compared)."""
    try:
        array = st.load_file(path)["w"]
    except (FormatError, OSError):
        return 0
    return int(array[0]) if array.min() == array.max() else 0


def in_child(work: Callable[[], object]) -> int:
    """Do the work in a forked process; return its id."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        work()
        status = 0
    except OSError:
        status = 1
    finally:
        os._exit(status)


def status_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kills(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Kill -9 at a random moment of a save of 20 MB, then load, then save again."""
    path, new = folder / "model.safetensors", state(2, 20 * MEGABYTE)
    duration = max(_seconds_of(lambda: st.save_file(new, path)) for _ in range(9))
    passed, seen = 0, {"old": 0, "new": 0, "stray": 0}
    for _ in range(cases):
        save(path, 1, 1000)
        clean = os.listdir(folder) == [path.name]
        child = in_child(lambda: st.save_file(new, path))
        time.sleep(rng.uniform(0, duration))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        version = version_of(path)
        seen["new" if version == 2 else "old"] += 1
        seen["stray"] += len(os.listdir(folder)) - 1
        passed += clean and version in (1, 2)
    save(path, 1, 1000)
    print(f"  found {seen['old']} old, {seen['new']} new, {seen['stray']} temporaries")
    return passed if os.listdir(folder) == [path.name] else 0, cases


def _seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    status_of(in_child(work))
    return time.perf_counter() - start


SYSTEM_CALLS = (
    "write fsync rename renameat renameat2 openat newfstatat getdents64 fcntl chmod "
    "fchmodat"
).split()


def system_calls(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Fail the n-th system call of each kind, for every n, with each of the errors."""
    if shutil.which("strace") is None:
        raise Skipped("strace is not installed")
    passed = total = 0
    for error in ("ENOSPC", "EIO", "EINTR", "EMFILE")[:cases]:
        for call in SYSTEM_CALLS:
            for nth in range(1, 1000):
                injected, sound = fail_one(folder, call, error, nth)
                if not injected:
                    break
                total += 1
                passed += sound
                if not sound:
                    print(f"  failed: {call} number {nth} with {error}")
    return passed, total


def fail_one(folder: Path, call: str, error: str, nth: int) -> tuple[bool, bool]:
    """Was a call made to fail, and was everything as promised then?"""
    path, log = folder / "state" / "model.safetensors", folder / "log"
    path.parent.mkdir(exist_ok=True)
    save(path, 1, 1000)
    outcome = mmap.mmap(-1, 2)  # (done, raised), told without a system call
    wait, go = os.pipe()

    def work() -> None:
        os.read(wait, 1)
        try:
            save(path, 2, 300_000)
        except OSError:
            outcome[1] = 1
        outcome[0] = 1
        os.read(wait, 1)

    child = in_child(work)
    inject = f"-einject={call}:error={error}:when={nth}"
    command = ["strace", "-o", str(log), f"-etrace={call}", inject, "-p", str(child)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    if "attached" not in tracer.stderr.readline():
        os.kill(child, signal.SIGKILL)
        raise Skipped("strace may not trace here")
    descriptors = Path(f"/proc/{child}/fd")
    open_before = len(os.listdir(descriptors))
    os.write(go, b"1")
    deadline = time.monotonic() + 10
    while not outcome[0] and time.monotonic() < deadline:
        time.sleep(0.001)
    done, raised = bool(outcome[0]), bool(outcome[1])
    leaked = len(os.listdir(descriptors)) - open_before
    os.write(go, b"1")
    if not done:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    tracer.communicate()
    os.close(wait)
    os.close(go)
    # The very last call, which keeps the new name on the disk, is too late to go back.
    late = raised and call == "fsync" and nth == 2
    version = version_of(path)
    alone = os.listdir(path.parent) == [path.name]
    sound = (
        done and not leaked and alone and version == (1 if raised and not late else 2)
    )
    return "INJECTED" in log.read_text(), sound


def full_disk(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Save growing states to a disk of 1 MB that holds an old one of 300 kB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True
    )
    if mounted.returncode:
        raise Skipped("no right to mount a small disk")
    try:
        path = folder / "model.safetensors"
        passed, raised = 0, 0
        for _ in range(cases):
            save(path, 1, 300_000)
            try:
                save(path, 2, rng.randrange(1, 2 * MEGABYTE))
                expected = 2
            except OSError:
                expected, raised = 1, raised + 1
            passed += version_of(path) == expected and os.listdir(folder) == [path.name]
        print(f"  the disk was full {raised} times")
        return passed, cases
    finally:
        subprocess.run(["umount", folder], check=True)


def paths(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Places that can be written to, and places that cannot."""
    (folder / "directory").mkdir()
    (folder / "real").write_bytes(b"old")
    (folder / "link").symlink_to("real")
    (folder / "dangling").symlink_to("created")
    (folder / "loop").symlink_to("loop")
    (folder / "protected").write_bytes(b"old")
    (folder / "protected").chmod(0o444)
    (folder / "closed").mkdir()
    (folder / "closed" / "f").write_bytes(b"old")
    (folder / "closed").chmod(0o555)
    (folder / "hidden").mkdir(mode=0o333)
    (folder / "hidden").chmod(0o333)
    os.mkfifo(folder / "pipe")
    folder.chmod(0o777)
    good = ["plain", "도토리 모델", "x" * 255, "link", "dangling", "hidden/f"]
    bad = ["missing/f", "directory", "real/f", "closed/f", "closed/g", "protected"]
    bad += ["pipe", "loop", "x" * 256]

    def save_as_nobody(name: str) -> None:
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        try:
            save(folder / name, 2, 1000)
        except ArgumentError as error:
            raise OSError(str(error)) from error

    (folder / "real").chmod(0o666)
    passed = 0
    for name in good:
        passed += status_of(in_child(lambda name=name: save_as_nobody(name))) == 0
        passed -= version_of(folder / name) != 2
    for name in bad:
        passed += status_of(in_child(lambda name=name: save_as_nobody(name))) == 1
    olds = [folder / "protected", folder / "closed" / "f"]
    whole = all(path.read_bytes() == b"old" for path in olds)
    strays = list(folder.rglob(".dotori-*"))
    return passed if whole and not strays else 0, len(good) + len(bad)


def two_savers(cases: int, rng: random.Random, folder: Path) -> Figure:
    """Two processes save to one path at once."""
    path, passed = folder / "model.safetensors", 0
    for _ in range(cases):
        children = [in_child(lambda v=v: save(path, v, v * MEGABYTE)) for v in (1, 2)]
        statuses = [status_of(child) for child in children]
        alone = os.listdir(folder) == [path.name]
        passed += statuses == [0, 0] and version_of(path) in (1, 2) and alone
    return passed, cases
