"""What one small operation costs, forward and recorded: dotori beside PyTorch.

    python benchmarks/eager_overhead.py

Each call is one operation on 4x4 float32 numbers, where nearly all of the time is
overhead. A recorded one also makes its node of the graph. PyTorch runs at one thread,
which is its fastest here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from side_by_side import compare, describe_environment, refuse_tuned_blas

import dotori

CALLS = 20_000

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "exp(x)": lambda T, x: T.exp(x),
    "x.tanh()": lambda T, x: x.tanh(),
    "x + x": lambda T, x: x + x,
    "x * x": lambda T, x: x * x,
    "x * 2.0": lambda T, x: x * 2.0,
    "x.relu()": lambda T, x: x.relu(),
    "x @ x": lambda T, x: x @ x,
    "x.sum()": lambda T, x: x.sum(),
    "x[1]": lambda T, x: x[1],
    "x.reshape(16)": lambda T, x: x.reshape(16),
    "x.softmax(1)": lambda T, x: x.softmax(1),
}
#: What is asked of exp: at most PyTorch's time, forward and recorded.
ASKED = "exp(x)"


def repeated(operation: Callable[[Any, Any], Any], library: Any, x: Any) -> Any:
    def call() -> None:
        for _ in range(CALLS):
            operation(library, x)

    return call


def main() -> None:
    refuse_tuned_blas()
    torch.set_num_threads(1)
    a = np.random.default_rng(0).random((4, 4), dtype=np.float32)
    print(f"{'':16}{'forward':^30}{'recorded':^30}")
    print(f"{'':16}" + f"{'dotori':>10}{'PyTorch':>10}{'ratio':>8}  " * 2)
    for name, operation in OPERATIONS.items():
        line = f"{name:<16}"
        for recorded in (False, True):
            ours = dotori.tensor(a, requires_grad=recorded)
            theirs = torch.tensor(a, requires_grad=recorded)
            np.testing.assert_allclose(
                operation(dotori, ours).detach().numpy(),
                operation(torch, theirs).detach().numpy(),
                rtol=1e-5,
            )
            medians = compare(
                {
                    "dotori": repeated(operation, dotori, ours),
                    "PyTorch": repeated(operation, torch, theirs),
                }
            )
            us = {side: seconds / CALLS * 1e6 for side, seconds in medians.items()}
            ratio = us["dotori"] / us["PyTorch"]
            met = " " if name != ASKED else "+" if ratio <= 1 else "-"
            line += f"{us['dotori']:7.2f} us{us['PyTorch']:7.2f} us{ratio:7.2f}{met} "
        print(line, flush=True)
    print(describe_environment())


if __name__ == "__main__":
    main()
