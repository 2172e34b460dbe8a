"""Every estimator against scikit-learn's own checks, and against what dotori promises."""

import importlib
import warnings

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

from sklearn.base import clone, is_classifier, is_clusterer, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import estimator_checks_generator

import dotori.learn
from dotori.errors import FormatError
from dotori.io import write_model
from dotori.learn import ESTIMATORS

# Small settings for what takes long by default. What cannot be had without arguments.
SETTINGS = {
    "RandomForestClassifier": {"n_estimators": 5},
    "RandomForestRegressor": {"n_estimators": 5},
    "ExtraTreesClassifier": {"n_estimators": 5},
    "ExtraTreesRegressor": {"n_estimators": 5},
    "MLPClassifier": {"max_iter": 100},
    "MLPRegressor": {"max_iter": 100},
    "TruncatedSVD": {"n_components": 1},
}


def is_there(name):
    try:
        return getattr(dotori.learn, name) is not None
    except (ImportError, AttributeError):
        return False


ESTIMATORS = {name: module for name, module in ESTIMATORS.items() if is_there(name)}


def made(name):
    return getattr(dotori.learn, name)(**SETTINGS.get(name, {}))


# A row that counts twice is one step there, and two rows are two: scikit-learn excuses
# its own estimators of these checks for the same reason.
_STEPS = "steps go row by row, so a weight is not the same as copies of the row"
EXCUSED = {
    name: dict.fromkeys(
        (
            "check_sample_weight_equivalence_on_dense_data",
            "check_sample_weight_equivalence_on_sparse_data",
        ),
        _STEPS,
    )
    for name in ("SGDClassifier", "SGDRegressor")
}


def checks():
    """Each estimator with each of scikit-learn's checks for its kind."""
    for name in ESTIMATORS:
        excused = EXCUSED.get(name, {})
        for estimator, check in estimator_checks_generator(made(name)):
            function = getattr(check, "func", check).__name__
            settings = "-".join(map(str, getattr(check, "keywords", {}).values()))
            reason = excused.get(function)
            yield pytest.param(
                estimator,
                check,
                id=f"{name}-{function}-{settings}".strip("-"),
                marks=[pytest.mark.xfail(reason=reason)] if reason else [],
            )


@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as scikit-learn's own runs of them do
        check(estimator)


@pytest.fixture(params=list(ESTIMATORS))
def name(request):
    return request.param


def data(estimator, dtype=np.float64, n=60):
    """A table and a target that the estimator can be fitted to."""
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(n, 4))).astype(dtype)
    if is_classifier(estimator):
        return X, (X[:, 0] + X[:, 1] > X[:, 2] + X[:, 3]).astype(int)
    return X, (X @ [1.0, -2.0, 0.5, 0.0]).astype(dtype)


def fitted(name, X, y, **params):
    estimator = made(name).set_params(**params)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y)


def outputs(estimator, X):
    """All that a fitted estimator says of rows."""
    found = {}
    for method in (
        "predict",
        "predict_proba",
        "decision_function",
        "transform",
        "kneighbors",
    ):
        if hasattr(estimator, method):
            result = getattr(estimator, method)(X)
            result = result.toarray() if hasattr(result, "toarray") else result
            found[method] = (
                result[0] if isinstance(result, tuple) else np.asarray(result)
            )
    return found


def assert_same(a, b, **tolerance):
    assert a.keys() == b.keys()
    for method in a:
        if a[method].dtype.kind == "f" and tolerance:
            np.testing.assert_allclose(
                a[method], b[method], err_msg=method, **tolerance
            )
        else:
            np.testing.assert_array_equal(a[method], b[method], err_msg=method)


def test_parameters_and_defaults_are_scikit_learns(name):
    module = importlib.import_module(f"sklearn.{ESTIMATORS[name]}")
    if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9):
        pytest.skip("the names and defaults are those of scikit-learn 1.9")
    theirs = getattr(module, name)().get_params(deep=False)
    ours = getattr(dotori.learn, name)().get_params(deep=False)
    assert {k: repr(ours.get(k, "missing")) for k in theirs} == {
        k: repr(v) for k, v in theirs.items()
    }


