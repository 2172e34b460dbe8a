"""OneHotEncoder and OrdinalEncoder beside scikit-learn's on the same columns."""

import warnings
from itertools import chain

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the estimators and their oracle")

import sklearn
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import preprocessing as theirs

from dotori.algorithms import encoding
from dotori.learn import OneHotEncoder, OrdinalEncoder, load
from dotori.learn import preprocessing as ours


def plain(x):
    """Lists in which all NaN are equal."""
    x = x.toarray() if sparse.issparse(x) else np.asarray(x)
    return [["nan" if v != v else v for v in row] for row in x.tolist()]


def outcome(module, name, X, other, params):
    """What an encoder says in all its methods, or the kind of its error."""
    found = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = getattr(module, name)(**params).fit(X)
            out = model.transform(other)
            found["out"] = plain(out)
            found["dtype"], found["sparse"] = out.dtype, sparse.issparse(out)
            found["names"] = model.get_feature_names_out().tolist()
            found["categories"] = [plain([c])[0] for c in model.categories_]
            found["types"] = [c.dtype for c in model.categories_]
            rare = getattr(model, "infrequent_categories_", None)
            found["rare"] = rare and [r if r is None else plain([r]) for r in rare]
            if name == "OneHotEncoder":
                drop = model.drop_idx_
                found["drop"] = None if drop is None else drop.tolist()
            found["back"] = plain(model.inverse_transform(out))
        except (ValueError, TypeError, IndexError) as error:
            found["error"] = TypeError if isinstance(error, TypeError) else ValueError
    found["warned"] = {w.category for w in caught}
    return found


def same(name, X, other=None, **params):
    other = X if other is None else other
    mine, wanted = (outcome(m, name, X, other, params) for m in (ours, theirs))
    assert mine == wanted
    return mine


