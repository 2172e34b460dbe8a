"""The loop against one written by hand, its guard, callbacks, and exact resuming."""

import json

import numpy as np
import pytest

import dotori
from dotori import nn, optim
from dotori.data import DataLoader, TensorDataset
from dotori.errors import ArgumentError, FormatError, NonFiniteError
from dotori.random import use_generator
from dotori.train import Callback, Checkpoint, EarlyStopping, JSONLines, Trainer
from dotori.train.checkpoint import load, pack, save, unpack
from dotori.train.running import RMSE


def regression(n=40, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 3))
    y = x @ [[1.0], [-2.0], [0.5]] + 0.1 * rng.standard_normal((n, 1))
    return x.astype(dtype), y.astype(dtype)


def make(optimizer="adam", schedule="none", dropout=0.2, seed=1, **options):
    """A small trainer and its loaders, equal for equal arguments."""
    with use_generator(dotori.Generator(seed)):
        layers = [nn.Linear(3, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1)]
        model = nn.Sequential(*layers).double()
    made = {
        "sgd": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
        "adam": lambda p: optim.Adam(p, lr=0.01),
        "adamw": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
        "rmsprop": lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
    }[optimizer](model.parameters())
    plan = {
        "none": lambda: None,
        "step": lambda: optim.StepLR(made, 3),
        "cosine": lambda: optim.CosineAnnealingLR(made, 20),
        "plateau": lambda: optim.ReduceLROnPlateau(made, patience=0, factor=0.5),
    }[schedule]()
    trainer = Trainer(model, nn.MSELoss(), made, schedule=plan, **options)
    x, y = regression()
    train = DataLoader(
        TensorDataset(x[:30], y[:30]), 7, shuffle=True, generator=dotori.Generator(5)
    )
    return trainer, train, DataLoader(TensorDataset(x[30:], y[30:]), 5)


def test_losses_are_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    trainer, _, valid = make(dropout=0.0, clip_norm=0.5, l1=0.01, l2=0.1)
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 8),
        torch.nn.Tanh(),
        torch.nn.Identity(),
        torch.nn.Linear(8, 1),
    ).double()
    state = {k: torch.tensor(v.numpy()) for k, v in trainer.model.state_dict().items()}
    theirs.load_state_dict(state)
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01)
    x, y = regression()
    batches = [(x[i : i + 8], y[i : i + 8]) for i in range(0, 40, 8)]
    history = trainer.fit(batches, valid, epochs=6)
    for epoch in range(6):
        total = 0.0
        for bx, by in batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(
                theirs(torch.tensor(bx)), torch.tensor(by)
            )
            total += loss.item() * len(bx)
            weights = [p for p in theirs.parameters() if p.ndim > 1]
            penalty = 0.01 * sum(w.abs().sum() for w in weights)
            penalty = penalty + 0.1 * sum((w**2).sum() for w in weights)
            (loss + penalty).backward()
            torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
            optimizer.step()
        assert history["loss"][epoch] == pytest.approx(total / 40, rel=1e-9)


def test_it_learns_and_measures():
    trainer, train, valid = make(dropout=0.0, metrics={"rmse": RMSE()})
    history = trainer.fit(train, valid, epochs=60)
    assert history["valid_rmse"][-1] < 0.4 < history["valid_rmse"][0]
    assert history["valid_rmse"][-1] == pytest.approx(history["valid_loss"][-1] ** 0.5)
    assert history.best("valid_loss")["valid_loss"] == min(history["valid_loss"])
    assert list(history.to_dict()) == [
        "epoch",
        "loss",
        "valid_loss",
        "valid_rmse",
        "lr",
    ]
    x, y = regression()
    assert trainer.predict(x, batch_size=7).shape == y.shape


def test_callbacks_are_told_in_order_and_checkpoints_last():
    told = []

    class Tell(Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                return lambda *args: told.append(name)
            return super().__getattribute__(name)

    x, y = regression(4)
    trainer, _, _ = make(callbacks=[Checkpoint("unused", 0), Tell()])
    assert isinstance(trainer.callbacks[-1], Checkpoint)
    trainer.fit([(x, y)], epochs=2)
    epoch = ["on_epoch_start", "on_step_end", "on_epoch_end"]
    assert told == ["on_train_start", *epoch, *epoch, "on_train_end"]


def test_early_stopping_keeps_the_best_weights():
    seen = {}

    class Remember(Callback):
        def on_epoch_end(self, trainer, record):
            state = trainer.model.state_dict()
            seen[trainer.epoch] = {k: v.array.copy() for k, v in state.items()}

    stopping = EarlyStopping(patience=3)
    trainer, train, valid = make("sgd", callbacks=[stopping, Remember()])
    history = trainer.fit(train, valid, epochs=200)
    losses = history["valid_loss"]
    assert len(losses) < 200 and stopping.best == min(losses)
    assert stopping.best_epoch == losses.index(min(losses)) + 1
    assert len(losses) == stopping.best_epoch + 3
    for name, value in trainer.model.state_dict().items():
        np.testing.assert_array_equal(value.array, seen[stopping.best_epoch][name])


def test_a_schedule_by_step_or_epoch():
    trainer, train, _ = make("sgd", "step")
    assert trainer.fit(train, epochs=5)["lr"] == pytest.approx([0.02] * 3 + [0.002] * 2)
    x, y = regression(4)
    trainer, _, _ = make("sgd", "step", schedule_every="step")
    assert trainer.fit([(x, y)] * 4, epochs=1)["lr"] == pytest.approx([0.002])


# ------------------------------------------------------------------------- the guard


def test_nan_in_the_data_is_found_and_the_weights_stay():
    trainer, _, _ = make()
    before = {k: v.array.copy() for k, v in trainer.model.state_dict().items()}
    x, y = regression(8)
    x[3, 1] = np.nan
    with pytest.raises(NonFiniteError, match=r"step 1 of epoch 1: the loss is nan.*0 "):
        trainer.fit([(x, y)], epochs=1)
    for name, value in trainer.model.state_dict().items():
        np.testing.assert_array_equal(value.array, before[name])


def test_the_layer_and_the_operation_at_fault_are_named():
    class LogOfNegative(nn.Module):
        def forward(self, x):
            return dotori.log(x - 100.0)

    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), LogOfNegative(), nn.Linear(4, 1))
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()))
    x, y = regression(4, dtype=np.float32)
    with pytest.raises(NonFiniteError, match=r"2 \(LogOfNegative\): Log, forward"):
        trainer.fit([(x, y)], epochs=1)


