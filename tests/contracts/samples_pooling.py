"""Samples of the layers of `dotori.nn` that pool, pad, fold and shuffle."""

from typing import Any

import numpy as np

rng = np.random.default_rng(11)


def x(*shape: int) -> Any:
    return rng.standard_normal(shape)


def positive(*shape: int) -> Any:
    return rng.uniform(0.5, 2.0, shape)


LINE, PICTURE, VOLUME = (2, 3, 9), (2, 3, 7, 9), (2, 2, 4, 5, 6)

SAMPLES = {
    "MaxPool1d": [
        ((3,), {}, (x(*LINE),)),
        ((3, 2), {"padding": 1, "dilation": 2, "ceil_mode": True}, (x(3, 9),)),
    ],
    "MaxPool2d": [
        ((2,), {}, (x(*PICTURE),)),
        (((3, 2), (1, 2)), {"padding": 1, "ceil_mode": True}, (x(*PICTURE),)),
        ((2,), {"dilation": (2, 3)}, (x(3, 7, 9),)),
    ],
    "MaxPool3d": [
        ((2,), {}, (x(*VOLUME),)),
        (((2, 3, 2),), {"stride": 1, "padding": 1}, (x(2, 4, 5, 6),)),
    ],
    "AvgPool1d": [
        ((3,), {}, (x(*LINE),)),
        ((3, 2, 1), {"ceil_mode": True, "count_include_pad": False}, (x(3, 9),)),
    ],
    "AvgPool2d": [
        ((2,), {}, (x(*PICTURE),)),
        ((3, 2, 1, True, False), {}, (x(*PICTURE),)),
        (((3, 2),), {"padding": (1, 0), "divisor_override": 5}, (x(3, 7, 9),)),
    ],
    "AvgPool3d": [
        ((2,), {}, (x(*VOLUME),)),
        ((3, 2, 1), {"ceil_mode": True, "divisor_override": 3}, (x(2, 4, 5, 6),)),
    ],
    "LPPool1d": [((2, 3), {}, (x(*LINE),)), ((3, 2, 1), {}, (positive(3, 9),))],
    "LPPool2d": [
        ((2, 3), {"ceil_mode": True}, (x(*PICTURE),)),
        ((1.5, (2, 3)), {"stride": 2}, (positive(*PICTURE),)),
    ],
    "LPPool3d": [((2, 2), {}, (x(*VOLUME),)), ((float("inf"), 2), {}, (x(*VOLUME),))],
    "AdaptiveAvgPool1d": [((4,), {}, (x(*LINE),)), ((3,), {}, (x(3, 9),))],
    "AdaptiveAvgPool2d": [
        ((1,), {}, (x(*PICTURE),)),
        (((5, None),), {}, (x(*PICTURE),)),
        (((9, 4),), {}, (x(3, 7, 9),)),
    ],
    "AdaptiveAvgPool3d": [(((2, None, 4),), {}, (x(*VOLUME),))],
    "AdaptiveMaxPool1d": [((4,), {}, (x(*LINE),)), ((3,), {}, (x(3, 9),))],
    "AdaptiveMaxPool2d": [
        ((1,), {}, (x(*PICTURE),)),
        (((5, None),), {}, (x(*PICTURE),)),
        (((9, 4),), {}, (x(3, 7, 9),)),
    ],
    "AdaptiveMaxPool3d": [(((2, None, 4),), {}, (x(*VOLUME),))],
    "FractionalMaxPool2d": [
        (
            ((2, 3),),
            {"output_size": (4, 5), "_random_samples": rng.random((2, 3, 2))},
            (x(*PICTURE),),
        )
    ],
    "FractionalMaxPool3d": [
        (
            (2,),
            {"output_ratio": 0.5, "_random_samples": rng.random((2, 2, 3))},
            (x(*VOLUME),),
        )
    ],
    "MaxUnpool1d": [((2,), {}, (x(1, 2, 2), np.array([[[1, 2], [0, 3]]])))],
    "MaxUnpool2d": [((2, 3), {}, (x(1, 1, 2, 2), np.array([[[[1, 4], [20, 18]]]])))],
    "MaxUnpool3d": [((2,), {}, (x(1, 1, 1, 2), np.array([[[[5, 15]]]])))],
    "Unfold": [
        ((2,), {}, (x(*PICTURE),)),
        (((3, 2), 2, 1, (1, 3)), {}, (x(*PICTURE),)),
    ],
    "Fold": [
        (((4, 5), 2), {}, (x(2, 12, 12),)),
        (((6, 7), (3, 2)), {"dilation": 2, "padding": 1, "stride": 2}, (x(6, 8),)),
    ],
    "PixelShuffle": [((2,), {}, (x(2, 8, 3, 4),))],
    "PixelUnshuffle": [((3,), {}, (x(2, 2, 6, 9),))],
    "ChannelShuffle": [((3,), {}, (x(2, 6, 3, 4),))],
    **{
        f"{name}{n}d": [
            ((2, *value), {}, (x(*shape),)),
            ((lengths, *value), {}, (x(*shape[1:]),)),
        ]
        for name, value in (
            ("ConstantPad", (1.5,)),
            ("ZeroPad", ()),
            ("ReflectionPad", ()),
            ("ReplicationPad", ()),
            ("CircularPad", ()),
        )
        for n, shape, lengths in (
            (1, LINE, (3, -1)),
            (2, PICTURE, (2, 0, 1, 3)),
            (3, VOLUME, (1, 2, 0, 1, 3, 0)),
        )
    },
}

ELSEWHERE: dict[str, str] = {}
