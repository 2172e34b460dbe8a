"""``model="auto"``: what is tried, within which time, and what the folds know."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="models are fitted with scikit-learn")

import dotori
from dotori.data import Table
from dotori.errors import DataError, NonFiniteError
from dotori.tabular import Options
from dotori.tabular import choose as choosing
from dotori.tabular.choose import Trial, candidates, choose, cut_folds
from dotori.tabular.deadline import Deadline, StopInTime
from dotori.tabular.describe import describe
from dotori.tabular.job import Job
from dotori.tabular.target import Target, infer_target
from dotori.tabular.watch import Watcher
from dotori.train import Callback


def rows(n=60, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(3, 2, n), rng.normal(-1, 5, n)
    y = 2.0 * a - b + rng.normal(size=n)
    return {"a": a.tolist(), "b": b.tolist(), "y": y.tolist()}


class Clock:
    """Seconds that pass only when somebody says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def fake(monkeypatch):
    """Candidates of known cost and score, and no fitting at all."""
    clock = Clock()

    def make(costs, scores, failures=()):
        def candidates(target, options):
            alphas = [float(i + 1) for i in range(len(costs))]
            every = [options.of("linear", alpha=alpha) for alpha in alphas]
            return [Trial(one, describe(one)) for one in every]

        def judge(self, trial, number, stop_early):
            place = int(trial.options.alpha) - 1
            clock.now += costs[place]
            for error, where in failures:
                if where == (place, number):
                    raise error
            trial.scores.append(scores[place] + 0.1 * (-1) ** number)

        monkeypatch.setattr(choosing, "candidates", candidates)
        monkeypatch.setattr(choosing._Search, "_judge", judge)
        return clock

    return make


def run(clock, **own):
    table = Table.from_frame(rows())
    target = infer_target(table, "y")
    return choose(table, target, Options(model="auto", folds=4, **own), None, clock)


def notes(found):
    return [trial.note for trial in found.trials]


def test_the_lowest_mean_is_kept(fake):
    found = run(fake([1, 1, 1], [3.0, 1.0, 2.0]), time_budget=100.0)
    assert found.best.options.alpha == 2.0 and found.best.mean == pytest.approx(1.0)
    assert notes(found) == ["", "", ""] and not found.interrupted
    row = found.table["trials"][1]
    assert row["sd"] == pytest.approx(np.std([1.1, 0.9, 1.1, 0.9], ddof=1))
    assert row["seconds"] == 4.0 and row["folds"] == 4
    assert found.table["seconds"] == 12.0 and found.table["chosen"] == "linear, alpha 2"


def test_the_budget_ends_the_search(fake):
    clock = fake([1, 1, 1, 1], [3.0, 2.0, 1.0, 0.5])
    found = run(clock, time_budget=8.0)
    # two are complete after eight seconds, the others are not begun
    assert notes(found) == ["", "", "out of time", "out of time"]
    assert found.best.options.alpha == 2.0 and clock.now == 108.0


def test_what_would_not_be_ready_in_time_is_given_up(fake):
    clock = fake([1, 5, 1], [3.0, 0.1, 2.0])
    found = run(clock, time_budget=14.0)
    # after one fold of five seconds, three more would need 15 of the 5 that are left
    assert notes(found) == ["", "out of time after 1 of 4 folds", ""]
    assert found.best.options.alpha == 3.0
    assert found.trials[1].to_json()["mean"] is None


def test_the_first_is_always_finished(fake):
    clock = fake([50, 1], [3.0, 1.0])
    found = run(clock, time_budget=0.0)
    assert notes(found) == ["", "out of time"] and found.best.options.alpha == 1.0


def test_a_candidate_that_fails_is_named_and_left_out(fake):
    error = NonFiniteError("the loss is nan")
    clock = fake([1, 1], [0.1, 1.0], [(error, (0, 2))])
    found = run(clock)
    assert notes(found) == ["failed: the loss is nan", ""]
    assert found.best.options.alpha == 2.0
    clock = fake([1, 1], [np.nan, 1.0])
    assert run(clock).trials[0].note.startswith("failed: its score")
    clock = fake([1], [1.0], [(error, (0, 0))])
    with pytest.raises(
        DataError, match=r"no model could be fitted \(linear, alpha 1: failed"
    ):
        run(clock)


