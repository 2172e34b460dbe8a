"""A captured network answering for one sample: dotori beside three peers.

    python benchmarks/captured_inference.py [WORKLOAD ...] [--repeats N] [--quick]
        [--without SIDE ...] [--json FILE]

The networks of `captured_workloads.py` on a batch of one, from each library's own kind
of array to a NumPy array: PyTorch in inference mode and ONNX Runtime, both at one
thread and at all; JAX, jitted with the weights as constants; dotori, eager, as planned
NumPy, and compiled by `dotori.compile(model)`; sides that are called NumPy run as
without Numba. Before timing, all give the same outputs. Printed are the times, dotori's
ratio to the best peer beside the wanted one, and the share of what this machine takes
at least.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import captured_peers_torch
import machine_limit
import numpy as np
import torch
from captured_command import THREADS, main, repeated, verdict
from captured_workloads import Workload
from side_by_side import compare, table

import dotori

#: Seconds of PyTorch's answers in one timed block, about.
BLOCK = 0.02


def compiled(workload: Workload, like: Any, x: np.ndarray, mode: str) -> Any:
    net, given = _network(workload, like), dotori.from_numpy(x)
    run = dotori.compile(net, mode=mode)
    return lambda: run(given).numpy()


def eager(workload: Workload, like: Any, x: np.ndarray) -> Any:
    net, given = _network(workload, like), dotori.from_numpy(x)
    return lambda: net(given).numpy()


def _network(workload: Workload, like: Any) -> Any:
    net = workload.case.build(dotori.nn)
    net.load_state_dict({k: v.numpy() for k, v in like.state_dict().items()})
    return net.eval()


def answering(workload: Workload, without: list[str]) -> dict[str, Callable[[], Any]]:
    """For each side, what gives the network's outputs for one sample."""
    like, x = captured_peers_torch.network(workload).eval(), workload.one_sample()
    makers: dict[str, Callable[[], Any]] = {
        "dotori, compiled": lambda: compiled(workload, like, x, "native"),
        "dotori, planned NumPy": lambda: compiled(workload, like, x, "numpy"),
        "dotori, eager": lambda: eager(workload, like, x),
        "dotori, eager NumPy": lambda: eager(workload, like, x),
        "PyTorch": lambda: captured_peers_torch.inference(workload, like, x),
    }
    if find_spec("jax") and find_spec("optax"):
        import captured_peers_jax

        makers["JAX, jit"] = lambda: captured_peers_jax.inference(workload, like, x)
    if find_spec("onnxruntime") and find_spec("onnx"):
        import captured_peers_onnx

        for n in THREADS:
            makers[f"ONNX Runtime, {n} threads"] = lambda n=n: (
                captured_peers_onnx.inference(like, x, n)
            )
    return {name: make() for name, make in makers.items() if name not in without}


def check_equal(workload: Workload, sides: dict[str, Callable[[], Any]]) -> None:
    """End the program if a side gives other outputs than PyTorch."""
    wanted = sides["PyTorch"]()
    for name, call in sides.items():
        message = f"{workload.name}: {name} answers otherwise than PyTorch"
        np.testing.assert_allclose(
            call(), wanted, rtol=1e-3, atol=1e-4, err_msg=message
        )


def run(workload: Workload, repeats: int, without: list[str]) -> dict[str, Any]:
    calls = answering(workload, without)
    with torch.inference_mode(), dotori.inference_mode():
        check_equal(workload, calls)
        times = _times(calls["PyTorch"])
        medians = compare(timed(calls, times), repeats=repeats, warmup=2)
    print(f"{workload.name}: one sample")
    print(table(medians, next(iter(medians)), per=times))
    seconds = {name: taken / times for name, taken in medians.items()}
    least = machine_limit.limit(workload.cost(1), training=False)
    return verdict(workload, seconds, workload.inference, least)


def timed(
    calls: dict[str, Callable[[], Any]], times: int
) -> dict[str, Callable[[], None]]:
    """For `compare`: so many answers of each side."""
    sides = {}
    for name, call in calls.items():
        if name == "PyTorch":
            for n in THREADS:
                sides[f"PyTorch, {n} threads"] = repeated(call, times, n)
        else:
            mode = "numpy" if "NumPy" in name else "numba"
            sides[name] = repeated(call, times, mode=mode)
    return sides


def _times(call: Callable[[], Any]) -> int:
    """How many calls make a block."""
    torch.set_num_threads(1)
    call()
    start = time.perf_counter()
    for _ in range(3):
        call()
    return max(1, round(3 * BLOCK / (time.perf_counter() - start)))


if __name__ == "__main__":
    main(__doc__, run)
