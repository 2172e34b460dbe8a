"""The model file: what goes in comes out, and nothing else passes for one."""

import io
import json
import pickle

import numpy as np
import pytest
from hostile_archives import npy, pickles, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from dotori.errors import ArgumentError, FormatError
from dotori.io import (
    model_from_bytes,
    model_to_bytes,
    read_model,
    save,
    save_file,
    write_model,
)

ARRAYS = {"layer.weight": np.arange(6.0).reshape(2, 3), "n": np.array(3)}
DOCUMENT = {"target": "가격", "columns": ["a", "b"], "mean": 0.1, "none": None}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3
        )
    ),
    max_leaves=10,
)


def test_round_trip(tmp_path):
    path = tmp_path / "모델.dotori"
    write_model(path, ARRAYS, DOCUMENT, "tabular model")
    arrays, document = read_model(path, "tabular model")
    assert document == DOCUMENT
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array, strict=True)
    assert path.read_bytes() == model_to_bytes(ARRAYS, DOCUMENT, "tabular model")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON))
def test_any_json_document_round_trips(document):
    found = model_from_bytes(model_to_bytes({}, document, "weights"))[1]
    # repr tells 1 from 1.0, 0.0 from -0.0 and one order from another; == would not.
    assert repr(found) == repr(document)


def test_text_that_looks_like_half_a_surrogate_pair():
    document = {"note": r"a literal \ud800", "emoji": "😀"}
    data = model_to_bytes({}, document, "weights")
    assert model_from_bytes(data)[1] == document
    assert model_from_bytes(envelope(document=json.dumps(document)))[1] == document


def test_tuples_become_lists():
    data = model_to_bytes({}, {"betas": (0.9, 0.999)}, "checkpoint")
    assert model_from_bytes(data)[1] == {"betas": [0.9, 0.999]}


def test_large_integers_and_numpy_s_float64_which_is_a_float():
    document = {"key": 2**4096 - 1, "loss": np.float64(0.1)}
    found = model_from_bytes(model_to_bytes({}, document, "checkpoint"))[1]
    assert found == {"key": 2**4096 - 1, "loss": 0.1}
    assert type(found["loss"]) is float


def test_it_is_a_safetensors_file_that_says_what_it_is():
    from safetensors import numpy as package

    data = model_to_bytes(ARRAYS, DOCUMENT, "checkpoint")
    assert package.load(data).keys() == ARRAYS.keys()
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    assert metadata["format"] == "dotori"
    assert metadata["format_version"] == "1"
    assert metadata["kind"] == "checkpoint"
    assert json.loads(metadata["document"]) == DOCUMENT
    assert set(metadata) == {
        "format",
        "format_version",
        "dotori_version",
        "kind",
        "document",
        "dotori.checksums",
        "dotori.header",
    }


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"a": {"b": [1.0, float("nan")]}}, r"document\['a'\]\['b'\]\[1\].*no nan"),
        ({"a": float("-inf")}, r"document\['a'\].*no -inf"),
        ({"a": np.float32(1)}, r"document\['a'\].*no float32"),
        ({"a": np.int64(1)}, r"document\['a'\].*no int64"),
        ({"a": np.float64("inf")}, r"document\['a'\].*no inf"),
        ({"a": -(2**5000)}, r"document\['a'\]: an integer of 5001 bits"),
        ({"a": np.zeros(2)}, r"document\['a'\].*no ndarray"),
        ({"a": {1, 2}}, "no set"),
        ({"a": b"x"}, "no bytes"),
        ({1: "a"}, "key 1 is not a string"),
        ({"a": {None: 1}}, r"document\['a'\]: the key None"),
        ([1], "a dict was wanted"),
        ({"a": "x" * (8 * 2**20)}, "8,388,608 can be stored"),
        ({"a": "\ud800"}, "UTF-8"),
    ],
)
def test_documents_that_json_cannot_hold(document, words):
    with pytest.raises(ArgumentError, match=words):
        model_to_bytes({}, document, "weights")


def test_a_document_without_a_bottom():
    document = {}
    document["itself"] = document
    with pytest.raises(ArgumentError, match="nested more than 100 deep"):
        model_to_bytes({}, document, "weights")


@pytest.mark.parametrize("kind", ["", None, 3])
def test_a_kind_is_a_name(kind):
    with pytest.raises(ArgumentError, match="kind"):
        model_to_bytes({}, {}, kind)


def test_a_refused_document_leaves_the_old_file(tmp_path):
    path = tmp_path / "m"
    write_model(path, ARRAYS, DOCUMENT, "weights")
    before = path.read_bytes()
    with pytest.raises(ArgumentError):
        write_model(path, ARRAYS, {"loss": float("nan")}, "weights")
    assert path.read_bytes() == before


