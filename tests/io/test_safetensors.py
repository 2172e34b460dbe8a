"""What is saved comes back, and nothing that was damaged on the way does."""

import hashlib
import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dotori.errors import ArgumentError, DTypeError, FormatError
from dotori.io.safetensors import (
    load,
    load_file,
    load_with_metadata,
    loads_with_metadata,
    save,
    save_file,
)

DTYPES = "? u1 i1 u2 i2 f2 u4 i4 f4 u8 i8 f8 c8".split()
NAMES = st.text(max_size=8).filter(lambda name: name != "__metadata__")
METADATA = st.dictionaries(
    # dotori's own two keys are replaced, as a test below shows.
    st.text().filter(lambda key: not key.startswith("dotori.")),
    st.text(),
    max_size=3,
)
ARRAYS = hnp.arrays(
    st.sampled_from(DTYPES).map(np.dtype),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)


def same(left, right):
    """Equal to the bit: NaN payloads and the sign of zero count."""
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.dtype == right[name].dtype
        assert array.shape == right[name].shape
        assert array.tobytes() == right[name].tobytes()


@settings(deadline=None)
@given(st.dictionaries(NAMES, ARRAYS, max_size=4), METADATA)
def test_round_trip(arrays, metadata):
    loaded, texts = loads_with_metadata(save(arrays, metadata))
    same(loaded, arrays)
    assert texts == metadata


@settings(deadline=None)
@given(st.dictionaries(NAMES, ARRAYS, max_size=4), METADATA)
def test_the_reference_reads_ours_and_we_read_the_reference_s(arrays, metadata):
    from safetensors import numpy as package

    same(package.load(save(arrays, metadata)), arrays)
    # Of nothing with an empty metadata, release 0.8.0 writes a broken header.
    same(load(package.save(arrays, metadata or None)), arrays)


@pytest.mark.parametrize(
    "form",
    [
        lambda x: np.asfortranarray(x),
        lambda x: x[::-1, ::2],
        lambda x: x.T,
        lambda x: np.broadcast_to(x[0], (5, 4)),
        lambda x: x.astype(x.dtype.newbyteorder()),
        lambda x: np.frombuffer(b"\0" + x.tobytes(), x.dtype, offset=1).reshape(
            x.shape
        ),
        lambda x: x[0, 0],
        lambda x: np.ma.masked_array(x),
    ],
    ids="fortran strided transposed broadcast swapped unaligned 0-d subclass".split(),
)
def test_memory_layout_does_not_matter(form):
    array = form(np.arange(12, dtype=np.float64).reshape(3, 4))
    before = array.copy()
    loaded = load(save({"x": array}))["x"]
    np.testing.assert_array_equal(loaded, np.asarray(array))
    assert loaded.shape == array.shape
    np.testing.assert_array_equal(array, before)


def test_loaded_arrays_are_writable_and_apart():
    loaded = load(save({"a": np.zeros(2), "b": np.zeros(2)}))
    loaded["a"] += 1
    np.testing.assert_array_equal(loaded["b"], [0, 0])


def test_equal_content_gives_equal_bytes():
    texts = {letter: letter for letter in "gamecrowsh"}
    backwards = dict(reversed(texts.items()))
    assert save({"w": np.ones(3)}, texts) == save({"w": np.ones(3)}, backwards)


def test_arrays_come_back_in_the_order_in_which_they_were_saved():
    arrays = {"b": np.ones(3), "c": np.ones(2), "a": np.zeros(2, np.int8)}
    assert list(load(save(arrays))) == ["b", "c", "a"]


def test_metadata_does_not_grow_when_a_file_is_read_by_the_package_and_saved_again(
    tmp_path,
):
    from safetensors import safe_open

    path = tmp_path / "w.safetensors"
    save_file({"w": np.ones(2)}, path, {"made": "here"})
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    assert "dotori.checksums" in metadata
    save_file({"w": np.full(2, 5.0)}, path, metadata)
    arrays, texts = load_with_metadata(path)
    assert texts == {"made": "here"}
    np.testing.assert_array_equal(arrays["w"], [5, 5])


def test_the_checksum_is_blake2b_of_the_bytes():
    data = save({"w": np.array([1.0, 2.0])})
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    expected = hashlib.blake2b(data[8 + length :], digest_size=8).hexdigest()
    assert json.loads(metadata["dotori.checksums"]) == {"w": expected}


@pytest.mark.parametrize(
    ("bits", "value"),
    [
        (0x3F80, 1.0),
        (0xC049, -3.140625),
        (0x0001, 2.0**-133),
        (0x8000, -0.0),
        (0x7F80, np.inf),
        (0x7FC0, np.nan),
    ],
)
def test_bf16_comes_as_exact_float32(bits, value):
    header = b'{"w":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    file = len(header).to_bytes(8, "little") + header + bits.to_bytes(2, "little")
    expected = {"w": np.array([value], np.float32)}
    same(load(file), expected)


