"""Two averages of the weights along the training, and how they do on new data.

Replace the imports of dotori by those of torch, and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch
from dotori import nn, optim
from dotori.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn


def make_data(n, seed):
    """A surface, with so much noise that single steps wander."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-2, 2, (n, 2))
    z = np.sin(points[:, :1]) * points[:, 1:] + 0.3 * rng.standard_normal((n, 1))
    return torch.tensor(points), torch.tensor(z)


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 32), nn.SiLU(), nn.Linear(32, 1)).double()


def main(model=None):
    model = make_model() if model is None else model
    x, y = make_data(256, seed=0)
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.95))
    swa = AveragedModel(model)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
    late = None
    order = np.random.default_rng(5)
    epochs, begin = 40, 20
    for epoch in range(epochs):
        if epoch == begin:
            late = SWALR(optimizer, swa_lr=0.05, anneal_epochs=5)
        shuffled = torch.tensor(order.permutation(len(x)))
        for batch in shuffled.reshape(-1, 16):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            ema.update_parameters(model)
        if epoch >= begin:
            swa.update_parameters(model)
            late.step()
        else:
            schedule.step()
    test_x, test_y = make_data(512, seed=1)
    figures = {"lr": optimizer.param_groups[0]["lr"]}
    with torch.no_grad():
        for name, candidate in (("last", model), ("EMA", ema), ("SWA", swa)):
            loss = nn.functional.mse_loss(candidate(test_x), test_y)
            figures[name] = loss.item()
            print(f"{name:4s} weights: loss on new data {loss.item():.5f}")
    return figures


if __name__ == "__main__":
    main()
