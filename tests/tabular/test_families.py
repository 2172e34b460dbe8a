"""Models of tables that are no networks: fitted, saved, predicting without scikit-learn."""

import subprocess
import sys

import numpy as np
import pytest

import dotori
from dotori.data import Table
from dotori.errors import ArgumentError, DataError, MissingDependencyError
from dotori.tabular import Options
from dotori.tabular.explain import coefficients, explain, importances, tree_lines
from dotori.tabular.families import FAMILIES, MODELS


def learn():
    return pytest.importorskip("sklearn", reason="fitting needs scikit-learn")


def homes(n=90, seed=0):
    """Numbers with gaps and a category, and two targets: an amount and a class."""
    rng = np.random.default_rng(seed)
    rooms = rng.integers(1, 6, n)
    city = rng.choice(["Seoul", "Jeju", "Busan"], n)
    area = rooms * 20 + rng.standard_normal(n) * 5
    price = 50.0 * rooms + 20.0 * (city == "Seoul") + rng.standard_normal(n)
    area[::11] = np.nan
    level = np.array(["low", "middle", "high"])[np.digitize(price, [120, 220])]
    return {
        "rooms": rooms.tolist(),
        "city": city.tolist(),
        "area": area.tolist(),
        "price": price.tolist(),
        "level": level.tolist(),
    }


FITS = [
    ("linear", "price", {"alpha": 0.5}),
    ("tree", "price", {"depth": 4}),
    ("tree", "price", {"depth": 0, "alpha": 0.01}),
    ("forest", "price", {"trees": 7}),
    ("logistic", "level", {"alpha": 0.1}),
    ("logistic", "dear", {}),
    ("tree", "level", {}),
    ("forest", "level", {"trees": 7, "depth": 3}),
    ("kmeans", None, {"clusters": 3}),
]


def table_for(target):
    columns = homes()
    if target == "dear":
        columns["dear"] = [p > 150 for p in columns.pop("price")]
        del columns["level"]
    elif target is not None:
        del columns["level" if target == "price" else "price"]
    return columns


@pytest.fixture(
    params=FITS, ids=lambda f: f"{f[0]}-{f[1]}-{'-'.join(map(str, f[2].values()))}"
)
def fitted(request, monkeypatch):
    """A model, the estimator that it comes from, and the matrix of all rows."""
    learn()
    from dotori.tabular import estimators

    kept = []
    fit = estimators.fit_estimator

    def keeping(*args, **kwargs):
        kept.append(fit(*args, **kwargs))
        return kept[-1]

    monkeypatch.setattr(estimators, "fit_estimator", keeping)
    name, target, own = request.param
    columns = table_for(target)
    model = dotori.fit(columns, target, model=name, **own)
    x = model.preprocessor.transform(Table.from_frame(columns))
    return model, kept[-1].estimator, x, columns


def test_the_predictor_gives_what_the_estimator_gives(fitted):
    model, estimator, x, columns = fitted
    if model.target.is_clusters:
        wanted = estimator.transform(x)
        np.testing.assert_array_equal(model.predict(columns), estimator.predict(x))
        found = model.distances(columns)
    elif model.target.is_regression:
        wanted, found = estimator.predict(x), model.predict(columns)
    else:
        wanted, found = estimator.predict_proba(x), model.predict_proba(columns)
        labels = np.array(model.target.classes)[estimator.predict(x)]
        np.testing.assert_array_equal(model.predict(columns), labels)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_file_gives_the_same_bits(fitted, tmp_path):
    model, _, _, columns = fitted
    model.save(tmp_path / "m.dotori")
    again = dotori.load(tmp_path / "m.dotori")
    table = Table.from_frame(columns)
    np.testing.assert_array_equal(again.raw_output(table), model.raw_output(table))
    assert again.options == model.options and again.results == model.results
    assert again.evaluate(columns) == model.evaluate(columns)
    assert explain(again) == explain(model)
    again.save(tmp_path / "n.dotori")
    assert (tmp_path / "m.dotori").read_bytes() == (tmp_path / "n.dotori").read_bytes()


def test_no_rows_and_many_rows(fitted):
    model, _, x, columns = fitted
    table = Table.from_frame(columns)
    nothing = model.raw_output(table.slice(0, 0))
    whole = model.raw_output(table)
    assert nothing.shape == (0, *whole.shape[1:])
    many = model.predictor.output(np.concatenate([x] * 800), model.target)
    np.testing.assert_allclose(many, np.concatenate([whole] * 800))


GUARD = """
import sys

class NoLearning:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("sklearn", "scipy", "joblib", "numba"):
            raise ModuleNotFoundError(f"{name} is not here")

sys.meta_path.insert(0, NoLearning())
import dotori
from dotori.data import read_table
for name in sys.argv[2:]:
    model = dotori.load(name)
    print(model.raw_output(read_table(sys.argv[1])).ravel().tolist())
"""


