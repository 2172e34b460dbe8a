"""DataLoader: what an epoch contains, in which order, with which random numbers."""

import contextlib
import gc
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import Generator
from dotori.data import (
    Batch,
    BatchSampler,
    DataLoader,
    Dataset,
    GroupSampler,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    StratifiedBatchSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)
from dotori.errors import ArgumentError, ShapeError
from worker_datasets import Counting, Failing, Noisy, WhoReads, refuse_to_start


def contents(loader: DataLoader[Any]) -> list[Any]:
    """One epoch as plain values that can be compared."""
    return [[column.tolist() for column in batch] for batch in loader]


def joined(lists: Any) -> list[Any]:
    return [item for part in lists for item in part]


def loader_threads() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("dotori-loader")]


def numbers(n: int) -> TensorDataset:
    return TensorDataset(np.arange(2 * n, dtype=np.float32).reshape(n, 2), np.arange(n))


@given(
    n=st.integers(0, 40),
    size=st.integers(1, 12),
    drop_last=st.booleans(),
    shuffle=st.booleans(),
    workers=st.sampled_from([0, 0, 1, 3]),
    arrays=st.booleans(),
)
def test_every_epoch_sees_every_sample_exactly_once(
    n: int, size: int, drop_last: bool, shuffle: bool, workers: int, arrays: bool
) -> None:
    dataset: Any = numbers(n) if arrays else [(0.0, i) for i in range(n)]
    loader = DataLoader[Any](
        dataset, size, shuffle, drop_last=drop_last, num_workers=workers
    )
    for _ in range(2):
        batches = [y.tolist() for _, y in loader]
        seen = [i for batch in batches for i in batch]
        assert len(batches) == len(loader)
        assert len(seen) == len(set(seen)) == (n - n % size if drop_last else n)
        assert all(len(batch) == size for batch in batches[:-1])
        if not shuffle:
            assert seen == list(range(len(seen)))


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", [1, 3, 7, 8, None])
def test_lengths_are_torchs(torch_data: Any, size: int | None, drop_last: bool) -> None:
    if size is None and drop_last:
        pytest.skip("batch_size=None has nothing to drop")
    for dataset in ([*range(7)], Counting(7)):
        ours = DataLoader[Any](dataset, size, drop_last=drop_last)
        shapes = [np.shape(batch) for batch in ours]
        theirs = torch_data.DataLoader([*range(7)], size, drop_last=drop_last)
        assert shapes == [np.shape(batch) for batch in theirs]
        if isinstance(dataset, list):
            assert len(ours) == len(theirs)


def test_batches_are_tensors_with_the_types_of_the_data() -> None:
    x, y = next(iter(DataLoader[Any](numbers(5), 2)))
    assert isinstance(x, dotori.Tensor) and isinstance(y, dotori.Tensor)
    assert (x.dtype, y.dtype) == (np.float32, np.int64)
    assert x.tolist() == [[0, 1], [2, 3]]


def test_consecutive_batches_are_views_and_shuffled_ones_copies() -> None:
    dataset = numbers(6)
    for x, _ in DataLoader[Any](dataset, 2):
        assert np.shares_memory(x.array, dataset.arrays[0])
    for x, _ in DataLoader[Any](dataset, 2, shuffle=True):
        assert not np.shares_memory(x.array, dataset.arrays[0])


def test_orders_differ_from_epoch_to_epoch_and_not_from_run_to_run() -> None:
    first, second = (
        [[y.tolist() for _, y in loader] for _ in range(3)]
        for loader in [
            DataLoader[Any](numbers(20), 4, True, generator=Generator(1))
            for _ in range(2)
        ]
    )
    assert first == second
    assert first[0] != first[1] != first[2]


def test_the_global_seed_fixes_a_loader_without_a_generator() -> None:
    runs = []
    for seed in (5, 5, 6):
        loader = DataLoader[Any](Noisy(12), 4, shuffle=True)
        dotori.manual_seed(seed)
        runs.append(contents(loader))
    assert runs[0] == runs[1] != runs[2]


def test_a_loader_draws_nothing_from_its_generator() -> None:
    generator = Generator(4)
    before = generator.get_state()
    contents(DataLoader[Any](Noisy(12), 4, shuffle=True, generator=generator))
    assert generator.get_state() == before


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("prefetch", [1, 5])
def test_threads_change_neither_order_nor_random_numbers(
    workers: int, prefetch: int
) -> None:
    def run(**options: Any) -> list[Any]:
        loader = DataLoader[Any](
            Noisy(23), 4, shuffle=True, generator=Generator(7), **options
        )
        return [contents(loader), contents(loader)]

    alone = run()
    assert alone == run(num_workers=workers, prefetch_factor=prefetch)
    assert alone == run(num_workers=workers, persistent_workers=True)


