"""An archive is read only if everything that it declares is plausible and small."""

import io
import re
import zipfile

import numpy as np
import pytest
from hostile_archives import bombs, npy, npy_with_header, pickles, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from dotori.errors import ArgumentError, FormatError
from dotori.io.npz import load_npz

BOMBS = bombs()
FIELDS = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}"


def archive(tmp_path, data):
    path = tmp_path / "data.npz"
    path.write_bytes(data)
    return path


def member(descr="'<f8'", fortran="False", shape="(2,)", size=16):
    return zipped(
        {"x.npy": npy_with_header(FIELDS.format(descr, fortran, shape), bytes(size))}
    )


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_what_numpy_writes(tmp_path, save):
    rng = np.random.default_rng(0)
    arrays = {
        "x": rng.standard_normal((3, 4)),
        "more than one chunk": rng.standard_normal(400_000),
        "fortran": np.asfortranarray(rng.standard_normal((3, 4))),
        "swapped": np.arange(4, dtype=">i4"),
        "text": np.array(["사과", "b"]),
        "bytes": np.array([b"ab", b"c"]),
        "dates": np.array(["2026-01-01", "NaT"], "M8[D]"),
        "flags": np.array([True, False]),
        "scalar": np.array(2.5),
        "64 axes": np.ones((1,) * 64),
        "empty": np.empty((0, 3), np.float32),
        "complex": np.array([1 + 2j]),
        "layer/weight": np.ones((2, 2), np.float16),
    }
    path = tmp_path / "data.npz"
    save(path, **arrays)
    loaded = load_npz(path)
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype.newbyteorder("=")
        assert loaded[name].flags.writeable


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (member(shape="(3,)"), "takes 24 bytes, the member has 16"),
        (member(shape="(1,)"), "takes 8 bytes, the member has 16"),
        (member(shape="(-2,)"), "no sound shape"),
        (member(shape="(True, 2)"), "no sound shape"),
        (member(shape="(2.0,)"), "no sound shape"),
        (member(shape="2"), "no sound shape"),
        (member(shape=f"({10**30},)"), "no sound shape"),
        (member(shape=f"(0, {2**62}, {2**62})", size=0), "no sound shape"),
        (member(shape="(" + "1," * 65 + ")", size=8), "no sound shape"),
        (member(fortran="1"), "damaged header"),
        (member(descr="'|O'", shape="(1,)"), "pickles"),
        (member(descr="'O8'", shape="(1,)"), "pickles"),
        (member(descr="[('a', '<f8')]"), "structured"),
        (member(descr="'<f7'"), "unknown dtype"),
        (member(descr="'|V0'", shape=f"({2**50},)", size=0), "no size"),
        (member(descr="3"), "pickles"),
        (member(descr="__import__('os')"), "damaged header"),
        (member(descr="(" * 500 + ")" * 500), "header"),
        (member(descr="-" * 3900 + "1"), "hostile header"),
        (member(descr="'" + "f" * 5000 + "'"), "no array has that"),
        (zipped({"x.npy": npy_with_header("[]")}), "damaged header"),
        (zipped({"x.npy": npy_with_header("{}")}), "damaged header"),
        (zipped({"x.npy": npy_with_header("'a")}), "damaged header"),
        (zipped({"x.npy": b""}), "not a .npy array"),
        (zipped({"x.npy": npy(np.zeros(3))[:60]}), "header|bytes"),
        (zipped({"x.txt": b"hello"}), "not a .npy array"),
        (zipped({"x.npy": npy(np.zeros(9))}, zipfile.ZIP_LZMA), "packed by method 14"),
    ],
)
def test_a_member_that_is_no_array(tmp_path, data, words):
    with pytest.raises(FormatError, match=words):
        load_npz(archive(tmp_path, data))


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(tmp_path, name):
    data, words = BOMBS[name]
    with pytest.raises(FormatError, match=words):
        load_npz(archive(tmp_path, data))
    assert [path.name for path in tmp_path.iterdir()] == ["data.npz"]


def test_an_encrypted_member(tmp_path):
    data = bytearray(zipped({"x.npy": npy(np.zeros(3))}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(FormatError, match=r"'x\.npy' is encrypted"):
        load_npz(archive(tmp_path, bytes(data)))


def test_the_limit_counts_all_arrays_together(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, a=np.zeros(100), b=np.zeros(100))
    assert len(load_npz(path, max_bytes=2000)) == 2
    with pytest.raises(FormatError, match=r"limit of 1,600.*larger max_bytes"):
        load_npz(path, max_bytes=1600)
    with pytest.raises(ArgumentError, match="max_bytes"):
        load_npz(path, max_bytes=-1)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("x.npy", npy(np.zeros(1)))
        file.writestr("x.npy", npy(np.ones(1)))
    with pytest.raises(FormatError, match="twice"):
        load_npz(archive(tmp_path, buffer.getvalue()))


def test_a_damaged_byte_of_the_data_is_found(tmp_path):
    data = bytearray(zipped({"x.npy": npy(np.zeros(1000))}))
    data[4000] ^= 1
    with pytest.raises(FormatError, match=r"archive is damaged.*CRC"):
        load_npz(archive(tmp_path, bytes(data)))


def test_a_piece_that_is_missing_from_the_middle(tmp_path):
    # Python's zipfile then seeks to before the file: the system's error, not its own.
    data = zipped({"x.npy": npy(np.zeros(100))})
    for length in (1, 100, 800):
        with pytest.raises(FormatError):
            load_npz(archive(tmp_path, data[:50] + data[50 + length :]))


def test_every_truncation_is_refused(tmp_path):
    data = zipped({"x.npy": npy(np.zeros(3)), "y.npy": npy(np.arange(2))})
    for length in range(len(data)):
        with pytest.raises(FormatError):
            load_npz(archive(tmp_path, data[:length]))


@pytest.mark.parametrize("kind", ["objects.npz", "pickled member.npz", "model.pt"])
def test_pickles_are_not_loaded(tmp_path, kind):
    canary = tmp_path / "canary"
    with pytest.raises(FormatError):
        load_npz(archive(tmp_path, pickles(canary)[kind]))
    assert not canary.exists()


def test_other_files_are_named(tmp_path):
    with pytest.raises(FormatError, match=r"\.npz archive but looks like a text"):
        load_npz(archive(tmp_path, b"a,b\n1,2\n"))
    with pytest.raises(FormatError, match="file is empty"):
        load_npz(archive(tmp_path, b""))


SOUND = zipped({"x.npy": npy(np.arange(6.0).reshape(2, 3)), "y.npy": npy(np.ones(2))})


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=4
    ),
    st.integers(0, len(SOUND)),
)
def test_fuzzed_archives_load_or_are_refused(tmp_path_factory, changes, cut):
    data = bytearray(SOUND[: cut or None])
    for place, octet in changes:
        data[place % len(data)] = octet
    try:
        load_npz(archive(tmp_path_factory.mktemp("fuzz"), bytes(data)))
    except FormatError as error:
        assert re.search(r"data\.npz: ", str(error))


def test_the_bombs_are_live():
    data, _ = BOMBS["3 GiB in 3 MB"]
    assert len(data) < 4 * 2**20
    with zipfile.ZipFile(io.BytesIO(data)) as file, file.open("x.npy") as array:
        assert np.lib.format.read_magic(array) == (1, 0)
        assert np.lib.format.read_array_header_1_0(array)[0] == (3 * 2**30,)
        assert not any(array.read(2**20))