def test_ctrl_c_keeps_the_best_so_far(fake):
    clock = fake([1, 1, 1, 1], [3.0, 1.0, 0.5, 2.0], [(KeyboardInterrupt(), (2, 1))])
    found = run(clock)
    assert found.interrupted and found.best.options.alpha == 2.0
    assert notes(found) == ["", ""] + ["stopped by Ctrl-C"] * 2
    clock = fake([1, 1], [3.0, 1.0], [(KeyboardInterrupt(), (0, 1))])
    with pytest.raises(KeyboardInterrupt):
        run(clock)


def test_watchers_hear_of_everything(fake):
    heard = []

    class Hearing(Watcher):
        def on_search(self, trials, folds, scoring):
            heard.append((len(trials), folds, scoring))

        def on_fold(self, trial):
            heard.append(len(trial.scores))

        def on_trial(self, trial):
            heard.append(trial.label)

        def on_search_end(self, trials):
            heard.append("end")

    clock = fake([1, 1], [1.0, 2.0])
    table = Table.from_frame(rows())
    options = Options(model="auto", folds=2)
    choose(table, infer_target(table, "y"), options, Hearing(), clock)
    labels = ["linear, alpha 1", "linear, alpha 2"]
    assert heard == [(2, 2, "rmse"), 1, 2, labels[0], 1, 2, labels[1], "end"]


# ---------------------------------------------------------------------- networks


def test_a_network_is_stopped_when_the_time_is_up(monkeypatch):
    clock, trainers = Clock(), []
    train = choosing.train_network

    class Slow(Callback):
        order = -1

        def on_epoch_end(self, trainer, record):
            clock.now += 10.0

    def slowly(data, options, callbacks=()):
        trainers.append(train(data, options, [Slow(), *callbacks]))
        return trainers[-1]

    def two(target, options):
        every = [options.of("linear"), options.of("mlp", hidden=(4,), epochs=50)]
        return [Trial(one, describe(one)) for one in every]

    monkeypatch.setattr(choosing, "train_network", slowly)
    monkeypatch.setattr(choosing, "candidates", two)
    found = run(clock, time_budget=25.0)
    assert notes(found) == ["", "out of time"]
    assert [trainer.epoch for trainer in trainers] == [3]


def test_a_forest_is_stopped_when_the_time_is_up(monkeypatch):
    pytest.importorskip("sklearn.callback", reason="fits can be stopped since 1.9")
    from dotori.tabular import estimators

    clock, fits = Clock(), []
    make = estimators._estimator

    def counted(model, target):
        def estimator(**parameters):
            fits.append(make(model, target)(**parameters))
            return fits[-1]

        return estimator

    fit = estimators._Steps.on_fit_task_end

    def slow(self, *args, **kwargs):
        clock.now += 1.0
        return fit(self, *args, **kwargs)

    def two(target, options):
        every = [options.of("linear"), options.of("forest", trees=40)]
        return [Trial(one, describe(one)) for one in every]

    monkeypatch.setattr(estimators, "_estimator", counted)
    monkeypatch.setattr(choosing, "candidates", two)
    monkeypatch.setattr(estimators._Steps, "on_fit_task_end", slow)
    # four folds of forty seconds: known to be too much after 2 % of that
    found = run(clock, time_budget=100.0)
    assert notes(found) == ["", "out of time"]
    assert len(fits) == 5 and len(fits[-1].estimators_) <= 5
    found = run(clock, time_budget=170.0)
    assert notes(found) == ["", ""]


# ---------------------------------------------------------------------- no leak


