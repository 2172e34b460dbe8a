"""Samples of the recurrent cells; the layers, which give tuples, are tested by hand."""

import numpy as np

rng = np.random.default_rng(11)


def x(*shape):
    return rng.standard_normal(shape)


SAMPLES = {
    "RNNCell": [
        ((4, 3), {}, (x(5, 4), x(5, 3))),
        ((4, 3), {"nonlinearity": "relu", "bias": False}, (x(5, 4), x(5, 3))),
        ((4, 3), {}, (x(4),)),
    ],
    "GRUCell": [
        ((4, 3), {}, (x(5, 4), x(5, 3))),
        ((4, 3), {"bias": False}, (x(5, 4),)),
        ((4, 3), {}, (x(4), x(3))),
    ],
}

ELSEWHERE = {
    "LSTMCell": "tests/nn/test_recurrent_cells.py",
    "RNN": "tests/nn/test_recurrent.py",
    "LSTM": "tests/nn/test_recurrent.py",
    "GRU": "tests/nn/test_recurrent.py",
    "RNNBase": "a base class",
    "RNNCellBase": "a base class",
}
