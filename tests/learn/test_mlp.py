"""MLPClassifier and MLPRegressor beside scikit-learn's, and what they add to them."""

import copy
import pickle
import warnings

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import neural_network as theirs
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    make_multilabel_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import dotori
from dotori import nn, optim
from dotori.errors import ArgumentError
from dotori.learn import load
from dotori.learn import neural_network as ours
from dotori.learn.neural_network import MLPClassifier, MLPRegressor, _training
from dotori.learn.neural_network._data import Batches
from dotori.learn.neural_network._lbfgs import WholeLoss
from dotori.learn.neural_network._losses import (
    Loss,
    activate,
    cross_entropy,
    regression_loss,
)
from dotori.learn.neural_network._optimizers import Adam, Rate, set_rate
from dotori.learn.neural_network._sparse import SparseProduct, SparseRows, is_thin
from dotori.train import Callback, EarlyStopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS = load_iris(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
DIGITS = load_digits(return_X_y=True)
WEIGHTED = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 7)


def from_same_weights(kind, X, y, max_iter, sample_weight=None, **params):
    """scikit-learn's estimator and ours, from one start, in the order of the rows."""
    given = {} if sample_weight is None else {"sample_weight": sample_weight}
    pair = []
    for module in (theirs, ours):
        made = getattr(module, kind)(max_iter=1, warm_start=True, shuffle=False)
        pair.append(made.set_params(**params).fit(X, y, **given))
    rng = np.random.default_rng(1)
    coefs, intercepts = (
        [rng.normal(size=array.shape) * 0.3 for array in arrays]
        for arrays in (pair[0].coefs_, pair[0].intercepts_)
    )
    for model in pair:
        model.coefs_ = [c.copy() for c in coefs]
        model.intercepts_ = [b.copy() for b in intercepts]
        model.loss_curve_, model.best_loss_ = [], np.inf
        model.t_ = model._no_improvement_count = 0
        model.set_params(max_iter=max_iter).fit(X, y, **given)
    return pair


def assert_same_way(pair, tolerance=1e-6):
    """Losses, weights and the epoch of the end are equal."""
    one, other = pair
    assert one.n_iter_ == other.n_iter_
    assert one.t_ == other.t_
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=tolerance)
    np.testing.assert_allclose(other.loss_, one.loss_, rtol=tolerance)
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            assert a.shape == b.shape
            np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)


# ---------------------------------------------------------------- scikit-learn's way


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_classifier_goes_scikit_learns_way(activation, solver):
    params = {
        "hidden_layer_sizes": (7, 5),
        "batch_size": 40,
        "learning_rate_init": 0.02,
    }
    params |= {"activation": activation, "solver": solver}
    assert_same_way(from_same_weights("MLPClassifier", *IRIS, 25, **params))


@pytest.mark.parametrize("learning_rate", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize(
    "velocity",
    [{}, {"nesterovs_momentum": False}, {"momentum": 0.0}, {"momentum": 0.3}],
    ids=str,
)
def test_the_rate_changes_as_in_scikit_learn(learning_rate, velocity):
    params = {"solver": "sgd", "learning_rate": learning_rate, "tol": 2e-2}
    params |= {"learning_rate_init": 0.1, "n_iter_no_change": 3, **velocity}
    pair = from_same_weights("MLPClassifier", *IRIS, 60, **params)
    assert_same_way(pair, 1e-6)


@pytest.mark.parametrize(
    ("kind", "data", "params"),
    [
        ("MLPClassifier", (scale(CANCER[0]), CANCER[1]), {"alpha": 1.0}),
        ("MLPClassifier", IRIS, {"hidden_layer_sizes": ()}),
        ("MLPClassifier", IRIS, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}),
        ("MLPClassifier", IRIS, {"tol": 0.05, "n_iter_no_change": 2}),
        ("MLPRegressor", DIABETES, {}),
        ("MLPRegressor", (DIABETES[0], np.c_[DIABETES[1], -DIABETES[1]]), {}),
    ],
    ids=["two classes", "no hidden layer", "adam", "tol", "regression", "two outputs"],
)
def test_every_kind_of_target_goes_scikit_learns_way(kind, data, params):
    pair = from_same_weights(kind, *data, 20, **params)
    assert pair[0].out_activation_ == pair[1].out_activation_
    assert_same_way(pair)


@pytest.mark.skipif(not WEIGHTED, reason="scikit-learn has them since 1.7")
@pytest.mark.parametrize(
    ("kind", "data", "params"),
    [
        ("MLPClassifier", IRIS, {"batch_size": 40}),
        ("MLPClassifier", IRIS, {"solver": "sgd"}),
        ("MLPRegressor", (DIABETES[0], np.c_[DIABETES[1], -DIABETES[1]]), {}),
        ("MLPRegressor", DIABETES, {"loss": "poisson"}),
    ],
    ids=["classes", "sgd", "two outputs", "poisson"],
)
def test_sample_weights_and_poisson_go_scikit_learns_way(kind, data, params):
    weight = np.random.default_rng(0).random(len(data[0])) + 0.1
    assert_same_way(from_same_weights(kind, *data, 20, weight, **params))


