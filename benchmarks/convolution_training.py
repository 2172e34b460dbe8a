"""A training step of two convolutional networks, eager: dotori beside PyTorch.

    python benchmarks/convolution_training.py [cnn] [residual]

- cnn: pictures of 28 x 28, convolutions of 32 and 64 channels, each with ReLU and
  max-pooling, dense layers of 128 and 10; batch 64;
- residual: three residual blocks (He and others, 2016) of 64 channels on 32 x 32 with
  batch normalisation; batch 32.

How they are timed stands in `training_step.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from training_step import Case, main


def cnn(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def residual(nn: Any) -> Any:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.conv2 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(64)
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            y = self.relu(self.bn1(self.conv1(x)))
            return self.relu(x + self.bn2(self.conv2(y)))

    return nn.Sequential(Block(), Block(), Block())


def digits() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((64, 1, 28, 28)).astype("f"), rng.integers(0, 10, 64)


def pictures() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).standard_normal((2, 32, 64, 32, 32)).astype("f")
    return x[0], x[1]


CASES = [
    Case("cnn", cnn, digits, "cross_entropy", 1.0, steps=8, pictures=True),
    Case("residual", residual, pictures, "mse_loss", 1.2, pictures=True),
]

if __name__ == "__main__":
    main(__file__, __doc__, CASES)
