"""SGDClassifier and SGDRegressor beside scikit-learn's, row for row without shuffling.

Where rounding makes a loss jump, two runs drift apart after many passes whatever one
does, so these are short.
"""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

import sklearn
import sklearn.linear_model
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

import dotori.learn
from dotori.errors import ArgumentError, DataError
from dotori.learn import SGDClassifier, SGDRegressor

VERSION = tuple(map(int, sklearn.__version__.split(".")[:2]))
AMOUNTS = (
    "squared_error",
    "huber",
    "epsilon_insensitive",
    "squared_epsilon_insensitive",
)
CLASSES = ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron")
PENALTIES = ("l2", "l1", "elasticnet", None)
RATES = ("optimal", "constant", "invscaling", "adaptive")


def table(load, kind="dense"):
    x, y = load(return_X_y=True)
    x = scale(x)
    if kind == "sparse":
        x = sparse.csr_array(np.where(np.abs(x) > 0.5, x, 0))
    elif kind == "float32":
        x = x.astype(np.float32)
    return x, y


def both(name, x, y, weight=None, **options):
    options = {"shuffle": False, "max_iter": 6, "tol": None, "eta0": 0.01} | options
    made = []
    for module in (dotori.learn, sklearn.linear_model):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = getattr(module, name)(**options)
            made.append(model.fit(x, y, sample_weight=weight))
    return made


def assert_same(a, b, tolerance=1e-6):
    size = 1 + np.abs(b.coef_).max()
    np.testing.assert_allclose(a.coef_, b.coef_, atol=tolerance * size, rtol=0)
    np.testing.assert_allclose(a.intercept_, b.intercept_, atol=tolerance * size)
    assert a.coef_.shape == b.coef_.shape and a.coef_.dtype == b.coef_.dtype
    assert a.intercept_.shape == b.intercept_.shape
    assert (a.n_iter_, a.t_) == (b.n_iter_, b.t_)


@pytest.mark.parametrize("loss", CLASSES + AMOUNTS)
@pytest.mark.parametrize("penalty", PENALTIES)
def test_classifier_losses_and_penalties(loss, penalty):
    for kind, rate, average in (
        ("dense", "optimal", False),
        ("sparse", "constant", 40),
    ):
        x, y = table(load_iris, kind)
        about = {"loss": loss, "penalty": penalty, "alpha": 0.01, "max_iter": 3}
        about |= {"learning_rate": rate, "average": average}
        a, b = both("SGDClassifier", x, y, **about)
        assert_same(a, b)
        np.testing.assert_array_equal(a.predict(x), b.predict(x))


@pytest.mark.parametrize("loss", AMOUNTS)
@pytest.mark.parametrize("penalty", PENALTIES)
def test_regressor_losses_and_penalties(loss, penalty):
    x, _ = table(load_wine)
    y = x[:, 0] * 2 + x[:, 1] - 1
    for rate, average in (("invscaling", False), ("adaptive", True), ("optimal", 50)):
        about = {"loss": loss, "penalty": penalty, "learning_rate": rate}
        a, b = both("SGDRegressor", x, y, average=average, alpha=0.01, **about)
        assert_same(a, b)
        np.testing.assert_allclose(a.predict(x), b.predict(x), atol=1e-5)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", ["dense", "sparse", "float32"])
def test_rates_and_kinds_of_tables_with_weights(rate, kind):
    x, y = table(load_wine, kind)
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    about = {"loss": "log_loss", "learning_rate": rate, "alpha": 0.01}
    for options in ({}, {"class_weight": "balanced"}, {"class_weight": {0: 3.0}}):
        a, b = both("SGDClassifier", x, y, weight, **about, **options)
        assert_same(a, b, 1e-4 if kind == "float32" else 1e-6)