def test_labels_go_scikit_learns_way():
    X, y = make_multilabel_classification(random_state=0)
    pair = from_same_weights("MLPClassifier", X, y, 20)
    assert_same_way(pair)
    np.testing.assert_array_equal(pair[1].predict(X), pair[0].predict(X))
    np.testing.assert_allclose(pair[1].predict_proba(X), pair[0].predict_proba(X))


@pytest.mark.parametrize(
    ("kind", "data", "params"),
    [
        ("MLPClassifier", IRIS, {}),
        ("MLPClassifier", IRIS, {"activation": "logistic"}),
        ("MLPRegressor", DIABETES, {}),
    ],
    ids=["iris", "logistic", "diabetes"],
)
def test_lbfgs_goes_scikit_learns_way(kind, data, params):
    one, other = from_same_weights(kind, *data, 25, solver="lbfgs", **params)
    assert one.n_iter_ == other.n_iter_
    np.testing.assert_allclose(other.loss_, one.loss_, rtol=1e-6)
    np.testing.assert_allclose(other.predict(data[0]), one.predict(data[0]), rtol=1e-6)
    assert len(other.history_["loss"]) == other.n_iter_
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")


def test_lbfgs_by_blocks_of_rows_is_the_same(monkeypatch):
    params = {"solver": "lbfgs", "max_iter": 20, "random_state": 0}
    whole = MLPClassifier(**params).fit(*IRIS)
    monkeypatch.setattr("dotori.learn.neural_network._data.BLOCK", 4000)
    parts = MLPClassifier(**params).fit(*IRIS)
    np.testing.assert_allclose(parts.coefs_[0], whole.coefs_[0], rtol=1e-4, atol=1e-6)


def test_several_outputs_are_minimised_together():
    """scikit-learn's loss there is not the one that its gradient belongs to."""
    rng = np.random.default_rng(0)
    x, y, weight = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), rng.random(6)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    data = Batches((x, y, weight), 4)
    whole = WholeLoss(
        network, regression_loss("", "squared_error"), 0.3, data, weight.sum(), True
    )
    row = rng.normal(size=26)
    value, gradient = whole(row)
    for i in range(26):
        step = np.eye(26)[i] * 1e-5
        slope = (whole(row + step)[0] - whole(row - step)[0]) / 2e-5
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-8)
    whole(row)
    penalty = 0.15 * (np.square(row[:12]).sum() + np.square(row[16:24]).sum())
    penalty /= weight.sum()
    assert value - penalty == pytest.approx(2 * (whole.shown - penalty))
    X, y = DIABETES[0], np.c_[DIABETES[1], DIABETES[1] ** 0.5]
    model = MLPRegressor(solver="lbfgs", max_iter=30, alpha=0).fit(X, y)
    assert model.loss_ == pytest.approx(0.5 * np.mean((model.predict(X) - y) ** 2))


@given(st.integers(0, 10_000))
def test_random_problems_go_scikit_learns_way(seed):
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(2, 30), rng.integers(1, 5), rng.integers(2, 4)
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-2, 2)
    y = np.r_[np.arange(min(k, n)), rng.integers(0, k, max(n - k, 0))]
    params = {
        "hidden_layer_sizes": tuple(rng.integers(1, 5, rng.integers(0, 3)).tolist()),
        "batch_size": int(rng.integers(1, n + 1)),
        "solver": str(rng.choice(["adam", "sgd"])),
        "alpha": float(rng.choice([0.0, 0.1])),
        "activation": str(rng.choice(["relu", "tanh"])),
    }
    assert_same_way(from_same_weights("MLPClassifier", X, y, 4, **params))


def test_weights_begin_within_scikit_learns_bounds():
    for activation, factor in (("relu", 6.0), ("logistic", 2.0)):
        model = MLPClassifier((50,), activation, max_iter=1, random_state=0)
        model.set_params(learning_rate_init=1e-12).fit(*IRIS)
        for w, b in zip(model.coefs_, model.intercepts_, strict=True):
            bound = np.sqrt(factor / sum(w.shape))
            for array in (w, b):
                assert np.abs(array).max() <= bound + 1e-9
            assert np.abs(w).max() > 0.9 * bound