def test_another_kind(tmp_path):
    path = tmp_path / "m"
    write_model(path, {}, {}, "checkpoint")
    words = r"m: a file of kind 'tabular model' was wanted, this is 'checkpoint'"
    with pytest.raises(FormatError, match=words):
        read_model(path, "tabular model")


def envelope(**changes):
    metadata = {
        "format": "dotori",
        "format_version": "1",
        "dotori_version": "0.1.0",
        "kind": "weights",
        "document": "{}",
    }
    return save({}, {k: v for k, v in (metadata | changes).items() if v is not None})


def test_the_envelope_of_these_tests_is_sound():
    assert model_from_bytes(envelope(), "weights") == ({}, {})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"format_version": "2", "dotori_version": "3.1"},
            "format version 2, written by dotori 3.1; .* upgrade dotori",
        ),
        ({"format_version": "one"}, "'one', no number"),
        ({"format_version": "²"}, "no number"),
        ({"format_version": "9" * 5000}, "no number"),
        ({"format_version": None}, "no number"),
        ({"format": "pt"}, "plain safetensors file.*load_file"),
        ({"format": None}, "plain safetensors file"),
        ({"kind": None}, "this is ''"),
        ({"document": None}, "not sound JSON"),
        ({"document": "{"}, "not sound JSON"),
        ({"document": "[]"}, "not a JSON object"),
        ({"document": '{"a":NaN}'}, "NaN"),
        ({"document": '{"a":-Infinity}'}, "-Infinity"),
        ({"document": '{"a":1,"a":2}'}, "key twice"),
        ({"document": '{"a":' + "9" * 5000 + "}"}, "not sound JSON"),
        ({"document": '{"a":' * 100_000}, "not sound JSON"),
        ({"document": "[" * 100_000}, "not sound JSON"),
        ({"document": r'{"a":["\uD800"]}'}, "not sound JSON"),
        ({"document": " " * (8 * 2**20 + 1)}, "8,388,609 characters"),
    ],
)
def test_a_wrong_envelope(changes, words):
    with pytest.raises(FormatError, match=words):
        model_from_bytes(envelope(**changes), "weights")


def foreign_files(canary):
    """What people give by mistake, and what has to be said about it."""
    text = "a,b\n1,2\n"
    traps = pickles(canary)
    return {name: (traps[name], "like a pickle; .*safetensors") for name in traps} | {
        "compressed.joblib": (traps["compressed.joblib"], "zlib stream"),
        "objects.npy": (npy(np.zeros(2)), "NumPy .npy array; read it with numpy.load"),
        "objects.npz": (zipped({"x.npy": npy(np.zeros(2))}), "load_npz"),
        "pickled member.npz": (zipped({"x.npy": b""}), "load_npz"),
        "model.pt": (traps["model.pt"], "torch.load.*safetensors"),
        "liar.safetensors": (traps["liar.safetensors"], "does not start"),
        "empty": (b"", "file is empty"),
        "data.csv": (text.encode(), "text or CSV"),
        "korean.csv": ("가격,면적\n1,2\n".encode("cp949"), "text or CSV"),
        "excel.txt": (text.encode("utf-16"), "UTF-16"),
        "bom.csv": (text.encode("utf-8-sig"), "text or CSV"),
        "config.json": (b'{"a": 1}', "JSON"),
        "page.html": (b"<!DOCTYPE html>\n<html>", "web page"),
        "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        "image.png": (b"\x89PNG\r\n\x1a\n" + bytes(20), "PNG"),
        "photo.jpg": (b"\xff\xd8\xff\xe0" + bytes(20), "JPEG"),
        "table.parquet": (b"PAR1" + bytes(20), "Parquet.*as the data"),
        "table.feather": (b"ARROW1\0\0" + bytes(20), "Arrow or Feather"),
        "keras.h5": (b"\x89HDF\r\n\x1a\n" + bytes(20), "HDF5"),
        "book.xlsx": (zipped({"[Content_Types].xml": b""}), "CSV"),
        "other.zip": (zipped({"readme": b""}), "zip archive"),
        "log.gz": (b"\x1f\x8b\x08" + bytes(20), "gzip"),
        "noise": (bytes(range(256)), "does not start with"),
        "zeros": (bytes(4096), "does not start with"),
        "weights.safetensors": (save({"w": np.zeros(2)}), "plain safetensors"),
    }


