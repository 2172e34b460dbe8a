"""The short form of tools/reliability_ops.py: strange inputs to every operator."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch is the oracle")
pytest.importorskip("expecttest", reason="PyTorch's list of operators imports it")
pytest.importorskip("mpmath", reason="the oracle of precision")

TOOL = Path(__file__).parents[2] / "tools" / "reliability_ops.py"
ROWS = [
    "strange numbers",
    "losses at the ends",
    "float32 precision",
    "long sums",
    "small shapes",
    "memory forms",
    "number types",
    "other types",
    "refusals",
]


@pytest.mark.parametrize("row", ROWS)
def test_the_short_form_passes(row):
    found = subprocess.run(
        [sys.executable, str(TOOL), "--short", "--verbose", row],
        capture_output=True,
        text=True,
    )
    counted = re.search(rf"^{row}: (\d+)/(\d+)$", found.stdout, flags=re.MULTILINE)
    assert counted, found.stderr
    assert counted[1] == counted[2] != "0", found.stdout
    assert found.returncode == 0