def test_a_gradient_at_fault_is_found_while_the_loss_is_finite():
    class RootOfZero(nn.Module):
        def forward(self, x):
            return dotori.sqrt(x * 0.0)

    model = nn.Sequential(nn.Linear(3, 4), RootOfZero(), nn.Linear(4, 1))
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()))
    x, y = regression(4, dtype=np.float32)
    with pytest.raises(NonFiniteError, match=r"backward"):
        trainer.fit([(x, y)], epochs=1)


# ------------------------------------------------------------------------- resuming


class StopAfter(Callback):
    """Stops the process's training as Ctrl-C would, after a number of steps."""

    def __init__(self, steps, path):
        self.steps, self.path = steps, path

    def on_step_end(self, trainer):
        if trainer.step == self.steps:
            trainer.save(self.path)
            raise KeyboardInterrupt


def outcome(trainer):
    weights = {k: v.array.copy() for k, v in trainer.model.state_dict().items()}
    packed: dict = {}
    state = pack(trainer.optimizer.state_dict(), packed)
    return weights, packed, json.dumps(state), json.dumps(trainer.history.records)


def same(a, b):
    for left, right in zip(a[:2], b[:2], strict=True):
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_array_equal(left[name], right[name])
    assert a[2:] == b[2:]


@pytest.mark.parametrize("schedule", ["none", "cosine", "plateau"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_a_resumed_training_ends_in_the_same_bits(tmp_path, optimizer, schedule):
    def start(*callbacks):
        stopping = EarlyStopping(patience=4)
        return make(optimizer, schedule, callbacks=[stopping, *callbacks])

    trainer, train, valid = start()
    with use_generator(dotori.Generator(9)):
        trainer.fit(train, valid, epochs=8)
    expected = outcome(trainer)
    for steps in (1, 4, 5, 6, 17, 30):
        path = tmp_path / "checkpoint"
        trainer, train, valid = start(StopAfter(steps, path))
        with use_generator(dotori.Generator(9)), pytest.raises(KeyboardInterrupt):
            trainer.fit(train, valid, epochs=8)
        trainer, train, valid = start()
        with use_generator(dotori.Generator(0)):
            trainer.load(path)
            trainer.fit(train, valid, epochs=8)
        same(outcome(trainer), expected)


def test_a_finished_training_resumes_to_itself(tmp_path):
    path = tmp_path / "checkpoint"
    stopping = EarlyStopping(patience=2)
    trainer, train, valid = make("sgd", callbacks=[stopping, Checkpoint(path)])
    trainer.fit(train, valid, epochs=100)
    assert trainer.epoch < 100
    again, train, valid = make("sgd", callbacks=[EarlyStopping(patience=2)])
    again.load(path)
    again.fit(train, valid, epochs=100)
    assert again.epoch == trainer.epoch
    for name, value in trainer.model.state_dict().items():
        np.testing.assert_array_equal(again.model.state_dict()[name].array, value.array)


def test_records_as_json_lines(tmp_path):
    path = tmp_path / "log.jsonl"
    trainer, train, valid = make(callbacks=[JSONLines(path)])
    history = trainer.fit(train, valid, epochs=3)
    lines = path.read_text().splitlines()
    assert [json.loads(line) for line in lines] == history.records


def test_any_nested_state_survives_a_checkpoint(tmp_path):
    state = {
        "a": [1, (2.5, None), {"b": np.arange(3)}],
        7: {"x": np.float64(0.1), "$odd": True},
        "empty": {},
    }
    save(tmp_path / "c", state, {"note": "hello"})
    found, about = load(tmp_path / "c")
    assert about == {"note": "hello"}
    np.testing.assert_array_equal(found["a"][2].pop("b"), np.arange(3))
    assert found["a"][:2] == [1, (2.5, None)]
    assert found[7] == {"x": 0.1, "$odd": True} and found["empty"] == {}
    arrays: dict = {}
    assert unpack(pack({"k": (1, [2])}, arrays), arrays) == {"k": (1, [2])}


def test_a_foreign_file_is_no_checkpoint(tmp_path):
    path = tmp_path / "c"
    path.write_text("hello")
    trainer, _, _ = make()
    with pytest.raises(FormatError):
        trainer.load(path)


def test_wrong_use_is_named():
    with pytest.raises(ArgumentError, match="schedule_every"):
        make(schedule_every="day")
    trainer, _, _ = make()
    with pytest.raises(ArgumentError, match="gave no batch"):
        trainer.fit([], epochs=1)
    trainer, train, _ = make(callbacks=[EarlyStopping()])
    with pytest.raises(ArgumentError, match="pass validation data"):
        trainer.fit(train, epochs=1)
    with pytest.raises(ArgumentError, match="patience"):
        EarlyStopping(patience=0)
    with pytest.raises(ArgumentError, match="mode"):
        EarlyStopping(mode="up")
