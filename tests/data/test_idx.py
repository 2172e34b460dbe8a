"""IDX files: arrays of every type, and files that are damaged or mean harm."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dotori.data import read_idx
from dotori.errors import ArgumentError, DataError, DotoriError, FormatError

CODES = {"u1": 8, "i1": 9, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    """An IDX file, written here from the description of the format."""
    code = CODES[array.dtype.str[1:]]
    header = struct.pack(f">4B{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


arrays = st.sampled_from(sorted(CODES)).flatmap(
    lambda code: hnp.arrays(np.dtype(code), hnp.array_shapes(max_dims=4, min_side=0))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


@given(array=arrays, packed=st.booleans())
def test_what_was_written_is_read(folder, array, packed):
    file = folder / "array"
    data = idx_bytes(array)
    file.write_bytes(gzip.compress(data) if packed else data)
    found = read_idx(file)
    assert found.dtype == array.dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, array)


@given(array=arrays, packed=st.booleans(), cut=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused(folder, array, packed, cut):
    file = folder / "cut"
    data = gzip.compress(idx_bytes(array)) if packed else idx_bytes(array)
    file.write_bytes(data[: int(cut * len(data))])
    with pytest.raises(FormatError, match="cut"):
        read_idx(file)


@given(data=st.binary(max_size=40), packed=st.booleans())
def test_no_bytes_do_harm(folder, data, packed):
    file = folder / "hostile"
    file.write_bytes(gzip.compress(data) if packed else data)
    try:
        found = read_idx(file)
    except DotoriError:
        return
    content = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    assert idx_bytes(found) == content


@given(
    array=hnp.arrays("u1", (5, 7)),
    place=st.integers(0, 400),
    bit=st.integers(0, 7),
)
def test_a_damaged_bit_in_gzip_is_seen(folder, array, place, bit):
    data = bytearray(gzip.compress(idx_bytes(array)))
    data[place % len(data)] ^= 1 << bit
    file = folder / "damaged"
    file.write_bytes(data)
    try:
        found = read_idx(file)
    except FormatError:
        return
    # A bit that says when, where or how the file was compressed changes nothing.
    assert place % len(data) < 10
    np.testing.assert_array_equal(found, array)


def test_a_short_file_that_announces_much_takes_no_memory(tmp_path):
    file = tmp_path / "bomb"
    file.write_bytes(struct.pack(">4B2I", 0, 0, 8, 2, 1 << 15, 1 << 15) + bytes(100))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="ends after 100 of 1073741824 bytes"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89PNG\r\n\x1a\n", "begins with 89 50 4e 47"),
        (bytes([0, 0, 7, 1, 0, 0, 0, 0]), "not an IDX file"),
        (bytes([0, 0, 8, 0]), "it has 0 axes"),
        (bytes([0, 0, 8, 9]) + bytes(36), "it has 9 axes"),
        (bytes([0, 0, 8, 2, *[255] * 8]), "announces an array of shape"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 1, 5, 6]), "bytes after the 1"),
    ],
)
def test_the_message_says_what_is_wrong(tmp_path, data, message):
    file = tmp_path / "wrong"
    file.write_bytes(data)
    with pytest.raises(FormatError, match=message):
        read_idx(file)


def test_limit_counts_bytes(tmp_path):
    file = tmp_path / "doubles"
    file.write_bytes(idx_bytes(np.arange(4.0)))
    assert read_idx(file, limit=32).tolist() == [0, 1, 2, 3]
    with pytest.raises(FormatError, match="of which 31 are allowed"):
        read_idx(file, limit=31)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_idx(tmp_path / "none")
    with pytest.raises(DataError, match="directory"):
        read_idx(tmp_path)
    with pytest.raises(ArgumentError, match="a file name was wanted"):
        read_idx("")
