"""One step of every optimiser: dotori beside PyTorch, at PyTorch's best.

    python benchmarks/optimizers.py

Only `step` is timed: the gradients are given, and stay. PyTorch takes the fastest of
its own forms (plain, foreach, fused), each at one thread. dotori runs twice: with its
kernels compiled by Numba, as a long training has them, and on NumPy alone; rules
without a kernel of their own run on NumPy in both. Before timing, ten steps from the
same start must have led to the same parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from side_by_side import compare, describe_environment

import dotori
from dotori import kernels

NETWORKS = {"13-64-32-1": (13, 64, 32, 1), "784-256-128-10": (784, 256, 128, 10)}

#: Settings that make each rule do its usual work.
SETTINGS = {
    "SGD": {"lr": 1e-3, "momentum": 0.9},
    "Adam": {},
    "AdamW": {},
    "RMSprop": {},
    "Adagrad": {},
    "Adadelta": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "ASGD": {},
    "Rprop": {},
    "Adafactor": {},
    "Muon": {},
}
FORMS = {"plain": {"foreach": False}, "foreach": {"foreach": True}}
FUSED = {"SGD", "Adam", "AdamW", "Adagrad"}


def shapes(sizes: tuple[int, ...], matrices_only: bool) -> list[tuple[int, ...]]:
    """Weights and biases of an MLP."""
    found: list[tuple[int, ...]] = []
    for n, m in pairwise(sizes):
        found += [(m, n)] if matrices_only else [(m, n), (m,)]
    return found


def prepared(
    library: object, name: str, sizes: tuple[int, ...], **form: bool
) -> tuple[Callable[[], None], list]:
    """A step on parameters with gradients that stay, and the parameters."""
    rng = np.random.default_rng(0)
    params = []
    for shape in shapes(sizes, name == "Muon"):
        start, g = (rng.standard_normal(shape, dtype=np.float32) for _ in "pg")
        p = library.tensor(start, requires_grad=True)
        p.grad = library.tensor(g)
        params.append(p)
    settings = {**SETTINGS[name], **form}
    return getattr(library.optim, name)(params, **settings).step, params


def check(name: str, sizes: tuple[int, ...]) -> None:
    """Ten steps lead both libraries to the same place."""
    ours, mine = prepared(dotori, name, sizes)
    theirs, other = prepared(torch, name, sizes)
    for _ in range(10):
        ours()
        theirs()
    # PyTorch's Muon rounds its directions to bfloat16.
    tolerance = 2e-3 if name == "Muon" else 2e-5
    for x, y in zip(mine, other, strict=True):
        np.testing.assert_allclose(x.array, y.detach().numpy(), atol=tolerance)


def fastest(name: str, sizes: tuple[int, ...], calls: int) -> dict[str, float]:
    """Seconds of one step of each side; PyTorch's in its best form."""
    forms = dict(FORMS) if name != "Muon" else {"plain": {}}
    if name in FUSED:
        forms["fused"] = {"fused": True}
    sides = {
        f"PyTorch, {form}": repeated(prepared(torch, name, sizes, **flags)[0], calls)
        for form, flags in forms.items()
    }
    sides["dotori"] = repeated(prepared(dotori, name, sizes)[0], calls)
    sides["NumPy"] = numpy_only(repeated(prepared(dotori, name, sizes)[0], calls))
    medians = compare(sides, repeats=7)
    best = min((s for s in sides if s.startswith("PyTorch")), key=medians.__getitem__)
    return {
        "dotori": medians["dotori"] / calls,
        "NumPy": medians["NumPy"] / calls,
        best: medians[best] / calls,
    }


def repeated(step: Callable[[], None], calls: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(calls):
            step()

    return run


def numpy_only(run: Callable[[], None]) -> Callable[[], None]:
    def without() -> None:
        kernels.use("numpy")
        run()
        kernels.use("numba")

    return without


def main() -> None:
    torch.set_num_threads(1)
    kernels.use("numba")
    for title, sizes in NETWORKS.items():
        calls = 200 if sizes[0] < 100 else 10
        print(f"\n{title}: us for one step, and dotori's over PyTorch's")
        print(f"{'':10s} {'dotori':>9s} {'on NumPy':>9s} {'PyTorch':>9s}  ratio")
        for name in SETTINGS:
            check(name, sizes)
            # PyTorch's Muon computes in bfloat16, which most processors emulate.
            found = fastest(name, sizes, 1 if name == "Muon" else calls)
            ours, plain, theirs = found.values()
            best = list(found)[2].removeprefix("PyTorch, ")
            print(
                f"{name:10s} {ours * 1e6:9.1f} {plain * 1e6:9.1f} {theirs * 1e6:9.1f}"
                f"  {ours / theirs:5.2f}  ({best})"
            )
    print()
    print(describe_environment())


if __name__ == "__main__":
    main()
