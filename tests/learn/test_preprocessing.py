"""The scalers beside scikit-learn's on the same tables and options."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the estimators and their oracle")

import sklearn
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import preprocessing as theirs
from sklearn.datasets import load_wine

from dotori.learn import MinMaxScaler, RobustScaler, StandardScaler
from dotori.learn import preprocessing as ours

# older ones count rows in other types
NEW = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)
STATISTICS = [
    "mean_",
    "var_",
    "scale_",
    "n_samples_seen_",
    "data_min_",
    "data_max_",
    "data_range_",
    "min_",
    "max_abs_",
    "center_",
]


def close(a, b, what="", atol=0.0):
    """Equal up to rounding in the type, which both have."""
    if b is None:
        assert a is None
        return
    a, b = (x.toarray() if sparse.issparse(x) else np.asarray(x) for x in (a, b))
    assert a.shape == b.shape, what
    assert a.dtype == b.dtype or (what == "n_samples_seen_" and not NEW), what
    rtol = 1e-5 if b.dtype == np.float32 else 1e-11
    with np.errstate(all="ignore"):
        near = (np.abs(a - b) <= atol + rtol * np.abs(b)) | (a == b)
    assert (near | (np.isnan(a) & np.isnan(b))).all(), f"{what}: {a} for {b}"


def same(name, X, fit=None, **params):
    """Both have the same statistics, results, and ways back."""
    models = [getattr(m, name)(**params) for m in (ours, theirs)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of columns without any number
        for model in models:
            (fit or (lambda m: m.fit(X)))(model)
    mine, other = models
    values = X.toarray() if sparse.issparse(X) else X
    size = np.nanmax(np.abs(values), axis=0, initial=0.0).astype(float)
    noise = 30 * np.finfo(X.dtype).eps * size
    for statistic in STATISTICS:
        if hasattr(other, statistic):
            atol = noise**2 if statistic == "var_" else noise
            close(getattr(mine, statistic), getattr(other, statistic), statistic, atol)
    out, wanted = mine.transform(X), other.transform(X)
    assert sparse.issparse(out) == sparse.issparse(wanted)
    scale = getattr(other, "scale_", None)
    scale = 1.0 if scale is None else scale
    with np.errstate(over="ignore"):
        noise_out = noise * np.maximum(scale, 1 / scale)
    close(out, wanted, "transform", noise_out)
    if hasattr(other, "inverse_transform"):
        back = mine.inverse_transform(out)
        close(back, other.inverse_transform(wanted), "back", noise)
    return mine


@st.composite
def tables(draw, missing=True):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d = draw(st.integers(1, 90)), draw(st.integers(1, 6))
    X = rng.normal(size=(n, d)) * 10.0 ** draw(st.integers(-2, 3))
    X += draw(st.sampled_from([0.0, 5.0]))
    if draw(st.booleans()):
        X[:, rng.integers(d)] = draw(st.sampled_from([0.0, 0.1, 1e6]))
    if missing and draw(st.booleans()):
        X[rng.random((n, d)) < 0.2] = np.nan
    X = X.astype(draw(st.sampled_from([np.float32, np.float64])))
    layout = draw(st.sampled_from("CFS"))
    return np.asfortranarray(X) if layout == "F" else X[:, ::-1] if layout == "S" else X


@given(tables(), st.booleans(), st.booleans())
def test_standard(X, with_mean, with_std):
    same("StandardScaler", X, with_mean=with_mean, with_std=with_std)


@given(tables(missing=False), st.booleans())
def test_standard_with_weights(X, by_parts):
    weights = np.random.default_rng(0).integers(0, 4, len(X)) / 2 + 0.5

    def fit(model):
        for part in np.array_split(np.arange(len(X)), 3 if by_parts else 1):
            if len(part):
                model.partial_fit(X[part], sample_weight=weights[part])

    same("StandardScaler", X.astype(np.float64), fit)


@given(tables(), st.integers(1, 4), st.booleans())
def test_parts_have_the_statistics_of_all(X, parts, with_mean):
    X = X.astype(np.float64)
    pieces = [part for part in np.array_split(X, parts) if len(part)]
    if any(np.isnan(part).all(axis=0).any() for part in pieces):
        return  # scikit-learn loses what other parts say of such a column

    def fit(model):
        for part in pieces:
            model.partial_fit(part)

    same("StandardScaler", X, fit, with_mean=with_mean)
    for name in ("MinMaxScaler", "MaxAbsScaler"):
        same(name, X, fit)


@given(tables(), st.sampled_from([(0, 1), (-2.5, 7)]), st.booleans())
def test_minmax(X, bounds, clip):
    scaler = same("MinMaxScaler", X, feature_range=bounds, clip=clip)
    wide = np.nan_to_num(X) * 3
    close(scaler.transform(wide), theirs_of(scaler, X).transform(wide), "beyond")


def theirs_of(scaler, X):
    kind = getattr(theirs, type(scaler).__name__)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(**scaler.get_params()).fit(X)


@given(tables(), st.booleans())
def test_maxabs(X, clip):
    try:
        scaler = same("MaxAbsScaler", X, clip=clip)
    except TypeError:  # older ones cannot clip
        scaler = same("MaxAbsScaler", X)
    assert not np.isinf(scaler.transform(np.nan_to_num(X))).any()


@given(
    tables(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([(25.0, 75.0), (10.0, 90.0), (0, 100)]),
    st.booleans(),
)
def test_robust(X, centre, scale, percents, unit):
    params = {"with_centering": centre, "with_scaling": scale}
    unit = unit and percents[0] > 0
    same("RobustScaler", X, quantile_range=percents, unit_variance=unit, **params)


@given(tables(missing=False), st.sampled_from(["l1", "l2", "max"]), st.booleans())
def test_normalizer(X, norm, as_sparse):
    if as_sparse:
        X = sparse.csr_matrix(np.where(X > 0, X, 0))
    same("Normalizer", X, norm=norm)


@given(tables(), st.sampled_from([sparse.csr_matrix, sparse.csc_array]), st.booleans())
def test_sparse(X, form, weighted):
    X = form(np.where(np.nan_to_num(X, nan=1.0) > 0, X, 0).astype(np.float64))
    weights = np.arange(1.0, X.shape[0] + 1) if weighted else None
    same(
        "StandardScaler",
        X,
        lambda m: m.fit(X, sample_weight=weights),
        with_mean=False,
    )
    same("MaxAbsScaler", X)
    same("RobustScaler", X, with_centering=False)
    for name in ("StandardScaler", "RobustScaler"):
        with pytest.raises(ValueError, match="Cannot center sparse matrices"):
            getattr(ours, name)().fit(X)
    with pytest.raises(TypeError, match="does not support sparse input"):
        MinMaxScaler().fit(X)


NAMES = ["StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "Normalizer"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.float32, np.int64])
def test_in_place_only_if_asked_for(name, kind):
    X = load_wine().data.astype(kind)
    before = X.copy()
    scaler = getattr(ours, name)()
    out = scaler.fit_transform(X)
    np.testing.assert_array_equal(X, before)
    assert not np.may_share_memory(out, X)
    out = scaler.set_params(copy=False).transform(X)
    assert np.may_share_memory(out, X) == (kind is np.float32)
    frame = pytest.importorskip("pandas", reason="frames").DataFrame(before)
    scaler.set_params(copy=True).transform(frame)
    np.testing.assert_array_equal(frame.to_numpy(), before)


@pytest.mark.parametrize("name", NAMES)
def test_infinities_are_refused_and_nothing_is_changed(name):
    X = load_wine().data.copy()
    scaler = getattr(ours, name)().fit(X)
    X[50, 3] = np.inf
    for copy in (True, False):
        before = X.copy()
        with pytest.raises(ValueError, match="infinity"):
            scaler.set_params(copy=copy).transform(X)
        np.testing.assert_array_equal(X, before)
    with pytest.raises(ValueError, match="infinity"):
        getattr(ours, name)().fit(X)
    X[51, 3] = np.nan  # one hides the other
    with pytest.raises(ValueError, match=r"infinity|NaN"):
        getattr(ours, name)().fit(X)


@pytest.mark.parametrize("name", NAMES)
def test_frames_keep_their_names(name):
    pd = pytest.importorskip("pandas", reason="frames")
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [3.0, 1.0, 1.0]}, index=[7, 8, 9])
    found = getattr(ours, name)().set_output(transform="pandas").fit_transform(frame)
    assert list(found) == ["a", "b"] and list(found.index) == [7, 8, 9]


def test_huge_numbers_and_constant_ones():
    X = np.array([[1e200, 1e-300, 3.3e15], [3e200, 3e-300, 3.3e15]])
    same("MinMaxScaler", X)
    same("RobustScaler", X)
    flat = np.full((7, 2), [0.1, 1e9 + 0.1])
    for name in NAMES[:4]:
        assert np.isfinite(same(name, flat).transform(flat)).all()
    assert not StandardScaler().fit_transform(flat).any()
    late = np.full((1000, 1), 5.0)
    late[-1] += 1e-3
    same("StandardScaler", late)


def test_parameters_are_checked():
    X = load_wine().data
    for scaler, message in [
        (MinMaxScaler(feature_range=(1, 0)), "minimum below its maximum"),
        (MinMaxScaler(feature_range=[0, 1]), "must be a tuple"),
        (RobustScaler(quantile_range=(80, 20)), "0 <= low <= high <= 100"),
        (StandardScaler(with_mean="yes"), "with_mean must be True or False"),
        (ours.Normalizer(norm="l3"), "norm must be one of"),
    ]:
        with pytest.raises(ValueError, match=message):
            scaler.fit(X)
    with pytest.raises(ValueError, match=r"13 columns was wanted, got \(178, 5\)"):
        StandardScaler().fit(X).inverse_transform(X[:, :5])
