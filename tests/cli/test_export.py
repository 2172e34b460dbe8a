"""``dotori export``: a script that reads a table as the model does, or a clear sentence."""

import csv
import sys

import numpy as np
import pytest

from numpy_alone import run_alone

pytest.importorskip("typer", reason="the command line is an extra")
pytest.importorskip("rich", reason="the command line is an extra")

import dotori
from dotori import nn
from dotori.cli import main
from dotori.compiler.script.library import columns as script_columns
from dotori.data import read_table
from dotori.data.fields import MISSING_WORDS
from dotori.data.schema import infer_schema
from dotori.nn.weights import save_weights
from dotori.tabular.preprocess import Preprocessor


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command line in a folder of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["dotori", *map(str, args)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return call


def homes(n=80, seed=0):
    """Columns of each kind, with gaps, whole numbers as categories, and dates."""
    rng = np.random.default_rng(seed)
    start = np.datetime64("2020-01-01T03:00")
    when = [
        str(start + np.timedelta64(int(k), "h")) for k in rng.integers(0, 30_000, n)
    ]
    when[3] += "+09:00"
    when[4] = ""
    area = [f"{v:.2f}" for v in rng.normal(80, 20, n)]
    area[1], area[2] = "NA", "nan"
    return {
        "rooms": rng.integers(1, 6, n).tolist(),
        'city "old"': rng.choice(["Seoul", "Jeju, far", 'B"usan', ""], n).tolist(),
        "area": area,
        "new": rng.choice(["true", "False"], n).tolist(),
        "when": when,
        "kind": rng.choice(["a", "b", "c"], n).tolist(),
        "price": [f"{v:.2f}" for v in rng.normal(200, 30, n)],
    }


def write_csv(path, columns, delimiter=","):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


@pytest.fixture
def table(tmp_path):
    write_csv(tmp_path / "homes.csv", homes())
    return tmp_path / "homes.csv"


def rows(text):
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_amounts(run, table, tmp_path, scale):
    model = dotori.fit(str(table), target="price", epochs=2, hidden=(8,), scale=scale)
    model.save(tmp_path / "homes.dotori")
    code, _, err = run("export", "homes.dotori", "--to", "numpy")
    assert code == 0 and "homes.py written" in err
    later = homes(50, seed=1)
    later['city "old"'][0] = "Paris"
    later["rooms"][1] = ""
    write_csv(tmp_path / "later.csv", later)
    found = [
        float(row["prediction"]) for row in rows(run_alone("homes.py", "later.csv"))
    ]
    np.testing.assert_allclose(found, model.predict("later.csv"), rtol=1e-6)
    code, out, _ = run("predict", "homes.dotori", "later.csv")
    wanted = [float(row["prediction"]) for row in rows(out)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("target", ["kind", "new", "rooms"])
def test_classes(run, table, tmp_path, target):
    model = dotori.fit(str(table), target=target, epochs=2, hidden=(4,))
    model.save(tmp_path / "m.dotori")
    assert (
        run("export", "m.dotori", "--to", "numpy", "--weights", "safetensors")[0] == 0
    )
    found = rows(run_alone("m.py", table))
    probabilities = [[float(v) for v in list(row.values())[1:]] for row in found]
    np.testing.assert_allclose(
        probabilities, model.predict_proba(str(table)), atol=1e-6
    )
    wanted = rows(run("predict", "m.dotori", table, "-p")[1])
    assert [*map(str.lower, found[0])] == [*map(str.lower, wanted[0])]
    assert [r["prediction"] for r in found] == [r["prediction"] for r in wanted]


def test_what_a_preprocessor_may_hold_besides(run, table, tmp_path):
    """Categories that are numbers or booleans, and dates as sines and cosines."""
    model = dotori.fit(str(table), target="price", epochs=1, hidden=())
    features = read_table(table).drop(["price", "kind"])
    schema = infer_schema(features, categorical=["rooms", "new"])
    preprocessor = Preprocessor.fit(features, schema, cyclic_dates=True)
    model.preprocessor = preprocessor
    model.network = nn.Sequential(nn.Linear(preprocessor.num_features, 1))
    model.save(tmp_path / "m.dotori")
    assert run("export", "m.dotori", "--to", "numpy")[0] == 0
    assert "number_label(field)" in (tmp_path / "m.py").read_text("utf-8")
    found = [float(row["prediction"]) for row in rows(run_alone("m.py", table))]
    np.testing.assert_allclose(found, model.predict(str(table)), rtol=1e-6)


def test_other_delimiters_and_a_missing_column(run, table, tmp_path):
    model = dotori.fit(str(table), target="price", epochs=1, hidden=())
    model.save(tmp_path / "m.dotori")
    assert run("export", "m.dotori", "--to", "numpy", "-q") == (0, "", "")
    write_csv(tmp_path / "semi.csv", homes(), ";")
    assert run_alone("m.py", "semi.csv") == run_alone("m.py", table)
    columns = homes()
    del columns["area"], columns["new"]
    write_csv(tmp_path / "few.csv", columns)
    with pytest.raises(AssertionError, match="lacks the columns area, new"):
        run_alone("m.py", "few.csv")


def test_gaps_are_the_same_words():
    assert script_columns.GAPS == set(MISSING_WORDS)


def test_into_a_folder_or_a_file(run, table, tmp_path):
    dotori.fit(str(table), target="price", epochs=1, hidden=()).save("3 homes.dotori")
    (tmp_path / "out").mkdir()
    run("export", "3 homes.dotori", "--to", "numpy", "--out", "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "_3_homes.py",
        "_3_homes.npz",
    }
    run("export", "3 homes.dotori", "--to", "numpy", "-o", "out/other.py")
    assert (tmp_path / "out" / "other.npz").exists()
    assert (
        run("export", "3 homes.dotori", "--to", "numpy", "-o", "out/other.py")[0] == 0
    )


NETWORK = """
from dotori import nn

def build():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))

broken = 3
"""


@pytest.fixture
def network(tmp_path):
    (tmp_path / "mine_for_export.py").write_text(NETWORK)
    dotori.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)
    )
    save_weights(model, tmp_path / "net.safetensors")
    yield model
    sys.modules.pop("mine_for_export", None)


