"""SimpleImputer and MissingIndicator beside scikit-learn's on the same tables."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the estimators and their oracle")

import sklearn
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import impute as theirs

from dotori.learn import MissingIndicator, SimpleImputer, load
from dotori.learn import impute as ours

NEW = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)


def both(name, X, other=None, **params):
    """Both fitted to X, and what they make of `other`; warnings and errors alike."""
    found = []
    for module in (ours, theirs):
        model = getattr(module, name)(**params)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                out = model.fit(X).transform(X if other is None else other)
            except (ValueError, TypeError) as error:
                out = type(error)
        found.append((model, out, {w.category for w in caught}))
    (mine, out, warned), (their, wanted, their_warned) = found
    if isinstance(wanted, type):
        assert isinstance(out, type) and issubclass(out, wanted)
        return mine, their, None
    assert warned == their_warned
    assert sparse.issparse(out) == sparse.issparse(wanted)
    if sparse.issparse(wanted):
        out, wanted = out.toarray(), wanted.toarray()
    assert out.shape == wanted.shape and out.dtype == wanted.dtype
    if wanted.dtype == object:
        assert out.tolist() == wanted.tolist()
    else:
        rtol = 1e-5 if wanted.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(out, wanted, rtol=rtol, atol=rtol / 100)
    return mine, their, out


@st.composite
def tables(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = draw(st.integers(1, 40)), draw(st.integers(1, 5))
    X = rng.integers(-3, 4, shape) + draw(st.sampled_from([0, 0.25]))
    X = X.astype(draw(st.sampled_from([np.float32, np.float64])))
    marker = draw(st.sampled_from([np.nan, -1.0, 7]))
    X[rng.random(shape) < draw(st.sampled_from([0.0, 0.3]))] = marker
    if draw(st.booleans()):
        X[:, rng.integers(shape[1])] = marker
    return (np.asfortranarray(X) if draw(st.booleans()) else X), marker


@given(
    tables(),
    st.sampled_from(["mean", "median", "most_frequent", "constant", np.max]),
    st.booleans(),
    st.booleans(),
)
@pytest.mark.skipif(not NEW, reason="empty columns are those of scikit-learn 1.9")
def test_numbers(drawn, strategy, indicator, keep):
    X, marker = drawn
    if callable(strategy) and is_all(X, marker).any():
        return  # the maximum of nothing
    params = {
        "strategy": strategy,
        "missing_values": marker,
        "add_indicator": indicator,
        "keep_empty_features": keep,
    }
    mine, their, out = both("SimpleImputer", X, **params)
    if out is None:
        return
    names, wanted = (m.get_feature_names_out().tolist() for m in (mine, their))
    assert names == wanted
    if indicator:
        back = mine.inverse_transform(out)
        there = ~is_all(X, marker)
        np.testing.assert_allclose(back[:, there], X[:, there], rtol=1e-6)


def is_all(X, marker):
    return (np.isnan(X) if marker != marker else X == marker).all(axis=0)


@given(tables(), st.sampled_from(["mean", "median", "most_frequent", "constant"]))
@pytest.mark.skipif(not NEW, reason="empty columns are those of scikit-learn 1.9")
def test_sparse_numbers(drawn, strategy):
    X, marker = drawn
    for indicator in (False, True):
        both(
            "SimpleImputer",
            sparse.csc_matrix(X),
            strategy=strategy,
            missing_values=marker,
            add_indicator=indicator,
        )


@pytest.mark.parametrize("missing", [None, np.nan, "", "b"])
@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
def test_texts(missing, strategy):
    X = np.array([["a", "b"], ["a", missing], [missing, "c"], ["d", "c"]], dtype=object)
    both("SimpleImputer", X, missing_values=missing, strategy=strategy)
    both(
        "SimpleImputer",
        X,
        missing_values=missing,
        strategy=strategy,
        fill_value="?",
        add_indicator=True,
    )
    both("SimpleImputer", X.tolist(), missing_values=missing, strategy=strategy)


def test_whole_numbers_and_what_does_not_fit():
    X = np.array([[1, -1], [2, 5], [-1, 5]])
    for strategy in ("mean", "median", "most_frequent", "constant"):
        both("SimpleImputer", X, missing_values=-1, strategy=strategy)
    both("SimpleImputer", X, missing_values=-1, strategy="constant", fill_value="x")
    both("SimpleImputer", X, missing_values=-1, strategy="constant", fill_value=0.5)
    both("SimpleImputer", X, missing_values="x", strategy="mean")
    texts = np.array([["a"], ["b"]], dtype=object)
    both("SimpleImputer", texts, strategy="mean")
    with pytest.raises(ValueError, match="Cannot use median strategy with non-numeric"):
        SimpleImputer(strategy="median").fit(texts)
    with pytest.raises(ValueError, match="strategy must be one of"):
        SimpleImputer(strategy="mode").fit(X)
    with pytest.raises(ValueError, match="works only when"):
        SimpleImputer().fit(X).inverse_transform(X)
    with pytest.raises(ValueError, match="all that is not stored would be missing"):
        SimpleImputer(missing_values=0).fit(sparse.csc_matrix(X))


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_zeros_that_are_not_stored_count(strategy):
    X = np.array([[5.0, 0.0], [5.0, 3.0], [0.0, 3.0], [0.0, np.nan], [0.0, 1.0]])
    mine, _, _ = both("SimpleImputer", sparse.csc_matrix(X), strategy=strategy)
    if strategy == "most_frequent":
        assert mine.statistics_.tolist() == [0.0, 3.0]


def test_gaps_that_are_new_are_filled_too():
    X = np.array([[1.0, 2.0], [3.0, np.nan]])
    other = np.array([[np.nan, np.nan]])
    for indicator in (False, True):
        both("SimpleImputer", X, other, add_indicator=indicator)
    both("MissingIndicator", X, other)
    both("MissingIndicator", X, other, error_on_new=False)


@given(tables(), st.sampled_from(["missing-only", "all"]), st.booleans())
def test_indicators(drawn, features, as_sparse):
    X, marker = drawn
    given_X = sparse.csr_matrix(X) if as_sparse else X
    for how in ("auto", True, False):
        params = {"missing_values": marker, "features": features, "sparse": how}
        mine, their, _ = both("MissingIndicator", given_X, **params)
        assert mine.features_.tolist() == their.features_.tolist()


def test_frames_keep_their_names_and_pandas_gaps():
    pd = pytest.importorskip("pandas", reason="frames")
    frame = pd.DataFrame({"a": [1.0, None, 3.0], "b": ["x", np.nan, "x"]})
    for module in (ours, theirs):
        imputer = module.SimpleImputer(strategy="most_frequent", add_indicator=True)
        out = imputer.set_output(transform="pandas").fit_transform(frame)
        assert list(out) == ["a", "b", "missingindicator_a", "missingindicator_b"]
        assert out["b"].tolist() == ["x", "x", "x"] and out["a"].tolist() == [1, 1, 3]
    whole = pd.DataFrame({"n": pd.array([1, None, 4, 4], dtype="Int64")})
    for marker in (np.nan, pd.NA):
        both("SimpleImputer", whole, missing_values=marker, strategy="mean")


def test_in_place_where_that_can_be():
    X = np.array([[1.0, np.nan], [3.0, 4.0]])
    assert SimpleImputer(copy=False).fit(X).transform(X) is X and X[0, 1] == 4
    kept = np.array([[1.0, np.nan], [3.0, 4.0]])
    assert SimpleImputer().fit_transform(kept) is not kept and np.isnan(kept[0, 1])


def test_a_file_holds_the_indicator(tmp_path):
    X = np.array([["a", None], [None, "b"], ["a", "b"]], dtype=object)
    imputer = SimpleImputer(
        missing_values=None, strategy="most_frequent", add_indicator=True
    ).fit(X)
    imputer.save(tmp_path / "imputer.dotori")
    again = load(tmp_path / "imputer.dotori")
    assert again.transform(X).tolist() == imputer.transform(X).tolist()
    assert isinstance(again.indicator_, MissingIndicator)