def test_float32_stays_and_ends_near_float64():
    X, y = DIGITS
    models = [
        MLPClassifier(max_iter=5, random_state=0).fit(X.astype(dtype), y)
        for dtype in (np.float64, np.float32)
    ]
    assert {c.dtype for c in models[1].coefs_} == {np.dtype(np.float32)}
    assert models[1].predict_proba(X).dtype == np.float32
    np.testing.assert_allclose(*[m.coefs_[0] for m in models], atol=1e-3)


def test_probabilities_are_exact_where_they_round_to_one():
    model = MLPClassifier(hidden_layer_sizes=(), max_iter=1).fit([[0.0], [1.0]], [0, 1])
    model.coefs_, model.intercepts_ = [np.array([[1.0]])], [np.array([0.0])]
    p = model.predict_proba([[50.0], [-800.0]])
    np.testing.assert_allclose(p[:, 0], [np.exp(-50.0), 1.0], rtol=1e-12)
    assert np.isfinite(p).all()


@pytest.mark.parametrize("output", ["softmax", "logistic", "exp", "identity"])
def test_output_activations(output):
    z = np.random.default_rng(0).normal(size=(5, 3)) * 3
    expected = {
        "softmax": np.exp(z) / np.exp(z).sum(1, keepdims=True),
        "logistic": 1 / (1 + np.exp(-z)),
        "exp": np.exp(z),
        "identity": z,
    }[output]
    np.testing.assert_allclose(activate(output, z.copy()), expected, rtol=1e-13)


def test_confident_mistakes_are_reported_as_in_scikit_learn():
    pair = from_same_weights("MLPClassifier", IRIS[0] * 100, IRIS[1], 3)
    assert pair[0].loss_curve_[0] > 12  # a third of 36, the most that is reported
    assert_same_way(pair)


def test_the_log_loss_is_held_as_scikit_learn_holds_it():
    z, y = dotori.tensor([[0.0, 100.0]]).double(), dotori.tensor([[1.0, 0.0]]).double()
    descended, shown = Loss(cross_entropy, "softmax", clip=True)(z, y)
    assert descended.item() == pytest.approx(100)
    assert shown.item() == pytest.approx(-np.log(np.finfo(float).eps))


# ---------------------------------------------------------------- the ways of a fit


def test_equal_seeds_give_equal_fits():
    for params in ({}, {"dropout": 0.5, "batch_norm": True}, {"early_stopping": True}):
        model = MLPClassifier(max_iter=15, random_state=3, **params)
        one, other = clone(model).fit(*DIGITS), clone(model).fit(*DIGITS)
        for a, b in zip(one.coefs_, other.coefs_, strict=True):
            np.testing.assert_array_equal(a, b)
        assert one.loss_curve_ == other.loss_curve_


@pytest.mark.parametrize("waiting", [0.0, 1e9], ids=["native", "numpy"])
def test_machine_code_gives_the_same_weights(monkeypatch, waiting):
    pytest.importorskip("numba", reason="machine code is compiled by Numba")
    plain = MLPClassifier((6,), max_iter=20, random_state=0).fit(*IRIS)
    monkeypatch.setattr(_training, "WORTH_WAITING", waiting)
    monkeypatch.setattr(_training, "WORTH_CAPTURING", 2)
    other = MLPClassifier((6,), max_iter=20, random_state=0).fit(*IRIS)
    np.testing.assert_allclose(other.coefs_[0], plain.coefs_[0], rtol=1e-9)
    compiled = other._trainer._compiled
    assert compiled.captures == 1
    assert [e.native is not None for e in compiled.entries()] == [waiting == 0]


def test_validation_and_schedules_leave_the_capture_as_it_is():
    X, y = DIGITS
    model = MLPClassifier(max_iter=12, solver="sgd", learning_rate="invscaling")
    model.set_params(random_state=0, batch_size=100, learning_rate_init=0.1)
    model.fit(X[:1000], y[:1000], validation_data=(X[1000:], y[1000:]))
    assert model._trainer._compiled.captures == 1


def test_early_stopping_keeps_the_best_epoch():
    X, y = DIGITS
    model = MLPClassifier(early_stopping=True, n_iter_no_change=3, random_state=0)
    model.set_params(learning_rate_init=0.01).fit(X, y)
    scores = model.validation_scores_
    assert len(scores) == model.n_iter_ < model.max_iter
    assert model.best_validation_score_ == max(scores)
    assert model.best_loss_ is None
    # no gain of tol for more than n_iter_no_change epochs
    assert model.n_iter_ >= int(np.argmax(scores)) + 1 + 3
    watched = MLPClassifier(early_stopping=True, random_state=0, max_iter=40)
    watched.fit(X[:1400], y[:1400], validation_data=(X[1400:], y[1400:]))
    best = max(watched.validation_scores_)
    assert watched.score(X[1400:], y[1400:]) == pytest.approx(best)


