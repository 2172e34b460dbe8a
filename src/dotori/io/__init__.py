"""Files: atomic writes, safetensors, the model file, .npz; arrays and JSON, no pickle.

The names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dotori.io.atomic import atomic_write as atomic_write
    from dotori.io.model_file import model_from_bytes as model_from_bytes
    from dotori.io.model_file import model_to_bytes as model_to_bytes
    from dotori.io.model_file import read_model as read_model
    from dotori.io.model_file import write_model as write_model
    from dotori.io.npz import load_npz as load_npz
    from dotori.io.safetensors import load as load
    from dotori.io.safetensors import load_file as load_file
    from dotori.io.safetensors import load_with_metadata as load_with_metadata
    from dotori.io.safetensors import save as save
    from dotori.io.safetensors import save_file as save_file

_HOME = {
    "atomic_write": "atomic",
    "load": "safetensors",
    "load_file": "safetensors",
    "load_npz": "npz",
    "load_with_metadata": "safetensors",
    "model_from_bytes": "model_file",
    "model_to_bytes": "model_file",
    "read_model": "model_file",
    "save": "safetensors",
    "save_file": "safetensors",
    "write_model": "model_file",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
