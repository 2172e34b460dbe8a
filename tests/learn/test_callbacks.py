"""scikit-learn's callbacks hear of our fits: tasks, their order, and a wish to stop."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

from sklearn.callback import ProgressBar
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

import dotori.learn
from dotori.learn import KMeans, LogisticRegression, StandardScaler

#: Estimators whose fit has steps, and how many these settings give.
STEPS = {
    "KMeans": ({"n_clusters": 3, "n_init": 1, "random_state": 0}, None),
    "MiniBatchKMeans": ({"n_clusters": 3, "n_init": 1, "random_state": 0}, None),
    "LogisticRegression": ({}, None),
    "SGDClassifier": ({"max_iter": 7, "tol": None}, 7),
    "SGDRegressor": ({"max_iter": 7, "tol": None}, 7),
    "MLPClassifier": ({"max_iter": 6, "n_iter_no_change": 100}, 6),
    "MLPRegressor": ({"max_iter": 6, "n_iter_no_change": 100}, 6),
    "RandomForestClassifier": ({"n_estimators": 4}, 4),
    "RandomForestRegressor": ({"n_estimators": 4}, 4),
    "ExtraTreesClassifier": ({"n_estimators": 4}, 4),
    "ExtraTreesRegressor": ({"n_estimators": 4}, 4),
}


class Notes:
    """Writes down what happens; may ask to stop at the end of a step."""

    def __init__(self, stop_after=None):
        self.events, self.ended, self.stop_after = [], 0, stop_after

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.parent is not None))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        step = context.parent is not None
        self.events.append(("end", step))
        self.ended += step
        return step and self.stop_after is not None and self.ended >= self.stop_after


def fitted(name, notes, **params):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = (X[:, 0] > 0).astype(int) if "Regressor" not in name else X @ [1.0, 2.0, 3.0]
    estimator = getattr(dotori.learn, name)(**params).set_callbacks(notes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y)


@pytest.mark.parametrize("name", list(STEPS))
def test_each_step_begins_and_ends(name):
    params, steps = STEPS[name]
    notes = Notes()
    estimator = fitted(name, notes, **params)
    events = notes.events
    assert events[0] == "setup"
    assert events[1] == ("begin", False)
    assert events[-2] == ("end", False)
    assert events[-1] == "teardown"
    inner = events[2:-2]
    assert inner == [("begin", True), ("end", True)] * (len(inner) // 2)
    if steps is not None:
        assert notes.ended == steps
    else:
        assert notes.ended >= 1
    assert not hasattr(estimator, "_callback_fit_ctx")


@pytest.mark.parametrize(
    "name", [n for n in STEPS if not n.startswith(("Random", "Extra"))]
)
def test_a_callback_can_stop_the_fit(name):
    params, _ = STEPS[name]
    notes = Notes(stop_after=1)
    fitted(name, notes, **params)
    assert notes.ended == 1


def test_callbacks_are_kept_out_of_files_and_results(tmp_path):
    notes = Notes()
    with_notes = fitted("KMeans", notes, n_clusters=3, random_state=0)
    without = fitted("KMeans", Notes(), n_clusters=3, random_state=0)
    assert np.array_equal(with_notes.cluster_centers_, without.cluster_centers_)
    with_notes.save(tmp_path / "means.dotori")
    assert not hasattr(dotori.learn.load(tmp_path / "means.dotori"), "_skl_callbacks")


def test_scikit_learns_progress_bar(capsys):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    model = make_pipeline(StandardScaler(), KMeans(2, random_state=0))
    model.set_callbacks(ProgressBar())
    model.fit(X)
    shown = capsys.readouterr().out
    assert "Pipeline" in shown
    assert "KMeans" in shown
    LogisticRegression().set_callbacks(ProgressBar()).fit(X, X[:, 0] > 0)
    assert "LogisticRegression" in capsys.readouterr().out
