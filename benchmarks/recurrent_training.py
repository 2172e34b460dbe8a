"""Training steps of an RNN, a GRU and an LSTM, eager: dotori beside PyTorch.

    python benchmarks/recurrent_training.py

One layer, 50 steps, batch 32, 128 features in and 128 out, float32. A training step is
zero_grad, forward, mean squared error, backward, Adam. dotori runs twice: with its
kernels compiled by Numba, as a long training has them, and on NumPy alone. PyTorch runs
its fused Adam, at the better of one and two threads. Before timing, both libraries
start from the same weights and must give the same losses over 20 steps. Peak memory is
that of five steps in a process of its own, above what it held before them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import torch
from side_by_side import compare, describe_environment, table

import dotori
from dotori import kernels, nn, optim

TIME, BATCH, FEATURES = 50, 32, 128
STEPS = 20  # in one timed call
LIMITS = {"RNN": 0.5, "GRU": 0.5, "LSTM": 1.0}  # dotori's time over PyTorch's, at most


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (TIME, BATCH, FEATURES)
    x, y = (rng.standard_normal(shape, dtype=np.float32) for _ in range(2))
    return x, np.tanh(y)


def torch_step(kind: str) -> tuple[Callable[[], float], torch.nn.Module]:
    torch.manual_seed(0)
    model = getattr(torch.nn, kind)(FEATURES, FEATURES)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss_of = torch.nn.MSELoss()
    x, y = map(torch.from_numpy, data())

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x)[0], y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, model


def dotori_step(kind: str, like: torch.nn.Module) -> Callable[[], float]:
    model = getattr(nn, kind)(FEATURES, FEATURES)
    model.load_state_dict({k: v.numpy() for k, v in like.state_dict().items()})
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.MSELoss()
    x, y = map(dotori.from_numpy, data())

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x)[0], y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def check_equal(kind: str) -> None:
    step, model = torch_step(kind)
    ours = dotori_step(kind, model)
    theirs = [step() for _ in range(20)]
    np.testing.assert_allclose([ours() for _ in range(20)], theirs, rtol=2e-4)


def block(
    step: Callable[[], float], threads: int | None = None, mode: str = "numpy"
) -> Callable[[], None]:
    """Some steps in one call, so that the clock and the thread pools settle."""

    def run() -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        kernels.use(mode)
        for _ in range(STEPS):
            step()

    return run


def peak_memory(side: str, kind: str) -> float:
    """MiB above the start, in a process of its own; NaN where this is not Linux."""
    if not sys.platform.startswith("linux"):
        return float("nan")
    command = [sys.executable, __file__, side, kind]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)


def print_peak_memory(side: str, kind: str) -> None:
    step, model = torch_step(kind)
    kernels.use("numpy")
    if side == "dotori":
        step = dotori_step(kind, model)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak is that from here on
    before = status("VmRSS")
    for _ in range(5):
        step()
    print((status("VmHWM") - before) / 1024)


def status(name: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def main() -> None:
    for kind, limit in LIMITS.items():
        check_equal(kind)
        theirs, model = torch_step(kind)
        medians = compare(
            {
                "dotori": block(dotori_step(kind, model), mode="numba"),
                "dotori, NumPy alone": block(dotori_step(kind, model)),
                "PyTorch, 1 thread": block(theirs, 1),
                "PyTorch, 2 threads": block(theirs, 2),
            },
            repeats=15,
        )
        best = min(v for k, v in medians.items() if k.startswith("PyTorch"))
        print(f"{kind}: one step")
        print(table(medians, per=STEPS))
        ratio = medians["dotori"] / best
        print(f"dotori / PyTorch at its best: {ratio:.2f} (wanted: <= {limit})")
        peaks = {side: peak_memory(side, kind) for side in ("dotori", "PyTorch")}
        print("peak memory:", *(f"{s} {m:.1f} MiB" for s, m in peaks.items()), "\n")
    print(describe_environment())


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print_peak_memory(sys.argv[1], sys.argv[2])
    else:
        main()