@st.composite
def columns(draw, missing=True):
    """Columns of one kind, and later rows that may hold more."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    kind = draw(st.sampled_from(["int", "float", "text", "object", "bool"]))
    n, d = draw(st.integers(1, 30)), draw(st.integers(1, 3))
    raw = rng.integers(0, draw(st.integers(1, 6)), (n + 10, d))
    raw[n:] += rng.integers(0, 2, (10, d)) * 3
    if kind == "float":
        X = raw / 4
        X[rng.random(X.shape) < 0.1 * missing] = np.nan
    elif kind in ("text", "object"):
        X = np.array(list("abcdefghijkl"))[raw]
        if kind == "object":
            X = X.astype(object)
            X[rng.random(X.shape) < 0.1 * missing] = np.nan
            X[rng.random(X.shape) < 0.1 * missing] = None
    else:
        X = raw.astype(kind)
    return X[:n], X[n:]


NEW = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)
UNKNOWN = ["error", "ignore", "infrequent_if_exist"]


@given(
    columns(),
    st.sampled_from(UNKNOWN),
    st.sampled_from([None, "first", "if_binary"]),
    st.sampled_from([None, 2, 0.2]),
    st.sampled_from([None, 1, 3]),
    st.booleans(),
)
def test_one_hot(drawn, unknown, drop, least, most, as_sparse):
    X, other = drawn
    params = {
        "handle_unknown": unknown,
        "drop": drop,
        "min_frequency": least,
        "max_categories": most,
        "sparse_output": as_sparse,
    }
    for rows in (X, other):
        mine, wanted = (
            outcome(m, "OneHotEncoder", X, rows, params) for m in (ours, theirs)
        )
        back = mine.get("back")
        if drop is not None and (least or most):
            # of rows of zeros, scikit-learn looks the dropped category up among those
            # that are not grouped yet
            for found in (mine, wanted):
                found.pop("back", None), found.pop("error", None)
        assert mine == wanted
        if rows is X and back is not None:
            pairs = zip(chain(*plain(X)), chain(*back), strict=True)
            assert all(a == b or b == "infrequent_sklearn" for a, b in pairs)


@given(
    columns(),
    st.sampled_from([("error", None), ("use_encoded_value", -1)]),
    st.sampled_from([None, 2, 0.2]),
    st.sampled_from([None, 1, 3]),
    st.sampled_from([np.nan, -2]),
    st.sampled_from([np.float64, np.int32]),
)
def test_ordinal(drawn, unknown, least, most, marker, dtype):
    X, other = drawn
    params = {
        "handle_unknown": unknown[0],
        "unknown_value": unknown[1],
        "min_frequency": least,
        "max_categories": most,
        "encoded_missing_value": marker,
        "dtype": dtype,
    }
    for rows in (X, other):
        mine, wanted = (
            outcome(m, "OrdinalEncoder", X, rows, params) for m in (ours, theirs)
        )
        if least or most:
            # with NaN among rare ones, scikit-learn's inverse counts NaN as a category
            for found in (mine, wanted):
                found.pop("back", None), found.pop("error", None)
        assert mine == wanted


@pytest.mark.parametrize("dtype", [np.float32, np.int8, bool])
def test_types_of_results(dtype):
    X = [["a", 1], ["b", 2]]
    for as_sparse in (True, False):
        same("OneHotEncoder", X, dtype=dtype, sparse_output=as_sparse)
    same("OrdinalEncoder", X, dtype=dtype)


@pytest.mark.parametrize("name", ["OneHotEncoder", "OrdinalEncoder"])
def test_given_categories(name):
    X = np.array([["b", 1], ["a", 3]], dtype=object)
    same(name, X, categories=[["c", "b", "a"], [3, 2, 1]])
    same(name, X, categories=[["b"], [1, 3]])
    same(name, X, categories=[["b", "b", "a"], [1, 3]])
    same(name, X, categories=[["b", "a"]])
    same(name, np.array([[1.0], [3.0]]), categories=[[3, 1]])
    same(name, np.array([[1.0], [3.0]]), categories=[[1, 2, 3]])
    same(name, np.array([[1.0], [np.nan]]), categories=[[1, np.nan]])
    same(name, np.array([[1.0], [np.nan]]), categories=[[np.nan, 1]])
    same(name, X, np.array([["z", 1]], dtype=object))
    with pytest.raises(ValueError, match="categories must be 'auto' or a list"):
        getattr(ours, name)(categories="all").fit(X)


def test_categories_to_drop():
    X = np.array([["b", 1], ["a", 3], ["b", 2], [np.nan, 2]], dtype=object)
    same("OneHotEncoder", X, drop=["a", 2])
    same("OneHotEncoder", X, drop=[np.nan, 2])
    same("OneHotEncoder", X, drop=["z", 9])
    same("OneHotEncoder", X, drop=["a"])
    same("OneHotEncoder", X, drop=["b", 2], min_frequency=2)
    with pytest.raises(ValueError, match="drop category 'a' from feature 0"):
        OneHotEncoder(drop=["a", 2], min_frequency=2).fit(X)
    same("OneHotEncoder", [["a"], ["a"]], drop="first")


def test_unknown_categories_are_told_of():
    X, other = [["a"], ["b"], ["b"]], [["c"], ["b"]]
    for params in (
        {"handle_unknown": "warn"},
        {"handle_unknown": "warn", "min_frequency": 2},
        {"handle_unknown": "ignore", "drop": "first"},
        {"handle_unknown": "infrequent_if_exist", "drop": "first"},
    ):
        if NEW or params["handle_unknown"] != "warn":  # older ones forget rare ones
            found = same("OneHotEncoder", X, other, **params)
            assert found["warned"] == {UserWarning}


def test_parameters_are_checked():
    X = [["a"], ["b"]]
    for params, message in [
        ({"min_frequency": 0}, "min_frequency must be"),
        ({"min_frequency": 1.5}, "min_frequency must be"),
        ({"max_categories": 0}, "max_categories must be"),
        ({"handle_unknown": "never"}, "handle_unknown must be"),
        ({"drop": "last"}, "drop must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            OneHotEncoder(**params).fit(X)
    same("OrdinalEncoder", X, unknown_value=3)
    same("OrdinalEncoder", X, handle_unknown="use_encoded_value")
    same("OrdinalEncoder", X, handle_unknown="use_encoded_value", unknown_value=1)
    nan = {"handle_unknown": "use_encoded_value", "unknown_value": np.nan}
    same("OrdinalEncoder", X, [["c"]], **nan)
    same("OrdinalEncoder", X, dtype=int, **nan)
    gap = [["a"], [np.nan]]
    same("OrdinalEncoder", gap, encoded_missing_value=0)
    same("OrdinalEncoder", gap, dtype=int)
    with pytest.raises(ValueError, match="Expected 2 columns, got 3"):
        OneHotEncoder().fit(X).inverse_transform(np.ones((1, 3)))
    with pytest.raises(ValueError, match="can not be inverted"):
        OneHotEncoder().fit(X).inverse_transform(np.zeros((1, 2)))
    with pytest.raises(TypeError, match="uniformly strings or numbers"):
        OneHotEncoder().fit(np.array([["a"], [1]], dtype=object))


def test_names_are_combined_by_a_function():
    X = [["a", 1], ["b", 2]]
    same("OneHotEncoder", X, feature_name_combiner=lambda f, c: f"{f}={c!r}")
    with pytest.raises(TypeError, match="should return a Python string"):
        same_names = OneHotEncoder(feature_name_combiner=lambda f, c: 1).fit(X)
        same_names.get_feature_names_out()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library):
    frames = pytest.importorskip(library, reason="frames")
    table = {
        "colour": ["red", "blue", "red"],
        "size": [1, 2, 3],
        "ok": [True, False, True],
    }
    frame = frames.DataFrame(table)
    for name in ("OneHotEncoder", "OrdinalEncoder"):
        same(name, frame)
        dense = {"sparse_output": False} if name == "OneHotEncoder" else {}
        outs = [
            getattr(m, name)(**dense).set_output(transform=library).fit_transform(frame)
            for m in (ours, theirs)
        ]
        assert list(outs[0].columns) == list(outs[1].columns)
        assert (outs[0].to_numpy() == outs[1].to_numpy()).all()
    with pytest.raises(ValueError, match="sparse"):
        OneHotEncoder().set_output(transform=library).fit_transform(frame)


def test_gaps_in_frames_are_categories():
    pd = pytest.importorskip("pandas", reason="frames")
    frame = pd.DataFrame(
        {
            "text": ["x", None, "y"],
            "kind": pd.Categorical(["u", "v", None]),
            "number": [1.0, None, 2.0],
        }
    )
    same("OneHotEncoder", frame)
    same("OrdinalEncoder", frame, encoded_missing_value=-1)


@given(st.integers(0, 10**6))
def test_places_of_numbers_are_searched_alike(seed):
    """Small ranges by a table, large ones by a search."""
    rng = np.random.default_rng(seed)
    kind = rng.choice([np.int8, np.uint8, np.int32, np.int64, np.uint64])
    info = np.iinfo(kind)
    spread = int(rng.choice([10, 100, 1_000_000]))
    low = int(rng.choice([info.min, 0, info.max - spread if spread < info.max else 0]))
    values = np.clip(
        rng.integers(0, spread, 50) + float(low), info.min, info.max * 0.999
    )
    values = values.astype(kind)
    found, counts = encoding.distinct(values)
    wanted, wanted_counts = np.unique(values, return_counts=True)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(counts, wanted_counts)
    assert found.dtype == kind
    more = np.concatenate([values, values + kind(1), values - kind(1)])
    places = encoding.codes(more, found)
    table = {v: i for i, v in enumerate(found.tolist())}
    assert places.tolist() == [table.get(v, -1) for v in more.tolist()]


def test_files_hold_categories_of_all_kinds(tmp_path):
    X = np.array([["a", 1.5], [None, np.nan], ["c", 2.0], ["c", 2.0]], dtype=object)
    for encoder in (
        OneHotEncoder(min_frequency=2, drop="first"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    ):
        encoder.fit(X).save(tmp_path / "encoder.dotori")
        again = load(tmp_path / "encoder.dotori")
        assert plain(again.transform(X)) == plain(encoder.transform(X))
        names = encoder.get_feature_names_out().tolist()
        assert again.get_feature_names_out().tolist() == names
