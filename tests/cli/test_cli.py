"""The command line: the main job, every mistake in one sentence, stopping and resuming."""

import csv
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("typer", reason="the command line is an extra")
pytest.importorskip("rich", reason="the command line is an extra")

import dotori
from dotori.cli import main
from dotori.cli.train import parse_hidden, read_toml
from dotori.data import load_builtin
from dotori.errors import ArgumentError, DataError
from dotori.io import write_model
from dotori.tabular import Options

FAST = ["--epochs", "3", "--hidden", "8"]


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


def homes(n=60, seed=0):
    rng = np.random.default_rng(seed)
    rooms = rng.integers(1, 6, n)
    city = rng.choice(["Seoul", "Jeju", "Busan"], n)
    noise = rng.standard_normal(n).round(3)
    price = (50.0 * rooms + 20.0 * (city == "Seoul") + noise).round(2)
    return {
        "rooms": rooms.tolist(),
        "city": city.tolist(),
        "area": (rooms * 20 + noise).tolist(),
        "price": price.tolist(),
    }


@pytest.fixture
def table(tmp_path):
    write_csv(tmp_path / "homes.csv", homes())
    return "homes.csv"


def test_without_arguments_it_trains_on_diabetes(run, tmp_path):
    code, out, err = run("train", *FAST)
    assert code == 0
    for word in (
        "network",
        "mean only",
        "linear",
        "RMSE",
        "MAE",
        "R2",
        "train",
        "test",
    ):
        assert word in out
    assert "model saved to diabetes.dotori" in out
    assert "epoch 3/3" in err and "RMSE" in err and "left" in err
    model = dotori.load(tmp_path / "diabetes.dotori")
    assert model.predict(load_builtin("diabetes")).shape == (442,)


def test_a_table_from_training_to_prediction(run, table, tmp_path):
    assert run("train", table, "--target", "price", *FAST, "-o", "m.dotori")[0] == 0
    code, out, _ = run("evaluate", "m.dotori", table)
    assert code == 0 and "RMSE" in out
    code, out, _ = run("evaluate", "m.dotori", table, "--json")
    assert set(json.loads(out)) == {"rmse", "mae", "r2"}
    code, _, err = run("predict", "m.dotori", table, "-o", "p.csv", "--keep", "city")
    assert code == 0 and "60 predictions" in err
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 60 and set(rows[0]) == {"city", "prediction"}
    expected = dotori.load("m.dotori").predict(table)
    np.testing.assert_allclose([float(r["prediction"]) for r in rows], expected)
    assert run("inspect", "m.dotori")[0] == 0
    described = json.loads(run("inspect", "m.dotori", "--json")[1])
    assert described["target"]["name"] == "price"
    assert described["layers"]["0.weight"][0] == 8


@pytest.mark.parametrize("name", ["h.tsv", "h.csv.gz", "h.parquet", "h.feather"])
def test_formats(run, table, name):
    if not name.endswith((".tsv", ".gz")):
        pytest.importorskip("pyarrow", reason="reads this format")
    dotori.data.write_table(dotori.data.read_table(table), name)
    assert run("train", name, "-t", "price", *FAST, "-q", "-o", "m.dotori")[:2] == (
        0,
        "",
    )
    assert run("predict", "m.dotori", name, "-o", "out-" + name, "-q")[0] == 0
    assert len(dotori.data.read_table("out-" + name)) == 60


def test_npz(run, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 3))
    np.savez(tmp_path / "a.npz", X=x, y=(x @ [1.0, 2.0, 3.0]))
    assert run("train", "a.npz", "--target", "y", *FAST, "-q")[0] == 0


@pytest.mark.parametrize("k", [2, 3])
def test_classes(run, tmp_path, k):
    columns = homes(90)
    price = np.array(columns.pop("price"))
    columns["level"] = [
        f"class {int(v)}" for v in np.digitize(price, [140, 230][: k - 1])
    ]
    write_csv(tmp_path / "c.csv", columns)
    code, out, _ = run(
        "train", "c.csv", "-t", "level", *FAST, "--class-weight", "balanced"
    )
    assert code == 0
    for word in ("accuracy", "log loss", "F1", "ROC AUC", "confusion", "logistic"):
        assert word in out
    code, out, _ = run("predict", "c.dotori", "c.csv", "--probabilities")
    rows = list(csv.DictReader(out.splitlines()))
    assert code == 0 and len(rows) == 90
    total = sum(float(v) for n, v in rows[0].items() if n.startswith("probability_"))
    assert total == pytest.approx(1.0) and rows[0]["prediction"].startswith("class ")


