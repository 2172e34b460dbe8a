"""The short form of tools/reliability_resume.py: stops, kills, places, seeds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "reliability_resume.py"


@pytest.mark.skipif(sys.platform != "linux", reason="the tool sends SIGKILL")
def test_the_short_form_passes():
    found = subprocess.run(
        [sys.executable, str(TOOL), "--short"], capture_output=True, text=True
    )
    rows = re.findall(r"^(.+): (\d+)/(\d+)$", found.stdout, flags=re.MULTILINE)
    assert [name for name, *_ in rows] == ["every step", "kill -9", "places", "seeds"]
    assert all(passed == cases != "0" for _, passed, cases in rows), found.stdout
    assert found.returncode == 0, found.stderr
