"""Packing and padding: PyTorch's results, there and back, gradients, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dotori
from dotori import nn
from dotori.errors import ArgumentError, ShapeError
from dotori.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)


def same_packed(ours, theirs):
    assert isinstance(ours, PackedSequence)
    assert ours._fields == theirs._fields
    for name, a, b in zip(ours._fields, ours, theirs, strict=True):
        if b is None:
            assert a is None, name
        else:
            assert a.tolist() == b.tolist(), name
            assert a.dtype.name == str(b.dtype).removeprefix("torch."), name


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=5, unique=True),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from([(), (3,)]),
)
def test_packing_and_padding_are_pytorchs(lengths, batch_first, sort, more, rest):
    """Different lengths: the order of equal ones is PyTorch's own affair."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    theirs = torch.nn.utils.rnn
    if sort:
        lengths = sorted(lengths, reverse=True)
    time = max(lengths) + more
    lead = (len(lengths), time) if batch_first else (time, len(lengths))
    x = np.random.default_rng(0).standard_normal((*lead, *rest))
    ours = dotori.tensor(x, requires_grad=True)
    other = torch.tensor(x, requires_grad=True)
    packed = pack_padded_sequence(ours, lengths, batch_first, enforce_sorted=sort)
    torchs = theirs.pack_padded_sequence(other, lengths, batch_first, sort)
    same_packed(packed, torchs)
    y, n = pad_packed_sequence(packed, batch_first, -1.5, total_length=time + 1)
    z, m = theirs.pad_packed_sequence(torchs, batch_first, -1.5, time + 1)
    assert (y.tolist(), n.tolist()) == (z.tolist(), m.tolist())
    (y * y).sum().backward()
    (z * z).sum().backward()
    np.testing.assert_array_equal(ours.grad.array, other.grad.numpy())


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from(["left", "right"]),
    st.sampled_from([(), (3,)]),
)
def test_pad_sequence_is_pytorchs(lengths, batch_first, side, rest):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((n, *rest)) for n in lengths]
    ours = [dotori.tensor(a, requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = pad_sequence(ours, batch_first, 7.0, side)
    z = torch.nn.utils.rnn.pad_sequence(other, batch_first, 7.0, side)
    assert y.shape == tuple(z.shape)
    assert y.tolist() == z.tolist()
    (y * y).sum().backward()
    (z * z).sum().backward()
    for a, b in zip(ours, other, strict=True):
        if len(b):
            np.testing.assert_array_equal(a.grad.array, b.grad.numpy())


def test_there_and_back():
    sequences = [[1, 2], [3, 4, 5], [6]]
    packed = pack_sequence(map(dotori.tensor, sequences), enforce_sorted=False)
    assert packed.data.tolist() == [3, 1, 6, 4, 2, 5]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices.tolist() == [1, 0, 2]
    assert packed.unsorted_indices.tolist() == [1, 0, 2]
    assert [s.tolist() for s in unpack_sequence(packed)] == sequences
    padded = pad_sequence(map(dotori.tensor, sequences))
    assert [s.tolist() for s in unpad_sequence(padded, [2, 3, 1])] == sequences
    assert nn.utils.rnn.pad_sequence is pad_sequence


def test_unpad_changes_nothing_and_passes_gradients():
    padded = dotori.ones(3, 2, requires_grad=True)
    first, second = unpad_sequence(padded, dotori.tensor([3, 1]))
    assert padded.shape == (3, 2)
    (first.sum() + 5 * second.sum()).backward()
    assert padded.grad.tolist() == [[1, 5], [1, 0], [1, 0]]


def test_types_and_devices():
    packed = pack_sequence([dotori.tensor([1.0, 2.0]), dotori.tensor([3.0])])
    for name, dtype in (
        ("double", np.float64),
        ("float", np.float32),
        ("half", np.float16),
        ("long", np.int64),
        ("int", np.int32),
    ):
        other = getattr(packed, name)()
        assert isinstance(other, PackedSequence)
        assert other.data.dtype == dtype
        assert other.batch_sizes is packed.batch_sizes
    assert not packed.cpu().is_cuda


def test_invert_permutation():
    assert invert_permutation(None) is None
    order = np.random.default_rng(0).permutation(9)
    assert order[invert_permutation(order).array].tolist() == list(range(9))


def test_second_gradients():
    x = dotori.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    y, _ = pad_packed_sequence(pack_padded_sequence(x, [3, 1]))
    (g,) = dotori.autograd.grad((y**3).sum(), x, create_graph=True)
    (h,) = dotori.autograd.grad(g.sum(), x)
    assert h.tolist() == [[0, 6], [12, 0], [24, 0]]


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (
            ArgumentError,
            r"must fall, got \[1, 3\].*enforce_sorted=False",
            lambda x: pack_padded_sequence(x, [1, 3]),
        ),
        (ArgumentError, "from 1 to 3", lambda x: pack_padded_sequence(x, [4, 1])),
        (ArgumentError, "from 1 to 3", lambda x: pack_padded_sequence(x, [1, 0])),
        (ShapeError, r"2 integer", lambda x: pack_padded_sequence(x, [1])),
        (ShapeError, r"2 integer", lambda x: pack_padded_sequence(x, [1.0, 1.0])),
        (ShapeError, r"got \(3,\)", lambda x: pack_padded_sequence(x[:, 0], [1])),
        (
            ArgumentError,
            "longest sequence has 3",
            lambda x: pad_packed_sequence(
                pack_padded_sequence(x, [3, 1]), total_length=2
            ),
        ),
        (ArgumentError, "padding_side", lambda x: pad_sequence([x], False, 0.0, "up")),
        (ShapeError, "equal but for", lambda x: pad_sequence([x, x[:, 0]])),
        (ShapeError, "equal but for", lambda x: pad_sequence([])),
        (ShapeError, "2 lengths are wanted", lambda x: unpad_sequence(x, [1])),
    ],
)
def test_mistakes_are_named(error, match, call):
    with pytest.raises(error, match=match):
        call(dotori.ones(3, 2))
