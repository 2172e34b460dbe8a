"""The short forms of tools/reliability_files.py: kills, failing calls, a full disk."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "reliability_files.py"


@pytest.mark.skipif(sys.platform != "linux", reason="the tool needs fork and /proc")
@pytest.mark.parametrize(
    "row",
    [
        "kills",
        "system calls",
        "full disk",
        "paths",
        "two savers",
        "truncations",
        "data bits",
        "pickle canaries",
        "fuzz safetensors",
        "fuzz model",
        "fuzz npz",
    ],
)
def test_a_row_is_complete(row):
    done = subprocess.run(
        [sys.executable, str(TOOL), "--short", "--only", row],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )
    last = (done.stdout.splitlines() or [""])[-1]
    if reason := re.search(f"{row}: skipped, (.*)", last):
        pytest.skip(reason[1])
    passed = re.fullmatch(rf"{row}: (\d+)/\1", last)
    assert passed, done.stdout[-2000:] + done.stderr[-2000:]
    assert int(passed[1]) >= 12
    assert done.returncode == 0
