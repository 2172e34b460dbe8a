"""A training that was stopped anywhere goes on to the same bits, with every optimiser."""

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.data import DataLoader, TensorDataset
from dotori.optim import lr_scheduler
from dotori.random import use_generator
from dotori.train import Callback, Trainer

OPTIMIZERS = {
    "SGD": {"momentum": 0.9, "dampening": 0.1},
    "Adam": {"amsgrad": True},
    "AdamW": {},
    "RMSprop": {"centered": True, "momentum": 0.5, "eps": 1e-3},
    "Adagrad": {},
    "Adadelta": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "ASGD": {"t0": 3},
    "Rprop": {},
    "Adafactor": {},
    "Lion": {},
}


def sequence(optimizer):
    parts = [
        lr_scheduler.LinearLR(optimizer, 0.1, total_iters=4),
        lr_scheduler.MultiStepLR(optimizer, [3, 5], 0.5),
    ]
    return lr_scheduler.SequentialLR(optimizer, parts, milestones=[4])


SCHEDULES = {
    "constant": lambda o: lr_scheduler.ConstantLR(o, 0.5, 6),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 7),
    "restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2),
    "cycle": lambda o: lr_scheduler.CyclicLR(o, 0.001, 0.1, 4, mode="exp_range"),
    "one cycle": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=15),
    "sequence": sequence,
    "swa": lambda o: optim.swa_utils.SWALR(o, 0.05, anneal_epochs=6),
}


class StopAfter(Callback):
    """Saves a checkpoint after some steps, and stops as Ctrl-C would."""

    def __init__(self, steps, path):
        self.steps, self.path = steps, path

    def on_step_end(self, trainer):
        if trainer.step == self.steps:
            trainer.save(self.path)
            raise KeyboardInterrupt


def make(name, options, schedule=None, callbacks=()):
    """A trainer of a small network over four batches an epoch."""
    with use_generator(dotori.Generator(1)):
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = getattr(optim, name)(model.parameters(), lr=0.02, **options)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((16, 3), dtype=np.float32)
    loader = DataLoader(
        TensorDataset(x, x[:, :1] ** 2), 4, shuffle=True, generator=dotori.Generator(5)
    )
    plan = SCHEDULES[schedule](optimizer) if schedule else None
    trainer = Trainer(
        model,
        nn.MSELoss(),
        optimizer,
        schedule=plan,
        schedule_every="step",
        callbacks=callbacks,
    )
    return trainer, loader


def goes_on_to_the_same_bits(path, *setup):
    whole, loader = make(*setup)
    whole.fit(loader, epochs=3)
    for steps in (1, 5, 8):
        stopped, loader = make(*setup, callbacks=[StopAfter(steps, path)])
        with pytest.raises(KeyboardInterrupt):
            stopped.fit(loader, epochs=3)
        resumed, loader = make(*setup)
        resumed.load(path)
        resumed.fit(loader, epochs=3)
        ends = [t.model.state_dict() for t in (whole, resumed)]
        for key, value in ends[0].items():
            np.testing.assert_array_equal(value.array, ends[1][key].array)
        assert resumed.history.records == whole.history.records


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser(tmp_path, name):
    goes_on_to_the_same_bits(tmp_path / "checkpoint", name, OPTIMIZERS[name])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_kind_of_schedule(tmp_path, schedule):
    setup = "SGD", {"momentum": 0.9}, schedule
    goes_on_to_the_same_bits(tmp_path / "checkpoint", *setup)
