"""Samples of the normalising modules: see layer_samples.py."""

from typing import Any

import numpy as np

rng = np.random.default_rng(11)


def x(*shape: int) -> Any:
    return rng.standard_normal(shape)


def rows(*shape: int) -> Any:
    """A picture that lies in memory with its channels last."""
    return np.moveaxis(x(shape[0], *shape[2:], shape[1]), -1, 1)


PLAIN = {"affine": False, "track_running_stats": False}

SAMPLES: dict[str, list[tuple[tuple[Any, ...], dict[str, Any], tuple[Any, ...]]]] = {
    "BatchNorm1d": [
        ((3,), {}, (x(5, 3),)),
        ((3,), {"momentum": None}, (x(5, 3, 4),)),
        ((3,), {"bias": False, "eps": 0.1}, (x(5, 3),)),
    ],
    "BatchNorm2d": [
        ((3,), {}, (rows(2, 3, 4, 4),)),
        ((3,), {"momentum": 0.3}, (x(2, 3, 4, 4),)),
        ((3,), PLAIN, (x(2, 3, 4, 4),)),
    ],
    "BatchNorm3d": [((3,), {"affine": False}, (x(2, 3, 4, 2, 2),))],
    "InstanceNorm1d": [
        ((3,), {}, (x(2, 3, 4),)),
        ((3,), {"affine": True}, (x(3, 4),)),
    ],
    "InstanceNorm2d": [
        ((3,), {"affine": True, "track_running_stats": True}, (x(2, 3, 4, 4),)),
        ((3,), {"track_running_stats": True, "momentum": 0.4}, (rows(2, 3, 4, 4),)),
    ],
    "InstanceNorm3d": [
        ((3,), {"affine": True, "bias": False}, (x(2, 3, 4, 2, 2),)),
        ((3,), {}, (x(3, 4, 2, 2),)),
    ],
    "LayerNorm": [
        ((4,), {}, (x(2, 3, 4),)),
        (((3, 4),), {"bias": False}, (x(2, 3, 4),)),
        (([3, 4],), {"elementwise_affine": False, "eps": 0.1}, (x(3, 4),)),
    ],
    "GroupNorm": [
        ((2, 6), {}, (x(2, 6, 4),)),
        ((3, 6), {"bias": False}, (rows(2, 6, 3, 3),)),
        ((6, 6), {"affine": False}, (x(2, 6, 4),)),
        ((1, 6), {"eps": 0.1}, (x(2, 6),)),
    ],
    "RMSNorm": [
        ((4,), {}, (x(2, 3, 4),)),
        (((3, 4),), {"eps": 0.1}, (x(2, 3, 4),)),
        ((4,), {"elementwise_affine": False}, (x(3, 4),)),
    ],
    "LocalResponseNorm": [
        ((3,), {"alpha": 0.5, "k": 2.0}, (x(2, 5, 4),)),
        ((4,), {"alpha": 0.5, "beta": 0.5}, (x(2, 5, 4, 3),)),
        ((9,), {"alpha": 1.0}, (x(2, 3, 2, 2, 2),)),
    ],
}

# PyTorch has no right gradient for it from three channels on
LAZY = "Linear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d"
LAZY += " BatchNorm1d BatchNorm2d BatchNorm3d"
LAZY += " InstanceNorm1d InstanceNorm2d InstanceNorm3d"
ELSEWHERE = {"CrossMapLRN2d": "tests/nn/test_normalization.py"}
ELSEWHERE |= {f"Lazy{name}": "tests/nn/test_lazy_modules.py" for name in LAZY.split()}