def test_methods_and_attributes_are_scikit_learns(name):
    module = importlib.import_module(f"sklearn.{ESTIMATORS[name]}")
    if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9):
        pytest.skip("older ones have attributes that 1.9 no longer has")
    X, y = data(made(name))
    params = {k: v for k, v in SETTINGS.get(name, {}).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(module, name)(**params).fit(X, y)
        ours = fitted(name, X, y)
        missing = [
            attribute
            for attribute in dir(theirs)
            if not attribute.startswith("_")
            and hasattr(theirs, attribute)
            and not hasattr(ours, attribute)
        ]
    assert not missing


def test_a_file_brings_back_the_same_estimator(name, tmp_path):
    X, y = data(made(name))
    before = fitted(name, X, y)
    before.save(tmp_path / "estimator.dotori")
    after = dotori.learn.load(tmp_path / "estimator.dotori")
    assert type(after) is type(before)
    assert repr(after.get_params()) == repr(before.get_params())
    assert_same(outputs(before, X), outputs(after, X))
    assert {k for k in vars(after) if k.endswith("_")} == {
        k for k in vars(before) if k.endswith("_")
    }


def test_a_clone_fits_to_the_same(name):
    X, y = data(made(name))
    first = fitted(name, X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        second = clone(first).fit(X, y)
    assert_same(outputs(first, X), outputs(second, X))


@pytest.mark.parametrize(
    "form", ["fortran", "strided", "reversed", "read-only", "float32", "list"]
)
def test_forms_of_the_same_table(name, form):
    X, y = data(made(name), np.float32)
    X = X.astype(np.float64)
    plain = fitted(name, X, y)
    wide = np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)
    read_only = X.copy()
    read_only.flags.writeable = False
    other = {
        "fortran": np.asfortranarray(X),
        "strided": wide[::2, ::2],
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": read_only,
        "float32": X.astype(np.float32),
        "list": X.tolist(),
    }[form]
    loose = form == "float32"
    close = {"rtol": 1e-2, "atol": 1e-2} if loose else {"rtol": 1e-7, "atol": 1e-9}
    if loose and (name.startswith(("MLP", "SGD")) or is_clusterer(plain)):
        pytest.skip("a long iteration in float32 ends elsewhere")
    assert_same(outputs(plain, X), outputs(fitted(name, other, y), X), **close)


def test_bad_parameters_are_named(name):
    estimator = made(name)
    X, y = data(estimator)
    for parameter, value in estimator.get_params(deep=False).items():
        if parameter in ("classes", "metric_params", "module", "feature_names_in"):
            continue
        wrong = clone(estimator).set_params(**{parameter: object()})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                wrong.fit(X, y)
            except (ValueError, TypeError, AttributeError) as error:
                message = str(error)
            else:
                message = "accepted"
        assert message == "accepted" or parameter in message or "object" in message, (
            f"{parameter}={value!r}: {message}"
        )


def test_files_that_are_no_estimators(tmp_path):
    path = tmp_path / "x.dotori"
    for document in (
        {"estimator": "System", "params": {}, "state": {}},
        {"estimator": "Ridge", "params": {"beta": 1}, "state": {}},
        {"estimator": "Ridge", "params": {}, "state": {"fit": 1}},
        {"estimator": "Ridge"},
        {"stored": "Popen", "fields": {}},
        {"dict": []},
        {"array": "nowhere"},
    ):
        write_model(path, {}, document, kind="estimator")
        with pytest.raises(FormatError):
            dotori.learn.load(path)


def test_a_stranger_cannot_be_saved(tmp_path):
    class Stranger(dotori.learn.Ridge):
        pass

    with pytest.raises(ValueError, match="Stranger is no estimator"):
        Stranger().save(tmp_path / "x.dotori")


def test_predictions_are_of_one_kind(name):
    X, y = data(made(name))
    estimator = fitted(name, X, y)
    if is_regressor(estimator):
        assert estimator.predict(X).dtype.kind == "f"
