"""Runs a script in a Python that can import NumPy and the standard library only."""

import subprocess
import sys

_GUARD = """
import runpy, sys

class NumPyAlone:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root != "numpy" and root not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{name} is not NumPy")

sys.meta_path.insert(0, NumPyAlone())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_alone(script, *args):
    """What the script prints; an error of its own fails the test."""
    command = [sys.executable, "-I", "-W", "error", "-c", _GUARD, script, *args]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout
