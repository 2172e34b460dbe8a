"""Determinism and exact resuming, in their long form.

    python tools/reliability_resume.py [--short]

Rows: stopping after every step and going on in a new trainer; kill -9 at a random time
and going on in a new process; equal seeds in new processes, under other hash seeds,
locales and time zones; other seeds. Each row ends as ``name: passed/cases``.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import dotori
from dotori import nn, optim
from dotori.data import DataLoader, TensorDataset
from dotori.random import use_generator
from dotori.train import Callback, Checkpoint, EarlyStopping, Trainer

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
}
SCHEDULES = {
    "none": lambda o: None,
    "cosine": lambda o: optim.CosineAnnealingLR(o, 20),
    "plateau": lambda o: optim.ReduceLROnPlateau(o, patience=0, factor=0.5),
}
STEPS, BATCHES = 60, 5


class Stop(Exception):
    """Ends a training as a crash would."""


class StopAfter(Callback):
    def __init__(self, steps: int, path: Path) -> None:
        self.steps, self.path = steps, path

    def on_step_end(self, trainer: Trainer) -> None:
        if trainer.step == self.steps:
            trainer.save(self.path)
            raise Stop


def start(optimizer: str, schedule: str, seed: int = 1, callbacks: tuple = ()):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 3)).astype(np.float32)
    y = (x @ [[1.0], [-2.0], [0.5]]).astype(np.float32)
    with use_generator(dotori.Generator(seed)):
        layers = [nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1)]
        model = nn.Sequential(*layers)
    made = OPTIMIZERS[optimizer](model.parameters())
    trainer = Trainer(
        model,
        nn.MSELoss(),
        made,
        schedule=SCHEDULES[schedule](made),
        callbacks=[EarlyStopping(patience=100), *callbacks],
    )
    train = DataLoader(
        TensorDataset(x[:30], y[:30]), 6, shuffle=True, generator=dotori.Generator(seed)
    )
    return trainer, train, DataLoader(TensorDataset(x[30:], y[30:]), 5)


def fit(trainer, train, valid, seed: int = 9, epochs: int = STEPS // BATCHES) -> str:
    with use_generator(dotori.Generator(seed)):
        trainer.fit(train, valid, epochs=epochs)
    return digest(trainer)


def digest(trainer) -> str:
    """Weights, optimiser state and history in one number."""
    found = hashlib.blake2b(digest_size=8)
    for value in trainer.model.state_dict().values():
        found.update(value.array.tobytes())
    for kept in trainer.optimizer.state_dict()["state"].values():
        for value in kept.values():
            found.update(np.asarray(value).tobytes())
    found.update(json.dumps(trainer.history.records).encode())
    return found.hexdigest()


def every_step(folder: Path, cases: int) -> tuple[int, int]:
    passed = total = 0
    path = folder / "checkpoint"
    for optimizer in OPTIMIZERS:
        for schedule in SCHEDULES:
            trainer, train, valid = start(optimizer, schedule)
            expected = fit(trainer, train, valid)
            for steps in range(1, cases + 1):
                stop = (StopAfter(steps, path),)
                trainer, train, valid = start(optimizer, schedule, callbacks=stop)
                try:
                    fit(trainer, train, valid)
                except Stop:
                    pass
                trainer, train, valid = start(optimizer, schedule)
                with use_generator(dotori.Generator(0)):
                    trainer.load(path)
                    trainer.fit(train, valid, epochs=STEPS // BATCHES)
                passed += digest(trainer) == expected
                total += 1
    return passed, total


def child(path: str, epochs: int) -> None:
    """Train with a checkpoint every three steps, going on from one that is there."""
    trainer, train, valid = start("adam", "cosine")
    trainer.callbacks.append(Checkpoint(path, every_epochs=1, every_steps=3))
    with use_generator(dotori.Generator(9)):
        if Path(path).exists():
            trainer.load(path)
        trainer.fit(train, valid, epochs=epochs)
    sys.stdout.write(digest(trainer) + "\n")


def run_child(path: Path, epochs: int, **environment: str) -> subprocess.Popen:
    command = [sys.executable, __file__, "--child", str(path), "--epochs", str(epochs)]
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def kills(folder: Path, cases: int, epochs: int = 120) -> tuple[int, int]:
    path = folder / "killed"
    began = time.monotonic()
    with run_child(path, epochs) as process:
        expected = process.stdout.read()
    duration = time.monotonic() - began
    passed = 0
    for _ in range(cases):
        path.unlink(missing_ok=True)
        with run_child(path, epochs) as process:
            time.sleep(random.uniform(0.3, 1.0) * duration)
            process.send_signal(signal.SIGKILL)
        with run_child(path, epochs) as process:
            passed += process.stdout.read() == expected
    return passed, cases


def places(folder: Path, cases: int) -> tuple[int, int]:
    """New processes under other hash seeds, locales, time zones, folders, threads."""
    found = []
    for i in range(cases):
        environment = {
            "PYTHONHASHSEED": str(i),
            "LC_ALL": ["C", "C.UTF-8", "POSIX"][i % 3],
            "TZ": ["UTC", "Asia/Seoul", "America/St_Johns"][i % 3],
            "OPENBLAS_NUM_THREADS": "12"[i % 2],
        }
        with run_child(folder / f"place{i}", 12, **environment) as process:
            found.append(process.stdout.read())
    return sum(digest == found[0] != "" for digest in found), cases


def seeds(folder: Path, cases: int) -> tuple[int, int]:
    """Other seeds give other results."""
    found = {fit(*start("sgd", "none", seed=s), epochs=1) for s in range(cases)}
    return len(found), cases


ROWS = {"every step": every_step, "kill -9": kills, "places": places, "seeds": seeds}
CASES = {
    "every step": (40, 4),
    "kill -9": (100, 3),
    "places": (10, 3),
    "seeds": (100, 9),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--child")
    parser.add_argument("--epochs", type=int, default=12)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.epochs)
        return 0
    failed = 0
    for name, row in ROWS.items():
        with tempfile.TemporaryDirectory() as folder:
            passed, cases = row(Path(folder), CASES[name][arguments.short])
        print(f"{name}: {passed}/{cases}", flush=True)
        failed += passed != cases
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
