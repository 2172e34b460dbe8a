"""Files of models: those of the first format still load, hostile ones never do."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dotori
from dotori.data import Table
from dotori.errors import FormatError
from dotori.io import read_model, write_model

FILES = Path(__file__).parent / "files"
KIND = "tabular model"


@pytest.mark.parametrize("name", ["amounts", "classes"])
def test_files_of_the_first_format_give_the_same(name, tmp_path):
    """They were written when there were no models but networks."""
    known = json.loads((FILES / "first_format.json").read_text())
    source = FILES / f"first_format_{name}.model"
    model = dotori.load(source)
    found = model.raw_output(Table.from_frame(known["rows"]))
    np.testing.assert_allclose(found, known["output"][name], rtol=1e-6)
    assert model.options.model == "mlp" and model.predictor.name == "mlp"
    # and what is written now is what was written then
    model.save(tmp_path / "again")
    (arrays, document), (old_arrays, old) = map(
        read_model, (tmp_path / "again", source)
    )
    assert document == old
    assert {k: v.tobytes() for k, v in arrays.items()} == {
        k: v.tobytes() for k, v in old_arrays.items()
    }


# ---------------------------------------------------------------------- hostile files


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Files of one model of each kind, and the rows that they take."""
    pytest.importorskip("sklearn", reason="fitting needs scikit-learn")
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("models")
    x = rng.normal(size=(60, 2))
    rows = {"a": x[:, 0].tolist(), "b": x[:, 1].tolist()}
    amounts = {**rows, "y": (x @ [1.0, 2.0]).tolist()}
    classes = {**rows, "y": np.digitize(x.sum(axis=1), [-0.5, 0.5]).tolist()}
    for name, data, own in (
        ("linear", amounts, {}),
        ("logistic", classes, {}),
        ("tree", amounts, {"depth": 3}),
        ("forest", classes, {"trees": 3}),
        ("kmeans", rows, {"clusters": 3}),
    ):
        target = None if name == "kmeans" else "y"
        dotori.fit(data, target, model=name, **own).save(folder / name)
    return folder, Table.from_frame(rows)


HOSTILE = [
    ("tree", "a child that is no node", "left", lambda a: _set(a, 0, 10**6)),
    ("tree", "a child far below 0", "left", lambda a: _set(a, 0, -(10**9))),
    ("tree", "a node that is its own child", "left", lambda a: _set(a, 0, 0)),
    ("tree", "a cycle", "right", lambda a: _set(a, 1, 0)),
    ("tree", "a leaf with one child", "right", lambda a: _set(a, 0, -1)),
    ("tree", "a column that is not there", "feature", lambda a: _set(a, 0, 99)),
    ("tree", "a column below 0", "feature", lambda a: _set(a, 0, -5)),
    ("tree", "infinite values", "value", lambda a: _set(a, 0, np.inf)),
    ("tree", "NaN", "value", lambda a: _set(a, -1, np.nan)),
    ("tree", "too few nodes", "threshold", lambda a: a[:-1]),
    ("tree", "no nodes", "feature", lambda a: a[:0]),
    ("tree", "another type", "left", lambda a: a.astype(np.float64)),
    ("tree", "another type", "value", lambda a: a.astype(np.float32)),
    ("tree", "two outputs", "value", lambda a: np.repeat(a, 2, axis=1)),
    ("tree", "a table of nodes", "threshold", lambda a: np.stack([a, a], axis=1)),
    ("tree", "a table of nodes", "impurity", lambda a: np.stack([a, a], axis=1)),
    ("tree", "a column of nodes", "missing_go_to_left", lambda a: a[:, np.newaxis]),
    ("forest", "a table of nodes", "feature", lambda a: np.stack([a, a], axis=1)),
    ("forest", "a column of nodes", "n_node_samples", lambda a: a[:, np.newaxis]),
    ("tree", "flat values", "value", lambda a: a.ravel()),
    ("forest", "a child that is no node", "left", lambda a: _set(a, 0, 10**6)),
    ("forest", "a child in the next tree", "right", lambda a: _set(a, 0, len(a) - 1)),
    ("forest", "a cycle", "left", lambda a: _set(a, 0, 0)),
    ("forest", "trees that overlap", "first", lambda a: a[::-1].copy()),
    ("forest", "trees beyond the end", "first", lambda a: a * 2),
    ("forest", "one tree too many", "first", lambda a: np.append(a, a[-1])),
    ("forest", "a table of firsts", "first", lambda a: a[np.newaxis]),
    ("forest", "fewer classes", "value", lambda a: a[:, :, :2].copy()),
    ("linear", "NaN", "coef", lambda a: a * np.nan),
    ("linear", "a column too many", "coef", lambda a: np.append(a, 1.0)),
    ("linear", "a table", "coef", lambda a: a[np.newaxis]),
    ("linear", "float32", "coef", lambda a: a.astype(np.float32)),
    ("linear", "an infinite intercept", "intercept", lambda a: a * np.inf),
    ("logistic", "a class too few", "coef", lambda a: a[:2].copy()),
    ("logistic", "a class twice", "classes", lambda a: np.zeros_like(a)),
    ("logistic", "a class that is not there", "classes", lambda a: a + 5),
    ("logistic", "no classes", "classes", lambda a: a[:0]),
    ("kmeans", "a centre too many", "centers", lambda a: np.concatenate([a, a[:1]])),
    ("kmeans", "no centres", "centers", lambda a: a[:0]),
    ("kmeans", "other columns", "centers", lambda a: a[:, :1].copy()),
    ("kmeans", "NaN", "centers", lambda a: a * np.nan),
]


