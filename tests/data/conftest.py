"""What the tests of dotori.data share."""

from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def torch_data() -> ModuleType:
    """torch.utils.data, the reference for lengths and structures."""
    return pytest.importorskip("torch.utils.data", reason="needs PyTorch")
