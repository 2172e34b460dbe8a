"""Steps as functions of the machine: views, products, threads, and what they return."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="steps are compiled by Numba")

from dotori.compiler.native import blas
from dotori.compiler.native.runtime import Native, load

KINDS = ("float32", "float64")


def table(*arrays: Any) -> Any:
    return np.array([x.ctypes.data for x in arrays])


def test_views_of_all_types_and_shapes() -> None:
    kinds = (
        "float64 float32 int64 int32 int16 int8 uint64 uint32 uint16 uint8"
    ).split()
    lines = [
        line
        for i, kind in enumerate(kinds)
        for line in (
            f"    x{i} = {kind}(table, {i}, (2, 3, 4))",
            f"    x{i}[1, 2, 3] = x{i}[0, 1, 0] + 1",
        )
    ]
    n = len(kinds)
    lines += [
        f"    flag = boolean(table, {n}, ())",
        "    flag[()] = not flag[()]",
        f"    z = complex128(table, {n + 1}, 2)",
        "    z[1] = z[0] * 1j",
        "    return x0.size + z.shape[0]",
    ]
    step = load("\n".join(["def step(table, thread, threads):", *lines]))
    arrays = [np.arange(24, dtype=kind).reshape(2, 3, 4) for kind in kinds]
    flag, z = np.array(False), np.array([2 + 1j, 0])
    assert step(table(*arrays, flag, z)) == 26
    assert all(x[1, 2, 3] == 5 for x in arrays)
    assert all(x.sum() == 24 * 23 // 2 - 23 + 5 for x in arrays)
    assert flag[()] and z[1] == -1 + 2j


def test_the_number_of_a_failed_check_comes_back_and_lengths_may_be_numbers() -> None:
    step = load("""
def step(table, thread, threads):
    n = int64(table, 1, (1,))[0]
    x = float32(table, 0, (n, 2))
    for i in range(n):
        if not np.isfinite(x[i, 1]):
            return i + 1
    return 0
""")
    x, n = np.ones((5, 2), np.float32), np.array([5])
    assert step(table(x, n)) == 0
    x[3, 1] = np.nan
    assert step(table(x, n)) == 4
    assert step.bound(where := table(x, n))() == 4
    assert where.size == 2


def test_nan_and_infinities_are_numbers_like_others() -> None:
    step = load("""
def step(table, thread, threads):
    x, y = float32(table, 0, (4,)), float32(table, 1, (4,))
    for i in range(4):
        y[i] = where(x[i] != x[i], np.float32(7), x[i] * 0 + 1)
    return 0
""")
    x = np.array([1, np.inf, np.nan, -np.inf], np.float32)
    y = np.zeros(4, np.float32)
    step(table(x, y))
    assert y[0] == 1 and np.isnan(y[1]) and y[2] == 7 and np.isnan(y[3])


# one and several tiles with rests, one row, one column, few columns, no depth to speak
# of, stretches of columns, and sizes at which the library multiplies
SHAPES = [
    (1, 1, 1),
    (2, 5, 3),
    (3, 3, 3),
    (5, 7, 11),
    (7, 3, 50),
    (9, 21, 6),
    (13, 1, 40),
    (1, 70, 13),
    (2, 40, 300),
    (33, 34, 35),
    (6, 70, 90),
    (70, 2, 2100),
    (4, 9, 1000),
]
SIDES = "\n".join(
    f"    {name} = {{kind}}(table, {slot}, (v[{i}], v[{j}]))"
    for slot, (name, i, j) in enumerate(
        [("a", 0, 2), ("at", 2, 0), ("b", 2, 1), ("bt", 1, 2), ("out", 0, 1)]
    )
)
PRODUCTS = """
def step(table, thread, threads):
    v = int64(table, 5, (4,))
{sides}
    if v[3] == 0:
        matmul(a, b, out)
    elif v[3] == 1:
        matmul(a, bt.T, out)
    elif v[3] == 2:
        matmul(at.T, b, out)
    elif v[3] == 3:
        matmul(at.T, bt.T, out)
    elif v[3] == 4:
        matmul_add(a, b, out)
    elif v[3] == 5:
        matmul_add(at.T, bt.T, out)
    elif v[3] == 6:
        multiply_matrices(a, bt.T, out, thread, threads)
    elif v[3] == 7:
        matmul(a[:, ::2], b[::2], out)
    elif v[3] == 8:
        matmul(a[:, 1:], b[1:], out)
    elif v[3] == 9:
        matmul(b.T, a.T, out.reshape(v[1], v[0]))
    return 0
