"""Resuming: every place to stop at, with every kind of worker."""

import json
from typing import Any

import numpy as np
import pytest

import dotori
from dotori import Generator
from dotori.data import (
    DataLoader,
    GroupSampler,
    RandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from dotori.errors import DataError, FormatError
from worker_datasets import Counting, Noisy

EPOCHS, N, SIZE = 3, 11, 3  # four batches an epoch


def make(workers: int, seed: int = 5, **options: Any) -> DataLoader[Any]:
    chosen: dict[str, Any] = {
        "batch_size": SIZE,
        "shuffle": True,
        "generator": Generator(seed),
        "num_workers": workers,
        **options,
    }
    return DataLoader(Noisy(N), **chosen)


def plain(batch: Any) -> Any:
    return [column.tolist() for column in batch]


def run(
    loader: DataLoader[Any], epochs: int, stop: int | None = None
) -> tuple[list[Any], str]:
    """Batches of so many epochs, or until `stop` of them; and the state then."""
    seen: list[Any] = []
    for _ in range(epochs):
        for batch in loader:
            seen.append(plain(batch))
            if len(seen) == stop:
                return seen, json.dumps(loader.state_dict())
    return seen, json.dumps(loader.state_dict())


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize(
    "after", [{"workers": 0}, {"workers": 3}, {"workers": 2, "prefetch_factor": 4}]
)
def test_resuming_after_every_batch_gives_the_rest(
    before: int, after: dict[str, Any]
) -> None:
    whole, _ = run(make(0), EPOCHS)
    for k in range(1, len(whole) + 1):
        first, state = run(make(before), EPOCHS, stop=k)
        assert first == whole[:k]
        resumed = make(**after, seed=99)  # the seed is part of the state
        resumed.load_state_dict(json.loads(state))
        epochs_left = EPOCHS - (k - 1) // 4
        rest, _ = run(resumed, epochs_left)
        assert rest == whole[k:]


def test_a_state_between_epochs_begins_the_next() -> None:
    whole, _ = run(make(0), EPOCHS)
    _, state = run(make(0), 1)
    assert json.loads(state)["epoch"] == 1 and json.loads(state)["batch"] == 0
    resumed = make(0)
    resumed.load_state_dict(json.loads(state))
    assert run(resumed, EPOCHS - 1)[0] == whole[4:]


def test_a_state_of_the_last_batch_leaves_an_empty_rest() -> None:
    _, state = run(make(0), EPOCHS, stop=4)
    resumed = make(0)
    resumed.load_state_dict(json.loads(state))
    assert list(resumed) == []
    assert len(list(resumed)) == 4


def test_a_loop_that_was_left_early_is_followed_by_the_next_epoch() -> None:
    whole, _ = run(make(0), EPOCHS)
    loader = make(0)
    run(loader, 1, stop=2)
    assert run(loader, 1)[0] == whole[4:8]


def test_a_new_loader_has_a_state_too() -> None:
    dotori.manual_seed(1)
    loader = DataLoader[Any](Noisy(N), SIZE, shuffle=True)
    state = loader.state_dict()
    other = DataLoader[Any](Noisy(N), SIZE, shuffle=True)
    other.load_state_dict(state)
    assert run(loader, 2)[0] == run(other, 2)[0]


def test_persistent_workers_take_the_new_seed() -> None:
    whole, _ = run(make(0), EPOCHS)
    _, state = run(make(0), EPOCHS, stop=6)
    loader = make(2, seed=8, persistent_workers=True)
    run(loader, 1)
    loader.load_state_dict(json.loads(state))
    assert run(loader, 2)[0] == whole[6:]


@pytest.mark.parametrize("kind", ["random", "weighted", "group", "path"])
def test_samplers_with_a_generator_of_their_own_resume(kind: str) -> None:
    def build(seed: int) -> DataLoader[Any]:
        g = Generator(seed)
        samplers = {
            "random": RandomSampler(range(12), generator=g),
            "weighted": WeightedRandomSampler(range(1, 13), 12, generator=g),
            "group": GroupSampler([i // 3 for i in range(12)], generator=g),
            "path": RandomSampler(range(12), generator=g.derive(3, 4)),
        }
        data = TensorDataset(np.arange(12))
        return DataLoader(data, 4, sampler=samplers[kind])

    loader = build(1)
    whole, _ = run(loader, 2)
    again = build(1)
    _, state = run(again, 2, stop=4)
    resumed = build(2)
    resumed.load_state_dict(json.loads(state))
    assert run(resumed, 1)[0] == whole[4:]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_is_run_up_to_its_place(workers: int) -> None:
    def build() -> DataLoader[Any]:
        return DataLoader(Counting(11), 2, num_workers=workers)

    whole = [batch.tolist() for batch in build()]
    loader = build()
    for k, _ in enumerate(loader):
        state = loader.state_dict()
        resumed = build()
        resumed.load_state_dict(json.loads(json.dumps(state)))
        assert [batch.tolist() for batch in resumed] == whole[k + 1 :]


def test_the_state_of_another_loader_is_refused() -> None:
    state = make(0).state_dict()
    with pytest.raises(DataError, match=r"11 samples in batches of 3.*batches of 4"):
        make(0, batch_size=4).load_state_dict(state)
    with pytest.raises(DataError, match="has 7 samples"):
        DataLoader[Any](Noisy(7), SIZE).load_state_dict(state)
    for broken in ({}, {**state, "seed": []}, {**state, "seed": [-1]}, {"epoch": "x"}):
        with pytest.raises(FormatError, match="state of a DataLoader"):
            make(0).load_state_dict(broken)


def test_a_refused_state_changes_nothing() -> None:
    loader, untouched = make(0), make(0)
    with pytest.raises(FormatError):
        loader.load_state_dict({"epoch": 4, "batch": 1})
    assert run(loader, 1)[0] == run(untouched, 1)[0]
