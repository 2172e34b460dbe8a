"""`dotori.io` offers its names without importing anything before they are used."""

import subprocess
import sys

import pytest

from dotori import io


def test_every_name_is_there():
    assert set(io.__all__) == set(dir(io))
    for name in io.__all__:
        assert callable(getattr(io, name))


def test_another_name_is_not():
    with pytest.raises(AttributeError, match=r"'dotori\.io' has no attribute 'pickle'"):
        _ = io.pickle


def test_importing_it_is_cheap():
    code = (
        "import sys, dotori.io\n"
        "print([m for m in sys.modules if m.startswith(('dotori.io.', 'safetensors'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
