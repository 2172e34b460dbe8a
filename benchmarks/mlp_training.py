"""Training steps of two MLPs, eager: dotori beside PyTorch and hand-written NumPy.

    python benchmarks/mlp_training.py

dotori runs twice: with its kernels compiled by Numba, as a long training has them, and
on NumPy alone. A step is zero_grad, forward, loss, backward, Adam. PyTorch runs its
fused Adam, at the better of one and two threads. Before timing, both libraries start
from the same weights and must give the same losses over 20 steps (without dropout,
whose masks differ).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from side_by_side import compare, describe_environment, table

import dotori
from dotori import kernels, nn, optim


@dataclass
class Case:
    name: str
    sizes: tuple[int, ...]
    batch: int
    dropout: float
    classes: bool
    limit: float  # dotori's time over PyTorch's, at most
    steps: int  # in one timed call


CASES = [
    Case("13-64-32-1, dropout, MSE", (13, 64, 32, 1), 32, 0.1, False, 0.5, 300),
    Case("784-256-128-10, classes", (784, 256, 128, 10), 64, 0.0, True, 0.9, 100),
]


def data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((case.batch, case.sizes[0]), dtype=np.float32)
    if case.classes:
        return x, rng.integers(0, case.sizes[-1], case.batch)
    return x, rng.standard_normal((case.batch, 1), dtype=np.float32)


def layers(case: Case, library: object, dropout: float) -> list:
    found = []
    for i, (n, m) in enumerate(zip(case.sizes, case.sizes[1:], strict=False)):
        found.append(library.Linear(n, m))
        if i < len(case.sizes) - 2:
            found.append(library.ReLU())
            if dropout:
                found.append(library.Dropout(dropout))
    return found


def torch_step(case: Case, dropout: float) -> tuple[Callable, torch.nn.Module]:
    torch.manual_seed(0)
    model = torch.nn.Sequential(*layers(case, torch.nn, dropout))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss_of = torch.nn.CrossEntropyLoss() if case.classes else torch.nn.MSELoss()
    x, y = map(torch.from_numpy, data(case))

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, model


def dotori_step(case: Case, dropout: float, like: torch.nn.Module) -> Callable:
    model = nn.Sequential(*layers(case, nn, dropout))
    model.load_state_dict({k: v.numpy() for k, v in like.state_dict().items()})
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss() if case.classes else nn.MSELoss()
    x, y = map(dotori.from_numpy, data(case))

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def numpy_step(case: Case, like: torch.nn.Module) -> Callable:
    """The same by hand: no graph, no classes, Adam over one flat array."""
    parameters = [p.detach().numpy() for p in like.parameters()]
    flat = np.concatenate([p.ravel() for p in parameters])
    grad, m, v = np.zeros_like(flat), np.zeros_like(flat), np.zeros_like(flat)
    t1, t2 = np.empty_like(flat), np.empty_like(flat)
    bounds = np.cumsum([0, *(p.size for p in parameters)])
    views = [
        (flat[a:b].reshape(p.shape), grad[a:b].reshape(p.shape))
        for a, b, p in zip(bounds, bounds[1:], parameters, strict=False)
    ]
    weights, biases = views[0::2], views[1::2]
    x, y = data(case)
    rng = np.random.default_rng(1)
    rows, n = np.arange(case.batch), 0

    def step() -> float:
        nonlocal n
        inputs, masks, h = [], [], x
        for i, ((w, _), (b, _)) in enumerate(zip(weights, biases, strict=True)):
            inputs.append(h)
            h = h @ w.T
            h += b
            if i < len(weights) - 1:
                np.maximum(h, 0, out=h)
                if case.dropout:
                    kept = rng.random(h.shape, dtype=np.float32) >= case.dropout
                    masks.append(kept * np.float32(1 / (1 - case.dropout)))
                    h *= masks[-1]
        if case.classes:
            h -= h.max(axis=1, keepdims=True)
            p = np.exp(h)
            p /= p.sum(axis=1, keepdims=True)
            loss = -np.log(p[rows, y]).mean()
            p[rows, y] -= 1
            d = p / np.float32(case.batch)
        else:
            d = h - y
            loss = np.dot(d.ravel(), d.ravel()) / d.size
            d *= np.float32(2 / d.size)
        for i in range(len(weights) - 1, -1, -1):
            np.matmul(d.T, inputs[i], out=weights[i][1])
            np.sum(d, axis=0, out=biases[i][1])
            if i:
                d = d @ weights[i][0]
                if masks:
                    d *= masks[i - 1]
                d *= inputs[i] > 0
        n += 1
        np.subtract(grad, m, out=t1)
        np.multiply(t1, np.float32(0.1), out=t1)
        np.add(m, t1, out=m)
        np.multiply(grad, grad, out=t1)
        np.subtract(t1, v, out=t1)
        np.multiply(t1, np.float32(0.001), out=t1)
        np.add(v, t1, out=v)
        np.sqrt(v, out=t1)
        np.divide(t1, np.float32((1 - 0.999**n) ** 0.5), out=t1)
        np.add(t1, np.float32(1e-8), out=t1)
        np.divide(m, t1, out=t2)
        np.multiply(t2, np.float32(1e-3 / (1 - 0.9**n)), out=t2)
        np.subtract(flat, t2, out=flat)
        return float(loss)

    return step


def check_equal(case: Case) -> None:
    step, model = torch_step(case, dropout=0.0)
    ours = dotori_step(case, 0.0, copy.deepcopy(model))
    theirs = [step() for _ in range(20)]
    np.testing.assert_allclose([ours() for _ in range(20)], theirs, rtol=2e-4)


def block(
    step: Callable, steps: int, threads: int | None = None, mode: str = "numpy"
) -> Callable:
    """`steps` steps in one call, so that the clock and the thread pools settle."""

    def run() -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        kernels.use(mode)
        for _ in range(steps):
            step()

    return run


def main() -> None:
    for case in CASES:
        check_equal(case)
        theirs, model = torch_step(case, case.dropout)
        steps = case.steps
        medians = compare(
            {
                "dotori": block(
                    dotori_step(case, case.dropout, model), steps, mode="numba"
                ),
                "dotori, NumPy alone": block(
                    dotori_step(case, case.dropout, model), steps
                ),
                "PyTorch, 1 thread": block(theirs, steps, 1),
                "PyTorch, 2 threads": block(theirs, steps, 2),
                "NumPy by hand": block(numpy_step(case, copy.deepcopy(model)), steps),
            },
            repeats=15,
        )
        best = min(v for k, v in medians.items() if k.startswith("PyTorch"))
        print(f"{case.name}: one step")
        print(table(medians, per=steps))
        ratio = medians["dotori"] / best
        print(f"dotori / PyTorch at its best: {ratio:.2f} (wanted: <= {case.limit})\n")
    print(describe_environment())


if __name__ == "__main__":
    main()
