"""Pieces of work on several threads."""

import os
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.kernels import _threads, in_parallel


@pytest.fixture
def three_threads():
    before = _threads._threads.number
    _threads.set_number(3)
    yield
    _threads.set_number(before)


@pytest.mark.usefixtures("three_threads")
@given(n=st.integers(0, 50), least=st.integers(0, 20))
def test_every_index_is_done_once(n, least):
    done = np.zeros(n, int)

    def run(start, stop):
        done[start:stop] += 1

    in_parallel(n, run, least)
    assert (done == 1).all()


@pytest.mark.usefixtures("three_threads")
def test_pieces_run_on_different_threads_and_are_not_cut_again():
    seen = []
    both = threading.Barrier(3, timeout=30)

    def run(start, stop):
        both.wait()
        in_parallel(stop - start, lambda a, b: seen.append((start + a, start + b)))

    in_parallel(9, run)
    # the caller's own piece may be cut; the others are not
    assert {(3, 6), (6, 9)} <= set(seen)


@pytest.mark.usefixtures("three_threads")
def test_a_failure_in_a_piece_reaches_the_caller():
    def run(start, stop):
        if start:
            raise ValueError(f"piece {start}")

    with pytest.raises(ValueError, match="piece 2"):
        in_parallel(6, run)


@pytest.mark.usefixtures("three_threads")
def test_warnings_that_are_off_stay_off_in_the_threads():
    x = np.zeros(9)
    with np.errstate(all="ignore"):
        in_parallel(9, lambda i, j: np.divide(1.0, x[i:j], out=x[i:j]))
    assert np.isinf(x).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.usefixtures("three_threads")
def test_a_forked_child_makes_threads_of_its_own():
    in_parallel(3, lambda i, j: None)
    child = os.fork()
    if not child:
        done = []
        in_parallel(3, lambda i, j: done.append(i))
        os._exit(0 if sorted(done) == [0, 1, 2] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_number_of_threads_follows_the_environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert _threads._cores() == 5
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert 1 <= _threads._cores() <= os.cpu_count()


@pytest.mark.usefixtures("three_threads")
def test_products_in_pieces_stay_in_their_thread_and_the_number_comes_back():
    threadpoolctl = pytest.importorskip("threadpoolctl", reason="counts BLAS threads")

    def numbers():
        pools = threadpoolctl.threadpool_info()
        return [p["num_threads"] for p in pools if "numpy" in p["filepath"]]

    for _ in range(300):  # a thread of an earlier test may hold it for a while
        if not _threads.one_blas_thread._inside:
            break
        time.sleep(0.1)
    before = numbers()
    with _threads.one_blas_thread:
        with _threads.one_blas_thread:
            assert set(numbers()) <= {1}
        assert set(numbers()) <= {1}
    assert numbers() == before
