"""LogisticRegression beside scikit-learn's: same data, same options, tight tolerances."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

import sklearn
import sklearn.linear_model
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import scale

import dotori.learn
from dotori.algorithms.logistic import loss as logistic_loss
from dotori.errors import ArgumentError, DataError
from dotori.learn import LogisticRegression

NEW = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8)
SETS = {
    "cancer": load_breast_cancer,
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
}


def table(name, n=None):
    x, y = SETS[name](return_X_y=True)
    return scale(x)[:n], y[:n]


def theirs(x, y, weight=None, **options):
    """scikit-learn's fit, to the last digits, in the words of its version."""
    ratio, c = options.pop("l1_ratio", 0.0), options.pop("C", 1.0)
    if NEW:
        about = {"l1_ratio": ratio, "C": c}
    elif c == np.inf:
        about = {"penalty": None}
    else:
        about = {"penalty": {0.0: "l2", 1.0: "l1"}.get(ratio, "elasticnet"), "C": c}
        about |= {"l1_ratio": ratio} if 0 < ratio < 1 else {}
    options = {"solver": "newton-cholesky", "tol": 1e-10, "max_iter": 20_000} | options
    model = sklearn.linear_model.LogisticRegression(**about, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y, sample_weight=weight)


def ours(x, y, weight=None, **options):
    options = {"tol": 1e-11, "max_iter": 2000} | options
    return LogisticRegression(**options).fit(x, y, sample_weight=weight)


def assert_same(a, b, x, tolerance=1e-6):
    size = 1 + np.abs(b.coef_).max()
    np.testing.assert_allclose(a.coef_, b.coef_, atol=tolerance * size, rtol=0)
    np.testing.assert_allclose(a.intercept_, b.intercept_, atol=tolerance * size)
    np.testing.assert_allclose(
        a.predict_proba(x), b.predict_proba(x), atol=tolerance, rtol=0
    )
    np.testing.assert_array_equal(a.classes_, b.classes_)
    assert a.coef_.shape == b.coef_.shape and a.coef_.dtype == b.coef_.dtype


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky", "newton-cg", "sag"])
def test_bundled_data(name, solver):
    x, y = table(name, 400)
    x = x[:, x.std(axis=0) > 0][:, :16]
    reference = theirs(x, y)
    model = ours(x, y, solver=solver)
    assert_same(model, reference, x)
    np.testing.assert_array_equal(model.predict(x), reference.predict(x))
    np.testing.assert_allclose(
        model.decision_function(x), reference.decision_function(x), atol=1e-5
    )
    np.testing.assert_allclose(
        model.predict_log_proba(x), reference.predict_log_proba(x), atol=1e-5
    )


@pytest.mark.parametrize(
    "options",
    [
        {"C": 0.01},
        {"C": 100.0},
        {"fit_intercept": False},
        {"class_weight": "balanced"},
        {"class_weight": {1: 3.0, 2: 0.5}},
    ],
    ids=str,
)
def test_options(options):
    x, y = table("wine")
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    old = options.get("class_weight") == "balanced" and not NEW  # it left weights out
    for w in (None,) if old else (None, weight):
        assert_same(ours(x, y, w, **options), theirs(x, y, w, **options), x)


def test_without_a_penalty():
    x, y = load_iris(return_X_y=True)
    x, y = x[50:, :3], y[50:]
    found, reference = (f(x, y, C=np.inf) for f in (ours, theirs))
    assert_same(found, reference, x, 1e-5)


@pytest.mark.parametrize("ratio", [0.3, 1.0])
@pytest.mark.parametrize("name", ["cancer", "iris"])
def test_saga_with_an_l1_penalty(ratio, name):
    x, y = table(name)
    found = ours(x, y, solver="saga", l1_ratio=ratio, C=0.1)
    reference = theirs(x, y, solver="saga", l1_ratio=ratio, C=0.1)
    assert_same(found, reference, x)
    np.testing.assert_array_equal(found.coef_ == 0, reference.coef_ == 0)
    assert (found.coef_ == 0).any()


@pytest.mark.parametrize("ratio", [0.0, 1.0])
@pytest.mark.parametrize("scaling", [1.0, 5.0])
def test_liblinear_penalises_the_intercept(ratio, scaling):
    x, y = table("cancer")
    about = {"solver": "liblinear", "l1_ratio": ratio, "intercept_scaling": scaling}
    assert_same(ours(x, y, **about), theirs(x, y, **about, random_state=0), x, 3e-6)


