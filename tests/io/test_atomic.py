"""A file is replaced whole or not at all, whatever fails on the way."""

import errno
import hashlib
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dotori.errors import ArgumentError
from dotori.io import atomic
from dotori.io.atomic import atomic_write

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX modes, links and pipes")


def write(path, data=b"new"):
    with atomic_write(path) as file:
        file.write(data)


def names(folder):
    return sorted(os.listdir(folder))


def descriptors():
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.exists() else 0


@pytest.mark.parametrize("name", ["new", "도토리 모델 1.dotori", "x" * 255, "가" * 85])
def test_creates_and_replaces(tmp_path, name):
    path = tmp_path / name
    write(path, b"first")
    assert path.read_bytes() == b"first"
    write(str(path), b"second")
    assert path.read_bytes() == b"second"
    assert names(tmp_path) == [name]


def test_relative_paths_stay_where_they_were_meant(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with atomic_write("here") as file:
        os.chdir("elsewhere")
        file.write(b"x")
    assert names(tmp_path) == ["elsewhere", "here"]


def test_an_old_file_is_there_until_the_end(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new" * 100_000)
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" * 100_000


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, OSError])
@pytest.mark.parametrize("old", [None, b"old"])
def test_an_exception_leaves_everything_as_it_was(tmp_path, error, old):
    path = tmp_path / "f"
    if old:
        path.write_bytes(old)
    before, open_before = names(tmp_path), descriptors()
    with pytest.raises(error), atomic_write(path) as file:
        file.write(b"half")
        raise error
    assert names(tmp_path) == before
    assert not old or path.read_bytes() == old
    assert descriptors() == open_before


@POSIX
def test_the_mode_of_the_old_file_is_kept(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@POSIX
def test_a_new_file_obeys_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "f")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


@POSIX
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(tmp_path, exists):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "f", tmp_path / "link"
    if exists:
        target.write_bytes(b"old")
    link.symlink_to(Path("real") / "f")
    write(link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert names(tmp_path / "real") == ["f"]


@POSIX
def test_a_link_to_itself(tmp_path):
    path = tmp_path / "loop"
    path.symlink_to(path)
    with pytest.raises(OSError):
        write(path)
    assert path.is_symlink()


@POSIX
def test_another_name_of_the_old_file_keeps_the_old_content(tmp_path):
    path, other = tmp_path / "f", tmp_path / "other"
    path.write_bytes(b"old")
    other.hardlink_to(path)
    write(path)
    assert (path.read_bytes(), other.read_bytes()) == (b"new", b"old")


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"does not exist.*missing"):
        write(tmp_path / "missing" / "f")
    assert names(tmp_path) == []


def test_a_file_where_a_folder_is_needed(tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(OSError, match="folder"):
        write(tmp_path / "f" / "g")


def test_a_folder_as_target(tmp_path):
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        write(tmp_path)
    assert names(tmp_path) == []


def test_a_name_that_ends_as_a_folder_s(tmp_path):
    with pytest.raises(IsADirectoryError, match="a file name was wanted"):
        write(f"{tmp_path}{os.sep}new{os.sep}")
    assert names(tmp_path) == []


def test_a_name_of_256_bytes(tmp_path):
    with pytest.raises(OSError) as caught:
        write(tmp_path / ("x" * 256))
    assert caught.value.errno in (errno.ENAMETOOLONG, errno.EINVAL)
    assert names(tmp_path) == []


@pytest.mark.parametrize("path", ["", "a\0b", b"bytes"])
def test_no_file_name(path):
    with pytest.raises(ArgumentError, match="a file name was wanted"):
        write(path)


@POSIX
def test_pipes_and_devices_are_left_alone(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/null"):
        with pytest.raises(ArgumentError, match="device, pipe or socket"):
            write(path)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@POSIX
@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere"
)
def test_protected_file_and_folder(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="write-protected"):
        write(path)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError, match="folder to save into"):
            write(tmp_path / "g")
    finally:
        tmp_path.chmod(0o755)
    assert (names(tmp_path), path.read_bytes()) == (["f"], b"old")


def stray_of(path, process):
    """A temporary as a process killed in mid-save leaves it."""
    digest = hashlib.blake2b(path.name.encode(), digest_size=8).hexdigest()
    stray = path.parent / f".dotori-{digest}-{process}-0123456789ab.tmp"
    stray.write_bytes(b"half")
    return stray


