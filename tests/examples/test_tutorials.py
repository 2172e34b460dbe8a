"""Programs in the manner of PyTorch's tutorials: the same figures there and here.

Each is run as it is, and again with its imports changed to PyTorch's, from the same
initial weights.
"""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import dotori

TUTORIALS = sorted(
    (Path(__file__).parents[2] / "examples" / "tutorials").glob("*.py"),
    key=lambda path: path.name,
)
IMPORTS = [
    (r"^import dotori as torch$", "import torch"),
    (r"^from dotori\.data import", "from torch.utils.data import"),
    (r"^from dotori", "from torch"),
]


def run(path, library, start=None):
    """The figures of a program, and the weights that it began with."""
    text = path.read_text(encoding="utf-8")
    if library is not dotori:
        for pattern, replacement in IMPORTS:
            text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
        code = text.split('"""', 2)[2]
        assert "dotori" not in code, "an import was not changed"
    scope = {"__name__": "tutorial"}
    exec(compile(text, str(path), "exec"), scope)
    if "make_model" not in scope:
        return scope["main"](), None
    model = scope["make_model"]()
    if start is not None:
        model.load_state_dict({k: library.tensor(v) for k, v in start.items()})
    weights = {k: v.detach().numpy().copy() for k, v in model.state_dict().items()}
    return scope["main"](model), weights


@cache
def run_here(path):
    """What `run` gives with dotori: both tests below look at it."""
    return run(path, dotori)


def numbers(figures):
    return np.hstack([np.ravel(value) for value in figures.values()])


def test_all_are_found():
    assert len(TUTORIALS) == len(LEARNT) == 13


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_the_figures_are_pytorchs(path):
    torch = pytest.importorskip("torch", reason="PyTorch runs the same program")
    ours, weights = run_here(path)
    before = torch.get_rng_state()
    try:
        theirs, _ = run(path, torch, weights)
    finally:
        torch.set_rng_state(before)
    assert ours.keys() == theirs.keys()
    np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-5, atol=1e-9)


#: What each program must have learnt: a figure, and what it stays below.
LEARNT = {
    "01_gradients_by_hand": ("loss", 0.012),
    "02_autograd": ("loss", 1e-3),
    "03_gradients_of_gradients": ("value", 2.1),
    "04_module": ("loss", 0.01),
    "05_optimizers": ("LBFGS", 1e-3),
    "06_dataset": ("test", 0.02),
    "07_classifier": ("test", 0.2),
    "08_schedules": ("loss", 0.05),
    "09_spiral": ("loss", 0.2),
    "10_logistic_regression": ("brier", 0.18),
    "11_autoencoder": ("error", 0.02),
    "12_weight_averages": ("SWA", 0.13),
    "13_own_function": ("loss", 1.2e-4),
}


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_the_program_learns(path):
    name, limit = LEARNT[path.stem]
    figures, _ = run_here(path)
    assert figures[name] < limit