def test_json_and_quiet(run, table):
    code, out, err = run("train", table, "-t", "price", *FAST, "--json")
    found = json.loads(out)
    assert code == 0 and err == "" and found["task"] == "regression"
    assert {"train", "valid", "test", "baselines", "history"} <= set(found)
    assert run("train", table, "-t", "price", *FAST, "--quiet") == (0, "", "")


def test_a_validation_file_weights_and_dropped_columns(run, table, tmp_path):
    columns = homes(20, seed=1)
    columns["w"] = [1.0, 2.0] * 10
    write_csv(tmp_path / "valid.csv", columns)
    columns = homes(60)
    columns["w"] = [1.0, 0.5, 2.0] * 20
    write_csv(tmp_path / "weighted.csv", columns)
    code, out, _ = run(
        *("train", "weighted.csv", "-t", "price", *FAST, "--json"),
        *("--valid", "valid.csv", "--sample-weight", "w", "--drop", "area"),
    )
    found = json.loads(out)
    assert code == 0 and found["rows"] == {"train": 48, "valid": 20, "test": 12}
    assert found["options"]["drop"] == ["area"]


def test_toml_and_what_counts_more(run, table, tmp_path):
    (tmp_path / "job.toml").write_text(
        'data = "homes.csv"\ntarget = "price"\n[network]\nhidden = [4]\n'
        "[training]\nepochs = 2\nbatch-size = 16\n"
    )
    code, out, _ = run("train", "--config", "job.toml", "--epochs", "3", "--json")
    options = json.loads(out)["options"]
    assert code == 0 and options["hidden"] == [4] and options["batch_size"] == 16
    assert options["epochs"] == 3


EVERY_OPTION = (
    "--activation tanh --dropout 0.2 --loss huber --optimizer sgd --lr 0.01 "
    "--momentum 0.9 --schedule cosine --batch-size 8 --patience 2 --l1 0.001 --l2 0.001 "
    "--clip 1 --weight-decay 0.01 --scale minmax --seed 3 --test-fraction 0.1 "
    "--valid-fraction 0.1 --hidden 0 --epochs 2 --task regression"
).split()


def test_every_option_is_taken(run, table):
    code, out, _ = run("train", table, "-t", "price", *EVERY_OPTION, "--json")
    options = json.loads(out)["options"]
    assert code == 0 and options["hidden"] == [] and options["loss"] == "huber"
    assert options["schedule"] == "cosine" and options["clip"] == 1.0


# ---------------------------------------------------------------------- mistakes

TABLES = {
    "empty.csv": "",
    "header.csv": "a,b\n",
    "words.csv": "a,y\n" + "".join(f"{i},{i}.5\n" for i in range(30)) + "1,many\n",
    "one_class.csv": "a,y\n1,yes\n2,yes\n3,yes\n",
    "no_target.csv": "a,y\n1,\n2,\n",
    "constant.csv": "a,y\n1,2.5\n2,2.5\n3,2.5\n4,2.5\n",
    "infinite.csv": "a,y\n" + "1,2.5\ninf,1.5\n3,0.5\n4,3.5\n" * 3,
    "infinite_y.csv": "a,y\n" + "1,2.5\n2,inf\n3,0.5\n4,3.5\n" * 3,
    "gaps.csv": "a,y\n" + ",2.5\n,1.5\n,0.5\n,3.5\n" * 3,
    "ragged.csv": "a,y\n1,2\n3\n",
    "twice.csv": "a,a,y\n1,2,3\n",
}