def dead_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_strays_of_dead_processes_are_removed(tmp_path):
    path = tmp_path / "model.dotori"
    # Our own number too: nothing is being written, so it was another's before.
    strays = [stray_of(path, dead_process()), stray_of(path, os.getpid())]
    other = stray_of(tmp_path / "another target", dead_process())
    write(path)
    assert not any(stray.exists() for stray in strays)
    assert other.exists()


def test_the_stray_that_is_tested_is_named_as_a_real_one(tmp_path):
    path = tmp_path / "model.dotori"
    with atomic_write(path):
        (temporary,) = names(tmp_path)
    stray = stray_of(path, os.getpid()).name
    assert temporary.split("-")[:-1] == stray.split("-")[:-1]
    assert len(temporary) == len(stray)


@POSIX
def test_temporaries_of_living_processes_are_kept(tmp_path):
    path = tmp_path / "f"
    living = stray_of(path, os.getppid())
    with atomic_write(path) as outer:  # another thread's save of the same file
        outer.write(b"outer")
        write(path, b"inner")
    assert path.read_bytes() == b"outer"
    assert names(tmp_path) == [living.name, "f"]


def test_names_that_only_look_like_temporaries_are_kept(tmp_path):
    path = tmp_path / "f"
    prefix = stray_of(path, "x").name.partition("-x-")[0]
    others = [f"{prefix}-", f"{prefix}-me-1.tmp", f"{prefix}-9{'9' * 40}-1.tmp"]
    for name in others:
        (tmp_path / name).write_bytes(b"mine")
    write(path)
    assert set(others) <= set(names(tmp_path))


def test_threads_that_save_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "f"
    contents = [bytes([65 + index]) * 200_000 for index in range(4)]

    def save(data):
        for _ in range(10):
            write(path, data)

    threads = [threading.Thread(target=save, args=(data,)) for data in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert names(tmp_path) == ["f"]


class Failing:
    """Counts the calls of some functions of `os` and lets the n-th one fail."""

    def __init__(self, monkeypatch, nth, code):
        self.calls, self.nth, self.code = 0, nth, code
        for name in ("open", "fsync", "replace", "chmod", "stat", "listdir"):
            monkeypatch.setattr(os, name, self.wrap(getattr(os, name)))
        monkeypatch.setattr(atomic, "open", self.wrap(open), raising=False)

    def wrap(self, function):
        def call(*args, **options):
            self.calls += 1
            if self.calls == self.nth:
                raise OSError(self.code, os.strerror(self.code))
            return function(*args, **options)

        return call


def save_with_failure(path, nth, code):
    """Save with the n-th call failing; the number of calls, and if it raised."""
    with pytest.MonkeyPatch.context() as patch:
        failing = Failing(patch, nth, code)
        try:
            write(path)
        except OSError:
            return failing.calls, True
    return failing.calls, False


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EINTR, errno.EMFILE])
def test_the_nth_call_fails_for_every_n(tmp_path, code):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    total, _ = save_with_failure(path, 0, code)
    open_before = descriptors()
    failures = 0
    for nth in range(1, total + 1):
        path.write_bytes(b"old")
        _, raised = save_with_failure(path, nth, code)
        failures += raised
        assert names(tmp_path) == ["f"]
        assert descriptors() == open_before
        # The last call of all keeps the new name on the disk: too late to go back.
        old = raised and nth < total
        assert path.read_bytes() == (b"old" if old else b"new")
    # All but the listing of the folder for strays, without which a save can do.
    assert failures == total - 1


@POSIX
def test_all_is_on_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    events = []
    sync, replace = os.fsync, os.replace

    def fsync(descriptor):
        about = os.fstat(descriptor)
        is_folder = stat.S_ISDIR(about.st_mode)
        events.append("folder" if is_folder else about.st_size)
        sync(descriptor)

    def rename(source, target):
        events.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", rename)
    write(tmp_path / "f", b"buffered")
    assert events == [len(b"buffered"), "rename", "folder"]


class FullDisk:
    """A file that takes `room` bytes and then has no space left."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, data):
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(data)
        return self.file.write(data)

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.mark.parametrize("room", [0, 1, 5, 9])
def test_a_disk_that_fills_up(tmp_path, monkeypatch, room):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    monkeypatch.setattr(
        atomic, "open", lambda *a: FullDisk(open(*a), room), raising=False
    )
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        with atomic_write(path) as file:
            for _ in range(10):
                file.write(b"x")
    assert (names(tmp_path), path.read_bytes()) == (["f"], b"old")


def test_a_file_system_that_cannot_sync_folders(tmp_path, monkeypatch):
    sync = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"new"