def test_every_batch_has_random_numbers_of_its_own() -> None:
    loader = DataLoader[Any](Noisy(64), 2, num_workers=4, generator=Generator(0))
    drawn = [tuple(x.array[0]) for _ in range(4) for _, x in loader]
    assert len(set(drawn)) == len(drawn) == 4 * 32


def test_the_callers_random_numbers_are_left_alone() -> None:
    dotori.manual_seed(0)
    expected = dotori.Generator(0).normal(2)
    for _ in DataLoader[Any](Noisy(6), 2, generator=Generator(1)):
        pass
    np.testing.assert_array_equal(dotori.default_generator().normal(2), expected)


def test_random_numbers_in_collate_fn_are_the_batchs_too() -> None:
    def jitter(samples: list[Any]) -> Any:
        return [dotori.default_generator().normal(2)]

    runs = [
        contents(
            DataLoader[Any](
                numbers(9), 2, collate_fn=jitter, num_workers=w, generator=Generator(2)
            )
        )
        for w in (0, 3)
    ]
    assert runs[0] == runs[1]
    assert len({str(batch) for batch in runs[0]}) == 5


def test_samples_reach_a_collate_fn_as_a_list() -> None:
    seen: list[Any] = []
    loader = DataLoader[Any](numbers(3), 2, collate_fn=seen.append)
    assert list(loader) == [None, None]
    assert [len(samples) for samples in seen] == [2, 1]
    x, y = seen[0][1]
    assert x.tolist() == [2, 3] and y.item() == 1


def test_whole_batches_are_asked_for_once() -> None:
    calls: list[Any] = []

    class Whole(Dataset[Any]):
        def __len__(self) -> int:
            return 10

        def __getitems__(self, indices: Any) -> Any:
            calls.append(indices)
            return Batch([np.asarray(indices) * 2])

    batches = contents(DataLoader(Whole(), 4))
    assert batches == [[[0, 2, 4, 6]], [[8, 10, 12, 14]], [[16, 18]]]
    assert len(calls) == 3 and all(isinstance(c, np.ndarray) for c in calls)
    batch = next(iter(DataLoader[Any](Whole(), 4)))
    assert type(batch) is Batch and isinstance(batch[0], dotori.Tensor)


def test_subsets_and_sums_of_arrays_are_gathered() -> None:
    train, rest = random_split(numbers(30), [20, 10], Generator(0))
    loader = DataLoader[Any](train + rest, 7, shuffle=True, generator=Generator(0))
    assert type(next(iter(loader))) is Batch
    seen = [i for _, y in loader for i in y.tolist()]
    assert sorted(seen) == list(range(30))
    nested = Subset[Any](train, range(5, 15))
    ys = [y.tolist() for _, y in DataLoader[Any](nested, 5)]
    assert joined(ys) == np.asarray(train.indices)[5:15].tolist()


def test_samplers_choose_the_order() -> None:
    labels = np.repeat([0, 1], 20)
    dataset = TensorDataset(labels, np.arange(40))
    batched = StratifiedBatchSampler(labels, 8, generator=Generator(0))
    for y, _ in DataLoader[Any](dataset, batch_sampler=batched):
        assert y.array.sum() == 4
    weighted = WeightedRandomSampler(labels.astype(float), 16, generator=Generator(0))
    for y, _ in DataLoader[Any](dataset, 4, sampler=weighted):
        assert y.tolist() == [1] * 4
    loader = DataLoader[Any](dataset, 4, sampler=GroupSampler(labels, Generator(0)))
    orders = [tuple(i for y, _ in loader for i in y.tolist()) for _ in range(12)]
    assert len(set(orders)) == 2 and set(map(len, orders)) == {40}


def test_samplers_of_ones_own_draw_repeatable_numbers() -> None:
    class Mine(Sampler[int]):
        def __iter__(self) -> Iterator[int]:
            for _ in range(9):
                yield int(dotori.default_generator().integers(0, 1000))

    dataset = TensorDataset(np.arange(1000))
    for options in (
        {"batch_size": 2, "sampler": Mine()},
        {"batch_sampler": BatchSampler(Mine(), 2, False)},
        {"batch_sampler": [[3, 1], [4]]},
    ):
        runs = []
        for workers in (0, 2):
            loader = DataLoader[Any](
                dataset, generator=Generator(5), num_workers=workers, **options
            )
            runs.append([contents(loader), contents(loader)])
        assert runs[0] == runs[1]
        if isinstance(
            options["batch_sampler" if len(options) == 1 else "sampler"], list
        ):
            assert runs[0][0] == [[[3, 1]], [[4]]]
        else:
            assert runs[0][0] != runs[0][1]