def test_folds_know_nothing_of_the_rows_that_judge(monkeypatch):
    """Preprocessing and scale come from a fold's training rows, of every candidate."""
    seen = []
    prepare = choosing.prepare

    def watching(tables, target, options):
        data = prepare(tables, target, options)
        parts = {name: part["a"].values.tolist() for name, part in tables.items()}
        y = tables["train"]["y"].values
        seen.append((parts, data.preprocessor, data.target, y))
        return data

    def few(target, options):
        every = [
            options.of("linear"),
            options.of("tree"),
            options.of("mlp", hidden=(4,), epochs=2),
        ]
        return [Trial(one, describe(one)) for one in every]

    monkeypatch.setattr(choosing, "prepare", watching)
    monkeypatch.setattr(choosing, "candidates", few)
    job = Job.prepare(rows(), "y", Options(model="auto", folds=3))
    train = set(job.tables["train"]["a"].values.tolist())
    test = set(job.tables["test"]["a"].values.tolist())
    choose(job.tables["train"], job.target, job.options)
    assert len(seen) == 3 + 3  # the linear model's folds serve the tree as well
    held = []
    for parts, preprocessor, target, y in seen:
        whole = [value for part in parts.values() for value in part]
        assert sorted(whole) == sorted(train) and not test & set(whole)
        values = np.array(parts["train"])
        assert preprocessor.scaling.shift[0] == pytest.approx(values.mean(), rel=1e-12)
        assert preprocessor.scaling.factor[0] == pytest.approx(values.std(), rel=1e-9)
        assert target.mean == pytest.approx(y.mean(), rel=1e-12)
        held.append(sorted(parts["held"]))
    for start in (0, 3):
        every = [value for fold in held[start : start + 3] for value in fold]
        assert sorted(every) == sorted(train)
    assert held[:3] == held[3:]


def test_scores_are_those_of_scikit_learn(monkeypatch):
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def one(model):
        def candidates(target, options):
            return [Trial(options.of(model, alpha=2.0), model)]

        return candidates

    columns = rows(80)
    job = Job.prepare(columns, "y", Options(model="auto", folds=4, seed=3))
    table = job.tables["train"]
    x = np.column_stack([table["a"].values, table["b"].values])
    monkeypatch.setattr(choosing, "candidates", one("linear"))
    found = choose(table, job.target, job.options).best
    wanted = cross_val_score(
        make_pipeline(StandardScaler(), Ridge(2.0)),
        x,
        table["y"].values,
        cv=KFold(4, shuffle=True, random_state=3),
        scoring="neg_root_mean_squared_error",
    )
    np.testing.assert_allclose(found.scores, -wanted, rtol=1e-5)

    columns["y"] = np.digitize(columns["y"], [3, 9]).tolist()
    job = Job.prepare(columns, "y", Options(model="auto", folds=4, seed=3))
    table = job.tables["train"]
    x = np.column_stack([table["a"].values, table["b"].values])
    y = table["y"].values
    monkeypatch.setattr(choosing, "candidates", one("logistic"))
    found = choose(table, job.target, job.options).best
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, tol=1e-8))
    folds = StratifiedKFold(4, shuffle=True, random_state=3)
    for how, got in (
        ("neg_log_loss", np.negative(found.scores)),
        ("accuracy", found.accuracies),
    ):
        wanted = cross_val_score(model, x, y, cv=folds, scoring=how)
        np.testing.assert_allclose(got, wanted, rtol=1e-3)


# ---------------------------------------------------------------------- the whole


def test_what_is_tried_fits_the_task():
    amounts = candidates(Target("y", "number", "regression"), Options(model="auto"))
    names = [trial.options.model for trial in amounts]
    assert names[:2] == ["linear", "tree"]
    assert set(names) == {"linear", "tree", "forest", "mlp"}
    labels = [trial.label for trial in amounts]
    assert len(set(labels)) == len(labels)
    target = Target("y", "text", "binary", ("a", "b"))
    options = Options(model="auto", seed=5, class_weight="balanced", drop=("z",))
    for trial in candidates(target, options):
        assert trial.options.model != "linear"
        assert trial.options.seed == 5 and trial.options.drop == ("z",)
        assert trial.options.class_weight == "balanced"


def few(*names):
    own = {"forest": {"trees": 5}, "mlp": {"hidden": (4,), "epochs": 3}}

    def candidates(target, options):
        every = [options.of(name, **own.get(name, {})) for name in names]
        return [Trial(one, describe(one)) for one in every]

    return candidates


