"""An autoencoder: waves of 24 numbers through a bottleneck of three, and back.

Replace the imports of dotori by those of torch (`dotori.data` is `torch.utils.data`
there), and the program runs on PyTorch.
"""

import numpy as np

import dotori as torch
from dotori import nn, optim
from dotori.data import DataLoader, TensorDataset


class Autoencoder(nn.Module):
    def __init__(self, width, code):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(width, 32), nn.LeakyReLU(0.1), nn.Linear(32, code)
        )
        self.decoder = nn.Sequential(
            nn.Linear(code, 32), nn.LeakyReLU(0.1), nn.Linear(32, width)
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def make_waves(n, seed):
    """Waves of any height, length and phase: three numbers describe each of them."""
    rng = np.random.default_rng(seed)
    height, length, phase = rng.uniform(
        [[0.5], [0.8], [0]], [[1.5], [1.2], [2]], (3, n)
    )
    t = np.linspace(0, 6, 24)
    return torch.tensor(height[:, None] * np.sin(length[:, None] * t + phase[:, None]))


def make_model():
    torch.manual_seed(0)
    return Autoencoder(24, 3).double()


def main(model=None):
    model = make_model() if model is None else model
    loader = DataLoader(TensorDataset(make_waves(512, seed=0)), batch_size=64)
    optimizer = optim.NAdam(model.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2, factor=0.5)
    for epoch in range(30):
        total = 0.0
        for (x,) in loader:
            loss = nn.functional.mse_loss(model(x), x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / len(loader)
        schedule.step(total)
        if epoch % 10 == 9:
            rate = optimizer.param_groups[0]["lr"]
            print(f"epoch {epoch + 1}: loss {total:.5f}, lr {rate:g}")
    with torch.no_grad():
        new = make_waves(128, seed=1)
        error = nn.functional.mse_loss(model(new), new).item()
        height = (new**2).mean().item()
    print(f"of new waves, {1 - error / height:.1%} comes through the bottleneck")
    return {"loss": total, "error": error, "lr": optimizer.param_groups[0]["lr"]}


if __name__ == "__main__":
    main()