def test_without_a_batch_size_samples_come_one_by_one() -> None:
    loader = DataLoader[Any](numbers(3), batch_size=None)
    assert [(x.tolist(), y.item()) for x, y in loader][1] == ([2, 3], 1)
    own = DataLoader[Any](numbers(3), None, sampler=[[2, 0], [1]])
    assert [y.tolist() for _, y in own] == [[2, 0], [1]]
    assert len(loader) == 3
    words = DataLoader[Any]({"b": 1, "a": np.zeros(2)}, None, sampler=["a", "b"])
    first, second = words
    assert isinstance(first, dotori.Tensor) and second == 1


def test_streams_are_cut_into_batches() -> None:
    assert [b.tolist() for b in DataLoader[Any](Counting(5), 2)] == [
        [0, 1],
        [2, 3],
        [4],
    ]
    dropped = DataLoader[Any](Counting(5), 2, drop_last=True)
    assert [b.tolist() for b in dropped] == [[0, 1], [2, 3]]
    assert list(DataLoader[Any](Counting(3), None)) == [0, 1, 2]
    with pytest.raises(TypeError, match="__len__"):
        len(dropped)


def test_workers_divide_a_stream() -> None:
    loader = DataLoader[Any](Counting(11), 2, num_workers=3)
    batches = [b.tolist() for b in loader]
    assert sorted(joined(batches)) == list(range(11))
    # By hand: worker 0 has 0 3 6 9, worker 1 has 1 4 7 10, worker 2 has 2 5 8.
    assert batches == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10], [8]]
    again = DataLoader[Any](Counting(11), 2, num_workers=3, persistent_workers=True)
    for _ in again:
        break
    assert [b.tolist() for b in again] == batches
    doubled = DataLoader[Any](Counting(3, divide=False), 3, num_workers=2)
    assert [b.tolist() for b in doubled] == [[0, 1, 2]] * 2


def test_random_numbers_of_a_stream_are_repeatable_and_differ_by_worker() -> None:
    class Noise(IterableDataset[Any]):
        def __iter__(self) -> Iterator[Any]:
            for _ in range(6):
                yield dotori.default_generator().normal(1)

    for workers in (0, 2):
        loader = DataLoader[Any](
            Noise(), 2, num_workers=workers, generator=Generator(3)
        )
        first, second = ([b.tolist() for b in loader] for _ in range(2))
        again = DataLoader[Any](Noise(), 2, num_workers=workers, generator=Generator(3))
        assert [b.tolist() for b in again] == first
        seen = [str(b) for b in first + second]
        assert len(set(seen)) == len(seen)


def test_threads_share_the_dataset() -> None:
    million = list(range(1_000_000))
    where = DataLoader[Any](WhoReads(200), 5, num_workers=4)
    assert {worker for _, ids in where for worker in ids.tolist()} == {0, 1, 2, 3}
    assert len({pid for pids, _ in where for pid in pids.tolist()}) == 1
    before = resident()
    for _ in DataLoader[Any](million, 10_000, num_workers=4):
        pass
    # The list and its numbers take 40 MB; a copy in one worker alone would show.
    assert resident() - before < 20e6


def resident() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        pytest.skip("needs /proc to see the memory in use")


def test_threads_know_the_default_dtype() -> None:
    class Zeros(Noisy):
        def __getitem__(self, index: int, /) -> Any:
            return (dotori.zeros(2),)

    from dotori.dtypes import get_default_dtype, set_default_dtype

    before = get_default_dtype()
    set_default_dtype(np.float64)
    try:
        for workers in (0, 2):
            for (x,) in DataLoader[Any](Zeros(4), 2, num_workers=workers):
                assert x.dtype == np.float64
    finally:
        set_default_dtype(before)


@pytest.mark.parametrize("persistent", [False, True])
def test_leaving_a_loop_early_leaves_no_threads(persistent: bool) -> None:
    loader = DataLoader[Any](
        Noisy(400), 2, num_workers=3, persistent_workers=persistent
    )
    for _ in range(3):
        for _ in loader:
            break
        assert len(loader_threads()) == (3 if persistent else 0)
    # What was made ahead for the loops before is dropped.
    assert joined(i.tolist() for i, _ in loader) == list(range(400))
    del loader
    wait_until(lambda: not loader_threads())


