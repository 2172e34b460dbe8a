"""Object code on disk: found again, never trusted, never in the way."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="steps are compiled by Numba")

from dotori.compiler.native import build, cache, runtime

TRIPLE = """
def step(table, thread, threads):
    x = float64(table, 0, (3,))
    for i in range(3):
        x[i] = tanh(x[i]) * 3
    return 0
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return tmp_path / "dotori"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The texts that were compiled rather than read."""
    texts: list[str] = []
    original = build.compiled

    def watched(source: str, arguments: int = 0) -> tuple[bytes, list[str]]:
        texts.append(source)
        return original(source, arguments)

    monkeypatch.setattr(build, "compiled", watched)
    yield texts


def triples() -> bool:
    """Whether the step, loaded now, does what it should."""
    x = np.array([0.5, -1.0, 2.0])
    result = runtime.load(TRIPLE)(np.array([x.ctypes.data]))
    return result == 0 and np.allclose(x, 3 * np.tanh([0.5, -1.0, 2.0]), rtol=1e-14)


def only_file(place: Path) -> Path:
    (found,) = place.iterdir()
    return found


def test_what_was_compiled_is_read_the_next_time(
    place: Path, compiled: list[str]
) -> None:
    assert triples()
    assert triples()
    assert compiled == [TRIPLE]


def test_the_folder_is_private(place: Path) -> None:
    assert triples()
    if os.name != "nt":
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_folder_that_others_may_write_to_is_not_used(
    place: Path, compiled: list[str]
) -> None:
    place.mkdir()
    place.chmod(0o777)
    assert triples()
    assert triples()
    assert len(compiled) == 2
    assert not list(place.iterdir())


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "other"])
def test_a_damaged_file_is_compiled_anew_and_replaced(
    place: Path, compiled: list[str], damage: str
) -> None:
    assert triples()
    path = only_file(place)
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = bytes([whole[middle] ^ 1])
    path.write_bytes(
        {
            "cut": whole[:-1],
            "flipped": whole[:middle] + flipped + whole[middle + 1 :],
            "emptied": b"",
            "other": b"something else\n" * 100,
        }[damage]
    )
    assert triples()
    assert len(compiled) == 2
    assert triples()
    assert len(compiled) == 2


def test_a_file_that_needs_unknown_functions_is_compiled_anew(
    place: Path, compiled: list[str]
) -> None:
    assert triples()
    name = only_file(place).name
    code, _ = cache.read(name) or (b"", [])
    cache.write(name, code, ["a_function_that_nobody_has"])
    assert triples()
    assert len(compiled) == 2


def test_where_no_folder_can_be_made_there_is_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[str]
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert cache.folder() is None
    assert triples()
    assert len(compiled) == 1


def test_the_user_chooses_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert cache.folder() == tmp_path / "dotori" / "steps"


def test_files_that_were_not_used_for_longest_go_first(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LIMIT", 2500)
    for i, name in enumerate(("old", "used", "new")):
        cache.write(name, bytes(1000), [])
        os.utime(place / name, (1000 + i, 1000 + i)) if name != "new" else None
        if name == "used":
            os.utime(place / "old", (5000, 5000))  # old was read since
    assert sorted(path.name for path in place.iterdir()) == ["new", "old"]


def test_the_name_depends_on_text_arguments_and_surroundings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = cache.key("a")
    assert cache.key("b") != first
    monkeypatch.setattr(cache, "_surroundings", lambda: b"another processor")
    assert cache.key("a") != first


def test_a_later_process_runs_it_without_numba(place: Path) -> None:
    assert triples()
    script = f"""
import sys
import numpy as np
from dotori.compiler.native.runtime import load
x = np.array([0.5])
y = np.array([0.5, -1.0, 2.0])
assert load({TRIPLE!r})(np.array([y.ctypes.data])) == 0
assert abs(y[0] - 3 * np.tanh(0.5)) < 1e-14
print("numba" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


RESHAPED = """
def step(table, thread, threads):
    x = float64(table, 0, (2, 3, 4))
    y = x.reshape(6, 4)
    z = y.reshape(x.size)
    for i in range(24):
        z[i] = 10 * i
    y[5, 3] = -1
    return 0
"""


def test_a_reshape_is_read_without_numba_too(place: Path) -> None:
    script = f"""
import sys
import numpy as np
from dotori.compiler.native.runtime import load
x = np.zeros((2, 3, 4))
assert load({RESHAPED!r})(np.array([x.ctypes.data])) == 0
assert x[1, 2].tolist() == [200, 210, 220, -1]
print("numba" in sys.modules)
"""
    found = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert found == ["True", "False"]