def test_a_validation_set_is_only_watched():
    X, y = DIABETES
    X, y = scale(X), scale(y)
    weight = np.random.default_rng(0).random(100)
    plain = MLPRegressor(max_iter=10, random_state=0).fit(X[100:], y[100:])
    model = clone(plain)
    model.fit(X[100:], y[100:], validation_data=(X[:100], y[:100], weight))
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    p = model.predict(X[:100])
    loss = 0.5 * np.average((p - y[:100]) ** 2, weights=weight)
    assert model.validation_loss_curve_[-1] == pytest.approx(loss)
    score = model.score(X[:100], y[:100], weight)
    assert model.validation_scores_[-1] == pytest.approx(score)
    assert list(model.history_) == ["loss", "validation_loss", "validation_score", "lr"]
    assert plain.validation_scores_ is plain.validation_loss_curve_ is None


def test_partial_fit_and_warm_start_go_on():
    X, y = DIGITS
    params = {"random_state": 0, "shuffle": False, "batch_size": 200}
    model = MLPClassifier(max_iter=3, **params).fit(X, y)
    steps = MLPClassifier(**params)
    for _ in range(3):
        steps.partial_fit(X, y, classes=np.unique(y))
    np.testing.assert_allclose(steps.coefs_[0], model.coefs_[0], rtol=1e-9)
    assert steps.loss_curve_ == pytest.approx(model.loss_curve_)
    assert steps.t_ == model.t_ == 3 * len(X)
    warm = MLPClassifier(max_iter=1, warm_start=True, **params)
    for _ in range(3):
        warm.fit(X, y)
    assert len(warm.loss_curve_) == 3 and warm.n_iter_ == 1
    assert warm.loss_curve_[0] == pytest.approx(model.loss_curve_[0])


def test_copies_go_on_where_the_first_one_is():
    X, y = DIGITS
    model = MLPClassifier(random_state=0)
    for _ in range(2):
        model.partial_fit(X, y, classes=np.unique(y))
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    for one in (model, *copies):
        one.partial_fit(X, y)
    for one in copies:
        np.testing.assert_allclose(one.coefs_[1], model.coefs_[1], rtol=1e-12)


def test_coefficients_may_be_changed():
    model = MLPClassifier((3,), max_iter=2).fit(*IRIS)
    model.coefs_[1][...] = 0  # in place
    assert np.ptp(model.predict_proba(IRIS[0]), axis=0).max() < 1e-12
    model.intercepts_[1] = np.array([5.0, 0.0, 0.0])  # by others
    assert (model.predict(IRIS[0]) == 0).all()
    with pytest.raises(ArgumentError, match=r"\(3,\) was wanted, got \(2,\)"):
        model.intercepts_[1] = np.zeros(2)
        model.predict(IRIS[0])


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize(
    "params",
    [{}, {"early_stopping": True, "dropout": 0.1}, {"solver": "lbfgs"}],
    ids=str,
)
def test_sparse_rows_are_the_dense_ones(thin, params):
    X, y = DIGITS
    X = X * (np.random.default_rng(0).random(X.shape) < (0.03 if thin else 1.0))
    model = MLPClassifier(max_iter=4, random_state=0, **params).fit(X, y)
    for form in (sparse.csr_matrix, sparse.csc_array):
        other = clone(model).fit(form(X), y)
        np.testing.assert_allclose(other.coefs_[0], model.coefs_[0], atol=1e-7)
        np.testing.assert_allclose(
            other.predict_proba(form(X)), model.predict_proba(X), atol=1e-7
        )
    assert is_thin(sparse.csr_matrix(X), model.network_) == thin


def test_gradients_of_sparse_products():
    rows = SparseRows(sparse.random(5, 7, 0.3, "csr", random_state=0))
    w = dotori.tensor(np.random.default_rng(0).normal(size=(3, 7)))
    assert dotori.gradcheck(lambda w: SparseProduct.apply(w, rows) ** 2, w)


def test_rows_without_weight_do_not_count():
    X, y = IRIS
    counts = np.r_[np.ones(90), np.zeros(60)]  # whole batches, in their order
    for params in ({"shuffle": False, "batch_size": 30}, {"solver": "lbfgs"}):
        model = MLPClassifier(max_iter=5, random_state=0, **params)
        one = clone(model).fit(X[:90], y[:90])
        other = clone(model).fit(X, np.where(counts, y, 0), counts)
        np.testing.assert_allclose(one.coefs_[0], other.coefs_[0], rtol=1e-9)
    with pytest.raises(ValueError, match="at least one"):
        MLPClassifier().fit(X, y, np.zeros(150))


def test_validation_rows_are_routed_through_a_pipeline():
    X, y = IRIS
    with sklearn.config_context(enable_metadata_routing=True):
        network = MLPClassifier(max_iter=3).set_fit_request(validation_data=True)
        pipe = make_pipeline(StandardScaler(), network)
        pipe.fit(X, y, validation_data=(scale(X), y))
    assert len(pipe[-1].validation_loss_curve_) == 3