def test_a_saved_network(run, network, tmp_path):
    how = ("--network", "mine_for_export:build", "--input", "1,8,8")
    code, _, err = run("export", "net.safetensors", "--to", "numpy", *how)
    assert code == 0, err
    x = np.random.default_rng(0).standard_normal((5, 1, 8, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    run_alone("net.py", "x.npy", "y.npy")
    wanted = network(dotori.tensor(x)).numpy(force=True)
    np.testing.assert_allclose(np.load("y.npy"), wanted, atol=1e-6)


WRONG = [
    (["nothing.dotori"], "there is no model file 'nothing.dotori'"),
    (["net.safetensors"], "name it with --network"),
    (["net.safetensors", "--network", "mine_for_export:build"], "wanted together"),
    (["net.safetensors", "--network", "mine_for_export", "--input", "3"], "file:name"),
    (
        ["net.safetensors", "--network", "mine_for_export:gone", "--input", "3"],
        "AttributeError",
    ),
    (
        ["net.safetensors", "--network", "mine_for_export:broken", "--input", "3"],
        "TypeError",
    ),
    (
        ["net.safetensors", "--network", "mine_for_export:build", "--input", "3x3"],
        "the shape of one sample",
    ),
    (
        ["net.safetensors", "--network", "mine_for_export:build", "--input", "1,9,9"],
        "(2, 196)",
    ),
    (["net.safetensors", "--weights", "pickle"], "npz or safetensors"),
    (["net.safetensors", "--to", "onnx"], "--to is numpy"),
    (["net.safetensors", "-o", "gone/m.py"], "there is no folder 'gone'"),
    (["net.safetensors", "-o", "mine_for_export.py"], "is not a script of"),
    (["net.safetensors", "--weights", "safetensors"], "would replace"),
    (["damaged.dotori"], "damaged.dotori"),
]


@pytest.mark.parametrize(("args", "message"), WRONG, ids=[m for _, m in WRONG])
def test_mistakes_are_one_sentence_and_leave_nothing(
    run, network, tmp_path, args, message
):
    (tmp_path / "damaged.dotori").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    before = sorted(p.name for p in tmp_path.iterdir())
    to = [] if "--to" in args else ["--to", "numpy"]
    code, out, err = run("export", *args, *to)
    assert code == 1 and not out
    assert err.startswith("error: ") and message in err and err.count("\n") == 1
    after = sorted(p.name for p in tmp_path.iterdir() if p.name != "__pycache__")
    assert after == before


def test_a_failed_write_leaves_the_old_files(run, table, tmp_path, monkeypatch):
    dotori.fit(str(table), target="price", epochs=1, hidden=()).save("m.dotori")
    assert run("export", "m.dotori", "--to", "numpy")[0] == 0
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    code, _, err = run("export", "m.dotori", "--to", "numpy")
    assert code == 1 and "No space left" in err
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