@pytest.mark.parametrize("name", foreign_files("unused"))
def test_a_foreign_file_is_named_and_never_run(tmp_path, name):
    canary = tmp_path / "canary"
    data, words = foreign_files(canary)[name]
    path = tmp_path / "model.dotori"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=f"model.dotori: .*{words}"):
        read_model(path)
    assert not canary.exists()


def test_the_canaries_are_alive(tmp_path):
    """Each pickle would have created its file: the test above can fail."""
    for name, data in pickles(tmp_path / "canary").items():
        if name.endswith(".pkl"):
            pickle.loads(data).close()
            (tmp_path / "canary").unlink()
    with np.load(
        io.BytesIO(pickles(tmp_path / "canary")["objects.npz"]), allow_pickle=True
    ) as file:
        file["x"][0].close()
    (tmp_path / "canary").unlink()


def test_files_of_torch(tmp_path):
    torch = pytest.importorskip("torch", reason="writes the file to be refused")
    path = tmp_path / "model.dotori"
    torch.save({"w": torch.zeros(3)}, path)
    with pytest.raises(FormatError, match=r"PyTorch \.pt file; load it with PyTorch"):
        read_model(path)
    torch.save({"w": torch.zeros(3)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(FormatError, match=r"PyTorch file of before 1\.6; load it with"):
        read_model(path)


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3)])
def test_files_of_joblib(tmp_path, compress):
    joblib = pytest.importorskip("joblib", reason="writes the file to be refused")
    path = tmp_path / "model.dotori"
    joblib.dump({"w": np.zeros(3)}, path, compress=compress)
    with pytest.raises(FormatError, match=r"like a joblib file|joblib compr|gzip"):
        read_model(path)


def test_every_truncation_is_refused():
    data = model_to_bytes(ARRAYS, DOCUMENT, "weights")
    for length in range(len(data)):
        with pytest.raises(FormatError):
            model_from_bytes(data[:length])


def test_every_bit_flip_is_detected_or_changes_nothing():
    data = model_to_bytes(ARRAYS, DOCUMENT, "weights")
    expected = repr(model_from_bytes(data))
    unseen = 0
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            assert repr(model_from_bytes(bytes(damaged))) == expected
            unseen += 1
        except FormatError:
            pass
    assert unseen < 20  # the case of the digits of \u escapes


SOUND = model_to_bytes(ARRAYS, DOCUMENT, "weights")


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SOUND) - 1), st.binary(max_size=4)), max_size=4
    )
)
def test_fuzzed_model_files_load_unchanged_or_are_refused(changes):
    data = bytearray(SOUND)
    for place, octets in changes:
        data[place : place + len(octets)] = octets
    try:
        assert repr(model_from_bytes(bytes(data))) == repr(model_from_bytes(SOUND))
    except FormatError:
        pass


def test_plain_weights_may_be_saved_apart(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(ARRAYS, path)
    with pytest.raises(FormatError, match=r"plain safetensors file.*dotori\.io\.load"):
        read_model(path)


# As dotori 0.1.0 wrote it. Files of this form must stay readable for ever.
OLD_HEADER = (
    rb'{"__metadata__":{"document":"{\"target\":\"\uac00\uaca9\"}",'
    rb'"dotori.checksums":"{\"w\": \"4147338a99e73139\"}",'
    rb'"dotori.header":"faf36463f59a322e","dotori_version":"0.1.0","format":"dotori",'
    rb'"format_version":"1","kind":"weights"},'
    rb'"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
)
OLD_FILE = (
    len(OLD_HEADER).to_bytes(8, "little") + OLD_HEADER + b"\0\0\x80\x3f\0\0\x20\xc0"
)


def test_a_file_of_the_first_release_stays_readable():
    arrays, document = model_from_bytes(OLD_FILE, "weights")
    assert document == {"target": "가격"}
    np.testing.assert_array_equal(
        arrays["w"], np.array([1, -2.5], np.float32), strict=True
    )


def test_the_largest_document_and_the_deepest(monkeypatch):
    monkeypatch.setattr("dotori.io.model_file.MAX_DOCUMENT_CHARACTERS", 9)
    data = model_to_bytes({}, {"a": 123}, "weights")  # {"a":123} has 9 characters
    assert model_from_bytes(data)[1] == {"a": 123}
    with pytest.raises(ArgumentError, match="10 characters as JSON, at most 9"):
        model_to_bytes({}, {"a": 1234}, "weights")
    monkeypatch.undo()
    document = {}
    for _ in range(99):
        document = {"a": document}
    assert model_from_bytes(model_to_bytes({}, document, "weights"))[1] == document
    with pytest.raises(ArgumentError, match="nested more than 100 deep"):
        model_to_bytes({}, {"a": document}, "weights")
