"""What all tests share: seeds, sealed global state, and how hard hypothesis tries."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import dotori

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# What runs with every change tries the same examples each time; the deep one does not.
settings.register_profile("quick", max_examples=10, derandomize=True, **_COMMON)
settings.register_profile("dev", max_examples=30, **_COMMON)
settings.register_profile("ci", max_examples=60, derandomize=True, **_COMMON)
settings.register_profile("deep", max_examples=2000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture
def rng():
    """Random numbers for one test; DOTORI_SEED chooses others."""
    return np.random.default_rng(int(os.environ.get("DOTORI_SEED", "0")))


def global_state():
    """What a test must leave as it found it."""
    return {
        "grad mode": dotori.is_grad_enabled(),
        "default dtype": dotori.get_default_dtype(),
        "default generator": id(dotori.default_generator()),
        "floating-point errors": tuple(sorted(np.geterr().items())),
    }


def changes(before):
    """The names of the global state that differs now."""
    return [name for name, value in global_state().items() if value != before[name]]


@pytest.fixture(autouse=True)
def sealed():
    """Fail a test that leaves global state changed."""
    before = global_state()
    yield
    changed = changes(before)
    dotori.set_grad_enabled(before["grad mode"])
    dotori.set_default_dtype(before["default dtype"])
    np.seterr(**dict(before["floating-point errors"]))
    assert not changed, f"this test changed the {' and the '.join(changed)}"