def test_interruption_keeps_what_was_learned():
    class Interrupt(Callback):
        def on_step_end(self, trainer):
            if trainer.step == 5:
                raise KeyboardInterrupt

    model = MLPClassifier(callbacks=[Interrupt()], batch_size=50, random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(*IRIS)
    assert model.n_iter_ == 1 and len(model.predict(IRIS[0])) == 150


def test_weights_that_are_no_numbers_are_an_error():
    model = MLPRegressor(solver="sgd", learning_rate_init=1e6, max_iter=20)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter"):
        model.fit(DIABETES[0] * 1e8, DIABETES[1] * 1e8)


def test_an_end_without_convergence_is_told():
    for solver in ("adam", "lbfgs"):
        with pytest.warns(ConvergenceWarning, match="raise max_iter"):
            MLPClassifier(solver=solver, max_iter=2).fit(*IRIS)
    with pytest.warns(UserWarning, match="batch_size=151 is more than the 150 samples"):
        MLPClassifier(max_iter=2, batch_size=151).fit(*IRIS)


def test_progress_is_printed(capsys):
    params = {"verbose": True, "max_iter": 30, "random_state": 0, "tol": 1.0}
    MLPClassifier(n_iter_no_change=2, **params).fit(*IRIS)
    sgd = {"solver": "sgd", "learning_rate": "adaptive"}
    MLPClassifier(n_iter_no_change=2, early_stopping=True, **sgd, **params).fit(*IRIS)
    MLPClassifier(solver="lbfgs", **params).fit(*IRIS)
    text = capsys.readouterr().out
    assert "Iteration 1, loss = " in text
    assert "Training loss did not improve more than tol=1.000000 for 2" in text
    assert "Validation score: " in text
    assert "Setting learning rate to 0.000200" in text


def test_classes_of_every_kind():
    X = IRIS[0]
    names = IRIS[1].astype(str)
    for y in (names, names.astype(object), IRIS[1] > 0, IRIS[1] * 10 - 5):
        model = MLPClassifier(max_iter=30, learning_rate_init=0.05).fit(X, y)
        assert set(model.predict(X)) <= set(y)
        np.testing.assert_array_equal(model.classes_, np.unique(y))
        assert model.score(X, y) > 0.6
    labels = sparse.csr_matrix(np.eye(3, dtype=int)[IRIS[1]])
    found = MLPClassifier(max_iter=5).fit(X, labels).predict(X)
    assert sparse.issparse(found) and found.shape == labels.shape
    one = MLPClassifier(max_iter=2).fit(X, np.zeros(len(X)))
    assert (one.predict(X) == 0).all()


def test_targets_that_do_not_fit():
    X, y = IRIS
    model = MLPClassifier(max_iter=1).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="classes not in `self"):
        model.partial_fit(X, y + 1)
    warm = MLPClassifier(max_iter=1, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        warm.fit(X, y + 1)
    with pytest.raises(ValueError, match="several columns of classes"):
        MLPClassifier().fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match="classes not in"):
        MLPClassifier().fit(X, y, validation_data=(X, y + 1))
    with pytest.raises(ValueError, match="The validation set is too small"):
        MLPRegressor(early_stopping=True).fit(X[:6], y[:6])
    with pytest.raises(ValueError, match="needs y >= 0"):
        MLPRegressor("poisson").fit(X, y - 1.0)
    regressor = MLPRegressor(max_iter=1, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="2 outputs, but there were 1 before"):
        regressor.fit(X, np.c_[y, y])


# ---------------------------------------------------------------- what is added


def test_layers_of_every_kind():
    model = MLPClassifier(
        (20, 15),
        activation=["gelu", lambda x: x * x.sigmoid()],
        dropout=[0.2, 0],
        batch_norm=True,
        max_iter=25,
        learning_rate_init=0.01,
        random_state=0,
    ).fit(scale(IRIS[0]), IRIS[1])
    kinds = [type(layer).__name__ for layer in model.network_]
    assert kinds == [
        *("Linear", "BatchNorm1d", "GELU", "Dropout"),
        *("Linear", "BatchNorm1d", "Activation", "Linear"),
    ]
    assert model.score(scale(IRIS[0]), IRIS[1]) > 0.93
    assert [c.shape for c in model.coefs_] == [(4, 20), (20, 15), (15, 3)]
    assert "1.running_mean" in model.state_ and model.n_layers_ == 4
    np.testing.assert_array_equal(model.coefs_[0], model.network_[0].weight.array.T)
    # dropout is off when it predicts
    p = model.predict_proba(IRIS[0])
    np.testing.assert_array_equal(p, model.predict_proba(IRIS[0]))


