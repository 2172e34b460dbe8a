"""1,000 captured steps on real data give the curve of 1,000 eager ones.

Each family of networks is trained by its eager step, by the captured one as planned
NumPy, and natively: the losses, weights, running statistics, the optimiser's state and
the random numbers that were drawn must be the same, to rounding. The learning rates
are small, so that rounding does not grow into another path.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.data import load_builtin

F = nn.functional
STEPS, BATCH = 1000, 8

Data = tuple[np.ndarray, np.ndarray]


def numbers(name: str) -> np.ndarray:
    """A built-in table as one array, the target last."""
    table = load_builtin(name)
    columns = [column.as_float() for _, column in table.items()]
    return np.stack(columns, axis=1)


@cache
def diabetes() -> Data:
    """Ten measurements of 442 patients, and how far the disease went, standardised."""
    table = numbers("diabetes")
    table = (table - table.mean(0)) / table.std(0)
    return table[:, :-1], table[:, -1:]


@cache
def digits() -> Data:
    """Pictures of 8 x 8 handwritten digits, and their classes."""
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    table = numbers("digits")
    return table[:, :-1].reshape(-1, 1, 8, 8) / 16, table[:, -1].astype(np.int64)


def rows() -> Data:
    """The digits, as sequences of eight rows of pixels."""
    pictures, classes = digits()
    return pictures[:, 0], classes


@cache
def text() -> Data:
    """Pieces of a text that comes with Python, and each piece's following letters."""
    letters = np.frombuffer(heapq.__about__.encode()[:2500], np.uint8).astype(np.int64)
    known, numbers = np.unique(letters, return_inverse=True)
    assert len(known) < 128
    pieces = np.stack([numbers[i : i + 7] for i in range(len(numbers) - 7)])
    return pieces[:, :-1], pieces[:, 1:]


def letters_loss(output: Any, y: Any) -> Any:
    return F.cross_entropy(output.flatten(0, 1), y.flatten())


class Residual(nn.Module):
    """A residual block with batch normalisation, and a layer on top."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(4)
        self.head = nn.Linear(4 * 16, 10)

    def forward(self, x: Any) -> Any:
        x = F.relu(self.bn1(self.stem(x)))
        x = F.relu(x + self.bn2(self.conv(x)))
        return self.head(F.avg_pool2d(x, 2).flatten(1))


class Letters(nn.Module):
    """The next letter, from an embedding and a recurrent layer."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.embedding = nn.Embedding(128, 8)
        self.layer = getattr(nn, kind)(8, 12, batch_first=True)
        self.head = nn.Linear(12, 128)

    def forward(self, x: Any) -> Any:
        return self.head(self.layer(self.embedding(x))[0])


