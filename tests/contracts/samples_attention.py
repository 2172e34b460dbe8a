"""Samples of tables, attention and Transformers, for `layer_samples.py`."""

from typing import Any

import numpy as np

rng = np.random.default_rng(11)


def x(*shape: int) -> Any:
    return rng.standard_normal(shape)


def labels(n: int, *shape: int) -> Any:
    return rng.integers(0, n, shape)


#: Positions do not see those after them.
CAUSAL = np.triu(np.ones((3, 3), bool), 1)

SAMPLES: dict[str, list[tuple[tuple[Any, ...], dict[str, Any], tuple[Any, ...]]]] = {
    "Embedding": [
        ((6, 3), {}, (labels(6, 4),)),
        ((6, 3), {"padding_idx": -1, "scale_grad_by_freq": True}, (labels(6, 2, 4),)),
        ((6, 3), {"max_norm": 1.0, "norm_type": 1.0}, (labels(6, 4),)),
    ],
    "EmbeddingBag": [
        ((6, 3), {}, (labels(6, 4, 5),)),
        ((6, 3), {"mode": "max"}, (labels(6, 7), np.array([0, 3, 3]))),
        (
            (6, 3),
            {"mode": "sum", "padding_idx": 2, "include_last_offset": True},
            (labels(6, 7), np.array([0, 3, 7])),
        ),
    ],
    "TransformerEncoderLayer": [
        ((8, 2, 6, 0.0), {}, (x(3, 2, 8),)),
        (
            (8, 4, 6, 0.0, "gelu"),
            {"batch_first": True, "norm_first": True, "bias": False},
            (x(2, 3, 8), CAUSAL),
        ),
    ],
    "TransformerDecoderLayer": [
        ((8, 2, 6, 0.0), {}, (x(3, 2, 8), x(4, 2, 8))),
        (
            (8, 4, 6, 0.0, "gelu"),
            {"batch_first": True, "norm_first": True},
            (x(2, 3, 8), x(2, 4, 8), CAUSAL),
        ),
    ],
}

ELSEWHERE = {
    "MultiheadAttention": "tests/nn/test_attention.py",
    "Transformer": "tests/nn/test_transformer.py",
    "TransformerDecoder": "tests/nn/test_transformer.py",
    "TransformerEncoder": "tests/nn/test_transformer.py",
    "RotaryPositionalEncoding": "tests/nn/test_embedding.py",
    "SinusoidalPositionalEncoding": "tests/nn/test_embedding.py",
}