def test_batches_of_one_row_join_the_one_before():
    X, y = IRIS[0][:41], IRIS[1][:41]
    model = MLPClassifier(batch_norm=True, batch_size=20, max_iter=2).fit(X, y)
    assert model.t_ == 82


def test_dropout_is_drawn_anew_in_each_step():
    X, y = np.ones((1, 1)), np.ones(1)
    model = MLPRegressor(hidden_layer_sizes=(400,), dropout=0.5, random_state=0)
    model.set_params(learning_rate_init=1e-9, max_iter=50, tol=0, n_iter_no_change=50)
    losses = model.fit(X, y).loss_curve_
    assert len(set(losses)) == 50
    again = clone(model)
    for _ in range(5):
        again.partial_fit(X, y)
    assert len(set(again.loss_curve_)) == 5


@pytest.mark.parametrize(
    "optimizer",
    [
        "AdamW",
        "rmsprop",
        ("SGD", {"lr": 0.1, "momentum": 0.9}),
        optim.RAdam,
        (optim.Adamax, {"lr": 0.02}),
        lambda params: optim.Adagrad(params, lr=0.1),
    ],
    ids=["name", "lower", "options", "class", "class and options", "function"],
)
def test_any_optimiser(optimizer):
    model = MLPClassifier(optimizer=optimizer, learning_rate_init=0.01, random_state=0)
    assert model.fit(*IRIS).score(*IRIS) > 0.9
    made = model._trainer.optimizer
    if optimizer in ("AdamW", optim.RAdam):
        assert made.param_groups[0]["lr"] == 0.01


def test_our_optimisers_are_named_as_such():
    """The same rule, by another's hand: dotori's own Adam, with epsilon far away."""
    params = {"max_iter": 10, "random_state": 0}
    one = MLPClassifier(epsilon=1e-30, **params).fit(*IRIS)
    other = MLPClassifier(optimizer=("Adam", {"eps": 1e-30}), **params).fit(*IRIS)
    np.testing.assert_allclose(one.coefs_[0], other.coefs_[0], rtol=1e-8)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (("StepLR", {"step_size": 2, "gamma": 0.1}), [0.01, 0.01, 0.001, 0.001]),
        (lambda o: optim.ExponentialLR(o, 0.5), [0.01, 0.005, 0.0025, 0.00125]),
        ((optim.ConstantLR, {"factor": 0.5, "total_iters": 1}), [0.005, *[0.01] * 3]),
    ],
    ids=["name", "function", "class"],
)
def test_any_schedule(schedule, rates):
    model = MLPClassifier(schedule=schedule, learning_rate_init=0.01, max_iter=4)
    assert model.fit(*IRIS).history_["lr"] == pytest.approx(rates)


def test_a_plateau_lowers_the_rate():
    schedule = "ReduceLROnPlateau", {"patience": 0, "threshold": 10.0}
    model = MLPClassifier(schedule=schedule, max_iter=4).fit(*IRIS)
    assert model.history_["lr"][-1] < model.history_["lr"][0]


def test_gradients_are_no_longer_than_allowed():
    params = {"optimizer": ("SGD", {"lr": 1.0}), "max_iter": 1, "random_state": 0}
    start = MLPRegressor(**{**params, "optimizer": ("SGD", {"lr": 0.0})})
    start.fit(*DIABETES)
    one_step = MLPRegressor(clip_norm=0.125, batch_size=442, **params).fit(*DIABETES)
    moved = [
        np.square(a - b).sum()
        for name in ("coefs_", "intercepts_")
        for a, b in zip(getattr(start, name), getattr(one_step, name), strict=True)
    ]
    assert np.sqrt(sum(moved)) == pytest.approx(0.125, rel=1e-4)


def test_class_weights_are_weights_of_rows():
    X, y = IRIS[0][30:], IRIS[1][30:]
    params = {"max_iter": 5, "random_state": 0}
    balanced = MLPClassifier(class_weight="balanced", **params).fit(X, y)
    rows = (len(y) / (3 * np.bincount(y)))[y]
    by_rows = MLPClassifier(**params).fit(X, y, rows)
    np.testing.assert_allclose(balanced.coefs_[0], by_rows.coefs_[0])
    both = MLPClassifier(class_weight={0: 3.0}, **params).fit(X, y, rows)
    joined = MLPClassifier(**params).fit(X, y, rows * np.where(y == 0, 3.0, 1.0))
    np.testing.assert_allclose(both.coefs_[0], joined.coefs_[0])
    with pytest.raises(ValueError, match="class_weight='balanced' needs all rows"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])


