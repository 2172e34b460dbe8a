"""Read by type checkers, never run: what a user's code is known to be."""

from typing import assert_type

import numpy as np

import dotori
from dotori import Tensor, nn, optim


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x).relu()


model = Net()
x = dotori.randn(4, 3)
assert_type(model(x), Tensor)
assert_type(nn.Sequential(model, nn.ReLU())(x), Tensor)
assert_type(model.train(), Net)
assert_type(x + 1.0, Tensor)
assert_type(2.0 * x, Tensor)
assert_type(x @ x.T, Tensor)
assert_type(x.exp().sum(dim=0), Tensor)
assert_type(x[0], Tensor)
assert_type(x.shape, tuple[int, ...])
assert_type(dotori.tensor(np.ones(3)), Tensor)
loss = nn.functional.mse_loss(model(x), dotori.zeros(4, 2))
assert_type(loss, Tensor)
optimizer = optim.Adam(model.parameters(), lr=1e-3)
loss.backward()
optimizer.step()
