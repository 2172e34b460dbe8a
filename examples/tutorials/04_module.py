"""Regression with a module of our own: layers as attributes, the rest in `forward`.

Replace the imports of dotori by those of torch, and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch
from dotori import nn


class Bump(nn.Module):
    """A network with one hidden layer, and a shortcut around it."""

    def __init__(self, hidden):
        super().__init__()
        self.inner = nn.Linear(2, hidden)
        self.outer = nn.Linear(hidden, 1)
        self.shortcut = nn.Linear(2, 1, bias=False)

    def forward(self, x):
        return self.outer(torch.tanh(self.inner(x))) + self.shortcut(x)


def make_model():
    torch.manual_seed(0)
    return Bump(24).double()


def main(model=None):
    model = make_model() if model is None else model
    rng = np.random.default_rng(1)
    points = rng.uniform(-2, 2, (300, 2))
    x = torch.tensor(points)
    y = torch.tensor(np.exp(-(points**2).sum(axis=1, keepdims=True)))
    loss_function = nn.MSELoss()
    for step in range(400):
        loss = loss_function(model(x), y)
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.2 * parameter.grad
        if step % 100 == 0:
            print(f"step {step:3d}: loss {loss.item():.6f}")
    model.eval()
    with torch.no_grad():
        top = model(torch.tensor(np.zeros((1, 2)))).item()
    print(f"at the top of the bump: {top:.3f} (1 is true)")
    return {"loss": loss.item(), "top": top}


if __name__ == "__main__":
    main()
