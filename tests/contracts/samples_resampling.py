"""Samples of the layers that resample: see layer_samples.py."""

import numpy as np

rng = np.random.default_rng(11)


def x(*shape):
    return rng.standard_normal(shape)


SAMPLES = {
    "Upsample": [
        ((), {"scale_factor": 2}, (x(2, 3, 4),)),
        ((7,), {"mode": "nearest-exact"}, (x(2, 3, 4, 3),)),
        ((), {"scale_factor": (1.6, 0.7), "mode": "bilinear"}, (x(2, 3, 4, 5),)),
        (((5, 3),), {"mode": "bicubic", "align_corners": True}, (x(2, 3, 4, 4),)),
        ((4,), {"mode": "trilinear"}, (x(1, 2, 3, 2, 5),)),
        (
            (),
            {"scale_factor": 1.7, "mode": "linear", "recompute_scale_factor": True},
            (x(2, 3, 5),),
        ),
    ],
    "UpsamplingNearest2d": [
        ((), {"scale_factor": 2}, (x(2, 3, 4, 3),)),
        (((5, 2),), {}, (x(2, 3, 4, 3),)),
    ],
    "UpsamplingBilinear2d": [
        ((), {"scale_factor": 2}, (x(2, 3, 4, 3),)),
        (((5, 2),), {}, (x(2, 3, 4, 3),)),
    ],
}

ELSEWHERE: dict[str, str] = {}
