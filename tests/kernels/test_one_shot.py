"""`Pair.run`, for work that comes once, and `inner`, for loops of several functions."""

import numpy as np
import pytest

from dotori import kernels
from dotori.kernels import _pair, inner


@inner
def _double(value):
    return value + value


@inner
def _step(value):
    return _double(value) + 1


def _double_and_one_numpy(x):
    for i in range(x.size):
        x[i] = _step(x[i])


def _double_and_one(x):
    for i in range(x.shape[0]):
        x[i] = _step(x[i])


@pytest.fixture
def pair():
    """A pair of its own, out of the registry that the contracts walk."""
    return _pair.Pair(_double_and_one_numpy, _double_and_one)


@pytest.fixture
def numba():
    return pytest.importorskip("numba", reason="compiled kernels need Numba")


def run(pair, seconds, whole=0.0):
    x = np.arange(4.0)
    pair.run(seconds, x, whole=whole)
    assert x.tolist() == [1.0, 3.0, 5.0, 7.0]


def test_little_work_never_asks_for_numba(pair, monkeypatch):
    def asked(*args):
        raise AssertionError("Numba was asked for")

    for name in ("compile_now", "compile_later", "is_on_disk", "dispatcher"):
        monkeypatch.setattr(_pair, name, asked)
    run(pair, 0.01)


def test_much_work_waits_for_the_compiler(pair, numba):
    run(pair, 100.0)
    assert "compiled" in repr(pair)


def test_what_takes_long_to_compile_is_not_waited_for(monkeypatch):
    def asked(*args):
        raise AssertionError("the compiler was waited for")

    monkeypatch.setattr(_pair, "compile_now", asked)
    monkeypatch.setattr(_pair, "is_on_disk", lambda loop: False)
    monkeypatch.setattr(_pair, "compile_later", lambda *args: None)
    pair = _pair.Pair(_double_and_one_numpy, _double_and_one, compiling=50.0)
    run(pair, 40.0)


def test_many_pieces_are_weighed_together(pair, numba):
    run(pair, 0.01, whole=100.0)
    assert "compiled" in repr(pair)


def test_what_is_to_come_is_not_counted_as_done(pair, monkeypatch):
    def asked(*args):
        raise AssertionError("the compiler was asked for")

    monkeypatch.setattr(_pair, "compile_later", asked)
    for _ in range(50):
        run(pair, 0.001, whole=0.4)


@pytest.mark.parametrize(("there", "loaded"), [(True, 1), (False, 0)])
def test_some_work_loads_what_lies_on_disk(pair, numba, monkeypatch, there, loaded):
    made = []

    def compile_now(loop, args):
        made.append(loop)
        return loop

    monkeypatch.setattr(_pair, "is_on_disk", lambda loop: there)
    monkeypatch.setattr(_pair, "compile_now", compile_now)
    run(pair, 1.0)
    assert len(made) == loaded


def test_numpy_stays_numpy_where_it_was_chosen(pair, monkeypatch):
    kernels.use("numpy")
    try:
        run(pair, 100.0)
    finally:
        kernels.use("auto")
    assert "NumPy" in repr(pair)


def test_what_was_compiled_is_found_on_disk(pair, numba, tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert not _pair.is_on_disk(_double_and_one)
    run(pair, 100.0)
    assert _pair.is_on_disk(_double_and_one)


def test_a_change_in_an_inner_function_is_seen(numba, tmp_path, monkeypatch):
    """What lies on disk is of the functions as they are, in whatever file they stand."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    function, code = _double, _double.__code__

    def made():
        pair = _pair.Pair(_double_and_one_numpy, _double_and_one)
        x = np.ones(1)
        pair.run(100.0, x)
        return float(x[0])

    assert made() == 3.0
    monkeypatch.setattr(function, "__code__", (lambda value: value * 5).__code__)
    assert not _pair.is_on_disk(_double_and_one)
    assert made() == 6.0
    monkeypatch.setattr(function, "__code__", code)
    assert _pair.is_on_disk(_double_and_one)
    assert made() == 3.0