def test_the_best_is_fitted_again_on_the_training_split(monkeypatch, tmp_path):
    monkeypatch.setattr(choosing, "candidates", few("tree", "linear", "forest"))
    model = dotori.fit(rows(), "y", model="auto", folds=3)
    assert model.options == Options(model="linear")
    table = model.results["choice"]
    assert table["chosen"] == "linear, alpha 1" and table["scoring"] == "rmse"
    assert {row["model"] for row in table["trials"]} == {"tree", "linear", "forest"}
    same = dotori.fit(rows(), "y", model="linear")
    assert same.results["test"] == model.results["test"]
    np.testing.assert_array_equal(same.predict(rows()), model.predict(rows()))
    model.save(tmp_path / "m")
    assert dotori.load(tmp_path / "m").results["choice"] == table


def test_a_network_may_be_the_best(monkeypatch):
    monkeypatch.setattr(choosing, "candidates", few("mlp"))
    model = dotori.fit(rows(), "y", model="auto", folds=2)
    assert model.options.model == "mlp" and model.results["epochs"] == 3
    assert model.results["rows"] == {"train": 39, "valid": 9, "test": 12}
    own = dotori.fit(rows(), "y", model="auto", folds=2, valid=rows(7, 1))
    assert own.results["rows"] == {"train": 48, "valid": 7, "test": 12}


def test_rare_classes_and_few_rows(monkeypatch):
    monkeypatch.setattr(choosing, "candidates", few("logistic", "tree", "mlp"))
    columns = rows(40)
    columns["y"] = ["rare"] * 2 + ["some"] * 18 + ["many"] * 20
    model = dotori.fit(columns, "y", model="auto")
    assert all(row["note"] == "" for row in model.results["choice"]["trials"])
    assert model.predict_proba(columns).shape == (40, 3)
    table = Table.from_frame({"a": [1.0, 2.0, 3.0], "y": [1.5, 2.5, 0.5]})
    target = infer_target(table, "y")
    assert len(cut_folds(table, target, Options(model="auto"))) == 3
    with pytest.raises(DataError, match="more rows"):
        cut_folds(table.take([0]), target, Options(model="auto"))


def test_weights_count_in_fits_and_scores(monkeypatch):
    monkeypatch.setattr(choosing, "candidates", few("linear", "tree"))
    columns = rows()
    columns["w"] = [1.0, 0.0] * 30
    other = {name: list(values) for name, values in columns.items()}
    other["y"][1::2] = [1e5] * 30
    tables = [
        dotori.fit(data, "y", model="auto", folds=3, sample_weight="w").results[
            "choice"
        ]["trials"]
        for data in (columns, other)
    ]
    for a, b in zip(*tables, strict=True):
        assert a["mean"] == pytest.approx(b["mean"], rel=1e-5)


def test_deadlines():
    clock = Clock()
    deadline = Deadline(60.0, clock)
    clock.now += 10.0
    deadline.begin(4)
    clock.now += 10.0
    assert not deadline.passed_by(1)  # three more of ten seconds: 50 of 60
    assert not deadline.passed_by(0.04)  # too little to tell
    assert deadline.passed_by(0.5)  # 70 more seconds of 40
    clock.now += 20.0
    assert deadline.passed_by(2)  # 30 of the 20 that are left
    assert not deadline.passed_by(3) and deadline.spent == 40.0
    clock.now += 20.0
    assert deadline.passed_by(3.999) and deadline.passed_by(0.0)


def test_a_network_that_will_be_late_is_stopped_early():
    clock = Clock()
    trainer = SimpleNamespace(epoch=0, epochs=300, stopping=False)
    timer = StopInTime(Deadline(100.0, clock), done=0, patience=10)
    timer.deadline.begin(5)
    while not trainer.stopping:
        trainer.epoch += 1
        clock.now += 3.0
        timer.on_epoch_end(trainer, {})
    # ten epochs at least, of five folds, take 150 seconds
    assert timer.late and trainer.epoch == 1
