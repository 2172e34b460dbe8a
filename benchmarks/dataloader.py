"""An epoch of shuffled batches of 64 from a table of 1,000,000 x 20 float32.

    python benchmarks/dataloader.py

PyTorch comes twice: with its TensorDataset, which fetches sample by sample, and with a
dataset whose ``__getitems__`` fetches whole batches, the fastest that its DataLoader
gets. A loop of bare NumPy gathers is what no loader can beat.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from side_by_side import compare, describe_environment, refuse_tuned_blas, table

import dotori
from dotori.data import DataLoader, TensorDataset

BATCH = 64


class WholeBatches(torch.utils.data.Dataset[Any]):
    """A PyTorch dataset that gathers a batch by one call."""

    def __init__(self, x: torch.Tensor) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def __getitems__(self, indices: list[int]) -> torch.Tensor:
        return self.x[indices]


def hand_over(batch: torch.Tensor) -> torch.Tensor:
    """A collate_fn for batches that are batches already."""
    return batch


def loaders(x: np.ndarray, **options: Any) -> dict[str, Callable[[], Any]]:
    """The sides: each call begins an epoch."""
    tensor = torch.from_numpy(x)
    data = torch.utils.data
    ours = DataLoader[Any](TensorDataset(x), BATCH, **options)
    theirs = data.DataLoader(data.TensorDataset(tensor), BATCH, **options)
    whole = data.DataLoader(
        WholeBatches(tensor), BATCH, collate_fn=hand_over, **options
    )
    return {
        "dotori": lambda: (x for (x,) in ours),
        "PyTorch": lambda: (x for (x,) in theirs),
        "PyTorch, whole batches": lambda: iter(whole),
    }


def check_equal(x: np.ndarray) -> None:
    """All sides give the same batches in a fixed order, and all rows when shuffled."""
    order = dotori.Generator(1).permutation(len(x)).tolist()
    batches = zip(*(side() for side in loaders(x, sampler=order).values()), strict=True)
    for ours, theirs, whole in batches:
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
        np.testing.assert_array_equal(ours.numpy(), whole.numpy())
    for side in loaders(x, shuffle=True).values():
        rows = np.concatenate([batch.numpy()[:, 0] for batch in side()])
        np.testing.assert_array_equal(np.sort(rows), x[:, 0])
        if np.array_equal(rows, x[:, 0]):
            raise AssertionError("this side does not shuffle")


def plain_gather(x: np.ndarray) -> Callable[[], None]:
    """An epoch written by hand."""
    generator = np.random.default_rng(0)

    def epoch() -> None:
        order = generator.permutation(len(x))
        for start in range(0, len(x), BATCH):
            x.take(order[start : start + BATCH], axis=0)

    return epoch


def exhaust(begin: Callable[[], Any]) -> Callable[[], None]:
    """A call that runs through one epoch."""

    def epoch() -> None:
        for _ in begin():
            pass

    return epoch


def main() -> None:
    refuse_tuned_blas()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()

    x = dotori.Generator(0).normal((given.rows, 20))
    x[:, 0] = np.arange(given.rows)  # exact in float32 up to 2**24: names the row
    check_equal(x[: min(given.rows, 100_000)])
    print(
        "all sides give equal batches in a fixed order, and every row when shuffled\n"
    )

    sides = {name: exhaust(s) for name, s in loaders(x, shuffle=True).items()}
    sides["NumPy gather by hand"] = plain_gather(x)
    medians = compare(sides, given.repeats)
    batches = -(-given.rows // BATCH)
    print(
        f"one shuffled batch of {BATCH}; median of {given.repeats} interleaved epochs"
    )
    wanted = {"PyTorch": 20.0, "PyTorch, whole batches": 4.0}
    print(table(medians, per=batches, targets=wanted), "\n")
    print(describe_environment())


if __name__ == "__main__":
    main()