def random_table(seed, n, d, k, case):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    y = np.concatenate([np.arange(k), rng.integers(0, k, max(n - k, 0))])[:n]
    weight = None
    if case == "weights":
        weight = rng.integers(0, 3, n).astype(float)
        weight[:k] = 1
    elif case == "constant":
        x[:, 0] = 3.0
    elif case == "duplicates":
        x = np.resize(x[: max(k, n // 3)], (len(y), d))
        x[:, -1] = x[:, 0]
    elif case == "separable":
        x[:, 0] += 10 * y
    elif case == "shifted":
        x += 100
    return x, y, weight


CASES = ["plain", "weights", "constant", "duplicates", "separable", "shifted"]


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(4, 60),
    d=st.integers(1, 9),
    k=st.integers(2, 4),
    case=st.sampled_from(CASES),
    layout=st.sampled_from(["C", "F", "strided", "sparse"]),
)
def test_random_tables(seed, n, d, k, case, layout):
    x, y, weight = random_table(seed, n, d, k, case)
    reference = theirs(x, y, weight)
    given = {
        "C": x,
        "F": np.asfortranarray(x),
        "strided": np.repeat(x, 2, axis=1)[:, ::2],
        "sparse": sparse.csr_array(x),
    }[layout]
    for solver in ("lbfgs", "newton-cholesky"):
        assert_same(ours(given, y, weight, solver=solver), reference, x, 3e-6)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky", "saga"])
def test_float32_stays_float32(solver):
    x, y = table("wine")
    ratio = 0.5 if solver == "saga" else 0.0
    about = {"solver": solver, "l1_ratio": ratio, "tol": 1e-6}
    model = ours(x.astype(np.float32), y, **about)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    assert model.predict_proba(x.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(model.coef_, ours(x, y, **about).coef_, atol=2e-3)


def test_default_options_end_as_low_as_scikit_learns():
    """At the same tolerance, with no more steps, on columns of very different scales."""
    for name in SETS:
        x, y = SETS[name](return_X_y=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression().fit(x, y)
            other = sklearn.linear_model.LogisticRegression().fit(x, y)
        assert model.n_iter_[0] <= other.n_iter_[0]
        loss = logistic_loss.LogisticLoss(x, y, len(model.classes_), None, 1 / len(x))
        mine, sklearns = (
            loss(np.column_stack([m.coef_, m.intercept_]).ravel())[0]
            for m in (model, other)
        )
        assert mine <= sklearns * (1 + 1e-4)
        assert model.history_["loss"][-1] == pytest.approx(mine)


def test_labels_of_any_kind():
    x, y = table("wine")
    numbered = ours(x, y)
    for labels in (["a", "b", "c"], [-5, 0, 12], [True, False]):
        named = np.array(labels)[y % len(labels)]
        model = ours(x, named)
        np.testing.assert_array_equal(model.classes_, np.unique(named))
        assert set(model.predict(x)) <= set(labels)
    np.testing.assert_allclose(numbered.predict_proba(x).sum(axis=1), 1)


def test_warm_start_begins_where_the_last_fit_ended():
    x, y = table("wine")
    model = LogisticRegression(warm_start=True, tol=1e-8, max_iter=1000).fit(x, y)
    before = model.coef_.copy()
    model.sparsify()
    assert sparse.issparse(model.coef_)
    model.fit(x, y)
    assert model.n_iter_[0] <= 1 and len(model.history_["loss"]) <= 2
    np.testing.assert_allclose(model.coef_, before, atol=1e-7)
    with pytest.raises(ArgumentError, match="warm_start"):
        model.fit(x[:, :3], y)
    cold = LogisticRegression(warm_start=True, solver="liblinear").fit(x[:100], y[:100])
    assert cold.fit(x[:100], y[:100]).n_iter_[0] > 1


def test_sparse_coefficients_predict_the_same():
    x, y = table("iris")
    model = ours(x, y, solver="saga", l1_ratio=1.0, C=0.1)
    before = model.predict_proba(x)
    np.testing.assert_allclose(model.sparsify().predict_proba(x), before)
    np.testing.assert_allclose(model.predict_proba(sparse.csr_array(x)), before)
    assert isinstance(model.densify().coef_, np.ndarray)
    with pytest.raises(NotFittedError):
        LogisticRegression().sparsify()
    with pytest.raises(NotFittedError):
        LogisticRegression().densify()


def test_max_iter_that_ends_it_warns():
    x, y = table("digits", 300)
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        model = LogisticRegression(max_iter=3).fit(x, y)
    assert model.n_iter_.tolist() == [3] and model.n_iter_.dtype == np.int32
    assert len(model.history_["loss"]) == 4
    with pytest.warns(ConvergenceWarning):
        zero = LogisticRegression(max_iter=0).fit(x, y)
    np.testing.assert_array_equal(zero.coef_, 0)


@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet", None])
def test_the_older_penalty_means_the_same_and_warns(penalty):
    x, y = table("cancer")
    x = x[:, :5]
    ratio = {"l1": 1.0, "elasticnet": 0.5}.get(penalty, 0.0)
    with pytest.warns(FutureWarning, match="penalty was deprecated"):
        old = ours(x, y, penalty=penalty, l1_ratio=ratio, solver="saga")
    c = np.inf if penalty is None else 1.0
    new = ours(x, y, l1_ratio=ratio, C=c, solver="saga")
    np.testing.assert_array_equal(old.coef_, new.coef_)


def test_other_deprecations_warn():
    x, y = table("iris")
    with pytest.warns(FutureWarning, match="l1_ratio=None"):
        LogisticRegression(l1_ratio=None).fit(x, y)
    with pytest.warns(FutureWarning, match="n_jobs"):
        LogisticRegression(n_jobs=2).fit(x, y)
    with pytest.warns(UserWarning, match="inconsistent"), pytest.warns(FutureWarning):
        LogisticRegression(penalty="l2", l1_ratio=1.0).fit(x, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"C": 0}, "C must be a number > 0, got 0"),
        ({"l1_ratio": 1.5}, "l1_ratio must be"),
        ({"solver": "adam"}, "solver must be one of 'lbfgs'"),
        ({"l1_ratio": 1.0}, "supports only 'l2'"),
        ({"l1_ratio": 0.5, "solver": "liblinear"}, "liblinear needs"),
        ({"C": np.inf, "solver": "liblinear"}, "liblinear needs"),
        ({"dual": True}, "dual=True needs"),
        ({"max_iter": -1}, "max_iter must be"),
        ({"tol": -1.0}, "tol must be"),
        ({"intercept_scaling": 0}, "intercept_scaling must be"),
        ({"fit_intercept": "yes"}, "fit_intercept must be"),
    ],
    ids=str,
)
def test_parameters_that_cannot_be_are_refused(options, message):
    x, y = table("cancer")
    with pytest.raises(ArgumentError, match=message):
        LogisticRegression(**options).fit(x, y)


def test_data_that_cannot_be_is_refused():
    x, y = table("wine")
    with pytest.raises(DataError, match="at least 2 classes"):
        LogisticRegression().fit(x, np.zeros(len(y)))
    with pytest.raises(DataError, match="multiclass"):
        LogisticRegression(solver="liblinear").fit(x, y)
    for bad, text in ((np.nan, "NaN"), (np.inf, "infinity")):
        broken = x.copy()
        broken[5, 5] = bad
        for solver in ("lbfgs", "newton-cg", "newton-cholesky", "saga"):
            with pytest.raises(ValueError, match=text):
                LogisticRegression(solver=solver).fit(broken, y)
    with pytest.raises(DataError, match="too large"):
        LogisticRegression().fit(x * 1e307, y)


def test_dual_is_the_same_minimum():
    x, y = table("cancer")
    about = {"solver": "liblinear", "C": 0.1}
    np.testing.assert_array_equal(
        ours(x, y, dual=True, **about).coef_, ours(x, y, **about).coef_
    )


def test_a_model_of_plain_arrays_predicts_the_same(tmp_path):
    for name in ("cancer", "iris"):
        x, y = table(name)
        model = LogisticRegression(C=0.1).fit(x, y)
        np.testing.assert_array_equal(model.model_.predict(x), model.predict_proba(x))
        model.save(tmp_path / "model")
        again = dotori.learn.load(tmp_path / "model")
        np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))


def test_on_large_tables_the_first_steps_see_a_part(monkeypatch):
    x, y = table("digits")
    x = x[:, x.std(axis=0) > 0]
    whole = ours(x, y, C=0.01)
    monkeypatch.setattr(logistic_loss, "_BLOCK_BYTES", 1)
    part = ours(x, y, C=0.01)
    np.testing.assert_allclose(part.coef_, whole.coef_, atol=1e-6)
    assert part.history_["loss"] != whole.history_["loss"]
