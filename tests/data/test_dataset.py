"""Datasets against indexing by hand, and against PyTorch's."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dotori
from dotori import Generator
from dotori.data import (
    Batch,
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)
from dotori.data.dataset import fetch_samples
from dotori.errors import ArgumentError, DTypeError, ShapeError


def columns(n: int, start: int = 0) -> tuple[Any, Any]:
    x = np.arange(3 * n, dtype=np.float32).reshape(n, 3) + start
    return x, np.arange(start, start + n)


class Letters(Dataset[str]):
    def __getitem__(self, index: int, /) -> str:
        return "abcdefgh"[index]

    def __len__(self) -> int:
        return 8


def test_tensor_dataset_gives_rows_as_tensors() -> None:
    x, y = columns(4)
    data = TensorDataset(x, dotori.tensor(y))
    row, label = data[2]
    assert isinstance(row, dotori.Tensor) and isinstance(label, dotori.Tensor)
    np.testing.assert_array_equal(row.array, x[2])
    assert label.array.shape == () and label.item() == 2
    assert data[-1][1].item() == 3
    assert len(data) == 4
    assert data.tensors[0].array is x


@given(n=st.integers(1, 20), data=st.data())
def test_a_gather_is_what_indexing_gives(n: int, data: Any) -> None:
    x, y = columns(n)
    picked = data.draw(st.lists(st.integers(-n, n - 1)))
    for table in (x, np.asfortranarray(x), x[::-1]):
        batch = TensorDataset(table, y).__getitems__(np.array(picked, dtype=np.int64))
        assert type(batch) is Batch
        np.testing.assert_array_equal(batch[0].array, table[picked, :])
        np.testing.assert_array_equal(batch[1].array, y[picked])
    as_list = TensorDataset(x).__getitems__(picked)
    np.testing.assert_array_equal(as_list[0].array, x[picked, :])


def test_consecutive_rows_are_a_view_that_cannot_change_the_data() -> None:
    x, y = columns(6)
    batch = TensorDataset(x, y).__getitems__(range(2, 5))
    assert np.shares_memory(batch[0].array, x)
    np.testing.assert_array_equal(batch[0].array, x[2:5])
    with pytest.raises(ValueError, match="read-only"):
        batch[0].array[0, 0] = 7
    x[0, 0] = 7  # the data itself stays the owner's to change


def test_rows_out_of_bounds_are_refused() -> None:
    data = TensorDataset(np.arange(3))
    with pytest.raises(IndexError):
        data[3]
    with pytest.raises(IndexError):
        data.__getitems__(np.array([0, 3]))
    with pytest.raises(IndexError):
        data.__getitems__(range(1, 4))


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(3, 2\), \(4,\)"):
        TensorDataset(np.zeros((3, 2)), np.zeros(4))
    with pytest.raises(ShapeError):
        TensorDataset(np.float32(1))
    with pytest.raises(ArgumentError, match="at least one"):
        TensorDataset()
    with pytest.raises(DTypeError):
        TensorDataset(np.array(["a", "b"]))


def test_a_batch_falls_apart_into_samples() -> None:
    x, y = columns(3)
    data = TensorDataset(x, y)
    samples = data.__getitems__(np.array([2, 0])).samples()
    assert [label.item() for _, label in samples] == [2, 0]
    np.testing.assert_array_equal(samples[0][0].array, x[2])


@given(outer=st.lists(st.integers(0, 9), min_size=1), data=st.data())
def test_subset_gathers_like_its_dataset(outer: list[int], data: Any) -> None:
    x, y = columns(10)
    picked = data.draw(st.lists(st.integers(0, len(outer) - 1), min_size=1))
    subset: Subset[Any] = Subset(TensorDataset(x, y), outer)
    assert len(subset) == len(outer)
    batch = subset.__getitems__(np.array(picked))
    np.testing.assert_array_equal(batch[1].array, np.array(outer)[picked])
    assert subset[picked[0]][1].item() == outer[picked[0]]


def test_a_range_of_a_range_of_rows_is_still_a_view() -> None:
    x, _ = columns(10)
    subset: Subset[Any] = Subset(TensorDataset(x), range(3, 9))
    batch = subset.__getitems__(range(1, 4))
    assert np.shares_memory(batch[0].array, x)
    np.testing.assert_array_equal(batch[0].array, x[4:7])


def test_subset_wants_integers() -> None:
    with pytest.raises(ArgumentError, match="float64"):
        Subset(Letters(), [0.5])


@given(
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(sum),
    data=st.data(),
)
def test_concat_gathers_across_its_parts(sizes: list[int], data: Any) -> None:
    starts = np.cumsum([0, *sizes])
    parts = [
        TensorDataset(*columns(n, start))
        for n, start in zip(sizes, starts, strict=False)
    ]
    whole = ConcatDataset[Any](parts)
    n = sum(sizes)
    assert len(whole) == n
    picked = data.draw(st.lists(st.integers(0, n - 1), min_size=1))
    batch = whole.__getitems__(np.array(picked))
    assert isinstance(batch, Batch)
    np.testing.assert_array_equal(batch[1].array, picked)
    assert [whole[i][1].item() for i in range(-n, n)] == [*range(n), *range(n)]


def test_concat_of_different_kinds_gives_samples() -> None:
    whole = Letters() + Dataset.__add__(Letters(), Letters())
    assert whole.__getitems__(np.array([23, 0, 9])) == ["h", "a", "b"]  # type: ignore[attr-defined]
    mixed = ConcatDataset[Any]([TensorDataset(np.arange(2)), ["p", "q"]])
    first, second = mixed.__getitems__(np.array([3, 1]))
    assert first == "q" and second[0].item() == 1
    with pytest.raises(IndexError):
        mixed[4]
    with pytest.raises(IndexError):
        mixed.__getitems__(np.array([4]))


def test_concat_wants_equal_shapes() -> None:
    parts = [TensorDataset(np.zeros((2, 3))), TensorDataset(np.zeros((2, 4)))]
    with pytest.raises(ShapeError, match=r"\(3,\).*\(4,\)"):
        ConcatDataset[Any](parts).__getitems__(np.array([0, 3]))
    with pytest.raises(ArgumentError, match="at least one"):
        ConcatDataset([])


def test_streams_are_chained_and_not_concatenated() -> None:
    class Two(IterableDataset[int]):
        def __iter__(self) -> Any:
            return iter([1, 2])

        def __len__(self) -> int:
            return 2

    both = Two() + Two()
    assert isinstance(both, ChainDataset)
    assert list(both) == [1, 2, 1, 2] and len(both) == 4
    with pytest.raises(ArgumentError, match="ChainDataset"):
        ConcatDataset([Two()])
    with pytest.raises(ArgumentError, match="IterableDataset"):
        Two() + Letters()  # type: ignore[operator]


def test_fetching_passes_an_array_to_a_dataset_of_ones_own() -> None:
    seen = []

    class Whole(Letters):
        def __getitems__(self, indices: Any) -> list[str]:
            seen.append(indices)
            return [self[i] for i in indices]

    assert fetch_samples(Whole(), range(2, 4)) == ["c", "d"]
    assert isinstance(seen[0], np.ndarray) and seen[0].dtype == np.int64
    assert Subset[str](Whole(), range(5)).__getitems__(range(1, 3)) == ["b", "c"]
    assert isinstance(seen[1], np.ndarray)


def test_keys_of_a_dictionary_stay_what_they_are() -> None:
    assert fetch_samples({0: "zero", 1: "one"}, np.array([1, 0])) == ["one", "zero"]
    assert fetch_samples({"a": 1}, ["a"]) == [1]


def test_an_error_names_the_sample() -> None:
    with pytest.raises(IndexError) as caught:
        fetch_samples(Letters(), np.array([3, 8]))
    assert caught.value.__notes__ == ["while reading sample 8 of Letters"]


SHARES = [[0.5, 0.5], [0.7, 0.2, 0.1], [1 / 3] * 3, [1.0], [0.29, 0.71], [0.1] * 10]


@given(n=st.integers(20, 200), shares=st.sampled_from(SHARES))
def test_random_split_sizes_are_torchs(
    torch_data: Any, n: int, shares: list[float]
) -> None:
    parts = random_split(range(n), shares, Generator(0))
    assert sorted(i for part in parts for i in part) == list(range(n))
    theirs = torch_data.random_split(range(n), shares)
    assert [len(part) for part in parts] == [len(part) for part in theirs]


def test_random_split_is_repeatable_and_checks_lengths() -> None:
    first, second = (
        [list(part) for part in random_split(range(9), [4, 5], Generator(1))]
        for _ in range(2)
    )
    assert first == second
    assert sorted(first[0] + first[1]) == list(range(9))
    for bad in ([4, 4], [0.5, 0.6], [-1, 10], []):
        with pytest.raises(ArgumentError, match="9 samples"):
            random_split(range(9), bad)


def test_a_dataset_says_what_it_lacks() -> None:
    class Nothing(Dataset[int]):
        pass

    with pytest.raises(TypeError, match="Nothing does not define __len__"):
        len(Nothing())
    with pytest.raises(NotImplementedError, match="__getitem__"):
        Nothing()[0]