@pytest.mark.skipif(VERSION < (1, 9), reason="older ones stop by the loss alone")
@pytest.mark.parametrize("rate", ["optimal", "constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("penalty", ["l2", None])
def test_it_ends_after_as_many_passes(rate, penalty):
    """With L1, scikit-learn's objective misses what the penalty has taken away."""
    x, y = table(load_breast_cancer)
    about = {"loss": "log_loss", "alpha": 0.05, "learning_rate": rate, "tol": 1e-3}
    a, b = both("SGDClassifier", x, y, max_iter=200, penalty=penalty, **about)
    assert_same(a, b)
    assert a.n_iter_ < 200 and len(a.history_["loss"]) == a.n_iter_


@pytest.mark.skipif(VERSION < (1, 8), reason="passive-aggressive rates are of 1.8")
@pytest.mark.parametrize("rate", ["pa1", "pa2"])
def test_passive_aggressive(rate):
    x, y = table(load_wine)
    x[3] = 0
    about = {"learning_rate": rate, "eta0": 0.3, "penalty": None}
    assert_same(*both("SGDClassifier", x, y, loss="hinge", **about))
    loss = "epsilon_insensitive"
    assert_same(*both("SGDRegressor", x, x[:, 0] + 1, loss=loss, **about))


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 40),
    d=st.integers(1, 6),
    k=st.integers(2, 3),
    layout=st.sampled_from(["C", "F", "strided", "sparse"]),
    average=st.sampled_from([False, True, 10]),
    penalty=st.sampled_from(PENALTIES),
)
def test_random_tables(seed, n, d, k, layout, average, penalty):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((max(n, k), d)) * (rng.random(d) < 0.9)
    y = np.concatenate([np.arange(k), rng.integers(0, k, max(n - k, 0))])
    given = {
        "C": x,
        "F": np.asfortranarray(x),
        "strided": np.repeat(x, 2, axis=0)[::2],
        "sparse": sparse.csr_array(x),
    }[layout]
    about = {"average": average, "penalty": penalty, "max_iter": 3, "alpha": 0.02}
    assert_same(*both("SGDClassifier", given, y, loss="log_loss", **about))
    assert_same(*both("SGDRegressor", given, x[:, 0] + y, **about))


@pytest.mark.parametrize("average", [False, 100])
@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_partial_fits(average, penalty):
    x, y = table(load_iris)
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order], y[order]
    about = {"shuffle": False, "average": average, "penalty": penalty, "eta0": 0.01}
    # scikit-learn forgets where the intercept itself was once there is an average
    about |= {"fit_intercept": not average}
    a, b = (m.SGDClassifier(**about) for m in (dotori.learn, sklearn.linear_model))
    c, d = (m.SGDRegressor(**about) for m in (dotori.learn, sklearn.linear_model))
    for part in (slice(0, 40), slice(40, 110), slice(110, 150)):
        for model in (a, b):
            model.partial_fit(x[part], y[part], classes=[0, 1, 2])
        assert_same(a, b)
        for model in (c, d):
            model.partial_fit(x[part], x[part, 0])
        assert_same(c, d)


def test_partial_fits_go_on_after_a_file(tmp_path):
    x, y = table(load_iris)
    about = {"shuffle": False, "average": 20}
    whole = SGDClassifier(**about).partial_fit(x[:80], y[:80], classes=[0, 1, 2])
    whole.save(tmp_path / "model")
    again = dotori.learn.load(tmp_path / "model")
    for model in (whole, again):
        model.partial_fit(x[80:], y[80:])
    np.testing.assert_array_equal(whole.coef_, again.coef_)


def test_starts():
    x, y = table(load_iris)
    about = {"shuffle": False, "max_iter": 2, "tol": None}
    first = SGDClassifier(**about).fit(x, y)
    warm = SGDClassifier(warm_start=True, **about).fit(x, y).fit(x, y)
    given = SGDClassifier(**about).fit(x, y, first.coef_, first.intercept_)
    np.testing.assert_array_equal(warm.coef_, given.coef_)
    theirs = sklearn.linear_model.SGDClassifier(**about)
    theirs.fit(x, y, coef_init=first.coef_, intercept_init=first.intercept_)
    assert_same(given, theirs)
    flat = SGDRegressor(**about).fit(x, y)
    again = SGDRegressor(warm_start=True, **about).fit(x, y).fit(x, y)
    given = SGDRegressor(**about).fit(x, y, flat.coef_, flat.intercept_)
    np.testing.assert_array_equal(again.coef_, given.coef_)
    with pytest.raises(ArgumentError, match="coef_init does not match"):
        SGDClassifier().fit(x, y, coef_init=np.zeros((2, 4)))
    with pytest.raises(ArgumentError, match="intercept_init does not match"):
        SGDClassifier().fit(x, y, intercept_init=np.zeros(2))


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_probabilities(loss):
    for load in (load_breast_cancer, load_iris):
        x, y = table(load)
        a, b = both("SGDClassifier", x, y, loss=loss, alpha=0.05)
        far = np.concatenate([x, 100 * x])
        np.testing.assert_allclose(
            a.predict_proba(far), b.predict_proba(far), atol=1e-6
        )
        assert a.predict_log_proba(x).shape == (len(x), len(a.classes_))
    assert not hasattr(SGDClassifier(), "predict_proba")