def test_losses_by_name_and_of_ones_own():
    params = {"max_iter": 20, "random_state": 0}
    usual = MLPClassifier(**params).fit(*IRIS)
    own = MLPClassifier(
        loss=lambda z, y: nn.functional.cross_entropy(z, y, reduction="none"), **params
    ).fit(*IRIS)
    mean = MLPClassifier(loss=nn.functional.cross_entropy, **params).fit(*IRIS)
    for model in (own, mean):
        np.testing.assert_allclose(model.coefs_[0], usual.coefs_[0], rtol=1e-8)
    with pytest.raises(ValueError, match="one number for a batch"):
        mean.fit(*IRIS, sample_weight=np.ones(150))
    X, y = scale(DIABETES[0]), scale(DIABETES[1])
    params |= {"max_iter": 50, "learning_rate_init": 0.01}
    for loss, function in (("absolute_error", "l1_loss"), ("huber", "huber_loss")):
        one = MLPRegressor(loss, **params).fit(X, y)
        other = MLPRegressor(function, **params).fit(X, y)
        assert one.loss_curve_ == other.loss_curve_
    one = MLPRegressor("absolute_error", alpha=0, **params).fit(X, y)
    error = np.abs(one.predict(X) - y).mean()
    assert one.loss_ == pytest.approx(error, rel=0.05)