def _set(array, index, value):
    array = array.copy()
    array.reshape(-1)[index] = value
    return array


@pytest.mark.parametrize(
    ("name", "what", "part", "change"),
    HOSTILE,
    ids=lambda v: v if isinstance(v, str) else "change",
)
def test_impossible_arrays_are_refused(stored, tmp_path, name, what, part, change):
    arrays, document = read_model(stored[0] / name, KIND)
    place = find(document["fitted"], part)
    arrays[place] = change(arrays[place])
    write_model(tmp_path / "changed", arrays, document, KIND)
    with pytest.raises(FormatError):
        dotori.load(tmp_path / "changed")


def find(document, part):
    """The name of the array that a field of the fitted model refers to."""
    names = {"left": "children_left", "right": "children_right"}
    part = names.get(part, part)

    def search(at):
        if isinstance(at, dict):
            if "fields" in at and part in at["fields"]:
                return place_of(at["fields"][part])
            if "dict" in at:
                for key, value in at["dict"]:
                    if key == part:
                        return place_of(value)
            at = list(at.values())
        if isinstance(at, list):
            for value in at:
                if found := search(value):
                    return found
        return None

    found = search(document)
    assert found, f"no {part} in {document}"
    return found


def place_of(value):
    return value.get("array") or value["number"]["array"]


@pytest.mark.parametrize("name", ["linear", "logistic", "tree", "forest", "kmeans"])
def test_documents_that_do_not_fit(stored, tmp_path, name):
    others = {"linear": "tree", "tree": "forest", "forest": "tree"}

    def check(change):
        arrays, document = read_model(stored[0] / name, KIND)
        change(document)
        write_model(tmp_path / "changed", arrays, document, KIND)
        with pytest.raises(FormatError):
            dotori.load(tmp_path / "changed")

    check(lambda d: d.pop("fitted"))
    check(lambda d: d.update(fitted=3))
    check(lambda d: d.update(fitted={"list": []}))
    check(lambda d: d.update(fitted={"stored": "Popen", "fields": {"args": "ls"}}))
    check(lambda d: d.update(fitted={"dict": []}))
    check(
        lambda d: d["options"].update(
            model=others.get(name, "linear" if name != "linear" else "tree")
        )
    )
    check(lambda d: d["options"].update(model="auto", folds=2))
    check(lambda d: d["options"].update(hidden=[3]))
    check(
        lambda d: d["target"].update(
            task="clustering" if name != "kmeans" else "binary"
        )
    )
    check(lambda d: d["target"].update(classes=["a"] * 7))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_tree_is_refused_or_answers(stored, tmp_path_factory, data):
    """Whatever numbers its arrays hold: never a crash, a hang or another exception."""
    folder, table = stored
    name = data.draw(st.sampled_from(["tree", "forest"]))
    arrays, document = read_model(folder / name, KIND)
    place = data.draw(st.sampled_from([k for k in arrays if k.startswith("model")]))
    array = arrays[place]
    if not array.size:
        return
    index = data.draw(st.integers(0, array.size - 1))
    if array.dtype.kind == "f":
        value = data.draw(st.floats())
    else:
        value = data.draw(st.integers(-3, 2 * array.size))
        value = abs(value) if array.dtype.kind in "ub" else value
    array.reshape(-1)[index] = value
    path = tmp_path_factory.mktemp("damaged") / "m"
    write_model(path, arrays, document, KIND)
    try:
        model = dotori.load(path)
    except FormatError:
        return
    assert np.isfinite(model.raw_output(table)).all()


def test_a_file_that_is_cut_or_changed(stored, tmp_path):
    whole = (stored[0] / "forest").read_bytes()
    for n in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut").write_bytes(whole[:n])
        with pytest.raises(FormatError):
            dotori.load(tmp_path / "cut")
    for place in range(len(whole) // 2, len(whole), len(whole) // 20):
        shutil.copy(stored[0] / "forest", tmp_path / "bit")
        with open(tmp_path / "bit", "r+b") as file:
            file.seek(place)
            file.write(bytes([whole[place] ^ 4]))
        with pytest.raises(FormatError):
            dotori.load(tmp_path / "bit")
