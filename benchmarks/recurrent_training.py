"""A training step of an RNN, a GRU and an LSTM, eager: dotori beside PyTorch.

    python benchmarks/recurrent_training.py [RNN] [GRU] [LSTM]

One layer, 50 steps, batch 32, 128 features in and 128 out, mean squared error. How they
are timed stands in `training_step.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from training_step import Case, main

TIME, BATCH, FEATURES = 50, 32, 128


def sequences() -> tuple[np.ndarray, np.ndarray]:
    shape = (2, TIME, BATCH, FEATURES)
    x, y = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    return x, np.tanh(y)


def outputs_of(kind: str) -> Callable[[Any], Any]:
    """A network of one recurrent layer, without its final states."""

    def build(nn: Any) -> Any:
        class Outputs(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = getattr(nn, kind)(FEATURES, FEATURES)

            def forward(self, x: Any) -> Any:
                return self.layer(x)[0]

        return Outputs()

    return build


CASES = [
    Case(kind, outputs_of(kind), sequences, "mse_loss", limit, steps=20)
    for kind, limit in {"RNN": 0.5, "GRU": 0.5, "LSTM": 1.0}.items()
]

if __name__ == "__main__":
    main(__file__, __doc__, CASES)