"""


@pytest.fixture(scope="module")
def products() -> dict[str, Native]:
    return {
        kind: load(PRODUCTS.format(sides=SIDES.format(kind=kind))) for kind in KINDS
    }


def _multiplied(
    step: Native, kind: str, shape: tuple[int, int, int], way: int, threads: int = 1
) -> tuple[Any, Any, Any]:
    """What a way of PRODUCTS gives, what it should give, and how far it may be off."""
    m, n, k = shape
    rng = np.random.default_rng(m + n + k)
    a, b = (rng.normal(size=s).astype(kind) for s in ((m, k), (k, n)))
    at, bt = np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)
    out = rng.normal(size=(m, n)).astype(kind)
    before = out.astype(np.float64)
    numbers = np.array([m, n, k, way])
    assert step(table(a, at, b, bt, out, numbers), threads) == 0
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    if way == 7:
        wide_a, wide_b = wide_a[:, ::2], wide_b[::2]
    if way == 8:
        wide_a, wide_b = wide_a[:, 1:], wide_b[1:]
    right = wide_a @ wide_b
    if way == 9:
        return out.reshape(n, m), right.T, _bound(wide_a, wide_b, kind).T
    if way in (4, 5):
        right = right + before
    return out, right, _bound(wide_a, wide_b, kind) + 4 * np.finfo(kind).eps


def _bound(a: Any, b: Any, kind: str) -> Any:
    """k eps |a| |b|, which no order of summing exceeds."""
    return (abs(a) @ abs(b)) * (a.shape[1] + 2) * np.finfo(kind).eps


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", range(10))
def test_products_of_all_shapes_and_ways(
    products: dict[str, Native], kind: str, way: int
) -> None:
    for shape in SHAPES:
        found, right, bound = _multiplied(products[kind], kind, shape, way)
        assert (abs(found - right) <= bound).all(), shape


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [2, 3])
def test_shared_products(products: dict[str, Native], kind: str, threads: int) -> None:
    for shape in SHAPES:
        found, right, bound = _multiplied(products[kind], kind, shape, 6, threads)
        assert (abs(found - right) <= bound).all(), shape


def test_what_a_product_overwrites_does_not_matter(products: dict[str, Native]) -> None:
    for m, n, k in SHAPES:
        out = np.full((m, n), np.nan)
        a, b = np.ones((m, k)), np.ones((k, n))
        numbers = np.array([m, n, k, 0])
        products["float64"](table(a, a, b, b, out, numbers))
        assert (out == k).all(), (m, n, k)


def test_products_without_a_library() -> None:
    """Where NumPy's library cannot be found, own loops multiply whatever is asked."""
    script = """
import numpy as np
from dotori.compiler.native import blas
blas.find = lambda: None
from dotori.compiler.native.runtime import load
m, n, k = 40, 50, 300
step = load('''
def step(table, thread, threads):
    matmul(float32(table, 0, (40, 300)), float32(table, 1, (50, 300)).T,
           float32(table, 2, (40, 50)))
    return 0
''')
a, b = np.ones((m, k), np.float32), np.ones((n, k), np.float32)
out = np.zeros((m, n), np.float32)
step(np.array([x.ctypes.data for x in (a, b, out)]))
assert (out == k).all()
"""
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", script], check=True)


def test_numpys_library_is_found() -> None:
    found = blas.find()
    if found is None:
        pytest.skip("this NumPy has no library that can be called")
    assert found.bits in (32, 64)
    assert all(found.addresses.values())


MEETINGS = """
def step(table, thread, threads):
    x = int64(table, 0, (8, 16))
    for _ in range(int64(table, 1, (1,))[0]):
        x[thread, 0] += 1
        barrier(table, thread, threads)
        for other in range(threads):
            if x[other, 0] != x[thread, 0]:
                return 100 + thread
        barrier(table, thread, threads)
    if x[0, 1]:
        return 7
    return 0
"""


