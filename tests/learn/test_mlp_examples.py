"""What scikit-learn's documentation does with its MLPs, done with ours.

Each test is one of its examples or passages of the user guide, told anew: the steps are
the same, and only the import is another. Where an example downloads data, bundled data
stand in.
"""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import (
    load_diabetes,
    load_digits,
    load_iris,
    make_circles,
    make_classification,
    make_moons,
    make_regression,
)
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.inspection import partial_dependence
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_score,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler

from dotori.learn.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# ---------------------------------------------------------------- the user guide


def test_two_points_and_their_classes():
    X, y = [[0.0, 0.0], [1.0, 1.0]], [0, 1]
    model = MLPClassifier(
        solver="lbfgs", alpha=1e-5, hidden_layer_sizes=(5, 2), random_state=1
    )
    assert model.fit(X, y) is model
    assert model.predict([[2.0, 2.0], [-1.0, -2.0]]).tolist() == [1, 0]
    assert [w.shape for w in model.coefs_] == [(2, 5), (5, 2), (2, 1)]
    p = model.predict_proba([[2.0, 2.0], [1.0, 2.0]])
    assert p.shape == (2, 2) and (p[:, 1] > 0.9).all()


def test_two_points_and_two_labels_each():
    X, y = [[0.0, 0.0], [1.0, 1.0]], [[0, 1], [1, 1]]
    model = MLPClassifier(
        solver="lbfgs", alpha=1e-5, hidden_layer_sizes=(15,), random_state=1
    ).fit(X, y)
    assert model.predict([[1.0, 2.0]]).tolist() == [[1, 1]]
    assert model.predict([[0.0, 0.0]]).tolist() == [[0, 1]]


def test_one_epoch_at_a_time():
    X, y = [[0.0, 0.0], [1.0, 1.0]], [0, 1]
    model = MLPClassifier(
        hidden_layer_sizes=(15,), random_state=1, max_iter=1, warm_start=True
    )
    for _ in range(10):
        model.fit(X, y)  # what is watched in between is the user's
    assert len(model.loss_curve_) == 10
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_alpha_by_grid_search_on_scaled_columns():
    X, y = load_iris(return_X_y=True)
    scaler = StandardScaler().fit(X)
    search = GridSearchCV(
        MLPClassifier(solver="lbfgs", hidden_layer_sizes=(8,), random_state=0),
        {"alpha": 10.0 ** -np.arange(1, 5)},
        cv=3,
    ).fit(scaler.transform(X), y)
    assert search.best_score_ > 0.93
    assert search.best_params_["alpha"] in 10.0 ** -np.arange(1, 5)


# ---------------------------------------------------------------- the docstrings


def test_docstring_of_the_classifier():
    X, y = make_classification(n_samples=100, random_state=1)
    train, test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=1)
    model = MLPClassifier(random_state=1, max_iter=300).fit(train, y_train)
    np.testing.assert_allclose(model.predict_proba(test[:1]).sum(), 1)
    assert model.predict(test[:5, :]).shape == (5,)
    assert model.score(test, y_test) >= 0.8


def test_docstring_of_the_regressor():
    X, y = make_regression(n_samples=200, n_features=20, random_state=1)
    train, test, y_train, y_test = train_test_split(X, y, random_state=1)
    model = MLPRegressor(random_state=1, max_iter=2000, tol=0.1).fit(train, y_train)
    assert model.predict(test[:2]).shape == (2,)
    assert model.score(test, y_test) > 0.95


# ---------------------------------------------------------------- the gallery


def test_varying_regularization():
    """More alpha, smaller weights; on moons, circles and what is nearly separable."""
    X, y = make_classification(
        n_features=2,
        n_redundant=0,
        n_informative=2,
        random_state=0,
        n_clusters_per_class=1,
    )
    X += 2 * np.random.RandomState(2).uniform(size=X.shape)
    tables = [
        make_moons(noise=0.3, random_state=0),
        make_circles(noise=0.2, factor=0.5, random_state=1),
        (X, y),
    ]
    for X, y in tables:
        train, test, y_train, y_test = train_test_split(
            X, y, test_size=0.4, random_state=42
        )
        sizes = []
        for alpha in (0.1, 1.0):
            model = make_pipeline(
                StandardScaler(),
                MLPClassifier(
                    solver="lbfgs",
                    alpha=alpha,
                    random_state=1,
                    max_iter=2000,
                    early_stopping=True,
                    hidden_layer_sizes=[10, 10],
                ),
            ).fit(train, y_train)
            assert model.score(test, y_test) > 0.7
            grid = np.column_stack([np.linspace(-2, 2, 9), np.zeros(9)])
            assert not hasattr(model, "decision_function")
            assert model.predict_proba(grid)[:, 1].shape == (9,)
            sizes.append(sum(np.square(w).sum() for w in model[-1].coefs_))
        assert sizes[1] < sizes[0]


