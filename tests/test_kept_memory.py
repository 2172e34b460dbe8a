"""Freed memory stays with the process once an optimiser is made, unless forbidden."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np, dotori
from dotori import backend, optim

def resident():
    text = open("/proc/self/status").read()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024

optim.SGD([dotori.zeros(3, requires_grad=True)])
before = resident()
arrays = [np.ones(1 << 20) for _ in range(16)]  # 8 MB each
del arrays
print(backend.keep_memory(), resident() - before)
"""


def run(**environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    kept, megabytes = done.stdout.split()
    return kept == "True", float(megabytes)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_optimiser_makes_the_process_keep_its_memory():
    kept, megabytes = run()
    if not kept:
        pytest.skip("this C library has no mallopt")
    assert megabytes > 100


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_environment_forbids_it():
    kept, megabytes = run(DOTORI_KEEP_MEMORY="0")
    assert not kept and megabytes < 100
