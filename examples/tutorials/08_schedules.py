"""Warm-up, cosine decay and clipped gradients for a deep, steep network.

Replace the imports of dotori by those of torch, and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch
from dotori import nn, optim
from dotori.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR


def make_model():
    torch.manual_seed(0)
    layers = [nn.Linear(4, 24), nn.Tanh()]
    for _ in range(3):
        layers += [nn.Linear(24, 24), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(24, 1)).double()


def main(model=None):
    model = make_model() if model is None else model
    rng = np.random.default_rng(3)
    points = rng.standard_normal((256, 4))
    x = torch.tensor(points)
    y = torch.tensor(points[:, :1] * points[:, 1:2] + np.abs(points[:, 2:3]))
    optimizer = optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.01)
    steps, warm = 200, 20
    schedule = SequentialLR(
        optimizer,
        [
            LinearLR(optimizer, start_factor=0.05, total_iters=warm),
            CosineAnnealingLR(optimizer, T_max=steps - warm),
        ],
        milestones=[warm],
    )
    loss_function = nn.SmoothL1Loss()
    largest, rates = 0.0, []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.5)
        largest = max(largest, norm.item())
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
        if step % 40 == 0:
            print(f"step {step:3d}: lr {rates[-1]:.5f}, loss {loss.item():.5f}")
    print(f"loss {loss.item():.5f}; the largest gradient had norm {largest:.3f}")
    return {"loss": loss.item(), "largest norm": largest, "rates": rates[::20]}


if __name__ == "__main__":
    main()
