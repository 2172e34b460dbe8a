"""A training step of a Transformer encoder, eager: dotori beside PyTorch.

    python benchmarks/transformer_training.py [dropout] [plain]

Two layers (128 features, 4 heads, 512 in the network between), sequences of 64, batches
of 16, mean squared error; with a dropout of 0.1, PyTorch's default, and without. How
they are timed stands in `training_step.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from training_step import Case, main

FEATURES, HEADS, WIDE, LAYERS = 128, 4, 512, 2
BATCH, LENGTH = 16, 64


def sequences() -> tuple[np.ndarray, np.ndarray]:
    shape = (2, BATCH, LENGTH, FEATURES)
    x, y = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    return x, y


def encoder(dropout: float) -> Callable[[Any], Any]:
    def build(nn: Any) -> Any:
        layer = nn.TransformerEncoderLayer(
            FEATURES, HEADS, WIDE, dropout, batch_first=True
        )
        return nn.TransformerEncoder(layer, LAYERS)

    return build


CASES = [
    Case(name, encoder(p), sequences, "mse_loss", 0.9, steps=5, checked=encoder(0.0))
    for name, p in {"dropout": 0.1, "plain": 0.0}.items()
]

if __name__ == "__main__":
    main(__file__, __doc__, CASES)
