"""The trainer's captured update: the same training, guard and resumption."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.data import DataLoader, TensorDataset
from dotori.errors import ArgumentError, NonFiniteError
from dotori.random import use_generator
from dotori.train import Trainer
from dotori.train import trainer as trainer_module


@pytest.fixture(autouse=True)
def _from_the_first_step(monkeypatch: Any) -> None:
    monkeypatch.setattr(trainer_module, "WORTH_CAPTURING", 2)


def make(compile: Any, **options: Any) -> tuple[Trainer, Any]:
    with use_generator(dotori.Generator(1)):
        layers = [nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1)]
        model = nn.Sequential(*layers).double()
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    options.setdefault("schedule", optim.CosineAnnealingLR(optimizer, 60))
    trainer = Trainer(
        model,
        nn.MSELoss(),
        optimizer,
        schedule_every="step",
        clip_norm=0.5,
        l2=0.01,
        compile=compile,
        **options,
    )
    rng = np.random.default_rng(0)
    x = rng.standard_normal((38, 3))
    y = x @ [[1.0], [-2.0], [0.5]]
    data = TensorDataset(x, y)
    return trainer, DataLoader(data, 8, shuffle=True, generator=dotori.Generator(5))


def fitted(compile: Any, epochs: int = 6) -> Trainer:
    trainer, loader = make(compile)
    with use_generator(dotori.Generator(9)):
        trainer.fit(loader, loader, epochs=epochs)
    return trainer


def weights(trainer: Trainer) -> dict[str, Any]:
    return {k: v.array for k, v in trainer.model.state_dict().items()}


def same(a: Any, b: Any) -> None:
    """But for rounding, which Adam makes large where a gradient is truly 0."""
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_a_captured_training_is_the_plain_one() -> None:
    plain, captured = fitted(False), fitted("numpy")
    assert captured._compiled.captures == 2  # the last batch is smaller
    for name in ("loss", "valid_loss", "lr"):
        np.testing.assert_allclose(
            captured.history[name], plain.history[name], rtol=1e-9
        )
    for key, w in weights(plain).items():
        same(weights(captured)[key], w)


@pytest.mark.parametrize("steps", [1, 2, 3, 11])
def test_a_resumed_captured_training_ends_in_the_same_bits(
    tmp_path: Any, steps: int
) -> None:
    whole = fitted("numpy")
    trainer, loader = make("numpy")
    stop = StopAt(steps)
    trainer.callbacks = [stop]
    with use_generator(dotori.Generator(9)), pytest.raises(KeyboardInterrupt):
        stop.path = tmp_path / "checkpoint"
        trainer.fit(loader, loader, epochs=6)
    again, loader = make("numpy")
    again._loader = loader
    with use_generator(dotori.Generator(0)):
        again.load(tmp_path / "checkpoint")
        again.fit(loader, loader, epochs=6)
    for key, w in weights(whole).items():
        np.testing.assert_array_equal(weights(again)[key], w)
    assert again.history["loss"] == whole.history["loss"]


class StopAt(dotori.train.Callback):
    def __init__(self, steps: int) -> None:
        self.steps, self.path = steps, None

    def on_step_end(self, trainer: Trainer) -> None:
        if trainer.step == self.steps:
            trainer.save(self.path)
            raise KeyboardInterrupt


def test_the_guard_stops_a_captured_step_before_weights_change() -> None:
    trainer, _ = make("numpy", schedule=None)
    rng = np.random.default_rng(0)
    good = (rng.standard_normal((8, 3)), rng.standard_normal((8, 1)))
    trainer.fit([good] * 4, epochs=1)
    assert trainer._compiled.captures == 1
    before = {k: w.copy() for k, w in weights(trainer).items()}
    bad = (np.full((8, 3), np.nan), good[1])
    with pytest.raises(NonFiniteError, match="NaN"):
        trainer.fit([bad], epochs=2)
    for key in ("0.weight", "3.weight"):
        np.testing.assert_array_equal(weights(trainer)[key], before[key])
    steps = trainer.optimizer.state_dict()["state"][0]["step"].item()
    assert steps == 4


def test_what_cannot_be_captured_trains_as_it_is_with_one_warning() -> None:
    trainer, loader = make("auto")
    loss = trainer.loss
    trainer.loss = lambda p, t: loss(p, t) if float(p.mean()) < 1e9 else None
    with pytest.warns(UserWarning, match="without being captured") as caught:
        trainer.fit(loader, epochs=1)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trainer.fit(loader, epochs=2)
    assert trainer.step == 10


def test_a_step_of_the_users_own_is_captured_too() -> None:
    class Twice(Trainer):
        def update(self, *batch: Any) -> Any:
            super().update(*batch)
            return super().update(*batch)

    plain, loader = make(False)
    rows = [next(iter(loader))] * 6
    plain.update, base = None, plain.update  # type: ignore[method-assign]
    plain.update = lambda *b: (base(*b), base(*b))[1]  # type: ignore[method-assign]
    trainer, _ = make("numpy")
    trainer.__class__ = Twice
    for t in (plain, trainer):
        with use_generator(dotori.Generator(2)):
            t.fit(rows, epochs=1)
    for key, w in weights(plain).items():
        same(weights(trainer)[key], w)


def test_other_words_for_compile_are_refused() -> None:
    with pytest.raises(ArgumentError, match="compile"):
        make("fast")
