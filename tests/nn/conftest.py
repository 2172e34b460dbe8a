import numpy as np
import pytest

from dotori.nn.functional.hints import forget_hints


@pytest.fixture
def rng():
    return np.random.default_rng(20240611)


@pytest.fixture(autouse=True)
def fresh_hints():
    """Hints are given once a process; here, once a test."""
    forget_hints()
    yield
    forget_hints()
