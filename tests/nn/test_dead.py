"""Dead units are those that no sample of any batch wakes."""

import numpy as np

import dotori
from dotori import nn


def test_a_unit_is_dead_only_if_all_batches_say_so():
    model = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, 1))
    with dotori.no_grad():
        model[0].weight.copy_([[1.0], [-1.0], [0.0]])
        model[0].bias.copy_([0.0, 0.0, -1.0])
    up, down = np.ones((4, 1), np.float32), -np.ones((4, 1), np.float32)
    assert nn.dead_units(model, [up]) == {"1": 2 / 3}
    assert nn.dead_units(model, [(up, None), (down, None)])["1"] == 1 / 3
    assert model.training and model[1]._hooks is None
