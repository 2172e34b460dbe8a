"""What the tests of dotori.data share."""

from types import ModuleType

import pytest
from hypothesis import settings

# How long one example takes says nothing here: workers start, and machines are shared.
settings.register_profile("data", deadline=None)
settings.load_profile("data")


@pytest.fixture(scope="session")
def torch_data() -> ModuleType:
    """torch.utils.data, the reference for lengths and structures."""
    return pytest.importorskip("torch.utils.data", reason="needs PyTorch")
