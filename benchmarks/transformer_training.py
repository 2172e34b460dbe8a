"""Training steps of a Transformer encoder, eager: dotori beside PyTorch.

    python benchmarks/transformer_training.py

Two layers (128 features, 4 heads, 512 in the network between), sequences of 64, batches
of 16, mean squared error, Adam. A step is zero_grad, forward, loss, backward, Adam.
dotori runs twice: with its kernels compiled by Numba, as a long training has them, and
on NumPy alone. PyTorch runs its fused Adam, at the better of one and two threads.
Before timing, both start from the same weights and must give the same losses over 10
steps without dropout, whose masks differ. Memory is the most that one step has beyond
what it began with: of NumPy's arrays by tracemalloc, of PyTorch's by its profiler.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import torch
from side_by_side import compare, describe_environment, table

import dotori
from dotori import kernels, nn, optim

FEATURES, HEADS, WIDE, LAYERS = 128, 4, 512, 2
BATCH, LENGTH = 16, 64
LIMIT = 0.9  # dotori's time over PyTorch's, at most
STEPS = 3  # in one timed call


def encoder(library: object, dropout: float) -> nn.Module | torch.nn.Module:
    layer = library.TransformerEncoderLayer(
        FEATURES, HEADS, WIDE, dropout, batch_first=True
    )
    return library.TransformerEncoder(layer, LAYERS)


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (2, BATCH, LENGTH, FEATURES)
    x, y = rng.standard_normal(shape, dtype=np.float32)
    return x, y


def torch_step(dropout: float) -> tuple[Callable, torch.nn.Module]:
    torch.manual_seed(0)
    model = encoder(torch.nn, dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss_of = torch.nn.MSELoss()
    x, y = map(torch.from_numpy, data())

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, model


def dotori_step(dropout: float, like: torch.nn.Module) -> Callable:
    model = encoder(nn, dropout)
    model.load_state_dict({k: v.numpy() for k, v in like.state_dict().items()})
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.MSELoss()
    x, y = map(dotori.from_numpy, data())

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def check_equal() -> None:
    step, model = torch_step(dropout=0.0)
    ours = dotori_step(0.0, model)
    theirs = [step() for _ in range(10)]
    np.testing.assert_allclose([ours() for _ in range(10)], theirs, rtol=2e-4)


def block(step: Callable, threads: int | None = None, mode: str = "numpy") -> Callable:
    """Several steps in one call, so that the clock and the thread pools settle."""

    def run() -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        kernels.use(mode)
        for _ in range(STEPS):
            step()

    return run


def peak_of_dotori(step: Callable) -> int:
    step()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - before


def peak_of_torch(step: Callable) -> int:
    """The highest sum of what was allocated and freed, in order."""
    step()
    activity = torch.profiler.ProfilerActivity.CPU
    with torch.profiler.profile(activities=[activity], profile_memory=True) as found:
        step()
    total = peak = 0
    for event in sorted(memory_events(found), key=lambda e: e.start_ns()):
        total += event.nbytes()
        peak = max(peak, total)
    return peak


def memory_events(found: torch.profiler.profile) -> list:
    events = found.profiler.kineto_results.events()
    return [e for e in events if e.name() == "[memory]"]


def main() -> None:
    check_equal()
    for dropout in (0.1, 0.0):
        theirs, model = torch_step(dropout)
        ours = dotori_step(dropout, model)
        medians = compare(
            {
                "dotori": block(ours, mode="numba"),
                "dotori, NumPy alone": block(dotori_step(dropout, model)),
                "PyTorch, 1 thread": block(theirs, 1),
                "PyTorch, 2 threads": block(theirs, 2),
            },
            repeats=11,
        )
        best = min(v for k, v in medians.items() if k.startswith("PyTorch"))
        print(f"dropout {dropout}: one step")
        print(table(medians, per=STEPS, unit="ms"))
        ratio = medians["dotori"] / best
        print(f"dotori / PyTorch at its best: {ratio:.2f} (wanted: <= {LIMIT})")
        peaks = peak_of_dotori(ours) / 2**20, peak_of_torch(theirs) / 2**20
        print(f"peak memory: dotori {peaks[0]:.1f} MB, PyTorch {peaks[1]:.1f} MB\n")
    print(describe_environment())


if __name__ == "__main__":
    main()
