"""The command line with models that are no networks."""

import csv
import io
import json
import re
import sys

import numpy as np
import pytest

from numpy_alone import run_alone

pytest.importorskip("typer", reason="the command line is an extra")
pytest.importorskip("rich", reason="the command line is an extra")

import dotori
from dotori.cli import main
from dotori.errors import DataError
from dotori.io import read_model, write_model
from dotori.tabular import Options
from dotori.tabular import choose as choosing
from dotori.tabular.choose import Trial
from dotori.tabular.describe import describe
from dotori.tabular.progress import FitProgress


@pytest.fixture
def learn():
    return pytest.importorskip("sklearn", reason="models are fitted with scikit-learn")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command line in a folder of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["dotori", *map(str, args)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return call


def write_csv(path, columns):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def homes(n=80, seed=0):
    rng = np.random.default_rng(seed)
    rooms = rng.integers(1, 6, n)
    city = rng.choice(["Seoul", "Jeju", "[b]Busan"], n)
    price = (50.0 * rooms + 20.0 * (city == "Seoul") + rng.standard_normal(n)).round(2)
    level = np.array(["low", "middle", "high"])[np.digitize(price, [120, 220])]
    return {
        "rooms": rooms.tolist(),
        "city": city.tolist(),
        "area": (rooms * 20 + rng.standard_normal(n)).round(2).tolist(),
        "price": price.tolist(),
        "level": level.tolist(),
    }


@pytest.fixture
def table(tmp_path):
    write_csv(tmp_path / "homes.csv", homes())
    return "homes.csv"


AMOUNTS = [
    ("linear", ["--alpha", "0.5"], ["coefficient", "a unit", "rooms", "(intercept)"]),
    ("tree", ["--depth", "2"], ["rooms <= ", "splits below", "importance"]),
    ("forest", ["--trees", "5"], ["importance", "rooms"]),
]
CLASSES = [
    ("logistic", [], ["a unit", "low", "middle", "(intercept)"]),
    ("tree", ["--alpha", "0.01"], ["importance", "% ("]),
    ("forest", ["--trees", "5", "--depth", "3"], ["importance"]),
]


def figures(out):
    return [line for line in out.splitlines() if line.strip()]


@pytest.mark.parametrize(("name", "own", "words"), AMOUNTS, ids=[a[0] for a in AMOUNTS])
def test_amounts_from_training_to_prediction(
    run, table, tmp_path, learn, name, own, words
):
    job = ["train", table, "-t", "price", "--drop", "level", "-o", "m.dotori"]
    code, out, err = run(*job, "--model", name, *own)
    assert code == 0, err
    for word in (name, "mean only", "linear", "RMSE", "train", "test", "model saved"):
        assert word in out
    assert "64 rows to train, 16 to test" in " ".join(err.split()) and name in err
    assert not list(tmp_path.glob("*.checkpoint"))
    code, out, _ = run("evaluate", "m.dotori", table)
    assert code == 0 and "RMSE" in out
    code, _, err = run("predict", "m.dotori", table, "-o", "p.csv", "--keep", "city")
    assert code == 0 and "80 predictions" in err
    with open("p.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = dotori.load("m.dotori").predict(table)
    np.testing.assert_allclose([float(r["prediction"]) for r in rows], expected)
    assert [row["city"] for row in rows] == homes()["city"]
    code, out, err = run("inspect", "m.dotori")
    assert code == 0, err
    for word in words:
        if word == "splits below" and "--depth" in own:
            continue
        assert word in out, out
    code, out, _ = run("inspect", "m.dotori", "--json")
    found = json.loads(out)
    assert found["model"] == name and found["options"]["model"] == name
    key = "coefficients" if name == "linear" else "importances"
    assert found[key] and ("splits" in found) == (name == "tree")


@pytest.mark.parametrize(("name", "own", "words"), CLASSES, ids=[c[0] for c in CLASSES])
def test_classes_from_training_to_prediction(run, table, learn, name, own, words):
    job = ["train", table, "-t", "level", "--drop", "price", "-o", "m.dotori"]
    code, out, err = run(*job, "-m", name, *own, "--class-weight", "balanced")
    assert code == 0, err
    for word in (name, "class shares only", "logistic", "log loss", "confusion"):
        assert word in out
    code, out, _ = run("evaluate", "m.dotori", table, "--json")
    assert set(json.loads(out)) == {
        "accuracy",
        "log_loss",
        "f1",
        "roc_auc",
        "confusion",
    }
    code, out, _ = run("predict", "m.dotori", table, "--probabilities")
    rows = list(csv.DictReader(out.splitlines()))
    assert code == 0 and len(rows) == 80
    total = sum(float(v) for n, v in rows[0].items() if n.startswith("probability_"))
    assert total == pytest.approx(1.0)
    code, out, err = run("inspect", "m.dotori")
    assert code == 0, err
    for word in words:
        assert word in out, out


def test_clusters(run, table, learn):
    code, out, err = run("train", table, "--model", "kmeans", "-o", "k.dotori")
    assert code == 0, err
    for word in ("finding clusters in 5 columns", "number of clusters"):
        assert word in " ".join(err.split())
    for word in ("silhouette", "one cluster", "inertia", "test"):
        assert word in out
    code, out, _ = run("predict", "k.dotori", table, "-k", "city")
    rows = list(csv.DictReader(out.splitlines()))
    model = dotori.load("k.dotori")
    assert list(rows[0]) == ["city", "prediction", "distance"]
    np.testing.assert_array_equal(
        [int(row["prediction"]) for row in rows], model.predict(table)
    )
    np.testing.assert_allclose(
        [float(row["distance"]) for row in rows], model.distances(table).min(axis=1)
    )
    code, out, _ = run("evaluate", "k.dotori", table)
    assert code == 0 and "inertia" in out and "silhouette" in out
    code, out, err = run("inspect", "k.dotori")
    assert code == 0 and "cluster" in out and "rooms" in out and "city=[b]Busan" in out
    code, out, err = run("predict", "k.dotori", table, "-p")
    assert code == 1 and "a distance; leave out -p" in err
    code, out, err = run(
        *("train", table, "-m", "kmeans", "-t", "level", "--clusters", "4", "--json"),
    )
    found = json.loads(out)
    assert code == 0 and err == "" and found["task"] == "clustering"
    assert found["classes"] == [0, 1, 2, 3] and "level" in found["notes"][0]
    assert sum(found["train"]["sizes"]) == 64


def test_larger_files_than_memory_go_piece_by_piece(run, table, learn):
    from dotori.tabular.stream import predict_file

    for name, target in (("forest", "level"), ("tree", "price"), ("kmeans", None)):
        own = {"trees": 4} if name == "forest" else {}
        model = dotori.fit(table, target, model=name, **own)
        predict_file(model, table, "all.csv")
        predict_file(model, table, "parts.csv", chunk_rows=7)
        with open("all.csv", "rb") as a, open("parts.csv", "rb") as b:
            assert a.read() == b.read()


def few(target, options):
    line = "linear" if target.is_regression else "logistic"
    own = {"forest": {"trees": 3}}
    every = [options.of(name, **own.get(name, {})) for name in (line, "tree", "forest")]
    return [Trial(one, describe(one)) for one in every]


def test_auto_shows_its_table_and_keeps_the_best(run, table, learn, monkeypatch):
    monkeypatch.setattr(choosing, "candidates", few)
    job = ["train", table, "-t", "price", "--drop", "level", "--model", "auto"]
    code, out, err = run(*job, "--folds", "3", "-o", "a.dotori")
    assert code == 0, err
    assert "the best of several models" in " ".join(err.split())
    assert "3 models, each judged on 3 folds by RMSE" in err
    lines = [line for line in out.splitlines() if " +- " in line]
    assert len(lines) == 3 and "3-fold cross validation" in out
    scores = [float(re.search(r"([\d.]+) \+-", line)[1]) for line in lines]
    assert scores == sorted(scores)
    code, out, _ = run("inspect", "a.dotori")
    assert code == 0 and out.count(" +- ") == 3
    code, out, err = run(*job, "--folds", "3", "--time-budget", "30", "--json")
    found = json.loads(out)
    assert code == 0 and err == ""
    choice = found["choice"]
    assert choice["folds"] == 3 and choice["time_budget"] == 30.0
    assert [row["model"] for row in choice["trials"]] == ["linear", "tree", "forest"]
    assert found["options"]["model"] in choice["chosen"]
    assert run(*job, "--quiet") == (0, "", "")


def test_auto_says_what_did_not_fit_into_the_budget(run, table, learn, monkeypatch):
    monkeypatch.setattr(choosing, "candidates", few)
    job = ["train", table, "-t", "level", "--model", "auto", "--time-budget", "0"]
    code, out, err = run(*job)
    assert code == 0 and out.count("out of time") == 2 and "accuracy" in out
    assert err.count("out of time") == 2


def test_ctrl_c_keeps_the_best_or_leaves_nothing(
    run, table, tmp_path, learn, monkeypatch
):
    judge, calls = choosing._Search._judge, []

    def interrupted(after):
        def stopping(self, *args, **kwargs):
            calls.append(1)
            if len(calls) > after:
                raise KeyboardInterrupt
            return judge(self, *args, **kwargs)

        calls.clear()
        monkeypatch.setattr(choosing._Search, "_judge", stopping)

    monkeypatch.setattr(choosing, "candidates", few)
    job = ["train", table, "-t", "price", "--model", "auto", "--folds", "3"]
    interrupted(5)
    code, _, err = run(*job, "-o", "kept.dotori")
    assert code == 0 and "the best so far is kept" in err
    assert dotori.load("kept.dotori").options == Options(model="linear")
    interrupted(2)
    before = set(tmp_path.iterdir())
    code, _, err = run(*job, "-o", "none.dotori")
    assert code == 130 and err.endswith("interrupted; nothing is saved\n")
    assert set(tmp_path.iterdir()) == before


def test_own_rows_to_validate_on_are_shown(run, table, tmp_path, learn):
    write_csv(tmp_path / "valid.csv", homes(20, seed=1))
    job = ["train", table, "-t", "price", "--drop", "level", "--valid", "valid.csv"]
    code, out, err = run(*job, "-m", "tree")
    assert code == 0 and "20 to validate" in " ".join(err.split())
    assert [line.split()[-4] for line in out.splitlines() if " valid " in line] == [
        "valid"
    ] * 3


def test_a_file_of_options(run, table, tmp_path, learn):
    (tmp_path / "job.toml").write_text(
        'data = "homes.csv"\ntarget = "price"\n[model]\nmodel = "tree"\ndepth = 2\n'
    )
    code, out, _ = run("train", "--config", "job.toml", "--depth", "3", "--json")
    assert code == 0 and json.loads(out)["options"]["depth"] == 3
    (tmp_path / "job.toml").write_text('model = "tree"\nhidden = [3]\n')
    code, out, err = run("train", "--config", "job.toml")
    assert code == 1 and "hidden is an option of mlp, not of tree" in err


# ---------------------------------------------------------------------- mistakes

MISTAKES = [
    (["-t", "price", "-m", "forrest"], r"did you mean 'forest'"),
    (["-t", "price", "-m", "tree", "--hidden", "64,32"], r"hidden is an option of mlp"),
    (["-t", "price", "-m", "tree", "--epochs", "300"], r"epochs is an option of mlp"),
    (["-t", "price", "-m", "linear", "--depth", "3"], r"option of tree and forest"),
    (["-t", "price", "-m", "forest", "--alpha", "1"], r"linear, logistic and tree"),
    (["-t", "price", "-m", "forest", "--folds", "3"], r"folds is an option of auto"),
    (["-t", "price", "--trees", "3"], r"trees is an option of forest, not of mlp"),
    (["-t", "price", "-m", "auto", "--trees", "3"], r"forest, not of auto"),
    (["-m", "kmeans", "--task", "binary"], r"task is an option of"),
    (["-t", "price", "-m", "logistic"], r"logistic predicts classes.*use linear"),
    (["-t", "level", "-m", "linear"], r"linear predicts amounts.*use logistic"),
    (["-t", "price", "-m", "tree", "--depth", "-2"], r"depth must be a whole number"),
    (["-t", "price", "-m", "linear", "--alpha", "-2"], r"alpha must be a number"),
    (["-t", "price", "-m", "forest", "--trees", "0"], r"trees must be a whole number"),
    (["-t", "price", "-m", "auto", "--folds", "1"], r"folds must be a whole number"),
    (["-t", "price", "-m", "auto", "--time-budget", "-1"], r"time_budget must be"),
    (["-m", "kmeans", "--clusters", "500"], r"kmeans"),
    (["-m", "kmeans", "--clusters", "0"], r"clusters must be a whole number"),
    (["-m", "kmeans", "-t", "prize"], r"did you mean 'price'"),
    (["-m", "tree"], r"which column is to be predicted"),
    (["-t", "price", "-m", "tree", "--class-weight", "balanced"], r"needs classes"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "sentence"), MISTAKES, ids=lambda v: str(v)[:60])
def test_mistakes_get_one_sentence_and_leave_nothing(
    run, table, tmp_path, learn, args, sentence
):
    before = set(tmp_path.iterdir())
    code, out, err = run("train", table, *args, "--quiet")
    assert code != 0 and out == ""
    last = err.strip().splitlines()[-1]
    assert last.startswith("error: ") and "Traceback" not in err
    assert re.search(sentence, last), last
    assert set(tmp_path.iterdir()) == before


def test_without_scikit_learn(run, table, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for name in ("linear", "auto", "kmeans"):
        code, out, err = run("train", table, "-t", "price", "-m", name, "-q")
        assert code == 1 and 'pip install "dotori[learn]"' in err
        assert "Traceback" not in err and out == ""


def test_what_the_estimator_refuses_is_one_sentence(run, tmp_path, learn, monkeypatch):
    from dotori.tabular import estimators

    class Refusing:
        def __init__(self, **parameters):
            pass

        def fit(self, *args, **kwargs):
            raise ValueError("no such\nthing")

    monkeypatch.setattr(estimators, "_estimator", lambda model, target: Refusing)
    code, _, err = run("train", "diabetes", "-m", "tree", "-q")
    assert code == 1 and err == "error: --model tree: no such thing\n"


def test_a_fit_that_does_not_settle_is_told(run, learn, monkeypatch):
    from dotori.tabular import estimators

    monkeypatch.setattr(estimators, "_STEPS", 1)
    code, _, err = run("train", "iris", "-m", "logistic", "--alpha", "0.001")
    assert code == 0 and "note: " in err and "converge" in err
    code, out, err = run(
        "train", "iris", "-m", "logistic", "--alpha", "0.001", "--json"
    )
    notes = json.loads(out)["notes"]
    assert code == 0 and err == "" and "converge" in notes[0] and "\n" not in notes[0]


def test_damaged_files(run, table, tmp_path, learn):
    for name in ("tree", "forest"):
        own = ["--trees", "3"] if name == "forest" else []
        run("train", table, "-t", "price", "-m", name, *own, "-q", "-o", name)
        arrays, document = read_model(tmp_path / name, "tabular model")
        end = "children_left" if name == "tree" else "first"
        place = next(key for key in arrays if key.endswith(end))
        arrays[place][1] = 0
        write_model(tmp_path / "bad", arrays, document, "tabular model")
        for command in (["predict", "bad", table], ["inspect", "bad"]):
            code, out, err = run(*command)
            assert code == 1 and out == "" and err.startswith("error: ")
            assert err.count("\n") == 1


def test_results_that_are_none(run, table, tmp_path, learn):
    run("train", table, "-t", "price", "-m", "tree", "-q", "-o", "m")
    arrays, document = read_model(tmp_path / "m", "tabular model")
    document["results"] = {"train": 3}
    write_model(tmp_path / "bad", arrays, document, "tabular model")
    code, _, err = run("inspect", "bad")
    assert code == 1 and "its results are not those of a training" in err


# ---------------------------------------------------------------------- export


@pytest.mark.parametrize(
    ("name", "target"),
    [("linear", "price"), ("logistic", "level"), ("logistic", "dear")],
)
def test_linear_models_become_scripts(run, tmp_path, learn, name, target):
    columns = homes()
    columns["dear"] = [str(p > 150) for p in columns["price"]]
    write_csv(tmp_path / "homes.csv", columns)
    for other in {"price", "level", "dear"} - {target}:
        del columns[other]
    write_csv(tmp_path / "t.csv", columns)
    assert run("train", "t.csv", "-t", target, "-m", name, "-q", "-o", "m")[0] == 0
    code, _, err = run("export", "m", "--to", "numpy")
    assert code == 0, err
    printed = run_alone("m.py", "t.csv")
    found = [list(row.values()) for row in csv.DictReader(printed.splitlines())]
    model = dotori.load("m")
    if target == "price":
        wanted = model.predict("t.csv")[:, np.newaxis]
        np.testing.assert_allclose(np.array(found, float), wanted, rtol=1e-5)
    else:
        wanted = model.predict_proba("t.csv")
        np.testing.assert_allclose(
            np.array([row[1:] for row in found], float), wanted, atol=1e-5
        )


def test_other_models_do_not_become_scripts(run, table, tmp_path, learn):
    for name in ("tree", "kmeans"):
        run("train", table, "-t", "price", "-m", name, "-q", "-o", f"{name}.dotori")
        code, _, err = run("export", f"{name}.dotori", "--to", "numpy")
        assert code == 1 and f"of the kind '{name}'" in err and "dotori predict" in err
        assert not list(tmp_path.glob("*.py"))


# ---------------------------------------------------------------------- progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal(learn, monkeypatch):
    monkeypatch.setattr(choosing, "candidates", few)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    from dotori.tabular.job import Job

    job = Job.prepare(homes(), "price", Options(model="auto", folds=2))
    job.run(watcher=FitProgress(stream))
    drawn = stream.getvalue()
    for word in ("linear, alpha 1", "RMSE", "+-", "forest, 3 trees", "\x1b["):
        assert word in drawn


def test_progress_of_a_single_model(learn):
    from dotori.tabular.job import Job

    job = Job.prepare(homes(), "price", Options(model="forest", trees=3))
    lines, bar = io.StringIO(), Terminal()
    job.run(watcher=FitProgress(lines))
    assert re.fullmatch(r"forest, 3 trees: [\d.]+ s\n", lines.getvalue())
    job.run(watcher=FitProgress(bar))
    assert "forest, 3 trees" in bar.getvalue()


def test_progress_says_nothing_of_a_fit_that_failed(learn):
    from dotori.tabular.job import Job

    job = Job.prepare(homes(4), None, Options(model="kmeans", clusters=9))
    lines = io.StringIO()
    with pytest.raises(DataError):
        job.run(watcher=FitProgress(lines))
    assert lines.getvalue() == ""


def test_progress_as_lines(learn, monkeypatch):
    monkeypatch.setattr(choosing, "candidates", few)
    stream = io.StringIO()
    from dotori.tabular.job import Job

    job = Job.prepare(homes(), "level", Options(model="auto", folds=2))
    job.run(watcher=FitProgress(stream))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "3 models, each judged on 2 folds by log loss"
    assert len(lines) == 5 and all("\x1b" not in line for line in lines)
    assert re.fullmatch(r"  tree, depth 6 +[\d.e-]+ \+- [\d.e-]+ +[\d.]+ s", lines[2])
