"""Every kernel beside its twin: one without a twin, or without inputs here, fails."""

import pkgutil
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from dotori import kernels
from dotori.kernels import _compiler, _pair, optim, paired, registry

for _module in pkgutil.iter_modules(kernels.__path__):  # each registers its kernels
    import_module(f"dotori.kernels.{_module.name}")

# The scalars of each kernel, in several settings; arrays come first, None leaves one out.
A = "array"
CASES = {
    "adam": [
        (A, A, A, A, None, 0.01, 0.1, 0.001, 0.999, 1e-8, 0.0, 1.0),
        (A, A, A, A, A, 0.01, 0.1, 0.001, 0.999, 1e-8, 0.3, 0.9),
    ],
    "sgd": [
        (A, A, None, 0.1, 0.0, 1.0, 0.0, False, False),
        (A, A, A, 0.1, 0.9, 0.7, 0.2, True, False),
        (A, A, A, 0.1, 0.9, 1.0, 0.0, False, True),
    ],
    "rmsprop": [
        (A, A, A, None, None, 0.1, 0.99, 0.01, 1e-8, 0.0, 0.0),
        (A, A, A, A, A, 0.1, 0.99, 0.01, 1e-8, 0.3, 0.9),
    ],
    "adagrad": [(A, A, A, 0.1, 1e-10)],
    "adadelta": [(A, A, A, A, 0.5, 0.9, 0.1, 1e-6)],
    "adamax": [(A, A, A, A, 0.1, 0.1, 0.999, 1e-8)],
    "nadam": [(A, A, A, A, 0.05, 0.06, 0.1, 0.001, 0.999, 3.0, 1e-8)],
    "radam": [
        (A, A, A, A, 0.05, 0.1, 0.001, 0.999, 1e-8, True),
        (A, A, A, A, 0.05, 0.1, 0.001, 0.999, 1e-8, False),
    ],
}
SIZES = [0, 1, 7, 70_000]

# Kernels whose arrays have shapes of their own: functions of a random generator and a
# type that give the arguments, in files `kernel_samples_*.py` beside this one.
SHAPED = {}
sys.path.insert(0, str(Path(__file__).parent))
for _path in sorted(Path(__file__).parent.glob("kernel_samples_*.py")):
    SHAPED |= import_module(_path.stem).SHAPED


def arguments(case, n, dtype, seed=0):
    """Small numbers, and a third array (a mean of squares) that is above all squares."""
    rng = np.random.default_rng(seed)
    drawn = [0.1 * np.abs(rng.standard_normal(n)) + (i == 2) for i in range(len(case))]
    arrays = iter([array.astype(dtype) for array in drawn])
    return [next(arrays) if a == A else a for a in case]


def outcome(function, args):
    with np.errstate(all="ignore"):
        function(*args)
    return [a for a in args if isinstance(a, np.ndarray)]


def every_case():
    return [(name, case) for name, cases in CASES.items() for case in cases]


def test_every_kernel_has_a_twin_and_cases():
    assert set(registry) == set(CASES) | set(SHAPED), "give each kernel its inputs here"
    for pair in registry.values():
        assert callable(pair.twin) and pair.twin.__doc__
    with pytest.raises(TypeError):
        paired()(lambda p: None)
    with pytest.raises(TypeError, match="exists already"):
        paired(optim.sgd_numpy)(registry["sgd"].loop)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "case"), every_case(), ids=str)
def test_the_plain_loop_is_its_twin_bit_for_bit(name, case, dtype):
    pair, scalar = registry[name], np.dtype(dtype).type
    for n in SIZES[:3]:
        mine, twins = (arguments(case, n, dtype) for _ in range(2))
        mine = [scalar(a) if type(a) is float else a for a in mine]
        for x, y in zip(
            outcome(pair.loop, mine), outcome(pair.twin, twins), strict=True
        ):
            np.testing.assert_array_equal(x, y)
            assert x.dtype == y.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "case"), every_case(), ids=str)