class Net(nn.Module):
    """A convolution over pictures of digits."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.side = int(n_features**0.5)
        self.convolution = nn.Conv2d(1, 4, 3)
        self.out = nn.Linear(4 * (self.side - 2) ** 2, n_outputs)

    def forward(self, x):
        pictures = x.reshape(len(x), 1, self.side, self.side)
        return self.out(self.convolution(pictures).relu().reshape(len(x), -1))


def test_a_module_of_ones_own(tmp_path):
    X, y = DIGITS[0][:600] / 16, DIGITS[1][:600]
    model = MLPClassifier(module=Net, max_iter=3, learning_rate_init=0.02)
    model.set_params(random_state=0, batch_size=100).fit(X, y)
    assert isinstance(model.network_, Net)
    assert model.coefs_ == [] and set(model.state_) == {
        *("convolution.weight", "convolution.bias", "out.weight", "out.bias")
    }
    assert clone(model).fit(X, y).loss_curve_ == model.loss_curve_
    model.save(tmp_path / "net.dotori")
    found = load(tmp_path / "net.dotori")
    with pytest.raises(ValueError, match=r"does not hold the module .* Net; give it"):
        found.predict(X)
    found.set_params(module=Net)
    np.testing.assert_array_equal(found.predict_proba(X), model.predict_proba(X))
    found = load(tmp_path / "net.dotori").set_params(module=nn.Linear(64, 10))
    with pytest.raises(ValueError, match="module has the parameters and buffers"):
        found.predict(X)


def test_a_module_is_copied():
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    before = module[0].weight.array.copy()
    model = MLPClassifier(module=module, max_iter=30, learning_rate_init=0.1)
    assert model.fit(*IRIS).score(*IRIS) > 0.8
    np.testing.assert_array_equal(module[0].weight.array, before)
    with pytest.raises(ValueError, match="outputs of shape"):
        wrong = nn.Linear(4, 7)
        MLPClassifier(module=wrong, max_iter=1).fit(*IRIS)


def test_callbacks_are_told():
    class Stop(Callback):
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, trainer, record):
            self.seen.append((trainer.epoch, record["loss"], trainer.step))
            trainer.stopping = trainer.epoch == 3

    stop = Stop()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # who stops by himself is not warned
        model = MLPClassifier(callbacks=[stop], batch_size=50).fit(*IRIS)
    assert model.n_iter_ == 3
    assert [loss for _, loss, _ in stop.seen] == model.loss_curve_
    assert [step for _, _, step in stop.seen] == [3, 6, 9]
    X, y = DIGITS
    watch = EarlyStopping("valid_score", patience=2, mode="max")
    model = MLPClassifier(callbacks=[watch], random_state=0)
    model.fit(X[:1000], y[:1000], validation_data=(X[1000:], y[1000:]))
    best = max(model.validation_scores_)
    assert model.n_iter_ < 200
    assert model.score(X[1000:], y[1000:]) == pytest.approx(best)


def test_files_bring_back_everything(tmp_path):
    X, y = IRIS
    model = MLPClassifier(
        (6, 5),
        ["tanh", "silu"],
        dropout=[0.1, 0.2],
        batch_norm=True,
        optimizer=("AdamW", {"weight_decay": 0.1}),
        max_iter=5,
        random_state=0,
    ).fit(X, y, validation_data=(X, y))
    model.save(tmp_path / "mlp.dotori")
    found = load(tmp_path / "mlp.dotori")
    np.testing.assert_array_equal(found.predict_proba(X), model.predict_proba(X))
    assert found.history_ == model.history_
    assert found.partial_fit(X, y).t_ == model.t_ + 150


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be > 0"),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes must be > 0"),
        ({"activation": "step"}, "activation must be one of identity"),
        ({"activation": ["relu", "tanh"]}, "2 entries for 1 hidden layers"),
        ({"dropout": 1.0}, "dropout must be a number >= 0 and < 1"),
        ({"dropout": [0.1, 0.1]}, "dropout has 2 entries for 1 hidden layers"),
        ({"solver": "adamw"}, "solver must be one of"),
        ({"optimizer": "newton"}, "'newton' is none of dotori.optim's"),
        ({"optimizer": 3}, "optimizer must be a name"),
        ({"optimizer": optim.LBFGS}, "use solver='lbfgs'"),
        ({"optimizer": "SGD", "solver": "lbfgs"}, "optimizer takes the place"),
        ({"schedule": "steps"}, "'steps' is none of dotori.optim.lr_scheduler's"),
        ({"schedule": 3}, "schedule must be a name"),
        ({"schedule": "StepLR", "solver": "lbfgs"}, "schedule is for solver='adam'"),
        ({"dropout": 0.1, "solver": "lbfgs"}, "solver='lbfgs' cannot take"),
        ({"loss": "hinge"}, "loss must be log_loss"),
        ({"loss": 1}, "loss must be log_loss"),
        ({"module": 1}, "module must be a dotori.nn.Module"),
        ({"module": Net, "dropout": 0.5}, "dropout=0.5 says what the layers are"),
        ({"clip_norm": 0}, "clip_norm must be a number > 0 or None"),
        ({"batch_size": 0}, "batch_size must be a whole number >= 1"),
        ({"n_iter_no_change": 0}, "n_iter_no_change must be a whole number >= 1"),
        ({"verbose": "yes"}, "verbose must be True"),
        ({"class_weight": "even"}, "class_weight"),
    ],
    ids=lambda value: "" if isinstance(value, str) else ",".join(value),
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        MLPClassifier(max_iter=2, **params).fit(*IRIS)


def test_where_the_hidden_layers_stood_before():
    with pytest.raises(ValueError, match=r"write hidden_layer_sizes=\(10,\)"):
        MLPRegressor((10,)).fit(*DIABETES)


def test_wrong_validation_data_are_named():
    X, y = IRIS
    with pytest.raises(ValueError, match=r"validation_data must be \(X, y\)"):
        MLPClassifier(max_iter=2).fit(X, y, validation_data=X)
    with pytest.raises(ValueError, match="X has 2 features, but MLPClassifier is"):
        MLPClassifier(max_iter=2).fit(X, y, validation_data=(X[:, :2], y))
    with pytest.raises(ValueError, match="'lbfgs' has none"):
        MLPClassifier(solver="lbfgs").fit(X, y, validation_data=(X, y))
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        MLPRegressor(early_stopping=True).partial_fit(X, y)


# ---------------------------------------------------------------- the parts


def test_adam_is_that_of_the_papers_second_section():
    rng = np.random.default_rng(0)
    p, m, v = rng.normal(size=5), np.zeros(5), np.zeros(5)
    w = dotori.tensor(p.copy(), requires_grad=True)
    optimizer = Adam([w], lr=0.1, betas=(0.8, 0.9), eps=0.01)
    for t in range(1, 6):
        g = rng.normal(size=5)
        w.grad = dotori.tensor(g)
        optimizer.step()
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        rate = 0.1 * np.sqrt(1 - 0.9**t) / (1 - 0.8**t)
        p -= rate * m / (np.sqrt(v) + 0.01)
        np.testing.assert_allclose(w.array, p, rtol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_velocity_goes_on_when_the_rate_changes(nesterov):
    rng = np.random.default_rng(0)
    p, u = rng.normal(size=5), np.zeros(5)
    w = dotori.tensor(p.copy(), requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1, momentum=0.9, nesterov=nesterov)
    for lr in (0.1, 0.1, 0.02, 0.3, 0.3):
        set_rate(optimizer, lr)
        g = rng.normal(size=5)
        w.grad = dotori.tensor(g)
        optimizer.step()
        u = 0.9 * u - lr * g
        p += 0.9 * u - lr * g if nesterov else u
        np.testing.assert_allclose(w.array, p, rtol=1e-12)


def test_rates():
    assert Rate("constant", 0.1, 0.5).after_epoch(10) is None
    assert Rate("constant", 0.1, 0.5).after_standstill(0.1) is None
    assert Rate("invscaling", 0.1, 1.0).after_epoch(9) == pytest.approx(0.01)
    assert Rate("adaptive", 0.1, 0.5).after_standstill(0.1) == pytest.approx(0.02)
    assert Rate("adaptive", 0.1, 0.5).after_standstill(1e-6) is None
