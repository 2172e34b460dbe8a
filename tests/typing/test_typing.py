"""mypy and pyright agree on the types of a user's program."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("models.py")


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_users_program_is_typed(checker):
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    options = ["--strict", "--no-error-summary"] if checker == "mypy" else []
    found = subprocess.run(
        [sys.executable, "-m", checker, *options, str(PROGRAM)],
        capture_output=True,
        text=True,
    )
    if checker == "pyright" and "0 errors" not in found.stdout + found.stderr:
        if "error:" not in found.stdout:
            pytest.skip("pyright could not be started here")
    assert found.returncode == 0, found.stdout + found.stderr
