"""A network's training step in dotori and in PyTorch, from one description.

The benchmarks of layers describe their networks as `Case`, once for both libraries, and
call `main`. A step is zero_grad, forward, loss, backward, Adam. Before timing, both
libraries start from the same weights and must give the same losses over five steps, and
nearly the same gradients. dotori runs with its kernels compiled by Numba, as a long
training has them, and on NumPy alone; PyTorch runs fused Adam, at the better of one
thread and all. Pictures lie channels last for both. Freed memory is kept for both,
which helps PyTorch too. Peak memory is that of ten steps in a process of its own, above
what it held before them, when a step on a few samples had loaded and compiled it all.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side import compare, describe_environment, table

#: A training step: takes inputs and targets, gives the loss, as a tensor.
Step = Callable[[Any, Any], Any]


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
    checked: Callable[[Any], Any] | None = None  # the network without random masks


def torch_step(case: Case, build: Any = None) -> tuple[Callable[[], float], Any]:
    """One training step in PyTorch for each call, and the network."""
    step, (x, y), net = torch_parts(case, build)
    return lambda: float(step(x, y).item()), net


def dotori_step(
    case: Case, like: Any = None, build: Any = None
) -> tuple[Callable[[], float], Any]:
    """One training step in dotori for each call, and the network."""
    step, (x, y), net = dotori_parts(case, like, build)
    return lambda: float(step(x, y).item()), net


def torch_parts(case: Case, build: Any = None) -> tuple[Step, tuple[Any, Any], Any]:
    """``step(x, y)``, the data, and the network, from PyTorch's seed 0."""
    import torch

    torch.manual_seed(0)
    net = (build or case.build)(torch.nn)
    x, y = map(torch.from_numpy, case.data())
    if case.pictures:
        net, x = (v.to(memory_format=torch.channels_last) for v in (net, x))
        y = y.to(memory_format=torch.channels_last) if y.ndim == 4 else y
    return _step(case, torch, net, {"fused": True}), (x, y), net


def dotori_parts(
    case: Case, like: Any = None, build: Any = None
) -> tuple[Step, tuple[Any, Any], Any]:
    """``step(x, y)``, the data, and the network, with PyTorch's weights in `like`."""
    import dotori

    net = (build or case.build)(dotori.nn)
    if like is not None:
        net.load_state_dict({k: v.numpy() for k, v in like.state_dict().items()})
    x, y = map(dotori.from_numpy, case.data())
    if case.pictures:
        x = x.to(memory_format=dotori.channels_last)
        y = y.to(memory_format=dotori.channels_last) if y.ndim == 4 else y
    return _step(case, dotori, net, {}), (x, y), net


def _step(case: Case, library: Any, net: Any, options: dict[str, Any]) -> Step:
    optimizer = library.optim.Adam(net.parameters(), **options)
    loss_of = getattr(library.nn.functional, case.loss)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def check_equal(case: Case) -> None:
    theirs, twin = torch_step(case, case.checked)
    ours, net = dotori_step(case, twin, case.checked)
    np.testing.assert_allclose(ours(), theirs(), rtol=1e-5)
    wanted = dict(twin.named_parameters())
    for key, p in net.named_parameters():
        h = wanted[key].grad.numpy()
        distance = np.linalg.norm(p.grad.numpy() - h)
        assert distance <= 2e-3 * np.linalg.norm(h) + 1e-6, f"gradient of {key}"
    later = [(ours(), theirs()) for _ in range(4)]
    np.testing.assert_allclose(*zip(*later, strict=True), rtol=5e-3)


def several(
    step: Callable[[], float], n: int, mode: str = "numba", threads: int = 0
) -> Callable[[], None]:
    """Some steps in one call, so that the clock and the thread pools settle."""
    from dotori import kernels

    def run() -> None:
        if threads:
            sys.modules["torch"].set_num_threads(threads)
        kernels.use(mode)
        for _ in range(n):
            step()

    return run


def peak_memory(script: str, side: str, case: Case) -> float:
    """MB of ten steps in a process of its own; NaN where this is not Linux."""
    if not sys.platform.startswith("linux"):
        return float("nan")
    command = [sys.executable, script, "--peak", side, case.name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def _print_peak(side: str, case: Case) -> None:
    from dotori import backend, kernels

    backend.keep_memory()
    kernels.use("numba")
    prepare = dotori_step if side == "dotori" else torch_step
    small = replace(case, data=lambda: tuple(a[:4] for a in case.data()))
    prepare(small)[0]()  # what is loaded and compiled once
    step, _ = prepare(case)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that from here on
    before = _status("VmRSS")
    for _ in range(10):
        step()
    print((_status("VmHWM") - before) / 1024)


def _status(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{name}:")[1].split()[0])


def run(script: str, case: Case, repeats: int) -> None:
    import torch

    check_equal(case)
    theirs, twin = torch_step(case)
    ours, alone = (dotori_step(case, twin)[0] for _ in range(2))
    sides = {
        "dotori": several(ours, case.steps),
        "dotori, NumPy alone": several(alone, case.steps, "numpy"),
    }
    for n in sorted({1, torch.get_num_threads()}):
        sides[f"PyTorch, {n} threads"] = several(theirs, case.steps, threads=n)
    medians = compare(sides, repeats=repeats, warmup=2)
    best = min(v for k, v in medians.items() if k.startswith("PyTorch"))
    print(f"{case.name}: one step")
    print(table(medians, per=case.steps, unit="ms"))
    ratio = medians["dotori"] / best
    print(f"dotori / PyTorch at its best: {ratio:.2f} (wanted: <= {case.limit})")
    mine, other = (peak_memory(script, s, case) for s in ("dotori", "PyTorch"))
    print(f"peak memory: dotori {mine:.1f} MB, PyTorch {other:.1f} MB\n", flush=True)


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
    from dotori import backend

    backend.keep_memory()
    for name in options.names or by_name:
        run(script, by_name[name], options.repeats)
    print(describe_environment())
