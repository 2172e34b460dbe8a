"""Two spirals, wound into one another: what layers can do that a line cannot.

Replace the imports of dotori by those of torch, and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch
from dotori import nn, optim


def spirals(n, seed):
    """n points on each of two spirals, and which one they are on."""
    rng = np.random.default_rng(seed)
    t = np.sqrt(rng.uniform(0.05, 1, 2 * n)) * 3 * np.pi
    which = np.repeat([0, 1], n)
    angle = t + np.pi * which
    points = np.stack([t * np.cos(angle), t * np.sin(angle)], axis=1) / 5
    points += 0.03 * rng.standard_normal(points.shape)
    return torch.tensor(points), torch.tensor(which)


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(2, 32), nn.GELU(), nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 2)
    ).double()


def main(model=None):
    model = make_model() if model is None else model
    x, y = spirals(150, seed=0)
    test_x, test_y = spirals(100, seed=1)
    loss_function = nn.CrossEntropyLoss(label_smoothing=0.02)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for step in range(300):
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        if step % 75 == 0:
            print(f"step {step:3d}: loss {loss.item():.4f}")
    with torch.no_grad():
        right = (model(test_x).argmax(dim=1) == test_y).double().mean().item()
    print(f"loss {loss.item():.4f}; right on new points: {right:.3f}")
    return {"loss": loss.item(), "accuracy": right}


if __name__ == "__main__":
    main()