@pytest.fixture(scope="module")
def meetings() -> Callable[..., int]:
    step = load(MEETINGS)

    def run(threads: int, rounds: int = 50, fail: bool = False) -> int:
        x, n = np.zeros((8, 16), np.int64), np.array([rounds])
        x[0, 1] = fail
        result = step(table(x, n), threads)
        assert (x[:threads, 0] == rounds).all()
        return result

    return run


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_threads_meet_at_barriers(meetings: Callable[..., int], threads: int) -> None:
    assert meetings(threads) == 0
    assert meetings(threads, fail=True) == 7
    assert meetings(threads, rounds=0) == 0


def test_workers_that_fell_asleep_are_woken(meetings: Callable[..., int]) -> None:
    for pause in (0.0, 0.0005, 0.002, 0.01) * 3:
        threading.Event().wait(pause)
        assert meetings(3, rounds=2) == 0


def test_many_users_take_turns(meetings: Callable[..., int]) -> None:
    results: list[int] = []

    def use(threads: int) -> None:
        results.extend(meetings(threads, rounds=3) for _ in range(10))

    users = [threading.Thread(target=use, args=(n,)) for n in (2, 3, 4, 2)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert results == [0] * 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_workers_of_its_own(meetings: Callable[..., int]) -> None:
    assert meetings(2) == 0
    child = os.fork()
    if child == 0:  # pragma: no cover - the child is not measured
        code = 1
        try:
            code = meetings(3)
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert meetings(2) == 0


def test_functions_of_a_step() -> None:
    step = load("""
@compiled
def half(x):
    return x * np.float32(0.5)


@apart
def halved(x, y):
    for i in range(x.size):
        y[i] = half(x[i])


def step(table, thread, threads):
    halved(float32(table, 0, (9,)), float32(table, 1, (9,)))
    return 0
""")
    x, y = np.arange(9, dtype=np.float32), np.zeros(9, np.float32)
    assert step(table(x, y)) == 0
    assert (y == x / 2).all()


def test_a_mistake_in_the_text_shows_its_line() -> None:
    from numba.core.errors import TypingError

    with pytest.raises(TypingError, match="unknown_name"):
        load("def step(table, thread, threads):\n    return unknown_name + 1\n")


@pytest.mark.parametrize("size", [8, 200])
def test_large_products_stay_in_their_thread(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    from dotori.compiler.native import runtime

    if blas.find() is None:
        pytest.skip("this NumPy has no library that can be called")
    entered = []

    class Watched:
        def __enter__(self) -> None:
            entered.append(1)

        def __exit__(self, *about: object) -> None:
            pass

    monkeypatch.setattr(runtime, "one_blas_thread", Watched())
    step = load(f"""
def step(table, thread, threads):
    a, out = float32(table, 0, ({size}, {size})), float32(table, 1, ({size}, {size}))
    matmul(a, a, out)
    return 0
""")
    a = np.ones((size, size), np.float32)
    out = np.zeros_like(a)
    where = table(a, out)
    for _ in range(3):
        assert step(where) == 0
    assert (out == size).all()
    assert len(entered) == (1 if size == 8 else 3)  # the first run finds out
    step(where, 2)
    assert len(entered) == (2 if size == 8 else 4)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timers are POSIX's")
def test_an_interrupt_comes_after_the_step(meetings: Callable[..., int]) -> None:
    class Interrupt(Exception):
        pass

    def interrupt(number: int, frame: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        for i in range(60):
            threading.Event().wait(0.003 if i % 2 else 0)  # asleep, awake
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0001 + i * 5e-6)
                meetings(3, rounds=20)
                threading.Event().wait(0.01)
            except Interrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 30
    assert meetings(3) == 0  # nobody waits at a barrier of an earlier step


def test_what_numba_compiles_later_can_be_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps leave functions behind in Numba's tables that have no machine code."""
    import numba

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # compiled, not read
    step = load("""
def step(table, thread, threads):
    x = float64(table, 0, (6,))
    x[0] = np.sum(x) + x.var() + np.hypot(x[1], x[2]) + x.mean() + x[1] ** 3
    return 0
""")

    @numba.njit
    def same(x: Any) -> Any:
        return np.sum(x) + x.var() + np.hypot(x[1], x[2]) + x.mean() + x[1] ** 3

    x = np.arange(6.0)
    right = x.sum() + x.var() + np.hypot(x[1], x[2]) + x.mean() + x[1] ** 3
    assert np.isclose(same(x), right)
    assert step(table(x)) == 0
    assert np.isclose(x[0], right)