def test_early_stopping_scores_rows_that_were_held_back():
    x, y = table(load_breast_cancer)
    about = {"early_stopping": True, "random_state": 0, "n_iter_no_change": 3}
    model = SGDClassifier(**about).fit(x, y)
    assert model.n_iter_ < 100 and model.score(x, y) > 0.9
    assert model.t_ == 1 + model.n_iter_ * len(x)
    again = SGDClassifier(**about).fit(x, y)
    np.testing.assert_array_equal(model.coef_, again.coef_)
    three = SGDClassifier(loss="log_loss", **about).fit(*table(load_wine))
    assert three.score(*table(load_wine)) > 0.9 and three.n_iter_ < 100
    line = SGDRegressor(**about).fit(x, x[:, 0])
    assert line.n_iter_ < 1000 and line.score(x, x[:, 0]) > 0.9
    with pytest.raises(ValueError, match="train set will be empty"):
        SGDRegressor(early_stopping=True, validation_fraction=0.9).fit(x[:1], x[:1, 0])
    weight = np.zeros(len(y))
    weight[[0, 568]] = 1.0
    with pytest.raises(ValueError, match="weights for validation set are all zero"):
        SGDClassifier(
            early_stopping=True, validation_fraction=0.01, random_state=1
        ).fit(x, y, sample_weight=weight)


def test_it_learns_when_shuffled():
    x, y = table(load_wine)
    for seed in range(3):
        assert SGDClassifier(random_state=seed).fit(x, y).score(x, y) > 0.97
    line = SGDRegressor(random_state=0).fit(x, x @ np.arange(13.0))
    assert line.score(x, x @ np.arange(13.0)) > 0.999


def test_threads_change_nothing():
    from dotori import kernels

    x, y = table(load_wine)
    threads, made = kernels.number(), []
    try:
        for number in (1, 3):
            kernels._threads.set_number(number)
            made.append(SGDClassifier(random_state=0).fit(x, y).coef_)
    finally:
        kernels._threads.set_number(threads)
    np.testing.assert_array_equal(*made)


def test_too_few_passes_warn():
    x, y = table(load_wine)
    for model in (SGDClassifier(max_iter=2), SGDRegressor(max_iter=2)):
        with pytest.warns(ConvergenceWarning, match="max_iter=2"):
            model.fit(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SGDClassifier(max_iter=2, tol=None).fit(x, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "cubic"}, "loss must be one of"),
        ({"penalty": "l3"}, "penalty must be"),
        ({"alpha": 0.0}, "alpha must be > 0"),
        ({"alpha": -1.0}, "alpha must be"),
        ({"learning_rate": "fast"}, "learning_rate must be"),
        ({"learning_rate": "pa1", "loss": "log_loss"}, "only works with"),
        ({"eta0": 0.0}, "eta0 must be"),
        ({"average": 0}, "average must be"),
        ({"max_iter": 0}, "max_iter must be"),
        ({"validation_fraction": 1.0}, "validation_fraction must be"),
        ({"penalty": "elasticnet", "l1_ratio": None}, "l1_ratio must be set"),
    ],
    ids=str,
)
def test_parameters_that_cannot_be_are_refused(options, message):
    x, y = table(load_iris)
    with pytest.raises(ArgumentError, match=message):
        SGDClassifier(**options).fit(x, y)


def test_partial_fit_refuses_what_it_cannot_know():
    x, y = table(load_iris)
    with pytest.raises(ArgumentError, match="classes must be passed"):
        SGDClassifier().partial_fit(x, y)
    with pytest.raises(ArgumentError, match="'balanced' is not supported"):
        SGDClassifier(class_weight="balanced").partial_fit(x, y, classes=[0, 1, 2])
    with pytest.raises(ArgumentError, match="early_stopping should be False"):
        SGDClassifier(early_stopping=True).partial_fit(x, y, classes=[0, 1, 2])
    model = SGDClassifier().partial_fit(x, y, classes=[0, 1, 2])
    with pytest.raises(ArgumentError, match="not the same"):
        model.partial_fit(x, y, classes=[0, 1])
    with pytest.raises(DataError, match="greater than one"):
        SGDClassifier().fit(x, np.zeros(len(y)))


def test_negative_power_is_deprecated():
    x, y = table(load_iris)
    with pytest.warns(FutureWarning, match="power_t"):
        SGDClassifier(power_t=-0.1).fit(x, y)


def test_sparse_coefficients_predict_the_same():
    x, y = table(load_wine)
    for model in (SGDClassifier(penalty="l1", alpha=0.01), SGDRegressor(penalty="l1")):
        model.fit(x, y)
        before = model.predict(x)
        np.testing.assert_allclose(model.sparsify().predict(x), before)
        np.testing.assert_allclose(model.densify().predict(sparse.csr_array(x)), before)