class Encoder(nn.Module):
    """A Transformer's encoder layer over rows of pixels, with dropout, then classes."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(8, 12)
        self.layer = nn.TransformerEncoderLayer(12, 2, 24, 0.1, batch_first=True)
        self.head = nn.Linear(12, 10)

    def forward(self, x: Any) -> Any:
        return self.head(self.layer(self.enter(x)).mean(1))


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(10, 16),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Linear(16, 8),
        nn.Tanh(),
        nn.Dropout(0.1),
        nn.Linear(8, 1),
    )


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 10),
    )


def adam(parameters: Any) -> optim.Optimizer:
    return optim.Adam(parameters, lr=5e-4)


def momentum(parameters: Any) -> optim.Optimizer:
    return optim.SGD(parameters, lr=2e-3, momentum=0.9, weight_decay=1e-4)


@dataclass(frozen=True)
class Family:
    network: Callable[[], nn.Module]
    data: Callable[[], Data]
    loss: Callable[..., Any]
    optimizer: Callable[[Any], optim.Optimizer]
    clip: float = 0.0
    schedule: bool = False


FAMILIES = {
    "MLP": Family(mlp, diabetes, F.mse_loss, adam),
    "MLP clipped": Family(mlp, diabetes, F.mse_loss, momentum, 1.0, schedule=True),
    "CNN": Family(cnn, digits, F.cross_entropy, adam),
    "residual": Family(Residual, digits, F.cross_entropy, momentum),
    "RNN": Family(lambda: Letters("RNN"), text, letters_loss, momentum),
    "GRU": Family(lambda: Letters("GRU"), text, letters_loss, momentum),
    "LSTM": Family(lambda: Letters("LSTM"), text, letters_loss, adam),
    "Transformer": Family(Encoder, rows, F.cross_entropy, momentum),
}

#: What is trained in which type. In float32 each way rounds otherwise, and rounding
#: grows over the steps; in float64 the paths are the same.
TRAININGS = [
    ("MLP", "float32"),
    ("MLP", "float64"),
    ("MLP clipped", "float64"),
    ("CNN", "float32"),
    ("residual", "float64"),
    ("RNN", "float32"),
    ("GRU", "float64"),
    ("LSTM", "float32"),
    ("Transformer", "float32"),
    ("Transformer", "float64"),
]
#: Natively, each family once, as compiling takes longer than training.
NATIVE = [
    ("MLP", "float32"),
    ("MLP clipped", "float64"),
    ("CNN", "float32"),
    ("residual", "float64"),
    ("LSTM", "float32"),
    ("Transformer", "float32"),
]
TOLERANCE = {"float32": 1e-3, "float64": 1e-9}


@dataclass
class Outcome:
    """What a training leaves behind."""

    curve: np.ndarray
    network: dict[str, np.ndarray]
    optimizer: dict[str, np.ndarray]
    random: dict[str, Any]


def training(family: Family, dtype: str) -> tuple[Callable[..., Any], Any, Any]:
    """``step(x, y)``, the network and its optimiser."""
    net = family.network().to(getattr(dotori, dtype))
    optimizer = family.optimizer(net.parameters())
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = family.loss(net(x), y)
        loss.backward()
        if family.clip:
            nn.utils.clip_grad_norm_(net.parameters(), family.clip)
        optimizer.step()
        if family.schedule:
            schedule.step()
        return loss

    return step, net, optimizer


def batches(family: Family, dtype: str) -> Iterator[tuple[Any, Any]]:
    """Batches of samples in an order of their own, for all steps."""
    x, y = family.data()
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        chosen = rng.integers(0, len(x), BATCH)
        batch = (
            a[chosen].astype(dtype if a.dtype.kind == "f" else a.dtype) for a in (x, y)
        )
        yield tuple(map(dotori.from_numpy, batch))


@contextmanager
def seeded() -> Iterator[None]:
    """Random numbers from seed 0, and the earlier ones afterwards."""
    before = dotori.get_rng_state()
    dotori.manual_seed(0)
    try:
        yield
    finally:
        dotori.set_rng_state(before)


@cache
def trained(name: str, dtype: str, mode: str = "") -> Outcome:
    """1,000 steps: eager, or captured for `mode`."""
    family = FAMILIES[name]
    with seeded():
        step, net, optimizer = training(family, dtype)
        if mode:
            step = dotori.compile(step, mode=mode)
        curve = [step(x, y).item() for x, y in batches(family, dtype)]
        random = dotori.get_rng_state()
    return Outcome(
        np.array(curve),
        arrays(net.state_dict()),
        arrays(optimizer.state_dict()),
        random,
    )


def arrays(tree: Any, path: str = "") -> dict[str, np.ndarray]:
    """Every tensor and number of a state dict, by its path."""
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, (list, tuple)):
        items = enumerate(tree)
    else:
        known = isinstance(tree, (dotori.Tensor, int, float))
        return {path: np.array(getattr(tree, "array", tree))} if known else {}
    found: dict[str, np.ndarray] = {}
    for key, part in items:
        found |= arrays(part, f"{path}.{key}")
    return found


def assert_same(mine: Outcome, other: Outcome, tolerance: float) -> None:
    """Both trainings took the same path."""
    np.testing.assert_allclose(mine.curve, other.curve, rtol=tolerance)
    for ours, theirs in [
        (mine.network, other.network),
        (mine.optimizer, other.optimizer),
    ]:
        assert ours.keys() == theirs.keys()
        for key, wanted in theirs.items():
            assert ours[key].dtype == wanted.dtype, key
            scale = np.abs(wanted).max(initial=0) if wanted.size else 0
            np.testing.assert_allclose(
                ours[key], wanted, rtol=tolerance, atol=tolerance * scale, err_msg=key
            )
    np.testing.assert_equal(mine.random, other.random)


def compiler() -> None:
    pytest.importorskip("numba", reason="native steps are compiled by Numba")


@pytest.mark.parametrize("name, dtype", TRAININGS)
def test_the_networks_learn(name, dtype):
    """Else equal curves would say little."""
    curve = trained(name, dtype).curve
    assert curve[-100:].mean() < 0.9 * curve[:100].mean()


@pytest.mark.parametrize("name, dtype", TRAININGS)
def test_planned_steps_train_like_eager_ones(name, dtype):
    mine, other = trained(name, dtype, "numpy"), trained(name, dtype)
    assert_same(mine, other, TOLERANCE[dtype])


@pytest.mark.parametrize("name, dtype", NATIVE)
def test_native_steps_train_like_eager_ones(name, dtype):
    compiler()
    mine, other = trained(name, dtype, "native"), trained(name, dtype)
    assert_same(mine, other, TOLERANCE[dtype])


@pytest.mark.parametrize("mode", ["numpy", "native"])
def test_many_steps_in_one_call_are_those_steps(mode):
    if mode == "native":
        compiler()
    family, dtype = FAMILIES["MLP"], "float32"
    with seeded():
        step, net, optimizer = training(family, dtype)
        losses = dotori.compile(step, mode=mode).over(batches(family, dtype))
        random = dotori.get_rng_state()
    many = Outcome(
        losses.numpy(), arrays(net.state_dict()), arrays(optimizer.state_dict()), random
    )
    assert_same(many, trained("MLP", dtype, mode), 0.0)


@pytest.mark.parametrize("mode", ["numpy", "native"])
def test_masks_are_those_of_the_eager_step(mode):
    if mode == "native":
        compiler()

    def step(x: Any) -> Any:
        return F.dropout(x, 0.3), F.dropout(x, 0.5)

    with seeded():
        fast = dotori.compile(step, mode=mode)
        captured = [fast(dotori.ones(7, 5)) for _ in range(20)]
    with seeded():
        eager = [step(dotori.ones(7, 5)) for _ in range(20)]
    for mine, other in zip(captured, eager, strict=True):
        np.testing.assert_array_equal(mine[0].numpy(), other[0].numpy())
        np.testing.assert_array_equal(mine[1].numpy(), other[1].numpy())