def test_comparing_stochastic_learning_strategies():
    """Rates, momentum and Adam, by their loss curves."""
    sgd = {"solver": "sgd", "learning_rate_init": 0.2}
    strategies = [
        {**sgd, "learning_rate": "constant", "momentum": 0},
        {**sgd, "learning_rate": "constant", "momentum": 0.9},
        {**sgd, "momentum": 0.9, "nesterovs_momentum": False},
        {**sgd, "learning_rate": "invscaling", "momentum": 0},
        {**sgd, "learning_rate": "invscaling", "momentum": 0.9},
        {"solver": "adam", "learning_rate_init": 0.01},
    ]
    X, y = load_iris(return_X_y=True)
    X = MinMaxScaler().fit_transform(X)
    final = []
    for strategy in strategies:
        model = MLPClassifier(random_state=0, max_iter=100, **strategy).fit(X, y)
        assert len(model.loss_curve_) == model.n_iter_
        assert model.loss_ == model.loss_curve_[-1]
        final.append(model.score(X, y))
    assert final[-1] > 0.95 and final[1] > 0.9
    assert final[3] < final[1]  # a rate that falls at once learns little


def test_visualization_of_weights_on_digits(capsys):
    """The first layer's weights as pictures, one for each hidden unit."""
    X, y = load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    model = MLPClassifier(
        hidden_layer_sizes=(40,),
        max_iter=8,
        alpha=1e-4,
        solver="sgd",
        verbose=10,
        random_state=1,
        learning_rate_init=0.2,
    ).fit(train, y_train)
    assert capsys.readouterr().out.count("loss = ") == 8
    assert model.score(train, y_train) > 0.95
    assert model.score(test, y_test) > 0.93
    pictures = [w.reshape(8, 8) for w in model.coefs_[0].T]
    assert len(pictures) == 40
    assert np.ptp(pictures) > 0


def test_classifier_comparison():
    X, y = make_moons(noise=0.3, random_state=0)
    train, test, y_train, y_test = train_test_split(
        X, y, test_size=0.4, random_state=42
    )
    network = MLPClassifier(alpha=1, max_iter=1000, random_state=42)
    model = make_pipeline(StandardScaler(), network).fit(train, y_train)
    assert model.score(test, y_test) > 0.8


def test_partial_dependence():
    """A pipeline of quantiles and a network that stops early, and what a column does."""
    X, y = load_diabetes(return_X_y=True, as_frame=False)
    y = y - y.mean()
    train, test, y_train, y_test = train_test_split(X, y, test_size=0.1, random_state=0)
    model = make_pipeline(
        QuantileTransformer(n_quantiles=100),
        MLPRegressor(
            hidden_layer_sizes=(30, 15),
            learning_rate_init=0.01,
            early_stopping=True,
            random_state=0,
        ),
    ).fit(train, y_train)
    assert model.score(test, y_test) > 0
    found = partial_dependence(model, train, [2], grid_resolution=20, kind="both")
    assert found["average"].shape == (1, 20)
    assert found["individual"].shape == (1, len(train), 20)
    assert found["average"][0, -1] > found["average"][0, 0]  # body mass


# ---------------------------------------------------------------- among others


def test_learning_curves_and_cross_validation():
    X, y = load_iris(return_X_y=True)
    model = MLPClassifier((8,), learning_rate_init=0.05, max_iter=40, random_state=0)
    assert cross_val_score(model, X, y, cv=3).mean() > 0.9
    sizes, train, test = learning_curve(
        model, X, y, train_sizes=[0.4, 1.0], cv=3, shuffle=True, random_state=0
    )
    assert train.shape == test.shape == (2, 3) and len(sizes) == 2


def test_ensembles_of_networks():
    X, y = load_iris(return_X_y=True)
    network = MLPClassifier((8,), learning_rate_init=0.05, max_iter=40, random_state=0)
    bag = BaggingClassifier(network, n_estimators=3, random_state=0).fit(X, y)
    vote = VotingClassifier(
        [("one", network), ("two", MLPClassifier((4, 4), max_iter=20, random_state=1))],
        voting="soft",
    ).fit(X, y)
    assert bag.score(X, y) > 0.9
    assert vote.score(X, y) > 0.8


def test_a_target_that_is_scaled():
    X, y = load_diabetes(return_X_y=True)
    model = TransformedTargetRegressor(
        MLPRegressor(hidden_layer_sizes=10, learning_rate_init=0.02, random_state=0),
        transformer=StandardScaler(),
    )
    assert make_pipeline(StandardScaler(), model).fit(X, y).score(X, y) > 0.4