def test_the_compiled_loop_is_its_twin_bit_for_bit(name, case, dtype):
    pytest.importorskip("numba", reason="compiles the kernels")
    pair = registry[name]
    for n in SIZES:
        mine, twins = (arguments(case, n, dtype) for _ in range(2))
        if n:
            mine[1][0] = twins[1][0] = np.nan  # must come through, and nowhere else
        gradient = mine[1].copy()
        kernels.use("numba")
        try:
            found = outcome(pair, mine)
        finally:
            kernels.use("auto")
        for x, y in zip(found, outcome(pair.twin, twins), strict=True):
            np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(mine[1], gradient)
        if n:
            assert np.isnan(mine[0][0]) and np.isfinite(mine[0][1:]).all()


def shaped_cases():
    return [(name, i) for name, makers in SHAPED.items() for i in range(len(makers))]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "i"), shaped_cases())
def test_the_compiled_loop_on_shapes_is_its_twin_bit_for_bit(name, i, dtype):
    pytest.importorskip("numba", reason="compiles the kernels")
    mine, twins = (SHAPED[name][i](np.random.default_rng(3), dtype) for _ in range(2))
    kernels.use("numba")
    try:
        found = outcome(registry[name], list(mine))
    finally:
        kernels.use("auto")
    wanted = outcome(registry[name].twin, list(twins))
    for x, y in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(x, y)


def test_small_work_never_waits_for_the_compiler():
    pair = _pair.Pair(optim.sgd_numpy, registry["sgd"].loop)
    pair(*arguments(CASES["sgd"][0], 1000, np.float32))
    assert "NumPy so far" in repr(pair)


def test_without_numba_the_twin_runs(monkeypatch):
    monkeypatch.setattr(_pair, "find_spec", lambda name: None)
    monkeypatch.setattr(_pair, "WORTH_COMPILING", 0)
    pair = _pair.Pair(optim.sgd_numpy, registry["sgd"].loop)
    mine, twins = (arguments(CASES["sgd"][0], 9, np.float32) for _ in range(2))
    for x, y in zip(outcome(pair, mine), outcome(pair.twin, twins), strict=True):
        np.testing.assert_array_equal(x, y)
    assert "NumPy so far" in repr(pair)


def test_a_child_process_never_compiles(monkeypatch):
    monkeypatch.setattr(_compiler, "_process", -1)
    monkeypatch.setattr(_pair, "WORTH_COMPILING", 0)
    pair = _pair.Pair(optim.sgd_numpy, registry["sgd"].loop)
    pair(*arguments(CASES["sgd"][0], 9, np.float32))
    assert "NumPy so far" in repr(pair) and not kernels.pending()


def when_done(condition):
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_compiling_goes_on_beside_the_work(monkeypatch):
    """The call that asks for it does not wait; the loop takes over when it is there."""
    pytest.importorskip("numba", reason="compiles the kernels")
    monkeypatch.setattr(_pair, "WORTH_COMPILING", 0)
    go_on = threading.Event()
    real = _compiler.dispatcher

    def held(loop):
        go_on.wait(60)
        return real(loop)

    monkeypatch.setattr(_compiler, "dispatcher", held)
    pair = _pair.Pair(optim.sgd_numpy, registry["sgd"].loop)
    case = CASES["sgd"][1]
    before = arguments(case, 1000, np.float32)
    pair(*before)
    pair(*arguments(case, 1000, np.float32))
    assert kernels.pending() == 1 and "NumPy so far" in repr(pair)
    go_on.set()
    assert when_done(lambda: not kernels.pending()) and "compiled" in repr(pair)
    after = arguments(case, 1000, np.float32)
    pair(*after)
    for x, y in zip(before[:3], after[:3], strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_kernel_that_does_not_compile_is_reported_and_the_twin_goes_on(
    monkeypatch, caplog
):
    pytest.importorskip("numba", reason="compiles the kernels")
    monkeypatch.setattr(_pair, "WORTH_COMPILING", 0)

    def broken(p, g, momentum, *rest):
        p[0] = "text"

    pair = _pair.Pair(optim.sgd_numpy, broken)
    pair(*arguments(CASES["sgd"][0], 9, np.float32))
    assert when_done(lambda: not kernels.pending())
    assert "compiling broken failed" in caplog.text and "NumPy so far" in repr(pair)


def test_an_unknown_choice_is_refused():
    with pytest.raises(ValueError, match="'auto', 'numba' or 'numpy', got 'fast'"):
        kernels.use("fast")
