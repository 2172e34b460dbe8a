"""A dtype that is given keeps all digits of Python numbers."""

import numpy as np

import dotori


def test_no_digits_are_lost_on_the_way_to_float64():
    assert dotori.tensor(0.05, dtype=np.float64).item() == 0.05
    assert dotori.tensor([0.1, 0.2], dtype=np.float64).tolist() == [0.1, 0.2]
    z = dotori.tensor(0.1 + 0.2j, dtype=np.complex128)
    assert z.array == np.complex128(0.1 + 0.2j)
    assert dotori.tensor(0.05).dtype == np.float32
