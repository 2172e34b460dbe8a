"""What a script needs to read files: weights, arrays, and the columns of a table.

As in `script_functions`, whatever a script calls is copied into it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any


def read_safetensors(path: Path) -> dict[str, Array]:
    """The arrays of a file: a length, so many bytes of JSON, then all numbers."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}
    types |= {"I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?"}
    arrays = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            flat = np.frombuffer(
                data[start + first : start + end], types[entry["dtype"]]
            )
            arrays[name] = flat.reshape(entry["shape"])
    return arrays


def read_array(name: str, dtype: Any) -> Array:
    """The numbers of a .npy file, or of a .csv file with or without a line of names."""
    if not name.endswith(".csv"):
        return np.load(name).astype(dtype)
    first = Path(name).read_text().split("\n")[0]
    has_names = any(c.isalpha() and c not in "eE" for c in first)
    return np.loadtxt(name, dtype, delimiter=",", skiprows=int(has_names), ndmin=2)