MISTAKES = [
    (["nowhere.csv", "-t", "y"], r"no file 'nowhere.csv'"),
    ([".", "-t", "y"], r"folder"),
    (["homes.csv", "-t", "prize"], r"no column 'prize'; did you mean 'price'"),
    (["homes.csv"], r"which column is to be predicted\? .*--target"),
    (["homes.csv", "-t", "price", "--drop", "areas"], r"did you mean 'area'"),
    (["homes.csv", "-t", "price", "--drop", "area", "--drop", "city", "--drop", "rooms"],
     r"no column is left"),
    (["homes.csv", "-t", "price", "--sample-weight", "city"], r"text"),
    (["empty.csv", "-t", "y"], r"empty"),
    (["header.csv", "-t", "b"], r"no rows"),
    (["words.csv", "-t", "y"], r"'many'"),
    (["one_class.csv", "-t", "y"], r"one class only, 'yes'"),
    (["no_target.csv", "-t", "y"], r"no values at all"),
    (["constant.csv", "-t", "y", "--task", "regression"], r"2.5 in every row"),
    (["infinite.csv", "-t", "y", "--task", "regression"], r"infinite"),
    (["infinite_y.csv", "-t", "y", "--task", "regression"], r"infinite"),
    (["gaps.csv", "-t", "y", "--task", "regression"], r"column"),
    (["ragged.csv", "-t", "y"], r"line 3"),
    (["twice.csv", "-t", "y"], r"two columns named 'a'"),
    (["homes.csv", "-t", "price", "--optimizer", "adm"], r"did you mean 'adam'"),
    (["homes.csv", "-t", "price", "--hidden", "ten"], r"--hidden takes whole numbers"),
    (["homes.csv", "-t", "price", "--dropout", "1.5"], r"dropout must be a number"),
    (["homes.csv", "-t", "price", "--epochs", "0"], r"epochs must be a whole number"),
    (["homes.csv", "-t", "price", "--loss", "bce"], r"'bce' does not fit"),
    (["homes.csv", "-t", "price", "--class-weight", "balanced"], r"needs classes"),
    (["homes.csv", "-t", "price", "--test-fraction", "0.9"], r"leaves nothing"),
    (["homes.csv", "-t", "price", "--lr", "1e30"], r"loss is nan.*learning rate"),
    (["homes.csv", "-t", "price", "-o", "no/such/m"], r"folder .* does not exist"),
    (["homes.csv", "-t", "price", "-o", "."], r"is a folder"),
    (["homes.csv", "-t", "price", "--config", "no.toml"], r"no file 'no.toml'"),
    (["--resume", "no.checkpoint"], r"no checkpoint"),
    (["--resume", "homes.csv"], r"homes.csv"),
    (["--resume", "homes.csv", "--lr", "1"], r"only --epochs"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "sentence"), MISTAKES, ids=lambda v: str(v)[:60])
def test_mistakes_get_one_sentence_and_leave_nothing(
    run, table, tmp_path, args, sentence
):
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)
    before = set(os.listdir(tmp_path))
    code, out, err = run("train", *args, "--quiet")
    assert code != 0 and out == ""
    last = err.strip().splitlines()[-1]
    assert last.startswith("error: ") and "Traceback" not in err
    assert re.search(sentence, last), last
    assert set(os.listdir(tmp_path)) == before


def test_mistakes_in_toml(run, table, tmp_path):
    for text, sentence in (
        ("epochs = ", "not valid TOML"),
        ("epoch = 3", "did you mean 'epochs'"),
        ('lr = "fast"', "lr must be a number"),
        ("hidden = [[1]]", "hidden must be a whole number"),
        ("drop = 3", "drop"),
        ("hidden = 1.5", "hidden must be a whole number"),
        ("drop = ['area', 3]", "3"),
        ("data = 3\ntarget = 'x'", "no file '3'"),
    ):
        (tmp_path / "job.toml").write_text(text)
        code, _, err = run("train", "homes.csv", "-t", "price", "-c", "job.toml", "-q")
        if text.startswith("data"):
            code, _, err = run("train", "-c", "job.toml", "-q")
        assert code == 1 and sentence in err, (text, err)
        assert "Traceback" not in err


