"""The training of a network on the splits of a table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from dotori.data import DataLoader, TensorDataset
from dotori.errors import DataError
from dotori.random import Generator, use_generator
from dotori.tabular.network import (
    BatchLoss,
    build_network,
    build_optimizer,
    build_schedule,
    choose_loss,
)
from dotori.tabular.options import Options
from dotori.tabular.parts import Part, Prepared
from dotori.tabular.target import Target
from dotori.train import Callback, Checkpoint, EarlyStopping, Trainer, running

# Streams derived from the seed, so that each choice is independent of the others.
_WEIGHTS, _ORDER = 1, 2


def train_network(
    data: Prepared,
    options: Options,
    callbacks: Sequence[Callback] = (),
    checkpoint: Any = None,
    resume: bool = False,
    about: dict[str, Any] | None = None,
) -> Trainer:
    """Train a network; the trainer that comes back holds it and its history.

    Parameters
    ----------
    data : Prepared
    options : Options
    callbacks : sequence of Callback
    checkpoint : path, optional
    resume : bool
        Go on from the checkpoint.
    about : dict, optional
        Is kept in the checkpoint.

    Raises
    ------
    DataError
        If the checkpoint belongs to other data or options.
    """
    seed = Generator(options.seed)
    with use_generator(seed.derive(_WEIGHTS)):
        trainer = _trainer(data, options, callbacks, checkpoint, about)
        train, valid = _loaders(data, options, seed.derive(_ORDER))
        if resume:
            kept = trainer.load(checkpoint)
            if kept.get("fingerprint") != fingerprint(data, options):
                raise DataError(
                    f"{checkpoint} belongs to other data or options; resume with "
                    "those that it was started with, or start anew"
                )
        trainer.fit(train, valid, epochs=options.epochs)
    return trainer


def fingerprint(data: Prepared, options: Options) -> str:
    """A digest of the prepared data and of the options that shape the training."""
    digest = hashlib.blake2b(digest_size=16)
    for part in data.parts.values():
        digest.update(part.x.tobytes() + part.y.tobytes())
    shaping = options.replace(epochs=1).to_mapping()
    digest.update(repr(sorted(shaping.items())).encode())
    return digest.hexdigest()


def best_epoch(trainer: Trainer) -> int:
    """The epoch whose weights were kept."""
    stopping = [c for c in trainer.callbacks if isinstance(c, EarlyStopping)]
    return stopping[0].best_epoch if stopping else trainer.epoch


def _trainer(
    data: Prepared,
    options: Options,
    callbacks: Sequence[Callback],
    checkpoint: Any,
    about: Any,
) -> Trainer:
    target = data.target
    model = build_network(data.parts["train"].x.shape[1], target.num_outputs, options)
    optimizer = build_optimizer(model, options)
    every: list[Callback] = list(callbacks)
    if options.patience and len(data.parts["valid"]):
        every.insert(0, EarlyStopping("valid_loss", options.patience))
    if checkpoint is not None:
        kept = {**(about or {}), "fingerprint": fingerprint(data, options)}
        every.append(Checkpoint(checkpoint, every_epochs=10, about=kept))
    return Trainer(
        model,
        BatchLoss(choose_loss(target.task, options)),
        optimizer,
        schedule=build_schedule(optimizer, options),
        metrics={"score": _Score(target)},
        clip_norm=options.clip or None,
        l1=options.l1,
        l2=options.l2,
        callbacks=every,
    )


def _loaders(data: Prepared, options: Options, generator: Generator) -> tuple[Any, Any]:
    train = DataLoader(
        _dataset(data.parts["train"], data.target),
        batch_size=options.batch_size,
        shuffle=True,
        generator=generator,
    )
    if not len(data.parts["valid"]):
        return train, None
    valid = DataLoader(_dataset(data.parts["valid"], data.target), batch_size=1024)
    return train, valid


def _dataset(part: Part, target: Target) -> TensorDataset:
    """The target as the loss wants it: standardised, 0/1, or class numbers."""
    y = part.y
    if target.is_regression:
        y = target.scale(y).astype(np.float32)[:, np.newaxis]
    elif target.num_outputs == 1:
        y = y.astype(np.float32)[:, np.newaxis]
    arrays = [part.x, y] + ([] if part.weight is None else [part.weight])
    return TensorDataset(*arrays)


class _Score:
    """RMSE in the target's own unit, or accuracy, batch by batch while training."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.metric: Any = (
            running.RMSE() if target.is_regression else running.Accuracy()
        )

    def reset(self) -> None:
        self.metric.reset()

    def update(self, output: Any, true: Any, weight: Any = None) -> None:
        if self.target.is_regression:
            output, true = self.target.unscale(output), self.target.unscale(true)
            self.metric.update(output[:, 0], true[:, 0], weight)
        elif self.target.num_outputs == 1:
            chosen = (output[:, 0] > 0).astype(np.int64)
            self.metric.update(chosen, true[:, 0].astype(np.int64), weight)
        else:
            self.metric.update(output.argmax(axis=1), true, weight)

    def compute(self) -> float:
        return float(self.metric.compute())
