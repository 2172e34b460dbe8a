"""A captured training step: dotori beside PyTorch and JAX, each at its best setting.

    python benchmarks/captured_training.py [WORKLOAD ...] [--repeats N] [--quick]
        [--without SIDE ...] [--json FILE]

The workloads stand in `captured_workloads.py`. A step is zero_grad, forward, loss,
backward, Adam, and its loss.

- PyTorch: eager, with fused Adam, channels last, at one thread and at all, freed memory
  kept; and with the network and its loss compiled by torch.compile;
- JAX: the whole step jitted, with optax, old weights given up; where a workload says
  so, many steps as one call by `lax.scan`;
- dotori: eager; captured by `dotori.compile`, natively and as planned NumPy; and many
  steps as one call by `step.over`. Sides that are called NumPy run as without Numba.

Before timing, all sides start from the same weights, without random masks, and must
give the same losses over five steps, within 2e-4. Printed for each workload: what a
step takes at each side, dotori's ratio to the best peer beside the wanted one, and the
share of the limit: what products and memory must take on this machine at least.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import captured_peers_torch
import machine_limit
import numpy as np
import torch
from captured_command import THREADS, main, numbers, repeated, verdict
from captured_workloads import Workload
from side_by_side import compare, table
from training_step import dotori_parts

import dotori
from dotori import kernels

#: Makes a side: a call of one training step, or of some, from the first weights. It is
#: given the workload, whether there are random masks, and the steps of one call.
Side = Callable[[Workload, bool, int], Callable[[], Any]]

CHECKED_STEPS = 5


def eager(workload: Workload, masks: bool, steps: int) -> Callable[[], Any]:
    step, batch = _parts(workload, masks)
    return lambda: step(*batch)


def captured(workload: Workload, masks: bool, steps: int) -> Callable[[], Any]:
    step, batch = _parts(workload, masks)
    fast = dotori.compile(step, mode="native")
    return lambda: fast(*batch)


def planned(workload: Workload, masks: bool, steps: int) -> Callable[[], Any]:
    step, batch = _parts(workload, masks)
    fast = dotori.compile(step, mode="numpy")
    return lambda: fast(*batch)


def over(workload: Workload, masks: bool, steps: int) -> Callable[[], Any]:
    step, batch = _parts(workload, masks)
    fast = dotori.compile(step, mode="native")
    batches = [batch] * steps
    return lambda: fast.over(batches)


def _parts(workload: Workload, masks: bool) -> tuple[Callable[..., Any], Any]:
    case = workload.case
    like = captured_peers_torch.network(workload, masks)
    return dotori_parts(case, like, None if masks else case.checked)[:2]


def torch_eager(workload: Workload, masks: bool, steps: int) -> Callable[[], Any]:
    return captured_peers_torch.eager(workload, masks)


def torch_compiled(workload: Workload, masks: bool, steps: int) -> Callable[[], Any]:
    return captured_peers_torch.compiled(workload, masks)


def jitted(workload: Workload, masks: bool, steps: int) -> Callable[[], Any]:
    import captured_peers_jax

    like = captured_peers_torch.network(workload, masks)
    return captured_peers_jax.jitted(workload, like, masks)


def scanned(workload: Workload, masks: bool, steps: int) -> Callable[[], Any]:
    import captured_peers_jax

    like = captured_peers_torch.network(workload, masks)
    return captured_peers_jax.scanned(workload, like, steps, masks)


SINGLE: dict[str, Side] = {
    "dotori, captured": captured,
    "dotori, planned NumPy": planned,
    "dotori, eager": eager,
    "dotori, eager NumPy": eager,
    "PyTorch": torch_eager,
    "torch.compile": torch_compiled,
    "JAX, jit": jitted,
}
#: A call of these is many steps.
MANY: dict[str, Side] = {"dotori, many steps": over, "JAX, scan": scanned}


def sides(workload: Workload, without: list[str]) -> Iterator[tuple[str, Side]]:
    """The sides of this workload that can run here."""
    jax = find_spec("jax") and find_spec("optax")
    for name, side in (SINGLE | MANY if workload.scan else SINGLE).items():
        if name not in without and (jax or not name.startswith("JAX")):
            yield name, side


def check_equal(workload: Workload, without: list[str]) -> list[str]:
    """End the program if a side trains otherwise than PyTorch.

    Returns the sides that are left out: `without`, and torch.compile where it fails, as
    it does without a compiler for C++.
    """
    torch.set_num_threads(1)
    kernels.use("numba")
    call = captured_peers_torch.eager(workload, masks=False)
    wanted = [numbers(call()).item() for _ in range(CHECKED_STEPS)]
    for name, side in list(sides(workload, without)):
        try:
            call = side(workload, False, CHECKED_STEPS)
        except torch._dynamo.exc.TorchDynamoException as error:
            print(f"{name} fails: {str(error).strip().splitlines()[0]}")
            without = [*without, name]
            continue
        given = (
            numbers(call())
            if name in MANY
            else [numbers(call()).item() for _ in range(CHECKED_STEPS)]
        )
        message = f"{workload.name}: {name} trains otherwise than PyTorch"
        np.testing.assert_allclose(given, wanted, rtol=2e-4, err_msg=message)
    return without


def timed(workload: Workload, without: list[str]) -> dict[str, Callable[[], None]]:
    """For `compare`: of each side, as many steps as the workload says."""
    steps, found = workload.case.steps, {}
    for name, side in sides(workload, without):
        call = side(workload, True, steps)
        if name in ("PyTorch", "torch.compile"):
            for n in THREADS:
                found[f"{name}, {n} threads"] = repeated(call, steps, n)
        else:
            mode = "numpy" if "NumPy" in name else "numba"
            found[name] = repeated(call, 1 if name in MANY else steps, mode=mode)
    return found


def run(workload: Workload, repeats: int, without: list[str]) -> dict[str, Any]:
    without = check_equal(workload, without)
    medians = compare(timed(workload, without), repeats=repeats, warmup=2)
    steps = workload.case.steps
    first = next(iter(medians))
    unit = "us" if medians[first] / steps < 1e-3 else "ms"
    print(f"{workload.name}: one training step")
    print(table(medians, first, per=steps, unit=unit))
    seconds = {name: taken / steps for name, taken in medians.items()}
    least = machine_limit.limit(workload.cost(workload.batch), training=True)
    return verdict(workload, seconds, workload.training, least)


if __name__ == "__main__":
    main(__doc__, run)