def test_wrong_data_at_prediction(run, table, tmp_path):
    run("train", table, "-t", "price", *FAST, "-q", "-o", "m.dotori")
    columns = homes(5)
    for change, sentence in (
        ({"area": None}, r"'area'"),
        ({"area": ["big"] * 5}, r"'area'"),
        ({"rooms": [1, 2, float("inf"), 1, 1]}, r"infinite"),
    ):
        kept = {**columns, **change}
        write_csv(tmp_path / "x.csv", {k: v for k, v in kept.items() if v is not None})
        code, out, err = run("predict", "m.dotori", "x.csv", "-o", "p.csv")
        assert code == 1 and sentence.strip("r'") in err.replace('"', "'"), err
        assert out == "" and not (tmp_path / "p.csv").exists()


def test_wrong_model_files(run, table, tmp_path):
    run("train", table, "-t", "price", *FAST, "-q", "-o", "m.dotori")
    whole = (tmp_path / "m.dotori").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text").write_text("hello")
    (tmp_path / "pickle").write_bytes(b"\x80\x04\x95\x10")
    write_model(tmp_path / "hollow", {}, {"target": 1}, kind="tabular model")
    write_model(tmp_path / "other", {}, {}, kind="checkpoint")
    for name in ("cut", "text", "pickle", "hollow", "other", "nowhere"):
        for command in (["evaluate", name, table], ["inspect", name]):
            code, out, err = run(*command)
            assert code == 1 and out == "" and err.startswith("error: "), (name, err)
            assert err.count("\n") == 1


def test_a_failed_training_keeps_the_old_model(run, table, tmp_path):
    run("train", table, "-t", "price", *FAST, "-q", "-o", "m.dotori")
    before = (tmp_path / "m.dotori").read_bytes()
    assert run("train", table, "-t", "price", "--lr", "1e30", "-o", "m.dotori")[0] == 1
    assert (tmp_path / "m.dotori").read_bytes() == before


def test_ctrl_c_saves_and_resume_ends_in_the_same_bits(run, table, tmp_path):
    job = ["homes.csv", "-t", "price", "--epochs", "150", "--patience", "0"]
    assert run("train", *job, "-q", "-o", "whole.dotori")[0] == 0
    with subprocess.Popen(
        [sys.executable, "-m", "dotori", "train", *job, "-o", "part.dotori"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as part:
        assert part.stderr is not None
        for line in part.stderr:
            if line.startswith("epoch 15/"):
                part.send_signal(signal.SIGINT)
                break
        rest = part.stderr.read()
    if part.returncode == 0:
        pytest.skip("this machine finished before the signal came")
    assert part.returncode == 130 and "dotori train --resume" in rest
    assert not (tmp_path / "part.dotori").exists()
    assert run("train", "--resume", "part.dotori.checkpoint", "-q")[0] == 0
    assert not (tmp_path / "part.dotori.checkpoint").exists()
    whole, parts = dotori.load("whole.dotori"), dotori.load("part.dotori")
    for p, q in zip(
        whole.network.parameters(), parts.network.parameters(), strict=True
    ):
        np.testing.assert_array_equal(p.array, q.array)
    assert whole.results["history"] == parts.results["history"]


def test_a_closed_pipe_is_no_error(run, table):
    run("train", table, "-t", "price", *FAST, "-q", "-o", "m.dotori")
    command = f"{sys.executable} -m dotori predict m.dotori homes.csv | head -n 1"
    found = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert found.stdout == "prediction\n" and "Traceback" not in found.stderr


def test_version_and_help(run):
    assert run("--version")[1].strip() == dotori.__version__
    code, out, _ = run("train", "--help")
    assert code == 0 and "--class-weight" in out


# ---------------------------------------------------------------------- its parts


def test_options_and_their_readers(tmp_path):
    assert parse_hidden("64,32") == (64, 32) and parse_hidden("") == ()
    with pytest.raises(ArgumentError, match="did you mean 'epochs'"):
        Options.from_mapping({"epoch": 3})
    options = Options(hidden=(3,), drop=("a",))
    assert Options.from_mapping(options.to_mapping()) == options
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not valid TOML"):
        read_toml(tmp_path / "a.toml")
