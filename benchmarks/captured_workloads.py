"""What the benchmarks of the captured step train and run: each workload, once.

A workload is a network with its data and loss (`training_step.Case`, which both dotori
and PyTorch build from), the family that JAX's hand-written twin belongs to, what it
must at least compute and move, and the ratios that are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import convolution_training as convolution
import numpy as np
import recurrent_training as recurrent
import transformer_training as transformer
from training_step import Case


@dataclass(frozen=True)
class Cost:
    """What a network must at least compute and move.

    Attributes
    ----------
    products : tuple of (rows, inner, columns)
        The matrix products of the way forward. A convolution is the product of what its
        kernel sees at each place with the kernel. The first one reads the data, for
        which no gradient is needed.
    parameters, activations : int
        Numbers in the weights, and in what the layers hand on to one another.
    """

    products: tuple[tuple[int, int, int], ...]
    parameters: int
    activations: int

    @property
    def forward_flops(self) -> int:
        return sum(2 * n * k * m for n, k, m in self.products)

    @property
    def training_flops(self) -> int:
        """Each product has two more on the way back, the first one only one."""
        n, k, m = self.products[0]
        return 3 * self.forward_flops - 2 * n * k * m

    @property
    def forward_bytes(self) -> int:
        """Weights are read; activations are written and read."""
        return 4 * (self.parameters + 2 * self.activations)

    @property
    def training_bytes(self) -> int:
        """Activations are read again on the way back, and so are their gradients,
        once written. Of a weight: read by both ways; the gradient written and read;
        Adam reads and writes the weight and two averages."""
        return 4 * (10 * self.parameters + 5 * self.activations)


@dataclass(frozen=True)
class Workload:
    """A network to train and to run, with what is wanted of dotori.

    Attributes
    ----------
    family : str
        The model in `captured_peers_jax`.
    training, inference : float
        dotori's time over that of the best peer, at most.
    cost : callable
        The `Cost` for a batch of that many samples.
    batch_axis : int
        The axis of the data that counts samples.
    scan : bool
        Whether many steps in one call are timed as well.
    compile_seconds : float
        The longest that compiling may take with nothing in the cache.
    """

    case: Case
    family: str
    training: float
    inference: float
    cost: Callable[[int], Cost]
    batch: int
    batch_axis: int = 0
    scan: bool = False
    compile_seconds: float = 15.0

    @property
    def name(self) -> str:
        return self.case.name

    def one_sample(self) -> np.ndarray:
        """The first sample of the data, as a batch of one."""
        x = self.case.data()[0]
        return np.ascontiguousarray(x.take([0], axis=self.batch_axis))


def mlp(sizes: Sequence[int], dropout: float = 0.0) -> Callable[[Any], Any]:
    """Linear layers of those sizes with ReLU, and dropout, between them."""

    def build(nn: Any) -> Any:
        layers = []
        for n, m in pairwise(sizes):
            layers += [nn.Linear(n, m), nn.ReLU()]
            layers += [nn.Dropout(dropout)] if dropout else []
        return nn.Sequential(*layers[: -2 if dropout else -1])

    return build


def _mlp_cost(sizes: Sequence[int]) -> Callable[[int], Cost]:
    def cost(batch: int) -> Cost:
        products = tuple((batch, n, m) for n, m in pairwise(sizes))
        weights = sum((n + 1) * m for n, m in pairwise(sizes))
        return Cost(products, weights, batch * sum(sizes))

    return cost


def _cnn_cost(batch: int) -> Cost:
    wide, narrow = 28 * 28, 14 * 14
    products = (
        (batch * wide, 9, 32),
        (batch * narrow, 9 * 32, 64),
        (batch, 64 * 7 * 7, 128),
        (batch, 128, 10),
    )
    weights = sum((k + 1) * m for _, k, m in products)
    numbers = wide + 32 * (wide + narrow) + 64 * (narrow + 49) + 128 + 10
    return Cost(products, weights, batch * numbers)


def _residual_cost(batch: int) -> Cost:
    products = ((batch * 32 * 32, 9 * 64, 64),) * 6
    # The pictures, and of each block: two convolutions, what ReLU leaves, the sum.
    numbers = 64 * 32 * 32 * (1 + 3 * 4)
    return Cost(products, 6 * (9 * 64 + 2) * 64, batch * numbers)


def _recurrent_cost(gates: int) -> Callable[[int], Cost]:
    time, n = recurrent.TIME, recurrent.FEATURES

    def cost(batch: int) -> Cost:
        steps = ((batch, n, gates * n),) * time
        numbers = time * batch * n * (2 + gates)
        return Cost(
            ((time * batch, n, gates * n), *steps), gates * 2 * (n + 1) * n, numbers
        )

    return cost


def _transformer_cost(batch: int) -> Cost:
    n, wide, length = transformer.FEATURES, transformer.WIDE, transformer.LENGTH
    rows, pairs = batch * length, batch * transformer.HEADS * length
    layer = (
        (rows, n, 3 * n),
        (pairs, n // transformer.HEADS, length),
        (pairs, length, n // transformer.HEADS),
        (rows, n, n),
        (rows, n, wide),
        (rows, wide, n),
    )
    weights = 4 * (n + 1) * n + (n + 1) * wide + (wide + 1) * n + 4 * n
    # Queries, keys, values, what attention and its projection give, two sums, two
    # normalised; the wide layer; the attention's weights.
    numbers = rows * (9 * n + wide) + pairs * length
    layers = transformer.LAYERS
    return Cost(layer * layers, weights * layers, numbers * layers + rows * n)


def _numbers(sizes: Sequence[int], batch: int, classes: bool) -> Callable[[], Any]:
    def data() -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((batch, sizes[0]), dtype=np.float32)
        if classes:
            return x, rng.integers(0, sizes[-1], batch)
        return x, rng.standard_normal((batch, sizes[-1]), dtype=np.float32)

    return data


def _mlp_workload(
    name: str, sizes: Sequence[int], batch: int, steps: int, wanted: float, drop: float
) -> Workload:
    classes = sizes[-1] > 1
    case = Case(
        name,
        mlp(sizes, drop),
        _numbers(sizes, batch, classes),
        "cross_entropy" if classes else "mse_loss",
        wanted,
        steps,
        checked=mlp(sizes),
    )
    return Workload(
        case,
        "mlp",
        wanted,
        1.0,
        _mlp_cost(sizes),
        batch,
        scan=True,
        compile_seconds=5.0,
    )


def _recurrent_workload(case: Case, wanted: float, gates: int) -> Workload:
    cost = _recurrent_cost(gates)
    return Workload(case, case.name, wanted, 1.0, cost, recurrent.BATCH, batch_axis=1)


_CNN, _RESIDUAL = convolution.CASES
_RNN, _GRU, _LSTM = recurrent.CASES
_ENCODER = replace(transformer.CASES[1], name="transformer")  # without dropout

WORKLOADS = {
    workload.name: workload
    for workload in (
        _mlp_workload("mlp-small", (13, 64, 32, 1), 32, 300, 0.33, 0.1),
        _mlp_workload("mlp", (784, 256, 128, 10), 64, 100, 0.8, 0.0),
        _mlp_workload("mlp-wide", (784, 512, 512, 10), 256, 20, 0.85, 0.0),
        Workload(_CNN, "cnn", 0.7, 1.5, _cnn_cost, 64),
        Workload(_RESIDUAL, "residual", 0.86, 1.5, _residual_cost, 32),
        _recurrent_workload(_RNN, 0.7, 1),
        _recurrent_workload(_GRU, 0.7, 3),
        _recurrent_workload(_LSTM, 0.75, 4),
        Workload(_ENCODER, "transformer", 0.7, 1.1, _transformer_cost, 16),
    )
}


def chosen(names: Sequence[str]) -> list[Workload]:
    """The workloads of those names; all of them if none is given."""
    unknown = [name for name in names if name not in WORKLOADS]
    if unknown:
        raise SystemExit(f"no workload {unknown[0]!r}; there are {[*WORKLOADS]}")
    return [WORKLOADS[name] for name in names or WORKLOADS]
