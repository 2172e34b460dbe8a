"""For each module of `dotori.nn`: how to make it, and what to run it on.

`SAMPLES[name]` is a list of (arguments, keywords, inputs). Inputs are float64 arrays,
which are differentiated, or integer arrays, which are not. A module that is tested in
another way is named in `ELSEWHERE`, with the file that does it. The files
`samples_*.py` beside this one hold those of the larger families.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

rng = np.random.default_rng(7)


def x(*shape: int) -> Any:
    return rng.standard_normal(shape)


def probabilities(*shape: int) -> Any:
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def signs(*shape: int) -> Any:
    return rng.choice([-1.0, 1.0], shape)


def labels(n: int, *shape: int) -> Any:
    return rng.integers(0, n, shape)


PLAIN = [((), {}, (x(3, 4, 2),))]
SETS = np.array([[3, 0, -1, 1], [1, -1, 0, 2]])  # what follows -1 does not count
weights = rng.uniform(0.5, 2.0, 4)

SAMPLES: dict[str, list[tuple[tuple[Any, ...], dict[str, Any], tuple[Any, ...]]]] = {
    "ReLU": PLAIN,
    "ReLU6": PLAIN,
    "LeakyReLU": [*PLAIN, ((0.2,), {}, (x(3, 4),))],
    "PReLU": [*PLAIN, ((4,), {"init": 0.1}, (x(3, 4, 2),))],
    "RReLU": PLAIN,
    "ELU": [*PLAIN, ((1.3,), {}, (x(3, 4),))],
    "CELU": [*PLAIN, ((1.3,), {}, (x(3, 4),))],
    "SELU": PLAIN,
    "GELU": [*PLAIN, ((), {"approximate": "tanh"}, (x(3, 4),))],
    "SiLU": PLAIN,
    "Mish": PLAIN,
    "Hardswish": PLAIN,
    "Hardsigmoid": PLAIN,
    "Hardtanh": [*PLAIN, ((-0.5, 0.7), {}, (x(3, 4),))],
    "Threshold": [((0.1, 5.0), {}, (x(3, 4),))],
    "Sigmoid": PLAIN,
    "Tanh": PLAIN,
    "LogSigmoid": PLAIN,
    "Softsign": PLAIN,
    "Tanhshrink": PLAIN,
    "Softplus": [*PLAIN, ((), {"beta": 2.0, "threshold": 1.0}, (x(3, 4),))],
    "Softshrink": [*PLAIN, ((0.2,), {}, (x(3, 4),))],
    "Hardshrink": [*PLAIN, ((0.2,), {}, (x(3, 4),))],
    "Softmax": [((), {"dim": 1}, (x(3, 4, 2),))],
    "Softmin": [((), {"dim": 1}, (x(3, 4, 2),))],
    "LogSoftmax": [((), {"dim": 1}, (x(3, 4, 2),))],
    "Softmax2d": [((), {}, (x(2, 3, 2, 2),))],
    "GLU": [((), {}, (x(3, 4),)), ((), {"dim": 0}, (x(4, 3),))],
    "Linear": [
        ((4, 3), {}, (x(5, 4),)),
        ((4, 3), {"bias": False}, (x(2, 5, 4),)),
    ],
    "Bilinear": [
        ((4, 2, 3), {}, (x(5, 4), x(5, 2))),
        ((4, 2, 3), {"bias": False}, (x(5, 4), x(5, 2))),
    ],
    "Identity": PLAIN,
    "Flatten": [*PLAIN, ((0, 1), {}, (x(2, 3, 4),))],
    "Unflatten": [((1, (2, 3)), {}, (x(4, 6, 2),)), ((-1, (2, 3)), {}, (x(4, 6),))],
    "Dropout": [((0.0,), {}, (x(3, 4),)), ((1.0,), {}, (x(3, 4),))],
    "Dropout1d": [((0.0,), {}, (x(2, 3, 4),))],
    "Dropout2d": [((0.0,), {}, (x(2, 3, 4, 4),))],
    "Dropout3d": [((0.0,), {}, (x(2, 3, 2, 2, 2),))],
    "AlphaDropout": [((0.0,), {}, (x(3, 4),))],
    "FeatureAlphaDropout": [((0.0,), {}, (x(3, 4, 2),))],
    "L1Loss": [((), {}, (x(3, 4), x(3, 4)))],
    "MSELoss": [
        ((), {}, (x(3, 4), x(3, 4))),
        ((), {"reduction": "none"}, (x(3, 4), x(3, 4))),
    ],
    "HuberLoss": [((), {"delta": 0.5}, (x(3, 4), x(3, 4)))],
    "SmoothL1Loss": [((), {"beta": 0.5}, (x(3, 4), x(3, 4)))],
    "PoissonNLLLoss": [((), {}, (x(3, 4), x(3, 4)))],
    "GaussianNLLLoss": [((), {}, (x(3, 4), x(3, 4), x(3, 4) ** 2 + 0.1))],
    "CrossEntropyLoss": [
        ((), {}, (x(5, 4), labels(4, 5))),
        ((), {"label_smoothing": 0.1, "ignore_index": 2}, (x(5, 4), labels(4, 5))),
        ((weights,), {"reduction": "sum"}, (x(5, 4, 2), labels(4, 5, 2))),
        ((), {}, (x(5, 4), probabilities(5, 4))),
    ],
    "NLLLoss": [
        ((), {}, (x(5, 4), labels(4, 5))),
        ((weights,), {"ignore_index": 2}, (x(5, 4), labels(4, 5))),
    ],
    "BCELoss": [
        ((), {}, (probabilities(3, 4), probabilities(3, 4))),
        ((weights,), {}, (probabilities(3, 4), probabilities(3, 4))),
    ],
    "BCEWithLogitsLoss": [
        ((), {}, (x(3, 4), probabilities(3, 4))),
        ((weights,), {"pos_weight": weights}, (x(3, 4), probabilities(3, 4))),
    ],
    "KLDivLoss": [
        ((), {"reduction": "batchmean"}, (x(3, 4), probabilities(3, 4))),
        ((), {"reduction": "sum", "log_target": True}, (x(3, 4), x(3, 4))),
    ],
    "SoftMarginLoss": [((), {}, (x(3, 4), signs(3, 4)))],
    "HingeEmbeddingLoss": [((), {"margin": 0.5}, (x(3, 4), signs(3, 4).astype(int)))],
    "MarginRankingLoss": [((), {"margin": 0.5}, (x(6), x(6), signs(6).astype(int)))],
    "CosineEmbeddingLoss": [
        ((), {"margin": 0.2}, (x(6, 3), x(6, 3), signs(6).astype(int)))
    ],
    "TripletMarginWithDistanceLoss": [
        ((), {"swap": True, "margin": 2.0}, (x(6, 3), x(6, 3), x(6, 3)))
    ],
    "TripletMarginLoss": [((), {"swap": True}, (x(6, 3), x(6, 3), x(6, 3)))],
    "MultiMarginLoss": [
        ((), {}, (x(5, 4), labels(4, 5))),
        ((), {"p": 2, "weight": weights}, (x(5, 4), labels(4, 5))),
    ],
    "MultiLabelMarginLoss": [
        ((), {}, (x(2, 4), np.array([[3, 0, -1, 1], [1, -1, 0, 2]])))
    ],
    "MultiLabelSoftMarginLoss": [
        ((), {}, (x(3, 4), labels(2, 3, 4).astype(float))),
        ((weights,), {}, (x(3, 4), labels(2, 3, 4).astype(float))),
    ],
    "PairwiseDistance": [((), {"p": 3.0}, (x(5, 4), x(5, 4)))],
    "CosineSimilarity": [((), {}, (x(5, 4), x(5, 4)))],
}

ELSEWHERE = {
    "Module": "tests/nn/test_module.py",
    "Parameter": "tests/nn/test_module.py",
    "Sequential": "tests/nn/test_container.py",
    "ModuleList": "tests/nn/test_container.py",
    "ModuleDict": "tests/nn/test_container.py",
    "ParameterDict": "tests/nn/test_container.py",
    "ParameterList": "tests/nn/test_container.py",
    "CTCLoss": "tests/nn/test_sequence_losses.py",
    "AdaptiveLogSoftmaxWithLoss": "tests/nn/test_sequence_losses.py",
    "LinearCrossEntropyLoss": "tests/nn/test_sequence_losses.py",
    "Loss": "a base class",
    "WeightedLoss": "a base class",
}

for _path in sorted(Path(__file__).parent.glob("samples_*.py")):
    _family = import_module(_path.stem)
    SAMPLES |= _family.SAMPLES
    ELSEWHERE |= _family.ELSEWHERE