def test_files_predict_where_scikit_learn_is_not(tmp_path):
    learn()
    from dotori.data import write_table

    columns = homes()
    del columns["level"]
    table = Table.from_frame(columns)
    write_table(table, tmp_path / "t.csv")
    wanted, files = [], []
    for name in ("linear", "tree", "forest", "kmeans"):
        own = {"trees": 5} if name == "forest" else {}
        own = {"clusters": 2, "drop": ["price"]} if name == "kmeans" else own
        target = None if name == "kmeans" else "price"
        model = dotori.fit(columns, target, model=name, **own)
        files.append(tmp_path / f"{name}.dotori")
        model.save(files[-1])
        wanted.append(model.raw_output(table).ravel().tolist())
    run = subprocess.run(
        [sys.executable, "-c", GUARD, tmp_path / "t.csv", *files],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    for line, numbers in zip(run.stdout.splitlines(), wanted, strict=True):
        np.testing.assert_allclose(eval(line), numbers, rtol=1e-12)


def test_without_scikit_learn_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for name in ("tree", "auto"):
        with pytest.raises(MissingDependencyError, match=r"pip install .dotori\[learn"):
            dotori.fit("diabetes", model=name)


def test_figures_stand_beside_the_baselines():
    learn()
    model = dotori.fit(homes(), "price", model="linear", drop=["level"])
    found = model.results
    assert set(found["baselines"]) == {"mean", "linear"}
    # ridge regression with the same penalty is the baseline itself
    for split in ("train", "test"):
        assert found[split]["rmse"] == pytest.approx(
            found["baselines"]["linear"][split]["rmse"], rel=1e-6
        )
    assert found["rows"] == {"train": 72, "valid": 0, "test": 18}


def test_own_rows_to_validate_on_are_judged():
    learn()
    model = dotori.fit(homes(), "price", valid=homes(20, 1), model="tree")
    assert model.results["rows"]["valid"] == 20 and "rmse" in model.results["valid"]


# ---------------------------------------------------------------------- weights


def test_rows_without_weight_have_no_influence():
    learn()
    columns = homes()
    columns["w"] = [1.0, 0.0, 2.0] * 30
    other = {name: list(values) for name, values in columns.items()}
    for i in range(1, 90, 3):
        other["price"][i] = -1e4
    for own in (
        {"model": "linear"},
        {"model": "tree"},
        {"model": "forest", "trees": 3},
    ):
        models = [
            dotori.fit(data, "price", sample_weight="w", drop=["level"], **own)
            for data in (columns, other)
        ]
        a, b = (model.predict(columns) for model in models)
        np.testing.assert_allclose(a, b, rtol=1e-9)
    assert models[0].preprocessor.schema.used[0].name == "rooms"
    assert "w" not in [feature.name for feature in models[0].preprocessor.schema.used]


def test_balanced_classes_are_found_more_often():
    learn()
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    columns = {"x": x.tolist(), "y": (x + rng.normal(size=400) * 2 > 3).tolist()}
    for name in ("logistic", "tree"):
        own = {"depth": 2} if name == "tree" else {}
        plain, balanced = (
            dotori.fit(columns, "y", model=name, class_weight=how, **own)
            for how in ("none", "balanced")
        )
        assert balanced.predict(columns).sum() > 2 * plain.predict(columns).sum()
    with pytest.raises(ArgumentError, match="needs classes"):
        dotori.fit(columns, "x", model="linear", class_weight="balanced")


# ---------------------------------------------------------------------- options


def test_options_of_other_models_are_refused():
    with pytest.raises(ArgumentError, match="hidden is an option of mlp, not of tree"):
        Options(model="tree", hidden=(3,))
    # also if the value is the default
    with pytest.raises(ArgumentError, match="hidden is an option of mlp, not of tree"):
        Options.from_mapping({"model": "tree", "hidden": [64, 32]})
    with pytest.raises(ArgumentError, match="epochs is an option of mlp"):
        dotori.fit("diabetes", model="forest", epochs=300)
    with pytest.raises(ArgumentError, match="trees is an option of forest, not of mlp"):
        dotori.fit("diabetes", trees=3)
    with pytest.raises(
        ArgumentError, match="alpha is an option of linear, logistic and tree"
    ):
        dotori.fit("diabetes", model="kmeans", alpha=1.0)
    with pytest.raises(ArgumentError, match="did you mean 'forest'"):
        Options(model="forrest")
    for wrong in ({"depth": -1}, {"depth": 2.5}, {"alpha": -1.0}):
        with pytest.raises(ArgumentError, match=r"depth|alpha"):
            Options(model="tree", **wrong)
    with pytest.raises(ArgumentError, match="folds must be a whole number"):
        Options(model="auto", folds=1)


@pytest.mark.parametrize("name", MODELS)
def test_options_travel_through_files(name):
    values = {
        "depth": 3, "alpha": 0.5, "trees": 9, "clusters": 4, "folds": 3,
        "time_budget": 2.5, "hidden": (7,), "seed": 3, "drop": ("a", "b"), "valid": 0.1,
        "class_weight": "balanced",
    }  # fmt: skip
    own = {k: v for k, v in values.items() if k in FAMILIES[name].options}
    options = Options(model=name, **own)
    assert Options.from_mapping(options.to_mapping()) == options
    assert options.of(name) == Options(
        model=name,
        **{k: v for k, v in own.items()},
    )


def test_the_options_of_a_network_are_stored_as_before():
    assert "model" not in Options().to_mapping()
    assert not set(Options().to_mapping()) & {"alpha", "depth", "trees", "folds"}


def test_tasks_that_a_model_does_not_fit():
    with pytest.raises(ArgumentError, match=r"linear predicts amounts.*use logistic"):
        dotori.fit(homes(), "level", model="linear")
    with pytest.raises(ArgumentError, match=r"logistic predicts classes.*use linear"):
        dotori.fit(homes(), "price", model="logistic")


def test_amounts_whose_squares_are_infinite():
    for own in ({"epochs": 1}, {"model": "tree"}):
        with pytest.raises(DataError, match=r"reaches 9e\+200, too much"):
            dotori.fit({"a": [1.0, 2.0, 3.0], "y": [1.5, 9e200, 0.5]}, "y", **own)


def test_what_belongs_to_the_training_of_a_network(tmp_path):
    from dotori.train import Callback

    with pytest.raises(ArgumentError, match="callbacks"):
        dotori.fit("diabetes", model="linear", callbacks=[Callback()])
    with pytest.raises(ArgumentError, match="checkpoints"):
        dotori.fit("diabetes", model="linear", checkpoint=tmp_path / "c")
    learn()
    model = dotori.fit("diabetes", model="linear")
    with pytest.raises(ArgumentError, match="a linear, not a network"):
        _ = model.network
    with pytest.raises(DataError, match="has no clusters"):
        model.distances("diabetes")


# ---------------------------------------------------------------------- explaining


def test_coefficients_are_in_the_units_of_the_table():
    learn()
    rng = np.random.default_rng(1)
    a, b = rng.normal(5, 2, 200), rng.normal(-3, 0.1, 200)
    y = 3.0 * a - 40.0 * b + 7
    columns = {"a": a.tolist(), "b": b.tolist(), "y": y.tolist()}
    model = dotori.fit(columns, "y", model="linear", alpha=0.0)
    *slopes, intercept = coefficients(model)
    found = {row["name"]: row["per_unit"][0] for row in slopes}
    assert found == pytest.approx({"a": 3.0, "b": -40.0}, rel=1e-4)
    assert intercept["per_unit"][0] == pytest.approx(7.0, rel=1e-2)
    scaled = {row["name"]: row["scaled"][0] for row in slopes}
    assert scaled["a"] == pytest.approx(
        3.0 * model.preprocessor.scaling.factor[0], rel=1e-4
    )


def test_the_lines_of_a_tree():
    learn()
    n = 60
    x = np.arange(n, dtype=float)
    city = ["Seoul" if i % 2 else "Jeju" for i in range(n)]
    y = 100.0 * (x > 29.5) + 10.0 * np.array([c == "Seoul" for c in city])
    model = dotori.fit(
        {"x": x.tolist(), "city": city, "y": y.tolist()}, "y", model="tree", test=0.0
    )
    lines = tree_lines(model)
    assert len(lines) == 6
    assert lines[0].strip() == "x <= 29.5:" and lines[3].strip() == "x > 29.5:"
    answers = {line.strip() for line in lines[1:3] + lines[4:]}
    jeju = {"city=Jeju", "not city=Seoul"}
    assert {a for a in answers if ": 0 (15 rows)" in a or ": 100 (15 rows)" in a} != {}
    for answer in answers:
        place, value = answer.split(": ")
        side = 0 if place in jeju or place == "city=Jeju" else 10
        assert float(value.split()[0]) % 100 == side
    shares = importances(model)
    assert list(shares) == ["x", "city"] and sum(shares.values()) == pytest.approx(1)
    # two levels of questions are there, one is shown
    assert "1 splits below" in " ".join(tree_lines(model, depth=1))


def test_a_tree_of_one_leaf():
    learn()
    model = dotori.fit(homes(), "price", model="tree", depth=0, alpha=10.0)
    assert len(tree_lines(model)) == 1 and "(72 rows)" in tree_lines(model)[0]