def wait_until(condition: Any, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_two_loops_over_one_loader_do_not_disturb_each_other() -> None:
    loader = DataLoader[Any](
        numbers(12), 2, num_workers=2, persistent_workers=True, shuffle=True
    )
    both = zip(loader, loader, strict=True)
    pairs = [(a.tolist(), b.tolist()) for (_, a), (_, b) in both]
    for side in zip(*pairs, strict=True):
        assert sorted(joined(side)) == list(range(12))
    del loader
    wait_until(lambda: not loader_threads())


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_names_sample_batch_and_worker(workers: int) -> None:
    loader = DataLoader[Any](Failing(20, 13, "raise"), 4, num_workers=workers)
    handed_out = 0
    with pytest.raises(KeyError, match="no such picture") as caught:
        for _ in loader:
            handed_out += 1
    assert handed_out == 3
    notes = "\n".join(caught.value.__notes__)
    assert "while reading sample 13 of Failing" in notes
    assert "batch 3 of epoch 0 from samples [12, 13, 14, 15]" in notes
    assert ("worker 1 (thread)" in notes) == (workers == 2)
    assert not loader_threads()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loop_that_failed_is_freed_without_the_garbage_collector(
    workers: int,
) -> None:
    dataset = Failing(20, 13, "raise")
    alive = weakref.ref(dataset)
    gc.disable()
    try:
        with contextlib.suppress(KeyError):
            list(DataLoader[Any](dataset, 4, num_workers=workers))
        del dataset
        wait_until(lambda: alive() is None)
    finally:
        gc.enable()


@pytest.mark.parametrize("workers", [0, 2])
def test_samples_that_do_not_stack_are_named_by_index(workers: int) -> None:
    ragged = [np.zeros(3)] * 9 + [np.zeros(5)] * 2
    loader = DataLoader[Any](ragged, 4, num_workers=workers)
    with pytest.raises(
        ShapeError, match=r"sample 9 has shape \(5,\), sample 8 has shape \(3,\)"
    ):
        list(loader)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stray_stop_iteration_is_not_taken_for_the_end(workers: int) -> None:
    class Stops(Noisy):
        def __getitem__(self, index: int, /) -> Any:
            return next(iter([]))

    with pytest.raises(RuntimeError, match="StopIteration"):
        list(DataLoader[Any](Stops(4), 2, num_workers=workers))


def test_threads_that_exit_or_hang_are_reported() -> None:
    with pytest.raises(dotori.errors.WorkerError, match=r"SystemExit\(4\)"):
        list(DataLoader[Any](Failing(9, 4, "exit"), 2, num_workers=2))
    start = time.monotonic()
    slow = DataLoader[Any](Failing(9, 4, "hang"), 2, num_workers=2, timeout=0.2)
    with pytest.raises(dotori.errors.WorkerError, match=r"0\.2 s.*samples \[4, 5\]"):
        list(slow)
    assert time.monotonic() - start < 2.5
    wait_until(lambda: not loader_threads())


def test_workers_are_initialised_once_each() -> None:
    started: list[int] = []
    list(DataLoader[Any](Noisy(20), 2, num_workers=3, worker_init_fn=started.append))
    assert sorted(started) == [0, 1, 2]
    with pytest.raises(OSError, match="has no disk") as caught:
        list(DataLoader[Any](Noisy(4), num_workers=2, worker_init_fn=refuse_to_start))
    assert caught.value.__notes__ == ["in DataLoader worker 0 (thread), starting"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"sampler": [0], "shuffle": True}, "sampler excludes shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "sampler": []}, "batch_sampler excludes"),
        ({"batch_size": None, "drop_last": True}, "excludes drop_last"),
        ({"num_workers": -1}, "num_workers"),
        ({"prefetch_factor": 2}, "need workers"),
        ({"persistent_workers": True}, "need workers"),
        ({"num_workers": 1, "prefetch_factor": 0}, "prefetch_factor"),
        ({"timeout": -1}, "timeout"),
        ({"workers": "greenlet"}, "workers must be"),
        ({"multiprocessing_context": "spawn", "workers": "thread"}, "excludes"),
    ],
)
def test_arguments_that_exclude_each_other_are_refused(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ArgumentError, match=words):
        DataLoader(numbers(3), **options)


def test_a_stream_takes_no_order() -> None:
    for options in ({"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}):
        with pytest.raises(ArgumentError, match="own order"):
            DataLoader(Counting(3), **options)


def test_repr_says_what_it_does() -> None:
    loader = DataLoader[Any](numbers(3), 2, shuffle=True, drop_last=True, num_workers=2)
    assert repr(loader) == (
        "DataLoader(TensorDataset of 3 samples, batch_size=2, sampler=RandomSampler, "
        "drop_last=True, num_workers=2 (thread))"
    )
    own = DataLoader[Any](
        [1], batch_sampler=BatchSampler(SequentialSampler([1]), 1, False)
    )
    assert "batch_sampler=BatchSampler" in repr(own)
    assert isinstance(DataLoader[Any]([1], shuffle=True).sampler, RandomSampler)
