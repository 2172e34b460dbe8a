"""Samples of convolutional layers."""

import numpy as np

rng = np.random.default_rng(11)


def x(*shape):
    return rng.standard_normal(shape)


SAMPLES = {
    "Conv1d": [
        ((4, 6, 3), {}, (x(2, 4, 9),)),
        ((4, 6, 3), {"padding": "same", "groups": 2}, (x(2, 4, 9),)),
        ((4, 6, 3), {"padding": 2, "padding_mode": "circular"}, (x(4, 9),)),
    ],
    "Conv2d": [
        ((3, 8, 3), {"padding": 1}, (x(2, 3, 7, 6),)),
        ((4, 8, (3, 2)), {"stride": (2, 1), "dilation": (1, 2)}, (x(2, 4, 8, 7),)),
        ((4, 8, 3), {"groups": 4, "bias": False}, (x(2, 4, 7, 7),)),
        ((4, 2, 1), {}, (x(2, 4, 5, 5),)),
        (
            (2, 4, (2, 3)),
            {"padding": "same", "padding_mode": "reflect"},
            (x(2, 2, 5, 6),),
        ),
        ((2, 4, 3), {"padding": 2, "padding_mode": "replicate"}, (x(2, 2, 5, 6),)),
    ],
    "Conv3d": [
        ((2, 4, 2), {"padding": 1, "stride": 2}, (x(2, 2, 4, 5, 3),)),
        ((2, 4, (1, 5, 3)), {"padding": "same"}, (x(2, 3, 4, 5),)),
    ],
    "ConvTranspose1d": [
        ((4, 6, 3), {"stride": 2, "output_padding": 1}, (x(2, 4, 5),)),
        ((4, 6, 3), {"padding": 1, "groups": 2, "dilation": 2}, (x(4, 5),)),
    ],
    "ConvTranspose2d": [
        ((4, 6, 3), {"stride": 2, "padding": 1}, (x(2, 4, 4, 5),)),
        ((4, 4, 2), {"groups": 4, "bias": False}, (x(2, 4, 4, 5),)),
        (
            (4, 2, (3, 2)),
            {"dilation": (1, 2), "output_padding": (0, 1)},
            (x(2, 4, 4, 5),),
        ),
    ],
    "ConvTranspose3d": [
        ((2, 3, 2), {"stride": (1, 2, 1)}, (x(1, 2, 3, 2, 3),)),
    ],
}
ELSEWHERE: dict[str, str] = {}