def test_bf16_of_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is the independent writer")
    package = pytest.importorskip("safetensors.torch", reason="writes PyTorch's files")
    tensor = torch.randn(50, generator=torch.Generator().manual_seed(0)).bfloat16()
    loaded = load(package.save({"w": tensor}))["w"]
    np.testing.assert_array_equal(loaded, tensor.float().numpy(), strict=True)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros(2, object), "dtype object"),
        (np.zeros(2, complex), "complex128"),
        (np.array(["a"]), "dtype <U1"),
        (np.zeros(2, "M8[s]"), "datetime64"),
        (np.zeros(2, [("a", "f4")]), "cannot hold"),
        ([1.0, 2.0], "got list"),
        (1.0, "got float"),
        (None, "got NoneType"),
    ],
)
def test_what_the_format_lacks_is_refused(value, words):
    with pytest.raises(DTypeError, match=f"array 'layer.w'.*{words}"):
        save({"layer.w": value})


@pytest.mark.parametrize(
    ("arrays", "metadata", "words"),
    [
        ({"__metadata__": np.zeros(1)}, None, "__metadata__"),
        ({3: np.zeros(1)}, None, "name of an array"),
        ({"\ud800": np.zeros(1)}, None, "name of an array"),
        ({}, {"epoch": 3}, "value for 'epoch'"),
        ({}, {3: "epoch"}, "key of the metadata"),
        ({}, {"a": "\udfff"}, "value for 'a'"),
        ({str(index): np.zeros(0) for index in range(32769)}, None, "32,768"),
    ],
)
def test_names_and_metadata_that_cannot_be_stored(arrays, metadata, words):
    with pytest.raises(ArgumentError, match=words):
        save(arrays, metadata)


def test_a_header_that_no_reader_would_take_is_not_written(monkeypatch):
    monkeypatch.setattr("dotori.io.safetensors.MAX_HEADER_BYTES", 1000)
    with pytest.raises(ArgumentError, match=r"take 1,\d\d\d bytes; safetensors allows"):
        save({}, {"a": "x" * 1000})


def test_a_refused_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"w": np.ones(2)}, path)
    before = path.read_bytes()
    with pytest.raises(DTypeError):
        save_file({"w": np.zeros(2), "x": np.zeros(2, object)}, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def small_file():
    rng = np.random.default_rng(0)
    arrays = {
        "a.weight": rng.standard_normal((2, 3)).astype(np.float32),
        "a.bias": np.zeros(3),
        "도토리": np.array(True),
    }
    metadata = {"format": "pt", "note": 'a "quoted" 줄\n'}
    return arrays, metadata, save(arrays, metadata)


def test_every_truncation_is_refused():
    *_, data = small_file()
    for length in range(len(data)):
        with pytest.raises(FormatError):
            load(data[:length])


def test_every_bit_flip_is_detected_or_changes_nothing():
    arrays, metadata, data = small_file()
    unseen = 0
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            loaded, texts = loads_with_metadata(bytes(damaged))
        except FormatError:
            continue
        unseen += 1
        same(loaded, arrays)
        assert texts == metadata
        assert bit // 8 < len(data) - 49, "a flip of the 49 bytes of data"
    # Only the case of the hexadecimal digits of \u escapes carries no meaning.
    assert unseen < 20


def test_a_file_that_shrinks_while_it_is_read(tmp_path, monkeypatch):
    from dotori.io import safetensors

    path = tmp_path / "w.safetensors"
    save_file({"w": np.ones(1000)}, path)
    parse = safetensors.parse_header

    def cut_then_parse(header, size):
        with open(path, "r+b") as file:
            file.truncate(1000)
        return parse(header, size)

    monkeypatch.setattr(safetensors, "parse_header", cut_then_parse)
    with pytest.raises(FormatError, match="ends inside of array 'w'"):
        load_file(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_file(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        load_file(tmp_path)


@pytest.mark.parametrize("path", ["", "a\0b", b"bytes"])
def test_no_file_name(path):
    with pytest.raises(ArgumentError, match="a file name was wanted"):
        load_file(path)


@pytest.mark.skipif(os.name != "posix", reason="POSIX pipes and devices")
def test_pipes_and_devices_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ArgumentError, match="device, pipe or socket"):
            load_file(path)


HEADERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["w", "dtype", "shape", "data_offsets", "__metadata__"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "dtype": st.sampled_from(["F32", "U8", "BF16", "X"]) | HEADERS,
        "shape": st.lists(st.integers(-1, 3) | HEADERS, max_size=2) | HEADERS,
        "data_offsets": st.lists(st.integers(-1, 9) | HEADERS, max_size=3) | HEADERS,
    },
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.text(max_size=2), ENTRIES | HEADERS), st.binary(max_size=12))
def test_fuzzed_headers_load_or_are_refused(header, data):
    text = json.dumps(header).encode()
    try:
        load(len(text).to_bytes(8, "little") + text + data)
    except FormatError:
        pass


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_fuzzed_bytes_are_refused(data):
    # Two bytes of header are "{}" at best, so only that could load.
    try:
        assert load(data) == {}
    except FormatError:
        pass
