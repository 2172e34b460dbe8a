"""A network's training step in dotori and in PyTorch, from the same description.

The benchmarks of layers describe their networks as `Case`, once for both libraries, and
call `main`. A step is zero_grad, forward, loss, backward, Adam. Before timing, both
libraries start from the same weights and must give the same losses over five steps, and
nearly the same gradients. PyTorch runs fused Adam, at the better of one thread and all.
Pictures lie channels last for both. Freed memory is kept for both, which helps PyTorch
too. Peak memory is that of a process of its own, above what importing takes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side import compare, describe_environment, table


@dataclass
class Case:
    """What is trained on what; `build` gets ``dotori.nn`` or ``torch.nn``."""

    name: str
    build: Callable[[Any], Any]
    data: Callable[[], tuple[np.ndarray, np.ndarray]]
    loss: str
    limit: float  # dotori's time over PyTorch's, at most
    steps: int = 1  # in one timed call
    pictures: bool = False
    same: bool = True  # False where random masks differ


def torch_step(case: Case) -> tuple[Callable[[], float], Any]:
    import torch

    torch.manual_seed(0)
    net = case.build(torch.nn)
    x, y = map(torch.from_numpy, case.data())
    if case.pictures:
        net, x = (v.to(memory_format=torch.channels_last) for v in (net, x))
        y = y.to(memory_format=torch.channels_last) if y.ndim == 4 else y
    return _step(case, torch, net, x, y, {"fused": True}), net


def dotori_step(case: Case, like: Any = None) -> tuple[Callable[[], float], Any]:
    import dotori
    from dotori import nn

    net = case.build(nn)
    if like is not None:
        net.load_state_dict({k: v.numpy() for k, v in like.state_dict().items()})
    x, y = map(dotori.from_numpy, case.data())
    if case.pictures:
        x = x.to(memory_format=dotori.channels_last)
        y = y.to(memory_format=dotori.channels_last) if y.ndim == 4 else y
    return _step(case, dotori, net, x, y, {}), net


def _step(
    case: Case, library: Any, net: Any, x: Any, y: Any, options: dict[str, Any]
) -> Callable[[], float]:
    optimizer = library.optim.Adam(net.parameters(), **options)
    loss_of = getattr(library.nn.functional, case.loss)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def check_equal(case: Case) -> None:
    theirs, twin = torch_step(case)
    ours, net = dotori_step(case, twin)
    a, b = ours(), theirs()
    np.testing.assert_allclose(a, b, rtol=1e-5)
    wanted = dict(twin.named_parameters())
    for key, p in net.named_parameters():
        h = wanted[key].grad.numpy()
        distance = np.linalg.norm(p.grad.numpy() - h)
        assert distance <= 2e-3 * np.linalg.norm(h) + 1e-6, f"gradient of {key}"
    later = [(ours(), theirs()) for _ in range(4)]
    np.testing.assert_allclose(*zip(*later, strict=True), rtol=5e-3)


def several(step: Callable[[], float], n: int, threads: int = 0) -> Callable[[], None]:
    def run() -> None:
        if threads:
            sys.modules["torch"].set_num_threads(threads)
        for _ in range(n):
            step()

    return run


def peak_memory(script: str, side: str, case: Case) -> float:
    """MB above the imports, of a process that takes ten steps."""
    command = [sys.executable, script, "--peak", side, case.name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def _print_peak(side: str, case: Case) -> None:
    from dotori import backend, kernels, nn, optim

    backend.keep_memory()
    if side == "dotori":
        kernels.use("numba")
        assert __import__("numba") and nn and optim
    else:
        assert __import__("torch")
    before = _peak_so_far()
    step, _ = dotori_step(case) if side == "dotori" else torch_step(case)
    for _ in range(10):
        step()
    print(_peak_so_far() - before)


def _peak_so_far() -> float:
    """MB, from Linux; `getrusage` would count the parent's memory too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def run(script: str, case: Case, repeats: int) -> None:
    import torch

    if case.same:
        check_equal(case)
    theirs, twin = torch_step(case)
    ours, _ = dotori_step(case, twin)
    sides = {"dotori": several(ours, case.steps)}
    for n in sorted({1, torch.get_num_threads()}):
        sides[f"PyTorch, {n} threads"] = several(theirs, case.steps, n)
    medians = compare(sides, repeats=repeats, warmup=2)
    best = min(v for k, v in medians.items() if k.startswith("PyTorch"))
    print(f"{case.name}: one step")
    print(table(medians, per=case.steps, unit="ms"))
    ratio = medians["dotori"] / best
    print(f"dotori / PyTorch at its best: {ratio:.2f} (wanted: <= {case.limit})")
    mine, other = (peak_memory(script, s, case) for s in ("dotori", "PyTorch"))
    print(f"peak memory: dotori {mine:.0f} MB, PyTorch {other:.0f} MB\n")


def main(script: str, description: str, cases: Sequence[Case]) -> None:
    by_name = {case.name: case for case in cases}
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("names", nargs="*", help=", ".join(by_name))
    parser.add_argument("--peak", nargs=2, metavar=("SIDE", "NAME"))
    parser.add_argument("--repeats", type=int, default=11)
    options = parser.parse_args()
    if options.peak:
        _print_peak(options.peak[0], by_name[options.peak[1]])
        return
    from dotori import backend, kernels

    backend.keep_memory()
    kernels.use("numba")
    for name in options.names or by_name:
        run(script, by_name[name], options.repeats)
    print(describe_environment())
