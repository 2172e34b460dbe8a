"""Compiled elementary functions against NumPy in a wider type, in units of the last place.

One step works them all out, for both types, so that the tests compile once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="functions are compiled by Numba")

NAMES = ("exp", "expm1", "log", "log1p", "tanh", "sigmoid", "erf")
#: What `dotori.compiler.native.functions` promises.
BOUNDS = dict(zip(NAMES, (1.1, 2, 1, 2, 3, 2, 3), strict=True))
PAIRS = ("power", "logaddexp")
KINDS = (np.float32, np.float64)


def source() -> str:
    lines = ["def step(table, thread, threads):", "    n = int64(table, 0, (1,))[0]"]
    slot = 1
    for kind in ("float32", "float64"):
        lines += [f"    x{kind} = {kind}(table, {slot}, (n,))"]
        lines += [f"    y{kind} = {kind}(table, {slot + 1}, (n,))"]
        slot += 2
        for name in NAMES + PAIRS:
            given = f"x{kind}[i]" + (f", y{kind}[i]" if name in PAIRS else "")
            lines += [f"    out = {kind}(table, {slot}, (n,))"]
            lines += [
                "    for i in range(n):",
                f"        out[i] = {name}({given})",
            ]
            slot += 1
    return "\n".join([*lines, "    return 0"])


@pytest.fixture(scope="module")
def step() -> Any:
    from dotori.compiler.native.runtime import load

    return load(source())


def worked_out(step: Any, x: Any, y: Any = None) -> dict[Any, dict[str, Any]]:
    """All functions of x (and y), given in float64, by type and name."""
    arrays: list[Any] = [np.array([x.size])]
    made: dict[Any, dict[str, Any]] = {}
    for kind in KINDS:
        with np.errstate(all="ignore"):
            arrays.append(x.astype(kind))
            arrays.append((x if y is None else y).astype(kind))
        made[kind] = {name: np.empty(x.size, kind) for name in NAMES + PAIRS}
        arrays += made[kind].values()
    assert step(np.array([a.ctypes.data for a in arrays])) == 0
    return made


def arguments(kind: Any) -> Any:
    """10,000 numbers: usual ones, ones of all sizes, and the ends of where e^x is one."""
    rng = np.random.default_rng(0)
    low, high = (-103, 88.7) if kind is np.float32 else (-745, 709.7)
    span = 85 if kind is np.float32 else 700
    sizes = np.exp(rng.uniform(-span, 6, 4000)) * rng.choice([-1, 1], 4000)
    parts = [rng.normal(0, 3, 3000), sizes, rng.uniform(low, high, 1500)]
    return np.concatenate([*parts, rng.uniform(-2, 2, 1500)]).astype(kind)


def wide_erf(x: Any) -> Any:
    return np.array([math.erf(v) for v in x.astype(np.float64)])


def expected(name: str, x: Any) -> Any:
    if name == "sigmoid":
        return 1 / (1 + np.exp(-x))
    return wide_erf(x) if name == "erf" else getattr(np, name)(x)


def distance(found: Any, right: Any, kind: Any) -> Any:
    """In units of the last place that numbers of this type have there."""
    unit = np.spacing(np.abs(right).astype(kind)).astype(right.dtype)
    return np.abs(found.astype(right.dtype) - right) / unit


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_within_what_is_promised(step: Any, kind: Any, name: str) -> None:
    wider = np.float64 if kind is np.float32 else np.longdouble
    if kind is np.float64 and name != "erf" and np.finfo(wider).nmant < 60:
        pytest.skip("long double is no wider than float64 here")
    x = arguments(kind)
    if name in ("log", "log1p"):
        x = np.abs(x) if name == "log" else x[x > -1]
    if name == "sigmoid":
        x = x[x > (-88 if kind is np.float32 else -708)]  # e^-x is finite
    found = worked_out(step, x.astype(np.float64))[kind][name]
    with np.errstate(all="ignore"):
        right = expected(name, x.astype(wider))
        rounded = right.astype(kind)
        finite = np.isfinite(rounded)
        errors = distance(found, right, kind)[finite]
    assert finite.sum() > 0.9 * x.size
    assert np.array_equal(found[~finite], rounded[~finite])
    # C's erf, the oracle in float64, is itself off by one
    assert errors.max() <= BOUNDS[name] + (name == "erf" and kind is np.float64)


def test_erf_against_many_digits(step: Any) -> None:
    mp = pytest.importorskip("mpmath", reason="the oracle in many digits")
    x = np.linspace(-6.5, 6.5, 801)
    found = worked_out(step, x)[np.float64]["erf"]
    with mp.workdps(40):
        right = [mp.erf(mp.mpf(float(v))) for v in x]
        errors = [
            abs((mp.mpf(float(y)) - r) / mp.mpf(float(np.spacing(abs(float(r))))))
            for y, r in zip(found, right, strict=True)
            if r != 0
        ]
    assert max(errors) <= BOUNDS["erf"]


@pytest.mark.parametrize("kind", KINDS)
def test_special_numbers_come_out_as_in_numpy(step: Any, kind: Any) -> None:
    tiny, last = np.finfo(kind).smallest_subnormal, np.finfo(kind).max
    ends = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, last, -last]
    x = np.array([*ends, tiny, -tiny, 89.0, 710.0, -104.0, -746.0], np.float64)
    found = worked_out(step, x)[kind]
    with np.errstate(all="ignore"):
        x = x.astype(kind)
        for name in NAMES:
            right = expected(name, x).astype(kind)
            got = found[name]
            same = np.isclose(got, right, rtol=1e-6, atol=0, equal_nan=True)
            assert same.all(), (name, x[~same], got[~same], right[~same])
            signs = np.signbit(got) == np.signbit(right)
            assert (signs | np.isnan(right)).all(), name


@pytest.mark.parametrize("kind", KINDS)
def test_power_of_all_sizes(step: Any, kind: Any) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.lognormal(0, 2, 3000), rng.normal(0, 8, 3000)
    x, y = x.astype(kind).astype(np.float64), y.astype(kind).astype(np.float64)
    found = worked_out(step, x, y)[kind]["power"]
    with np.errstate(all="ignore"):
        right = np.power(x, y)
        finite = np.isfinite(right.astype(kind))
        assert distance(found, right, kind)[finite].max() <= 1
    assert finite.mean() > 0.9


def test_power_of_special_numbers(step: Any) -> None:
    ends = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -3.5, math.inf, -math.inf, math.nan]
    powers = [*ends, 3.0, -3.0, 4.0, -4.0, 2.5]
    x, y = (g.ravel() for g in np.meshgrid(ends, powers))
    for kind, found in worked_out(step, x, y).items():
        with np.errstate(all="ignore"):
            right = np.power(x, y).astype(kind)
        got = found["power"]
        same = np.isclose(got, right, rtol=1e-6, atol=0, equal_nan=True)
        same &= (np.signbit(got) == np.signbit(right)) | np.isnan(right)
        assert same.all(), list(zip(x[~same], y[~same], got[~same], strict=True))


def test_logaddexp(step: Any) -> None:
    rng = np.random.default_rng(2)
    ends = np.array([0.0, math.inf, -math.inf, math.nan, 1e30, -1e30])
    corners = np.meshgrid(ends, ends)
    x = np.concatenate([rng.normal(0, 20, 2000), corners[0].ravel()])
    y = np.concatenate([rng.normal(0, 20, 2000), corners[1].ravel()])
    for kind, found in worked_out(step, x, y).items():
        with np.errstate(all="ignore"):
            right = np.logaddexp(x.astype(kind), y.astype(kind))
        tolerance = 4 * np.finfo(kind).eps
        assert np.allclose(
            found["logaddexp"], right, rtol=tolerance, atol=tolerance, equal_nan=True
        )


def test_loops_over_exp_become_vectors() -> None:
    from dotori.compiler.native import build, machine

    text = build.lowered(
        "def step(table, thread, threads):\n"
        "    x = float32(table, 0, (4096,))\n"
        "    for i in range(4096):\n"
        "        x[i] = exp(x[i])\n"
        "    return 0\n"
    )
    assert " x float> " in text  # arithmetic of vectors
    assert machine.assembled(text)[1] == []  # nothing is called
