"""Weights in safetensors files, which PyTorch reads and writes as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dotori.backend import to_device
from dotori.nn.state import LoadResult

if TYPE_CHECKING:
    from dotori.io.atomic import FilePath
    from dotori.nn.module import Module


def save_weights(
    model: Module, path: FilePath, metadata: Mapping[str, str] | None = None
) -> None:
    """Write the state dict of `model` to a safetensors file, atomically.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from dotori import nn
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "weights.safetensors"
    >>> save_weights(nn.Linear(3, 2), path)
    >>> load_weights(nn.Linear(3, 2), path).missing_keys
    []
    """
    from dotori.io.safetensors import save_file

    arrays = {k: to_device(t.array, "cpu") for k, t in model.state_dict().items()}
    save_file(arrays, path, metadata)


def load_weights(model: Module, path: FilePath, strict: bool = True) -> LoadResult:
    """Copy the weights of a safetensors file into `model`.

    Raises
    ------
    FormatError
        If the file is damaged or of another kind.
    ShapeError
        If names or shapes do not fit; the model is as before.
    """
    from dotori.io.safetensors import load_file

    return model.load_state_dict(load_file(path), strict=strict)
